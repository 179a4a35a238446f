"""A service of Apache Thrift with one method, `echo`, framed, in Thrift's JSON: `thrift_echo.py threaded|nonblocking PORT`.

The processor does what Thrift's compiler writes for `string echo(1: string text)`.
"""

import sys

from thrift.protocol.TJSONProtocol import TJSONProtocolFactory
from thrift.server.TNonblockingServer import TNonblockingServer
from thrift.server.TServer import TThreadedServer
from thrift.Thrift import TApplicationException, TMessageType, TProcessor, TType
from thrift.transport.TSocket import TServerSocket
from thrift.transport.TTransport import TFramedTransportFactory


class Echo(TProcessor):
    def process(self, iprot, oprot):
        name, _, number = iprot.readMessageBegin()
        if name != "echo":
            iprot.skip(TType.STRUCT)
            iprot.readMessageEnd()
            unknown = TApplicationException(TApplicationException.UNKNOWN_METHOD, f"Unknown function {name}")
            return self.answer(oprot, name, TMessageType.EXCEPTION, number, unknown.write)
        text = self.argument(iprot)
        iprot.readMessageEnd()
        return self.answer(oprot, name, TMessageType.REPLY, number, lambda oprot: self.result(oprot, text))

    def argument(self, iprot):
        text = ""
        iprot.readStructBegin()
        while True:
            _, kind, field = iprot.readFieldBegin()
            if kind == TType.STOP:
                break
            if (field, kind) == (1, TType.STRING):
                text = iprot.readString()
            else:
                iprot.skip(kind)
            iprot.readFieldEnd()
        iprot.readStructEnd()
        return text

    def result(self, oprot, text):
        oprot.writeStructBegin("echo_result")
        oprot.writeFieldBegin("success", TType.STRING, 0)
        oprot.writeString(text)
        oprot.writeFieldEnd()
        oprot.writeFieldStop()
        oprot.writeStructEnd()

    def answer(self, oprot, name, kind, number, write):
        oprot.writeMessageBegin(name, kind, number)
        write(oprot)
        oprot.writeMessageEnd()
        oprot.trans.flush()
        return True


socket = TServerSocket("127.0.0.1", int(sys.argv[2]))
if sys.argv[1] == "threaded":
    server = TThreadedServer(Echo(), socket, TFramedTransportFactory(), TJSONProtocolFactory(), daemon=True)
else:
    server = TNonblockingServer(Echo(), socket, TJSONProtocolFactory())
server.serve()
