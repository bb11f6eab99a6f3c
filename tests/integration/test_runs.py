"""Sequence style from end to end: order, branches, loops, retries, timeouts, waits, state,
comments, artifacts and programs, through the API of a real stepmill dev."""
import base64
import http.server
import json
import math
import os
import re
import subprocess
import threading
import time

import pytest
from harness.stepmill import Stepmill, flow, moment, noop, shell, tool, wait_for


def keys(run):
    return [step["stepKey"] for step in run["steps"]]


def types(stepmill, run):
    return [event["type"] for event in stepmill.events(run["id"])]


def code(key, language, source, **more):
    return {"id": key, "action": "code", "language": language, "source": source, **more}


def processes(pattern):
    return subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True).stdout.split()


FAIL = "echo boom >&2; exit 7"


# ---- order ----

def test_steps_run_in_the_order_of_the_file(stepmill):
    run = stepmill.do(noop("z"), noop("a", name="Second one"), shell("m", "echo -n done"))
    assert run["status"] == "COMPLETED"
    assert keys(run) == ["z", "a", "m"]
    assert [step["stepNumber"] for step in run["steps"]] == [1, 2, 3]
    assert [step["name"] for step in run["steps"]] == ["z", "Second one", "m"]
    assert [step["status"] for step in run["steps"]] == ["COMPLETED"] * 3
    assert run["output"] == {"exitCode": 0, "stdout": "done", "stderr": ""}
    assert run["stepCount"] == 3 and run["error"] is None
    assert run["current_step"]["stepKey"] == "m"
    assert run["current_workflow_step_id"] == run["steps"][2]["id"]
    starts = [moment(step["startedAt"]) for step in run["steps"]]
    ends = [moment(step["completedAt"]) for step in run["steps"]]
    assert starts[1] >= ends[0] - 0.001 and starts[2] >= ends[1] - 0.001


def test_events_tell_the_whole_run(stepmill):
    run = stepmill.do(noop("a"), shell("b", "true"))
    events = stepmill.events(run["id"])
    assert [event["type"] for event in events] == [
        "run.started", "step.started", "step.completed", "step.started", "step.completed",
        "run.completed"]
    assert [event["seq"] for event in events] == list(range(1, 7))
    assert run["lastSeq"] == 6
    assert [event["payload"].get("stepKey") for event in events] == [None, "a", "a", "b", "b", None]
    assert all(e["at"] <= f["at"] for e, f in zip(events, events[1:]))


@pytest.mark.parametrize("steps, status, visited", [
    # the first branch that is true wins
    ([shell("a", "echo 5", branches=[{"condition": "result.stdout == '4\\n'", "goto": "b"},
                                     {"condition": "int(result.stdout.trim()) > 4", "goto": "c"},
                                     {"condition": "true", "goto": "b"}]),
      noop("b"), noop("c")], "COMPLETED", "a c"),
    ([shell("a", "echo 5", branches=[{"condition": "result.exitCode == 5", "goto": "c"}]),
      noop("b"), noop("c")], "COMPLETED", "a b c"),
    ([noop("a", onSuccess="c"), noop("b"), noop("c")], "COMPLETED", "a c"),
    ([noop("a", onSuccess="end"), noop("b")], "COMPLETED", "a"),
    ([noop("a", onSuccess="end"), noop("b"), noop("end")], "COMPLETED", "a end"),
    ([noop("a", branches=[{"condition": "true", "goto": "end"}]), noop("b")], "COMPLETED", "a"),
    ([shell("a", FAIL), noop("b")], "FAILED", "a"),
    ([shell("a", FAIL, onFailure="c"), noop("b"), noop("c")], "COMPLETED", "a c"),
    ([shell("a", FAIL, onFailure="end"), noop("b")], "COMPLETED", "a"),
    ([shell("a", FAIL, continueOnError=True), noop("b")], "COMPLETED", "a b"),
    ([shell("a", FAIL, continueOnError=True, onSuccess="c"), noop("b"), noop("c")],
     "COMPLETED", "a c"),
    ([shell("a", FAIL, continueOnError=True, onFailure="c"), noop("b"), noop("c")],
     "COMPLETED", "a c"),
    # branches are looked at after failures, too
    ([shell("a", FAIL, branches=[{"condition": "error.code == 'exit_status'", "goto": "c"}]),
      noop("b"), noop("c")], "COMPLETED", "a c"),
    ([shell("a", FAIL, branches=[{"condition": "error == null", "goto": "c"}]), noop("b"),
      noop("c")], "FAILED", "a"),
    ([shell("a", FAIL, branches=[{"condition": "result.exitCode == 7", "goto": "b"}]),
      noop("b")], "COMPLETED", "a b"),
])
def test_where_a_step_leads(stepmill, steps, status, visited):
    run = stepmill.do(*steps)
    assert (run["status"], " ".join(keys(run))) == (status, visited)


def test_a_failed_run_tells_which_step_and_why(stepmill):
    run = stepmill.do(noop("a"), shell("b", FAIL), noop("c"))
    assert run["status"] == "FAILED"
    assert run["error"]["step"] == "b"
    assert run["error"]["code"] == "exit_status" and run["error"]["exitCode"] == 7
    assert "boom" in run["error"]["message"]
    assert run["steps"][1]["output"]["stderr"] == "boom\n"
    events = stepmill.events(run["id"])
    failed = [event for event in events if event["type"] == "step.failed"]
    assert len(failed) == 1 and failed[0]["payload"]["willRetry"] is False
    assert failed[0]["payload"]["error"]["code"] == "exit_status"
    assert events[-1]["type"] == "run.failed"


