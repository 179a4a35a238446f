"""The plugin for pytest.

    pytest --conformance 'python3 server.py {port}'

A case of the suite is a test: cases are known before anything is played, so they can be listed, selected by -k, played
again by --lf, and counted by whoever reads the JUnit report of pytest. But one mistake in a server fails dozens of
cases, and what a person can act on is the mistake. So all selected cases are played in one run, when the first of them
is due, and of those that one cause explains a single one is shown as the failure: with the cause, what was sent and what
came, and the command that plays just that. The others fail as well, and are counted beside it.

What could not be carried out is an error, never a pass: once for the run, and its cases are skipped with that reason.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import warnings
from typing import TYPE_CHECKING, Dict, Iterator, List, NoReturn, Optional, Tuple

import pytest

if TYPE_CHECKING:
    from framespec.run import Case, Cause, Options, Report
    from framespec.words import Words

# The name of what all cases lie in, where a file stands otherwise.
NAME = "conformance"

# Lines of a failure that are shown without -v.
MOST_LINES = 20

# The place of failures that no cause explains.
LAST = 1 << 16


class ConformanceWarning(pytest.PytestWarning):
    """A server does not do what it should, and need not."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(NAME, "a server, held to its protocol by framespec")
    group.addoption("--conformance", metavar="COMMAND", help="check the server that this command starts; {port} in it becomes a free port")
    group.addoption("--conformance-profile", metavar="NAME|FILE", default="tutorial", help="its wire format: a built-in profile, or a profile file [tutorial]")
    group.addoption("--conformance-within", metavar="TIME", help="how long all of it may take [30s]")
    group.addoption("--conformance-expect", metavar="FILE", help="known failures, each with a reason: they are expected to fail")
    group.addoption("--conformance-args", metavar="ARGS", help="further arguments of `conformance check`, as in '--slow --reply echo'")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{NAME}: a case of framespec, from --conformance")


def pytest_report_header(config: pytest.Config) -> Optional[str]:
    command = config.getoption("conformance")
    if command is None:
        return None
    return f"{NAME}: {command} (profile {config.getoption('conformance_profile')})"


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """The cases come after all other tests."""
    outcome = yield
    if isinstance(collector, pytest.Session) and collector.config.getoption(NAME) is not None:
        report = outcome.get_result()
        report.result = [*report.result, Conformance.from_parent(collector, name=NAME, nodeid=NAME)]


class Conformance(pytest.Collector):
    """All cases, and the one run in which they are played."""

    _played: Optional[Report] = None
    _problem: Optional[str] = None
    _is_told = False

    def collect(self) -> Iterator[pytest.Item]:
        from framespec import run

        self.add_marker(NAME)
        if _is_worker(self.config):
            # With --dist loadgroup of pytest-xdist they stay together, and are played once.
            self.add_marker(pytest.mark.xdist_group(NAME))
        try:
            names = run.names(self._options())
        except ValueError as error:
            raise self.CollectError(f"--conformance-args: {error}") from None
        except run.CouldNot as error:
            raise self.CollectError(str(error)) from None
        yield WholeItem.from_parent(self, name="whole-run")
        for name in names:
            yield CaseItem.from_parent(self, name=name)

    def report(self) -> Report:
        """What came of the run, which begins when this is asked for first."""
        if self._played is None and self._problem is None:
            self._play()
        if self._played is None:
            self.could_not(self._problem)
        return self._played

    def could_not(self, why: str) -> NoReturn:
        """The run was not carried out, or not to its end: an error, once."""
        if self._is_told:
            pytest.skip(self.words().say("not checked: {why}", why=why.splitlines()[0]))
        self._is_told = True
        pytest.fail(why, pytrace=False)

    def shown_at(self, cause: Cause, failed: str) -> str:
        """The case at which a cause is shown, which is the one that failed if there is none so far."""
        return self._shown.setdefault(cause.name, failed)

    def place(self, cause: Cause) -> Tuple[int, int]:
        """Which of the causes of failures it is, in the order in which to mend them, and of how many."""
        return self._order.index(cause.name) + 1, len(self._order)

    def _play(self) -> None:
        from framespec import run

        try:
            cases = [item.name for item in self.session.items if isinstance(item, CaseItem)]
            self._played = run.play(self._options(), cases)
            # Who stops at the first failure has to see its cause there, and one of several workers knows of its own cases only.
            is_first_shown = self.config.getoption("maxfail") or _is_worker(self.config)
            smallest = _smallest(self._played)
            self._shown = {} if is_first_shown else smallest
            self._order = [cause.name for cause in self._played.causes if cause.name in smallest]
        except run.CouldNot as error:
            self._problem = str(error)

    def words(self) -> Words:
        """What is said of all this, in the language of the run."""
        return self._options().words()

    def _options(self) -> Options:
        from framespec.run import Options

        option = self.config.getoption
        return Options(
            command=option("conformance"),
            profile=option("conformance_profile"),
            within=option("conformance_within"),
            expect=option("conformance_expect"),
            arguments=shlex.split(option("conformance_args") or ""),
            cwd=str(self.config.invocation_params.dir),
        )


