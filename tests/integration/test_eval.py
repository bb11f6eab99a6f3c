"""stepmill eval: results, the mark under a mistake, exit statuses. Needs no server."""
import json
import subprocess

import pytest

from harness.stepmill import BIN


def run(*args, text=None):
    return subprocess.run([BIN / "stepmill", "eval", *args], input=text, text=True,
                          capture_output=True, timeout=10)


def test_a_result_is_json():
    done = run("[1, 2, 3].map(n, {'n': n * 2})")
    assert done.returncode == 0 and done.stderr == ""
    assert json.loads(done.stdout) == [{"n": 2}, {"n": 4}, {"n": 6}]


def test_variables_come_from_a_file_or_standard_input(tmp_path):
    context = tmp_path / "context.json"
    context.write_text('{"input": {"name": "ada", "none": null}}')
    assert run("input.name + '!'", "--context", context).stdout == '"ada!"\n'
    assert run("input.none == null", "--context=-", text=context.read_text()).stdout == "true\n"


def test_a_mistake_is_marked():
    done = run("1 +\n\tsize('é') + nope")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == ("stepmill eval: 2:14: no such variable: \"nope\"\n"
                           "\tsize('é') + nope\n"
                           "\t            ^\n")
    done = run("a &&")
    assert done.returncode == 1
    assert done.stderr == ("stepmill eval: 1:5: expected an expression, found the end\n"
                           "a &&\n"
                           "    ^\n")


def test_a_mistake_for_programs():
    done = run("1 / 0", "--json")
    assert done.returncode == 1 and done.stderr == ""
    assert json.loads(done.stdout) == {"error": "division by zero", "line": 1, "column": 3}


@pytest.mark.parametrize("args, text, why", [
    ([], None, "give one expression; quote it"),
    (["1", "2"], None, "give one expression; quote it"),
    (["1", "--contxt", "x"], None, "--context"),
    (["1", "--context", "/nowhere/at/all"], None, "/nowhere/at/all"),
    (["1", "--context", "-"], "[1]", "expected an object of variables"),
    (["1", "--context", "-"], "{", "line 1"),
])
def test_wrong_use(args, text, why):
    done = run(*args, text=text)
    assert done.returncode == 2 and done.stdout == ""
    assert why in done.stderr and "--help" in done.stderr


def test_help():
    done = run("--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: stepmill eval")
