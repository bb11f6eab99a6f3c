"""Tries to break I1 (Redis is expendable), I2 (results once), I3 (effects under one key), I4
(events without gap) and I5 (any process may be killed at any instant)."""
import json
import os
import pathlib
import random
import signal
import socket
import statistics
import subprocess
import threading
import time
import urllib.error
import urllib.request

import psycopg
import pytest
from harness.stepmill import OVER, Refused, Stepmill, Supervisor, flow, noop, wait_for

BUSY = """
name: busy
steps:
  - { id: first, action: noop }
  - id: effect
    action: tool
    tool: shell
    args: { command: 'echo "$STEPMILL_IDEMPOTENCY_KEY" >> effects.txt; sleep 0.05; echo done' }
  - { id: between, action: noop }
  - id: second
    action: tool
    tool: shell
    args: { command: 'sleep 0.0$((RANDOM % 9)); echo "{{steps.effect.output.stdout}}"' }
  - { id: last, action: noop }
"""


class Load:
    """Starts runs from a few threads until told to stop; keeps what was accepted."""

    def __init__(self, stepmill, workflow, threads=4):
        self.stepmill, self.workflow = stepmill, workflow
        self.accepted, self.refused = [], 0
        self.end = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]

    def work(self):
        while not self.end.is_set():
            try:
                self.accepted.append(self.stepmill.execute(self.workflow))
            except (Refused, OSError):
                self.refused += 1
            time.sleep(0.06)  # about 60 runs a second

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.threads:
            thread.join()


def unfinished(stepmill):
    """-1 while PostgreSQL cannot be asked."""
    try:
        return stepmill.sql("select count(*) from workflow_run_state where status < 3")[0][0]
    except psycopg.OperationalError:
        return -1


def check_everything(stepmill, accepted):
    """One pass over the database: every accepted run is there and over, no gap, no repeat."""
    rows = dict(stepmill.sql(
        "select id::text, status || coalesce(': ' || error::text, '') from v_runs"))
    lost = [run for run in accepted if run not in rows]
    assert not lost, f"accepted, and not there: {lost[:5]}"
    bad = {run: rows[run] for run in accepted if rows[run] != "completed"}
    assert not bad, f"not completed: {list(bad.items())[:5]}"
    gaps = stepmill.sql("""
        select e.execution_id, count(*), max(seq), s.last_seq
          from workflow_events e join workflow_run_state s using (execution_id)
         group by 1, 4 having count(*) <> max(seq) or max(seq) <> s.last_seq""")
    assert not gaps, f"gaps in the numbers of events: {gaps[:5]}"
    twice = stepmill.sql("""
        select execution_id, step_number, count(*) from workflow_events
         where type = 3 group by 1, 2 having count(*) > 1""")
    assert not twice, f"results recorded twice: {twice[:5]}"
    assert stepmill.sql("select count(*) from workflow_steps where status < 6")[0][0] == 0


def check_effects(stepmill, accepted):
    """Each effect at least once; all attempts of a step carry its one key."""
    keys = (stepmill.folder / "effects.txt").read_text().split()
    missing = [run for run in accepted if f"{run}:2" not in set(keys)]
    assert not missing, missing[:5]
    assert all(key.endswith(":2") for key in keys)
    return len(keys) - len(set(keys))


def recovery_times(stepmill):
    """From run.recovered (committed when the death is known) to the next claim."""
    return [row[0] for row in stepmill.sql("""
        select extract(epoch from min(n.at) - r.at)::float8 * 1000
          from workflow_events r join workflow_events n
            on n.execution_id = r.execution_id and n.seq > r.seq and n.type = 2
         where r.type = 12 group by r.execution_id, r.seq, r.at""")]