def test_each_visit_of_a_loop_is_a_row(stepmill):
    count = "{{has(state.n) ? state.n + 1 : 1}}"
    run = stepmill.do(
        noop("start"),
        tool("count", "state.set", {"key": "n", "value": count}),
        shell("show", "echo round $N", {"env": {"N": "{{steps.count.output}}"}},
              branches=[{"condition": "state.n < 3", "goto": "count"}]),
        shell("last", "echo $X", {"env": {"X": "{{steps.show.output.stdout}}"}}))
    assert keys(run) == ["start"] + ["count", "show"] * 3 + ["last"]
    assert [step["stepNumber"] for step in run["steps"]] == list(range(1, 9))
    assert [s["output"]["stdout"] for s in run["steps"] if s["stepKey"] == "show"] == [
        "round 1\n", "round 2\n", "round 3\n"]
    assert run["output"]["stdout"].strip() == "round 3", "steps.<id> is the latest visit"
    assert run["state"] == {"n": 3}
    assert len({step["idempotencyKey"] for step in run["steps"]}) == 8


def test_an_endless_loop_ends_at_max_steps(stepmill):
    run = stepmill.do(noop("a"), noop("b", onSuccess="a"), maxSteps=25)
    assert run["status"] == "FAILED"
    assert run["error"]["code"] == "max_steps" and "25" in run["error"]["message"]
    assert len(run["steps"]) == 25
    assert all(step["status"] == "COMPLETED" for step in run["steps"])


def test_a_step_that_goes_to_itself(stepmill):
    run = stepmill.do(noop("a", onSuccess="a"), maxSteps=5)
    assert keys(run) == ["a"] * 5 and run["error"]["code"] == "max_steps"


def test_the_error_that_led_to_a_step_is_there_on_every_worker_and_attempt(stepmill):
    """The second attempt may be claimed by another worker, which knows only what is stored."""
    run = stepmill.do(
        noop("a"), shell("b", FAIL, onFailure="c"),
        shell("c", 'echo "$WHY"; [ $STEPMILL_ATTEMPT = 2 ]', {"env": {"WHY": "{{error.code}}"}},
              retry={"maxAttempts": 2, "backoff": "fixed", "delay": 10}))
    assert run["status"] == "COMPLETED"
    assert run["output"]["stdout"] == "exit_status\n"
    assert run["steps"][2]["attemptNumber"] == 2


# ---- retry ----

RETRIES = [
    ({"backoff": "fixed", "delay": 150}, [150, 150, 150]),
    ({"backoff": "linear", "delay": 100}, [100, 200, 300]),
    ({"backoff": "exponential", "delay": 80}, [80, 160, 320]),
    ({"backoff": "exponential", "delay": 100, "maxDelay": 150}, [100, 150, 150]),
]


def test_retries_keep_their_delays(stepmill, tmp_path):
    """At least: how late the next attempt is depends on the machine."""
    command = "date +%s%6N >> {}; [ $STEPMILL_ATTEMPT = 4 ]"
    runs = [stepmill.begin(shell("try", command.format(tmp_path / str(n)),
                                 retry={"maxAttempts": 4, "jitter": False, **retry}))
            for n, (retry, _) in enumerate(RETRIES)]
    for n, (run, (retry, delays)) in enumerate(zip(runs, RETRIES)):
        ended = stepmill.wait_ended(run)
        assert ended["status"] == "COMPLETED"
        assert ended["steps"][0]["attemptNumber"] == 4
        assert ended["steps"][0]["error"] is None
        failed = [e["payload"] for e in stepmill.events(run) if e["type"] == "step.failed"]
        assert len(failed) == 3 and all(one["willRetry"] is True for one in failed)
        assert [one["attempt"] for one in failed] == [1, 2, 3]
        begun = [int(line) / 1000 for line in (tmp_path / str(n)).read_text().split()]
        assert len(begun) == 4
        for before, after, delay in zip(begun, begun[1:], delays):
            assert after - before >= delay, (retry, begun)


def test_jitter_draws_between_half_and_all(stepmill):
    runs = [stepmill.begin(shell("try", "exit 1", retry={
        "maxAttempts": 2, "backoff": "fixed", "delay": 60000})) for _ in range(6)]
    waits = []
    for run in runs:
        row = stepmill.wait_step(run, "try", "RETRYING")
        failed = [e for e in stepmill.events(run) if e["type"] == "step.failed"][0]
        waits.append(moment(row["runAt"]) - moment(failed["at"]))
        assert stepmill.post(f"/api/executions/{run}/cancel")["status"] == "CANCELLED"
    assert all(29.9 <= wait <= 60.1 for wait in waits)
    assert max(waits) - min(waits) > 0.1, waits


def test_the_last_attempt_fails_the_run(stepmill):
    run = stepmill.do(shell("try", FAIL, retry={"maxAttempts": 3, "backoff": "fixed", "delay": 1}))
    assert run["status"] == "FAILED"
    assert run["steps"][0]["attemptNumber"] == 3 and run["steps"][0]["maxAttempts"] == 3
    failed = [e["payload"] for e in stepmill.events(run["id"]) if e["type"] == "step.failed"]
    assert [f["willRetry"] for f in failed] == [True, True, False]


@pytest.mark.parametrize("step, expected", [
    (tool("x", "files.read", {"path": "../../etc/passwd"}), "denied|input"),
    (shell("x", "true", {"cwd": "/"}), "denied|input"),
    (shell("x", "echo {{int('seven')}}"), "expression"),
    (code("x", "shell", "echo '{' >&$STEPMILL_FD"), "bad_output"),
])
def test_what_cannot_become_better_is_not_tried_again(stepmill, step, expected):
    step = {**step, "retry": {"maxAttempts": 5, "delay": 1}}
    run = stepmill.do(step)
    assert run["status"] == "FAILED"
    assert re.fullmatch(expected, run["error"]["code"]), run["error"]
    assert run["steps"][0]["attemptNumber"] == 1


# ---- timeouts ----

