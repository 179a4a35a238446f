"""Where the program `conformance` lies."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from pathlib import Path
from typing import Iterator, Optional

NAME = "conformance.exe" if os.name == "nt" else "conformance"


class NoProgram(Exception):
    """There is none; says what to do about that."""

    def __init__(self) -> None:
        super().__init__(
            f"the program `conformance` is not there: this copy of framespec has none for {platform.system()} on {platform.machine()},"
            " and none is on the PATH\n"
            "try: pip install --force-reinstall framespec; where there is no wheel for this machine, that builds it, with"
            " Rust 1.88 or newer. Or, in a clone of the repository, cargo install --locked --path ."
        )


def find() -> str:
    """The path of the program: the one that was installed with this package, else the one on the PATH.

    Raises NoProgram where there is neither.
    """
    found = next((str(path) for path in _installed() if path.is_file()), None) or shutil.which(NAME)
    if found is None:
        raise NoProgram
    return found


def _installed() -> Iterator[Path]:
    """Where it may have been put when this package was installed."""
    recorded = _recorded()
    if recorded is not None:
        yield recorded
    # `pip install --target` moves it, and leaves what is recorded as it was.
    yield Path(__file__).resolve().parent.parent / "bin" / NAME


def _recorded() -> Optional[Path]:
    try:
        files = importlib.metadata.files("framespec") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == NAME), None)


def harmless(text: str) -> str:
    """What may come from a server, without characters that act on a terminal."""
    # Spanish sets thousands apart by a space that does not break, which Python does not count among what can be printed.
    return "".join(c if c.isprintable() or c == "\xa0" else f"\\u{{{ord(c):x}}}" for c in text)
