"""Counts which ways a program takes through its own code, in a file that the fuzzer reads, and notes the words it knows.

Each step from one place of the code to another has one of 64 Ki counters of one octet, which begin again at 0 behind 255. From
Python 3.12 on steps are branches and lines, by `sys.monitoring`; before that they are from line to line, by
`sys.settrace`. The standard library is left out.
"""

import dis
import json
import mmap
import os
import sys
import threading
import zlib

SIZE = 1 << 16
MASK = SIZE - 1

# The tools of that number are nobody's by convention.
TOOL = 4

# How a constant is used that the program may be waiting for. Keyword arguments, such as those of an
# option parser, are none of these.
USES = {
    "COMPARE_OP", "CONTAINS_OP", "BINARY_SUBSCR", "BINARY_OP", "MATCH_KEYS", "BUILD_CONST_KEY_MAP",
    "CALL", "PRECALL", "CALL_FUNCTION", "CALL_METHOD",
}  # fmt: skip
BETWEEN = {"CACHE", "LOAD_CONST", "LOAD_SMALL_INT", "EXTENDED_ARG", "NOP"}

LONGEST_WORD = 40


class Tracer:
    def __init__(self, folder, counts):
        self.folder = folder
        self.counts = counts
        self.library = os.path.dirname(os.__file__) + os.sep
        # By the identity of a code object, which is kept so that no other can have it: where its places begin.
        self.bases = {}
        self.told = set()

    def base(self, code):
        known = self.bases.get(id(code))
        if known is None:
            known = (code, self.new_base(code))
            self.bases[id(code)] = known
        return known[1]

    def new_base(self, code):
        """A number that is the same whenever the program is started; None for what is not its own."""
        name = code.co_filename
        if name.startswith(("<", self.folder)):
            return None
        if name.startswith(self.library) and "-packages" + os.sep not in name:
            return None
        self.tell_words(code)
        return zlib.crc32(("%s:%d:%s" % (name, code.co_firstlineno, code.co_name)).encode("utf-8", "replace"))

    def tell_words(self, code):
        new = [word for word in words(code) if repr(word) not in self.told]
        self.told.update(map(repr, new))
        if new:
            tell(self.folder, "words", "".join(json.dumps(word) + "\n" for word in new))

    def step(self, place):
        place &= MASK
        self.counts[place] = (self.counts[place] + 1) & 255

    def monitor(self):
        monitoring = sys.monitoring
        events, off = monitoring.events, monitoring.DISABLE

        def line(code, number):
            base = self.base(code)
            if base is None:
                return off
            self.step(base + number * 40503)

        def branch(code, here, there):
            base = self.base(code)
            if base is None:
                return off
            self.step(base + here * 52711 + there * 8191 + 1)

        names = ["BRANCH_LEFT", "BRANCH_RIGHT"] if hasattr(events, "BRANCH_LEFT") else ["BRANCH"]
        branches = [getattr(events, name) for name in names]
        monitoring.use_tool_id(TOOL, "framespec")
        monitoring.register_callback(TOOL, events.LINE, line)
        for event in branches:
            monitoring.register_callback(TOOL, event, branch)
        monitoring.set_events(TOOL, events.LINE | sum(branches))

    def trace(self, frame, event, argument):
        base = self.base(frame.f_code)
        if base is None:
            return None
        last = 0

        def local(frame, event, argument):
            nonlocal last
            if event == "line":
                number = frame.f_lineno
                self.step(base + last * 52711 + number * 40503)
                last = number
            return local

        return local


def words(code):
    """Texts and numbers that the code compares with, looks up, or calls something with."""
    found, waiting = [], []
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            waiting.append(instruction.argval)
        elif instruction.opname in USES:
            found.extend(waiting)
        if instruction.opname not in BETWEEN:
            waiting = []
    return [word for constant in found for word in plain(constant)]


def plain(constant):
    if isinstance(constant, (tuple, frozenset)):
        for item in sorted(constant, key=repr):
            yield from plain(item)
    elif isinstance(constant, bytes):
        yield from plain(constant.decode("latin-1"))
    elif isinstance(constant, str):
        if 0 < len(constant) <= LONGEST_WORD and constant.isprintable():
            yield constant
    elif isinstance(constant, int) and not isinstance(constant, bool):
        if abs(constant) < 1 << 53:
            yield constant


def tell(folder, name, text):
    try:
        with open(os.path.join(folder, name), "a", encoding="utf-8") as told:
            told.write(text)
    except OSError:
        pass  # The program has been locked in meanwhile; it goes on uncounted rather than not at all.


def begin(folder):
    version = "%d.%d.%d" % sys.version_info[:3]
    try:
        with open(os.path.join(folder, "map"), "r+b") as file:
            tracer = Tracer(folder, mmap.mmap(file.fileno(), SIZE))
        if hasattr(sys, "monitoring"):
            how = "sys.monitoring"
            tracer.monitor()
        else:
            how = "sys.settrace"
            threading.settrace(tracer.trace)
            sys.settrace(tracer.trace)
        tell(folder, "attached", json.dumps({"how": "%s, Python %s" % (how, version)}) + "\n")
    except Exception as error:  # Whatever goes wrong here is no fault of the server.
        tell(folder, "attached", json.dumps({"failed": "%s: %s" % (type(error).__name__, error)}) + "\n")
