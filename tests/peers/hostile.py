#!/usr/bin/env python3
"""Peers that are no servers at all: each mode puts another strain on whoever checks it."""

import json
import os
import random
import socket
import struct
import threading
import time

import peer

DRIP = 0.05  # seconds
HALF_FRAME = 3  # chunks promised where one and a half come
PIECE = 1 << 16

ESCAPES = "\x1b[2J\x1b[31mred\x07\x1b]0;title\x1b\\\r\b\x9b1m <script>alert(1)</script> ]]>&"


class Gone(Exception):
    """The client has ended its stream."""


class Client:
    """One connection, and the few things that modes do with it."""

    def __init__(self, sock, profile):
        self.sock = sock
        self.profile = profile

    def exactly(self, length):
        octets = bytearray()
        while len(octets) < length:
            piece = self.sock.recv(min(length - len(octets), PIECE))
            if not piece:
                raise Gone
            octets += piece
        return bytes(octets)

    def request(self):
        body = self.exactly(self.profile.body_length(self.exactly(4)))
        return body.rstrip(b"\0")

    def reply(self, payload):
        self.sock.sendall(self.profile.frame(payload))

    def drip(self, octets):
        for octet in octets:
            self.sock.sendall(bytes([octet]))
            time.sleep(DRIP)

    def hold(self):
        """Keeps the connection open and does nothing with it."""
        threading.Event().wait()


def mute(client):
    client.hold()


def garbage_forever(client):
    noise = random.Random(7)
    while True:
        client.sock.sendall(noise.getrandbits(8 * 4096).to_bytes(4096, "big"))


def close_at_once(client):
    client.sock.close()


def reset_at_once(client):
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()


def endless_frames(client):
    frame = client.profile.frame(b'"nobody asked"')
    while True:
        client.sock.sendall(frame * 64)


def replies_forever(client):
    client.request()
    endless_frames(client)


def huge_header(client):
    """Answers with the largest length that whole chunks allow, and begins to send as much, slowly."""
    client.request()
    counts = 0xFFFFFFFF * client.profile.unit // client.profile.chunk
    client.sock.sendall(client.profile.header(counts * client.profile.chunk))
    while True:
        client.drip(b"x")


def drip(client):
    client.request()
    frame = client.profile.frame(b'"slow"')
    while True:
        client.drip(frame)


def terminal_escapes(client):
    """Answers properly framed, by turns with a JSON text and with octets that are none."""
    while True:
        client.request()
        client.reply(json.dumps(ESCAPES, ensure_ascii=False).encode("utf-8"))
        client.request()
        client.reply(ESCAPES.encode("utf-8"))


def half_frame_then_stall(client):
    client.request()
    chunk = client.profile.chunk
    half = b"1" * (chunk + chunk // 2)
    client.sock.sendall(client.profile.header(HALF_FRAME * chunk) + half)
    client.hold()


class Mortal:
    """Echoes a number of requests in all, on whichever connections, and then dies."""

    def __init__(self, requests):
        self.left = requests
        self.lock = threading.Lock()

    def __call__(self, client):
        while True:
            payload = client.request()
            with self.lock:
                if self.left <= 0:
                    os._exit(1)
                self.left -= 1
            client.reply(payload)


MODES = {
    "mute": mute,
    "garbage-forever": garbage_forever,
    "close-at-once": close_at_once,
    "reset-at-once": reset_at_once,
    "endless-frames": endless_frames,
    "replies-forever": replies_forever,
    "huge-header": huge_header,
    "drip": drip,
    "terminal-escapes": terminal_escapes,
    "half-frame-then-stall": half_frame_then_stall,
    "die-after": None,
}


def converse(mode, sock, profile):
    try:
        mode(Client(sock, profile))
    except (OSError, Gone):
        pass
    finally:
        sock.close()


def main():
    parser = peer.options(__doc__)
    parser.add_argument("--mode", choices=sorted(MODES), required=True)
    parser.add_argument(
        "--requests", type=int, default=5, help="with die-after: how many are answered"
    )
    args = parser.parse_args()
    mode = MODES[args.mode] or Mortal(args.requests)
    listener = peer.begin(args)
    while True:
        sock, _ = listener.accept()
        talk = (mode, sock, peer.PROFILES[args.profile])
        threading.Thread(target=converse, args=talk, daemon=True).start()


if __name__ == "__main__":
    main()
