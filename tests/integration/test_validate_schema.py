"""stepmill validate --schema: any files by a JSON Schema. Needs no server."""
import json
import subprocess

import pytest

from harness.stepmill import BIN

SCHEMA = """\
type: object
required: [name]
properties:
  name: { type: string }
  day: { format: date }
  list: { items: { minimum: 1 } }
"""


def run(*args, text=None):
    return subprocess.run([BIN / "stepmill", "validate", *args], input=text, text=True,
                          capture_output=True, timeout=10)


@pytest.fixture
def schema(tmp_path):
    path = tmp_path / "schema.yaml"
    path.write_text(SCHEMA)
    return path


def test_json_and_yaml_are_checked(schema, tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.json"
    good.write_text("name: a\nday: soon\n")
    bad.write_text('{"list": [1, 0]}')
    done = run("--schema", schema, good, bad)
    assert done.returncode == 1
    assert done.stdout == (f"{good}: good\n"
                           f"{bad} $.name: is required\n"
                           f"{bad} $.list[1]: expected at least 1, got 0\n")
    assert run("-s", schema, "-", text="name: x").stdout == "-: good\n"


def test_formats_are_asserted_when_asked(schema, tmp_path):
    value = tmp_path / "value"
    value.write_text('{"name": "a", "day": "soon"}')
    assert run("--schema", schema, value).returncode == 0
    done = run("--schema", schema, "--formats", value)
    assert done.returncode == 1
    assert done.stdout == f'{value} $.day: expected the format date, got "soon"\n'


def test_the_answer_for_programs(schema, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text("[]")
    done = run("--schema", schema, "--json", bad)
    assert done.returncode == 1
    assert json.loads(done.stdout) == [{"file": str(bad), "valid": False, "errors": [
        {"line": 0, "column": 0, "path": "$", "message": "expected object, got array"}]}]


def test_what_is_no_schema(tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "strng", "minLength": -1}')
    done = run("--schema", schema, schema)
    assert done.returncode == 1
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == [
        f"{schema} /type", f"{schema} /minLength"]


def test_what_cannot_be_read(schema, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"a":')
    done = run("--schema", schema, broken, tmp_path / "none")
    assert done.returncode == 1
    assert done.stdout == (f"{broken}: line 1, column 6: expected a value\n"
                           f"{tmp_path}/none: No such file or directory\n")
    assert run("--schema", schema).returncode == 2
    assert run("--formats", schema).returncode == 2
