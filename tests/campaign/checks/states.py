"""I-8: what the rows of a run and its steps say is what their events say."""
from checks.fold import OVER, ROWS, STEP_OVER

NEVER_CAME = {"cancelled", "failed", "timed_out", "crashed"}


def check(world, report):
    for run in world.runs.values():
        _check_run(world, report, run)
        numbers = {step.step_number for step in world.steps.get(run.id, [])}
        for number in world.logs[run.id].steps.keys() - numbers:
            report.add("I-8", run.id, f"events of step {number}, which is not there")
        for step in world.steps.get(run.id, []):
            _check_step(world, report, run, step)
    for run in world.steps.keys() - world.runs.keys():
        report.add("I-8", run, "steps of a run that is not there")


def _check_run(world, report, run):
    log = world.logs[run.id]
    for what in log.odd:
        report.add("I-8", run.id, what)
    if run.state_status != run.status:
        report.add("I-8", run.id, f"workflow_runs says {run.status}, workflow_run_state"
                   f" {run.state_status}")
    if run.status != log.status:
        report.add("I-8", run.id, f"is {run.status}, by its events {log.status}")


def _check_step(world, report, run, step):
    log = world.log(step)
    name = f"step {step.step_number} ({step.step_key})"
    for what in log.odd:
        report.add("I-8", run.id, f"{name}: {what}")
    if step.status not in ROWS[log.status] and not _without_events(world, run, step, log):
        report.add("I-8", run.id, f"{name} is {step.status}, by the events {log.status}")
    elif step.status == "running" and run.status in OVER:
        report.add("I-8", run.id, f"{name} is running in a run that is {run.status}")
    elif step.status in ("completed", "failed") and log.end is not None:
        _check_attempts(world, report, run, step, log, name)


def _without_events(world, run, step, log):
    """A step that had not begun ends with its run, and a run that repeats another one takes
    over rows of what succeeded there."""
    if log.status != "new":
        return False
    if step.status == "cancelled" and run.status in NEVER_CAME:
        return True
    return step.status in STEP_OVER and any(
        old.step_key == step.step_key and old.status == step.status
        and old.output == step.output for old in world.steps.get(run.retry_of_run_id, []))


def _check_attempts(world, report, run, step, log, name):
    """Every try but the last ended with a failure to be tried again or with its worker; the
    last one, too, when a step is given up as poison."""
    if world.logs[run.id].crashed:
        return  # taken up again by a person, with a count of its own
    tries = 1 + step.losses + log.retries
    if step.attempt_number not in (tries, tries - (step.losses > 0)):
        report.add("I-8", run.id, f"{name} is at attempt {step.attempt_number} after"
                   f" {log.retries} retries and {step.losses} losses")
