"""A key may carry a list of tools: a run uses only what the key that started it may, however it
was started and however deep."""
import asyncio
import hashlib
import json
import uuid

import pytest
import websockets
from harness.stepmill import Stepmill, flow, noop, shell, tool, wait_for

WRITE = tool("write", "files.write", {"path": "written.txt", "content": "x"})
CODE = {"id": "code", "action": "code", "language": "shell", "source": "echo hello"}
CALL = {"id": "call", "action": "http", "url": "http://127.0.0.1:1/", "timeout": 1000}


@pytest.fixture(scope="module")
def own():
    with Stepmill(workers=2, environment={"STEPMILL_WORKER_HTTP_ALLOW": "127.0.0.1"}) as stepmill:
        yield stepmill


@pytest.fixture(scope="module")
def guarded(own):
    with own.supervisor(pool_workers=0, auth_required="true") as supervisor:
        yield supervisor


def new_key(own, tools, role="admin"):
    key = f"sm_{uuid.uuid4().hex}"
    own.sql("insert into api_keys (id, name, key_hash, role, tools) values"
            " (gen_random_uuid(), %s, %s, %s, %s)", key[:12],
            hashlib.sha256(key.encode()).digest(), role, tools)
    return key


def post(guarded, key, path, body=None):
    answer = guarded.ask("POST", path, json.dumps(body or {}).encode(), {
        "Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    assert answer.status in (200, 202), answer.body
    return answer.json["executionId"]


def error_of(own, run):
    ended = own.wait_ended(run)
    return (ended["status"], (ended["error"] or {}).get("code"),
            (ended["error"] or {}).get("message", ""))


@pytest.mark.parametrize("tools, step, allowed", [
    (["files.*"], WRITE, True), (["files.read"], WRITE, False), ([], WRITE, False),
    (["*"], WRITE, True), (None, WRITE, True), (["git.*"], shell("s", "true"), False),
    (["shell"], shell("s", "true"), True), (["shell"], CODE, False), (["code"], CODE, True),
    (["shell"], CALL, False), ([], noop("n"), True)])
def test_what_a_key_may(own, guarded, tools, step, allowed):
    workflow = own.define(step)
    run = post(guarded, new_key(own, tools), f"/api/workflows/{workflow}/execute")
    status, code, message = error_of(own, run)
    if allowed:
        assert status == "COMPLETED", message
    else:
        assert (status, code) == ("FAILED", "denied") and "may not use" in message


def test_child_runs_retries_and_tests_may_no_more(own, guarded):
    key, free = new_key(own, ["git.*"]), new_key(own, None)
    child = own.define(WRITE)
    parent = own.define({"id": "child", "action": "workflow", "workflow": child})
    run = post(guarded, key, f"/api/workflows/{parent}/execute")
    assert error_of(own, run)[0] == "FAILED"
    assert own.sql("select tools from workflow_runs where parent_run_id = %s", run) == [(["git.*"],)]
    # who repeats it counts
    assert error_of(own, post(guarded, free, f"/api/executions/{run}/rerun"))[0] == "COMPLETED"
    ended = post(guarded, free, f"/api/workflows/{parent}/execute")
    own.wait_ended(ended)
    assert error_of(own, post(guarded, key, f"/api/executions/{ended}/rerun"))[0] == "FAILED"
    tested = post(guarded, key, f"/api/workflows/{child}/test-step", {"stepId": "write"})
    assert error_of(own, tested)[:2] == ("FAILED", "denied")


def test_over_the_websocket(own, guarded):
    workflow = own.define(WRITE)

    async def trigger(key):
        url = guarded.url.replace("http", "ws") + "/ws"
        async with websockets.connect(url, extra_headers={"Authorization": f"Bearer {key}"}) as ws:
            await ws.send(json.dumps({"type": "workflow.trigger", "id": "1",
                                      "workflowId": workflow}))
            while True:
                message = json.loads(await asyncio.wait_for(ws.recv(), 20))
                if message.get("executionId"):
                    return message["executionId"]
    assert error_of(own, asyncio.run(trigger(new_key(own, ["git.*"]))))[:2] == ("FAILED", "denied")
    assert error_of(own, asyncio.run(trigger(new_key(own, ["files.*"]))))[0] == "COMPLETED"


def test_a_run_goes_on_with_what_it_was_started_with(own, guarded):
    """Also on another worker."""
    key = new_key(own, ["shell"])
    workflow = own.workflow(flow(f"tools-{uuid.uuid4().hex[:6]}", shell("s", "sleep 1"), WRITE))
    run = post(guarded, key, f"/api/workflows/{workflow}/execute")
    own.kill_worker(own.wait_running(run, "s")["workerId"])
    assert error_of(own, run)[:2] == ("FAILED", "denied")
    wait_for("workers", lambda: len(own.ready_workers()) >= 2)
