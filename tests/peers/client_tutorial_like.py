#!/usr/bin/env python3
"""A client that behaves as the example client of the course does, faults included.

- The header is taken with one recv(4), however few octets that brings.
- The body is taken with recv(60), which reads into the next reply.
- The end of the stream reads as a length of zero, again and again: it prints without end. Inside a body
  it is waited on for ever, at full speed.
- NULs are stripped at both ends of the body.
- Any length is believed.
- It goes on reading lines whatever has become of the thread that reads replies.
"""

import json
import socket
import sys
import threading

import peer

PIECE = 60


class Client:
    def __init__(self, host, port, profile):
        self.profile = profile
        self.sock = socket.create_connection((host, port))

    def run(self):
        threading.Thread(target=self.listen, daemon=True).start()
        while True:
            line = input()
            print(f"Enviando mensaje: {line}")
            self.send(line)

    def listen(self):
        try:
            while True:
                message = self.receive()
                print(f"Mensaje recibido: {message}")
                print(f"Acción asociada al mensaje: {message}")
        except ConnectionResetError:
            print("Error de conexión con el servidor")
        finally:
            self.sock.close()

    def receive(self):
        length = self.profile.body_length(self.sock.recv(4))
        body = bytearray()
        while len(body) < length:
            body += self.sock.recv(PIECE)
        try:
            return json.loads(body.strip(b"\0"))
        except json.JSONDecodeError:
            print("No se pudo decodificar el mensaje")
            return ""

    def send(self, message):
        self.sock.sendall(self.profile.frame(json.dumps(message).encode("utf-8")))


def main():
    Client(sys.argv[1], int(sys.argv[2]), peer.PROFILES["tutorial"]).run()


if __name__ == "__main__":
    main()
