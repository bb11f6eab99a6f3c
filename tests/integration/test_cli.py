"""Every command of the command line, used rightly and wrongly, against a real stepmill dev:
what is printed for people and for programs, and what the exit status tells."""
import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from harness.stepmill import BIN, ROOT, wait_for

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
COMMANDS = ("dev run list show logs events cancel pause resume retry rerun approvals approve"
            " deny comment artifacts workflows projects validate schedule eval top scale migrate audit keys doctor"
            " bench completion").split()

QUICK = """
name: cli-quick
steps:
  - { id: first, name: First step, action: noop }
  - id: say
    action: tool
    tool: shell
    args: { command: 'echo "hello {{input.who}}"; echo second line' }
"""
FAILS = """
name: cli-fails
steps:
  - { id: boom, action: tool, tool: shell, args: { command: "echo no luck >&2; exit 3" } }
"""
SLEEPS = """
name: cli-sleeps
steps:
  - { id: nap, action: tool, tool: shell, args: { command: "echo begun; sleep 600" } }
"""
TALKS = """
name: cli-talks
steps:
  - id: talk
    action: tool
    tool: shell
    args: { command: "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.2; done" }
"""
TIMES_OUT = """
name: cli-times-out
timeout: 300
steps:
  - { id: nap, action: tool, tool: shell, args: { command: "sleep 600" } }
"""


def good(done):
    assert done.returncode == 0, (done.args, done.stdout, done.stderr)
    assert done.stderr == "", done.stderr
    return done.stdout


def refused(done, status, *words):
    """Nothing on standard output, and what is wrong on the other."""
    assert done.returncode == status, (done.args, done.returncode, done.stdout, done.stderr)
    assert done.stdout == "", done.stdout
    for word in words:
        assert word in done.stderr, (word, done.stderr)
    return done.stderr


