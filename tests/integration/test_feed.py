"""Events as a stream: nothing missing and nothing twice, whenever one comes, from whichever
supervisor, with Redis or without. What the WebSocket makes of them is test_ws's."""
import contextlib
import http.client
import json
import random
import signal
import socket
import subprocess
import threading
import time

import psycopg
import pytest
from harness.postgres import Session
from harness.stepmill import Supervisor, moment, noop, shell, tool, wait_for

NOBODY = "00000000-0000-7000-8000-00000000ffff"
STREAM = {"Accept": "text/event-stream"}


class Stream:
    """One answer as an EventSource reads it: events as (id, type, data), and comments."""

    def __init__(self, url, run, last=None, query="", timeout=60, headers=None):
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"),
                                                     timeout=timeout)
        headers = {**STREAM, **(headers or {})}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", f"/api/executions/{run}/events{query}",
                                headers=headers)
        self.answer = self.connection.getresponse()
        self.comments, self.retry = [], None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def __iter__(self):
        event = {}
        while line := self.answer.readline():
            assert line.endswith(b"\n"), line
            field, _, value = line[:-1].decode().partition(":")
            value = value.removeprefix(" ")
            if line == b"\n":
                if "data" in event:
                    yield int(event["id"]), event["event"], json.loads(event["data"])
                event = {}
            elif field == "":
                self.comments.append(value)
            elif field == "retry":
                self.retry = int(value)
            else:
                assert field in {"id", "event", "data"} and field not in event, line
                event[field] = value

    def take(self, count):
        """So many events, then the connection is cut."""
        got = []
        for event in self:
            got.append(event)
            if len(got) == count:
                break
        self.connection.close()
        return got


def read(url, run, last=None, **more):
    with Stream(url, run, last, **more) as stream:
        assert stream.answer.status == 200, stream.answer.read()
        return list(stream)


def follow(url, run, last=0, most=10 ** 9):
    """As a browser does it: comes again after each end, until it is told not to."""
    got = []
    while True:
        with Stream(url, run, last) as stream:
            if stream.answer.status == 204:
                return got
            got += stream.take(most)
        last = got[-1][0] if got else last


def check_whole(stepmill, run, events, since=0):
    """The stream is the log after that number: same numbers, same entries."""
    log = [e for e in stepmill.events(run) if e["seq"] > since]
    assert [number for number, _, _ in events] == [e["seq"] for e in log]
    assert all(number == data["seq"] and kind == data["type"]
               for number, kind, data in events)
    at_rest = {"step.completed"}  # its duration is known to who reads later
    for (_, kind, data), entry in zip(events, log):
        if kind not in at_rest:
            assert data == entry


@contextlib.contextmanager
def another(stepmill, redis_url=None, **environment):
    """A second supervisor on the same database, ready."""
    other = Supervisor(stepmill.folder, stepmill.state["databaseUrl"],
                       redis_url or stepmill.state["redisUrl"],
                       environment={**stepmill.environment, **environment},
                       pool_workers=0)
    other.allowed_errors = stepmill.allowed_errors
    with other:
        wait_for("the other is ready", lambda: other.ask("GET", "/readyz").status == 200)
        yield other


def many(count, pause=0.0):
    """Steps of which each logs a few events."""
    return [shell(f"s{i}", f"sleep {pause}") if pause and i % 3 == 0 else noop(f"s{i}")
            for i in range(count)]


def add_events(stepmill, run, count, size):
    """So many more in the log, each with a text of that size; the last number."""
    last = stepmill.get(f"/api/executions/{run}/events")["lastSeq"]
    stepmill.sql("""insert into workflow_events (execution_id, seq, type, payload)
                    select %s, %s + n, 14, jsonb_build_object('text', repeat('x', %s))
                      from generate_series(1, %s) n""", run, last, size, count)
    stepmill.sql("update workflow_run_state set last_seq = %s where execution_id = %s",
                 last + count, run)
    return last + count


# ---- what a stream looks like ----

def test_a_stream_tells_the_log_and_ends_with_the_run(stepmill):
    run = stepmill.begin(noop("a"), shell("b", "sleep 0.3"),
                         tool("c", "comment.add", {"message": "line 1\nline 2"}))
    with Stream(stepmill.url, run) as stream:
        assert stream.answer.status == 200
        assert stream.answer.headers["Content-Type"] == "text/event-stream"
        assert stream.answer.headers["Cache-Control"] == "no-store"
        events = list(stream)
        assert stream.retry > 0
    assert events[0][:2] == (1, "run.started") and events[-1][1] == "run.completed"
    check_whole(stepmill, run, events)
    # by the readable id, and once it is over
    name = stepmill.execution(run)["runId"]
    assert read(stepmill.url, name) == read(stepmill.url, run)