class Broken(Exception):
    """What pytest is told where something failed; what people are told is made by the item."""


class Told:
    """What is shown of a failure. The last lines, which say how to play it again, are never left out."""

    def __init__(self, headline: str, lines: List[str]) -> None:
        self._lines = [headline, *lines]
        self.reprcrash = Crash(headline)

    def toterminal(self, tw) -> None:
        headline, *lines = self._lines
        tw.line(f"E   {headline}", red=True, bold=True)
        for line in lines:
            tw.line(line)

    def __str__(self) -> str:
        return "\n".join(self._lines)


class Crash:
    """What is shown of a failure in one line."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __str__(self) -> str:
        return f"{NAME}: {self.message}"


class Item(pytest.Item):
    """Whatever the run is asked for."""

    def reportinfo(self):
        return self.config.rootpath / NAME, None, self.name

    def setup(self) -> None:
        self.check(self.parent.report())

    def repr_failure(self, excinfo, style=None):
        return self.told() if isinstance(excinfo.value, Broken) else super().repr_failure(excinfo, style)

    def refine(self, report: pytest.TestReport) -> None:
        """Has a report say where something is, instead of where this file says so."""
        if report.skipped and isinstance(report.longrepr, tuple):
            report.longrepr = (NAME, None, report.longrepr[2])


class WholeItem(Item):
    """The run as a whole: that it was carried out to its end, and that there is a case for each expectation."""

    def check(self, report: Report) -> None:
        if report.broken_off is not None:
            self.parent.could_not(report.broken_off)

    def runtest(self) -> None:
        if self._stale():
            raise Broken

    def told(self) -> Told:
        return Told(self.parent.words().say("expectations that no longer hold: take them out of the file"), self._stale())

    def _stale(self) -> List[str]:
        """Those of no case: the others are told at theirs."""
        report = self.parent.report()
        return [f"{case}: {problem}" for case, problem in report.stale.items() if case not in report.cases]


class CaseItem(Item):
    """A case."""

    def check(self, report: Report) -> None:
        case = report.cases.get(self.name)
        if case is None:
            pytest.fail(self._say("the report does not tell of this case"), pytrace=False)
        if report.broken_off is not None and case.verdict == "skip":
            self.parent.could_not(report.broken_off)
        if case.verdict not in ("pass", "warn", "skip", "unstable", "fail"):
            pytest.fail(case.detail or self._say("the verdict is {verdict}", verdict=repr(case.verdict)), pytrace=False)

    def runtest(self) -> None:
        report = self.parent.report()
        case = report.cases[self.name]
        if _fails(case, report):
            self.user_properties += [("cause", cause.name) for cause in [self._cause()] if cause is not None]
            raise Broken
        if self.name in report.stale:
            raise Broken
        if case.known is not None:
            pytest.xfail(case.known)
        if case.verdict == "unstable":
            pytest.xfail(self._say("unstable, failed {failed} of {of} times: {detail}", failed=case.failed, of=case.of, detail=case.detail))
        if case.verdict == "skip":
            pytest.skip(case.detail)
        if case.verdict == "warn":
            warnings.warn_explicit(ConformanceWarning(case.detail), None, f"{NAME}::{self.name}", 1)

    def told(self) -> Told:
        report = self.parent.report()
        if self.name in report.stale:
            problem = self._say("an expectation that no longer holds: {problem}", problem=report.stale[self.name])
            return Told(problem, [self._say("Take it out of the file.")])
        case = report.cases[self.name]
        cause = self._cause()
        if cause is None:
            return Told(case.detail, self._shortened(case.told))
        told = _cause_line(cause).match(case.told)
        # In the words of the program, if they stand there.
        title = told["title"] if told else cause.title
        shown = self.parent.shown_at(cause, self.name)
        if shown != self.name:
            return Told(case.detail, [self._say("{title}: see {case}", title=title, case=shown)])
        sure = self._say({"guess": "a guess"}.get(cause.confidence, cause.confidence))
        failures = self.parent.words().number("{count} failure", "{count} failures", len(cause.explains))
        # The headline says it already.
        rest = case.told[told.end() :] if told else case.told
        return Told(f"{title} ({sure}, {failures})", self._shortened(rest))

    def _say(self, template: str, **holes: object) -> str:
        return self.parent.words().say(template, **holes)

    def refine(self, report: pytest.TestReport) -> None:
        super().refine(report)
        if report.when != "call" or not report.failed:
            return
        report.conformance_place = LAST
        cause = self._cause()
        if cause is not None:
            place, of = self.parent.place(cause)
            report.conformance_place = place
            report.conformance_alike = self.parent.shown_at(cause, self.name) != self.name
            report.location = (*report.location[:2], self._say("cause {place} of {of}: {name}", place=place, of=of, name=cause.name))
            report.conformance_word = self._say("failing alike")

    def _cause(self) -> Optional[Cause]:
        return self.parent.report().cause_of(self.name)

    def _shortened(self, told: str) -> List[str]:
        lines = told.strip("\n").split("\n")
        surplus = len(lines) - MOST_LINES
        if surplus <= 0 or self.config.getoption("verbose") > 0:
            return lines
        rerun = self._say("rerun") + ":"
        last = next((at for at, line in enumerate(lines) if line.strip().startswith(rerun)), len(lines))
        kept = max(0, MOST_LINES - (len(lines) - last))
        more = self.parent.words().number("… {count} line more, with -v", "… {count} lines more, with -v", last - kept)
        return [*lines[:kept], f"      {more}", *lines[last:]]


def _cause_line(cause: Cause) -> re.Pattern:
    """The line of a failure that names its cause, with the blank ones before it."""
    return re.compile(rf"\s*[^\n:]+: (?P<title>[^\n]*) \({re.escape(cause.name)}, [^\n]*\)\n")


def _is_worker(config: pytest.Config) -> bool:
    """Whether this is one of several processes of pytest-xdist."""
    return hasattr(config, "workerinput")


def _fails(case: Case, report: Report) -> bool:
    """Whether it counts as a failure: by the rule by which the program itself ends with 1."""
    counts = ("fail", "warn", "unstable") if report.strict else ("fail",)
    return case.known is None and case.verdict in counts


def _smallest(report: Report) -> Dict[str, str]:
    """For each cause of a failure the case of which there is least to read."""
    failed = [case for case in report.cases.values() if _fails(case, report)]
    smallest: Dict[str, str] = {}
    for case in sorted(failed, key=lambda case: case.size):
        cause = report.cause_of(case.name)
        if cause is not None:
            smallest.setdefault(cause.name, case.name)
    return smallest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    if isinstance(item, Item):
        item.refine(outcome.get_result())


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report):
    if getattr(report, "conformance_alike", False):
        return report.conformance_word, "f", ("FAILED", {"red": True})
    return None


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter) -> Iterator[None]:
    """Causes are shown in the order in which to mend them, behind what failed of other tests."""
    terminalreporter.stats.get("failed", []).sort(key=lambda report: getattr(report, "conformance_place", 0))
    yield


@pytest.fixture
def conformance_server(request: pytest.FixtureRequest):
    """Starts servers, which end with the test: `conformance_server("python3 server.py {port}")` returns one that listens,
    with `host`, `port` and `address`. Without a command it is the one that --conformance names."""
    from framespec.server import NotStarted, Server

    with contextlib.ExitStack() as servers:

        def start(command: Optional[str] = None, startup: float = 10.0) -> Server:
            command = command or request.config.getoption("conformance")
            if command is None:
                pytest.fail("no command: conformance_server('python3 server.py {port}'), or pytest --conformance COMMAND", pytrace=False)
            try:
                return servers.enter_context(Server(command, startup, str(request.config.invocation_params.dir)))
            except NotStarted as error:
                why = str(error)
            # Outside of it, as pytest would show both one after the other.
            pytest.fail(why, pytrace=False)

        yield start
