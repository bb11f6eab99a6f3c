"""Workflows that files start: which changes count, once each, also those that came while no
scheduler ran. Tries to break I5 (any process may be killed at any instant)."""
import itertools
import os
import signal
import time

import pytest
from harness.stepmill import Stepmill, flow, noop, wait_for

names = itertools.count(1)


@pytest.fixture(scope="module")
def watched():
    with Stepmill(workers=2) as stepmill:
        yield stepmill


def begun(stepmill, workflow):
    return stepmill.sql("select 1 from workflow_triggers t join workflows w on w.id = t.workflow_id"
                        " where w.name = %s and t.watched_since is not null", workflow)


def define(stepmill, name, folder, *steps, **more):
    stepmill.workflow(flow(name, *(steps or [noop("a")]), output="{{input}}", trigger=[
        {"fileWatch": {"paths": folder, "debounce": 100, **more}}]))


class Watch:
    """A workflow that watches a folder of its own."""

    def __init__(self, stepmill, folder=None, make=True, **more):
        self.stepmill, self.name = stepmill, f"watches-{next(names)}"
        self.folder = folder or self.name
        self.path = stepmill.folder / self.folder
        if make:
            self.path.mkdir(parents=True, exist_ok=True)
        define(stepmill, self.name, self.folder, **more)
        wait_for("it watches", lambda: begun(stepmill, self.name))

    def write(self, name, text="x"):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def runs(self):
        return [row[0] for row in self.stepmill.sql(
            "select trigger_payload from workflow_runs r join workflow_definitions d"
            " on d.id = r.workflow_def_id where d.name = %s order by r.id", self.name)]

    def paths(self):
        return [run["path"].removeprefix(self.folder + "/") for run in self.runs()]

    def wait(self, *paths):
        """Until these, and nothing else, started runs; a last file tells that no more comes."""
        expected = sorted(paths)
        wait_for(f"runs of {expected}", lambda: len(self.paths()) >= len(paths))
        assert sorted(self.paths()) == expected


def test_a_file_that_was_written_starts_a_run(watched):
    watch = Watch(watched)
    path = watch.write("a.txt", "abc")
    watch.wait("a.txt")
    [trigger] = watch.runs()
    assert trigger.pop("modifiedAt").endswith("Z")
    assert trigger == {"type": "file_watch", "event": "created", "path": f"{watch.folder}/a.txt",
                       "size": 3}
    path.write_text("abcd")
    watch.wait("a.txt", "a.txt")
    assert [(run["event"], run["size"]) for run in watch.runs()] == [("created", 3), ("modified", 4)]
    [run, _] = watched.sql("select id::text from v_runs where workflow_name = %s order by id",
                           watch.name)
    row = watched.wait_ended(run[0])
    assert row["triggeredBy"] == "file_watch" and row["output"]["size"] == 3


def test_which_files_count(watched, tmp_path):
    watch = Watch(watched, patterns=["*.csv", "!draft*"])
    (watch.path / "link.csv").symlink_to("/etc/hostname")
    (watch.path / "outside").symlink_to(tmp_path)
    (tmp_path / "far.csv").write_text("x")
    for name in ("a.txt", "draft.csv", ".hidden.csv", ".git/x.csv", "a.csv"):
        watch.write(name)
    watch.write("deep/er/b.csv")
    watch.write("deep/er/c.csv")
    watch.wait("a.csv", "deep/er/b.csv", "deep/er/c.csv")
    (watch.path / "deep/er/b.csv").unlink()
    (watch.path / "a.csv").touch()
    (watch.path / "a.txt").rename(watch.path / "d.csv")
    watch.wait("a.csv", "a.csv", "d.csv", "deep/er/b.csv", "deep/er/c.csv")
    watch.write("deep/er/b.csv")
    wait_for("it came again", lambda: watch.paths().count("deep/er/b.csv") == 2)
    assert watch.runs()[-1]["event"] == "created"


def test_a_file_counts_when_it_is_closed_and_left_alone(watched):
    watch = Watch(watched, debounce=400)
    with open(watch.path / "long.txt", "w") as file:
        file.write("begun")
        file.flush()
        watch.write("other.txt")
        watch.wait("other.txt")
        file.write("done")
    for n in range(10):
        watch.write("often.txt", "x" * n)
    watch.wait("long.txt", "often.txt", "other.txt")
    sizes = {run["path"].rsplit("/", 1)[1]: run["size"] for run in watch.runs()}
    assert sizes == {"other.txt": 1, "long.txt": 9, "often.txt": 9}


