"""The statements of sql/ by themselves, on a real PostgreSQL: by which index each reaches
its tables, what two sessions at once can do to a run, and that no event number is missing.
Tries to break I2 (results are recorded once) and I4 (state and events commit together)."""

import json
import random
import re
import threading

import pytest

from harness.postgres import (DEADLINE, HOT, SQL, Later, Postgres, Refused, Session, uuid7,
                              wait)

PENDING, RUNNING, PAUSED, COMPLETED, FAILED, CANCELLED, TIMED_OUT, CRASHED = range(8)
QUEUED, HELD, RETRYING, WAITING = 1, 2, 3, 5
STEP_COMPLETED, STEP_FAILED, STEP_CANCELLED = 6, 7, 9
LEASE = 60_000_000
CRASH = {"signal": "SIGSEGV", "rusage": {"userMs": 1, "systemMs": 2, "maxRssKb": 3}}
JSON = {"input", "output", "error", "run_output", "run_error"}


@pytest.fixture(scope="module")
def postgres():
    postgres = Postgres()
    yield postgres
    postgres.remove()


class Worker:
    """A worker as the tables see it, speaking through one session."""

    count = 0

    def __init__(self, store, session=None, speaks=True):
        Worker.count += 1
        self.store, self.id = store, uuid7()
        self.sql = session or store.session()
        self.number, self.claims = Worker.count * 1000, 0
        self.sql.run("workers_register", self.id, uuid7(), 1, 8, ["default"], "test", LEASE)
        if speaks:
            self.take_session()

    def take_session(self):
        self.sql.begin()
        self.sql.run("workers_lock", self.id)
        self.sql.run("workers_take_session", self.id, self.number)
        self.sql.commit()

    def claim(self, most=8, named=(), queues=("default",), priorities=(1,), mark="-infinity",
              empty=False):
        """None when this worker may not; else (run, number, fence) of each step."""
        self.claims += 1
        rows = self.sql.run(
            "steps_claim", self.id, self.number, self.claims, [r for r, _ in named],
            [n for _, n in named], most, list(queues), list(priorities),
            [mark] * len(queues), ["default", *queues], empty)
        self.claimed = [dict(zip(
            "mine aside run number fence attempt losses deaths last_death key woke"
            " started_logged started_at priority queue ready_at own phase parent item_index"
            " iteration item needs made definition project run_id path triggered_by input trigger"
            " state parent_run concurrency_key".split(), row)) for row in rows]
        if not rows or not rows[0][0]:
            return None
        return [(c["run"], c["number"], c["fence"]) for c in self.claimed
                if c["number"] is not None]

    def item(self, step, status=STEP_COMPLETED, **more):
        run, number, fence = step
        item = dict(run=run, number=number, fence=fence, say_started=True, status=status,
                    input=None, output=None, error=None, run_at=None, will_retry=False,
                    only_waits=False, next_key=None, next_number=None, next_queue=None,
                    next_max_attempts=None, next_held=None, run_status=RUNNING,
                    run_output=None, run_error=None, phase=0)
        if "next" in more:
            item.update(next_key="b", next_number=more.pop("next"), next_queue="default",
                        next_max_attempts=1, next_held=more.pop("held", True))
        item.update(more)
        return item

    def lock(self, *items):
        return self.sql.run("steps_finish_lock", self.id, self.number,
                            sorted({i["run"] for i in items}))[0]

    def store_items(self, *items):
        columns = [[json.dumps(i[key]) if key in JSON and i[key] is not None else i[key]
                    for i in items] for key in items[0]]
        rows = self.sql.run("steps_finish", self.id, self.number, *columns)
        self.holds = {place - 1: holds for place, _, holds in rows}
        return {place - 1: seq for place, seq, _ in rows}

    def finish(self, *items):
        """None when this worker may not; else {place: seq} of what was taken."""
        self.sql.begin()
        alive, mine = self.lock(*items)
        taken = self.store_items(*items)
        self.sql.commit()
        assert (alive and mine) or not taken
        return taken if alive and mine else None

    def check(self, *items):
        columns = [[i[key] for i in items]
                   for key in ("run", "number", "fence", "status", "next_number")]
        return [verdict for verdict, *_ in
                self.sql.run("steps_finish_check", self.id, *columns)]


class Store:
    def __init__(self, postgres):
        self.postgres = postgres
        self.database = postgres.new_database()
        self.sessions = []
        self.admin = self.session()
        self.workflow, self.definition = uuid7(), uuid7()
        self.define(self.workflow, self.definition, "flow")

    def session(self, options=HOT):
        self.sessions.append(Session(self.postgres, self.database, options))
        return self.sessions[-1]

    def define(self, workflow, definition, name, project=None):
        self.admin.text("insert into workflows (id, name, project_id) values ($1, $2, $3)",
                        workflow, name, project)
        self.admin.text(
            "insert into workflow_definitions (id, workflow_id, name, version, source, config,"
            " checksum, project_id) values ($1, $2, $3, 1, '', $4, '', $5)", definition,
            workflow, name, {"steps": [{"id": "a", "name": "First: step", "action": "noop"},
                                       {"id": "b", "action": "wait"}]}, project)

    def worker(self, **more):
        return Worker(self, **more)

    def insert(self, count=1, **more):
        ids = [uuid7() for _ in range(count)]
        row = dict(definition=self.definition, project=None, input=None, trigger=None,
                   priority=1, triggered_by="manual", requested_by=None, idempotency_key=None,
                   trace_id=None, timeout=None, run_at=None, concurrency_key=None,
                   concurrency_limit=None, crash_on_interrupt=False, retry_of=None)
        first = dict(number=1, key=more.pop("step_key", "a"),
                     queue=more.pop("queue", "default"),
                     max_attempts=more.pop("max_attempts", 3), needs=0, parent=None)
        steps = more.pop("steps", [{}])
        parent = more.pop("parent", (None, None, None))
        tools = more.pop("tools", None)
        schedule = more.pop("schedule", None)
        row.update(more)
        rows = [{"run": run, **first, **step, "priority": row["priority"],
                 "run_at": row["run_at"], "limited": row["concurrency_key"] is not None}
                for run in ids for step in steps]
        self.admin.run("runs_insert", ids, *([value] * count for value in row.values()),
                       *([step[key] for step in rows] for key in rows[0]), *parent,
                       [tools] * count, [schedule] * count)
        return ids if count > 1 else ids[0]

    def held(self, worker, **more):
        """A run whose first step the worker holds."""
        run = self.insert(**more)
        [step] = worker.claim(named=[(run, 1)], most=1)
        assert step[0] == run
        return step

    def end(self, how, *runs, error=None, comment=None, session=None):
        session = session or self.admin
        session.begin()
        session.run("runs_lock", list(runs))
        rows = session.run("runs_end", list(runs), how, error, comment)
        session.commit()
        return {run: (before, after) for run, before, after, _ in rows}

    def take_away(self, how, requeue, worker, *more, session=None):
        session = session or self.admin
        session.begin()
        session.run("workers_lock", worker.id)
        session.run(how, worker.id)
        session.run("runs_lock_held", worker.id)
        rows = session.run(requeue, worker.id, *more)
        session.commit()
        return [(run, number) for run, number, _, _ in rows]

    def bury(self, worker, session=None, ending=CRASH, crashed=True):
        return self.take_away("workers_bury", "steps_requeue_lost", worker, ending, crashed,
                              session=session)

    def leave(self, worker):
        return self.take_away("workers_leave", "steps_hand_back_all", worker)

    def fire(self, *refs):
        self.admin.begin()
        self.admin.run("runs_lock", [run for run, _ in refs])
        rows = self.admin.run("timers_fire", [run for run, _ in refs],
                              [number for _, number in refs])
        self.admin.commit()
        return [(run, number) for run, number, _, _ in rows]

    def step(self, run, number):
        names = ("status_code attempt_number fence losses deaths worker_id run_at output error"
                 " name action log_file_path id input started_at").split()
        rows = self.admin.text(f"select {', '.join(names)} from v_steps where execution_id = $1"
                               " and step_number = $2", run, number)
        return dict(zip(names, rows[0])) if rows else None

    def run(self, run):
        names = ("status_code status current_step output error last_seq run_id step_count"
                 " started_at completed_at project_id").split()
        rows = self.admin.text(f"select {', '.join(names)} from v_runs where id = $1", run)
        return dict(zip(names, rows[0])) if rows else None

    def state(self, run):
        names = "status last_seq current_step worker_id deadline_at budget_left".split()
        rows = self.admin.text(f"select {', '.join(names)} from workflow_run_state"
                               " where execution_id = $1", run)
        return dict(zip(names, rows[0])) if rows else None

    def events(self, run):
        """Types with the step's number; the numbering is looked at on the way."""
        rows = self.admin.text("select seq, type, step_number from v_events"
                               " where execution_id = $1 order by seq", run)
        assert [seq for seq, _, _ in rows] == list(range(1, len(rows) + 1))
        return [kind if number is None else f"{kind} {number}" for _, kind, number in rows]

    def payload(self, run, kind):
        return self.admin.text("select payload from v_events where execution_id = $1"
                               " and type = $2 order by seq", run, kind)[-1][0]

    def value(self, sql, *params):
        return self.admin.text(sql, *params)[0][0]

    def is_waiting(self, session):
        """Some statement of that session waits for a lock."""
        return self.value("select exists (select from pg_stat_activity where pid = $1::int"
                          " and wait_event_type = 'Lock')", session.pid)

    def close(self):
        for session in self.sessions:
            session.close()
        faults = self.look_around()
        assert not faults, faults

    def look_around(self):
        """What may never be true, whatever a test has done."""
        checks = {
            "gaps": "select execution_id from workflow_events group by 1"
                    " having min(seq) <> 1 or max(seq) <> count(*)",
            "last_seq": "select r.execution_id from workflow_run_state r where last_seq <>"
                        " coalesce((select max(seq) from workflow_events e"
                        " where e.execution_id = r.execution_id), 0)",
            "two statuses": "select id from workflow_runs r join workflow_run_state s"
                            " on s.execution_id = r.id where r.status <> s.status",
            "ended twice": "select execution_id from workflow_events where type >= 16"
                           " group by 1 having count(*) > 1",
            "completed twice": "select execution_id, step_number from workflow_events"
                               " where type = 3 group by 1, 2 having count(*) > 1",
            "over, yet open steps": "select s.execution_id from workflow_steps s"
                                    " join workflow_run_state r using (execution_id)"
                                    " where r.status >= 3 and s.status < 6",
        }
        with self.postgres.connect(self.database) as conn:
            return {name: rows for name, sql in checks.items()
                    if (rows := conn.execute(sql).fetchall())}


