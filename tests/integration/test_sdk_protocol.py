"""What the SDKs say to an engine, and do with its answers, is the same in JavaScript, Python and
C; the engine is harness/engine.py, which also says what a real one says seldom."""
import os
import subprocess

import pytest

from harness.engine import SDK, Engine, Trouble, command_of
from harness.stepmill import ROOT

CASES = ROOT / "tests/integration/sdk"


@pytest.fixture(scope="session")
def in_c(tmp_path_factory):
    """The cases in C, built with the library's own files."""
    program = tmp_path_factory.mktemp("c") / "cases.workflow"
    subprocess.run(["cc", "-std=gnu17", "-g", "-O1", "-fsanitize=address,undefined", "-Wall",
                    "-Wextra", "-Werror", "-D_GNU_SOURCE", "-I", SDK / "c", "-o", program,
                    CASES / "cases.c", *(SDK / "c").glob("*.c"), "-ljson-c"], check=True)
    return program


@pytest.fixture(params=["mjs", "py", "c"])
def language(request):
    return request.param


@pytest.fixture
def engine(language, request, tmp_path):
    program = request.getfixturevalue("in_c") if language == "c" else CASES / f"cases.{language}"

    def make(case, **more):
        engine = Engine(program, {"case": case}, **more)
        engine.ran_file = tmp_path / "ran"
        engine.environment = {"RAN": str(engine.ran_file)}
        return engine
    return make


def ran(engine):
    return engine.ran_file.read_text().split() if engine.ran_file.exists() else []


def does(action, fields):
    if fields.get("args", {}).get("command") == "exit 3":
        raise Trouble(-32010, "", {"error": {"code": "exit_status", "message": "it ended with 3"}})
    return {"did": fields.get("tool", action)}


def waits(action, fields):
    return {"waited": action} if action != "wait" or "event" in fields else None


# ---- every call ----

EVERYTHING = [
    ("state.set", {"key": "a", "value": {"n": 1}}),
    ("state.get", {"key": "a"}),
    ("step.begin", {"name": "one"}),
    ("step.begin", {"name": "outer"}),
    ("call", {"action": "tool", "timeout": 5000,
              "fields": {"tool": "shell", "args": {"command": "echo hi", "env": {"A": "b"}}}}),
    ("call", {"action": "tool", "name": "save",
              "fields": {"tool": "git.commit", "args": {"message": "changed", "all": True}}}),
    ("call", {"action": "tool",
              "fields": {"tool": "files.write", "args": {"path": "a.txt", "content": "text"}}}),
    ("call", {"action": "tool",
              "fields": {"tool": "files.copy", "args": {"from": "a.txt", "to": "b.txt"}}}),
    ("call", {"action": "tool", "retry": {"maxAttempts": 2},
              "fields": {"tool": "json.pick", "args": {"from": {}, "keys": []}}}),
    ("call", {"action": "agent", "name": "plan",
              "fields": {"cli": "claude", "prompt": "Plan it.", "model": "m"}}),
    ("wait", {"action": "wait", "fields": {"for": 1000}}),
    ("wait", {"action": "wait", "timeout": 60000,
              "fields": {"event": "paid", "when": "event.data.n == 1"}}),
    ("wait", {"action": "approval", "name": "gate", "fields": {"prompt": "Really?"}}),
    ("wait", {"action": "workflow", "fields": {"workflow": "other", "input": {"x": 1}}}),
    ("comment", {"message": "outside", "scope": "execution"}),
    ("artifact", {"path": "a.txt", "type": "DOCUMENT"}),
    ("state.has", {"key": "a"}),
    ("state.delete", {"key": "a"}),
    ("state.has", {"key": "a"}),
    ("state.get", {"key": "missing"}),
]


def test_every_call(engine, language):
    made = engine("everything", does=does, waits=waits).finish()
    assert made.end[0] == "done", (made.end, made.stderr)
    assert made.end[1] == {
        "one": {"got": 1}, "outer": 2, "shell": {"did": "shell"}, "plan": {"did": "agent"},
        "event": {"waited": "wait"}, "approval": {"waited": "approval"},
        "child": {"waited": "workflow"}, "had": True, "has": False, "missing": "none",
        "ids": ["e-1", "p-1", "/project"], "is": True, "cancelled": False}
    asked = [(method, params) for method, params in made.asked
             if method not in ("hello", "log", "done")]
    assert asked == EVERYTHING
    assert made.log == [("warn", "said", {"n": 1} if language != "c" else None)]
    assert made.process.returncode == 0 and made.stderr == ""


