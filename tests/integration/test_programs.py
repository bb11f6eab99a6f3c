"""Workflows written as programs: what is recorded answers, wherever program or worker die, and
what waits holds neither. The programs speak the protocol themselves (harness/flow_program.py)."""
import json
import os
import pathlib
import random
import signal
import time

import pytest
from harness import flow_program
from harness.flow_program import effects
from harness.stepmill import Refused, Stepmill, flow, noop, wait_for


@pytest.fixture(scope="module")
def own():
    with Stepmill(workers=2) as stepmill:
        stepmill.allowed_errors += ["workflow.refused", "step.poison"]
        yield stepmill


def there(stepmill, name):
    try:
        found = stepmill.get(f"/api/workflows/{name}")
    except Refused:
        return None
    return found if found["isActive"] else None


def program(stepmill, name, body, **about):
    """Puts a program there and waits until it is a workflow; its name."""
    flow_program.put(stepmill, name, body, **about)
    wait_for(f"{name} is found", lambda: there(stepmill, name), 15)
    return name


def begin(stepmill, name, body, input=None, **about):
    return stepmill.execute(program(stepmill, name, body, **about), input)


def finish(stepmill, run, status="COMPLETED", seconds=60):
    ended = stepmill.wait_ended(run, seconds)
    assert ended["status"] == status, json.dumps(ended, indent=1)[:4000]
    check_record(stepmill, ended)
    return ended


def check_record(stepmill, run):
    """What holds of every run: events without a gap, each step begun and ended as often as it
    says, nothing left open."""
    events = stepmill.events(run["id"])
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    numbers = [s["stepNumber"] for s in run["steps"]]
    assert len(numbers) == len(set(numbers)) and all(n > 0 for n in numbers)
    for step in run["steps"]:
        assert step["status"] in ("COMPLETED", "FAILED", "CANCELLED", "SKIPPED", "PENDING"), step
        told = [e["type"] for e in events if e["payload"].get("stepNumber") == step["stepNumber"]]
        if step["status"] == "COMPLETED" and not run["retryOfRunId"]:
            assert told.count("step.completed") == 1, told
    assert run["stepCount"] == max(numbers, default=0)


def steps(run):
    return [(s["stepNumber"], s["name"], s["status"]) for s in run["steps"]]


