#!/usr/bin/env python3
"""A correct server with a thread for each client: it answers every message with itself.

The yardstick for false alarms: whatever docs/PROTOCOL.md requires, this server does.
"""

import socket
import sys
import threading
import time

import messages
import peer

# How long a frame may take from its first octet to its last, and a reply to be taken, in seconds.
PATIENCE = 30.0

# How long a client that has been given up may go on sending before the socket is let go, in seconds.
FAREWELL = 2.0

PIECE = 1 << 16


class Malformed(Exception):
    """A header that no frame can have."""


class EndOfStream(Exception):
    """The client sends no more: between frames, or in the middle of one."""


class Client:
    def __init__(self, sock, profile, max_body):
        self.sock = sock
        self.profile = profile
        self.max_body = max_body

    def serve(self):
        try:
            while True:
                self.send(self.answer(self.next_payload()))
        except EndOfStream:
            pass
        except Malformed:
            self.say_farewell()
        except OSError:
            pass  # Reset, or out of patience: nobody is left to tell.
        finally:
            self.sock.close()

    def answer(self, payload):
        try:
            return messages.encode(messages.decode(payload))
        except messages.Undecodable as error:
            return messages.encode({"error": f"undecodable payload ({error})"})

    def send(self, payload):
        self.sock.settimeout(PATIENCE)
        self.sock.sendall(self.profile.frame(payload))

    def next_payload(self):
        self.sock.settimeout(None)
        first = self.receive(1)
        deadline = time.monotonic() + PATIENCE
        header = first + self.exactly(3, deadline)
        length = self.profile.body_length(header)
        if length > self.max_body or length % self.profile.chunk:
            raise Malformed
        return self.exactly(length, deadline).rstrip(b"\0")

    def exactly(self, length, deadline):
        octets = bytearray()
        while len(octets) < length:
            left = deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout("frame not completed")
            self.sock.settimeout(left)
            octets += self.receive(min(length - len(octets), PIECE))
        return bytes(octets)

    def receive(self, most):
        octets = self.sock.recv(most)
        if not octets:
            raise EndOfStream
        return octets

    def say_farewell(self):
        """Ends the stream at once, then reads off what is under way, so that FIN is not overtaken by RST."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + FAREWELL
            while time.monotonic() < deadline:
                self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
                if not self.sock.recv(PIECE):
                    break
        except OSError:
            pass


def accept_for_ever(listener, profile, max_body, kind=Client):
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            time.sleep(0.02)  # Out of descriptors, or the client has gone again.
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = kind(sock, profile, max_body)
        try:
            threading.Thread(target=client.serve, daemon=True).start()
        except RuntimeError:
            sock.close()  # No thread to be had.


def main():
    parser = peer.options(__doc__)
    parser.add_argument("--max-body", type=int, default=1 << 20, help="in octets")
    args = parser.parse_args()
    # Threads that wait for the interpreter get it sooner: a busy client delays the others less.
    sys.setswitchinterval(0.001)
    accept_for_ever(peer.begin(args), peer.PROFILES[args.profile], args.max_body)


if __name__ == "__main__":
    main()
