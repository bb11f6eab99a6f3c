"""The MCP client alone (mcp_driver): servers that other people wrote, and servers that die, flood,
lie or never answer. Through a whole stepmill: test_mcp_steps.py."""
import asyncio
import itertools
import json
import pathlib
import urllib.parse

import pytest
from harness.mcp import (STDIO, Client, Everything, HttpServer, add_authorization, everything,
                         filesystem)
from harness.stepmill import wait_for

ECHO = {"name": "echo", "inputSchema": {"type": "object"}}
CAREFUL = {"name": "look", "inputSchema": {"type": "object"},
           "annotations": {"readOnlyHint": True}}


@pytest.fixture
def client(tmp_path):
    """client(server) or client(a=server, b=server): its servers are ended with the test."""
    clients = []

    def make(only=None, environment=None, **servers):
        made = Client(tmp_path, servers or {"s": only}, environment)
        clients.append(made)
        return made
    yield make
    for made in clients:
        made.stop()


def ours(*words, **more):
    return {"command": [*STDIO, *words], **more}


@pytest.fixture
def http():
    servers = []

    def make(*tools, **more):
        servers.append(HttpServer(tools or [ECHO, CAREFUL], **more))
        return servers[-1]
    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def everything_http():
    server = Everything()
    yield server
    server.stop()


def ok(answer):
    assert answer["ok"], answer
    return answer["output"]


def failure(answer):
    assert not answer["ok"], answer
    return answer["code"], answer["final"], answer["message"]


# ---- servers of other people ----

@pytest.mark.parametrize("way", ["stdio", "http"])
def test_server_everything(client, everything_http, way):
    mcp = client({"command": everything("stdio")} if way == "stdio"
                 else {"url": everything_http.url})
    assert ok(mcp.call("mcp.s.echo", {"message": "hello"})) == "Echo: hello"
    assert "5" in ok(mcp.call("mcp.s.get-sum", {"a": 2, "b": 3}))
    kinds = [item["type"] for item in ok(mcp.call("mcp.s.get-tiny-image"))]
    assert "image" in kinds
    weather = ok(mcp.call("mcp.s.get-structured-content", {"location": "New York"}))
    assert weather["temperature"] > 0
    code, final, words = failure(mcp.call("mcp.s.get-sum", {"a": 2}))
    assert (code, final) == ("input", True) and "b" in words
    number = mcp.begin("mcp.s.trigger-long-running-operation", {"duration": 1, "steps": 4})
    assert "completed" in ok(mcp.answer(number))
    assert any("progress 2/4" in line["message"] for line in mcp.steps_log(number))
    names = mcp.list("s")["tools"]
    assert "echo" in names and len(names) > 5


def test_server_filesystem(client, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "a.txt").write_text("what it holds")
    mcp = client({"command": filesystem(folder)})
    output = ok(mcp.call("mcp.s.read_text_file", {"path": str(folder / "a.txt")}))
    assert "what it holds" in json.dumps(output)
    ok(mcp.call("mcp.s.write_file", {"path": str(folder / "b.txt"), "content": "new"}))
    assert (folder / "b.txt").read_text() == "new"
    code, _, words = failure(mcp.call("mcp.s.read_text_file", {"path": "/etc/passwd"}))
    assert code == "tool_failed" and "denied" in words.lower()


# ---- what comes back ----

def test_outputs_and_failures(client):
    mcp = client(ours())
    assert ok(mcp.call("mcp.s.echo", {"text": "as it is"})) == "as it is"
    assert ok(mcp.call("mcp.s.structured")) == {"a": [1, 2]}
    assert ok(mcp.call("mcp.s.json")) == {"a": 1}
    assert [item["type"] for item in ok(mcp.call("mcp.s.several"))] == ["text", "image"]
    assert failure(mcp.call("mcp.s.fail")) == ("tool_failed", False,
                                               "no such cheese\ntry another")
    refused = mcp.call("mcp.s.refuse")
    assert failure(refused) == ("mcp_error", True, "not like this")
    assert refused["details"] == {"rpcCode": -32602}