def kill_one(stepmill, chance):
    """The pool page may be a moment old: false when that one is gone already."""
    workers = stepmill.ready_workers()
    if not workers:
        return False
    try:
        os.kill(chance.choice(workers)["pid"], signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def four():
    with Stepmill(workers=4) as stepmill:
        yield stepmill


def test_killed_workers_lose_nothing(four):
    """30 times kill -9 of a random worker under load."""
    chance = random.Random(1)
    four.workflow(BUSY)
    with Load(four, "busy") as load:
        for _ in range(30):
            time.sleep(chance.uniform(0.2, 0.6))
            wait_for("a worker killed", lambda: kill_one(four, chance))
    wait_for("all runs over", lambda: unfinished(four) == 0, 90, 0.1)
    assert len(load.accepted) > 100
    check_everything(four, load.accepted)
    repeated = check_effects(four, load.accepted)
    times = sorted(recovery_times(four))
    print(f"\n30 workers killed, {len(load.accepted)} runs, {repeated} effects repeated;"
          f" taken up again after ms: p50 {statistics.median(times):.1f}"
          f" p99 {times[int(len(times) * 0.99)]:.1f} of {len(times)}")


def test_killed_supervisors_lose_nothing(fresh):
    """5 times kill -9 of the supervisor's parent under load; dev starts it again."""
    fresh.workflow(BUSY)
    with Load(fresh, "busy") as load:
        for _ in range(5):
            time.sleep(0.5)
            pid = next(int(p) for p, words in fresh.left_over() if "stepmill-supervisor" in words
                       and "--front" not in words)
            os.kill(pid, signal.SIGKILL)
            wait_for("ready again", lambda: len(fresh.ready_workers()) >= 2, 30)
    wait_for("all runs over", lambda: unfinished(fresh) == 0, 90, 0.1)
    assert len(load.accepted) > 20
    check_everything(fresh, load.accepted)
    check_effects(fresh, load.accepted)


def redis(stepmill, *words):
    socket = stepmill.state["redisUrl"].removeprefix("unix:")
    return subprocess.run(["redis-cli", "-s", socket, *words], capture_output=True, text=True,
                          check=True).stdout


def test_redis_is_expendable(fresh):
    """FLUSHALL again and again, and a restart, under load."""
    fresh.workflow(BUSY)
    with Load(fresh, "busy") as load:
        for _ in range(10):
            time.sleep(0.2)
            redis(fresh, "FLUSHALL")
        os.kill(fresh.state["redisPid"], signal.SIGKILL)
        time.sleep(1)
    wait_for("all runs over", lambda: unfinished(fresh) == 0, 60, 0.1)
    check_everything(fresh, load.accepted)


def test_work_goes_on_without_redis(fresh):
    fresh.workflow(BUSY)
    os.kill(fresh.state["redisPid"], signal.SIGSTOP)
    try:
        began = time.monotonic()
        runs = [fresh.execute("busy") for _ in range(20)]
        wait_for("all runs over", lambda: unfinished(fresh) == 0, 30)
        print(f"\n20 runs without Redis: {time.monotonic() - began:.2f} s")
    finally:
        os.kill(fresh.state["redisPid"], signal.SIGCONT)
    check_everything(fresh, runs)


def test_postgresql_restarts_under_load(fresh):
    """kill -9 of the postmaster (dev starts it again): what was accepted ends."""
    fresh.allowed_errors += [r"postgres"]
    fresh.workflow(BUSY)
    with Load(fresh, "busy") as load:
        for _ in range(3):
            time.sleep(1)
            pid = wait_for("a postmaster", lambda: postmaster(fresh))
            os.kill(pid, signal.SIGQUIT)  # immediate shutdown
            wait_for("answers 503 or better", lambda: answers(fresh), 10)
            wait_for("another postmaster", lambda: postmaster(fresh) not in (None, pid), 60)
            wait_for("PostgreSQL is back", lambda: accepts(fresh), 60)
    wait_for("all runs over", lambda: unfinished(fresh) == 0, 90, 0.1)
    check_everything(fresh, load.accepted)


def postmaster(stepmill):
    try:
        path = stepmill.folder / ".stepmill/servers/postgres/postmaster.pid"
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def answers(stepmill):
    try:
        stepmill.get("/readyz", timeout=2)
        return True
    except Refused as refused:
        return refused.status == 503
    except OSError:
        return False


def accepts(stepmill):
    try:
        stepmill.get("/readyz", timeout=2)
        return True
    except (Refused, OSError):
        return False


def test_a_cancelled_program_leaves_nothing(fresh):
    run = fresh.execute("""
name: stubborn
steps:
  - id: hold
    action: tool
    tool: shell
    args: { command: 'trap "" TERM; setsid sh -c "trap \\"\\" TERM; sleep 987" & sleep 987' }
""")
    fresh.wait_running(run, "hold")
    wait_for("the program", lambda: sleeping("987"))
    fresh.post(f"/api/executions/{run}/cancel")
    assert fresh.wait_ended(run)["status"] == "CANCELLED"
    wait_for("nothing of it left", lambda: not sleeping("987"), 5)


def sleeping(seconds):
    found = subprocess.run(["pgrep", "-f", f"^sleep {seconds}$"], capture_output=True, text=True)
    return found.stdout.split()


def test_a_dead_worker_s_program_dies_with_it(fresh):
    run = fresh.execute("""
name: orphan
steps:
  - id: hold
    action: tool
    tool: shell
    args: { command: 'if [ $STEPMILL_ATTEMPT = 1 ]; then setsid sleep 986; fi; echo again' }
""")
    row = fresh.wait_running(run, "hold")
    wait_for("the program", lambda: sleeping("986"))
    fresh.kill_worker(row["workerId"])
    ended = fresh.wait_ended(run)
    assert ended["status"] == "COMPLETED"
    assert ended["steps"][0]["attemptNumber"] == 2
    assert not sleeping("986")
    assert [e["type"] for e in fresh.events(run)].count("run.recovered") == 1


def test_the_same_key_starts_one_run(fresh):
    """FM-03: an answer that got lost may be asked for again."""
    fresh.workflow(BUSY)
    path = "/api/workflows/busy/execute"

    def start(key, body):
        request = urllib.request.Request(
            fresh.url + path, data=json.dumps(body).encode(), method="POST",
            headers={"Content-Type": "application/json", "Idempotency-Key": key})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())["executionId"]
        except urllib.error.HTTPError as error:
            return error.code, None

    first = start("k1", {"input": {"n": 1}})
    assert first[0] == 202
    assert start("k1", {"input": {"n": 1}}) == first
    assert start("k1", {"input": {"n": 2}}) == (422, None)
    assert start("k2", {"input": {"n": 1}})[1] != first[1]
    assert start("x" * 300, {})[0] == 400
    assert fresh.sql("select count(*) from workflow_runs")[0][0] == 2
    fresh.wait_ended(first[1])


