#!/usr/bin/env python3
"""The correct client with one fault, chosen by `--fault NAME`; `--list` names them with their clauses."""

import codecs
import json
import os
import socket
import sys
import threading
import time

import client_correct
import messages
import peer
from client_correct import Broken, say


class Client(client_correct.Client):
    """What the faults change, taken apart as far as they need it."""

    def payload(self, text):
        return messages.encode(text)

    def body(self, payload):
        return payload + bytes(-len(payload) % self.profile.chunk)

    def header(self, payload, body):
        return self.profile.header(len(body))

    def send(self, text):
        payload = self.payload(text)
        body = self.body(payload)
        self.sock.sendall(self.header(payload, body) + body)

    def payload_of(self, body):
        return body.rstrip(b"\0")

    def receive(self):
        length = self.length()
        payload = self.payload_of(self.read_body(length))
        try:
            return messages.decode(payload)
        except messages.Undecodable as error:
            return self.undecodable(error)

    def length(self):
        length = self.profile.body_length(self.exactly(4, at_boundary=True))
        if length > self.max_body or length % self.profile.chunk:
            raise Broken(f"a reply claims {length} octets")
        return length

    def read_body(self, length):
        return self.exactly(length)

    def undecodable(self, error):
        say(f"undecodable reply ({error})", sys.stderr)
        return None

    def broken(self, error):
        say(f"error: {error}", sys.stderr)
        client_correct.quit_at_once(1)

    def listen(self):
        try:
            self.show_all()
        except (Broken, OSError) as error:
            self.broken(error)


# What it sends.


class WrongOrder(Client):
    clause = "client-framing"

    def header(self, payload, body):
        return super().header(payload, body)[::-1]


class TwoOctetHeader(Client):
    clause = "client-framing"

    def header(self, payload, body):
        return super().header(payload, body)[2:]


class LengthHoldsHeader(Client):
    clause = "client-framing"

    def header(self, payload, body):
        return (len(body) + 4).to_bytes(4, "big")


class CountsCharacters(Client):
    clause = "client-framing"

    def header(self, payload, body):
        characters = len(payload.decode("utf-8"))
        return self.profile.header(characters + -characters % self.profile.chunk)


class LineEndBetween(Client):
    clause = "client-framing"

    def send(self, text):
        super().send(text)
        self.sock.sendall(b"\n")


class OneOctetLength(Client):
    clause = "client-framing"

    def header(self, payload, body):
        return bytes([0, 0, 0, len(body) % 240])


class NoPadding(Client):
    clause = "client-padding"

    def body(self, payload):
        return payload


class Spaces(Client):
    clause = "client-padding"

    def body(self, payload):
        return payload + b" " * (-len(payload) % self.profile.chunk)


class Zeros(Client):
    clause = "client-padding"

    def body(self, payload):
        return payload + b"0" * (-len(payload) % self.profile.chunk)


class ChunkMore(Client):
    clause = "client-padding"

    def body(self, payload):
        return payload + bytes(self.profile.chunk - len(payload) % self.profile.chunk)


class ByteOrderMark(Client):
    clause = "client-text"

    def payload(self, text):
        return codecs.BOM_UTF8 + super().payload(text)


class Latin(Client):
    clause = "client-text"

    def payload(self, text):
        return json.dumps(text, ensure_ascii=False).encode("latin-1", "replace")


class ByHand(Client):
    clause = "client-text"

    def payload(self, text):
        return f'"{text}"'.encode("utf-8")


class SingleQuotes(Client):
    clause = "client-text"

    def payload(self, text):
        return repr(text).encode("utf-8")


# How it reads.


class ShortHeader(Client):
    clause = "client-reassembly"

    def length(self):
        header = self.sock.recv(4)
        if not header:
            raise Broken("the server ended its stream")
        return self.profile.body_length(header)


class OneRead(Client):
    clause = "client-reassembly"

    def read_body(self, length):
        return self.sock.recv(length) if length else b""


class PieceByPiece(Client):
    clause = "client-reassembly"

    def read_body(self, length):
        text, octets = "", 0
        while octets < length:
            piece = self.sock.recv(length - octets)
            if not piece:
                raise Broken("the server ended its stream inside a reply")
            octets += len(piece)
            text += piece.decode("utf-8", "ignore")
        return text.encode("utf-8")

    def exactly(self, length, at_boundary=False):
        return super().exactly(length, at_boundary)


class PiecesOfSixty(Client):
    clause = "client-boundary"

    def read_body(self, length):
        body = b""
        while len(body) < length:
            piece = self.sock.recv(60)
            if not piece:
                raise Broken("the server ended its stream inside a reply")
            body += piece
        return body


class FirstOfARead(Client):
    """Reads what there is, takes the first reply off it, and throws the rest away."""

    clause = "client-boundary"

    def receive(self):
        buffer = b""
        while True:
            more = self.sock.recv(1 << 16)
            if not more:
                raise Broken("the server ended its stream")
            buffer += more
            if len(buffer) >= 4:
                length = self.profile.body_length(buffer[:4])
                if length > self.max_body:
                    raise Broken("too much")
                if len(buffer) >= 4 + length:
                    try:
                        return messages.decode(buffer[4 : 4 + length].rstrip(b"\0"))
                    except messages.Undecodable as error:
                        return self.undecodable(error)