def alone(*words, folder="/", environment=None, **more):
    """A command where no stepmill dev runs."""
    env = {key: value for key, value in os.environ.items()
           if not key.startswith("STEPMILL_") and key not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.run([BIN / "stepmill", *words], cwd=folder, env={**env, **(environment or {})},
                          capture_output=True, text=True, timeout=60, **more)


@contextlib.contextmanager
def started(stepmill, *words):
    """A command that goes on."""
    process = subprocess.Popen([BIN / "stepmill", *words], cwd=stepmill.folder, text=True,
                               env=stepmill.environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="module", autouse=True)
def workflows(shared):
    for text in (QUICK, FAILS, SLEEPS, TALKS, TIMES_OUT):
        shared.workflow(text)


# ---- help, and what is no command ----

@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_about_itself(command):
    for words in ((command, "--help"), ("help", command)):
        text = good(alone(*words))
        assert text.startswith(f"usage: stepmill {command}")
        assert "--json" in text and "--help" in text
    assert f"  {command} " in good(alone("--help"))


def test_without_a_command_the_help_goes_to_standard_error():
    assert "usage: stepmill COMMAND" in refused(alone(), 2)
    assert good(alone("help")) == good(alone("--help"))
    assert re.fullmatch(r"stepmill \d+\.\d+\.\d+\n", good(alone("--version")))


def test_an_unknown_command_names_the_nearest():
    refused(alone("lst"), 2, 'no command "lst"', "did you mean list?")
    refused(alone("help", "lst"), 2, "did you mean list?")
    refused(alone("quux"), 2, "--help")


@pytest.mark.parametrize("line, word", [
    ("run", "name a workflow"), ("run x --input {", "--input"), ("run x novalue", "KEY=VALUE"),
    ("run x =v", "KEY=VALUE"), ("run x --timeout 5", "--timeout"), ("run x --timeout 0s", "--timeout"),
    ("run x --input [] a=1", "object"), ("run x --input @/nowhere", "/nowhere"),
    ("list x", '"x"'), ("list --limit 0", "1 to 100"), ("list --limit 101", "1 to 100"),
    ("list --limt 5", "did you mean --limit?"), ("list --limit", "needs a value"),
    ("list --json=yes", "takes no value"), ("show", "one run"), ("show a b", "one run"),
    ("logs", "one run"), ("logs x --level loud", '"loud"'), ("events", "one run"),
    ("events x --since -1", "--since"), ("cancel", "one run"), ("workflows show", "show what?"),
    ("workflows nope", '"nope"'), ("workflows list x", '"x"'), ("workflows register", "register what?"),
    ("validate", "one file"), ("eval", "expression"), ("top x", '"x"'), ("top --every 1ms", "200ms to 1h"), ("top --every x", "x"), ("scale x", '"x"'), ("scale -- -1", '"-1"'),
    ("scale 1 2", "one number"), ("scale --node x", "a number of workers"), ("migrate x", '"x"'), ("keys", "create"), ("keys revoke", "revoke NAME"),
    ("keys create", "--name"), ("keys create --name a", "--role"),
    ("keys create --name a --role king", "viewer, operator or admin"),
    ("keys create --name a/b --role viewer", "--name"),
    ("keys create --name a --role viewer --expires 0s", "in the past"),
    ("keys create --name a --role viewer --expires soon", "90d"),
    ("doctor x", '"x"'), ("bench", "seq10"), ("bench nope", "seq10"), ("bench seq10 --runs 0", "--runs"),
    ("bench latency --in-flight 2", "one run at a time"), ("completion", "bash"),
    ("completion tcsh", "bash, zsh or fish"), ("dev x", '"x"'), ("dev --port 0", "--port"),
    ("dev --workers 0", "--workers"),
])
def test_wrong_use_is_said_and_has_its_own_status(line, word):
    command = line.split()[0]
    text = refused(alone(*line.split()), 2, word)
    assert text.startswith(f"stepmill {command}: ")
    assert f"stepmill {command} --help" in text


@pytest.mark.parametrize("line", ["run x", "list", "show x", "logs x", "events x", "cancel x",
                                  "workflows", "top", "scale", "bench seq10"])
def test_without_a_server_the_way_out_is_said(line):
    refused(alone(*line.split()), 5, "stepmill dev", "STEPMILL_URL")
    nobody = {"STEPMILL_URL": "http://127.0.0.1:1", "DATABASE_URL": "host=/nowhere"}
    refused(alone(*line.split(), environment=nobody), 5, "127.0.0.1:1" if line[:5] != "bench"
            else "PostgreSQL")


def test_a_url_that_is_none_is_wrong_use():
    refused(alone("list", "--url", "ftp://x"), 2, "http://")
    refused(alone("list", "--url", "unix:/nowhere"), 5, "unix:/nowhere")


def test_a_full_disk_behind_standard_output_is_no_success(shared):
    with open("/dev/full", "w") as full:
        for words in (("--version",), ("list",), ("completion", "zsh")):
            done = subprocess.run([BIN / "stepmill", *words], cwd=shared.folder, stdout=full,
                                  stderr=subprocess.PIPE, text=True, env=shared.environment)
            assert done.returncode == 1
            assert "standard output" in done.stderr


# ---- run ----

def test_run_shows_each_step_and_its_end(stepmill):
    lines = good(stepmill.cli("run", "cli-quick", "who=you")).splitlines()
    assert lines[0] == "  > First step"
    assert re.fullmatch(r"  ✓ First step  \d+ ms", lines[1])
    assert lines[2] == "  > say"
    assert re.fullmatch(r"  ✓ say  .*", lines[3])
    assert re.fullmatch(r"cli-quick-\d+ COMPLETED in .*", lines[4])


def test_run_gives_programs_the_whole_run(stepmill):
    run = json.loads(good(stepmill.cli("run", "cli-quick", "--json", "--input", '{"who": "me"}')))
    assert run["status"] == "COMPLETED"
    assert run["input"] == {"who": "me"}
    assert [step["stepKey"] for step in run["steps"]] == ["first", "say"]


def test_input_comes_from_words_options_files_and_standard_input(stepmill):
    def input_of(*words, **more):
        out = good(stepmill.cli("run", "cli-quick", "--json", *words, **more))
        return json.loads(out)["input"]

    (stepmill.folder / "in.json").write_text('{"who": "file"}')
    assert input_of("--input", "@in.json") == {"who": "file"}
    assert input_of("-i", "-", input='{"who": "pipe"}') == {"who": "pipe"}
    assert input_of("who=text", "n=7", "list=[1,2]", "flag=true", "q=a=b") == {
        "who": "text", "n": 7, "list": [1, 2], "flag": True, "q": "a=b"}
    assert input_of("-i@in.json", "more=größe") == {"who": "file", "more": "größe"}
    refused(stepmill.cli("run", "cli-quick", "-i", "-", input="{"), 2, "--input")
    refused(stepmill.cli("run", "cli-quick", "-i", "-", input=" " * (4 << 20) + "{}"), 2, "bytes")


def test_a_failed_run_has_status_1_and_says_why(stepmill):
    done = stepmill.cli("run", "cli-fails")
    assert done.returncode == 1
    assert "✗ boom" in done.stdout and "FAILED" in done.stdout
    assert "error: " in done.stdout


def test_a_run_past_its_time_has_status_4(stepmill):
    done = stepmill.cli("run", "cli-times-out")
    assert done.returncode == 4, done.stdout
    assert "TIMED_OUT" in done.stdout


def test_a_cancelled_run_has_status_6(stepmill):
    with started(stepmill, "run", "cli-sleeps") as process:
        assert process.stdout.readline() == "  > nap\n"
        newest = stepmill.get("/api/executions?limit=1&workflowId=cli-sleeps")["data"][0]
        assert good(stepmill.cli("cancel", newest["runId"])) == f"{newest['runId']} CANCELLED\n"
        assert process.wait(20) == 6
        assert "CANCELLED" in process.stdout.read()


def test_a_detached_run_is_its_id(stepmill):
    run = good(stepmill.cli("run", "cli-quick", "who=x", "--detach")).strip()
    assert UUID.match(run)
    assert stepmill.wait_ended(run)["status"] == "COMPLETED"
    answer = json.loads(good(stepmill.cli("run", "cli-quick", "who=x", "-d", "--json")))
    assert UUID.match(answer["executionId"])
    stepmill.wait_ended(answer["executionId"])


def test_patience_ends_and_the_run_goes_on(stepmill):
    done = stepmill.cli("run", "cli-sleeps", "--timeout", "300ms")
    assert done.returncode == 4
    run = re.search(r"stepmill cancel (\S+)", done.stderr).group(1)
    assert "not over in time" in done.stderr
    assert stepmill.execution(run)["status"] == "RUNNING"
    good(stepmill.cli("cancel", run))


def test_ctrl_c_stops_watching_at_once_and_the_run_goes_on(stepmill):
    with started(stepmill, "run", "cli-sleeps") as process:
        assert process.stdout.readline() == "  > nap\n"
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert time.monotonic() - begun < 15
        run = re.search(r"stepmill cancel (\S+)", process.stderr.read()).group(1)
    assert stepmill.execution(run)["status"] == "RUNNING"
    good(stepmill.cli("cancel", run))


def test_a_file_is_registered_first(stepmill):
    path = stepmill.folder / "new.yaml"
    path.write_text("name: cli-of-file\nsteps:\n  - { id: a, action: noop }\n")
    assert "cli-of-file-" in good(stepmill.cli("run", "new.yaml"))
    path.write_text("name: cli-of-file\nsteps:\n  - { id: a, action: nop }\n")
    text = refused(stepmill.cli("run", "new.yaml"), 1, "1 error", "3:")
    assert "noop" in text, "the nearest known action is named"
    refused(stepmill.cli("run", "missing.yaml"), 2, "missing.yaml")
    (stepmill.folder / "big.yaml").write_text("#" * (256 * 1024 + 1))
    refused(stepmill.cli("run", "big.yaml"), 2, "bytes")


def test_what_cannot_be_run_is_said(stepmill):
    refused(stepmill.cli("run", "cli-unknown"), 1, "cli-unknown", "404")
    refused(stepmill.cli("run", "cli-quick", "--priority", "urgent"), 1, "priority")
    refused(stepmill.cli("run", "cli-quick", "--run-at", "tomorrow"), 1, "runAt")
    refused(stepmill.cli("run", "../../etc/passwd"), 1, "400")


def test_a_run_for_later_waits_for_its_time(stepmill):
    at = time.time() + 1.5
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03d}Z"
    begun = time.monotonic()
    run = json.loads(good(stepmill.cli("run", "cli-quick", "who=x", "--run-at", text, "--json")))
    assert run["status"] == "COMPLETED"
    assert time.monotonic() - begun > 1


