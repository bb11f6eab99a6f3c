"""All that the checks look at, read once: the database in one snapshot, the two files, the
options. A database is read whole: a campaign makes some ten thousand runs."""
import collections

import psycopg
from psycopg.rows import namedtuple_row

from checks import files
from checks.fold import RunLog

# Of a test of one step the rest is given, not run: nothing that is checked holds for it.
IS_TEST = "(select id from workflow_runs where triggered_by = 'test')"
RUNS = f"""
select r.id::text, d.name as workflow, d.workflow_id::text, d.config,
       run_status_name(r.status) as status,
       run_status_name(s.status) as state_status, s.last_seq, r.triggered_by,
       r.schedule_id::text, r.concurrency_key, r.idempotency_key, r.error,
       r.parent_run_id::text, r.retry_of_run_id::text,
       r.run_at > now() as is_later,
       extract(epoch from r.created_at)::float8 as created,
       extract(epoch from r.completed_at)::float8 as completed
  from workflow_runs r
  left join workflow_run_state s on s.execution_id = r.id
  left join workflow_definitions d on d.id = r.workflow_def_id
 where r.id not in {IS_TEST}
 order by r.id"""
# Numbers below 1 are rows in which the engine keeps something, and no steps.
STEPS = f"""
select execution_id::text as run, step_number, step_key, step_status_name(status) as status,
       attempt_number, losses, fence, worker_id::text, item_index,
       case when parent_step > 0 then parent_step end as parent_step,
       md5(output::text) as output, error ->> 'code' as error_code
  from workflow_steps where step_number > 0 and execution_id not in {IS_TEST}
 order by execution_id, step_number"""
EVENTS = f"""
select execution_id::text as run, seq, step_number, event_type_name(type) as type, payload,
       extract(epoch from at)::float8 as at
  from workflow_events where execution_id not in {IS_TEST} order by execution_id, seq, at"""


def connect(database_url):
    return psycopg.connect(database_url, autocommit=True, row_factory=namedtuple_row,
                           options="-c search_path=stepmill -c TimeZone=UTC")


def step_id(step):
    """The key that every attempt hands to the outside."""
    return f"{step.run}:{step.step_number}"


class World:
    def __init__(self, conn, ledger_path, history_path, options):
        self.conn = conn
        self.options = options
        self.ledger = files.read_ledger(ledger_path)
        history = files.read_history(history_path)
        self.calls, self.faults = history["call"], history["fault"]
        self.repairs, self.seen, self.probes = (history[k] for k in ("repair", "seen", "probe"))
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read, read only")
            self.runs = {run.id: run for run in conn.execute(RUNS)}
            self.steps = self._by_run(STEPS)
            self.events = self._by_run(EVENTS)
        self.logs = {run: RunLog(_first_of_each_number(self.events[run])) for run in
                     [*self.runs, *self.events]}

    def _by_run(self, query):
        rows = collections.defaultdict(list)
        for row in self.conn.execute(query):
            rows[row.run].append(row)
        return rows

    def log(self, step):
        return self.logs[step.run].step(step.step_number)

    def has_table(self, name):
        return self.conn.execute("select to_regclass(%s) is not null", (name,)).fetchone()[0]


def _first_of_each_number(events):
    """A number that came twice is told once, by the check of the numbers."""
    return list({event.seq: event for event in reversed(events)}.values())[::-1]
