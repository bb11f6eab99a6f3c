"""Clients over WebSocket: who they are, what they may say, what they are answered and told,
on any supervisor and after a reconnect. (I2, I7; D1)"""
import asyncio
import hashlib
import itertools
import json
import subprocess
import uuid

import pytest
import websockets
from harness.raw_ws import CLOSE, PING, Closed, RawWs, close_payload, fast_frame, frame
from harness.stepmill import ROOT, flow, noop, shell, wait_for

names = itertools.count(1)


def connect(at, client=None, **more):
    """client None: a name of its own, so that nobody else's runs are told."""
    client = client or f"test-{next(names)}-{uuid.uuid4().hex[:6]}"
    ws = RawWs(at.url, path=f"/ws?client={client}", **more)
    ws.client = client
    return ws


@pytest.fixture
def ws(stepmill):
    with connect(stepmill) as ws:
        yield ws


def ask_step(key="ask", **more):
    return {"id": key, "action": "approval", "prompt": "Shall it go on?", **more}


def trigger(ws, workflow, id=1, **more):
    answer = ws.ask({"type": "workflow.trigger", "id": id, "workflowId": workflow, **more})
    assert answer["type"] == "workflow.status", answer
    return answer["executionId"]


def until_status(ws, run, status):
    """What is told of the run until it has this status."""
    told = []
    while True:
        message = ws.until("workflow.status")
        if message["executionId"] == run:
            told.append(message)
            if message["status"] == status:
                return told


def collect(ws, run, last_type, key="executionId"):
    """Messages of a run up to one of this type."""
    got = []
    while True:
        message = ws.next()
        if message.get(key) == run and message["type"] != "ack":
            got.append(message)
            if message["type"] == last_type:
                return got


# ---- what is wrong with a message ----

@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'"ping"', b'{"a":1,"a":2}',
                                  b"[" * 100_000, b"1e999999", b"{}", b'{"type":5}'])
def test_what_is_no_message(ws, text):
    ws.send(frame(text))
    answer = ws.next()
    assert answer["type"] == "error" and answer["code"] == "invalid_message"
    assert answer["id"] is None and answer["errors"][0]["message"]
    assert ws.ask({"type": "ping", "id": 1})["type"] == "pong"


def test_every_wrong_field_is_told(ws):
    answer = ws.ask({"type": "workflow.approval", "id": "a", "approved": "yes", "stepId": 7})
    assert answer["code"] == "invalid_message"
    assert {e["path"]: e["message"] for e in answer["errors"]} == {
        "executionId": "is missing", "stepId": "expected a text, got number",
        "approved": "expected true or false, got string"}


@pytest.mark.parametrize("type_", ["workflow", "", "Workflow.List", "error", "workflow.status",
                                   "x" * 100_000])
def test_unknown_types(ws, type_):
    answer = ws.ask({"type": type_, "id": 3})
    assert (answer["type"], answer["code"]) == ("error", "unknown_type")
    assert len(answer["message"]) < 200


def test_what_needs_an_id(ws):
    ws.say({"type": "workflow.list"})
    assert ws.next()["errors"] == [{"path": "id", "message": "is missing"}]
    ws.say({"type": "ping"})
    assert ws.next() == {"type": "pong"}


@pytest.mark.parametrize("message", [
    {"type": "workflow:subscribe", "executionId": str(uuid.uuid4())},
    {"type": "workflow:subscribe", "executionId": "nothing-12345678"},
    {"type": "workflow:subscribe", "executionId": "no such thing"},
    {"type": "workflow:subscribe", "executionId": "*", "workflowId": "no-such-workflow"},
    {"type": "SubscribeWorkflow", "run_id": str(uuid.uuid4())},
    {"type": "workflow:cancel", "executionId": str(uuid.uuid4())},
    {"type": "workflow.trigger", "workflowId": "no-such-workflow"},
    {"type": "workflow.approval", "executionId": str(uuid.uuid4()), "stepId": "a",
     "approved": True}])
def test_what_is_not_there(ws, message):
    answer = ws.ask({**message, "id": 9})
    assert (answer["type"], answer["code"]) == ("error", "not_found"), answer


def test_many_messages_at_once(stepmill, ws):
    """More than are taken at once: all are answered, whatever the order."""
    ws.send(*(frame(json.dumps({"type": kind, "id": f"{kind} {i}"}))
              for i in range(200) for kind in ("ping", "workflow.list")))
    answered = {}
    while len(answered) < 400:
        message = ws.next()
        answered[message["id"]] = message["type"]
    assert answered["ping 199"] == "pong"
    assert answered["workflow.list 199"] == "workflow.list.result"


# ---- lists ----

