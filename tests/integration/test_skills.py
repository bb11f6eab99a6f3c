"""Skills: folders with a SKILL.md, found afresh at each use; prompts that a model answers, programs
with JSON in and JSON out; and what is told of them over HTTP and by the CLI."""
import json
import os
import re

import pytest
from harness.models import Provider, anthropic, sse
from harness.stepmill import ROOT, Stepmill, wait_for
from test_confinement import Tenant, key_for
from test_key_tools import error_of, new_key, post

CANARY = "sk-canary-0123456789abcdef"
WHO = {"type": "object", "required": ["who"], "properties": {"who": {"type": "string"}}}
SLEEPY = "import os, signal, sys, time\nopen('pids', 'a').write(f'{os.getpid()}\\n')\ntime.sleep(1000)\n"


def skill(folder, name, front=None, body="", **files):
    """A folder of a skill; programs by their name without the dot: main_py."""
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    lines = {"description": f"What {name} does.", **(front or {})}
    (path / "SKILL.md").write_text("---\n" + "".join(
        f"{key}: {json.dumps(value)}\n" for key, value in lines.items()) + f"---\n{body}\n")
    for file, text in files.items():
        (path / file.replace("_", ".")).write_text(text)
    return path


def use(name, given=None, key="use", **more):
    return {"id": key, "action": "skill", "skill": name, **({} if given is None else {"input": given}),
            **more}


def failure(run):
    assert run["status"] == "FAILED", run
    return run["error"]["code"], run["error"]["message"]


def answers(text, **more):
    return lambda body: (200, [], sse(*anthropic(text, **more)))


@pytest.fixture(scope="module")
def chaos():
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    folder = tmp_path_factory.mktemp("skills")
    for parent in (folder, *folder.parents[:-2]):
        parent.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def mill(chaos, more):
    providers = {"chaos": {"type": "anthropic", "base_url": chaos.url, "api_key": CANARY}}
    with Stepmill(workers=1, environment={
            "STEPMILL_PROVIDERS": json.dumps(providers), "STEPMILL_SKILL_PATHS": str(more),
            "STEPMILL_DEFAULT_MODEL": "chaos:preset"}) as mill:
        mill.skills = mill.folder / ".agent/skills"
        yield mill


@pytest.fixture(scope="module")
def guarded(mill):
    with mill.supervisor(pool_workers=0, auth_required="true",
                         skill_paths=mill.environment["STEPMILL_SKILL_PATHS"]) as supervisor:
        yield supervisor


# ---- programs ----

PROGRAMS = {
    "javascript": {"main_js": "const input = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n"
                              "console.error('working');\n"
                              "console.log(JSON.stringify({hello: input.who}));\n"},
    "python": {"main_py": "import json, sys\nprint('working', file=sys.stderr)\n"
                          "print(json.dumps({'hello': json.load(sys.stdin)['who']}))\n"},
    "shell": {"main_sh": "echo working >&2\nprintf '{\"hello\": \"%s\"}' "
                         "\"$(sed 's/.*who\":\"\\([^\"]*\\)\".*/\\1/')\"\n"},
}


@pytest.mark.parametrize("runtime", PROGRAMS)
def test_programs(mill, runtime):
    skill(mill.skills, f"by-{runtime}", {"runtime": runtime, "input": WHO}, **PROGRAMS[runtime])
    run = mill.do(use(f"by-{runtime}", {"who": "{{input.name}}"}), input={"name": "Ada"})
    assert (run["status"], run["output"]) == ("COMPLETED", {"hello": "Ada"}), run["error"]
    log = [line["message"] for line in mill.get(f"/api/executions/{run['id']}/logs")["data"]]
    assert "working" in log
    assert f"uses the skill by-{runtime} of .agent/skills/by-{runtime}" in log


def test_commands(mill):
    path = skill(mill.skills, "own-tool", {"runtime": "command", "command": ["./bin/tool", "-a", "b c"]})
    (path / "bin").mkdir(exist_ok=True)
    program = path / "bin/tool"
    program.write_text('#!/bin/sh\nprintf \'["%s", "%s", "%s", "%s"]\' "$1" "$2" '
                       '"$STEPMILL_SKILL" "$STEPMILL_IDEMPOTENCY_KEY"\n')
    assert "Permission denied" in failure(mill.do(use("own-tool")))[1]
    program.chmod(0o755)
    run = mill.do(use("own-tool"))
    assert run["output"] == ["-a", "b c", "own-tool", run["steps"][0]["idempotencyKey"]]
    skill(mill.skills, "given-back", {"runtime": "command", "command": "cat"})
    assert mill.do(use("given-back", {"a": [1, None, "ä"]}))["output"] == {"a": [1, None, "ä"]}


