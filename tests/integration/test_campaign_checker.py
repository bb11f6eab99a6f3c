"""The checker of the fault campaign is checked: on what a real stepmill did - retries, branches,
loops, waits, a cancel, a killed worker - it finds nothing, and each seeded defect it finds, under
the invariant that it breaks and under no other."""
import base64
import collections
import copy
import html
import json
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import psycopg
import pytest
from harness.postgres import Postgres, uuid7
from harness.stepmill import Stepmill, flow, noop, shell, tool, wait_for

CAMPAIGN = Path(__file__).resolve().parents[1] / "campaign"
sys.path.insert(0, str(CAMPAIGN))

import checker  # noqa: E402
from checks.canaries import encodings  # noqa: E402
from checks.files import Malformed  # noqa: E402
from checks.fold import RunLog  # noqa: E402
from checks.limits import most_at_once  # noqa: E402

EFFECT = """printf '{"key":"%s","attempt":%d,"time":%s,"note":"%s:%s"}\\n' \
"$STEPMILL_IDEMPOTENCY_KEY" "$STEPMILL_ATTEMPT" "$(date +%s.%N)" \
"$STEPMILL_EXECUTION_ID" "$STEPMILL_STEP_NUMBER" >> ledger.jsonl"""
WORKFLOWS = [
    flow("plain", shell("effect", EFFECT), noop("middle"), noop("last")),
    flow("flaky", shell("effect", EFFECT + "; [ $STEPMILL_ATTEMPT -gt 2 ]",
                        retry={"maxAttempts": 3, "delay": 20, "jitter": False}), noop("last")),
    flow("branchy", noop("first", branches=[{"condition": "input.skip", "goto": "third"}]),
         noop("second"), noop("third", onSuccess="end"), noop("never")),
    flow("loop", tool("count", "state.set",
                      {"key": "n", "value": "{{has(state.n) ? state.n + 1 : 1}}"},
                      branches=[{"condition": "result < 3", "goto": "count"}]), noop("last")),
    flow("nap", {"id": "nap", "action": "wait", "for": "50ms"}, noop("last")),
    flow("failing", noop("first"), shell("fails", "exit 3"), noop("never")),
    flow("rescued", shell("fails", "exit 3", onFailure="rescue"), noop("never"), noop("rescue")),
    flow("forgiven", shell("fails", "exit 3", continueOnError=True), noop("last")),
    flow("long", shell("effect", EFFECT + "; sleep {{input.s}}"), noop("last")),
    flow("beside", shell("sleeps", "sleep 0.5")),
]
PROBES = [("leases", 0, 0), ("children", [], None), ("sessions", 3, 4), ("survivors", [], None),
          ("descriptors", {"front": 20, "worker": 30}, {"front": 20, "worker": 31}),
          ("rss", {"front": 10_500_000}, {"front": 10_000_000}), ("ready", True, 0.05),
          ("ready", False, None)]


class Client:
    """Asks as a campaign's client does, and writes the history."""

    def __init__(self, stepmill):
        self.stepmill, self.history, self.runs = stepmill, [], {}

    def call(self, op, path, workflow, body=None, key=None, execution=None):
        start = time.time()
        answer = self.stepmill.ask("POST", path, body, {"Idempotency-Key": key} if key else {})
        assert answer.status < 300, answer.body
        execution = execution or answer.json["executionId"]
        self.history.append({"kind": "call", "op": op, "key": key, "workflow": workflow,
                             "start": start, "end": time.time(), "status": answer.status,
                             "execution": execution})
        return execution

    def trigger(self, name, workflow, key=None, at=None, **input):
        self.runs[name] = self.call("trigger", f"/api/workflows/{workflow}/execute", workflow,
                                    {"input": input, **({"runAt": at} if at else {})}, key)
        return self.runs[name]

    def cancel(self, run):
        self.call("cancel", f"/api/executions/{run}/cancel", None, execution=run)

    def fault(self, what, pid):
        self.history.append({"kind": "fault", "id": "A1", "time": time.time(), "what": what,
                             "pid": pid, "worker": None})

    def follow(self):
        for run in self.runs.values():
            self.history += [{"kind": "seen", "execution": run, "seq": event["seq"],
                              "time": time.time(), "subscriber": 1}
                             for event in self.stepmill.events(run)]

    def probe(self):
        self.history += [{"kind": "probe", "name": name, "value": value, "expected": expected,
                          "time": time.time()} for name, value, expected in PROBES]


def live(stepmill):
    """A small campaign with two faults."""
    client = Client(stepmill)
    for text in WORKFLOWS:
        stepmill.workflow(text)
    ledger = stepmill.folder / "ledger.jsonl"
    ledger.touch()
    ledger.chmod(0o666)
    cancelled = client.trigger("cancelled", "long", s=30)
    wait_for("an effect to cancel after", lambda: cancelled in ledger.read_text())
    client.cancel(cancelled)
    client.cancel(client.trigger("never", "long", at="2999-01-01T00:00:00Z", s=0))
    lost = client.trigger("lost", "long", s=1)
    wait_for("an effect to lose", lambda: lost in ledger.read_text())
    pid = stepmill.kill_worker(stepmill.step(lost, "effect")["workerId"], signal.SIGKILL)
    client.fault("kill -9 of a worker", pid)
    for name in ("beside-1", "beside-2"):
        client.trigger(name, "beside")
    for name in ("plain", "flaky", "loop", "nap", "failing", "rescued", "forgiven"):
        client.trigger(name, name)
    client.trigger("plain-2", "plain")
    client.trigger("branchy", "branchy", skip=True)
    client.trigger("straight", "branchy", key="again", skip=False)
    client.trigger("straight", "branchy", key="again", skip=False)
    for run in client.runs.values():
        stepmill.wait_ended(run)
    client.follow()
    client.probe()
    return client, [json.loads(line) for line in ledger.read_text().splitlines()]