@pytest.fixture
def store(postgres):
    store = Store(postgres)
    yield store
    store.close()


# ---- plans ----

# Which index each statement reaches each table by. "state" is workflow_run_state. Tables
# that a statement only inserts into are not looked at.
KEY = "_pkey"
PLANS = {
    "steps_claim": {"workers": {KEY}, "steps": {KEY, "ready", "alone"}, "runs": {KEY},
                    "definitions": {KEY}, "projects": {KEY}},
    "steps_claim_lost": {"workers": {KEY}, "steps": {"held"}, "runs": {KEY},
                         "definitions": {KEY}, "projects": {KEY}},
    "steps_ready_exists": {"steps": {"ready"}},
    "steps_finish_lock": {"workers": {KEY}, "state": {KEY}},
    "steps_finish": {"workers": {KEY}, "state": {KEY}, "steps": {KEY}, "runs": {KEY}},
    "steps_finish_check": {"steps": {KEY}, "state": {KEY}},
    "steps_visits": {"steps": {KEY}},
    "steps_hand_back": {"steps": {KEY}, "state": {KEY}},
    "steps_hand_back_all": {"steps": {"held"}, "state": {KEY}},
    "steps_not_held": {"steps": {KEY}},
    "steps_requeue_lost": {"steps": {"held"}, "state": {KEY}},
    "workers_lock": {"workers": {KEY}},
    "workers_take_session": {"workers": {KEY}},
    "workers_renew": {"workers": {KEY}},
    "workers_bury": {"workers": {KEY}},
    "workers_leave": {"workers": {KEY}},
    "workers_expired": {"workers": {"alive"}, "steps": {"held"}},
    "runs_insert": {"definitions": {KEY}, "projects": {KEY, "_name_key"}, "runs": {KEY}},
    "runs_lock": {"state": {KEY}, "runs": {KEY}},
    "steps_spawn": {"state": {KEY}, "steps": {KEY}},
    "steps_meet": {"state": {KEY}, "steps": {KEY}},
    "steps_record": {"workers": {KEY}, "state": {KEY}, "steps": {KEY}},
    "steps_record_check": {"state": {KEY}, "steps": {KEY}},
    "programs_rest": {"state": {KEY}, "steps": {KEY}},
    "runs_count_steps": {"runs": {KEY}, "steps": {KEY}},
    "steps_close": {"state": {KEY}, "steps": {KEY}, "approvals": {"approvals_step"}},
    "approvals_request": {"state": {KEY}, "steps": {KEY}, "approvals": {"approvals_step"}},
    "runs_pause_waiting": {"state": {KEY}, "steps": {KEY}, "runs": {KEY},
                           "approvals": {"approvals_step"}},
    "runs_close_open": {"state": {KEY}, "steps": {KEY}, "events": {KEY},
                        "approvals": {"approvals_step"}},
    "parents_wake": {"state": {KEY}, "steps": {KEY}, "runs": {KEY}},
    "steps_back": {"runs": {"parent"}, "approvals": {"approvals_step"}},
    "runs_lock_held": {"state": {KEY}, "steps": {"held"}},
    "runs_end": {"state": {KEY}, "steps": {KEY}, "runs": {KEY},
                 "approvals": {"approvals_step"}},
    "runs_pause": {"state": {KEY}, "steps": {KEY}, "runs": {KEY}},
    "runs_resume": {"state": {KEY}, "steps": {KEY}, "runs": {KEY, "parent"},
                    "approvals": {"approvals_step"}, "definitions": {KEY}},
    "runs_crash_interrupted": {"state": {KEY}, "steps": {KEY, "held"}, "runs": {KEY},
                               "approvals": {"approvals_step"}},
    "approvals_decide": {"state": {KEY}, "steps": {KEY}, "runs": {KEY},
                         "approvals": {"approvals_step"}},
    "steps_copy": {"runs": {KEY}},
    "bus_events_insert": {"triggers": {"triggers_type"}},
    "bus_events_since": {"runs": {KEY}, "bus_events": {"events_type"}},
    "event_waits_add": {"steps": {KEY}},
    "event_waits_lock": {"state": {KEY}, "event_waits": {"waits_type"}},
    "event_waits_wake": {"state": {KEY}, "steps": {KEY}, "event_waits": {"waits_type"}},
    "runs_again": {"state": {KEY}, "steps": {KEY}, "runs": {KEY}, "definitions": {KEY}},
    "runs_overdue": {"state": {"open"}},
    "runs_expired": {"runs": {KEY, "completed", "parent"}, "projects": {KEY}},
    "runs_expire": {"runs": {KEY}, "state": {KEY}},
    "schedule_firings_expire": {"schedule_firings": {KEY, "created"}, "runs": {KEY}},
    "runs_stuck": {"state": {"open"}, "steps": {KEY}},
    "timers_load": {"steps": {"delayed"}},
    "timers_fire": {"state": {KEY}, "steps": {KEY}, "runs": {KEY},
                    "approvals": {"approvals_step"}},
    "runs_admit_lock": {"state": {KEY}, "runs": {"concurrency"}},
    "runs_admit": {"state": {KEY}, "steps": {KEY}, "runs": {KEY, "concurrency"}},
    "concurrency_lock": {},
    "runs_orphaned": {"runs": {"children"}, "steps": {KEY}},
    "workflows_to_start": {"runs": {KEY}, "definitions": {"version_key"}},
    "feed_look": {"state": {KEY}, "events": {KEY}, "steps": {KEY},
                  "comments": {KEY}, "approvals": {"approvals_step", "pending"}},
    "feed_runs": {"runs": {KEY}, "state": {"open"}},
    "feed_meet": {"runs": {KEY}, "state": {KEY}, "definitions": {KEY}, "events": {KEY}},
}
# These walk over a partial index as a whole: what is alive, held or open.
WALKS = {"workers_expired", "runs_stuck", "runs_orphaned", "feed_runs"}
# Joined by a view that shows a row; the rows of a run, or few. Which index is taken to them
# depends on what the planner believes.
VIEWED = {"feed_look": {"artifacts", "definitions", "projects", "runs"}}
KINDS = {"queue_priority_ready_at": "ready", "queue_ready_at": "alone",
         "worker_id": "held", "run_at": "delayed",
         "step_key_status": "trouble"}