def test_where_a_program_is(mill):
    skill(mill.skills, "where", {"runtime": "python"},
          main_py="import helper, json, os\nprint(json.dumps([os.getcwd(), helper.HERE, "
                  "os.environ['STEPMILL_SKILL_PATH']]))\n",
          helper_py="import os\nHERE = os.path.dirname(os.path.abspath(__file__))\n")
    here = str(mill.skills / "where")
    assert mill.do(use("where"))["output"] == [str(mill.folder), here, here]


@pytest.mark.parametrize("printed, output", [
    ("", None), ("  \\n", None), ("7", 7), ("\"text\"\\n", "text"), ("null", None)])
def test_what_a_program_prints(mill, printed, output):
    skill(mill.skills, "prints", {"runtime": "shell"}, main_sh=f"printf '{printed}'")
    run = mill.do(use("prints"))
    assert (run["status"], run["output"]) == ("COMPLETED", output), run["error"]


@pytest.mark.parametrize("front, program, code, words", [
    ({}, "echo no json", "bad_output", "no JSON: "),
    ({}, "echo '{} {}'", "bad_output", "no JSON: "),
    ({}, "yes | head -c 3000000", "output_too_large", "printed more than 1048576 bytes"),
    ({}, "echo '{}'; echo 'no luck' >&2; exit 3", "exit_status", "exit status 3: no luck"),
    ({}, "kill -9 $$", "signal", "SIGKILL"),
    ({"output": WHO}, "echo '{\"who\": 1}'", "output_schema", "output.who: expected string"),
])
def test_programs_that_fail(mill, front, program, code, words):
    skill(mill.skills, "fails", {"runtime": "shell", **front}, main_sh=program)
    failed, message = failure(mill.do(use("fails")))
    assert failed == code and words in message, message


def test_what_fails_may_be_tried_again(mill):
    skill(mill.skills, "flaky", {"runtime": "shell", "output": WHO},
          main_sh='[ $STEPMILL_ATTEMPT = 1 ] && echo "{}" || echo "{\\"who\\": \\"me\\"}"')
    run = mill.do(use("flaky", retry={"maxAttempts": 2, "delay": 10}))
    assert (run["status"], run["output"]) == ("COMPLETED", {"who": "me"}), run["error"]


def test_secrets_are_masked(mill):
    skill(mill.skills, "leaks", {"runtime": "shell"},
          main_sh=f"printf '{{\"key\": \"%s%s\"}}' {CANARY[:9]} {CANARY[9:]}; echo {CANARY} >&2")
    run = mill.do(use("leaks"))
    assert run["status"] == "COMPLETED" and CANARY not in json.dumps(run["output"])
    assert CANARY not in json.dumps(mill.get(f"/api/executions/{run['id']}/logs"))


def test_neither_cancel_nor_timeout_leaves_a_program(mill):
    path = mill.folder / "pids"
    skill(mill.skills, "sleepy", {"runtime": "python"}, main_py=SLEEPY)
    run = mill.begin(use("sleepy"))
    wait_for("it sleeps", path.exists)
    mill.post(f"/api/executions/{run}/cancel")
    assert mill.wait_ended(run)["status"] == "CANCELLED"
    assert failure(mill.do(use("sleepy", timeout=300)))[0] == "timeout"
    wait_for("nothing is left", lambda: not [
        pid for pid in os.listdir("/proc") if pid.isdigit() and "sleepy/main.py" in line_of(pid)])


def line_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read()
    except OSError:
        return ""


# ---- prompts ----