def test_a_number_to_begin_after(stepmill):
    run = stepmill.do(*many(5))["id"]
    whole = read(stepmill.url, run)
    for since in (0, 1, len(whole) // 2, len(whole) - 1):
        assert read(stepmill.url, run, query=f"?since={since}") == whole[since:]
        assert read(stepmill.url, run, last=since) == whole[since:]
    # the header is newer than what the page was opened with
    assert read(stepmill.url, run, last=3, query="?since=1") == whole[3:]
    # one cursor for all
    page = stepmill.get(f"/api/executions/{run}/events?since=3")["data"]
    assert [e["seq"] for e in page] == [number for number, _, _ in whole[3:]]


@pytest.mark.parametrize("beyond", [0, 1, 10 ** 15])
def test_after_the_end_of_a_run_that_is_over_a_browser_stays_away(stepmill, beyond):
    run = stepmill.do(noop("a"))["id"]
    end = stepmill.get(f"/api/executions/{run}/events")["lastSeq"]
    with Stream(stepmill.url, run, end + beyond) as stream:
        assert stream.answer.status == 204 and stream.answer.read() == b""


def test_beyond_the_end_of_one_that_runs_is_its_end(stepmill):
    run = stepmill.begin(noop("a"), shell("b", "while [ ! -e go ]; do sleep 0.05; done"))
    stepmill.wait_running(run, "b")
    wait_for("its start is logged", lambda: [
        e for e in stepmill.events(run)
        if e["type"] == "step.started" and e["payload"]["stepKey"] == "b"])
    last = stepmill.events(run)[-1]["seq"]
    with Stream(stepmill.url, run, 10 ** 6) as stream:
        assert stream.answer.status == 200 and stream.answer.readline() == b"retry: 1000\n"
        with Stream(stepmill.url, run, last) as other:
            (stepmill.folder / "go").touch()
            assert [n for n, _, _ in other] == [n for n, _, _ in stream]
    (stepmill.folder / "go").unlink()
    check_whole(stepmill, run, read(stepmill.url, run, last), last)


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "1 2", "9" * 30, "+1", "0x10"])
def test_what_is_no_number_is_refused(stepmill, last):
    run = stepmill.do(noop("a"))["id"]
    with Stream(stepmill.url, run, last) as stream:
        assert stream.answer.status == 400
        assert "Last-Event-ID" in json.loads(stream.answer.read())["detail"]
    with Stream(stepmill.url, run, query=f"?since={last.replace(' ', '_')}") as stream:
        assert stream.answer.status == 400


def test_no_stream_of_what_is_not_there(stepmill):
    for run in (NOBODY, "nothing-77", "x"):
        with Stream(stepmill.url, run) as stream:
            assert stream.answer.status == 404
            assert stream.answer.headers["Content-Type"] == "application/problem+json"


def test_head_of_a_stream(stepmill):
    run = stepmill.begin(shell("a", "sleep 0.2"))
    answer = stepmill.ask("HEAD", f"/api/executions/{run}/events", headers=STREAM)
    assert answer.status == 200 and answer.body == b""
    assert answer.headers["Content-Type"] == "text/event-stream"
    stepmill.wait_ended(run)


def test_a_run_that_is_deleted_ends_its_streams_or_was_told_whole(stepmill):
    """A stream that is behind when its run is deleted does not hang for ever."""
    run = stepmill.do(*many(30))["id"]
    with Stream(stepmill.url, run) as stream:
        stepmill.sql("delete from workflow_runs where id = %s", run)
        numbers = [number for number, _, _ in stream]
        assert numbers == list(range(1, len(numbers) + 1))


# ---- no gap and no repeat ----