def nodes_of(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)


def table_of(relation):
    relation = re.sub(r"_(\d{4}_\d{2}|other)$", "", relation)
    return {"workflow_run_state": "state"}.get(relation, relation.replace("workflow_", ""))


def kind_of(index):
    index = re.sub(r"_idx\d*$", "", index)
    for columns, kind in KINDS.items():
        if index.endswith(columns):
            return kind
    return next(kind for kind in (KEY, "_name_key", "alive", "open", "failed", "ready", "held",
                                  "number", "project", "definition", "delayed", "pending",
                                  "approvals_step", "parent", "concurrency", "version_key", "children",
                                  "events_type", "waits_type", "triggers_type", "completed", "created")
                if index.endswith(kind))


def explain(session, name):
    session.text("prepare hot as " + (SQL / f"{name}.sql").read_text())
    count = session.text("select cardinality(parameter_types) from pg_prepared_statements"
                         " where name = 'hot'")[0][0]
    nulls = f"({', '.join(['null'] * count)})" if count else ""
    plan = session.text(f"explain (format json) execute hot{nulls}")[0][0]
    session.text("deallocate hot")
    return (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]


@pytest.mark.parametrize("believed", ["unknown", "empty"])
@pytest.mark.parametrize("name", sorted(PLANS))
def test_each_table_is_reached_by_index(store, name, believed):
    """Whatever the planner believes of the tables: nothing, or that they are empty."""
    if believed == "empty":
        store.admin.text("analyze")
    found = {}
    for node in nodes_of(explain(store.admin, name)):
        if "Relation Name" not in node or node["Node Type"] == "ModifyTable":
            continue
        assert node["Node Type"] in ("Index Scan", "Index Only Scan"), node
        if table_of(node["Relation Name"]) in VIEWED.get(name, ()):
            continue
        if name not in WALKS:
            assert "Index Cond" in node, node
        found.setdefault(table_of(node["Relation Name"]), set()).add(
            kind_of(node["Index Name"]))
    assert found == PLANS[name]


def test_every_statement_of_the_store_has_a_plan_looked_at():
    rooms = [(SQL.parent / "common/store" / f"{room}.c").read_text()
             for room in ("claims", "visits", "finishes", "session", "workers", "runs",
                          "runs_insert", "finish_effects", "back", "transitions",
                          "bus_events", "retention", "recorded_rows")]
    rooms += [(SQL.parent / "supervisor/front" / f"{room}.c").read_text()
              for room in ("feed_look", "feed_runs")]
    ours = {name for text in rooms for name in re.findall(r'"([a-z_]+)"', text)
            if (SQL / f"{name}.sql").exists()}
    ours -= {"workers_register", "nodes_beat"}  # these only insert
    ours -= {"steps_recorded", "steps_awaited"}  # of one run, where plans are custom ones
    assert ours == set(PLANS)


# ---- one run ----

def test_a_run_of_two_steps(store):
    worker = store.worker()
    run = store.insert(input={"x": 1}, timeout=3_600_000_000)
    assert store.events(run) == ["run.started"]
    assert store.run(run)["status"] == "running"
    [step] = worker.claim()
    claimed = worker.claimed[0]
    assert (step, claimed["key"], claimed["run_id"]) == ((run, 1, 1), "a", "flow-1")
    assert claimed["input"] == {"x": 1} and claimed["state"] == {}
    assert not claimed["woke"] and not claimed["started_logged"]
    assert worker.finish(worker.item(step, output=[1], input={"y": 2}, next=2)) == {0: 4}
    assert store.step(run, 1)["output"] == [1] and store.step(run, 1)["input"] == {"y": 2}
    assert store.state(run)["worker_id"] == worker.id
    assert worker.finish(worker.item((run, 2, 1), say_started=False, run_status=COMPLETED,
                                     run_output="done")) == {0: 6}
    assert store.events(run) == ["run.started", "step.started 1", "step.completed 1",
                                 "step.started 2", "step.completed 2", "run.completed"]
    after = store.run(run)
    assert (after["status"], after["output"], after["current_step"]) == ("completed", "done", 2)
    assert store.state(run)["deadline_at"] is None


def test_only_that_it_started(store):
    worker = store.worker()
    step = store.held(worker)
    assert worker.finish(worker.item(step, HELD, input={"a": 1})) == {0: 2}
    assert store.step(step[0], 1)["status_code"] == HELD
    assert worker.finish(worker.item(step, say_started=False, run_status=COMPLETED)) == {0: 4}
    assert store.step(step[0], 1)["input"] == {"a": 1}
    assert store.events(step[0]) == ["run.started", "step.started 1", "step.completed 1",
                                     "run.completed"]


def test_a_failure_is_tried_again(store):
    worker = store.worker()
    step = store.held(worker)
    run, error = step[0], {"code": "x", "message": "y"}
    worker.finish(worker.item(step, RETRYING, error=error, will_retry=True, run_at="now"))
    assert store.payload(run, "step.failed") == {"error": error, "willRetry": True, "attempt": 1}
    assert store.fire((run, 1)) == [(run, 1)]
    assert store.fire((run, 1)) == []
    [again] = worker.claim()
    assert again == (run, 1, 2) and worker.claimed[0]["attempt"] == 2
    assert not worker.claimed[0]["woke"] and not worker.claimed[0]["started_logged"]
    worker.finish(worker.item(again, STEP_FAILED, error=error, run_status=FAILED,
                              run_error=error))
    assert store.payload(run, "step.failed")["willRetry"] is False
    assert store.run(run)["error"] == error
    assert store.events(run) == ["run.started", "step.started 1", "step.failed 1",
                                 "step.started 1", "step.failed 1", "run.failed"]


def test_a_step_that_waits_stops_the_time_of_its_run(store):
    worker = store.worker()
    step = store.held(worker, timeout=3_600_000_000)
    run = step[0]
    worker.finish(worker.item(step, WAITING, run_at="now", only_waits=True, phase=2))
    state = store.state(run)
    assert state["deadline_at"] is None and state["budget_left"].startswith("00:59:5")
    assert store.fire((run, 1)) == [(run, 1)]
    assert store.state(run)["deadline_at"] is not None
    assert store.state(run)["budget_left"] is None
    started_at = store.step(run, 1)["started_at"]
    [again] = worker.claim()
    assert store.step(run, 1)["started_at"] == started_at  # the attempt goes on
    assert worker.claimed[0]["woke"] and worker.claimed[0]["started_logged"]
    assert worker.claimed[0]["attempt"] == 1
    worker.finish(worker.item(again, say_started=False, run_status=COMPLETED))
    assert store.events(run) == ["run.started", "step.started 1", "step.waiting 1",
                                 "step.completed 1", "run.completed"]