def test_a_step_s_timeout_ends_a_program_that_ignores_term(stepmill):
    began = time.monotonic()
    run = stepmill.do(shell("hang", 'trap "" TERM; sleep 641 & sleep 641; sleep 641',
                            timeout=300))
    assert run["status"] == "FAILED"
    assert run["error"]["code"] == "timeout" and "300" in run["error"]["message"]
    assert 0.3 <= time.monotonic() - began < 20
    assert not processes("^sleep 641$")


def test_each_attempt_has_the_whole_timeout(stepmill):
    run = stepmill.do(shell("slow", '[ $STEPMILL_ATTEMPT = 2 ] || sleep 642', timeout=400,
                            retry={"maxAttempts": 2, "backoff": "fixed", "delay": 1}))
    assert run["status"] == "COMPLETED"
    failed = [e["payload"] for e in stepmill.events(run["id"]) if e["type"] == "step.failed"]
    assert [f["error"]["code"] for f in failed] == ["timeout"]


def test_a_timeout_can_be_handled(stepmill):
    run = stepmill.do(shell("slow", "sleep 643", timeout=100,
                            branches=[{"condition": "error.code == 'timeout'", "goto": "then"}]),
                      noop("never"), noop("then"))
    assert run["status"] == "COMPLETED" and keys(run) == ["slow", "then"]


def test_a_run_s_timeout(stepmill):
    run = stepmill.do(noop("a"), shell("hang", "sleep 644"), timeout=700)
    assert run["status"] == "TIMED_OUT"
    assert [step["status"] for step in run["steps"]] == ["COMPLETED", "CANCELLED"]
    assert 700 <= run["durationMs"] < 4000
    assert types(stepmill, run)[-2:] == ["step.cancelled", "run.timed_out"]
    wait_for("the program ended", lambda: not processes("^sleep 644$"), 5)


def test_waiting_does_not_count_towards_a_run_s_timeout(stepmill):
    run = stepmill.do(noop("a"), {"id": "nap", "action": "wait", "for": 2500}, noop("b"),
                      timeout=1000)
    assert run["status"] == "COMPLETED"
    assert run["durationMs"] >= 2500


def test_a_run_that_waits_in_a_queue_times_out(stepmill):
    run = stepmill.do(noop("a"), noop("b", queue="served-by-nobody"), timeout=600)
    assert run["status"] == "TIMED_OUT"
    assert [step["status"] for step in run["steps"]] == ["COMPLETED", "CANCELLED"]


# ---- wait ----

def test_wait_for_holds_no_slot(stepmill):
    run = stepmill.begin({"id": "nap", "action": "wait", "for": "800ms"}, noop("after"))
    row = stepmill.wait_step(run, "nap", "WAITING")
    assert row["workerId"] is None
    wait_for("no slot used", lambda: all(w["used"] == 0 for w in stepmill.ready_workers()), 5)
    assert stepmill.execution(run)["status"] == "RUNNING"
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "COMPLETED"
    nap = ended["steps"][0]
    assert nap["output"] is None and nap["attemptNumber"] == 1
    took = moment(nap["completedAt"]) - moment(nap["startedAt"])
    assert 0.8 <= took < 10, took
    assert types(stepmill, ended) == ["run.started", "step.started", "step.waiting",
                                      "step.completed", "step.started", "step.completed",
                                      "run.completed"]


def test_wait_until(stepmill):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    run = stepmill.begin({"id": "nap", "action": "wait", "until": "{{input.at}}"},
                         {"id": "past", "action": "wait", "until": "2001-01-01T00:00:00Z"},
                         input={"at": at})
    row = stepmill.wait_step(run, "nap", "WAITING")
    assert moment(row["runAt"]) == moment(at)
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "COMPLETED"
    assert moment(at) <= moment(ended["steps"][0]["completedAt"]) < moment(at) + 0.6
    assert ended["steps"][1]["durationMs"] < 400


@pytest.mark.parametrize("wait", [{"until": "tomorrow-ish"}, {"for": "ever"},
                                  {"for": "{{input.n}}"}])
def test_a_wait_that_names_no_time(stepmill, wait):
    answer = stepmill.ask("POST", "/api/workflows", flow("bad-wait", {
        "id": "nap", "action": "wait", **wait}), {"Content-Type": "application/yaml"})
    if answer.status == 422:
        assert "input.n" not in wait.get("for", "")
        return
    run = stepmill.run("bad-wait", {"n": "-5s"})
    assert run["status"] == "FAILED" and run["error"]["code"] == "input"


# ---- values ----

def test_the_output_of_a_run_is_its_template(stepmill):
    run = stepmill.do(shell("a", "echo -n text"), noop("b"), input={"n": 3}, output={
        "whole": "{{steps.a.output}}", "text": "[{{steps.a.output.stdout}}] {{input.n}}",
        "number": "{{input.n + 1}}", "list": ["{{size(steps.a.output.stdout)}}", None, True],
        "brace": "{{{{x}}"})
    assert run["output"] == {"whole": {"exitCode": 0, "stdout": "text", "stderr": ""},
                             "text": "[text] 3", "number": 4, "list": [4, None, True],
                             "brace": "{{x}}"}


def test_an_output_that_cannot_be_resolved_fails_the_run(stepmill):
    run = stepmill.do(noop("a"), output="{{steps.a.output.missing.deeper}}")
    assert run["status"] == "FAILED"
    assert run["error"]["code"] == "expression" and "output" in run["error"]["message"]


def test_an_expression_error_tells_what_and_where(stepmill):
    run = stepmill.do(shell("a", "echo {{input.x / 0}}"), noop("b"), input={"x": 1})
    assert run["status"] == "FAILED" and keys(run) == ["a"]
    assert run["error"]["code"] == "expression"
    assert "input.x / 0" in run["error"]["message"] and "zero" in run["error"]["message"]


