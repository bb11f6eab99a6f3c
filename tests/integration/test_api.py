"""Every route of docs/http-api.md, rightly and wrongly used; keys and roles; PostgreSQL and
Redis away; discovery of workflow files. Framing and limits of HTTP are test_http's."""
import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import threading
import time
import uuid

import psycopg
import pytest
from harness.routes import routes
from harness.servers import Server
from harness.stepmill import (ROOT, Stepmill, Supervisor, flow, moment, noop, shell, tool,
                              wait_for)

YAML = {"Content-Type": "application/yaml"}
NOBODY = "00000000-0000-7000-8000-00000000ffff"
numbers = itertools.count(1)


def new_name():
    return f"api-{next(numbers)}"


def check_problem(answer, status, *says):
    assert answer.status == status, (answer.status, answer.body[:500])
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status and problem["title"] and problem["type"]
    assert problem["requestId"] == answer.headers["X-Request-Id"]
    for text in says:
        assert re.search(text, json.dumps(problem, ensure_ascii=False)), (text, problem)
    return problem


# ---- workflows ----

def test_registering(stepmill):
    name = new_name()
    first = stepmill.ask("POST", "/api/workflows", flow(name, noop("a")), YAML)
    assert first.status == 201 and first.json["version"] == 1 and first.json["created"] is True
    again = stepmill.ask("POST", "/api/workflows", flow(name, noop("a")), YAML)
    assert again.status == 200 and again.json["created"] is False
    assert again.json["definitionId"] == first.json["definitionId"]
    # the same content, written otherwise
    text = f"# a comment\nname: {name}\nsteps:\n  - id: a\n    action: noop\n"
    assert stepmill.ask("POST", "/api/workflows", text, YAML).status == 200
    changed = stepmill.ask("POST", "/api/workflows", flow(name, noop("a"), noop("b")), YAML)
    assert changed.status == 201 and changed.json["version"] == 2
    assert changed.json["id"] == first.json["id"]
    back = stepmill.ask("POST", "/api/workflows", flow(name, noop("a")),
                        {"Content-Type": "application/json"})
    assert back.status == 201 and back.json["version"] == 3
    versions = stepmill.get(f"/api/workflows/{name}/versions")["data"]
    assert [v["version"] for v in versions] == [3, 2, 1]
    one = stepmill.get(f"/api/workflows/{name}")
    assert one["version"] == 3 and one == stepmill.get(f"/api/workflows/{one['id']}")
    assert one["config"]["steps"][0]["id"] == "a" and json.loads(one["source"])["name"] == name
    assert one["isActive"] is True and one["definitionPath"] == ""


def test_the_graph_is_what_the_engine_reads(stepmill):
    name = stepmill.define(
        noop("a", branches=[{"condition": "true", "goto": "c"}], onFailure="d"),
        noop("b", onSuccess="end"), noop("c"), noop("d"))
    graph = stepmill.get(f"/api/workflows/{name}")["graph"]
    assert [node["id"] for node in graph["nodes"]] == ["a", "b", "c", "d"]
    edges = {(e["from"], e["to"], e["kind"]) for e in graph["edges"]}
    assert {("a", "c", "branch"), ("a", "b", "next"), ("a", "d", "failure"),
            ("c", "d", "next")} <= edges
    assert not any(e[0] == "b" and e[2] == "next" for e in edges)


BROKEN = """\
name: broken
desciption: x
steps:
  - id: a
    action: nop
    retry: { backoff: expo }
  - id: b
    action: tool
    tool: git.lgo
    onSucess: a
  - { id: b, action: noop, onFailure: nowhere }
  - { id: c, action: tool, tool: shell, args: { command: "{{steps.aa.output}} {{1 +}}" } }
"""


@pytest.mark.parametrize("path", ["/api/workflows", "/api/workflows/validate"])
def test_all_errors_of_a_workflow_at_once(stepmill, path):
    answer = stepmill.ask("POST", path, BROKEN, YAML)
    problem = check_problem(answer, 422)
    errors = {(e["path"], e["line"], e["column"]): e["message"] for e in problem["errors"]}
    text = json.dumps(problem["errors"])
    for path, line, says in (("", 2, 'unknown key "desciption".*"description"'),
                             ("steps[0].action", 5, '"nop".*noop'),
                             ("steps[0].retry.backoff", 6, "expo.*fixed, linear, exponential"),
                             ("steps[1].tool", 9, "git.lgo.*git.log"),
                             ("steps[1]", 10, 'onSucess.*"onSuccess"'),
                             ("steps[2].id", 11, "b"),
                             ("steps[2].onFailure", 11, 'no step "nowhere"')):
        found = [m for (p, l, _), m in errors.items() if p == path and l == line]
        assert any(re.search(says, m) for m in found), (path, line, says, text)
    assert all(column >= 1 for _, _, column in errors)
    assert stepmill.ask("GET", "/api/workflows/broken").status == 404


@pytest.mark.parametrize("text, line, says", [
    ("", None, "."), ("name: x\n", 1, "steps"), ("name: x\nsteps: []\n", 2, "."),
    ("name: x\n\tsteps: 1\n", 2, "tab|character|token"), ("a: [1, 2\n", None, "."),
    ("- 1\n- 2\n", 1, "."), ('"just text"', 1, "."), ("name: Bad Name!\nsteps: 1\n", 1, "name"),
    ("name: x\nname: y\nsteps:\n - {id: a, action: noop}\n", 2, "twice|duplicate|again|already"),
    ("name: x\nsteps:\n - {id: a, action: noop, needs: [a]}\n", 3, "needs"),
    ("name: x\ntrigger: 0 9 * *\nsteps:\n - {id: a, action: noop}\n", 2, "trigger.*5 fields"),
    ("name: x\nsteps:\n - {id: a-b, action: noop}\n - {id: a_b, action: noop}\n", 4, "a-b"),
    ("name: x\nsteps:\n - {id: a, action: noop, onSuccess: b}\n", 3, "no step"),
    ("name: x\nsteps: &a\n - *a\n", None, "."),
    ("name: x\nmaxSteps: 0\nsteps:\n - {id: a, action: noop}\n", 2, "maxSteps|1"),
    ("name: x\ntimeout: never\nsteps:\n - {id: a, action: noop}\n", 2, "."),
    ("name: x\nsteps:\n - {id: a, action: tool, tool: shell, args: {command: x, cmd: y}}\n", 3,
     "cmd"),
    ("name: x\nsteps:\n - {id: a, action: noop, branches: [{condition: 'a &&', goto: end}]}\n",
     3, "."),
    (b"name: \xff\xfe\nsteps: []\n", None, "."), (b"name: a\x00b\n", None, "."),
    ("x" * 300_000, None, "256|large|long|bytes"),
    ("name: x\nsteps:\n" + "".join(f" - {{id: s{i}, action: noop}}\n" for i in range(1001)),
     None, "1000|1,000"),
    ("{a: " * 100 + "1" + "}" * 100, 1, "deep|64|level"),
])
def test_what_is_no_workflow(stepmill, text, line, says):
    for path in ("/api/workflows", "/api/workflows/validate"):
        problem = check_problem(stepmill.ask("POST", path, text, YAML), 422)
        assert problem["errors"]
        assert re.search(says, json.dumps(problem["errors"], ensure_ascii=False)), problem
        if line is not None:
            assert line in [e.get("line") for e in problem["errors"]], problem