def test_a_run_for_later(store):
    run = store.insert(run_at="2100-01-01", timeout=1_000_000)
    assert store.run(run)["status"] == "pending" and store.events(run) == []
    assert store.worker().claim() == []
    assert store.fire((run, 1)) == []  # its time has not come
    store.admin.text("update workflow_steps set run_at = now() where execution_id = $1", run)
    assert [row[:2] for row in store.admin.run("timers_load", "now", 10)] == [(run, 1)]
    assert store.fire((run, 1)) == [(run, 1)]
    assert store.run(run)["status"] == "running" and store.run(run)["started_at"]
    assert store.events(run) == ["run.started"]
    worker = store.worker()
    worker.claim()
    assert not worker.claimed[0]["woke"]


def test_several_items_of_one_run_in_one_flush(store):
    worker = store.worker()
    step = store.held(worker)
    run = step[0]
    for number in (2, 3):
        store.admin.text(
            "insert into workflow_steps (execution_id, step_number, step_key, status, worker_id,"
            " fence, started_at) values ($1, $2, 'b', 2, $3, 1, now())", run, number, worker.id)
    other = store.held(worker)
    taken = worker.finish(worker.item((run, 3, 1)), worker.item(other, next=2),
                          worker.item((run, 2, 7)), worker.item(step),
                          worker.item((run, 2, 1)))
    assert sorted(taken) == [0, 1, 3, 4]
    assert taken[0] == 7 and taken[3] == 3 and taken[4] == 5 and taken[1] == 4
    assert store.events(run) == ["run.started", "step.started 1", "step.completed 1",
                                 "step.started 2", "step.completed 2", "step.started 3",
                                 "step.completed 3"]


# ---- claims ----

def test_named_steps_come_first_and_count_once(store):
    worker = store.worker()
    runs = store.insert(5)
    named = [(runs[4], 1), (runs[4], 1), (uuid7(), 1), (runs[3], 9)]
    steps = worker.claim(named=named, most=3)
    assert (runs[4], 1, 1) in steps and len(set(steps)) == 3
    rest = worker.claim(most=8)
    assert len(rest) == 2 and not set(rest) & set(steps)


def test_a_claim_takes_the_oldest_first_and_no_more_than_asked(store):
    runs = [store.insert() for _ in range(5)]
    worker = store.worker()
    assert [step[0] for step in worker.claim(most=2)] == runs[:2]
    mark = store.value("select ready_at from workflow_steps where execution_id = $1", runs[3])
    assert [step[0] for step in worker.claim(mark=mark)] == runs[3:]
    assert [step[0] for step in worker.claim()] == [runs[2]]


def test_priorities_and_queues_in_the_order_asked(store):
    low, high = store.insert(priority=2), store.insert(priority=0)
    gpu = store.insert(queue="gpu")
    worker = store.worker()
    assert worker.claim(named=[(gpu, 1)], queues=(), priorities=()) == []
    steps = worker.claim(most=1, queues=("default", "default"), priorities=(0, 2))
    assert steps[0][0] == high
    steps = worker.claim(queues=("default", "gpu"), priorities=(2, 1))
    assert {step[0] for step in steps} == {low, gpu}


def test_a_claim_waits_for_nobody(store):
    run, other = store.insert(), store.insert()
    worker = store.worker()
    store.admin.begin()
    store.admin.text("select from workflow_steps where execution_id = $1 for update", run)
    claim = Later(worker.claim, 8, [(run, 1)])
    assert [step[0] for step in claim.result()] == [other]
    store.admin.commit()


def test_two_claims_share_out_the_queue(store):
    runs = set(store.insert(200))
    workers = [store.worker() for _ in range(4)]
    steps = []

    def work(worker):
        while got := worker.claim(most=7):
            steps.extend(got)

    threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    for worker in workers:
        steps.extend(worker.claim(most=200))
    assert len(steps) == 200 and {run for run, _, _ in steps} == runs


def test_is_anything_ready(store):
    def ask():
        return store.admin.run("steps_ready_exists", ["default", "gpu"], [1, 1],
                               ["-infinity", "-infinity"])[0][0]

    assert ask() is False
    store.insert(queue="gpu")
    assert ask() is True


# ---- who may ----

def test_a_result_under_an_old_fence_is_refused(store):
    worker = store.worker()
    step = store.held(worker)
    worker.sql.begin()
    worker.sql.run("steps_finish_lock", worker.id, worker.number, [step[0]])
    rows = worker.sql.run("steps_hand_back", worker.id, *([x] for x in step))
    worker.sql.commit()
    assert rows == [(step[0], 1, "default", 1)]
    assert store.step(step[0], 1)["attempt_number"] == 1
    assert worker.finish(worker.item(step)) == {}
    [again] = worker.claim()
    assert again[2] == 3
    assert worker.finish(worker.item(step)) == {}
    assert worker.finish(worker.item(again, run_status=COMPLETED)) == {0: 4}
    assert worker.finish(worker.item(again, run_status=COMPLETED)) == {}


def test_rows_that_are_no_steps_are_not_told_as_lost(store):
    """Where the engine keeps something under a number below 1 that is held, too."""
    worker = store.worker()
    run = store.held(worker)[0]
    store.admin.text("insert into workflow_steps (execution_id, step_number, step_key, status,"
                     " worker_id, started_at) values ($1, -1, '', 2, $2, now())", run, worker.id)
    assert sorted(store.bury(worker)) == [(run, -1), (run, 1)]
    assert store.payload(run, "run.recovered")["steps"] == [1]


def test_a_buried_worker_stores_and_claims_nothing(store):
    worker, other = store.worker(), store.worker()
    step = store.held(worker)
    run = step[0]
    worker.finish(worker.item(step, HELD))
    assert store.bury(worker) == [(run, 1)]
    assert store.bury(worker) == []
    assert worker.finish(worker.item(step)) is None
    assert worker.claim() is None
    assert worker.sql.run("workers_renew", worker.id, LEASE, 0) == []
    [again] = other.claim(empty=True)
    assert again == (run, 1, 3)
    claimed = other.claimed[0]
    assert (claimed["attempt"], claimed["losses"], claimed["deaths"]) == (2, 1, 1)
    assert not claimed["started_logged"]
    assert store.events(run) == ["run.started", "step.started 1", "run.recovered",
                                 "comment.added"]
    assert store.payload(run, "run.recovered") == {"reason": "worker lost",
                                                   "workerId": worker.id, "steps": [1],
                                                   **CRASH}


def test_a_death_in_company_or_of_a_host_counts_against_no_step(store):
    worker, other, told = store.worker(), store.worker(), store.worker()
    for _ in range(2):
        store.held(worker)
    store.held(other)
    ordered = store.held(told)
    store.admin.text("update workers set lease_expires_at = now() - interval '1 s'"
                     " where id = $1", other.id)
    assert store.admin.run("workers_expired") == [(other.id,)]
    assert len(store.bury(worker)) == 2
    assert len(store.bury(other, ending=None, crashed=False)) == 1
    assert len(store.bury(told, crashed=False)) == 1
    assert store.value("select sum(deaths) from workflow_steps") == 0
    assert store.value("select sum(losses) from workflow_steps") == 4
    assert store.value("select count(last_death) from workflow_steps") == 0
    assert store.payload(ordered[0], "run.recovered")["signal"] == "SIGSEGV"
    assert len(store.worker().claim()) == 4  # in company again