def test_a_branch_that_cannot_be_evaluated_fails_the_step(stepmill):
    run = stepmill.do(noop("a", branches=[{"condition": "result.size() > 1", "goto": "c"}],
                           onFailure="b"),
                      shell("b", "echo $E", {"env": {"E": "{{error.code}}"}}, onSuccess="end"),
                      noop("c"))
    assert run["status"] == "COMPLETED" and keys(run) == ["a", "b"]
    assert run["steps"][0]["status"] == "FAILED"
    assert run["output"]["stdout"] == "expression\n"


def test_state_lives_through_steps_and_waits(stepmill):
    run = stepmill.do(
        tool("set", "state.set", {"key": "who", "value": {"name": "Ä", "n": [1, 2.5, None]}}),
        tool("has", "state.has", {"key": "who"}),
        {"id": "hop", "action": "wait", "for": 1},
        tool("get", "state.get", {"key": "who"}),
        tool("preset", "state.get", {"key": "nothing", "default": "x"}),
        shell("use", "echo $N", {"env": {"N": "{{state.who.name}}"}}),
        code("program", "python", "return state['who']['n'][1] * 2"),
        tool("null", "state.set", {"key": "empty", "value": None}),
        tool("delete", "state.delete", {"key": "who"}),
        tool("gone", "state.delete", {"key": "who"}),
        output={s: "{{steps.%s.output}}" % s for s in
                ("has", "get", "preset", "program", "delete", "gone")})
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == {"has": True, "get": {"name": "Ä", "n": [1, 2.5, None]},
                             "preset": "x", "program": 5, "delete": True, "gone": False}
    assert [s for s in run["steps"] if s["stepKey"] == "use"][0]["output"]["stdout"] == "Ä\n"
    assert run["state"] == {"empty": None}


def test_code_sees_earlier_steps_after_a_change_of_workers(stepmill):
    """No expression names the step: the program's text does."""
    run = stepmill.do(shell("first-one", "echo -n kept"),
                      {"id": "hop", "action": "wait", "for": 1},
                      code("js", "javascript", 'return steps["first-one"].output.stdout'),
                      code("again", "python", "\n".join([
                          "if step['attempt'] == 1: raise ValueError('once')",
                          "return steps['first-one']['output']['stdout'] + steps['js']['output']"]),
                           retry={"maxAttempts": 2, "backoff": "fixed", "delay": 1}))
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == "keptkept"


# ---- who is next ----

def test_priorities_are_an_order():
    """One slot; while it is taken, low comes before high into the queue."""
    with Stepmill(workers=1, environment={"STEPMILL_WORKER_SLOTS": "1"}) as stepmill:
        name = stepmill.define(shell("log", "echo $P >> order.txt", {"env": {"P": "{{input.p}}"}}))
        gate = stepmill.folder / "gate"
        hold = stepmill.begin(shell("hold", "until [ -e gate ]; do sleep 0.02; done"))
        stepmill.wait_running(hold, "hold")
        runs = [stepmill.execute(name, {"p": priority}, priority=priority)
                for priority in ["low"] * 8 + ["normal"] * 8 + ["high"] * 8]
        wait_for("all are queued", lambda: stepmill.sql(
            "select count(*) from workflow_steps where status = 1")[0][0] == 24)
        gate.touch()
        for run in runs:
            assert stepmill.wait_ended(run)["status"] == "COMPLETED"
        order = (stepmill.folder / "order.txt").read_text().split()
        place = {p: sum(i for i, q in enumerate(order) if p == q) / 8 for p in order}
        assert place["high"] < place["normal"] < place["low"], order
        assert order[:8].count("high") >= 6 and "high" not in order[-8:], order


def test_run_at_starts_later(stepmill):
    at = time.time() + 1.2
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03d}Z"
    name = stepmill.define(noop("a"))
    answer = stepmill.post(f"/api/workflows/{name}/execute", {"runAt": text})
    assert answer["status"] == "PENDING"
    waiting = stepmill.execution(answer["executionId"])
    assert waiting["status"] == "PENDING" and waiting["startedAt"] is None
    assert waiting["runAt"] == text
    run = stepmill.wait_ended(answer["executionId"])
    assert run["status"] == "COMPLETED"
    assert -0.001 <= moment(run["startedAt"]) - moment(text) < 0.6
    assert types(stepmill, run)[0] == "run.started"
    past = stepmill.execute(name, runAt="2001-01-01T00:00:00Z")
    assert stepmill.wait_ended(past, 5)["status"] == "COMPLETED"


def test_a_pending_run_can_be_cancelled(stepmill):
    name = stepmill.define(noop("a"))
    run = stepmill.execute(name, runAt="2100-01-01T00:00:00Z")
    assert stepmill.post(f"/api/executions/{run}/cancel")["status"] == "CANCELLED"
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "CANCELLED" and ended["startedAt"] is None


def test_a_queue_that_nobody_serves_keeps_its_steps(stepmill):
    run = stepmill.begin(noop("a"), noop("b", queue="gpu-9"))
    row = stepmill.wait_step(run, "b", "QUEUED")
    assert row["queue"] == "gpu-9" and row["workerId"] is None
    # others go on meanwhile, and it stays where it is
    for _ in range(3):
        assert stepmill.do(noop("x"))["status"] == "COMPLETED"
    assert stepmill.step(run, "b")["status"] == "QUEUED"
    assert stepmill.execution(run)["status"] == "RUNNING"
    assert stepmill.post(f"/api/executions/{run}/cancel")["status"] == "CANCELLED"
    assert stepmill.wait_ended(run)["status"] == "CANCELLED"


# ---- comments, artifacts, files ----

def test_comments(stepmill):
    run = stepmill.do(tool("a", "comment.add", {"message": "of the run: ✓", "metadata": {"k": 1}}),
                      tool("b", "comment.add", {"message": "of the step", "step": True}))
    first, second = run["comments"]
    assert first["message"] == "of the run: ✓" and first["metadata"] == {"k": 1}
    assert first["stepId"] is None and second["stepId"] == run["steps"][1]["id"]
    assert run["steps"][0]["output"] == {"id": first["id"]}
    assert types(stepmill, run).count("comment.added") == 2


