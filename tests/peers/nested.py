#!/usr/bin/env python3
"""A correct server but for one bug behind three conditions: the third object on a connection in which `op` is `sync` ends it.

Nothing that comes over the wire tells that a condition was met before the last one is.
"""

import sys

import correct
import peer


class Client(correct.Client):
    def __init__(self, sock, profile, max_body):
        super().__init__(sock, profile, max_body)
        self.rounds = 0

    def answer(self, payload):
        reply = super().answer(payload)
        try:
            self.note(correct.messages.decode(payload))
        except correct.messages.Undecodable:
            pass
        return reply

    def note(self, message):
        if isinstance(message, dict) and "op" in message:
            operation = message["op"]
            if operation == "sync":
                self.rounds += 1
                if self.rounds >= 3:
                    raise correct.EndOfStream


def main():
    args = peer.options(__doc__).parse_args()
    sys.setswitchinterval(0.001)
    correct.accept_for_ever(peer.begin(args), peer.PROFILES[args.profile], 1 << 20, Client)


if __name__ == "__main__":
    main()
