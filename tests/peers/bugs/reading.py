"""Taking frames off the stream."""

import json
import socket
import struct
import time

import messages

from . import CHUNK, Client, EndOfStream, Listed, Malformed, bug


@bug("header-from-one-recv", "reassembly/header-in-two", "recv(4) is taken to bring four octets.")
class HeaderFromOneRecv(Client):
    def header(self):
        self.sock.settimeout(None)
        self.deadline = time.monotonic() + 30
        return self.receive(4)


@bug("header-unpacked-from-one-recv", "reassembly/header-in-two", "struct.unpack('>I', sock.recv(4)) raises where fewer octets come, and the socket stays in a list.")
class HeaderUnpackedFromOneRecv(Listed):
    def header(self):
        self.deadline = time.monotonic() + 30
        return self.receive(4)

    def length_of(self, header):
        return struct.unpack(">I", header)[0]


@bug("body-from-one-recv", "reassembly/body-in-two", "recv(length) is taken to bring the whole body.")
class BodyFromOneRecv(Client):
    def body(self, length):
        return self.receive(length) if length else b""


@bug("recv-of-60", "reassembly/tail-glued-to-next", "The body is read with recv(60) until there is enough, and cut to its length.")
class RecvOf60(Client):
    def body(self, length):
        body = b""
        while len(body) < length:
            body += self.receive(60)
        return body[:length]


@bug("recv-of-4096", "boundary/behind-undecodable", "The body is read with recv(4096), and what is too much of it thrown away.")
class RecvOf4096(Client):
    def body(self, length):
        body = b""
        while len(body) < length:
            body += self.receive(4096)
        return body[:length]


@bug("one-recv-one-frame", "reassembly/frame-and-header", "Each recv(65536) is taken for one whole frame.")
class OneRecvOneFrame(Client):
    def next_payload(self):
        data = self.receive(65536)
        length = self.length_of(data[:4])
        self.check(length)
        return self.strip(data[4 : 4 + length])


class Buffered(Client):
    """Keeps what it has read in a buffer, and looks for a whole frame at the front of it."""

    buffer = b""

    def next_payload(self):
        self.sock.settimeout(None)
        while not self.has_frame():
            self.buffer += self.receive(65536)
        return self.take_frame()

    def has_frame(self):
        if len(self.buffer) < 4:
            return False
        self.size = self.length_of(self.buffer[:4])
        self.check(self.size)
        return len(self.buffer) >= 4 + self.size

    def take_frame(self):
        body = self.buffer[4 : 4 + self.size]
        self.buffer = self.buffer[4 + self.size :]
        return self.strip(body)


@bug("buffer-emptied", "reassembly/frame-and-header", "The buffer is emptied when the first frame has been taken from it.")
class BufferEmptied(Buffered):
    def take_frame(self):
        payload = super().take_frame()
        self.buffer = b""
        return payload


@bug("if-instead-of-while", "pipelining/without-waiting", "When data has come, one frame is taken from the buffer, and not all there are.")
class IfInsteadOfWhile(Buffered):
    def next_payload(self):
        self.sock.settimeout(None)
        while True:
            self.buffer += self.receive(65536)
            if self.has_frame():
                return self.take_frame()


@bug("parts-of-a-header-skipped", "reassembly/frame-and-part-of-header", "`if len(header) < 4: continue`, and the octets are gone.")
class PartsOfAHeaderSkipped(Client):
    def header(self):
        while True:
            self.sock.settimeout(None)
            self.deadline = time.monotonic() + 30
            header = self.receive(4)
            if len(header) < 4:
                continue
            return header


