"""A REP socket of pyzmq that echoes: `zmq_rep.py PORT`."""

import sys

import zmq

socket = zmq.Context().socket(zmq.REP)
socket.bind(f"tcp://127.0.0.1:{sys.argv[1]}")
while True:
    socket.send_multipart(socket.recv_multipart())
