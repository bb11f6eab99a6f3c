"""The real Claude Code, Codex, Gemini CLI and opencode as steps, against aimock: a tool call, a
session taken up again, a cancel and a time-out during a tool call. One of them runs with the other
tests; all of them with tests/run agents."""
import json
import os
import pathlib
import time

import pytest
from harness import real_agents
from harness.models import Aimock
from harness.stepmill import Stepmill, wait_for

DEFAULT = "claude"
TIMEOUTS = {"claude": 10, "codex": 10, "gemini": 40, "opencode": 60}  # s; their starts differ
NAMES = [name if name == DEFAULT else pytest.param(name, marks=pytest.mark.agents)
         for name in real_agents.PROGRAMS]


class Real:
    def __init__(self, name, folder):
        self.name = name
        self.mock = Aimock(folder, real_agents.fixtures(name))
        self.environment = real_agents.environment(name, folder, self.mock.url)

    def step(self, prompt, key="work", folder="work", **more):
        return {"id": key, "action": "agent", "cli": self.name, "prompt": prompt,
                "model": real_agents.MODELS[self.name], "workingDirectory": folder,
                "permissions": "full", **more}

    def folder(self, name):
        path = self.mill.folder / name
        path.mkdir(exist_ok=True)
        return path

    def left(self, run, folder):
        """Processes of a run: by their environment, or by the folder that they are in."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (
                        f"STEPMILL_EXECUTION_ID={run}".encode() in (entry / "environ").read_bytes()
                        or os.readlink(entry / "cwd") == str(folder)):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ")[:80])
            except OSError:
                continue
        return found


@pytest.fixture(scope="module", params=NAMES)
def real(request, tmp_path_factory):
    real = Real(request.param, tmp_path_factory.mktemp(request.param))
    with Stepmill(workers=1, environment=real.environment) as real.mill:
        yield real
    real.mock.stop()


def test_it_uses_a_tool_and_goes_on_later(real):
    work = real.folder("work")
    run = real.mill.wait_ended(real.mill.begin(
        real.step("Please make the file.", name="Coder"),
        real.step("And what was it?", key="again", name="Again", resume="Coder")), 240)
    assert run["status"] == "COMPLETED", run["error"]
    first, again = (step["output"] for step in run["steps"])
    # The provider says so only to who tells it what was said before.
    assert (first["text"], again["text"]) == ("It is made.", "It was a file.")
    assert (work / "made.txt").read_text() == "from-the-tool\n"
    sessions = {session["name"]: session for session in run["agentSessions"]}
    for name, output in (("Coder", first), ("Again", again)):
        session = sessions[name]
        assert (session["id"], session["exitCode"]) == (output["sessionId"], 0)
        assert (session["status"], session["agent"]) == ("completed", real.name)
        assert session["externalSessionId"] and session["usage"]["outputTokens"] >= 7
        kept = [a for a in run["artifacts"] if a["agentSessionId"] == session["id"]]
        assert kept and {a["type"] for a in kept} == {"SESSION_FILE"}
    # Of two answers, and of one: what an agent told of the whole session was taken apart.
    assert sessions["Coder"]["usage"]["inputTokens"] == 24 or real.name == "opencode"  # it asks more
    assert sessions["Again"]["usage"]["inputTokens"] < sessions["Coder"]["usage"]["inputTokens"]
    if "costUsd" in sessions["Again"]["usage"]:
        assert sessions["Again"]["usage"]["costUsd"] <= sessions["Coder"]["usage"]["costUsd"]
    told = [e["payload"].get("activity", "") for e in real.mill.events(run["id"])
            if e["type"] == "agent.updated"]
    assert len(told) >= 4
    assert real_agents.KEY not in json.dumps(run)


def hanging(real, folder, **more):
    work = real.folder(folder)
    run = real.mill.begin(real.step("Please hang for ever.", folder=folder, **more))
    wait_for("its tool hangs", lambda: (work / "hanging").exists(), seconds=120)
    return run, work


def test_a_cancel_during_a_tool_call_leaves_nobody(real):
    run, work = hanging(real, "cancelled")
    assert real.left(run, work)
    began = time.monotonic()
    real.mill.post(f"/api/executions/{run}/cancel")
    wait_for("nobody is left", lambda: not real.left(run, work), seconds=10)
    took = time.monotonic() - began
    print(f"{real.name}: {took:.2f} s after the cancel nobody was left")
    assert real.mill.wait_ended(run)["status"] == "CANCELLED"
    assert real.left(run, work) == []


def test_a_time_out_during_a_tool_call_leaves_nobody(real):
    run, work = hanging(real, "timed", timeout=1000 * TIMEOUTS[real.name])
    ended = real.mill.wait_ended(run, 120)
    assert (ended["status"], ended["error"]["code"]) == ("FAILED", "timeout")
    assert real.left(run, work) == []
    session, = ended["agentSessions"]
    assert session["status"] == "stopped"
