"""A small check of what every campaign must keep, by SQL and the ledger. The same interface
as the checker: check(database_url, ledger_path, history_path, options) -> violations, each
{invariant, run, seed, what}. Options: seed; ends {workflow: [statuses]}, effects
{workflow: [step ids]} of the flows.
"""
import collections
import json

import psycopg

from history import read

INVARIANTS = ("I-1", "I-2", "I-3", "I-4", "I-7", "I-11")


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

    # ---- I-1, I-2: runs ----

    def check_runs(self):
        runs = {row[0]: row[1:] for row in self.sql(
            "select id::text, upper(status), workflow_name, error, idempotency_key"
            "  from v_runs")}
        keys = collections.Counter(row[3] for row in runs.values() if row[3])
        for key, count in keys.items():
            if count > 1:
                self.violation("I-2", None, f"{count} runs under the key {key}")
        asked = collections.defaultdict(set)
        for call in read(self.history_path, "call"):
            if call["op"] == "trigger" and call["run"]:
                asked[call["key"]].add(call["run"])
        for key, ids in asked.items():
            if len(ids) > 1:
                self.violation("I-2", None, f"the key {key} was answered {sorted(ids)}")
            for run in ids:
                self.check_run(run, runs.get(run))

    def check_run(self, run, row):
        if row is None:
            self.violation("I-1", run, "accepted, and not there")
            return
        status, workflow, error, _ = row
        if status not in ("COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"):
            self.violation("I-1", run, f"{workflow} is {status}")
            return
        ends = self.options.get("ends", {}).get(workflow)
        poison = (error or {}).get("code") == "poison"
        if ends and status not in ends and not poison:
            self.violation("I-1", run, f"{workflow} ended as {status}: {error}")

    # ---- I-3: results ----

    def check_results(self):
        for run, number, count in self.sql(
                "select execution_id, step_number, count(*) from workflow_events"
                " where type = 3 group by 1, 2 having count(*) > 1"):
            self.violation("I-3", run, f"step {number} was completed {count} times")
        for run, number in self.sql(
                "select s.execution_id, s.step_number from workflow_steps s"
                " where s.status = 6 and not exists (select from workflow_events e"
                "   where e.execution_id = s.execution_id and e.step_number = s.step_number"
                "     and e.type = 3)"):
            self.violation("I-3", run, f"step {number} is completed, and no event says so")

    # ---- I-4: effects ----

    def check_effects(self):
        effects = collections.Counter()
        with open(self.ledger_path, encoding="utf-8") as file:
            for line in file:
                effects[json.loads(line)["key"]] += 1
        steps = {f"{run}:{number}": (workflow, key, status, fence) for
                 run, number, workflow, key, status, fence in self.sql(
                     "select s.execution_id, s.step_number, d.name, s.step_key, s.status,"
                     "       s.fence from workflow_steps s"
                     "  join workflow_runs r on r.id = s.execution_id"
                     "  join workflow_definitions d on d.id = r.workflow_def_id")}
        wanted = self.options.get("effects", {})
        for key, (workflow, step, status, _) in steps.items():
            if status == 6 and step in wanted.get(workflow, ()) and not effects[key]:
                self.violation("I-4", key, f"{workflow}.{step} is completed without an effect")
        for key, count in effects.items():
            if key not in steps:
                self.violation("I-4", key, "an effect under a key that is no step's")
            elif count > steps[key][3]:  # each claim has its own fence, and one effect
                self.violation("I-4", key, f"{count} effects of {steps[key][3]} claims")

    # ---- I-7: events ----

    def check_events(self):
        for run, count, low, high, last in self.sql(
                "select s.execution_id, count(e.seq), min(e.seq), max(e.seq), s.last_seq"
                "  from workflow_run_state s left join workflow_events e using (execution_id)"
                " group by 1, 5 having count(e.seq) <> s.last_seq"
                "    or coalesce(max(e.seq), 0) <> s.last_seq or coalesce(min(e.seq), 1) <> 1"):
            self.violation("I-7", run, f"{count} events from {low} to {high}, last is {last}")

    # ---- I-11: nothing is left ----

    def check_rest(self):
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
