"""Many runs in one call: all of them or none, in the order of their inputs."""
import json
import signal
import socket
import threading
import uuid

import pytest
from harness.stepmill import Stepmill, noop, shell, tool, wait_for
from test_api import bearer, check_problem
from test_confinement import key_for, project
from test_key_tools import new_key

INPUT = {"type": "object", "properties": {"n": {"type": "integer"}, "name": {"type": "string"}}}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOBODY = "00000000-0000-7000-8000-00000000ffff"


@pytest.fixture(scope="module")
def own():
    """Of this module: it starts ten thousand runs."""
    with Stepmill(workers=2) as stepmill:
        yield stepmill


@pytest.fixture(scope="module")
def guarded(own):
    with own.supervisor(pool_workers=0, auth_required="true") as supervisor:
        yield supervisor


def ask(server, workflow, inputs, headers=None, **more):
    body = inputs if isinstance(inputs, (str, bytes)) else {"inputs": inputs, **more}
    headers = {"Content-Type": "application/json", **(headers or {})}
    return server.ask("POST", f"/api/workflows/{workflow}/execute-batch", body, headers, timeout=120)


def start(server, workflow, inputs, headers=None, **more):
    answer = ask(server, workflow, inputs, headers, **more)
    assert answer.status == 202, answer.body[:2000]
    assert answer.headers["Stepmill-Read-After"]
    assert set(answer.json) == {"executionIds"}
    return answer.json["executionIds"]


def runs_of(own, workflow):
    return own.sql("select count(*) from v_runs where workflow_name = %s", workflow)[0][0]


def wait_over(own, ids, seconds=120):
    wait_for("all are over", lambda: own.sql(
        "select count(*) from v_runs where id = any (%s::uuid[]) and status = 'completed'",
        ids)[0][0] == len(ids), seconds, every=0.2)


