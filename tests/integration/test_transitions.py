"""What people do to a run from outside: approve, deny, pause, resume, retry, rerun, cancel,
by HTTP and by the command line; and what the clock does to an approval. Each is one
statement under the run's lock: nothing in flight is crossed, whoever asks. (I4, I6)"""
import itertools
import os
import signal
import threading

import pytest
from harness.stepmill import Refused, flow, noop, shell, wait_for


def check_over(stepmill, run, status="COMPLETED"):
    """It ended so; its events have no gap, and nothing of it is open."""
    ended = stepmill.wait_ended(run)
    assert ended["status"] == status, ended["error"]
    seqs = [event["seq"] for event in stepmill.events(run)]
    assert seqs == list(range(1, len(seqs) + 1)) and ended["lastSeq"] == len(seqs)
    assert stepmill.sql("select count(*) from workflow_steps where execution_id = %s"
                        " and status < 6", run) == [(0,)]
    assert all(approval["status"] != "pending" for approval in ended["approvals"])
    return ended


def types(stepmill, run):
    return [event["type"] for event in stepmill.events(run)]


def paused(stepmill, run):
    return wait_for("it is paused", lambda: (now := stepmill.execution(run))["status"] == "PAUSED"
                    and now, 20)


def ask(key="ask", **more):
    return {"id": key, "action": "approval", "prompt": "Shall it go on?", **more}


