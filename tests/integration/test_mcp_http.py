"""The MCP client alone (mcp_driver) over streamable HTTP, with servers that forget, cut, refuse, send too
much, or want a token. Battery F7: what a server names is not called when it is inside."""
import asyncio
import itertools
import urllib.parse

import pytest
from harness.mcp import HttpServer, add_authorization
from harness.stepmill import wait_for
from test_mcp import client, failure, ok  # noqa: F401 (a fixture)

ECHO = {"name": "echo", "inputSchema": {"type": "object"}}
CAREFUL = {"name": "look", "inputSchema": {"type": "object"},
           "annotations": {"readOnlyHint": True}}


@pytest.fixture
def http():
    servers = []

    def make(*tools, **more):
        servers.append(HttpServer(tools or [ECHO, CAREFUL], **more))
        return servers[-1]
    yield make
    for server in servers:
        server.stop()


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


def test_a_busy_server_is_asked_again_after_a_while(client, http):
    server = http()
    busy = iter([503, 429])

    async def now_and_then(server, message, reply):
        status = next(busy, None)
        await (reply.raw(status) if status else reply.result(message, {"content": []}))
    server.answers["tools/call"] = now_and_then
    answer = client({"url": server.url}).call("mcp.s.echo")
    assert ok(answer) == [] and answer["ms"] >= 1200
    assert server.methods().count("initialize") == 1


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
