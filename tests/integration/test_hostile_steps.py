"""Steps that misbehave, and what others make of the inputs of steps. The battery of faults, and the
test for each part; what is here is what no other file has.

| id | what | tests |
|---|---|---|
| F1 | trees that escape | test_isolation.c, test_tools.test_every_isolation, test_faults |
| F2 | floods | test_program.c, test_tools.test_a_flood_is_cut_and_marked, test_step_log.c; here: test_floods |
| F3 | no end | test_isolation.c, test_runs.test_a_step_s_timeout_..., test_drain; here: test_programs_that_do_not_end, test_what_outlives_its_program |
| F4 | descriptors, environment | test_program.c, test_runs.test_a_program_finds_its_step_and_nothing_of_ours |
| F5 | injection | test_tools.test_values_arrive_byte_for_byte, test_git_takes_no_options_from_values; here: test_inputs_arrive_byte_for_byte |
| F6 | traversal | test_tools.test_nothing_outside_is_touched, test_tools_store, test_rest.test_an_upload_under_any_name, test_skills; here: test_names_of_workflows |
| F7 | SSRF | test_tools_http.test_private_addresses_are_refused, test_runs.test_http_refuses_addresses; here: test_webhooks_go_to_no_private_address |
| F8 | targets of http | test_tools_http |
| F9 | providers | test_model; here: test_an_empty_body, test_a_wait_is_as_long_as_was_told |
| F11 | secrets | test_secrets |
"""
import hashlib
import json
import os
import re
import subprocess
import urllib.parse

import pytest
from harness.models import Provider, anthropic, sse
from harness.stepmill import Stepmill, flow, noop, shell, tool
from test_tools import NASTY
from test_tools_http import LOOPBACKS, Server

LIMIT = 65536
LONG = 10_000_000 + os.getpid()  # seconds that nobody else sleeps


@pytest.fixture(scope="module")
def chaos():
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def target():
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mill(chaos, target):
    providers = {"chaos": {"type": "anthropic", "base_url": chaos.url}}
    with Stepmill(workers=1, environment={
            "STEPMILL_PROVIDERS": json.dumps(providers), "STEPMILL_DEFAULT_MODEL": "chaos:m",
            "STEPMILL_WORKER_OUTPUT_MAX": str(LIMIT),
            "STEPMILL_WORKER_HTTP_ALLOW": target.allow}) as mill:
        yield mill


def is_running(words):
    return subprocess.run(["pgrep", "-f", words], capture_output=True).returncode == 0


# ---- F2 ----

FLOODS = {
    "one-line": "tr '\\0' x < /dev/zero",
    "binary": "cat /dev/urandom",
    "lines": "yes",
    "both": "yes out & yes err >&2",
    "mixed": "while :; do echo out; echo err >&2; done",
}


def test_floods(mill):
    """They flood until they are told; everything else on the same worker goes on."""
    def flood(name, command):
        return shell(name, f"echo first; echo first-error >&2; ({command}) & child=$!;"
                           f" while [ ! -e stop-{name} ]; do sleep 0.05; done;"
                           " kill -9 $child; echo last; echo last-error >&2")
    runs = {name: mill.begin(flood(name, command)) for name, command in FLOODS.items()}
    for name, run in runs.items():
        mill.wait_running(run, name)
    for _ in range(5):
        assert mill.do(shell("a", "echo meanwhile"))["status"] == "COMPLETED"
    for name in FLOODS:
        (mill.folder / f"stop-{name}").write_text("")
    for name, run in runs.items():
        ended = mill.wait_ended(run)
        assert ended["status"] == "COMPLETED", ended["error"]
        output = ended["steps"][0]["output"]
        assert output["truncated"] is True
        for stream in ("stdout", "stderr"):
            assert len(output[stream].encode()) <= LIMIT
        assert output["stdout"].startswith("first\n")
        assert output["stderr"].startswith("first-error\n")
        assert re.search(r"\n\.\.\. \d+ bytes left out \.\.\.\n", output["stdout"])
        logs = mill.folder / ".agent/workflows/executions" / run / "logs"
        assert all(path.stat().st_size < 100_000_000 for path in logs.iterdir())
    worker = mill.pool()["workers"][0]
    with open(f"/proc/{worker['pid']}/status") as status:
        peak = int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1])
    assert peak < 1_500_000, peak  # with a sanitizer


# ---- F3 ----

@pytest.mark.parametrize("name, command", [
    ("stopped", "kill -STOP $$; sleep LONG"),
    ("closed", "exec >&- 2>&- <&-; sleep LONG"),
    ("deaf", "trap '' TERM HUP INT; sleep LONG; sleep LONG"),
    ("stopped-tree", "trap '' TERM; setsid sh -c 'kill -STOP $$; sleep LONG' & sleep LONG"),
])
def test_programs_that_do_not_end(mill, name, command):
    run = mill.do(shell("a", command.replace("LONG", str(LONG)), timeout=400,
                        retry={"maxAttempts": 1}))
    assert run["status"] == "FAILED" and run["error"]["code"] == "timeout", run
    assert not is_running(f"sleep {LONG}")


@pytest.mark.parametrize("command", [
    "sleep LONG & echo done",                 # holds the pipes
    "(setsid sleep LONG >/dev/null 2>&1 &) ; echo done",
    "nohup sh -c 'trap \"\" TERM HUP; sleep LONG' & echo done",
    "exec 5>&1; sleep LONG 1>&5 & exec >&-; exit 0",
])
def test_what_outlives_its_program(mill, command):
    run = mill.do(shell("a", command.replace("LONG", str(LONG))))
    assert run["status"] == "COMPLETED", run["error"]
    assert not is_running(f"sleep {LONG}")