# ---- steps that kill their workers ----

def killer(store):
    """A step that killed its worker, queued again."""
    worker = store.worker()
    run = store.held(worker)[0]
    assert store.bury(worker) == [(run, 1)]
    return run


def test_a_step_that_killed_its_worker_is_taken_alone(store):
    run = killer(store)
    others = store.insert(3)
    worker = store.worker()
    assert [step[0] for step in worker.claim(empty=True, named=[(others[0], 1)])] == [run]
    claimed = worker.claimed[0]
    assert (claimed["deaths"], claimed["last_death"], claimed["own"]) == (1, CRASH, False)
    assert not claimed["aside"]
    assert len(store.worker().claim(empty=True)) == 3


def test_the_oldest_of_them_comes_first(store):
    workers = store.worker(), store.worker()
    first, second = [store.held(worker)[0] for worker in workers]
    for worker in workers:
        store.bury(worker)
    assert [step[0] for step in store.worker().claim(empty=True)] == [first]
    assert [step[0] for step in store.worker().claim(empty=True)] == [second]


def test_a_worker_that_holds_something_takes_none_of_them(store):
    run = killer(store)
    other = store.insert()
    worker, younger = store.worker(), store.worker()
    assert [step[0] for step in worker.claim(named=[(run, 1), (other, 1)])] == [other]
    assert not worker.claimed[0]["aside"]
    assert worker.claim(named=[(run, 1)]) == []
    assert [step[0] for step in younger.claim(named=[(run, 1)], empty=True)] == [run]


def test_the_youngest_that_serves_its_queue_makes_room(store):
    run = killer(store)
    older, youngest = store.worker(), store.worker()
    elsewhere = store.worker()
    store.admin.text("update workers set queues = '{gpu}' where id = $1", elsewhere.id)
    kept = store.insert()
    assert youngest.claim(named=[(kept, 1)]) == [] and youngest.claimed[0]["aside"]
    assert [step[0] for step in older.claim()] == [kept]  # the others work on
    assert not older.claimed[0]["aside"]
    store.leave(youngest)
    assert older.claim() == [] and older.claimed[0]["aside"]
    assert [step[0] for step in older.claim(empty=True)] == [run]
    store.insert()
    assert len(older.claim()) == 1 and not older.claimed[0]["aside"]


def test_a_step_lost_twice_is_suspected_though_it_was_never_alone(store):
    """Else one that always has company would never be found."""
    runs = store.insert(2)
    for last_death in (None, CRASH):
        worker = store.worker()
        assert len(worker.claim()) == 2
        store.bury(worker)
        rows = store.admin.text("select deaths, last_death from workflow_steps")
        assert rows == [(0, last_death)] * 2
    first, second = store.worker(), store.worker()
    assert len(first.claim(empty=True)) == 1 and len(second.claim(empty=True)) == 1
    assert {first.claimed[0]["run"], second.claimed[0]["run"]} == set(runs)
    assert store.bury(first) and store.step(first.claimed[0]["run"], 1)["deaths"] == 1


def test_what_is_known_of_a_death_stays_until_the_next(store):
    run = killer(store)
    worker = store.worker()
    worker.claim(empty=True)
    store.bury(worker, ending=None, crashed=False)  # its host was lost
    other = store.worker()
    other.claim(empty=True)
    assert (other.claimed[0]["deaths"], other.claimed[0]["last_death"]) == (1, CRASH)
    ending = {"exitStatus": 1}
    store.bury(other, ending=ending)
    assert store.step(run, 1)["deaths"] == 2
    assert store.value("select last_death from workflow_steps") == ending


def test_a_dead_worker_that_still_holds_steps_is_found(store):
    worker = store.worker()
    store.held(worker)
    store.admin.text("update workers set status = 2 where id = $1", worker.id)
    assert store.admin.run("workers_expired") == [(worker.id,)]
    assert worker.finish(worker.item(store_step(store))) is None
    assert len(store.bury(worker)) == 1
    assert store.admin.run("workers_expired") == []


def store_step(store):
    return store.admin.text("select execution_id, step_number, fence from workflow_steps")[0]


def test_leaving_gives_back_without_spending_an_attempt(store):
    worker = store.worker()
    step = store.held(worker)
    assert store.leave(worker) == [(step[0], 1)]
    after = store.step(step[0], 1)
    assert (after["status_code"], after["attempt_number"], after["losses"]) == (QUEUED, 1, 0)
    assert worker.finish(worker.item(step)) is None
    assert store.admin.run("workers_expired") == []


def test_what_an_older_connection_sends_late_is_refused(store):
    worker = store.worker()
    step = store.held(worker)
    store.insert()
    old, old_number = worker.sql, worker.number
    worker.sql, worker.number = store.session(), worker.number + 1
    worker.take_session()
    new, new_number = worker.sql, worker.number
    worker.sql, worker.number = old, old_number
    assert worker.claim() is None
    assert worker.finish(worker.item(step)) is None
    worker.sql, worker.number = new, new_number
    assert worker.check(worker.item(step)) == [0]
    assert worker.finish(worker.item(step)) == {0: 3}


def test_taking_the_session_waits_for_the_flush_under_way(store):
    worker = store.worker()
    step = store.held(worker)
    item = worker.item(step, next=2)
    worker.sql.begin()
    worker.lock(item)
    worker.store_items(item)
    old, worker.sql, worker.number = worker.sql, store.session(), worker.number + 1
    taking = Later(worker.take_session)
    wait("the newer connection waits", lambda: store.is_waiting(worker.sql))
    old.commit()
    taking.result()
    assert worker.check(item) == [1]


def test_what_became_of_a_lost_flush(store):
    worker = store.worker()
    steps = [store.held(worker) for _ in range(5)]
    done, ours, cancelled, started, retried = steps
    items = [worker.item(done), worker.item(ours), worker.item(cancelled),
             worker.item(started, HELD), worker.item(retried, RETRYING, run_at="now")]
    worker.finish(items[0], items[3], items[4])
    store.end(CANCELLED, cancelled[0])
    store.fire((retried[0], 1))
    gone = worker.item((uuid7(), 1, 1))
    assert worker.check(*items, gone) == [1, 0, -1, 1, 1, -1]


def test_what_a_lost_claim_took_is_found(store):
    worker = store.worker()
    store.held(worker)
    runs = store.insert(2)
    worker.claim()
    rows = worker.sql.run("steps_claim_lost", worker.id, worker.number, worker.claims)
    assert {row[2] for row in rows} == set(runs)
    rows = worker.sql.run("steps_claim_lost", worker.id, worker.number, worker.claims + 1)
    assert len(rows) == 1 and rows[0][0] is True and rows[0][2] is None


def test_which_steps_are_held_no_more(store):
    worker = store.worker()
    kept, lost = store.held(worker), store.held(worker)
    store.end(CANCELLED, lost[0])
    assert worker.sql.run("workers_renew", worker.id, LEASE, 2) == [(1,)]
    assert worker.sql.run("steps_not_held", worker.id, [kept[0], lost[0]], [1, 1],
                          [kept[2], lost[2]]) == [(1,)]


# ---- two at once ----

def test_a_finish_in_flight_is_seen_by_who_buries(store):
    """Without the two steps of burying, the next step would be run by nobody."""
    worker = store.worker()
    step = store.held(worker)
    item = worker.item(step, next=2)
    worker.sql.begin()
    assert worker.lock(item) == (True, True)
    burying = Later(store.bury, worker, store.session())
    wait("the burial waits", lambda: store.is_waiting(store.sessions[-1]))
    assert worker.store_items(item) == {0: 4}
    worker.sql.commit()
    assert burying.result() == [(step[0], 2)]
    assert store.step(step[0], 2)["status_code"] == QUEUED
    assert store.step(step[0], 1)["status_code"] == STEP_COMPLETED