def test_validating_stores_nothing(stepmill):
    name = new_name()
    answer = stepmill.ask("POST", "/api/workflows/validate", flow(name, noop("a")), YAML)
    assert answer.status == 200
    assert answer.json["valid"] is True and answer.json["name"] == name
    assert answer.json["config"]["steps"] and answer.json["graph"]["nodes"]
    assert stepmill.ask("GET", f"/api/workflows/{name}").status == 404


def test_a_workflow_must_be_yaml_or_json(stepmill):
    for kind in ("text/html", "multipart/form-data; boundary=x", "image/png"):
        for path in ("/api/workflows", "/api/workflows/validate"):
            answer = stepmill.ask("POST", path, flow(new_name(), noop("a")),
                                  {"Content-Type": kind})
            check_problem(answer, 415, "yaml")
    for kind in ("application/yaml; charset=utf-8", "application/x-yaml", "text/yaml",
                 "APPLICATION/JSON"):
        answer = stepmill.ask("POST", "/api/workflows", flow(new_name(), noop("a")),
                              {"Content-Type": kind})
        assert answer.status == 201, kind
    assert stepmill.ask("POST", "/api/workflows", flow(new_name(), noop("a"))).status == 201


def test_bodies_have_a_limit(stepmill):
    big = " " * (4 * 1024 * 1024 + 1)
    check_problem(stepmill.ask("POST", "/api/workflows", big, YAML), 413)
    name = stepmill.define(noop("a"))
    check_problem(stepmill.ask("POST", f"/api/workflows/{name}/execute", big), 413)
    assert stepmill.do(noop("a"))["status"] == "COMPLETED"


def test_lists_of_workflows(stepmill):
    names = sorted(stepmill.workflow(flow(f"listed-{c}{next(numbers)}", noop("a")))
                   for c in "cab")
    stepmill.workflow(flow(names[0], noop("a"), noop("b")))
    seen, page = [], 1
    while True:
        answer = stepmill.get(f"/api/workflows?limit=2&page={page}")
        assert answer["pagination"]["limit"] == 2 and answer["pagination"]["page"] == page
        if not answer["data"]:
            break
        seen += answer["data"]
        page += 1
    listed = [w["name"] for w in seen]
    assert len(listed) == len(set(listed)) == answer["pagination"]["total"]
    assert set(names) <= set(listed) and listed == sorted(listed)
    assert [w["version"] for w in seen if w["name"] == names[0]] == [2], "the newest of each"
    assert stepmill.get("/api/workflows?isActive=true&limit=1")["data"]
    for query in ("limit=0", "limit=101", "limit=x", "page=0", "page=-1", "page=", "limit=1e2",
                  "isActive=perhaps", "limit=99999999999999999999"):
        check_problem(stepmill.ask("GET", f"/api/workflows?{query}"), 400,
                      query.split("=")[0])


@pytest.mark.parametrize("method, path", [
    ("GET", "/api/workflows/{}"), ("GET", "/api/workflows/{}/versions"),
    ("POST", "/api/workflows/{}/execute"), ("POST", "/api/workflows/{}/trigger"),
    ("GET", "/api/executions/{}"), ("POST", "/api/executions/{}/cancel"),
    ("GET", "/api/executions/{}/events"), ("GET", "/api/executions/{}/events?wait=10s"),
    ("GET", "/api/executions/{}/logs"), ("GET", "/api/executions/{}/logs/download"),
    ("GET", "/api/executions/{}/artifacts"), ("GET", "/api/artifacts/{}/download")])
def test_what_is_not_there(stepmill, method, path):
    for name in ("nothing-here", "nothing-1", NOBODY, "-1", "x-99999999999999999999", "%C3%BC",
                 "'%20or%201=1--", "x" * 3000):
        check_problem(stepmill.ask(method, path.format(name)), 404)
    for name in ("%00", "a%2Fb", "..%2f..%2fetc", "%ff", "%zz"):
        check_problem(stepmill.ask(method, path.format(name)), 400)


def test_paths_and_methods(stepmill):
    for path in ("/api", "/api/", "/api/nothing", "/api/executions/a/b/c/d", "/", "/wss",
                 "/api/workflows/", "/api/v2/workflows", "/api/v1", "/api/v1/v1/workflows"):
        check_problem(stepmill.ask("GET", path), 404)
    for method, path in (("DELETE", "/api/workflows"), ("PUT", "/api/executions"),
                         ("GET", "/api/workflows/validate/x/execute"), ("POST", "/healthz"),
                         ("DELETE", "/api/pool"), ("PATCH", "/api/pool/drain")):
        answer = stepmill.ask(method, path)
        assert answer.status in (404, 405), (method, path)
        if answer.status == 405:
            assert answer.headers["Allow"]
    assert stepmill.ask("GET", "/api/v1/workflows?limit=1").json["data"]
    head = stepmill.ask("HEAD", "/api/workflows")
    assert head.status == 200 and head.body == b""
    options = stepmill.ask("OPTIONS", "/api/pool")
    assert options.status == 204 and set(options.headers["Allow"].split(", ")) >= {"GET", "PUT"}
    given = stepmill.ask("GET", "/api/nothing", headers={"X-Request-Id": "mine-1.2_3"})
    assert given.json["requestId"] == given.headers["X-Request-Id"] == "mine-1.2_3"
    odd = stepmill.ask("GET", "/api/nothing", headers={"X-Request-Id": "<script>"})
    assert odd.headers["X-Request-Id"] != "<script>"


# ---- executing ----

