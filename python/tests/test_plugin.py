"""The pytest plugin, played at servers of which it is known what it should say.

scripts/wheel runs these, with the wheel installed: they use the program that it brought.
"""

import json
import os
import sys
import time
from pathlib import Path

import pytest
from framespec import run
from framespec.program import NoProgram

PEERS = Path(__file__).resolve().parents[2] / "tests/peers"
CORRECT = f"{sys.executable} {PEERS / 'correct.py'} --port {{port}}"
BUGGY = f"{sys.executable} {PEERS / 'buggy.py'} --port {{port}} --bug header-from-one-recv"


def play(pytester, command, *arguments):
    return pytester.runpytest_inprocess("--conformance", command, *arguments)


def count(result, **expected):
    """Holds the whole last line of pytest to this."""
    found = {what.replace(" ", "_"): number for what, number in result.parseoutcomes().items()}
    found.pop("deselected", None)
    assert found == expected


def test_a_good_server_passes_and_what_is_not_checked_is_skipped(pytester):
    result = play(pytester, CORRECT, "-rs", "-k", "truncation or deadline")
    count(result, passed=9, skipped=3)
    result.stdout.fnmatch_lines(["conformance: *correct.py --port {port} (profile tutorial)", "SKIPPED [[]3] conformance: takes long: give --slow"])
    assert result.ret == pytest.ExitCode.OK


def test_a_mistake_is_one_failure_with_its_exchange_and_its_command(pytester):
    result = play(pytester, BUGGY, "-k", "reassembly", "--junitxml", "junit.xml")
    result.stdout.fnmatch_lines([
        "*_ cause 1 of 1: header-in-one-read _*",
        "E   The header is taken from a single read (*",
        "*what was sent and seen*",
        "*rerun: conformance check --exec *--bug header-from-one-recv* --run reassembly/*",
        "FAILED conformance::reassembly/*",
        "* 1 failed, * failing alike in *",
    ])  # fmt: skip
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    alike = result.parseoutcomes()["failing"]
    junit = Path(pytester.path, "junit.xml").read_text()
    assert junit.count("<failure") == 1 + alike > 5
    assert junit.count('<property name="cause" value="header-in-one-read"') == 1 + alike


def test_who_stops_at_the_first_failure_sees_its_cause(pytester):
    result = play(pytester, BUGGY, "-k", "reassembly", "-x")
    result.stdout.fnmatch_lines(["*_ cause 1 of 1: header-in-one-read _*", "*rerun: *"])
    assert result.parseoutcomes()["failed"] == 1


KNOWN = '[[known-failure]]\ncase = "%s"\nreason = "issue 12"\n'


