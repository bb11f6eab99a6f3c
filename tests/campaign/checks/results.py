"""I-3: each step has at most one accepted report, and what is stored never changes: what was
over at the first look is the same at the second one."""

ROWS = {
    "run": """
        select id::text, md5(concat_ws('|', status, output::text, error::text, started_at,
               completed_at)) from workflow_runs where status between 3 and 6""",
    "step": """
        select execution_id::text || ':' || step_number, md5(concat_ws('|', step_key, status,
               output::text, error::text, attempt_number, completed_at))
          from workflow_steps where status >= 6 and step_number > 0""",
    "event": """
        select execution_id::text || '#' || seq, md5(concat_ws('|', type, step_number, at,
               payload::text)) from workflow_events""",
}


def fingerprint(conn):
    """Of everything that may not change any more: {kind: {name: digest}}."""
    return {kind: dict(conn.execute(query).fetchall()) for kind, query in ROWS.items()}


def check_reports(world, report):
    for run, log in world.logs.items():
        for number, step in log.steps.items():
            if step.reports > 1:
                report.add("I-3", run, f"step {number} has {step.reports} reports")


def compare(before, after, report):
    for kind, names in before.items():
        for name, digest in names.items():
            run = name.split(":")[0].split("#")[0]
            if name not in after[kind]:
                report.add("I-3", run, f"{kind} {name} was stored, and is gone or open again")
            elif after[kind][name] != digest:
                report.add("I-3", run, f"{kind} {name} changed after it was stored")