def test_executing_refuses_what_it_does_not_understand(stepmill):
    path = f"/api/workflows/{stepmill.define(noop('a'))}/execute"
    problem = check_problem(stepmill.ask("POST", path, '{"input": {"a": 1,}}'), 400)
    assert re.search(r"line 1|1:\d+|column|byte|position", problem["detail"]), problem
    check_problem(stepmill.ask("POST", path, "{\n  oops\n}"), 400, "2")
    for text in ("{", "nope", "[" * 100 + "]" * 100, '{"a": "\x01"}', b'{"a": "\xff"}',
                 '{"a": NaN}', "{} {}"):
        check_problem(stepmill.ask("POST", path, text), 400)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/yaml"):
        check_problem(stepmill.ask("POST", path, '{"input": {}}', {"Content-Type": kind}), 415,
                      "application/json")
    for body, says in ((["list"], "object"), ("text", "."), ({"priority": "urgent"}, "priority"),
                       ({"priority": 1}, "priority"), ({"runAt": "soon"}, "runAt"),
                       ({"runAt": 5}, "runAt"), ({"projectId": "x"}, "projectId")):
        answer = stepmill.ask("POST", path, json.dumps(body))
        assert answer.status in (400, 422), (body, answer.body)
        check_problem(answer, answer.status, says)
    unknown = stepmill.ask("POST", path, {"projectId": NOBODY})
    check_problem(unknown, 404, "project")
    assert "constraint" not in unknown.body.decode() and "insert" not in unknown.body.decode()


def test_executing(stepmill):
    name = stepmill.define(noop("a"), output="{{input}}")
    for path, body in ((f"/api/workflows/{name}/execute", None),
                       (f"/api/workflows/{name}/trigger", {}),
                       (f"/api/v1/workflows/{name}/execute", {"input": {"x": [1.5, "é"]}}),
                       (f"/api/workflows/{stepmill.get('/api/workflows/' + name)['id']}/execute",
                        {"input": None})):
        answer = stepmill.ask("POST", path, body)
        assert answer.status == 202, answer.body
        assert uuid.UUID(answer.json["executionId"]).version == 7
        run = stepmill.wait_ended(answer.json["executionId"])
        assert run["status"] == "COMPLETED"
        assert run["output"] == ((body or {}).get("input") or {})
        assert run["triggeredBy"] == "manual" and run["requestedBy"] == "dev"
        assert re.fullmatch(name + r"-\d+", run["runId"])
        assert stepmill.get(f"/api/executions/{run['runId']}")["id"] == run["id"]


def test_the_input_is_checked(stepmill):
    name = stepmill.define(noop("a"), input={
        "type": "object", "required": ["repo"],
        "properties": {"repo": {"type": "string"}, "depth": {"type": ["integer", "null"]}}})
    path = f"/api/workflows/{name}/execute"
    problem = check_problem(stepmill.ask("POST", path, {"input": {"depth": "x"}}), 422)
    says = {e["path"]: e["message"] for e in problem["errors"]}
    assert set(says) == {"input.repo", "input.depth"} and says["input.repo"] == "is required"
    assert re.fullmatch("expected (integer or null|null or integer), got string",
                        says["input.depth"])
    check_problem(stepmill.ask("POST", path), 422, "input.repo")
    for odd in ([1], "x", 5):
        check_problem(stepmill.ask("POST", path, {"input": odd}), 422, "object")
    assert stepmill.ask("POST", path, {"input": {"repo": "x", "depth": None}}).status == 202


def test_a_run_keeps_the_version_it_started_with(stepmill):
    name = new_name()
    stepmill.workflow(flow(name, shell("hold", f"until [ -e {name} ]; do sleep 0.02; done"),
                           shell("which", "echo one")))
    first = stepmill.execute(name)
    stepmill.wait_running(first, "hold")
    stepmill.workflow(flow(name, noop("hold"), shell("which", "echo two"), noop("more")))
    second = stepmill.wait_ended(stepmill.execute(name))
    (stepmill.folder / name).touch()
    ended = stepmill.wait_ended(first)
    assert ended["output"]["stdout"] == "one\n" and ended["version"] == 1
    assert [s["stepKey"] for s in ended["steps"]] == ["hold", "which"]
    assert second["version"] == 2 and len(second["steps"]) == 3


# ---- lists of runs ----

def test_filters(stepmill):
    name, other = stepmill.define(noop("a")), stepmill.define(shell("a", "false"))
    good = [stepmill.run(name)["id"] for _ in range(3)]
    since = stepmill.execution(good[2])["createdAt"]
    bad = [stepmill.run(other)["id"] for _ in range(2)]

    def ids(query):
        return [r["id"] for r in stepmill.get(f"/api/executions?limit=100&{query}")["data"]]

    assert ids(f"workflowId={name}") == good[::-1], "newest first"
    assert ids(f"workflowId={name}&sort=startedAt") == good
    assert ids(f"workflowId={name}&sort=-startedAt") == good[::-1]
    assert ids(f"workflowId={stepmill.get('/api/workflows/' + other)['id']}") == bad[::-1]
    assert ids(f"workflowId={name}&status=failed") == []
    assert ids(f"workflowId={other}&status=FAILED,completed") == bad[::-1]
    assert set(bad) <= set(ids("status=failed")) and not set(good) & set(ids("status=failed"))
    assert ids(f"workflowId={name}&triggeredBy=manual") == good[::-1]
    assert ids(f"workflowId={name}&triggeredBy=cron") == []
    assert ids(f"workflowId={name}&since={since}") == [good[2]]
    assert ids(f"workflowId={name}&until={since}") == good[1::-1]
    assert ids(f"q={stepmill.execution(good[1])['runId']}") == [good[1]]
    assert ids(f"q={name}") == good[::-1]
    assert ids("q=%25") == [] and ids("q=_-") == [], "no wildcards of SQL"
    assert ids(f"workflowId={name}&projectId={stepmill.execution(good[0])['projectId']}") == \
        good[::-1]
    assert ids(f"projectId={NOBODY}") == []
    row = stepmill.get(f"/api/executions?workflowId={name}&limit=1")["data"][0]
    assert row["current_step"]["stepKey"] == "a" and "steps" not in row
    for query in ("status=done", "status=failed,", "projectId=x", "since=yesterday",
                  "until=2026-13-01T00:00:00Z", "sort=name", "cursor=x", "cursor=-1", "limit=0",
                  "limit=101", "page=0"):
        check_problem(stepmill.ask("GET", f"/api/executions?{query}"), 400,
                      query.split("=")[0])


def test_pages(stepmill):
    name = stepmill.define(noop("a"))
    runs = [stepmill.execute(name) for _ in range(7)]
    for run in runs:
        stepmill.wait_ended(run)
    for sort, order in (("startedAt", runs), ("-startedAt", runs[::-1])):
        query = f"/api/executions?workflowId={name}&limit=3&sort={sort}"
        pages = [stepmill.get(f"{query}&page={page}") for page in (1, 2, 3, 4)]
        assert [len(p["data"]) for p in pages] == [3, 3, 1, 0]
        assert [r["id"] for p in pages for r in p["data"]] == order
        assert all(p["pagination"]["total"] == 7 for p in pages)
        seen, cursor = [], ""
        while cursor is not None:
            answer = stepmill.get(query + (f"&cursor={cursor}" if cursor else ""))
            seen += [r["id"] for r in answer["data"]]
            cursor = answer["pagination"]["nextCursor"]
        assert seen == order


# ---- cancelling ----

