"""A small check of what every campaign must keep, by SQL and the ledger; its interface is that
of checker.py: check(database_url, ledger_path, history_path, options) -> violations, each
{invariant, run, seed, what}. Options: seed; effects ["WORKFLOW/STEP", ...] that have them.
"""
import collections

import psycopg

from history import read


class Check:
    def __init__(self, connection, ledger_path, history_path, options):
        self.connection, self.options = connection, options
        self.ledger_path, self.history_path = ledger_path, history_path
        self.found = []

    def sql(self, query, *params):
        return self.connection.execute(query, params).fetchall()

    def violation(self, invariant, run, what):
        self.found.append({"invariant": invariant, "run": str(run) if run else None,
                           "seed": self.options.get("seed"), "what": what})

    def check_runs(self):
        """I-1 and I-2: one run for each accepted trigger and each key, and it is over."""
        runs = dict(self.sql("select id::text, status from v_runs"))
        for key, count in self.sql("select idempotency_key, count(*) from workflow_runs"
                                   " where idempotency_key is not null group by 1"
                                   " having count(*) > 1"):
            self.violation("I-2", None, f"{count} runs under the key {key}")
        asked = collections.defaultdict(set)
        for line in read(self.history_path):
            if line.get("op") == "trigger" and line["key"] and line["execution"]:
                asked[line["key"]].add(line["execution"])
        for key, ids in asked.items():
            if len(ids) > 1:
                self.violation("I-2", None, f"the key {key} was answered {sorted(ids)}")
            for run in ids:
                if runs.get(run) not in ("completed", "failed", "cancelled", "timed_out"):
                    self.violation("I-1", run, f"accepted, and is {runs.get(run)}")

    def check_results(self):
        """I-3: a completed step has one event that says so."""
        for run, number, count in self.sql(
                "select execution_id, step_number, count(*) from workflow_events"
                " where type = 3 group by 1, 2 having count(*) > 1"):
            self.violation("I-3", run, f"step {number} was completed {count} times")
        for run, number in self.sql(
                "select s.execution_id, s.step_number from workflow_steps s"
                " where s.status = 6 and s.step_number > 0 and not exists ("
                "   select from workflow_events e"
                "   where e.execution_id = s.execution_id and e.step_number = s.step_number"
                "     and e.type = 3)"):
            self.violation("I-3", run, f"step {number} is completed, and no event says so")

    def check_effects(self):
        """I-4: at least once, under the step's key, no more often than it was claimed."""
        effects = collections.Counter(line["key"] for line in read(self.ledger_path))
        steps = {f"{run}:{number}": rest for run, number, *rest in self.sql(
            "select s.execution_id, s.step_number, d.name || '/' || s.step_key, s.status, s.fence"
            "  from workflow_steps s join workflow_runs r on r.id = s.execution_id"
            "  join workflow_definitions d on d.id = r.workflow_def_id")}
        wanted = set(self.options.get("effects", ()))
        for key, (name, status, _) in steps.items():
            if status == 6 and name in wanted and not effects[key]:
                self.violation("I-4", key, f"{name} is completed without an effect")
        for key, count in effects.items():
            if key not in steps:
                self.violation("I-4", key, "an effect under a key that is no step's")
            elif count > steps[key][2]:
                self.violation("I-4", key, f"{count} effects of {steps[key][2]} claims")

    def check_events(self):
        """I-7: 1, 2, 3 .. last_seq."""
        for run, count, low, high, last in self.sql(
                "select s.execution_id, count(e.seq), min(e.seq), max(e.seq), s.last_seq"
                "  from workflow_run_state s left join workflow_events e using (execution_id)"
                " group by 1, 5 having count(e.seq) <> s.last_seq"
                "    or coalesce(max(e.seq), 0) <> s.last_seq or coalesce(min(e.seq), 1) <> 1"):
            self.violation("I-7", run, f"{count} events from {low} to {high}, last is {last}")

    def check_rest(self):
        """I-11: nothing is held."""
        held = self.sql("select count(*) from workflow_steps where status = 2")[0][0]
        if held:
            self.violation("I-11", None, f"{held} steps are held by workers")
        idle = self.sql("select count(*) from pg_stat_activity where datname ="
                        " current_database() and state like 'idle in transaction%%'")[0][0]
        if idle:
            self.violation("I-11", None, f"{idle} sessions are idle in transaction")


def check(database_url, ledger_path, history_path, options):
    with psycopg.connect(database_url, autocommit=True,
                         options="-c search_path=stepmill") as connection:
        one = Check(connection, ledger_path, history_path, options)
        for part in (one.check_runs, one.check_results, one.check_effects, one.check_events,
                     one.check_rest):
            part()
        return one.found
