"""Tools of MCP servers in steps of a whole stepmill: registration, retries, models, keys, secrets,
cancelling, leaving. What the client itself does: test_mcp.py."""
import asyncio
import hashlib
import json
import pathlib
import signal
import uuid

import pytest
from harness.mcp import STDIO, HttpServer, everything
from harness.models import Provider, anthropic, sse
from harness.stepmill import Refused, Stepmill, tool, wait_for

CANARY = "canary-of-mcp-0123456789"
DANGEROUS = {"name": "write", "inputSchema": {"type": "object"}, "description": "writes"}
SAFE = {"name": "look", "inputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": True}}


@pytest.fixture(scope="module")
def http():
    server = HttpServer([DANGEROUS, SAFE])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def provider():
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def mill(http, provider, tmp_path_factory):
    count = tmp_path_factory.mktemp("count") / "starts"
    servers = {"ours": {"command": STDIO, "env": {"COUNT": str(count), "TOKEN": "env:CANARY"}},
               "web": {"url": http.url, "headers": {"Authorization": "env:CANARY"}},
               "all": {"command": everything("stdio")},
               "gone": {"command": ["no-such-program-anywhere"]}}
    with Stepmill(workers=1, environment={
            "CANARY": CANARY, "STEPMILL_MCP": json.dumps(servers),
            "STEPMILL_PROVIDERS": json.dumps(
                {"chaos": {"type": "anthropic", "base_url": provider.url, "api_key": "key-12345"}})
            }) as mill:
        mill.count = count
        yield mill
    assert not servers_left(count)


@pytest.fixture(scope="module")
def guarded(mill):
    with mill.supervisor(pool_workers=0, auth_required="true") as supervisor:
        yield supervisor


def servers_left(count):
    left = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"COUNT={count}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                left.append(entry.name)
        except OSError:
            pass
    return left


def call(name, args=None, **more):
    return tool("call", f"mcp.{name}", args, **more)


def error_of(run):
    assert run["status"] == "FAILED", run
    return run["error"]


def warm(mill):
    """Its connection stands, however often it died before."""
    run = mill.do(call("ours.echo", {"text": "x"}, retry={"maxAttempts": 5, "delay": 1}))
    assert run["status"] == "COMPLETED", run


def attempts(run):
    return max(step["attemptNumber"] for step in run["steps"])


# ---- registration ----

def test_a_server_has_to_be_in_the_configuration(mill):
    for step, expected in [
            (call("our.echo"), 'there is no MCP server "our" in the configuration;'
                               ' did you mean "ours"?'),
            (call("ours"), "is no tool of an MCP server: expected mcp.SERVER.TOOL"),
            (call("ours.*"), "one tool has to be named, not a pattern"),
            ({"id": "m", "action": "model", "prompt": "p", "tools": ["mcp.wed.*"]},
             'there is no MCP server "wed" in the configuration; did you mean "web"?')]:
        with pytest.raises(Refused) as refused:
            mill.define(step)
        assert refused.value.status == 422 and expected in json.dumps(
            refused.value.body, ensure_ascii=False).replace('\\"', '"')


def test_servers_are_listed(mill):
    assert mill.get("/api/tools")["mcpServers"] == [
        {"name": "ours", "transport": "stdio"}, {"name": "web", "transport": "http"},
        {"name": "all", "transport": "stdio"}, {"name": "gone", "transport": "stdio"}]


def test_doctor_looks_for_their_programs(mill):
    found = json.loads(mill.cli("doctor", "--json").stdout)
    found = {one["check"]: one for one in found["checks"]}
    assert found["mcp.ours"]["state"] == "ok" and found["mcp.gone"]["state"] == "warn"


# ---- steps ----

def test_a_step_calls_a_tool(mill):
    run = mill.do(call("all.echo", {"message": "{{input.word}}"}), input={"word": "cheese"})
    assert run["status"] == "COMPLETED", run
    assert mill.step(run["id"], "call")["output"] == "Echo: cheese"


