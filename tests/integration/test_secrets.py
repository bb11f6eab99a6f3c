"""Secrets: `secrets.NAME` from a file, the environment or a command, and that their values are
nowhere afterwards. Battery F11 and invariant I-12: one run says them in every way it can."""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest
from harness.models import Provider, anthropic, sse
from harness.raw_ws import RawWs
from harness.stepmill import ROOT, Stepmill, Supervisor, noop, shell, tool, wait_for

sys.path.insert(0, str(ROOT / "tests/campaign"))
from checks.canaries import encodings  # noqa: E402
from test_tools_http import Server  # noqa: E402

FILE = 'canary/file&"Tr0ub4dor" 1'
VARIABLE = "canary-env-6f1d0c9a55e2"
PRINTED = "canary_cmd+0123456789/abcdef=="
PEM = ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0canary01\n"
       "BAQEFAASCBKcwggSjAgEAAoIcanary02\nAQC7VJTUt9Us8cKjMzEfYcanary03=\n-----END PRIVATE KEY-----")
PIN = "88123456789"
ALL = {"file": FILE, "variable": VARIABLE, "printed": PRINTED, "pem": PEM, "pin": PIN}


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
def place(tmp_path_factory):
    """Where the secrets are: not in the project."""
    folder = tmp_path_factory.mktemp("secrets")
    for name, value in (("file", FILE), ("pem", PEM), ("pin", PIN), ("printed", PRINTED),
                        ("changing", "canary-before-the-change")):
        (folder / name).write_text(value + "\n")
    (folder / "key.json").write_text(json.dumps(
        {"type": "service_account", "private_key": "canary-private-key-of-a-service"}))
    return folder


@pytest.fixture(scope="module")
def mill(place, chaos, target):
    secrets = {
        "file": {"file": str(place / "file")},
        "pem": f"file:{place}/pem",
        "pin": {"file": str(place / "pin")},
        "variable": {"env": "SM_TEST_CANARY"},
        "printed": {"command": ["cat", str(place / "printed")]},
        "changing": {"file": str(place / "changing")},
        "account": {"file": str(place / "key.json")},
        "fresh": {"command": ["/bin/sh", "-c", f"cat {place}/fresh"], "refresh": "100ms"},
        "gone": {"file": str(place / "gone")},
        "slow": {"command": ["sleep", "600"], "timeout": "300ms"},
        "broken": {"command": ["/bin/sh", "-c", "echo half-a-secret >&2; exit 3"]},
        "much": {"command": ["head", "-c", "100000", "/dev/zero"]},
    }
    (place / "fresh").write_text("canary-fresh-one")
    providers = {"chaos": {"type": "anthropic", "base_url": chaos.url}}
    with Stepmill(workers=2, environment={
            "STEPMILL_SECRETS": json.dumps(secrets), "SM_TEST_CANARY": VARIABLE,
            "STEPMILL_PROVIDERS": json.dumps(providers),
            "STEPMILL_DEFAULT_MODEL": "chaos:parrot",
            "STEPMILL_WORKER_ENVIRONMENT": "SM_TEST_CANARY",
            "STEPMILL_WORKER_HTTP_ALLOW": "127.0.0.1"}) as mill:
        yield mill


def error_of(run):
    assert run["status"] == "FAILED", run
    return run["error"]


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of(name):
    """A step that tells the hash of a secret, byte for byte."""
    return shell("hash", 'printf %s "$S" | sha256sum', {"env": {"S": "{{secrets.%s}}" % name}})


def told(run):
    return run["steps"][-1]["output"]["stdout"].split()[0]


# ---- where they come from ----

@pytest.mark.parametrize("name", ALL)
def test_values_arrive_byte_for_byte(mill, name):
    assert told(mill.do(hash_of(name))) == sha(ALL[name])


def test_names_of_all_kinds(mill):
    run = mill.do(shell("a", 'printf %s "$S" | sha256sum; printf %s "$T" | sha256sum', {"env": {
        "S": "{{secrets[input.which]}}", "T": "{{secrets['variable']}}"}}),
        input={"which": "file"})
    assert run["steps"][0]["output"]["stdout"].split()[::2] == [sha(FILE), sha(VARIABLE)]


