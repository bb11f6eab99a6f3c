"""Tools that write to the store: state, comments, artifacts, facts of the run. Each under
the fence of its step (invariant I-3), with events whose numbers have no gap (I-7)."""

import hashlib
import json
import os

import psycopg
import pytest

from harness.servers import Server
from test_tools import project, repository  # noqa: F401 (fixtures)


@pytest.fixture(scope="module")
def servers():
    servers = Server()
    yield servers
    servers.remove()


class Run:
    """One run with one step in hand, and tools called for it."""

    def __init__(self, servers, project):
        self.name = servers.new_database()
        self.url = servers.url(self.name)
        self.project = project
        self.db = psycopg.connect(self.url, autocommit=True)
        self.db.execute("set search_path = stepmill")
        self.worker = self.one("select uuid7()")
        self.id = self.one("""
            insert into workflow_runs (id, workflow_def_id, project_id, status, triggered_by,
                state) select uuid7(), d.id, p.id, 1, 'manual', '{"old": 1}'
              from workflow_definitions d, projects p returning id""")
        self.db.execute("insert into workflow_run_state (execution_id, status, last_seq)"
                        " values (%s, 1, 10)", [self.id])
        self.step(3, fence=5)

    def step(self, number, fence):
        self.db.execute("insert into workflow_steps (execution_id, step_number, status, fence,"
                        " worker_id, step_key) values (%s, %s, 2, %s, %s, 'this')",
                        [self.id, number, fence, self.worker])

    def one(self, statement, arguments=None):
        row = self.db.execute(statement, arguments).fetchone()
        return row[0] if row else None

    def all(self, statement, arguments=None):
        return self.db.execute(statement, arguments).fetchall()

    def tool(self, tool, args=None, number=3, fence=5, **more):
        return self.project.run("tool", {"tool": tool, "args": args or {}}, run=str(self.id),
                                number=number, fence=fence, database=self.url,
                                projectId="00000000-0000-7000-8000-000000000001", **more)

    def good(self, tool, args=None, **more):
        answer = self.tool(tool, args, **more)
        assert answer["ok"], answer
        return answer["output"]

    @property
    def state(self):
        return self.one("select state from workflow_runs where id = %s", [self.id])

    def events(self):
        """What was added to the log, and that its counter fits."""
        rows = self.all("select seq, type, step_number, payload from workflow_events"
                        " where execution_id = %s order by seq", [self.id])
        assert [row[0] for row in rows] == list(range(11, 11 + len(rows)))
        assert self.one("select last_seq from workflow_run_state where execution_id = %s",
                        [self.id]) == 10 + len(rows)
        return [row[1:] for row in rows]


@pytest.fixture
def run(servers, project):  # noqa: F811
    run = Run(servers, project)
    yield run
    assert run.all("select pid from pg_stat_activity where datname = %s and state like"
                   " 'idle in transaction%%'", [run.name]) == []
    run.db.close()


# ---- state ----

def test_state_is_written_through(run):
    value = {"list": [1, 2.5, None, "é"], "deep": {"er": True}}
    answer = run.tool("state.set", {"key": "k", "value": value}, state={"old": 1})
    assert answer["ok"] and answer["output"] == value
    assert answer["state"] == {"old": 1, "k": value}  # what expressions see from now on
    assert run.state == {"old": 1, "k": value}
    assert run.good("state.get", {"key": "k"}) == value
    assert run.good("state.has", {"key": "k"}) is True
    assert run.good("state.set", {"key": "none", "value": None}) is None
    assert run.state["none"] is None
    assert run.good("state.has", {"key": "none"}) is True
    assert run.good("state.get", {"key": "none", "default": 3}) is None
    answer = run.tool("state.delete", {"key": "k"}, state={"k": 1, "old": 1})
    assert answer["output"] is True and answer["state"] == {"old": 1}
    assert run.good("state.delete", {"key": "k"}) is False
    assert run.good("state.has", {"key": "k"}) is False
    assert run.good("state.get", {"key": "k"}) is None
    assert run.good("state.get", {"key": "k", "default": [7]}) == [7]
    assert run.events() == []


def test_what_another_worker_keeps_is_seen(run):
    run.db.execute("update workflow_runs set state = '{\"theirs\": 9}' where id = %s", [run.id])
    answer = run.tool("state.get", {"key": "theirs"}, state={"mine": 1})
    assert answer["output"] == 9 and answer["state"] == {"mine": 1, "theirs": 9}
    run.good("state.set", {"key": "mine", "value": 2})
    assert run.state == {"theirs": 9, "mine": 2}


@pytest.mark.parametrize("tool, args", [
    ("state.set", {"key": "k", "value": 1}), ("state.delete", {"key": "old"}),
    ("comment.add", {"message": "x"}), ("artifact.add", {"path": "f"})])
