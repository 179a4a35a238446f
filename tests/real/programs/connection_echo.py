"""A thread for each client of multiprocessing.connection that echoes messages of octets: `connection_echo.py PORT`."""

import sys
import threading
from multiprocessing.connection import Listener


def serve(connection):
    with connection:
        try:
            while True:
                connection.send_bytes(connection.recv_bytes())
        except (EOFError, OSError):
            pass


with Listener(("127.0.0.1", int(sys.argv[1])), backlog=64) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept(),), daemon=True).start()
