"""The MCP client alone (mcp_driver): servers that other people wrote, and programs that die, flood, lie
or never answer. Over HTTP: test_mcp_http.py. Through a whole stepmill: test_mcp_steps.py."""
import json
import pathlib

import pytest
from harness.mcp import STDIO, Client, Everything, everything, filesystem
from harness.stepmill import wait_for


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
