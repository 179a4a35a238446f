"""What all peers share: options, profiles, the socket they listen on, the line that says where.

Python 3.8 or newer and its standard library are enough.
"""

import argparse
import os
import socket
import sys
import threading
from typing import NamedTuple


class Profile(NamedTuple):
    """One of the two wire formats that docs/PROTOCOL.md describes."""

    order: str
    unit: int
    chunk: int

    def body_length(self, header):
        return int.from_bytes(header, self.order) * self.unit

    def header(self, body_length):
        return (body_length // self.unit).to_bytes(4, self.order)

    def frame(self, payload):
        body = payload + bytes(-len(payload) % self.chunk)
        return self.header(len(body)) + body


PROFILES = {
    "tutorial": Profile(order="big", unit=1, chunk=60),
    "chunk-count": Profile(order="little", unit=4, chunk=4),
}


def options(about):
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="tutorial")
    parser.add_argument(
        "--narrow",
        action="store_true",
        help="small buffers and segments, as on a real network, and a short queue of new clients",
    )
    parser.add_argument(
        "--until-eof",
        action="store_true",
        help="exit when standard input ends, and so with whoever started this",
    )
    return parser


def begin(args):
    """Listens, says where on the first line of standard output, and gives the listening socket."""
    family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if args.narrow:
        _narrow(listener)
    listener.bind((args.host, args.port))
    listener.listen(5 if args.narrow else 1024)
    host, port = listener.getsockname()[:2]
    print(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", flush=True)
    if args.until_eof:
        end_with_stdin()
    return listener


def end_with_stdin():
    """Ends the process when its standard input does."""
    threading.Thread(target=_exit_at_eof, daemon=True).start()


def _narrow(listener):
    """What a loopback interface holds is so much that nobody ever waits there."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
    if hasattr(socket, "TCP_MAXSEG"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)


def _exit_at_eof():
    while sys.stdin.buffer.read1(4096):
        pass
    os._exit(0)
