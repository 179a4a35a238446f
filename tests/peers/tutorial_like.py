#!/usr/bin/env python3
"""A server that behaves as the example server of the course does, faults included.

- The header is taken with one recv(4), however few octets that brings.
- The body is taken with recv(60), which reads into the next frame.
- The end of the stream reads as a length of zero: the client gets answers without end to nothing,
  until the socket itself refuses. Inside a body it is waited on for ever, at full speed.
- NULs are stripped at both ends of the body.
- Any length is believed.
- An exception that nobody thought of ends the thread and leaves its socket open and mute.
"""

import json
import threading

import peer

PIECE = 60


class Server:
    def __init__(self, listener, profile):
        self.listener = listener
        self.profile = profile
        # Keeps the sockets of dead threads open, as servers do that hold a list of their clients.
        self.clients = []

    def run(self):
        while True:
            sock, _ = self.listener.accept()
            self.clients.append(sock)
            threading.Thread(target=self.listen_to, args=(sock,), daemon=True).start()

    def listen_to(self, sock):
        try:
            while True:
                message = self.receive(sock)
                self.send(sock, f"Respuesta asociada al mensaje {message}")
        except ConnectionResetError:
            pass

    def receive(self, sock):
        length = self.profile.body_length(sock.recv(4))
        body = bytearray()
        while len(body) < length:
            body += sock.recv(PIECE)
        try:
            return json.loads(body.strip(b"\0"))
        except json.JSONDecodeError:
            return ""

    def send(self, sock, message):
        sock.sendall(self.profile.frame(json.dumps(message).encode("utf-8")))


def main():
    args = peer.options(__doc__).parse_args()
    listener = peer.begin(args)
    # A thread that dies does so without a word: the traceback is not what is tested.
    threading.excepthook = lambda _: None
    Server(listener, peer.PROFILES[args.profile]).run()


if __name__ == "__main__":
    main()
