"""examples/parallel and examples/approval as a person would run them."""
import re
import subprocess

import pytest
from harness.stepmill import ROOT, Stepmill, wait_for

PARALLEL = ROOT / "examples/parallel/parallel.yaml"
APPROVAL = ROOT / "examples/approval/approval.yaml"


@pytest.fixture(scope="module")
def stepmill():
    with Stepmill(workers=2) as started:
        git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-C",
               started.folder]
        subprocess.run([*git, "init", "-q"], check=True)
        (started.folder / "one.c").write_text("int a; /* TODO */\nint b;\n")
        (started.folder / "two.c").write_text("int c;\n")
        (started.folder / "notes.md").write_text("# FIXME\nTODO\n\n")
        subprocess.run([*git, "add", "one.c", "two.c", "notes.md"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
        yield started


def run_of(stepmill, done):
    assert done.returncode == 0, done.stdout + done.stderr
    return stepmill.execution(re.search(r"^(\S+) [A-Z]+ in ", done.stdout, re.M)[1])


def test_parallel(stepmill):
    run = run_of(stepmill, stepmill.cli("run", PARALLEL))
    assert run["output"] == {"lines": {"c": 3, "md": 3}, "total": 6, "authors": ["Ada"],
                             "openEnds": 3}
    assert [c["message"] for c in run["comments"]] == ["6 lines, 3 open ends"]


def test_parallel_without_authors(stepmill):
    run = run_of(stepmill, stepmill.cli("run", PARALLEL, "authors=false", "kinds=1"))
    assert run["output"] == {"lines": {"c": 3}, "total": 3, "authors": [], "openEnds": 3}
    assert {s["stepKey"]: s["status"] for s in run["steps"]}["authors"] == "SKIPPED"


def begin(stepmill, title):
    name = stepmill.workflow(APPROVAL.read_text())
    run = stepmill.execute(name, {"title": title})
    wait_for("it asks", lambda: stepmill.execution(run)["status"] == "PAUSED")
    return run


def test_approval_given_twice(stepmill):
    run = begin(stepmill, "We have moved")
    assert "We have moved" in stepmill.cli("approvals").stdout
    published = stepmill.folder / ".agent/announcements/published.md"
    assert stepmill.cli("approve", run).returncode == 0
    gate = wait_for("the gate", lambda: [
        a for a in stepmill.execution(run)["approvals"]
        if a["status"] == "pending" and a["stepKey"] == "publish"])
    assert gate[0]["args"]["args"]["to"].endswith("published.md") and not published.exists()
    assert stepmill.cli("approve", run).returncode == 0
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "COMPLETED" and "We have moved" in published.read_text()
    published.unlink()


@pytest.mark.parametrize("gate", [False, True])
def test_approval_denied(stepmill, gate):
    run = begin(stepmill, "Not yet")
    if gate:
        stepmill.cli("approve", run)
        wait_for("the gate", lambda: [a for a in stepmill.execution(run)["approvals"]
                                      if a["status"] == "pending"])
    assert stepmill.cli("deny", run, "--comment", "later").returncode == 0
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "COMPLETED"
    assert "not published: denied by dev: later" in [c["message"] for c in ended["comments"]]
    assert not (stepmill.folder / ".agent/announcements/published.md").exists()
