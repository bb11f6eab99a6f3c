"""The SDKs against the real engine, in JavaScript, Python and C: what a workflow says of itself,
steps and their numbers, state, files, git, waiting, going on after deaths, `stepmill ctx`."""
import json
import re
import subprocess

import pytest

from harness.sdk import LANGUAGES, Killer, agents, place, processes_of
from harness.stepmill import Refused, Stepmill, shell, wait_for




@pytest.fixture(scope="module")
def stepmill():
    with Stepmill(workers=2, environment=agents() | {"STEPMILL_WORKER_POISON_LIMIT": "100"}) as it:
        subprocess.run(["sh", "-ec", """
            git init -q -b main
            git config user.name Ada; git config user.email ada@example.org
            printf '.stepmill/\\n.agent/\\n' > .gitignore
            git add . && git commit -q -m first"""], cwd=it.folder, check=True)
        yield it


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


def found(stepmill, name):
    def there():
        try:
            workflow = stepmill.get(f"/api/workflows/{name}")
        except Refused:
            return None
        return workflow if workflow["isActive"] else None
    return wait_for(f"workflow {name}", there)


@pytest.fixture
def works(stepmill, language):
    if not (stepmill.templates / f"works.{language}").exists():
        place("works", language, stepmill.templates)
    return found(stepmill, f"works-{language}")


def approve(stepmill, run):
    wait_for("it asks", lambda: [a for a in stepmill.execution(run)["approvals"]
                                 if a["status"] == "pending"])
    assert stepmill.cli("approve", run).returncode == 0


# ---- what a workflow says of itself ----

def test_it_is_found_with_all_it_says(works, language):
    assert works["description"] == "A bit of all." and works["name"] == f"works-{language}"
    config = works["config"]
    assert config["timeout"] in (3600000, "1h")
    assert config["input"]["required"] == ["text"]


def test_its_input_is_checked(stepmill, works):
    with pytest.raises(Refused) as refused:
        stepmill.execute(works["name"], {})
    assert refused.value.status == 422 and "text" in json.dumps(refused.value.body)


# ---- what it does ----

def test_a_bit_of_all(stepmill, works, language):
    run = stepmill.execute(works["name"], {"text": "kept as it is"})
    approve(stepmill, run)
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "COMPLETED", ended["error"]
    output = ended["output"]
    sha = subprocess.run(["git", "rev-parse", f"feature/{language}"], cwd=stepmill.folder,
                         capture_output=True, text=True, check=True).stdout.strip()
    assert output == {"twice": [1, 2], "inner": "in", "content": "kept as it is", "sha": sha,
                      "by": "dev", "n": 2, "has": False, "run": run,
                      "folder": str(stepmill.folder)}
    assert (ended["branchName"], ended["commitSha"]) == (f"feature/{language}", sha)
    assert ended["state"] == {"n": 2}
    assert {c["message"] for c in ended["comments"]} >= {"inside", "outside"}
    assert [(a["name"], a["type"]) for a in ended["artifacts"]] == [("kept.txt", "DOCUMENT")]
    log = stepmill.cli("logs", run).stdout
    assert f"said by {language}" in log


def test_steps_have_numbers(stepmill, works):
    """Each step is one row; a name that is used again gets the next number."""
    run = stepmill.execute(works["name"], {"text": "numbers"})
    approve(stepmill, run)
    steps = stepmill.wait_ended(run)["steps"]
    assert [step["stepNumber"] for step in steps] == sorted(step["stepNumber"] for step in steps)
    assert steps[0]["stepNumber"] == 1
    named = [step for step in steps if step["name"] == "twice"]
    assert [step["output"] for step in named] == [1, 2]
    assert all(step["status"] == "COMPLETED" for step in steps), steps


def test_cancelled(stepmill, works):
    run = stepmill.execute(works["name"], {"text": "never"})
    wait_for("it asks", lambda: stepmill.execution(run)["approvals"])
    assert stepmill.cli("cancel", run).returncode == 0
    assert stepmill.wait_ended(run)["status"] == "CANCELLED"
    wait_for("its program gone", lambda: not processes_of(run))


def test_denied(stepmill, works):
    run = stepmill.execute(works["name"], {"text": "no"})
    wait_for("it asks", lambda: stepmill.execution(run)["approvals"])
    assert stepmill.cli("deny", run).returncode == 0
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "FAILED" and ended["error"]["code"] == "denied"


