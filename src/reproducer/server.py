import os
import shlex
import socket
import struct
import subprocess
import sys
import threading
import time

COMMAND = sys.argv[1] if len(sys.argv) > 1 else ""
HOST = "127.0.0.1"
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 0
PATIENCE = 2.0  # seconds that the client is waited for
BETWEEN = 0.02  # seconds between segments, so that each is seen by itself
START = time.monotonic()


def say(name, what):
    print(f"{(time.monotonic() - START) * 1000:10.1f} ms  {name:6} {what}", flush=True)


# SHARED


class Server:
    def __init__(self):
        self.pending = b""
        self.requests = 0
        self.awaited = 0
        self.over = False
        self.printed = ""
        self.socket = None
        self.client = None
        self.changed = threading.Condition()
        self.listener = socket.create_server((HOST, PORT))
        port = self.listener.getsockname()[1]
        say("", f"listens at {HOST}:{port}")
        if COMMAND:
            command = COMMAND.replace("{host}", HOST).replace("{port}", str(port))
            self.client = subprocess.Popen(
                shlex.split(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=dict(os.environ, PYTHONUNBUFFERED="1"),
            )
            threading.Thread(target=self.listen_to_it, daemon=True).start()

    def listen_to_it(self):
        for line in self.client.stdout:
            text = line.decode("utf-8", "replace")
            with self.changed:
                self.printed += text
                say("client", f"prints {text.rstrip()!r}")
                self.changed.notify_all()
        code = self.client.wait()
        self.ended(f"exits with code {code}")

    def wait(self, what, met, patience=PATIENCE):
        with self.changed:
            if not self.changed.wait_for(met, patience):
                say("client", f"GIVEN UP: {what} within {patience:g} s")

    def accept(self):
        self.listener.settimeout(PATIENCE if self.client else None)
        try:
            self.socket, _ = self.listener.accept()
        except OSError:
            say("client", f"GIVEN UP: no connection within {PATIENCE:g} s")
            sys.exit(1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        say("client", "connects")
        begin(self.socket, "server")
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while not self.over:
            try:
                octets = self.socket.recv(65536)
            except (OSError, ValueError):
                return self.ended("resets the connection (RST), or has been reset")
            if not octets:
                return self.ended("ends the connection (FIN)")
            self.take(octets)

    def take(self, octets):
        with self.changed:
            self.pending += octets
            while True:
                end = frame_size(self.pending)
                if end is None or end > len(self.pending):
                    break
                say("client", f"-> a request: {shown(self.pending[:end])}")
                self.pending = self.pending[end:]
                self.requests += 1
            if self.pending:
                say("client", f"-> no whole request: {shown(self.pending)}")
            self.changed.notify_all()

    def ended(self, how):
        with self.changed:
            if not self.over:
                say("client", how)
            self.over = True
            self.changed.notify_all()

    def type(self, line):
        if not self.client:
            return input(f"Type this at the client, then press Enter here: {line}\n")
        say("", f"types {line!r}")
        try:
            self.client.stdin.write(line.encode() + b"\n")
            self.client.stdin.flush()
        except OSError as error:
            say("", f"it cannot be typed: {error}")

    def request(self, or_end=False):
        self.awaited += 1
        what = "no further request" + (" and no end of the connection" if or_end else "")
        self.wait(what, lambda: self.requests >= self.awaited or self.over)

    def send(self, *segments):
        for number, octets in enumerate(segments):
            if number > 0:
                time.sleep(BETWEEN)
            say("", f"sends {len(octets)} octets: {shown(octets)}")
            try:
                self.socket.sendall(octets)
            except OSError as error:
                return say("", f"not all was sent: {error}")

    def shown(self, text):
        if self.client:
            # However it prints what is beyond ASCII, the rest is there.
            parts = "".join(c if c.isascii() else "\0" for c in text).split("\0")
            self.wait(
                f"it does not show {text!r}",
                lambda: all(part in self.printed for part in parts),
            )

    def settle(self):
        with self.changed:
            self.changed.wait_for(lambda: self.over, 0.4)

    def end(self):
        self.wait("it has ended neither the connection nor itself", lambda: self.over)

    def fin(self):
        say("", "ends its stream (FIN)")
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def rst(self):
        say("", "resets the connection (RST)")
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.shutdown(socket.SHUT_RD)
        self.socket.close()

    def notice(self):
        before = len(self.printed)
        exited = lambda: self.client and self.client.poll() is not None
        self.wait(
            "it has said nothing since the reset, and still runs",
            lambda: exited() or len(self.printed) > before,
        )

    def quiet(self):
        time.sleep(0.2)

    def done(self):
        if self.client:
            self.client.kill()
        say("", "done")