CAMPAIGN = pathlib.Path(__file__).resolve().parents[1] / "campaign"
CHILD = flow("lossy-child", noop("only"), queue="lossy")
PARENT = flow("lossy-parent", {"id": "child", "action": "workflow", "workflow": "lossy-child"},
              queue="lossy")


def order(control, **words):
    """Tells tests/campaign/wire.py what to do; its counters."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(control))
        line.sendall(json.dumps({"wire": "pg", **words}).encode() + b"\n")
        return json.loads(line.makefile().readline())


@pytest.fixture
def lossy(fresh, tmp_path):
    """A supervisor whose way to PostgreSQL loses answers, for the queue "lossy"."""
    where = psycopg.conninfo.conninfo_to_dict(fresh.state["databaseUrl"])
    name, control = f".s.PGSQL.{where.get('port', 5432)}", tmp_path / "control"
    wire = subprocess.Popen([CAMPAIGN / "wire.py", "--control", control, "--seed", "1",
                             f"pg,pg,{tmp_path}/{name},{where['host']}/{name}"])
    try:
        wait_for("the wire", control.exists)
        url = psycopg.conninfo.make_conninfo(**{**where, "host": str(tmp_path)})
        with Supervisor(fresh.folder, url, fresh.state["redisUrl"], pool_workers=1,
                        worker_queues="lossy") as supervisor:
            wait_for("a worker", supervisor.ready_workers)
            yield control
    finally:
        wire.terminate()
        wire.wait(10)


def test_a_lost_connection_fails_no_step_that_starts_a_run(fresh, lossy):
    """The way is long, so that there is always a question under way when it is cut."""
    fresh.workflow(CHILD)
    fresh.workflow(PARENT)
    order(lossy, rules={"delay": [0.01, 0.03]})
    runs = []
    for _ in range(20):
        runs += [fresh.execute("lossy-parent") for _ in range(5)]
        order(lossy, cut_all=True)
        time.sleep(0.4)  # as long as a connection lasts, not a wait for something
    order(lossy, rules={})
    ended = [fresh.wait_ended(run) for run in runs]
    assert [run["error"] for run in ended if run["status"] != "COMPLETED"] == []