@bug("left-minus-60", "reassembly/body-in-two", "Each recv(60) lowers what is left by 60, whatever it brought.")
class LeftMinus60(Client):
    def body(self, length):
        body = b""
        for _ in range(length // CHUNK):
            body += self.receive(CHUNK)
        return body


@bug("sleep-and-read", "reassembly/chunk-by-chunk", "After the header it waits 20 ms, so that the body is there, and reads it once.")
class SleepAndRead(Client):
    def body(self, length):
        time.sleep(0.02)
        return self.receive(length) if length else b""


@bug("until-a-pad-octet", "exact-fill/one-chunk", "Chunks are read until one of them ends in a NUL.")
class UntilAPadOctet(Client):
    def body(self, length):
        body = b""
        while len(body) < length or not body.endswith(b"\0"):
            body += self.exactly(CHUNK, self.deadline)
        return body


@bug("always-some-padding", "exact-fill/one-chunk", "A body has length // 60 + 1 chunks, since the author's client pads with a whole one.")
class AlwaysSomePadding(Client):
    def body(self, length):
        body = super().body(length)
        if len(body) == length and not body.endswith(b"\0"):
            body += self.exactly(CHUNK, self.deadline)
        return body


@bug("until-it-parses", "unsolicited/inside-a-body", "The body is read until json.loads() does not complain any more.")
class UntilItParses(Client):
    def body(self, length):
        body = b""
        while len(body) < length:
            body += self.receive(length - len(body))
            try:
                json.loads(body.rstrip(b"\0"))
            except ValueError:
                continue
            self.rest = length - len(body)
            return body
        return body

    def header(self):
        self.exactly(getattr(self, "rest", 0), time.monotonic() + 30)
        self.rest = 0
        return super().header()


@bug("timeout-drops-a-part", "patience/in-body", "settimeout(0.05), and what was read of a frame before it expired is forgotten.")
class TimeoutDropsAPart(Client):
    def exactly(self, length, deadline):
        while True:
            self.sock.settimeout(0.05)
            try:
                data = b""
                while len(data) < length:
                    data += self.receive(length - len(data))
                return data
            except socket.timeout:
                continue


@bug("timeout-is-the-end", "patience/in-header", "settimeout(0.15), and a timeout is taken for the end of the client.")
class TimeoutIsTheEnd(Client):
    def exactly(self, length, deadline):
        return super().exactly(length, time.monotonic() + 0.15)


@bug("buffer-used-again", "boundary/small-behind-large", "recv_into() a bytearray that is never emptied, all of which is taken for the body.")
class BufferUsedAgain(Client):
    memory = None

    def body(self, length):
        if self.memory is None or len(self.memory) < length:
            self.memory = bytearray(length)
        view = memoryview(self.memory)
        got = 0
        while got < length:
            self.sock.settimeout(None)
            more = self.sock.recv_into(view[got:length])
            if not more:
                raise EndOfStream
            got += more
        return bytes(self.memory)


@bug("characters-for-octets", "fidelity/two-octets", "The body is decoded as it comes, and read until it has `length` characters.")
class CharactersForOctets(Client):
    def body(self, length):
        text = ""
        while len(text) < length:
            text += self.receive(length - len(text)).decode("utf-8", "replace")
        return text.encode("utf-8")


@bug("each-recv-decoded", "fidelity/across-segments", "What each recv() brings is decoded by itself.")
class EachRecvDecoded(Client):
    def body(self, length):
        text, got = "", 0
        while got < length:
            data = self.receive(length - got)
            got += len(data)
            text += data.decode("utf-8", "replace")
        return text.encode("utf-8")


@bug("each-chunk-decoded", "fidelity/across-chunks", "Each chunk of 60 is decoded by itself.")
class EachChunkDecoded(Client):
    def body(self, length):
        text = ""
        for _ in range(length // CHUNK):
            text += self.exactly(CHUNK, self.deadline).decode("utf-8", "ignore")
        return text.encode("utf-8")


@bug("input-thrown-away", "pipelining/next-before-the-reply", "What has come in the meantime is read off and thrown away before a reply is sent.")
class InputThrownAway(Client):
    def send(self, payload):
        self.sock.setblocking(False)
        try:
            while self.sock.recv(4096):
                pass
        except BlockingIOError:
            pass
        super().send(payload)


@bug("chunks-rounded-down", "chunk-multiple/one-octet-more", "Whole chunks are read: `for _ in range(length // 60)`, whatever is left over.")
class WholeChunksOnly(Client):
    def check(self, length):
        if length > self.max_body:
            raise Malformed

    def body(self, length):
        return b"".join(self.exactly(CHUNK, self.deadline) for _ in range(length // CHUNK))


@bug("chunks-rounded-up", "chunk-multiple/one-octet-more", "math.ceil(length / 60) chunks are read.")
class ChunksRoundedUp(WholeChunksOnly):
    def body(self, length):
        chunks = -(-length // CHUNK)
        return b"".join(self.exactly(CHUNK, self.deadline) for _ in range(chunks))[:length]


@bug("bad-length-said-and-passed", "chunk-multiple/frames-inside", "A length that is no multiple of 60 gets an error, and the loop goes on with the next header.")
class BadLengthSaidAndPassed(Client):
    def check(self, length):
        if length > self.max_body:
            raise Malformed

    def next_payload(self):
        while True:
            length = self.length_of(self.header())
            self.check(length)
            if length % CHUNK == 0:
                return self.strip(self.body(length))
            self.send(messages.encode({"error": "length is no multiple of 60"}))
