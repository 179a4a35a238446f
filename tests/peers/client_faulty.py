#!/usr/bin/env python3
"""The correct client with one fault, chosen by `--fault NAME`; `--list` names them, each with a case that finds it."""

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
    found_by = "client-framing/first-request"

    def header(self, payload, body):
        return super().header(payload, body)[::-1]


class TwoOctetHeader(Client):
    found_by = "client-framing/first-request"

    def header(self, payload, body):
        return super().header(payload, body)[2:]


class LengthHoldsHeader(Client):
    found_by = "client-framing/first-request"

    def header(self, payload, body):
        return (len(body) + 4).to_bytes(4, "big")


class CountsCharacters(Client):
    found_by = "client-framing/characters-of-two-octets"

    def header(self, payload, body):
        characters = len(payload.decode("utf-8"))
        return self.profile.header(characters + -characters % self.profile.chunk)


class LineEndBetween(Client):
    found_by = "client-framing/next-request"

    def send(self, text):
        super().send(text)
        self.sock.sendall(b"\n")


class OneOctetLength(Client):
    found_by = "client-framing/several-chunks"

    def header(self, payload, body):
        return bytes([0, 0, 0, len(body) % 240])


class NoPadding(Client):
    found_by = "client-padding/part-of-a-chunk"

    def body(self, payload):
        return payload


class Spaces(Client):
    found_by = "client-padding/part-of-a-chunk"

    def body(self, payload):
        return payload + b" " * (-len(payload) % self.profile.chunk)


class Zeros(Client):
    found_by = "client-padding/one-octet-over"

    def body(self, payload):
        return payload + b"0" * (-len(payload) % self.profile.chunk)


class ChunkMore(Client):
    found_by = "client-padding/exact-fill"

    def body(self, payload):
        return payload + bytes(self.profile.chunk - len(payload) % self.profile.chunk)


class ByteOrderMark(Client):
    found_by = "client-text/plain"

    def payload(self, text):
        return codecs.BOM_UTF8 + super().payload(text)


class Latin(Client):
    found_by = "client-text/beyond-ascii"

    def payload(self, text):
        return json.dumps(text, ensure_ascii=False).encode("latin-1", "replace")


class ByHand(Client):
    found_by = "client-text/quotes-and-backslashes"

    def payload(self, text):
        return f'"{text}"'.encode("utf-8")


class SingleQuotes(Client):
    found_by = "client-text/plain"

    def payload(self, text):
        return repr(text).encode("utf-8")


# How it reads.


class ShortHeader(Client):
    found_by = "client-reassembly/header-in-halves"

    def length(self):
        header = self.sock.recv(4)
        if not header:
            raise Broken("the server ended its stream")
        return self.profile.body_length(header)


class OneRead(Client):
    found_by = "client-reassembly/body-in-halves"

    def read_body(self, length):
        return self.sock.recv(length) if length else b""


class PieceByPiece(Client):
    found_by = "client-reassembly/inside-a-character"

    def read_body(self, length):
        text, octets = "", 0
        while octets < length:
            piece = self.sock.recv(length - octets)
            if not piece:
                raise Broken("the server ended its stream inside a reply")
            octets += len(piece)
            text += piece.decode("utf-8", "ignore")
        return text.encode("utf-8")


class PiecesOfSixty(Client):
    found_by = "client-boundary/tail-with-next"

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

    found_by = "client-boundary/two-in-one-segment"

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

    found_by = "client-payload/exact-fill"

    def read_body(self, length):
        body = super().read_body(length)
        if not body.endswith(b"\0"):
            body += self.exactly(self.profile.chunk)
        return body


class BothEnds(Client):
    found_by = "client-payload/pad-octet-in-front"

    def payload_of(self, body):
        return body.strip(b"\0")


class FirstNul(Client):
    found_by = "client-payload/pad-octet-inside"

    def payload_of(self, body):
        return body.split(b"\0")[0]


class OnePadOctet(Client):
    found_by = "client-payload/one-chunk-more"

    def payload_of(self, body):
        return body.rstrip(b"\0") if len(body) <= self.profile.chunk else body[:-1]


class Mute(Client):
    """The thread that reads dies of what it cannot decode, and nobody notices."""

    found_by = "client-undecodable/empty-frame"

    def undecodable(self, error):
        threading.Event().wait()


class Aborts(Client):
    found_by = "client-undecodable/no-utf"

    def undecodable(self, error):
        os.abort()


class LosesStep(Client):
    """Skips an octet when it cannot decode a reply, in search of the next."""

    found_by = "client-undecodable/no-json"

    def undecodable(self, error):
        self.exactly(1)


class NoLimit(Client):
    found_by = "client-limit/largest-there-is"

    def length(self):
        return self.profile.body_length(self.exactly(4, at_boundary=True))


class Reserves(Client):
    """Has a limit, and checks it when it has the room."""

    found_by = "client-limit/two-gibibytes"

    def length(self):
        length = self.profile.body_length(self.exactly(4, at_boundary=True))
        room = bytearray(length)
        if length > self.max_body:
            time.sleep(0.2)
            raise Broken(f"a reply claims {len(room)} octets")
        return length


class LowLimit(Client):
    found_by = "client-limit/large-and-fine"

    def length(self):
        length = super().length()
        if length > 30_000:
            raise Broken(f"a reply claims {length} octets")
        return length


class TakesHalf(Client):
    """Takes what has arrived of a reply for all of it when the stream ends."""

    found_by = "client-truncation/inside-the-padding"

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
    found_by = "client-truncation/behind-the-header"

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

    found_by = "client-close/after-the-reply"

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

    found_by = "client-close/before-the-reply"

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
    found_by = "client-reset/before-the-reply"

    def broken(self, error):
        if isinstance(error, OSError) or self.was_reset():
            threading.Event().wait()
        super().broken(error)

    def was_reset(self):
        """Whether it is a reset that looks like an end of stream: the thread that sends was told of it first."""
        try:
            self.sock.getpeername()
        except OSError:
            return True
        return False

    def send(self, text):
        try:
            super().send(text)
        except OSError:
            pass


class DiesOfReset(Client):
    found_by = "client-reset/inside-a-reply"

    def broken(self, error):
        if isinstance(error, OSError):
            os.abort()
        super().broken(error)


class ShortTimeout(Client):
    found_by = "client-patience/pause-inside-the-body"

    def exactly(self, length, at_boundary=False):
        self.sock.settimeout(None if at_boundary else 0.1)
        return super().exactly(length, at_boundary)


class Polls(Client):
    found_by = "client-patience/waiting-costs-nothing"

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


def named(kind):
    return "".join("-" + c.lower() if c.isupper() else c for c in kind.__name__)[1:]


FAULTS = {named(kind): kind for kind in Client.__subclasses__()}


def main():
    if sys.argv[1] == "--list":
        for name, kind in FAULTS.items():
            print(name, kind.found_by)
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
