"""Retention against a real PostgreSQL: runs that ended long ago go with their files and rows, in
batches, and nothing else does. The ages are made by SQL."""

import os
import signal

import pytest

from test_scheduler import World, server, wait, world  # noqa: F401 (fixtures)

KEPT = {"STEPMILL_SCHEDULER_RETENTION": "30d"}
FOLDER = ".agent/workflows/executions"
COMPLETED, FAILED, CANCELLED, TIMED_OUT, CRASHED = 3, 4, 5, 6, 7


@pytest.fixture
def project(world, tmp_path):  # noqa: F811
    folder = tmp_path / "project"
    folder.mkdir()
    world.sql("update projects set path = %s where name = 'default'", str(folder))
    return folder


def add_project(world, name, path):  # noqa: F811
    return world.one("insert into projects (id, name, path) values (uuid7(), %s, %s)"
                     " returning id", name, str(path))


def add_ended(world, age="31 days", count=1, status=COMPLETED, parent=None, project=None,  # noqa: F811
              triggered_by="manual", files=None):
    """Runs that are over, one step and one event each; files: the folder of their project."""
    runs = [row[0] for row in world.sql("""
        with new as materialized (
            select uuid7() as id, now() - %s::interval - i * interval '1 ms' as at
              from generate_series(1, %s) i
        ), run as (
            insert into workflow_runs (id, workflow_def_id, project_id, status, triggered_by,
                parent_run_id, parent_step, started_at, completed_at)
            select n.id, d.id, coalesce(%s::uuid, p.id), %s, %s, %s::uuid,
                   case when %s::uuid is not null then 1 end, n.at, n.at
              from new n, workflow_definitions d, projects p where p.name = 'default'
        ), state as (
            insert into workflow_run_state (execution_id, status, last_seq)
            select id, %s, 1 from new
        ), log as (
            insert into workflow_events (execution_id, seq, type) select id, 1, 1 from new
        )
        insert into workflow_steps (execution_id, step_number, step_key, status, completed_at)
        select id, 1, 'a', 6, at from new returning execution_id""",
        age, count, project, status, triggered_by, parent, parent, status)]
    for run in runs if files else ():
        logs = files / FOLDER / str(run) / "logs"
        logs.mkdir(parents=True)
        (logs / "execution.log").write_text("{}\n")
    return runs if count > 1 else runs[0]


def add_alive(world):  # noqa: F811
    return world.add_runs(1, run_at="now() + interval '1 hour'", status=5)[0]


def left(world):  # noqa: F811
    return {row[0] for row in world.sql("select id from workflow_runs")}


def connections(world):  # noqa: F811
    return world.one("select count(*) from pg_stat_activity where datname = %s"
                     " and application_name = 'stepmill scheduler retention'", world.database)


def wait_left(world, *runs):  # noqa: F811
    wait("what is old is gone", lambda: left(world) == set(runs))


def test_what_is_old_goes_with_its_rows_and_files(world, project):  # noqa: F811
    for status in (COMPLETED, FAILED, CANCELLED, TIMED_OUT, CRASHED):
        add_ended(world, status=status, files=project)
    add_ended(world, triggered_by="test")
    young = add_ended(world, age="29 days", files=project)
    alive = add_alive(world)
    world.sql("insert into workflow_comments (id, execution_id, step_number, author, message)"
              " select uuid7(), id, 1, 'a', 'b' from workflow_runs")
    leader = world.leader(settings=KEPT)
    wait_left(world, young, alive)
    assert [path.name for path in (project / FOLDER).iterdir()] == [str(young)]
    for table in ("workflow_run_state", "workflow_steps", "workflow_events", "workflow_comments"):
        assert {row[0] for row in world.sql(f"select execution_id from {table}")} \
            == {young, alive}
    assert sum(line["count"] for line in leader.wait_log("runs.expired")) == 6


def test_many_go_in_batches_the_oldest_first(world, project):  # noqa: F811
    add_ended(world, count=250)
    leader = world.leader(settings=KEPT)
    wait_left(world)
    assert [line["count"] for line in leader.wait_log("runs.expired", 3)] == [100, 100, 50]


def test_everything_is_kept_unless_it_is_said(world, project):  # noqa: F811
    old = add_ended(world, age="10 years", files=project)
    world.leader()
    assert left(world) == {old}
    assert connections(world) == 0