def test_workflow_list(stepmill, ws):
    name = stepmill.workflow(flow(f"listed-{next(names)}", noop("a"), description="old"))
    stepmill.workflow(flow(name, noop("a"), noop("b"), description="new"))
    listed = [w for w in ws.ask({"type": "workflow.list", "id": 1})["workflows"]
              if w["name"] == name]
    assert listed == [{"id": stepmill.get(f"/api/workflows/{name}")["id"], "name": name,
                       "description": "new", "definitionPath": ""}]


def test_execution_list(stepmill, ws):
    workflow = stepmill.define(ask_step())
    runs = [stepmill.execute(workflow) for _ in range(5)]
    for run in runs:
        stepmill.wait_step(run, "ask", "WAITING_APPROVAL")
    for run in runs[:2]:
        stepmill.post(f"/api/executions/{run}/cancel")

    def listed(**more):
        answer = ws.ask({"type": "workflow.execution.list", "id": 1, "workflowId": workflow,
                         **more})
        assert answer["type"] == "workflow.execution.list.result", answer
        return answer

    every = listed()
    assert [e["id"] for e in every["executions"]] == runs[::-1]
    assert "nextCursor" not in every
    newest, oldest = every["executions"][0], every["executions"][-1]
    assert newest["status"] == "paused" and newest["currentStepId"] == "ask"
    assert "completedAt" not in newest and newest["startedAt"].endswith("Z")
    assert oldest["status"] == "failed" and oldest["completedAt"]
    assert oldest["workflowId"] == stepmill.get(f"/api/workflows/{workflow}")["id"]
    for status, ids in (("paused", runs[2:]), ("failed", runs[:2]), ("CANCELLED", runs[:2]),
                        ("completed", []), ("running", [])):
        assert [e["id"] for e in listed(status=status)["executions"]] == ids[::-1], status
    got, cursor = [], {}
    while True:
        page = listed(limit=2, **cursor)
        got += [e["id"] for e in page["executions"]]
        if "nextCursor" not in page:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert got == runs[::-1]


# ---- triggering, and what is told of one's runs ----

def test_a_run_from_its_trigger_to_its_end(stepmill, ws):
    workflow = stepmill.define(shell("one", "echo 1"), noop("two"))
    answer = ws.ask({"type": "workflow.trigger", "id": "t", "workflowId": workflow,
                     "input": {"a": 1}})
    run = answer["executionId"]
    assert answer["type"] == "workflow.status" and answer["status"] == "running"
    assert answer["workflowId"] == stepmill.get(f"/api/workflows/{workflow}")["id"]
    told = until_status(ws, run, "completed")
    assert all("id" not in message for message in told)
    results = told[-1]["stepResults"]
    assert results["one"]["status"] == results["two"]["status"] == "success"
    assert results["one"]["output"]["stdout"] == "1\n" and results["one"]["completedAt"]
    assert stepmill.execution(run)["requestedBy"] == f"dev/{ws.client}"
    assert stepmill.execution(run)["triggeredBy"] == "manual"


def test_how_a_run_that_fails_is_told(stepmill, ws):
    run = trigger(ws, stepmill.define(shell("bad", "exit 3", retry={"maxAttempts": 1})))
    last = until_status(ws, run, "failed")[-1]
    assert last["stepResults"]["bad"]["status"] == "failure" and "reason" not in last
    run = trigger(ws, stepmill.define(ask_step()))
    until_status(ws, run, "paused")
    assert ws.ask({"type": "workflow:cancel", "id": 4, "executionId": run})["type"] == "ack"
    assert until_status(ws, run, "failed")[-1]["reason"] == "cancelled"


@pytest.mark.parametrize("message, code", [
    ({"input": {"n": "x"}}, "invalid_message"), ({"input": []}, "invalid_message"),
    ({"projectId": str(uuid.uuid4())}, "not_found")])
def test_triggers_that_are_refused(stepmill, ws, message, code):
    workflow = stepmill.define(noop("a"), input={
        "type": "object", "properties": {"n": {"type": "integer"}}})
    answer = ws.ask({"type": "workflow.trigger", "id": 1, "workflowId": workflow, **message})
    assert (answer["type"], answer["code"]) == ("error", code), answer
    if message.get("input"):
        assert answer["errors"]


def test_a_trigger_that_is_repeated_makes_one_run(stepmill, ws):
    workflow = stepmill.define(noop("a"))
    key = uuid.uuid4().hex
    first = trigger(ws, workflow, idempotencyKey=key, input={"n": 1})
    assert trigger(ws, workflow, id=2, idempotencyKey=key, input={"n": 1}) == first
    answer = ws.ask({"type": "workflow.trigger", "id": 3, "workflowId": workflow,
                     "idempotencyKey": key, "input": {"n": 2}})
    assert answer["code"] == "conflict"