@pytest.mark.parametrize("expression, words", [
    ("secrets.fiel", 'did you mean "file"'),
    ("secrets.nothing_like_it", "no such key"),
    ("secrets.gone", 'the secret "gone" cannot be read: '),
    ("secrets.gone", "No such file"),
    ("secrets.slow", "took too long"),
    ("secrets.broken", "exit status 3"),
    ("secrets.much", "more than 65536 bytes"),
])
def test_a_secret_that_is_not_there(mill, expression, words):
    error = error_of(mill.do(shell("a", "true", {"env": {"S": "{{%s}}" % expression}},
                                   retry={"maxAttempts": 1})))
    assert error["code"] == "expression" and words in error["message"], error
    assert "half-a-secret" not in json.dumps(error)


def test_whether_it_is_there(mill):
    run = mill.do(shell("a", 'echo "$S"', {"env": {
        "S": "{{has(secrets.gone) ? 'there' : 'not there'}} {{has(secrets.file)}}"}}))
    assert run["steps"][0]["output"]["stdout"] == "not there true\n"


def test_a_missing_secret_is_tried_again(mill, place):
    again = {"maxAttempts": 50, "delay": 200, "backoff": "fixed"}
    run = mill.begin({**hash_of("gone"), "retry": again})
    mill.wait_step(run, "hash", "RETRYING")
    (place / "gone").write_text("canary-late")
    try:
        assert told(mill.wait_ended(run)) == sha("canary-late")
    finally:
        (place / "gone").unlink()


def test_a_file_that_changed_is_read_again(mill, place):
    (place / "changing").write_text("canary-after-the-change\n")
    wait_for("the new value", lambda: told(mill.do(hash_of("changing")))
             == sha("canary-after-the-change"))
    # whoever still says the former one is masked as well, on the worker that knew it
    run = mill.do(hash_of("changing"), shell("a", "echo canary-'before'-the-change"))
    assert run["steps"][1]["output"]["stdout"] == "***\n"


def test_a_command_runs_again_after_refresh(mill, place):
    mill.do(hash_of("fresh"))
    (place / "fresh").write_text("canary-fresh-two")
    wait_for("the new value", lambda: told(mill.do(hash_of("fresh"))) == sha("canary-fresh-two"))
    (place / "fresh").write_text("")  # then the last one that was good stays, on each worker
    for _ in range(3):
        assert told(mill.do(hash_of("fresh"))) in (sha("canary-fresh-one"), sha("canary-fresh-two"))


def test_a_signal_has_all_read_again(mill, place):
    mill.do(*[{**hash_of("printed"), "id": f"h{n}"} for n in range(4)])
    (place / "printed").write_text("canary-printed-again")
    try:
        for worker in mill.pool()["workers"]:
            os.kill(worker["pid"], signal.SIGHUP)
        wait_for("the new value",
                 lambda: told(mill.do(hash_of("printed"))) == sha("canary-printed-again"))
    finally:
        (place / "printed").write_text(PRINTED)
        for worker in mill.pool()["workers"]:
            os.kill(worker["pid"], signal.SIGHUP)
        wait_for("the old value", lambda: told(mill.do(hash_of("printed"))) == sha(PRINTED))


def test_a_new_secret_in_the_configuration(mill, place, tmp_path):
    """A supervisor with a file of its own, told that it changed."""
    config = tmp_path / "stepmill.yaml"
    config.write_text(f"secrets:\n  old: {{ file: {place}/file }}\n")
    environment = {k: v for k, v in mill.environment.items() if k != "STEPMILL_SECRETS"}
    other = Supervisor(mill.folder, mill.state["databaseUrl"], mill.state["redisUrl"],
                       environment={**environment, "STEPMILL_CONFIG": str(config)},
                       pool_workers=1, worker_queues="elsewhere")
    other.allowed_errors = mill.allowed_errors

    def read(name):
        return mill.do({**hash_of(name), "retry": {"maxAttempts": 1}}, queue="elsewhere")
    with other:
        assert told(read("old")) == sha(FILE)
        assert "no such key" in error_of(read("new"))["message"]
        config.write_text(f"secrets: {{ new: 'file:{place}/file' }}\n")
        other.process.send_signal(signal.SIGHUP)
        wait_for("the new one", lambda: read("new")["status"] == "COMPLETED")
        assert "no such key" in error_of(read("old"))["message"]
        log = [json.loads(line) for line in other.log().splitlines() if line.startswith("{")]
    assert not [line for line in log if "canary" in json.dumps(line)]


