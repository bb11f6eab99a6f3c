"""examples/release-notes on real repositories: none, one, few and many commits, tags, merges, a
shallow clone, and a folder that is no repository."""
import hashlib
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from harness.stepmill import ROOT, Stepmill

EXAMPLE = ROOT / "examples/release-notes/release-notes.yaml"
NOTES = ".agent/release-notes.md"


def git(folder, *words):
    return subprocess.run(
        ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org",
         "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main", "-C", folder, *words],
        check=True, capture_output=True, text=True).stdout.strip()


def commit(folder, subject):
    git(folder, "commit", "-q", "--allow-empty", "-m", subject)


@pytest.fixture(scope="module")
def stepmill():
    with Stepmill(workers=1) as started:
        yield started


@pytest.fixture
def repository(stepmill):
    """The project's folder as a new repository; what was there before is gone."""
    shutil.rmtree(stepmill.folder / ".git", ignore_errors=True)
    (stepmill.folder / NOTES).unlink(missing_ok=True)
    git(stepmill.folder, "init", "-q")
    return stepmill.folder


@pytest.fixture
def example(stepmill, repository):
    """Runs it by the command line, as a person would; the run as the API shows it."""
    def run(*words, exit_status=0):
        done = stepmill.cli("run", EXAMPLE, *words)
        assert done.returncode == exit_status, done.stdout + done.stderr
        return stepmill.execution(re.search(r"^(\S+) [A-Z]+ in ", done.stdout, re.M)[1])
    return run


def taken(run):
    return [step["stepKey"] for step in run["steps"]]


def test_no_commit(example, repository):
    run = example()
    assert taken(run) == ["check", "range", "none", "group", "write", "keep", "tell"]
    assert run["output"] == {"file": NOTES, "commits": 0, "kinds": {}}
    assert (repository / NOTES).read_text() == "# Release notes\n\nNothing has changed.\n"
    assert [c["message"] for c in run["comments"]] == [
        "There is nothing to write about yet.", f"0 commits: {NOTES}"]


def test_one_commit(example, repository):
    commit(repository, "fix(api)!: answer \"é\" {{input.x}} `$(id)`")
    run = example()
    assert taken(run) == ["check", "range", "changes", "few", "group", "write", "keep", "tell"]
    assert run["output"]["kinds"] == {"fix": 1}
    text = (repository / NOTES).read_text()
    assert "1 commit by 1 author" in text
    assert ("## Fixes\n\n- **breaking** api: answer \"é\" {{input.x}} `$(id)` "
            f"({git(repository, 'rev-parse', 'HEAD')[:8]})\n") in text


def test_many_commits(example, repository, stepmill):
    for i in range(6):
        for subject in ("feat: f", "feat(ui): u", "worker, sql: w", "Say so", "docs: d"):
            commit(repository, f"{subject}{i}")
    run = example()
    assert "many" in taken(run) and "few" not in taken(run)
    assert run["output"] == {"file": NOTES, "commits": 30,
                             "kinds": {"feat": 12, "worker": 6, "docs": 6, "other": 6}}
    text = (repository / NOTES).read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Features", "## Documentation", "## worker", "## Other"]
    assert "- ui: u5 (" in text and "- and 4 more\n" in text and text.count("\n- d") == 6

    # what the run keeps is what was written, also after the file has changed
    (repository / NOTES).write_text("other")
    artifact, = run["artifacts"]
    assert (artifact["name"], artifact["type"]) == ("release-notes.md", "DOCUMENT")
    kept = stepmill.get(f"/api/artifacts/{artifact['id']}/download")
    assert kept.decode() == text and len(kept) == artifact["sizeBytes"]
    assert hashlib.sha256(kept).hexdigest() == artifact["sha256"]

    comment, = run["comments"]
    assert comment["message"] == f"30 commits: {NOTES}"
    assert comment["metadata"] == {"kinds": run["output"]["kinds"]}
    assert git(repository, "status", "--porcelain", "-uall", "--", ".", ":!.agent") == ""


def test_its_first_step_is_tried_again(example, stepmill):
    run = example()
    check = run["steps"][0]
    assert (check["status"], check["attemptNumber"], check["maxAttempts"]) == ("COMPLETED", 2, 3)
    of_check = [e for e in stepmill.events(run["id"]) if e["payload"].get("stepKey") == "check"]
    assert [e["type"] for e in of_check] == [
        "step.started", "step.failed", "step.started", "step.completed"]
    failed = of_check[1]["payload"]
    assert failed["willRetry"] and failed["error"]["exitCode"] == 1
    assert "on purpose" in failed["error"]["message"]


def test_from_the_newest_tag(example, repository):
    commit(repository, "feat: old")
    git(repository, "tag", "1.0")  # a number, were it read as JSON
    commit(repository, "feat: new")
    git(repository, "tag", "2.0")  # what is tagged now is what the notes are about
    assert example()["output"]["commits"] == 1
    assert "`1.0..HEAD`" in (repository / NOTES).read_text()
    assert example('from="2.0"')["output"]["commits"] == 0  # without the quotes a number


def test_input(example, repository):
    for i in range(3):
        commit(repository, f"fix: {i}")
    run = example("from=HEAD~2", "count=1", "file=notes/NEW.md")
    assert run["output"]["file"] == "notes/NEW.md" and run["output"]["commits"] == 1
    assert "The newest 1 commit" in (repository / "notes/NEW.md").read_text()
    run = example("from=--output=x", exit_status=1)
    assert run["error"]["step"] == "changes" and run["error"]["code"] == "input"
    run = example("file=../outside.md", exit_status=3)
    assert run["error"]["step"] == "write" and run["error"]["code"] == "denied"


def test_merges_count(example, repository):
    commit(repository, "feat: base")
    git(repository, "checkout", "-q", "-b", "side")
    (repository / "a").write_text("a")
    git(repository, "add", "a")
    commit(repository, "feat: side")
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "-m", "Merge side", "side")
    assert example()["output"]["kinds"] == {"feat": 2, "other": 1}


def test_a_shallow_clone(example, repository):
    with tempfile.TemporaryDirectory() as origin:
        git(origin, "init", "-q")
        for i in range(4):
            commit(origin, f"fix: {i}")
        git(origin, "tag", "v1", "HEAD~3")
        shutil.rmtree(repository / ".git")
        clone = pathlib.Path(origin) / "clone"
        git(origin, "clone", "-q", "--depth", "1", f"file://{origin}", clone)
        shutil.move(clone / ".git", repository / ".git")
        assert example()["output"]["commits"] == 1


def test_no_repository(example, repository):
    shutil.rmtree(repository / ".git")
    run = example(exit_status=1)
    assert run["status"] == "FAILED" and run["error"]["step"] == "check"
    assert "not a git repository" in run["error"]["message"]
    assert run["steps"][0]["attemptNumber"] == 3
