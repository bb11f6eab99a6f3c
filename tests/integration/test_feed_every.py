"""Subscriptions to every run, and the three dialects of what they are given: no run and no
event missing, none twice, with Redis or without. Drives the feed alone (feed_driver.c); the
runs are those of a whole stepmill beside it."""
import itertools
import json
import os
import signal
import subprocess
import threading
import uuid

import pytest
import redis as redis_client
from harness.programs import driver as driver_path
from harness.stepmill import SANITIZER, noop, shell, tool, wait_for
from test_feed import Redis, add_events, session

NOBODY = "00000000-0000-7000-8000-00000000ffff"
DEFAULT = "00000000-0000-7000-8000-000000000001"


class Feed:
    """The driver; what it said, by subscription."""

    def __init__(self, stepmill, redis_url=None):
        environment = {**os.environ, "STEPMILL_DATABASE_URL": stepmill.state["databaseUrl"],
                       "STEPMILL_REDIS_URL": redis_url or stepmill.state["redisUrl"]}
        for name in [n for n in environment if n.startswith("PG")]:
            del environment[name]
        self.process = subprocess.Popen([driver_path("feed_driver")], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.said, self.errors, self.synced = [], [], 0
        self.names = itertools.count(1)
        self.threads = [threading.Thread(target=self.listen),
                        threading.Thread(target=self.listen_to_errors)]
        for thread in self.threads:
            thread.start()

    def listen(self):
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def listen_to_errors(self):
        self.errors += self.process.stderr

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        for thread in self.threads:
            thread.join(30)
        status = self.process.wait(30)
        if kind is None:
            assert status == 0, self.errors
            text = "".join(self.errors)
            assert not SANITIZER.search(text) and '"level":"error"' not in text, text

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def subscribe(self, run="every", since=-1, *options):
        """Waits until it stands; its name."""
        name = f"s{next(self.names)}"
        self.tell(" ".join(["sub", name, run, str(since), *options]))
        wait_for("the subscription stands", lambda: self.of(name, "started", "refused"))
        return name

    def of(self, name, *whats):
        return [s for s in list(self.said) if isinstance(s, dict) and s["sub"] == name
                and s["what"] in whats]

    def events(self, name, run=None):
        return [s for s in self.of(name, "event") if run in (None, s["run"])]

    def seqs(self, name, run):
        return [e["seq"] for e in self.events(name, run)]

    def wait_whole(self, name, stepmill, run, since=0):
        """Until all of the run's log after that number was told; each event once."""
        last = stepmill.get(f"/api/executions/{run}/events")["lastSeq"]
        wait_for(f"{run} was told", lambda: last in self.seqs(name, run))
        assert self.seqs(name, run) == list(range(since + 1, last + 1))

    def sync(self):
        """What was told to do is done, and said."""
        before = self.said.count("synced")
        self.tell("sync")
        wait_for("synced", lambda: self.said.count("synced") > before)


@pytest.fixture
def redis(tmp_path):
    redis = Redis(tmp_path)
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def feed(stepmill):
    with Feed(stepmill) as feed:
        yield feed


def test_every_run_from_now_on(stepmill, feed):
    before = stepmill.do(noop("a"))["id"]
    long_ago(stepmill, before)
    under_way = stepmill.begin(noop("a"), shell("b", "while [ ! -e ev1 ]; do sleep 0.02; done"))
    wait_for("b has started", lambda: [
        e for e in stepmill.events(under_way)
        if e["type"] == "step.started" and e["payload"]["stepKey"] == "b"])
    name = feed.subscribe()
    runs = [stepmill.execute(stepmill.define(noop("a"), noop("b"))) for _ in range(5)]
    (stepmill.folder / "ev1").touch()
    for run in [*runs, under_way]:
        stepmill.wait_ended(run)
    (stepmill.folder / "ev1").unlink()
    for run in runs:
        feed.wait_whole(name, stepmill, run)
    last = stepmill.get(f"/api/executions/{under_way}/events")["lastSeq"]
    wait_for("the end is told", lambda: last in feed.seqs(name, under_way))
    told = feed.seqs(name, under_way)
    assert told == list(range(told[0], last + 1))
    assert feed.events(name, under_way)[-1]["type"] == "run.completed"
    assert not feed.events(name, before)


def long_ago(stepmill, *runs):
    """They ended before any look reaches back."""
    for run in runs:
        stepmill.sql("update workflow_events set at = at - interval '1 hour'"
                     " where execution_id = %s", run)
        stepmill.sql("update workflow_runs set completed_at = completed_at - interval '1 hour'"
                     " where id = %s", run)


@pytest.mark.parametrize("how", ["away", "hanging"])
def test_every_run_without_redis(stepmill, redis, how):
    """The feed's Redis hears nothing of what the workers say: all comes from the tables,
    runs that begin and end between two looks as well."""
    if how == "away":
        redis.stop()
    with Feed(stepmill, redis.url) as feed:
        wait_for("it runs", lambda: feed.process.poll() is None)
        if how == "hanging":
            redis.process.send_signal(signal.SIGSTOP)
        name = feed.subscribe()
        flow = stepmill.define(noop("a"), noop("b"))
        runs = [stepmill.execute(flow) for _ in range(40)]
        slow = stepmill.begin(*[shell(f"s{i}", "sleep 0.3") for i in range(4)])
        for run in [*runs, slow]:
            stepmill.wait_ended(run)
            feed.wait_whole(name, stepmill, run)
        # one that waited for long goes on
        crashed = stepmill.begin({"id": "a", "action": "approval", "prompt": "?"})
        wait_for("it waits", lambda: stepmill.execution(crashed)["status"] == "PAUSED")
        stepmill.post(f"/api/executions/{crashed}/cancel")
        feed.wait_whole(name, stepmill, crashed)


def test_a_connection_that_is_lost_loses_no_event(stepmill, feed):
    """The backends that look are ended while runs go on, again and again."""
    every = feed.subscribe()
    flow = stepmill.define(noop("a"), shell("b", "sleep 0.1"), noop("c"))
    runs = []
    single = None
    for _ in range(5):
        runs.append(stepmill.execute(flow))
        if single is None:
            single = feed.subscribe(runs[0], 0)
        ended = stepmill.sql("""select pg_terminate_backend(pid) from pg_stat_activity
                                 where application_name = 'stepmill front feed'""")
        assert ended
        runs.append(stepmill.execute(flow))
        stepmill.wait_ended(runs[-1])
        wait_for("it looks again", lambda: stepmill.sql(
            """select count(*) from pg_stat_activity
                where application_name = 'stepmill front feed'""")[0][0])
    for run in runs:
        stepmill.wait_ended(run)
        feed.wait_whole(every, stepmill, run)
    feed.wait_whole(single, stepmill, runs[0])


def test_subscriptions_that_come_later_and_end(stepmill, feed):
    """Each is given what comes after it, whoever was there before and what others wanted."""
    flow = stepmill.define(noop("a"))
    other_flow = stepmill.define(noop("a"))
    flow_id = stepmill.get(f"/api/workflows/{flow}")["id"]
    narrow = feed.subscribe("every", -1, f"workflow={flow_id}")
    first = [stepmill.execute(flow), stepmill.execute(other_flow)]
    for run in first:
        stepmill.wait_ended(run)
    feed.wait_whole(narrow, stepmill, first[0])
    long_ago(stepmill, *first)
    wide = feed.subscribe()
    second = [stepmill.execute(flow), stepmill.execute(other_flow)]
    for run in second:
        stepmill.wait_ended(run)
        feed.wait_whole(wide, stepmill, run)
    feed.wait_whole(narrow, stepmill, second[0])
    assert not feed.events(wide, first[0]) and not feed.events(wide, first[1])
    assert not feed.events(narrow, first[1]) and not feed.events(narrow, second[1])
    feed.tell(f"end {narrow}")
    feed.sync()
    told = len(feed.events(narrow))
    third = stepmill.execute(flow)
    stepmill.wait_ended(third)
    feed.wait_whole(wide, stepmill, third)
    assert len(feed.events(narrow)) == told
    # and after all of them ended, one begins anew
    long_ago(stepmill, third)
    feed.tell(f"end {wide}")
    again = feed.subscribe()
    fourth = stepmill.execute(flow)
    stepmill.wait_ended(fourth)
    feed.wait_whole(again, stepmill, fourth)
    assert not feed.events(again, third)


def test_what_a_filter_lets_through(stepmill, feed):
    flow = stepmill.define(noop("a"))
    flow_id = stepmill.get(f"/api/workflows/{flow}")["id"]
    names = {
        options: feed.subscribe("every", -1, *options) for options in [
            (f"workflow={flow_id}",), (f"workflow={NOBODY}",), (f"project={DEFAULT}",),
            (f"project={NOBODY}",), (f"confined={DEFAULT}",), (f"confined={NOBODY}",),
            ("by=dev",), ("by=somebody",), (f"workflow={flow_id}", f"project={NOBODY}")]}
    run = stepmill.execute(flow)
    stepmill.wait_ended(run)
    assert stepmill.execution(run)["requestedBy"] == "dev"
    wanted = {options for options in names
              if NOBODY not in "".join(options) and options != ("by=somebody",)}
    for options in wanted:
        feed.wait_whole(names[options], stepmill, run)
    for options in set(names) - wanted:
        assert not feed.events(names[options]), options


def test_runs_that_had_ended_before(stepmill, feed):
    """Somebody comments on one: told to all but those who want runs that are alive."""
    run = stepmill.do(noop("a"))["id"]
    last = stepmill.get(f"/api/executions/{run}/events")["lastSeq"]
    long_ago(stepmill, run)
    wide, alive = feed.subscribe(), feed.subscribe("every", -1, "alive")
    add_events(stepmill, run, 1, 3)
    publish(stepmill, run, last + 1)
    wait_for("it is told", lambda: feed.events(wide, run))
    other = stepmill.do(noop("a"))["id"]
    feed.wait_whole(alive, stepmill, other)
    assert feed.seqs(wide, run) == [last + 1] and not feed.events(alive, run)


def publish(stepmill, run, seq):
    """As a worker says that a run's log got that far."""
    entry = uuid.UUID(run).bytes + seq.to_bytes(8, "big")
    url = stepmill.state["redisUrl"]
    path = url.removeprefix("unix:").split("?")[0]
    with redis_client.Redis(unix_socket_path=path) as connection:
        connection.publish("stepmill:events", entry)


def test_who_pauses(stepmill, feed):
    """One of a single run loses nothing; one of every run goes on where it stopped, if
    nobody else took what came meanwhile."""
    run = stepmill.begin(noop("a"), shell("b", "while [ ! -e ev2 ]; do sleep 0.02; done"))
    single, every = feed.subscribe(run, 0), feed.subscribe()
    wait_for("the beginning is told", lambda: feed.events(single))
    for name in (single, every):
        feed.tell(f"pause {name}")
    feed.sync()
    told = len(feed.events(single))
    (stepmill.folder / "ev2").touch()
    stepmill.wait_ended(run)
    (stepmill.folder / "ev2").unlink()
    other = stepmill.do(noop("a"))["id"]
    feed.sync()
    assert len(feed.events(single)) == told and not feed.events(every, other)
    for name in (single, every):
        feed.tell(f"resume {name}")
    feed.wait_whole(single, stepmill, run)
    feed.wait_whole(every, stepmill, other)


def test_single_runs(stepmill, feed):
    run = stepmill.do(noop("a"), noop("b"))["id"]
    last = stepmill.get(f"/api/executions/{run}/events")["lastSeq"]
    whole, now = feed.subscribe(run, 0), feed.subscribe(run, -1)
    assert feed.of(whole, "started")[0]["lastSeq"] == last
    assert feed.of(now, "started")[0]["lastSeq"] == last
    feed.wait_whole(whole, stepmill, run)
    assert not feed.events(now)
    for options in ((NOBODY, 0), (run, 0, f"confined={NOBODY}")):
        name = feed.subscribe(*options)
        assert feed.of(name, "refused")[0]["error"] == "not_found"
        assert not feed.events(name)
    name = feed.subscribe(run, 0, f"confined={DEFAULT}")
    feed.wait_whole(name, stepmill, run)


def test_many_more_runs_than_a_page(stepmill, feed):
    """More open runs than one page, and more new ones than one look takes."""
    flow = stepmill.define(noop("a"), concurrency=1)
    run = stepmill.execute(flow)
    stepmill.wait_ended(run)
    sql = session(stepmill)
    copies = sql.text("""
        with made as (
            insert into workflow_runs (id, workflow_def_id, project_id, status, triggered_by)
            select uuid7(), workflow_def_id, project_id, 1, 'manual'
              from workflow_runs, generate_series(1, 2300) where id = $1 returning id)
        insert into workflow_run_state (execution_id, status) select id, 1 from made
        returning execution_id""", run)
    ids = [row[0] for row in copies]
    try:
        name = feed.subscribe()
        for chosen in (ids[:700], ids[700:]):
            sql.text("""insert into workflow_events (execution_id, seq, type)
                        select unnest($1::uuid[]), 1, 12""", chosen)
            sql.text("""update workflow_run_state set last_seq = 1
                         where execution_id = any ($1)""", chosen)
        wait_for("all are told", lambda: len(feed.events(name)) >= len(ids), 60)
        told = [e["run"] for e in feed.events(name)]
        assert sorted(told) == sorted(str(i) for i in ids)
    finally:
        sql.text("delete from workflow_runs where id = any ($1)", ids)
        sql.close()


def test_a_large_output_is_left_out_of_a_row(stepmill, feed):
    name = feed.subscribe()
    run = stepmill.begin(shell("a", "head -c 200000 /dev/zero | tr '\\0' x"),
                         noop("b"))
    stepmill.wait_ended(run)
    feed.wait_whole(name, stepmill, run)
    rows = {e["type"]: e["row"] for e in feed.events(name, run)
            if e["event"]["payload"].get("stepKey") in (None, "a")}
    done = rows["step.completed"]
    assert done["outputTruncated"] is True and "output" not in done
    assert done["stepKey"] == "a" and done["status"] == "COMPLETED"
    message = next(m for e in feed.events(name, run) for m in e["colon"]
                   if m["type"] == "workflow:step:updated" and m["stepKey"] == "a"
                   and e["type"] == "step.completed")
    assert message["step"]["outputTruncated"] is True
    assert len(stepmill.step(run, "a")["output"]["stdout"]) >= 200000


def test_what_is_nested_too_deep_is_told_without(stepmill, feed):
    """Deeper than we read JSON, as a row can be that holds an output of the greatest
    depth: the event is told all the same."""
    run = stepmill.do(noop("a"))["id"]
    last = stepmill.get(f"/api/executions/{run}/events")["lastSeq"]
    stepmill.sql("update workflow_runs set output = (repeat('[', 64) || repeat(']', 64))::jsonb"
                 " where id = %s", run)
    add_events(stepmill, run, 2, 3)
    stepmill.sql("update workflow_events set payload = jsonb_build_object('x',"
                 " (repeat('[', 64) || repeat(']', 64))::jsonb)"
                 " where execution_id = %s and seq = %s", run, last + 2)
    name = feed.subscribe(run, last)
    wait_for("both are told", lambda: len(feed.events(name)) == 2)
    assert feed.seqs(name, run) == [last + 1, last + 2]
    for event in feed.events(name):
        assert event["row"] is None and event["colon"][0]["executionId"] == run
        assert event["event"]["seq"] == event["seq"]
    assert feed.events(name)[0]["event"]["payload"] == {"text": "xxx"}
    assert feed.events(name)[1]["event"]["payload"] == {}


def test_three_dialects_of_one_run(stepmill, feed):
    """Real rows in the messages; which event becomes what is test_dialect_core's."""
    name = feed.subscribe()
    run = stepmill.begin(
        tool("say", "comment.add", {"message": "hello"}),
        shell("bad", "exit 3", onFailure="asks", retry={"maxAttempts": 2, "delay": 10}),
        noop("never"), {"id": "asks", "name": "Ask somebody", "action": "approval",
                        "prompt": "Go on?"},
        noop("z"))
    wait_for("it waits", lambda: stepmill.execution(run)["status"] == "PAUSED")
    row = stepmill.execution(run)
    stepmill.post(f"/api/executions/{run}/steps/asks/approve", {"comment": "yes"})
    row = stepmill.wait_ended(run)
    feed.wait_whole(name, stepmill, run)
    events = feed.events(name, run)
    assert [e["event"] for e in events if e["type"] != "step.completed"] == [
        e for e in stepmill.events(run) if e["type"] != "step.completed"]
    camel = [m for e in events for m in e["camel"]]
    kinds = [m["type"] for m in camel]
    assert kinds[0] == "WorkflowRunStarted" and kinds[-1] == "WorkflowRunCompleted"
    assert camel[0] == {"type": "WorkflowRunStarted", "seq": 1, "run_id": run,
                        "workflow_name": row["workflowName"], "trigger_type": "manual"}
    assert camel[-1]["duration_ms"] == row["durationMs"]
    assert camel[-1]["steps_completed"] == sum(
        s["status"] == "COMPLETED" for s in row["steps"])
    failed = [m for m in camel if m["type"] == "WorkflowStepFailed"]
    assert [m["will_retry"] for m in failed] == [True, False]
    assert all(m["step_id"] == "bad" and isinstance(m["error"], str) for m in failed)
    paused, = [m for m in camel if m["type"] == "WorkflowRunPaused"]
    assert paused["step_id"] == "asks" and paused["reason"] == "approval"
    colon = [m for e in events for m in e["colon"]]
    assert all(m["executionId"] == run for m in colon)
    comments = [m["comment"] for m in colon if m["type"] == "workflow:comment:added"]
    assert comments == row["comments"]
    requests = [m for m in colon if m["type"] == "workflow.approval.request"]
    assert [(m["stepId"], m["stepDescription"]) for m in requests] == [("asks", "Go on?")]
    ended = colon[-1]
    assert ended["type"] == "workflow:execution:completed" and ended["status"] == "COMPLETED"
    assert {**ended["execution"], "updatedAt": None} == {
        **{k: v for k, v in row.items() if k in ended["execution"]}, "updatedAt": None}
    steps = [m for m in colon if m["type"] == "workflow:step:updated"]
    assert all(m["stepId"] == m["step"]["id"] for m in steps if "step" in m)
    assert all("current_workflow_step_id" in m and m["status"].isupper() for m in steps)
    status = [m for e in events for m in e["status"]]
    assert {m["type"] for m in status} == {"workflow.status", "workflow.approval.request"}
