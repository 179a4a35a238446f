"""Requests and replies: how many, in which order, and when."""

import socket
import time

import messages

from . import Client, EndOfStream, Malformed, bug


@bug("greeting", "unsolicited/on-connect", "Whoever connects is welcomed.")
class Greeting(Client):
    def serve(self):
        self.send(messages.encode("welcome"))
        super().serve()


@bug("ping", "unsolicited/after-a-pause", "A client that says nothing for 60 ms is asked whether it is still there.")
class Ping(Client):
    def header(self):
        while True:
            self.sock.settimeout(0.06)
            try:
                self.sock.recv(1, socket.MSG_PEEK)
                return super().header()
            except socket.timeout:
                self.send(messages.encode("ping"))


@bug("received", "unsolicited/inside-a-large-body", "The header is acknowledged, as in a protocol of another course.")
class Received(Client):
    def body(self, length):
        if length > 10_000:
            self.send(messages.encode("go on"))
        return super().body(length)


@bug("same-message-ignored", "one-reply/same-twice", "A message like the one before is taken for one that was sent again.")
class SameMessageIgnored(Client):
    last = None

    def next_payload(self):
        while True:
            payload = super().next_payload()
            if payload != self.last:
                self.last = payload
                return payload


@bug("thousand-and-out", "persistence/more-than-a-thousand", "`for _ in range(1000)` in place of `while True`.")
class ThousandAndOut(Client):
    def serve(self):
        try:
            for _ in range(1000):
                self.send(self.answer(self.next_payload()))
        except (EndOfStream, Malformed, OSError):
            pass
        self.sock.close()


@bug("answered-by-both", "one-reply/large", "A handler answers by itself, and the loop sends what it returns too; only for long messages.")
class AnsweredByBoth(Client):
    def answer(self, payload):
        reply = super().answer(payload)
        if len(payload) > 20_000:
            self.send(reply)
        return reply


@bug("one-request-each", "persistence/two-hundred", "A connection is closed when its request has been answered.")
class OneRequestEach(Client):
    def serve(self):
        try:
            self.send(self.answer(self.next_payload()))
        except Exception:
            pass
        self.sock.close()


@bug("a-hundred-requests", "persistence/two-hundred", "A connection is closed after a hundred requests, as web servers do.")
class AHundredRequests(Client):
    count = 0

    def next_payload(self):
        self.count += 1
        if self.count > 100:
            raise EndOfStream
        return super().next_payload()


@bug("idle-for-100-ms", "persistence/after-a-pause", "settimeout(0.1) on the whole connection, and a timeout closes it.")
class IdleFor100Ms(Client):
    idle = 0.1

    def header(self):
        self.sock.settimeout(self.idle)
        first = self.receive(1)
        self.deadline = time.monotonic() + 30
        return first + self.exactly(3, self.deadline)


@bug("idle-for-a-second", "persistence/after-a-long-pause", "settimeout(1) on the whole connection, and a timeout closes it.", needs="slow")
class IdleForASecond(IdleFor100Ms):
    idle = 1


@bug("sixty-four-waiting", "pipelining/five-hundred", "Of requests that wait behind each other the 64th and all behind it are not answered.")
class SixtyFourAtMost(Client):
    waiting = 0

    def send(self, payload):
        self.sock.setblocking(False)
        try:
            more = self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            more = b""
        self.waiting = self.waiting + 1 if more else 0
        if self.waiting < 64:
            super().send(payload)
