#!/usr/bin/env python3
"""A server that behaves as the example server of the course does, faults included.

- The header is taken with one recv(4), however few octets that brings.
- The body is taken with recv(60), which reads into the next frame.
- The end of the stream reads as a length of zero: the client gets answers without end to nothing,
  until the socket itself refuses. Inside a body it is waited on for ever, at full speed.
- NULs are stripped at both ends of the body.
- Any length is believed.
- An exception that nobody thought of ends the thread and leaves its socket open and mute.

Each of them can be mended, as somebody would who goes by what the report says: `--mended header,end`.
"""

import json
import threading

import peer

PIECE = 60

# The largest body: what the protocol's signed length can say, in whole chunks.
LIMIT = (1 << 31) - 1

MENDED = ("header", "body", "end", "padding", "limit", "exception")


class Server:
    def __init__(self, listener, profile, mended):
        self.listener = listener
        self.profile = profile
        self.mended = mended
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
        except Exception:
            if "exception" not in self.mended:
                raise
        finally:
            if "exception" in self.mended:
                self.clients.remove(sock)
                sock.close()

    def receive(self, sock):
        length = self.profile.body_length(self.receive_header(sock))
        if "limit" in self.mended and (length > LIMIT or length % self.profile.chunk):
            raise ValueError(f"a body of {length} octets")
        body = bytearray()
        while len(body) < length:
            most = min(PIECE, length - len(body)) if "body" in self.mended else PIECE
            body += self.receive_piece(sock, most)
        text = body.rstrip(b"\0") if "padding" in self.mended else body.strip(b"\0")
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return ""

    def receive_header(self, sock):
        header = self.receive_piece(sock, 4)
        while "header" in self.mended and len(header) < 4:
            header += self.receive_piece(sock, 4 - len(header))
        return header

    def receive_piece(self, sock, most):
        piece = sock.recv(most)
        if not piece and "end" in self.mended:
            raise ConnectionResetError
        return piece

    def send(self, sock, message):
        sock.sendall(self.profile.frame(json.dumps(message).encode("utf-8")))


def main():
    parser = peer.options(__doc__)
    parser.add_argument("--mended", default="", metavar="NAME,…", help="of " + ", ".join(MENDED))
    args = parser.parse_args()
    mended = set(filter(None, args.mended.split(",")))
    if not mended <= set(MENDED):
        parser.error(f"nothing to be mended is called {', '.join(sorted(mended - set(MENDED)))}")
    listener = peer.begin(args)
    # A thread that dies does so without a word: the traceback is not what is tested.
    threading.excepthook = lambda _: None
    Server(listener, peer.PROFILES[args.profile], mended).run()


if __name__ == "__main__":
    main()
