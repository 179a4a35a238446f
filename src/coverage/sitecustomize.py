"""Runs first in every Python below the fuzzer: begins to count, and then lets the user's own sitecustomize have its turn.

Any Python reads this, however old, so it keeps to what all of them know.
"""

import os
import sys


def begin():
    here = os.path.dirname(os.path.abspath(__file__))
    if sys.version_info >= (3, 8):
        import framespec_tracer

        framespec_tracer.begin(here)
    else:
        with open(os.path.join(here, "attached"), "a") as told:
            told.write('{"old": "%d.%d"}\n' % sys.version_info[:2])
    sys.path[:] = [one for one in sys.path if os.path.abspath(one or ".") != here]


begin()
this = sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize
except ImportError:
    sys.modules["sitecustomize"] = this
