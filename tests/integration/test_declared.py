"""Schedules that a workflow's `trigger` declares: they come, change and go with its newest
version, keep their ledger meanwhile, and fire."""
import itertools

from harness.stepmill import flow, noop, wait_for

names = itertools.count(1)


def name():
    return f"declared-{next(names)}"


def rows(stepmill, workflow):
    return stepmill.sql(
        "select s.declared_place, s.name, s.cron_expression, s.timezone, s.active_hours_start,"
        " s.active_hours_end, s.active_hours_days, s.max_runs, s.catch_up, s.overlap,"
        " s.jitter_ms, s.input, s.enabled, s.next_run_at > now(), s.due_at >= s.next_run_at"
        " from schedules s join workflows w on w.id = s.declared_by where w.name = %s"
        " order by 1", workflow)


def ids(stepmill, workflow):
    return [row[0] for row in stepmill.sql(
        "select s.id from schedules s join workflows w on w.id = s.declared_by"
        " where w.name = %s order by s.declared_place", workflow)]


FULL = {"cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin",
        "activeHours": {"start": "08:00", "end": "18:00", "daysOfWeek": [1, 2]},
        "maxRuns": 5, "catchUp": "all", "overlap": "allow", "jitterMs": 1000,
        "input": {"a": 1}}


def test_they_come_change_and_go(stepmill):
    workflow = name()
    stepmill.workflow(flow(workflow, noop("a"), trigger=[FULL, "every 90 minutes"]))
    first, second = rows(stepmill, workflow)
    assert first == (0, workflow, "0 9 * * MON-FRI", "Europe/Berlin", "08:00", "18:00", [1, 2],
                     5, "all", "allow", 1000, {"a": 1}, True, True, True)
    assert second == (1, f"{workflow}-2", "every 90 minutes", "UTC", None, None, None,
                      None, "last", "skip", 0, None, True, True, True)
    made = ids(stepmill, workflow)
    stepmill.workflow(flow(workflow, noop("a"), trigger=[{**FULL, "cron": "0 10 * * *"}]))
    [changed] = rows(stepmill, workflow)
    assert changed[2] == "0 10 * * *" and changed[13] is True
    assert ids(stepmill, workflow) == made[:1], "the same schedule goes on"
    stepmill.workflow(flow(workflow, noop("a")))
    assert rows(stepmill, workflow) == []


def test_the_same_file_again_changes_nothing(stepmill):
    workflow = name()
    source = flow(workflow, noop("a"), trigger=[FULL])
    stepmill.workflow(source)
    [schedule] = ids(stepmill, workflow)
    stepmill.sql("update schedules set next_run_at = now() - interval '1 hour', run_count = 3,"
                 " due_at = now() + interval '1 day' where id = %s", schedule)
    before = stepmill.sql("select xmin, * from schedules where id = %s", schedule)
    stepmill.workflow(source)
    stepmill.workflow(flow(workflow, noop("a"), noop("b"), trigger=[FULL]))
    assert stepmill.sql("select xmin, * from schedules where id = %s", schedule) == before


def test_a_paused_one_stays_paused_and_a_reached_one_counts_anew(stepmill):
    workflow = name()
    stepmill.workflow(flow(workflow, noop("a"), trigger=[FULL]))
    [schedule] = ids(stepmill, workflow)
    stepmill.sql("update schedules set enabled = false, next_run_at = null, due_at = null"
                 " where id = %s", schedule)
    stepmill.workflow(flow(workflow, noop("a"), trigger=[{**FULL, "jitterMs": 5}]))
    [row] = rows(stepmill, workflow)
    assert row[10] == 5 and row[12] is False and row[13] is None
    stepmill.sql("update schedules set run_count = 5 where id = %s", schedule)
    stepmill.workflow(flow(workflow, noop("a"), trigger=[{**FULL, "maxRuns": 6}]))
    [row] = rows(stepmill, workflow)
    assert row[7] == 6 and row[12] is True and row[13] is True
    assert stepmill.sql("select run_count from schedules where id = %s", schedule) == [(0,)]


def test_deactivated_and_deleted(stepmill):
    workflow = name()
    source = flow(workflow, noop("a"), trigger="@hourly")
    stepmill.workflow(source)
    stepmill.request("DELETE", f"/api/workflows/{workflow}?deactivate=true")
    assert rows(stepmill, workflow) == []
    stepmill.workflow(source)
    assert len(rows(stepmill, workflow)) == 1
    stepmill.request("DELETE", f"/api/workflows/{workflow}")
    assert rows(stepmill, workflow) == []


def test_it_fires(stepmill):
    workflow = name()
    stepmill.workflow(flow(workflow, noop("a"), trigger=[
        {"cron": "* * * * * *", "maxRuns": 2, "input": {"x": 1}}]))
    [schedule] = ids(stepmill, workflow)
    wait_for("two runs that ended", lambda: stepmill.sql(
        "select count(*) from workflow_runs where schedule_id = %s and status = 3",
        schedule) == [(2,)])
    runs = stepmill.sql("select triggered_by, input, trigger_payload ->> 'type'"
                        " from workflow_runs where schedule_id = %s", schedule)
    assert runs == [("cron", {"x": 1}, "cron")] * 2