def test_an_approval_over_the_socket(stepmill, ws):
    workflow = stepmill.define(ask_step(), shell("after", "echo {{steps.ask.output.by}}"))
    run = trigger(ws, workflow)
    request = ws.until("workflow.approval.request")
    assert request == {"type": "workflow.approval.request", "executionId": run,
                       "workflowId": stepmill.get(f"/api/workflows/{workflow}")["id"],
                       "stepId": "ask", "stepDescription": "Shall it go on?"}
    told = until_status(ws, run, "paused")
    assert told[-1]["stepResults"]["ask"]["status"] == "paused"
    answer = ws.ask({"type": "workflow.approval", "id": 5, "executionId": run,
                     "stepId": "ask", "approved": True, "comment": "fine"})
    assert answer["type"] == "workflow.status" and answer["executionId"] == run
    last = until_status(ws, run, "completed")[-1]
    assert last["stepResults"]["ask"]["output"]["approved"] is True
    assert last["stepResults"]["after"]["output"]["stdout"] == "dev\n"
    answer = ws.ask({"type": "workflow.approval", "id": 6, "executionId": run,
                     "stepId": "ask", "approved": True})
    assert answer["code"] == "conflict"


def test_a_denial_and_its_repetition(stepmill, ws):
    run = trigger(ws, stepmill.define(ask_step()))
    until_status(ws, run, "paused")
    key = uuid.uuid4().hex
    message = {"type": "workflow.approval", "executionId": run, "stepId": "ask",
               "approved": False, "idempotencyKey": key}
    for id_ in (1, "again"):
        answer = ws.ask({**message, "id": id_})
        assert answer["type"] == "workflow.status" and answer["executionId"] == run, answer
    answer = ws.ask({**message, "id": 3, "approved": True})
    assert answer["code"] == "conflict"
    assert until_status(ws, run, "failed")


def test_cancelling(stepmill, ws):
    run = trigger(ws, stepmill.define(shell("slow", "sleep 60")))
    ws.say({"type": "workflow:cancel", "executionId": stepmill.execution(run)["runId"]})
    assert ws.until("ack") == {"type": "ack", "executionId": run}
    assert until_status(ws, run, "failed")[-1]["reason"] == "cancelled"
    run = trigger(ws, stepmill.define(noop("a")))
    until_status(ws, run, "completed")
    assert ws.ask({"type": "workflow:cancel", "id": 1, "executionId": run})["code"] == "conflict"


def test_changes_are_in_the_audit_log(stepmill, ws):
    run = trigger(ws, stepmill.define(ask_step()))
    until_status(ws, run, "paused")
    ws.ask({"type": "workflow.approval", "id": 5, "executionId": run, "stepId": "ask",
            "approved": True})
    rows = stepmill.sql("select who, what from audit_log where target = %s order by id", run)
    assert (f"dev/{ws.client}", "approval.approve") in rows
    assert any(who == f"dev/{ws.client}" for who, what in rows if "approval" not in what), rows


# ---- all connections of a client, anywhere, also after a reconnect ----

def test_all_connections_of_a_client_are_told(stepmill):
    with stepmill.supervisor(pool_workers=0) as other:
        with connect(stepmill) as first, connect(stepmill, first.client) as second, \
                connect(other, first.client) as third, connect(stepmill) as stranger:
            run = trigger(first, stepmill.define(ask_step(), noop("b")))
            for ws in (first, second, third):
                assert ws.until("workflow.approval.request")["executionId"] == run
            first.close()
            with connect(other, first.client) as again:
                assert again.until("workflow.approval.request")["executionId"] == run
                answer = again.ask({"type": "workflow.approval", "id": 1, "executionId": run,
                                    "stepId": "ask", "approved": True})
                assert answer["type"] == "workflow.status", answer
                for ws in (second, third, again):
                    assert until_status(ws, run, "completed")
            with connect(other, first.client) as later:
                assert later.ask({"type": "ping", "id": 1})["type"] == "pong"
                assert later.ask({"type": "workflow.list", "id": 2})  # nothing pending came
            assert stranger.ask({"type": "ping", "id": 1}) == {"type": "pong", "id": 1}
            assert stranger.buffer == b"" and stranger.kept == []


def test_pending_requests_come_again(stepmill, ws):
    runs = [trigger(ws, stepmill.define(ask_step())) for _ in range(3)]
    asked = {ws.until("workflow.approval.request")["executionId"] for _ in runs}
    assert asked == set(runs)
    stepmill.post(f"/api/executions/{runs[1]}/steps/ask/deny")
    with connect(stepmill, ws.client) as again:
        got = [again.until("workflow.approval.request") for _ in range(2)]
        assert got[0]["stepId"] == "ask" and got[0]["stepDescription"] == "Shall it go on?"
        assert {one["executionId"] for one in got} == {runs[0], runs[2]}