def test_cancelling(stepmill):
    running = stepmill.begin(noop("a"), shell("b", "sleep 651"), noop("c"))
    stepmill.wait_running(running, "b")
    waiting = stepmill.begin({"id": "b", "action": "wait", "for": "1h"})
    stepmill.wait_step(waiting, "b", "WAITING")
    retrying = stepmill.begin(shell("b", "false", retry={"delay": "1h"}))
    stepmill.wait_step(retrying, "b", "RETRYING")
    for run in (running, waiting, retrying):
        answer = stepmill.ask("POST", f"/api/executions/{run}/cancel")
        assert answer.status == 200
        assert answer.json == {"executionId": run, "status": "CANCELLED"}
        ended = stepmill.wait_ended(run, 10)
        assert ended["status"] == "CANCELLED" and ended["completedAt"]
        assert ended["steps"][-1]["status"] == "CANCELLED"
        assert ended["steps"][-1]["stepKey"] == "b", "nothing follows"
        types = [e["type"] for e in stepmill.events(run)]
        assert types[-3:] == ["step.cancelled", "comment.added", "run.cancelled"]
        assert "dev" in ended["comments"][0]["message"]
        assert ended["comments"][0]["author"] == "stepmill"
        again = stepmill.ask("POST", f"/api/executions/{run}/cancel")
        assert again.status == 200 and again.json["status"] == "CANCELLED"
        assert [e["type"] for e in stepmill.events(run)] == types
    wait_for("the program ended", lambda: not subprocess.run(
        ["pgrep", "-f", "^sleep 651$"], capture_output=True).stdout, 5)
    wait_for("all slots free", lambda: all(w["used"] == 0 for w in stepmill.ready_workers()), 5)


def test_what_is_over_cannot_be_cancelled(stepmill):
    for steps, status in (([noop("a")], "COMPLETED"), ([shell("a", "false")], "FAILED")):
        run = stepmill.do(*steps)
        assert run["status"] == status
        check_problem(stepmill.ask("POST", f"/api/executions/{run['id']}/cancel"), 409,
                      status.lower())
        assert stepmill.execution(run["id"]) == run


def test_cancelling_while_it_ends_is_one_or_the_other(stepmill):
    """Cancel races with the finish: one of them wins, and the log ends with it."""
    name = stepmill.define(shell("a", "true"), noop("b"))
    runs = []
    for delay in range(12):
        run = stepmill.execute(name)
        time.sleep(delay * 0.004)
        answer = stepmill.ask("POST", f"/api/executions/{run}/cancel")
        runs.append((run, answer.status))
    for run, status in runs:
        ended = stepmill.wait_ended(run, 10)
        assert (status, ended["status"]) in ((200, "CANCELLED"), (409, "COMPLETED"))
        last = [e["type"] for e in stepmill.events(run)][-1]
        assert last == "run." + ended["status"].lower()
        assert not {s["status"] for s in ended["steps"]} & {"RUNNING", "QUEUED"}


# ---- events ----

@contextlib.contextmanager
def gated(stepmill, count):
    """A run that waits for files, one after the other; what makes the nth of them."""
    name = new_name()
    stepmill.workflow(flow(name, *(shell(f"s{i}", f"until [ -e {name}-{i} ]; do sleep 0.01; done")
                                   for i in range(count))))

    def open_gate(i):
        (stepmill.folder / f"{name}-{i}").touch()

    yield stepmill.execute(name), open_gate
    for i in range(count):
        open_gate(i)


def poll(stepmill, run, since, wait):
    """One long poll; its answer and how long after the newest event's time it came."""
    answer = stepmill.ask("GET", f"/api/executions/{run}/events?since={since}&wait={wait}").json
    return answer, time.time() - moment(answer["data"][-1]["at"]) if answer["data"] else None


def late(stepmill, run, open_gate, count):
    """How late each event came to one who waits for it."""
    path = f"/api/executions/{run}/events"
    wait_for("its first step began", lambda: len(stepmill.ask("GET", path).json["data"]) == 2)
    lates, since = [], 2
    for i in range(count):
        opener = threading.Timer(0.1, open_gate, [i])
        opener.start()
        answer, after = poll(stepmill, run, since, "10s")
        opener.join()
        assert answer["data"] and answer["data"][0]["seq"] == since + 1
        assert answer["data"][0]["type"] == "step.completed"
        lates.append(after)
        since = answer["data"][-1]["seq"]
        while not answer["over"] and answer["data"][-1]["type"] != "step.started":
            answer, _ = poll(stepmill, run, since, "10s")
            since = answer["data"][-1]["seq"]
    return lates


def test_a_long_poll_wakes_at_once(stepmill):
    with gated(stepmill, 8) as (run, open_gate):
        lates = late(stepmill, run, open_gate, 8)
    assert statistics.median(lates) < 0.1, lates
    assert max(lates) < 0.5, lates


def test_a_long_poll_wakes_on_any_supervisor(stepmill):
    with gated(stepmill, 4) as (run, open_gate), stepmill.supervisor(pool_workers=0) as other:
        wait_for("ready", lambda: is_ready(other))
        lates = late(other, run, open_gate, 4)
        assert statistics.median(lates) < 0.1, lates


def test_no_event_is_missed_by_who_polls(stepmill):
    """Polls as fast as it can while the run goes on: each event once, in order, none late."""
    name = stepmill.define(*(shell(f"s{i}", "true") for i in range(10)))
    for _ in range(3):
        run = stepmill.execute(name)
        seen, since, slowest = [], 0, 0
        while True:
            began = time.monotonic()
            answer, _ = poll(stepmill, run, since, "10s")
            slowest = max(slowest, time.monotonic() - began)
            seen += [e["seq"] for e in answer["data"]]
            since = seen[-1]
            if answer["over"] and since == answer["lastSeq"]:
                break
        assert seen == list(range(1, 23))
        assert slowest < 2, "an event was not heard of"


def test_many_wait_for_one_run(stepmill):
    answers = []
    with gated(stepmill, 1) as (run, open_gate):
        wait_for("its step began", lambda: len(stepmill.events(run)) == 2)
        threads = [threading.Thread(
            target=lambda: answers.append(poll(stepmill, run, 2, "20s"))) for _ in range(60)]
        for thread in threads:
            thread.start()
        wait_for("all wait", lambda: connections(stepmill) >= 60)
        open_gate(0)
        for thread in threads:
            thread.join()
    assert len(answers) == 60 and all(len(a["data"]) == 2 and a["over"] for a, _ in answers)
    assert max(after for _, after in answers) < 3


def connections(stepmill):
    port = int(stepmill.url.rsplit(":", 1)[1])
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "01"
               for line in lines)


