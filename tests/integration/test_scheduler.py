"""The scheduler against a real PostgreSQL and Redis: one leads, timers fire in time, what
was interrupted goes on. Guards the scheduler's half of I1 (without Redis) and I5 (any
process may be killed)."""

import json
import os
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

import psycopg
import pytest

from harness.servers import Server

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("STEPMILL_BIN", ROOT / "build/release/bin")).resolve()
DEADLINE = 20.0
SCHEMA = "-c search_path=stepmill"


def wait(what, condition, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not in {deadline} s: {what}"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.remove()


class Scheduler:
    def __init__(self, world, name, redis=True, settings=None, **more):
        self.log_path = world.folder / f"{name}.log"
        self.errors = []
        env = {key: value for key, value in os.environ.items()
               if not key.startswith("STEPMILL_") and key not in ("DATABASE_URL", "REDIS_URL")}
        env.update(STEPMILL_DATABASE_URL=world.server.url(world.database),
                   STEPMILL_LOG_LEVEL="debug", STEPMILL_REDIS_PREFIX=world.database)
        # without: named, but nobody is there
        sock = world.server.redis_sock if redis else f"{world.server.redis_sock}.none"
        env["STEPMILL_REDIS_URL"] = f"unix:{sock}"
        env.update(settings or {})
        self.process = subprocess.Popen([BIN / "stepmill-scheduler"], env=env,
                                        cwd=world.folder, stderr=open(self.log_path, "ab"),
                                        stdin=subprocess.DEVNULL, **more)

    def log(self, event):
        records = [json.loads(line) for line in self.log_path.read_text().splitlines()]
        return [record for record in records if record["event"] == event]

    def wait_log(self, event, count=1, deadline=DEADLINE):
        return wait(f"{count} times {event} in the log", lambda: len(self.log(event)) >= count
                    and self.log(event), deadline)

    def signal(self, number):
        self.process.send_signal(number)

    def wait_end(self):
        return self.process.wait(DEADLINE)

    def stop(self):
        """In order, and with nothing in the log that a person must look at."""
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            assert self.wait_end() == 0
        for line in self.log_path.read_text().splitlines():
            record = json.loads(line)
            assert record["level"] != "error" or record["event"] in self.errors, line


class World:
    """A database, schedulers on it, and rows made and looked at by SQL."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.database = server.new_database()
        self.schedulers = []
        self.conn = None
        self.connect()

    def connect(self):
        self.conn = psycopg.connect(self.server.url(self.database), autocommit=True,
                                    options=SCHEMA)

    def sql(self, text, *args):
        cursor = self.conn.execute(text, args)
        return cursor.fetchall() if cursor.description else None

    def one(self, text, *args):
        return self.sql(text, *args)[0][0]

    def scheduler(self, **more):
        made = Scheduler(self, f"scheduler{len(self.schedulers)}", **more)
        self.schedulers.append(made)
        return made

    def leader(self, **more):
        made = self.scheduler(**more)
        made.wait_log("leader.elected")
        return made

    def add_runs(self, count, run_at="null", status=2, run_status=1, worker=None,
                 deadline=None, queue="default"):
        """Runs whose one step has that status and a time by that SQL expression of i."""
        return [row[0] for row in self.sql(f"""
            with new as materialized (
                select uuid7() as id, i, ({run_at})::timestamptz as run_at from generate_series(1, %s) i
            ), run as (
                insert into workflow_runs (id, workflow_def_id, project_id, status,
                    triggered_by, current_step, started_at)
                select n.id, d.id, p.id, %s, 'manual', 1, now()
                  from new n, workflow_definitions d, projects p where p.name = 'default'
            ), state as (
                insert into workflow_run_state (execution_id, status, last_seq, current_step,
                    deadline_at)
                select id, %s, 1, 1, now() + %s::interval from new
            ), log as (
                insert into workflow_events (execution_id, seq, type)
                select id, 1, 1 from new
            )
            insert into workflow_steps (execution_id, step_number, step_key, status, queue,
                ready_at, run_at, started_at, worker_id, completed_at)
            select id, 1, 'nap', %s, %s, case when %s = 1 then now() end, run_at, now(), %s,
                   case when %s >= 6 then now() end
              from new returning execution_id""",
            count, run_status, run_status, deadline, status, queue, status, worker, status)]

    def add_worker(self, lease):
        worker = uuid.uuid4()
        self.sql("""insert into workers (id, node_id, pid, slots, queues, version,
                        lease_expires_at)
                    values (%s, %s, 1, 8, '{default}', '0', now() + %s::interval)""",
                 worker, uuid.uuid4(), lease)
        return worker

    def step(self, run):
        row = self.conn.execute("select * from workflow_steps where execution_id = %s", [run])
        return dict(zip([column.name for column in row.description], row.fetchone()))

    def run_status(self, run):
        return self.one("select run_status_name(status) from workflow_run_state"
                        " where execution_id = %s", run)

    def events(self, run):
        rows = self.sql("select seq, event_type_name(type) from workflow_events"
                        " where execution_id = %s order by seq", run)
        assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1)), "no gap"
        return [name for _, name in rows]

    def lateness(self):
        """Milliseconds between what was due and what was made ready, sorted."""
        return [float(row[0]) for row in self.sql("""
            select extract(epoch from ready_at - run_at) * 1000 from workflow_steps
             where status = 1 and run_at is not null order by 1""")]

    def clients(self):
        return self.one("select count(*) from pg_stat_activity where datname = %s and"
                        " application_name like 'stepmill scheduler%%'", self.database)


@pytest.fixture
def world(server, tmp_path):
    world = World(server, tmp_path)
    yield world
    for scheduler in world.schedulers:
        scheduler.stop()
    wait("no session left", lambda: world.clients() == 0)
    world.conn.close()


# ---- leading ----

def test_one_leads(world):
    leader = world.leader()
    standby = world.scheduler()
    standby.wait_log("scheduler.ready")
    time.sleep(1.5)
    assert not standby.log("leader.elected")
    assert world.one("select epoch from scheduler_leader") == 1
    assert world.one("select pid from scheduler_leader") == leader.process.pid


def test_a_killed_leader_is_followed(world):
    leader = world.leader()
    standby = world.scheduler()
    standby.wait_log("scheduler.ready")
    leader.signal(signal.SIGKILL)
    at = time.monotonic()
    standby.wait_log("leader.elected", deadline=5)
    print(f"taken over after {time.monotonic() - at:.3f} s")
    assert world.one("select epoch from scheduler_leader") == 2
    world.add_runs(1, run_at="now() + interval '100 ms'", status=5)
    wait("fired", world.lateness)


def test_a_leader_that_ends_in_order_gives_up(world):
    leader = world.leader()
    standby = world.scheduler()
    standby.wait_log("scheduler.ready")
    leader.signal(signal.SIGTERM)
    assert leader.wait_end() == 0
    assert leader.log("leader.left")
    standby.wait_log("leader.elected", deadline=1.5)


def test_a_stopped_leader_is_unseated_and_does_no_harm(world):
    leader = world.leader()
    worker = world.add_worker("6 seconds")
    held = world.add_runs(1, worker=worker)[0]
    standby = world.scheduler()
    standby.wait_log("scheduler.ready")
    leader.signal(signal.SIGSTOP)
    at = time.monotonic()
    standby.wait_log("leader.unseated")
    standby.wait_log("leader.elected")
    assert time.monotonic() - at < 15
    runs = world.add_runs(200, run_at="now() + interval '10 ms' * i", status=3)
    wait("all fired", lambda: world.one("select count(*) from workflow_steps where status = 1"
                                        " and execution_id = any(%s)", runs) == 200)
    wait("the worker is buried", lambda: world.step(held)["status"] == 1)
    leader.signal(signal.SIGCONT)
    leader.wait_log("leader.lost")
    time.sleep(2.5)  # longer than a sweep
    assert world.one("select epoch from scheduler_leader") == 2
    assert world.one("select max(attempt_number) from workflow_steps") == 2, "each once"
    assert not leader.log("worker.buried") and not leader.log("timers.fired")
    assert standby.log("worker.buried")
    standby.signal(signal.SIGTERM)
    leader.wait_log("leader.elected", 2)


def test_the_end_of_a_session_ends_the_leadership(world):
    leader = world.leader()
    world.sql("select pg_terminate_backend(backend) from scheduler_leader")
    leader.wait_log("leader.lost")
    assert leader.wait_log("leader.elected", 2)[1]["epoch"] == 2


def test_an_epoch_that_is_not_ours_ends_the_leadership(world):
    leader = world.leader()
    world.sql("update scheduler_leader set epoch = 41")
    leader.wait_log("leader.deposed")
    assert leader.wait_log("leader.elected", 2)[1]["epoch"] == 42


# ---- timers ----

def show(what, late):
    print(f"{what}: {len(late)} timers, lateness ms p50 {late[len(late) // 2]:.1f}"
          f" p99 {late[len(late) * 99 // 100]:.1f} max {late[-1]:.1f}")


def wait_fired(world, count):
    wait(f"{count} fired", lambda: world.one("select count(*) from workflow_steps"
                                             " where status = 1") >= count, 60)
    return world.lateness()


@pytest.mark.parametrize("redis", [True, False])
def test_timers_fire_in_time_among_100_000(world, redis):
    world.add_runs(98000, run_at="now() + interval '1 hour' + interval '1 ms' * i", status=5)
    world.leader(redis=redis)
    world.add_runs(2000, run_at="clock_timestamp() + interval '1 s' + interval '3 ms' * i",
                   status=5)
    late = wait_fired(world, 2000)
    show("2000 in 6 s among 100,000", late)
    assert late[0] >= 0
    assert late[len(late) * 99 // 100] < 1000


@pytest.mark.long
def test_100_000_timers_within_a_minute(world):
    world.add_runs(100000, run_at="clock_timestamp() + interval '8 s' + interval '0.4 ms' * i",
                   status=5)
    world.leader()
    late = wait_fired(world, 100000)
    show("100,000 in 40 s", late)
    assert late[0] >= 0
    assert late[len(late) * 99 // 100] < 1000


def test_a_herd(world):
    world.leader()
    world.add_runs(1000, run_at="now() + interval '1500 ms'", status=5)
    late = wait_fired(world, 1000)
    show("1000 at once", late)
    assert late[-1] < 2500


def test_a_new_timer_nearer_than_the_window_is_noticed(world):
    world.leader()
    world.add_runs(1, run_at="now() + interval '200 ms'", status=5)  # read ahead
    for _ in range(50):
        world.add_runs(1, run_at="clock_timestamp() + interval '5 ms'", status=5)
    late = wait_fired(world, 51)
    show("at 5 ms' notice", late)
    assert late[-1] < 1000


def test_what_firing_does(world):
    world.leader()
    soon = "now() + interval '300 ms'"
    waiting = world.add_runs(1, run_at=soon, status=5)[0]
    retrying = world.add_runs(1, run_at=soon, status=3)[0]
    pending = world.add_runs(1, run_at=soon, status=5, run_status=0)[0]
    wait_fired(world, 3)
    assert world.step(waiting)["attempt_number"] == 1
    assert world.step(retrying)["attempt_number"] == 2
    assert world.run_status(pending) == "running"
    assert world.events(pending) == ["run.started", "run.started"]


def test_a_paused_run_holds_up_nobody(world):
    leader = world.leader()
    world.add_runs(3000, run_at="now()", status=5, run_status=2)
    leader.wait_log("scheduler.ready")
    time.sleep(1)
    before = leader.process.pid, cpu_of(leader.process.pid)
    time.sleep(2)
    assert cpu_of(before[0]) - before[1] < 0.5, "it does not spin on them"
    assert world.one("select count(*) from workflow_steps where status = 1") == 0


def cpu_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_ready_steps_are_pushed(world):
    import redis
    client = redis.Redis(unix_socket_path=str(world.server.redis_sock))
    world.leader()
    runs = world.add_runs(3, run_at="now() + interval '100 ms' * i", status=5, queue="gpu")
    key = f"{world.database}:q:gpu:normal"
    wait("three pushed", lambda: client.llen(key) == 3)
    assert client.lrange(key, 0, -1) == [run.bytes + b"\0\0\0\1" for run in runs]


def test_timers_go_on_after_the_server_was_gone(world):
    leader = world.leader()
    world.conn.close()
    world.server.stop("immediate")
    leader.wait_log("leader.lost")
    world.server.start()
    at = time.monotonic()
    world.connect()
    leader.wait_log("leader.elected", 2)
    print(f"led again {time.monotonic() - at:.3f} s after the server took connections")
    world.add_runs(1, run_at="now()", status=5)
    wait_fired(world, 1)


# ---- the sweep ----

def test_an_expired_worker_is_buried(world):
    worker = world.add_worker("4 seconds")
    alive = world.add_worker("1 hour")
    runs = world.add_runs(3, worker=worker)
    kept = world.add_runs(1, worker=alive)[0]
    leader = world.leader()
    wait("queued again", lambda: all(world.step(run)["status"] == 1 for run in runs), 8)
    step = world.step(runs[0])
    assert (step["attempt_number"], step["losses"], step["deaths"]) == (2, 1, 0)
    assert step["worker_id"] is None
    assert world.events(runs[0]) == ["run.started", "run.recovered", "comment.added"]
    assert world.step(kept)["worker_id"] == alive
    lines = leader.wait_log("run.recovered", 3)
    assert {line["run"] for line in lines} == {str(run) for run in runs}
    assert all(line["workflow"] == "sleepy" and line["level"] == "warn" for line in lines)
    assert lines[0]["name"].startswith("sleepy-")
    assert leader.log("worker.buried")[0]["worker"] == str(worker)


def test_steps_of_a_worker_that_never_was_are_taken_up(world):
    ghost = uuid.uuid4()
    run = world.add_runs(1, worker=ghost)[0]
    world.leader()
    wait("queued again", lambda: world.step(run)["status"] == 1)


def test_the_living_have_time_to_renew_after_an_outage(world):
    worker = world.add_worker("1 second")
    run = world.add_runs(1, worker=worker)[0]
    leader = world.leader()
    world.conn.close()
    world.server.stop("immediate")
    time.sleep(1.5)
    world.server.start()
    world.connect()
    leader.wait_log("leader.elected", 2)
    time.sleep(1)
    world.sql("update workers set lease_expires_at = now() + interval '1 hour'"
              " where id = %s and status = 1", worker)
    time.sleep(4)
    assert world.step(run)["worker_id"] == worker
    assert not leader.log("worker.buried")


def test_a_run_past_its_time_ends(world):
    import redis
    listener = redis.Redis(unix_socket_path=str(world.server.redis_sock)).pubsub()
    listener.subscribe(f"{world.database}:control", f"{world.database}:events")
    leader = world.leader()
    run = world.add_runs(1, run_at="now() + interval '1 hour'", status=5, deadline="1 second")[0]
    late = world.add_runs(1, run_at="now() + interval '1 hour'", status=5, deadline="1 hour")[0]
    wait("timed out", lambda: world.run_status(run) == "timed_out", 5)
    assert world.step(run)["status"] == 9
    assert world.events(run)[-1] == "run.timed_out"
    assert world.run_status(late) == "running"
    leader.wait_log("run.timed_out")
    told = {}

    def hear():
        message = listener.get_message(ignore_subscribe_messages=True)
        if message is not None:
            told[message["channel"].decode().split(":")[1]] = message["data"]
        return len(told) == 2
    wait("told", hear)
    assert told["control"] == run.bytes
    assert told["events"] == run.bytes + len(world.events(run)).to_bytes(8, "big")


def test_a_run_that_nothing_can_move_crashes(world):
    run = world.add_runs(1, status=6)[0]
    leader = world.leader()
    leader.errors = ["run.crashed"]
    wait("crashed", lambda: world.run_status(run) == "crashed")
    assert "none of its steps" in world.one(
        "select error->>'message' from workflow_runs where id = %s", run)
    assert world.events(run)[-1] == "run.crashed"


def test_a_thousand_overdue_runs(world):
    world.add_runs(1500, run_at="now() + interval '1 hour'", status=5, deadline="0 seconds")
    world.leader()
    wait("all timed out", lambda: world.one(
        "select count(*) from workflow_run_state where status = 6") == 1500)


def test_partitions_are_made(world):
    world.sql("drop table workflow_events_" + world.one(
        "select to_char((now() at time zone 'UTC') + interval '1 month', 'YYYY_MM')"))
    leader = world.leader()
    assert leader.wait_log("partitions.made")[0]["count"] == 1


# ---- start and stop ----

def test_wrong_starts(world):
    bad = world.scheduler(settings={"STEPMILL_DATABASE_URL": ""})
    assert bad.wait_end() == 78
    bad.errors = ["scheduler.stopped"]
    bare = world.scheduler(settings={
        "STEPMILL_DATABASE_URL": world.server.url("postgres")})
    assert bare.wait_end() == 78
    bare.errors = ["scheduler.stopped"]
    assert "stepmill migrate" in bare.log("scheduler.stopped")[0]["why"]
    away = world.scheduler(settings={"STEPMILL_DATABASE_URL": "host=/nowhere dbname=x"})
    assert away.wait_end() == 75
    away.errors = ["scheduler.stopped"]


def test_words(tmp_path):
    def call(*words, **env):
        return subprocess.run([BIN / "stepmill-scheduler", *words], capture_output=True,
                              text=True, cwd=tmp_path, env={**os.environ, **env})
    assert call("--check").returncode == 0
    wrong = call("--check", STEPMILL_SCHEDULER_SWEEP_INTERVAL="soon")
    assert wrong.returncode == 78 and "STEPMILL_SCHEDULER_SWEEP_INTERVAL" in wrong.stderr
    assert call("--nonsense").returncode == 78
    assert "usage" in call("--help").stdout
    assert call("--version").stdout.startswith("stepmill-scheduler ")


def under_a_parent(world):
    ours, theirs = socket.socketpair()
    made = world.scheduler(settings={"STEPMILL_PARENT": "3"}, pass_fds=[3],
                           preexec_fn=lambda: os.dup2(theirs.fileno(), 3))
    theirs.close()
    ours.settimeout(DEADLINE)
    assert ours.makefile().readline() == "ready\n"
    return made, ours


def test_the_end_of_the_parent_is_the_end(world):
    made, ours = under_a_parent(world)
    ours.close()
    assert made.wait_end() == 0
    assert made.log("scheduler.stopping")[0]["why"] == "the parent is gone"


def test_a_parent_may_tell_it_to_go(world):
    made, ours = under_a_parent(world)
    ours.sendall(b"drain\n")
    assert made.wait_end() == 0
    ours.close()


def test_reload(world):
    (world.folder / "stepmill.yaml").write_text("scheduler:\n  sweep_interval: 10m\n")
    leader = world.leader()
    worker = world.add_worker("0 seconds")
    run = world.add_runs(1, worker=worker)[0]
    (world.folder / "stepmill.yaml").write_text("scheduler:\n  sweep_interval: 100ms\n")
    leader.signal(signal.SIGHUP)
    leader.wait_log("scheduler.reloaded")
    wait("swept", lambda: world.step(run)["status"] == 1)
    (world.folder / "stepmill.yaml").write_text("nonsense: true\n")
    leader.signal(signal.SIGHUP)
    leader.wait_log("configuration.refused")
    leader.errors = ["configuration.refused"]
    assert leader.process.poll() is None