def artifact_run(stepmill, size=100_000):
    return stepmill.do(
        shell("make", f"seq 1000000 | head -c {size} > 'größe \"1\".txt'"),
        tool("keep", "artifact.add", {"path": 'größe "1".txt', "type": "DOCUMENT",
                                      "metadata": {"n": 1}}),
        shell("change", "echo other > 'größe \"1\".txt'"))


def test_artifacts_are_copies(stepmill):
    run = artifact_run(stepmill)
    assert run["status"] == "COMPLETED", run["error"]
    (artifact,) = run["artifacts"]
    assert artifact["name"] == 'größe "1".txt' and artifact["type"] == "DOCUMENT"
    assert artifact["sizeBytes"] == 100_000 and artifact["metadata"] == {"n": 1}
    assert artifact["stepId"] == run["steps"][1]["id"]
    listed = stepmill.get(f"/api/executions/{run['id']}/artifacts")["data"]
    assert listed == [artifact]
    for query, found in (("type=DOCUMENT", 1), ("type=OTHER", 0), ("stepId=keep", 1),
                         ("stepId=make", 0), (f"stepId={run['steps'][1]['id']}", 1),
                         (f"stepId={run['steps'][0]['id']}", 0)):
        listed = stepmill.get(f"/api/executions/{run['id']}/artifacts?{query}")["data"]
        assert len(listed) == found, query
    assert types(stepmill, run).count("artifact.created") == 1
    assert (stepmill.folder / artifact["storagePath"]).stat().st_size == 100_000


def test_artifacts_are_downloaded_whole_or_in_parts(stepmill):
    run = artifact_run(stepmill)
    path = f"/api/artifacts/{run['artifacts'][0]['id']}/download"
    whole = stepmill.ask("GET", path)
    data = whole.body
    assert whole.status == 200 and len(data) == 100_000
    assert whole.headers["Content-Length"] == "100000"
    assert whole.headers["Content-Type"].startswith("text/plain")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "attachment" in whole.headers["Content-Disposition"]
    assert "gr%C3%B6%C3%9Fe%20%221%22.txt" in whole.headers["Content-Disposition"]
    etag = whole.headers["ETag"]
    head = stepmill.ask("HEAD", path)
    assert head.body == b"" and head.headers["Content-Length"] == "100000"
    for given, start, end in (("0-9", 0, 10), ("99990-", 99990, 100000), ("-5", 99995, 100000),
                              ("99999-200000", 99999, 100000), ("0-0", 0, 1)):
        part = stepmill.ask("GET", path, headers={"Range": f"bytes={given}"})
        assert part.status == 206, given
        assert part.body == data[start:end]
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/100000"
    past = stepmill.ask("GET", path, headers={"Range": "bytes=100000-"})
    assert past.status == 416 and past.headers["Content-Range"] == "bytes */100000"
    for ignored in ("bytes=x-y", "lines=1-2"):
        assert stepmill.ask("GET", path, headers={"Range": ignored}).status == 200
    assert stepmill.ask("GET", path, headers={"If-None-Match": etag}).status == 304
    other = {"Range": "bytes=0-9", "If-Range": '"other"'}
    assert stepmill.ask("GET", path, headers=other).status == 200
    assert stepmill.ask("GET", path, headers={**other, "If-Range": etag}).status == 206


def test_a_run_leaves_its_files(stepmill):
    run = stepmill.do(shell("say", "echo to stdout; echo to stderr >&2", name="Say: it/all ☃"))
    folder = stepmill.folder / ".agent/workflows/executions" / run["id"]
    assert run["logFilePath"] == str(folder.relative_to(stepmill.folder) / "logs/execution.log")
    own = stepmill.folder / run["steps"][0]["logFilePath"]
    assert re.fullmatch(r"step-1-Say--it-all-+\.log", own.name) and own.exists()
    assert own.read_text() == (folder / "logs/execution.log").read_text()
    lines = [json.loads(line) for line in
             (folder / "logs/execution.log").read_text().splitlines()]
    said = {line["message"]: line for line in lines}
    assert said["to stdout"]["level"] == "info" and said["to stderr"]["level"] == "warn"
    assert all({"time", "level", "step", "message"} <= set(line) for line in lines)


# ---- programs ----

PROGRAMS = {
    "javascript": "await null; console.log('log'); "
                  "return {n: input.n * 2, who: steps.a.output.stdout, ü: [null, true]}",
    "python": "print('log')\nreturn {'n': input['n'] * 2, 'who': steps['a']['output']['stdout'],"
              " 'ü': [None, True]}",
    "shell": "echo log >&2; n=$(python3 -c 'import json,os;"
             "print(json.load(open(os.environ[\"STEPMILL_CONTEXT\"]))[\"input\"][\"n\"])')\n"
             "printf '{\"n\": %d, \"who\": \"me\", \"ü\": [null, true]}' $((n * 2)) "
             ">&$STEPMILL_FD",
}


@pytest.mark.parametrize("language", PROGRAMS)
def test_code(stepmill, language):
    run = stepmill.do(shell("a", "echo -n me"), code("run", language, PROGRAMS[language]),
                      input={"n": 21})
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == {"n": 42, "who": "me", "ü": [None, True]}
    logs = stepmill.get(f"/api/executions/{run['id']}/logs?stepId=run")["data"]
    assert "log" in [entry["message"] for entry in logs]