def test_functions_run_once_and_know_where_they_stand(engine):
    """Five runs of the program, four waits; what runs in a step has it as parent."""
    made = engine("everything", does=does, waits=waits).finish()
    assert ran(made) == ["one", "inner"] and len(made.runs) == 5
    first = made.runs[0]
    outer = next(row["number"] for key, row in made.steps.items() if key[1] == "outer")
    assert ("step.begin", {"name": "inner", "parent": outer}) in first
    assert [params for method, params in made.kept if params.get("message") == "inside"] == [
        {"message": "inside", "metadata": {"n": 2}, "scope": "step", "parent": outer}]
    assert not any(method == "step.end" for method, _ in made.runs[-1])


# ---- steps that fail ----

def test_a_step_is_tried_again(engine):
    made = engine("tries").run()
    assert made.end == ("done", "at last"), (made.end, made.stderr)
    assert ran(made) == ["shaky"] * 3
    ends = [params for method, params in made.asked if method == "step.end"]
    assert [end.get("error", {}).get("code") for end in ends] == ["early", "early", None]


def test_what_fails_can_be_caught(engine):
    made = engine("failing", does=does).run()
    assert made.state["caught"] == ["mine", "broken", 1]
    assert made.end[0] == "fail"
    assert (made.end[1]["code"], made.end[1]["message"]) == ("exit_status", "it ended with 3")
    assert made.process.returncode == 0
    made.run()  # replayed: the same, without running anything
    assert made.end[1]["code"] == "exit_status" and len(made.steps) == 3


@pytest.mark.parametrize("code, name", [(-32011, "Divergence"), (-32012, "Cancelled")])
def test_errors_have_classes(engine, code, name):
    made = engine("trouble")
    made.refuse["call"] = Trouble(code, "asked for x, recorded is y", {"asked": "x"})
    made.run()
    assert ran(made) == [name]
    assert made.end[1]["code"] == name.lower() and "recorded is y" in made.end[1]["message"]


@pytest.mark.parametrize("code, named", [(-32013, "limit"), (-32602, "input")])
def test_other_errors(engine, code, named):
    made = engine("trouble")
    made.refuse["call"] = Trouble(code, "too much of it")
    made.run()
    assert ran(made) == [] and made.end[1]["message"] == "too much of it"
    assert made.end[1]["code"] == named


def test_an_output_that_does_not_fit(engine):
    made = engine("large").run()
    assert made.end[0] == "fail" and made.end[1]["code"] == "too_large", made.end


# ---- being stopped ----

def test_nothing_runs_after_a_suspend(engine):
    made = engine("stopped").run()
    assert made.suspended and made.end is None and ran(made) == []
    assert made.process.returncode == 0
    made.run()
    assert made.end == ("done", "end") and ran(made) == ["woken", "after"]


def test_what_cannot_be_stored_never_comes_back(engine):
    """-32014, and then the worker is gone: the program goes, too, without a word."""
    made = engine("stopped")
    made.refuse["step.end"] = Trouble(-32014, "not now")

    def gone(engine, message):
        if message["method"] == "step.end":
            engine._write({"id": message["id"], "error": made.refuse["step.end"].error})
            engine.socket.shutdown(2)
    made.on_message = gone
    made.run()
    assert made.end is None and ran(made) == [] and made.process.returncode == 1


def test_cancel(engine):
    made = engine("held")

    def cancel(engine, message):
        if message["method"] == "step.begin":
            engine._write({"method": "cancel", "params": {"reason": "cancelled", "graceMs": 1000}})
    made.on_message = cancel
    made.run()
    assert ran(made) == ["aborted"] and made.end == ("done", {"cancelled": True})


def test_a_worker_that_dies_takes_the_program_along(engine):
    made = engine("held")
    made.on_message = lambda engine, message: (
        engine.socket.shutdown(2) if message["method"] == "step.begin" else None)
    made.run()
    if made.sdk.startswith("c "):  # it does not look while the function runs
        return
    assert made.process.returncode == 1 and ran(made) == []


# ---- many at once ----

def test_many_steps(engine, language):
    """JavaScript and Python ask for all of them at once, never more than the engine takes."""
    made = engine("many")
    most = 0

    def count(engine, message):
        nonlocal most
        most = max(most, len(engine.open))
    made.on_message = count
    made.run()
    assert made.end == ("done", 124750), (made.end, made.stderr)
    assert len(made.steps) == 500 and (most > 1) == (language != "c")


# ---- what a workflow says of itself ----

def test_describe(engine):
    made = engine("nothing").run("describe")
    assert made.workflow == {"name": "cases", "timeout": 3600000, "input": {"type": "object"}}
    assert made.process.returncode == 0 and [m for m, _ in made.asked] == ["hello"]


def test_a_workflow_without_result(engine):
    assert engine("nothing").run().end == ("done", None)


WRONG = [
    ("{}", "", "name"),
    ("{ name: 'Not Good' }", "name='Not Good'", "name: "),
    ("{ name: 'a', timeout: 0 }", "name='a', timeout=0", "timeout: "),
    ("{ name: 'a', timeout: '1h' }", "name='a', timeout='1h'", "timeout: "),
    ("{ name: 'a', input: [] }", "name='a', input=[]", "input: "),
    ("{ name: 'a', description: 1 }", "name='a', description=1", "description: "),
    ("{ name: 'a', colour: 1 }", "name='a', colour=1", 'unknown key "colour"'),
]