def test_who_registers_hears_of_unknown_names(mill):
    mill.define(shell("a", "true", {"env": {"S": "{{secrets.fil}} {{secrets.file}}"}}))
    lines = [line for line in mill.log().splitlines() if "workflow.secret_unknown" in line]
    assert any("fil" in line and "nearest=file" in line or '"nearest":"file"' in line
               for line in lines), lines


def test_a_member_of_a_secret_is_one(mill):
    run = mill.do(shell("a", 'printf %s "$S" | sed "s/.*key//"; printf %s "$S" >&$STEPMILL_FD',
                        {"env": {"S": "{{secrets.account}}"}}))
    assert "canary" not in json.dumps(run)
    assert run["steps"][0]["output"]["result"]["private_key"] == "***"


# ---- where they go ----

def test_arguments_of_programs_are_refused(mill):
    error = error_of(mill.do(tool("a", "git.log", {"range": "{{secrets.variable}}"})))
    assert "would stand in the arguments" in error["message"], error


def test_what_others_get_is_masked(mill):
    """Rows for others hold no secrets: a child run's input, items, what is approved."""
    child = mill.define(noop("a"), output={"got": "{{input.token}}"})
    run = mill.do({"id": "start", "action": "workflow", "workflow": child,
                   "input": {"token": "{{secrets.file}}"}},
                  {"id": "each", "action": "noop", "foreach": "[secrets.file, 'x']"},
                  output={"child": "{{steps.start.output}}", "own": "a {{secrets.pin}}"})
    assert run["output"] == {"child": {"got": "***"}, "own": "a ***"}, run
    assert "canary" not in json.dumps(mill.execution(run["id"]))


SAY = r"""
import base64, json, os, sys, time, urllib.parse
out = sys.stdout.buffer
for name in ("A", "B", "C", "D"):
    s = os.environ[name]
    data = s.encode()
    forms = [s, json.dumps(s), json.dumps(json.dumps(s)), urllib.parse.quote(s),
             urllib.parse.quote_plus(s), urllib.parse.quote(s, safe=""), data.hex(),
             data.hex().upper(), json.dumps(s).replace("/", "\\/")]
    for pad in (b"", b"x", b"xy"):
        forms += [base64.b64encode(pad + data + b"tail").decode(),
                  base64.urlsafe_b64encode(pad + data).decode(),
                  base64.encodebytes(b"-" * 40 + pad + data).decode()]
    for form in forms:
        out.write(form.encode() + b"\n")
        sys.stderr.write("E " + form + "\n")
    out.flush()
    half = len(data) // 2
    for part in (b"split " + data[:half], data[half:] + b" end\n"):
        out.write(part)
        out.flush()
        time.sleep(0.05)
sys.stderr.flush()
os.write(int(os.environ["STEPMILL_FD"]), json.dumps(
    {"said": [os.environ[n] for n in "ABCD"], os.environ["A"]: 1, "pin": int(os.environ["P"])}).encode())
"""
ENV = {"A": "{{secrets.file}}", "B": "{{secrets.variable}}", "C": "{{secrets.printed}}",
       "D": "{{secrets.pem}}", "P": "{{secrets.pin}}"}