def test_a_prompt(mill, chaos):
    chaos.answers["greeter"] = answers("Hello.", tokens=(7, 3))
    skill(mill.skills, "greet", {"input": WHO, "model": "chaos:greeter", "system": "Be kind.",
                                 "maxTokens": 9, "temperature": 0.5, "tools": "state.*"},
          "\nGreet {{input.who}}.\n\n")
    run = mill.do(use("greet", {"who": "Ada"}))
    assert (run["status"], run["output"]) == ("COMPLETED", "Hello."), run["error"]
    body = chaos.asked("greeter")[-1]
    assert body["messages"][0]["content"][0]["text"] == "Greet Ada."
    assert (body["system"], body["max_tokens"], body["temperature"]) == ("Be kind.", 9, 0.5)
    assert {tool["name"] for tool in body["tools"]} == {"state_set", "state_get", "state_has",
                                                        "state_delete"}
    assert run["usage"]["outputTokens"] == 3
    session, = run["agentSessions"]
    assert (session["sessionType"], session["status"]) == ("model", "completed")


def test_a_prompt_that_does_not_name_its_input(mill, chaos):
    chaos.answers["preset"] = answers("Done.")
    skill(mill.skills, "plain", body="Do it.")
    assert mill.do(use("plain", {"a": 1}))["output"] == "Done."
    assert chaos.asked("preset")[-1]["messages"][0]["content"][0]["text"] == (
        'Do it.\n\nThe input, as JSON:\n\n{"a":1}')


def test_a_prompt_gives_json_by_its_schema(mill, chaos):
    said = iter(["no json", '{"who": "Ada"}', "{}", "{}"])
    chaos.answers["json"] = lambda body: answers(next(said))(body)
    skill(mill.skills, "json", {"output": WHO, "model": "chaos:json"}, "Who?")
    assert mill.do(use("json"))["output"] == {"who": "Ada"}
    assert "JSON Schema" in chaos.asked("json")[0]["system"]
    assert failure(mill.do(use("json")))[0] == "output_schema"


def test_the_schema_of_the_step_is_asked_for_where_the_skill_has_none(mill, chaos):
    chaos.answers["step"] = answers('{"who": "Bob"}')
    skill(mill.skills, "free", {"model": "chaos:step"}, "Who?")
    assert mill.do(use("free", outputSchema=WHO))["output"] == {"who": "Bob"}


def test_a_prompt_s_failures_are_the_model_s(mill, chaos):
    chaos.answers["bad"] = lambda body: (400, [], {"type": "error", "error": {
        "type": "invalid_request_error", "message": "no good"}})
    skill(mill.skills, "bad-model", {"model": "chaos:bad"}, "x")
    assert "no good" in failure(mill.do(use("bad-model")))[1]
    skill(mill.skills, "no-provider", {"model": "nobody:x"}, "x")
    assert failure(mill.do(use("no-provider")))[0] == "unknown_provider"
    skill(mill.skills, "missing", {}, "Hello {{input.who}}.")
    code, message = failure(mill.do(use("missing")))
    assert code == "expression" and "who" in message
    skill(mill.skills, "costly", {"budget": {"tokens": 10}, "model": "chaos:costly", "output": WHO}, "x")
    chaos.answers["costly"] = answers("no json", tokens=(90, 10))
    assert failure(mill.do(use("costly")))[0] == "budget_exceeded"


def test_a_prompt_is_cancelled(mill, chaos):
    async def never(writer, body):
        Provider.begin(writer)
        await writer.drain()
        await writer.wait_closed()
    chaos.answers["never"] = never
    skill(mill.skills, "never", {"model": "chaos:never"}, "x")
    run = mill.begin(use("never"))
    wait_for("it is asked", lambda: chaos.asked("never"))
    mill.post(f"/api/executions/{run}/cancel")
    ended = mill.wait_ended(run)
    assert ended["status"] == "CANCELLED" and ended["agentSessions"][0]["status"] == "stopped"


# ---- what is found ----

def test_the_input_is_checked(mill):
    skill(mill.skills, "checked", {"runtime": "shell", "input": WHO}, main_sh="echo 1")
    code, message = failure(mill.do(use("checked", {"who": 1}, retry={"maxAttempts": 3})))
    assert code == "input" and message == (
        'skill "checked": input.who: expected string, got number')
    assert "who" in failure(mill.do(use("checked")))[1]