@pytest.mark.parametrize("language, source, says", [
    ("javascript", "\nthrow new Error('mine: ☃')", "mine: ☃"),
    ("javascript", "return )", "SyntaxError"),
    ("javascript", "return 5n", "BigInt"),
    ("python", "\nraise ValueError('mine: ☃')", "mine: ☃"),
    ("python", "return (", "SyntaxError"),
    ("python", "return {1, 2}", "not JSON serializable"),
    ("python", "return float('nan')", "JSON compliant"),
    ("python", "import sys; sys.exit(3)", "exit status 3"),
    ("shell", "echo mine >&2; exit 9", "mine"),
])
def test_code_that_fails(stepmill, language, source, says):
    run = stepmill.do(code("run", language, source))
    assert run["status"] == "FAILED"
    assert run["error"]["code"] == "exit_status"
    assert says in run["error"]["message"], run["error"]


def test_shell_code_returns_what_it_prints(stepmill):
    for source, output in (("echo '{\"a\": 1}'", {"a": 1}), ("echo plain text", "plain text"),
                           ("true", None), ("echo 5", 5)):
        assert stepmill.do(code("run", "shell", source))["output"] == output, source


def test_a_program_finds_its_step_and_nothing_of_ours(stepmill):
    run = stepmill.do(noop("a"), shell("look", "env; ls -l /proc/self/fd; pwd"))
    output = run["output"]["stdout"]
    env = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    assert env["STEPMILL_EXECUTION_ID"] == run["id"] and env["STEPMILL_RUN_ID"] == run["runId"]
    assert (env["STEPMILL_STEP"], env["STEPMILL_STEP_NUMBER"]) == ("look", "2")
    assert env["STEPMILL_ATTEMPT"] == "1"
    assert env["STEPMILL_IDEMPOTENCY_KEY"] == run["steps"][1]["idempotencyKey"]
    assert env["STEPMILL_PROJECT_PATH"] == str(stepmill.folder)
    assert output.splitlines()[-1] == str(stepmill.folder)
    known = {"STEPMILL_EXECUTION_ID", "STEPMILL_RUN_ID", "STEPMILL_STEP", "STEPMILL_STEP_NUMBER",
             "STEPMILL_ATTEMPT", "STEPMILL_IDEMPOTENCY_KEY", "STEPMILL_PROJECT_PATH",
             "STEPMILL_FD"}
    assert {name for name in env if name.startswith("STEPMILL_")} <= known
    assert not {"DATABASE_URL", "REDIS_URL", "STEPMILL_BIN"} & set(env)
    assert output.count("socket:") == 1 and "postgres" not in output  # the channel


UNSTORABLE = {
    "nul": (r"printf 'a\000b'", lambda out: out["stdout"] in ("a\ufffdb", "ab")),
    "invalid UTF-8": (r"printf 'a\377\300b'", lambda out: "\ufffd" in out["stdout"]),
    "half a character": (r"printf '\342\202'", lambda out: "\ufffd" in out["stdout"]),
    "lone surrogate": (r"printf '\355\240\200'", lambda out: "\ufffd" in out["stdout"]),
    "2 MB": ("head -c 2000000 /dev/zero | tr '\\0' x",
             lambda out: out["truncated"] and len(out["stdout"]) <= 1 << 20),
    "2 MB of NUL": ("head -c 2000000 /dev/zero", lambda out: out["truncated"]),
    "JSON with NUL": (r"""printf '{"a\\u0000b": "c\\u0000d"}' >&$STEPMILL_FD""",
                      lambda out: json.dumps(out["result"]).count("\\u0000") == 0),
    "JSON with surrogate": (r"""printf '"\\ud800"' >&$STEPMILL_FD""",
                            lambda out: out["result"] == "\ufffd"),
}


def test_outputs_that_postgresql_cannot_hold_become_ones_that_it_can(stepmill):
    runs = {name: stepmill.begin(shell("odd", command), noop("after"), output="{{steps.odd.output}}")
            for name, (command, _) in UNSTORABLE.items()}
    for name, run in runs.items():
        ended = stepmill.wait_ended(run)
        assert ended["status"] == "COMPLETED", (name, ended["error"])
        assert UNSTORABLE[name][1](ended["output"]), (name, str(ended["output"])[:200])


BAD_OUTPUT = {
    "NaN": "printf NaN >&$STEPMILL_FD",
    "no number": "printf 1e999 >&$STEPMILL_FD",
    "cut off": "printf '[1, 2' >&$STEPMILL_FD",
    "two values": "printf '1 2' >&$STEPMILL_FD",
    "too deep": "python3 -c 'print(\"[\" * 5000 + \"]\" * 5000)' >&$STEPMILL_FD",
    "invalid UTF-8": r"""printf '"\377"' >&$STEPMILL_FD""",
}


def test_what_is_no_json_on_the_channel(stepmill):
    runs = {name: stepmill.begin(shell("odd", command)) for name, command in BAD_OUTPUT.items()}
    for name, run in runs.items():
        ended = stepmill.wait_ended(run)
        if name == "invalid UTF-8" and ended["status"] == "COMPLETED":
            assert ended["output"]["result"] == "\ufffd"
            continue
        if name == "no number" and ended["status"] == "COMPLETED":
            assert math.isfinite(ended["output"]["result"])
            continue
        assert ended["status"] == "FAILED", (name, ended["output"])
        assert ended["error"]["code"] == "bad_output", (name, ended["error"])


def test_a_channel_has_a_limit(stepmill):
    run = stepmill.do(code("big", "javascript", "return 'x'.repeat(3000000)"))
    assert run["status"] == "FAILED" and run["error"]["code"] == "output_too_large"


def test_a_program_that_is_not_there(stepmill):
    run = stepmill.do(shell("a", "surely-not-installed --now"))
    assert run["error"]["code"] == "exit_status" and run["error"]["exitCode"] == 127
    assert "surely-not-installed" in run["error"]["message"]
    with_path = {"PATH": "/nowhere"}
    run = stepmill.do(shell("a", "node --version", {"env": with_path}))
    assert run["error"]["exitCode"] == 127


