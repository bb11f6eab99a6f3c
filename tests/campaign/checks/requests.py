"""What clients asked for, against the runs: I-1 (accepted means made and ended, and a cancel
that was accepted holds), I-2 (a key has one run), I-15 (nobody repaired by hand)."""
import collections


def accepted(call):
    return call.status is not None and 200 <= call.status < 300


def check(world, report):
    triggers = [call for call in world.calls if call.op == "trigger"]
    _check_accepted(world, report, triggers)
    _check_ends(world, report)
    _check_cancels(world, report)
    _check_keys(world, report, [call for call in triggers if call.key is not None])
    _check_unasked(world, report, triggers)
    _check_repairs(world, report)


def _check_accepted(world, report, triggers):
    makers = triggers + [call for call in world.calls if call.op in ("retry", "rerun")]
    for call in filter(accepted, makers):
        if call.execution is None:
            report.add("I-1", None, f"{call.op} of {call.workflow} was answered {call.status}"
                       " without a run")
        elif call.execution not in world.runs:
            report.add("I-1", call.execution, f"answered {call.status}, and there is no such run")


def _check_ends(world, report):
    bound = world.options.get("bound")
    open_runs = set(world.options.get("open_runs", ()))
    for run in world.runs.values():
        if run.completed is None:
            if run.id not in open_runs and not run.is_later:
                report.add("I-1", run.id, f"{run.workflow} is {run.status} and did not end")
        elif bound is not None and run.completed - run.created > bound:
            report.add("I-1", run.id, f"took {run.completed - run.created:.1f} s,"
                       f" the bound is {bound} s")


def _check_cancels(world, report):
    for call in world.calls:
        run = world.runs.get(call.execution)
        if call.op == "cancel" and accepted(call) and run is not None \
                and run.status != "cancelled":
            report.add("I-1", run.id, f"its cancel was answered {call.status}, it is {run.status}")


def _check_keys(world, report, calls):
    runs = collections.defaultdict(list)
    for run in world.runs.values():
        if run.idempotency_key is not None:
            runs[run.idempotency_key].append(run.id)
    answers = collections.defaultdict(set)
    for call in calls:
        answers[call.key] |= {call.execution} if accepted(call) and call.execution else set()
    for key, told in answers.items():
        if len(told) > 1:
            report.add("I-2", sorted(told)[0], f"key {key!r} was answered with {sorted(told)}")
        made = runs.get(key, [])
        if len(made) > 1:
            report.add("I-2", made[0], f"key {key!r} has {len(made)} runs: {made}")
        for run in told & set(world.runs):
            if world.runs[run].idempotency_key != key:
                report.add("I-2", run, f"answered for key {key!r}, and has"
                           f" {world.runs[run].idempotency_key!r}")


def _check_unasked(world, report, triggers):
    """Of each workflow that clients started: runs without a key, at most one for each trigger;
    runs with one, only of triggers that had it."""
    keys = {call.key for call in triggers}
    workflows = {call.workflow for call in triggers}
    without = collections.Counter(call.workflow for call in triggers if call.key is None)
    made = collections.Counter()
    for run in world.runs.values():
        if run.workflow not in workflows or run.triggered_by != "manual":
            continue
        if run.idempotency_key is None:
            made[run.workflow] += 1
        elif run.idempotency_key not in keys:
            report.add("I-2", run.id, f"nobody sent its key {run.idempotency_key!r}")
    for workflow, count in made.items():
        if count > without[workflow]:
            report.add("I-2", None, f"{workflow}: {count} runs without a key for"
                       f" {without[workflow]} triggers")


def _check_repairs(world, report):
    for line in world.repairs:
        report.add("I-15", None, f"a repair: {line.what}")
    for fault in world.faults:
        if fault.what.lower().startswith("repair"):
            report.add("I-15", None, f"{fault.id} repairs: {fault.what}")
    for call in world.calls:
        if call.op == "resume" and accepted(call) and call.execution in world.logs \
                and world.logs[call.execution].crashed:
            report.add("I-15", call.execution, "a crashed run was resumed by a client")
