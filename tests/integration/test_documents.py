"""The documents of the API are true: every route stands in the OpenAPI document and nothing else,
and a tour of all of them, with good and bad requests, runs through a proxy that checks each
request and each answer against it. tests/run contract does the same with the tests of the API."""
import itertools
import json
import re
import subprocess
import uuid

import pytest
from harness import prism, stepmill as harness
from harness.messages import written
from harness.raw_ws import RawWs
from harness.routes import routes, told
from harness.stepmill import BIN, ROOT, flow, noop, shell, wait_for
from test_api import bearer

NOBODY = "00000000-0000-7000-8000-00000000ffff"
METHODS = {"get", "post", "put", "patch", "delete"}
names = itertools.count(1)


@pytest.fixture(scope="module")
def openapi(shared):
    return shared.ask("GET", "/api/openapi.json").json


# ---- how they are served ----

@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_documents_are_served(stepmill, name):
    path = f"/api/{name}.json"
    answer = stepmill.ask("GET", path)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.json == written(name)
    version = subprocess.run([BIN / "stepmill", "--version"], capture_output=True, text=True,
                             check=True).stdout
    assert answer.json["info"]["version"] in version
    tag = answer.headers["ETag"]
    assert re.fullmatch('"[0-9a-f]{32}"', tag)
    for list_, status in ((tag, 304), (f'"x", W/{tag}', 304), ("*", 304), ('"x"', 200)):
        again = stepmill.ask("GET", path, headers={"If-None-Match": list_})
        assert (again.status, again.headers["ETag"]) == (status, tag), list_
        assert (again.body == b"") == (status == 304)
    assert stepmill.ask("GET", f"/api/v1/{name}.json").body == answer.body
    head = stepmill.ask("HEAD", path)
    assert head.body == b"" and int(head.headers["Content-Length"]) == len(answer.body)


def test_documents_need_no_key(shared):
    with shared.supervisor(pool_workers=0, auth_required="true") as guarded:
        for name in ("openapi", "asyncapi"):
            assert guarded.ask("GET", f"/api/{name}.json").status == 200


# ---- OpenAPI: nothing is missing, nothing is invented ----

def operations(document):
    return {(method.upper(), path): item[method] | {"shared": item.get("parameters", [])}
            for path, item in document["paths"].items() for method in METHODS & set(item)}


def braces(path):
    return re.sub(r":([A-Za-z]+)", r"{\1}", path)


def follow(document, node):
    while "$ref" in node:
        target = document
        for word in node["$ref"].removeprefix("#/").split("/"):
            target = target[word]
        node = target
    return node


def parameters(document, operation):
    every = operation["shared"] + operation.get("parameters", [])
    return {(one["in"], one["name"]): one for one in (follow(document, x) for x in every)}


def test_every_route_stands_in_the_document_and_nothing_else(openapi):
    told = {(route.method, braces(route.path)): route for route in routes()}
    stands = operations(openapi)
    assert set(told) == set(stands)
    assert len({operation["operationId"] for operation in stands.values()}) == len(stands)
    for key, operation in stands.items():
        assert operation["x-stepmill-role"] == told[key].role, key
        assert operation.get("x-stepmill-changes", "-") == told[key].changes, key


def test_what_each_route_s_kind_brings_stands_there(openapi):
    """Keys, roles, idempotency, reading after a change: all from the table of routes."""
    for route in routes():
        operation = operations(openapi)[route.method, braces(route.path)]
        given = parameters(openapi, operation)
        answers = operation["responses"]
        assert ("header", "Stepmill-Read-After") in given, route
        assert {name for kind, name in given if kind == "path"} == set(
            re.findall(r":([A-Za-z]+)", route.path)), route
        starts = route.path.endswith(("/execute", "/trigger"))
        assert (("header", "Idempotency-Key") in given) == (route.changes != "-" or starts), route
        if route.role == "none":
            assert operation["security"] == [] or route.path == "/ws"
        else:
            assert "security" not in operation and {"400", "401", "429", "500", "503"} <= set(answers)
        assert ("403" in answers) == (route.role != "none" or route.path == "/ws"), route
        for status, answer in answers.items():
            headers = follow(openapi, answer).get("headers", {})
            if (route.changes != "-" or starts) and status < "300":
                assert follow(openapi, headers["Stepmill-Read-After"])["required"], (route, status)
                assert ("Idempotency-Replayed" in headers) == (route.changes != "-")
            if "400" <= status and route.path != "/readyz":
                assert list(follow(openapi, answer)["content"]) == ["application/problem+json"]


def members(node):
    if isinstance(node, dict):
        yield node
    for value in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()):
        yield from members(value)


def test_objects_are_closed_and_what_they_need_is_there(openapi):
    for node in members(openapi):
        if "properties" in node and isinstance(node.get("required"), list):
            assert set(node["required"]) <= set(node["properties"]), node
    for name, schema in openapi["components"]["schemas"].items():
        if "properties" in schema and name not in ("StepError", "LogEntry"):
            assert schema["additionalProperties"] is False, name


# ---- OpenAPI: the server answers what it says ----

@pytest.fixture(scope="module")
def checked():
    """Everything that is asked in this module from here on goes through prism."""
    if harness.checker is not None:
        yield harness.checker
        return
    with prism.Prism(written("openapi")) as proxy:
        harness.checker = proxy
        yield proxy
        harness.checker = None


