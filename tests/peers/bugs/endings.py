"""Streams that end, and connections that are reset."""

import os
import queue
import select
import socket
import struct
import threading
import time

import correct
import messages

from . import Client, EndOfStream, Listed, Malformed, Server, bug


@bug("end-is-length-zero", "orderly-close/after-a-reply", "int.from_bytes(b'', 'big') is 0, and an empty message has always been answered.")
class EndIsLengthZero(Client):
    def header(self):
        self.sock.settimeout(None)
        self.deadline = time.monotonic() + 30
        header = self.sock.recv(4, socket.MSG_WAITALL)
        if header and len(header) < 4:
            raise EndOfStream
        return header


@bug("not-data-continue", "orderly-close/after-a-reply", "`if not data: continue`.")
class NotDataContinue(Client):
    def header(self):
        self.sock.settimeout(None)
        self.deadline = time.monotonic() + 30
        while True:
            first = self.sock.recv(1)
            if not first:
                continue
            return first + self.exactly(3, self.deadline)


@bug("body-loop-knows-no-end", "truncation/in-body", "`while len(body) < length: body += recv(...)`, also when nothing comes any more.")
class BodyLoopKnowsNoEnd(Client):
    def body(self, length):
        body = b""
        self.sock.settimeout(None)
        while len(body) < length:
            body += self.sock.recv(length - len(body))
        return body


@bug("makefile-read", "truncation/part-is-a-message", "makefile().read(length) gives less at the end of the stream, and that is taken for the body.")
class MakefileRead(Client):
    file = None

    def header(self):
        self.file = self.file or self.sock.makefile("rb")
        header = self.file.read(4)
        if not header:
            raise EndOfStream
        return header

    def body(self, length):
        return self.file.read(length)

    def check(self, length):
        super().check(length)
        self.sock.settimeout(None)

    def write(self, octets):
        self.sock.sendall(octets)


@bug("end-behind-the-header", "truncation/before-body", "A client that ends its stream behind a header has sent an empty message.")
class EndBehindTheHeader(Client):
    def body(self, length):
        body = b""
        while len(body) < length:
            data = self.sock.recv(length - len(body))
            if not data and not body:
                break
            if not data:
                raise EndOfStream
            body += data
        return body


@bug("cut-off-said", "truncation/in-body", "`except ConnectionError` around the whole frame sends an error, also to a client that broke off.")
class CutOffSaid(Client):
    def body(self, length):
        try:
            return super().body(length)
        except EndOfStream:
            self.send(messages.encode({"error": "incomplete message"}))
            raise


@bug("part-of-a-header-padded", "truncation/in-header", "header.rjust(4, b'\\0'), for whatever reason, is taken for the length.")
class PartOfAHeaderPadded(Client):
    def header(self):
        self.sock.settimeout(None)
        self.deadline = time.monotonic() + 30
        header = self.receive(1)
        try:
            while len(header) < 4:
                header += self.receive(4 - len(header))
        except EndOfStream:
            header = header.rjust(4, b"\0")
        return header

    def check(self, length):
        if length > self.max_body:
            raise Malformed


@bug("struct-error-at-the-end", "orderly-close/at-once", "struct.unpack('>I', b'') raises what nobody catches, and the socket stays open.")
class StructErrorAtTheEnd(Listed):
    def header(self):
        self.sock.settimeout(None)
        self.deadline = time.monotonic() + 30
        header = self.sock.recv(4, socket.MSG_WAITALL)
        struct.unpack(">I", header)
        return header


@bug("return-without-close", "orderly-close/at-once", "`if not data: return`, and the socket stays in the list of clients.")
class ReturnWithoutClose(Listed):
    def serve(self):
        self.clients.append(self.sock)
        try:
            while True:
                self.serve_one()
        except EndOfStream:
            return
        except (Malformed, OSError):
            self.sock.close()


@bug("goodbye", "orderly-close/after-a-reply", "A client that leaves is told goodbye.")
class Goodbye(Client):
    def header(self):
        try:
            return super().header()
        except EndOfStream:
            self.send(messages.encode("goodbye"))
            raise