@pytest.mark.parametrize("cwd", ["/", "..", "a/../..", "link", "/proc/self/cwd"])
def test_no_step_leaves_the_project(stepmill, cwd):
    link = stepmill.folder / "link"
    if not link.is_symlink():
        link.symlink_to("/etc")
    run = stepmill.do(shell("a", "ls", {"cwd": cwd}))
    assert run["status"] == "FAILED", run["output"]
    assert run["error"]["code"] in ("denied", "input", "not_found")
    run = stepmill.do(tool("a", "files.read", {"path": f"{cwd}/passwd"}))
    assert run["status"] == "FAILED", run["output"]


def test_a_huge_input(stepmill):
    text = "ü" * 1_900_000  # 3.8 MB in UTF-8, below the limit of 4 MiB
    run = stepmill.do(tool("write", "files.write", {"path": "huge.txt", "content": "{{input.t}}"}),
                      shell("count", "wc -c < huge.txt"),
                      code("read", "python", "return len(input['t'])"), input={"t": text})
    assert run["status"] == "COMPLETED", run["error"]
    assert run["steps"][1]["output"]["stdout"].strip() == "3800000"
    assert run["output"] == 1_900_000


SIZES = {
    "the fields of a step": (
        [tool("a", "json.merge", {"values": [{f"k{i}": "{{input.t}}"} for i in range(20)]})],
        {}, "input_too_large"),
    "the output of a run": ([noop("a")], {"output": ["{{input.t}}"] * 20}, "output_too_large"),
    "the state of a run": ([tool("a", "state.set", {"key": "k", "value": "{{input.t}}"})], {},
                           "limit"),
    "a comment": ([tool("a", "comment.add", {"message": "{{input.t}}"})], {}, "input"),
    "what an expression costs": (
        [noop("a", branches=[{"condition": "input.t.matches('(x+x+)+y')", "goto": "end"}])],
        {}, "expression"),
}


def test_sizes_have_limits(stepmill):
    text = "x" * 3_900_000
    runs = {what: stepmill.begin(*steps, input={"t": text}, **top)
            for what, (steps, top, _) in SIZES.items()}
    for what, run in runs.items():
        ended = stepmill.wait_ended(run)
        assert ended["status"] == "FAILED", what
        assert ended["error"]["code"] == SIZES[what][2], (what, ended["error"])
    assert stepmill.do(noop("a"))["status"] == "COMPLETED"


def test_unicode_goes_through_everything(stepmill):
    text = "Grüße, 世界 🎉 \u202eabc\u0301 'quoted' \"twice\" $HOME `id` \\ \t end"
    run = stepmill.do(
        shell("sh", 'printf %s "$T"', {"env": {"T": "{{input.t}}"}}, name="Schritt ☃"),
        shell("in", "cat", {"stdin": "{{input.t}}"}),
        code("js", "javascript", "return steps.sh.output.stdout"),
        code("py", "python", "return input['t']"),
        tool("file", "files.write", {"path": "ordner/日本語 🎉.txt", "content": "{{input.t}}"}),
        tool("back", "files.read", {"path": "ordner/日本語 🎉.txt"}),
        tool("say", "comment.add", {"message": "{{input.t}}"}),
        input={"t": text, "ключ": {"🎉": 1}}, output=["{{steps.sh.output.stdout}}",
                                                      "{{steps['in'].output.stdout}}",
                                                      "{{steps.js.output}}", "{{steps.py.output}}",
                                                      "{{steps.back.output.content}}"])
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == [text] * 5
    assert run["comments"][0]["message"] == text
    assert run["steps"][0]["name"] == "Schritt ☃" and run["input"]["ключ"] == {"🎉": 1}


# ---- http ----

