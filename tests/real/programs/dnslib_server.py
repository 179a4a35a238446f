"""A name server of dnslib over TCP that answers each question with one record: `dnslib_server.py PORT`."""

import sys

from dnslib import RR
from dnslib.server import BaseResolver, DNSLogger, DNSServer


class Fixed(BaseResolver):
    def resolve(self, request, handler):
        reply = request.reply()
        reply.add_answer(*RR.fromZone("host.example. 60 TXT fixed"))
        return reply


DNSServer(Fixed(), address="127.0.0.1", port=int(sys.argv[1]), tcp=True, logger=DNSLogger("-request,-reply,-truncated,-error,-recv,-send,-data")).start()