# ---- subscriptions ----

def test_three_dialects_of_one_run(stepmill):
    """One log, three encodings: each event is told as the table says, in its order."""
    workflow = stepmill.define(
        shell("fails", "[ $STEPMILL_ATTEMPT = 2 ]",
              retry={"maxAttempts": 2, "backoff": "fixed", "delay": 1}),
        ask_step(), noop("skipped", **{"if": "false"}), shell("last", "echo done"))
    with connect(stepmill) as colon, connect(stepmill) as camel, connect(stepmill) as own:
        run = trigger(own, workflow)
        ack = colon.ask({"type": "workflow:subscribe", "id": 1, "executionId": run, "since": 0})
        assert ack["type"] == "ack" and ack["lastSeq"] >= 1 and ack["executionId"] == run
        ack = camel.ask({"type": "SubscribeWorkflow", "id": 1, "run_id": run, "since": 0})
        assert ack["type"] == "ack"
        statuses = until_status(own, run, "paused")
        own.ask({"type": "workflow.approval", "id": 2, "executionId": run, "stepId": "ask",
                 "approved": True, "comment": "go"})
        rows = collect(colon, run, "workflow:execution:completed")
        facts = collect(camel, run, "WorkflowRunCompleted", "run_id")
        statuses += until_status(own, run, "completed")
    events = stepmill.events(run)
    check_colon(stepmill, run, events, rows)
    check_camel(events, facts)
    assert {s["status"] for s in statuses} == {"running", "paused", "completed"}
    assert set(statuses[-1]["stepResults"]) == {"fails", "ask", "last"}


def check_colon(stepmill, run, events, rows):
    said = {"run.started": "workflow:execution:started", "comment.added": "workflow:comment:added",
            "artifact.created": "workflow:artifact:created",
            "run.completed": "workflow:execution:completed"}
    expected = [(e["seq"], said.get(e["type"], "workflow:step:updated")) for e in events]
    told = [(m["seq"], m["type"]) for m in rows if m["type"] != "workflow.approval.request"]
    assert told == expected
    assert [m["stepId"] for m in rows if m["type"] == "workflow.approval.request"] == ["ask"]
    steps = {step["id"]: step for step in stepmill.execution(run)["steps"]}
    for message in rows:
        if message["type"] == "workflow:step:updated":
            assert message["status"] in ("RUNNING", "PAUSED", "COMPLETED")
            assert "current_workflow_step_id" in message
            if "stepId" in message:
                assert steps[message["stepId"]]["stepKey"] == message["stepKey"]
    assert rows[-1]["status"] == "COMPLETED"
    assert [m["comment"]["message"] for m in rows if m["type"] == "workflow:comment:added"] == [
        "Approved by dev: ask: go"]


def check_camel(events, facts):
    said = {"run.started": "WorkflowRunStarted", "step.started": "WorkflowStepStarted",
            "step.completed": "WorkflowStepCompleted", "step.failed": "WorkflowStepFailed",
            "run.paused": "WorkflowRunPaused", "run.completed": "WorkflowRunCompleted"}
    assert [(m["seq"], m["type"]) for m in facts] == [
        (e["seq"], said[e["type"]]) for e in events if e["type"] in said]
    by_type = {m["type"]: m for m in facts}
    assert by_type["WorkflowRunStarted"]["trigger_type"] == "manual"
    failed = by_type["WorkflowStepFailed"]
    assert failed["step_id"] == "fails" and failed["will_retry"] is True and failed["error"]
    assert by_type["WorkflowRunPaused"]["reason"] == "approval"
    assert by_type["WorkflowRunPaused"]["step_id"] == "ask"
    assert by_type["WorkflowRunCompleted"]["steps_completed"] == 3
    assert by_type["WorkflowStepCompleted"]["duration_ms"] >= 0


def test_a_run_is_followed_over_reconnects_on_any_supervisor(stepmill):
    """Cut after every few events and gone on with from the last: no gap, no repeat. (I-7)"""
    run = stepmill.begin(*(shell(f"s{n}", "sleep 0.05") for n in range(15)))
    with stepmill.supervisor(pool_workers=0) as other:
        seqs, last, over = [], 0, False
        for turn in itertools.count():
            at = (stepmill, other)[turn % 2]
            with connect(at) as ws:
                ws.say({"type": "workflow:subscribe", "executionId": run, "since": last})
                for _ in range(4):
                    message = ws.next()
                    if message["type"] == "ack":
                        continue
                    assert message["type"].startswith("workflow:"), message
                    seqs.append(message["seq"])
                    last = message["seq"]
                    if message["type"] == "workflow:execution:completed":
                        over = True
                        break
            if over:
                break
    assert seqs == [event["seq"] for event in stepmill.events(run)]


