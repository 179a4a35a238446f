"""A device of pyModbusTCP: `pymodbustcp_server.py PORT`."""

import sys

from pyModbusTCP.server import ModbusServer

ModbusServer("127.0.0.1", int(sys.argv[1])).start()
