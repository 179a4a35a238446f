"""Replies as octets."""

import socket
import struct
import threading
import time


from . import CHUNK, Client, bug


@bug("send-instead-of-sendall", "reply-framing/beyond-sixteen-bits", "send(), which may send a part: with a small buffer and a timeout it does.")
class SendInsteadOfSendall(Client):
    def write(self, octets):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 << 10)
        self.sock.settimeout(30)
        self.sock.send(octets)


@bug("send-with-a-timeout", "reply-framing/large-unread", "send() with a timeout, which sends a part of what is larger than what there is room for.")
class SendWithATimeout(Client):
    def write(self, octets):
        self.sock.settimeout(30)
        self.sock.send(octets)


@bug("unsent-is-lost", "reply-framing/very-slow-reader", "setblocking(False), and a reply for which there is no room is not sent.")
class UnsentIsLost(Client):
    def write(self, octets):
        self.sock.setblocking(False)
        try:
            self.sock.sendall(octets)
        except BlockingIOError:
            pass


@bug("tail-of-a-large-reply", "reply-framing/large", "A large reply is sent in pieces whose last is too short by the header and a little more.")
class TailOfALargeReply(Client):
    def write(self, octets):
        super().write(octets[:-7] if len(octets) > 8192 else octets)


@bug("characters-counted", "reply-framing/not-ascii", "The header says len(text), and the body is padded by that too.")
class CharactersCounted(Client):
    def frame(self, payload):
        text = payload.decode("utf-8")
        padded = text + "\0" * (-len(text) % CHUNK)
        return len(padded).to_bytes(4, "big") + padded.encode("utf-8")


@bug("sixteen-bit-replies", "reply-framing/beyond-sixteen-bits", "struct.pack('>HH', 0, length), which raises an error from 65,536 on.", needs="limit")
class SixteenBitReplies(Client):
    def frame(self, payload):
        body = self.pad(payload)
        try:
            return struct.pack(">HH", 0, len(body)) + body
        except struct.error:
            raise OSError


@bug("sixteen-bit-replies-cut", "reply-framing/beyond-sixteen-bits", "length & 0xffff.")
class SixteenBitRepliesCut(Client):
    def frame(self, payload):
        body = self.pad(payload)
        return (len(body) & 0xFFFF).to_bytes(4, "big") + body


@bug("length-of-the-payload", "reply-framing/sizes", "The header says how long the payload is, and what follows is padded.")
class LengthOfThePayload(Client):
    def frame(self, payload):
        return len(payload).to_bytes(4, "big") + self.pad(payload)


@bug("no-padding", "reply-framing/sizes", "Replies are not padded at all.")
class NoPadding(Client):
    def pad(self, payload):
        return payload


@bug("last-chunk-short", "reply-framing/sizes", "The header counts whole chunks, and the last is sent as short as it is.")
class LastChunkShort(Client):
    def frame(self, payload):
        return len(self.pad(payload)).to_bytes(4, "big") + payload


@bug("newline", "reply-framing/sizes", "A newline is sent behind each frame, so that it can be seen better in a terminal.")
class Newline(Client):
    def frame(self, payload):
        return super().frame(payload) + b"\n"


@bug("sixty-minus-the-rest", "minimal-padding/every-length", "60 - len(payload) % 60 octets of padding, which is 60 and not 0 for a full chunk.")
class SixtyMinusTheRest(Client):
    def pad(self, payload):
        return payload + bytes(CHUNK - len(payload) % CHUNK)


@bug("ljust-with-spaces", "minimal-padding/every-length", "text.ljust(60), which pads with spaces.")
class LjustWithSpaces(Client):
    def pad(self, payload):
        return payload.ljust(-(-len(payload) // CHUNK) * CHUNK)


@bug("ljust-with-zeros", "reply-text/plain", "zeros were asked for, and zeros are sent: b'0'.")
class LjustWithZeros(Client):
    def pad(self, payload):
        return payload.ljust(-(-len(payload) // CHUNK) * CHUNK, b"0")


@bug("old-replies-in-the-padding", "minimal-padding/small-behind-large", "Replies are written into a bytearray that still holds the one before.")
class OldRepliesInThePadding(Client):
    def pad(self, payload):
        size = -(-len(payload) // CHUNK) * CHUNK
        memory = self.__dict__.setdefault("memory", bytearray())
        memory.extend(bytes(max(size - len(memory), 0)))
        memory[: len(payload)] = payload
        return bytes(memory[:size])


@bug("outgoing-never-emptied", "one-reply/single", "Replies are appended to a buffer, which is sent and not emptied.")
class OutgoingNeverEmptied(Client):
    outgoing = b""

    def write(self, octets):
        self.outgoing += octets
        super().write(self.outgoing)


@bug("thread-for-each-request", "order/very-large-before-small", "Each request gets a thread, and whichever is ready first answers first.")
class ThreadForEachRequest(Client):
    def serve(self):
        self.lock = threading.Lock()
        super().serve()

    def answer(self, payload):
        return payload

    def send(self, payload):
        threading.Thread(target=self.handle, args=(payload,), daemon=True).start()

    def handle(self, payload):
        reply = super().answer(payload)
        time.sleep(len(payload) / 1e6)  # What is asked takes as long as it is.
        with self.lock:
            super().send(reply)


@bug("header-and-body-by-two", "reply-framing/pipelined", "Each request gets a thread, which sends the header and then the body; there is no lock.")
class HeaderAndBodyByTwo(ThreadForEachRequest):
    def handle(self, payload):
        body = self.pad(Client.answer(self, payload))
        try:
            self.sock.sendall(len(body).to_bytes(4, "big"))
            time.sleep(0.001)  # A line in the log.
            self.sock.sendall(body)
        except OSError:
            pass