def test_a_finish_that_comes_during_the_burial_is_refused(store):
    worker = store.worker()
    step = store.held(worker)
    session = store.session()
    session.begin()
    session.run("workers_lock", worker.id)
    session.run("workers_bury", worker.id)
    late = Later(worker.finish, worker.item(step, next=2))
    wait("the finish waits", lambda: store.is_waiting(worker.sql))
    session.run("runs_lock_held", worker.id)
    session.run("steps_requeue_lost", worker.id, CRASH, True)
    session.commit()
    assert late.result() is None
    assert store.step(step[0], 1)["status_code"] == QUEUED and store.step(step[0], 2) is None


def test_a_claim_that_comes_during_the_burial_takes_nothing(store):
    worker = store.worker()
    run = store.insert()
    session = store.session()
    session.begin()
    session.run("workers_lock", worker.id)
    session.run("workers_bury", worker.id)
    late = Later(worker.claim)
    wait("the claim waits", lambda: store.is_waiting(worker.sql))
    session.commit()
    assert late.result() is None
    assert store.step(run, 1)["status_code"] == QUEUED


def test_a_cancel_sees_what_the_flush_before_it_inserted(store):
    worker = store.worker()
    step = store.held(worker)
    run, item = step[0], worker.item(step, next=2)
    worker.sql.begin()
    worker.lock(item)
    cancel = Later(lambda: store.end(CANCELLED, run, comment="Cancelled by eve",
                                     session=store.session()))
    wait("the cancel waits", lambda: store.is_waiting(store.sessions[-1]))
    assert worker.store_items(item) == {0: 4}
    worker.sql.commit()
    assert cancel.result() == {run: (RUNNING, CANCELLED)}
    assert store.step(run, 2)["status_code"] == STEP_CANCELLED
    assert store.events(run) == ["run.started", "step.started 1", "step.completed 1",
                                 "step.started 2", "step.cancelled 2", "comment.added",
                                 "run.cancelled"]
    assert worker.finish(worker.item((run, 2, 1), say_started=False)) == {}


def test_a_finish_after_a_cancel_is_refused(store):
    worker = store.worker()
    step = store.held(worker)
    run, item = step[0], worker.item(step, next=2)
    session = store.session()
    session.begin()
    session.run("runs_lock", [run])
    session.run("runs_end", [run], CANCELLED, None, None)
    late = Later(worker.finish, item)
    wait("the finish waits", lambda: store.is_waiting(worker.sql))
    session.commit()
    assert late.result() == {}
    assert store.step(run, 2) is None


def test_a_cancel_judges_a_claimed_row_by_what_it_became(store):
    worker = store.worker()
    run = store.insert()
    worker.sql.begin()
    [step] = worker.claim()
    cancel = Later(lambda: store.end(CANCELLED, run, session=store.session()))
    wait("the cancel waits", lambda: store.is_waiting(store.sessions[-1]))
    worker.sql.commit()
    assert cancel.result() == {run: (RUNNING, CANCELLED)}
    assert store.step(run, 1)["status_code"] == STEP_CANCELLED
    assert worker.finish(worker.item(step)) == {}


def test_two_workers_of_one_run_number_its_events_without_a_gap(store):
    """Two finishes at once of steps of one run: the second waits, and counts on."""
    one, two = store.worker(), store.worker()
    step = store.held(one)
    run = step[0]
    store.admin.text("insert into workflow_steps (execution_id, step_number, step_key, status,"
                     " worker_id, fence, started_at) values ($1, 2, 'b', 2, $2, 1, now())", run, two.id)
    first = one.item(step)
    one.sql.begin()
    one.lock(first)
    second = Later(two.finish, two.item((run, 2, 1)))
    wait("the second waits", lambda: store.is_waiting(two.sql))
    assert one.store_items(first) == {0: 3}
    one.sql.commit()
    assert second.result() == {0: 5}
    assert store.events(run)[1:] == ["step.started 1", "step.completed 1", "step.started 2",
                                     "step.completed 2"]


