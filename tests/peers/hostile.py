#!/usr/bin/env python3
"""Peers that are no servers at all: each mode puts another strain on whoever checks it."""

import json
import os
import random
import resource
import signal
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


def empty_frames(client):
    """Answers, and sends 4 MiB of empty frames behind each answer."""
    while True:
        client.reply(client.request())
        client.sock.sendall(bytes(4 << 20))


def small_frames(client):
    """Answers each request 30,000 times."""
    while True:
        frame = client.profile.frame(client.request())
        client.sock.sendall(frame * 30_000)


def always(payload):
    """Answers every request with the same octets, however many there are of them."""

    def answer(client):
        frame = client.profile.frame(payload)
        while True:
            client.request()
            client.sock.sendall(frame)

    return answer


def echoing(client):
    while True:
        client.reply(client.request())


def not_framed(client):
    """Answers with the payload alone."""
    while True:
        client.sock.sendall(client.request())


def cut_replies(client):
    """Says how much there is, and leaves out the last chunk."""
    while True:
        payload = client.request()
        client.sock.sendall(client.profile.frame(payload)[: -client.profile.chunk])


def octet_by_octet(client):
    """Answers an octet a millisecond."""
    while True:
        for octet in client.profile.frame(client.request()):
            client.sock.sendall(bytes([octet]))
            time.sleep(0.001)


def creeping(client):
    """Answers each request 20 ms later than the one before."""
    late = 0
    while True:
        payload = client.request()
        time.sleep(late)
        late += 0.02
        client.reply(payload)


def some_never(client):
    """Answers every other request."""
    while True:
        client.reply(client.request())
        client.request()


def reading_slowly(client):
    """Takes what is sent a few octets at a time, and echoes it."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    pending = bytearray()
    while True:
        piece = client.sock.recv(16)
        if not piece:
            return
        pending += piece
        time.sleep(0.001)
        while len(pending) >= 4 and len(pending) >= (whole := 4 + client.profile.body_length(bytes(pending[:4]))):
            client.sock.sendall(bytes(pending[:whole]))
            del pending[:whole]


def not_reading_on(client):
    """Answers one request, and reads nothing any more."""
    client.reply(client.request())
    client.hold()


def half_closed(client):
    """Says at once that nothing will come, and reads for ever."""
    client.sock.shutdown(socket.SHUT_WR)
    while client.sock.recv(PIECE):
        pass


def reset_behind_a_reply(client):
    client.reply(client.request())
    reset_at_once(client)


def in_http(client):
    client.sock.recv(PIECE)
    client.sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def speaks_first(client):
    client.reply(b'"welcome to this server"')
    echoing(client)


def flipped_bits(client):
    """Echoes, and now and then a bit is another one."""
    chance = random.Random(11)
    while True:
        octets = bytearray(client.profile.frame(client.request()))
        if chance.random() < 0.2:
            octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
        client.sock.sendall(octets)


def on_and_on(client):
    """Writes to standard error whatever happens, without an end."""
    while True:
        payload = client.request()
        for _ in range(1000):
            os.write(2, b"Traceback: " + ESCAPES.encode("utf-8") * 20 + b"\n")
        client.reply(payload)


def burning(client):
    """Answers, and computes for nothing ever after."""
    client.reply(client.request())
    while True:
        pass


def hoarding(client):
    """Answers, and keeps 16 MiB for each request, up to 1 GiB in all."""
    while True:
        payload = client.request()
        if len(HOARD) < 64:
            HOARD.append(b"x" * (16 << 20))
        client.reply(payload)


def leaking(client):
    """Opens a file for each request and never closes it: 200 of them, and nothing is accepted any more."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    while True:
        payload = client.request()
        LEAKED.append(os.open(os.devnull, os.O_RDONLY))
        client.reply(payload)


HOARD, LEAKED = [], []