def good(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- approvals ----

def test_an_approval_by_the_command_line(stepmill):
    run = stepmill.begin(ask(), shell("after", "echo {{steps.ask.output.comment}}"))
    approval, = paused(stepmill, run)["approvals"]
    assert approval["prompt"] == "Shall it go on?" and approval["args"] is None
    assert approval["status"] == "pending" and approval["stepKey"] == "ask"
    assert run in [one["executionId"] for one in stepmill.get("/api/approvals")["data"]]
    assert approval["runId"] in good(stepmill.cli("approvals"))
    assert good(stepmill.cli("approve", run, "--comment", "fine")) == f"{run} RUNNING\n"
    ended = check_over(stepmill, run)
    answer = ended["steps"][0]["output"]
    assert answer.pop("at").endswith("Z")
    assert answer == {"approved": True, "by": "dev", "comment": "fine"}
    assert ended["output"]["stdout"] == "fine\n"
    assert types(stepmill, run) == [
        "run.started", "step.started", "approval.requested", "run.paused",
        "approval.decided", "comment.added", "run.resumed", "step.completed",
        "step.started", "step.completed", "run.completed"]
    assert ended["comments"][0]["message"] == "Approved by dev: ask: fine"
    assert ended["comments"][0]["author"] == "stepmill"


def test_a_denied_approval_fails_the_step_and_can_be_acted_on(stepmill):
    run = stepmill.begin(ask(branches=[{"condition": "!result.approved", "goto": "told"}]),
                         noop("not_this"), shell("told", "echo {{steps.ask.error.code}}"))
    paused(stepmill, run)
    stepmill.post(f"/api/executions/{run}/steps/ask/deny", {"comment": "no"})
    ended = check_over(stepmill, run)
    assert [(s["stepKey"], s["status"]) for s in ended["steps"]] == [
        ("ask", "FAILED"), ("told", "COMPLETED")]
    assert ended["steps"][0]["error"]["code"] == "denied"
    assert ended["output"]["stdout"] == "denied\n"


def test_a_gate_names_what_is_approved(stepmill):
    run = stepmill.begin(shell("push", "echo {{input.what}}", approvalRequired=True),
                         input={"what": "it"})
    approval, = paused(stepmill, run)["approvals"]
    assert approval["args"] == {"tool": "shell", "args": {"command": "echo it"}}
    assert not [t for t in types(stepmill, run) if t == "step.started"]
    good(stepmill.cli("approve", run, "push"))
    assert check_over(stepmill, run)["output"]["stdout"] == "it\n"
    assert types(stepmill, run).count("step.started") == 1


def test_an_approval_is_void_when_the_arguments_change(stepmill):
    run = stepmill.begin(shell("push", "echo {{has(state.what) ? state.what : 'this'}}",
                               approvalRequired=True))
    first, = paused(stepmill, run)["approvals"]
    stepmill.sql("update workflow_runs set state = '{\"what\": \"else\"}' where id = %s", run)
    good(stepmill.cli("approve", run))
    again = wait_for("asked anew", lambda: [a for a in stepmill.execution(run)["approvals"]
                                            if a["status"] == "pending"])
    assert again[0]["id"] != first["id"] and "echo else" in str(again[0]["args"])
    old = next(a for a in stepmill.execution(run)["approvals"] if a["id"] == first["id"])
    assert old["status"] == "void"
    paused(stepmill, run)
    good(stepmill.cli("approve", run))
    assert check_over(stepmill, run)["output"]["stdout"] == "else\n"


def test_a_retry_does_not_ask_again(stepmill):
    run = stepmill.begin(shell("push", "[ $STEPMILL_ATTEMPT = 2 ]", approvalRequired=True,
                               retry={"maxAttempts": 2, "backoff": "fixed", "delay": 1}))
    paused(stepmill, run)
    good(stepmill.cli("approve", run))
    ended = check_over(stepmill, run)
    assert len(ended["approvals"]) == 1 and ended["steps"][0]["attemptNumber"] == 2


@pytest.mark.parametrize("on_timeout, status, code", [
    ("approve", "COMPLETED", None), ("deny", "FAILED", "denied"), ("fail", "FAILED", "timeout")])
def test_nobody_decides_in_time(stepmill, on_timeout, status, code):
    run = stepmill.begin(ask(timeout=300, onTimeout=on_timeout))
    ended = check_over(stepmill, run, status)
    assert (ended["error"] or {}).get("code") == code
    assert ended["steps"][0]["output"]["approved"] == (on_timeout == "approve")


def test_a_decision_is_taken_once(stepmill):
    """Eight at once, approving and denying: one is heard, the others are told."""
    run = stepmill.begin(ask())
    paused(stepmill, run)
    answers = []

    def decide(word):
        answers.append((word, stepmill.ask(
            "POST", f"/api/executions/{run}/steps/ask/{word}").status))

    threads = [threading.Thread(target=decide, args=(word,))
               for word in ("approve", "deny") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    heard = [word for word, status in answers if status == 200]
    assert len(heard) == 1 and sorted(s for _, s in answers) == [200] + [409] * 7
    check_over(stepmill, run, "COMPLETED" if heard == ["approve"] else "FAILED")
    assert types(stepmill, run).count("approval.decided") == 1


def test_a_run_is_paused_only_when_nothing_else_is_left(stepmill):
    run = stepmill.begin(ask(), shell("slow", "sleep 1"), noop("after", needs=["ask", "slow"]))
    stepmill.wait_step(run, "ask", "WAITING_APPROVAL")
    assert stepmill.execution(run)["status"] == "RUNNING"
    stepmill.wait_step(run, "slow", "COMPLETED")
    paused(stepmill, run)
    good(stepmill.cli("approve", run))
    check_over(stepmill, run)


def test_several_that_wait_are_named(stepmill):
    run = stepmill.begin(ask("one"), ask("two"), noop("after", needs=["one", "two"]))
    paused(stepmill, run)
    done = stepmill.cli("approve", run)
    assert done.returncode == 1 and "several steps wait" in done.stderr
    good(stepmill.cli("approve", run, "one"))
    good(stepmill.cli("approve", run, "two"))
    check_over(stepmill, run)


def test_approvals_of_items(stepmill):
    run = stepmill.begin(ask(foreach="[1, 2, 3]"), noop("after"))
    pending = wait_for("all ask", lambda: len(found := [
        a for a in stepmill.execution(run)["approvals"] if a["status"] == "pending"]) == 3
        and found)
    paused(stepmill, run)
    for approval in pending:
        stepmill.post(f"/api/executions/{run}/steps/{approval['stepId']}/approve")
    ended = check_over(stepmill, run)
    assert [one["approved"] for one in ended["steps"][0]["output"]] == [True] * 3


def test_what_cannot_be_decided(stepmill):
    run = stepmill.begin(noop("a"))
    stepmill.wait_ended(run)
    for path, status in ((f"{run}/steps/a/approve", 409), (f"{run}/steps/b/approve", 404),
                         ("nothing-1/steps/a/deny", 404)):
        with pytest.raises(Refused) as refused:
            stepmill.post(f"/api/executions/{path}")
        assert refused.value.status == status, path
    for body in ({"comments": "x"}, {"comment": 3}, {"comment": "x" * 20000}):
        assert stepmill.ask("POST", f"/api/executions/{run}/steps/a/approve",
                            body).status == 400
    assert stepmill.cli("approve", run).returncode == 1
    assert stepmill.ask("GET", "/api/approvals?status=maybe").status == 400


# ---- pause and resume ----

def test_a_paused_run_keeps_what_runs_and_begins_nothing(stepmill):
    run = stepmill.begin(shell("slow", "sleep 0.5; echo done"), noop("after"))
    stepmill.wait_running(run, "slow")
    assert good(stepmill.cli("pause", run)) == f"{run} PAUSED\n"
    assert good(stepmill.cli("pause", run)) == f"{run} PAUSED\n"
    assert stepmill.wait_step(run, "slow", "COMPLETED")["output"]["stdout"] == "done\n"
    stepmill.wait_step(run, "after", "PENDING")
    assert stepmill.execution(run)["status"] == "PAUSED"
    assert stepmill.execution(run)["pausedAt"] is not None
    assert good(stepmill.cli("resume", run)) == f"{run} RUNNING\n"
    check_over(stepmill, run)


def test_a_cancelled_graph_tells_of_its_steps_only(stepmill):
    run = stepmill.begin(shell("slow", "sleep 653"), noop("other", needs=["slow"]))
    stepmill.wait_running(run, "slow")
    stepmill.post(f"/api/executions/{run}/cancel")
    stepmill.wait_ended(run)
    events = stepmill.events(run)
    assert [(event["type"], event["payload"].get("stepKey")) for event in events] == [
        ("run.started", None), ("step.started", "slow"), ("step.cancelled", "slow"),
        ("comment.added", None), ("run.cancelled", None)]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]


def test_a_paused_graph_and_its_items(stepmill):
    run = stepmill.begin(shell("a", "sleep 0.3"), shell("f", "sleep 0.05", foreach="[1,2,3,4,5]",
                                                        maxParallel=1),
                         noop("join", needs=["a", "f"]))
    stepmill.wait_running(run, "a")
    good(stepmill.cli("pause", run))
    stepmill.wait_step(run, "a", "COMPLETED")
    wait_for("nothing runs", lambda: not [s for s in stepmill.execution(run)["steps"]
                                          if s["status"] in ("RUNNING", "QUEUED")])
    assert [s for s in stepmill.execution(run)["steps"] if s["status"] == "PENDING"]
    good(stepmill.cli("resume", run))
    check_over(stepmill, run)


def test_one_that_a_person_paused_is_not_resumed_by_an_approval(stepmill):
    run = stepmill.begin(ask(), noop("after"))
    paused(stepmill, run)
    refused = stepmill.ask("POST", f"/api/executions/{run}/resume")
    assert refused.status == 409 and "approval" in refused.json["detail"]
    good(stepmill.cli("pause", run))
    good(stepmill.cli("approve", run))
    assert stepmill.execution(run)["status"] == "PAUSED"
    good(stepmill.cli("resume", run))
    check_over(stepmill, run)


def test_one_that_is_resumed_while_it_is_asked_waits_for_the_answer(stepmill):
    """Its time stands still again, and the answer makes it go on."""
    run = stepmill.begin(ask(), noop("after"))
    paused(stepmill, run)
    good(stepmill.cli("pause", run))
    good(stepmill.cli("resume", run))
    paused(stepmill, run)
    deadline, = stepmill.sql("select deadline_at from workflow_run_state"
                             " where execution_id = %s", run)[0]
    assert deadline is None
    good(stepmill.cli("approve", run))
    check_over(stepmill, run)


def test_the_time_of_a_paused_run_stands_still(stepmill):
    run = stepmill.begin(shell("a", "sleep 0.2"), noop("after"), timeout=3000)
    stepmill.wait_running(run, "a")
    good(stepmill.cli("pause", run))
    deadline, left = stepmill.sql("select deadline_at, budget_left from workflow_run_state"
                                  " where execution_id = %s", run)[0]
    assert deadline is None and 0 < left.total_seconds() < 3
    good(stepmill.cli("resume", run))
    check_over(stepmill, run)


def test_what_cannot_be_paused_or_resumed(stepmill):
    run = stepmill.begin(noop("a"))
    check_over(stepmill, run)
    for verb in ("pause", "resume"):
        refused = stepmill.ask("POST", f"/api/executions/{run}/{verb}")
        assert refused.status == 409 and "completed" in refused.json["detail"]
        assert stepmill.ask("POST", f"/api/executions/nothing-1/{verb}").status == 404
        assert stepmill.cli(verb, run).returncode == 1
        assert stepmill.cli(verb).returncode == 2


def test_pausing_and_resuming_under_way_crosses_nothing(stepmill):
    """Again and again while its steps end: none is lost, none runs twice."""
    run = stepmill.begin(*(shell(f"s{n}", f"echo {n} >> crossed-$STEPMILL_RUN_ID; sleep 0.02")
                           for n in range(12)))
    for _ in range(10):
        for verb in ("pause", "resume"):
            stepmill.ask("POST", f"/api/executions/{run}/{verb}")
    stepmill.ask("POST", f"/api/executions/{run}/resume")
    ended = check_over(stepmill, run)
    assert [s["attemptNumber"] for s in ended["steps"]] == [1] * 12


# ---- an interrupted run that is not to go on by itself ----

def test_on_interrupt_crash_waits_for_a_person(stepmill):
    run = stepmill.begin(noop("before"), shell("s", f"[ -e seen ] || {{ touch seen; sleep 30; }}"),
                         noop("after"), onInterrupt="crash")
    try:
        worker = stepmill.wait_running(run, "s")["workerId"]
        wait_for("it has begun", lambda: (stepmill.folder / "seen").exists())
        stepmill.kill_worker(worker)
        crashed = wait_for("crashed", lambda: (now := stepmill.execution(run))["status"] ==
                           "CRASHED" and now)
        assert "interrupted" in crashed["error"]["message"]
        assert types(stepmill, run)[-1] == "run.crashed"
        good(stepmill.cli("resume", run))
        ended = check_over(stepmill, run)
        assert ended["error"] is None
        step = next(s for s in ended["steps"] if s["stepKey"] == "s")
        assert (step["attemptNumber"], step["losses"]) == (2, 1)
    finally:
        (stepmill.folder / "seen").unlink(missing_ok=True)
        wait_for("workers", lambda: len(stepmill.ready_workers()) >= 2)


def test_what_waited_beside_a_crash_waits_again(stepmill):
    """For its time, for its next attempt, for a child run that went on, and for somebody."""
    child = stepmill.define(shell("s", "until [ -e child.may ]; do sleep 0.05; done"))
    run = stepmill.begin(
        shell("dies", "[ -e seen ] || { touch seen; sleep 30; }", needs=[]),
        {"id": "nap", "action": "wait", "for": "1h", "needs": []},
        shell("again", "[ -e again.may ]", needs=[],
              retry={"maxAttempts": 2, "backoff": "fixed", "delay": "50m"}),
        {"id": "child", "action": "workflow", "workflow": child, "needs": []},
        ask(needs=[]), {"id": "told", "action": "wait", "event": "never.told", "needs": []},
        onInterrupt="crash")
    waiting = {"nap": "WAITING", "again": "RETRYING", "child": "WAITING",
               "ask": "WAITING_APPROVAL", "told": "WAITING"}

    def states():
        return {s["stepKey"]: s["status"] for s in stepmill.execution(run)["steps"]
                if s["stepKey"] != "dies"}
    try:
        wait_for("all wait", lambda: states() == waiting)
        wait_for("it has begun", lambda: (stepmill.folder / "seen").exists())
        stepmill.kill_worker(stepmill.wait_running(run, "dies")["workerId"])
        wait_for("crashed", lambda: stepmill.execution(run)["status"] == "CRASHED")
        assert set(states().values()) == {"CANCELLED"}
        good(stepmill.cli("resume", run))
        stepmill.wait_step(run, "dies", "COMPLETED")
        wait_for("they wait again", lambda: states() == waiting)
        steps = {s["stepKey"]: s for s in stepmill.execution(run)["steps"]}
        assert steps["again"]["attemptNumber"] == 1 and steps["nap"]["runAt"] is not None
        (stepmill.folder / "child.may").touch()
        stepmill.wait_step(run, "child", "COMPLETED")
        stepmill.post(f"/api/executions/{run}/steps/ask/approve")
        stepmill.wait_step(run, "ask", "COMPLETED")
        stepmill.post("/api/events", {"source": "test", "type": "never.told"})
        stepmill.wait_step(run, "told", "COMPLETED")
        assert {key: states()[key] for key in ("nap", "again")} == {
            "nap": "WAITING", "again": "RETRYING"}
        stepmill.post(f"/api/executions/{run}/cancel")
        check_over(stepmill, run, "CANCELLED")
    finally:
        for name in ("seen", "child.may"):
            (stepmill.folder / name).unlink(missing_ok=True)
        wait_for("workers", lambda: len(stepmill.ready_workers()) >= 2)


# ---- again ----

numbers = itertools.count(1)


def marks(stepmill):
    """A file that steps append to, and one whose being there makes them succeed."""
    n = next(numbers)
    return f"marks-{n}", stepmill.folder / f"good-{n}", f"good-{n}"


def test_a_retry_keeps_what_succeeded(stepmill):
    file, good_path, good_name = marks(stepmill)
    run = stepmill.begin(shell("a", f"echo a >> {file}; echo {{{{input.x}}}}"),
                         shell("b", f"echo b >> {file}; [ -e {good_name} ]"),
                         shell("c", "echo {{steps.a.output.stdout}}"), input={"x": 7})
    check_over(stepmill, run, "FAILED")
    good_path.touch()
    again = good(stepmill.cli("retry", run)).split()[0]
    ended = check_over(stepmill, again)
    assert (stepmill.folder / file).read_text().split() == ["a", "b", "b"]
    assert ended["retryOfRunId"] == run and ended["triggeredBy"] == "retry"
    assert ended["steps"][0]["output"]["stdout"] == "7\n" and "7" in ended["output"]["stdout"]
    assert types(stepmill, again).count("step.started") == 2
    assert stepmill.execution(run)["status"] == "FAILED"


def test_a_retry_of_a_graph(stepmill):
    file, good_path, good_name = marks(stepmill)
    run = stepmill.begin(
        shell("a", f"echo a >> {file}"), shell("b", f"echo b >> {file}; [ -e {good_name} ]"),
        shell("left", f"echo left >> {file}", needs=["a"]), noop("skipped", needs=["a"],
                                                                 **{"if": "false"}),
        shell("join", f"echo join >> {file}", needs=["b", "left", "skipped"]))
    wait_for("both ended", lambda: stepmill.execution(run)["status"] == "FAILED")
    check_over(stepmill, run, "FAILED")
    before = (stepmill.folder / file).read_text().split()
    good_path.touch()
    ended = check_over(stepmill, good(stepmill.cli("retry", run)).split()[0])
    after = (stepmill.folder / file).read_text().split()[len(before):]
    assert sorted(after) == sorted(["b", "join"] + ([] if "left" in before else ["left"]))
    assert {s["stepKey"]: s["status"] for s in ended["steps"]} == {
        "a": "COMPLETED", "b": "COMPLETED", "left": "COMPLETED", "skipped": "SKIPPED",
        "join": "COMPLETED"}


def test_a_retry_after_a_loop_and_a_foreach(stepmill):
    file, good_path, good_name = marks(stepmill)
    run = stepmill.begin(
        shell("f", f"echo f >> {file}; echo {{{{item}}}}", foreach="[1, 2, 3]"),
        {"id": "l", "action": "loop", "maxIterations": 2, "body": ["x"]},
        shell("x", f"echo x >> {file}"), shell("bad", f"[ -e {good_name} ]"),
        shell("sum", "echo {{steps.f.output.size()}} {{steps.l.output.iterations}}"))
    check_over(stepmill, run, "FAILED")
    good_path.touch()
    ended = check_over(stepmill, good(stepmill.cli("retry", run)).split()[0])
    assert (stepmill.folder / file).read_text().split() == ["f"] * 3 + ["x"] * 2
    assert ended["output"]["stdout"] == "3 2\n"


def test_a_rerun_begins_anew(stepmill):
    run = stepmill.begin(shell("a", "echo {{input.x}}"), input={"x": 8})
    check_over(stepmill, run)
    again = good(stepmill.cli("rerun", run)).split()[0]
    assert again != run and check_over(stepmill, again)["output"]["stdout"] == "8\n"


def test_what_cannot_be_run_again(stepmill):
    run = stepmill.begin(noop("a"))
    check_over(stepmill, run)
    assert stepmill.ask("POST", f"/api/executions/{run}/retry").status == 409
    assert stepmill.ask("POST", "/api/executions/nothing-1/rerun").status == 404
    alive = stepmill.begin(ask())
    paused(stepmill, alive)
    assert stepmill.ask("POST", f"/api/executions/{alive}/rerun").status == 409
    stepmill.post(f"/api/executions/{alive}/cancel")
    check_over(stepmill, alive, "CANCELLED")


# ---- cancel ----

def test_a_cancel_travels_down(stepmill):
    inner = stepmill.workflow(flow("inner-slow", shell("k", "sleep 60")))
    middle = stepmill.workflow(flow("middle", {"id": "w", "action": "workflow",
                                               "workflow": inner}))
    run = stepmill.begin({"id": "w", "action": "workflow", "workflow": middle})
    deepest = wait_for("the deepest runs", lambda: stepmill.sql(
        "select id::text from workflow_runs where depth = 2 and parent_run_id in"
        " (select id from workflow_runs where parent_run_id = %s)", run))[0][0]
    stepmill.wait_running(deepest, "k")
    stepmill.post(f"/api/executions/{run}/cancel")
    for one in (run, deepest):
        check_over(stepmill, one, "CANCELLED")


def test_a_worker_killed_while_people_decide(fresh):
    """Decisions, pauses and kills at once: every run ends, each decision is kept."""
    runs = [fresh.begin(shell("a", "sleep 0.1"), ask(), shell("b", "sleep 0.1"))
            for _ in range(20)]
    for run in runs:
        if run is runs[10]:
            os.kill(fresh.ready_workers()[0]["pid"], signal.SIGKILL)
        wait_for("it asks", lambda: fresh.execution(run)["status"] == "PAUSED", 30)
        fresh.post(f"/api/executions/{run}/steps/ask/approve")
    for run in runs:
        check_over(fresh, run)
        assert types(fresh, run).count("approval.decided") == 1


# ---- what happens outside ----

def tell(stepmill, kind, data=None, source="test"):
    return stepmill.post("/api/events", {"source": source, "type": kind, "data": data})["id"]


def test_a_wait_for_an_event(stepmill):
    run = stepmill.begin({"id": "w", "action": "wait", "event": "paid",
                          "when": "event.data.order == input.order"},
                         shell("after", "echo {{steps.w.output.data.sum}}"), input={"order": 7})
    stepmill.wait_step(run, "w", "WAITING")
    tell(stepmill, "paid", {"order": 8, "sum": 1})
    tell(stepmill, "other", {"order": 7, "sum": 2})
    stepmill.wait_step(run, "w", "WAITING")
    told = tell(stepmill, "paid", {"order": 7, "sum": 3})
    ended = check_over(stepmill, run)
    assert ended["output"]["stdout"] == "3\n"
    event = ended["steps"][0]["output"]
    assert event.pop("at").endswith("Z")
    assert event == {"id": told, "source": "test", "type": "paid",
                     "data": {"order": 7, "sum": 3}}


def test_an_event_that_came_since_the_run_started_counts(stepmill):
    tell(stepmill, "early", 1)
    run = stepmill.begin(shell("slow", "sleep 0.4"), {"id": "w", "action": "wait", "event": "early"})
    stepmill.wait_running(run, "slow")
    told = tell(stepmill, "early", 2)
    assert check_over(stepmill, run)["output"]["id"] == told


def test_no_event_in_time(stepmill):
    run = stepmill.begin({"id": "w", "action": "wait", "event": "never", "timeout": 400},
                         noop("after"))
    ended = check_over(stepmill, run)
    assert ended["steps"][0]["output"] is None


def test_a_condition_on_an_event_that_cannot_be_evaluated(stepmill):
    run = stepmill.begin({"id": "w", "action": "wait", "event": "odd", "when": "event.data.x > 1"})
    stepmill.wait_step(run, "w", "WAITING")
    tell(stepmill, "odd", None)
    assert check_over(stepmill, run, "FAILED")["error"]["code"] == "expression"


def test_an_event_wakes_all_that_wait(stepmill):
    runs = [stepmill.begin({"id": "w", "action": "wait", "event": "all"}) for _ in range(5)]
    for run in runs:
        stepmill.wait_step(run, "w", "WAITING")
    told = tell(stepmill, "all")
    for run in runs:
        assert check_over(stepmill, run)["output"]["id"] == told


def test_an_event_whose_teller_died_is_heard_by_the_sweep(stepmill):
    """Stored, and nobody was woken: as if the front had died in between."""
    run = stepmill.begin({"id": "w", "action": "wait", "event": "unheard"})
    stepmill.wait_step(run, "w", "WAITING")
    stepmill.sql("insert into bus_events (id, source, type) values (uuid7(), 't', 'unheard')")
    check_over(stepmill, run)


def test_a_paused_run_hears_of_an_event_when_it_goes_on(stepmill):
    run = stepmill.begin({"id": "w", "action": "wait", "event": "meanwhile"})
    stepmill.wait_step(run, "w", "WAITING")
    good(stepmill.cli("pause", run))
    tell(stepmill, "meanwhile")
    stepmill.wait_step(run, "w", "PENDING")
    good(stepmill.cli("resume", run))
    check_over(stepmill, run)


def test_events_that_are_refused(stepmill):
    for body in (None, [], {"source": "x"}, {"source": "x", "type": ""},
                 {"source": "x", "type": "y" * 300}, {"source": 3, "type": "y"},
                 {"source": "x", "type": "y", "more": 1}):
        assert stepmill.ask("POST", "/api/events", body).status == 400, body