def test_many_at_once_leave_every_run_whole(store):
    """Workers finish, hand back and die, runs are cancelled, timers fire, all at once."""
    runs, seed = store.insert(60, timeout=60_000_000), random.randrange(1 << 30)
    print("seed", seed)
    threads, faults = [], []
    over = threading.Event()

    def guarded(work, *args):
        try:
            work(*args)
        except Exception as error:
            faults.append(error)
            over.set()

    def work(dice):
        worker = store.worker(session=store.session())
        while not over.is_set():
            steps = worker.claim(most=dice.randint(1, 5), empty=True)
            if steps is None:
                worker = store.worker(session=worker.sql)
                continue
            while steps:
                items = [choose(dice, worker, step) for step in steps]
                taken = worker.finish(*items)
                if taken is None:
                    break
                steps = [(i["run"], i["next_number"], 1) for place, i in enumerate(items)
                         if place in taken and i["next_held"]]
            if dice.random() < 0.05:
                store.bury(worker, worker.sql)

    def choose(dice, worker, step):
        first = step[1] == 1 or step[2] != 1
        if step[1] >= 8:
            return worker.item(step, say_started=first, run_status=COMPLETED)
        if dice.random() < 0.2:
            return worker.item(step, RETRYING, say_started=first, run_at="now",
                               will_retry=True)
        return worker.item(step, say_started=first, next=step[1] + 1,
                           held=dice.random() < 0.6)

    def disturb(dice):
        session = store.session()
        while not over.is_set():
            due = session.run("timers_load", "now", 100)
            session.begin()
            session.run("runs_lock", [run for run, _, _ in due])
            session.run("timers_fire", [run for run, _, _ in due], [n for _, n, _ in due])
            session.commit()
            if dice.random() < 0.02:
                store.end(CANCELLED, *dice.sample(runs, 2), session=session)
            if session.text("select count(*) from workflow_run_state where status < 3")[0][0] == 0:
                over.set()

    for i in range(4):
        threads.append(threading.Thread(target=guarded, daemon=True,
                                        args=(work, random.Random(seed + i))))
    threads.append(threading.Thread(target=guarded, daemon=True,
                                    args=(disturb, random.Random(seed))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults and not any(thread.is_alive() for thread in threads)
    for run in runs:
        kinds = store.events(run)
        assert kinds[-1] in ("run.completed", "run.cancelled"), kinds
    assert store.value("select count(*) from pg_stat_database where datname ="
                       " current_database() and deadlocks > 0") == 0


def test_a_finish_leaves_a_run_alone_that_does_not_run(store):
    worker = store.worker()
    step = store.held(worker)
    store.admin.text("update workflow_run_state set status = 7 where execution_id = $1", step[0])
    assert worker.finish(worker.item(step)) == {}
    assert store.step(step[0], 1)["status_code"] == HELD
    store.admin.text("update workflow_run_state set status = 1 where execution_id = $1", step[0])


def test_a_finish_in_a_paused_run_is_kept_and_goes_no_further(store):
    worker = store.worker()
    step = store.held(worker)
    store.admin.text("update workflow_run_state set status = 2 where execution_id = $1", step[0])
    store.admin.text("update workflow_runs set status = 2 where id = $1", step[0])
    assert worker.finish(worker.item(step, next=2)) == {0: 3} and worker.holds == {0: False}
    assert store.step(step[0], 1)["status_code"] == STEP_COMPLETED
    after = store.step(step[0], 2)
    assert after["status_code"] == 0
    assert store.state(step[0])["status"] == 2
    assert worker.claim() == []


@pytest.mark.parametrize("how", ("hand_back", "leave", "bury"))
def test_what_is_taken_back_in_a_paused_run_waits(store, how):
    worker, other = store.worker(), store.worker()
    step = store.held(worker)
    store.admin.text("update workflow_run_state set status = 2, paused_by = 1"
                     " where execution_id = $1", step[0])
    store.admin.text("update workflow_runs set status = 2 where id = $1", step[0])
    if how == "hand_back":
        worker.sql.begin()
        worker.sql.run("steps_finish_lock", worker.id, worker.number, [step[0]])
        worker.sql.run("steps_hand_back", worker.id, *([x] for x in step))
        worker.sql.commit()
    else:
        getattr(store, how)(worker)
    assert store.step(step[0], 1)["status_code"] == PENDING
    assert other.claim(named=[step[:2]], empty=True) == []
    store.admin.begin()
    store.admin.run("runs_lock", [step[0]])
    store.admin.run("runs_resume", step[0], "eve")
    store.admin.commit()
    assert [claimed[:2] for claimed in other.claim(empty=True)] == [step[:2]]


def test_items_of_a_crashed_run_still_wait_for_their_turn(store):
    """And what somebody was asked is void."""
    worker, other = store.worker(), store.worker()
    run = store.insert(crash_on_interrupt=True,
                       steps=[{"number": number} for number in (1, 2, 3, 4)])
    assert len(worker.claim(most=2)) == 2
    store.admin.text("update workflow_steps set item = '1' where execution_id = $1"
                     " and step_number in (2, 3)", run)
    store.admin.text("update workflow_steps set status = 0, ready_at = null"
                     " where execution_id = $1 and step_number = 3", run)
    store.admin.text("update workflow_steps set status = 4 where execution_id = $1"
                     " and step_number = 4", run)
    store.admin.text("insert into workflow_approvals (id, execution_id, step_number, prompt)"
                     " values ($1, $2, 4, '')", uuid7(), run)
    store.admin.begin()
    store.admin.run("workers_lock", worker.id)
    store.admin.run("workers_bury", worker.id)
    store.admin.run("runs_lock_held", worker.id)
    store.admin.run("runs_crash_interrupted", worker.id)
    store.admin.commit()
    assert store.run(run)["status_code"] == CRASHED
    assert store.value("select status from workflow_approvals") == 4
    store.admin.begin()
    store.admin.run("runs_lock", [run])
    store.admin.run("runs_resume", run, "eve")
    store.admin.commit()
    assert [store.step(run, number)["status_code"] for number in (1, 2, 3, 4)] == [
        QUEUED, QUEUED, PENDING, QUEUED]
    assert {number for _, number, _ in other.claim(empty=True)} == {1, 2, 4}


def test_a_step_that_waits_for_children_counts_them_alone(store):
    """In a graph it may have been chosen early: who else might have chosen it ends later."""
    worker = store.worker()
    run = store.insert(steps=[{"number": number, "parent": -1} for number in (1, 2, 3)])
    block, other, child = sorted(worker.claim(most=3))
    store.admin.text("update workflow_steps set status = 5, phase = 3, remaining_needs = 1,"
                     " worker_id = null where execution_id = $1 and step_number = 1", run)
    store.admin.text("update workflow_steps set parent_step = 1 where execution_id = $1"
                     " and step_number = 3", run)

    def meet(step, chosen):
        worker.sql.begin()
        worker.lock(worker.item(step))
        worker.store_items(worker.item(step))
        rows = worker.sql.run("steps_meet", *([x] for x in step), [STEP_COMPLETED], [1],
                              [chosen], [None], [False])
        worker.sql.commit()
        return [number for _, number, _, _ in rows]

    assert block[1] == 1
    assert meet(other, True) == []
    assert store.step(run, 1)["status_code"] == WAITING
    assert meet(child, False) == [1]
    assert store.step(run, 1)["status_code"] == QUEUED


def test_a_flush_that_comes_late_meets_nothing_again(store):
    """Its answer was lost, a new session stored the same results, and then its statements
    arrive after all: it finishes nothing, so nothing may follow from it."""
    worker = store.worker()
    run = store.insert(steps=[{"number": number, "parent": -1} for number in (1, 2)])
    done, _ = sorted(worker.claim(most=2))
    store.admin.text("update workflow_steps set status = 0, ready_at = null, worker_id = null,"
                     " remaining_needs = 3 where execution_id = $1 and step_number = 2", run)

    def flush():
        worker.sql.begin()
        worker.lock(worker.item(done))
        worker.store_items(worker.item(done))
        worker.sql.run("steps_meet", *([x] for x in done), [STEP_COMPLETED], [2], [False],
                       [None], [False])
        worker.sql.commit()
        return store.value("select remaining_needs from workflow_steps"
                           " where execution_id = $1 and step_number = 2", run)

    assert flush() == 2
    assert flush() == 2
    worker.number -= 1  # as the old session
    assert flush() == 2


def test_a_next_step_that_was_claimed_meanwhile_is_not_held_by_the_flush(store):
    worker = store.worker()
    kept, given = store.held(worker), store.held(worker)
    items = [worker.item(kept, next=2), worker.item(given, next=2, held=False)]
    worker.finish(*items)
    assert [(run, number) for run, number, _ in worker.claim()] == [(given[0], 2)]
    columns = [[i[key] for i in items]
               for key in ("run", "number", "fence", "status", "next_number")]
    rows = worker.sql.run("steps_finish_check", worker.id, *columns)
    assert [(verdict, holds) for verdict, _, holds in rows] == [(1, True), (1, False)]


# ---- from outside ----

def test_what_had_started_says_that_it_was_cancelled(store):
    worker = store.worker()
    queued, claimed, logged = store.insert(), store.held(worker)[0], store.held(worker)
    worker.finish(worker.item(logged, HELD))
    error = {"code": "cancelled", "message": "enough"}
    ends = store.end(CANCELLED, queued, claimed, logged[0], error=error, comment="Cancelled")
    assert set(ends.values()) == {(RUNNING, CANCELLED)}
    assert store.events(queued) == ["run.started", "comment.added", "run.cancelled"]
    assert store.events(claimed) == ["run.started", "step.started 1", "step.cancelled 1",
                                     "comment.added", "run.cancelled"]
    assert store.events(logged[0]) == store.events(claimed)
    assert store.run(queued)["error"] == error
    assert store.value("select author || ': ' || message from workflow_comments limit 1") == (
        "stepmill: Cancelled")
    assert store.end(CANCELLED, queued) == {queued: (CANCELLED, CANCELLED)}
    assert store.end(CANCELLED, uuid7()) == {}


def test_only_what_is_overdue_times_out(store):
    late, early, endless = (store.insert(timeout=60_000_000), store.insert(timeout=60_000_000),
                            store.insert())
    store.admin.text("update workflow_run_state set deadline_at = now() where execution_id = $1",
                     late)
    assert store.admin.run("runs_overdue") == [(late,)]
    assert store.end(TIMED_OUT, late, early, endless) == {
        late: (RUNNING, TIMED_OUT), early: (RUNNING, RUNNING), endless: (RUNNING, RUNNING)}
    assert store.events(late)[-1] == "run.timed_out"


def test_a_pending_run_can_be_cancelled(store):
    run = store.insert(run_at="2100-01-01")
    assert store.end(CANCELLED, run) == {run: (PENDING, CANCELLED)}
    assert store.events(run) == ["run.cancelled"]
    assert store.fire((run, 1)) == []


def test_a_run_without_an_open_step_is_stuck(store):
    store.insert()
    run = store.insert()
    assert store.admin.run("runs_stuck") == []
    store.admin.text("update workflow_steps set status = 9, completed_at = now()"
                     " where execution_id = $1", run)
    assert store.admin.run("runs_stuck") == [(run,)]
    assert store.end(CRASHED, run) == {run: (RUNNING, CRASHED)}


def test_visits(store):
    worker = store.worker()
    step = store.held(worker)
    run = step[0]
    worker.finish(worker.item(step, output="one", next=2))
    worker.finish(worker.item((run, 2, 1), output="two", next=3, say_started=False))
    rows = store.admin.run("steps_visits", [run, run], ["b", "zzz"])
    assert [row[:4] for row in rows] == [(run, "b", 3, HELD)]
    rows = store.admin.run("steps_visits", [run], [None])
    assert [row[1:5] for row in rows] == [("a", 1, STEP_COMPLETED, "one"), ("b", 3, HELD, None)]


# ---- inserting, deleting ----

def test_a_repeated_run_is_refused_by_name(store):
    store.insert(idempotency_key="k")
    with pytest.raises(Refused) as refused:
        store.insert(idempotency_key="k")
    assert refused.value.constraint == "workflow_runs_idempotency"
    assert store.value("select count(*) from workflow_runs") == 1


def test_a_group_with_an_unknown_workflow_is_refused_as_a_whole(store):
    with pytest.raises(Refused) as refused:
        store.insert(2, definition=uuid7())
    assert refused.value.sqlstate == "23502"
    assert store.value("select count(*) from workflow_steps") == 0


def test_a_run_belongs_to_the_project_named_else_the_workflows_else_default(store):
    project = uuid7()
    store.admin.text("insert into projects (id, name) values ($1, 'p')", project)
    definition = uuid7()
    store.define(uuid7(), definition, "theirs", project)
    default = store.value("select id from projects where name = 'default'")
    assert store.run(store.insert())["project_id"] == default
    assert store.run(store.insert(definition=definition))["project_id"] == project
    assert store.run(store.insert(project=project))["project_id"] == project
    store.admin.text("delete from projects where id = $1", project)
    assert store.value("select count(*) from workflow_runs") == 1
    assert store.value("select count(*) from workflow_steps") == 1
    assert store.value("select count(*) from workflows where name = 'theirs'") == 0
    with pytest.raises(Refused) as refused:
        store.admin.text("delete from projects where name = 'default'")
    assert refused.value.constraint == "projects_default"


def test_a_workflow_with_runs_cannot_go(store):
    run = store.insert()
    with pytest.raises(Refused) as refused:
        store.admin.text("delete from workflow_definitions where id = $1", store.definition)
    assert refused.value.constraint == "workflow_runs_definition"
    store.admin.text("delete from workflow_runs where id = $1", run)
    store.admin.text("delete from workflow_definitions where id = $1", store.definition)


def test_a_workflow_that_goes_while_a_run_comes(store):
    """Whoever is first wins, and neither a run without its workflow nor a hang remains."""
    session, other = store.session(), store.session()
    session.begin()
    session.text("delete from workflow_definitions where id = $1", store.definition)
    inserting = Later(store.insert)
    wait("the insert waits", lambda: other.text(
        "select exists (select from pg_stat_activity where pid = $1::int"
        " and wait_event_type = 'Lock')", store.admin.pid)[0][0])
    session.commit()
    with pytest.raises(Refused):
        inserting.result()
    store.define(uuid7(), store.definition, "again")
    store.admin.begin()
    store.insert()
    deleting = Later(session.text, "delete from workflow_definitions where id = $1",
                     store.definition)
    wait("the deletion waits", lambda: other.text(
        "select exists (select from pg_stat_activity where pid = $1::int"
        " and wait_event_type = 'Lock')", session.pid)[0][0])
    store.admin.commit()
    with pytest.raises(Refused) as refused:
        deleting.result()
    assert refused.value.constraint == "workflow_runs_definition"


def test_a_run_takes_its_rows_along(store):
    worker = store.worker()
    kept, gone = store.held(worker), store.held(worker)
    for run, number, _ in (kept, gone):
        store.admin.text("insert into workflow_comments (id, execution_id, step_number, author,"
                         " message) values (uuid7(), $1, $2, 'a', 'm')", run, number)
        store.admin.text("insert into workflow_artifacts (id, execution_id, step_number, name,"
                         " type, storage_path, size_bytes)"
                         " values (uuid7(), $1, $2, 'n', 'OTHER', 'p', 1)", run, number)
    store.admin.text("delete from workflow_runs where id = $1", gone[0])
    for table in ("run_state", "steps", "events", "comments", "artifacts"):
        assert store.admin.text(f"select distinct execution_id from workflow_{table}") == [
            (kept[0],)], table
    store.admin.text("delete from workflow_steps where execution_id = $1", kept[0])
    assert store.run(kept[0])["current_step"] is None
    assert store.value("select count(*) from workflow_comments") == 0


# ---- partitions, names ----

def test_partitions_of_this_month_and_the_next(store):
    def partitions():
        return {row[0] for row in store.admin.text(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = 'workflow_steps'::regclass")}

    before = partitions()
    assert len(before) == 3 and "workflow_steps_other" in before
    assert store.value("select partitions_ensure(now())") == 0
    assert store.value("select partitions_ensure('2031-12-15')") == 4
    assert partitions() - before == {"workflow_steps_2031_12", "workflow_steps_2032_01"}
    old = store.value("select overlay(uuid_at('2040-05-05')::text placing '7' from 15)")
    store.admin.text("insert into workflow_steps (execution_id, step_number, step_key, status)"
                     " values ($1, 1, 'a', 0)", old)
    # What the default partition already holds stays there; the other months are made.
    assert store.value("select partitions_ensure('2040-05-05')") == 3
    run = store.insert()
    assert store.value("select tableoid::regclass::text from workflow_steps"
                       " where execution_id = $1", run) in before - {"workflow_steps_other"}


def test_a_partition_is_shaped_like_its_parent(store):
    rows = store.admin.text("select reloptions::text from pg_class where relname like"
                            " 'workflow\\_steps\\_%' and relkind = 'r'")
    assert len({tuple(sorted(row[0].strip("{}").split(","))) for row in rows}) == 1
    indexes = store.admin.text("select relid, count(*) from pg_partition_tree('workflow_steps')"
                               " t join pg_index i on i.indrelid = t.relid where isleaf"
                               " group by 1")
    assert {count for _, count in indexes} == {6}


def test_names_are_those_of_the_engine(store):
    header = (SQL.parent / "common/engine/status.h").read_text()

    def names(prefix, enum):
        body = re.search(rf"enum {enum} {{(.*?)}};", header, re.S).group(1)
        return [n.lower() for n in re.findall(rf"^\t{prefix}_([A-Z_]+)", body, re.M)][:-1]

    for function, prefix, enum in (("run_status_name", "RUN", "run_status"),
                                   ("step_status_name", "STEP", "step_status")):
        wanted = names(prefix, enum)
        found = [store.value(f"select {function}($1::smallint)", i) for i in range(len(wanted) + 1)]
        assert found == [*wanted, None]
    wanted = [name.replace("_", ".", 1) for name in names("EVENT", "event_type")[1:]]
    found = [store.value("select event_type_name($1::smallint)", i)
             for i in range(1, len(wanted) + 2)]
    assert found == [*wanted, None]


def test_a_step_as_readers_see_it(store):
    run = store.insert()
    step = store.step(run, 1)
    assert (step["id"], step["name"], step["action"]) == (f"{run}:1", "First: step", "noop")
    assert step["log_file_path"] == (f".agent/workflows/executions/{run}/logs/"
                                     "step-1-First--step.log")


def test_a_new_id_of_the_database_is_a_uuid_7(store):
    first = store.value("select uuid7()")
    assert first[14] == "7" and first[19] in "89ab"
    assert abs(int(first.replace("-", "")[:12], 16) - int(uuid7().replace("-", "")[:12], 16)) < 60_000
    assert store.value("select uuid7() > uuid_at(now() - interval '1 s')"
                       " and uuid7() < uuid_at(now() + interval '1 s')")