def test_a_fenced_attempt_changes_nothing(run, tool, args):
    (run.project.folder / "f").write_text("x")
    for fence, status in ((4, 2), (6, 2), (5, 6)):
        run.db.execute("update workflow_steps set status = %s, worker_id = %s, completed_at = %s"
                       " where execution_id = %s",
                       [status, run.worker if status == 2 else None,
                        None if status == 2 else "2026-01-01", run.id])
        answer = run.tool(tool, args, fence=fence)
        assert not answer["ok"] and answer["code"] == "conflict", answer
        assert "no longer held" in answer["message"]
    assert run.state == {"old": 1} and run.events() == []
    assert run.one("select count(*) from workflow_comments") == 0
    assert run.one("select count(*) from workflow_artifacts") == 0


def test_state_has_a_limit(run):
    answer = run.tool("state.set", {"key": "k", "value": "x" * 1_100_000})
    assert answer["code"] == "limit" and answer["final"] and "1024 KiB" in answer["message"]
    run.good("state.set", {"key": "k", "value": "x" * 1_000_000})
    assert run.tool("state.set", {"key": "l", "value": "x" * 100_000})["code"] == "limit"
    run.good("state.set", {"key": "k", "value": "small"})
    for key in ("", "x" * 257, "a\0b"):
        assert run.tool("state.set", {"key": key, "value": 1})["code"] == "input"


@pytest.mark.parametrize("value", ["a\0b", "\ud800", {"k\0": "v"}, ["\udfff"]])
def test_what_postgresql_cannot_hold_is_repaired(run, value):
    run.good("state.set", {"key": "k", "value": value})
    assert "\ufffd" in json.dumps(run.state, ensure_ascii=False)
    output = run.good("comment.add", {"message": "m \0 m", "metadata": {"v": value}})
    message, metadata = run.db.execute("select message, metadata from workflow_comments"
                                       " where id = %s", [output["id"]]).fetchone()
    assert message == "m \ufffd m" and "\ufffd" in json.dumps(metadata, ensure_ascii=False)


# ---- comments ----

def test_a_comment(run):
    output = run.good("comment.add", {"message": "All is well: $(id)", "metadata": {"n": 1}})
    rows = run.all("select id::text, execution_id, step_number, author, message, metadata"
                   " from workflow_comments")
    assert rows == [(output["id"], run.id, None, "This step", "All is well: $(id)", {"n": 1})]
    assert run.events() == [(13, None, {"commentId": output["id"]})]
    run.step(4, fence=1)
    output = run.good("comment.add", {"message": "here", "step": True}, number=4, fence=1)
    assert run.events()[1] == (13, 4, {"commentId": output["id"]})
    assert run.one("select step_number from workflow_comments where id = %s",
                   [output["id"]]) == 4


def test_a_repeated_attempt_comments_once(run):
    first = run.good("comment.add", {"message": "once"})
    run.db.execute("update workflow_steps set fence = 6 where execution_id = %s", [run.id])
    assert run.good("comment.add", {"message": "once"}, fence=6, attempt=2) == first
    assert run.one("select count(*) from workflow_comments") == 1
    assert len(run.events()) == 1


def test_comments_are_checked(run):
    for message in ("", "x" * 70000):
        assert run.tool("comment.add", {"message": message})["code"] == "input"
    answer = run.tool("comment.add", {"message": "key canary-123456"},
                      settings={"secrets": ["canary-123456"]})
    assert answer["ok"]
    assert run.one("select message from workflow_comments") == "key ***"


# ---- artifacts ----

def folder_of(run):
    return run.project.folder / ".agent/workflows/executions" / str(run.id) / "artifacts"


def test_an_artifact(run):
    data = os.urandom(3_000_000)
    (run.project.folder / "out").mkdir()
    (run.project.folder / "out/report é.pdf").write_bytes(data)
    output = run.good("artifact.add", {"path": "out/report é.pdf", "type": "DOCUMENT",
                                       "metadata": {"pages": 3}})
    path = f".agent/workflows/executions/{run.id}/artifacts/3/report--.pdf"
    sha = hashlib.sha256(data).hexdigest()
    assert output == {"id": output["id"], "name": "report é.pdf", "type": "DOCUMENT",
                      "path": path, "size": 3_000_000, "sha256": sha}
    assert (run.project.folder / path).read_bytes() == data
    assert folder_of(run).stat().st_mode & 0o777 == 0o750
    assert run.all("select id::text, step_number, name, type, storage_path, storage_type,"
                   " mime_type, size_bytes, sha256, metadata from workflow_artifacts") == [
        (output["id"], 3, "report é.pdf", "DOCUMENT", path, "FILESYSTEM", "application/pdf",
         3_000_000, sha, {"pages": 3})]
    assert run.events() == [(15, 3, {"artifactId": output["id"]})]