@bug("writer-told-to-stop", "half-close/behind-several", "The reader puts replies into a queue; at the end of the stream it tells the writer to stop, whatever is left.")
class WriterToldToStop(Client):
    def serve(self):
        self.replies, self.running = queue.Queue(16), True
        writer = threading.Thread(target=self.write_all, daemon=True)
        writer.start()
        super().serve()

    def send(self, payload):
        self.replies.put(payload)

    def write_all(self):
        while self.running:
            try:
                payload = self.replies.get(timeout=0.05)
                time.sleep(0.005)  # What is asked takes a moment.
            except queue.Empty:
                continue
            if self.running:
                super().send(payload)

    def header(self):
        try:
            return super().header()
        except EndOfStream:
            self.running = False
            raise


@bug("end-looked-for-first", "half-close/behind-a-request", "Before it answers it peeks whether the client is still there.")
class EndLookedForFirst(Client):
    def send(self, payload):
        time.sleep(0.02)  # What is asked takes a moment.
        self.sock.setblocking(False)
        try:
            if self.sock.recv(1, socket.MSG_PEEK) == b"":
                raise EndOfStream
        except BlockingIOError:
            pass
        super().send(payload)


@bug("exception-continue", "cpu/ended", "`except Exception: continue` around all of the loop, the end of the stream included.", needs="process")
class ExceptionContinue(Client):
    def serve(self):
        while True:
            try:
                self.send(self.answer(self.next_payload()))
            except Malformed:
                break
            except Exception:
                continue
        self.sock.close()


@bug("name-of-the-dead", "reset/at-every-offset", "The accept loop asks each client for its name with getpeername(), which one that was reset has not.")
class NameOfTheDead(Server):
    def run(self):
        while True:
            sock, _ = self.listener.accept()
            time.sleep(0.0005)  # A line in the log.
            self.welcome(sock, sock.getpeername())


@bug("broken-pipe", "reset/behind-the-end", "ConnectionResetError is caught, and BrokenPipeError ends the program, as SIGPIPE would.")
class BrokenPipe(Client):
    def send(self, payload):
        try:
            super().send(payload)
        except BrokenPipeError:
            os._exit(1)


@bug("sender-for-all", "reset/before-the-reply", "One thread sends all replies, and one that cannot be sent ends it.")
class SenderForAll(Server):
    def __init__(self, listener):
        super().__init__(listener)
        self.outbox = queue.Queue(1000)
        self.start(self.send_all)

    def send_all(self):
        while True:
            sock, octets = self.outbox.get()
            sock.sendall(octets)

    class client(Client):
        def write(self, octets):
            self.server.outbox.put((self.sock, octets))


@bug("loop-without-try", "reset/idle", "One loop with select() for all, and no try around recv().")
class LoopWithoutTry(Server):
    def run(self):
        clients = {}
        while True:
            ready, _, _ = select.select([self.listener, *clients], [], [])
            for sock in ready:
                if sock is self.listener:
                    new, _ = sock.accept()
                    clients[new] = b""
                    continue
                data = sock.recv(65536)
                if not data or not self.fed(clients, sock, data):
                    del clients[sock]
                    sock.close()

    def fed(self, clients, sock, data):
        """Whether the client is to stay."""
        buffer = clients[sock] + data
        try:
            while len(buffer) >= 4:
                length = int.from_bytes(buffer[:4], "big")
                client = Client(sock, self)
                client.check(length)
                if len(buffer) < 4 + length:
                    break
                client.send(client.answer(buffer[4 : 4 + length].rstrip(b"\0")))
                sock.setblocking(True)
                buffer = buffer[4 + length :]
        except Malformed:
            return False
        clients[sock] = buffer
        return True


@bug("lock-never-given-back", "reset/before-the-reply", "lock.acquire(), a count of what was sent, lock.release(), and no finally in between.")
class LockNeverGivenBack(Client):
    lock = threading.Lock()
    octets = 0

    def write(self, octets):
        self.lock.acquire()
        self.sock.settimeout(correct.PATIENCE)
        self.sock.sendall(octets)
        LockNeverGivenBack.octets += len(octets)
        self.lock.release()
