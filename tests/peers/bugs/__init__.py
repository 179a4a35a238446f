"""The correct server that the bugs are made of, taken apart as far as they need it, and the table of them."""

import socket
import threading
import time
from typing import NamedTuple

import correct
import messages
import peer
from correct import EndOfStream, Malformed

BUGS = {}

CHUNK = 60

MAX_BODY = 1 << 20


class Bug(NamedTuple):
    name: str
    # A case of the clause that is broken, which finds it.
    case: str
    about: str
    # What has to be so for it to be noticed. "process": the server's process is known; "limit": its limit is declared;
    # "slow": cases that take seconds are played.
    needs: str
    server: type


class Client(correct.Client):
    """One client, in a thread of its own."""

    def __init__(self, sock, server):
        super().__init__(sock, peer.PROFILES["tutorial"], MAX_BODY)
        self.server = server

    # Receiving.

    def next_payload(self):
        length = self.length_of(self.header())
        self.check(length)
        return self.strip(self.body(length))

    def header(self):
        self.sock.settimeout(None)
        first = self.receive(1)
        self.deadline = time.monotonic() + correct.PATIENCE
        return first + self.exactly(3, self.deadline)

    def length_of(self, header):
        return int.from_bytes(header, "big")

    def check(self, length):
        if length > self.max_body or length % CHUNK:
            raise Malformed

    def body(self, length):
        return self.exactly(length, self.deadline)

    def strip(self, body):
        return body.rstrip(b"\0")

    # Answering.

    def answer(self, payload):
        try:
            return self.encode(self.decode(payload))
        except messages.Undecodable as error:
            return self.complaint(error)

    def decode(self, payload):
        return messages.decode(payload)

    def encode(self, value):
        return messages.encode(value)

    def complaint(self, error):
        return messages.encode({"error": f"undecodable payload ({error})"})

    # Sending.

    def send(self, payload):
        self.write(self.frame(payload))

    def frame(self, payload):
        body = self.pad(payload)
        return len(body).to_bytes(4, "big") + body

    def pad(self, payload):
        return payload + bytes(-len(payload) % CHUNK)

    def write(self, octets):
        self.sock.settimeout(correct.PATIENCE)
        self.sock.sendall(octets)


class Server:
    """Accepts, and gives each client a thread."""

    client = Client

    def __init__(self, listener):
        self.listener = listener

    def run(self):
        while True:
            try:
                sock, address = self.listener.accept()
            except OSError:
                time.sleep(0.02)  # Out of descriptors, or the client has gone again.
                continue
            self.welcome(sock, address)

    def welcome(self, sock, address):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.start(self.client(sock, self).serve)

    def start(self, target, *args):
        threading.Thread(target=target, args=args, daemon=True).start()


class Listed(Client):
    """All clients stand in a list, as with whoever wants to write to all. An end that nobody has thought of ends the
    thread; the socket is still in the list then, and so stays open. Not a mistake by itself: there is no such end."""

    clients = []

    def serve(self):
        self.clients.append(self.sock)
        try:
            while True:
                self.serve_one()
        except (EndOfStream, Malformed, OSError):
            self.clients.remove(self.sock)
            self.sock.close()

    def serve_one(self):
        self.send(self.answer(self.next_payload()))


def bug(name, case, about, needs="-"):
    """Puts a class into the table: a server, or a client of the usual server."""

    def enter(cls):
        server = cls
        if not issubclass(cls, Server):
            server = type(cls.__name__, (Server,), {"client": cls})
        assert name not in BUGS, name
        BUGS[name] = Bug(name, case, about, needs, server)
        return cls

    return enter
