"""A device of pymodbus with a hundred registers: `pymodbus_server.py PORT`."""

import sys

from pymodbus.server import StartTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

registers = SimData(0, count=100, values=7, datatype=DataType.REGISTERS)
StartTcpServer(SimDevice(1, simdata=[registers]), address=("127.0.0.1", int(sys.argv[1])))
