"""A workflow walked without running anything: over HTTP and by the command line; nothing is
stored, and a real run goes the same way."""
import json
import threading

import pytest
from harness.stepmill import Refused, noop, shell


def walk(stepmill, name, **body):
    return stepmill.post(f"/api/workflows/{name}/dry-run", body)


def rows(stepmill):
    return [stepmill.sql(f"select count(*) from {table}")
            for table in ("workflow_runs", "workflow_definitions", "audit_log")]


def test_a_sequence(stepmill):
    name = stepmill.define(
        shell("build", "make {{input.target}}"),
        {"id": "ask", "action": "approval", "prompt": "Ship {{input.target}}?", "timeout": 60000},
        shell("ship", "ship {{steps.build.output.stdout}} {{input.target}}",
              branches=[{"condition": "result.exitCode == 7", "goto": "odd"}], onSuccess="end"),
        noop("odd"),
        input={"type": "object", "required": ["target"]})
    before = rows(stepmill)
    answer = walk(stepmill, name, input={"target": "all"})
    assert (answer["workflow"], answer["style"], answer["version"]) == (name, "sequence", 1)
    build, ask, ship = answer["steps"]
    assert build["fields"] == {"tool": "shell", "args": {"command": "make all"}}
    assert (build["would"], build["certain"], build["next"]) == ("run", True, "ask")
    assert ask["approval"] == {"prompt": "Ship all?", "timeoutMs": 60000}
    assert ask["waitsFor"] == "approval"
    assert ship["fields"]["args"]["command"] == "ship {{steps.build.output.stdout}} {{input.target}}"
    assert ship["unresolved"] == ["steps.build.output"]
    assert ship["mayGoTo"] == [{"condition": "result.exitCode == 7", "unresolved": ["result.exitCode"],
                                "goto": "odd"}]
    assert answer["notReached"] == ["odd"] and answer["certain"] is False
    assert answer["ends"] == "completed" and answer["outputUnresolved"] == ["steps.ship.output"]
    known = walk(stepmill, name, input={"target": "all"},
                 steps={"build": {"stdout": "it"}, "ship": {"exitCode": 7}})
    assert known["steps"][2]["fields"]["args"]["command"] == "ship it all"
    assert known["steps"][2]["next"] == "odd" and known["notReached"] == []
    assert known["certain"] is True and known["output"] is None
    assert rows(stepmill) == before


def test_what_is_refused(stepmill):
    name = stepmill.define(noop("a"), input={"type": "object", "required": ["x"]})
    for status, body in ((422, {}), (422, {"input": {"x": 1}, "steps": {"b": 1}}),
                         (400, {"inputs": {}}), (400, {"input": {"x": 1}, "steps": [1]}),
                         (400, [1])):
        with pytest.raises(Refused) as refused:
            stepmill.post(f"/api/workflows/{name}/dry-run", body)
        assert refused.value.status == status, body
    with pytest.raises(Refused) as refused:
        walk(stepmill, "there-is-none")
    assert refused.value.status == 404


@pytest.mark.parametrize("big", [False, True])
def test_a_run_goes_the_same_way(stepmill, big):
    """What was said of a workflow without side effects, a real run does."""
    name = stepmill.define(
        noop("first"), noop("rest", needs=["first"]),
        {"id": "pick", "action": "conditional", "condition": "input.big", "then": ["large"],
         "else": ["small"], "needs": ["rest"]},
        noop("large"), noop("small"),
        noop("each", needs=["rest"], foreach="input.list"),
        {"id": "twice", "action": "loop", "maxIterations": 2, "body": ["again"],
         "needs": ["each"]},
        noop("again"), noop("last", needs=["twice", "pick"], **{"if": "input.big"}))
    what = {"big": big, "list": [1, 2]}
    answer = walk(stepmill, name, input=what)
    run = stepmill.wait_ended(stepmill.execute(name, what))
    assert run["status"] == answer["ends"].upper() and answer["certain"] is True
    done = {"COMPLETED": "run", "SKIPPED": "skip"}
    assert sorted((s["stepKey"], done[s["status"]]) for s in run["steps"]) == sorted(
        (s["stepKey"], s["would"]) for s in answer["steps"])
    pick = next(s for s in answer["steps"] if s["stepKey"] == "pick")
    assert pick["branch"] == ("then" if big else "else") and pick["needs"] == ["rest"]


def test_by_the_command_line(stepmill):
    name = stepmill.define(shell("a", "echo {{input.x}}"), shell("b", "{{steps.a.output.stdout}}"),
                           output="{{steps.b.output}}")
    done = stepmill.cli("dry-run", name, "x=1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == walk(stepmill, name, input={"x": 1})
    done = stepmill.cli("dry-run", name, "x=1", "--steps", '{"b": "good"}')
    assert "reads what is not known: steps.a.output" in done.stdout
    assert done.stdout.endswith("ends completed, output: good\n")
    assert stepmill.cli("dry-run", name, "--steps", "{").returncode == 2
    assert stepmill.cli("dry-run", "there-is-none").returncode == 1


def test_others_are_served_while_a_long_walk_goes_on(stepmill):
    """A thousand visits, each of whose conditions takes as long as one may."""
    loops = [{"condition": "input.l.all(x, input.l.all(y, x + y >= 0))", "goto": "a"}]
    name = stepmill.define(noop("a", branches=loops), maxSteps=5000)
    answers = []
    walking = threading.Thread(target=lambda: answers.append(stepmill.ask(
        "POST", f"/api/workflows/{name}/dry-run", {"input": {"l": list(range(100))}})))
    walking.start()
    served = 0
    while walking.is_alive():
        assert stepmill.get("/healthz") is not None
        served += 1
    walking.join()
    assert served > 1
    answer, = answers
    assert answer.status == 503 or answer.json["truncated"] and len(answer.json["steps"]) == 1000
