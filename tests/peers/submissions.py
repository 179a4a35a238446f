#!/usr/bin/env python3
"""A class that has handed in its servers: a folder with a sub-folder for each, which `conformance grade` is tried on.

    python3 tests/peers/submissions.py FOLDER [NAME ...]

Some are the correct server, some make a mistake that `buggy.py` knows, and some are no servers but trouble, each as much
of it as does no harm where nothing bounds it. Without names there are thirty-seven of them.
"""

import os
import sys

PEERS = os.path.dirname(os.path.abspath(__file__))

# A server of this folder as one that stands in another.
SERVER = """import runpy, sys

sys.dont_write_bytecode = True
sys.path.insert(0, {peers!r})
sys.argv = ["server.py", "--port", sys.argv[1], *{options!r}]
runpy.run_path({script!r}, run_name="__main__")
"""

CORRECT = {"correct": "correct.py", "correct-asyncio": "correct_asyncio.py"}

BUGS = """
answered-by-both signed no-limit zero-continue recv-of-zero pool-of-eight select-and-block lock-while-reading global-message
header-from-one-recv body-from-one-recv one-recv-one-frame if-instead-of-while always-some-padding timeout-drops-a-part
characters-for-octets chunks-rounded-down not-data-continue body-loop-knows-no-end loop-without-try history
shut-down-not-closed asked-without-a-pause split-at-nul loads-without-try no-padding
""".split()

TROUBLE = {
    "asks": """
port = input("Port? ")
""",
    "lacks": """
import a_module_that_nobody_has
""",
    # Two hundred and fifty-six processes and no more, each away from the group of the one that made it.
    "forks": """
import os, time

for _ in range(8):
    if os.fork() == 0:
        os.setsid()
time.sleep(60)
""",
    # Where its keeper tells what it did there is a pipe, at which whoever opens it waits.
    "pipes": """
import os

with open(f"/proc/{os.getppid()}/cmdline") as file:
    words = file.read().split(chr(0))
told = words[words.index("--told") + 1]
os.remove(told)
for path in (told, "../told"):
    os.mkfifo(path)
os.mkdir("closed")
os.chmod("closed", 0)
raise SystemExit("it has put pipes there")
""",
    "floods": """
import os

for _ in range(1 << 16):
    os.write(1, b"y" * (1 << 16))
""",
    "allocates": """
blocks = [b"y" * (1 << 20) for _ in range(4 << 10)]
""",
    "writes": """
import time

for name in range(64):
    with open(f"file-{name}", "wb") as file:
        file.write(b"y" * (16 << 20))
time.sleep(60)
""",
    # The way of every textbook.
    "hides": """
import os, sys, time

if os.fork():
    sys.exit()
os.setsid()
if os.fork():
    sys.exit()
import socket

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
""",
    "elsewhere": """
import socket, time

server = socket.create_server(("127.0.0.1", 0))
time.sleep(60)
""",
    "silent": """
import time

time.sleep(60)
""",
}


def program(name):
    if name in CORRECT:
        script, options = CORRECT[name], []
    elif name in TROUBLE:
        return TROUBLE[name]
    else:
        script, options = "buggy.py", ["--bug", name]
    return SERVER.format(peers=PEERS, options=options, script=os.path.join(PEERS, script))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder, *names = sys.argv[1:]
    for name in names or [*CORRECT, *BUGS, *TROUBLE]:
        own = os.path.join(folder, name)
        os.makedirs(own)
        with open(os.path.join(own, "server.py"), "w", encoding="utf-8") as file:
            file.write(program(name))


if __name__ == "__main__":
    main()
