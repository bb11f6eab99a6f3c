"""Bots: made and changed over HTTP and from the command line, answering in agent and message
steps, and what they and people say to one another, which is kept."""
import asyncio
import json
import signal

import pytest
from harness.models import Provider, anthropic, sse
from harness.stepmill import Refused, Stepmill, noop, wait_for
from test_cli import good, refused

NOBODY = "00000000-0000-7000-8000-000000000000"
EXCHANGE_MAX = 50  # of common/engine/bot_read.h


@pytest.fixture(scope="module")
def chaos():
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def mill(chaos):
    providers = {"chaos": {"type": "anthropic", "base_url": chaos.url}}
    with Stepmill(workers=1, environment={"STEPMILL_PROVIDERS": json.dumps(providers),
                                          "STEPMILL_DEFAULT_MODEL": "chaos:preset"}) as mill:
        yield mill


@pytest.fixture(scope="module")
def guarded(mill):
    """Asks for keys."""
    with mill.supervisor(auth_required="true", pool_workers=0) as supervisor:
        wait_for("it answers", supervisor.answers)
        yield supervisor


@pytest.fixture
def bot(mill, request):
    """Makes bots of slugs that only this test has."""
    stem = "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[5:45].strip("-")

    def make(name, **fields):
        return mill.post("/api/bots", {"slug": f"{stem}-{name}", **fields})["slug"]
    return make


def ok(text, **more):
    return lambda body: (200, [], sse(*anthropic(text, **more)))


def texts(body):
    """What a provider was asked: (role, text) of each turn."""
    return [(m["role"], m["content"][0]["text"]) for m in body["messages"]]


def agent(bot, prompt="p", key="ask", **fields):
    return {"id": key, "action": "agent", "bot": bot, "prompt": prompt, **fields}


def message(sender, receiver, body="hello", key="say", **fields):
    return {"id": key, "action": "message", "from": sender, "to": receiver, "body": body, **fields}


def messages(mill, session):
    shown = mill.get(f"/api/sessions/{session}")
    assert shown["messageCount"] == len(shown["messages"])
    return shown["messages"]


def sessions(run, kind):
    return [s for s in run["agentSessions"] if s["sessionType"] == kind]


def error_of(run):
    assert run["status"] == "FAILED", run
    return run["error"]


def status_of(mill, method, path, body=None):
    return mill.ask(method, path, body).status


# ---- made and changed ----

def test_from_adding_to_removing(mill):
    made = mill.post("/api/bots", {"slug": "writer", "systemPrompt": "Write.", "tools": ["git.*"],
                                   "model": "chaos:x"})
    assert made == {"id": made["id"], "slug": "writer", "name": "writer", "systemPrompt": "Write.",
                    "model": "chaos:x", "tools": ["git.*"], "handlerSkill": None, "projectId": None,
                    "createdBy": "dev", "createdAt": made["createdAt"],
                    "updatedAt": made["updatedAt"]}
    assert mill.get("/api/bots/writer") == made == mill.get(f"/api/bots/{made['id']}")
    assert made in mill.get("/api/bots?limit=100")["data"]
    now = mill.request("PATCH", "/api/bots/writer", json.dumps({"name": "Ann", "model": None}))
    assert (now["name"], now["model"], now["tools"], now["systemPrompt"]) == (
        "Ann", None, ["git.*"], "Write.")
    now = mill.request("PUT", f"/api/bots/{made['id']}", json.dumps({"tools": "state.get"}))
    assert (now["slug"], now["tools"], now["systemPrompt"]) == ("writer", ["state.get"], "")
    assert status_of(mill, "POST", "/api/bots", {"slug": "writer"}) == 409
    assert status_of(mill, "DELETE", "/api/bots/writer") == 204
    for method, body in (("GET", None), ("PATCH", {}), ("PUT", {}), ("DELETE", None)):
        assert status_of(mill, method, "/api/bots/writer", body) == 404


@pytest.mark.parametrize("sent, path", [
    ({}, "slug"), ({"slug": "Not one"}, "slug"), ({"slug": "x" * 65}, "slug"), ({"slug": 1}, "slug"),
    ({"name": "a\nb"}, "name"), ({"model": "sonnet"}, "model"), ({"tools": ["git.lgo"]}, "tools[0]"),
    ({"tools": [1]}, "tools"), ({"tools": ["state.*"] * 65}, "tools"), ({"extra": 1}, "extra"),
    ({"systemPrompt": "x" * 102401}, "systemPrompt"), ({"projectId": "x"}, "projectId"),
    ({"handlerSkill": "../answer"}, "handlerSkill"), ({"handlerSkill": ""}, "handlerSkill"), ({"systemPrompt": "a\0b"}, "systemPrompt")])