def test_an_artifact_of_the_run(run):
    (run.project.folder / "f.txt").write_text("x")
    output = run.good("artifact.add", {"path": "f.txt", "step": False, "name": "Notes",
                                       "mimeType": "text/x-mine"})
    assert output["path"].endswith("/artifacts/execution/3-Notes") and output["type"] == "OTHER"
    assert run.all("select step_number, name, mime_type from workflow_artifacts") == [
        (None, "Notes", "text/x-mine")]
    assert run.events() == [(15, None, {"artifactId": output["id"]})]


def test_a_repeated_attempt_describes_its_artifact_anew(run):
    (run.project.folder / "f").write_text("first")
    first = run.good("artifact.add", {"path": "f"})
    (run.project.folder / "f").write_text("second!")
    second = run.good("artifact.add", {"path": "f"}, attempt=2)
    assert second["id"] == first["id"] and second["size"] == 7
    assert run.all("select size_bytes, sha256 from workflow_artifacts") == [
        (7, hashlib.sha256(b"second!").hexdigest())]
    assert len(run.events()) == 1


@pytest.mark.parametrize("name", ["../../../../evil", "/etc/evil", "..", ".", "a/b", "-rf",
                                  "x" * 250, "\n", "$(id)"])
def test_names_do_not_lead_anywhere(run, name):
    (run.project.folder / "f").write_text("x")
    output = run.good("artifact.add", {"path": "f", "name": name})
    kept = [p for p in folder_of(run).rglob("*") if p.is_file()]
    assert len(kept) == 1 and kept[0].parent == folder_of(run) / "3"
    assert output["name"] == name and (run.project.folder / output["path"]) == kept[0]
    assert not (run.project.folder / "evil").exists()


def test_what_is_no_file_is_no_artifact(run):
    outside = run.project.folder.parent / "secret"
    outside.write_text("canary")
    (run.project.folder / "link").symlink_to(outside)
    (run.project.folder / "folder").mkdir()
    os.mkfifo(run.project.folder / "fifo")
    for path, code in (("link", "denied"), ("../secret", "denied"), ("/etc/passwd", "denied"),
                       ("folder", "input"), ("fifo", "input"), ("missing", "not_found"),
                       ("", "input")):
        answer = run.tool("artifact.add", {"path": path})
        assert not answer["ok"] and answer["code"] == code, (path, answer)
    assert run.tool("artifact.add", {"path": "folder", "type": "NOPE"})["code"] == "input"
    assert run.tool("artifact.add", {"path": "folder", "name": ""})["code"] == "input"
    assert run.one("select count(*) from workflow_artifacts") == 0


def test_a_run_folder_that_leads_out(run):
    outside = run.project.folder.parent / "outside"
    outside.mkdir()
    (run.project.folder / "f").write_text("x")
    (run.project.folder / ".agent").symlink_to(outside)
    answer = run.tool("artifact.add", {"path": "f"})
    assert answer["code"] == "denied" and list(outside.iterdir()) == []


def test_a_large_artifact_is_stopped(run):
    with open(run.project.folder / "large", "wb") as file:
        file.truncate(900 * 1024**2)
    answer = run.tool("artifact.add", {"path": "large"}, stopMs=50)
    assert answer["code"] == "stopped" and answer["leftMs"] < 1000
    assert [p for p in folder_of(run).rglob("*") if p.is_file()] == []
    with open(run.project.folder / "large", "wb") as file:
        file.truncate(2 * 1024**3)
    answer = run.tool("artifact.add", {"path": "large"})
    assert answer["code"] == "limit"
    assert [p for p in folder_of(run).rglob("*") if p.is_file()] == []


# ---- facts of the run ----

def test_git_fills_the_run(servers, repository):  # noqa: F811
    run = Run(servers, repository)
    facts = "select branch_name, commit_sha, pr_url from workflow_runs where id = %s"
    run.good("git.ensureBranch", {"name": "work"})
    assert run.all(facts, [run.id]) == [("work", None, None)]
    (repository.folder / "README").write_text("changed")
    sha = run.good("git.commit", {"message": "m", "all": True})["sha"]
    assert run.all(facts, [run.id]) == [("work", sha, None)]
    answer = run.tool("git.ensureBranch", {"name": "other"}, fence=4)
    assert answer["code"] == "conflict"
    assert run.all(facts, [run.id]) == [("work", sha, None)]
    run.db.close()


# ---- without the store ----

def test_postgresql_is_away(run, servers):
    (run.project.folder / "f").write_text("x")
    servers.stop("immediate")
    try:
        done = [run.project.run("tool", {"tool": tool, "args": args}, run=str(run.id),
                                database=run.url, beginMs=100)
                for tool, args in (("state.set", {"key": "k", "value": 1}),
                                   ("comment.add", {"message": "m"}),
                                   ("artifact.add", {"path": "f"}))]
    finally:
        servers.start()
        run.db = psycopg.connect(run.url, autocommit=True)
        run.db.execute("set search_path = stepmill")
    for answer in done:
        assert not answer["ok"] and answer["code"] == "retry" and not answer["final"], answer
