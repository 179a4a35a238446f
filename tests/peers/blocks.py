#!/usr/bin/env python3
"""A server for the formats with numbered blocks: the length of the JSON, then blocks, each behind its number.

It answers every message with itself. With --mistake it has one of the mistakes that people make in such a server:

other-order   reads the number of a block in the octet order of the length
from-zero     counts the blocks of a request from 0
not-stripped  leaves the numbers in the payload
not-checked   reads the numbers and compares them with nothing
one-octet     counts the blocks of a request in one octet
goes-on       counts the blocks of a reply on from those of the reply before
"""

import sys
import time

import correct
import peer

MISTAKES = ["other-order", "from-zero", "not-stripped", "not-checked", "one-octet", "goes-on"]


class Client(correct.Client):
    block = 60
    width = 4
    mistake = None
    sent = 0

    def send(self, payload):
        if self.mistake != "goes-on":
            self.sent = 0
        frame = bytearray(len(payload).to_bytes(4, "big"))
        for at in range(0, len(payload), self.block):
            self.sent += 1
            octets = payload[at : at + self.block]
            frame += self.sent.to_bytes(self.width, "little") + octets.ljust(self.block, b"\0")
        self.sock.settimeout(correct.PATIENCE)
        self.sock.sendall(frame)

    def next_payload(self):
        self.sock.settimeout(None)
        first = self.receive(1)
        deadline = time.monotonic() + correct.PATIENCE
        length = int.from_bytes(first + self.exactly(3, deadline), "big")
        blocks = -(-length // self.block)
        if blocks * self.block > self.max_body:
            raise correct.Malformed
        payload = bytearray()
        for number in range(1, blocks + 1):
            found = self.exactly(self.width, deadline)
            if not self.is_right(found, number):
                raise correct.Malformed
            if self.mistake == "not-stripped":
                payload += found
            payload += self.exactly(self.block, deadline)
        return bytes(payload[:length])

    def is_right(self, found, number):
        if self.mistake == "from-zero":
            number -= 1
        if self.mistake == "one-octet":
            number &= 0xFF
        order = "big" if self.mistake == "other-order" else "little"
        return self.mistake == "not-checked" or int.from_bytes(found, order) == number


def main():
    parser = peer.options(__doc__)
    parser.add_argument("--max-body", type=int, default=1 << 20, help="in octets")
    parser.add_argument("--block", type=int, default=60, help="octets of a block")
    parser.add_argument("--width", type=int, default=4, help="octets of its number")
    parser.add_argument("--mistake", choices=MISTAKES)
    args = parser.parse_args()
    Client.block, Client.width, Client.mistake = args.block, args.width, args.mistake
    sys.setswitchinterval(0.001)
    correct.accept_for_ever(peer.begin(args), None, args.max_body, Client)


if __name__ == "__main__":
    main()