TABLES = """
select c.relname from pg_class c where c.relnamespace = 'stepmill'::regnamespace
   and c.relkind in ('r', 'p') and not c.relispartition"""


class Copies(Postgres):
    """A server for a copy of the campaign's database, which is damaged and made whole again;
    nothing on it has to last."""

    def __init__(self):
        super().__init__("-c fsync=off -c full_page_writes=off -c synchronous_commit=off")

    def take(self, url):
        """As it is now, and each table once more in a schema that nobody damages."""
        self.create("campaign", "template0")
        dump = subprocess.run([self.bin / "pg_dump", "--no-owner", url], check=True,
                              stdout=subprocess.PIPE)
        subprocess.run([self.bin / "psql", "-qX", "-v", "ON_ERROR_STOP=1",
                        self.url("campaign")],
                       input=dump.stdout, check=True, stdout=subprocess.DEVNULL)
        with self.connect("campaign") as conn:
            # the workers stay behind: here they have left
            conn.execute("update workers set status = 3, ended_at = now() where status = 1")
            conn.execute("create schema whole")
            self.tables = [name for name, in conn.execute(TABLES)]
            for name in self.tables:
                conn.execute(f"create table whole.{name} as table {name}")

    def restore(self):
        with self.connect("campaign", "-c search_path=stepmill"
                          " -c session_replication_role=replica") as conn, conn.transaction():
            for name in self.tables:  # few rows: quicker than truncate
                conn.execute(f"delete from {name}")
                conn.execute(f"insert into {name} overriding system value table whole.{name}")

    def create(self, name, template):
        with self.connect("postgres") as admin:
            admin.execute(f"create database {name} template {template}")

    def copy(self):
        self.count += 1
        self.create(f"t{self.count}", "campaign")
        return f"t{self.count}"


class World:
    """What the campaign left behind, to be damaged."""

    def __init__(self, postgres, client, ledger, folder):
        self.postgres, self.database, self.folder = postgres, "campaign", folder
        self.runs, self.ledger = dict(client.runs), copy.deepcopy(ledger)
        self.history, self.options = copy.deepcopy(client.history), {"pause": 0}
        self.conn = postgres.connect(self.database)
        self.damaged = False

    def ask(self, query, *params):
        return self.conn.execute(query, params).fetchall()

    def sql(self, query, *params):
        """Changes rows."""
        self.damaged = True
        self.conn.execute(query, params)

    def alter(self, query):
        """Changes tables, and so needs a database of its own."""
        if self.database == "campaign":
            assert not self.damaged
            self.conn.close()
            self.database = self.postgres.copy()
            self.conn = self.postgres.connect(self.database)
        self.conn.execute(query)

    def close(self):
        self.conn.close()
        if self.damaged and self.database == "campaign":
            self.postgres.restore()

    def write(self):
        for name in ("ledger", "history"):
            (self.folder / name).write_text(
                "".join(json.dumps(line) + "\n" for line in getattr(self, name)))
        return (self.postgres.url(self.database), self.folder / "ledger",
                self.folder / "history")

    def check(self):
        return checker.check(*self.write(), self.options)

    # ---- what is there ----

    def effects(self, name):
        return [line for line in self.ledger if line["key"].startswith(self.runs[name])]

    def seen(self, name):
        return [line for line in self.history
                if line["kind"] == "seen" and line["execution"] == self.runs[name]]

    def calls(self, op, name):
        return [line for line in self.history if line["kind"] == "call" and line["op"] == op
                and line["execution"] == self.runs[name]]

    def probe(self, name):
        return next(line for line in self.history
                    if line["kind"] == "probe" and line["name"] == name)

    def number(self, name, kind, step=None):
        return self.ask("select min(seq) from v_events where execution_id = %s and type = %s"
                        " and step_number is not distinct from coalesce(%s, step_number)",
                        self.runs[name], kind, step)[0][0]

    # ---- damage ----

    def renumber(self, run, at, by):
        """Of the events from a number on."""
        self.sql("update workflow_events set seq = -seq where execution_id = %s and seq >= %s",
                 run, at)
        self.sql("update workflow_events set seq = -seq + %s where execution_id = %s and seq < 0",
                 by, run)
        self.sql("update workflow_run_state set last_seq = last_seq + %s where execution_id = %s",
                 by, run)

    def forget_event(self, name, kind, step=None):
        """As if it had never been: no gap, and nobody saw it."""
        run, seq = self.runs[name], self.number(name, kind, step)
        self.sql("delete from workflow_events where execution_id = %s and seq = %s", run, seq)
        self.renumber(run, seq, -1)
        for line in self.seen(name)[-1:]:
            self.history.remove(line)

    def add_event(self, name, kind, step=None, becomes=None):
        """The same event once more, or as another type, right behind it; everybody saw it."""
        run, seq = self.runs[name], self.number(name, kind, step)
        self.renumber(run, seq + 1, 1)
        self.sql("insert into workflow_events (execution_id, seq, step_number, type, at, payload)"
                 " select execution_id, seq + 1, step_number, coalesce(%s, type), at, payload"
                 " from workflow_events where execution_id = %s and seq = %s", becomes, run, seq)
        last = self.seen(name)[-1]
        self.history.insert(self.history.index(last) + 1, {**last, "seq": last["seq"] + 1})

    def swap_events(self, name, first, second):
        run = self.runs[name]
        for old, new in ((first, -1), (second, first), (-1, second)):
            self.sql("update workflow_events set seq = %s where execution_id = %s and seq = %s",
                     new, run, old)

    def clone_run(self, name, **changes):
        new = uuid7()
        for table, key in (("workflow_runs", "id"), ("workflow_run_state", "execution_id"),
                           ("workflow_steps", "execution_id"),
                           ("workflow_events", "execution_id")):
            changed = {key: new}
            if table == "workflow_runs":
                changed.update(run_number=10**6, **changes)
            self.sql(f"insert into {table} select (jsonb_populate_record(t, to_jsonb(t) || %s))"
                     f".* from {table} t where {key} = %s",
                     json.dumps(changed), self.runs[name])
        return new

    def configure(self, name, change):
        """Changes the definition of which a run is."""
        definition, config = self.ask(
            "select d.id, config from workflow_definitions d join workflow_runs r"
            " on r.workflow_def_id = d.id where r.id = %s", self.runs[name])[0]
        change(config)
        self.sql("update workflow_definitions set config = %s where id = %s",
                 json.dumps(config), definition)