def test_a_skill_that_is_not_there(mill, more):
    code, message = failure(mill.do(use("nowhere")))
    assert code == "unknown_skill" and message == (
        'there is no skill "nowhere": no folder of this name with a SKILL.md in '
        f"{mill.folder}/.agent/skills and {more}")
    (mill.skills / "empty").mkdir(parents=True, exist_ok=True)
    assert failure(mill.do(use("empty")))[0] == "unknown_skill"
    for name in ("../empty", "a/b", "", ".."):
        assert failure(mill.do(use("{{input.name}}"), input={"name": name}))[0] == "input"


def test_a_broken_skill(mill):
    skill(mill.skills, "broken", {"runtime": "ruby", "maxTokens": 0}, "{{steps.a}}")
    code, message = failure(mill.do(use("broken")))
    assert code == "bad_skill" and ".agent/skills/broken/SKILL.md:3:10 runtime:" in message
    assert "SKILL.md:4:12 maxTokens: 0 is less than 1" in message


def test_each_use_reads_it_afresh(mill):
    for word in ("one", "two"):
        skill(mill.skills, "fresh", {"runtime": "shell"}, main_sh=f"echo '\"{word}\"'")
        assert mill.do(use("fresh"))["output"] == word


def test_other_folders_and_who_comes_first(mill, more):
    skill(more, "elsewhere", {"runtime": "shell"}, main_sh='printf \'"%s"\' "$STEPMILL_SKILL_PATH"')
    assert mill.do(use("elsewhere"))["output"] == str(more / "elsewhere")
    for folder in (more, mill.skills):
        skill(folder, "twice", {"runtime": "shell"}, main_sh=f"echo '\"{folder}\"'")
    assert mill.do(use("twice"))["output"] == str(mill.skills)
    data = {row["path"]: row for row in mill.get("/api/skills")["data"]}
    assert data[".agent/skills/twice/SKILL.md"]["problems"] == []
    problem, = data[f"{more}/twice/SKILL.md"]["problems"]
    assert problem["message"] == "never used: .agent/skills/twice/SKILL.md is found first"


def test_nothing_outside_is_reached(mill, more, tmp_path):
    outside = skill(tmp_path, "outside", {"runtime": "shell"}, main_sh="echo 1")
    for parent in (tmp_path, *tmp_path.parents[:-2]):
        parent.chmod(0o755)
    for folder in (mill.skills, more):
        (folder / "linked").symlink_to(outside)
        code, message = failure(mill.do(use("linked")))
        assert code == "denied" and "out of the project" in message
        (folder / "linked").unlink()
    path = skill(mill.skills, "half", {"runtime": "shell"})
    assert "no such file" in failure(mill.do(use("half")))[1]
    (path / "main.sh").symlink_to(outside / "main.sh")
    code, message = failure(mill.do(use("half")))
    assert code == "denied" and "out of the project" in message
    skill(mill.skills, "climbs", {"runtime": "command", "command": ["../../../outside.sh"]})
    assert failure(mill.do(use("climbs")))[0] in ("not_found", "denied")
    skill(mill.skills, "absolute", {"runtime": "command", "command": [str(outside / "main.sh")]})
    assert failure(mill.do(use("absolute")))[0] in ("not_found", "denied")
    os.mkfifo(skill(mill.skills, "fifo") / "x")
    (mill.skills / "fifo/SKILL.md").unlink()
    os.rename(mill.skills / "fifo/x", mill.skills / "fifo/SKILL.md")
    assert failure(mill.do(use("fifo")))[0] == "unknown_skill"
    (mill.skills / "fifo/SKILL.md").unlink()


def test_registration(mill):
    answer = mill.ask("POST", "/api/workflows/validate", json.dumps({
        "name": "x", "steps": [use("a b", key="a"), {"id": "b", "action": "skill"},
                               use("good", [1], key="c"), use("{{input.x}}", "{{input.y}}", key="d"),
                               use("good", prompt="x", key="e")]}))
    words = [error["message"] for error in answer.json["errors"]]
    assert words == ['"a b" is no name of a skill', "is required", "expected an object, got array",
                     'unknown key "prompt"']


@pytest.mark.parametrize("tools, allowed", [
    (["skill.may"], True), (["skill.*"], True), (["*"], True), (None, True), ([], False),
    (["code"], False), (["skill.may-not"], False)])
