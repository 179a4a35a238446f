"""`python -m framespec`: the program `conformance`, with the same arguments, streams and exit codes."""

import os
import subprocess
import sys

from framespec.program import NoProgram, find

# The exit code of `conformance` for what could not be done.
COULD_NOT = 3


def main() -> int:
    try:
        program = find()
    except NoProgram as error:
        print(f"error: {error}", file=sys.stderr)
        return COULD_NOT
    command = [program, *sys.argv[1:]]
    if os.name == "nt":
        return subprocess.run(command).returncode
    os.execv(program, command)


if __name__ == "__main__":
    sys.exit(main())
