"""What the scripts that pack have in common: where things lie, and how what was packed is tried."""

import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "tests/peers"
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]


def ends_with(code, command, **how):
    """Runs a command that has to end with this code; returns what it printed."""
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **how)
    if ended.returncode != code:
        sys.exit(f"{command} ended with {ended.returncode}, and not with {code}:\n{ended.stdout}{ended.stderr}")
    return ended.stdout + ended.stderr


def holds(text, part):
    if part not in text:
        sys.exit(f"{part!r} is not in what was printed:\n{text}")
