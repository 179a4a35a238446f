#!/usr/bin/env python3
"""A correct client: each line of its input is sent, and each reply is printed as it comes.

The yardstick for false alarms: whatever docs/PROTOCOL.md requires of a client, this one does. With
`--one-by-one` it waits for each reply before it reads the next line, with `--count N` it reads no lines
but sends so many requests by itself, and with `--buffered` it leaves its output to the system's buffers.
"""

import argparse
import json
import os
import socket
import sys
import threading

import messages
import peer

PIECE = 1 << 16


class Broken(Exception):
    """The server has ended the connection, or sends what nobody can read."""


class Client:
    def __init__(self, sock, profile, max_body):
        self.sock = sock
        self.profile = profile
        self.max_body = max_body

    def send(self, text):
        self.sock.sendall(self.profile.frame(messages.encode(text)))

    def receive(self):
        """The next reply; None if it is no message."""
        header = self.exactly(4, at_boundary=True)
        length = self.profile.body_length(header)
        if length > self.max_body or length % self.profile.chunk:
            raise Broken(f"a reply claims {length} octets")
        payload = self.exactly(length).rstrip(b"\0")
        try:
            return messages.decode(payload)
        except messages.Undecodable as error:
            say(f"undecodable reply ({error})", sys.stderr)
            return None

    def exactly(self, length, at_boundary=False):
        octets = bytearray()
        while len(octets) < length:
            more = self.sock.recv(min(length - len(octets), PIECE))
            if not more:
                inside = octets or not at_boundary
                raise Broken("the server ended its stream" + (" inside a reply" if inside else ""))
            octets += more
        return bytes(octets)

    def show_next(self):
        reply = self.receive()
        if reply is not None:
            # In one line whatever it holds, and in ASCII whatever the terminal is set to.
            say(f"reply: {json.dumps(reply)}", sys.stdout)

    def show_all(self):
        while True:
            self.show_next()


is_buffered = False


def say(line, where):
    print(line, file=where, flush=not is_buffered)


def talk(client, lines):
    """Sends lines while another thread prints replies, whose end is the end of everything."""

    def listen():
        try:
            client.show_all()
        except (Broken, OSError) as error:
            say(f"error: {error}", sys.stderr)
            quit_at_once(1)

    threading.Thread(target=listen, daemon=True).start()
    for line in lines:
        client.send(line)


def quit_at_once(code):
    sys.stdout.flush()
    os._exit(code)


def lines_of_stdin():
    for line in sys.stdin:
        yield line.rstrip("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--profile", choices=sorted(peer.PROFILES), default="tutorial")
    parser.add_argument("--max-body", type=int, default=1 << 20, help="in octets")
    parser.add_argument("--one-by-one", action="store_true", help="wait for each reply")
    parser.add_argument("--count", type=int, help="send so many requests instead of reading lines")
    parser.add_argument("--buffered", action="store_true", help="do not flush (with python3 -E)")
    args = parser.parse_args()
    global is_buffered
    is_buffered = args.buffered
    lines = lines_of_stdin()
    if args.count is not None:
        lines = (f"request {number}" for number in range(args.count))
    try:
        sock = socket.create_connection((args.host, args.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock, peer.PROFILES[args.profile], args.max_body)
        if args.one_by_one or args.count is not None:
            for line in lines:
                client.send(line)
                client.show_next()
        else:
            talk(client, lines)
    except (Broken, OSError) as error:
        say(f"error: {error}", sys.stderr)
        quit_at_once(1)


if __name__ == "__main__":
    main()
