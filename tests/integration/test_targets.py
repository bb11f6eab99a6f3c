"""How long things take that are promised in figures: host loss, a flushed Redis with a long
queue behind it, dispatch without Redis. Prints what was measured; what is asserted is only
that it ends. tests/run long runs them, PYTEST_ARGS=-s shows the figures. (I1, I5)"""
import os
import signal
import statistics
import subprocess
import time

import pytest
from harness.stepmill import BIN, Stepmill, shell, wait_for

pytestmark = pytest.mark.long
QUEUE = "of-the-targets"


def redis(stepmill, *words):
    socket = stepmill.state["redisUrl"].removeprefix("unix:")
    return subprocess.run(["redis-cli", "-s", socket, *words], capture_output=True, text=True,
                          check=True).stdout


@pytest.fixture
def fresh():
    with Stepmill(workers=2) as stepmill:
        yield stepmill


def tree(pid):
    """A process and all below it, deepest last."""
    found = [pid]
    for one in found:
        with open(f"/proc/{one}/task/{one}/children") as children:
            found += [int(child) for child in children.read().split()]
    return found


def test_a_lost_host(fresh):
    """Parent, front and workers of one supervisor are killed at once; another has the queue."""
    times = []
    for _ in range(3):
        first = fresh.supervisor(pool_workers=1, worker_queues=QUEUE).start()
        wait_for("the first host", lambda: first.ready_workers())
        run = fresh.begin(shell("nap", "[ $STEPMILL_ATTEMPT = 2 ] || sleep 60", queue=QUEUE))
        fresh.wait_running(run, "nap")
        with fresh.supervisor(pool_workers=1, worker_queues=QUEUE) as second:
            wait_for("the second host", lambda: second.ready_workers())
            died = time.time()
            for pid in reversed(tree(first.process.pid)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            first.process.wait()
            assert fresh.wait_ended(run)["status"] == "COMPLETED"
            [(again,)] = fresh.sql(
                "select extract(epoch from started_at)::float8 from workflow_steps"
                " where execution_id = %s and attempt_number = 2", run)
            times.append(again - died)
    print(f"\na host is lost: its step runs elsewhere after s: {[round(t, 2) for t in times]}")


def test_a_flush_with_100_000_queued(fresh):
    fresh.ask("PUT", "/api/pool", {"workers": 0})
    wait_for("no workers", lambda: not fresh.pool()["workers"], 30)
    bench = subprocess.Popen(
        [BIN / "stepmill", "bench", "single", "--runs", "100000", "--timeout", "600s"],
        cwd=fresh.folder, env=fresh.environment, stdout=subprocess.DEVNULL)
    queued = "select count(*) from workflow_steps where status = 1"
    wait_for("all are queued", lambda: fresh.sql(queued)[0][0] == 100000, 300, 1)
    fresh.ask("PUT", "/api/pool", {"workers": 2})
    done = "select count(*) from workflow_run_state where status = 3"
    wait_for("they work", lambda: fresh.sql(done)[0][0] > 20000, 120)
    redis(fresh, "FLUSHALL")
    [(flushed,)] = fresh.sql("select extract(epoch from now())::float8")
    assert bench.wait(300) == 0
    assert fresh.sql(done)[0][0] == 100000
    rows = dict(fresh.sql(
        "select floor((extract(epoch from completed_at) - %s) * 2)::int, count(*)"
        " from workflow_runs where completed_at is not null group by 1", flushed))
    before = [rows.get(n, 0) * 2 for n in range(-6, 0)]
    after = [rows.get(n, 0) * 2 for n in range(0, 6)]
    print(f"\nFLUSHALL among 100,000: steps/s in each half second before {before},"
          f" after {after}; median before {statistics.median(before):.0f},"
          f" in the second second {statistics.mean(after[2:4]):.0f}")


def test_dispatch_while_redis_is_stopped(fresh):
    name = fresh.define({"id": "a", "action": "noop"})
    os.kill(fresh.state["redisPid"], signal.SIGSTOP)
    try:
        runs = []
        for _ in range(200):
            runs.append(fresh.execute(name))
            time.sleep(0.02)
        for run in runs:
            fresh.wait_ended(run)
    finally:
        os.kill(fresh.state["redisPid"], signal.SIGCONT)
    late = sorted(row[0] * 1000 for row in fresh.sql(
        "select extract(epoch from s.started_at - r.created_at)::float8 from workflow_steps s"
        " join workflow_runs r on r.id = s.execution_id"))
    assert len(late) == 200
    print(f"\ndispatch while Redis is stopped, ms: p50 {late[100]:.0f} p99 {late[197]:.0f}"
          f" max {late[-1]:.0f}")