def everything(target, child):
    """Steps that put every secret wherever a step can put something."""
    said = "{{secrets.file}} {{secrets.variable}} {{secrets.printed}} {{secrets.pem}} {{secrets.pin}}"
    on = {"continueOnError": True, "retry": {"maxAttempts": 2, "delay": 0}}
    request = {
        "action": "http", "method": "POST",
        "headers": {"X-Key": "{{secrets.variable}}"}, "auth": {"bearer": "{{secrets.printed}}"},
        "json": {"a": "{{secrets.file}}", "b": [said]}}
    query = "?k={{secrets.variable}}&q={{secrets.pin}}"
    return [
        shell("say", "python3 -c \"$SAY\"; sleep 0.3", {"env": {**ENV, "SAY": SAY}}),
        shell("command", f"cat <<'END'\n{said}\nEND\necho from the environment: $SM_TEST_CANARY"),
        shell("fail", 'echo "it is $A $C" >&2; exit 7', {"env": ENV}, **on),
        {"id": "source", "action": "code", "language": "python",
         "source": "def run(*_):\n    pass\nprint('''%s''')\nraise Exception('''%s''')" % (said, said),
         **on},
        {"id": "echo", **request, "url": f"{target.url}/echo{query}"},
        {"id": "refused", **request, "url": f"{target.url}/scold{query}", **on},
        {"id": "nowhere", **request, "url": "http://{{secrets.variable}}.invalid/x", **on},
        {"id": "private", **request, "url": "http://10.0.0.1/{{secrets.variable}}", **on},
        {"id": "no-url", **request, "url": "{{secrets.printed}}", **on},
        {"id": "typed", "action": "wait", "for": "{{secrets.file}}", **on},
        {"id": "cel", "action": "noop", "if": "int(secrets.variable) > 0", **on},
        {"id": "cel2", "action": "tool", "tool": "state.set",
         "args": {"key": "k", "value": "{{timestamp(secrets.file)}}"}, **on},
        tool("comment", "comment.add", {"message": f"see {said}", "metadata": {
            "k": "{{secrets.file}}", "pin": "{{int(secrets.pin)}}"}}),
        tool("state", "state.set", {"key": "k-{{secrets.variable}}", "value": {"v": said}}),
        tool("file", "files.write", {"path": "note.txt", "content": "nothing"}),
        tool("artifact", "artifact.add", {"path": "note.txt", "name": "n {{secrets.variable}}.txt",
                                          "metadata": {"m": said}}),
        tool("no-file", "files.read", {"path": "no/{{secrets.variable}}"}, **on),
        tool("branch", "git.ensureBranch", {"name": "b-{{secrets.variable}}"}, **on),
        tool("notify", "notify.webhook", {"url": f"{target.url}/echo{query}",
                                          "body": {"text": said}, "secret": "{{secrets.printed}}"}),
        {"id": "ask", "action": "model", "prompt": f"say {said}", "tools": ["state.set", "comment.add"],
         "system": "{{secrets.printed}}"},
        {"id": "wrong", "action": "model", "prompt": f"fail {said}", "model": "chaos:scold", **on},
        {"id": "child", "action": "workflow", "workflow": child,
         "input": {"token": said}},
        {"id": "each", "action": "noop", "foreach": "[secrets.file, secrets.variable]"},
        {"id": "gate", "action": "tool", "tool": "shell", "approvalRequired": True,
         "args": {"command": "true", "env": {"A": said}}},
        {"id": "decide", "action": "approval", "prompt": f"Is {said} good?"},
    ]


class Watcher(threading.Thread):
    """Reads the arguments of all processes, again and again."""

    def __init__(self, needles):
        super().__init__(daemon=True)
        self.needles = [needle.encode() for needle in needles]
        self.found, self.looks, self.over = set(), 0, threading.Event()

    def run(self):
        while not self.over.wait(0.01):
            self.looks += 1
            for entry in pathlib.Path("/proc").iterdir():
                if entry.name.isdigit() and int(entry.name) != os.getpid():
                    self.look(entry)

    def look(self, entry):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            return
        self.found.update((needle, words) for needle in self.needles if needle in words)

    def stop(self):
        self.over.set()
        self.join(10)


def needles():
    texts = {}
    for value in [FILE, VARIABLE, PRINTED, PIN] + [line for line in PEM.split("\n")
                                                   if not line.startswith("---")]:
        texts |= {text: how for text, how in encodings(value).items()
                  if how not in ("reversed", "HTML-escaped") and len(text) >= 8}
    return texts


def parrot(body):
    """Repeats what it was told, in pieces; first it calls tools with it."""
    text = json.dumps(body["messages"])
    if "tool_result" not in text:
        said = body["messages"][0]["content"][0]["text"]
        return 200, [], sse(*anthropic(f"I heard {said}", tools=[
            ("t1", "state_set", {"key": "heard", "value": said}),
            ("t2", "comment_add", {"message": said})], pieces=40))
    return 200, [], sse(*anthropic(body["messages"][0]["content"][0]["text"], pieces=37))