@pytest.fixture(scope="module")
def left():
    """What a real campaign left behind: its database, its client with the history, its ledger."""
    postgres = Copies()
    try:
        with Stepmill(workers=2) as stepmill:
            client, ledger = live(stepmill)
            postgres.take(stepmill.state["databaseUrl"])
        yield postgres, client, ledger
    finally:
        postgres.remove()


@pytest.fixture
def world(left, tmp_path):
    world = World(*left, tmp_path)
    yield world
    world.close()


def found(world):
    violations = world.check()
    return {v["invariant"] for v in violations}, violations


# ---- nothing is found where nothing is wrong ----

def test_a_real_campaign_is_clean(world):
    world.options["grace"] = 0.0  # no effect here comes after its step
    report = checker.examine(*world.write(), world.options)
    assert report.violations == []
    assert set(report.unchecked) <= {"I-9", "I-12"}
    lost = world.ask("select losses, attempt_number from workflow_steps where execution_id = %s"
                     " and step_number = 1", world.runs["lost"])[0]
    assert lost[0] >= 1 and len(world.effects("lost")) == lost[1] == lost[0] + 1
    assert len(world.effects("flaky")) == 3 and len(world.effects("cancelled")) == 1


def test_a_trigger_without_an_answer_may_have_its_run_or_not(world):
    for name in ("plain", "straight"):
        call = world.calls("trigger", name)[0]
        call.update(status=None, end=None, execution=None)
    world.history.append({**world.calls("trigger", "plain-2")[0], "status": 503,
                          "execution": None})
    assert world.check() == []


def test_what_the_options_allow_is_allowed(world):
    world.configure("beside-1", lambda config: config.update(concurrency=2))
    world.history = [line for line in world.history if line["kind"] != "seen"]
    world.options.update(bound=60, effects=["plain/effect"])
    report = checker.examine(*world.write(), world.options)
    assert report.violations == [] and report.unchecked["I-7"] == ["no subscriber was recorded"]


def test_what_was_not_recorded_is_not_checked(world):
    world.history = [line for line in world.history if line["kind"] == "call"]
    world.ledger = []
    report = checker.examine(*world.write(), world.options)
    assert report.violations == []
    assert set(report.unchecked) == {"I-4", "I-7", "I-11", "I-12", "I-13", "I-14"}


def take_over(world):
    """A run that a client made of a failed one, with the rows of what had succeeded."""
    world.runs["retried"] = world.clone_run("failing", triggered_by="retry",
                                            retry_of_run_id=world.runs["failing"])
    for kind in ("step.completed", "step.started"):
        world.forget_event("retried", kind, 1)


def test_a_retry_takes_over_what_succeeded(world):
    take_over(world)
    assert world.check() == []


def crash(world):
    run = world.runs["failing"]
    world.sql("update workflow_events set type = 20 where execution_id = %s and type = 17", run)
    world.sql("update workflow_runs set status = 7 where id = %s", run)
    world.sql("update workflow_run_state set status = 7 where execution_id = %s", run)


def test_a_crash_is_an_end(world):
    crash(world)
    assert world.check() == []


# ---- the defects ----

DEFECTS = []


def defect(*invariants):
    def register(seed):
        DEFECTS.append(pytest.param(seed, set(invariants), id=seed.__name__))
        return seed
    return register


@defect("I-1")
def an_accepted_run_is_missing(world):
    world.sql("delete from workflow_runs where id = %s", world.runs["straight"])
    for line in world.seen("straight"):
        world.history.remove(line)


@defect("I-1")
def a_trigger_was_accepted_without_a_run(world):
    world.calls("trigger", "plain-2")[0]["execution"] = None


@defect("I-1")
def a_run_is_left_running(world):
    run = world.runs["loop"]
    world.forget_event("loop", "run.completed")
    world.sql("update workflow_runs set status = 1, completed_at = null where id = %s", run)
    world.sql("update workflow_run_state set status = 1 where execution_id = %s", run)


@defect("I-1")
def a_run_took_longer_than_its_bound(world):
    world.options["bound"] = 60
    world.sql("update workflow_runs set completed_at = completed_at + interval '2 min'"
              " where id = %s", world.runs["branchy"])


@defect("I-1")
def a_cancel_was_accepted_and_the_run_completed(world):
    world.history.append({**world.calls("cancel", "cancelled")[0], "start": time.time(),
                          "end": time.time(), "execution": world.runs["plain"]})


@defect("I-2")
def a_key_has_two_runs(world):
    world.alter("drop index workflow_runs_idempotency")
    world.clone_run("straight")


@defect("I-2")
def a_key_is_answered_with_two_runs(world):
    world.calls("trigger", "straight")[1]["execution"] = world.runs["branchy"]