class Tour:
    """Asks, and expects a status."""

    def __init__(self, server):
        self.server = server

    def __call__(self, status, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.server.ask(method, path, body, headers)
        assert answer.status == status, (method, path, answer.status, answer.body[:2000])
        return answer


@pytest.fixture
def tour(stepmill, checked):
    before = len(checked.wrong)
    yield Tour(stepmill)
    assert not checked.wrong[before:], "\n".join(map(str, checked.wrong[before:]))
    assert not checked.missed, checked.missed


def ask_step(key="ask", **more):
    return {"id": key, "action": "approval", "prompt": "Shall it go on?", **more}


def test_tour_of_workflows(tour, stepmill):
    name = f"documents-{next(names)}"
    text = json.dumps({"name": name, "description": "d", "input": {
        "type": "object", "properties": {"n": {"type": "integer"}}}, "steps": [
            noop("a", branches=[{"condition": "input.n > 1", "goto": "c"}]), shell("b", "echo 1"),
            noop("c")]})
    yaml_type = {"Content_Type": "application/yaml"}
    tour(201, "POST", "/api/workflows", text, **yaml_type, Idempotency_Key=name)
    tour(201, "POST", "/api/workflows", text, **yaml_type, Idempotency_Key=name)  # replayed
    tour(200, "POST", "/api/workflows", text, Content_Type="application/json")
    tour(422, "POST", "/api/workflows", text + " ", **yaml_type, Idempotency_Key=name)
    tour(422, "POST", "/api/workflows", "name: x\nsteps: [{id: 5, action: none}]", **yaml_type)
    tour(415, "POST", "/api/workflows", text, Content_Type="text/plain")
    tour(400, "POST", "/api/workflows", text, **yaml_type, Idempotency_Key="x" * 256)
    tour(200, "POST", "/api/workflows/validate", text, **yaml_type)
    tour(422, "POST", "/api/workflows/validate", "steps: 5", **yaml_type)
    for query in ("", "?isActive=true&page=1&limit=100", "?isActive=false"):
        tour(200, "GET", f"/api/workflows{query}")
    for query in ("?isActive=maybe", "?page=0", "?limit=101"):
        tour(400, "GET", f"/api/workflows{query}")
    tour(200, "GET", f"/api/workflows/{name}")
    tour(404, "GET", "/api/workflows/there-is-none")
    tour(200, "PUT", f"/api/workflows/{name}", text.replace('"d"', '"e"'), **yaml_type)
    tour(409, "PUT", f"/api/workflows/{name}", flow("another", noop("a")), **yaml_type)
    tour(404, "PUT", "/api/workflows/there-is-none", text, **yaml_type)
    tour(200, "GET", f"/api/workflows/{name}/versions")
    tour(404, "GET", "/api/workflows/there-is-none/versions")
    for body in ({"input": {"n": 1}}, {"input": {"n": 2}, "steps": {"b": {"exitCode": 0}}}, None):
        tour(200, "POST", f"/api/workflows/{name}/dry-run", body)
    tour(422, "POST", f"/api/workflows/{name}/dry-run", {"input": {"n": "x"}})
    tour(400, "POST", f"/api/workflows/{name}/dry-run", {"inputs": 1})
    tour(404, "POST", "/api/workflows/there-is-none/dry-run", {})
    tour(200, "POST", f"/api/workflows/{name}/test-step", {"stepId": "b"}, Idempotency_Key=name + "t")
    tour(202, "POST", f"/api/workflows/{name}/test-step", {"stepId": "b"}, Idempotency_Key=name + "t")
    tour(200, "POST", f"/api/workflows/{name}/test-step", {"step": shell("x", "exit 3")})
    tour(400, "POST", f"/api/workflows/{name}/test-step", {})
    tour(422, "POST", f"/api/workflows/{name}/test-step", {"step": {"id": "x", "action": "none"}})
    for word in ("execute", "trigger"):
        tour(202, "POST", f"/api/workflows/{name}/{word}", {"input": {"n": 1}, "priority": "high"},
             Idempotency_Key=name + word)
        tour(202, "POST", f"/api/workflows/{name}/{word}", {"runAt": "2099-01-01T00:00:00Z"})
        tour(422, "POST", f"/api/workflows/{name}/{word}", {"input": {"n": "x"}})
        tour(400, "POST", f"/api/workflows/{name}/{word}", {"priority": "extreme"})
        tour(404, "POST", f"/api/workflows/there-is-none/{word}", {})
    for status, body in ((202, {"inputs": [{"n": 1}, None], "priority": "low"}), (400, {"inputs": []}),
                         (422, {"inputs": [{"n": 1}, {"n": "x"}]}), (413, {"inputs": [0] * 10001})):
        tour(status, "POST", f"/api/workflows/{name}/execute-batch", body, Idempotency_Key=name + "b")
    tour(202, "POST", f"/api/workflows/{name}/execute-batch", {"inputs": [{"n": 1}, None],
                                                              "priority": "low"}, Idempotency_Key=name + "b")
    tour(404, "POST", "/api/workflows/there-is-none/execute-batch", {"inputs": [{}]})
    tour(415, "POST", f"/api/workflows/{name}/execute-batch", "x", Content_Type="text/plain")
    tour(409, "DELETE", f"/api/workflows/{name}")
    tour(200, "DELETE", f"/api/workflows/{name}?deactivate=true")
    tour(409, "POST", f"/api/workflows/{name}/execute", {})
    other = stepmill.define(noop("a"))
    tour(204, "DELETE", f"/api/workflows/{other}")
    tour(404, "DELETE", f"/api/workflows/{other}")


DRY = [
    [ask_step(timeout="1h"), shell("z", "echo {{input.a}}", approvalRequired=True), noop("b", **{"if": "steps.ask.output.approved"})],
    [{"id": "l", "action": "loop", "condition": "steps.x.output.more", "body": ["x"]},
     shell("x", "echo {{state.a}}")],
    [{"id": "c", "action": "conditional", "condition": "input.a == 1", "then": ["t"], "else": ["e"]},
     noop("t"), noop("e")],
    [noop("f", foreach="steps.z.output"), noop("g", foreach="[1, 2, 3, 4]"), noop("z")],
    [noop("a"), noop("b", needs=["a"]), noop("c", needs=["a"], **{"if": "false"})],
    [{"id": "w", "action": "wait", "for": "1h"}, {"id": "v", "action": "wait", "event": "e"},
     noop("u", branches=[{"condition": "steps.w.output.x", "goto": "y"}]), noop("y")],
]


@pytest.mark.parametrize("number", range(len(DRY)))
def test_tour_of_dry_runs(tour, number):
    name = f"documents-dry-{next(names)}"
    registered = tour.server.ask("POST", "/api/workflows", flow(name, *DRY[number]),
                                 {"Content-Type": "application/yaml"})
    assert registered.status == 201, registered.body
    tour(200, "POST", f"/api/workflows/{name}/dry-run", {"input": {"a": 1}})
    tour(200, "GET", f"/api/workflows/{name}")


def test_tour_of_executions(tour, stepmill):
    run = stepmill.do(shell("a", "echo {{input.x}}"), noop("b", foreach="[1, 2]"), shell("c", "exit 1"),
                      input={"x": "y"})
    assert run["status"] == "FAILED"
    at = f"/api/executions/{run['id']}"
    tour(200, "GET", at)
    tour(200, "GET", f"/api/executions/{run['runId']}")
    tour(404, "GET", f"/api/executions/{NOBODY}")
    page = tour(200, "GET", "/api/executions?limit=1").json
    tour(200, "GET", f"/api/executions?limit=2&cursor={page['pagination']['nextCursor']}")
    tour(200, "GET", f"/api/executions?status=failed,COMPLETED&workflowId={run['workflowName']}"
         f"&projectId={run['projectId']}&triggeredBy=manual&since=2020-01-01T00:00:00Z"
         "&until=2099-01-01T00:00:00Z&q=FLOW&sort=startedAt")
    for query in ("status=x", "projectId=x", "since=x", "sort=x", "cursor=x", "limit=0"):
        tour(400, "GET", f"/api/executions?{query}")
    tour(200, "GET", f"{at}/events")
    tour(200, "GET", f"{at}/events?since=2&wait=1s")
    tour(400, "GET", f"{at}/events?since=-1")
    tour(400, "GET", f"{at}/events?wait=x")
    tour(404, "GET", f"/api/executions/{NOBODY}/events")
    tour(204, "GET", f"{at}/events?since={run['lastSeq']}", Accept="text/event-stream")
    tour(200, "GET", f"{at}/events", Accept="text/event-stream")
    tour(202, "POST", f"{at}/retry", Idempotency_Key=run["id"])
    tour(202, "POST", f"{at}/retry", Idempotency_Key=run["id"])
    again = tour(202, "POST", f"{at}/rerun").json["executionId"]
    stepmill.wait_ended(again)
    for word in ("retry", "rerun", "cancel", "pause", "resume"):
        tour(404, "POST", f"/api/executions/{NOBODY}/{word}")
    for word in ("cancel", "pause", "resume"):
        tour(409, "POST", f"{at}/{word}")
    tour(204, "DELETE", f"/api/executions/{again}")
    tour(404, "DELETE", f"/api/executions/{again}")
    live = stepmill.begin(shell("a", "sleep 651"))
    stepmill.wait_running(live, "a")
    tour(409, "DELETE", f"/api/executions/{live}")
    tour(409, "POST", f"/api/executions/{live}/rerun")
    for word in ("pause", "resume", "cancel"):
        tour(200, "POST", f"/api/executions/{live}/{word}")
    ended = stepmill.wait_ended(live)
    for body in ({"action": "retry", "ids": [run["id"], ended["runId"], NOBODY]},
                 {"action": "cancel", "filter": {"status": "running", "workflowId": run["workflowName"],
                                                 "since": "2020-01-01T00:00:00Z", "q": "x"}}):
        tour(200, "POST", "/api/executions/bulk", body)
    for body in ({"action": "x", "ids": ["a"]}, {"action": "retry"}, {"action": "retry", "ids": []},
                 {"action": "retry", "filter": {"cursor": "x"}}):
        tour(400, "POST", "/api/executions/bulk", body)


def test_tour_of_what_is_added(tour, stepmill):
    run = stepmill.do(shell("a", "echo hello; echo no >&2"), noop("b"))
    at = f"/api/executions/{run['id']}"
    for path in (f"{at}/comments", f"{at}/steps/a/comments"):
        tour(201, "POST", path, {"message": "well", "metadata": {"a": [1]}})
        tour(201, "POST", path, {"message": "done", "metadata": None}, Idempotency_Key=path)
        tour(400, "POST", path, {"message": ""})
        tour(415, "POST", path, '{"message": "x"}', Content_Type="text/plain")
        tour(422, "POST", path, {"message": "other"}, Idempotency_Key=path)
        tour(404, "POST", path.replace(run["id"], NOBODY), {"message": "x"})
    for query in ("", "?level=warn", "?stepId=a", "?stepId=1&level=trace", "?follow=true"):
        tour(200, "GET", f"{at}/logs{query}")
    tour(400, "GET", f"{at}/logs?level=loud")
    tour(400, "GET", f"{at}/logs?follow=maybe")
    tour(404, "GET", f"{at}/logs?stepId=z")
    log = tour(200, "GET", f"{at}/logs/download")
    tour(206, "GET", f"{at}/logs/download", Range="bytes=0-9")
    tour(416, "GET", f"{at}/logs/download", Range="bytes=999999-")
    tour(304, "GET", f"{at}/logs/download", If_None_Match=log.headers["ETag"])
    tour(404, "GET", f"/api/executions/{NOBODY}/logs/download")
    made = tour(201, "POST", f"{at}/artifacts?name=a%20b.txt&type=DOCUMENT&stepId=b", b"hello",
                Content_Type="text/plain").json
    tour(201, "POST", f"{at}/artifacts?name=raw.bin", b"\0\1\2", Idempotency_Key=run["id"])
    tour(201, "POST", f"{at}/artifacts?name=raw.bin", b"\0\1\2", Idempotency_Key=run["id"])
    tour(201, "POST", f"{at}/artifacts?name=a.json", b'{"a": 1}', Content_Type="application/json")
    tour(400, "POST", f"{at}/artifacts", b"x")
    tour(400, "POST", f"{at}/artifacts?name=x&type=MUSIC", b"x")
    tour(415, "POST", f"{at}/artifacts?name=x", b"x", Content_Type="multipart/form-data; boundary=x")
    tour(404, "POST", f"/api/executions/{NOBODY}/artifacts?name=x", b"x")
    for query in ("", "?type=DOCUMENT", "?stepId=b"):
        tour(200, "GET", f"{at}/artifacts{query}")
    tour(400, "GET", f"{at}/artifacts?type=MUSIC")
    tour(404, "GET", f"/api/executions/{NOBODY}/artifacts")
    path = f"/api/artifacts/{made['id']}/download"
    file = tour(200, "GET", path)
    tour(206, "GET", path, Range="bytes=1-2")
    tour(416, "GET", path, Range="bytes=99-")
    tour(304, "GET", path, If_None_Match=file.headers["ETag"])
    tour(404, "GET", f"/api/artifacts/{NOBODY}/download")
    tour(200, "GET", at)


def test_tour_of_approvals(tour, stepmill):
    for word, status in (("approve", "COMPLETED"), ("deny", "FAILED")):
        run = stepmill.begin(shell("ask", "echo {{run.id}}", approvalRequired=True), noop("b"))
        stepmill.wait_step(run, "ask", "WAITING_APPROVAL")
        tour(200, "GET", f"/api/executions/{run}")
        tour(200, "GET", "/api/approvals")
        tour(200, "GET", f"/api/executions/{run}/why")
        path = f"/api/executions/{run}/steps/ask/{word}"
        tour(400, "POST", path, {"remark": "x"})
        tour(404, "POST", f"/api/executions/{run}/steps/none/{word}")
        tour(200, "POST", path, {"comment": "well"}, Idempotency_Key=run)
        tour(200, "POST", path, {"comment": "well"}, Idempotency_Key=run)
        tour(409, "POST", path)
        assert stepmill.wait_ended(run)["status"] == status
        tour(200, "GET", f"/api/executions/{run}/events")
    for status in ("approved", "DENIED", "expired", "void"):
        tour(200, "GET", f"/api/approvals?status={status}")
    tour(400, "GET", "/api/approvals?status=perhaps")


WHY = {
    "queued": shell("a", "echo 1", queue="nobody-serves-this"),
    "waiting_until": {"id": "a", "action": "wait", "for": "1h"},
    "waiting_event": {"id": "a", "action": "wait", "event": "never", "timeout": "1h"},
    "retrying": shell("a", "exit 1", retry={"maxAttempts": 3, "delay": "1h", "maxDelay": "1h"}),
    "running": shell("a", "sleep 650"),
}


@pytest.mark.parametrize("kind", WHY)
def test_tour_of_reasons(tour, stepmill, kind):
    run = stepmill.begin(WHY[kind], noop("b"))

    def told():
        reasons = stepmill.get(f"/api/executions/{run}/why")["reasons"]
        return kind in [reason["kind"] for reason in reasons]
    wait_for(kind, told)
    tour(200, "GET", f"/api/executions/{run}")
    for step in ("a", "b", "1"):
        tour(200 if step != "z" else 404, "GET", f"/api/executions/{run}/why?stepId={step}")
    tour(404, "GET", f"/api/executions/{run}/why?stepId=z")
    tour(404, "GET", f"/api/executions/{NOBODY}/why")
    tour(200, "GET", "/api/queues")
    tour(200, "POST", f"/api/executions/{run}/cancel")
    tour(200, "GET", f"/api/executions/{run}/why")
    tour(200, "GET", f"/api/executions/{run}/events")


def test_tour_of_schedules(tour, stepmill):
    name = stepmill.define(noop("a"))
    words = {"name": name, "cronExpression": "@yearly", "timezone": "Asia/Tokyo", "workflowId": name,
             "activeHours": {"start": "22:00", "end": "24:00", "daysOfWeek": [0, 1]}, "maxRuns": 7,
             "catchUp": "all", "overlap": "allow", "jitterMs": 5, "input": {}, "projectId": None,
             "enabled": True}
    made = tour(201, "POST", "/api/schedules", words, Idempotency_Key=name).json
    tour(201, "POST", "/api/schedules", words, Idempotency_Key=name)
    tour(422, "POST", "/api/schedules", {**words, "name": "x"}, Idempotency_Key=name)
    tour(422, "POST", "/api/schedules", {**words, "cronExpression": "soon", "jitterMs": -1, "x": 1})
    tour(404, "POST", "/api/schedules", {**words, "workflowId": "there-is-none"})
    tour(404, "POST", "/api/schedules", {**words, "projectId": NOBODY})
    tour(400, "POST", "/api/schedules", [])
    tour(415, "POST", "/api/schedules", json.dumps(words), Content_Type="text/plain")
    at = f"/api/schedules/{made['id']}"
    for query in ("", f"?kind=workflow&workflowId={name}&enabled=true&name={name}&sort=-createdAt&limit=1",
                  f"?cursor={NOBODY}&page=1&projectId={made['projectId']}"):
        tour(200, "GET", f"/api/schedules{query}")
    for query in ("?kind=x", "?enabled=x", "?sort=x", "?cursor=x", "?limit=0"):
        tour(400, "GET", f"/api/schedules{query}")
    tour(200, "GET", at)
    for word in ("", "/firings"):
        tour(404, "GET", f"/api/schedules/{NOBODY}{word}")
    tour(202, "POST", f"{at}/fire", Idempotency_Key=name + "f")
    tour(202, "POST", f"{at}/fire", Idempotency_Key=name + "f")
    tour(404, "POST", f"/api/schedules/{NOBODY}/fire")
    page = tour(200, "GET", f"{at}/firings?outcome=started&limit=1").json
    tour(200, "GET", f"{at}/firings?sort=fireTime&page=1&cursor={page['pagination']['nextCursor']}")
    tour(400, "GET", f"{at}/firings?outcome=x")
    tour(200, "PUT", at, {"name": name, "cronExpression": "every 90 minutes"}, Idempotency_Key=name + "p")
    tour(200, "PATCH", at, {"activeHours": {"start": "09:00", "end": "17:00"}, "enabled": False})
    tour(200, "PATCH", at, {"activeHours": None, "maxRuns": None, "timezone": None, "input": None})
    for method in ("PUT", "PATCH"):
        tour(422, method, at, {"name": ""})
        tour(404, method, f"/api/schedules/{NOBODY}", {"name": "x", "cronExpression": "@daily"})
    tour(409, "POST", f"{at}/fire")
    tour(204, "DELETE", at, Idempotency_Key=name + "d")
    tour(204, "DELETE", at, Idempotency_Key=name + "d")
    tour(404, "DELETE", at)
    tour(200, "POST", "/api/schedules/preview", {
        "cronExpression": "30 2 * * *", "timezone": "Europe/Berlin", "count": 3,
        "from": "2024-03-30T12:00:00Z", "activeHours": {"start": "02:00", "end": "03:00"}})
    tour(422, "POST", "/api/schedules/preview", {"cronExpression": "0 0 30 2 *"})


def test_tour_of_sessions(tour, stepmill):
    run = stepmill.do({"id": "m", "action": "model", "model": "nobody:none", "prompt": "x"},
                      noop("a"))
    session, = run["agentSessions"]
    for query in ("", f"?executionId={run['id']}", f"?executionId={run['runId']}&type=model&limit=1"):
        page = tour(200, "GET", f"/api/sessions{query}").json
        assert page["data"][0] == session
    assert tour(200, "GET", f"/api/sessions?cursor={session['id']}").json["data"] == \
        stepmill.get("/api/sessions")["data"][1:]
    for query in (f"?bot={NOBODY}", "?executionId=none-1", f"?type=chat&executionId={run['id']}"):
        assert tour(200, "GET", f"/api/sessions{query}").json["pagination"]["total"] == 0
    for query in ("?type=x", "?bot=x", "?limit=0", "?cursor=x"):
        tour(400, "GET", f"/api/sessions{query}")
    assert tour(200, "GET", f"/api/sessions/{session['id']}").json == {**session, "messageCount": 0, "messages": []}
    for none in (NOBODY, "none"):
        tour(404, "GET", f"/api/sessions/{none}")


def test_tour_of_heartbeats(tour, stepmill):
    name = f"documents-{uuid.uuid4().hex[:8]}"
    words = {"heartbeatPath": f"{name}/HEARTBEAT.md", "interval": 45, "timezone": "Asia/Tokyo",
             "activeHours": {"start": "22:00", "end": "24:00", "daysOfWeek": [0, 1]}, "enabled": True,
             "model": "nobody:none", "webhook": "https://example.com/hook", "projectId": None}
    made = tour(201, "POST", "/api/heartbeats", words, Idempotency_Key=name).json
    tour(201, "POST", "/api/heartbeats", words, Idempotency_Key=name)
    tour(422, "POST", "/api/heartbeats", {**words, "interval": 7}, Idempotency_Key=name)
    tour(200, "POST", "/api/heartbeats", {"heartbeatPath": words["heartbeatPath"]})
    tour(422, "POST", "/api/heartbeats", {**words, "interval": 0, "timezone": "x", "x": 1})
    tour(422, "POST", "/api/heartbeats", {"heartbeatPath": "../HEARTBEAT.md"})
    tour(404, "POST", "/api/heartbeats", {**words, "projectId": NOBODY})
    tour(400, "POST", "/api/heartbeats", [])
    tour(415, "POST", "/api/heartbeats", json.dumps(words), Content_Type="text/plain")
    at = f"/api/heartbeats/{made['id']}"
    for query in ("", f"?enabled=true&page=1&limit=1&projectId={made['projectId']}"):
        tour(200, "GET", f"/api/heartbeats{query}")
    for query in ("?enabled=x", "?projectId=x", "?limit=0"):
        tour(400, "GET", f"/api/heartbeats{query}")
    tour(200, "GET", at)
    run = tour(202, "POST", f"{at}/fire", Idempotency_Key=name + "f").json["executionId"]
    tour(202, "POST", f"{at}/fire", Idempotency_Key=name + "f")
    stepmill.wait_ended(run)
    page = tour(200, "GET", f"{at}/results?limit=1&actionNeeded=true&since=2020-01-01T00:00:00Z").json
    tour(200, "GET", f"{at}/results?page=1&cursor={page['pagination']['nextCursor']}")
    tour(400, "GET", f"{at}/results?actionNeeded=x")
    for word in ("", "/results"):
        tour(404, "GET", f"/api/heartbeats/heartbeat-none{word}")
    tour(404, "POST", "/api/heartbeats/heartbeat-none/fire")
    tour(200, "PUT", at, {"heartbeatPath": f"{name}/OTHER.md"}, Idempotency_Key=name + "p")
    tour(200, "PATCH", at, {"activeHours": {"start": "09:00", "end": "17:00"}, "enabled": False})
    tour(200, "PATCH", at, {"activeHours": None, "model": None, "timezone": None, "webhook": None})
    tour(201, "POST", "/api/heartbeats", words)
    tour(409, "PUT", at, {"heartbeatPath": words["heartbeatPath"]})
    for method in ("PUT", "PATCH"):
        tour(422, method, at, {"heartbeatPath": ""})
        tour(404, method, "/api/heartbeats/heartbeat-none", {"heartbeatPath": "x.md"})
    tour(204, "DELETE", at, Idempotency_Key=name + "d")
    tour(204, "DELETE", at, Idempotency_Key=name + "d")
    tour(404, "DELETE", at)


def test_tour_of_bots_and_messages(tour):
    slug = f"documents-{uuid.uuid4().hex[:8]}"
    words = {"slug": slug, "name": "A bot", "systemPrompt": "Be kind.", "model": "nobody:none",
             "tools": ["git.*"], "projectId": None}
    made = tour(201, "POST", "/api/bots", words, Idempotency_Key=slug).json
    tour(201, "POST", "/api/bots", words, Idempotency_Key=slug)
    tour(409, "POST", "/api/bots", words)
    tour(422, "POST", "/api/bots", {"slug": "No Slug", "tools": "none.such", "x": 1})
    tour(404, "POST", "/api/bots", {"slug": slug + "-b", "projectId": NOBODY})
    tour(400, "POST", "/api/bots", [])
    tour(415, "POST", "/api/bots", json.dumps(words), Content_Type="text/plain")
    for query in ("", "?page=1&limit=1", f"?projectId={NOBODY}"):
        tour(200, "GET", f"/api/bots{query}")
    for query in ("?projectId=x", "?limit=0"):
        tour(400, "GET", f"/api/bots{query}")
    at = f"/api/bots/{slug}"
    tour(200, "GET", f"/api/bots/{made['id']}")
    tour(200, "PUT", at, {"tools": "shell"}, Idempotency_Key=slug + "p")
    tour(200, "PATCH", at, {"name": None, "model": None, "tools": None, "systemPrompt": None})
    tour(422, "PATCH", at, {"model": "none"})
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        tour(404, method, "/api/bots/nobody", None if method in ("GET", "DELETE") else {})
    other = tour(201, "POST", "/api/bots", {"slug": slug + "-b"}).json["slug"]
    said = tour(201, "POST", f"{at}/send", {"body": "Hello."}, Idempotency_Key=slug + "s").json
    tour(200, "GET", f"/api/sessions/{said['sessionId']}")
    tour(201, "POST", f"{at}/send", {"body": "Hello.", "from": other})
    tour(201, "POST", "/api/channels/documents/send", {"body": "All."}, Idempotency_Key=slug + "c")
    tour(400, "POST", f"{at}/send", {"body": ""})
    tour(404, "POST", "/api/bots/nobody/send", {"body": "x"})
    tour(422, "POST", f"{at}/send", {"body": "x", "from": "nobody"})
    tour(422, "POST", "/api/channels/a%20b/send", {"body": "x"})
    tour(204, "DELETE", at, Idempotency_Key=slug + "d")
    tour(204, "DELETE", at, Idempotency_Key=slug + "d")


def test_tour_of_projects_keys_and_events(tour):
    name = f"documents {uuid.uuid4()}"
    made = tour(201, "POST", "/api/projects", {"name": name, "path": "/tmp"}).json
    at = f"/api/projects/{made['id']}"
    tour(409, "POST", "/api/projects", {"name": name, "path": "/tmp"})
    tour(400, "POST", "/api/projects", {"name": "x", "path": "relative"})
    tour(200, "GET", "/api/projects?limit=1")
    tour(400, "GET", "/api/projects?limit=x")
    tour(200, "GET", at)
    tour(404, "GET", f"/api/projects/{NOBODY}")
    tour(200, "PUT", at, {"name": name, "path": "/", "defaultBranch": "trunk"}, Idempotency_Key=name)
    tour(200, "PATCH", at, {"path": "/tmp"})
    for method in ("PUT", "PATCH"):
        tour(400, method, at, {"name": ""})
        tour(404, method, f"/api/projects/{NOBODY}", {"name": "x", "path": "/"})
        tour(409, method, at, {"name": "default", "path": "/"})
    tour(204, "DELETE", at, Idempotency_Key=name + "d")
    tour(204, "DELETE", at, Idempotency_Key=name + "d")
    tour(404, "DELETE", at)
    tour(409, "DELETE", "/api/projects/default")
    name += " key"
    words = {"name": name, "role": "viewer", "tools": ["git.*"], "expiresAt": "2099-01-01T00:00:00Z"}
    key = tour(201, "POST", "/api/api-keys", words, Idempotency_Key=name).json
    assert "key" not in tour(201, "POST", "/api/api-keys", words, Idempotency_Key=name).json
    tour(409, "POST", "/api/api-keys", words)
    tour(400, "POST", "/api/api-keys", {"name": "x", "role": "god"})
    tour(404, "POST", "/api/api-keys", {"name": name + "x", "role": "viewer", "projectId": NOBODY})
    tour(200, "GET", "/api/api-keys?limit=100")
    tour(400, "GET", "/api/api-keys?page=0")
    tour(204, "DELETE", f"/api/api-keys/{key['id']}")
    tour(404, "DELETE", f"/api/api-keys/{NOBODY}")
    tour(200, "GET", "/api/api-keys?limit=100")
    for data in ({"a": 1}, None, 5):
        tour(202, "POST", "/api/events", {"source": "test", "type": "x", "data": data})
    tour(400, "POST", "/api/events", {"source": "test"})


def test_tour_of_webhooks(tour, stepmill):
    name = f"documents-{next(names)}"
    stepmill.workflow(flow(name, noop("a"), input={"type": "object", "required": ["n"]}, trigger=[
        {"webhook": {"path": name, "auth": {"bearer": "hush"}, "when": "trigger.body.n != 0"}}]))
    at, may = f"/webhooks/{name}", {"Authorization": "Bearer hush"}
    tour(202, "POST", at, {"n": 1}, **may, webhook_id="1")
    tour(202, "POST", at, {"n": 1}, **may, webhook_id="1")
    tour(200, "POST", at, {"n": 0}, **may)
    tour(422, "POST", at, {"m": 0}, **may)
    tour(401, "POST", at, {"n": 1})
    tour(404, "POST", at + "x", {"n": 1})


def test_tour_of_figures(tour, stepmill):
    tour(200, "GET", "/api/pool")
    workers = stepmill.workers_wanted
    tour(202, "PUT", "/api/pool", {"workers": workers}, Idempotency_Key="pool")
    tour(202, "PUT", "/api/pool", {"workers": workers}, Idempotency_Key="pool")
    node = tour(200, "GET", "/api/pool").json["node"]
    wait_for("the node is known", lambda: stepmill.get("/api/pool")["nodes"])
    tour(202, "PUT", "/api/pool", {"workers": workers, "node": node}, Idempotency_Key="pool-node")
    tour(404, "PUT", "/api/pool", {"workers": workers, "node": "nowhere"})
    for body in ({"workers": -1}, {"workers": "many"}, {}, [], {"workers": 1, "node": ""}):
        tour(400, "PUT", "/api/pool", body)
    for path in ("/api/stats", "/api/stats?since=2020-01-01T00:00:00Z", "/api/queues", "/api/tools",
                 "/api/skills", "/api/skills?projectId=default",
                 "/healthz", "/readyz", "/metrics", "/api/openapi.json", "/api/asyncapi.json"):
        tour(200, "GET", path)
    for name in ("openapi", "asyncapi"):
        tag = tour(200, "GET", f"/api/{name}.json").headers["ETag"]
        tour(304, "GET", f"/api/{name}.json", If_None_Match=tag)
    tour(404, "GET", "/api/skills?projectId=nobody")
    tour(400, "GET", "/api/stats?since=yesterday")
    page = tour(200, "GET", "/api/audit?limit=1").json
    tour(200, "GET", f"/api/audit?limit=1&cursor={page['pagination']['nextCursor']}"
         "&who=dev&since=2020-01-01T00:00:00Z&until=2099-01-01T00:00:00Z")
    tour(400, "GET", "/api/audit?cursor=x")
    tour(426, "GET", "/ws")


def test_tour_of_a_drain(tour, shared):
    with shared.supervisor(pool_workers=0) as other:
        wait_for("it is ready", lambda: other.ask("GET", "/readyz").status == 200)
        Tour(other)(202, "POST", "/api/pool/drain")
        wait_for("it is gone", lambda: other.process.poll() is not None)


def test_tour_of_those_who_may_not(tour, shared):
    """Each route without a key, with a wrong one, with too small a role; and each with a header
    that none takes."""
    viewer = shared.post("/api/api-keys", {"name": f"v-{uuid.uuid4()}", "role": "viewer"})["key"]
    bound = shared.post("/api/api-keys", {
        "name": f"b-{uuid.uuid4()}", "role": "admin",
        "projectId": shared.get("/api/projects/default")["id"]})["key"]
    with shared.supervisor(pool_workers=0, auth_required="true") as guarded:
        wait_for("it is ready", lambda: guarded.ask("GET", "/readyz").status == 200)
        ask = Tour(guarded)
        for route in routes():
            path = re.sub(r":[A-Za-z]+", NOBODY, route.path)
            if path == "/ws":
                continue
            ask(400, route.method, path, Stepmill_Read_After="yesterday")
            if route.role == "none":
                continue
            ask(401, route.method, path)
            ask(401, route.method, path, Authorization="Bearer wrong")
            if route.role != "viewer":
                ask(403, route.method, path, **bearer(viewer))
        for method, path in (("GET", "/api/audit"), ("GET", "/api/api-keys"), ("PUT", "/api/pool"),
                             ("POST", "/api/projects"), ("POST", "/api/pool/drain")):
            ask(403, method, path, **bearer(bound))


def test_the_tour_went_everywhere(checked, openapi):
    """Every operation was answered with a success and with a refusal."""
    if not checked.checked:
        pytest.skip("the tour was not asked for")
    for (method, path), operation in operations(openapi).items():
        got = {status for name, status in checked.checked if name == operation["operationId"]}
        if path != "/ws":
            assert any(status < 300 for status in got), (method, path, got)
        assert any(status >= 400 for status in got), (method, path, got)


def test_the_proxy_sees_what_is_wrong(stepmill, checked):
    """With a document that lacks a member, a status, a parameter's bound, and a header."""
    document = written("openapi")
    del document["components"]["schemas"]["Execution"]["properties"]["durationMs"]
    document = json.loads(json.dumps(document))  # what was one anchor is many
    del document["paths"]["/api/executions/{id}"]["get"]["responses"]["404"]
    document["components"]["parameters"]["Limit"]["schema"]["maximum"] = 5
    document["paths"]["/healthz"]["get"]["responses"]["200"]["headers"]["X-None"] = {
        "required": True, "schema": {"type": "string"}}
    stepmill.do(noop("a"))
    keep = harness.checker
    with prism.Prism(document) as wrong:
        harness.checker = wrong
        try:
            for path in ("/api/executions?limit=1", f"/api/executions/{NOBODY}", "/api/workflows?limit=9",
                         "/healthz", "/api/queues"):
                stepmill.ask("GET", path)
        finally:
            harness.checker = keep
    found = {(one.request.partition("?")[0], one.side) for one in wrong.wrong}
    assert found == {("GET /api/executions", "response"), (f"GET /api/executions/{NOBODY}", "response"),
                     ("GET /api/workflows", "request"), ("GET /healthz", "response")}, wrong.wrong


# ---- AsyncAPI ----

KINDS = {"text": "string", "bool": "boolean", "int": "integer", "object": "object"}


def rows():
    """What clients may send, as the supervisor itself tells it: type -> (role, needs id, fields)."""
    table = {}
    for line in told("--messages"):
        type_, role, id_, *fields = line.split(" ")
        table[type_] = role, id_ == "id", {
            name.rstrip("?"): (not name.endswith("?"), *what.split(","))
            for name, what in (field.split("=") for field in fields)}
    assert len(table) >= 11
    return table


def test_every_message_of_clients_stands_in_the_document_and_nothing_else(heard):
    table = rows()
    stands = {name: message for name, message in heard.messages.items() if "x-stepmill-role" in message}
    assert set(table) == set(stands)
    for name, (role, needs_id, fields) in table.items():
        payload = stands[name]["payload"]
        assert stands[name]["x-stepmill-role"] == role
        assert payload["properties"]["type"] == {"const": name}
        assert set(payload["properties"]) == {"type", "id", *fields}, name
        assert set(payload["required"]) == {"type"} | ({"id"} if needs_id else set()) | {
            field for field, (needed, *_) in fields.items() if needed}, name
        for field, (needed, kind, least, most) in fields.items():
            schema = payload["properties"][field]
            assert schema["type"] == (KINDS[kind] if needed else [KINDS[kind], "null"]), (name, field)
            bounds = {"text": ("minLength", "maxLength"), "int": ("minimum", "maximum")}.get(kind, ())
            assert [schema[word] for word in bounds] == [int(least), int(most)][:len(bounds)], (name, field)


def test_the_page_and_the_document_name_the_same_messages(heard):
    page = (ROOT / "docs/websocket.md").read_text()
    for name in heard.messages:
        short = re.sub("WorkflowStep(Completed|Failed)", r"…\1", name)
        assert re.search(rf"[`\"]{re.escape(name)}[`\" ]|`{short}`", page), name


def test_every_message_has_its_operation():
    document = written("asyncapi")
    channel = document["channels"]["ws"]["messages"]
    assert {word: item["$ref"] for word, item in channel.items()} == {
        word: f"#/components/messages/{word}" for word in document["components"]["messages"]}
    used = set()
    for operation in document["operations"].values():
        for item in operation["messages"] + operation.get("reply", {}).get("messages", []):
            used.add(item["$ref"].rpartition("/")[2])
    assert used == set(channel)


def variants(message, properties):
    """The message as it is, and with one thing wrong, or on the edge, at a time."""
    yield message
    for field in properties:
        if field == "type":
            continue
        yield {name: value for name, value in message.items() if name != field}
        for value in (None, 5, -1, 2 ** 63 - 1, 1.5, True, "", "x", "x" * 20, "1" * 36, "x" * 200,
                      "x" * 201, "x" * 256, "x" * 513, [], {}, {"a": 1}, "running", "0", NOBODY):
            yield {**message, field: value}


# Of texts that have a form which the schema does not tell: a good one.
FORMS = {"status": "running", "cronExpression": "@yearly", "timezone": "UTC", "projectId": NOBODY,
         "heartbeatPath": "HEARTBEAT.md", "webhook": "https://example.com"}


def test_client_messages_are_refused_as_the_document_says(stepmill, heard):
    """Some texts have a form that the schema does not tell, such as a status of a run."""
    examples = {"string": "x", "boolean": True, "integer": 1, "object": {}}
    with RawWs(stepmill.url, path="/ws?client=documents") as ws:
        for name, (_, _, fields) in rows().items():
            whole = {"type": name, "id": 1} | {
                field: FORMS.get(field, examples[KINDS[kind]])
                for field, (needed, kind, *_) in fields.items() if needed}
            for message in variants(whole, heard.messages[name]["payload"]["properties"]):
                ws.say(message)
                answer = ws.next()  # each has exactly one; nothing here subscribes to what is there
                refused = answer.get("code") == "invalid_message"
                told_so = bool(heard.problems(message))
                if refused and not told_so:
                    assert any(message.get(field) not in (None, good) for field, good
                               in FORMS.items()), (message, answer)
                else:
                    assert refused == told_so, (message, answer, heard.problems(message))


def test_every_message_of_the_server_is_heard(stepmill, heard):
    """But for the gap of who reads too slowly (test_ws_load.py)."""
    heard.heard.clear()
    with RawWs(stepmill.url, path="/ws?client=documents-all") as ws:
        ws.say({"type": "workflow:subscribe", "id": 1, "executionId": "*"})
        ws.say({"type": "SubscribeWorkflow", "id": 2, "run_id": "*"})
        good = stepmill.define(shell("a", "echo 1"), shell("ask", "echo 2", approvalRequired=True), noop("b"))
        bad = stepmill.define(shell("a", "exit 1", retry={"maxAttempts": 2, "delay": "1ms"}))
        large = stepmill.define({"id": "a", "action": "code",
                                 "language": "python",
                                 "source": "return {'text': 'x' * 100000}"})
        thinks = stepmill.define({"id": "a", "action": "model", "model": "nobody:any",
                                  "prompt": "think"})
        for number, name in enumerate((good, bad, large, thinks)):
            ws.say({"type": "workflow.trigger", "id": number + 10, "workflowId": name})
        ended = 0
        while ended < 4:
            message = ws.next()
            if message["type"] == "workflow.approval.request":
                run = message["executionId"]
                stepmill.post(f"/api/executions/{run}/comments", {"message": "well"})
                stepmill.post(f"/api/executions/{run}/artifacts?name=x", b"x", content_type="text/plain")
                ws.say({"type": "workflow.approval", "id": 20, "executionId": run, "stepId": "ask",
                        "approved": True})
            ended += message["type"] == "workflow:execution:completed"
        live = stepmill.begin({"id": "nap", "action": "wait", "for": "1h"})
        stepmill.wait_step(live, "nap", "WAITING")
        stepmill.post(f"/api/executions/{live}/pause")
        stepmill.post(f"/api/executions/{live}/resume")
        ws.say({"type": "workflow:cancel", "id": 30, "executionId": live})
        ws.say({"type": "workflow.list", "id": 31})
        ws.say({"type": "workflow.execution.list", "id": 32, "limit": 1000})
        ws.say({"type": "workflow.execution.list", "id": 33, "limit": 1, "status": "failed"})
        ws.say({"type": "workflow.list"})
        ws.say({"type": "ping"})
        made = ws.ask({"type": "schedule.create", "id": 34, "name": "n", "cronExpression": "@yearly"})
        ws.say({"type": "schedule.list", "id": 35})
        ws.say({"type": "schedule.delete", "id": 36, "scheduleId": made["scheduleId"]})
        beat = ws.ask({"type": "heartbeat.configure", "id": 37, "heartbeatPath": "documents-none.md"})
        stepmill.post(f"/api/heartbeats/{beat['scheduleId']}/fire")
        wanted = {name for name, message in heard.messages.items() if "x-stepmill-role" not in message}
        wanted -= {"events.gap"}
        while not wanted <= set(heard.heard):
            ws.next()


# ---- lint ----

def test_redocly_has_nothing_to_say(checked, capsys):
    version = subprocess.run([prism.tool("redocly"), "--version"], capture_output=True, text=True,
                             check=True, timeout=120).stdout.strip()
    done = subprocess.run(
        [prism.tool("redocly"), "lint", "--config", prism.HERE / "redocly.yaml", "--format", "json",
         ROOT / "docs/api/openapi.yaml"], capture_output=True, text=True, timeout=300,
        env={**harness.os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
    with capsys.disabled():
        print(f"\nredocly {version}", end=" ")
    problems = json.loads(done.stdout)["problems"] if done.stdout else done.stderr
    assert done.returncode == 0 and problems == [], problems


def test_the_asyncapi_parser_has_nothing_to_say(tmp_path, capsys):
    """Of the document as it is served, with the other one beside it."""
    prism.install()
    for name in ("openapi", "asyncapi"):
        (tmp_path / f"{name}.json").write_text(json.dumps(written(name)))
    done = subprocess.run(["node", prism.HERE / "asyncapi.mjs", prism.WORK, tmp_path / "asyncapi.json"],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    with capsys.disabled():
        print(f"\nasyncapi parser {result['version']}", end=" ")
    assert result["problems"] == [], result["problems"]
    assert result["messages"] == len(written("asyncapi")["components"]["messages"])