def test_an_unknown_tool_fails_with_the_nearest_name(mill):
    error = error_of(mill.do(call("ours.ecko")))
    assert error["code"] == "unknown_tool" and 'did you mean "mcp.ours.echo"?' in error["message"]


def test_an_unknown_effect_is_not_tried_again(mill):
    run = mill.do(call("ours.die", retry={"maxAttempts": 3, "delay": 1}))
    error = error_of(run)
    assert error["code"] == "effect_unknown" and "unknown" in error["message"]
    assert attempts(run) == 1
    warm(mill)


def test_what_does_no_harm_twice_is_tried_again(mill):
    run = mill.do(call("ours.die_idempotent", retry={"maxAttempts": 2, "delay": 1}))
    assert error_of(run)["code"] == "mcp_lost" and attempts(run) == 2
    warm(mill)


def test_a_timeout_tells_the_server_and_is_not_tried_again_blindly(mill):
    warm(mill)
    run = mill.do(call("ours.hang", timeout=400, retry={"maxAttempts": 2, "delay": 1}))
    error = error_of(run)
    assert error["code"] == "timeout" and "whether it took effect is unknown" in error["message"]
    assert attempts(run) == 1
    run = mill.do(call("ours.hang_idempotent", timeout=400, retry={"maxAttempts": 2, "delay": 1}))
    assert error_of(run)["code"] == "timeout" and attempts(run) == 2
    run = mill.do(call("ours.cancelled"))
    assert len(mill.step(run["id"], "call")["output"]["list"]) >= 3


async def hang(server, message, reply):
    await asyncio.sleep(60)


def test_a_cancelled_run_cancels_the_call(mill, http):
    asked = len(http.seen)
    http.answers["tools/call"] = hang
    try:
        run = mill.begin(call("web.write"))
        wait_for("the call", lambda: "tools/call" in http.methods()[asked:])
        mill.post(f"/api/executions/{run}/cancel")
        assert mill.wait_ended(run)["status"] == "CANCELLED"
        wait_for("word of it", lambda: "notifications/cancelled" in http.methods()[asked:])
    finally:
        del http.answers["tools/call"]


def test_a_server_that_is_not_there(mill):
    error = error_of(mill.do(call("gone.anything", retry={"maxAttempts": 3, "delay": 1})))
    assert error["code"] == "mcp_unavailable" and "not installed" in error["message"]


def test_secrets_of_servers_are_masked(mill, http):
    run = mill.do(call("ours.environment"))
    output = mill.step(run["id"], "call")["output"]
    assert output["variables"]["TOKEN"] == "***"
    assert mill.do(call("web.look"))["status"] == "COMPLETED"
    assert http.seen[-1][1]["authorization"] == CANARY
    assert CANARY not in mill.log() and CANARY not in json.dumps(mill.events(run["id"]))


# ---- keys ----

@pytest.mark.parametrize("tools, allowed", [
    (["mcp.ours.*"], True), (["mcp.ours.echo"], True), (["*"], True), (["mcp.web.*"], False),
    (["files.*"], False)])
def test_a_key_says_which_tools_it_may_use(mill, guarded, tools, allowed):
    key = f"sm_{uuid.uuid4().hex}"
    mill.sql("insert into api_keys (id, name, key_hash, role, tools) values"
             " (gen_random_uuid(), %s, %s, %s, %s)", key[:12],
             hashlib.sha256(key.encode()).digest(), "admin", tools)
    workflow = mill.define(call("ours.echo", {"text": "x"}))
    answer = guarded.ask("POST", f"/api/workflows/{workflow}/execute", {},
                         {"Authorization": f"Bearer {key}"})
    run = mill.wait_ended(answer.json["executionId"])
    assert run["status"] == ("COMPLETED" if allowed else "FAILED"), run
    assert allowed or run["error"]["code"] == "denied"


# ---- models ----

