#!/usr/bin/env python3
"""A correct server for the tutorial's format that makes one mistake, chosen by `--bug NAME`.

The mistakes are those that people make who write such a server in Python. `--list` prints them: name, a case that
finds it, what has to be so for it to be noticed, and what it is. Without `--bug` there is none.
"""

import sys
import threading

import peer
from bugs import BUGS, Server, exchange, lengths, many, reading, endings, resources, text, writing

# Each of them has put its bugs into the table.
THEMES = (reading, lengths, endings, text, writing, exchange, many, resources)


def main():
    parser = peer.options(__doc__)
    parser.add_argument("--bug", choices=sorted(BUGS), metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the bugs and exit")
    args = parser.parse_args()
    if args.profile != "tutorial":
        parser.error("the bugs are those of servers for the tutorial's format")
    if args.list:
        for bug in BUGS.values():
            print(bug.name, bug.case, bug.needs, bug.about, sep="\t")
        return
    sys.setswitchinterval(0.001)
    # A thread that dies does so without a word: the traceback is not what is tested.
    threading.excepthook = lambda _: None
    server = BUGS[args.bug].server if args.bug else Server
    server(peer.begin(args)).run()


if __name__ == "__main__":
    main()
