#!/usr/bin/env python3
"""A server over UDP: each datagram is one frame, and each message comes back to its sender.

Correct, unless --bug names a mistake that people make with datagrams, or --mode something that puts a strain on
whoever checks it.
"""

import socket
import sys

import messages
import peer

# More than any datagram holds.
ROOM = 65535

# How many datagrams a flood is made of for each that comes.
FLOOD = 20000


class Server:
    def __init__(self, sock, profile, bug, mode):
        self.sock = sock
        self.profile = profile
        self.bug = bug
        self.mode = mode
        self.buffer = b""
        # Datagrams from here do not come from where the client has sent its own to.
        self.other = socket.socket(sock.family, socket.SOCK_DGRAM)
        self.asked = 0

    def serve(self):
        room = 64 if self.bug == "small-buffer" else ROOM
        while True:
            datagram, sender = self.sock.recvfrom(room)
            self.asked += 1
            if self.bug == "one-buffer":
                self.buffer += datagram
                self.from_buffer(sender)
            elif self.bug == "ignores-header":
                self.say(datagram[4:].rstrip(b"\0"), sender)
            elif self.bug == "unpacks-blindly":
                # Raises what nobody catches if there are fewer than four octets.
                header = bytes(datagram[at] for at in range(4))
                self.one(header, datagram, sender)
            else:
                self.one(datagram[:4], datagram, sender)

    def one(self, header, datagram, sender):
        if len(header) < 4:
            return
        length = self.profile.body_length(header)
        if length == len(datagram) - 4 and length % self.profile.chunk == 0:
            self.say(datagram[4:].rstrip(b"\0"), sender)

    def from_buffer(self, sender):
        while len(self.buffer) >= 4:
            end = 4 + self.profile.body_length(self.buffer[:4])
            if end > len(self.buffer):
                return
            payload, self.buffer = self.buffer[4:end], self.buffer[end:]
            self.say(payload.rstrip(b"\0"), sender)

    def say(self, payload, sender):
        try:
            reply = messages.encode(messages.decode(payload))
        except messages.Undecodable as error:
            reply = messages.encode({"error": f"undecodable payload ({error})"})
        frame = self.profile.frame(reply)
        if self.mode == "floods" and self.asked > 40:
            for _ in range(FLOOD):
                self.sock.sendto(frame, sender)
        elif self.mode == "empty-floods" and self.asked > 40:
            for _ in range(FLOOD):
                self.sock.sendto(b"", sender)
        elif self.mode == "huge" and self.asked > 40:
            self.sock.sendto(frame + bytes(65507 - len(frame)), sender)
            return
        elif self.mode == "other-port":
            self.other.sendto(frame, sender)
        self.sock.sendto(frame, sender)


def main():
    parser = peer.options(__doc__)
    bugs = ["none", "small-buffer", "one-buffer", "ignores-header", "unpacks-blindly"]
    parser.add_argument("--bug", choices=bugs, default="none")
    modes = ["fair", "floods", "empty-floods", "huge", "other-port"]
    parser.add_argument("--mode", choices=modes, default="fair")
    args = parser.parse_args()
    family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((args.host, args.port))
    print(f"{args.host}:{sock.getsockname()[1]}", flush=True)
    if args.until_eof:
        peer.end_with_stdin()
    Server(sock, peer.PROFILES[args.profile], args.bug, args.mode).serve()


if __name__ == "__main__":
    sys.exit(main())
