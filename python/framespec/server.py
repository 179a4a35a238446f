"""A server that a command starts: on a free port of this machine, in a process group of its own, and ended with all of it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from typing import Optional, Tuple

from framespec.program import harmless

# How long what is asked to end may take for that, in seconds.
FAREWELL = 2.0

# Lines of its standard error, and octets in all, that are shown where it did not start.
LAST_WORDS, LAST_OCTETS = 12, 4096


class NotStarted(Exception):
    """The command does not start a server; says what it did instead."""


class Server:
    """A server that listens, from the start of a `with` block to its end.

    In the command `{port}` becomes a port that is free, `{host}` the address. It has to listen there within `startup`
    seconds, and to stay in the foreground.
    """

    def __init__(self, command: str, startup: float = 10.0, cwd: Optional[str] = None) -> None:
        self.host = "127.0.0.1"
        self.port = _free_port(self.host)
        if "{port}" not in command:
            raise NotStarted(f"`{command}`: there is no {{port}} in it, which has to stand where the server is told its port")
        self.command = command.replace("{port}", str(self.port)).replace("{host}", self.host)
        self._startup = startup
        self._cwd = cwd
        self._ended = contextlib.ExitStack()

    @property
    def address(self) -> Tuple[str, int]:
        """Host and port, as `socket.create_connection` takes them."""
        return (self.host, self.port)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def __enter__(self) -> Server:
        with contextlib.ExitStack() as stack:
            said = stack.enter_context(tempfile.TemporaryFile())
            process = self._start(said)
            stack.callback(_end, process)
            self._await(process, said)
            self._ended = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.close()

    def _start(self, said) -> subprocess.Popen:
        try:
            return subprocess.Popen(
                shlex.split(self.command), cwd=self._cwd, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise NotStarted(f"`{self.command}`: {error}") from None

    def _await(self, process: subprocess.Popen, said) -> None:
        """Returns as soon as somebody can connect."""
        until = time.monotonic() + self._startup
        while not self._listens():
            if process.poll() is not None:
                raise NotStarted(f"`{self.command}` ended with {process.returncode} and served nobody{_last_words(said)}")
            if time.monotonic() > until:
                raise NotStarted(f"`{self.command}` did not listen at {self} within {self._startup:g} s{_last_words(said)}")
            time.sleep(0.01)

    def _listens(self) -> bool:
        with socket.socket() as client:
            client.settimeout(1.0)
            return client.connect_ex(self.address) == 0


def _free_port(host: str) -> int:
    with socket.socket() as listener:
        listener.bind((host, 0))
        return listener.getsockname()[1]


def _end(process: subprocess.Popen) -> None:
    """Ends a process and all that is in its group: told first, then made to."""
    _signal(process, "SIGTERM")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(FAREWELL)
    _signal(process, "SIGKILL")
    process.wait()


def _signal(process: subprocess.Popen, name: str) -> None:
    if os.name == "nt":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)
        return
    # The group is gone when all of it has ended; while the kernel takes it down, macOS forbids to signal it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, getattr(signal, name))


def _last_words(said) -> str:
    end = said.seek(0, os.SEEK_END)
    said.seek(max(0, end - LAST_OCTETS))
    lines = map(harmless, said.read().decode(errors="replace").splitlines()[-LAST_WORDS:])
    told = "".join(f"\n  | {line}" for line in lines)
    return f"; its standard error ends:{told}" if told else ""