# ---- what does not go straight ----

@pytest.fixture(params=["mjs", "py"])
def odd(stepmill, request):
    if not (stepmill.templates / f"odd.{request.param}").exists():
        place("odd", request.param, stepmill.templates)
    return found(stepmill, f"odd-{request.param}")["name"]


def test_a_function_is_tried_again(stepmill, odd):
    run = stepmill.run(odd, {"case": "retry"})
    assert run["status"] == "COMPLETED" and run["output"] == 3, run["error"]
    step, = run["steps"]
    assert (step["name"], step["attemptNumber"], step["output"]) == ("shaky", 3, 3)
    failed = [e["payload"] for e in stepmill.events(run["id"]) if e["type"] == "step.failed"]
    assert [event["error"]["code"] for event in failed] == ["early", "early"]


def test_divergence(stepmill, odd):
    run = stepmill.run(odd, {"case": "diverge"})
    assert run["status"] == "FAILED" and run["error"]["code"] == "divergence"
    assert "other" in run["error"]["message"] and "first" in run["error"]["message"]


def test_cancelled_in_a_function(stepmill, odd):
    """The program hears of it and may put things in order; then nothing of it is left."""
    run = stepmill.execute(odd, {"case": "held"})
    stepmill.wait_step(run, "holds", "RUNNING")
    assert stepmill.cli("cancel", run).returncode == 0
    assert stepmill.wait_ended(run)["status"] == "CANCELLED"
    note = stepmill.folder / f"aborted-{odd.split('-')[1]}"
    wait_for("it heard of it", lambda: note.exists() and note.read_text() == "true")
    wait_for("its program gone", lambda: not processes_of(run))


def test_branches_side_by_side(stepmill, odd):
    """Forty at once, each with a change and a command inside; then all of it replayed."""
    run = stepmill.run(odd, {"case": "many"})
    assert run["status"] == "COMPLETED" and run["output"] == list(range(40)), run["error"]
    assert run["state"] == {f"b{i}": i for i in range(40)}
    branches = {s["id"]: s["name"] for s in run["steps"] if s["name"].startswith("branch-")}
    inside = {s["name"]: branches[s["parentStepId"]] for s in run["steps"]
              if s["name"].startswith("echo-")}
    assert inside == {f"echo-{i}": f"branch-{i}" for i in range(40)}


def test_waiting_for_events(stepmill, odd):
    run = stepmill.execute(odd, {"case": "event"})
    stepmill.wait_step(run, "paid", "WAITING")
    for n in (1, 2):
        stepmill.post("/api/events", {"source": "shop", "type": "paid", "data": {"n": n}})
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "COMPLETED", ended["error"]
    assert ended["output"]["data"] == {"n": 2} and ended["output"]["none"] in (None, "timeout")


def test_a_failure_that_is_caught(stepmill, odd):
    run = stepmill.run(odd, {"case": "caught"})
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == {"name": "StepFailed", "code": "exit_status", "exitCode": 3, "step": 1}


def test_a_failure_of_its_own(stepmill, odd):
    run = stepmill.run(odd, {"case": "thrown"})
    assert run["status"] == "FAILED"
    assert (run["error"]["code"], run["error"]["message"]) == ("mine", "of my own")


# ---- killed ----

def check_twenty(run, language, folder):
    assert run["status"] == "COMPLETED", run["error"]
    drawn = run["output"]["drawn"]
    assert run["output"]["kept"] == drawn and len(set(drawn)) == 4
    assert {key: run["state"][key] for key in ("k0", "k1", "k2", "k3")} == {
        f"k{i}": number for i, number in enumerate(drawn)}
    named = [step for step in run["steps"] if re.match("draw|shell|agent|nap|first|last|second|end",
                                                       step["name"])]
    assert len(named) == 20 and len({step["name"] for step in named}) == 20
    assert all(step["status"] == "COMPLETED" for step in named)
    outputs = {step["name"]: step["output"] for step in named}
    assert [outputs[f"draw-{i}"] for i in range(4)] == drawn
    assert [int(outputs[f"shell-{i}"]["stdout"]) for i in range(4)] == drawn
    effects = (folder / f"effects-{language}").read_text().split()
    assert set(effects) == {*(f"draw-{i}" for i in range(4)), *(f"shell-{i}" for i in range(4)),
                            "last"}
    assert [c["message"] for c in run["comments"]].count("approved") == 1