def test_what_a_key_may(mill, guarded, tools, allowed):
    skill(mill.skills, "may", {"runtime": "shell"}, main_sh="echo 1")
    workflow = mill.define(use("may"))
    run = post(guarded, new_key(mill, tools), f"/api/workflows/{workflow}/execute")
    status, code, message = error_of(mill, run)
    if allowed:
        assert status == "COMPLETED", message
    else:
        assert (status, code) == ("FAILED", "denied") and '"skill.may"' in message


# ---- told ----

def test_the_examples_of_the_page(mill, chaos):
    text = (ROOT / "docs/skills.md").read_text()
    title, count = re.findall(r"^```markdown\n(.*?)^```", text, re.M | re.S)
    program, = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    for name, written in (("title", title), ("word-count", count)):
        path = skill(mill.skills, name)
        (path / "SKILL.md").write_text(re.sub("^model: .*$", "model: chaos:title", written, flags=re.M))
    (mill.skills / "word-count/main.py").write_text(program)
    chaos.answers["title"] = answers('{"title": "A title"}')
    run = mill.do(use("title", {"text": "Some words of it."}, key="title"),
                  use("word-count", {"text": "{{steps.title.output.title}}"}, key="count"))
    assert (run["status"], run["output"]) == ("COMPLETED", {"words": 2}), run["error"]
    assert chaos.asked("title")[-1]["messages"][0]["content"][0]["text"].endswith(
        "this text:\n\nSome words of it.")


def test_the_list(mill):
    skill(mill.skills, "listed", {"runtime": "python", "input": WHO, "output": WHO}, main_py="")
    skill(mill.skills, "incomplete", {"runtime": "python"})
    skill(mill.skills, "wrong", {"runtime": "ruby"})
    data = {row["name"]: row for row in mill.get("/api/skills")["data"]}
    assert data["listed"] == {
        "name": "listed", "description": "What listed does.", "runtime": "python",
        "inputSchema": WHO, "outputSchema": WHO, "path": ".agent/skills/listed/SKILL.md",
        "problems": []}
    assert "main.py" in data["incomplete"]["problems"][0]["message"]
    problem, = data["wrong"]["problems"]
    assert (problem["path"], problem["line"], problem["column"]) == ("runtime", 3, 10)
    assert "empty" not in data and "fifo" not in data


def test_the_list_of_a_project(mill, guarded, tmp_path):
    other = mill.post("/api/projects", {"name": "of-skills", "path": str(tmp_path)})["id"]
    skill(tmp_path / ".agent/skills", "theirs", {}, "x")
    names = {row["name"] for row in mill.get(f"/api/skills?projectId={other}")["data"]}
    assert "theirs" in names and "listed" not in names
    assert mill.ask("GET", "/api/skills?projectId=nobody").status == 404
    theirs = Tenant(guarded, other, key_for(mill, other))
    assert "theirs" in {row["name"] for row in theirs.ask("GET", "/api/skills").json["data"]}
    assert theirs.ask("GET", "/api/skills?projectId=default").status == 404


def test_the_list_has_an_end(mill, tmp_path):
    crowd = mill.post("/api/projects", {"name": "crowd", "path": str(tmp_path)})["id"]
    for number in range(501):
        skill(tmp_path / ".agent/skills", f"n{number:03}", {}, "x")
    (tmp_path / ".agent/skills/n000/SKILL.md").write_text("x" * 300000)
    data = mill.get(f"/api/skills?projectId={crowd}")["data"]
    of_it = [row for row in data if row["path"].startswith(".agent")]
    assert [row["name"] for row in of_it] == [f"n{number:03}" for number in range(500)] + [None]
    assert "larger than" in of_it[0]["problems"][0]["message"]
    assert of_it[0]["path"] == ".agent/skills/n000/SKILL.md"
    assert "at most 500" in of_it[-1]["problems"][0]["message"]


def test_the_command(mill):
    skill(mill.skills, "shown", {"runtime": "python"}, main_py="")
    done = mill.cli("skills")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("shown "))
    assert line.split()[1:3] == ["python", ".agent/skills/shown/SKILL.md"]
    skill(mill.skills, "wrong", {"runtime": "ruby"})
    assert "broken: 3:10 runtime" in mill.cli("skills", "list").stdout
    assert "shown" in {row["name"] for row in json.loads(mill.cli("skills", "--json").stdout)}
    assert mill.cli("skills", "--project", "nobody").returncode == 1
    assert mill.cli("skills", "show").returncode == 2
