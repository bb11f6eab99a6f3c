"""The figures of a campaign, and its verdict."""
import json
import statistics

import checks.report
import psycopg

from history import read

INVARIANTS = ("I-1", "I-2", "I-3", "I-4", "I-5", "I-6", "I-7", "I-8", "I-10", "I-11", "I-12",
              "I-13", "I-14", "I-15", "ends", "harness")
TITLES = {
    **checks.report.TITLES,
    "A10": "a drain ends in order",
    "F2": "floods of output are cut", "F3": "time ends what ignores signals",
    "F4": "programs find their own descriptors only",
    "F5": "values arrive byte for byte", "F6": "no path leads out of the project",
    "ends": "runs end as their workflow does, whatever dies",
    "harness": "the campaign itself worked",
}
RUNNING_AGAIN = """
    select w.pid, extract(epoch from r.at)::float8, extract(epoch from min(n.at))::float8
      from workflow_events r
      join workers w on w.id = (r.payload ->> 'workerId')::uuid
      join workflow_events n on n.execution_id = r.execution_id and n.seq > r.seq
       and n.type = 2
     where r.type = 12 and r.payload ->> 'reason' = 'worker lost'
     group by r.execution_id, r.seq, r.at, w.pid"""


def percentiles(values):
    if not values:
        return "none seen"
    values = sorted(values)
    return (f"p50 {statistics.median(values) * 1000:.0f} ms,"
            f" p99 {values[int(len(values) * 0.99)] * 1000:.0f} ms of {len(values)}")


# While these are at work, and a moment after, nobody could take up anything.
OUTAGES = {"A3", "A6", "A7", "A10", "C1", "C3", "C4", "C5"}
AFTERMATH = 1.0


def outages(history_path):
    """[(begin, end)] of the faults that leave nobody to take up what was lost."""
    begun, found = {}, []
    for line in read(history_path):
        if line["kind"] != "fault" or line["id"] not in OUTAGES:
            continue
        if line["what"] == "start":
            begun[line["index"]] = line["time"]
        elif line["what"] == "end":
            found.append((begun[line["index"]], line["time"] + AFTERMATH))
    return found


def recovery(database_url, kills, away):
    """Seconds to the next step of the run: from the note of the loss; from the death of a
    worker that we killed; the same while nothing else was away."""
    with psycopg.connect(database_url, options="-c search_path=stepmill") as connection:
        rows = connection.execute(RUNNING_AGAIN).fetchall()
    noted = [started - lost for _, lost, started in rows]
    died, calm = [], []
    for pid, lost, started in rows:
        when = max((at for killed, at in kills if killed == pid and at <= lost), default=None)
        if when is None:
            continue
        died.append(started - when)
        if not any(begin < started and when < end for begin, end in away):
            calm.append(started - when)
    return noted, died, calm



def calls(history_path):
    total = unanswered = refused = 0
    slowest = 0.0
    for call in read(history_path):
        if call.get("op") == "trigger":
            total += 1
            unanswered += call["status"] is None
            refused += call["status"] is not None and call["status"] >= 500
            if call["status"] == 503:
                slowest = max(slowest, call["end"] - call["start"])
    return (f"{total} calls of triggers, {unanswered} without an answer, {refused} answered"
            f" 5xx (slowest 503 {slowest:.2f} s)")


def runs(database_url):
    with psycopg.connect(database_url, options="-c search_path=stepmill") as connection:
        rows = connection.execute(
            "select run_status_name(status), count(*) from workflow_run_state group by 1"
            " order by 1").fetchall()
        steps, losses = connection.execute(
            "select count(*), coalesce(sum(losses), 0) from workflow_steps").fetchone()
    return (", ".join(f"{count} {status}" for status, count in rows)
            + f"; {steps} steps, {losses} attempts lost with a worker")


def share(lost, of):
    return f"{lost} of {of} ({100 * lost / of:.1f} %)" if of else "0 of 0"


def streams(diary_path):
    followed = [line for line in read(diary_path) if line["what"] == "followed"]
    return (f"{len(followed)} runs followed to their end, {sum(s['events'] for s in followed)}"
            f" events, {sum(s['cuts'] for s in followed)} times cut")


def print_figures(world, nemesis, load, wire, poisoned):
    counters = world.system.counters
    url = world.system.database_url
    noted, died, calm = recovery(url, world.kills, outages(world.history.path))
    done = sorted(nemesis.done.items(), key=lambda item: order_of(item[0]))
    print("\nfaults:", ", ".join(f"{name} {count}" for name, count in done))
    print(f"killed: {counters['worker_kills']} workers, {counters['supervisor_kills']}"
          f" supervisors, {counters['scheduler_kills']} schedulers")
    print(f"PostgreSQL stopped {counters['postgres_stops']} times,"
          f" {counters['backends_terminated']} backends terminated;"
          f" Redis flushed {counters['flushes']} times")
    print(f"answers to commits lost: "
          f"{share(wire.get('commits_lost', 0), wire.get('commits_in_danger', 0))};"
          f" of all commits {share(wire.get('commits_lost', 0), wire.get('commits', 0))}")
    print(f"runs: {len(load.accepted)} accepted of the load; in all {runs(url)};"
          f" {poisoned + world.poisoned} failed as poison")
    print(calls(world.history.path))
    print("subscribers:", streams(world.history.diary_path))
    print("running again after the loss was noted:", percentiles(noted))
    print("running again after a worker was killed:", percentiles(died))
    print("  the same, while PostgreSQL and supervisors were there:", percentiles(calm))


def order_of(name):
    """A2 before A10, words last."""
    letters = name.rstrip("0123456789")
    return len(letters) > 2, letters, int(name[len(letters):] or 0)


def keep_runs(database_url, violations, path):
    """What the database says of the runs that something is wrong with: it does not stay."""
    runs = {violation["run"] for violation in violations if violation["run"]}
    with psycopg.connect(database_url, options="-c search_path=stepmill") as connection, \
            open(path, "w", encoding="utf-8") as file:
        for table, column in (("v_runs", "id"), ("workflow_steps", "execution_id"),
                              ("v_events", "execution_id")):
            for row, in connection.execute(f"select to_jsonb(t) from {table} t"
                                           f" where {column}::text = any(%s)", [list(runs)]):
                file.write(json.dumps({"table": table, **row}) + "\n")


def print_verdict(violations):
    """One line an invariant; the last line counts them. The exit status."""
    broken = {violation["invariant"] for violation in violations}
    for violation in violations[:60]:
        print(f"VIOLATION {violation['invariant']} run={violation['run']}"
              f" seed={violation['seed']}: {violation['what'][:1500]}")
    if len(violations) > 60:
        print(f"and {len(violations) - 60} more")
    names = sorted(set(INVARIANTS) | broken, key=order_of)
    for name in names:
        print(f"{'FAILED' if name in broken else 'passed'} {name}: {TITLES.get(name, '')}")
    print(f"{len(names) - len(broken)} passed, {len(broken)} failed")
    return 1 if broken else 0