@defect("I-2")
def a_run_that_nobody_asked_for(world):
    world.clone_run("branchy")


@defect("I-2")
def a_run_under_a_key_that_nobody_sent(world):
    world.clone_run("branchy", idempotency_key="unheard of")


@defect("I-3")
def two_reports_of_a_step_are_accepted(world):
    world.add_event("plain", "step.completed", 2)


@defect("I-3")
def an_output_changes_between_two_looks(world):
    world.options["wait"] = lambda pause: world.sql(
        "update workflow_steps set output = '{}' where execution_id = %s and step_number = 1",
        world.runs["plain"])


@defect("I-3")
def an_output_changed_since_a_former_look(world):
    world.options["before"] = checker.fingerprint(world.postgres.url(world.database))
    world.sql("update workflow_runs set output = '1' where id = %s", world.runs["loop"])


@defect("I-3")
def an_event_was_rewritten(world):
    world.options["before"] = checker.fingerprint(world.postgres.url(world.database))
    world.sql("update workflow_events set payload = '{}' where execution_id = %s and seq = 2",
              world.runs["nap"])


@defect("I-3")
def what_was_stored_is_gone(world):
    run = world.clone_run("branchy", triggered_by="cron")
    world.options["before"] = checker.fingerprint(world.postgres.url(world.database))
    world.sql("delete from workflow_runs where id = %s", run)


@defect("I-4")
def an_effect_is_doubled(world):
    world.ledger.append(world.effects("plain")[0])


@defect("I-4")
def one_effect_more_than_tries_and_losses(world):
    world.ledger.append(world.effects("lost")[-1])


@defect("I-4")
def an_effect_is_under_a_key_of_its_own(world):
    world.effects("flaky")[1]["key"] += "-2"


@defect("I-4")
def an_effect_is_under_another_step_s_key(world):
    world.effects("flaky")[0]["key"] = world.runs["flaky"] + ":2"


@defect("I-4")
def a_completed_step_has_no_effect(world):
    world.ledger.remove(world.effects("plain")[0])


@defect("I-4")
def a_skipped_step_had_an_effect(world):
    run = world.runs["plain"]
    world.sql("update workflow_steps set status = 8 where execution_id = %s and step_number = 1",
              run)
    world.sql("update workflow_events set type = 6 where execution_id = %s and seq = %s", run,
              world.number("plain", "step.completed", 1))


@defect("I-4")
def a_step_that_was_to_have_effects_has_none(world):
    world.options["effects"] = ["plain/effect", "plain/middle"]


@defect("I-5")
def an_effect_after_a_cancel_was_answered(world):
    world.effects("cancelled")[0]["time"] = world.calls("cancel", "cancelled")[0]["end"] + 3


@defect("I-5")
def an_effect_after_the_end_of_the_run(world):
    world.effects("plain")[0]["time"] += 60


@defect("I-5")
def an_effect_of_an_attempt_that_was_lost(world):
    """Late, while the next attempt runs."""
    world.options["grace"] = 0.0
    lost = world.ask("select extract(epoch from at)::float8 from v_events where type ="
                     " 'run.recovered' and execution_id = %s order by seq", world.runs["lost"])
    world.effects("lost")[0]["time"] = lost[0][0] + 0.001


@defect("I-6")
def a_step_started_before_the_one_before_was_over(world):
    end = world.number("plain", "step.completed", 1)
    world.swap_events("plain", end, end + 1)


@defect("I-6")
def a_path_that_is_not_in_the_definition(world):
    world.sql("update workflow_steps set step_key = 'never' where execution_id = %s"
              " and step_key = 'rescue'", world.runs["rescued"])


@defect("I-6")
def a_step_that_is_not_in_the_definition(world):
    world.sql("update workflow_steps set step_key = 'unheard' where execution_id = %s"
              " and step_number = 2", world.runs["branchy"])


@defect("I-6")
def a_definition_is_gone(world):
    world.sql("set session_replication_role = replica")
    world.sql("delete from workflow_definitions where name = 'loop'")


@defect("I-6")
def a_path_that_begins_in_the_middle(world):
    world.sql("update workflow_steps set step_key = 'second' where execution_id = %s"
              " and step_number = 1", world.runs["straight"])
    world.sql("update workflow_steps set step_key = 'third' where execution_id = %s"
              " and step_number > 1", world.runs["straight"])
    world.configure("straight", lambda config: config["steps"][2].update(onSuccess="third"))


@defect("I-6")
def a_run_that_went_on_after_a_failure(world):
    world.configure("forgiven", lambda config: config["steps"][0].pop("continueOnError"))


@defect("I-6")
def a_run_that_failed_though_a_step_was_to_follow(world):
    world.configure("failing", lambda config: config["steps"][1].update(onFailure="never"))


@defect("I-6")
def a_branch_that_is_always_taken_was_not(world):
    world.configure("straight", lambda config: config["steps"][0]["branches"][0].update(
        condition="true", goto="never"))


@defect("I-6")
def a_child_of_nobody(world):
    """The rescue, which the failed step now does without."""
    world.sql("update workflow_steps set parent_step = 9 where execution_id = %s"
              " and step_number = 2", world.runs["rescued"])
    world.configure("rescued", lambda config: config["steps"][0].update(onFailure="end"))


@defect("I-6", "I-8", "I-11")
def a_step_started_after_one_that_still_runs(world):
    world.sql("update workflow_steps set status = 2, completed_at = null, worker_id ="
              " (select id from workers limit 1) where execution_id = %s and step_number = 2",
              world.runs["plain"])


