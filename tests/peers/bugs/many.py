"""Several clients."""

import os
import select
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor


from . import Client, EndOfStream, Malformed, Server, bug


@bug("called-instead-of-passed", "concurrency/two", "Thread(target=client.serve()): the loop that accepts serves the client itself.")
class CalledInsteadOfPassed(Server):
    def welcome(self, sock, address):
        threading.Thread(target=self.client(sock, self).serve()).start()


@bug("pool-of-eight", "concurrency/sixteen-in-turn", "ThreadPoolExecutor(max_workers=8).")
class PoolOfEight(Server):
    def __init__(self, listener):
        super().__init__(listener)
        self.pool = ThreadPoolExecutor(max_workers=8)

    def start(self, target, *args):
        self.pool.submit(target, *args)


@bug("room-for-ten", "concurrency/sixteen-in-turn", "A client that comes when ten are there is closed upon.")
class RoomForTen(Server):
    lock = threading.Lock()
    here = 0

    def start(self, target, *args):
        with self.lock:
            full = self.here >= 10
            self.here += not full
        if full:
            target.__self__.sock.close()
        else:
            super().start(self.counted, target, *args)

    def counted(self, target, *args):
        target(*args)
        with self.lock:
            self.here -= 1


@bug("listener-closed", "churn/first-client-gone", "listen(1), accept() once, and when that client goes all is over.")
class ListenerClosed(Server):
    def run(self):
        first = None
        while True:
            sock, address = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = self.client(sock, self)
            if first is None or first.is_alive():
                thread = threading.Thread(target=client.serve, daemon=True)
                thread.start()
                first = first or thread
            else:
                self.listener.close()
                time.sleep(3600)


@bug("list-never-shrinks", "churn/served-and-gone", "`if len(clients) >= 64` of a list that nobody is ever taken from.")
class ListNeverShrinks(Server):
    clients = []

    def welcome(self, sock, address):
        if len(self.clients) >= 64:
            sock.close()
            return
        self.clients.append(address)
        super().welcome(sock, address)


@bug("place-given-back-at-the-end", "churn/unfinished-and-gone", "A semaphore of twenty places is given back by clients that leave between frames, and by no others.")
class PlaceGivenBackAtTheEnd(Server):
    places = threading.Semaphore(20)

    def welcome(self, sock, address):
        self.places.acquire()
        super().welcome(sock, address)

    class client(Client):
        inside = False

        def header(self):
            self.inside = False
            self.sock.settimeout(None)
            first = self.receive(1)
            self.inside = True
            self.deadline = time.monotonic() + 30
            return first + self.exactly(3, self.deadline)

        def serve(self):
            super().serve()
            if not self.inside:
                self.server.places.release()


@bug("select-and-block", "isolation/stalled-in-body", "select() says who has something to read, and then the whole frame is read from that one.")
class SelectAndBlock(Server):
    def run(self):
        clients = {}
        while True:
            ready, _, _ = select.select([self.listener, *clients], [], [])
            for sock in ready:
                if sock is self.listener:
                    new, _ = sock.accept()
                    clients[new] = self.client(new, self)
                    continue
                client = clients[sock]
                try:
                    client.send(client.answer(client.next_payload()))
                except (EndOfStream, Malformed, OSError):
                    del clients[sock]
                    sock.close()


@bug("lock-while-reading", "isolation/stalled-in-body", "`with lock:` around the whole turn, reading included, since lists are shared.")
class LockWhileReading(Client):
    lock = threading.Lock()

    def next_payload(self):
        first = self.header()
        with self.lock:
            length = self.length_of(first)
            self.check(length)
            return self.strip(self.body(length))


@bug("lock-while-sending", "isolation/never-reads", "`with lock:` around sendall().")
class LockWhileSending(Client):
    lock = threading.Lock()

    def write(self, octets):
        with self.lock:
            super().write(octets)


@bug("bad-message-ends-all", "isolation/undecodable", "One loop with select() for all, and json.loads() without a try.")
class BadMessageEndsAll(SelectAndBlock):
    class client(Client):
        def answer(self, payload):
            return self.encode(self.decode(payload))


@bug("bad-header-ends-all", "isolation/oversize", "sys.exit() would only end the thread: os._exit() when a header makes no sense.")
class BadHeaderEndsAll(Client):
    def check(self, length):
        if length > self.max_body or length % 60:
            os._exit(1)


@bug("buffer-of-the-class", "crosstalk/halves", "`buffer = bytearray()` stands in the class and not in __init__().")
class BufferOfTheClass(Client):
    buffer = bytearray()

    def next_payload(self):
        self.sock.settimeout(None)
        while True:
            if len(self.buffer) >= 4:
                length = self.length_of(bytes(self.buffer[:4]))
                self.check(length)
                if len(self.buffer) >= 4 + length:
                    body = bytes(self.buffer[4 : 4 + length])
                    del self.buffer[: 4 + length]
                    return self.strip(body)
            self.buffer.extend(self.receive(65536))


@bug("default-argument", "churn/nothing-left-over", "def body(self, length, body=bytearray()): what a client left unfinished is there for the next.")
class DefaultArgument(Client):
    def body(self, length, body=bytearray()):
        while len(body) < length:
            body += self.receive(length - len(body))
        whole = bytes(body[:length])
        body.clear()
        return whole


@bug("global-message", "crosstalk/at-once", "`global message` between reading and answering, with a line in the log in between.")
class GlobalMessage(Client):
    message = b""

    def next_payload(self):
        GlobalMessage.message = super().next_payload()
        time.sleep(0.002)  # The line is on its way to a file.
        return GlobalMessage.message

    def answer(self, payload):
        return super().answer(GlobalMessage.message)


@bug("clients-by-host", "crosstalk/in-turn", "clients[address[0]] = socket, and a reply goes to the client at that address.")
class ClientsByHost(Server):
    clients = {}

    def welcome(self, sock, address):
        self.clients[address[0]] = sock
        client = self.client(sock, self)
        client.host = address[0]
        self.start(client.serve)

    class client(Client):
        def write(self, octets):
            self.server.clients[self.host].sendall(octets)


@bug("said-to-all", "crosstalk/in-turn", "Replies go to everybody who is there.")
class SaidToAll(Client):
    lock = threading.Lock()
    here = []

    def serve(self):
        with self.lock:
            self.here.append(self.sock)
        super().serve()
        with self.lock:
            self.here.remove(self.sock)

    def write(self, octets):
        with self.lock:
            for sock in self.here:
                try:
                    sock.settimeout(1)
                    sock.sendall(octets)
                except OSError:
                    pass


@bug("place-in-a-list", "crosstalk/one-goes-one-comes", "A client is known by its index in the list of all, from which those that go are removed.")
class PlaceInAList(Server):
    def __init__(self, listener):
        super().__init__(listener)
        self.clients = []
        self.lock = threading.Lock()

    class client(Client):
        def serve(self):
            with self.server.lock:
                self.number = len(self.server.clients)
                self.server.clients.append(self.sock)
            super().serve()
            with self.server.lock:
                self.server.clients.remove(self.sock)

        def write(self, octets):
            with self.server.lock:
                there = self.number < len(self.server.clients)
                sock = self.server.clients[self.number] if there else self.sock
            sock.sendall(octets)
