#!/usr/bin/env python3
"""Clients that put a strain on whoever checks them: `client_hostile.py HOST PORT MODE`.

- floods: sends empty frames without end
- prints: prints without end, and escape sequences for terminals
- drips: sends an octet of a request now and then
- connects: connects again and again
- stays: connects, does nothing, and ignores the signals that ask it to end; so does a child of it
"""

import os
import signal
import socket
import sys
import time


def connect():
    return socket.create_connection((sys.argv[1], int(sys.argv[2])))


def floods():
    sock = connect()
    while True:
        sock.sendall(bytes(1 << 16))


def prints():
    connect()
    while True:
        os.write(1, b"\x1b[2J\x1b]0;title\x07" + b"x" * 60_000 + b"\n")


def drips():
    sock = connect()
    for octet in b"\0\0\0\x3c" + b'"' + b"x" * 60:
        sock.sendall(bytes([octet]))
        time.sleep(0.05)


def connects():
    held = []
    while True:
        held = held[-20:] + [connect()]


def stays():
    for kind in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(kind, signal.SIG_IGN)
    os.fork()
    connect()
    time.sleep(600)


{"floods": floods, "prints": prints, "drips": drips, "connects": connects, "stays": stays}[
    sys.argv[3]
]()
