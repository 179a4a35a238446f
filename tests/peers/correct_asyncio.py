#!/usr/bin/env python3
"""A correct server on one thread with an event loop. It answers as the tutorial's server does: with a
text that has the message in it.

The second yardstick for false alarms: other words, another way of waiting, the same protocol.
"""

import asyncio
import socket

import messages
import peer

# See correct.py; all in seconds.
PATIENCE = 30.0
FAREWELL = 2.0

PIECE = 1 << 16


class Malformed(Exception):
    """A header that no frame can have."""


def answer(payload):
    try:
        return messages.encode(
            f"Respuesta asociada al mensaje {messages.decode(payload)}"
        )
    except (messages.Undecodable, ValueError, RecursionError):
        return messages.encode("No se pudo decodificar el mensaje")


class Server:
    def __init__(self, profile, max_body):
        self.profile = profile
        self.max_body = max_body

    async def serve(self, reader, writer):
        writer.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        try:
            await self.converse(reader, writer)
        except asyncio.IncompleteReadError:
            pass  # The client has ended its stream, wherever.
        except Malformed:
            await farewell(reader, writer)
        except (OSError, asyncio.TimeoutError):
            writer.transport.abort()
        finally:
            writer.close()

    async def converse(self, reader, writer):
        while True:
            first = await reader.readexactly(1)
            rest = self.rest_of_frame(reader, first)
            payload = await asyncio.wait_for(rest, PATIENCE)
            writer.write(self.profile.frame(answer(payload)))
            await asyncio.wait_for(writer.drain(), PATIENCE)

    async def rest_of_frame(self, reader, first):
        length = self.profile.body_length(first + await reader.readexactly(3))
        if length > self.max_body or length % self.profile.chunk:
            raise Malformed
        return (await reader.readexactly(length)).rstrip(b"\0")


async def farewell(reader, writer):
    """Ends the stream at once and reads off what is under way, for a while."""

    async def read_off():
        while await reader.read(PIECE):
            pass

    try:
        writer.write_eof()
        await asyncio.wait_for(read_off(), FAREWELL)
    except (OSError, asyncio.TimeoutError):
        pass


async def run(listener, server):
    listener.setblocking(False)
    served = await asyncio.start_server(server.serve, sock=listener, backlog=1024)
    async with served:
        await served.serve_forever()


def main():
    parser = peer.options(__doc__)
    parser.add_argument("--max-body", type=int, default=1 << 20, help="in octets")
    args = parser.parse_args()
    server = Server(peer.PROFILES[args.profile], args.max_body)
    asyncio.run(run(peer.begin(args), server))


if __name__ == "__main__":
    main()
