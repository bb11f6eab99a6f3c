"""The ledger of side effects against the steps: I-4 (at least once, one key, no more than
tries) and I-5 (none that comes too late)."""
import collections
import re

from checks.requests import accepted
from checks.world import step_id

STEP_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]+")


def check(world, report):
    steps = {step_id(step): step for rows in world.steps.values() for step in rows}
    effects = collections.defaultdict(list)
    for effect in world.ledger:
        effects[effect.key].append(effect)
        _check_key(report, steps, effect)
    _check_done(world, report, steps, effects)
    for key in effects.keys() & steps.keys():
        _check_count(world, report, steps[key], effects[key])
        _check_attempts(world, report, steps[key], effects[key])
    _check_late(world, report)


def _run_of(effect):
    return effect.key.split(":")[0]


def _check_key(report, steps, effect):
    """The key names a step; a note that names one, too, names the same."""
    if effect.key not in steps:
        report.add("I-4", _run_of(effect), f"an effect under {effect.key!r}, which is no step's")
    for named in STEP_ID.findall(effect.note):
        if named != effect.key:
            report.add("I-4", _run_of(effect), f"an effect of step {named} under {effect.key}")


def _check_done(world, report, steps, effects):
    """Which steps have effects: those named in the options (WORKFLOW/STEP), else those of which
    another visit had one."""
    def kind(step):
        return f"{world.runs[step.run].workflow}/{step.step_key}"

    wanted = world.options.get("effects")
    if wanted is None:
        wanted = {kind(steps[key]) for key in effects.keys() & steps.keys()}
    if not wanted:
        report.not_checked("I-4", "no effects")
    for key, step in steps.items():
        if step.status == "completed" and key not in effects and step.run in world.runs \
                and kind(step) in wanted:
            report.add("I-4", step.run, f"step {key} ({kind(step)}) completed without its effect")


def _hand_backs(step, log):
    """A fence rises with each claim and each taking away: what tries, losses and waits do not
    explain was handed back, which costs two and spends no attempt."""
    explained = 1 + log.retries + log.waits + 2 * step.losses + (step.status == "cancelled")
    return max(0, step.fence - explained) // 2


def _check_count(world, report, step, effects):
    log = world.log(step)
    tries = 1 + step.losses + log.retries + _hand_backs(step, log)
    if len(effects) > tries:
        report.add("I-4", step.run, f"step {step_id(step)} had {len(effects)} effects in"
                   f" {tries} tries")
    if step.status == "skipped":
        report.add("I-4", step.run, f"step {step_id(step)} was skipped, and had an effect")


def _check_attempts(world, report, step, effects):
    """An attempt that is over, or was taken from its worker, starts nothing any more."""
    grace = world.options.get("grace", 2.0)
    ends = world.log(step).attempt_ends
    for effect in effects:
        end = ends.get(effect.attempt)
        if end is not None and effect.time > end + grace:
            report.add("I-5", step.run, f"step {step_id(step)}: an effect"
                       f" {effect.time - end:.1f} s after attempt {effect.attempt} was over")


def _check_late(world, report):
    grace = world.options.get("grace", 2.0)
    cancelled = {}
    for call in world.calls:
        if call.op == "cancel" and accepted(call) and call.end is not None:
            cancelled[call.execution] = min(call.end, cancelled.get(call.execution, call.end))
    for effect in world.ledger:
        run = _run_of(effect)
        end = world.runs[run].completed if run in world.runs else None
        if run in cancelled and effect.time > cancelled[run] + grace:
            report.add("I-5", run, f"an effect under {effect.key}"
                       f" {effect.time - cancelled[run]:.1f} s after the cancel was answered")
        elif end is not None and effect.time > end + grace:
            report.add("I-5", run, f"an effect under {effect.key} {effect.time - end:.1f} s"
                       " after the run's end")
