"""The rooms of common/store and their door, driven against a PostgreSQL that goes away,
hangs, is full or was restarted. Guards I2 (results are recorded once: nothing of a flush
whose answer was lost is stored twice or given up), I4 and I5 on the database's side."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from harness import programs
from harness.postgres import Postgres, Session, uuid7, wait
from test_sql import Store


class Driver:
    """store_driver on a database: runs of ten steps, so many at once, until told to end."""

    def __init__(self, store, folder, in_flight=40, batch=64, mode="held",
                 queue="default", url=None, **environment):
        self.log_path = folder / f"driver-{uuid7()}.log"
        self.process = subprocess.Popen(
            [programs.driver("store_driver"), url or store.postgres.url(store.database),
             store.definition, "10", str(in_flight), "600", str(batch), mode, queue],
            stdout=subprocess.PIPE, stderr=open(self.log_path, "wb"), text=True,
            env={**os.environ, **environment})

    def log(self, event):
        lines = self.log_path.read_bytes()
        records = [json.loads(line) for line in lines[: lines.rfind(b"\n") + 1].splitlines()]
        return [record for record in records if record["event"] == event]

    def backends(self, store):
        rows = ask(store, "select pid from pg_stat_activity"
                          " where application_name = 'store_driver'")
        return [pid for pid, in rows]

    def works(self, store):
        """Now, not some time ago."""
        before = ask(store, "select count(*) from workflow_events")
        wait("work", lambda: ask(store, "select count(*) from workflow_events") > before)

    def end(self, deadline=60, code=0):
        self.process.terminate()
        answer, _ = self.process.communicate(timeout=deadline)
        text = self.log_path.read_text()
        assert self.process.returncode == code, text
        assert '"level":"error"' not in text, text
        return json.loads(answer)


@pytest.fixture(scope="module")
def postgres():
    postgres = Postgres("-c max_connections=40")
    yield postgres
    postgres.remove()


@pytest.fixture
def store(postgres):
    store = Store(postgres)
    store.close()
    store.sessions = []
    yield store
    assert not store.look_around()


def ask(store, sql):
    with store.postgres.connect(store.database) as conn:
        return conn.execute(sql).fetchall()


def assert_all_ended(store, result):
    """Every run that was ever stored, each step once, and nothing was counted as fenced."""
    [(runs, open_runs)] = ask(store, "select count(*), count(*) filter (where status <> 3)"
                                     " from workflow_runs")
    assert (result["runs"], open_runs) == (runs, 0) and runs > 0
    [(steps, tries)] = ask(store, "select count(*), max(attempt_number) from workflow_steps")
    assert steps == result["steps"] == runs * 10 and tries == 1
    assert (result["fenced"], result["errors"]) == (0, 0)
    assert ask(store, "select distinct count(*) from workflow_events group by execution_id"
               ) == [(22,)]


# ---- in good weather ----

def test_each_room_once(store):
    """Parameters and columns arrive where they belong."""
    done = subprocess.run([programs.driver("store_rooms"), store.postgres.url(store.database),
                           store.definition], stdout=subprocess.PIPE, text=True, check=True)
    expected = (Path(__file__).parent / "store_rooms.txt").read_text()
    assert sorted(done.stdout.splitlines()) == sorted(expected.splitlines())
    kept = ask(store, """
        select r.run_number, r.input, r.trigger_payload, r.priority, r.triggered_by,
               r.requested_by, r.idempotency_key, r.trace_id, r.timeout::text,
               r.error ->> 'code', c.message
          from workflow_runs r left join workflow_comments c
            on c.execution_id = r.id and c.message like 'Cancelled%' order by 1""")
    message = 'Cancelled by eve: en"ough'
    assert kept == [
        (1, "in é", 7, 2, "manual", None, None, None, None, "cancelled", message),
        (2, None, None, 0, "cron", None, None, None, "00:00:00.000001", "timeout", None),
        (3, None, None, 2, "manual", "eve", "once", "trace", None, "cancelled", message),
        (4, None, None, 2, "manual", None, None, None, None, "cancelled", message)]
    assert ask(store, "select s.step_key, s.step_number, s.queue, s.max_attempts, s.input,"
                      " s.output, s.error, s.attempt_number, s.losses from workflow_steps s"
                      " join workflow_runs r on r.id = s.execution_id"
                      " order by run_number, step_number") == [
        ("a", 1, "default", 3, True, 1.5, None, 1, 0),
        ("b", 2, "gpu", 9, None, None, None, 1, 0),
        ("b", 1, "gpu", 4, None, None, None, 2, 1),
        ("b", 1, "default", 5, None, None, {"code": "x"}, 2, 0),
        ("b", 1, "default", 6, None, None, None, 1, 0)]
    assert ask(store, "select slots, queues, version, pid, status from workers order by id") == [
        (8, ["default", "gpu"], "test", 1, 3), (8, ["default", "gpu"], "test", 1, 2)]
    assert ask(store, "select host, pid, version, status, desired_workers, running_workers"
                      " from nodes") == [("host", 12, "v", "ready", 3, 2)]


@pytest.mark.parametrize("mode", ["held", "queued"])
def test_all_runs_end(store, tmp_path, mode):
    driver = Driver(store, tmp_path, mode=mode)
    driver.works(store)
    result = driver.end()
    assert (result["lost"], result["retried"], result["reconnects"]) == (0, 0, 0)
    assert_all_ended(store, result)


def test_two_workers_at_once(store, tmp_path):
    drivers = [Driver(store, tmp_path, queue=queue) for queue in ("one", "two")]
    for driver in drivers:
        driver.works(store)
    results = [driver.end() for driver in drivers]
    both = {key: results[0][key] + results[1][key] for key in results[0]}
    assert_all_ended(store, both)
    assert ask(store, "select deadlocks from pg_stat_database"
                      " where datname = current_database()") == [(0,)]


def test_draining_gives_back_what_is_in_hand(store, tmp_path):
    driver = Driver(store, tmp_path, mode="drain")
    driver.works(store)
    result = driver.end()
    assert result["returned"] > 0
    assert ask(store, "select count(*) from workflow_steps where status = 2") == [(0,)]
    assert ask(store, "select distinct attempt_number, losses from workflow_steps") == [(1, 0)]


def test_a_worker_declared_dead_hears_of_it(store, tmp_path):
    driver = Driver(store, tmp_path)
    [(worker,)] = wait("a worker with a step", lambda: ask(
        store, "select distinct worker_id from workflow_steps where status = 2 limit 1"))
    session = Session(store.postgres, store.database)
    session.begin()
    session.run("workers_lock", worker)
    session.run("workers_bury", worker)
    session.run("runs_lock_held", worker)
    session.run("steps_requeue_lost", worker, None, False)
    session.commit()
    session.close()
    driver.process.wait(10)
    driver.end(code=3)


# ---- the server goes ----

def test_a_server_that_crashes_again_and_again(store, tmp_path):
    driver = Driver(store, tmp_path)
    for crash in range(8):
        wait("both connections", lambda: len(driver.log("postgres.connected")) >= 2 * crash + 2)
        driver.works(store)
        time.sleep(0.1)  # whatever it does when the crash comes
        store.postgres.restart()
    result = driver.end()
    assert result["reconnects"] >= 8
    assert_all_ended(store, result)
    # Once per change and connection, however many tries there were.
    assert len(driver.log("postgres.lost")) == 16


def terminate_in_the_middle(store, tmp_path):
    ask(store, "delete from workflow_runs returning 1")  # of the time before
    driver = Driver(store, tmp_path, in_flight=200)
    with store.postgres.connect("postgres") as admin:
        while len(driver.log("postgres.lost")) < 40:
            admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where"
                          " application_name = 'store_driver' and state = 'active'"
                          " order by random() limit 1")
            time.sleep(0.02)
    result = driver.end()
    assert result["reconnects"] > 5
    assert_all_ended(store, result)
    return result["lost"]


def test_connections_that_are_terminated_in_the_middle(store, tmp_path):
    """Whether a flush is under way just then is left to chance: a few times."""
    assert any(terminate_in_the_middle(store, tmp_path) > 0 for _ in range(6))


def test_a_server_that_hangs(store, tmp_path):
    """Nothing comes back: the watchdog cuts, and all goes on when the server does."""
    driver = Driver(store, tmp_path, STATEMENT_TIMEOUT_MS="500")
    driver.works(store)
    store.postgres.pause()
    try:
        wait("the watchdog", lambda: driver.log("postgres.lost"))
    finally:
        store.postgres.resume()
    assert driver.log("postgres.lost")[0]["why"] == "the server does not answer"
    assert_all_ended(store, driver.end())


def test_a_backend_that_wakes_up_too_late(store, tmp_path):
    """A stopped backend has a flush or a claim in its hands; a newer connection of the same
    worker takes over; what the old one then carries out may not be stored: steps it claims
    would be held for ever, for nobody would know of them."""
    driver = Driver(store, tmp_path, mode="queued", STATEMENT_TIMEOUT_MS="500")
    sessions = set()
    for _ in range(3):
        sessions.update(ask(store, "select session from workers"))
        known = len(driver.log("postgres.connected"))
        stopped = wait("both connections", lambda: len(
            pids := driver.backends(store)) == 2 and pids)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            wait("a newer connection",  # one that waits for nothing is not given up
                 lambda: len(driver.log("postgres.connected")) > known)
            time.sleep(0.3)  # the newer one works, or waits for a lock of the old one
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        driver.works(store)
        assert not sessions.intersection(ask(store, "select session from workers"))
    assert_all_ended(store, driver.end())


def test_a_server_that_comes_later(store, tmp_path):
    store.postgres.stop()
    driver = Driver(store, tmp_path)
    wait("the loss is told", lambda: len(driver.log("postgres.lost")) == 2)
    time.sleep(1)  # many tries, and no more lines
    assert len(driver.log("postgres.lost")) == 2
    store.postgres.start()
    driver.works(store)
    assert_all_ended(store, driver.end())


def test_a_server_that_is_full(store, tmp_path):
    others = []
    while True:
        try:
            others.append(store.postgres.connect("postgres"))
        except psycopg.OperationalError:
            break
    driver = Driver(store, tmp_path)
    wait("the loss is told", lambda: len(driver.log("postgres.lost")) == 2)
    assert "too many clients" in driver.log("postgres.lost")[0]["why"]
    for conn in others:
        conn.close()
    driver.works(store)
    assert_all_ended(store, driver.end())


def test_a_lock_that_is_held_too_long(store, tmp_path):
    """Statement timeouts are passing faults: nothing is lost, nobody reconnects."""
    driver = Driver(store, tmp_path, STATEMENT_TIMEOUT_MS="200")
    driver.works(store)
    with store.postgres.connect(store.database) as conn, conn.transaction():
        conn.execute("lock table workflow_run_state")
        time.sleep(1)
    result = driver.end()
    assert result["reconnects"] == 0 and result["retried"] > 0
    assert_all_ended(store, result)


def test_a_statement_that_cannot_be_prepared_yet(store, tmp_path):
    """It fails, says so, and works on the same connection once it can."""
    ask_admin = store.postgres.connect(store.database)
    ask_admin.execute("alter table workflow_events rename to hidden")
    driver = Driver(store, tmp_path)
    wait("the refusal", lambda: driver.log("postgres.refused"))
    ask_admin.execute("alter table hidden rename to workflow_events")
    ask_admin.close()
    driver.works(store)
    driver.process.terminate()
    answer, _ = driver.process.communicate(timeout=60)
    result = json.loads(answer)
    assert result["reconnects"] == 0 and result["runs"] > 0
    assert ask(store, "select count(*) from workflow_runs where status <> 3") == [(0,)]


# ---- addresses ----

def test_hosts_by_name(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    postgres = Postgres(f"-c listen_addresses=localhost -c port={port}")
    try:
        store = Store(postgres_with_port(postgres, port))
        store.close()
        store.sessions = []
        rest = f"dbname={store.database} user=stepmill"
        for hosts, ports in (("localhost", port), ("no-such-host.invalid,localhost",
                                                   f"1,{port}")):
            url = f"host={hosts} port={ports} {rest}"
            driver = Driver(store, tmp_path, url=url)
            driver.works(store)
            result = driver.end()
            assert result["runs"] > 0
        driver = Driver(store, tmp_path, url=f"host=no-such-host.invalid {rest}")
        wait("the failure is told", lambda: driver.log("postgres.lost"))
        assert "no-such-host.invalid" in driver.log("postgres.lost")[0]["why"]
        driver.process.kill()
        driver.process.communicate()
    finally:
        postgres.remove()


def postgres_with_port(postgres, port):
    url = postgres.url
    postgres.url = lambda database: f"{url(database)} port={port}"
    return postgres


def test_a_url_that_cannot_be_read_is_told_without_its_secrets(store):
    done = subprocess.run([programs.driver("store_driver"), "postgresql://u:secret@h:port/x?nonsense=1",
                           store.definition, "1", "1", "1"], capture_output=True, text=True)
    assert done.returncode != 0 and "database URL cannot be read" in done.stderr
    assert "secret" not in done.stderr