def test_a_subscription_without_since_begins_now(stepmill, ws):
    run = stepmill.begin(ask_step(), noop("b"))
    stepmill.wait_step(run, "ask", "WAITING_APPROVAL")
    wait_for("paused", lambda: stepmill.execution(run)["status"] == "PAUSED")
    ack = ws.ask({"type": "workflow:subscribe", "id": 1, "executionId": run})
    stepmill.post(f"/api/executions/{run}/steps/ask/approve")
    got = collect(ws, run, "workflow:execution:completed")
    assert got[0]["seq"] == ack["lastSeq"] + 1


def test_the_readable_name_of_a_run(stepmill, ws):
    run = stepmill.begin(ask_step())
    name = stepmill.execution(run)["runId"]
    ack = ws.ask({"type": "workflow:subscribe", "id": 1, "executionId": name, "since": 0})
    assert ack["executionId"] == run
    stepmill.post(f"/api/executions/{run}/cancel")
    got = collect(ws, run, "workflow:execution:completed")
    assert got[-1]["status"] == "CANCELLED"
    assert ws.ask({"type": "workflow:unsubscribe", "id": 2, "executionId": name})["type"] == "ack"


def test_every_run(stepmill):
    """Of one workflow, and of all; a run with a subscription of its own is told once."""
    wanted, unwanted = stepmill.define(noop("a")), stepmill.define(noop("a"))
    with connect(stepmill) as one, connect(stepmill) as all_, connect(stepmill) as camel:
        assert one.ask({"type": "workflow:subscribe", "id": 1, "executionId": "*",
                        "workflowId": wanted})["type"] == "ack"
        assert all_.ask({"type": "workflow:subscribe", "id": 1, "executionId": "*"})
        assert camel.ask({"type": "SubscribeWorkflow", "id": 1, "run_id": "*"})
        other, run = stepmill.execute(unwanted), stepmill.execute(wanted)
        all_.say({"type": "workflow:subscribe", "id": 2, "executionId": run, "since": 0})
        stepmill.wait_ended(other)
        stepmill.wait_ended(run)
        seqs = [event["seq"] for event in stepmill.events(run)]
        got = []
        while not got or got[-1]["type"] != "workflow:execution:completed":
            got.append(one.next())
        assert {m["executionId"] for m in got} == {run}
        assert [m["seq"] for m in got] == seqs
        told = {run: [], other: []}
        while len(told[run]) < len(seqs) or len(told[other]) < len(seqs):
            message = all_.next()
            if message.get("id") == 2:  # what it was told before, it has just asked for again
                told[run].clear()
            elif message.get("executionId") in told and "seq" in message:
                told[message["executionId"]].append(message["seq"])
        assert told == {run: seqs, other: seqs}
        for run_id in (run, other):
            assert collect_any(camel, run_id)["steps_completed"] == 1


def collect_any(camel, run, seen={}):
    key = (id(camel), run)
    while key not in seen:
        message = camel.next()
        if message["type"] == "WorkflowRunCompleted":
            seen[(id(camel), message["run_id"])] = message
    return seen[key]


def test_unsubscribing(stepmill, ws):
    run = stepmill.begin(ask_step(), noop("b"))
    assert ws.ask({"type": "workflow:subscribe", "id": 1, "executionId": run})
    assert ws.ask({"type": "SubscribeWorkflow", "id": 2, "run_id": run})
    wait_for("paused", lambda: stepmill.execution(run)["status"] == "PAUSED")
    assert ws.ask({"type": "workflow:unsubscribe", "id": 3, "executionId": run})["type"] == "ack"
    assert ws.ask({"type": "workflow:unsubscribe", "id": 4, "executionId": run})["type"] == "ack"
    ws.kept.clear()
    stepmill.post(f"/api/executions/{run}/steps/ask/approve")
    got = []
    while not got or got[-1]["type"] != "WorkflowRunCompleted":
        got.append(ws.next())
    assert not [m for m in got if m["type"].startswith("workflow:")]
    assert ws.ask({"type": "UnsubscribeWorkflow", "id": 5, "run_id": "*"})["type"] == "ack"


def test_a_large_output_is_left_out(stepmill, ws):
    run = trigger(ws, stepmill.define(shell("big", "head -c 100000 /dev/zero | tr '\\0' x")))
    ws.say({"type": "workflow:subscribe", "executionId": run, "since": 0})
    done = [m for m in collect(ws, run, "workflow:execution:completed")
            if m["type"] == "workflow:step:updated"][-1]
    assert done["step"]["outputTruncated"] is True and "output" not in done["step"]


