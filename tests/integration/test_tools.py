"""What a step can do, without a worker around it: shell, code, files, git. Each test runs one
action or tool by the program tool_driver in a project folder of its own and looks at the
answer. Battery F2, F4, F5, F6 and F11."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest

from harness.programs import driver as driver_path

DRIVER = driver_path("tool_driver")
NASTY = ["$(id)", "`id`", "; rm -rf /", "a\nb", "-rf", "%n%s", "'", '"', "\\", "*", "", " ",
         "\u00e9\u20ac", "&& false", "| cat", "$HOME", "#", "~", "!!", "\t", "x" * 70000,
         "$(" + "y" * 1_000_000]


class Project:
    """A folder, and actions run in it."""

    def __init__(self, folder):
        self.folder = folder
        self.temporary = folder.parent / "temporary"
        self.temporary.mkdir()
        self.temporary.chmod(0o755)

    def run(self, action, fields, settings=None, environment=None, **more):
        request = {"project": str(self.folder), "action": action, "fields": fields,
                   "settings": settings or {}, **more}
        done = subprocess.run(
            [DRIVER], input=json.dumps(request), capture_output=True, text=True, timeout=150,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder),
                 "TMPDIR": str(self.temporary), **(environment or {})})
        assert done.returncode == 0, done.stderr
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        self.stderr = done.stderr
        assert list(self.temporary.iterdir()) == [], "a private folder is left"
        return json.loads(done.stdout)

    def tool(self, tool, args=None, **more):
        return self.run("tool", {"tool": tool, "args": args or {}}, **more)

    def good(self, tool, args=None, **more):
        answer = self.tool(tool, args, **more)
        assert answer["ok"], answer
        return answer["output"]

    def bad(self, tool, args=None, **more):
        answer = self.tool(tool, args, **more)
        assert not answer["ok"], answer
        return answer

    def code(self, language, source, **more):
        return self.run("code", {"language": language, "source": source}, **more)

    def git(self, *arguments):
        return subprocess.run(["git", *arguments], cwd=self.folder, check=True, text=True,
                              capture_output=True).stdout.strip()

    def log(self):
        path = self.folder / ".agent/workflows/executions/test/logs/execution.log"
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def project():
    top = pathlib.Path(tempfile.mkdtemp(prefix="stepmill-tools-"))
    top.chmod(0o755)
    (top / "project").mkdir()
    yield Project(top / "project")
    shutil.rmtree(top)


# ---- shell ----

def test_shell_answers_with_status_and_outputs(project):
    output = project.good("shell", {"command": "echo out; echo err >&2; pwd"})
    assert output == {"exitCode": 0, "stdout": f"out\n{project.folder}\n", "stderr": "err\n"}
    assert [(line["level"], line["message"]) for line in project.log()][:2] in (
        [("info", "out"), ("warn", "err")], [("warn", "err"), ("info", "out")],
        [("info", "out"), ("info", str(project.folder))])


def test_another_exit_status_is_a_failure_that_keeps_the_output(project):
    answer = project.bad("shell", {"command": "echo some; echo 'no luck' >&2; exit 7"})
    assert answer["code"] == "exit_status" and not answer["final"]
    assert answer["details"] == {"exitCode": 7}
    assert answer["output"]["stdout"] == "some\n"
    assert answer["message"] == '"/bin/sh" ended with exit status 7: no luck'


def test_a_signal_is_named(project):
    answer = project.bad("shell", {"command": "kill -SEGV $$"})
    assert answer["code"] == "signal" and "SIGSEGV" in answer["message"]
    assert answer["details"] == {"exitCode": 139, "signal": 11}


def test_what_is_not_found_is_told_without_our_folders(project):
    answer = project.bad("shell", {"command": "true\nno-such-thing"})
    assert answer["message"] == ('"/bin/sh" ended with exit status 127: '
                                 'command: 2: no-such-thing: not found')


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_values_arrive_byte_for_byte(project, value):
    seen = project.good("shell", {
        "command": 'printf %s "$VALUE" | sha256sum; printf %s "$VALUE" | wc -c; cat | sha256sum',
        "env": {"VALUE": value}, "stdin": value})["stdout"].split()
    expected = subprocess.run(["sha256sum"], input=value.encode(), capture_output=True,
                              check=True).stdout.split()[0].decode()
    assert seen[0] == expected and seen[2] == str(len(value.encode())) and seen[3] == expected
    assert [path.name for path in project.folder.iterdir()] == [".agent"]


def test_a_command_of_a_megabyte(project):
    output = project.good("shell", {"command": "# " + "x" * 1_000_000 + "\necho done"})
    assert output["stdout"] == "done\n"


def test_variables_are_checked(project):
    for env, word in (({"A B": "x"}, "no name"), ({"": "x"}, "no name"), ({"1A": "x"}, "no name"),
                      ({"A=B": "x"}, "no name"), ({"A": "x\0y"}, "NUL"),
                      ({"STEPMILL_RUN_ID": "x"}, "set by the engine"),
                      ({"A": ["x"]}, "expected a string")):
        answer = project.bad("shell", {"command": "true", "env": env})
        assert answer["code"] == "input" and answer["final"] and word in answer["message"]
    output = project.good("shell", {"command": 'echo "$N $T $Z."',
                                    "env": {"N": 1.5, "T": True, "Z": None}})
    assert output["stdout"] == "1.5 true .\n"


def test_the_environment_is_the_allow_list(project):
    output = project.good("shell", {"command": "env"}, settings={"environment": ["ALLOWED"]},
                          environment={"ALLOWED": "yes", "DATABASE_URL": "canary-database",
                                       "STEPMILL_FORGE_TOKEN": "canary-token"})
    names = {line.split("=")[0] for line in output["stdout"].splitlines()}
    assert names - {"PWD", "OLDPWD", "_", "SHLVL"} == {
        "PATH", "HOME", "LANG", "TMPDIR", "ALLOWED", "STEPMILL_EXECUTION_ID", "STEPMILL_RUN_ID",
        "STEPMILL_STEP", "STEPMILL_STEP_NUMBER", "STEPMILL_ATTEMPT", "STEPMILL_IDEMPOTENCY_KEY",
        "STEPMILL_PROJECT_PATH", "STEPMILL_FD"}
    assert "canary" not in output["stdout"]


def test_json_by_the_channel(project):
    output = project.good("shell", {"command": """echo text; echo '{"a":[1]}' >&$STEPMILL_FD"""})
    assert output["result"] == {"a": [1]} and output["stdout"] == "text\n"
    answer = project.bad("shell", {"command": "echo '{broken' >&$STEPMILL_FD"})
    assert answer["code"] == "bad_output" and "no JSON" in answer["message"]


def test_a_flood_is_cut_and_marked(project):
    begin = time.monotonic()
    output = project.good("shell", {"command": "echo first; yes | head -c 300000000; echo last"},
                          settings={"outputMax": 65536})
    assert time.monotonic() - begin < 60
    assert output["truncated"] is True and len(output["stdout"]) <= 65536
    assert output["stdout"].startswith("first\ny\n") and output["stdout"].endswith("last\n")
    assert " bytes left out ..." in output["stdout"]
    log = project.folder / ".agent/workflows/executions/test/logs"
    assert sum(path.stat().st_size for path in log.iterdir()) < 40_000_000


def test_output_that_is_no_text_is_repaired(project):
    output = project.good("shell", {"command": r"printf 'a\377b\000c\303'"})
    assert output["stdout"] == "a\ufffdb\ufffdc\ufffd"


def test_secrets_do_not_come_back(project):
    secret = "canary/Tr0ub4dor&3"
    coded = base64.b64encode(secret.encode()).decode()
    output = project.good(
        "shell", {"command": 'printf "%s" "$S"; printf "%s" "$S" >&2; printf "%s" "$S" | base64;'
                             ' printf \'{"k":"%s"}\' "$S" >&3', "env": {"S": secret}},
        settings={"secrets": [secret]})
    assert "canary" not in json.dumps(output) and coded[:16] not in json.dumps(output)
    answer = project.bad("shell", {"command": 'echo "$S" >&2; exit 1', "env": {"S": secret}},
                         settings={"secrets": [secret]})
    assert "canary" not in json.dumps(answer)
    assert "canary" not in json.dumps(project.log())


def test_no_list_of_processes_shows_a_command(project):
    output = project.good("shell", {"command": "x=canary-in-command; ps -ef; cat /proc/*/cmdline"})
    assert "canary-in-command" not in output["stdout"]


def test_where_it_runs(project):
    (project.folder / "sub").mkdir()
    (project.folder / "file").write_text("")
    (project.folder / "out").symlink_to("/tmp")
    assert project.good("shell", {"command": "pwd", "cwd": "sub"})["stdout"] == \
        f"{project.folder}/sub\n"
    for cwd, code in (("..", "denied"), ("/tmp", "denied"), ("out", "denied"),
                      ("missing", "not_found"), ("file", "input")):
        assert project.bad("shell", {"command": "pwd", "cwd": cwd})["code"] == code


def test_a_project_that_is_gone(project):
    request = {"project": "/no/such/project", "action": "tool",
               "fields": {"tool": "shell", "args": {"command": "true"}}}
    done = subprocess.run([DRIVER], input=json.dumps(request), capture_output=True, text=True)
    answer = json.loads(done.stdout)
    assert answer["code"] == "not_found" and "/no/such/project" in answer["message"]


def test_stopping(project):
    command = "trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done"
    answer = project.bad("shell", {"command": command}, stopMs=300)
    assert answer["code"] == "stopped" and answer["leftMs"] < 2000
    command = "trap '' TERM; setsid sleep 1000 & while :; do sleep 0.05; done"
    answer = project.bad("shell", {"command": command}, stopMs=300, forceMs=500)
    assert answer["code"] == "stopped" and answer["leftMs"] < 2000


@pytest.mark.parametrize("isolation", range(4))
def test_every_isolation(project, isolation):
    output = project.good("shell", {"command": "setsid sleep 1000 & echo $$; id -u"},
                          isolation=isolation)
    assert output["stdout"].splitlines()[1] == str(os.getuid())


def test_unknown_tools_and_arguments(project):
    answer = project.bad("shel", {})
    assert answer["code"] == "unknown_tool" and 'did you mean "shell"' in answer["message"]
    answer = project.bad("shell", {"comand": "true"})
    assert answer["code"] == "input" and 'did you mean "command"' in answer["message"]
    answer = project.bad("shell", {"command": 3})
    assert answer["code"] == "input" and "expected a string" in answer["message"]


# ---- code ----

KNOWN = {"input": {"n": 20, "text": "é\u2028</script>'\"\\ {{x}}"},
         "steps": {"first-step": [1, {"a": None}]}, "state": {"k": 1}, "facts": {"runId": "r-1"}}


def test_javascript(project):
    answer = project.code("javascript", """
        console.log("hello");
        await new Promise((done) => setTimeout(done, 5));
        const os = require("os"), { join } = await import("path");
        return { sum: input.n + 1, text: input.text, step: steps["first-step"].output,
                 status: steps["first-step"].status, state: state.k, run: run.runId,
                 me: step.id, ok: typeof os.cpus === "function" && typeof join === "function" };
        """, **KNOWN)
    assert answer["ok"], answer
    assert answer["output"] == {"sum": 21, "text": KNOWN["input"]["text"],
                                "step": [1, {"a": None}], "status": "completed", "state": 1,
                                "run": "r-1", "me": "this", "ok": True}
    assert [line["message"] for line in project.log()] == ["hello"]


def test_python(project):
    answer = project.code("python", '''import math
print("hello")
text = """two
lines"""
def inner(x):
    return x + 1
return {"sum": inner(input["n"]), "text": input["text"], "lines": text,
        "step": steps["first-step"]["output"], "state": state["k"], "run": run["runId"],
        "me": step["id"], "pi": math.floor(math.pi)}''', **KNOWN)
    assert answer["ok"], answer
    assert answer["output"] == {"sum": 21, "text": KNOWN["input"]["text"], "lines": "two\nlines",
                                "step": [1, {"a": None}], "state": 1, "run": "r-1", "me": "this",
                                "pi": 3}
    assert [line["message"] for line in project.log()] == ["hello"]


def test_shell_code(project):
    for source, output in (("echo '{\"a\": 1}'", {"a": 1}), ("echo plain text", "plain text"),
                           ("true", None), ("echo noise; echo '[2]' >&$STEPMILL_FD", [2]),
                           ("printf 'a\\nb\\n\\n'", "a\nb"), ("echo 12", 12),
                           ("python3 -c 'import json,os;"
                            "print(json.load(open(os.environ[\"STEPMILL_CONTEXT\"]))[\"input\"])'",
                            20)):
        answer = project.code("shell", source, input=20)
        assert answer["ok"] and answer["output"] == output, answer


@pytest.mark.parametrize("language, source, output", [
    ("javascript", "return 1", 1), ("javascript", "", None), ("javascript", "return undefined", None),
    ("javascript", "// only a comment", None), ("javascript", "return [1.5, 'x', null]", [1.5, "x", None]),
    ("javascript", "setInterval(() => {}, 1000); return 2", 2),
    ("javascript", "return 'x'.repeat(900000)", "x" * 900000),
    ("python", "return 1", 1), ("python", "", None), ("python", "pass", None),
    ("python", "import asyncio\nawait asyncio.sleep(0)\nreturn 5", 5),
    ("python", "return '\\ud800'", "\ufffd"), ("python", "return 'a\\0b'", "a\ufffdb"),
    ("python", "if True:\n\treturn 'tab'", "tab"),
])
def test_what_is_returned(project, language, source, output):
    answer = project.code(language, source)
    assert answer["ok"] and answer["output"] == output, str(answer)[:2000]


@pytest.mark.parametrize("language, source, words", [
    ("javascript", "\nthrow new Error('boom')", ["Error: boom"]),
    ("javascript", "return (", ["SyntaxError"]), ("javascript", "return 1n", ["TypeError"]),
    ("javascript", "return () => 1", ["function", "no form"]),
    ("javascript", "process.exit(3)", ["exit status 3"]),
    ("javascript", "require('no-such-module')", ["no-such-module"]),
    ("python", "\nraise ValueError('boom')", ["ValueError: boom"]),
    ("python", "return (", ["SyntaxError"]), ("python", "return {1, 2}", ["TypeError"]),
    ("python", "return float('nan')", ["ValueError"]),
    ("python", "import sys\nsys.exit(3)", ["exit status 3"]),
    ("shell", "exit 4", ["exit status 4"]), ("shell", "if", ["exit status 2", "Syntax error"]),
])
def test_code_that_fails(project, language, source, words):
    answer = project.code(language, source)
    assert not answer["ok"] and answer["code"] == "exit_status"
    for word in words:
        assert word in answer["message"], answer["message"]


def test_lines_of_errors_are_those_of_the_source(project):
    project.code("javascript", "const a = 1;\n\nnull.x;\n")
    assert any("this.js:3" in line["message"] for line in project.log())
    shutil.rmtree(project.folder / ".agent")
    project.code("python", "a = 1\n\nNone.x\n")
    messages = "\n".join(line["message"] for line in project.log())
    assert 'File "this.py", line 3' in messages and "runner" not in messages


def test_code_finds_modules_of_the_project(project):
    (project.folder / "node_modules/mine").mkdir(parents=True)
    (project.folder / "node_modules/mine/index.js").write_text("module.exports = 42;")
    (project.folder / "own.mjs").write_text("export default 7;")
    (project.folder / "own.py").write_text("value = 9\n")
    answer = project.code("javascript", "const own = await import('./own.mjs');"
                                        "return [require('mine'), own.default]")
    assert answer.get("output") == [42, 7], answer
    answer = project.code("python", "import own\nreturn own.value")
    assert answer.get("output") == 9, answer


def test_too_much_is_returned(project):
    answer = project.code("python", "return 'x' * 3000000")
    assert not answer["ok"] and answer["code"] == "output_too_large" and answer["final"]


def test_a_missing_program_is_named(project):
    empty = project.folder / "bin"
    empty.mkdir()
    for language, package in (("javascript", "nodejs"), ("python", "python3")):
        answer = project.code(language, "return 1", environment={"PATH": str(empty)})
        assert answer["code"] == "program_missing" and answer["final"]
        assert f"apt-get install {package}" in answer["message"]
    answer = project.bad("git.status", environment={"PATH": str(empty)})
    assert answer["code"] == "program_missing" and "apt-get install git" in answer["message"]


def test_code_fields_are_checked(project):
    answer = project.run("code", {"language": "perl", "source": ""})
    assert answer["code"] == "input" and "javascript" in answer["message"]


# ---- wait and noop ----

def test_wait_and_noop(project):
    assert project.run("noop", {}) ["output"] is None
    assert project.run("wait", {"for": "10m"})["waitMs"] == 600_000
    assert project.run("wait", {"for": 1500})["waitMs"] == 1500
    assert project.run("wait", {"until": "2100-01-01T00:00:00Z"})["waitMs"] > 10**12
    assert "waitMs" not in project.run("wait", {"until": "2001-01-01T00:00:00+02:00"})
    assert "waitMs" not in project.run("wait", {"for": 0})
    answer = project.run("wait", {"for": "10m"}, woke=True)
    assert answer["ok"] and answer["output"] is None and "waitMs" not in answer
    for fields in ({"for": "soon"}, {"until": "tomorrow"}, {}, {"for": 1, "until": "x"},
                   {"for": -1}):
        answer = project.run("wait", fields)
        assert not answer["ok"] and answer["code"] == "input" and answer["final"], answer


# ---- files ----

def test_files_write_and_read(project):
    assert project.good("files.write", {"path": "a/b/notes.md", "content": "é\n"}) == \
        {"path": "a/b/notes.md", "size": 3}
    assert project.good("files.read", {"path": "a/b/notes.md"}) == \
        {"path": "a/b/notes.md", "content": "é\n", "size": 3}
    project.good("files.write", {"path": "a/b/notes.md", "content": "more", "append": True})
    assert (project.folder / "a/b/notes.md").read_text() == "é\nmore"
    project.good("files.write", {"path": "new", "content": "x", "append": True})
    project.good("files.write", {"path": "new", "content": "y", "append": True})
    assert (project.folder / "new").read_text() == "xy"
    data = bytes(range(256))
    project.good("files.write", {"path": "bin", "content": base64.b64encode(data).decode(),
                                 "encoding": "base64"})
    assert (project.folder / "bin").read_bytes() == data
    output = project.good("files.read", {"path": "bin", "encoding": "base64"})
    assert base64.b64decode(output["content"]) == data
    assert "\ufffd" in project.good("files.read", {"path": "bin"})["content"]
    absolute = project.good("files.read", {"path": f"{project.folder}/new"})
    assert absolute["path"] == "new"
    assert project.bad("files.write", {"path": "x", "content": "!", "encoding": "base64"}
                       )["code"] == "input"
    assert list(project.folder.rglob("*.tmp")) == []


def test_files_exists(project):
    (project.folder / "f").write_text("")
    (project.folder / "out").symlink_to("/etc")
    assert project.good("files.exists", {"path": "f"}) == {"exists": True, "type": "file"}
    assert project.good("files.exists", {"path": "."}) == {"exists": True, "type": "folder"}
    for path in ("no", "no/x", "f/x"):
        assert project.good("files.exists", {"path": path}) == {"exists": False, "type": None}
    assert project.bad("files.exists", {"path": "out/passwd"})["code"] == "denied"


@pytest.fixture
def trap(project):
    """A project with ways out, pipes and devices; what is outside must stay as it is."""
    outside = project.folder.parent / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "folder/inner").write_text("inner")
    (outside / "secret").write_text("canary")
    (project.folder / "link").symlink_to("../outside/secret")
    (project.folder / "linkdir").symlink_to("../outside/folder")
    (project.folder / "abs").symlink_to(outside / "secret")
    (project.folder / "proc").symlink_to(pathlib.Path("/proc/self") / "root" / "etc/passwd")
    os.mkfifo(project.folder / "fifo")
    os.mknod(project.folder / "null", 0o020666, os.makedev(1, 3))
    yield project
    assert (outside / "secret").read_text() == "canary"
    assert (outside / "folder/inner").read_text() == "inner"
    assert sorted(p.name for p in outside.iterdir()) == ["folder", "secret"]
    assert sorted(p.name for p in (outside / "folder").iterdir()) == ["inner"]


OUTSIDE = ["../outside/secret", "/etc/passwd", "link", "linkdir/inner", "abs", "proc", "fifo",
           "null", "a/../../outside/secret", "", "a\0b", "x" * 256, "a\nb", "x/" * 3000,
           "linkdir/new", "../new", "."]


@pytest.mark.parametrize("path", OUTSIDE, ids=range(len(OUTSIDE)))
def test_nothing_outside_is_touched(trap, path):
    for tool, args in (("files.read", {"path": path}),
                       ("files.write", {"path": path, "content": "x"}),
                       ("files.write", {"path": path, "content": "x", "append": True}),
                       ("files.copy", {"from": path, "to": "copied"}),
                       ("files.copy", {"from": "link", "to": path})):
        begin = time.monotonic()
        answer = trap.bad(tool, args)
        assert answer["code"] in ("denied", "input", "not_found"), answer
        assert "canary" not in json.dumps(answer)
        assert time.monotonic() - begin < 20


def test_encoded_dots_are_plain_names(project):
    for path in ("%2e%2e", "%252e%252e/x", "..\\x"):
        project.good("files.write", {"path": path, "content": "x"})
        assert (project.folder / path).read_text() == "x"
        project.good("files.delete", {"path": path.split("/")[0], "recursive": True})


def test_files_list(project):
    for path in ("b.md", "a.md", "sub/c.md", "sub/d.txt", ".hidden"):
        (project.folder / path).parent.mkdir(exist_ok=True)
        (project.folder / path).write_text("12345")
    (project.folder / "out").symlink_to("/etc")
    assert project.good("files.list") == [
        {"path": ".hidden", "type": "file", "size": 5},
        {"path": "a.md", "type": "file", "size": 5}, {"path": "b.md", "type": "file", "size": 5},
        {"path": "out", "type": "link", "size": 4},
        {"path": "sub", "type": "folder",
         "size": (project.folder / "sub").stat().st_size}]
    found = project.good("files.list", {"recursive": True, "pattern": "*.md"})
    assert [f["path"] for f in found] == ["a.md", "b.md", "sub/c.md"]
    assert [f["path"] for f in project.good("files.list", {"path": "sub"})] == \
        ["sub/c.md", "sub/d.txt"]
    assert project.bad("files.list", {"path": "out"})["code"] == "denied"
    assert project.bad("files.list", {"path": "a.md"})["code"] == "input"


def test_a_folder_of_twenty_thousand(project):
    (project.folder / "many").mkdir()
    for i in range(20000):
        os.close(os.open(project.folder / f"many/{i:05}", os.O_CREAT))
    answer = project.bad("files.list", {"path": "many"})
    assert answer["code"] == "limit" and "10000" in answer["message"]
    assert len(project.good("files.list", {"path": "many", "pattern": "0*"})) == 10000
    assert project.good("files.delete", {"path": "many", "recursive": True}) == {"deleted": True}
    assert not (project.folder / "many").exists()


def test_files_delete(trap):
    project = trap
    (project.folder / "d/e").mkdir(parents=True)
    (project.folder / "d/e/f").write_text("")
    (project.folder / "d/out").symlink_to("../../outside")
    (project.folder / "empty").mkdir()
    answer = project.bad("files.delete", {"path": "d"})
    assert answer["code"] == "conflict" and "recursive" in answer["message"]
    assert project.good("files.delete", {"path": "empty"}) == {"deleted": True}
    assert project.good("files.delete", {"path": "d", "recursive": True}) == {"deleted": True}
    assert project.good("files.delete", {"path": "d"}) == {"deleted": False}
    assert project.good("files.delete", {"path": "no/such"}) == {"deleted": False}
    # a link goes, not what it names
    assert project.good("files.delete", {"path": "linkdir", "recursive": True}) == \
        {"deleted": True}
    assert project.good("files.delete", {"path": "fifo"}) == {"deleted": True}
    assert project.bad("files.delete", {"path": ".", "recursive": True})["code"] == "input"
    assert project.bad("files.delete", {"path": "..", "recursive": True})["code"] == "denied"


def test_files_copy(trap):
    project = trap
    (project.folder / "from/sub").mkdir(parents=True)
    (project.folder / "from/a").write_text("A")
    (project.folder / "from/a").chmod(0o750)
    (project.folder / "from/sub/b").write_bytes(os.urandom(9_000_000))
    (project.folder / "from/link").symlink_to("/etc/passwd")
    os.mkfifo(project.folder / "from/fifo")
    assert project.good("files.copy", {"from": "from/a", "to": "x/y"}) == \
        {"from": "from/a", "to": "x/y", "files": 1}
    assert (project.folder / "x/y").read_text() == "A"
    assert (project.folder / "x/y").stat().st_mode & 0o777 == 0o750
    assert project.bad("files.copy", {"from": "from", "to": "to"})["code"] == "input"
    assert project.good("files.copy", {"from": "from", "to": "to", "recursive": True}) == \
        {"from": "from", "to": "to", "files": 2}
    assert (project.folder / "to/sub/b").read_bytes() == \
        (project.folder / "from/sub/b").read_bytes()
    assert sorted(p.name for p in (project.folder / "to").iterdir()) == ["a", "sub"]
    for to in ("from/inside", "from"):
        assert not project.tool("files.copy", {"from": "from", "to": to, "recursive": True})["ok"]
    assert project.bad("files.copy", {"from": "from/a", "to": "from/a"})["code"] == "input"
    assert (project.folder / "from/a").read_text() == "A"
    assert project.bad("files.copy", {"from": "from", "to": "linkdir/x", "recursive": True}
                       )["code"] == "denied"


def test_a_large_file_is_not_read(project):
    with open(project.folder / "large", "wb") as file:
        file.truncate(5 * 1024**3)
    answer = project.bad("files.read", {"path": "large"})
    assert answer["code"] == "limit" and "worker.output_max" in answer["message"]


def test_copying_is_stopped(project):
    with open(project.folder / "large", "wb") as file:
        file.truncate(20 * 1024**3)
    answer = project.bad("files.copy", {"from": "large", "to": "copy"}, stopMs=100)
    assert answer["code"] == "stopped" and answer["leftMs"] < 2000
    assert sorted(p.name for p in project.folder.iterdir()) == ["large"]


# ---- git ----

@pytest.fixture
def repository(project):
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "Ann Öther")
    project.git("config", "user.email", "ann@example.org")
    (project.folder / "README").write_text("one\n")
    project.git("add", "README")
    project.git("commit", "--quiet", "-m", "First: start")
    return project


def test_git_log(repository):
    message = "Second\n\nA body\nwith lines\n\n$(id) é"
    (repository.folder / "other file").write_text("x\n")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "-m", message)
    log = repository.good("git.log")
    assert [commit["subject"] for commit in log] == ["Second", "First: start"]
    assert log[0] == {"sha": repository.git("rev-parse", "HEAD"), "author": "Ann Öther",
                      "email": "ann@example.org", "date": log[0]["date"], "subject": "Second",
                      "body": "A body\nwith lines\n\n$(id) é"}
    assert len(repository.good("git.log", {"maxCount": 1})) == 1
    assert len(repository.good("git.log", {"range": "HEAD~1..HEAD"})) == 1
    assert len(repository.good("git.log", {"path": "other file"})) == 1
    assert len(repository.good("git.log", {"path": ":(exclude)other file"})) == 0
    answer = repository.bad("git.log", {"range": "no-such..HEAD"})
    assert answer["code"] == "exit_status" and "no-such" in answer["message"]


def test_git_log_has_merges_and_empty_commits(repository):
    repository.git("checkout", "--quiet", "-b", "side")
    repository.git("commit", "--quiet", "--allow-empty", "-m", "Empty")
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "-m", "Merge side", "side")
    assert {commit["subject"] for commit in repository.good("git.log")} == {
        "Merge side", "Empty", "First: start"}


@pytest.mark.parametrize("tool, args", [
    ("git.log", {"range": "--output=/tmp/stepmill-evil"}), ("git.log", {"path": "-x"}),
    ("git.diff", {"range": "--output=/tmp/stepmill-evil"}), ("git.diff", {"range": "a\nb"}),
    ("git.push", {"remote": "--receive-pack=touch /tmp/stepmill-evil"}),
    ("git.push", {"branch": "--force"}), ("git.ensureBranch", {"name": "-D"}),
    ("git.ensureBranch", {"name": "ok", "base": "--orphan"}),
    ("git.ensureBranch", {"name": ""}), ("git.ensureBranch", {"name": "a..b"}),
    ("git.ensureBranch", {"name": "a b"}), ("git.log", {"maxCount": 0}),
    ("git.log", {"cwd": "../.."}),
])
def test_git_takes_no_options_from_values(repository, tool, args):
    answer = repository.bad(tool, args)
    assert answer["code"] in ("input", "denied") and answer["final"], answer
    assert not pathlib.Path("/tmp/stepmill-evil").exists()


def test_git_status_and_diff(repository):
    assert repository.good("git.status") == {"branch": "main", "clean": True, "files": [],
                                             "staged": [], "modified": [], "untracked": []}
    (repository.folder / "README").write_text("two\nmore\n")
    (repository.folder / "new é").write_text("x")
    status = repository.good("git.status")
    assert status["clean"] is False and status["untracked"] == ["new é"]
    assert status["files"] == [{"path": "README", "status": "modified"},
                               {"path": "new é", "status": "untracked"}]
    assert "+two\n+more\n" in repository.good("git.diff")["diff"]
    assert repository.good("git.diff", {"stat": True}) == {
        "files": [{"path": "README", "added": 2, "removed": 1}], "added": 2, "removed": 1}
    assert repository.good("git.stageAll") == {"files": ["README", "new é"]}
    assert repository.good("git.status")["staged"] == ["README", "new é"]


def test_git_commit(repository):
    answer = repository.bad("git.commit", {"message": "x"})
    assert answer["code"] == "nothing_to_commit" and answer["final"]
    (repository.folder / "README").write_text("changed\n")
    assert repository.bad("git.commit", {"message": "x"})["code"] == "nothing_to_commit"
    output = repository.good("git.commit", {"message": "-m $(id)\n\nbody", "all": True})
    assert output == {"sha": repository.git("rev-parse", "HEAD"), "branch": "main",
                      "message": "-m $(id)\n\nbody"}
    assert repository.git("log", "-1", "--format=%B") == "-m $(id)\n\nbody"
    # the attempt was lost after it: the next one finds its own commit
    assert repository.good("git.commit", {"message": "-m $(id)\n\nbody", "all": True},
                           attempt=2) == output
    assert repository.git("rev-list", "--count", "HEAD") == "2"
    repository.git("commit", "--quiet", "--allow-empty", "-m", "somebody else")
    assert repository.bad("git.commit", {"message": "x"})["code"] == "nothing_to_commit"


def test_a_hook_that_refuses(repository):
    hook = repository.folder / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'the hook says no' >&2\nexit 1\n")
    hook.chmod(0o755)
    (repository.folder / "README").write_text("changed\n")
    answer = repository.bad("git.commit", {"message": "x", "all": True})
    assert answer["code"] == "exit_status" and "the hook says no" in answer["message"]


def test_git_branches(repository):
    assert repository.good("git.getCurrentBranch") == {"branch": "main"}
    assert repository.good("git.ensureBranch", {"name": "work/x"}) == {"branch": "work/x",
                                                                      "created": True}
    assert repository.good("git.ensureBranch", {"name": "main"})["created"] is False
    assert repository.good("git.ensureBranch", {"name": "y", "base": "work/x"})["created"] is True
    assert repository.good("git.getCurrentBranch") == {"branch": "y"}
    answer = repository.bad("git.ensureBranch", {"name": "z", "base": "no-such"})
    assert answer["code"] == "exit_status"
    sha = repository.good("git.getCurrentCommit")["sha"]
    repository.git("checkout", "--quiet", sha)
    assert repository.good("git.getCurrentBranch") == {"branch": None}
    assert repository.good("git.status")["branch"] is None


def test_git_push(repository):
    remote = repository.folder.parent / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", remote], check=True)
    repository.git("remote", "add", "origin", str(remote))
    sha = repository.git("rev-parse", "HEAD")
    for _ in range(2):
        assert repository.good("git.push") == {"remote": "origin", "branch": "main", "sha": sha}
    assert subprocess.run(["git", "rev-parse", "main"], cwd=remote, check=True, text=True,
                          capture_output=True).stdout.strip() == sha
    repository.git("commit", "--quiet", "--amend", "-m", "rewritten")
    answer = repository.bad("git.push")
    assert answer["code"] == "exit_status"
    assert repository.good("git.push", {"force": True, "branch": "main"})["sha"] != sha
    assert repository.bad("git.push", {"remote": "nowhere"})["code"] == "exit_status"


def test_git_asks_nobody(repository):
    repository.git("remote", "add", "origin", "https://127.0.0.1:1/x/y.git")
    begin = time.monotonic()
    answer = repository.bad("git.push")
    assert answer["code"] == "exit_status" and time.monotonic() - begin < 20


def test_no_repository(project):
    answer = project.bad("git.status")
    assert answer["code"] == "exit_status" and "not a git repository" in answer["message"]


def test_another_owner_is_no_obstacle(repository):
    if os.getuid() != 0:
        pytest.fail("this test is meant to run as root")
    for path in [repository.folder, *repository.folder.rglob("*")]:
        os.chown(path, 65534, 65534, follow_symlinks=False)
    assert repository.good("git.status")["clean"] is True
