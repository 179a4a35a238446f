"""The number in the header, and how large it may be."""

import os
import struct

import messages

from . import CHUNK, Client, EndOfStream, Listed, Malformed, bug


@bug("little-endian", "length-prefix/one-chunk", "int.from_bytes(header, 'little').")
class LittleEndian(Client):
    def length_of(self, header):
        return int.from_bytes(header, "little")


@bug("sixteen-bits", "length-prefix/sixteen-bits-fit", "struct.unpack('>H', header[2:]): bodies were never larger when it was tried.")
class SixteenBits(Client):
    def length_of(self, header):
        return struct.unpack(">H", header[2:])[0]


@bug("twenty-four-bits", "length-limit/lower-bits-fit", "The first octet of the header is for flags, in another protocol: length & 0xffffff.")
class TwentyFourBits(Client):
    def length_of(self, header):
        return super().length_of(header) & 0xFFFFFF


@bug("last-octet-only", "length-prefix/second-octet", "header[3] is the length.")
class LastOctetOnly(Client):
    def length_of(self, header):
        return header[3]


@bug("base-255", "length-prefix/second-octet", "The octets are put together with 255 instead of 256.")
class Base255(Client):
    def length_of(self, header):
        length = 0
        for octet in header:
            length = length * 255 + octet
        return length

    def check(self, length):
        if length > self.max_body:
            raise Malformed


@bug("signed", "length-limit/two-gib", "int.from_bytes(header, 'big', signed=True), and recv() does not take a negative number.")
class Signed(Listed):
    def length_of(self, header):
        return int.from_bytes(header, "big", signed=True)

    def check(self, length):
        if length > self.max_body:
            raise Malformed

    def body(self, length):
        return self.receive(length) if length < 0 else super().body(length)


@bug("signed-and-no-try", "length-limit/two-gib", "bytearray(struct.unpack('>i', header)[0]) raises for a negative number, and whatever is raised ends the program.")
class SignedAndNoTry(Client):
    def length_of(self, header):
        return struct.unpack(">i", header)[0]

    def body(self, length):
        if length < 0:
            os._exit(1)
        return super().body(length)

    def check(self, length):
        if length > self.max_body or length % CHUNK and length > 0:
            raise Malformed


@bug("signed-struct", "length-limit/two-gib", "struct.unpack('>i', header), and the loop for the body is not entered for a negative number.")
class SignedStruct(Client):
    def length_of(self, header):
        return struct.unpack(">i", header)[0]

    def check(self, length):
        if length > self.max_body:
            raise Malformed


@bug("no-limit", "length-limit/two-gib", "Any length is believed.")
class NoLimit(Client):
    def check(self, length):
        if length % CHUNK:
            raise Malformed


@bug("nothing-checked", "length-limit/two-gib", "Any length is believed, and of whole chunks it need not be either.")
class NothingChecked(Client):
    def check(self, length):
        pass


@bug("cut-to-64-kib", "length-limit/two-gib", "min(length, 65536), and what is left of the body is read as frames.")
class CutTo64KiB(Client):
    def check(self, length):
        pass

    def body(self, length):
        return super().body(min(length, 65536))


@bug("too-large-said-and-passed", "length-limit/two-gib", "A length over the limit gets an error, and the loop goes on with the next header.")
class TooLargeSaidAndPassed(Client):
    def next_payload(self):
        while True:
            length = self.length_of(self.header())
            if length <= self.max_body:
                self.check(length)
                return self.strip(self.body(length))
            self.send(messages.encode({"error": "too large"}))


@bug("too-large-read-off", "length-limit/two-gib", "A body over the limit is read to its end and dropped.")
class TooLargeReadOff(Client):
    def check(self, length):
        pass

    def body(self, length):
        if length > self.max_body:
            while length:
                length -= len(self.receive(min(length, 65536)))
        return super().body(length)


@bug("limit-on-the-payload", "length-limit/two-gib", "len(payload) is compared with the limit when the payload has been read.")
class LimitOnThePayload(Client):
    def check(self, length):
        pass

    def strip(self, body):
        if len(body) > self.max_body:
            raise Malformed
        return super().strip(body)


@bug("limit-off-by-one", "length-limit/at-the-limit", "`if length >= MAX`, where MAX is what clients are told they may send.", needs="limit")
class LimitOffByOne(Client):
    def check(self, length):
        if length >= self.max_body // CHUNK * CHUNK or length % CHUNK:
            raise Malformed


@bug("limit-of-16-kib", "length-limit/sure-body", "Nobody will ever need more than 16 KiB.")
class LimitOf16KiB(Client):
    def check(self, length):
        if length > 16 << 10 or length % CHUNK:
            raise Malformed


@bug("assert-on-the-length", "chunk-multiple/answered-once", "assert length % 60 == 0, in a thread that nobody looks after.")
class AssertOnTheLength(Listed):
    def check(self, length):
        if length > self.max_body:
            raise Malformed
        assert length % CHUNK == 0


@bug("zero-continue", "empty-frame/alone", "`if length == 0: continue`.")
class ZeroContinue(Client):
    def header(self):
        while True:
            header = super().header()
            if any(header):
                return header


@bug("recv-of-zero", "empty-frame/alone", "recv(0) brings nothing, and that is the end of the client.")
class RecvOfZero(Listed):
    def serve(self):
        self.clients.append(self.sock)
        try:
            while True:
                self.serve_one()
        except EndOfStream:
            if not self.at_zero:
                self.sock.close()
        except (Malformed, OSError):
            self.sock.close()

    at_zero = False

    def body(self, length):
        self.at_zero = length == 0
        if self.at_zero:
            self.receive(0)
        return super().body(length)


@bug("one-chunk-at-least", "empty-frame/alone", "A chunk is read, and then it is seen whether that was enough.")
class OneChunkAtLeast(Client):
    def body(self, length):
        body = self.exactly(CHUNK, self.deadline)
        while len(body) < length:
            body += self.exactly(CHUNK, self.deadline)
        return body