class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.server.seen.append((self.path, dict(self.headers), body))
        kind, _, rest = self.path.strip("/").partition("/")
        getattr(self, "to_" + kind)(rest, body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def send(self, status, body, kind="application/json", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def to_echo(self, rest, body):
        self.send(200, json.dumps({
            "method": self.command, "path": self.path, "body": body.decode(),
            "headers": {k.lower(): v for k, v in self.headers.items()}}).encode())

    def to_text(self, rest, body):
        self.send(200, "schlicht ☃".encode(), "text/plain; charset=utf-8")

    def to_status(self, rest, body):
        self.send(int(rest), b'{"sorry": true}')

    def to_redirect(self, rest, body):
        self.send(302, b"", Location=base64.urlsafe_b64decode(rest).decode())

    def to_slow(self, rest, body):
        self.server.end.wait(20)
        self.send(200, b"null")

    def to_flaky(self, rest, body):
        count = sum(path == self.path for path, _, _ in self.server.seen)
        self.send(503 if count < 3 else 200, b'{"count": %d}' % count)

    def to_cut(self, rest, body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        self.close_connection = True

    def to_binary(self, rest, body):
        self.send(200, b'{"a": "\xff\\u0000"}')

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.seen, server.end = [], threading.Event()
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.end.set()
    server.shutdown()
    thread.join()
    server.server_close()


def call(key, url, **fields):
    return {"id": key, "action": "http", "url": url, **fields}


def test_http_sends_what_it_is_told(stepmill, server):
    run = stepmill.do(
        call("get", server.url + "/echo/a?x=1", query={"q": "a b&c=ü", "n": "{{input.n}}"},
             headers={"X-Mine": "{{input.n}}"}, auth={"bearer": "token-{{input.n}}"}),
        call("post", server.url + "/echo", method="POST", json={"n": "{{input.n}}", "ü": None}),
        call("put", server.url + "/echo", method="PUT", body="plain",
             auth={"basic": {"username": "u", "password": "p:w"}}),
        call("text", server.url + "/text"), input={"n": 7})
    assert run["status"] == "COMPLETED", run["error"]
    get, post, put, text = (step["output"] for step in run["steps"])
    assert get["status"] == 200 and get["headers"]["content-type"] == "application/json"
    assert get["body"]["path"] == "/echo/a?x=1&q=a%20b%26c%3D%C3%BC&n=7"
    assert get["body"]["headers"]["x-mine"] == "7"
    assert get["body"]["headers"]["authorization"] == "Bearer token-7"
    assert get["body"]["headers"]["idempotency-key"] == run["steps"][0]["idempotencyKey"]
    assert json.loads(post["body"]["body"]) == {"n": 7, "ü": None}
    assert post["body"]["headers"]["content-type"] == "application/json"
    assert put["body"]["body"] == "plain" and put["body"]["method"] == "PUT"
    assert put["body"]["headers"]["authorization"] == "Basic " + base64.b64encode(
        b"u:p:w").decode()
    assert text["body"] == "schlicht ☃"


def test_a_trace_goes_from_the_call_to_what_steps_ask(stepmill, server):
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    inner = stepmill.define(call("ask", server.url + "/echo"))
    name = stepmill.define(call("ask", server.url + "/echo"),
                           {"id": "child", "action": "workflow", "workflow": inner},
                           output="{{steps.child.output}}")

    def asked(traceparent):
        answer = stepmill.ask("POST", f"/api/workflows/{name}/execute", {},
                              {"traceparent": traceparent})
        run = stepmill.wait_ended(answer.json["executionId"])
        assert run["status"] == "COMPLETED" and run["traceId"] == (
            trace if traceparent.startswith("00") else None)
        child, = stepmill.sql("select id::text, trace_id from v_runs where parent_run_id = %s",
                              run["id"])
        assert child[1] == run["traceId"]
        return [step["output"]["body"]["headers"].get("traceparent") for step in (
            run["steps"][0], stepmill.execution(child[0])["steps"][0])]
    told = [header.split("-") for header in asked(f"00-{trace}-{parent}-01")]
    assert [fields[:2] for fields in told] == [["00", trace]] * 2
    assert len({parent, told[0][2], told[1][2]}) == 3, "each step is a span of its own"
    assert asked(f"ff-{trace}-{parent}-01") == [None, None]


def test_http_statuses(stepmill, server):
    def again(key, url):
        return call(key, url, retry={"maxAttempts": 4, "backoff": "fixed", "delay": 1})

    run = stepmill.do(again("a", server.url + "/status/404"))
    assert run["status"] == "FAILED" and run["steps"][0]["attemptNumber"] == 1
    assert run["error"]["code"] == "http_status" and run["error"]["status"] == 404
    assert run["steps"][0]["output"]["body"] == {"sorry": True}
    run = stepmill.do(again("a", server.url + f"/flaky/{os.getpid()}"))
    assert run["status"] == "COMPLETED" and run["steps"][0]["attemptNumber"] == 3
    seen = [headers["Idempotency-Key"] for path, headers, _ in server.seen
            if path == f"/flaky/{os.getpid()}"]
    assert len(seen) == 3 and len(set(seen)) == 1, "one key over all attempts"
    run = stepmill.do(again("a", server.url + "/status/429"))
    assert run["steps"][0]["attemptNumber"] == 4


def redirect(server, to):
    return f"{server.url}/redirect/{base64.urlsafe_b64encode(to.encode()).decode()}"


def test_http_follows_redirects(stepmill, server):
    run = stepmill.do(
        call("yes", redirect(server, "/echo/there"), auth={"bearer": "secret"}),
        call("no", redirect(server, "/echo/there"), followRedirects=False),
        call("twice", redirect(server, redirect(server, "/echo/last"))))
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"]["body"]["path"] == "/echo/last"
    assert run["steps"][0]["output"]["body"]["path"] == "/echo/there"
    assert run["steps"][1]["output"]["status"] == 302


def test_http_refuses_addresses(stepmill, server):
    port = server.server_port
    urls = [f"http://127.0.0.2:{port}/echo", f"http://[::1]:{port}/echo",
            "http://169.254.169.254/latest/meta-data", "http://0.0.0.0/",
            f"http://[::ffff:127.0.0.2]:{port}/", f"http://2130706434:{port}/echo",
            redirect(server, f"http://127.0.0.2:{port}/echo")]
    runs = [stepmill.begin(call("a", url)) for url in urls]
    for url, run in zip(urls, runs):
        ended = stepmill.wait_ended(run)
        assert ended["status"] == "FAILED", url
        assert ended["error"]["code"] == "address_refused", (url, ended["error"])
    for url in ("file:///etc/passwd", "gopher://127.0.0.1:70/", "/etc/passwd"):
        ended = stepmill.do(call("a", url))
        assert ended["error"]["code"] == "input", (url, ended["error"])
    ended = stepmill.do(call("a", redirect(server, "file:///etc/passwd")))
    assert ended["status"] == "FAILED"


def test_http_that_goes_wrong(stepmill, server):
    runs = {
        "network": stepmill.begin(call("a", "http://127.0.0.1:9/")),
        "cut": stepmill.begin(call("a", server.url + "/cut")),
        "timeout": stepmill.begin(call("a", server.url + "/slow", timeout=300)),
        "name": stepmill.begin(call("a", "http://no-such-host.invalid/")),
    }
    ended = {name: stepmill.wait_ended(run) for name, run in runs.items()}
    assert all(run["status"] == "FAILED" for run in ended.values())
    assert ended["network"]["error"]["code"] == "network"
    assert ended["cut"]["error"]["code"] == "network"
    assert ended["timeout"]["error"]["code"] == "timeout"
    assert ended["name"]["error"]["code"] == "network"
    binary = stepmill.do(call("a", server.url + "/binary"))
    assert binary["status"] == "COMPLETED", binary["error"]


def test_http_is_cancelled(stepmill, server):
    run = stepmill.begin(call("a", server.url + "/slow"))
    stepmill.wait_running(run, "a")
    stepmill.post(f"/api/executions/{run}/cancel")
    assert stepmill.wait_ended(run)["status"] == "CANCELLED"