def test_what_is_there_starts_nothing(watched):
    (watched.folder / "full").mkdir()
    for name in ("a", "b"):
        (watched.folder / "full" / name).write_text("x")
    watch = Watch(watched, "full")
    watch.write("c")
    watch.wait("c")
    assert watched.sql("select count(*) from watched_files f join workflows w"
                       " on w.id = f.workflow_id where w.name = %s", watch.name) == [(3,)]
    watch.write("a", "changed")
    watch.wait("a", "c")


def test_a_folder_that_comes_later_and_goes(watched):
    watch = Watch(watched, make=False)
    watch.write("a")
    watch.wait("a")
    watch.path.rename(watch.path.with_name(watch.folder + "-gone"))
    wait_for("it is forgotten", lambda: not watched.sql(
        "select 1 from watched_files f join workflows w on w.id = f.workflow_id"
        " where w.name = %s", watch.name))
    (watch.path.with_name(watch.folder + "-gone") / "b").write_text("x")
    watch.write("c")
    watch.wait("a", "c")


def test_one_file_alone_is_watched(watched):
    watch = Watch(watched, make=False)
    watch.path.write_text("x")
    wait_for("it was seen", lambda: len(watch.runs()) == 1)
    (watched.folder / (watch.folder + "x")).write_text("x")
    watch.path.write_text("xy")
    wait_for("it was seen again", lambda: len(watch.runs()) == 2)
    assert {run["path"] for run in watch.runs()} == {watch.folder}


def test_conditions_and_inputs(watched):
    watch = Watch(watched, when="trigger.size > 1", input={"file": "{{trigger.path}}"})
    watch.write("small")
    watch.write("large", "xx")
    watch.wait("large")
    [run] = watched.sql("select id::text from v_runs where workflow_name = %s", watch.name)
    assert watched.wait_ended(run[0])["output"] == {"file": f"{watch.folder}/large"}


def test_a_new_version_of_the_same_watch_goes_on(watched):
    watch = Watch(watched)
    watch.write("a")
    watch.wait("a")
    define(watched, watch.name, watch.folder, noop("other"))
    watch.write("b")
    watch.wait("a", "b")
    define(watched, watch.name, watch.folder, patterns=["*"])
    wait_for("it watches", lambda: begun(watched, watch.name))
    watch.write("c")
    watch.wait("a", "b", "c")
    watched.request("DELETE", f"/api/workflows/{watch.name}?deactivate=true")
    wait_for("nothing is known any more", lambda: not watched.sql(
        "select 1 from watched_files f join workflows w on w.id = f.workflow_id"
        " where w.name = %s", watch.name))


def leader(stepmill):
    [[pid]] = stepmill.sql("select pid from scheduler_leader")
    return pid


def kill_leader(stepmill):
    before = leader(stepmill)
    try:
        os.kill(before, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return before


def test_what_changes_without_a_scheduler_starts_one_run(watched):
    watch = Watch(watched)
    watch.write("a")
    watch.wait("a")
    written = ["a"]
    for n in range(5):
        before = leader(watched)
        os.kill(before, signal.SIGSTOP)
        names = [f"{n}-{i}" for i in range(5)] + ["a"]
        for name in names:
            watch.write(name, "x" * (n + 2))
        written += names
        os.kill(before, signal.SIGKILL)
        wait_for("another one leads", lambda: leader(watched) != before)
        watch.wait(*written)


def test_killed_at_any_moment_each_file_starts_one_run(watched):
    watch = Watch(watched)
    files = [f"f{n}" for n in range(60)]
    for n, name in enumerate(files):
        watch.write(name)
        if n % 12 == 6:
            kill_leader(watched)
    wait_for("all of them", lambda: len(watch.paths()) >= len(files), 60)
    assert sorted(watch.paths()) == sorted(files)


@pytest.mark.long
def test_more_than_the_kernel_keeps(watched):
    """The queue of inotify runs over while the scheduler is stopped; it looks itself."""
    most = int(open("/proc/sys/fs/inotify/max_queued_events").read())
    watch = Watch(watched, patterns=["want-*"])
    others = [watch.write(name) for name in ("one", "two")]  # what repeats is told once
    pid = leader(watched)
    until = time.monotonic() + 3  # longer, and another one leads
    os.kill(pid, signal.SIGSTOP)
    try:
        for n in range(most + 1):
            os.chmod(others[n % 2], 0o600)
            if time.monotonic() > until:
                pytest.fail("this machine is too slow for it")
        watch.write("want-1")
    finally:
        os.kill(pid, signal.SIGCONT)
    watch.wait("want-1")
    assert "file_watch.overflowed" in watched.log()