@defect("I-6")
def a_run_that_completed_before_its_last_step(world):
    for kind in ("step.completed", "step.started"):
        world.forget_event("plain", kind, 3)
    world.sql("delete from workflow_steps where execution_id = %s and step_number = 3",
              world.runs["plain"])


@defect("I-6")
def a_step_number_is_left_out(world):
    run = world.runs["straight"]
    world.sql("update workflow_steps set step_number = 4 where execution_id = %s"
              " and step_number = 3", run)
    world.sql("update workflow_events set step_number = 4 where execution_id = %s"
              " and step_number = 3", run)


@defect("I-7")
def an_event_number_is_left_out(world):
    world.renumber(world.runs["loop"], 3, 1)


@defect("I-7")
def an_event_has_the_number_nought(world):
    world.sql("insert into workflow_events (execution_id, seq, type) values (%s, 0, 13)",
              world.runs["loop"])


@defect("I-7")
def an_event_number_is_there_twice(world):
    world.alter("alter table workflow_events drop constraint workflow_events_pkey")
    world.sql("insert into workflow_events select * from workflow_events"
              " where execution_id = %s and seq = 3", world.runs["loop"])


@defect("I-7")
def the_last_number_is_not_the_last_event_s(world):
    world.sql("update workflow_run_state set last_seq = last_seq + 1 where execution_id = %s",
              world.runs["loop"])


@defect("I-7", "I-8")
def a_report_is_lost(world):
    world.sql("delete from workflow_events where execution_id = %s and seq = %s",
              world.runs["plain"], world.number("plain", "step.completed", 2))


@defect("I-7")
def a_subscriber_saw_a_number_twice(world):
    seen = world.seen("plain")
    world.history.insert(world.history.index(seen[3]), dict(seen[2]))


@defect("I-7")
def a_subscriber_saw_numbers_out_of_order(world):
    seen = world.seen("plain")
    seen[2]["seq"], seen[3]["seq"] = seen[3]["seq"], seen[2]["seq"]


@defect("I-7")
def a_subscriber_missed_a_number(world):
    world.history.remove(world.seen("plain")[2])


@defect("I-7")
def a_subscriber_missed_the_first(world):
    world.history.remove(world.seen("plain")[0])


@defect("I-7")
def a_subscriber_missed_the_last(world):
    world.history.remove(world.seen("plain")[-1])


@defect("I-7")
def a_subscriber_saw_what_is_not_in_the_log(world):
    last = world.seen("plain")[-1]
    world.history.append({**last, "seq": last["seq"] + 1})


@defect("I-8")
def a_report_is_lost_and_nobody_saw_it(world):
    world.forget_event("plain", "step.completed", 2)


@defect("I-8")
def a_start_is_lost_and_nobody_saw_it(world):
    world.forget_event("plain", "step.started", 2)


@defect("I-7", "I-8")
def events_and_steps_of_a_run_that_is_not_there(world):
    run = world.clone_run("branchy")
    world.sql("set session_replication_role = replica")
    world.sql("delete from workflow_runs where id = %s", run)


@defect("I-8")
def a_run_was_started_twice(world):
    world.add_event("plain", "run.started")


@defect("I-8")
def a_step_waited_after_its_end(world):
    world.add_event("plain", "step.completed", 2, becomes=5)


@defect("I-8")
def a_step_was_recovered_after_its_end(world):
    world.add_event("plain", "step.completed", 2, becomes=12)
    world.sql("update workflow_events set step_number = null, payload = '{\"steps\": [2]}'"
              " where execution_id = %s and type = 12", world.runs["plain"])


@defect("I-8")
def an_event_of_a_step_that_is_not_there(world):
    world.add_event("plain", "step.completed", 2, becomes=5)
    world.sql("update workflow_events set step_number = 9 where execution_id = %s and type = 5",
              world.runs["plain"])


@defect("I-8")
def a_step_was_cancelled_in_a_run_that_completed(world):
    for kind in ("step.completed", "step.started"):
        world.forget_event("plain", kind, 3)
    world.sql("update workflow_steps set status = 9 where execution_id = %s and step_number = 3",
              world.runs["plain"])
    world.configure("plain", lambda config: config["steps"][2].update(onFailure="end"))


@defect("I-8")
def a_retried_run_took_over_another_result(world):
    take_over(world)
    world.sql("update workflow_steps set output = '1' where execution_id = %s"
              " and step_number = 1", world.runs["retried"])


@defect("I-8")
def a_run_s_status_is_not_the_fold(world):
    run = world.runs["loop"]
    world.sql("update workflow_runs set status = 4 where id = %s", run)
    world.sql("update workflow_run_state set status = 4 where execution_id = %s", run)


@defect("I-8")
def a_step_s_status_is_not_the_fold(world):
    world.sql("update workflow_steps set status = 8 where execution_id = %s and step_number = 2",
              world.runs["plain"])


@defect("I-8")
def a_run_says_two_things(world):
    world.sql("update workflow_run_state set status = 4 where execution_id = %s",
              world.runs["plain"])


@defect("I-8")
def a_run_goes_on_after_its_end(world):
    seq = world.number("plain", "run.completed")
    world.swap_events("plain", seq - 1, seq)


@defect("I-8")
def an_attempt_is_not_in_the_log(world):
    world.sql("update workflow_steps set attempt_number = 2 where execution_id = %s"
              " and step_number = 2", world.runs["plain"])


def add_schedule(world):
    world.sql("insert into schedules (id, project_id, name, cron_expression) select"
              " '00000000-0000-7000-8000-00000000000a', id, 's', '@daily' from projects")