def killed(stepmill, language, kills, seconds, seed):
    program = stepmill.templates / f"twenty.{'workflow' if language == 'c' else language}"
    if not program.exists():
        place("twenty", language, stepmill.templates)
    found(stepmill, f"twenty-{language}")
    (stepmill.folder / f"effects-{language}").unlink(missing_ok=True)
    run = stepmill.execute(f"twenty-{language}")
    killer = Killer(stepmill, run, f"/{program.name}", seed)
    check_twenty(killer.until_over(kills, seconds), language, stepmill.folder)
    events = stepmill.events(run)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    print(f"{language}: killed {killer.killed}")


def test_killed_five_times(stepmill, language):
    killed(stepmill, language, 5, 60, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_fifty_times(stepmill, language, seed):
    killed(stepmill, language, 50, 240, seed)


# ---- stepmill ctx ----

def test_ctx_in_a_shell_step(stepmill):
    run = stepmill.do(shell("talk", """
        set -e
        stepmill ctx set n 41
        stepmill ctx set list '[1, "two"]'
        stepmill ctx set text --string 5
        test "$(stepmill ctx get n)" = 41
        test "$(stepmill ctx get list)" = '[1,"two"]'
        test "$(stepmill ctx get text --json)" != "$(stepmill ctx get n --json)"
        test "$(stepmill ctx get none --default nothing)" = nothing
        ! stepmill ctx get none 2>err.txt
        grep -q 'there is no "none"' err.txt
        test "$(stepmill ctx has n)" = true
        ! stepmill ctx has none
        stepmill ctx delete text
        ! stepmill ctx has text >/dev/null
        stepmill ctx comment "live, from $(stepmill ctx info | grep -o '"runId": "[^"]*"')"
        stepmill ctx comment --execution --metadata '{"a": 1}' "of the run"
        echo report > report.txt
        stepmill ctx artifact add report.txt --type TEST_REPORT --name tests.txt --media text/plain
        stepmill ctx log warn "in the log" --fields '{"b": 2}'
        echo done"""))
    assert run["status"] == "COMPLETED", (run["error"], stepmill.cli("logs", run["id"]).stdout)
    assert run["state"] == {"n": 41, "list": [1, "two"]}
    of_step, of_run = sorted(run["comments"], key=lambda comment: comment["stepId"] is None)
    assert of_step["message"].startswith('live, from "runId": "flow-')
    assert (of_run["message"], of_run["metadata"]) == ("of the run", {"a": 1})
    artifact, = run["artifacts"]
    assert (artifact["name"], artifact["type"], artifact["mimeType"]) == (
        "tests.txt", "TEST_REPORT", "text/plain")
    assert "in the log" in stepmill.cli("logs", run["id"]).stdout


def test_ctx_of_many_at_once(stepmill):
    """Calls of several programs of one step do not mix."""
    run = stepmill.do(shell("many", """
        for i in $(seq 20); do
            ( stepmill ctx set "k$i" "$i" && test "$(stepmill ctx get "k$i")" = "$i" || echo wrong ) &
        done
        wait"""))
    assert run["status"] == "COMPLETED" and "wrong" not in run["steps"][0]["output"]["stdout"]
    assert run["state"] == {f"k{i}": i for i in range(1, 21)}


def test_ctx_refused(stepmill):
    run = stepmill.do(shell("bad", """
        stepmill ctx artifact add ../../etc/passwd && exit 9
        stepmill ctx artifact add none.txt && exit 9
        stepmill ctx log loud text && exit 9
        stepmill ctx comment "" && exit 9
        true"""))
    assert run["status"] == "COMPLETED", run["error"]
    assert not run["artifacts"] and not run["comments"]


# ---- against what is recorded ----

def test_against_a_real_run(stepmill, works, language):
    run = stepmill.execute(works["name"], {"text": "recorded"})
    approve(stepmill, run)
    stepmill.wait_ended(run)
    program = next(stepmill.templates.glob(f"works.{'workflow' if language == 'c' else language}"))
    done = stepmill.cli("workflows", "test", program, "--against", run, "--json")
    report = json.loads(done.stdout)
    # its output holds the run's own id, which no test has
    assert report["error"]["message"].startswith("the output is another one"), report
    assert {step["was"] for step in report["steps"]} == {"recorded"} and not report["unasked"]
    assert report["output"]["content"] == "recorded" and report["output"]["n"] == 2