def test_what_is_refused(mill, sent, path):
    body = sent if path == "slug" else {"slug": "never", **sent}
    answer = mill.ask("POST", "/api/bots", body)
    assert answer.status == 422 and path in [e["path"] for e in answer.json["errors"]], answer.body
    assert status_of(mill, "GET", "/api/bots/never") == 404


def test_a_slug_never_changes(mill, bot):
    slug = bot("a")
    assert status_of(mill, "PATCH", f"/api/bots/{slug}", {"slug": "other"}) == 422
    assert status_of(mill, "POST", "/api/bots", {"slug": "lost", "projectId": NOBODY}) == 404
    assert status_of(mill, "POST", "/api/bots", []) == 400


def test_bots_of_a_project(mill, guarded, bot, chaos, tmp_path):
    chaos.answers["theirs"] = ok("Yes.")
    tmp_path.chmod(0o755)
    project = mill.post("/api/projects", {"name": "bots", "path": str(tmp_path)})["id"]
    theirs, ours = bot("theirs", projectId=project, model="chaos:theirs"), bot("ours")
    found = mill.get(f"/api/bots?projectId={project}")
    assert [b["slug"] for b in found["data"]] == [theirs]
    assert error_of(mill.do(agent(theirs)))["code"] == "no_bot"
    key = mill.post("/api/api-keys", {"name": "bots", "role": "admin", "projectId": project})["key"]
    bound = {"Authorization": f"Bearer {key}"}
    seen = guarded.ask("GET", "/api/bots?limit=100", headers=bound).json["data"]
    assert theirs in [b["slug"] for b in seen]
    assert all(b["projectId"] in (None, project) for b in seen)
    assert guarded.ask("PATCH", f"/api/bots/{ours}", {}, bound).status == 403
    assert guarded.ask("PATCH", f"/api/bots/{theirs}", {}, bound).status == 200
    made = guarded.ask("POST", "/api/bots", {"slug": "bound-made"}, bound)
    assert made.status == 201 and made.json["projectId"] == project
    elsewhere = mill.get("/api/projects/default")["id"]
    assert guarded.ask("POST", "/api/bots", {"slug": "x", "projectId": elsewhere}, bound).status == 404
    assert status_of(mill, "DELETE", f"/api/projects/{project}") == 204
    assert status_of(mill, "GET", f"/api/bots/{theirs}") == 404, "it goes with its project"


# ---- agent steps ----

def test_a_bot_answers(mill, bot, chaos):
    chaos.answers["agent"] = ok("Fine.", tokens=(12, 7))
    slug = bot("a", systemPrompt="Be kind.", model="chaos:agent", tools=["state.*", "git.log"])
    run = mill.do(agent(slug, "How are {{input.who}}?", maxTokens=77), input={"who": "you"})
    session, = run["agentSessions"]
    assert run["output"] == {"text": "Fine.", "sessionId": session["id"], "exitCode": 0,
                             "usage": session["usage"]}, run["error"]
    assert session["usage"]["inputTokens"] == 12 and run["usage"]["outputTokens"] == 7
    assert (session["sessionType"], session["status"]) == ("model", "completed")
    assert session["botId"] == mill.get(f"/api/bots/{slug}")["id"]
    body, = chaos.asked("agent")
    assert body["system"] == "Be kind." and body["max_tokens"] == 77
    assert texts(body) == [("user", "How are you?")]
    assert {t["name"] for t in body["tools"]} == {"state_set", "state_get", "state_has",
                                                  "state_delete", "git_log"}


def test_a_step_may_name_another_model(mill, bot, chaos):
    chaos.answers["other"] = ok("Other.")
    chaos.answers["preset"] = ok("Preset.")
    assert mill.do(agent(bot("a", model="chaos:agent"), model="chaos:other"))["output"]["text"] == "Other."
    assert mill.do(agent(bot("b")))["output"]["text"] == "Preset."


