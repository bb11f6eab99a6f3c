"""Of what there may be one, or so many: I-9 (a firing for a schedule and a time) and I-10 (runs
at once, children at once, attempts of a step). That a free slot is used within a second is a
matter of the campaign's clock and not looked at here."""
import collections


def check(world, report):
    _check_firings(world, report)
    for run, log in world.logs.items():
        for number, step in log.steps.items():
            for seq in step.overlaps:
                report.add("I-10", run, f"step {number} was started ({seq}) while an attempt of"
                           " it ran")
    _check_runs(world, report)
    for run in world.runs.values():
        _check_children(world, report, run)


def _check_firings(world, report):
    firings = world.conn.execute(
        "select schedule_id::text as schedule, fire_time, run_id::text as run"
        " from schedule_firings").fetchall()
    for (schedule, at), count in collections.Counter(
            (firing.schedule, firing.fire_time) for firing in firings).items():
        if count > 1:
            report.add("I-9", None, f"schedule {schedule} fired {count} times for {at}")
    runs = collections.Counter(firing.run for firing in firings if firing.run is not None)
    for run, count in runs.items():
        if count > 1:
            report.add("I-9", run, f"is the run of {count} firings")
    # a schedule that is deleted takes its ledger along, and leaves its runs
    there = {row[0] for row in world.conn.execute("select id::text from schedules").fetchall()}
    for run in world.runs.values():
        if run.schedule_id in there and run.id not in runs:
            report.add("I-9", run.id, f"was started by schedule {run.schedule_id} without a firing")


def most_at_once(intervals):
    """The most that cover one moment. What begins when another ends does not meet it."""
    changes = sorted((at, delta) for begin, end in intervals
                     for at, delta in ((begin, 1), (end, -1)))
    most = now = 0
    for _, delta in changes:
        now += delta
        most = max(most, now)
    return most


def limit_of(config):
    concurrency = (config or {}).get("concurrency")
    return concurrency.get("limit", 1) if isinstance(concurrency, dict) else concurrency


def _check_runs(world, report):
    """Times are those of transactions' beginnings, so a little overlap is none."""
    slack = world.options.get("clock_slack", 0.1)
    groups = collections.defaultdict(list)
    limits = {}
    for run in world.runs.values():
        limit = limit_of(run.config)
        if isinstance(limit, int):
            group = run.workflow_id, run.concurrency_key
            limits[group] = max(limit, limits.get(group, 0))
            groups[group].append(run)
    for group, runs in groups.items():
        most = most_at_once([
            (begin, (end or float("inf")) - slack) for run in runs
            for begin, end in world.logs[run.id].begun if end is None or end - begin > slack])
        if most > limits[group]:
            report.add("I-10", None, f"{runs[0].workflow}, key {group[1]!r}: {most} runs at once,"
                       f" the limit is {limits[group]}")


def _check_children(world, report, run):
    limits = {step["id"]: step["maxParallel"] for step in (run.config or {}).get("steps", [])
              if isinstance(step.get("maxParallel"), int)}
    steps = world.steps.get(run.id, [])
    for parent in steps:
        if parent.step_key not in limits:
            continue
        logs = [world.log(step) for step in steps if step.parent_step == parent.step_number]
        most = most_at_once([(log.starts[0], log.end.seq if log.end else float("inf"))
                             for log in logs if log.starts])
        if most > limits[parent.step_key]:
            report.add("I-10", run.id, f"step {parent.step_number}: {most} children at once,"
                       f" maxParallel is {limits[parent.step_key]}")
