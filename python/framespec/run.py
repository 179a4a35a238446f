"""A run of `conformance check`, and what its reports tell of it.

Verdicts and causes are read from the JSON report. How a failure looks to a person (its cause, what was sent and what
came, the command that plays it again) is taken from the JUnit report, so that there is one text of it, and that is in the
language in which the program speaks: the JSON report is in English.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from framespec.program import NoProgram, find, harmless
from framespec.words import Words

SCHEMA = "framespec/1"

# Exit codes of a run that was carried out, whatever it found.
PASSED, FAILED = 0, 1


class CouldNot(Exception):
    """It could not be carried out, or not be read, and so says nothing of the server."""


@dataclass(frozen=True)
class Options:
    """What is checked, and how."""

    command: str
    profile: str
    within: Optional[str] = None
    expect: Optional[str] = None
    arguments: Sequence[str] = ()
    cwd: Optional[str] = None

    def words(self) -> Words:
        return Words(self.arguments)


@dataclass(frozen=True)
class Case:
    """What became of a case; `told` is what people are told of its failure, `size` how much there is to see of it."""

    name: str
    verdict: str
    detail: str
    known: Optional[str]
    failed: int
    of: int
    told: str
    size: int


@dataclass(frozen=True)
class Told:
    """What the JUnit report tells of a case that did not pass: in one line, and in full."""

    line: str
    full: str


@dataclass(frozen=True)
class Cause:
    """Something that explains why cases failed."""

    name: str
    title: str
    confidence: str
    explains: Sequence[str]


@dataclass(frozen=True)
class Report:
    """A run that was carried out; `broken_off` says why not to its end, `stale` what is wrong with expectations, by their case."""

    cases: Dict[str, Case]
    causes: Sequence[Cause]
    strict: bool
    broken_off: Optional[str]
    stale: Dict[str, str]

    def cause_of(self, case: str) -> Optional[Cause]:
        """The first cause that explains its failure, in the order in which to mend them."""
        return next((cause for cause in self.causes if case in cause.explains), None)


def names(options: Options) -> List[str]:
    """The names of the cases that there are for the wire format, in the order of the table."""
    listed = _run(["list", "--profile", options.profile, "--format", "names"], options)
    if listed.returncode != PASSED:
        raise CouldNot(_said(listed, options))
    found = listed.stdout.split()
    if not found:
        raise CouldNot("`conformance list` names no case")
    return found


def play(options: Options, cases: Sequence[str]) -> Report:
    """Plays those cases and reads what came of it."""
    with tempfile.TemporaryDirectory(prefix="framespec-") as folder:
        json_file, junit_file = Path(folder, "report.json"), Path(folder, "report.xml")
        formats = ["--format", f"json={json_file}", "--format", f"junit={junit_file}"]
        ended = _run(["check", *_arguments(options, cases), *formats], options)
        if not json_file.is_file():
            raise CouldNot(_said(ended, options))
        report = read(json_file.read_text("utf-8"), _told(junit_file))
    is_begun = any(case.verdict != "skip" for case in report.cases.values())
    # The program's own words tell more than the report: what a server that did not start has written, and what to try.
    if not report.cases or (report.broken_off is not None and not is_begun):
        raise CouldNot(_said(ended, options))
    is_told = report.broken_off is not None or _errors(report) or _shows_nothing(report)
    if ended.returncode not in (PASSED, FAILED) and not is_told:
        raise CouldNot(_said(ended, options))
    return report


def _shows_nothing(report: Report) -> bool:
    """Whether none of the cases applies, of which the program says that it decides nothing; each says why."""
    return all(case.verdict == "skip" for case in report.cases.values())


def _arguments(options: Options, cases: Sequence[str]) -> List[str]:
    arguments = ["--exec", options.command, "--profile", options.profile]
    for option, value in [("--within", options.within), ("--expect", options.expect)]:
        arguments += [option, value] if value else []
    for case in cases:
        arguments += ["--run", case]
    return [*arguments, *options.arguments]


def read(text: str, told: Dict[str, Told]) -> Report:
    """A JSON report; what is told of each case that did not pass stands in `told`, by its name."""
    try:
        report = json.loads(text)
        if report["schema"] != SCHEMA:
            raise CouldNot(f"its report is of the form {report['schema']!r}, and {SCHEMA!r} is what this plugin reads")
        return Report(
            cases={case["id"]: _case(case, told) for case in report["cases"]},
            causes=[_cause(cause) for cause in report.get("causes", ())],
            strict=report.get("strict", False),
            broken_off=harmless(told[WHOLE].line if WHOLE in told else report["broken_off"]) if "broken_off" in report else None,
            stale={stale["case"]: harmless(f"{stale['problem']} ({stale['reason']})") for stale in report.get("stale", ())},
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CouldNot(f"its report cannot be read: {error!r}") from None


def _case(case: dict, told: Dict[str, Told]) -> Case:
    attempts = case.get("attempts", {})
    plain = harmless(case["detail"])
    told_of = told.get(case["id"], Told(plain, plain))
    return Case(
        name=case["id"],
        verdict=case["verdict"],
        detail=harmless(told_of.line or plain),
        known=harmless(case["known"]["reason"]) if "known" in case else None,
        failed=attempts.get("failed", 0),
        of=attempts.get("of", 0),
        told=told_of.full or plain,
        size=_size(case.get("evidence", {}).get("timeline", ())),
    )


def _size(timeline: Sequence[dict]) -> int:
    """Octets that went either way, and as much as a row of them for each moment."""
    return sum(len(moment.get("octets", "")) // 2 + 16 for moment in timeline)


def _cause(cause: dict) -> Cause:
    return Cause(harmless(cause["id"]), harmless(cause["title"]), harmless(cause["confidence"]), [*cause["explains"]])


# What stands in a JUnit report for the run as a whole, if it was broken off.
WHOLE = "run/whole"

# What a case has in a JUnit report that did not pass, or only at times.
NOT_PASSED = ("failure", "error", "skipped", "flakyFailure")


def _told(junit: Path) -> Dict[str, Told]:
    """What the JUnit report tells of each case that did not pass."""
    try:
        root = ElementTree.parse(junit).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise CouldNot(f"its JUnit report cannot be read: {error}") from None
    parts = ((case.get("name", ""), part) for case in root.iter("testcase") for part in case if part.tag in NOT_PASSED)
    return {name: Told(part.get("message", ""), part.text or "" if part.tag == "failure" else "") for name, part in parts}


def _errors(report: Report) -> bool:
    return any(case.verdict == "error" for case in report.cases.values())


def _run(arguments: Sequence[str], options: Options) -> subprocess.CompletedProcess:
    """Runs the program. It is asked to end where this is interrupted, since it has a server to end."""
    try:
        command = [find(), *arguments]
        process = subprocess.Popen(
            command, cwd=options.cwd, stdin=subprocess.DEVNULL, text=True, encoding="utf-8", errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    except (NoProgram, OSError) as error:
        raise CouldNot(str(error)) from None
    with process:
        try:
            out, err = process.communicate()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _said(ended: subprocess.CompletedProcess, options: Options) -> str:
    """How it ended, in its own words if it has any."""
    command = shlex.join(["conformance", *ended.args[1:]])
    said = "\n".join(map(harmless, ended.stderr.strip().splitlines()))
    return said or options.words().say(
        "{command} ended with {code}, without a report and without a reason", command=f"`{command}`", code=ended.returncode
    )