def test_known_failures_are_expected(pytester):
    pytester.makefile(".toml", known=KNOWN % "reassembly/header-in-two")
    result = play(pytester, BUGGY, "-rx", "-k", "header-in-two", "--conformance-expect", "known.toml")
    count(result, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL conformance::reassembly/header-in-two*"])
    assert "issue 12" in str(result.stdout)
    assert result.ret == pytest.ExitCode.OK


def test_an_expectation_that_no_longer_holds_fails(pytester):
    pytester.makefile(".toml", known=KNOWN % "truncation/in-header" + KNOWN % "no/such-case")
    result = play(pytester, CORRECT, "-k", "whole-run or truncation/in-header", "--conformance-expect", "known.toml")
    result.stdout.fnmatch_lines([
        "*_ whole-run _*", "E   expectations that no longer hold*", "no/such-case: no-such-case (issue 12)",
        "*_ truncation/in-header _*", "E   an expectation that no longer holds: passes (issue 12)",
    ])  # fmt: skip
    assert result.parseoutcomes()["failed"] == 2


@pytest.mark.parametrize("selected", ["truncation or whole-run", "truncation"])
def test_a_server_that_does_not_start_is_one_error_and_no_pass(pytester, selected):
    result = play(pytester, "no-such-program {port}", "-k", selected)
    assert result.parseoutcomes()["errors"] == 1
    assert not {"passed", "failed"} & set(result.parseoutcomes())
    result.stdout.fnmatch_lines(["*the server did not start*no program*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_what_a_server_wrote_that_did_not_start_is_shown(pytester):
    pytester.makepyfile(server="raise ValueError('\\x1b[2Jout of luck')")
    result = play(pytester, f"{sys.executable} server.py {{port}}", "-k", "truncation")
    assert result.parseoutcomes()["errors"] == 1
    result.stdout.fnmatch_lines(["*the server did not start*", "*ValueError: *u{1b}*out of luck*", "*try: *"])


def test_what_cannot_be_asked_for_ends_the_session(pytester):
    result = play(pytester, CORRECT, "--conformance-profile", "no-such-profile")
    result.stdout.fnmatch_lines(["*no profile is called*", "try: *"])
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_nothing_is_played_where_tests_are_only_listed(pytester):
    pytester.makepyfile(test_mine="def test_mine(): pass")
    result = play(pytester, "touch played-{port}", "--collect-only", "-q", "--conformance-profile", "netstring")
    lines = result.stdout.lines
    assert lines[0] == "test_mine.py::test_mine"
    assert {"conformance::whole-run", "conformance::truncation/in-header"} <= set(lines)
    assert not list(pytester.path.glob("played-*"))


def test_without_the_option_nothing_is_added(pytester):
    pytester.makepyfile("def test_mine(): pass")
    count(pytester.runpytest_inprocess(), passed=1)


# What the program could write, and what must become of it.

VERDICTS = [
    ("pass", {"passed": 1}),
    ("warn", {"passed": 1, "warnings": 1}),
    ("skip", {"skipped": 1}),
    ("unstable", {"xfailed": 1}),
    ("fail", {"failed": 1}),
    ("error", {"errors": 1}),
    ("splendid", {"errors": 1}),
]


def report(*cases, **more):
    return json.dumps({"schema": run.SCHEMA, "cases": cases, **more})


def case(verdict, name="order/one", **more):
    return {"id": name, "verdict": verdict, "detail": f"it is {verdict} \x1b[31m", **more}


@pytest.fixture
def program(monkeypatch):
    """Has the program write this report and end with this code."""

    def install(text, code=0):
        def ended(arguments, options):
            if arguments[0] == "check" and text is not None:
                json_file, junit_file = (arguments[at + 1].split("=", 1)[1] for at in (-4, -2))
                Path(json_file).write_text(text)
                Path(junit_file).write_text("<testsuites/>")
            ended_with = code if arguments[0] == "check" else 0
            return run.subprocess.CompletedProcess(["conformance", *arguments], ended_with, "order/one\n", "")

        monkeypatch.setattr(run, "_run", ended)

    return install


@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
@pytest.mark.parametrize("verdict, expected", VERDICTS)
def test_each_verdict_becomes_what_it_means(pytester, program, verdict, expected, strict):
    program(report(case(verdict), strict=strict))
    if strict and verdict in ("warn", "unstable"):
        expected = {"failed": 1}
    result = play(pytester, "server {port}", "-k", "order")
    count(result, **expected)
    result.stdout.no_fnmatch_line("*\x1b*")


@pytest.mark.parametrize(
    "text, code, told",
    [
        (None, 0, "`conformance check *` ended with 0, without a report and without a reason"),
        ("", 0, "its report cannot be read"),
        ("[]", 0, "its report cannot be read"),
        ('{"schema": "framespec/2"}', 0, "its report is of the form 'framespec/2'"),
        (report(), 0, "`conformance check *` ended with 0"),
        (report(case("pass")), 101, "`conformance check *` ended with 101"),
        (report(case("pass"), broken_off="interrupted"), 3, "interrupted"),
    ],
)
def test_a_run_that_says_nothing_is_an_error(pytester, program, text, code, told):
    program(text, code)
    result = play(pytester, "server {port}")
    assert result.parseoutcomes().pop("errors") == 1
    result.stdout.fnmatch_lines([f"*{told}*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_case_that_no_report_tells_of_is_an_error(pytester, program):
    program(report(case("pass", "order/other")))
    count(play(pytester, "server {port}", "-k", "order"), errors=1)


def test_without_a_program_it_is_said_what_to_do(pytester, monkeypatch):
    def none():
        raise NoProgram

    monkeypatch.setattr(run, "find", none)
    result = play(pytester, CORRECT)
    result.stdout.fnmatch_lines(["*the program `conformance` is not there*", "try: pip install *"])
    assert result.ret == pytest.ExitCode.INTERRUPTED


# The fixture.

FAMILY = f"""
import subprocess, sys
child = subprocess.Popen(["sleep", "60"])
open("pids", "w").write(f"{{child.pid}}")
sys.argv = ["correct.py", "--port", sys.argv[1]]
sys.path.insert(0, {str(PEERS)!r})
exec(open({str(PEERS / "correct.py")!r}).read())
"""


def is_alive(pid):
    """Whether a process is there, and more than what is left of one that nobody waits for."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_the_fixture_ends_a_server_with_all_that_it_started(pytester):
    pytester.makepyfile(server=FAMILY)
    pytester.makepyfile(f"""
        import socket

        def test_it_answers(conformance_server):
            server = conformance_server({sys.executable!r} + " server.py {{port}}")
            with socket.create_connection(server.address, timeout=5) as client:
                client.sendall(b"\\0\\0\\0\\x3c" + b"1".ljust(60, b"\\0"))
                assert client.recv(4) == b"\\0\\0\\0\\x3c"
            assert str(server) == f"127.0.0.1:{{server.port}}"
    """)
    count(pytester.runpytest_inprocess(), passed=1)
    child = int(Path(pytester.path, "pids").read_text())
    until = time.monotonic() + 5
    while is_alive(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_alive(child)


def test_the_fixture_says_why_a_server_did_not_start(pytester):
    pytester.makepyfile(f"""
        def test_dies(conformance_server):
            conformance_server({sys.executable!r} + " -c 'raise SystemExit(\\"out of luck\\")' {{port}}")

        def test_is_not_there(conformance_server):
            conformance_server("no-such-program {{port}}")

        def test_knows_no_port(conformance_server):
            conformance_server("server")

        def test_does_not_listen(conformance_server):
            conformance_server("sleep 60 {{port}}", startup=0.1)

        def test_has_no_command(conformance_server):
            conformance_server()
    """)
    result = pytester.runpytest_inprocess()
    count(result, failed=5)
    result.stdout.fnmatch_lines([
        "*ended with 1 and served nobody; its standard error ends:", "  | out of luck", "*no-such-program*No such file*",
        "*there is no {port} in it*", "*did not listen at 127.0.0.1:* within 0.1 s*", "*no command: *",
    ])  # fmt: skip