@defect("I-9")
def a_schedule_fired_twice_for_a_time(world):
    world.alter("alter table schedule_firings drop constraint schedule_firings_pkey")
    add_schedule(world)
    world.sql("insert into schedule_firings (schedule_id, fire_time, outcome)"
              " select id, now(), 'started' from schedules, generate_series(1, 2)")


@defect("I-9")
def a_run_belongs_to_two_firings(world):
    add_schedule(world)
    world.sql("insert into schedule_firings (schedule_id, fire_time, outcome, run_id)"
              " select s.id, now() + i * interval '1 s', 'started', %s"
              " from schedules s, generate_series(1, 2) i", world.runs["plain"])


@defect("I-9")
def a_scheduled_run_has_no_firing(world):
    add_schedule(world)
    world.sql("update workflow_runs set schedule_id = (select id from schedules) where id = %s",
              world.runs["plain"])


@defect("I-10")
def two_attempts_of_a_step_overlap(world):
    world.add_event("plain", "step.started", 2)


@defect("I-10")
def more_runs_at_once_than_allowed(world):
    world.configure("beside-1", lambda config: config.update(concurrency=1))
    # whatever this machine made of them: the second began in the middle of the first
    first, second = world.runs["beside-1"], world.runs["beside-2"]
    world.sql("update workflow_events e set at = f.at + interval '0.2 s' from workflow_events f"
              " where e.execution_id = %s and e.seq = 1 and f.execution_id = %s and f.seq = 1",
              second, first)


@defect("I-10")
def more_runs_of_a_key_at_once_than_allowed(world):
    world.configure("beside-1", lambda config: config.update(
        concurrency={"key": "{{input.repo}}", "limit": 1}))
    world.sql("update workflow_runs set concurrency_key = 'same' where id = any (%s::uuid[])",
              [world.runs["beside-1"], world.runs["beside-2"]])
    world.sql("update workflow_events e set at = f.at + interval '0.2 s' from workflow_events f"
              " where e.execution_id = %s and e.seq = 1 and f.execution_id = %s and f.seq = 1",
              world.runs["beside-2"], world.runs["beside-1"])


@defect("I-8", "I-11")
def a_living_worker_holds_a_step(world):
    world.sql("update workers set status = 1, ended_at = null, lease_expires_at = now()"
              " + interval '1 h' where id = (select id from workers limit 1)")
    world.sql("update workflow_steps set status = 2, completed_at = null, worker_id ="
              " (select id from workers where status = 1) where execution_id = %s"
              " and step_number = 3", world.runs["plain"])


@defect("I-8", "I-11")
def a_run_ended_around_a_running_step(world):
    world.forget_event("plain", "step.completed", 3)
    world.sql("update workflow_steps set status = 2, completed_at = null, worker_id ="
              " (select id from workers limit 1) where execution_id = %s and step_number = 3",
              world.runs["plain"])


@defect("I-8", "I-11")
def a_dead_worker_holds_a_step(world):
    world.sql("update workflow_steps set status = 2, completed_at = null, worker_id ="
              " (select id from workers limit 1) where execution_id = %s and step_number = 3",
              world.runs["plain"])


@defect("I-8", "I-11")
def a_step_is_ready_though_its_run_is_over(world):
    world.sql("update workflow_steps set status = 1, completed_at = null, ready_at = now()"
              " where execution_id = %s and step_number = 3", world.runs["plain"])


@defect("I-11")
def a_lease_ended_and_nobody_noticed(world):
    world.sql("update workers set status = 1, lease_expires_at = now() - interval '1 min'"
              " where id = (select id from workers limit 1)")


@defect("I-11")
def a_key_waits_for_its_answer(world):
    world.sql("insert into idempotency_keys (who, key, body_hash, expires_at, created_at) values"
              " ('me', 'k', '', now() + interval '1 d', now() - interval '5 min')")


@defect("I-11")
def a_session_sleeps_in_a_transaction(world):
    world.idle = psycopg.connect(world.postgres.url(world.database))
    world.idle.execute("select 1")


@defect("I-11")
def descriptors_leaked(world):
    world.probe("descriptors")["value"]["worker"] = 32


@defect("I-11")
def memory_grew(world):
    world.probe("rss")["value"]["front"] = 11_100_000


@defect("I-11")
def a_child_is_left(world):
    world.probe("children")["value"] = [4711]


@defect("I-12")
def a_secret_in_a_log(world):
    world.options.update(canaries=["s3cr/t & more"], files=[str(world.folder / "logs")])
    (world.folder / "logs").mkdir()
    (world.folder / "logs/front.log").write_bytes(b'\xff\n{"url":"x?k=s3cr%2ft%20%26%20more"}')


@defect("I-12")
def a_secret_in_a_file_that_is_named(world):
    path = world.folder / "dump"
    path.write_text("canary-4711"[::-1])
    world.options.update(canaries=["canary-4711"], files=[str(path)])


@defect("I-12")
def a_secret_in_a_column(world):
    world.options["canaries"] = ["canary-4711"]
    world.sql("update workflow_runs set error = '{\"message\": \"no canary-4711 here\"}'"
              " where id = %s", world.runs["failing"])


@defect("I-12")
def a_secret_in_an_event(world):
    world.options["canaries"] = ["canary-4711"]
    world.sql("update workflow_events set payload = %s where execution_id = %s and seq = 2",
              json.dumps({"x": base64.b64encode(b"user:canary-4711").decode()}),
              world.runs["nap"])


@defect("I-13")
def a_process_of_a_step_lives(world):
    world.probe("survivors")["value"] = [{"pid": 4711, "command": "sleep 30"}]


@defect("I-14")
def ready_and_nothing_ends(world):
    world.probe("ready")["expected"] = None


