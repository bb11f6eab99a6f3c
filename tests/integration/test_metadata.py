"""metadata.json in a run's folder: the run as the API shows it, written by whoever ended it."""
import json

import pytest
from harness.stepmill import noop, shell, wait_for

WAIT = {"id": "wait", "action": "wait", "event": "never.told"}


def folder(stepmill, run):
    return stepmill.folder / ".agent/workflows/executions" / run["id"]


def metadata(stepmill, run):
    path = folder(stepmill, run) / "metadata.json"
    return json.loads(path.read_text()) if path.exists() else None


def wait_written(stepmill, run):
    """Nothing beside it is left of the writing."""
    wait_for("it says what the API says",
             lambda: metadata(stepmill, run) == stepmill.execution(run["id"]))
    assert {path.name for path in folder(stepmill, run).iterdir()} <= {"metadata.json", "logs"}


@pytest.mark.parametrize("command, status", [("echo said", "COMPLETED"), ("exit 3", "FAILED")])
def test_a_run_that_ends_by_itself(stepmill, command, status):
    run = stepmill.do(noop("a"), shell("b", command))
    assert run["status"] == status
    wait_written(stepmill, run)
    assert [step["stepKey"] for step in metadata(stepmill, run)["steps"]] == ["a", "b"]


def test_a_run_that_is_cancelled_while_it_waits(stepmill):
    run = stepmill.begin(noop("a"), WAIT)
    stepmill.wait_step(run, "wait", "WAITING")
    stepmill.post(f"/api/executions/{run}/cancel")
    run = stepmill.wait_ended(run)
    wait_written(stepmill, run)
    assert metadata(stepmill, run)["status"] == "CANCELLED"


def test_a_run_that_is_timed_out_while_it_works(stepmill):
    run = stepmill.wait_ended(stepmill.begin(shell("a", "sleep 60"), timeout=1000))
    assert run["status"] == "TIMED_OUT"
    wait_written(stepmill, run)


def test_a_run_of_nothing_but_decisions_leaves_no_files(stepmill):
    run = stepmill.do(noop("a"), noop("b"))
    wait_written(stepmill, stepmill.do(shell("later", "true")))
    assert not folder(stepmill, run).exists()


def test_it_is_not_written_through_a_link(stepmill, tmp_path):
    run = stepmill.begin(WAIT)
    link = stepmill.folder / ".agent/workflows/executions" / run
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path)
    stepmill.wait_step(run, "wait", "WAITING")
    stepmill.post(f"/api/executions/{run}/cancel")
    wait_for("it is said", lambda: "metadata.not_written" in stepmill.log())
    link.unlink()
    assert not list(tmp_path.iterdir())
