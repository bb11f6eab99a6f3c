"""What is left when all is quiet: I-11 (nothing is held), I-13 (no process of a step lives),
I-14 (readiness says the truth). The first from the database and the probes, the others from the
probes alone."""

CANARY_SECONDS = 2.0
MORE_MEMORY = 1.10

HELD = {
    "worker {0} is alive and holds step {1}": """
        select w.id::text, s.execution_id || ':' || s.step_number, s.execution_id::text as run
          from workers w join workflow_steps s on s.worker_id = w.id
         where s.status = 2 and w.status = 1""",
    "step {0} is running under worker {1}, which is not alive": """
        select s.execution_id || ':' || s.step_number, s.worker_id::text,
               s.execution_id::text as run
          from workflow_steps s left join workers w on w.id = s.worker_id and w.status = 1
         where s.status = 2 and w.id is null""",
    "step {0} is {1} though its run is over": """
        select s.execution_id || ':' || s.step_number, step_status_name(s.status),
               s.execution_id::text as run
          from workflow_steps s join workflow_runs r on r.id = s.execution_id
         where s.status < 6 and s.status <> 2 and s.step_number > 0
           and r.status between 3 and 6""",
    "worker {0} is alive, its lease ended at {1}": """
        select id::text, lease_expires_at, null as run from workers
         where status = 1 and lease_expires_at < now() - interval '30 s'""",
    "idempotency key {0} of {1} has no answer": """
        select key, who, null as run from idempotency_keys
         where answer is null and created_at < now() - interval '1 min'""",
    "session {0} is {1}": """
        select pid, state, null as run from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()
           and state like 'idle in transaction%'""",
}
UP_TO = {"leases", "children", "sessions", "descriptors", "rss"}


def check(world, report):
    for what, query in HELD.items():
        for row in world.conn.execute(query):
            report.add("I-11", row.run, what.format(row[0], row[1]))
    last = {probe.name: probe for probe in world.probes}
    for name in sorted(UP_TO - last.keys()):
        report.not_checked("I-11", f"no probe {name}")
    for name in sorted(UP_TO & last.keys()):
        _check_amount(report, last[name])
    _check_survivors(world, report)
    _check_ready(world, report)


def _amounts(value):
    """A number, a list of what is there, or either by name."""
    if isinstance(value, dict):
        return {name: _amounts(each)[""] for name, each in value.items()}
    return {"": len(value) if isinstance(value, list) else value}


def _check_amount(report, probe):
    expected = _amounts(0 if probe.expected is None else probe.expected)
    factor = MORE_MEMORY if probe.name == "rss" else 1
    for name, value in _amounts(probe.value).items():
        limit = expected.get(name, expected.get("", 0))
        if value > limit * factor:
            report.add("I-11", None, f"{probe.name} {name}: {value}, expected {limit}")


def _check_survivors(world, report):
    probes = [probe for probe in world.probes if probe.name == "survivors"]
    if not probes:
        report.not_checked("I-13", "no probe survivors")
    for probe in probes:
        if _amounts(probe.value)[""] > 0:
            report.add("I-13", None, f"survivors at {probe.time:.3f}: {probe.value}")


def _check_ready(world, report):
    """value: what readiness said; expected: seconds until a canary run ended, or null."""
    probes = [probe for probe in world.probes if probe.name == "ready"]
    if not probes:
        report.not_checked("I-14", "no probe ready")
    for probe in probes:
        ended = probe.expected is not None and probe.expected <= CANARY_SECONDS
        if probe.value and not ended:
            how = "did not end" if probe.expected is None else f"took {probe.expected:.1f} s"
            report.add("I-14", None, f"ready at {probe.time:.3f}, and a canary run {how}")