def test_an_agent_answers_by_a_schema_and_corrects_itself(mill, bot, chaos):
    chaos.answers["schema"] = lambda body: (200, [], sse(*anthropic(
        '{"n": 1}' if len(chaos.asked("schema")) == 3 else "{}")))
    schema = {"type": "object", "required": ["n"]}
    run = mill.do(agent(bot("a", model="chaos:schema"), outputSchema=schema,
                        retry={"strategy": "llm_self_correct", "delay": 0}))
    assert run["output"] == {"n": 1}, run["error"]


def test_a_bot_has_no_tools_that_the_run_has_not(mill, guarded, bot, chaos):
    chaos.answers["bounded"] = ok("Done.")
    slug = bot("a", model="chaos:bounded", tools=["shell", "state.get", "git.*"])
    workflow = mill.define(agent(slug))
    key = mill.post("/api/api-keys", {"name": "bot-tools", "role": "operator", "tools": ["state.*"]})["key"]
    begun = guarded.ask("POST", f"/api/workflows/{workflow}/execute", {"input": {}},
                     {"Authorization": f"Bearer {key}"})
    assert mill.wait_ended(begun.json["executionId"])["status"] == "COMPLETED"
    assert [t["name"] for t in chaos.asked("bounded")[0]["tools"]] == ["state_get"]


ECHO = """import json, sys
asked = json.load(sys.stdin)
if asked["prompt"] == "fail":
    sys.exit(3)
print(json.dumps({"text": "heard"} if asked["prompt"] == "text" else asked))
"""


def test_a_skill_answers_for_a_bot(mill, bot):
    folder = mill.folder / ".agent/skills/echo-bot"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\ndescription: Says what it was asked.\nruntime: python\n---\n")
    (folder / "main.py").write_text(ECHO)
    echo, other = bot("e", handlerSkill="echo-bot", systemPrompt="Be brief."), bot("o")
    assert mill.get(f"/api/bots/{echo}")["handlerSkill"] == "echo-bot"
    run = mill.do(agent(echo, "text"), agent(echo, "all", key="json"),
                              agent(echo, "x", key="fit", outputSchema={"type": "object"}),
                              message(other, echo, "hi", wait=True), message(other, echo, "again", key="more", wait=True))
    outputs = {step["stepKey"]: step["output"] for step in run["steps"]}
    assert outputs["ask"] == {"text": "heard", "exitCode": 0, "usage": None}
    asked = {"prompt": "all", "bot": echo, "systemPrompt": "Be brief.", "history": []}
    assert json.loads(outputs["json"]["text"]) == asked
    assert outputs["fit"] == {**asked, "prompt": "x"}
    assert json.loads(outputs["say"]) == {**asked, "prompt": "hi", "from": other}
    more = json.loads(outputs["more"])
    assert more["history"] == [{"from": other, "body": "hi"}, {"from": echo, "body": outputs["say"]}]
    [session] = sessions(run, "bot-to-bot")
    assert [m["body"] for m in messages(mill, session["id"])] == ["hi", outputs["say"], "again", outputs["more"]]
    failed = mill.do(agent(echo, "fail"))
    assert error_of(failed)["code"] == "exit_status" and error_of(failed)["exitCode"] == 3
    mill.request("PATCH", f"/api/bots/{echo}", json.dumps({"handlerSkill": "not-there"}))
    assert error_of(mill.do(agent(echo)))["code"] == "unknown_skill"


def test_an_agent_that_is_not_there(mill):
    error = error_of(mill.do(agent("nobody-at-all")))
    assert error["code"] == "no_bot" and "nobody-at-all" in error["message"]


def test_an_agent_that_is_cancelled(mill, bot, chaos):
    async def hang(writer, body):
        Provider.begin(writer)
        await writer.drain()
        await asyncio.sleep(60)
    chaos.answers["hang"] = hang
    run = mill.begin(agent(bot("a", model="chaos:hang")))
    wait_for("it is asked", lambda: chaos.asked("hang"))
    mill.post(f"/api/executions/{run}/cancel")
    ended = mill.wait_ended(run)
    assert ended["status"] == "CANCELLED"
    wait_for("its session ends", lambda: mill.execution(run)["agentSessions"][0]["status"] == "stopped")


# ---- message steps ----

