"""deploy/quickstart in a copy of the tree that was never built: Ctrl-C at any point leaves no
process behind, --once says by its exit status whether the run completed, and the repository
it ran in has nothing but what it names."""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from harness.stepmill import ROOT, wait_for

PATIENCE = 900  # to build on a small machine


def git(folder, *words):
    return subprocess.run(
        ["git", "-c", "safe.directory=*", "-c", "user.name=A", "-c", "user.email=a@example.org",
         "-c", "commit.gpgsign=false", "-C", folder, *words],
        check=True, capture_output=True, text=True).stdout


def processes_of(folder):
    needle, found = str(folder).encode(), []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != os.getpid() and (
                    needle in (entry / "cmdline").read_bytes()
                    or os.readlink(entry / "cwd").startswith(str(folder))):
                found.append((entry.name, (entry / "cmdline").read_bytes()))
        except OSError:
            continue
    return found


class Quickstart:
    """On a terminal of its own, as a person has it."""

    def __init__(self, tree, folder, *words):
        self.tree, self.text = tree, ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execv(tree / "deploy/quickstart", ["quickstart", *words])

    def read(self, seconds=0.2):
        """What it printed meanwhile; False once it has ended and all is read."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.terminal, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def wait(self, pattern, seconds=PATIENCE):
        until = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert self.read(), f"it ended before {pattern!r}:\n{self.text}"
            assert time.monotonic() < until, f"no {pattern!r}:\n{self.text}"

    def press_ctrl_c(self):
        os.write(self.terminal, b"\x03")

    def end(self, seconds=PATIENCE):
        until = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < until, self.text
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.terminal)
        return status


@pytest.fixture(scope="module")
def tree():
    """What git would take of this tree, and nothing that was built."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stepmill-tree-"))
    folder.chmod(0o755)
    for name in git(ROOT, "ls-files", "-z", "-co", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    yield folder
    assert not processes_of(folder)
    shutil.rmtree(folder)


@pytest.fixture
def repository():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stepmill-test-"))
    folder.chmod(0o755)
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "feat: all of it")
    yield folder
    assert not processes_of(folder)
    shutil.rmtree(folder)


def test_ctrl_c_while_it_builds(tree, repository):
    quickstart = Quickstart(tree, repository)
    quickstart.wait(r"\[\d+/\d+\]")
    quickstart.press_ctrl_c()
    assert quickstart.end(30) == 130
    assert not processes_of(tree) and not (repository / ".stepmill").exists()


def test_once_in_ones_own_repository(tree, repository):
    done = subprocess.run([tree / "deploy/quickstart", "--once"], cwd=repository, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout
    assert "will be tried again" in done.stdout and "COMPLETED" in done.stdout
    assert "- all of it (" in (repository / ".agent/release-notes.md").read_text()
    assert not processes_of(repository) and not processes_of(tree)
    untracked = git(repository, "status", "--porcelain", "-uall").splitlines()
    kept = re.compile(r"\?\? \.agent/(release-notes\.md|workflows/executions/.*)")
    assert untracked and all(kept.fullmatch(line) for line in untracked), untracked


def test_it_stays_up_until_ctrl_c(tree, repository):
    quickstart = Quickstart(tree, tree, "--repo", str(repository))
    quickstart.wait("Ctrl-C ends it")
    url = re.search(r"ready in .*: (http://[^\s]+)", quickstart.text)[1]
    ready = subprocess.run(["curl", "-sf", url + "/readyz"], capture_output=True)
    assert ready.returncode == 0 and len(processes_of(repository)) >= 5
    quickstart.press_ctrl_c()
    assert quickstart.end(60) == 0, quickstart.text
    assert not processes_of(repository)


@pytest.mark.parametrize("moment", ["starting PostgreSQL", "ready in", "tried again"])
def test_ctrl_c_before_the_end(tree, repository, moment):
    quickstart = Quickstart(tree, repository)
    quickstart.wait(moment)
    quickstart.press_ctrl_c()
    assert quickstart.end(60) == 130, quickstart.text
    assert not processes_of(repository)


def test_a_killed_quickstart_leaves_nothing(tree, repository):
    quickstart = Quickstart(tree, repository)
    quickstart.wait("Ctrl-C ends it")
    os.kill(quickstart.pid, signal.SIGKILL)
    assert quickstart.end(60) == -signal.SIGKILL
    wait_for("all processes gone", lambda: not processes_of(repository), 30)


def test_without_history_it_makes_one(tree):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stepmill-test-"))
    git(folder, "init", "-q")
    quickstart = Quickstart(tree, folder, "--once")
    assert quickstart.end() == 0, quickstart.text
    made = re.search(r"stepmill dev in (\S+)", quickstart.text)[1]
    assert made != str(folder) and not pathlib.Path(made).exists()
    assert "group commits by kind" in quickstart.text
    assert os.listdir(folder) == [".git"]
    shutil.rmtree(folder)


def test_a_run_that_fails_is_no_success(tree, repository):
    """What writes the notes meets a folder in their place."""
    (repository / ".agent/release-notes.md").mkdir(parents=True)
    quickstart = Quickstart(tree, repository, "--once")
    assert quickstart.end() == 1, quickstart.text
    assert "did not complete" in quickstart.text
    assert not processes_of(repository)


@pytest.mark.parametrize("words, why", [
    (["--repo"], "needs a folder"), (["--repo", "/nowhere/at/all"], "is no folder"),
    (["--nonsense"], "not understood"),
])
def test_wrong_use(tree, words, why):
    done = subprocess.run([tree / "deploy/quickstart", *words], cwd="/", text=True,
                          capture_output=True)
    assert done.returncode == 2 and why in done.stderr