def test_arguments_are_checked_before_the_call(client):
    mcp = client(ours())
    for args, where in ({}, "text"), ({"text": 7}, "args.text"), ({"text": "no!"}, "args.text"):
        code, final, words = failure(mcp.call("mcp.s.echo", args))
        assert (code, final) == ("input", True) and where in words
    assert ok(mcp.call("mcp.s.odd", {"anything": 1})) == "done"


def test_unknown_tools_and_servers_have_nearest_names(client):
    mcp = client(files=ours())
    assert failure(mcp.call("mcp.files.ecko")) == (
        "unknown_tool", True,
        'the MCP server "files" has no tool "ecko"; did you mean "mcp.files.echo"?')
    code, final, words = failure(mcp.call("mcp.fils.echo"))
    assert (code, final) == ("unknown_tool", True) and 'did you mean "files"?' in words


def test_the_list_is_read_in_pages_and_again_when_it_changes(client):
    mcp = client(ours())
    names = mcp.list("s")["tools"]
    assert len(names) > 21 and "no name at all" not in names and "grown" not in names
    assert failure(mcp.call("mcp.s.grown"))[0] == "unknown_tool"
    ok(mcp.call("mcp.s.grow"))
    wait_for("the new tool", lambda: mcp.call("mcp.s.grown")["ok"])


def test_what_a_model_is_offered(client):
    mcp = client(one=ours(), two=ours("bare"), three=ours())
    assert mcp.model("mcp.one.echo")["tools"] == ["mcp.one.echo"]
    assert mcp.model("mcp.one.die*")["tools"] == [
        "mcp.one.die", "mcp.one.die_idempotent", "mcp.one.die_reading", "mcp.one.die_later"]
    assert mcp.model("mcp.two.*")["tools"] == []
    everywhere = mcp.model("mcp.*")["tools"]
    assert "mcp.one.echo" in everywhere and "mcp.three.echo" in everywhere


def test_progress_and_log_messages_are_in_the_steps_log(client):
    mcp = client(ours())
    number = mcp.begin("mcp.s.chatter")
    assert ok(mcp.answer(number)) == "done"
    lines = [(line["level"].lower(), line["message"]) for line in mcp.steps_log(number)]
    assert ("info", "progress 1/4 a start") in lines
    assert ("warn", 'cat: {"meow":1}') in lines


@pytest.mark.parametrize("elicitation, expected", [
    ("none", -32601), ("defaults", {"action": "accept", "content": {"name": "Ann"}})])
def test_a_server_may_ask(client, elicitation, expected):
    mcp = client(ours(elicitation=elicitation))
    pong, roots, answer = ok(mcp.call("mcp.s.ask"))
    assert pong == {} and roots["code"] == -32601
    assert (answer if elicitation == "defaults" else answer["code"]) == expected