def test_a_message_is_kept(mill, bot):
    a, b = bot("a"), bot("b")
    run = mill.do(message(a, b, "Read {{input.what}}."), noop("then"), input={"what": "this"})
    assert run["status"] == "COMPLETED" and run["steps"][0]["output"] is None
    session, = run["agentSessions"]
    ids = [mill.get(f"/api/bots/{slug}")["id"] for slug in (a, b)]
    assert (session["sessionType"], session["status"]) == ("bot-to-bot", "completed")
    assert [session["botId"], session["peerBotId"]] == ids
    said, = messages(mill, session["id"])
    assert said == {"id": said["id"], "sessionId": session["id"], "fromBot": a, "toBot": b,
                    "channel": None, "author": a, "type": "message", "body": "Read this.",
                    "at": said["at"]}


def test_a_bot_replies_with_what_was_said_before(mill, bot, chaos):
    chaos.answers["left"] = lambda body: (200, [], sse(*anthropic(f"left {len(chaos.asked('left'))}")))
    chaos.answers["right"] = lambda body: (200, [], sse(*anthropic(f"right {len(chaos.asked('right'))}")))
    a = bot("a", model="chaos:left", systemPrompt="You are left.")
    b = bot("b", model="chaos:right")
    run = mill.do(message(a, b, "one", "first", wait=True),
                  message(b, a, "{{steps.first.output}}!", "second", wait=True),
                  message(a, b, "{{steps.second.output}}!", "third", wait=True))
    assert run["output"] == "right 2", run["error"]
    exchange, = sessions(run, "bot-to-bot")
    assert [(m["fromBot"], m["toBot"], m["type"], m["body"]) for m in messages(mill, exchange["id"])] == [
        (a, b, "message", "one"), (b, a, "reply", "right 1"),
        (b, a, "message", "right 1!"), (a, b, "reply", "left 1"),
        (a, b, "message", "left 1!"), (b, a, "reply", "right 2")]
    left, = chaos.asked("left")
    assert left["system"] == f'You are left.\n\nYou are talking with the bot "{b}".'
    assert texts(left) == [("user", "(You write first.)"), ("assistant", "one"),
                           ("user", "right 1\n\nright 1!")]
    assert texts(chaos.asked("right")[1]) == [
        ("user", "one"), ("assistant", "right 1\n\nright 1!"), ("user", "left 1\n\nleft 1!")]
    models = sessions(run, "model")
    assert len(models) == 3 and models[0]["botId"] == exchange["peerBotId"]
    assert models[0]["peerBotId"] == exchange["botId"]
    assert run["usage"]["rounds"] == 3


def test_runs_know_nothing_of_one_another(mill, bot, chaos):
    chaos.answers["alone"] = ok("Hm.")
    a, b = bot("a"), bot("b", model="chaos:alone")
    for _ in range(2):
        assert mill.do(message(a, b, "once", wait=True))["output"] == "Hm."
    assert [texts(body) for body in chaos.asked("alone")] == [[("user", "once")]] * 2


def test_two_bots_stop_somewhere(mill, bot, chaos):
    chaos.answers["endless"] = ok("And you?")
    a, b = bot("a"), bot("b", model="chaos:endless")
    run = mill.do({"id": "again", "action": "loop", "body": ["say"], "maxIterations": 1000},
                  message(a, b, "And you?", wait=True))
    error = error_of(run)
    assert error["code"] == "message_loop" and f"{EXCHANGE_MAX} things" in error["message"], error
    assert len(chaos.asked("endless")) == EXCHANGE_MAX // 2
    assert len(messages(mill, sessions(run, "bot-to-bot")[0]["id"])) == EXCHANGE_MAX


def test_a_chain_is_eight_deep(mill, bot, chaos):
    chaos.answers["deep"] = ok("Deep.")
    a, b = bot("a"), bot("b", model="chaos:deep")
    mill.workflow(json.dumps({"name": "bots-deep", "steps": [
        noop("pick", branches=[{"condition": "input.left > 0", "goto": "down"}], onSuccess="say"),
        {"id": "down", "action": "workflow", "workflow": "bots-deep",
         "input": {"left": "{{input.left - 1}}"}, "onSuccess": "end"},
        message(a, b, wait=True, onSuccess="end")]}))
    assert mill.run("bots-deep", {"left": 7})["output"] == "Deep."
    run = mill.run("bots-deep", {"left": 8})
    assert run["status"] == "FAILED" and '"too_deep"' in json.dumps(run["error"]), run["error"]
    assert len(chaos.asked("deep")) == 1