# ---- who reads slowly ----

def test_a_slow_reader_is_told_of_its_gap(stepmill):
    """Every run's events cannot wait: the oldest go, and the client catches up over HTTP."""
    step = shell("big", "head -c 60000 /dev/zero | tr '\\0' x")
    workflow = stepmill.define(*({**step, "id": f"s{n}"} for n in range(20)))
    with connect(stepmill, receive_buffer=4096) as slow:
        assert slow.ask({"type": "workflow:subscribe", "id": 1, "executionId": "*",
                         "workflowId": workflow})["type"] == "ack"
        runs = [stepmill.execute(workflow) for _ in range(5)]
        for run in runs:
            stepmill.wait_ended(run)
        logs = {run: [e["seq"] for e in stepmill.events(run)] for run in runs}
        last = {run: 0 for run in runs}
        gaps = 0
        while any(last[run] < logs[run][-1] for run in runs):
            message = slow.next()
            run = message.get("executionId")
            if message["type"] == "events.gap":
                gaps += 1
                assert message["lastSeq"] > last[run]
                last[run] = message["lastSeq"]
            elif "seq" in message:
                assert message["seq"] == last[run] + 1, "a gap that was not told"
                last[run] = message["seq"]
        assert gaps >= 1
        assert slow.ask({"type": "ping", "id": 2})["type"] == "pong"


def test_who_catches_up_slowly_misses_nothing(stepmill):
    step = shell("big", "head -c 60000 /dev/zero | tr '\\0' x")
    run = stepmill.begin(*({**step, "id": f"s{n}"} for n in range(40)))
    stepmill.wait_ended(run)
    with connect(stepmill, receive_buffer=4096) as slow:
        slow.say({"type": "workflow:subscribe", "executionId": run, "since": 0})
        got = collect(slow, run, "workflow:execution:completed")
    assert [m["seq"] for m in got] == [e["seq"] for e in stepmill.events(run)]


# ---- keys ----

@pytest.fixture(scope="module")
def guarded(shared):
    with shared.supervisor(pool_workers=0, auth_required="true",
                           http_allowed_origins="https://app.example.com") as supervisor:
        supervisor.stepmill = shared
        yield supervisor


def make_key(stepmill, role="operator", project=None):
    key = f"sm_{uuid.uuid4().hex}"
    stepmill.sql("insert into api_keys (id, name, key_hash, role, project_id)"
                 " values (gen_random_uuid(), %s, %s, %s, %s)", key[:12],
                 hashlib.sha256(key.encode()).digest(), role, project)
    return key


def bearer(key):
    return [("Authorization", f"Bearer {key}")]


def test_three_ways_to_bring_a_key(guarded):
    key = make_key(guarded.stepmill)
    with RawWs(guarded.url, headers=bearer(key)) as ws:
        assert ws.ask({"type": "workflow.list", "id": 1})["type"] == "workflow.list.result"
    with RawWs(guarded.url, path=f"/ws?access_token={key}") as ws:
        assert ws.ask({"type": "workflow.list", "id": 1})["type"] == "workflow.list.result"
        assert ws.ask({"type": "auth", "id": 2, "token": key})["code"] == "conflict"
    with RawWs(guarded.url) as ws:
        assert ws.ask({"type": "workflow.list", "id": 1})["code"] == "forbidden"
        assert ws.ask({"type": "ping", "id": 2})["type"] == "pong"
        assert ws.ask({"type": "auth", "id": 3, "token": key}) == {"type": "ack", "id": 3}
        assert ws.ask({"type": "workflow.list", "id": 4})["type"] == "workflow.list.result"
    assert key not in guarded.log()


@pytest.mark.parametrize("headers, path", [
    (bearer("wrong"), "/ws"), ([("Authorization", "Basic abc")], "/ws"),
    ([], "/ws?access_token=wrong"), ([], "/ws?access_token=")])
def test_bad_keys_are_refused(guarded, headers, path):
    with RawWs(guarded.url, headers=headers, path=path, upgrade=False) as ws:
        assert ws.status == 401 and "Bearer" in ws.headers["www-authenticate"]


def test_what_comes_right_behind_the_key_waits_for_it(guarded):
    key = make_key(guarded.stepmill)
    with RawWs(guarded.url) as ws:
        ws.send(*(fast_frame(json.dumps(message).encode()) for message in (
            {"type": "auth", "id": 1, "token": key}, {"type": "workflow.list", "id": 2},
            {"type": "ping", "id": 3}, {"type": "auth", "id": 4, "token": key})))
        answers = {answer["id"]: answer for answer in (ws.next() for _ in range(4))}
        assert answers[2]["type"] == "workflow.list.result", answers[2]
        assert answers[4]["code"] == "conflict"
    with RawWs(guarded.url) as ws:
        ws.send(*(fast_frame(json.dumps(message).encode()) for message in (
            {"type": "auth", "id": 1, "token": "wrong"}, {"type": "workflow.list", "id": 2})))
        assert ws.next()["code"] == "forbidden"
        assert ws.closing()[0] == 1008