@defect("I-14")
def ready_and_all_is_slow(world):
    world.probe("ready")["expected"] = 2.5


@defect("I-15")
def somebody_repaired(world):
    world.history.append({"kind": "repair", "time": time.time(), "what": "restart by hand"})


@defect("I-15")
def the_nemesis_repaired(world):
    next(line for line in world.history if line["kind"] == "fault")["what"] = "repair the index"


@defect("I-15")
def a_client_resumed_a_crashed_run(world):
    crash(world)
    world.history.append({**world.calls("trigger", "failing")[0], "op": "resume"})


@pytest.mark.parametrize("seed, invariants", DEFECTS)
def test_a_seeded_defect_is_found(world, seed, invariants):
    seed(world)
    names, violations = found(world)
    assert names == invariants, violations
    if hasattr(world, "idle"):
        world.idle.close()


def test_there_are_enough_of_them_and_of_each_kind():
    assert len(DEFECTS) >= 15
    assert set().union(*(each.values[1] for each in DEFECTS)) == {f"I-{n}" for n in range(1, 16)}


# ---- graphs and children: rows as the data model has them ----

def as_graph(config):
    """The same three steps as a graph: two roots, and a last one that needs both."""
    effect, middle, last = config["steps"]
    last["needs"] = ["effect", "middle"]


def test_a_graph_that_was_obeyed_is_clean(world):
    world.configure("plain", as_graph)
    end = world.number("plain", "step.completed", 1)
    world.swap_events("plain", end, end + 1)  # the roots overlap
    assert world.check() == []


def test_a_need_that_was_not_over_is_found(world):
    world.configure("plain", as_graph)
    end = world.number("plain", "step.completed", 2)
    world.swap_events("plain", end, end + 1)
    assert found(world)[0] == {"I-6"}


def test_a_need_that_failed_is_found(world):
    world.configure("forgiven", lambda config: (
        config["steps"][0].pop("continueOnError"), config["steps"][1].update(needs=["fails"])))
    assert found(world)[0] == {"I-6"}


def test_a_step_of_a_graph_that_never_came_is_found(world):
    world.configure("plain", lambda config: (
        as_graph(config), config["steps"].append({**noop("more"), "needs": ["effect"]})))
    assert found(world)[0] == {"I-6"}


def test_a_need_that_never_came_is_found(world):
    world.configure("plain", lambda config: (as_graph(config), config["steps"].append(
        noop("more")), config["steps"][2]["needs"].append("more")))
    assert found(world)[0] == {"I-6"}


def test_a_second_visit_in_a_graph_is_found(world):
    world.configure("loop", lambda config: (config["steps"][0].pop("branches"),
                                            config["steps"][1].update(needs=["count"])))
    assert found(world)[0] == {"I-6"}


def test_a_step_may_repeat_itself_when_told_so(world):
    def repeated(config):
        config["steps"][0].pop("branches")
        config["steps"][0]["repeatUntil"] = "result == 3"

    world.configure("loop", repeated)
    assert world.check() == []
    world.configure("loop", lambda config: config["steps"][1].update(needs=["count"]))
    assert world.check() == []
    world.configure("loop", lambda config: config["steps"][0].pop("repeatUntil"))
    assert found(world)[0] == {"I-6"}


def test_rows_that_are_no_steps_are_left_alone(world):
    world.sql("insert into workflow_steps (execution_id, step_number, status, step_key)"
              " values (%s, -1, 0, '')", world.runs["plain"])
    world.sql("update workflow_steps set parent_step = 0 where step_number > 0")
    assert world.check() == []


def as_children(world):
    """The loop's later visits as children of the first one, which ends after them."""
    run = world.runs["loop"]
    world.sql("update workflow_steps set parent_step = 1, item_index = step_number - 2"
              " where execution_id = %s and step_number in (2, 3)", run)
    end = world.number("loop", "step.completed", 1)
    for seq in range(end, world.number("loop", "step.started", 4) - 1):
        world.swap_events("loop", seq, seq + 1)
    world.configure("loop", lambda config: config["steps"][0].update(
        foreach="input.items", maxParallel=1))


def test_children_within_their_parent_are_clean(world):
    as_children(world)
    assert world.check() == []


def test_a_child_that_ends_after_its_parent_is_found(world):
    as_children(world)
    end = world.number("loop", "step.completed", 1)
    world.swap_events("loop", end - 1, end)
    assert found(world)[0] == {"I-6"}


def test_an_item_with_two_children_is_found(world):
    as_children(world)
    world.sql("update workflow_steps set item_index = 0 where parent_step is not null")
    assert found(world)[0] == {"I-6"}


def test_more_children_at_once_than_allowed_are_found(world):
    as_children(world)
    end = world.number("loop", "step.completed", 2)
    world.swap_events("loop", end, end + 1)
    assert found(world)[0] == {"I-10"}


# ---- the parts ----

Event = collections.namedtuple("Event", "seq type step_number payload at")
BEGIN = ["run.started", "step.started"]
AGAIN = {"step.failed": {"willRetry": True}, "run.recovered": {"steps": [1]}}


def fold(*types):
    """Of events of one step, one a second."""
    return RunLog([Event(seq, kind, None if kind.startswith("run") else 1, AGAIN.get(kind), seq)
                   for seq, kind in enumerate(types, 1)])


