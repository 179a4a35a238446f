"""The action for GitHub and the template for GitLab, as far as they can be run without either: their files are read, and
their steps run as scripts.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from framespec.program import find

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / ".github/action"
PEERS = ROOT / "tests/peers"
CASES = "--run truncation/in-header --run reassembly/header-in-two"

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def server(name):
    return f"{sys.executable} {PEERS / name} --port {{port}}"


def play(folder, script, **given):
    """Runs a step as a runner does; returns how it ended, and its outputs."""
    output = folder / "output"
    output.touch()
    environment = {**os.environ, "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), **given}
    ended = subprocess.run([str(script)], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return ended, dict(line.split("=", 1) for line in output.read_text().splitlines())


def check(folder, name, **given):
    asked = {"PROGRAM": find(), "EXEC": server(name), "PROFILE": "tutorial", "REPORTS": "reports", "ARGUMENTS": CASES}
    return play(folder, ACTION / "check", **{**asked, **given})


def annotations(ended):
    return [line for line in ended.stdout.splitlines() if line.startswith("::")]


def test_a_good_server_passes_with_a_summary_and_without_annotations(tmp_path):
    ended, outputs = check(tmp_path, "correct.py")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert outputs == {"passed": "true", "sarif": "reports/report.sarif"}
    assert annotations(ended) == []
    assert "passed" in (tmp_path / "summary.md").read_text()
    assert {file.name for file in (tmp_path / "reports").glob("*.*")} == {"report.json", "report.html", "report.sarif", "junit.xml"}


def test_a_cause_is_an_annotation_and_what_failed_lies_in_a_file(tmp_path):
    ended, outputs = check(tmp_path, "tutorial_like.py")
    assert ended.returncode == 1
    assert outputs["passed"] == "false"
    found = annotations(ended)
    assert found and found[0].startswith("::error title=header-in-one-read::The header is taken from a single read. Read until ")
    for result in json.loads((tmp_path / outputs["sarif"]).read_text())["runs"][0]["results"]:
        assert (tmp_path / result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]).is_file()


def test_an_expectation_that_no_longer_holds_is_annotated_at_its_line(tmp_path):
    known = '# Known.\n[[known-failure]]\ncase = "truncation/in-header"\nreason = "issue 12\\n::error::x"\n'
    (tmp_path / "known.toml").write_text(known)
    ended, _ = check(tmp_path, "correct.py", EXPECT="known.toml")
    assert ended.returncode == 1
    (only,) = annotations(ended)
    assert only.startswith("::error file=known.toml,line=3,title=truncation/in-header::this expectation no longer holds: ")
    assert "issue 12%0A::error::x" in only


def test_a_check_that_could_not_be_carried_out_is_no_pass(tmp_path):
    ended, outputs = check(tmp_path, "correct.py", EXEC="no-such-program {port}")
    assert (ended.returncode, outputs["passed"]) == (3, "false")
    assert annotations(ended)[0].startswith("::error title=conformance::the run ended before ")
    (tmp_path / "output").unlink()
    ended, outputs = check(tmp_path, "correct.py", PROGRAM="true")
    assert (ended.returncode, annotations(ended)) == (3, ["::error title=conformance::the check wrote no report: see its output"])


def test_the_program_that_is_named_is_the_one_that_is_used(tmp_path):
    ended, outputs = play(tmp_path, ACTION / "install", PROGRAM=find(), RUNNER_TEMP=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert outputs == {"program": find()}


def stub(folder, name, text):
    file = folder / name
    file.write_text(f"#!/usr/bin/env bash\n{text}\n")
    file.chmod(0o755)


@pytest.mark.parametrize("is_damaged", [False, True], ids=["as released", "damaged"])
def test_a_release_is_fetched_and_what_does_not_match_its_checksum_is_not_run(tmp_path, is_damaged):
    target = "x86_64-unknown-linux-musl"
    # Manual pages it writes none.
    stub(tmp_path, "conformance", '[ "$1" = man ] && mkdir -p "$3"; echo conformance 0.1.0')
    released = tmp_path / "released"
    subprocess.run([ROOT / "scripts/archive", target, tmp_path / "conformance", released], check=True)
    sums = subprocess.run("shasum -a 256 *", shell=True, cwd=released, capture_output=True, text=True, check=True).stdout
    (released / "SHA256SUMS").write_text(sums)
    if is_damaged:
        (released / f"framespec-{target}.tar.gz").write_bytes(b"something else")
    tools = tmp_path / "tools"
    tools.mkdir()
    stub(tools, "gh", f'while [ "$1" != --dir ]; do shift; done; cp {shlex.quote(str(released))}/* "$2"')
    ended, outputs = play(
        tmp_path, ACTION / "install", PATH=f"{tools}:{os.environ['PATH']}", RUNNER_TEMP=str(tmp_path / "runner"),
        RUNNER_OS="Linux", RUNNER_ARCH="X64", ACTION_REF="v0.1.0", ACTION_REPOSITORY="someone/framespec", GITHUB_ACTION_PATH=str(ROOT),
    )  # fmt: skip
    if is_damaged:
        assert ended.returncode == 1 and outputs == {}
    else:
        assert "conformance 0.1.0" in ended.stdout, ended.stderr
        assert outputs == {"program": f"{tmp_path}/runner/framespec/bin/conformance"}


def test_where_there_is_no_release_and_no_cargo_it_is_said_what_to_do(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "env"):
        (tools / name).symlink_to(subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip())
    ended, _ = play(
        tmp_path, ACTION / "install", PATH=str(tools), RUNNER_TEMP=str(tmp_path), RUNNER_OS="Linux", RUNNER_ARCH="RISCV64", ACTION_REF="main",
    )  # fmt: skip
    assert ended.returncode == 3
    assert annotations(ended)[0].startswith("::error title=conformance::there is no release of main for Linux on RISCV64")


def test_the_action_uses_what_it_declares():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(action["inputs"])
    steps = action["runs"]["steps"]
    scripts = [re.search(r'"\$GITHUB_ACTION_PATH/([^"]+)"', step["run"])[1] for step in steps if "run" in step]
    assert len(scripts) == 2
    for script, step in zip(scripts, steps):
        assert os.access(ROOT / script, os.X_OK)
        # What a script reads is what its step hands over, or what every runner sets.
        read = set(re.findall(r'given\("([A-Z_]+)"\)|\$\{?([A-Z_]{2,})', (ROOT / script).read_text()))
        names = {name for pair in read for name in pair if name and not name.startswith(("GITHUB_", "RUNNER_"))}
        assert names == set(step["env"]) - {"GH_TOKEN"}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_is_read_and_its_scripts_are_there(workflow):
    text = workflow.read_text()
    jobs = yaml.safe_load(text)["jobs"]
    for name, job in jobs.items():
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(jobs), name
        assert "timeout-minutes" in job
    for script in re.findall(r"\b(?:scripts|\.ci)/[a-z-]+", text):
        assert os.access(ROOT / script, os.X_OK), script


def test_nothing_is_published_but_where_somebody_has_agreed():
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
    publishing = [job for job in jobs.values() if re.search("publish", json.dumps(job["steps"]))]
    assert len(publishing) == 2
    for job in publishing:
        assert job["if"] == "github.ref_type == 'tag' && vars.PUBLISH == 'true'"
        assert job["environment"] in ("pypi", "npm")


@pytest.mark.parametrize("name, code", [("correct.py", 0), ("tutorial_like.py", 1)])
def test_the_job_for_gitlab_checks_a_server(tmp_path, name, code):
    spec, jobs = yaml.safe_load_all((ROOT / "templates/conformance.yml").read_text())
    inputs = {key: value["default"] for key, value in spec["spec"]["inputs"].items()}
    assert set(re.findall(r"\$\[\[ inputs\.([a-z]+) \]\]", json.dumps(jobs))) == set(inputs)
    inputs.update(exec=server(name), arguments=CASES)
    job = jobs["conformance"]
    variables = {key: re.sub(r"\$\[\[ inputs\.([a-z]+) \]\]", lambda found: inputs[found[1]], value) for key, value in job["variables"].items()}
    stub(tmp_path, "pip", "exit 0")
    path = f"{tmp_path}:{Path(find()).parent}:{os.environ['PATH']}"
    ended = subprocess.run(["sh", "-ec", "\n".join(job["script"])], cwd=tmp_path, env={**os.environ, **variables, "PATH": path})
    assert ended.returncode == code
    assert (tmp_path / job["artifacts"]["reports"]["junit"]).is_file()


def uses(node):
    """Each use of the action or of the template in a text of YAML: which of them, and the inputs that it gives."""
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from uses(value)
    if isinstance(node, dict) and "OWNER/" in (used := node.get("uses", node.get("component", ""))):
        yield ("action", node["with"]) if "uses" in node else ("template", node["inputs"])


def test_the_documents_give_inputs_that_there_are():
    template, _ = yaml.safe_load_all((ROOT / "templates/conformance.yml").read_text())
    declared = {"action": yaml.safe_load((ROOT / "action.yml").read_text())["inputs"], "template": template["spec"]["inputs"]}
    texts = [(ROOT / name).read_text() for name in ("README.md", "docs/WAYS-IN.md")]
    blocks = [block for text in texts for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    found = [use for block in blocks for use in uses(yaml.safe_load(block))]
    assert {name for name, _ in found} == set(declared)
    for name, inputs in found:
        assert set(inputs) <= set(declared[name])