class ExpectsPadding(Client):
    """Takes it that every reply ends in padding, if need be in a chunk of nothing else."""

    clause = "client-payload"

    def read_body(self, length):
        body = super().read_body(length)
        if not body.endswith(b"\0"):
            body += self.exactly(self.profile.chunk)
        return body


class BothEnds(Client):
    clause = "client-payload"

    def payload_of(self, body):
        return body.strip(b"\0")


class FirstNul(Client):
    clause = "client-payload"

    def payload_of(self, body):
        return body.split(b"\0")[0]


class OnePadOctet(Client):
    clause = "client-payload"

    def payload_of(self, body):
        return body.rstrip(b"\0") if len(body) <= self.profile.chunk else body[:-1]


class Mute(Client):
    """The thread that reads dies of what it cannot decode, and nobody notices."""

    clause = "client-undecodable"

    def undecodable(self, error):
        threading.Event().wait()


class Aborts(Client):
    clause = "client-undecodable"

    def undecodable(self, error):
        os.abort()


class LosesStep(Client):
    """Skips an octet when it cannot decode a reply, in search of the next."""

    clause = "client-undecodable"

    def undecodable(self, error):
        self.exactly(1)


class NoLimit(Client):
    clause = "client-limit"

    def length(self):
        return self.profile.body_length(self.exactly(4, at_boundary=True))


class Reserves(Client):
    """Has a limit, and checks it when it has the room."""

    clause = "client-limit"

    def length(self):
        length = self.profile.body_length(self.exactly(4, at_boundary=True))
        room = bytearray(length)
        if length > self.max_body:
            time.sleep(0.2)
            raise Broken(f"a reply claims {len(room)} octets")
        return length


class LowLimit(Client):
    clause = "client-limit"

    def length(self):
        length = super().length()
        if length > 30_000:
            raise Broken(f"a reply claims {length} octets")
        return length


class TakesHalf(Client):
    """Takes what has arrived of a reply for all of it when the stream ends."""

    clause = "client-truncation"

    def exactly(self, length, at_boundary=False):
        octets = b""
        while len(octets) < length:
            more = self.sock.recv(length - len(octets))
            if not more:
                if at_boundary or not octets:
                    raise Broken("the server ended its stream")
                break
            octets += more
        return octets


class WaitsForTheRest(Client):
    clause = "client-truncation"

    def exactly(self, length, at_boundary=False):
        octets = b""
        while len(octets) < length:
            more = self.sock.recv(length - len(octets))
            if not more and at_boundary and not octets:
                raise Broken("the server ended its stream")
            octets += more
        return octets


class EndIsEmpty(Client):
    """Reads the end of the stream as an empty reply, for ever."""

    clause = "client-close"

    def length(self):
        header = self.sock.recv(4)
        while header and len(header) < 4:
            header += self.sock.recv(4 - len(header))
        length = self.profile.body_length(header)
        if length > self.max_body:
            raise Broken("too much")
        return length


class Stays(Client):
    """Stops reading at the end of the stream, and keeps everything else as it was."""

    clause = "client-close"

    def broken(self, error):
        if not isinstance(error, OSError):
            threading.Event().wait()
        super().broken(error)

    def send(self, text):
        try:
            super().send(text)
        except OSError as error:
            self.broken(error)


class IgnoresReset(Client):
    clause = "client-reset"

    def broken(self, error):
        if isinstance(error, OSError):
            threading.Event().wait()
        super().broken(error)

    def send(self, text):
        try:
            super().send(text)
        except OSError:
            pass


class DiesOfReset(Client):
    clause = "client-reset"

    def broken(self, error):
        if isinstance(error, OSError):
            os.abort()
        super().broken(error)


class ShortTimeout(Client):
    clause = "client-patience"

    def exactly(self, length, at_boundary=False):
        self.sock.settimeout(None if at_boundary else 0.1)
        return super().exactly(length, at_boundary)


class Polls(Client):
    clause = "client-patience"

    def exactly(self, length, at_boundary=False):
        octets = b""
        self.sock.setblocking(False)
        while len(octets) < length:
            try:
                more = self.sock.recv(length - len(octets))
            except BlockingIOError:
                continue
            if not more:
                raise Broken("the server ended its stream")
            octets += more
        return octets

    def send(self, text):
        super().send(text)


def named(kind):
    return "".join("-" + c.lower() if c.isupper() else c for c in kind.__name__)[1:]


FAULTS = {named(kind): kind for kind in Client.__subclasses__()}


def main():
    if sys.argv[1] == "--list":
        for name, kind in FAULTS.items():
            print(name, kind.clause)
        return
    host, port, _, name = sys.argv[1:]
    sock = socket.create_connection((host, int(port)))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client = FAULTS[name](sock, peer.PROFILES["tutorial"], 1 << 20)
    threading.Thread(target=client.listen, daemon=True).start()
    try:
        for line in client_correct.lines_of_stdin():
            client.send(line)
    except OSError as error:
        client.broken(error)


if __name__ == "__main__":
    main()
