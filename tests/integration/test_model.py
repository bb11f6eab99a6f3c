"""Steps that ask a model: against aimock, which speaks the protocols of all providers, and
against a provider that misbehaves. Battery F9."""
import asyncio
import email.utils
import json
import time

import pytest
from harness.models import Aimock, Provider, anthropic, sse
from harness.raw_ws import RawWs
from harness.stepmill import Stepmill, noop, wait_for

CANARY = "sk-canary-0123456789abcdef"
WIRES = ["anthropic", "openai", "openai-responses", "gemini"]
SCHEMA = {"type": "object", "required": ["title"], "additionalProperties": False,
          "properties": {"title": {"type": "string", "minLength": 3}}}

TOLD = {"prompt_tokens": 12, "completion_tokens": 7, "input_tokens": 12, "output_tokens": 7,
        "promptTokenCount": 12, "candidatesTokenCount": 7}
FIXTURES = [
    {"match": {"userMessage": "say hello"}, "response": {"content": "Hello there.", "usage": TOLD}},
    {"match": {"userMessage": "as json"}, "response": {"content": '{"title": "A title"}'}},
    {"match": {"userMessage": "remember", "hasToolResult": True},
     "response": {"content": "It is remembered."}},
    {"match": {"userMessage": "remember", "hasToolResult": False},
     "response": {"toolCalls": [{"id": "call_1", "name": "state_set",
                                 "arguments": '{"key": "k", "value": 7}'}]}},
]


def model(key="ask", **fields):
    return {"id": key, "action": "model", **fields}


def ok(text, **more):
    """A whole answer of the provider that otherwise misbehaves."""
    return lambda body: (200, [], sse(*anthropic(text, **more)))


def refusal(status, kind, message, *headers):
    return lambda body: (status, list(headers),
                         {"type": "error", "error": {"type": kind, "message": message}})


@pytest.fixture(scope="module")
def chaos():
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def mill(chaos, tmp_path_factory):
    mock = Aimock(tmp_path_factory.mktemp("aimock"), FIXTURES)
    priced = {name: {"input": 1000, "output": 2000} for name in ("paid", "dear")}
    providers = {
        **{f"mock-{wire}": {"type": wire, "base_url": mock.url} for wire in WIRES},
        "chaos": {"type": "anthropic", "base_url": chaos.url, "api_key": CANARY,
                  "prices": priced, "headers": {"x-team": "blue"}},
        "chaos-openai": {"type": "openai", "base_url": chaos.url, "api_key": CANARY},
        "impatient": {"type": "anthropic", "base_url": chaos.url, "timeout": "400ms"},
        "nowhere": {"type": "openai", "base_url": "http://127.0.0.1:1"},
    }
    with Stepmill(workers=1, environment={"STEPMILL_PROVIDERS": json.dumps(providers),
                                          "STEPMILL_DEFAULT_MODEL": "chaos:preset"}) as mill:
        yield mill
    mock.stop()


def ask(mill, prompt="p", seconds=60, top=None, **fields):
    return mill.do(model(prompt=prompt, **fields), **(top or {}))


def error_of(run):
    assert run["status"] == "FAILED", run
    return run["error"]


# ---- the protocols ----

@pytest.mark.parametrize("wire", WIRES)
def test_every_protocol_answers(mill, wire):
    run = ask(mill, "say hello", model=f"mock-{wire}:some-model", system="Be short.")
    assert (run["status"], run["output"]) == ("COMPLETED", "Hello there."), run["error"]
    usage = run["usage"]
    assert usage == {"inputTokens": 12, "outputTokens": 7, "cacheReadTokens": 0,
                     "costUsd": None, "rounds": 1}
    session, = run["agentSessions"]
    assert (session["status"], session["sessionType"]) == ("completed", "model")
    assert session["model"] == f"mock-{wire}:some-model"
    assert session["stepId"] == run["steps"][0]["id"]


@pytest.mark.parametrize("wire", WIRES)
def test_every_protocol_answers_by_a_schema(mill, wire):
    run = ask(mill, "as json", model=f"mock-{wire}:m", outputSchema=SCHEMA)
    assert (run["status"], run["output"]) == ("COMPLETED", {"title": "A title"}), run["error"]