async def on_scold(writer, rest, request):
    method, path, headers, body = request
    Server.answer(writer, 422, f"bad: {path} {headers} {body.decode()}".encode(),
                  [("X-Echo", headers.get("x-key", ""))])


def hear(ws, heard, run):
    while not any(m["type"].startswith("workflow:execution:") and run in json.dumps(m)
                  and m["type"].endswith(("completed", "failed")) for m in heard):
        heard.append(ws.next())


def approve(mill, run, key):
    mill.wait_step(run, key, "WAITING_APPROVAL", seconds=60)
    page = mill.get(f"/api/approvals?executionId={run}")
    done = mill.cli("approve", run, key)
    assert done.returncode == 0, done.stderr
    return page


def said_by_the_api(mill, run):
    said = [mill.get(f"/api/executions/{run}"), mill.events(run)]
    said += [mill.request("GET", f"/api/executions/{run}/logs/download"),
             mill.request("GET", f"/api/executions/{run}/artifacts"),
             mill.request("GET", "/api/stats")]
    return "\n".join(json.dumps(s) if not isinstance(s, bytes) else s.decode() for s in said)


def rows(mill):
    """Every row of every table as text."""
    tables = mill.sql("select c.oid::regclass::text from pg_class c join pg_namespace n"
                      " on n.oid = c.relnamespace where n.nspname = 'stepmill'"
                      " and c.relkind in ('r', 'p') and not c.relispartition")
    for table, in tables:
        for row, in mill.sql(f"select t::text from {table} t"):
            yield table, row


def hits(text, texts):
    return {(how, text[max(0, at - 60):at + 60]) for needle, how in texts.items()
            if (at := text.find(needle)) >= 0}


def test_nothing_is_left_of_secrets(mill, target, chaos, tmp_path):
    chaos.answers["parrot"] = parrot
    chaos.answers["scold"] = lambda body: (400, [], {"type": "error", "error": {
        "type": "invalid_request_error", "message": "no: " + json.dumps(body["messages"])}})
    target.on_scold = on_scold
    texts = needles()
    child = mill.define(noop("a"), output="{{input.token}}")
    watcher = Watcher(texts)
    watcher.start()
    heard, pages = [], []
    with RawWs(mill.url) as ws:
        ws.say({"type": "workflow:subscribe", "id": 1, "executionId": "*"})
        ws.next()
        run = mill.begin(*everything(target, child),
                         output="{{secrets.file}} {{secrets.pin}} {{steps.say.output.stdout}}")
        pages += [approve(mill, run, "gate"), approve(mill, run, "decide")]
        ended = mill.wait_ended(run)
        hear(ws, heard, run)
    watcher.stop()
    assert ended["status"] == "COMPLETED", ended["error"]
    assert watcher.looks > 10 and watcher.found == set()
    # they did arrive where they were sent to
    sent = [r for r in target.requests if r[1].startswith("/echo")]
    assert sent[0][2]["x-key"] == VARIABLE and json.loads(sent[0][3])["a"] == FILE
    assert PEM in chaos.asked("parrot")[0]["messages"][0]["content"][0]["text"]
    failed = {s["stepKey"] for s in ended["steps"] if s["status"] == "FAILED"}
    assert failed >= {"fail", "source", "refused", "nowhere", "private", "no-url", "typed", "wrong",
                      "no-file", "branch"}, failed
    assert next(s for s in ended["steps"] if s["stepKey"] == "say")["output"]["stdout"].count(
        "split *** end\n") == 4
    assert ended["output"].startswith("*** *** ")
    # and are nowhere else
    assert hits(said_by_the_api(mill, run) + json.dumps(pages), texts) == set()
    assert hits(json.dumps(heard), texts) == set()
    for table, row in rows(mill):
        assert hits(row, texts) == set(), table
    assert hits(mill.log(), texts) == set()
    needles_file = tmp_path / "needles"
    needles_file.write_text("\n".join(t for t in texts if "\n" not in t) + "\n")
    done = subprocess.run(["grep", "-rlaF", "-f", needles_file, mill.folder], text=True,
                          capture_output=True)
    assert done.stdout == "" and done.returncode == 1, done.stdout + done.stderr
    names = [str(path) for path in (mill.folder / ".agent").rglob("*")]
    assert hits("\n".join(names), texts) == set()