def test_ids_come_in_the_order_of_the_inputs(own):
    workflow = own.define(shell("a", "echo {{input.n}}"), input=INPUT)
    inputs = [{"n": n, "name": "x" * (n % 7)} for n in (5, 3, 9, 1, 1, 0)]
    ids = start(own, workflow, inputs, {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
                priority="high")
    assert ids == sorted(ids) and len(set(ids)) == len(inputs)
    for run, given in zip(ids, inputs):
        ended = own.wait_ended(run)
        assert (ended["status"], ended["input"], ended["priority"]) == ("COMPLETED", given, "high")
        assert (ended["triggeredBy"], ended["traceId"]) == ("manual", TRACE)
        assert [event["seq"] for event in own.events(run)] == list(range(1, ended["lastSeq"] + 1))


def test_what_is_no_input_is_an_empty_one(own):
    ids = start(own, own.define(noop("a")), [None, {}])
    assert [own.wait_ended(run)["input"] for run in ids] == [{}, {}]


def test_ten_thousand_at_once_are_completed(own):
    workflow = own.define(noop("a"), noop("b"), input=INPUT)
    ids = start(own, workflow, [{"n": n} for n in range(10000)])
    assert len(set(ids)) == 10000
    rows = own.sql("select (r.input->>'n')::int from workflow_runs r"
                   " join unnest(%s::uuid[]) with ordinality t (id, place) on r.id = t.id"
                   " order by t.place", ids)
    assert [row[0] for row in rows] == list(range(10000))
    wait_over(own, ids, 240)
    assert own.sql("select count(*), min(seq), max(seq), count(distinct execution_id)"
                   " from workflow_events where execution_id = any (%s::uuid[])",
                   ids)[0][3] == 10000


def test_a_graph_begins_with_all_its_steps(own):
    workflow = own.define(noop("a", needs=[]), noop("b", needs=[]), noop("c", needs=["a", "b"]))
    wait_over(own, start(own, workflow, [{}] * 700))


def test_one_row_of_the_audit_log_counts_them(own):
    workflow = own.define(noop("a"))
    ids = start(own, workflow, [{}] * 3)
    rows = own.sql("select details from audit_log where what = 'workflow.execute-batch'"
                   " and target = %s", workflow)
    assert [row[0] for row in rows] == [
        {"count": 3, "firstExecutionId": ids[0], "lastExecutionId": ids[2]}]


# ---- refused ----

def test_one_bad_input_refuses_all(own):
    workflow = own.define(noop("a"), input=INPUT)
    inputs = [{"n": n, "name": "x"} for n in range(1000)]
    inputs[17]["name"] = 17
    inputs[900] = "no object"
    problem = check_problem(ask(own, workflow, inputs), 422)
    assert [error["path"] for error in problem["errors"]] == ["inputs[17].name", "inputs[900]"]
    assert runs_of(own, workflow) == 0
    assert own.sql("select count(*) from audit_log where target = %s"
                   " and what = 'workflow.execute-batch'", workflow)[0][0] == 0


def test_at_most_a_hundred_errors_are_told(own):
    workflow = own.define(noop("a"), input=INPUT)
    problem = check_problem(ask(own, workflow, [{"n": "x"}] * 5000), 422)
    assert [error["path"] for error in problem["errors"]] == [f"inputs[{i}].n" for i in range(100)]
    assert runs_of(own, workflow) == 0


def test_a_key_that_cannot_be_made_refuses_all(own):
    workflow = own.define(noop("a"), concurrency={"key": "{{input.repo}}", "limit": 1})
    problem = check_problem(ask(own, workflow, [{"repo": "a"}, {}]), 422)
    assert [error["path"] for error in problem["errors"]] == ["inputs[1]"]
    assert runs_of(own, workflow) == 0


@pytest.mark.parametrize("body", [
    "", "[]", "{}", '{"inputs": 5}', '{"inputs": []}', '{"inputs": {"a": [{}]}}', '{"inputs": [{}]',
    '{"inputs": [{}}', '{"inputs": [{}], "inputs": [{}]}', '{"\\u0069nputs": [{}]}',
    '{"inputs": [{}]} x', '{"inputs": [{}], "priority": "extreme"}',
    '{"inputs": [{}], "projectId": "x"}', '{"inputs": [{}] [{}]}', '{"x": [{}]}',
    '{"inputs": [{}], "priority": 5}', '{"inputs": [{}], }'])
def test_what_is_no_batch(own, body):
    workflow = own.define(noop("a"))
    check_problem(ask(own, workflow, body), 400)
    assert runs_of(own, workflow) == 0


@pytest.mark.parametrize("item", [
    "", "{} {}", "{]", '{"a": 1, "a": 2}', "{'a': 1}", "[1}", "nul", '{"a": "\x01"}', "{},"])
def test_what_is_no_input(own, item):
    workflow = own.define(noop("a"))
    problem = check_problem(ask(own, workflow, '{"inputs": [{}, %s]}' % item), 422)
    assert problem["errors"][0]["path"].startswith("inputs["), problem
    assert runs_of(own, workflow) == 0


def test_too_much(own):
    workflow = own.define(noop("a"))
    check_problem(ask(own, workflow, [0] * 10001), 413)
    problem = check_problem(ask(own, workflow, [{}, {"x": "y" * (4 << 20)}]), 413)
    assert problem["detail"].startswith("inputs[1]")
    check_problem(ask(own, workflow, [{}], x="y" * 70000), 413)
    wide = own.define(*(noop(f"s{i}", needs=[]) for i in range(60)))
    check_problem(ask(own, wide, [{}] * 10000), 413)
    assert runs_of(own, workflow) == runs_of(own, wide) == 0


def test_a_large_body_is_taken(own):
    workflow = own.define(noop("a"))
    inputs = [{"n": n, "text": "x" * 400_000} for n in range(40)]
    ids = start(own, workflow, inputs)
    assert own.sql("select input->>'n', length(input->>'text') from workflow_runs where id = %s",
                   ids[39])[0] == ("39", 400_000)
    wait_over(own, ids)


def test_who_cannot_be_run(own):
    check_problem(ask(own, "there-is-none", [{}]), 404)
    workflow = own.define(noop("a"))
    check_problem(ask(own, workflow, [{}], projectId=NOBODY), 404)
    check_problem(ask(own, workflow, [{}], headers={"Content-Type": "text/plain"}), 415)
    own.ask("DELETE", f"/api/workflows/{workflow}?deactivate=true")
    check_problem(ask(own, workflow, [{}]), 409)


# ---- the same again ----

def test_a_repetition_gets_the_same_ids(own):
    workflow = own.define(noop("a"), input=INPUT)
    key = {"Idempotency-Key": workflow}
    check_problem(ask(own, workflow, [{"n": "x"}], key), 422)
    ids = start(own, workflow, [{"n": n} for n in range(1500)], key)
    again = ask(own, workflow, [{"n": n} for n in range(1500)], key)
    assert again.headers["Idempotency-Replayed"] == "true" and again.headers["Stepmill-Read-After"]
    assert (again.status, again.json["executionIds"]) == (202, ids)
    check_problem(ask(own, workflow, [{"n": 1}], key), 422)
    assert runs_of(own, workflow) == 1500
    wait_over(own, ids)


def test_who_goes_before_all_was_said_has_started_nothing(own):
    workflow = own.define(noop("a"))
    host, port = own.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall((f"POST /api/workflows/{workflow}/execute-batch HTTP/1.1\r\nHost: {host}\r\n"
                            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
                            '{"inputs": [{}, {}').encode())
    assert start(own, workflow, [{}])  # the supervisor goes on
    assert runs_of(own, workflow) == 1


def test_who_goes_after_all_was_said_has_started_all_or_none(own):
    """Whatever was under way then: checking, storing, or committing."""
    body = json.dumps({"inputs": [{"n": n} for n in range(2000)]}).encode()
    host, port = own.url.removeprefix("http://").split(":")
    workflows = [own.define(noop("a")) for _ in range(12)]
    for turn, workflow in enumerate(workflows):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall((f"POST /api/workflows/{workflow}/execute-batch HTTP/1.1\r\nHost: {host}"
                                "\r\nContent-Type: application/json\r\n"
                                f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
            for _ in range(turn):  # the later ones have got further by then
                own.get("/api/pool")
    start(own, workflows[0], [{}])  # in turn, after all of them
    assert runs_of(own, workflows[0]) in (1, 2001)
    for workflow in workflows[1:]:
        assert runs_of(own, workflow) in (0, 2000)


# ---- limited runs ----

def test_never_more_at_once_than_the_limit(own):
    workflow = own.define(noop("a"), shell("b", "sleep 0.02"), concurrency=2)
    ids = start(own, workflow, [{}] * 30)
    wait_over(own, ids)
    spans = own.sql("select started_at, completed_at from workflow_runs where id = any (%s::uuid[])", ids)
    for began, _ in spans:
        assert sum(1 for other, ended in spans if other <= began < ended) <= 2


def test_each_key_has_its_limit(own):
    workflow = own.define(noop("a"), concurrency={"key": "{{input.repo}}", "limit": 1})
    ids = start(own, workflow, [{"repo": f"r{n % 120}"} for n in range(360)])
    wait_over(own, ids)
    limited = own.define(noop("a"), concurrency=250)
    wait_over(own, start(own, limited, [{}] * 600))


# ---- who may ----

def test_a_confined_key_starts_in_its_project_only(own, guarded):
    red, blue = (project(own, f"{name}-{uuid.uuid4().hex[:6]}") for name in ("red", "blue"))
    key = bearer(key_for(own, red))
    workflow = own.define(noop("a"))
    ids = start(guarded, workflow, [{}, {}], key)
    assert {own.execution(run)["projectId"] for run in ids} == {red}
    start(guarded, workflow, [{}], key, projectId=red)
    check_problem(ask(guarded, workflow, [{}], key, projectId=blue), 404)
    theirs = f"blue-{uuid.uuid4().hex[:6]}"
    made = guarded.ask("POST", "/api/workflows", json.dumps({"name": theirs, "steps": [noop("a")]}),
                       {**bearer(key_for(own, blue)), "Content-Type": "application/yaml"})
    check_problem(ask(guarded, theirs, [{}], key), 404)
    check_problem(ask(guarded, made.json["id"], [{}], key), 404)
    check_problem(ask(guarded, workflow, [{}], bearer(key_for(own, red, "viewer"))), 403)


def test_runs_use_only_the_key_s_tools(own, guarded):
    workflow = own.define(tool("write", "files.write", {"path": "batch.txt", "content": "x"}))
    for tools, status in ((["files.*"], "COMPLETED"), (["git.*"], "FAILED")):
        ids = start(guarded, workflow, [{}, {}], bearer(new_key(own, tools)))
        assert {own.wait_ended(run)["status"] for run in ids} == {status}


def test_a_batch_under_way_outlives_the_drain(own):
    """TERM comes while ten thousand runs are being stored: they are, and it says which."""
    workflow = own.define(noop("only"))
    answers = []
    with own.supervisor(pool_workers=0) as supervisor:
        wait_for("it is ready", lambda: supervisor.ask("GET", "/readyz").status == 200)
        client = threading.Thread(target=lambda: answers.append(
            ask(supervisor, workflow, [{} for _ in range(10000)])))
        client.start()
        wait_for("it has come", lambda: own.sql(
            "select from pg_stat_activity where application_name like 'stepmill front changes%%'"
            " and state <> 'idle'") or answers)
        supervisor.process.send_signal(signal.SIGTERM)
        client.join()
        assert supervisor.process.wait(60) == 0
    [answer] = answers
    assert answer.status == 202, answer.body[:2000]
    ids = answer.json["executionIds"]
    assert len(ids) == 10000
    assert own.sql("select count(*) from workflow_runs where id = any(%s::uuid[])", ids) == [(10000,)]
