"""`stepmill ctx` and `stepmill workflows test`: commands that speak with programs, or as one, and
need no server."""
import json
import os
import socket
import subprocess
import threading

import pytest

from harness.sdk import build
from harness.stepmill import BIN, ROOT

CASES = ROOT / "tests/integration/sdk"


def stepmill(*words, folder=None, **more):
    environment = {name: value for name, value in os.environ.items() if name != "STEPMILL_FD"}
    return subprocess.run([BIN / "stepmill", *map(str, words)], capture_output=True, text=True,
                          timeout=60, cwd=folder, env={**environment, **more.pop("env", {})},
                          stdin=subprocess.DEVNULL, **more)


# ---- stepmill ctx ----

class Worker:
    """The worker's end of STEPMILL_FD: takes channels, answers each line with what is told."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []
        self.ours, self.theirs = socket.socketpair()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            byte, descriptors, *_ = socket.recv_fds(self.ours, 1, 4)
            if not byte:
                return
            assert byte == b"\n" and len(descriptors) == 1
            with socket.socket(fileno=descriptors[0]) as channel, channel.makefile("rwb") as lines:
                message = json.loads(lines.readline())
                self.asked.append((message["method"], message["params"]))
                answer = self.answers.pop(0)
                if answer is None:
                    continue  # hangs up
                lines.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}).encode()
                            + b"\n")

    def ctx(self, *words):
        return stepmill("ctx", *words, env={"STEPMILL_FD": str(self.theirs.fileno())},
                        pass_fds=[self.theirs.fileno()])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.theirs.close()
        self.ours.shutdown(socket.SHUT_RDWR)


def result(**members):
    return {"result": members}


@pytest.mark.parametrize("words, method, params", [
    (["comment", "said"], "comment", {"message": "said", "scope": "step"}),
    (["comment", "-e", "-m", '{"a": 1}', "said"], "comment",
     {"message": "said", "scope": "execution", "metadata": {"a": 1}}),
    (["set", "k", "5"], "state.set", {"key": "k", "value": 5}),
    (["set", "k", "null"], "state.set", {"key": "k", "value": None}),
    (["set", "k", '{"a":[1]}'], "state.set", {"key": "k", "value": {"a": [1]}}),
    (["set", "k", "{not json"], "state.set", {"key": "k", "value": "{not json"}),
    (["set", "k", "5", "--string"], "state.set", {"key": "k", "value": "5"}),
    (["set", "--", "-k", "-5"], "state.set", {"key": "-k", "value": -5}),
    (["delete", "k"], "state.delete", {"key": "k"}),
    (["artifact", "add", "f"], "artifact", {"path": "f"}),
    (["artifact", "add", "f", "-n", "a", "-t", "DOCUMENT", "--media", "text/plain",
      "--description", "d"], "artifact", {"path": "f", "name": "a", "type": "DOCUMENT",
                                          "mimeType": "text/plain", "description": "d"}),
    (["log", "info", "text"], "log", {"level": "info", "message": "text"}),
    (["log", "warn", "text", "-f", '{"n": 1}'], "log",
     {"level": "warn", "message": "text", "fields": {"n": 1}}),
    (["info"], "info", {}),
])
def test_ctx_asks(words, method, params):
    with Worker(result(id="7")) as worker:
        done = worker.ctx(*words)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert worker.asked == [(method, params)]
    assert done.stdout.strip() == ("7" if method in ("comment", "artifact") else
                                   '{\n  "id": "7"\n}' if method == "info" else "")


@pytest.mark.parametrize("words, answer, status, shown", [
    (["get", "k"], result(value="a\nb", found=True), 0, "a\nb\n"),
    (["get", "k"], result(value={"a": None}, found=True), 0, '{"a":null}\n'),
    (["get", "k"], result(value=None, found=True), 0, "null\n"),
    (["get", "k"], result(value=None, found=False), 1, ""),
    (["get", "k", "-d", "x"], result(value=None, found=False), 0, "x\n"),
    (["has", "k"], result(found=True), 0, "true\n"),
    (["has", "k"], result(found=False), 1, "false\n"),
])
def test_ctx_shows(words, answer, status, shown):
    with Worker(answer, answer) as worker:
        done = worker.ctx(*words)
        assert (done.returncode, done.stdout) == (status, shown), done.stderr
        in_json = worker.ctx(*words, "--json")
    assert json.loads(in_json.stdout) == answer["result"]


def test_ctx_refusals():
    error = {"error": {"code": -32602, "message": "key: at most 255 bytes"}}
    with Worker(error, None) as worker:
        done = worker.ctx("get", "k")
        assert done.returncode == 1 and "key: at most 255 bytes" in done.stderr
        done = worker.ctx("get", "k")
        assert done.returncode == 5 and "the worker is gone" in done.stderr


def test_ctx_outside_of_a_step():
    done = stepmill("ctx", "get", "k")
    assert done.returncode == 5 and "no step of a run" in done.stderr
    done = stepmill("ctx", "get", "k", env={"STEPMILL_FD": "77"})
    assert done.returncode == 5 and "descriptor 77" in done.stderr
    done = stepmill("ctx", "get", "k", env={"STEPMILL_FD": "seven"})
    assert done.returncode == 1 and "seven" in done.stderr


@pytest.mark.parametrize("words, message", [
    ([], "expected comment, set"), (["say"], "expected comment, set"), (["set", "k"], "set what?"),
    (["artifact", "f"], "expected comment"), (["get", "a", "b"], '"b": not understood'),
    (["comment", "x", "-m", "1"], "--metadata: expected a JSON object"),
    (["log", "info", "x", "-f", "{"], "--fields: expected a JSON object"),
])
def test_ctx_wrong_use(words, message):
    done = stepmill("ctx", *words)
    assert done.returncode == 2 and message in done.stderr, done.stderr


# ---- stepmill workflows test ----

JS = """
import { createWorkflow } from "stepmill";
export default createWorkflow({ name: "tested" }, async ctx => {
	const drawn = await ctx.run("draw", () => 7);
	const { stdout } = await ctx.shell("date", { name: "date" });
	await ctx.set("drawn", drawn);
	await ctx.comment(`it is ${stdout}`);
	const { approved } = await ctx.approval("Go on?");
	return { drawn, stdout, approved, kept: await ctx.get("drawn"), who: ctx.input.who };
});
"""


@pytest.fixture
def tested(tmp_path):
    (tmp_path / "tested.mjs").write_text(JS)

    def test(record=None, *words, program="tested.mjs"):
        if record is not None:
            (tmp_path / "record.json").write_text(json.dumps(record))
            words = ("--record", "record.json", *words)
        done = stepmill("workflows", "test", program, *words, "--json", folder=tmp_path)
        done.report = json.loads(done.stdout) if done.stdout else None
        return done
    return test


BY_NAME = {"date": {"stdout": "today"}, "approval": {"approved": True}}


def was(report):
    return {step["name"]: step["was"] for step in report["steps"]}


def test_outputs_by_name(tested):
    done = tested(BY_NAME, "who=Ada")
    assert done.returncode == 0, done.stderr
    assert was(done.report) == {"draw": "run", "date": "recorded", "approval": "recorded"}
    assert done.report["end"] == "completed" and done.report["workflow"] == "tested"
    assert done.report["output"] == {"drawn": 7, "stdout": "today", "approved": True, "kept": 7,
                                     "who": "Ada"}
    assert done.report["state"] == {"drawn": 7}
    assert [comment["message"] for comment in done.report["comments"]] == ["it is today"]
    assert tested(BY_NAME | {"draw": 8}).report["output"]["drawn"] == 8


def test_a_recorded_failure(tested):
    done = tested(BY_NAME | {"date": {"$error": {"code": "exit_status", "message": "it broke"}}})
    assert done.returncode == 1 and done.report["end"] == "failed"
    assert done.report["error"]["code"] == "exit_status"


def test_what_only_an_engine_can_do(tested):
    done = tested({})
    assert done.returncode == 1 and was(done.report) == {"draw": "run", "date": "not recorded"}
    assert done.report["end"] == "diverged" and '"date" is not in the record' in str(done.report)


def row(number, name, action, output=None, **more):
    return {"stepNumber": number, "name": name, "action": action, "output": output,
            "status": "COMPLETED", "parentStepId": None, "error": None, **more}


RUN = {"status": "COMPLETED", "input": {"who": "Bob"},
       "output": {"drawn": 5, "stdout": "then", "approved": True, "kept": 5, "who": "Bob"},
       "steps": [row(1, "draw", "code", 5), row(2, "date", "tool", {"stdout": "then"}),
                 row(3, "state.set", "tool"), row(4, "comment.add", "tool"),
                 row(5, "approval", "approval", {"approved": True})]}


def changed(**more):
    return json.loads(json.dumps({**RUN, **more}))


def test_a_run_as_the_record(tested):
    done = tested(RUN)
    assert done.returncode == 0, done.stdout
    assert set(was(done.report).values()) == {"recorded"} and done.report["unasked"] == []


def test_a_run_that_is_another(tested):
    other = changed()
    other["steps"][1]["action"] = "http"
    done = tested(other)
    assert done.returncode == 1 and done.report["end"] == "diverged"
    assert 'asks for tool "date", recorded is http' in done.report["error"]["message"]
    other = changed()
    other["steps"][1]["name"] = "time"
    done = tested(other)
    assert done.report["error"]["message"] == (
        'the program asks for tool "date", recorded is no such step')
    assert done.report["unasked"] == ["time", "state.set", "comment.add", "approval"]


def test_what_was_not_asked_for(tested):
    more = changed(steps=[*RUN["steps"], row(6, "extra", "tool")])
    done = tested(more)
    assert done.returncode == 1 and done.report["unasked"] == ["extra"]
    assert "were not asked for" in done.report["error"]["message"]


def test_another_output(tested):
    done = tested(changed(output={"drawn": 5}))
    assert done.returncode == 1 and "output is another one" in done.report["error"]["message"]


def test_a_run_that_is_not_over(tested):
    done = tested(changed(status="RUNNING", output=None, steps=RUN["steps"][:4]))
    assert done.returncode == 0 and done.report["end"] == "beyond the record"
    assert 'ends before approval "approval"' in done.report["error"]["message"]


def test_for_people(tmp_path, tested):
    tested(BY_NAME)
    done = stepmill("workflows", "test", "tested.mjs", "--record", "record.json", folder=tmp_path)
    assert done.stdout.splitlines() == [
        f"  1  {'code draw':40} run", f"  2  {'tool date':40} recorded",
        f"  3  {'approval approval':40} recorded", "tested completed"]


def test_other_languages(tmp_path, tested):
    (tmp_path / "tested.py").write_text(
        "from stepmill import workflow\n@workflow(name='of-py')\ndef main(ctx):\n"
        "    return ctx.run('a', lambda: ctx.shell('x')['stdout'])\n")
    done = tested({"shell": {"stdout": "s"}}, program="tested.py")
    assert done.returncode == 0 and done.report["output"] == "s", done.stderr
    build(CASES / "cases.c", tmp_path / "cases.workflow")
    done = tested({}, "case=nothing", program="cases.workflow")
    assert done.returncode == 0 and done.report["workflow"] == "cases"
    (tmp_path / "typed.ts").write_text(
        JS.replace("async ctx =>", "async (ctx: WorkflowContext): Promise<unknown> =>")
        .replace("{ createWorkflow }", "{ createWorkflow, type WorkflowContext }"))
    done = tested(BY_NAME, program="typed.ts")
    assert done.returncode == 0 and done.report["output"]["drawn"] == 7, done.stderr


def test_programs_that_misbehave(tmp_path, tested):
    (tmp_path / "broken.mjs").write_text("this is no program\n")
    done = tested({}, program="broken.mjs")
    assert done.returncode == 1 and "without saying how" in done.stderr
    assert "broken.mjs" in done.stderr
    noise = tmp_path / "noise.workflow"
    noise.write_text('#!/bin/sh\necho noise >&"$STEPMILL_FD"\n')
    noise.chmod(0o755)
    assert tested({}, program="noise.workflow").returncode == 1
    (tmp_path / "notes.txt").write_text("text")
    done = tested({}, program="notes.txt")
    assert done.returncode == 2 and "no workflow program" in done.stderr
    assert "none.mjs" in tested({}, program="none.mjs").stderr


@pytest.mark.parametrize("words, message", [
    (["test"], "test what?"), (["test", "a", "--record", "x", "--against", "y"], "not both"),
    (["test", "a", "--record", "none.json"], "none.json"),
    (["test", "a", "nonsense"], "expected KEY=VALUE"), (["check"], "register or test"),
])
def test_wrong_use(tmp_path, words, message):
    done = stepmill("workflows", *words, folder=tmp_path)
    assert done.returncode == 2 and message in done.stderr, done.stderr