@pytest.mark.parametrize("types, run, step", [
    ([], "pending", None), (["comment.added"], "pending", None), (["run.started"], "running", None),
    (BEGIN, "running", "running"), ([*BEGIN, "step.waiting"], "running", "waiting"),
    ([*BEGIN, "step.failed"], "running", "retrying"),
    ([*BEGIN, "run.recovered"], "running", "ready"),
    ([*BEGIN, "run.paused"], "paused", "running"),
    ([*BEGIN, "run.paused", "run.recovered"], "paused", "ready"),
    ([*BEGIN, "run.paused", "step.completed", "run.resumed"], "running", "completed"),
    ([*BEGIN, "run.crashed"], "crashed", "running"),
    ([*BEGIN, "run.crashed", "run.resumed"], "running", "ready"),
    ([*BEGIN, "run.crashed", "run.recovered", "step.started"], "running", "running"),
    (["run.started", "approval.requested", "run.paused"], "paused", "waiting_approval"),
    (["run.started", "approval.requested", "approval.decided"], "running", "ready"),
    ([*BEGIN, "step.cancelled", "run.timed_out", "comment.added"], "timed_out", "cancelled")])
def test_the_fold(types, run, step):
    log = fold(*types)
    assert log.status == run and log.odd == []
    assert [(each.status, each.odd, each.overlaps) for each in log.steps.values()] \
        == ([(step, [], [])] if step else [])


def test_the_fold_keeps_times_and_tries():
    log = fold(*BEGIN, "step.failed", "step.started", "run.recovered", "run.paused",
               "run.resumed", "step.started", "step.completed", "run.completed", "run.failed")
    assert log.begun == [(1, 6), (7, 10)] and log.status == "completed"
    assert log.odd == ["run.failed (11) after the run was completed"]
    step = log.steps[1]
    assert (step.retries, step.attempt, step.attempt_ends) == (1, 3, {1: 3, 2: 5, 3: 9})
    assert step.starts == [2, 4, 8] and step.end.seq == 9


SECRET = 'a"<b>/ü=?~key'


@pytest.mark.parametrize("text, name", [
    (SECRET, "raw"), (SECRET[::-1], "reversed"), (html.escape(SECRET), "HTML-escaped"),
    (json.dumps(SECRET), "JSON-escaped"), (json.dumps(SECRET).replace("/", "\\/"), "JSON-escaped"),
    (urllib.parse.quote_plus(SECRET), "URL-coded"), (SECRET.encode().hex(), "hex"),
    (SECRET.encode().hex().upper(), "hex"),
    *((base64.b64encode(("x" * n + SECRET + "more").encode()).decode(), "base64")
      for n in range(6)),
    *((base64.urlsafe_b64encode(("x" * n + SECRET + "more").encode()).decode(), "base64")
      for n in range(6))])
def test_a_secret_is_known_in_each_encoding(text, name):
    hits = {form for needle, form in encodings(SECRET).items() if needle in text}
    assert {form.removesuffix("url") for form in hits} >= {name}


def test_the_most_at_once():
    assert most_at_once([]) == 0
    assert most_at_once([(1, 3), (3, 4), (3, float("inf"))]) == 2
    assert most_at_once([(1, 9), (2, 3), (4, 5), (4.5, 6)]) == 3


@pytest.mark.parametrize("file, line", [
    ("ledger", {"key": "k", "attempt": 1, "time": 1.0}),
    ("ledger", {"key": "k", "attempt": "1", "time": 1.0, "note": ""}),
    ("history", {"kind": "surprise"}),
    ("history", {"kind": "probe", "name": "weather", "value": 1, "time": 1.0}),
    ("history", {"kind": "seen", "execution": "x", "seq": True, "time": 1, "subscriber": 1}),
    ("history", ["no object"])])
def test_what_a_file_must_not_hold_is_an_error_with_its_line(world, file, line):
    getattr(world, file).append(line)
    number = len(getattr(world, file))
    with pytest.raises(Malformed, match=f"{file}:{number}: "):
        world.check()


def test_an_option_that_is_not_there_is_an_error(world):
    world.options["canary"] = []
    with pytest.raises(Malformed, match="canary"):
        world.check()


def test_a_line_that_is_no_json_is_an_error(world):
    paths = world.write()
    paths[1].write_text('{"key": "torn')
    with pytest.raises(Malformed, match="ledger:1: "):
        checker.check(*paths)


def run_checker(world, *words):
    url, ledger, history = world.write()
    return subprocess.run([CAMPAIGN / "checker.py", "--database", url, "--ledger", ledger,
                           "--history", history, *words], capture_output=True, text=True,
                          timeout=60)


def test_the_command_line(world):
    options = world.folder / "options.json"
    options.write_text('{"pause": 0}')
    clean = run_checker(world, "--options", options)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert len(clean.stdout.splitlines()) == 15 and "I-3   ok" in clean.stdout
    world.renumber(world.runs["loop"], 3, 1)
    damaged = run_checker(world, "--options", options, "--seed", "42")
    assert damaged.returncode == 1
    assert f"I-7 run {world.runs['loop']} seed 42: event numbers [3] are missing" \
        in damaged.stdout.splitlines()
    as_json = json.loads(run_checker(world, "--options", options, "--json").stdout)
    assert {v["invariant"] for v in as_json["violations"]} == {"I-7"}


def test_the_command_line_says_what_it_could_not_read(world):
    world.history.append({"kind": "surprise"})
    broken = run_checker(world)
    assert broken.returncode == 2 and "there is no kind 'surprise'" in broken.stderr


def test_a_former_look_comes_from_the_command_line_too(world):
    look, options = world.folder / "look.json", world.folder / "options.json"
    assert run_checker(world, "--fingerprint", look).returncode == 0
    options.write_text(json.dumps({"pause": 0, "before": json.loads(look.read_text())}))
    assert run_checker(world, "--options", options).returncode == 0
    world.sql("update workflow_steps set output = '1' where execution_id = %s and step_number = 1",
              world.runs["plain"])
    assert run_checker(world, "--options", options).returncode == 1