@pytest.mark.parametrize("wire", WIRES)
def test_every_protocol_calls_tools(mill, wire):
    run = ask(mill, "remember", model=f"mock-{wire}:m", tools="state.*")
    assert (run["status"], run["output"]) == ("COMPLETED", "It is remembered."), run["error"]
    assert run["state"] == {"k": 7}
    assert run["usage"]["rounds"] == 2


# ---- what is sent ----

def test_what_a_provider_is_sent(mill, chaos):
    chaos.answers["sent"] = ok("Fine.")
    run = ask(mill, "What now?", model="chaos:sent", system="Be kind.", maxTokens=99,
              temperature=0.5, tools=["git.log"])
    assert run["output"] == "Fine."
    path, headers, body = chaos.requests[-1]
    assert path == "/v1/messages"
    assert headers["x-api-key"] == CANARY and headers["x-team"] == "blue"
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["idempotency-key"] == f"{run['steps'][0]['idempotencyKey']}:1"
    assert body["max_tokens"] == 99 and body["temperature"] == 0.5 and body["stream"] is True
    assert body["system"] == "Be kind."
    assert body["messages"] == [{"role": "user",
                                 "content": [{"type": "text", "text": "What now?"}]}]
    tool, = body["tools"]
    assert tool["name"] == "git_log" and tool["input_schema"]["additionalProperties"] is False


def test_the_preset_model(mill, chaos):
    chaos.answers["preset"] = ok("By default.")
    assert ask(mill)["output"] == "By default."
    assert chaos.requests[-1][2]["max_tokens"] == 4096


def test_prompts_have_templates(mill, chaos):
    chaos.answers["templated"] = ok("Seen.")
    run = mill.do(noop("a"), model(prompt="Of {{input.who}}: {{steps.a.status}}",
                                   model="chaos:{{input.name}}"),
                  input={"who": "Ada", "name": "templated"})
    assert run["output"] == "Seen."
    assert chaos.asked("templated")[0]["messages"][0]["content"][0]["text"] == "Of Ada: completed"


# ---- usage, cost, sessions, events ----

def test_usage_and_cost_are_summed(mill, chaos):
    chaos.answers["paid"] = ok("One.", tokens=(100, 10))
    run = mill.do(model("a", prompt="p", model="chaos:paid"),
                  model("b", prompt="p", model="chaos:paid"))
    assert run["usage"] == {"inputTokens": 200, "outputTokens": 20, "cacheReadTokens": 0,
                            "costUsd": 0.24, "rounds": 2}
    assert [s["usage"]["costUsd"] for s in run["agentSessions"]] == [0.12, 0.12]
    told = [e for e in mill.events(run["id"]) if e["type"] == "agent.updated"]
    assert [(e["payload"]["stepKey"], e["payload"]["status"]) for e in told] == [
        ("a", "running"), ("a", "completed"), ("b", "running"), ("b", "completed")]
    assert told[1]["payload"]["usage"]["inputTokens"] == 100
    assert told[1]["payload"]["sessionId"] == run["agentSessions"][0]["id"]


def test_a_run_without_models_has_used_nothing(mill):
    run = mill.do(noop("a"))
    assert run["usage"] is None and run["agentSessions"] == []


def test_a_provider_that_tells_no_usage_is_guessed(mill, chaos):
    events = [event for event in anthropic("x" * 400) if event[0] != "message_start"]
    events = [(name, {k: v for k, v in data.items() if k != "usage"}) for name, data in events]
    chaos.answers["silent-usage"] = lambda body: (200, [], sse(*events))
    run = ask(mill, "y" * 4000, model="chaos:silent-usage")
    assert run["usage"]["inputTokens"] > 900 and run["usage"]["outputTokens"] >= 100
    assert run["agentSessions"][0]["usage"]["estimated"] is True


# ---- tools ----