def test_who_comes_at_any_moment_misses_nothing(stepmill):
    """Subscribers that come at random moments of a run, cut the connection after a few
    events and come again, each see its log exactly once."""
    run = stepmill.begin(*many(60, pause=0.03))
    chance = random.Random(4)
    results, failures = [], []

    def reader(seed):
        mine = random.Random(seed)
        try:
            time.sleep(mine.random() * 1.5)  # the moment is what is drawn
            last = stepmill.get(f"/api/executions/{run}/events")["lastSeq"]
            since = mine.choice([0, 0, mine.randrange(last + 1)])
            results.append((since, follow(stepmill.url, run, since,
                                          most=mine.choice([1, 2, 7, 10 ** 6]))))
        except Exception as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=reader, args=[chance.random()]) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    stepmill.wait_ended(run)
    for since, events in results:
        check_whole(stepmill, run, events, since)


def test_a_long_log_comes_in_order_to_many_at_once(stepmill):
    """Far more than one look brings, for subscribers that stand at different places."""
    run = stepmill.do(noop("a"))["id"]
    last = add_events(stepmill, run, 2500, 10)
    results = {}
    threads = [threading.Thread(target=lambda since=since: results.update(
        {since: [n for n, _, _ in read(stepmill.url, run, since)]}))
        for since in (0, 1, 700, 1234, 2400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for since, numbers in results.items():
        assert numbers == list(range(since + 1, last + 1)), since
    assert len(results) == 5


def test_going_on_at_another_supervisor(stepmill):
    run = stepmill.begin(*many(40, pause=0.05))
    with another(stepmill) as other:
        with Stream(stepmill.url, run) as stream:
            first = stream.take(12)
        rest = read(other.url, run, last=first[-1][0])
        check_whole(stepmill, run, first + rest)
        stepmill.wait_ended(run)


def test_a_supervisor_that_stops_says_so(stepmill):
    run = stepmill.begin(noop("a"), shell("b", "while [ ! -e go2 ]; do sleep 0.05; done"))
    with another(stepmill) as other:
        with Stream(other.url, run) as stream:
            got = stream_until(stream, starts("b"))
            other.process.send_signal(signal.SIGTERM)
            got += list(stream)  # a proper end: http.client would complain otherwise
            assert "stopping" in stream.comments[-1]
    (stepmill.folder / "go2").touch()
    rest = read(stepmill.url, run, last=got[-1][0])
    (stepmill.folder / "go2").unlink()
    check_whole(stepmill, run, got + rest)


def stream_until(stream, condition):
    got = []
    for event in stream:
        got.append(event)
        if condition(event):
            return got
    raise AssertionError(f"the stream ended: {got}")


# ---- without Redis ----

class Redis:
    """One that can be stopped and that can hang."""

    def __init__(self, folder):
        self.socket = folder / "redis.sock"
        self.url = f"unix:{self.socket}"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
             "--appendonly", "no"], stdout=subprocess.DEVNULL)
        wait_for("redis", self.socket.exists)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def redis(tmp_path):
    redis = Redis(tmp_path)
    redis.start()
    yield redis
    redis.stop()


@pytest.mark.parametrize("how", ["stopped", "hanging"])
def test_events_come_without_redis(stepmill, redis, how):
    """The supervisor's Redis goes while a stream is open; it comes again, and goes on."""
    run = stepmill.begin(noop("a"), *[
        shell(f"b{i}", f"while [ ! -e {how}{i} ]; do sleep 0.02; done") for i in range(3)])
    with another(stepmill, redis.url) as other:
        with Stream(other.url, run) as stream:
            got = stream_until(stream, starts("b0"))
            if how == "stopped":
                redis.stop()
            else:
                redis.process.send_signal(signal.SIGSTOP)
            (stepmill.folder / f"{how}0").touch()
            got += stream_until(stream, starts("b1"))
            (stepmill.folder / f"{how}1").touch()
            got += stream_until(stream, starts("b2"))
            if how == "stopped":
                redis.start()
            else:
                redis.process.send_signal(signal.SIGCONT)
            (stepmill.folder / f"{how}2").touch()
            got += list(stream)
    check_whole(stepmill, run, got)


def starts(key):
    return lambda event: (event[1] == "step.started" and
                          event[2]["payload"]["stepKey"] == key)


# ---- readers that do not read ----

