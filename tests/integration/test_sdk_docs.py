"""docs/sdk.md: every program and piece of one is run, every command typed."""
import json
import os
import re
import shlex
import subprocess
import textwrap

import pytest

from harness.sdk import agents
from harness.stepmill import BIN, Stepmill, shell, wait_for
from test_docs import fenced, page

PAGE = page("docs/sdk.md")
RECORD, = [json.loads(text) for _, text in fenced(PAGE, "json")]
INVOICES = {"ts": fenced(PAGE, "ts")[0][1], "py": fenced(PAGE, "python")[0][1]}
NAMES = {"ts": "invoice", "py": "invoice-py"}


@pytest.fixture(scope="module")
def stepmill():
    with Stepmill(workers=1, environment=agents()) as it:
        yield it


def tried(folder, program, record, *words):
    """`stepmill workflows test`; its exit status and report."""
    (folder / "record.json").write_text(json.dumps(record))
    done = subprocess.run([BIN / "stepmill", "workflows", "test", program, "--record",
                           "record.json", "--json", *words], cwd=folder, text=True,
                          capture_output=True, timeout=60)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("kind", INVOICES)
def test_invoices_against_the_record(tmp_path, kind):
    (tmp_path / f"invoice.{kind}").write_text(INVOICES[kind])
    status, report = tried(tmp_path, f"invoice.{kind}", RECORD, "customer=Ada")
    assert status == 1 and report["end"] == "failed" and report["error"]["code"] == "exit_status"
    good = RECORD | {"send": {"exitCode": 0, "stdout": "", "stderr": ""}}
    status, report = tried(tmp_path, f"invoice.{kind}", good, "customer=Ada")
    assert status == 0 and report["workflow"] == NAMES[kind], report
    assert [comment["message"] for comment in report["comments"]] == ["sent, approved by Ada"]


def test_invoice_in_c(tmp_path):
    """Built by the page's command, with what is installed."""
    prefix = tmp_path / "installed"
    subprocess.run(["cmake", "--install", BIN.parent, "--prefix", prefix], check=True,
                   capture_output=True)
    (tmp_path / "invoice.c").write_text(fenced(PAGE, "c")[0][1])
    command = next(text for _, text in fenced(PAGE, "sh") if text.startswith("cc "))
    library, = prefix.rglob("libstepmill-workflow.a")
    if b"__asan_init" in library.read_bytes():
        command = command.replace("cc ", "cc -fsanitize=address,undefined ")
    packages, = prefix.rglob("pkgconfig")
    subprocess.run(["sh", "-ec", command.replace("cc ", "cc -Wall -Wextra -Werror ", 1)],
                   cwd=tmp_path, check=True, env=os.environ | {"PKG_CONFIG_PATH": str(packages)})
    status, report = tried(tmp_path, "invoice.workflow", RECORD, "customer=Ada")
    assert status == 0 and 0 <= report["output"]["number"] < 1000000, report


def test_pieces(tmp_path):
    """What stands in the middle of a workflow, in one."""
    script, = [text for _, text in fenced(PAGE, "js")]
    (tmp_path / "piece.mjs").write_text(
        'import { createWorkflow } from "stepmill";\n'
        f"export default createWorkflow({{ name: 'piece' }}, async ctx => {{\n{script}}});\n")
    record = {"commit": {"sha": "abc"}, "http": {"status": 200}, "wait": None,
              "unit": {"exitCode": 0}, "lint": {"exitCode": 0}}
    status, report = tried(tmp_path, "piece.mjs", record, "url=http://127.0.0.1/")
    assert status == 0 and report["state"] == {"passed": True}, report
    _, piece = fenced(PAGE, "python")[1]
    (tmp_path / "piece.py").write_text(
        "from stepmill import StepFailed, workflow\n\n\n@workflow(name='piece')\ndef main(ctx):\n"
        + textwrap.indent(piece, "    "))
    status, report = tried(tmp_path, "piece.py", {"check": {"$error": {
        "code": "exit_status", "message": "2"}}})
    assert status == 0 and report["comments"][0]["message"] == "not checked: exit_status", report


def test_commands_in_a_step(stepmill):
    commands = next(text for _, text in fenced(PAGE, "sh") if "stepmill ctx" in text)
    run = stepmill.do(shell("talk", "set -ex\n" + commands))
    assert run["status"] == "COMPLETED", run["error"]
    assert run["state"] == {} and [c["message"] for c in run["comments"]] == ["three of ten"]
    assert [artifact["type"] for artifact in run["artifacts"]] == ["TEST_REPORT"]


def test_invoice_as_it_is_described(stepmill):
    """Put where the page says, run, approved; then the page's commands against that run."""
    (stepmill.templates / "invoice.ts").write_text(INVOICES["ts"])
    (stepmill.folder / "invoice.ts").write_text(INVOICES["ts"])
    (stepmill.folder / "results.json").write_text(json.dumps(RECORD))
    wait_for("it is found", lambda: stepmill.cli("workflows", "show", "invoice").returncode == 0)
    run = stepmill.execute("invoice", {"customer": "Ada"})
    wait_for("it asks", lambda: stepmill.execution(run)["approvals"])
    assert stepmill.cli("approve", run).returncode == 0
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "COMPLETED", ended["error"]
    commands = next(text for _, text in fenced(PAGE, "") if "workflows test" in text)
    commands = commands.replace("invoice-1", ended["runId"])
    results = [stepmill.cli(*shlex.split(line)[1:]) for line in commands.splitlines()]
    assert [done.returncode for done in results] == [1, 0], [d.stdout + d.stderr for d in results]
    assert "invoice completed" in results[1].stdout


def test_every_call_is_there():
    """The tables name what the contexts have."""
    from harness.engine import SDK
    script = (SDK / "javascript/index.d.ts").read_text()
    context = script[script.index("export class WorkflowContext"):script.index("/** Any error")]
    for name in re.findall(r"^\t(?:readonly )?(\w+)[<(:]", context, re.M):
        assert name == "attempt" or f"{name}" in PAGE, name
    python = (SDK / "python/stepmill.py").read_text()
    python = python[python.index("class WorkflowContext"):python.index("# ---- workflows ----")]
    for name in re.findall(r"^    def ([a-z]\w+)\(self", python, re.M):
        assert f"{name}" in PAGE, name
