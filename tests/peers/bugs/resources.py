"""What clients cost the process."""

import functools
import os
import queue
import select
import socket
import threading
import time

import messages

from . import CHUNK, Client, EndOfStream, Listed, Malformed, Server, bug


@bug("history", "memory/given-back", "All messages are kept in a list, for a command that was never written.", needs="process")
class History(Client):
    messages = []

    def next_payload(self):
        payload = super().next_payload()
        self.messages.append(payload)
        return payload


@bug("lru-cache", "memory/given-back", "@lru_cache(maxsize=None) on the function that decodes.", needs="process")
class LruCache(Client):
    @functools.lru_cache(maxsize=None)
    def cached(payload):
        return messages.encode(messages.decode(payload))

    def answer(self, payload):
        try:
            return LruCache.cached(payload)
        except messages.Undecodable as error:
            return self.complaint(error)


@bug("errors-kept", "memory/undecodable", "Exceptions are collected, each with its traceback and the payload in it.", needs="process")
class ErrorsKept(Client):
    errors = []

    def answer(self, payload):
        try:
            return messages.encode(messages.decode(payload))
        except messages.Undecodable as error:
            self.errors.append(error)
            return self.complaint(error)


@bug("bytearray-of-the-length", "memory/claimed", "bytearray(length) before any of the body is there, and a limit of 1 GiB.", needs="process")
class BytearrayOfTheLength(Client):
    def check(self, length):
        if length > 1 << 30 or length % CHUNK:
            raise Malformed

    def body(self, length):
        body, got = bytearray(length), 0
        view = memoryview(body)
        while got < length:
            more = self.sock.recv_into(view[got:])
            if not more:
                raise EndOfStream
            got += more
        return bytes(body)


@bug("bytes-of-the-length", "memory/claimed", "A list of length // 60 chunks is made first, to be filled in, and a limit of 1 GiB.", needs="process")
class BytesOfTheLength(Client):
    def check(self, length):
        if length > 1 << 30 or length % CHUNK:
            raise Malformed

    def body(self, length):
        chunks = [None] * (length // CHUNK)
        for number in range(len(chunks)):
            chunks[number] = self.exactly(CHUNK, self.deadline)
        return b"".join(chunks)


@bug("queue-without-end", "memory/never-reads", "queue.Queue() between the thread that reads and the one that writes.", needs="process")
class QueueWithoutEnd(Client):
    def serve(self):
        self.replies = queue.Queue()
        writer = threading.Thread(target=self.write_all, daemon=True)
        writer.start()
        try:
            while True:
                self.replies.put(self.answer(self.next_payload()))
        except (EndOfStream, Malformed, OSError):
            self.replies.put(None)
        writer.join()
        self.sock.close()

    def write_all(self):
        for payload in iter(self.replies.get, None):
            try:
                body = self.pad(payload)
                self.sock.sendall(len(body).to_bytes(4, "big") + body)
            except OSError:
                return


@bug("shut-down-not-closed", "descriptors/given-back", "shutdown() ends the connection, and the socket stays in the list of clients.", needs="process")
class ShutDownNotClosed(Listed):
    def serve(self):
        self.clients.append(self.sock)
        try:
            while True:
                self.serve_one()
        except (EndOfStream, Malformed, OSError):
            pass
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


@bug("closed-at-the-end-only", "descriptors/after-errors", "close() stands where the stream ends between frames; on every other way out it was forgotten.", needs="process")
class ClosedAtTheEndOnly(Listed):
    def serve(self):
        self.clients.append(self.sock)
        self.inside = False
        try:
            while True:
                self.serve_one()
        except EndOfStream:
            if not self.inside:
                self.sock.close()
                return
        except (Malformed, OSError):
            pass
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def header(self):
        self.inside = False
        self.sock.settimeout(None)
        first = self.receive(1)
        self.inside = True
        self.deadline = time.monotonic() + 30
        return first + self.exactly(3, self.deadline)


@bug("writer-waits-for-ever", "descriptors/threads", "Each client has a thread that writes, which nobody tells that the client has gone.", needs="process")
class WriterWaitsForEver(Client):
    def serve(self):
        self.replies = queue.Queue(16)
        threading.Thread(target=self.write_all, args=(self.replies,), daemon=True).start()
        super().serve()

    def send(self, payload):
        self.replies.put(payload)
        self.replies.join()

    def write_all(self, replies):
        while True:
            payload = replies.get()
            try:
                super().send(payload)
            except OSError:
                pass
            replies.task_done()


@bug("asked-without-a-pause", "cpu/idle", "setblocking(False), and `except BlockingIOError: continue`.", needs="process")
class AskedWithoutAPause(Client):
    def header(self):
        self.sock.setblocking(False)
        while True:
            try:
                first = self.receive(1)
                break
            except BlockingIOError:
                continue
        self.deadline = time.monotonic() + 30
        return first + self.exactly(3, self.deadline)


@bug("peeked-at", "cpu/unfinished", "`while len(sock.recv(4, MSG_PEEK)) < 4`, which does not wait for more.", needs="process")
class PeekedAt(Client):
    def header(self):
        self.sock.settimeout(None)
        while True:
            header = self.sock.recv(4, socket.MSG_PEEK)
            if not header:
                raise EndOfStream
            if len(header) == 4:
                break
        return super().header()


@bug("still-selected", "cpu/ended", "A client that has ended its stream stays among those that select() looks at.", needs="process")
class StillSelected(Server):
    def run(self):
        clients = {}
        while True:
            ready, _, _ = select.select([self.listener, *clients], [], [])
            for sock in ready:
                if sock is self.listener:
                    new, _ = sock.accept()
                    clients[new] = bytearray()
                    continue
                try:
                    data = sock.recv(65536)
                    if not data:
                        continue
                    self.feed(sock, clients[sock], data)
                except (Malformed, OSError):
                    del clients[sock]
                    sock.close()

    def feed(self, sock, buffer, data):
        buffer += data
        client = Client(sock, self)
        while len(buffer) >= 4:
            length = int.from_bytes(buffer[:4], "big")
            client.check(length)
            if len(buffer) < 4 + length:
                break
            client.send(client.answer(bytes(buffer[4 : 4 + length]).rstrip(b"\0")))
            del buffer[: 4 + length]


@bug("children-not-waited-for", "descriptors/threads", "os.fork() for each client, and nobody waits for the children.", needs="process")
class ChildrenNotWaitedFor(Server):
    def start(self, target, *args):
        if os.fork() == 0:
            self.listener.close()
            target(*args)
            os._exit(0)
        target.__self__.sock.close()


@bug("parent-keeps-the-socket", "orderly-close/after-a-reply", "os.fork() for each client, and the parent keeps the sockets too, so that no connection ends.")
class ParentKeepsTheSocket(Server):
    sockets = []

    def start(self, target, *args):
        if os.fork() == 0:
            self.listener.close()
            target(*args)
            target.__self__.sock.close()
            os._exit(0)
        self.sockets.append(target.__self__.sock)
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            pass