def test_a_worker_that_dies_says_nothing_twice(mill, bot, chaos):
    async def once(writer, body):
        Provider.begin(writer)
        if len(chaos.asked("dies")) == 1:
            await writer.drain()
            await asyncio.sleep(60)
        Provider.chunk(writer, sse(*anthropic("Late.")))
        writer.write(b"0\r\n\r\n")
    chaos.answers["dies"] = once
    a, b = bot("a"), bot("b", model="chaos:dies")
    run = mill.begin(message(a, b, "hello", wait=True))
    wait_for("it is asked", lambda: chaos.asked("dies"))
    mill.kill_worker(mill.ready_workers()[0]["id"], signal.SIGKILL)
    ended = mill.wait_ended(run)
    assert ended["output"] == "Late.", ended["error"]
    exchange, = sessions(ended, "bot-to-bot")
    assert [m["body"] for m in messages(mill, exchange["id"])] == ["hello", "Late."]
    assert exchange["status"] == "completed"


def test_channels(mill, bot):
    a = bot("a")
    post = {"id": "say", "action": "message", "from": a, "channel": "{{input.where}}", "body": "news"}
    for where in ("bots.first", "bots.first", "bots.second"):
        assert mill.do(post, input={"where": where})["output"] is None
    rows = mill.sql("select s.name, s.session_type, count(*) from agent_sessions s"
                    " join chat_messages m on m.session_id = s.id"
                    " where s.name like 'bots.%%' group by s.id order by s.name")
    assert rows == [("bots.first", "chat", 2), ("bots.second", "chat", 1)]


@pytest.mark.parametrize("fields, code, said", [
    ({"to": "Not One"}, "input", "to:"), ({"channel": "a b", "to": None}, "input", "channel:"),
    ({"body": ""}, "input", "body:"), ({"body": "x" * 65537}, "input", "64 KiB"),
    ({"wait": True, "channel": "c", "to": None}, "input", "nobody answers"),
    ({"to": "nobody-there"}, "no_bot", "nobody-there"), ({"from": "no-sender"}, "no_bot", "no-sender"),
    ({"to": "self"}, "input", "to itself")])
def test_messages_that_cannot_be_said(mill, bot, fields, code, said):
    a = bot("a")
    values = {"from": a, "to": bot("b"), "body": "x", **fields}
    values = {k: a if v == "self" else v for k, v in values.items() if v is not None}
    step = {"id": "say", "action": "message", **{k: "{{input.%s}}" % k for k in values}}
    error = error_of(mill.do(step, input=values))
    assert error["code"] == code and said in error["message"], error


def test_registration(mill):
    for step, said in (
            ({"action": "agent", "prompt": "p"}, '"cli" or "bot" is required'),
            ({"action": "agent", "bot": "No Bot", "prompt": "p"}, "is no bot"),
            ({"action": "agent", "bot": "a", "prompt": "p", "permissions": "edit"}, 'is for "cli" only'),
            ({"action": "message", "from": "a", "channel": "c", "body": "x", "wait": True}, "nobody answers"),
            ({"action": "message", "from": "a", "to": "a", "body": "x"}, "to itself"),
            ({"action": "message", "from": "a", "body": "x"}, '"to" or "channel" is required')):
        with pytest.raises(Refused) as refused:
            mill.define({"id": "x", **step})
        assert said in json.dumps(refused.value.body["errors"]).replace('\\"', '"')


# ---- over HTTP ----

def test_what_people_say_is_kept(mill, bot):
    a, b = bot("a"), bot("b")
    first = mill.post(f"/api/bots/{a}/send", {"body": "Hello."})
    second = mill.post(f"/api/bots/{a}/send", {"body": "Again."})
    assert first["sessionId"] == second["sessionId"]
    assert (first["fromBot"], first["toBot"], first["author"], first["type"]) == (None, a, "dev", "message")
    assert [m["body"] for m in messages(mill, first["sessionId"])] == ["Hello.", "Again."]
    other = mill.post(f"/api/bots/{a}/send", {"body": "I am b.", "from": b})
    back = mill.post(f"/api/bots/{b}/send", {"body": "I am a.", "from": a})
    assert other["sessionId"] == back["sessionId"] != first["sessionId"] and other["fromBot"] == b
    kinds = mill.sql("select session_type from agent_sessions where id in (%s, %s) order by 1",
                     first["sessionId"], other["sessionId"])
    assert kinds == [("bot-to-bot",), ("chat",)]
    posted = mill.post("/api/channels/bots.http/send", {"body": "All.", "from": a})
    assert (posted["channel"], posted["toBot"], posted["fromBot"]) == ("bots.http", None, a)
    assert status_of(mill, "DELETE", f"/api/bots/{a}") == 204
    assert len(messages(mill, first["sessionId"])) == 2, "what was said stays"
    found = mill.get(f"/api/sessions?type=bot-to-bot&bot={mill.get(f'/api/bots/{b}')['id']}")["data"]
    assert [s["id"] for s in found] == [other["sessionId"]]


