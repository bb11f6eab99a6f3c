"""Steps that run a command-line agent: one that does what its prompt says (harness/fake_agent.py),
well and badly. Batteries F10 and F2. The real ones are in test_real_agents.py."""
import json
import os
import pathlib
import time

import pytest
from harness.raw_ws import RawWs
from harness.stepmill import ROOT, Stepmill, wait_for
from test_key_tools import new_key, post

FAKE = ROOT / "tests/integration/harness/fake_agent.py"
CANARY = "sk-canary-0123456789abcdef"
SCHEMA = {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}


def fake(**more):
    return {"command": ["python3", str(FAKE), ["--model", "{model}"], ["--resume", "{session}"],
                        "{permissions}", "--", "{prompt}"], "parser": "jsonl",
            "session_files": [".fake/sessions/{session}.jsonl"],
            "permissions": {"plan": ["--mode", "plan"], "edit": ["--mode", "edit"]}, **more}


def agents(login):
    return {
        "fake": fake(files={".fake/login": str(login), ".fake/none": "/nonexistent/file"},
                     environment=["FAKE_API_KEY", "NOT_THERE"], variables={"EXTRA": "1"}),
        "typed": fake(prompt_stdin=True),
        "priced": fake(prices={"m": {"input": 1000, "output": 2000}}),
        "telling": fake(tells_cost=True),
        "summing": fake(tells_cost=True, sums_tokens=True, sums_cost=True),
        "printing": {"command": ["sh", "-c", "cat; echo to the log >&2"], "prompt_stdin": True},
        "one": {"command": ["printf", "%s", "{prompt}"], "parser": "json"},
        "missing": {"command": ["no-such-agent", "{prompt}"]},
    }


def agent(prompt, key="ask", cli="fake", **fields):
    return {"id": key, "action": "agent", "cli": cli, "prompt": prompt, **fields}


@pytest.fixture(scope="module")
def mill(tmp_path_factory):
    login = tmp_path_factory.mktemp("login") / "login"
    login.write_text("a login")
    environment = {"STEPMILL_AGENTS": json.dumps(agents(login)), "FAKE_API_KEY": CANARY,
                   "SECRET_OF_THE_WORKER": "unseen"}
    with Stepmill(workers=2, environment=environment) as mill:
        yield mill


def do(mill, prompt, top=None, **fields):
    return mill.do(agent(prompt, **fields), **(top or {}))


def output_of(run):
    assert run["status"] == "COMPLETED", run["error"]
    return run["output"]


def error_of(run):
    assert run["status"] == "FAILED", run
    return run["error"]["code"], run["error"]["message"]


def facts(mill, *words, **fields):
    return json.loads(output_of(do(mill, "facts " + " ".join(words), **fields))["text"])


def folder(mill, name):
    path = mill.folder / name
    path.mkdir(exist_ok=True)
    return path


def pids(path):
    return [int(line) for line in (path / "pids").read_text().split()]