def processes(needle):
    """Pids of programs whose words have this in them, but for the tests' own."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if needle.encode() in words and b"stepmill-init" not in words:
            found.append(int(entry.name))
    return found


# ---- one program to its end ----

def test_a_program_runs_its_steps(own):
    run = begin(own, "plain", '''
        run("a", lambda: effect("a") or 1)
        outer = ask("step.begin", name="outer")
        run("inner", lambda: 2, parent=outer["step"])
        ask("step.end", step=outer["step"], output="o")
        said = tool("shell", {"command": "echo hello"}, name="say")
        run("a", lambda: 3)
        print("printed by the program")
        ask("log", level="warn", message="said by the program", fields={"n": 1})
        done({"said": said["stdout"], "input": hello["input"], "run": hello["runId"]})
        ''', input={"i": 1}, description="does plain things")
    ended = finish(own, run)
    assert steps(ended) == [(1, "a", "COMPLETED"), (2, "outer", "COMPLETED"),
                            (3, "inner", "COMPLETED"), (4, "say", "COMPLETED"),
                            (5, "a", "COMPLETED")]
    assert ended["output"] == {"said": "hello\n", "input": {"i": 1}, "run": ended["runId"]}
    assert [s["action"] for s in ended["steps"]] == ["code", "code", "code", "tool", "code"]
    assert ended["steps"][2]["parentStepId"] == f"{run}:2"
    assert ended["steps"][0]["output"] == 1 and ended["steps"][3]["input"]["tool"] == "shell"
    logs = own.folder / f".agent/workflows/executions/{run}/logs"
    assert "hello" in (logs / "step-4-say.log").read_text()
    whole = (logs / "execution.log").read_text()
    assert "printed by the program" in whole and 'said by the program {\\"n\\":1}' in whole
    shown = own.get("/api/workflows/plain")
    assert shown["config"]["program"]["language"] == "executable"
    assert shown["description"] == "does plain things"


def test_what_it_says_of_itself_holds(own):
    program(own, "strict", "done()", timeout=5000, priority="high",
            input={"type": "object", "required": ["name"]})
    with pytest.raises(Refused) as refused:
        own.execute("strict", {})
    assert refused.value.status == 422
    finish(own, own.execute("strict", {"name": "x"}))
    config = own.get("/api/workflows/strict")["config"]
    assert config["timeout"] == "5s" and config["priority"] == "high"


def test_python_files_and_a_change_make_versions(own):
    own_text = flow_program.text("scripted", 'done(1)')
    path = own.templates / "scripted.py"
    path.write_text(own_text)
    wait_for("found", lambda: there(own, "scripted"), 15)
    assert own.get("/api/workflows/scripted")["source"] == own_text
    assert finish(own, own.execute("scripted"))["output"] == 1
    path.write_text(flow_program.text("scripted", 'done(2)'))
    wait_for("version 2", lambda: there(own, "scripted")["version"] == 2, 15)
    assert finish(own, own.execute("scripted"))["output"] == 2


def test_a_run_keeps_the_text_it_began_with(own):
    (own.templates / "helper_of_kept.py").unlink(missing_ok=True)
    folder = own.folder / "more"
    folder.mkdir(exist_ok=True)
    path = own.templates / "kept.py"
    body = '''
        wait("approval", {{"prompt": "go on?"}}, name="ask")
        done({0})
        '''
    path.write_text(flow_program.text("kept", body.format(1)))
    wait_for("found", lambda: there(own, "kept"), 15)
    run = own.execute("kept")
    own.wait_step(run, "ask", "WAITING_APPROVAL")
    path.write_text(flow_program.text("kept", body.format(2)))
    wait_for("version 2", lambda: there(own, "kept")["version"] == 2, 15)
    own.post(f"/api/executions/{run}/steps/1/approve", {})
    assert finish(own, run)["output"] == 1
    assert [p.name for p in own.templates.iterdir() if p.name.startswith(".kept")] == []


def test_an_executable_that_changed_says_so(own):
    path = flow_program.put(own, "moved", 'wait("approval", {"prompt": "?"}, name="ask")\ndone()')
    wait_for("found", lambda: there(own, "moved"), 15)
    run = own.execute("moved")
    own.wait_step(run, "ask", "WAITING_APPROVAL")
    path.write_text(path.read_text() + "# changed\n")
    own.post(f"/api/executions/{run}/steps/1/approve", {})
    ended = finish(own, run, "FAILED")
    assert ended["error"]["code"] == "definition_changed"


@pytest.mark.parametrize("name,text,why", [
    ("broken.py", "import nothing_of_this_name\n", "nothing_of_this_name"),
    ("silent.py", "print(1)\n", "without saying `hello`"),
    ("unmarked.workflow", "#!/bin/sh\n", "not executable"),
    ("wrong.py", None, "name"),
])
def test_a_program_that_is_none_is_refused(own, name, text, why):
    if text is None:
        text = flow_program.text("Not A Name", "done()")
    path = own.templates / name
    path.write_text(text)
    try:
        wait_for("refused", lambda: [x for x in own.log().splitlines() if "workflow.refused" in x
                                     and name in x and why in x], 20)
        shown = own.cli("validate", str(path))
        assert shown.returncode == 1 and why in shown.stdout, shown.stdout
    finally:
        path.unlink()


def test_programs_come_from_files_only(own):
    with pytest.raises(Refused) as refused:
        own.workflow(json.dumps({"name": "sneaked", "program": {
            "file": "/tmp/x.py", "language": "python", "checksum": "0" * 64, "text": "1"}}))
    assert refused.value.status == 422


# ---- failing ----

def test_a_step_is_tried_again_as_it_says(own):
    run = begin(own, "retries", '''
        tries = []
        def often():
            tries.append(1)
            if len(tries) < 3:
                raise ValueError("not yet")
            return len(tries)
        run("often", often, retry={"maxAttempts": 3, "delay": 10, "jitter": False})
        try:
            run("never", lambda: 1 / 0, retry={"maxAttempts": 2, "delay": 10})
        except Failed as failed:
            caught = failed.args[0]["message"]
        try:
            tool("shell", {"command": "exit 3"}, name="bad", retry={"maxAttempts": 2, "delay": 10})
        except Failed as failed:
            data = failed.args[0]["data"]
        done({"caught": caught, "code": data["error"]["code"], "exit": data["error"]["exitCode"]})
        ''')
    ended = finish(own, run)
    assert ended["output"] == {"caught": "division by zero", "code": "exit_status", "exit": 3}
    assert [(s["name"], s["status"], s["attemptNumber"]) for s in ended["steps"]] == [
        ("often", "COMPLETED", 3), ("never", "FAILED", 2), ("bad", "FAILED", 2)]
    failed = [e["payload"] for e in own.events(run) if e["type"] == "step.failed"]
    assert [f["willRetry"] for f in failed] == [True, True, True, False, True, False]


@pytest.mark.parametrize("name,body,code,part", [
    ("says-fail", 'ask("fail", error={"code": "mine", "message": "no"}); sys.exit(0)', "mine", "no"),
    ("falls", 'raise RuntimeError("deep trouble")', "exit_status", "deep trouble"),
    ("leaves", "sys.exit(0)", "exit_status", "without saying `done`"),
    ("diverges", '''
        run("a" if hello["replayed"] == 0 else "b", lambda: 1)
        wait("wait", {"for": "200ms"})
        done()''', "divergence", "a"),
    ("changes-kind", '''
        if hello["replayed"] == 0:
            run("a", lambda: 1)
        else:
            tool("shell", {"command": "true"}, name="a")
        wait("wait", {"for": "200ms"})
        done()''', "divergence", "a"),
])
def test_how_a_program_fails(own, name, body, code, part):
    ended = finish(own, begin(own, name, body), "FAILED")
    assert ended["error"]["code"] == code and part in ended["error"]["message"], ended["error"]


def test_wrong_calls_are_answered(own):
    run = begin(own, "wrong-calls", '''
        said = []
        def bad(method, **params):
            try:
                ask(method, **params)
            except Failed as failed:
                said.append(failed.args[0]["code"])
        bad("nothing")
        bad("step.begin")
        bad("step.begin", name="x" * 300)
        bad("step.end", step=77, output=1)
        bad("call", action="wait", fields={"for": "1s"})
        bad("call", action="tool", fields={"tool": "no.such.tool"}, name="t")
        bad("wait", action="wait", fields={"for": "soon"})
        bad("hello", protocol=1)
        bad("step.begin", name="y", parent=5)
        channel.sendall(b'{"jsonrpc":"2.0","id":900,"method":5}\\n')
        bad_line = receive_any(900) if False else None
        done(said)
        ''')
    assert finish(own, run)["output"] == [-32601, -32602, -32602, -32602, -32602, -32010, -32602,
                                           -32600, -32602]


# ---- state, comments, artifacts ----

def test_state_is_as_it_was_at_its_place(own):
    run = begin(own, "stateful", '''
        seen = []
        seen.append(ask("state.get", key="n")["found"])
        ask("state.set", key="n", value=1)
        seen.append(ask("state.get", key="n")["value"])
        tool("shell", {"command": "true"})
        wait("wait", {"for": "300ms"}, name="nap")
        seen.append(ask("state.get", key="n")["value"])
        ask("state.set", key="n", value=2)
        ask("state.delete", key="m")
        ask("state.set", key="m", value=None)
        seen.append(ask("state.get", key="n")["value"])
        seen.append(ask("state.has", key="m")["found"])
        done(seen)
        ''')
    ended = finish(own, run)
    assert ended["output"] == [False, 1, 1, 2, True]
    assert ended["state"] == {"n": 2, "m": None}


def test_comments_and_artifacts_are_made_once(own):
    (own.folder / "report.txt").write_text("good")
    run = begin(own, "says", '''
        ask("comment", message="on the run", scope="execution")
        ask("comment", message="on the step", scope="step", metadata={"a": 1})
        kept = ask("artifact", path="report.txt", name="report", type="TEST_REPORT",
                   description="of the tests")
        wait("wait", {"for": "300ms"})
        done(kept)
        ''')
    ended = finish(own, run)
    assert [c["message"] for c in ended["comments"]] == ["on the run", "on the step"]
    assert ended["comments"][1]["stepId"] == f"{run}:2"
    assert [a["name"] for a in ended["artifacts"]] == ["report"]
    assert ended["output"]["sizeBytes"] == 4 and ended["output"]["name"] == "report"


# ---- waiting ----

def test_it_rests_for_a_person_without_a_process(own):
    run = begin(own, "asks", '''
        run("before", lambda: effect("before"))
        answer = wait("approval", {"prompt": "ship it?"}, name="ask")
        run("after", lambda: effect("after"))
        done(answer["approved"])
        ''')
    own.wait_step(run, "ask", "WAITING_APPROVAL")
    wait_for("nothing runs", lambda: not processes("asks.workflow"), 15)
    wait_for("paused", lambda: own.execution(run)["status"] == "PAUSED", 15)
    pending = [a for a in own.get("/api/approvals")["data"] if a["executionId"] == run]
    assert [a["prompt"] for a in pending] == ["ship it?"]
    why = own.get(f"/api/executions/{run}/why")
    assert "ship it?" in json.dumps(why)
    own.post(f"/api/executions/{run}/steps/2/approve", {"comment": "yes"})
    ended = finish(own, run)
    assert ended["output"] is True and effects(own, run) == ["before", "after"]


def test_denied_is_an_error_of_the_step(own):
    run = begin(own, "denied", '''
        try:
            wait("approval", {"prompt": "ship it?"}, name="ask")
        except Failed as failed:
            done(failed.args[0]["data"]["error"]["code"])
        ''')
    own.wait_step(run, "ask", "WAITING_APPROVAL")
    own.post(f"/api/executions/{run}/steps/1/deny", {})
    assert finish(own, run)["output"] == "denied"


def test_an_event_and_a_time_by_which_it_must_come(own):
    run = begin(own, "listens", '''
        got = wait("wait", {"event": "it.came", "when": "event.data.n == 2"}, name="it")
        none = wait("wait", {"event": "never.comes"}, name="late", timeout=300)
        done([got["data"], none])
        ''')
    own.wait_step(run, "it", "WAITING")
    for n in (1, 2):
        own.post("/api/events", {"type": "it.came", "source": "test", "data": {"n": n}})
    assert finish(own, run)["output"] == [{"n": 2}, None]


def test_another_run_is_waited_for(own):
    own.workflow(flow("child-of-program", noop("x"), output={"got": "{{ input.n }}"}))
    run = begin(own, "parent", '''
        first = wait("workflow", {"workflow": "child-of-program", "input": {"n": 4}}, name="child")
        try:
            wait("workflow", {"workflow": "no-such-workflow"})
        except Failed as failed:
            code = failed.args[0]["data"]["error"]["code"]
        loose = wait("workflow", {"workflow": "child-of-program", "input": {"n": 5},
                                  "wait": False}, name="loose")
        done([first, code, "executionId" in loose])
        ''')
    assert finish(own, run)["output"] == [{"got": 4}, "no_workflow", True]


def test_any_of_several_waits_wakes_it(own):
    run = begin(own, "races", '''
        long = send("wait", action="approval", fields={"prompt": "?"}, name="ask")
        short = send("wait", action="wait", fields={"for": "400ms"}, name="nap")
        receive(short)
        run("between", lambda: effect("between"))
        receive(long)
        done()
        ''')
    own.wait_step(run, "between", "COMPLETED")
    assert own.step(run, "ask")["status"] == "WAITING_APPROVAL"
    own.post(f"/api/executions/{run}/steps/1/approve", {})
    finish(own, run)
    assert effects(own, run) == ["between"]


def test_a_wait_that_ends_while_it_works_is_heard_of(own):
    run = begin(own, "hears", '''
        begun = ask("step.begin", name="work")
        nap = send("wait", action="wait", fields={"for": "200ms"}, name="nap")
        receive(nap)
        ask("step.end", step=begun["step"], output=hello["replayed"])
        done(hello["replayed"])
        ''')
    assert finish(own, run)["output"] == 0


# ---- dying ----

SLOW = '''
    for i in range(5):
        run("step", lambda: effect(f"s{i}"))
        if i == 2:
            begun = ask("step.begin", name="gate")
            if not begun["done"]:
                while not os.path.exists(os.path.join(hello["projectPath"], hello["executionId"])):
                    time.sleep(0.01)
                ask("step.end", step=begun["step"], output=hello["attempt"])
    done(hello["replayed"])
    '''


def test_a_killed_worker_loses_nothing(own):
    run = begin(own, "slow-worker", SLOW)
    wait_for("at the gate", lambda: (own.step(run, "gate") or {}).get("status") == "RUNNING", 20)
    rows = own.sql("select worker_id from workflow_steps where execution_id = %s"
                   " and step_number = -1", run)
    own.kill_worker(str(rows[0][0]))
    wait_for("begun again", lambda: own.step(run, "gate")["attemptNumber"] == 2, 30)
    (own.folder / run).touch()
    ended = finish(own, run)
    assert effects(own, run) == ["s0", "s1", "s2", "s3", "s4"]
    assert ended["output"] == 3
    assert [e["type"] for e in own.events(run)].count("run.recovered") == 1


def test_a_killed_program_is_run_again(own):
    run = begin(own, "slow-program", SLOW)
    for attempt in (1, 2, 3):
        wait_for("at the gate", lambda: (own.step(run, "gate") or {}).get("status") == "RUNNING"
                 and own.step(run, "gate")["attemptNumber"] == attempt, 20)
        for pid in wait_for("its process", lambda: processes("slow-program.workflow"), 10):
            os.kill(pid, signal.SIGKILL)
    wait_for("begun again", lambda: own.step(run, "gate")["attemptNumber"] == 4, 20)
    (own.folder / run).touch()
    finish(own, run)
    assert effects(own, run) == ["s0", "s1", "s2", "s3", "s4"]


def test_a_call_under_way_survives_its_program(own):
    run = begin(own, "caller", '''
        out = tool("shell", {"command": "echo x >> $STEPMILL_PROJECT_PATH/effects-"
                   "$STEPMILL_EXECUTION_ID; while ! test -e $STEPMILL_EXECUTION_ID; do sleep 0.05;"
                   " done; echo good"}, name="call")
        done(out["stdout"])
        ''')
    wait_for("called", lambda: effects(own, run) == ["x"], 20)
    for pid in processes("caller.workflow"):
        os.kill(pid, signal.SIGKILL)
    wait_for("run again", lambda: processes("caller.workflow"), 20)
    (own.folder / run).touch()
    assert finish(own, run)["output"] == "good\n"
    assert effects(own, run) == ["x"]


# ---- ending it ----

def test_cancel_is_told_and_leaves_nothing(own):
    run = begin(own, "cancelled", '''
        os.system("sleep 600 &")
        begun = ask("step.begin", name="work")
        while not notices:
            one()
        effect(notices[0]["method"] + ":" + str(notices[0]["params"]["graceMs"]))
        time.sleep(600)
        ''')
    own.wait_step(run, "work", "RUNNING")
    own.post(f"/api/executions/{run}/cancel", {})
    ended = finish(own, run, "CANCELLED")
    wait_for("nothing is left", lambda: not processes("cancelled.workflow"), 15)
    assert effects(own, run) == ["cancel:1500"]
    assert steps(ended) == [(1, "work", "CANCELLED")]


def test_a_program_has_a_time(own):
    run = begin(own, "too-long", 'begun = ask("step.begin", name="work")\ntime.sleep(600)',
                timeout=700)
    finish(own, run, "TIMED_OUT")
    wait_for("nothing is left", lambda: not processes("too-long.workflow"), 15)


def test_pause_holds_it_at_the_next_step(own):
    run = begin(own, "pausable", '''
        begun = ask("step.begin", name="gate")
        if not begun["done"]:
            while not os.path.exists(os.path.join(hello["projectPath"], hello["executionId"])):
                time.sleep(0.01)
            ask("step.end", step=begun["step"], output=1)
        run("next", lambda: effect("next"))
        done(hello["replayed"])
        ''')
    own.wait_step(run, "gate", "RUNNING")
    own.post(f"/api/executions/{run}/pause", {})
    (own.folder / run).touch()
    own.wait_step(run, "gate", "COMPLETED")
    wait_for("nothing runs", lambda: not processes("pausable.workflow"), 15)
    assert own.step(run, "next") is None and effects(own, run) == []
    own.post(f"/api/executions/{run}/resume", {})
    assert finish(own, run)["output"] == 1
    assert effects(own, run) == ["next"]


def test_retry_keeps_what_succeeded(own):
    run = begin(own, "again", '''
        run("a", lambda: effect("a"))
        ask("state.set", key="k", value=1)
        wait("wait", {"for": "100ms"}, name="nap")
        try:
            run("caught", lambda: 1 / 0)
        except Failed:
            pass
        flag = os.path.join(hello["projectPath"], "again-may-go-on")
        if not os.path.exists(flag):
            tool("shell", {"command": "exit 1"}, name="bad")
        tool("shell", {"command": "test -e " + flag}, name="bad") if False else None
        run("last", lambda: effect("last"))
        done([hello["replayed"], ask("state.get", key="k")["value"]])
        ''')
    failed = own.wait_ended(run)
    assert failed["status"] == "FAILED"
    (own.folder / "again-may-go-on").touch()
    # The step that failed is asked for no more, which is another program than was recorded.
    second = own.post(f"/api/executions/{run}/retry", {})["executionId"]
    assert own.wait_ended(second)["error"]["code"] == "divergence"
    assert effects(own, second) == []


def test_retry_runs_the_failed_step_again(own):
    run = begin(own, "anew", '''
        run("a", lambda: effect("a"))
        tool("shell", {"command": "test -e anew-may-go-on"}, name="check")
        run("last", lambda: effect("last"))
        done(hello["replayed"])
        ''')
    assert own.wait_ended(run)["status"] == "FAILED"
    (own.folder / "anew-may-go-on").touch()
    second = own.post(f"/api/executions/{run}/retry", {})["executionId"]
    ended = finish(own, second)
    assert ended["output"] == 1 and effects(own, second) == ["last"]
    assert steps(ended) == [(1, "a", "COMPLETED"), (2, "check", "COMPLETED"),
                            (3, "last", "COMPLETED")]
    third = own.post(f"/api/executions/{run}/rerun", {})["executionId"]
    assert finish(own, third)["output"] == 0


def test_what_cannot_be_walked_says_so(own):
    program(own, "unwalkable", "done()")
    for path, body in (("dry-run", {"input": {}}), ("test-step", {"step": "a", "input": {}})):
        with pytest.raises(Refused) as refused:
            own.post(f"/api/workflows/unwalkable/{path}", body)
        assert refused.value.status == 422 and "program" in json.dumps(refused.value.body), path


# ---- any program can talk back ----

TALK = '''
import json, os, socket
channel = socket.socket(fileno=os.dup(int(os.environ["STEPMILL_FD"])))
reader = channel.makefile("rb")
def ask(method, **params):
    channel.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                                "params": params}).encode() + b"\\n")
    return json.loads(reader.readline())
'''


def test_a_step_talks_back(own):
    (own.folder / "talk.py").write_text(TALK + '''
ask("state.set", key="a", value=[1])
got = ask("state.get", key="a")["result"]
ask("comment", message="from the script")
open("made.txt", "w").write("text")
kept = ask("artifact", path="made.txt")["result"]
own = os.path.join(os.environ["TMPDIR"], "own.txt")
open(own, "w").write("own")
assert ask("artifact", path=own)["result"]["sizeBytes"] == 3
assert ask("artifact", path="/etc/passwd")["error"]["code"] == -32010
ask("log", level="info", message="said over the channel")
info = ask("info")["result"]
wrong = ask("step.begin", name="x")["error"]["code"]
channel.sendall(json.dumps({"got": got, "size": kept["sizeBytes"], "attempt": info["attempt"],
                            "wrong": wrong}).encode())
''')
    run = own.do({"id": "s", "action": "tool", "tool": "shell",
                  "args": {"command": "python3 talk.py"}})
    assert run["status"] == "COMPLETED", run["error"]
    assert own.step(run["id"], "s")["output"]["result"] == {
        "got": {"value": [1], "found": True}, "size": 4, "attempt": 1, "wrong": -32601}
    assert run["state"] == {"a": [1]}
    assert [c["message"] for c in run["comments"]] == ["from the script"]
    assert sorted(a["name"] for a in run["artifacts"]) == ["made.txt", "own.txt"]


def test_a_step_opens_channels_of_its_own(own):
    (own.folder / "two.py").write_text('''
import array, json, os, socket
first = socket.socket(fileno=os.dup(int(os.environ["STEPMILL_FD"])))
for i in range(40):
    ours, theirs = socket.socketpair()
    socket.send_fds(first, [b"\\n"], [theirs.fileno()])
    theirs.close()
    ours.sendall(b'{"jsonrpc":"2.0","id":"x","method":"state.set","params":{"key":"k%d","value":1}}\\n' % i)
    line = ours.makefile("rb").readline()
    assert json.loads(line) == {"jsonrpc": "2.0", "id": "x", "result": {}}, line
    ours.close()
first.sendall(b"[1]")
''')
    run = own.do({"id": "s", "action": "code", "language": "shell", "source": "python3 two.py"})
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == [1] and len(run["state"]) == 40


def test_what_nobody_waits_for_is_done_all_the_same(own):
    run = own.do({"id": "s", "action": "code", "language": "shell", "source":
                  '''echo '{"jsonrpc":"2.0","method":"comment","params":{"message":"m"}}' '''
                  ">&$STEPMILL_FD; echo 7"})
    assert run["status"] == "COMPLETED" and run["output"] == 7
    assert [c["message"] for c in run["comments"]] == ["m"]


def test_who_does_not_read_is_not_read_from(own):
    """Thousands of calls without a look at the answers: the worker keeps its measure."""
    (own.folder / "deaf.py").write_text('''
import os, socket
channel = socket.socket(fileno=os.dup(int(os.environ["STEPMILL_FD"])))
channel.settimeout(1.5)
value = "v" * 100000
sent = 0
try:
    channel.sendall(b'{"jsonrpc":"2.0","id":1,"method":"state.set","params":{"key":"k","value":"%s"}}\\n'
                    % value.encode())
    for i in range(100000):
        channel.sendall(b'{"jsonrpc":"2.0","id":1,"method":"state.get","params":{"key":"k"}}\\n')
        sent += 1
except TimeoutError:
    pass
print(sent)
''')
    run = own.do({"id": "s", "action": "code", "language": "shell", "source": "python3 deaf.py"})
    assert run["status"] == "COMPLETED" and run["output"] < 20000


def test_a_line_has_a_limit(own):
    run = begin(own, "longwinded", '''
        channel.sendall(b'{"jsonrpc":"2.0","id":77,"method":"log","params":{"message":"'
                        + b"x" * 5000000 + b'"}}\\n')
        line = json.loads(reader.readline())
        done([line["id"], line["error"]["code"]])
        ''')
    assert finish(own, run)["output"] == [None, -32700]


def test_secrets_are_masked_in_what_it_returns(own):
    secret = "not-for-everybody"
    with Stepmill(workers=1, environment={"STEPMILL_FORGE_TOKEN": secret}) as other:
        run = begin(other, "tells", f'''
            run("a", lambda: "it is {secret}")
            done(["{secret}"])
            ''')
        ended = finish(other, run)
        assert ended["output"] == ["***"] and ended["steps"][0]["output"] == "it is ***"


def test_a_worker_that_goes_hands_it_on(own):
    """Told to go at once: the program goes on elsewhere, and no attempt of it is spent."""
    run = begin(own, "handed", SLOW)
    wait_for("at the gate", lambda: (own.step(run, "gate") or {}).get("status") == "RUNNING", 20)
    rows = own.sql("select worker_id from workflow_steps where execution_id = %s"
                   " and step_number = -1", run)
    before = own.log().count("worker.draining")
    pid = own.kill_worker(str(rows[0][0]), signal.SIGTERM)
    wait_for("it drains", lambda: own.log().count("worker.draining") > before)  # else the two are one
    os.kill(pid, signal.SIGTERM)
    wait_for("begun again", lambda: own.step(run, "gate")["attemptNumber"] == 2, 30)
    (own.folder / run).touch()
    finish(own, run)
    assert effects(own, run) == ["s0", "s1", "s2", "s3", "s4"]
    assert own.step(run, "gate")["output"] == 1  # hello's attempt


# ---- for long ----

TWENTY = '''
    for i in range(5):
        run(f"shell-{i}", lambda: effect(f"r{i}"))
        tool("shell", {"command": f"echo c{i} >> $STEPMILL_PROJECT_PATH/effects-"
                       "$STEPMILL_EXECUTION_ID; sleep 0.8"}, name=f"call-{i}")
        ask("state.set", key="sum", value=(ask("state.get", key="sum").get("value") or 0) + i)
        if i % 2:
            wait("wait", {"for": "2s"}, name=f"nap-{i}")
        else:
            wait("approval", {"prompt": "go on?"}, name=f"ask-{i}")
    done(ask("state.get", key="sum")["value"])
    '''


@pytest.mark.long
def test_killed_fifty_times(request):
    """Program and worker alike, at random: each step's result is recorded once, and all ends."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    dice = random.Random(seed)
    with Stepmill(workers=2, environment={"STEPMILL_WORKER_POISON_LIMIT": "100"}) as own:
        own.allowed_errors += ["worker.buried", "worker.ended"]
        run = begin(own, "twenty", TWENTY)
        kills = {"worker": 0, "program": 0}
        until = time.monotonic() + 240
        while sum(kills.values()) < 50 and time.monotonic() < until:
            time.sleep(dice.random() * 0.3)
            if own.execution(run)["status"] not in ("RUNNING", "PAUSED"):
                break
            for step in own.execution(run)["steps"]:
                if step["status"] == "WAITING_APPROVAL" and dice.random() < 0.05:
                    own.post(f"/api/executions/{run}/steps/{step['stepNumber']}/approve", {})
            kind = "program" if dice.random() < 0.6 else "worker"
            found = processes("twenty.workflow") if kind == "program" else [
                worker["pid"] for worker in own.ready_workers()]
            try:
                if found:
                    os.kill(dice.choice(found), signal.SIGKILL)
                    kills[kind] += 1
            except ProcessLookupError:
                pass  # it has ended by itself

        def over():
            state = own.execution(run)
            for step in state["steps"]:
                if step["status"] == "WAITING_APPROVAL":
                    own.post(f"/api/executions/{run}/steps/{step['stepNumber']}/approve", {})
            return state["status"] not in ("RUNNING", "PAUSED")
        wait_for("over", over, 120, every=0.2)
        ended = finish(own, run)
        print(kills, len(ended["steps"]), "steps")
        assert ended["output"] == 10 and ended["state"] == {"sum": 10}
        assert [s["name"] for s in ended["steps"]] == [
            name for i in range(5) for name in (
                f"shell-{i}", f"call-{i}", "state.set", f"nap-{i}" if i % 2 else f"ask-{i}")]
        # at least once, in their order
        seen = list(dict.fromkeys(effects(own, run)))
        assert seen == [x for i in range(5) for x in (f"r{i}", f"c{i}")]