def test_tools_run_one_after_the_other_and_errors_go_back(mill, chaos):
    rounds = [anthropic("Let me see.", tools=[
        ("t1", "state_set", {"key": "a", "value": [1]}), ("t2", "files_read", {"path": "nothing"}),
        ("t3", "no_such", {}), ("t4", "state_set", '{"key": '), ("t5", "state_set", {"key": "b"}),
        ("t6", "comment_add", {"message": "one"}), ("t7", "comment_add", {"message": "two"})]),
        anthropic("Done.")]
    chaos.answers["tools"] = lambda body: (200, [], sse(*rounds[len(body["messages"]) // 2]))
    run = ask(mill, model="chaos:tools", tools=["state.set", "files.*", "comment.add"])
    assert run["output"] == "Done.", run["error"]
    assert run["state"] == {"a": [1]}
    assert [c["message"] for c in run["comments"]] == ["one", "two"]
    _, second = chaos.asked("tools")
    assistant, results = second["messages"][1:]
    assert assistant["content"][0]["text"] == "Let me see."
    assert [block["id"] for block in assistant["content"][1:]] == [f"t{i}" for i in range(1, 8)]
    assert assistant["content"][4]["input"] == {}
    told = {block["tool_use_id"]: block for block in results["content"]}
    assert [key for key in told if told[key].get("is_error")] == ["t2", "t3", "t4", "t5"]
    assert json.loads(told["t1"]["content"]) == [1]
    assert json.loads(told["t2"]["content"])["code"] == "not_found"
    assert "there is no tool" in told["t3"]["content"]
    assert "no JSON" in told["t4"]["content"]
    assert '"value" is required' in json.loads(told["t5"]["content"])["error"]


def test_rounds_are_counted(mill, chaos):
    call = anthropic(tools=[("t", "state_has", {"key": "a"})])
    chaos.answers["rounds"] = lambda body: (200, [], sse(*call))
    error = error_of(ask(mill, model="chaos:rounds", tools="state.has", maxToolRounds=2))
    assert error["code"] == "tool_rounds" and "more than 2" in error["message"]
    assert len(chaos.asked("rounds")) == 3


def test_long_outputs_of_tools_are_cut(mill, chaos):
    rounds = [anthropic(tools=[("t", "shell", {"command": "yes | head -c 200000"})]),
              anthropic("Long.")]
    chaos.answers["long"] = lambda body: (200, [], sse(*rounds[len(body["messages"]) // 2]))
    assert ask(mill, model="chaos:long", tools="shell")["output"] == "Long."
    said = chaos.asked("long")[1]["messages"][2]["content"][0]["content"]
    assert 65000 < len(said) < 66000 and "bytes in all]" in said


# ---- schemas ----

def test_an_answer_is_repaired_once(mill, chaos):
    rounds = [anthropic('Here: {"title": 1}'), anthropic('```json\n{"title": "Good"}\n```')]
    chaos.answers["repair"] = lambda body: (200, [], sse(*rounds[len(body["messages"]) // 2]))
    run = ask(mill, model="chaos:repair", outputSchema=SCHEMA)
    assert run["output"] == {"title": "Good"}, run["error"]
    first, second = chaos.asked("repair")
    assert '"minLength":3' in first["system"]
    assert "no JSON" in second["messages"][2]["content"][0]["text"]


def test_an_answer_that_never_fits_fails(mill, chaos):
    chaos.answers["misfit"] = ok('{"title": "x"}')
    run = ask(mill, model="chaos:misfit", outputSchema=SCHEMA)
    error = error_of(run)
    assert error["code"] == "output_schema" and "output.title" in error["message"]
    assert run["steps"][0]["output"] == '{"title": "x"}'
    assert len(chaos.asked("misfit")) == 2
    assert run["agentSessions"][0]["status"] == "failed" and run["usage"]["rounds"] == 2


def test_a_model_corrects_itself(mill, chaos):
    def answer(body):
        good = len(chaos.asked("correct")) == 3
        return 200, [], sse(*anthropic('{"title": "Good"}' if good else '{"title": "x"}'))
    chaos.answers["correct"] = answer
    run = ask(mill, model="chaos:correct", outputSchema=SCHEMA,
              retry={"strategy": "llm_self_correct", "delay": 0})
    assert run["output"] == {"title": "Good"}, run["error"]
    # the second attempt begins with what the first one said, and why that did not do
    last = chaos.asked("correct")[-1]["messages"]
    assert [m["role"] for m in last] == ["user", "assistant", "user"]
    assert last[1]["content"][0]["text"] == '{"title": "x"}'
    assert run["steps"][0]["attemptNumber"] == 2 and len(run["agentSessions"]) == 2


# ---- budgets ----

def test_a_step_keeps_to_its_budget(mill, chaos):
    call = anthropic(tools=[("t", "state_has", {"key": "a"})], tokens=(90, 10))
    chaos.answers["budget"] = lambda body: (200, [], sse(*call))
    error = error_of(ask(mill, model="chaos:budget", tools="state.has",
                         budget={"tokens": 150}))
    assert error["code"] == "budget_exceeded" and "200 of 150 tokens" in error["message"]
    assert len(chaos.asked("budget")) == 2


def test_a_run_keeps_to_its_budget(mill, chaos):
    chaos.answers["dear"] = ok("Dear.", tokens=(100, 0))
    run = mill.do(model("a", prompt="p", model="chaos:dear"),
                  model("b", prompt="p", model="chaos:dear"),
                  model("c", prompt="p", model="chaos:dear"), budget={"usd": 0.15})
    error = error_of(run)
    assert (error["step"], error["code"]) == ("c", "budget_exceeded")
    assert len(chaos.asked("dear")) == 2


def test_dollars_need_a_price(mill, chaos):
    error = error_of(ask(mill, model=["chaos:paid", "chaos:unpriced"], budget={"usd": 1}))
    assert error["code"] == "no_price" and "chaos:unpriced" in error["message"]
    assert chaos.asked("unpriced") == []


# ---- trouble ----

def test_retry_after_in_seconds_is_obeyed(mill, chaos):
    times = []

    def answer(body):
        times.append(time.monotonic())
        if len(times) == 1:
            return refusal(429, "rate_limit_error", "slower", "Retry-After: 2")(body)
        return ok("At last.")(body)
    chaos.answers["slower"] = answer
    assert ask(mill, model="chaos:slower")["output"] == "At last."
    assert times[1] - times[0] >= 2


def test_retry_after_as_a_date_is_obeyed(mill, chaos):
    times = []

    def answer(body):
        times.append(time.time())
        if len(times) > 1:
            return ok("At last.")(body)
        date = email.utils.formatdate(times[0], usegmt=True)
        later = email.utils.formatdate(times[0] + 2, usegmt=True)
        return refusal(529, "overloaded_error", "busy", f"Date: {date}",
                       f"Retry-After: {later}")(body)
    chaos.answers["dated"] = answer
    assert ask(mill, model="chaos:dated")["output"] == "At last."
    assert times[1] - times[0] >= 2


def test_a_long_wait_is_left_to_the_retry(mill, chaos):
    chaos.answers["later"] = refusal(429, "rate_limit_error", "tomorrow", "Retry-After: 3600")
    run = mill.begin(model(prompt="p", model="chaos:later", retry={"maxAttempts": 2}))
    row = mill.wait_step(run, "ask", "RETRYING")
    assert row["error"]["code"] == "rate_limited"
    wait = time.mktime(time.strptime(row["runAt"][:19], "%Y-%m-%dT%H:%M:%S")) - time.mktime(
        time.gmtime())
    assert 3400 < wait <= 3605
    mill.post(f"/api/executions/{run}/cancel")
    assert mill.wait_ended(run)["agentSessions"][0]["status"] == "failed"


def test_the_next_model_of_the_list_is_asked(mill, chaos):
    chaos.answers["busy"] = refusal(529, "overloaded_error", "busy", "Retry-After: 600")
    chaos.answers["gone"] = refusal(404, "not_found_error", "no such model")
    chaos.answers["good"] = ok("Here.")
    run = ask(mill, model=["nowhere:m", "chaos:busy", "chaos:gone", "chaos:good"])
    assert run["output"] == "Here.", run["error"]
    assert run["agentSessions"][0]["model"] == "chaos:good"


FINAL = [
    (401, "authentication_error", "bad key", "provider_auth"),
    (403, "permission_error", "not yours", "provider_auth"),
    (400, "invalid_request_error", "temperature: nonsense", "provider_refused"),
    (400, "invalid_request_error", "prompt is too long: 9 tokens > 8", "context_too_long"),
    (413, "request_too_large", "too large", "context_too_long"),
    (404, "not_found_error", "model: x", "unknown_model"),
    (429, "insufficient_quota", "pay first", "provider_quota"),
]


@pytest.mark.parametrize("status, kind, message, code", FINAL)
def test_what_cannot_mend_is_final(mill, chaos, status, kind, message, code):
    chaos.answers["final"] = refusal(status, kind, message)
    before = len(chaos.asked("final"))
    error = error_of(ask(mill, model="chaos:final", retry={"delay": 0}))
    assert error["code"] == code and message in error["message"]
    assert "chaos:final" in error["message"] and str(status) in error["message"]
    assert len(chaos.asked("final")) == before + 1


def test_a_fault_of_the_provider_is_tried_again(mill, chaos):
    chaos.answers["five"] = lambda body: (
        refusal(500, "api_error", "oops") if len(chaos.asked("five")) == 1 else ok("Good."))(body)
    run = ask(mill, model="chaos:five", retry={"delay": 0})
    assert run["output"] == "Good." and run["steps"][0]["attemptNumber"] == 2


def cut(events, at):
    """The stream breaks off after so many bytes."""
    async def answer(writer, body):
        Provider.begin(writer)
        Provider.chunk(writer, sse(*events).encode()[:at])
        await writer.drain()
        writer.transport.abort()
    return answer


async def silent(writer, body):
    await asyncio.sleep(3600)


async def stalled(writer, body):
    Provider.begin(writer)
    Provider.chunk(writer, sse(*anthropic("Some of it")[:3]))
    await writer.drain()
    await asyncio.sleep(3600)


async def endless(writer, body):
    Provider.begin(writer)
    while True:
        Provider.chunk(writer, sse(("content_block_delta", {
            "type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": "x" * 60000}})))
        await writer.drain()


async def one_line(writer, body):
    Provider.begin(writer)
    while True:
        Provider.chunk(writer, "x" * 100000)
        await writer.drain()


async def html(writer, body):
    Provider.begin(writer, content_type="text/html")
    Provider.chunk(writer, "<html>Welcome to the proxy</html>")
    writer.write(b"0\r\n\r\n")


WHOLE = anthropic("A whole answer.")
BAD = {
    "cut-early": (cut(WHOLE, 60), "stream_cut"),
    "cut-in-text": (cut(WHOLE, len(sse(*WHOLE)) // 2), "stream_cut"),
    "cut-before-stop": (cut(WHOLE[:-1], 10**6), "stream_cut"),
    "ends-without-stop": (lambda body: (200, [], sse(*WHOLE[:-2])), "stream_cut"),
    "nothing": (lambda body: (200, [], ":\n\n"), "stream_cut"),
    "html": (html, "provider_protocol"),
    "garbage": (lambda body: (200, [], "data: {nonsense\n\n"), "provider_protocol"),
    "no-object": (lambda body: (200, [], "data: [1]\n\n"), "provider_protocol"),
    "twice": (lambda body: (200, [], sse(*WHOLE[:3], *WHOLE)), "provider_protocol"),
    "endless": (endless, "reply_too_large"),
    "one-line": (one_line, "reply_too_large"),
    "error-event": (lambda body: (200, [], sse(*WHOLE[:4], ("error", {
        "type": "error", "error": {"type": "api_error", "message": "broke"}}))),
        "provider_error"),
    "empty": (lambda body: (200, [], sse(*anthropic(""))), "empty_answer"),
    "length": (lambda body: (200, [], sse(*anthropic("Half of", stop="max_tokens"))),
               "max_tokens"),
    "refused": (lambda body: (200, [], sse(*anthropic("No.", stop="refusal"))), "refused"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_stream_is_never_a_success(mill, chaos, name):
    chaos.answers[name], code = BAD[name]
    run = ask(mill, model=f"chaos:{name}")
    assert error_of(run)["code"] == code, run["error"]
    session, = run["agentSessions"]
    assert session["status"] == "failed"


@pytest.mark.parametrize("answer", [silent, stalled])
def test_silence_ends_a_call(mill, chaos, answer):
    chaos.answers["silence"] = answer
    error = error_of(ask(mill, model="impatient:silence"))
    assert error["code"] == "provider_timeout"


@pytest.mark.parametrize("provider, events", [
    ("impatient", anthropic("Said.")),
    ("chaos-openai", [{"choices": [{"delta": {"content": "Said."}, "finish_reason": "stop"}]},
                      "[DONE]"]),
])
def test_who_never_hangs_up_is_not_waited_for(mill, chaos, provider, events):
    async def answer(writer, body):
        Provider.begin(writer)
        Provider.chunk(writer, sse(*events))
        await writer.drain()
        await asyncio.sleep(3600)
    chaos.answers["chatty"] = answer
    assert ask(mill, model=f"{provider}:chatty", timeout=20000)["output"] == "Said."


def test_nobody_there(mill):
    assert error_of(ask(mill, model="nowhere:m"))["code"] == "network"
    assert error_of(ask(mill, model="unheard:m"))["code"] == "unknown_provider"


def test_a_cut_stream_of_openai(mill, chaos):
    part = {"choices": [{"index": 0, "delta": {"content": "Some"}, "finish_reason": None}]}
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    chaos.answers["o-cut"] = lambda body: (200, [], sse(part))
    assert error_of(ask(mill, model="chaos-openai:o-cut"))["code"] == "stream_cut"
    chaos.answers["o-broken"] = cut([part, last], 10**6)
    assert error_of(ask(mill, model="chaos-openai:o-broken"))["code"] == "stream_cut"
    chaos.answers["o-good"] = lambda body: (200, [], sse(part, last, "[DONE]"))
    assert ask(mill, model="chaos-openai:o-good")["output"] == "Some"


def test_what_a_cut_call_used_is_counted_once(mill, chaos):
    chaos.answers["cut-used"] = cut(anthropic("Something", tokens=(70, 9)), 400)
    run = ask(mill, model="chaos:cut-used", retry={"maxAttempts": 2, "delay": 0})
    assert error_of(run)["code"] == "stream_cut"
    assert run["usage"]["inputTokens"] == 140 and len(run["agentSessions"]) == 2


def test_odd_texts_arrive(mill, chaos):
    chaos.answers["odd"] = lambda body: (200, [], "\ufeff" + sse(*anthropic(
        "zero \0, lone \ud800, \u00e9\u20ac \U0001f600", pieces=100)).replace("\n", "\r\n"))
    run = ask(mill, model="chaos:odd")
    assert run["output"] == "zero \ufffd, lone \ufffd, \u00e9\u20ac \U0001f600", run["error"]


def test_keys_are_shown_nowhere(mill, chaos):
    chaos.answers["leaky"] = refusal(400, "invalid_request_error", f"the key {CANARY} is odd")
    run = ask(mill, model="chaos:leaky")
    assert "***" in run["error"]["message"]
    chaos.answers["telltale"] = ok(f"Your key is {CANARY}.")
    told = ask(mill, model="chaos:telltale")
    assert told["output"] == "Your key is ***."
    assert CANARY not in json.dumps([run, told, mill.events(run["id"])])
    assert CANARY not in mill.log()
    for path in (mill.folder / ".agent/workflows/executions").rglob("*.log"):
        assert CANARY not in path.read_text()


# ---- cancelled, timed out, died ----

def test_a_cancelled_step_leaves_no_call(mill, chaos):
    hung = []

    async def answer(writer, body):
        hung.append(writer)
        await asyncio.sleep(3600)
    chaos.answers["hang"] = answer
    run = mill.begin(model(prompt="p", model="chaos:hang"))
    wait_for("the call", lambda: hung)
    mill.post(f"/api/executions/{run}/cancel")
    ended = mill.wait_ended(run)
    assert ended["status"] == "CANCELLED"
    wait_for("the session's end", lambda: mill.execution(run)["agentSessions"][0]["status"]
             == "stopped")


def test_a_step_that_takes_too_long(mill, chaos):
    chaos.answers["hang-2"] = silent
    run = ask(mill, model="chaos:hang-2", timeout=500)
    assert error_of(run)["code"] == "timeout"
    assert run["agentSessions"][0]["status"] == "stopped"


def test_a_tool_is_stopped_with_its_step(mill, chaos):
    chaos.answers["sleepy"] = ok("", tools=[("t", "shell", {"command": "sleep 1000"})])
    run = ask(mill, model="chaos:sleepy", tools="shell", timeout=1000)
    assert error_of(run)["code"] == "timeout"


def test_a_worker_that_dies_asks_again(mill, chaos):
    async def answer(writer, body):
        if len(chaos.asked("mortal")) == 1:
            await asyncio.sleep(3600)
        Provider.write(writer, *ok("Alive.")(body))
    chaos.answers["mortal"] = answer
    run = mill.begin(model(prompt="p", model="chaos:mortal"))
    wait_for("the call", lambda: chaos.asked("mortal"))
    mill.kill_worker(mill.step(run, "ask")["workerId"])
    ended = mill.wait_ended(run)
    assert ended["output"] == "Alive." and ended["steps"][0]["losses"] == 1
    assert [s["status"] for s in ended["agentSessions"]] == ["stopped", "completed"]
    keys = {headers["idempotency-key"] for _, headers, body in chaos.requests
            if body["model"] == "mortal"}
    assert len(keys) == 1


# ---- rights ----

def test_a_tool_that_is_not_there(mill):
    error = error_of(mill.do(model(prompt="p", tools=["{{input.t}}"]), input={"t": "git.lgo"}))
    assert error["code"] == "unknown_tool" and 'did you mean "git.log"' in error["message"]


def test_a_family_of_tools_is_what_the_key_allows(mill, chaos):
    made = mill.cli("keys", "create", "--name", "narrow", "--role", "operator", "--json", "--tools",
                    "state.*,comment.add", "--database-url", mill.state["databaseUrl"])
    assert made.returncode == 0, made.stderr
    key = {"Authorization": "Bearer " + json.loads(made.stdout)["key"],
           "Content-Type": "application/json"}
    chaos.answers["narrow"] = ok("Fine.")
    named = mill.define(model(prompt="p", model="chaos:narrow", tools=["shell"]))
    family = mill.define(model(prompt="p", model="chaos:narrow", tools=["*"]))
    with mill.supervisor(auth_required="true", pool_workers=0) as guarded:
        ended = [mill.wait_ended(guarded.ask("POST", f"/api/workflows/{name}/execute",
                                             '{"input": {}}', key).json["executionId"])
                 for name in (named, family)]
    assert error_of(ended[0])["code"] == "denied"
    assert ended[1]["output"] == "Fine.", ended[1]["error"]
    offered = {tool["name"] for tool in chaos.asked("narrow")[0]["tools"]}
    assert offered == {"state_set", "state_get", "state_has", "state_delete", "comment_add"}


# ---- around the engine ----

def test_once_for_each_item(mill, chaos):
    chaos.answers["each"] = lambda body: (200, [], sse(*anthropic(
        json.dumps({"title": "Of " + body["messages"][0]["content"][0]["text"]}))))
    run = mill.do(
        model(prompt="{{item}}", model="chaos:each", foreach="input.list", outputSchema=SCHEMA),
        input={"list": ["a", "b"]})
    assert run["output"] == [{"title": "Of a"}, {"title": "Of b"}], run["error"]
    assert len(run["agentSessions"]) == 2 and run["usage"]["inputTokens"] == 20


def test_a_step_is_tested_alone(mill, chaos):
    chaos.answers["alone"] = ok("Alone.")
    name = mill.define(noop("a"), model(prompt="p", model="chaos:alone"))
    answer = mill.post(f"/api/workflows/{name}/test-step", {"stepId": "ask"})
    assert (answer["status"], answer["output"]) == ("COMPLETED", "Alone.")


def test_a_dry_run_asks_nobody(mill, chaos):
    name = mill.define(model(prompt="Of {{input.who}}", model="chaos:dry"), noop("b"))
    answer = mill.post(f"/api/workflows/{name}/dry-run", {"input": {"who": "Ada"}})
    assert "Of Ada" in json.dumps(answer) and chaos.asked("dry") == []


def test_who_follows_a_run_hears_of_its_models(mill, chaos):
    rounds = [anthropic(tools=[("t", "shell", {"command": "sleep 1.1"})]), anthropic("Done.")]
    chaos.answers["told"] = lambda body: (200, [], sse(*rounds[len(body["messages"]) // 2]))
    with RawWs(mill.url) as ws:
        ws.say({"type": "workflow:subscribe", "id": 1, "executionId": "*"})
        ws.next()
        run = ask(mill, model="chaos:told", tools="shell")
        assert run["output"] == "Done."
        heard = []
        while not heard or heard[-1]["type"] != "workflow:execution:completed":
            heard.append(ws.next())
    sessions = [m["session"] for m in heard if m["type"] == "workflow:agent:updated"]
    assert [s["status"] for s in sessions] == ["running", "running", "completed"]
    assert sessions[1]["activity"] == "reading what the tools say"
    assert sessions[1]["usage"]["rounds"] == 1 and sessions[2]["usage"]["rounds"] == 2
