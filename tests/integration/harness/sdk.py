"""Programs in the three languages of the SDK, and killing what runs them."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

from .engine import SDK
from .stepmill import BIN, OVER, ROOT, wait_for

LANGUAGES = ["mjs", "py", "c"]
PROGRAMS = ROOT / "tests/integration/sdk"


def build(source, program):
    """A workflow program in C, with the library's own files."""
    subprocess.run(["cc", "-std=gnu17", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
                    "-I", SDK / "c", "-o", program, source, *sorted((SDK / "c").glob("*.c")),
                    "-ljson-c"], check=True)


def place(name, language, folder):
    """Puts a program of this test's into a folder of workflows, whole at once."""
    program = folder / f"{name}.{'workflow' if language == 'c' else language}"
    partly = folder.parent / f".{program.name}"  # in the same file system, and not looked at
    if language == "c":
        build(PROGRAMS / f"{name}.c", partly)
    else:
        shutil.copy(PROGRAMS / f"{name}.{language}", partly)
    partly.rename(program)
    return program


def agents():
    """Settings for a `stepmill dev` that has the scripted agent, and this command for scripts."""
    command = json.dumps([str(ROOT / "examples/agents/agent"), "{prompt}"])
    return {"STEPMILL_AGENTS": f"{{scripted: {{command: {command}, parser: jsonl}}}}",
            "PATH": f"{BIN}:{os.environ['PATH']}"}


def processes_of(run, program=""):
    """Programs of a run: all that have its id in their environment, and this in their words; what
    watches over them is not meant."""
    needle, found = f"STEPMILL_EXECUTION_ID={run}".encode(), []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if (entry.name.isdigit() and needle in (entry / "environ").read_bytes().split(b"\0")
                    and program.encode() in (entry / "cmdline").read_bytes()
                    and (entry / "comm").read_text().strip() != "stepmill-init"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


class Killer:
    """Kills at random what runs a run, program and worker alike; approves what it asks."""

    def __init__(self, stepmill, run, program, seed):
        self.stepmill, self.run, self.program = stepmill, run, program
        self.random = random.Random(seed)
        self.killed = {"program": 0, "worker": 0}

    def is_over(self):
        return self.stepmill.execution(self.run)["status"] in OVER

    def approve(self):
        for approval in self.stepmill.execution(self.run)["approvals"]:
            if approval["status"] == "pending":
                self.stepmill.cli("approve", self.run)

    def kill_one(self):
        kind = self.random.choice(["program", "worker"])
        pids = (processes_of(self.run, self.program) if kind == "program"
                else [worker["pid"] for worker in self.stepmill.ready_workers()])
        if not pids:
            return False
        try:
            os.kill(self.random.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.killed[kind] += 1
        return True

    def until_over(self, kills, seconds):
        """So many kills, as long as there is something to kill; then to the end."""
        until = time.monotonic() + seconds
        while sum(self.killed.values()) < kills and not self.is_over():
            assert time.monotonic() < until, f"killed {self.killed}, and it is not over"
            time.sleep(self.random.uniform(0.02, 0.35))
            if not self.kill_one():
                self.approve()  # it waits for that, perhaps
        def over():
            self.approve()
            return self.is_over()

        wait_for("the run over", over, max(5, until - time.monotonic()), every=0.1)
        return self.stepmill.execution(self.run)