def test_events_of_a_run_that_is_over(stepmill):
    run = stepmill.do(noop("a"))
    for since, count in ((0, 4), (3, 1), (4, 0), (1000, 0)):
        began = time.monotonic()
        answer = stepmill.get(f"/api/executions/{run['id']}/events?since={since}&wait=30s")
        assert time.monotonic() - began < 15, "nothing more comes: no wait"
        assert len(answer["data"]) == count and answer["over"] and answer["lastSeq"] == 4


def test_a_long_poll_ends_in_time(stepmill):
    run = stepmill.begin(noop("a", queue="nobody-is-here"))
    since = stepmill.events(run)[-1]["seq"]
    for wait, seconds in (("0s", 0), ("300ms", 0.3), ("1s", 1)):
        began = time.monotonic()
        answer = stepmill.get(f"/api/executions/{run}/events?since={since}&wait={wait}")
        assert seconds <= time.monotonic() - began < seconds + 10
        assert answer == {"data": [], "over": False, "lastSeq": since}
    for query in ("wait=soon", "wait=-1s", "since=x", "since=-1", "since="):
        check_problem(stepmill.ask("GET", f"/api/executions/{run}/events?{query}"), 400,
                      query.split("=")[0])
    stepmill.post(f"/api/executions/{run}/cancel")


# ---- logs ----

def test_logs(stepmill):
    run = stepmill.do(
        noop("quiet"), shell("first", "echo one; echo two >&2", name="The First: one/two"),
        shell("second", "echo three"), shell("first-2", "printf 'no end'; echo >&2 'ü☃'"))

    def said(query=""):
        entries = stepmill.get(f"/api/executions/{run['id']}/logs{query}")["data"]
        assert all(set(e) == {"time", "level", "step", "message"} for e in entries)
        return {e["message"] for e in entries}

    everything = {"one", "two", "three", "no end", "ü☃"}
    assert everything <= said()
    assert said("?level=trace") == said()
    assert said("?level=warn") & everything == {"two", "ü☃"}
    assert not said("?level=fatal")
    for step in ("first", "2", f"{run['id']}:2"):
        assert said(f"?stepId={step}") & everything == {"one", "two"}, step
    assert said("?stepId=first&level=warn") & everything == {"two"}
    assert said("?stepId=quiet") == set()
    for step in ("nothing", "9", "2x", f"{NOBODY}:2", ":", "-1", "99999999999999999999"):
        for what in ("logs", "artifacts"):
            check_problem(stepmill.ask("GET", f"/api/executions/{run['id']}/{what}?stepId={step}"),
                          404, "step")
    check_problem(stepmill.ask("GET", f"/api/executions/{run['id']}/logs?level=loud"), 400, "level")
    download = stepmill.ask("GET", f"/api/executions/{run['id']}/logs/download")
    assert f"{run['runId']}.log" in download.headers["Content-Disposition"]
    lines = [json.loads(line) for line in download.body.splitlines()]
    assert everything <= {line["message"] for line in lines}


def test_the_log_of_a_step_is_its_newest_visit_s(stepmill):
    run = stepmill.do(tool("n", "state.set", {"key": "n", "value": "{{has(state.n) ? 2 : 1}}"}),
                      shell("say", "echo visit $N", {"env": {"N": "{{state.n}}"}},
                            branches=[{"condition": "state.n < 2", "goto": "n"}]))
    said = [[e["message"] for e in stepmill.get(
        f"/api/executions/{run['id']}/logs?stepId={step}")["data"]] for step in ("say", "2", "4")]
    assert said == [["visit 2"], ["visit 1"], ["visit 2"]]


def test_logs_of_a_run_that_said_nothing(stepmill):
    run = stepmill.do(noop("a"))
    assert stepmill.get(f"/api/executions/{run['id']}/logs") == {"data": []}
    check_problem(stepmill.ask("GET", f"/api/executions/{run['id']}/logs/download"), 404, "log")


def test_an_artifact_s_file_that_is_gone(stepmill):
    run = stepmill.do(shell("make", "echo x > gone.txt"),
                      tool("keep", "artifact.add", {"path": "gone.txt"}))
    (artifact,) = run["artifacts"]
    path = stepmill.folder / artifact["storagePath"]
    path.unlink()
    answer = stepmill.ask("GET", f"/api/artifacts/{artifact['id']}/download")
    check_problem(answer, 503, "artifact")
    assert answer.headers["Retry-After"]
    path.symlink_to("/etc/passwd")
    check_problem(stepmill.ask("GET", f"/api/artifacts/{artifact['id']}/download"), 503)


# ---- the pool ----

def test_scaling_interrupts_nothing(stepmill):
    runs = [stepmill.begin(shell("a", "sleep 1.2; echo $STEPMILL_ATTEMPT")) for _ in range(6)]
    for run in runs:
        stepmill.wait_running(run, "a")
    assert stepmill.ask("PUT", "/api/pool", {"workers": 4}).json == {"desired": 4}
    wait_for("four workers", lambda: len(stepmill.ready_workers()) == 4)
    assert stepmill.ask("PUT", "/api/pool", {"workers": 1}).status == 202
    wait_for("one worker wanted", lambda: stepmill.pool()["desired"] == 1)
    for run in runs:
        ended = stepmill.wait_ended(run)
        assert ended["status"] == "COMPLETED" and ended["output"]["stdout"] == "1\n"
        assert ended["steps"][0]["losses"] == 0 and ended["steps"][0]["deaths"] == 0
    wait_for("one worker is left", lambda: len(stepmill.pool()["workers"]) == 1)
    assert stepmill.do(noop("a"))["status"] == "COMPLETED"
    stepmill.ask("PUT", "/api/pool", {"workers": 2})
    wait_for("two workers", lambda: len(stepmill.ready_workers()) == 2)


def test_the_pool_refuses(stepmill):
    for body in ({}, {"workers": -1}, {"workers": "two"}, {"workers": 1.5}, {"workers": None},
                 {"workers": 65}, [1], {"workers": 10**30}):
        answer = stepmill.ask("PUT", "/api/pool", body)
        assert answer.status in (400, 413), (body, answer.status)
        check_problem(answer, answer.status, "workers")
    check_problem(stepmill.ask("PUT", "/api/pool", "{"), 400)
    check_problem(stepmill.ask("PUT", "/api/pool"), 400, "workers")
    pool = stepmill.pool()
    assert pool["desired"] == 2 and pool["draining"] is False and uuid.UUID(pool["node"])
    for worker in pool["workers"]:
        assert worker["slots"] == 64 and worker["pid"] > 1
    wait_for("no slot used", lambda: not any(w["used"] for w in stepmill.pool()["workers"]), 5)


def test_no_workers_at_all(stepmill):
    stepmill.ask("PUT", "/api/pool", {"workers": 0})
    wait_for("no worker", lambda: stepmill.pool()["workers"] == [])
    run = stepmill.begin(noop("a"))
    assert stepmill.step(run, "a")["status"] == "QUEUED"
    stepmill.ask("PUT", "/api/pool", {"workers": 2})
    assert stepmill.wait_ended(run)["status"] == "COMPLETED"
    wait_for("two workers", lambda: len(stepmill.ready_workers()) == 2)