def left_in(path):
    """Processes that are in that folder, whatever numbers a namespace gave them."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(path):
                found.append((entry.name, (entry / "cmdline").read_bytes()))
        except OSError:
            continue
    return found


# ---- what it is given, and gives ----

def test_an_answer_is_the_output(mill):
    run = do(mill, "answer Hello {{run.id != null}}", name="Greeter")
    session, = run["agentSessions"]
    assert run["status"] == "COMPLETED", run["error"]
    usage = {"inputTokens": 10, "outputTokens": 5, "cacheReadTokens": 0, "rounds": 1}
    assert {**run["output"], "text": None} == {
        "text": None, "sessionId": session["id"], "exitCode": 0, "usage": usage}
    assert (session["sessionType"], session["agent"], session["name"]) == ("cli", "fake", "Greeter")
    assert (session["status"], session["exitCode"], session["usage"]) == ("completed", 0, usage)
    assert session["externalSessionId"].startswith("fake-")
    assert run["usage"]["inputTokens"] == 10
    kept, = run["artifacts"]
    assert (kept["type"], kept["agentSessionId"]) == ("SESSION_FILE", session["id"])
    assert kept["stepId"] == run["steps"][0]["id"]
    assert session["sessionFilePath"] == kept["storagePath"]
    assert (mill.folder / kept["storagePath"]).read_text() == "answer Hello true\n"


def test_what_an_agent_sees(mill):
    work = folder(mill, "work")
    seen = facts(mill, workingDirectory="work", model="some-model", permissions="plan")
    assert seen["folder"] == str(work)
    assert seen["arguments"][:4] == ["--model", "some-model", "--mode", "plan"]
    assert (seen["stdin"], seen["descriptors"][:3]) == ("", [0, 1, 2])
    assert [d for d in seen["descriptors"] if d > 3] == []  # 3 is the folder that is listed
    environment = seen["environment"]
    assert environment["FAKE_API_KEY"] == "***" and environment["EXTRA"] == "1"
    assert "SECRET_OF_THE_WORKER" not in environment and "NOT_THERE" not in environment
    assert environment["HOME"] != os.environ.get("HOME")
    assert environment["HOME"] not in environment["STEPMILL_PROJECT_PATH"]
    assert seen["home"] == {".fake/login": "a login"}
    wait_for("HOME is gone", lambda: not pathlib.Path(environment["HOME"]).exists())


def test_the_prompt_is_one_argument_byte_for_byte(mill):
    prompt = "facts '; $(id) `id` \n -rf %n \\ {session} {model} \"é\" \u2028"
    seen = json.loads(output_of(mill.do(agent("{{input.p}}"), input={"p": prompt}))["text"])
    assert seen["arguments"][-1] == prompt


def given(mill, prompt, **fields):
    """A prompt too long for a file of a workflow."""
    return mill.do(agent("{{input.p}}", **fields), input={"p": prompt})


def test_a_prompt_on_standard_input(mill):
    long = "answer " + "x" * 300_000
    assert output_of(given(mill, long, cli="typed"))["text"] == long[7:]
    code, message = error_of(given(mill, long))
    assert code == "prompt_too_large" and "prompt_stdin" in message


def test_text_and_json_are_formats_too(mill):
    run = do(mill, "say it", cli="printing")
    assert output_of(run)["text"] == "say it"
    session, = run["agentSessions"]
    assert (session["externalSessionId"], session["sessionFilePath"]) == (None, None)
    assert output_of(do(mill, '{"text": "Hi", "session_id": "s"}', cli="one"))["text"] == "Hi"
    assert error_of(do(mill, "no JSON", cli="one"))[0] == "bad_output"
    assert error_of(do(mill, "", cli="printing"))[0] == "no_result"


def test_what_is_wrong_before_anything_starts(mill):
    code, message = error_of(do(mill, "answer", cli="nobody"))
    assert code == "unknown_agent" and "claude, codex, gemini, opencode, fake" in message
    code, message = error_of(do(mill, "answer", permissions="root"))
    assert (code, "it has plan, edit" in message) == ("input", True)
    assert error_of(do(mill, "answer", cli="missing"))[0] == "program_missing"
    assert error_of(do(mill, "answer", workingDirectory="{{'..'}}/x"))[0] in ("denied", "input")
    assert error_of(do(mill, "answer", workingDirectory="nowhere"))[0] == "not_found"
    assert error_of(do(mill, "answer", model="{{'-x'}}"))[0] == "input"
    (mill.folder / "out").symlink_to("/")
    assert error_of(do(mill, "answer", workingDirectory="out/tmp"))[0] == "denied"


def test_what_is_wrong_in_the_file(mill):
    text = json.dumps({"name": "wrong", "steps": [
        {"id": "a", "action": "agent", "cli": "fake", "prompt": "x", "maxTokens": 5},
        {"id": "b", "action": "agent", "cli": "fake", "prompt": "x", "model": "-x"},
        {"id": "c", "action": "agent", "bot": "b", "prompt": "x", "resume": "a"},
        {"id": "d", "action": "agent", "cli": "fake", "bot": "b", "prompt": "x"}]})
    answer = mill.ask("POST", "/api/workflows", text, {"Content-Type": "application/yaml"})
    told = json.dumps(answer.json)
    for words in ("\\\"maxTokens\\\" is for \\\"bot\\\" only", "no name of a model",
                  "\\\"resume\\\" is for \\\"cli\\\" only", "cli"):
        assert words in told, told


def test_a_dry_run_starts_no_agent(mill):
    name = mill.define(agent("hang {{input.how}}"))
    answer = mill.post(f"/api/workflows/{name}/dry-run", {"input": {"how": "long"}})
    assert "hang long" in json.dumps(answer)


def test_the_doctor_knows_the_agents(mill):
    done = mill.cli("doctor", "--json")
    found = {check["check"]: check for check in json.loads(done.stdout)["checks"]}
    assert found["agent fake"]["state"] == "ok" and "Python 3" in found["agent fake"]["text"]
    assert found["agents"]["state"] == "ok" and "missing" in found["agents"]["text"]


def test_a_key_with_tools_has_to_name_the_agent(mill):
    name = mill.define(agent("answer yes"))
    with mill.supervisor(pool_workers=0, auth_required="true") as guarded:
        for tools, status in ((["agent.other", "shell"], "FAILED"), (["agent.fake"], "COMPLETED")):
            run = post(guarded, new_key(mill, tools), f"/api/workflows/{name}/execute")
            ended = mill.wait_ended(run)
            assert ended["status"] == status, ended["error"]
            assert status == "COMPLETED" or ended["error"]["code"] == "denied"


# ---- sessions taken up again ----

def test_a_session_of_the_run_is_taken_up_again(mill):
    run = mill.do(agent("answer one", key="first", name="Coder"),
                  agent("answer other", key="other", name="Else"),
                  agent("facts", key="again", name="Coder", resume="Coder"))
    seen = json.loads(output_of(run)["text"])
    first, _, again = sorted(run["agentSessions"], key=lambda s: s["createdAt"])
    assert seen["told"] == ["answer one"]
    assert ["--resume", first["externalSessionId"]] == seen["arguments"][:2]
    assert again["externalSessionId"] == first["externalSessionId"]
    later = facts(mill, resume="Coder")  # of another run of the project: the newest one
    assert later["told"] == ["answer one", "facts"]


@pytest.mark.parametrize("by", ["id", "externalSessionId"])
def test_a_session_is_found_by_its_ids(mill, by):
    run = do(mill, f"answer by {by}")
    session, = run["agentSessions"]
    assert facts(mill, resume=session[by])["told"] == [f"answer by {by}"]


def test_a_session_that_is_not_there(mill):
    code, message = error_of(do(mill, "answer", resume="nobody's"))
    assert code == "no_session" and "nobody's" in message
    run = do(mill, "answer kept", name="Lost")
    (mill.folder / run["artifacts"][0]["storagePath"]).unlink()
    assert error_of(do(mill, "answer", resume="Lost"))[0] == "session_lost"
    # Another agent does not get it, nor does another project.
    assert error_of(do(mill, "answer", cli="typed", resume="Lost"))[0] == "no_session"
    other = folder(mill, "other-project")
    project = mill.post("/api/projects", {"name": "other", "path": str(other)})["id"]
    name = mill.define(agent("answer", resume="Greeter"))
    run = mill.wait_ended(mill.execute(name, projectId=project))
    assert error_of(run)[0] == "no_session"


def test_a_session_file_that_leads_elsewhere_is_not_kept(mill):
    run = do(mill, "link /etc/passwd")
    assert output_of(run)["text"] == "linked"
    assert run["artifacts"] == []


# ---- usage and budgets ----

def test_budgets_of_agents(mill):
    assert error_of(do(mill, "answer", budget={"usd": 1}))[0] == "no_price"
    run = do(mill, "answer 1", cli="priced", model="m", budget={"usd": 1})
    assert run["usage"]["costUsd"] == pytest.approx(0.02)
    run = mill.do(agent("paid 0.75", key="a", cli="telling"), agent("answer 2", key="b", cli="telling"),
                  budget={"usd": 0.5})
    assert error_of(run)[0] == "budget_exceeded"
    assert run["usage"]["costUsd"] == pytest.approx(0.75)
    run = mill.do(agent("answer 1", key="a"), agent("answer 2", key="b", budget={"tokens": 15}),
                  agent("answer 3", key="c"), budget={"tokens": 20})
    assert [s["status"] for s in run["steps"]] == ["COMPLETED", "COMPLETED", "FAILED"]


def test_sums_of_a_session_are_taken_apart(mill):
    run = mill.do(agent("sums", key="a", name="Sum", cli="summing"),
                  agent("sums", key="b", name="Sum", cli="summing", resume="Sum"),
                  agent("sums", key="c", name="Sum", cli="summing", resume="Sum"))
    assert output_of(run)["text"] == "call 3"
    assert [(s["usage"]["inputTokens"], s["usage"]["costUsd"]) for s in run["agentSessions"]] == [(10, 0.25)] * 3
    assert (run["usage"]["inputTokens"], run["usage"]["costUsd"]) == (30, 0.75)


def test_an_agent_that_uses_more_than_its_budget_is_stopped(mill):
    run = do(mill, "use 5000", budget={"tokens": 1000})
    code, message = error_of(run)
    assert code == "budget_exceeded" and "5000 of 1000 tokens" in message
    assert run["usage"]["inputTokens"] == 5000


# ---- answers that have to fit ----

def tries(mill, name, wrong, **fields):
    work = folder(mill, name)
    run = do(mill, f"schema {wrong}", workingDirectory=name, outputSchema=SCHEMA, **fields)
    return run, [json.loads(line) for line in (work / "prompts").read_text().splitlines()]


def test_an_answer_that_fits_a_schema(mill):
    run, prompts = tries(mill, "fits", 0)
    assert output_of(run) == {"title": "Good"}
    assert '"required":["title"]' in prompts[0].replace(" ", "")


def test_an_answer_is_mended_once(mill):
    run, prompts = tries(mill, "mended", 1)
    assert output_of(run) == {"title": "Good"}
    assert len(prompts) == 2 and "not JSON" in prompts[1] and "could not be used" in prompts[1]
    session, = run["agentSessions"]
    assert session["usage"]["inputTokens"] == 20  # of both
    kept, = run["artifacts"]  # one session, gone on with
    assert len((mill.folder / kept["storagePath"]).read_text().splitlines()) == 2
    run, prompts = tries(mill, "unmended", 9)
    assert error_of(run)[0] == "output_schema" and len(prompts) == 2
    assert run["steps"][0]["output"] == "not JSON"


def test_self_correction_tells_the_failure(mill):
    run, prompts = tries(mill, "corrected", 3,
                         retry={"strategy": "llm_self_correct", "maxAttempts": 4, "delay": 10})
    assert output_of(run) == {"title": "Good"}
    assert len(prompts) == 4 and len(run["agentSessions"]) == 2
    assert "You were asked this before, and answered:\nnot JSON" in prompts[2]
    run = do(mill, "exit 3",
             retry={"strategy": "llm_self_correct", "maxAttempts": 2, "delay": 10})
    assert error_of(run)[0] == "exit_status" and len(run["agentSessions"]) == 2


# ---- what is told while it works ----

def test_progress_is_told(mill):
    name = mill.define(agent("slow", name="Slow"))
    with RawWs(mill.url) as ws:
        ws.say({"type": "workflow:subscribe", "id": 1, "executionId": "*"})
        ws.next()
        run = mill.execute(name)
        heard = []
        while not heard or heard[-1]["type"] != "workflow:execution:completed":
            heard.append(ws.next())
    told = [m["session"] for m in heard if m["type"] == "workflow:agent:updated"]
    assert told[0]["status"] == "running" and told[-1]["status"] == "completed"
    assert any(s.get("activity", "").startswith("part ") for s in told)
    log = (mill.folder / f".agent/workflows/executions/{run}/logs/step-1-Slow.log").read_text()
    assert "part 3" in log and "exit code 0" in log


# ---- F10, F2 ----

def test_agents_that_end_badly(mill):
    for prompt, code, words, status in (
            ("nothing", "no_result", "without a result", 0),
            ("error Quota is used up.", "agent_error", "fake: Quota is used up.", 0),
            ("exit 3", "exit_status", "exit status 3: I cannot go on", 3),
            ("ask", "exit_status", "exit status 7: Do you trust", 7)):
        run = do(mill, prompt)
        assert error_of(run)[0] == code and words in run["error"]["message"], run["error"]
        assert run["error"]["exitCode"] == status
        session, = run["agentSessions"]
        assert (session["status"], session["exitCode"]) == ("failed", status)


def test_what_is_no_json(mill):
    run = do(mill, "{{'x'}} what", cli="one")
    code, message = error_of(run)
    assert code == "bad_output" and message == "one: what it printed is no JSON: x what"


def test_secrets_in_what_an_agent_says_are_masked(mill):
    run = do(mill, "error The key $FAKE_API_KEY is wrong.")
    assert error_of(run) == ("agent_error", "fake: The key *** is wrong.")
    run = do(mill, "answer $FAKE_API_KEY")
    assert output_of(run)["text"] == "***"
    code, said = error_of(do(mill, f"answer {CANARY}"))
    assert "secret" in said and CANARY not in said, "it would stand in the list of processes"


def test_a_daemon_does_not_outlive_its_step(mill):
    work = folder(mill, "daemon")
    run = do(mill, "daemon", workingDirectory="daemon")
    assert output_of(run)["text"] == "left somebody behind"
    assert (work / "pids").exists() and left_in(work) == []


@pytest.mark.parametrize("how", ["", "deaf"])
def test_a_time_out_leaves_nobody(mill, how):
    name = f"timed{how}"
    work = folder(mill, name)
    run = do(mill, f"hang {how}".strip(), workingDirectory=name, timeout=1500)
    assert error_of(run)[0] == "timeout"
    assert len(pids(work)) == 2 and left_in(work) == []
    session, = run["agentSessions"]
    assert session["status"] == "stopped"


def test_a_cancel_leaves_nobody(mill):
    work = folder(mill, "cancelled")
    run = mill.begin(agent("hang deaf", workingDirectory="cancelled"))
    wait_for("it hangs", lambda: (work / "pids").exists() and len(pids(work)) == 2)
    mill.post(f"/api/executions/{run}/cancel")
    assert mill.wait_ended(run)["status"] == "CANCELLED"
    began = time.monotonic()
    wait_for("nobody is left", lambda: left_in(work) == [], seconds=10)
    print(f"{time.monotonic() - began:.2f} s after the cancel nobody was left")


def flood(mill, kind, size):
    """A worker's memory does not follow what an agent prints."""
    run = mill.wait_ended(mill.begin(agent(f"flood {kind} {size}")), 600)
    if kind == "lines":
        assert output_of(run)["text"] == "after the flood"
    else:
        assert error_of(run)[0] == "no_result"
    for worker in mill.ready_workers():
        status = pathlib.Path(f"/proc/{worker['pid']}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0])
        assert peak < 400_000, f"{peak} kB"
        print(f"{size} MiB as {kind}: a worker's peak is {peak} kB")


@pytest.mark.parametrize("kind", ["line", "lines"])
def test_floods_are_bounded(mill, kind):
    flood(mill, kind, 64)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["line", "lines"])
def test_ten_gigabytes_are_bounded(mill, kind):
    flood(mill, kind, 10240)


def test_a_flood_of_text_is_cut_and_says_so(mill):
    run = given(mill, "z" * 3_000_000, cli="printing")
    text = output_of(run)["text"]
    assert len(text) <= 1 << 20 and "bytes left out" in text