def test_a_reader_that_does_not_read_is_not_remembered(stepmill):
    """What it does not take is not gathered for it: it is read again from the table, or the
    connection is cut; others do not notice."""
    run = stepmill.do(noop("a"))["id"]
    last = add_events(stepmill, run, 600, 20_000)
    # A build with AddressSanitizer keeps what is freed, unless told not to.
    with another(stepmill, ASAN_OPTIONS="quarantine_size_mb=1") as other:
        front = front_of(other)
        before = memory(front)
        host, port = other.url.removeprefix("http://").split(":")
        idle = []
        for _ in range(20):
            client = socket.create_connection((host, int(port)))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(f"GET /api/executions/{run}/events HTTP/1.1\r\nHost: {host}:{port}"
                           "\r\nAccept: text/event-stream\r\n\r\n".encode())
            idle.append(client)
        numbers = [n for n, _, _ in read(other.url, run)]
        assert numbers == list(range(1, last + 1))
        # 20 x 12 MB would be 240 MB
        assert memory(front) - before < 60_000, (before, memory(front))
        for client in idle:
            client.close()


def test_a_slow_reader_gets_all_of_it(stepmill):
    """It is given more whenever it has read what there was."""
    run = stepmill.do(noop("a"))["id"]
    last = add_events(stepmill, run, 300, 20_000)
    with Stream(stepmill.url, run) as stream:
        numbers = []
        for number, _, _ in stream:
            numbers.append(number)
            if number % 50 == 0:
                time.sleep(0.1)  # slower than it is sent
    assert numbers == list(range(1, last + 1))


def front_of(supervisor):
    """The process that serves clients."""
    started, = [line for line in supervisor.log().splitlines() if '"front.ready"' in line]
    return json.loads(started)["pid"]


def memory(pid):
    """Resident, in KiB."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


# ---- nobody there ----

def test_with_nobody_there_nothing_is_asked(stepmill):
    """A stream that ended leaves no looks behind: its connection to PostgreSQL rests, while
    that of one still open asks at least every second."""
    run = stepmill.begin(shell("a", "while [ ! -e go3 ]; do sleep 0.05; done"))
    stepmill.wait_running(run, "a")

    def last_question(other):
        return stepmill.sql("""select max(query_start) from pg_stat_activity
                                where application_name = 'stepmill front feed'
                                  and backend_start > %s""", other)[0][0]

    began = stepmill.sql("select clock_timestamp()")[0][0]
    with another(stepmill) as other:
        with Stream(other.url, run) as stream:
            stream.take(1)
            with Stream(other.url, run, 1) as open_one:
                asked = last_question(began)
                wait_for("it is looked again", lambda: last_question(began) > asked)
                open_one.connection.close()
        # Two looks' time without one.
        wait_for("nothing is asked", lambda: stepmill.sql(
            "select clock_timestamp() - %s > interval '2500 ms'",
            last_question(began))[0][0])
    (stepmill.folder / "go3").touch()
    stepmill.wait_ended(run)
    (stepmill.folder / "go3").unlink()


# ---- what the statements promise ----

def session(stepmill):
    """Runs statements of sql/ by name, set up as a connection of the feed."""
    class Connects:
        @staticmethod
        def connect(database, options):
            return psycopg.connect(database, options=options, autocommit=True)
    return Session(Connects, stepmill.state["databaseUrl"])


def test_the_status_of_a_run(stepmill):
    """sql/runs_status.sql: the body of workflow.status."""
    run = stepmill.begin(
        noop("a"), shell("big", "head -c 70000 /dev/zero | tr '\\0' x"),
        shell("bad", "exit 3", onFailure="asks"), noop("never"),
        {"id": "asks", "action": "approval", "prompt": "Go on?"})
    wait_for("it is paused", lambda: stepmill.execution(run)["status"] == "PAUSED")

    def status(project=None):
        return session(stepmill).run("runs_status", [run], project)

    (found, body, requested_by), = status()
    row = stepmill.execution(run)
    assert str(found) == run and requested_by == row["requestedBy"]
    assert body["executionId"] == run and body["workflowId"] == row["workflowId"]
    assert body["status"] == "paused" and "reason" not in body
    assert body["currentStepId"] == "asks"
    results = body["stepResults"]
    assert set(results) == {"a", "big", "bad", "asks"}
    assert results["a"]["status"] == "success" and results["a"]["output"] is None
    assert moment(results["a"]["completedAt"]) > 0
    assert results["big"]["outputTruncated"] is True and "output" not in results["big"]
    assert results["bad"]["status"] == "failure"
    assert results["asks"]["status"] == "paused" and "completedAt" not in results["asks"]
    assert status(NOBODY) == []
    stepmill.post(f"/api/executions/{run}/cancel")
    (_, body, _), = status()
    assert body["status"] == "failed" and body["reason"] == "cancelled"