# ---- who may what (each route, with each role: test_roles.py) ----

def test_the_page_about_the_api_has_every_route():
    page = (ROOT / "docs/http-api.md").read_text()
    told = {(m[1], m[2]): m[3] for m in
            re.finditer(r"^\| (GET|POST|PUT|PATCH|DELETE) `([^`]+)`.*?\| (viewer|operator|admin) \|",
                        page, re.M)}
    missing = []
    for route in routes():
        if route.role == "none" or route.path.endswith("/trigger"):
            assert route.path.rsplit("/", 1)[1] in page
        elif told.pop((route.method, route.path), None) != route.role:
            missing.append(route)
    assert not missing and not told, (missing, told)


@pytest.fixture(scope="module")
def guarded(shared):
    """A supervisor that asks for keys, beside the open one; and a key for each role."""
    with shared.supervisor(pool_workers=0, auth_required="true") as supervisor:
        supervisor.keys = {}
        for role in ("viewer", "operator", "admin"):
            made = shared.cli("keys", "create", "--name", f"the-{role}", "--role", role, "--json",
                              "--database-url", shared.state["databaseUrl"])
            assert made.returncode == 0, made.stderr
            supervisor.keys[role.upper()] = json.loads(made.stdout)["key"]
        yield supervisor


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def test_the_key_s_name_stands_in_what_it_did(shared, guarded):
    name = shared.define(shell("a", "sleep 652"))
    run = guarded.ask("POST", f"/api/workflows/{name}/execute",
                      headers=bearer(guarded.keys["OPERATOR"])).json["executionId"]
    shared.wait_running(run, "a")
    assert guarded.ask("POST", f"/api/executions/{run}/cancel",
                       headers=bearer(guarded.keys["ADMIN"])).status == 200
    ended = shared.wait_ended(run)
    assert ended["requestedBy"] == "the-operator"
    assert "the-admin" in ended["comments"][0]["message"]


def test_keys_that_are_revoked_or_expired(shared, guarded):
    def make(name, *more):
        made = shared.cli("keys", "create", "--name", name, "--role", "viewer", "--json",
                          "--database-url", shared.state["databaseUrl"], *more)
        return json.loads(made.stdout)["key"]

    short, revoked = make("short", "--expires", "2s"), make("revoked")
    assert guarded.ask("GET", "/api/pool", headers=bearer(short)).status == 200
    gone = shared.cli("keys", "revoke", "revoked", "--database-url", shared.state["databaseUrl"])
    assert gone.returncode == 0, gone.stderr
    assert guarded.ask("GET", "/api/pool", headers=bearer(revoked)).status == 401
    wait_for("the key expires (and is believed for five seconds)", lambda: guarded.ask(
        "GET", "/api/pool", headers=bearer(short)).status == 401, 9, 0.2)
    assert shared.sql("select count(*) from api_keys where key_hash = %s",
                      revoked.encode())[0][0] == 0, "only hashes are stored"


HOSTS = [("localhost", 200), ("localhost:80", 200), ("127.0.0.1", 200), ("127.9.9.9:1", 200),
         ("[::1]", 200), ("[::1]:3456", 200), ("evil.example", 403), ("localhost.evil.example", 403),
         ("127.0.0.1.evil.example", 403), ("10.0.0.1", 403), ("0.0.0.0", 403), ("127.1", 403),
         ("[::2]", 403), ("2130706433", 403), ("127.0.0.01", 403)]


def test_without_keys_the_host_must_be_this_machine(stepmill):
    for host, status in HOSTS:
        for method, path in (("GET", "/api/workflows"), ("GET", "/api/pool")):
            answer = stepmill.ask(method, path, headers={"Host": host})
            assert answer.status in (status, 400 if status == 403 else status), (host, answer.body)
        assert stepmill.ask("GET", "/healthz", headers={"Host": host}).status == 200


def test_without_keys_no_other_page_may_ask(stepmill):
    own = stepmill.url.removeprefix("http://")
    for origin, allowed in ((f"http://{own}", True), (f"https://{own}", False),
                            ("http://evil.example", False), ("null", False),
                            (f"http://{own}.evil.example", False), (f"http://{own}0", False),
                            ("http://localhost:1", False)):
        name = new_name()
        answer = stepmill.ask("POST", "/api/workflows", flow(name, noop("a")),
                              {**YAML, "Origin": origin})
        assert answer.status == (201 if allowed else 403), (origin, answer.body)
        assert "Access-Control-Allow-Origin" not in answer.headers


# ---- health and metrics ----

METRIC = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? '
                    r'(-?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf|NaN)|\+Inf)')


def metrics(text):
    """Prometheus' text format, strictly; {name: {labels: value}}."""
    types, values = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, f"{name} comes twice"
            assert kind in ("counter", "gauge", "histogram", "summary")
            types[name] = kind
        elif line.startswith("# HELP "):
            assert len(line.split(" ", 3)) == 4
        else:
            match = METRIC.fullmatch(line)
            assert match, line
            base = re.sub(r"_(bucket|sum|count)$", "", match[1])
            assert match[1] in types or types.get(base) == "histogram", line
            series = values.setdefault(match[1], {})
            assert match[2] not in series, f"twice: {line}"
            series[match[2]] = float(match[3])
    for name, kind in types.items():
        if kind == "counter":
            assert name.endswith("_total"), name
        if kind == "histogram":
            check_histogram(name, values)
    return values


def check_histogram(name, values):
    ends = {}
    for labels, value in values[name + "_bucket"].items():
        rest = re.sub(r',?le="[^"]*"', "", labels).strip(",")
        end = re.search(r'le="([^"]*)"', labels)[1]
        ends.setdefault(rest, []).append((float(end.replace("+Inf", "inf")), value))
    for rest, buckets in ends.items():
        assert buckets == sorted(buckets) and buckets[-1][0] == float("inf"), (name, rest)
        assert all(a[1] <= b[1] for a, b in zip(buckets, buckets[1:])), (name, rest)
        assert buckets[-1][1] == values[name + "_count"][rest or None]