# ---- F5 ----

def test_inputs_arrive_byte_for_byte(mill):
    """From a caller's JSON through an expression into a variable, standard input, a file."""
    values = [value for value in NASTY if len(value) < 100_000] + ["$(id)" * 200_000]
    run = mill.do(
        shell("variable", 'printf %s "$V" | sha256sum', {"env": {"V": "{{item}}"}},
              foreach="input.values"),
        shell("standard", "sha256sum", {"stdin": "{{item}}"}, foreach="input.values"),
        tool("file", "files.write", {"path": "nasty-{{string(index)}}", "content": "{{item}}"},
             foreach="input.values"),
        input={"values": values})
    assert run["status"] == "COMPLETED", run["error"]
    wanted = [hashlib.sha256(value.encode()).hexdigest() for value in values]
    for key in ("variable", "standard"):
        row = next(s for s in run["steps"] if s["stepKey"] == key and s["output"]
                   and isinstance(s["output"], list))
        assert [item["stdout"].split()[0] for item in row["output"]] == wanted
    assert [hashlib.sha256((mill.folder / f"nasty-{n}").read_bytes()).hexdigest()
            for n in range(len(values))] == wanted


def test_a_nul_is_refused_or_kept(mill):
    run = mill.do(shell("a", "true", {"env": {"V": "a{{input.v}}b"}}), input={"v": "\0"})
    assert run["status"] in ("FAILED", "COMPLETED")
    if run["status"] == "FAILED":
        assert "NUL" in run["error"]["message"], run["error"]
    else:  # it became U+FFFD at the door
        assert run["input"]["v"] == "\ufffd"


# ---- F6 ----

WAYS_OUT = ["..", ".", "../../etc/passwd", "/etc/passwd", "%2e%2e", "%252e%252e%252f", "..\\..\\x",
            "a/b", "a\0b", "x" * 255, "-rf", "a\nb", "C:\\x", "~", "$(id)", " "]


@pytest.mark.parametrize("name", WAYS_OUT)
def test_names_of_workflows(mill, name):
    before = sorted(str(path) for path in mill.folder.rglob("*") if ".stepmill" not in path.parts)
    answer = mill.ask("POST", "/api/workflows", flow(name, noop("a")),
                      {"Content-Type": "application/json"})
    assert answer.status == 422, answer.body
    for coded in (urllib.parse.quote(name, safe=""), urllib.parse.quote(
            urllib.parse.quote(name, safe=""), safe="")):
        for method, path in (("GET", ""), ("POST", "/execute"), ("GET", "/versions"),
                             ("DELETE", "")):
            answer = mill.ask(method, f"/api/workflows/{coded}{path}",
                              {} if method == "POST" else None)
            assert 400 <= answer.status < 500, (method, coded, answer.status)
    run = mill.do({"id": "a", "action": "workflow", "workflow": "{{input.name}}"},
                  {"id": "b", "action": "noop"}, input={"name": name})
    assert run["status"] == "FAILED" and run["error"]["code"] in ("no_workflow", "input")
    after = sorted(str(path) for path in mill.folder.rglob("*") if ".stepmill" not in path.parts)
    assert [path for path in after if path not in before and "executions" not in path] == []


# ---- F7 ----

def test_webhooks_go_to_no_private_address(mill, target):
    """Each form of 127.0.0.1 at a port that nobody opened, and a detour by one that is open."""
    closed = Server()
    try:
        urls = [f"http://{host}:{closed.port}/echo" for host in LOOPBACKS if host != "127.0.0.1."]
        urls += [f"{target.url}/away?{closed.url}/echo", "http://[fe80::1]/", "http://224.0.0.1/"]
        run = mill.do(
            tool("tell", "notify.webhook", {"url": "{{item}}", "body": {}}, foreach="input.urls",
                 maxParallel=8, continueOnError=True, retry={"maxAttempts": 1}),
            {"id": "call", "action": "http", "url": "{{item}}", "foreach": "input.urls",
             "maxParallel": 8, "continueOnError": True, "retry": {"maxAttempts": 1}},
            input={"urls": urls})
        assert closed.requests == []
        rows = mill.sql("select s.error from v_steps s where s.execution_id = %s"
                        " and s.item_index is not null", run["id"])
        codes = [error["code"] for error, in rows if error]
        assert len(codes) >= len(urls) and set(codes) <= {"address_refused", "input", "network"}
        assert codes.count("network") <= 2, codes
    finally:
        closed.stop()


# ---- F9 ----

async def nothing_at_all(writer, body):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n")


def test_an_empty_body(mill, chaos):
    chaos.answers["m"] = nothing_at_all
    run = mill.do({"id": "ask", "action": "model", "prompt": "p", "retry": {"maxAttempts": 1}})
    assert run["status"] == "FAILED" and run["error"]["code"] == "stream_cut", run["error"]


def test_a_wait_is_as_long_as_was_told(mill, chaos):
    """Not shorter, and at most a tenth longer; of what is told in the step's log."""
    chaos.answers["m"] = lambda body: (
        (429, ["Retry-After: 1"], {"type": "error", "error": {
            "type": "rate_limit_error", "message": "slower"}})
        if len(chaos.asked("m")) % 2 == 1 else (200, [], sse(*anthropic("Good."))))
    if len(chaos.asked("m")) % 2 == 1:
        chaos.requests.pop()
    run = mill.do({"id": "ask", "action": "model", "prompt": "p"})
    assert run["status"] == "COMPLETED", run["error"]
    log = mill.request("GET", f"/api/executions/{run['id']}/logs/download").decode()
    waits = [int(text) for text in re.findall(r"waits (\d+) ms", log)]
    assert waits and all(900 <= wait <= 1100 for wait in waits), log