def test_its_environment_is_what_the_configuration_says(client, tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    mcp = client(ours(environment=["HANDED_ON"], env={"GIVEN": "yes", "TOKEN": "env:HIDDEN"},
                      cwd=str(folder)),
                 environment={"HANDED_ON": "on", "HIDDEN": "sesame", "KEPT": "secret"})
    there = ok(mcp.call("mcp.s.environment"))
    variables = there["variables"]
    assert variables["HANDED_ON"] == "on" and variables["GIVEN"] == "yes"
    assert variables["TOKEN"] == "sesame" and there["cwd"] == str(folder)
    assert "KEPT" not in variables and "HIDDEN" not in variables
    assert "STEPMILL_EXECUTION_ID" not in variables


def test_calls_carry_the_key_of_the_step(client):
    mcp = client(ours())
    assert ok(mcp.call("mcp.s.meta"))["stepmill/idempotencyKey"] == "key-of-the-step"


@pytest.mark.parametrize("mode", ["old", "banner"])
def test_older_servers_and_polite_ones(client, mode):
    assert ok(client(ours(mode)).call("mcp.s.echo", {"text": "x"})) == "x"


# ---- one connection ----

def starts(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


def counted(path, *words, **more):
    return ours(*words, env={"COUNT": str(path)}, **more)


def alive(count):
    """Is there a process of that server? Its own numbers are those of its namespace."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"COUNT={count}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                return True
        except OSError:
            pass
    return False


def test_one_connection_is_kept_and_ended_when_idle(client, tmp_path):
    count = tmp_path / "starts"
    mcp = client(counted(count, idle="300ms"))
    numbers = [mcp.begin("mcp.s.echo", {"text": str(n)}) for n in range(20)]
    assert [ok(mcp.answer(number)) for number in numbers] == [str(n) for n in range(20)]
    assert starts(count) == 1
    wait_for("its end", lambda: not alive(count))
    assert ok(mcp.call("mcp.s.echo", {"text": "again"})) == "again"
    assert starts(count) == 2


def test_a_server_that_does_not_end_by_itself_is_ended(client, tmp_path):
    count = tmp_path / "starts"
    mcp = client(counted(count, "stubborn"))
    assert ok(mcp.call("mcp.s.echo", {"text": "x"})) == "x"
    mcp.stop()
    assert not alive(count)


def test_no_server_outlives_a_killed_worker(client, tmp_path):
    count = tmp_path / "starts"
    mcp = client(counted(count, "stubborn"))
    mcp.begin("mcp.s.hang")
    wait_for("its start", lambda: starts(count))
    mcp.process.kill()
    wait_for("its end", lambda: not alive(count), 5)
    mcp.process.wait()
    mcp.stop = lambda: None


# ---- servers that go wrong ----

def test_death_after_the_call_was_sent_is_an_unknown_effect(client, tmp_path):
    count = tmp_path / "starts"
    mcp = client(counted(count))
    code, final, words = failure(mcp.call("mcp.s.die"))
    assert (code, final) == ("effect_unknown", True)
    assert "out of cheese" in words and "whether die took effect is unknown" in words
    assert starts(count) == 1
    assert ok(mcp.call("mcp.s.echo", {"text": "back"})) == "back"
    assert starts(count) == 2


@pytest.mark.parametrize("tool", ["die_idempotent", "die_reading"])
def test_what_does_no_harm_twice_may_be_tried_again(client, tool):
    code, final, _ = failure(client(ours()).call(f"mcp.s.{tool}"))
    assert (code, final) == ("mcp_lost", False)


def test_death_between_two_calls_costs_nothing(client, tmp_path):
    count = tmp_path / "starts"
    mcp = client(counted(count))
    for n in range(1, 4):
        ok(mcp.call("mcp.s.die_later"))
        wait_for("its end", lambda: not alive(count))
        assert starts(count) == n


def test_a_server_that_crashes_at_once_is_not_started_for_ever(client, tmp_path):
    count = tmp_path / "starts"
    mcp = client(counted(count, "crash"))
    code, final, words = failure(mcp.call("mcp.s.echo", {"text": "x"}))
    assert (code, final) == ("mcp_unavailable", False) and "out of cheese" in words
    assert starts(count) == 3
    again = mcp.call("mcp.s.echo", {"text": "x"})  # it rests: not even tried
    assert again["code"] == "mcp_unavailable" and again["ms"] < 500 and again["retryMs"] > 0
    assert starts(count) == 3


@pytest.mark.parametrize("server, why, final", [
    ({"command": ["no-such-program-anywhere"]}, "not installed", True),
    (ours("future"), "2099-01-01", True),
    (ours("mute", start_timeout="200ms"), "did not greet within", False),
    (ours("endless"), "more than 100 pages", False),
    (ours(cwd="/no/such/folder"), "/no/such/folder", False),
    ({"url": "http://127.0.0.1:1/mcp"}, "connect", False)])
def test_servers_that_cannot_be_used(client, server, why, final):
    code, is_final, words = failure(client(server).call("mcp.s.echo", {"text": "x"}))
    assert (code, is_final) == ("mcp_unavailable", final) and why in words


@pytest.mark.parametrize("tool, why", [
    ("garbage", "what is no message"), ("flood", "nobody asked for"),
    ("huge", "a line of more than 8388608 bytes")])
def test_servers_that_say_too_much(client, tool, why):
    mcp = client(ours())
    code, final, words = failure(mcp.call(f"mcp.s.{tool}"))
    assert (code, final) == ("effect_unknown", True) and why in words
    assert ok(mcp.call("mcp.s.echo", {"text": "x"})) == "x"


def test_a_stopped_call_is_cancelled_at_the_server(client):
    mcp = client(ours())
    assert failure(mcp.call("mcp.s.hang", stopMs=300))[:2] == ("effect_unknown", True)
    assert failure(mcp.call("mcp.s.hang_idempotent", stopMs=300))[:2] == ("stopped", False)
    assert len(ok(mcp.call("mcp.s.cancelled"))["list"]) == 2


# ---- streamable HTTP ----

def test_a_session_over_http(client, http):
    server = http()
    mcp = client({"url": server.url, "headers": {"X-Team": "blue"}})
    assert ok(mcp.call("mcp.s.echo")) == "done"
    mcp.stop()
    asked = [(verb, message.get("method") if message else None)
             for verb, _, message in server.seen]
    assert asked[:2] == [("POST", "initialize"), ("POST", "notifications/initialized")]
    assert sorted(asked[2:], key=str) == sorted([
        ("GET", None), ("POST", "tools/list"), ("POST", "tools/call"), ("DELETE", None)], key=str)
    assert all(headers["x-team"] == "blue" for _, headers, _ in server.seen)
    for verb, headers, _ in server.seen[1:]:
        assert headers["mcp-session-id"] == "session-1-1", verb
        assert headers["mcp-protocol-version"] == "2025-11-25"
    posts = [headers for verb, headers, _ in server.seen if verb == "POST"]
    assert all(h["accept"] == "application/json, text/event-stream" for h in posts)


def test_a_server_without_sessions_of_an_older_version(client, http):
    server = http(session=None, version="2025-03-26")
    mcp = client({"url": server.url})
    assert ok(mcp.call("mcp.s.echo")) == "done"
    assert not any("mcp-session-id" in headers for _, headers, _ in server.seen)
    assert server.seen[-1][1]["mcp-protocol-version"] == "2025-03-26"


def test_a_forgotten_session_begins_again(client, http):
    server = http()
    mcp = client({"url": server.url})
    assert ok(mcp.call("mcp.s.echo")) == "done"
    server.known.clear()
    assert ok(mcp.call("mcp.s.echo")) == "done"
    assert server.methods().count("initialize") == 2


def test_a_server_that_always_forgets_is_given_up(client, http):
    server = http()

    async def forget(server, message, reply):
        await reply.raw(404)
    server.answers["tools/list"] = forget
    code, final, words = failure(client({"url": server.url}).call("mcp.s.echo"))
    assert (code, final) == ("mcp_unavailable", False) and "404" in words
    assert server.methods().count("initialize") == 3


def test_an_answer_as_a_stream(client, http):
    server = http()

    async def stream(server, message, reply):
        token = message["params"]["_meta"]["progressToken"]
        await reply.event({"jsonrpc": "2.0", "method": "notifications/progress",
                           "params": {"progressToken": token, "progress": 1}})
        await reply.event({"jsonrpc": "2.0", "id": "q", "method": "ping"})
        await reply.event({"jsonrpc": "2.0", "id": message["id"],
                           "result": {"content": [{"type": "text", "text": "streamed"}]}})
        await asyncio.sleep(30)  # some never hang up
    server.answers["tools/call"] = stream
    mcp = client({"url": server.url})
    number = mcp.begin("mcp.s.echo")
    assert ok(mcp.answer(number)) == "streamed"
    assert [line["message"] for line in mcp.steps_log(number)] == ["progress 1"]
    wait_for("the pong", lambda: any(m and m.get("id") == "q" for _, _, m in server.seen))


def test_a_stream_that_breaks_is_taken_up_behind_its_last_event(client, http):
    server = http()
    calls, gets = [], itertools.count()

    async def begin(server, message, reply):
        calls.append(message["id"])
        await reply.event(key="e-1", retry=50)

    async def go_on(server, headers, reply):
        if "last-event-id" not in headers:
            await reply.raw(405)
        elif next(gets) == 0:
            await reply.event(key="e-2")
        else:
            await reply.event({"jsonrpc": "2.0", "id": calls[0], "result": {
                "content": [{"type": "text", "text": headers["last-event-id"]}]}})
    server.answers["tools/call"] = begin
    server.on_get = go_on
    assert ok(client({"url": server.url}).call("mcp.s.echo")) == "e-2"
    assert len(calls) == 1


@pytest.mark.parametrize("tool, expected", [
    ("echo", ("effect_unknown", True)), ("look", ("mcp_lost", False))])
@pytest.mark.parametrize("how", ["stream", "cut", "nothing", "accepted", "500", "other"])
def test_a_connection_that_is_cut_after_the_call_was_sent(client, http, tool, expected, how):
    server = http()

    async def cut(server, message, reply):
        if how == "stream":
            await reply.event({"jsonrpc": "2.0", "method": "notifications/message",
                               "params": {"level": "info", "data": "so far"}})
        elif how == "cut":
            await reply.raw(200, b'{"jsonrpc"', {"Content-Type": "application/json",
                                                 "Content-Length": "1000"}, length=False)
        elif how == "accepted":
            await reply.raw(202)
        elif how == "500":
            await reply.raw(500, b"oh no")
        elif how == "other":
            await reply.json({"jsonrpc": "2.0", "id": 4711, "result": {}})
    server.answers["tools/call"] = cut
    mcp = client({"url": server.url})
    assert failure(mcp.call(f"mcp.s.{tool}"))[:2] == expected
    assert server.methods().count("tools/call") == 1


@pytest.mark.parametrize("status, final", [(401, True), (400, True), (429, False), (503, False)])
def test_a_refused_call_had_no_effect(client, http, status, final):
    server = http()

    async def refuse(server, message, reply):
        await reply.json({"error": {"message": "not now"}}, status=status)
    server.answers["tools/call"] = refuse
    code, is_final, words = failure(client({"url": server.url}).call("mcp.s.echo"))
    assert (code, is_final) == ("mcp_unavailable", final)
    assert words.endswith(f"it answered HTTP {status}: not now")


def test_a_redirect_is_not_followed(client, http):
    other, server = http(), http()

    async def away(server, message, reply):
        await reply.raw(307, headers={"Location": other.url})
    server.answers["initialize"] = away
    code, final, words = failure(client({"url": server.url}).call("mcp.s.echo"))
    assert (code, final) == ("mcp_unavailable", True) and "307" in words and not other.seen


def test_the_servers_own_stream_tells_of_new_tools(client, http):
    server = http()
    told = asyncio.Event()

    async def tell(server, headers, reply):
        await told.wait()
        await reply.event({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        await asyncio.sleep(30)
    server.on_get = tell
    mcp = client({"url": server.url})
    assert mcp.list("s")["tools"] == ["echo", "look"]
    server.tools.append({"name": "new", "inputSchema": {"type": "object"}})
    server.loop.call_soon_threadsafe(told.set)
    wait_for("the new tool", lambda: "new" in mcp.list("s")["tools"])


def test_a_stopped_call_is_cancelled_over_http(client, http):
    server = http()

    async def hang(server, message, reply):
        await asyncio.sleep(30)
    server.answers["tools/call"] = hang
    mcp = client({"url": server.url})
    assert failure(mcp.call("mcp.s.echo", stopMs=300))[:2] == ("effect_unknown", True)
    wait_for("the word of it", lambda: "notifications/cancelled" in server.methods())
    asked = [m for _, _, m in server.seen if m and m.get("method") == "tools/call"]
    gone = [m for _, _, m in server.seen if m and m.get("method") == "notifications/cancelled"]
    assert gone[0]["params"]["requestId"] == asked[0]["id"]


def test_an_event_that_is_too_large(client, http):
    server = http()

    async def much(server, message, reply):
        await reply.event("x")
        with_end = b"data: " + b"x" * (9 * 1024 * 1024)
        reply.writer.write(with_end)
        await reply.writer.drain()
        await asyncio.sleep(30)
    server.answers["tools/call"] = much
    code, _, words = failure(client({"url": server.url}).call("mcp.s.echo"))
    assert code == "effect_unknown" and "too large" in words


# ---- authorization; the conformance tests (test_mcp_conformance.py) have the rest ----

def grants(server):
    return [urllib.parse.parse_qs(body)["grant_type"][0]
            for path, _, body in server.asked if path == "/token"]


def test_a_token_is_got_and_kept(client, http):
    server = http()
    add_authorization(server)
    mcp = client({"url": server.url, "oauth": {}})
    assert ok(mcp.call("mcp.s.echo")) == "done"
    assert ok(mcp.call("mcp.s.echo")) == "done"
    assert grants(server) == ["authorization_code"]
    asked = urllib.parse.parse_qs(
        [path for path, _, _ in server.asked if path.startswith("/authorize")][0].split("?")[1])
    assert asked["resource"] == [server.url] and asked["scope"] == ["tools"]
    assert server.seen[-1][1]["authorization"] == "Bearer canary-token-1"


@pytest.mark.parametrize("refresh, expected", [
    (True, ["authorization_code", "refresh_token"]),
    (False, ["authorization_code", "refresh_token", "authorization_code"]),
    (None, ["authorization_code", "authorization_code"])])
def test_a_token_that_is_over_is_renewed(client, http, refresh, expected):
    server = http()
    add_authorization(server, refresh=refresh)
    mcp = client({"url": server.url, "oauth": {}})
    assert ok(mcp.call("mcp.s.echo")) == "done"
    server.token = "another"
    numbers = [mcp.begin("mcp.s.echo") for _ in range(5)]
    assert all(ok(mcp.answer(number)) == "done" for number in numbers)
    assert grants(server) == expected  # once for all that were refused
    assert [path for path, _, _ in server.asked].count("/register") == 1


def test_what_wants_a_person_to_log_in_fails(client, http):
    server = http()
    add_authorization(server, logs_in=False)
    code, final, words = failure(
        client({"url": server.url, "oauth": {}}).call("mcp.s.echo"))
    assert (code, final) == ("mcp_unavailable", True) and "somebody has to log in" in words


def test_an_authorization_server_inside_is_not_for_the_server_to_name(client, http):
    server = http()
    add_authorization(server, issuer=f"http://localhost:{server.port}")
    code, final, words = failure(
        client({"url": server.url, "oauth": {}}).call("mcp.s.echo"))
    assert (code, final) == ("mcp_unavailable", True) and "may not be called" in words
    assert "/token" not in [path for path, _, _ in server.asked]


def test_without_oauth_in_the_configuration_a_refusal_is_one(client, http):
    server = http()
    add_authorization(server)
    code, final, words = failure(client({"url": server.url}).call("mcp.s.echo"))
    assert (code, final) == ("mcp_unavailable", True) and "401" in words and not server.asked