def test_a_bad_key_in_a_message(guarded):
    with RawWs(guarded.url) as ws:
        answer = ws.ask({"type": "auth", "id": 1, "token": "wrong"})
        assert (answer["type"], answer["code"]) == ("error", "forbidden")
        assert ws.closing()[0] == 1008


@pytest.mark.long
def test_two_pings_without_a_pong(stepmill):
    """Who says nothing, and reads all the same."""
    with connect(stepmill, timeout=90) as ws:
        pings = 0
        while True:
            fin, reserved, opcode, payload = ws.frame()
            if opcode == CLOSE:
                break
            assert opcode == PING
            pings += 1
        assert pings == 2 and payload[:2] == close_payload(1011)


@pytest.mark.long
def test_a_message_that_never_ends(stepmill):
    with connect(stepmill, timeout=90) as ws:
        ws.send(frame(b'{"type":', fin=False))
        with pytest.raises(Closed) as closed:
            while True:
                ws.next()
        assert closed.value.code == 1008


@pytest.mark.long
def test_a_client_follows_run_after_run(stepmill):
    """More than it may follow at once, one after another, without a word that it is enough."""
    workflow = stepmill.define(noop("a"))
    runs = [stepmill.execute(workflow) for _ in range(1050)]
    with connect(stepmill) as ws:
        for run in runs:
            stepmill.wait_ended(run)
            ws.say({"type": "SubscribeWorkflow", "id": run, "run_id": run, "since": 0})
            assert ws.until("WorkflowRunCompleted")["run_id"] == run


def test_who_does_not_say_who_it_is(guarded):
    with RawWs(guarded.url) as ws:
        code, reason = ws.closing()
        assert code == 1008 and "10 s" in reason


def test_origins(guarded):
    key = make_key(guarded.stepmill)
    for origin, status in (("https://app.example.com", 101), (guarded.url, 101),
                           ("https://evil.example.com", 403)):
        with RawWs(guarded.url, headers=[("Origin", origin), *bearer(key)],
                   upgrade=False) as ws:
            assert ws.status == status, origin


@pytest.mark.parametrize("message", [
    {"type": "workflow.trigger", "workflowId": "w"},
    {"type": "workflow:cancel", "executionId": "w-1"},
    {"type": "workflow.approval", "executionId": "w-1", "stepId": "a", "approved": True}])
def test_a_viewer_changes_nothing(guarded, message):
    with RawWs(guarded.url, headers=bearer(make_key(guarded.stepmill, "viewer"))) as ws:
        assert ws.ask({**message, "id": 1})["code"] == "forbidden"
        assert ws.ask({"type": "workflow.list", "id": 2})["type"] == "workflow.list.result"


def test_a_key_of_a_project_stays_there(guarded):
    stepmill = guarded.stepmill
    project = str(uuid.uuid4())
    stepmill.sql("insert into projects (id, name, path) values (%s, %s, %s)", project,
                 f"p-{project[:8]}", str(stepmill.folder))
    workflow = stepmill.define(ask_step())
    others = stepmill.execute(workflow)
    with RawWs(guarded.url, headers=bearer(make_key(stepmill, "operator", project))) as ws:
        for message in ({"type": "workflow:subscribe", "executionId": others},
                        {"type": "workflow:subscribe",
                         "executionId": stepmill.execution(others)["runId"]},
                        {"type": "SubscribeWorkflow", "run_id": others},
                        {"type": "workflow:cancel", "executionId": others},
                        {"type": "workflow.approval", "executionId": others, "stepId": "ask",
                         "approved": True},
                        {"type": "workflow.trigger", "workflowId": workflow,
                         "projectId": "00000000-0000-7000-8000-000000000001"}):
            assert ws.ask({**message, "id": 1})["code"] == "not_found", message
        assert ws.ask({"type": "workflow.execution.list", "id": 2})["executions"] == []
        assert ws.ask({"type": "workflow:subscribe", "id": 3, "executionId": "*"})
        elsewhere = stepmill.execute(workflow)
        own = trigger(ws, workflow)
        assert stepmill.execution(own)["projectId"] == project
        while (message := ws.next()).get("type") != "workflow:step:updated":
            pass
        assert message["executionId"] == own
        listed = ws.ask({"type": "workflow.execution.list", "id": 4})["executions"]
        assert [e["id"] for e in listed] == [own]
        for run in (others, elsewhere, own):
            stepmill.post(f"/api/executions/{run}/cancel")


