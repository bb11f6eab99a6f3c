"""Why a run does not move: each kind of reason is provoked, and read over HTTP and by the
command line, which says the same words and the way out."""
import contextlib
import json

import pytest
from harness.stepmill import Refused, Stepmill, flow, moment, noop, shell, wait_for


def why(stepmill, run, step=None):
    return stepmill.get(f"/api/executions/{run}/why" + (f"?stepId={step}" if step else ""))


def reasons(stepmill, run, kind=None, step=None):
    return [reason for reason in why(stepmill, run, step)["reasons"]
            if kind is None or reason["kind"] == kind]


def reason(stepmill, run, kind, when=lambda reason: True, seconds=30):
    """The one reason of this kind, once there is one (that fits)."""
    def look():
        found = [one for one in reasons(stepmill, run, kind) if when(one)]
        return found if len(found) == 1 else None
    return wait_for(f"a reason {kind}", look, seconds)[0]


def said(stepmill, run, *words):
    done = stepmill.cli("why", run, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextlib.contextmanager
def begun(stepmill, *steps, **more):
    """A run that is cancelled in the end."""
    run = stepmill.begin(*steps, **more)
    try:
        yield run
    finally:
        with contextlib.suppress(Refused):
            stepmill.post(f"/api/executions/{run}/cancel")
        stepmill.wait_ended(run)


def test_an_approval(stepmill):
    ask = {"id": "ask", "action": "approval", "prompt": "Shall it?", "timeout": 3600000}
    with begun(stepmill, ask) as run:
        one = reason(stepmill, run, "waiting_approval")
        assert (one["stepId"], one["stepKey"]) == (f"{run}:1", "ask")
        assert one["prompt"] == "Shall it?" and one["since"] < one["expiresAt"]
        wait_for("it is paused", lambda: why(stepmill, run)["status"] == "PAUSED")
        answer = why(stepmill, run)
        assert answer["executionId"] == run and answer["reasons"] == [one]
        run_id = answer["runId"]
        assert said(stepmill, run_id) == (
            f"{one['message']}\n  stepmill approve {run_id} ask\n"
            f"  stepmill deny {run_id} ask\n")
        assert json.loads(said(stepmill, run_id, "--json")) == answer


def test_a_wait_until_a_time(stepmill):
    with begun(stepmill, {"id": "nap", "action": "wait", "for": "1h"}) as run:
        one = reason(stepmill, run, "waiting_until")
        assert one["stepKey"] == "nap" and one["expectedStart"] == one["until"]
        assert one["until"] in said(stepmill, run)


def test_a_run_that_starts_later(stepmill):
    name = stepmill.define(noop("a"))
    run = stepmill.execute(name, runAt="2099-01-01T00:00:00Z")
    one, = reasons(stepmill, run)
    assert one["kind"] == "waiting_until" and "stepId" not in one
    assert one["until"] == one["expectedStart"] == "2099-01-01T00:00:00.000Z"
    stepmill.post(f"/api/executions/{run}/cancel")
    one, = reasons(stepmill, run)
    assert (one["kind"], one["ended"]) == ("over", "CANCELLED") and one["at"]


def test_an_event(stepmill):
    wait = {"id": "hear", "action": "wait", "event": "why.never", "when": "event.data.x == 1",
            "timeout": 3600000}
    with begun(stepmill, wait) as run:
        one = reason(stepmill, run, "waiting_event")
        assert one["event"] == {"type": "why.never", "when": "event.data.x == 1"}
        assert one["until"] and "why.never" in said(stepmill, run)


def test_a_retry(stepmill):
    fails = shell("fails", "exit 3", retry={"maxAttempts": 5, "delay": 3600000,
                                            "maxDelay": 3600000, "backoff": "fixed"})
    with begun(stepmill, fails) as run:
        one = reason(stepmill, run, "retrying")
        assert (one["attempt"], one["of"]) == (2, 5) and one["until"] == one["expectedStart"]
        assert one["error"]["code"] and "attempt 2 of 5" in one["message"]


def test_a_queue_that_no_worker_serves(stepmill):
    with begun(stepmill, noop("first", queue="why-nobody")) as run, \
         begun(stepmill, noop("second", queue="why-nobody")) as later:
        one, two = reason(stepmill, run, "queued"), reason(stepmill, later, "queued")
        assert (one["queue"], one["priority"], one["cause"]) == (
            "why-nobody", "normal", "no_worker")
        assert (one["workers"], one["freeSlots"]) == (0, 0)
        assert (one["position"], two["position"]) == (1, 2)
        assert "no worker serves it" in said(stepmill, run)


def test_positions_are_counted_to_a_limit(stepmill):
    wide = noop("many", foreach="input.list", queue="why-wide")
    fan = flow("why-fan", {**wide}, queue="default")
    stepmill.workflow(fan)
    run = stepmill.execute("why-fan", {"list": list(range(1200))})
    try:
        # The step itself stands in that queue too: it is moved by hand to a worker's.
        reason(stepmill, run, "queued", lambda one: one["cause"] == "no_worker")
        stepmill.sql("update workflow_steps set queue = 'default' where execution_id = %s", run)
        wait_for("it fanned out", lambda: why(stepmill, run).get("more"))
        last = begun(stepmill, noop("last", queue="why-wide"))
        with last as behind:
            one = reason(stepmill, behind, "queued")
            assert one["positionAtLeast"] == 1000 and "position" not in one
        answer = why(stepmill, run)
        assert len(answer["reasons"]) == 100 and answer["more"] is True
        assert sum("position" in one for one in answer["reasons"]) == 10
    finally:
        stepmill.post(f"/api/executions/{run}/cancel")
        stepmill.wait_ended(run)


def test_items_wait_for_each_other(stepmill):
    each = shell("each", "sleep 300", foreach="[1, 2, 3, 4]", maxParallel=1)
    with begun(stepmill, each) as run:
        one = reason(stepmill, run, "concurrency")
        assert (one["stepKey"], one["limit"], one["waiting"]) == ("each", 1, 3)
        one = reason(stepmill, run, "running")
        assert one["itemIndex"] == 0 and "item 0" in one["message"]
        one, = reasons(stepmill, run, step=f"{run}:1")
        assert (one["kind"], one["children"]) == ("dependency", 4)


def test_a_step_that_runs_and_one_that_needs_it(stepmill):
    with begun(stepmill, shell("slow", "sleep 300"), noop("other", needs=["slow"]),
               noop("last", needs=["slow", "other"])) as run:
        one = reason(stepmill, run, "running")
        worker = one["worker"]
        assert worker["id"] in stepmill.ready_workers() or worker["pid"] > 0
        assert one["attempt"] == 1 and one["since"] and one["stepId"] == f"{run}:1"
        assert [(r["stepKey"], r["needs"]) for r in reasons(stepmill, run, "dependency")] == [
            ("other", ["slow"]), ("last", ["slow", "other"])]
        assert '"slow", "other"' in said(stepmill, run)
        one, = reasons(stepmill, run, step="last")
        assert one["kind"] == "dependency"


def test_a_step_of_a_sequence_that_was_not_reached(stepmill):
    with begun(stepmill, noop("before"), shell("slow", "sleep 300"), noop("after")) as run:
        reason(stepmill, run, "running")
        one, = reasons(stepmill, run, step="after")
        assert one["kind"] == "not_started" and one["stepKey"] == "after"
        one, = reasons(stepmill, run, step="before")
        assert (one["kind"], one["ended"]) == ("over", "COMPLETED")
        assert "completed" in said(stepmill, run, "before")
        with pytest.raises(Refused) as refused:
            why(stepmill, run, "nowhere")
        assert refused.value.status == 404


def test_a_limit_of_runs_at_once(stepmill):
    name = stepmill.define(shell("slow", "sleep 300"), concurrency=1)
    runs = [stepmill.execute(name) for _ in range(3)]
    reason(stepmill, runs[0], "running")
    first = stepmill.execution(runs[0])
    for place, run in enumerate(runs[1:], 1):
        one, = reasons(stepmill, run)
        assert (one["kind"], one["limit"], one["key"], one["position"]) == (
            "concurrency", 1, name, place)
        assert one["holders"] == [{"executionId": runs[0], "runId": first["runId"]}]
    assert f"stepmill why {first['runId']}" in said(stepmill, runs[1])
    for run in reversed(runs):
        stepmill.post(f"/api/executions/{run}/cancel")
        stepmill.wait_ended(run)


def test_a_bound_key_is_not_told_of_others_runs(stepmill, tmp_path):
    """They hold it up all the same."""
    name = stepmill.define({"id": "nap", "action": "wait", "for": "1h"}, concurrency=1)
    project = stepmill.post("/api/projects", {"name": name, "path": str(tmp_path)})["id"]
    made = stepmill.post("/api/api-keys", {"name": name, "role": "viewer", "projectId": project})
    other = stepmill.execute(name)
    own = stepmill.execute(name, projectId=project)
    assert reason(stepmill, own, "concurrency")["holders"][0]["executionId"] == other
    with stepmill.supervisor(pool_workers=0, auth_required="true") as guarded:
        wait_for("it is ready", lambda: guarded.ask("GET", "/readyz").status == 200)
        answer = guarded.ask("GET", f"/api/executions/{own}/why",
                             headers={"Authorization": f"Bearer {made['key']}"})
        assert answer.json["reasons"][0]["kind"] == "concurrency"
        assert answer.json["reasons"][0]["holders"] == [] and other not in answer.body.decode()
    for run in (own, other):
        stepmill.post(f"/api/executions/{run}/cancel")


def test_a_child_run(stepmill):
    inner = stepmill.define(shell("slow", "sleep 300"))
    with begun(stepmill, {"id": "call", "action": "workflow", "workflow": inner}) as run:
        one = reason(stepmill, run, "child")
        child = stepmill.execution(one["childExecutionId"])
        assert child["runId"] == one["childRunId"] and child["workflowName"] == inner
        assert one["childStatus"] in ("PENDING", "RUNNING") and one["stepKey"] == "call"
        assert f"stepmill why {one['childRunId']}" in said(stepmill, run)


def test_a_pause(stepmill):
    with begun(stepmill, shell("slow", "sleep 300"), noop("after")) as run:
        stepmill.wait_running(run, "slow")
        stepmill.post(f"/api/executions/{run}/pause")
        one = reason(stepmill, run, "paused")
        assert one["by"] == "dev" and one["since"] and "stepId" not in one
        reason(stepmill, run, "running")
        assert f"stepmill resume {why(stepmill, run)['runId']}" in said(stepmill, run)


def test_a_run_that_ended(stepmill):
    run = stepmill.begin(shell("fails", "exit 3"))
    stepmill.wait_ended(run)
    one, = reasons(stepmill, run)
    assert (one["kind"], one["ended"]) == ("over", "FAILED") and one["error"]["code"]
    assert "stepmill retry" in said(stepmill, run)
    assert [r["kind"] for r in reasons(stepmill, run, step="fails")] == ["over", "over"]


def test_no_free_slot_and_no_such_run():
    with Stepmill(workers=1, environment={"STEPMILL_WORKER_SLOTS": "1"}) as stepmill:
        done = stepmill.wait_ended(stepmill.begin(*[noop(f"n{i}") for i in range(20)]))["id"]
        with begun(stepmill, shell("slow", "sleep 300")) as busy:
            stepmill.wait_running(busy, "slow")
            with begun(stepmill, noop("next")) as run:
                one = reason(stepmill, run, "queued",
                             lambda one: one.get("cause") == "no_free_slot")
                assert (one["workers"], one["slots"], one["freeSlots"]) == (1, 1, 0)
                # 20 of this queue were started in ten seconds, and it is the first in it.
                stepmill.sql("update workflow_steps set started_at = now() - interval '10 s'"
                             " where execution_id = %s", done)
                one = reason(stepmill, run, "queued")
                assert one["position"] == 1 and moment(one["expectedStart"]) > moment(one["since"])
                stepmill.sql("update workflow_steps set started_at = now() - interval '1 hour'"
                             " where execution_id = %s", done)
                assert "expectedStart" not in reason(stepmill, run, "queued")
                # A step that is suspected to have killed its worker waits to run alone.
                stepmill.sql("update workflow_steps set last_death = '{}'"
                             " where execution_id = %s", run)
                assert reason(stepmill, run, "queued")["cause"] == "alone"
        with pytest.raises(Refused) as refused:
            why(stepmill, "nothing-1")
        assert refused.value.status == 404
        assert stepmill.cli("why", "nothing-1").returncode == 1
