"""Twisted's string receivers as servers that echo: `twisted_strings.py CLASS PORT`, CLASS as in twisted.protocols.basic."""

import sys

from twisted.internet import protocol, reactor
from twisted.protocols import basic


class Echo(getattr(basic, sys.argv[1])):
    def stringReceived(self, string):
        self.sendString(string)


reactor.listenTCP(int(sys.argv[2]), protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
reactor.run()
