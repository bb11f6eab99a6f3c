"""examples/simple-sdlc in both forms, as a newcomer starts it; the examples and templates around it
are sound, and those that need no model do what they say."""
import json
import os
import shutil
import subprocess

import pytest

from harness.sdk import agents
from harness.stepmill import BIN, ROOT, Stepmill, wait_for

EXAMPLES = ROOT / "examples"
FILES = ["simple-sdlc/simple-sdlc.yaml", "build-feature/build-feature.yaml",
         "full-sdlc/full-sdlc.yaml", "templates/data-pipeline.yaml",
         "templates/approval-flow.yaml", "templates/bot-collaboration.yaml"]


def git(folder, *words):
    return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True,
                          text=True).stdout


@pytest.mark.parametrize("words", [(), ("--program",)], ids=["yaml", "program"])
def test_one_command(tmp_path, words):
    """From a clean folder to a branch, a commit, a test report, comments and a pull request."""
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)  # the servers of root run as another user
    kept = tmp_path / "kept"
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("STEPMILL_", "GIT_"))}
    done = subprocess.run([EXAMPLES / "simple-sdlc/run", *words, "--keep", kept], text=True,
                          env=environment | {"PATH": f"{BIN}:{os.environ['PATH']}"}, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    remote = kept / "acme/greeter.git"
    assert git(remote, "log", "--format=%s", "main..feature/shout") == "Add shout\n"
    assert sorted(git(remote, "diff", "--name-only", "main..feature/shout").split()) == [
        "greeter/shout.py", "tests/test_shout.py"]
    pull, = json.loads((kept / "pull-requests.json").read_text())
    assert (pull["head"], pull["base"], pull["title"]) == ("feature/shout", "main", "Add shout")
    assert "1. write greeter/shout.py" in pull["body"]
    assert "The plan:" in done.stdout and pull["html_url"] in done.stdout
    assert "artifact test-report.txt TEST_REPORT" in done.stdout
    report, = kept.rglob("executions/*/artifacts/*/*test-report.txt")
    assert "test_shout" in report.read_text() and "OK" in report.read_text()
    assert not (kept / "greeter/.stepmill/dev.json").exists()


@pytest.fixture(scope="module")
def stepmill():
    with Stepmill(workers=2, environment=agents()) as it:
        yield it


# ---- what grows out of it ----

@pytest.fixture
def forge(tmp_path):
    """The forge of examples/agents: its address, and the file with what it was asked."""
    file = tmp_path / "pull-requests.json"
    process = subprocess.Popen([EXAMPLES / "agents/forge", file], stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().strip(), file
    process.kill()
    process.wait()


@pytest.fixture
def repository(tmp_path):
    """The project of simple-sdlc, with a bare repository as its remote."""
    folder = tmp_path / "greeter"
    shutil.copytree(EXAMPLES / "simple-sdlc/project", folder)
    git(tmp_path, "init", "-q", "--bare", "-b", "main", tmp_path / "acme/greeter.git")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.org")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "A greeter")
    git(folder, "remote", "add", "origin", f"file://{tmp_path}/acme/greeter.git")
    git(folder, "push", "-q", "origin", "main")
    for place in (tmp_path, *tmp_path.parents[:-2]):
        place.chmod(0o755)  # the servers of root run as another user
    return folder


def test_build_feature(repository, forge):
    """With a plan that a person approves, tests that fail at first, and a review."""
    address, pulls = forge
    broken = (repository / "specs/shout.md").read_text().replace('rstrip(".") + "!"', 'rstrip(".")')
    (repository / "specs/shout.md").write_text(broken)
    agents_yaml = (EXAMPLES / "agents/agents.yaml").read_text().replace(
        "@HERE@", str(EXAMPLES / "agents"))
    with Stepmill(workers=1, folder=repository, environment={
            "STEPMILL_AGENTS": agents_yaml, "STEPMILL_FORGE_URL": address,
            "STEPMILL_FORGE_TOKEN": "none"}) as it:
        name = it.workflow((EXAMPLES / "build-feature/build-feature.yaml").read_text())
        run = it.execute(name, {"featureName": "shout", "specPath": "specs/shout.md",
                                "approvePlan": True})
        wait_for("it asks", lambda: it.execution(run)["approvals"])
        assert it.cli("approve", run).returncode == 0
        failed = it.wait_ended(run)
        assert failed["status"] == "FAILED" and failed["error"]["step"] == "still-red"
        assert [s["stepKey"] for s in failed["steps"]].count("repair") == 3
        assert [a["type"] for a in failed["artifacts"]] == ["TEST_REPORT"]
        git(repository, "checkout", "-q", "-f", "main")
        git(repository, "clean", "-q", "-f", "-d")
        git(repository, "branch", "-D", "feature/shout")
        run = it.run(name, {"featureName": "shout", "specPath": "specs/shout.md"})
        assert run["status"] == "COMPLETED", run["error"]
        assert run["output"]["branch"] == "feature/shout" and "review" in [
            step["stepKey"] for step in run["steps"]]
        assert json.loads(pulls.read_text())[0]["html_url"] == run["output"]["pullRequest"]
        walked = it.cli("dry-run", it.workflow(
            (EXAMPLES / "full-sdlc/full-sdlc.yaml").read_text()), "featureName=x", "idea=y")
        assert walked.returncode == 0, walked.stdout + walked.stderr


@pytest.mark.parametrize("file", FILES)
def test_sound(file):
    done = subprocess.run([BIN / "stepmill", "validate", EXAMPLES / file], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_example_is_looked_at():
    """Here, or in test_example.py and test_examples.py."""
    others = {"approval/approval.yaml", "parallel/parallel.yaml", "release-notes/release-notes.yaml",
              "agents/agents.yaml"}
    found = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob("*/*.yaml")}
    assert found == others | set(FILES)


def test_data_pipeline(stepmill):
    data = stepmill.folder / "data"
    data.mkdir()
    name = stepmill.workflow((EXAMPLES / "templates/data-pipeline.yaml").read_text())
    run = stepmill.run(name)
    assert [c["message"] for c in run["comments"]] == ["There is no file to read."]
    (data / "a.csv").write_text("name,amount\nx,1\ny,2.5\n")
    (data / "b.csv").write_text("name,amount\nx,\nz,10\n")
    run = stepmill.run(name)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == {"rows": 4, "bad": 1, "sum": 13.5}
    assert [c["message"] for c in run["comments"]] == ["1 of 4 rows have no number"]
    assert [a["name"] for a in run["artifacts"]] == ["pipeline.txt"]


@pytest.mark.parametrize("amount, answers", [(10, ["approve"]), (5000, ["approve", "approve"]),
                                             (5000, ["approve", "deny"]), (10, ["deny"])])
def test_approval_flow(stepmill, amount, answers):
    name = stepmill.workflow((EXAMPLES / "templates/approval-flow.yaml").read_text())
    run = stepmill.execute(name, {"what": "a chair", "amount": amount})
    for number, answer in enumerate(answers, 1):
        wait_for("it asks", lambda: len(stepmill.execution(run)["approvals"]) == number)
        assert stepmill.cli(answer, run).returncode == 0
    ended = stepmill.wait_ended(run)
    said = "Not done: a chair" if "deny" in answers else "Done: a chair"
    assert ended["status"] == "COMPLETED", ended["error"]
    assert ended["comments"][-1]["message"] == said  # before it, what was decided
