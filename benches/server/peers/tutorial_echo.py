"""A server of the bench, in the shape of the tutorial's: a thread for each client, a call for the header, and
one for each 60 octets of the body, which is read as JSON and written as JSON again.
"""

import json
import socket
import threading

CHUNK = 60


def received(sock, count):
    octets = bytearray()
    while len(octets) < count:
        came = sock.recv(min(CHUNK, count - len(octets)))
        if not came:
            raise ConnectionResetError
        octets += came
    return bytes(octets)


def serve(sock):
    try:
        while True:
            length = int.from_bytes(received(sock, 4), "big")
            message = json.loads(received(sock, length).strip(b"\0").decode())
            body = json.dumps(message).encode()
            body += b"\0" * (-len(body) % CHUNK)
            sock.sendall(len(body).to_bytes(4, "big") + body)
    except ConnectionError:
        sock.close()


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


main()