def test_messages_count_as_requests(stepmill):
    """In the buckets that HTTP has, too: whoever asks too often is told, and stays."""
    with stepmill.supervisor(pool_workers=0, http_rate_limit=1, http_rate_burst=20) as strict:
        with connect(strict) as ws:
            ws.send(*(frame(json.dumps({"type": "ping", "id": i})) for i in range(40)))
            answers = [ws.next() for _ in range(40)]
            refused = [a for a in answers if a["type"] == "error"]
            assert {a["code"] for a in refused} == {"rate_limited"}
            assert 15 <= len(refused) <= 39 and refused[0]["id"] is not None


@pytest.mark.long
def test_a_revoked_key_loses_its_connection(guarded):
    key = make_key(guarded.stepmill)
    with RawWs(guarded.url, headers=bearer(key), timeout=60) as ws:
        assert ws.ask({"type": "ping", "id": 1})
        guarded.stepmill.sql("update api_keys set revoked_at = now() where name = %s", key[:12])
        with pytest.raises(Closed) as closed:
            while True:
                ws.next()
        assert closed.value.code == 1008


# ---- going away ----

def test_a_drain_closes_with_a_hint(stepmill):
    run = stepmill.begin(ask_step(), noop("b"))
    with stepmill.supervisor(pool_workers=0) as other:
        ws = connect(other)
        ws.say({"type": "workflow:subscribe", "executionId": run, "since": 0})
        last = 0
        while last < 2:
            last = ws.next().get("seq", 0)
        other.process.terminate()
        code, reason = ws.closing()
        assert code == 1001 and "since" in reason
        ws.send(frame(close_payload(1001), CLOSE))
        assert not ws.ended()
        assert other.process.wait(30) == 0
    with connect(stepmill) as again:
        again.say({"type": "workflow:subscribe", "executionId": run, "since": last})
        stepmill.post(f"/api/executions/{run}/steps/ask/approve")
        seqs = [m["seq"] for m in collect(again, run, "workflow:execution:completed")
                if m["type"] != "workflow.approval.request"]
        assert seqs == list(range(last + 1, seqs[-1] + 1))


# ---- clients that other people wrote ----

def test_python_websockets(stepmill):
    """With its own compression, pings and closing."""
    run = stepmill.begin(*(noop(f"s{n}") for n in range(10)))

    async def talk():
        url = stepmill.url.replace("http", "ws") + "/ws?client=python"
        async with websockets.connect(url, subprotocols=["stepmill.v1"]) as ws:
            assert ws.subprotocol == "stepmill.v1"
            await ws.send(json.dumps({"type": "workflow:subscribe", "id": 1,
                                      "executionId": run, "since": 0}))
            seqs = []
            while True:
                message = json.loads(await ws.recv())
                if "seq" in message:
                    seqs.append(message["seq"])
                if message["type"] == "workflow:execution:completed":
                    break
            await asyncio.wait_for(await ws.ping(), 10)
            await ws.send(json.dumps({"type": "ping", "id": 2, "x": "x" * 1_000_000}))
            assert json.loads(await ws.recv()) == {"type": "pong", "id": 2}
            await ws.close(1000, "done")
            return seqs, ws.close_code

    seqs, code = asyncio.run(talk())
    assert seqs == [event["seq"] for event in stepmill.events(run)]
    assert code == 1000


@pytest.fixture(scope="session")
def node_clients():
    """Installed below build/, at the versions that package.json pins."""
    here = ROOT / "tests/conformance/ws"
    work = ROOT / "build/conformance/ws"
    work.mkdir(parents=True, exist_ok=True)
    wanted = (here / "package.json").read_text()
    installed = work / "package.json"
    if not installed.exists() or installed.read_text() != wanted or \
            not (work / "node_modules").is_dir():
        installed.write_text(wanted)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=work,
                       check=True, timeout=300)
    return work


@pytest.mark.parametrize("library", ["ws", "websocket", "undici"])
def test_clients_of_node(stepmill, node_clients, library):
    run = stepmill.begin(shell("a", "echo 1"), noop("b"))
    done = subprocess.run(
        ["node", ROOT / "tests/conformance/ws/clients.mjs", node_clients, library,
         stepmill.url.replace("http", "ws") + f"/ws?client=node-{library}", run],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["protocol"] == "stepmill.v1", result
    assert result["answers"] == {"Grüße 😀": "pong", "large": "pong",
                                 "list": "workflow.list.result", "events": "ack"}, result
    assert [seq for seq, _ in result["events"]] == [e["seq"] for e in stepmill.events(run)]
    assert result["code"] == 1000 and "error" not in result, result
    if library == "ws":
        assert "permessage-deflate" in result["extensions"]