def test_metrics(stepmill):
    answer = stepmill.ask("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    before = metrics(answer.body.decode())
    assert before["stepmill_postgresql_up"][None] == 1
    run = stepmill.begin(noop("a", queue="metrics"))
    after = metrics(stepmill.ask("GET", "/metrics").body.decode())
    assert after["stepmill_queue_depth"]['queue="metrics"'] == 1
    assert after["stepmill_runs"]['status="running"'] >= 1
    assert after["stepmill_workers"]['status="alive"'] >= 2
    assert after["stepmill_worker_slots"]['kind="all"'] >= 128
    stepmill.post(f"/api/executions/{run}/cancel")


def test_health(stepmill):
    assert stepmill.ask("GET", "/healthz").body == b"ok\n"
    ready = stepmill.ask("GET", "/readyz")
    assert ready.status == 200
    assert ready.json["ready"] and ready.json["postgresql"] and ready.json["redis"]
    assert ready.json["draining"] is False


def test_readiness_does_not_wait_behind_others(stepmill):
    """A thousand slow reads, or one: they say nothing about whether PostgreSQL is there."""
    with stepmill.supervisor(pool_workers=0) as supervisor, \
            psycopg.connect(stepmill.state["databaseUrl"]) as lock, \
            socket.create_connection(supervisor.url[7:].split(":"), 20) as client:
        lock.execute("lock table stepmill.workflow_definitions in access exclusive mode")
        client.sendall(b"GET /api/workflows HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for("it waits", lambda: stepmill.sql(
            "select 1 from pg_stat_activity where application_name = 'stepmill front reads'"
            " and wait_event_type = 'Lock'"))
        assert supervisor.ask("GET", "/readyz", timeout=4).status == 200
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)  # it still does
        lock.rollback()
        client.settimeout(20)
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")


# ---- servers that are away ----

class Away:
    """PostgreSQL and Redis that the test starts and stops, a supervisor and a scheduler."""

    def __init__(self, tmp_path):
        self.server = Server()
        self.folder = tmp_path
        tmp_path.chmod(0o755)
        self.database = self.server.new_database()
        with psycopg.connect(self.server.url(self.database)) as connection:
            connection.execute("update stepmill.projects set path = %s", [str(tmp_path)])
        self.redis = f"unix:{self.server.redis_sock}"

    def supervisor(self, **settings):
        return Supervisor(self.folder, self.server.url(self.database), self.redis,
                          redis_prefix=self.database, pool_workers=1, **settings)


@pytest.fixture
def away(tmp_path):
    away = Away(tmp_path)
    yield away
    away.server.remove()


def quickly(supervisor, method, path, body=None, headers=None):
    """The answer, and the seconds it took at best of three."""
    times = []
    for _ in range(3):
        began = time.monotonic()
        answer = supervisor.ask(method, path, body, headers)
        times.append(time.monotonic() - began)
    return answer, min(times)


def check_away(supervisor):
    """Without PostgreSQL: everybody is told so at once, and to come again."""
    for method, path, body, headers in (
            ("GET", "/api/workflows", None, None), ("GET", "/api/executions", None, None),
            ("POST", "/api/workflows", flow("away", noop("a")), YAML),
            ("POST", "/api/workflows/away/execute", {}, None),
            ("GET", f"/api/executions/{NOBODY}", None, None),
            ("GET", f"/api/executions/{NOBODY}/events?wait=5s", None, None),
            ("POST", f"/api/executions/{NOBODY}/cancel", None, None)):
        answer, seconds = quickly(supervisor, method, path, body, headers)
        check_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) >= 1
        assert seconds < 0.1, (path, seconds)
    ready, seconds = quickly(supervisor, "GET", "/readyz")
    assert ready.status == 503 and ready.json["postgresql"] is False and seconds < 0.1
    assert supervisor.ask("GET", "/healthz").status == 200
    told = metrics(supervisor.ask("GET", "/metrics").body.decode())
    assert told["stepmill_postgresql_up"][None] == 0
    assert supervisor.ask("POST", "/api/workflows/validate", flow("away", noop("a")),
                          YAML).status == 200, "what needs no PostgreSQL still works"


def is_ready(supervisor):
    return supervisor.ask("GET", "/readyz").status == 200


def run_one(supervisor, name="away", *steps):
    made = supervisor.ask("POST", "/api/workflows", flow(name, *(steps or [noop("a")])), YAML)
    assert made.status in (200, 201), made.body
    started = supervisor.ask("POST", f"/api/workflows/{name}/execute", {})
    assert started.status == 202, started.body
    return started.json["executionId"]


def ended(supervisor, run, seconds=20):
    def over():
        answer = supervisor.ask("GET", f"/api/executions/{run}")
        done = answer.status == 200 and answer.json["completedAt"]
        return answer.json if done else None
    return wait_for("the run is over", over, seconds)


def test_postgresql_away_at_the_start_and_in_the_middle(away):
    away.server.stop("fast")
    with away.supervisor() as supervisor:
        supervisor.allowed_errors.append("postgresql")
        check_away(supervisor)
        away.server.start()
        wait_for("ready by itself", lambda: is_ready(supervisor), 10)
        wait_for("a worker", supervisor.ready_workers, 10)
        assert ended(supervisor, run_one(supervisor))["status"] == "COMPLETED"
        gate = away.folder / "gate"
        run = run_one(supervisor, "middle", shell("a", "until [ -e gate ]; do sleep 0.05; done; "
                                                       "echo $STEPMILL_ATTEMPT"), noop("b"))
        wait_for("it runs", lambda: supervisor.ask(
            "GET", f"/api/executions/{run}").json["steps"][0]["status"] == "RUNNING")
        answers = []
        poller = threading.Thread(target=lambda: answers.append(supervisor.ask(
            "GET", f"/api/executions/{run}/events?since=2&wait=20s")))
        poller.start()
        away.server.stop("immediate")
        wait_for("seen", lambda: not is_ready(supervisor), 5)
        check_away(supervisor)
        gate.touch()
        away.server.start()
        wait_for("ready by itself", lambda: is_ready(supervisor), 10)
        run = ended(supervisor, run)
        assert run["status"] == "COMPLETED"
        assert [s["attemptNumber"] for s in run["steps"]] == [1, 1]
        assert ended(supervisor, run_one(supervisor))["status"] == "COMPLETED"
        poller.join()
        assert answers[0].status in (200, 503)


def test_redis_away_at_the_start_and_in_the_middle(away):
    redis, away.redis = away.redis, f"unix:{away.folder}/redis.sock"
    (away.folder / "redis.sock").unlink(missing_ok=True)
    with away.supervisor() as supervisor:
        wait_for("a worker", supervisor.ready_workers, 10)
        ready = supervisor.ask("GET", "/readyz")
        assert ready.status == 200 and ready.json["redis"] is False
        assert ended(supervisor, run_one(supervisor))["status"] == "COMPLETED"
        run = run_one(supervisor, "slow", shell("a", "until [ -e gate ]; do sleep 0.02; done"))
        wait_for("it runs", lambda: supervisor.ask(
            "GET", f"/api/executions/{run}").json["steps"][0]["status"] == "RUNNING")
        threading.Timer(0.2, (away.folder / "gate").touch).start()
        answer, after = poll(supervisor, run, 2, "10s")
        assert answer["data"][0]["type"] == "step.completed"
        assert after < 1, "without Redis within a second"
        os.symlink(redis.removeprefix("unix:"), away.folder / "redis.sock")
        wait_for("Redis is seen", lambda: supervisor.ask("GET", "/readyz").json["redis"], 10)
        assert ended(supervisor, run_one(supervisor))["status"] == "COMPLETED"
        away.server.redis.send_signal(signal.SIGKILL)
        wait_for("its loss is seen", lambda: not supervisor.ask("GET", "/readyz").json["redis"], 5)
        assert ended(supervisor, run_one(supervisor))["status"] == "COMPLETED"