def asks_for(name, args):
    """The model calls a tool, then answers with what that said."""
    def answer(body):
        said = [part for message in body["messages"] for part in message["content"]
                if isinstance(part, dict) and part.get("type") == "tool_result"]
        if not said:
            return 200, [], sse(*anthropic("", tools=[("c1", name, json.dumps(args))]))
        return 200, [], sse(*anthropic(f"it said: {said[0]['content']}"))
    return answer


def test_a_model_is_offered_tools_and_calls_them(mill, provider):
    provider.answers["caller"] = asks_for("mcp_ours_echo", {"text": "from a model"})
    step = {"id": "ask", "action": "model", "model": "chaos:caller", "prompt": "p",
            "tools": ["mcp.ours.*", "json.merge"]}
    run = mill.do(step)
    assert run["status"] == "COMPLETED", run
    assert "from a model" in mill.step(run["id"], "ask")["output"]
    offered = {one["name"]: one for one in provider.requests[-1][2]["tools"]}
    assert "json_merge" in offered and "mcp_ours_die" in offered
    assert not any(name.startswith("mcp_all") for name in offered)
    assert offered["mcp_ours_echo"]["description"] == "says it again"
    assert offered["mcp_ours_echo"]["input_schema"]["required"] == ["text"]


def test_a_model_that_is_cancelled_cancels_its_call(mill, provider, http):
    provider.answers["caller"] = asks_for("mcp_web_write", {})
    asked = len(http.seen)
    http.answers["tools/call"] = hang
    try:
        run = mill.begin({"id": "ask", "action": "model", "model": "chaos:caller", "prompt": "p",
                          "tools": ["mcp.web.write"]})
        wait_for("the call", lambda: "tools/call" in http.methods()[asked:])
        mill.post(f"/api/executions/{run}/cancel")
        assert mill.wait_ended(run)["status"] == "CANCELLED"
        wait_for("word of it", lambda: "notifications/cancelled" in http.methods()[asked:])
    finally:
        del http.answers["tools/call"]


def test_a_bot_has_tools_of_servers(mill, provider):
    provider.answers["caller"] = asks_for("mcp_ours_echo", {"text": "from a bot"})
    mill.post("/api/bots", {"slug": "handy", "model": "chaos:caller", "tools": ["mcp.ours.echo"]})
    run = mill.do({"id": "ask", "action": "agent", "bot": "handy", "prompt": "p"})
    assert run["status"] == "COMPLETED", run
    assert "from a bot" in json.dumps(mill.step(run["id"], "ask")["output"])
    assert [one["name"] for one in provider.requests[-1][2]["tools"]] == ["mcp_ours_echo"]


def test_a_star_alone_means_what_is_built_in(mill, provider):
    provider.answers["plain"] = lambda body: (200, [], sse(*anthropic("fine")))
    run = mill.do({"id": "ask", "action": "model", "model": "chaos:plain", "prompt": "p",
                   "tools": ["*"]})
    assert run["status"] == "COMPLETED", run
    names = [one["name"] for one in provider.requests[-1][2]["tools"]]
    assert "shell" in names and not any(name.startswith("mcp_") for name in names)


@pytest.mark.parametrize("tools, code, words", [
    (["mcp.gone.*"], "mcp_unavailable", "not installed"),
    (["mcp.ours.ecko"], "unknown_tool", 'did you mean "mcp.ours.echo"?')])
def test_a_model_whose_tools_cannot_be_had(mill, provider, tools, code, words):
    error = error_of(mill.do({"id": "ask", "action": "model", "model": "chaos:plain",
                              "prompt": "p", "tools": tools}))
    assert error["code"] == code and words in error["message"]


# ---- life ----

def test_a_killed_worker_leaves_no_server(mill):
    mill.do(call("ours.echo", {"text": "x"}))
    assert servers_left(mill.count)
    worker = mill.ready_workers()[0]["id"]
    mill.kill_worker(worker, signal.SIGKILL)
    wait_for("another worker", lambda: [w for w in mill.ready_workers() if w["id"] != worker])
    wait_for("no server", lambda: not servers_left(mill.count))
    run = mill.do(call("ours.echo", {"text": "again"}))
    assert mill.step(run["id"], "call")["output"] == "again"
