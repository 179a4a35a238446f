"""A service of thriftpy2 with one method, `echo`, in its own JSON, which has a length in front: `thriftpy2_echo.py PORT`."""

import io
import sys

import thriftpy2
from thriftpy2.protocol import TJSONProtocolFactory
from thriftpy2.rpc import make_server


class Handler:
    def echo(self, text):
        return text


service = thriftpy2.load_fp(io.StringIO("service Echo { string echo(1: string text) }"), "echo_thrift")
server = make_server(service.Echo, Handler(), "127.0.0.1", int(sys.argv[1]), proto_factory=TJSONProtocolFactory(), client_timeout=None)
server.serve()