def test_a_redis_that_hangs_holds_nobody_up(fresh):
    fresh.define(noop("a"))
    os.kill(fresh.state["redisPid"], signal.SIGSTOP)
    try:
        with gated(fresh, 3) as (run, open_gate):
            lates = late(fresh, run, open_gate, 3)
        assert max(lates) < 1.2, lates
        assert fresh.do(noop("a"))["status"] == "COMPLETED"
    finally:
        os.kill(fresh.state["redisPid"], signal.SIGCONT)


# ---- discovery ----

@pytest.fixture
def folder(stepmill):
    """Where workflow files are; what a test puts there ends with it."""
    yield stepmill.templates
    for path in stepmill.templates.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    wait_for("no file is left", lambda: not stepmill.sql(
        "select from workflow_definitions where is_active and file_path <> ''"), 5)


def active(stepmill, name):
    answer = stepmill.ask("GET", f"/api/workflows/{name}")
    return answer.json if answer.status == 200 and answer.json["isActive"] else None


def version(stepmill, name, number):
    found = active(stepmill, name)
    return found if found and found["version"] == number else None


def test_files_are_found_changed_and_lost(stepmill, folder):
    name = new_name()
    file = folder / f"{name}.yaml"
    file.write_text(flow(name, noop("a")))
    row = wait_for("found", lambda: version(stepmill, name, 1), 5)
    assert row["definitionPath"] == f".agent/workflows/templates/{name}.yaml"
    file.write_text(flow(name, noop("a"), noop("b")))
    wait_for("changed", lambda: version(stepmill, name, 2), 5)
    moved = folder / f"{name}-other.yml"
    file.rename(moved)
    wait_for("moved", lambda: (active(stepmill, name) or {}).get("definitionPath", "")
             .endswith("-other.yml"), 5)
    assert version(stepmill, name, 2), "the same content is no new version"
    moved.unlink()
    wait_for("inactive", lambda: not active(stepmill, name), 5)
    check_problem(stepmill.ask("POST", f"/api/workflows/{name}/execute", {}), 409, "not active")
    inactive = stepmill.get("/api/workflows?isActive=false&limit=100")["data"]
    assert name in [w["name"] for w in inactive]
    file.write_text(flow(name, noop("a"), noop("b")))
    wait_for("active again", lambda: version(stepmill, name, 2), 5)
    assert stepmill.run(name)["status"] == "COMPLETED"


def test_the_last_good_version_of_a_broken_file_stays(stepmill, folder):
    name = new_name()
    file = folder / f"{name}.yaml"
    stepmill.allowed_errors.append(f"workflow.refused.*{name}.yaml")
    file.write_text(f"name: {name}\nsteps:\n  - id: a\n    action: noop\n")
    wait_for("found", lambda: version(stepmill, name, 1), 5)
    for text, place in ((f"name: {name}\nsteps:\n  - id: a\n    action: nop\n", "4:13"),
                        (f"name: {name}\nsteps: [\n", ""), ("\0\0\0", ""), ("", "")):
        seen = len(stepmill.log())
        file.write_text(text)
        said = wait_for("refused", lambda: re.search(
            rf"workflow.refused.*{name}.yaml:?{place}.*", stepmill.log()[seen:]), 5)
        if place:
            assert "nop" in said[0] and "noop" in said[0]
        assert version(stepmill, name, 1)
        assert stepmill.run(name)["status"] == "COMPLETED"
    file.write_text(f"name: {name}\nsteps:\n  - id: b\n    action: noop\n")
    wait_for("mended", lambda: version(stepmill, name, 2), 5)
    file.unlink()
    wait_for("inactive", lambda: not active(stepmill, name), 5)


def test_files_that_cannot_be_workflows(stepmill, folder):
    """None of them stops the others from being found."""
    stepmill.allowed_errors.append("workflow.refused.*/odd-")
    (folder / "odd-folder.yaml").mkdir()
    os.mkfifo(folder / "odd-pipe.yaml")
    (folder / "odd-lost.yaml").symlink_to("/nowhere/at/all")
    (folder / "odd-big.yaml").write_bytes(b"x" * 300_000)
    (folder / "odd-ignored.txt").write_text(flow("odd-ignored", noop("a")))
    (folder / ".odd-hidden.yaml").write_text(flow("odd-hidden", noop("a")))
    (folder / "odd-below").mkdir()
    (folder / "odd-below/x.yaml").write_text(flow("odd-below", noop("a")))
    name = new_name()
    (folder / f"{name}.yaml").write_text(flow(name, noop("a")))
    wait_for("found all the same", lambda: active(stepmill, name), 5)
    for other in ("odd-ignored", "odd-hidden", "odd-below"):
        assert not active(stepmill, other)


def test_two_files_of_one_name_do_not_fight(stepmill, folder):
    """The first by name counts; the other is told about, not registered again and again."""
    name = new_name()
    stepmill.allowed_errors.append(f"workflow.refused.*{name}-b.yaml")
    (folder / f"{name}-a.yaml").write_text(flow(name, noop("a")))
    wait_for("found", lambda: version(stepmill, name, 1), 5)
    (folder / f"{name}-b.yaml").write_text(flow(name, noop("b")))
    wait_for("refused", lambda: re.search(
        f"workflow.refused.*{name}-b.yaml", stepmill.log()), 5)
    for file in folder.glob(f"{name}-?.yaml"):
        os.utime(file)
        file.write_text(file.read_text())
    wait_for("looked again", lambda: len(re.findall(
        f"workflow.refused.*{name}-b.yaml", stepmill.log())) >= 2, 5)
    assert stepmill.get(f"/api/workflows/{name}")["version"] == 1
    (folder / f"{name}-a.yaml").unlink()
    wait_for("the other takes its place", lambda: version(stepmill, name, 2), 5)


def test_a_workflow_of_the_api_is_not_taken_for_a_lost_file(stepmill, folder):
    name, file = stepmill.define(noop("a")), folder / "passing.yaml"
    file.write_text(flow("passing", noop("a")))
    wait_for("found", lambda: active(stepmill, "passing"), 5)
    file.unlink()
    wait_for("lost", lambda: not active(stepmill, "passing"), 5)
    assert active(stepmill, name)