def test_the_newest_messages_are_shown(mill, bot):
    a = bot("a")
    session = [mill.post(f"/api/bots/{a}/send", {"body": str(n)}) for n in range(203)][0]["sessionId"]
    shown = mill.get(f"/api/sessions/{session}")
    assert shown["messageCount"] == 203
    assert [m["body"] for m in shown["messages"]] == [str(n) for n in range(3, 203)]


def test_who_sees_what_was_said(mill, guarded, tmp_path):
    tmp_path.chmod(0o755)
    project = mill.post("/api/projects", {"name": "bots-said", "path": str(tmp_path)})["id"]
    key = mill.post("/api/api-keys", {"name": "bots-said", "role": "admin", "projectId": project})["key"]
    bound = {"Authorization": f"Bearer {key}"}
    said = guarded.ask("POST", "/api/channels/bots.said/send", {"body": "Ours."}, bound).json
    theirs = mill.post("/api/channels/bots.said/send", {"body": "Theirs."})
    assert said["sessionId"] != theirs["sessionId"]
    assert guarded.ask("GET", f"/api/sessions/{said['sessionId']}", headers=bound).status == 200
    assert guarded.ask("GET", f"/api/sessions/{theirs['sessionId']}", headers=bound).status == 404
    found = guarded.ask("GET", "/api/sessions?type=chat", headers=bound).json["data"]
    assert [s["id"] for s in found] == [said["sessionId"]]


def test_what_nobody_can_say(mill, bot):
    a = bot("a")
    for path, body, status in (
            (f"/api/bots/{a}/send", {}, 400), (f"/api/bots/{a}/send", {"body": ""}, 400),
            (f"/api/bots/{a}/send", {"body": "x" * 65537}, 400), (f"/api/bots/{a}/send", {"x": 1}, 400),
            (f"/api/bots/{a}/send", {"body": "x", "from": a}, 422),
            (f"/api/bots/{a}/send", {"body": "x", "from": "nobody"}, 422),
            ("/api/bots/nobody/send", {"body": "x"}, 404),
            ("/api/channels/c/send", {"body": "x", "from": "nobody"}, 422),
            ("/api/channels/a%20b/send", {"body": "x"}, 422)):
        assert status_of(mill, "POST", path, body) == status, (path, body)


# ---- the command line ----

def test_the_command_line(mill, tmp_path):
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Line one.\nLine two.")
    made = json.loads(good(mill.cli("bots", "add", "cli-bot", "--name", "Cli", "-s", f"@{prompt}",
                                    "-m", "chaos:x", "-t", "git.*,state.get", "--json")))
    assert (made["name"], made["systemPrompt"], made["tools"]) == (
        "Cli", "Line one.\nLine two.", ["git.*", "state.get"])
    assert "cli-bot" in good(mill.cli("bots", "list")) and "git.*, state.get" in good(mill.cli("bots", "list"))
    assert "cli-bot" in [b["slug"] for b in json.loads(good(mill.cli("bots", "list", "--json")))]
    assert good(mill.cli("bots", "edit", "cli-bot", "-m", "none", "-t", "none")) == "cli-bot changed\n"
    now = json.loads(good(mill.cli("bots", "show", "cli-bot", "--json")))
    assert (now["model"], now["tools"], now["name"]) == (None, [], "Cli")
    assert "name: Cli\n" in good(mill.cli("bots", "show", "cli-bot"))
    assert good(mill.cli("bots", "send", "cli-bot", "Hello")) == "cli-bot was told\n"
    told = json.loads(good(mill.cli("bots", "send", "cli-bot", "Hello", "--json")))
    assert told["body"] == "Hello"
    assert good(mill.cli("bots", "remove", "cli-bot")) == "cli-bot removed\n"
    refused(mill.cli("bots", "show", "cli-bot"), 1, "there is no bot")
    refused(mill.cli("bots", "add", "Not One"), 1, "slug")
    refused(mill.cli("bots", "add", "x", "-s", "@/nowhere"), 2, "--system")
    refused(mill.cli("bots", "send", "x"), 2, "expected list")