def written(tmp_path, kind, config):
    program = tmp_path / f"wrong.{kind}"
    if kind == "py":
        program.write_text(f"from stepmill import workflow\n@workflow({config})\n"
                           "def main(ctx):\n    pass\n")
    else:
        program.write_text('import { createWorkflow } from "stepmill";\n'
                           f"export default createWorkflow({config}, async () => {{}});\n")
    return program


@pytest.mark.parametrize("kind", ["py", "mjs"])
@pytest.mark.parametrize("script, python, message", WRONG)
def test_wrong_configurations(tmp_path, kind, script, python, message):
    made = Engine(written(tmp_path, kind, python if kind == "py" else script)).run()
    assert made.process.returncode == 1 and message in made.stderr, made.stderr
    assert f"wrong.{kind}" in made.stderr and not made.asked


def test_all_that_can_be_said(tmp_path):
    script = ("{ name: 'a.b-c_1', description: 'd', timeout: 5, trigger: 'manual', queue: 'q',"
              " priority: 'high', concurrency: 2, onInterrupt: 'crash' }")
    python = ("name='a.b-c_1', description='d', timeout=5, trigger='manual', queue='q',"
              " priority='high', concurrency=2, on_interrupt='crash'")
    told = [Engine(written(tmp_path, kind, config)).run("describe").workflow
            for kind, config in (("mjs", script), ("py", python))]
    assert told[0] == told[1] and told[0]["onInterrupt"] == "crash"


def test_which_of_several(tmp_path):
    script = tmp_path / "two.mjs"
    script.write_text('import { createWorkflow } from "stepmill";\n'
                      "export const helper = createWorkflow({ name: 'helper' }, () => {});\n"
                      "export default createWorkflow({ name: 'wanted' }, () => {});\n")
    python = tmp_path / "two.py"
    python.write_text("from stepmill import workflow\n"
                      "@workflow(name='helper')\ndef helper(ctx): pass\n"
                      "@workflow(name='wanted')\ndef main(ctx): pass\n")
    for program in (script, python):
        assert Engine(program).run("describe").workflow["name"] == "wanted"
        program.write_text(program.read_text().replace("export default", "export const other =")
                           .replace("def main", "def other"))
        assert "2 workflows are defined" in Engine(program).run("describe").stderr


# ---- how files are loaded ----

def test_a_js_file_is_a_module(tmp_path):
    """Also where no package.json says so, and older nodes would not think so."""
    program = tmp_path / "plain.js"
    (tmp_path / "helper.js").write_text("export const name = 'plain';\n")
    program.write_text('import { createWorkflow } from "stepmill";\n'
                       'import { name } from "./helper.js";\n'
                       "export default createWorkflow({ name }, async () => name);\n")
    assert Engine(program).run().end == ("done", "plain")


def test_python_modules_beside_the_file(tmp_path):
    (tmp_path / "helper_of_it.py").write_text("NAME = 'beside'\n")
    program = tmp_path / "beside.py"
    program.write_text("import sys\nfrom stepmill import workflow\nfrom helper_of_it import NAME\n"
                       "@workflow(name=NAME)\ndef main(ctx):\n    return [__name__, sys.argv[1:]]\n")
    assert Engine(program).run().end == ("done", ["__main__", []])


@pytest.mark.parametrize("kind", ["py", "mjs"])
def test_loaded_for_something_else(tmp_path, kind):
    """Tests of a program's parts import it: nothing starts."""
    program = written(tmp_path, kind, "{ name: 'a' }" if kind == "mjs" else "name='a'")
    command, more = command_of(program)
    environment = {name: value for name, value in os.environ.items() if name != "STEPMILL_FD"}
    done = subprocess.run(command, env={**environment, **more}, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == done.stderr == ""


def test_a_c_program_by_hand(in_c):
    environment = {name: value for name, value in os.environ.items() if name != "STEPMILL_FD"}
    done = subprocess.run([in_c], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "stepmill run" in done.stderr


def test_types(tmp_path):
    """What index.d.ts declares is what index.js gives."""
    declared = (SDK / "javascript/index.d.ts").read_text()
    script = tmp_path / "names.mjs"
    script.write_text('import * as all from "stepmill"; console.log(Object.keys(all).join());\n')
    command, _ = command_of(script)
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    for name in names.split(","):
        assert f"export function {name}" in declared or f"export class {name}" in declared, name
    for name in ("WorkflowConfig", "WorkflowDefinition", "WorkflowStatus", "StepStatus",
                 "ArtifactType"):
        assert f"export interface {name}" in declared or f"export type {name}" in declared, name