def test_a_reload_begins_and_ends_it(world, project):  # noqa: F811
    config = world.folder / "stepmill.yaml"
    config.write_text("scheduler: { retention: 0 }\n")
    leader = world.leader()
    old = add_ended(world)
    config.write_text("scheduler: { retention: 90d }\n")
    leader.signal(signal.SIGHUP)
    leader.wait_log("scheduler.reloaded")
    assert left(world) == {old}
    config.write_text("scheduler: { retention: 30d }\n")
    leader.signal(signal.SIGHUP)
    wait_left(world)
    config.write_text("scheduler: { retention: 0 }\n")
    leader.signal(signal.SIGHUP)
    wait("the connection is closed", lambda: connections(world) == 0)


def test_child_runs_go_after_their_parents(world, project):  # noqa: F811
    """And a parent stays as long as one below it is too young, or alive."""
    gone = add_ended(world, age="40 days")
    below = add_ended(world, age="50 days", parent=gone)
    add_ended(world, age="60 days", parent=below)
    young = add_ended(world, age="35 days")
    young_child = add_ended(world, age="45 days", parent=young)
    grandchild = add_ended(world, age="1 day", parent=young_child)
    alive_parent = add_alive(world)
    child = add_ended(world, age="70 days", parent=alive_parent)
    world.leader(settings=KEPT)
    wait_left(world, young, young_child, grandchild, alive_parent, child)


def test_what_is_passed_by_stands_in_nobodys_way(world, project):  # noqa: F811
    parent = add_alive(world)
    kept = add_ended(world, age="100 days", count=230, parent=parent)
    add_ended(world, count=3)
    world.leader(settings=KEPT)
    wait_left(world, parent, *kept)


def test_a_project_that_is_elsewhere_is_left(world, project, tmp_path):  # noqa: F811
    elsewhere = add_project(world, "elsewhere", tmp_path / "elsewhere")
    nowhere = add_project(world, "nowhere", "")
    runs = add_ended(world, count=3, project=elsewhere)
    add_ended(world, project=nowhere)
    add_ended(world, files=project)
    leader = world.leader(settings=KEPT)
    wait_left(world, *runs)
    line, = leader.log("retention.passes_by")
    assert line["project"] == str(elsewhere) and line["path"] == str(tmp_path / "elsewhere")
    assert "No such file" in line["why"]


def test_a_link_is_not_followed_out_of_the_project(world, project, tmp_path):  # noqa: F811
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    run = add_ended(world)
    (project / FOLDER).mkdir(parents=True)
    os.symlink(outside, project / FOLDER / str(run))
    world.leader(settings=KEPT)
    wait_left(world)
    assert (outside / "precious").exists()
    assert not (project / FOLDER / str(run)).is_symlink()


def test_the_ledger_keeps_what_is_young_and_what_has_its_run(world, project):  # noqa: F811
    kept_run = add_ended(world, age="1 day")
    schedule = world.one("""insert into schedules (id, name, project_id, cron_expression)
        select uuid7(), 's', id, '@daily' from projects where name = 'default' returning id""")
    world.sql("""insert into schedule_firings (schedule_id, fire_time, outcome, run_id, created_at)
        select %s, now() - age, outcome, run, now() - written from (values
            ('40 days'::interval, '40 days'::interval, 'missed', null::uuid),
            ('41 days', '41 days', 'started', uuid7()),
            ('42 days', '42 days', 'started', %s::uuid),
            ('43 days', '1 day', 'missed', null),
            ('1 day', '1 day', 'started', uuid7())) as f (age, written, outcome, run)""",
              schedule, kept_run)
    world.sql("""insert into schedule_firings (schedule_id, fire_time, outcome, created_at)
        select %s, now() - interval '100 days' - i * interval '1 s', 'missed',
               now() - interval '100 days' - i / 100 * interval '1 s'
          from generate_series(1, 1200) i""", schedule)
    world.leader(settings=KEPT)
    wait("old entries are gone", lambda: world.one("select count(*) from schedule_firings") == 3)
    assert {(outcome, days) for outcome, days in world.sql(
        "select outcome, (extract(epoch from now() - fire_time) / 86400)::int"
        " from schedule_firings")} == {("started", 42), ("missed", 43), ("started", 1)}


def test_timers_fire_meanwhile(world, project):  # noqa: F811
    add_ended(world, count=2000, files=project)
    leader = world.leader(settings=KEPT)
    leader.wait_log("runs.expired")
    world.add_runs(20, run_at="now() + i * interval '50 ms'", status=5)
    wait("all fired", lambda: len(world.lateness()) == 20)
    assert not leader.log("leader.lost")


def test_who_is_killed_is_followed(world, project):  # noqa: F811
    add_ended(world, count=350, files=project)
    leader = world.leader(settings=KEPT)
    standby = world.scheduler(settings=KEPT)
    leader.wait_log("runs.expired")
    leader.signal(signal.SIGKILL)
    standby.wait_log("leader.elected")
    wait_left(world)
    assert list((project / FOLDER).iterdir()) == []