class After:
    """Echoes a number of requests in all, on whichever connections, and then something happens."""

    def __init__(self, requests, then):
        self.left = requests
        self.then = then
        self.lock = threading.Lock()

    def __call__(self, client):
        while True:
            payload = client.request()
            with self.lock:
                self.left -= 1
                is_over = self.left < 0
            if is_over:
                self.then(client, payload)
            else:
                client.reply(payload)


def die(_client, _payload):
    os._exit(1)


def abort(_client, _payload):
    os.abort()


def stop(client, payload):
    """Is stopped, as by a debugger."""
    os.kill(os.getpid(), signal.SIGSTOP)
    client.reply(payload)


def stall(_client, _payload):
    threading.Event().wait()


def another_kind(client, _payload):
    client.reply(b'{"error": "try again later"}')


def upside_down(client, payload):
    client.reply(payload[::-1])


def endless(client, _payload):
    endless_frames(client)


def listen_no_more(client, payload):
    """Goes on with those who are connected."""
    LISTENER[0].close()
    client.reply(payload)


LISTENER = []


def by_chance(client):
    """Echoes, and dies one time in two hundred."""
    while True:
        payload = client.request()
        if random.random() < 1 / 200:
            os._exit(1)
        client.reply(payload)


def deaf_to_signals(client):
    echoing(client)


DIGITS = b"7" * 3_900_000
NESTED = b"[" * 100_000 + b"]" * 100_000
MEMBERS = b"{" + b",".join(b'"%06d": 0' % key for key in range(200_000)) + b"}"

MODES = {
    "mute": mute,
    "garbage-forever": garbage_forever,
    "close-at-once": close_at_once,
    "reset-at-once": reset_at_once,
    "endless-frames": endless_frames,
    "replies-forever": replies_forever,
    "empty-frames": empty_frames,
    "small-frames": small_frames,
    "huge-header": huge_header,
    "long-number": always(DIGITS),
    "long-text": always(b'"' + b"x" * (4 << 20) + b'"'),
    "many-members": always(MEMBERS),
    "nested": always(NESTED),
    "huge-replies": always(b'"' + b"x" * (64 << 20) + b'"'),
    "not-json": always(bytes(range(1, 256))),
    "drip": drip,
    "octet-by-octet": octet_by_octet,
    "creeping": creeping,
    "some-never": some_never,
    "reading-slowly": reading_slowly,
    "not-reading-on": not_reading_on,
    "not-framed": not_framed,
    "cut-replies": cut_replies,
    "half-closed": half_closed,
    "reset-behind-a-reply": reset_behind_a_reply,
    "in-http": in_http,
    "speaks-first": speaks_first,
    "flipped-bits": flipped_bits,
    "terminal-escapes": terminal_escapes,
    "half-frame-then-stall": half_frame_then_stall,
    "on-and-on": on_and_on,
    "burning": burning,
    "hoarding": hoarding,
    "leaking": leaking,
    "by-chance": by_chance,
    "deaf-to-signals": deaf_to_signals,
}

# What happens behind a number of requests.
AFTER = {
    "die-after": die,
    "abort-after": abort,
    "stop-after": stop,
    "stall-after": stall,
    "another-kind-after": another_kind,
    "upside-down-after": upside_down,
    "endless-after": endless,
    "listen-no-more-after": listen_no_more,
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
    parser.add_argument("--mode", choices=sorted([*MODES, *AFTER]), required=True)
    parser.add_argument(
        "--requests", type=int, default=5, help="with …-after: how many are answered"
    )
    args = parser.parse_args()
    mode = MODES.get(args.mode) or After(args.requests, AFTER[args.mode])
    if args.mode == "deaf-to-signals":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    listener = peer.begin(args)
    LISTENER.append(listener)
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            threading.Event().wait(0.1)
            continue
        talk = (mode, sock, peer.PROFILES[args.profile])
        threading.Thread(target=converse, args=talk, daemon=True).start()


if __name__ == "__main__":
    main()