class Screen:
    """What a terminal shows: as much of it as run's lines need."""

    def __init__(self):
        self.lines, self.row = [""], 0

    def feed(self, text):
        for part in re.findall(r"\x1b\[1A|\x1b\[2K|\x1b\[\d+m|\r|\n|[^\x1b\r\n]+", text):
            if part == "\x1b[1A":
                self.row -= 1
            elif part == "\x1b[2K":
                self.lines[self.row] = ""
            elif part == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
            elif part[0] not in "\x1b\r":
                self.lines[self.row] += part


def test_a_terminal_sees_a_spinner_and_keeps_clean_lines(stepmill):
    master, slave = pty.openpty()
    process = subprocess.Popen([BIN / "stepmill", "run", "cli-talks"], cwd=stepmill.folder,
                               env=stepmill.environment, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    output = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while select.select([master], [], [], 20)[0]:
            piece = os.read(master, 4096)
            if not piece:
                break
            output += piece
    os.close(master)
    assert process.wait(20) == 0
    text = output.decode()
    assert len(set(re.findall(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]", text))) >= 5, "the spinner turns"
    screen = Screen()
    screen.feed(text)
    shown = [line for line in screen.lines if line]
    assert len(shown) == 3, shown
    assert re.fullmatch(r"  ✓ talk  1\.\d s", shown[0])
    assert re.fullmatch(r"cli-talks-\d+ COMPLETED in .*", shown[1])
    assert shown[2].startswith("  output: ")


def test_run_outlives_a_supervisor_that_is_away_for_a_while(fresh):
    fresh.workflow(TALKS)
    with started(fresh, "run", "cli-talks") as process:
        assert process.stdout.readline() == "  > talk\n"
        os.kill(fresh.state["supervisorPid"], signal.SIGKILL)
        assert process.wait(40) == 0, process.stderr.read()
        assert "COMPLETED" in process.stdout.read()


# ---- list, show, logs, events, cancel ----

def test_a_batch_has_a_run_for_each_line_or_item(stepmill):
    path = stepmill.folder / "batch.jsonl"
    path.write_text('{"who": "one"}\n\n  {"who": "two"}\r\n{"who": "three"}')
    want = ["one", "two", "three"]

    def inputs(ids):
        return [stepmill.wait_ended(run)["input"]["who"] for run in ids]
    ids = good(stepmill.cli("run", "cli-quick", "--batch", "batch.jsonl", "-p", "low")).splitlines()
    assert all(UUID.match(run) for run in ids) and inputs(ids) == want
    assert stepmill.execution(ids[0])["priority"] == "low"
    listed = json.dumps([{"who": who} for who in want])
    told = json.loads(good(stepmill.cli("run", "cli-quick", "--batch", "-", "--json", input=listed)))
    assert list(told) == ["executionIds"] and inputs(told["executionIds"]) == want


def test_a_batch_of_more_than_a_call_takes_goes_in_several(stepmill):
    name = stepmill.define({"id": "a", "action": "noop"}, input={
        "type": "object", "properties": {"n": {"type": "integer"}}})
    lines = [json.dumps({"n": n}) for n in range(10001)]
    ids = good(stepmill.cli("run", name, "--batch", "-", input="\n".join(lines))).splitlines()
    assert len(set(ids)) == 10001
    assert stepmill.execution(ids[10000])["input"] == {"n": 10000}
    wait_for("all are over", lambda: stepmill.sql(
        "select count(*) from v_runs where workflow_name = %s and status = 'completed'",
        name)[0][0] == 10001, 240, every=0.5)
    lines[10000] = '{"n": "x"}'
    done = stepmill.cli("run", name, "--batch", "-", input="\n".join(lines))
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 10000
    assert "inputs[10000].n" in done.stderr and "the first 10000 of 10001" in done.stderr
    cancelled = stepmill.post("/api/executions/bulk", {
        "action": "cancel", "filter": {"workflowId": name, "status": "pending,running"}})
    assert cancelled["action"] == "cancel"


def test_what_is_no_batch_starts_nothing(stepmill):
    before = stepmill.sql("select count(*) from workflow_runs")
    for text, word in (("", "no input"), ("[]", "no input"), ('{"who": 1}\n{"who": ]', "line 2"),
                       ("[1,", "--batch"), ("{'a': 1}", "line 1")):
        refused(stepmill.cli("run", "cli-quick", "--batch", "-", input=text), 2, word)
    refused(stepmill.cli("run", "cli-quick", "--batch", "no-such-file"), 2, "no-such-file")
    refused(stepmill.cli("run", "cli-quick", "a=1", "--batch", "-"), 2, "KEY=VALUE")
    refused(stepmill.cli("run", "cli-quick", "-i", "{}", "--batch", "-"), 2, "--input")
    refused(stepmill.cli("run", "cli-none", "--batch", "-", input="{}"), 1, "cli-none")
    assert stepmill.sql("select count(*) from workflow_runs") == before


def test_a_run_is_shown_until_its_end(stepmill):
    run = good(stepmill.cli("run", "cli-talks", "--detach")).strip()
    with started(stepmill, "show", "--follow", run) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == "" and "COMPLETED in" in out and "talk" in out
    failed = good(stepmill.cli("run", "cli-fails", "--detach")).strip()
    done = stepmill.cli("show", "-f", failed, "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["status"] == "FAILED"
    refused(stepmill.cli("show", "-f", "cli-quick-999999"), 1, 'there is no run "cli-quick-999999"')


def test_the_audit_log_is_listed(stepmill):
    run = good(stepmill.cli("run", "cli-sleeps", "--detach")).strip()
    good(stepmill.cli("cancel", run))
    lines = good(stepmill.cli("audit", "list", "--target", run)).splitlines()
    assert lines[0].split()[:4] == ["AT", "WHO", "WHAT", "TARGET"]
    assert [line.split()[2] for line in lines[1:]] == ["execution.cancel", "workflow.execute"]
    who = lines[1].split()[1]
    rows = json.loads(good(stepmill.cli("audit", "list", "--who", who, "--what", "execution.cancel",
                                        "-n", "1", "--json")))["data"]
    assert [row["target"] for row in rows] == [run]
    assert good(stepmill.cli("audit", "list", "--what", "nothing")) == "no entries\n"
    assert good(stepmill.cli("audit", "list", "--until", "2020-01-01T00:00:00Z")) == "no entries\n"
    refused(stepmill.cli("audit", "list", "-n", "1000"), 2, "--limit")
    refused(stepmill.cli("audit", "seal"), 2, "list or verify")


def test_list_filters_and_pages(stepmill):
    for _ in range(3):
        good(stepmill.cli("run", "cli-fails", "--detach"))
    wait_for("three failed", lambda: stepmill.get(
        "/api/executions?status=failed&workflowId=cli-fails")["pagination"]["total"] >= 3)
    lines = good(stepmill.cli("list", "-w", "cli-fails", "-s", "failed", "-n2")).splitlines()
    assert lines[0].split() == ["RUN", "STATUS", "STEP", "TIME", "STARTED", "EXECUTION"]
    assert len(lines) == 3
    assert all(line.split()[1] == "FAILED" for line in lines[1:])
    pages = [json.loads(good(stepmill.cli("list", "-w", "cli-fails", "-n", "1", "--page", str(page),
                                          "--json")))["data"][0]["id"] for page in (1, 2)]
    assert pages[0] > pages[1], "newest first"
    assert good(stepmill.cli("list", "-w", "cli-none")) == "no runs\n"
    refused(stepmill.cli("list", "--status", "nope"), 1, '"nope"')
    run = json.loads(good(stepmill.cli("list", "-q", "cli-fails", "-n", "1", "--json")))["data"][0]
    for words, there in ((("--project", run["projectId"]), True), (("--triggered-by", "manual"), True),
                         (("--triggered-by", "retry"), False), (("--since", run["createdAt"]), True),
                         (("--until", run["createdAt"]), False), (("-q", "no such"), False)):
        listed = json.loads(good(stepmill.cli("list", "-w", "cli-fails", "-n", "100", "--json", *words)))
        assert (run["id"] in [row["id"] for row in listed["data"]]) == there, words


def test_show_has_everything_of_a_run(stepmill):
    run = json.loads(good(stepmill.cli("run", "cli-quick", "who=x", "--json")))
    text = good(stepmill.cli("show", run["runId"]))
    for part in (run["runId"], run["id"], "COMPLETED", '{"who":"x"}', "First step", "say", "1/1"):
        assert part in text
    assert json.loads(good(stepmill.cli("show", run["id"], "--json")))["id"] == run["id"]
    for command in ("show", "logs", "events"):
        refused(stepmill.cli(command, "cli-quick-999999"), 1, 'there is no run "cli-quick-999999"')


def test_what_a_step_printed_cannot_touch_the_terminal(stepmill):
    name = stepmill.workflow(
        "name: cli-evil\nsteps:\n  - id: evil\n    name: \"a\\e[2Jb\"\n    action: tool\n    tool: shell\n"
        "    args: { command: \"printf '\\\\033]0;title\\\\007'; printf '\\\\302\\\\233m'; exit 1\" }\n")
    for words in (("run", name), ("list", "-w", name)):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", stepmill.cli(*words).stdout)
    run = stepmill.get(f"/api/executions?limit=1&workflowId={name}")["data"][0]["runId"]
    for command in ("show", "logs", "events"):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", good(stepmill.cli(command, run)))


def test_logs_are_printed_followed_and_filtered(stepmill):
    run = good(stepmill.cli("run", "cli-talks", "-d")).strip()
    followed = good(stepmill.cli("logs", "-f", run)).splitlines()
    assert [line.split(" ", 2)[2] for line in followed] == [f" talk: line {i}" for i in range(1, 7)]
    assert good(stepmill.cli("logs", run)).splitlines() == followed
    entries = [json.loads(line) for line in good(stepmill.cli("logs", run, "--json")).splitlines()]
    assert [entry["message"] for entry in entries] == [f"line {i}" for i in range(1, 7)]
    assert good(stepmill.cli("logs", run, "--step", "other")) == ""
    assert good(stepmill.cli("logs", run, "--level", "fatal")) == ""
    assert len(good(stepmill.cli("logs", run, "-s", "talk", "-l", "info")).splitlines()) == 6


def test_a_run_that_wrote_nothing_has_an_empty_log(stepmill):
    name = stepmill.workflow("name: cli-mute\nsteps:\n  - { id: a, action: noop }\n")
    run = json.loads(good(stepmill.cli("run", name, "--json")))
    assert good(stepmill.cli("logs", run["id"])) == ""


def test_a_long_log_is_followed_in_pieces(stepmill):
    name = stepmill.workflow(
        "name: cli-long\nsteps:\n  - id: long\n    action: tool\n    tool: shell\n"
        "    args: { command: 'for i in $(seq 3); do seq 40000; sleep 0.3; done' }\n")
    run = good(stepmill.cli("run", name, "-d")).strip()
    followed = good(stepmill.cli("logs", "-f", run, "--json"))
    stepmill.wait_ended(run)
    stored = stepmill.get(f"/api/executions/{run}/logs/download").decode()
    assert followed.count("\n") == stored.count("\n") > 0
    assert [json.loads(line) for line in followed.splitlines()] == [
        json.loads(line) for line in stored.splitlines()]


def test_events_come_in_order_from_any_number(stepmill):
    run = good(stepmill.cli("run", "cli-talks", "-d")).strip()
    followed = [json.loads(line) for line in
                good(stepmill.cli("events", "-f", run, "--json")).splitlines()]
    assert [event["seq"] for event in followed] == [1, 2, 3, 4]
    assert [event["type"] for event in followed] == [
        "run.started", "step.started", "step.completed", "run.completed"]
    text = good(stepmill.cli("events", run, "--since", "2")).splitlines()
    assert [line.split()[0] for line in text] == ["3", "4"]
    assert text[0].endswith("step.completed  talk")
    assert good(stepmill.cli("events", run, "--since", "4")) == ""


def test_cancel_takes_several_and_names_the_one_that_failed(stepmill):
    runs = [good(stepmill.cli("run", "cli-sleeps", "-d")).strip() for _ in range(2)]
    over = json.loads(good(stepmill.cli("run", "cli-quick", "who=x", "--json")))["runId"]
    done = stepmill.cli("cancel", runs[0], over, "nope-1", runs[1])
    assert done.returncode == 1
    assert done.stdout == f"{runs[0]} CANCELLED\n{runs[1]} CANCELLED\n"
    assert f'run "{over}": the execution is over' in done.stderr
    assert 'there is no run "nope-1"' in done.stderr
    for run in runs:
        assert stepmill.wait_ended(run)["status"] == "CANCELLED"


# ---- workflows, validate, eval ----

def test_workflows_are_listed_shown_and_registered(stepmill):
    (stepmill.folder / "w.yaml").write_text("# mine\nname: cli-reg\nsteps:\n  - { id: a, action: noop }\n")
    (stepmill.folder / "bad.yaml").write_text("name: cli-bad\nsteps: []\n")
    assert good(stepmill.cli("workflows", "register", "w.yaml")) == "cli-reg version 1\n"
    assert good(stepmill.cli("workflows", "register", "w.yaml")) == "cli-reg version 1 (unchanged)\n"
    (stepmill.folder / "w.yaml").write_text("name: cli-reg\nsteps:\n  - { id: b, action: noop }\n")
    done = stepmill.cli("workflows", "register", "bad.yaml", "w.yaml")
    assert (done.returncode, done.stdout) == (1, "cli-reg version 2\n")
    assert re.search(r"^cli-reg +2 +yes", good(stepmill.cli("workflows")), re.M)
    assert "id: b" in good(stepmill.cli("workflows", "show", "cli-reg"))
    assert len(good(stepmill.cli("workflows", "versions", "cli-reg")).splitlines()) == 3
    names = [w["name"] for w in json.loads(good(stepmill.cli("workflows", "list", "--json")))["data"]]
    assert "cli-reg" in names and "cli-bad" not in names
    for verb in ("show", "versions"):
        refused(stepmill.cli("workflows", verb, "cli-none"), 1, 'there is no workflow "cli-none"')


def test_all_workflows_are_listed_however_many(stepmill):
    for i in range(101):
        stepmill.workflow(f"name: cli-many-{i:03d}\nsteps:\n  - {{ id: a, action: noop }}\n")
    names = [w["name"] for w in json.loads(good(stepmill.cli("workflows", "--json")))["data"]]
    assert len([name for name in names if name.startswith("cli-many-")]) == 101
    assert len(names) == len(set(names))


def test_validate_shows_every_error_at_its_place(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text("name: größe ok\nsteps:\n  - { id: a, action: nope }\n  - { id: a, action: noop, queu: x }\n")
    done = alone("validate", "w.yaml", folder=tmp_path)
    assert done.returncode == 1 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert any(line.startswith("w.yaml:3:") for line in lines)
    shown = [i for i, line in enumerate(lines) if line.strip() == "^"]
    assert len(shown) >= 3
    for i in shown:  # the caret stands below what is wrong
        place = re.match(r"w\.yaml:(\d+):(\d+)", lines[i - 2])
        assert lines[i].index("^") - 4 == int(place.group(2)) - 1
        assert lines[i - 1][4:] == path.read_text().splitlines()[int(place.group(1)) - 1]
    path.write_text("name: fine\nsteps:\n  - { id: a, action: noop }\n")
    assert good(alone("validate", "w.yaml", folder=tmp_path)) == "w.yaml: good (fine, 1 step)\n"
    assert good(alone("validate", "-", input=path.read_text())) == "-: good (fine, 1 step)\n"


def test_validate_knows_files_that_cannot_be_read(tmp_path):
    (tmp_path / "ok.yaml").write_text("name: fine\nsteps:\n  - { id: a, action: noop }\n")
    (tmp_path / "big.yaml").write_text("#" * (256 * 1024 + 1))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01name: x")
    names = ("ok.yaml", "missing.yaml", ".", "big.yaml", "binary.yaml")
    done = alone("validate", *names, "--json", folder=tmp_path)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert [(item["file"], item["valid"]) for item in report] == [
        (name, name == "ok.yaml") for name in names]
    assert all(item["errors"] for item in report[1:])
    assert "missing.yaml" in alone("validate", "missing.yaml", folder=tmp_path).stdout


def test_eval_is_there():
    assert json.loads(good(alone("eval", "[1, 2, 3].filter(n, n > 1)"))) == [2, 3]
    done = alone("eval", "1 +")
    assert done.returncode == 1


# ---- scale, migrate, keys, doctor, bench, completion ----

def test_top_shows_who_works_and_what_waits(stepmill):
    run = stepmill.begin({"id": "ask", "action": "approval", "prompt": "Shall we?"})
    wait_for("it waits", lambda: stepmill.execution(run)["status"] == "PAUSED")
    shown = good(stepmill.cli("top"))
    node = stepmill.ask("GET", "/api/pool").json["nodes"][0]
    assert re.search(rf"^{re.escape(node['host'])} .* {node['id']}$", shown, re.M), shown
    assert re.search(r"^\d+ +\S+ +\d+/\d+ +\S+", shown, re.M), shown
    assert re.search(rf"^{stepmill.execution(run)['runId']} +PAUSED", shown, re.M), shown
    said = json.loads(good(stepmill.cli("top", "--json")))
    assert set(said) == {"stats", "pool", "queues", "executions"}
    stepmill.post(f"/api/executions/{run}/cancel")


def test_top_on_a_terminal_is_drawn_until_it_is_told_to_end(stepmill):
    master, slave = pty.openpty()
    process = subprocess.Popen([BIN / "stepmill", "top", "--every", "200ms"], cwd=stepmill.folder,
                               env=stepmill.environment, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    output = b""
    while output.count(b"\x1b[H") < 3:
        assert select.select([master], [], [], 20)[0], output
        output += os.read(master, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    os.close(master)


def test_scale_shows_and_sets_the_workers(stepmill):
    assert "2 workers wanted" in good(stepmill.cli("scale"))
    assert good(stepmill.cli("scale", "3")).startswith("3 workers wanted")
    wait_for("three workers", lambda: len(stepmill.ready_workers()) == 3)
    lines = good(stepmill.cli("scale")).splitlines()
    assert lines[1].split() == ["WORKER", "PID", "STATE", "SLOTS"] and len(lines) == 5
    assert json.loads(good(stepmill.cli("scale", "2", "--json")))["desired"] == 2
    wait_for("two workers", lambda: len(stepmill.pool()["workers"]) == 2)
    refused(stepmill.cli("scale", "100000"), 1, "workers")


def test_migrate_says_where_the_database_is(stepmill):
    newest = max(int(path.name[:4]) for path in (ROOT / "sql/migrations").glob("*.sql"))
    assert f"database at {newest}" in good(stepmill.cli("migrate", "--status"))
    assert json.loads(good(stepmill.cli("migrate", "--json"))) == {
        "known": newest, "applied": newest, "changed": False}
    assert stepmill.sql("select path from projects where name = 'default'") == [(str(stepmill.folder),)]
    refused(alone("migrate"), 2, "DATABASE_URL")
    refused(alone("migrate", "--database-url", "host=/nowhere"), 5, "/nowhere")


def test_migrate_makes_a_database_from_nothing(stepmill):
    stepmill.sql("create database cli_new")
    try:
        url = stepmill.state["databaseUrl"].replace("dbname=stepmill", "dbname=cli_new")
        done = alone("migrate", "--status", "--database-url", url)
        assert done.returncode == 1 and "database at 0" in done.stdout
        refused(alone("keys", "list", "--database-url", url), 1, "stepmill migrate")
        applied = good(alone("migrate", environment={"DATABASE_URL": url})).splitlines()
        assert applied[0] == "applied 0001_first"
        good(alone("keys", "list", "--database-url", url))
        assert good(alone("migrate", "--database-url", url)).count("applied") == 0
    finally:
        stepmill.sql("drop database cli_new with (force)")


@contextlib.contextmanager
def guarded(stepmill):
    """A second supervisor on the same database, that asks for keys; its URL."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/http.sock"
        log = open(f"{folder}/log", "w+")
        env = {**stepmill.environment, "STEPMILL_DATABASE_URL": stepmill.state["databaseUrl"],
               "STEPMILL_REDIS_URL": stepmill.state["redisUrl"], "STEPMILL_PROJECT_PATH": folder,
               "STEPMILL_HTTP_LISTEN": f"unix:{path}", "STEPMILL_POOL_WORKERS": "1"}
        process = subprocess.Popen([BIN / "stepmill-supervisor"], cwd=folder, env=env, stderr=log)
        try:
            def ready():
                with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
                    client.connect(path)
                    client.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    return client.recv(100).startswith(b"HTTP/1.1 200")
            wait_for("the second supervisor", ready)
            yield f"unix:{path}"
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
            log.close()


def test_keys_open_what_their_role_may_until_they_are_revoked(stepmill):
    made = {role: good_key(stepmill, role) for role in ("viewer", "operator", "admin")}
    with guarded(stepmill) as url:
        def ask(key, *words):
            return stepmill.cli(*words, "--url", url, "--key", key) if key else \
                stepmill.cli(*words, "--url", url)

        refused(ask(None, "list"), 3, "STEPMILL_API_KEY", "401")
        refused(ask("sm_wrong", "list"), 3, "401")
        refused(ask(made["viewer"], "run", "cli-quick", "who=x"), 3, "403", "operator")
        refused(ask(made["operator"], "scale", "1"), 3, "403", "admin")
        good(ask(made["viewer"], "list"))
        run = json.loads(good(ask(made["operator"], "run", "cli-quick", "who=x", "--json")))
        assert run["requestedBy"] == "cli-operator"
        good(ask(made["admin"], "scale", "1"))
        good(stepmill.cli("keys", "revoke", "cli-viewer"))
        wait_for("the key is refused", lambda: ask(made["viewer"], "list").returncode == 3, 15)


def good_key(stepmill, role):
    done = stepmill.cli("keys", "create", "--name", f"cli-{role}", "--role", role)
    assert done.returncode == 0
    assert re.fullmatch(r"sm_[A-Za-z0-9_-]{43}\n", done.stdout)
    key = done.stdout.strip()
    stored = stepmill.sql("select encode(key_hash, 'escape') from api_keys where name = %s", f"cli-{role}")
    assert key not in stored[0][0]
    return key


def test_keys_are_listed_with_their_state(stepmill):
    made = json.loads(good(stepmill.cli("keys", "create", "--name", "cli-short", "--role", "viewer",
                                        "--expires", "1h", "--json")))
    assert set(made) == {"name", "role", "expiresAt", "key"}
    assert good(stepmill.cli("keys", "revoke", "cli-short")).startswith("revoked")
    listed = {key["name"]: key for key in json.loads(good(stepmill.cli("keys", "list", "--json")))}
    assert listed["cli-short"]["state"] == "revoked"
    assert listed["cli-short"]["expiresAt"] == made["expiresAt"]
    text = good(stepmill.cli("keys", "list"))
    assert re.search(r"^cli-short +viewer +revoked", text, re.M)
    assert made["key"] not in text
    refused(stepmill.cli("keys", "create", "--name", "cli-short", "--role", "viewer"), 1, "cli-short")
    refused(stepmill.cli("keys", "revoke", "cli-none"), 1, "cli-none")
    refused(stepmill.cli("keys", "create", "--name", "x" * 101, "--role", "viewer"), 2, "--name")


def test_doctor_finds_everything_good(stepmill):
    report = json.loads(good(stepmill.cli("doctor", "--json")))
    assert report["healthy"] is True
    states = {item["check"]: item["state"] for item in report["checks"]}
    for check in ("stepmill", "node", "python3", "git", "isolation", "project", "disk", "postgresql",
                  "connections", "schema", "redis", "supervisor"):
        assert states[check] == "ok", (check, report)
    text = good(stepmill.cli("doctor"))
    assert "need 19; max_connections is 200" in text
    assert re.search(r"\d+ good, 0 to look at, 0 wrong", text)


def test_doctor_says_what_is_wrong_with_a_way_out(tmp_path):
    def states(**environment):
        done = alone("doctor", "--json", folder=tmp_path, environment=environment)
        report = json.loads(done.stdout)
        for item in report["checks"]:
            assert (item["fix"] is None) == (item["state"] == "ok"), item
        assert done.returncode == (0 if report["healthy"] else 1)
        return {item["check"]: item["state"] for item in report["checks"]}

    nothing = states()
    assert (nothing["postgresql"], nothing["redis"], nothing["supervisor"]) == ("fail", "warn", "warn")
    away = states(DATABASE_URL="host=/nowhere", REDIS_URL="unix:/nowhere", PATH="/nowhere",
                  STEPMILL_URL="http://127.0.0.1:1")
    assert (away["postgresql"], away["redis"], away["supervisor"]) == ("fail", "warn", "fail")
    assert (away["node"], away["python3"], away["git"]) == ("warn", "warn", "warn")
    assert states(STEPMILL_PROJECT_PATH="/nowhere")["project"] == "fail"
    (tmp_path / "stepmill.yaml").write_text("worker: { slots: many }\n")
    refused(alone("doctor", folder=tmp_path), 2, "stepmill.yaml:1", "slots")


def test_bench_measures_and_verifies(stepmill):
    for workload, runs, steps in (("seq10", 50, 10), ("single", 200, 1), ("latency", 5, 10),
                                  ("fan100", 4, 101), ("fan-latency", 2, 101)):
        figures = json.loads(good(stepmill.cli("bench", workload, "--runs", str(runs), "--json")))
        assert figures["complete"] is True
        assert (figures["completed"], figures["steps"]) == (runs, runs * steps)
        waits = workload.startswith("fan")  # of the step that fans out
        assert figures["events"] == runs * (2 * steps + 2 + waits)
        assert figures["runsWithGaps"] == 0
        assert figures["stepsPerSecond"] > 0 and figures["runsPerSecond"] > 0
        assert 0 < figures["latencyMs"]["min"] <= figures["latencyMs"]["p50"]
        assert figures["latencyMs"]["p50"] <= figures["latencyMs"]["p99"] <= figures["latencyMs"]["max"]
        assert figures["commitsPerStep"] > 0 and figures["walBytesPerStep"] > 100
        assert {"client", "front", "workers", "postgres", "redis"} <= set(figures["cpuMicrosecondsPerStep"])
    text = good(stepmill.cli("bench", "single", "-n", "20", "--in-flight", "3"))
    assert re.search(r"^complete +20 of 20 runs completed, 20 steps, 80 events", text, re.M)


def test_bench_counts_what_the_database_says(stepmill):
    """A worker that is gone, and nobody to do the work: not complete, and said so."""
    good(stepmill.cli("scale", "0"))
    wait_for("no workers", lambda: not stepmill.pool()["workers"])
    try:
        done = stepmill.cli("bench", "seq10", "--runs", "5", "--timeout", "500ms")
        assert done.returncode == 4
        assert "NOT COMPLETE" in done.stdout and "not all runs were over" in done.stderr
    finally:
        good(stepmill.cli("scale", "2"))
    wait_for("all over", lambda: stepmill.get("/api/executions?status=running,pending"
                                              "&workflowId=stepmill-bench-seq10")["pagination"]["total"] == 0)


def test_bench_refuses_a_database_that_is_not_the_servers(stepmill):
    stepmill.sql("create database cli_other")
    try:
        url = stepmill.state["databaseUrl"].replace("dbname=stepmill", "dbname=cli_other")
        good(alone("migrate", "--database-url", url))
        refused(stepmill.cli("bench", "single", "-n", "1", "--database-url", url), 2, "not the one of")
    finally:
        stepmill.sql("drop database cli_other with (force)")
    refused(stepmill.cli("bench", "single", "--url", "https://127.0.0.1:1"), 5, "https://127.0.0.1:1")


def bash_completes(*words):
    """What bash offers for the last word."""
    script = good(alone("completion", "bash"))
    quoted = " ".join(f"'{word}'" for word in words)
    test = f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n_stepmill\n" \
           "printf '%s\\n' \"${COMPREPLY[@]}\""
    return subprocess.run(["bash", "-euc", test], capture_output=True, text=True,
                          check=True).stdout.split()


def test_bash_completes_commands_options_and_choices():
    assert bash_completes("stepmill", "comp") == ["completion"]
    assert set(COMMANDS) <= set(bash_completes("stepmill", ""))
    assert bash_completes("stepmill", "run", "x", "--pri") == ["--priority"]
    assert bash_completes("stepmill", "run", "x", "-p", "") == ["high", "normal", "low"]
    assert bash_completes("stepmill", "keys", "re") == ["revoke"]
    assert bash_completes("stepmill", "keys", "create", "--role", "o") == ["operator"]
    assert bash_completes("stepmill", "workflows", "") == ["list", "show", "versions", "register", "test"]


def test_other_shells_are_told_of_every_command_and_option():
    zsh, fish = good(alone("completion", "zsh")), good(alone("completion", "fish"))
    assert zsh.startswith("#compdef stepmill\n")
    for command in COMMANDS:
        assert f"'{command}:" in zsh and f"\t{command}) _arguments" in zsh
        assert f" -a {command} " in fish
        for option in re.findall(r"--([a-z-]+)", good(alone(command, "--help")).split("\n\n")[-1]):
            if command != "eval":
                assert re.search(rf"seen_subcommand_from {command}' -l {option}\b", fish), option
    assert zsh.replace("'\\''", "").count("'") % 2 == 0


@pytest.mark.parametrize("name", ["stepmill-supervisor", "stepmill-worker", "stepmill-scheduler"])
def test_the_man_pages_of_the_servers_have_their_options(name):
    help_text = subprocess.run([BIN / name, "--help"], capture_output=True, text=True, check=True).stdout
    page = (ROOT / f"deploy/man/{name}.8").read_text().replace("\\-", "-")
    listed = re.findall(r"^\.B (--[a-z-]+)", page, re.M)
    assert sorted(listed) == sorted(set(re.findall(r"^ +(--[a-z-]+)", help_text, re.M)))
