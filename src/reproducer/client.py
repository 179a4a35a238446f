import select
import socket
import struct
import sys
import threading
import time

# HOST PORT, or HOST:PORT, where an address of many colons may stand in brackets. With udp: in front, each segment is
# a datagram.
TARGET = sys.argv[1:3] or ["127.0.0.1"]
UDP = TARGET[0].startswith("udp:")
TARGET[0] = TARGET[0][4:] if UDP else TARGET[0]
if len(TARGET) == 1 and ":" in TARGET[0].rpartition("]")[2]:
    TARGET = TARGET[0].rsplit(":", 1)
HOST = TARGET[0].strip("[]")
PORT = int(TARGET[1]) if len(TARGET) > 1 else 7060
PATIENCE = 2.0  # seconds that an owed answer is waited for
BETWEEN = 0.02  # seconds between segments, so that each is seen by itself
START = time.monotonic()


def say(name, what):
    print(f"{(time.monotonic() - START) * 1000:10.1f} ms  {name:4} {what}", flush=True)


# SHARED


class Client:
    def __init__(self, name, small_buffer=False, says=None, whole=True, held=b""):
        self.name = name
        self.held = held
        self.pending = b""
        self.replies = 0
        self.over = False
        self.reads = True
        self.changed = threading.Condition()
        family, kind, protocol, _, address = socket.getaddrinfo(
            HOST, PORT, type=socket.SOCK_DGRAM if UDP else socket.SOCK_STREAM
        )[0]
        self.socket = socket.socket(family, kind, protocol)
        if small_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(address)
        if not UDP:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            say(name, "connected")
            begin(self.socket, "client", says, whole)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while not self.over:
            try:
                if not self.reads or not select.select([self.socket], [], [], 0.05)[0]:
                    if not self.reads:
                        time.sleep(0.01)
                    continue
                octets = self.socket.recv(65536)
            except (OSError, ValueError) as error:
                self.ended(f"<- {error}" if UDP else "<- reset (RST)")
            else:
                if UDP:
                    self.take_datagram(octets)
                elif octets:
                    self.take(octets)
                else:
                    self.ended("<- closed (FIN)")

    def take_datagram(self, octets):
        is_frame = frame_size(octets) == len(octets)
        with self.changed:
            what = "a frame" if is_frame else "a datagram that is no frame"
            say(self.name, f"<- {what}: {shown(octets)}")
            self.replies += is_frame
            self.changed.notify_all()

    def take(self, octets):
        with self.changed:
            self.pending += octets
            while True:
                end = frame_size(self.pending)
                if end is None or end > len(self.pending):
                    break
                say(self.name, f"<- a frame: {shown(self.pending[:end])}")
                self.replies += is_last(self.pending[:end])
                self.pending = self.pending[end:]
            if self.pending:
                say(self.name, f"<- no whole frame: {shown(self.pending)}")
            self.changed.notify_all()

    def ended(self, how):
        with self.changed:
            if not self.over:
                self.over = True
                say(self.name, how)
            self.changed.notify_all()

    def send(self, *segments):
        for number, octets in enumerate(segments):
            if number > 0:
                time.sleep(BETWEEN)
            say(self.name, f"-> {len(octets)} octets: {shown(octets)}")
            octets, self.held = self.held + octets, b""
            try:
                # A datagram may be empty, a segment is not.
                self.socket.send(octets) if UDP else self.socket.sendall(octets)
            except OSError as error:
                say(self.name, f"not all was sent: {error}")
                return

    def wait(self, replies, close=False, datagrams=None):
        if UDP:
            replies, close = replies if datagrams is None else datagrams, False

        def settled():
            return self.over or (not close and self.replies >= replies)

        with self.changed:
            if not self.changed.wait_for(settled, PATIENCE):
                end = "and not closed" if close else "and still open"
                say(self.name, f"given up: {self.replies} of {replies} replies, {end}")

    def quiet(self):
        time.sleep(0.2)

    def send_empty(self):
        if UDP:
            self.send(b"")

    def fin(self):
        if UDP:
            return
        say(self.name, "-> end of the stream (FIN)")
        try:
            self.socket.sendall(self.held)
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def rst(self):
        say(self.name, "-> reset (RST)")
        with self.changed:
            self.over = True
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()

    def stall(self):
        say(self.name, "stops reading")
        self.reads = False

    def resume(self):
        say(self.name, "reads again")
        self.reads = True


