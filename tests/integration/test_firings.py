"""The scheduler's firings against a real PostgreSQL and Redis: one entry of the ledger per
expected time, its run in the same transaction, whatever a person, a second scheduler or a
kill does meanwhile. Guards I5 (any process may be killed) for schedules."""

import json
import random
import signal
import time

import pytest

from test_scheduler import World, server, wait, world  # noqa: F401 (fixtures)

SOURCE = "name: tick\nsteps:\n  - { id: a, action: noop }\n"


def add_workflow(world, name="tick", source=SOURCE, active=True):
    return world.one("""
        with w as (insert into workflows (id, name) values (uuid7(), %s) returning id)
        insert into workflow_definitions (id, workflow_id, name, version, source, config,
            checksum, is_active)
        select uuid7(), id, %s, 1, %s, '{}', '', %s from w returning workflow_id""",
                     name, name, source, active)


def add_schedules(world, workflow, count=1, cron="* * * * * *", due="now()", **more):
    """Schedules whose first time is due by that SQL expression of i."""
    row = {"name": "s", "workflow_id": workflow, "cron_expression": cron, **more}
    names, values = list(row), list(row.values())
    return [r[0] for r in world.sql(f"""
        with due as materialized (
            select i, date_trunc('second', ({due})::timestamptz) as at
              from generate_series(1, %s) i)
        insert into schedules (id, project_id, created_at, next_run_at, due_at,
            {', '.join(names)})
        select uuid7(), p.id, least(now(), at) - interval '1 day', at, at,
            {', '.join(['%s'] * len(names))}
          from due, projects p where p.name = 'default' returning id""", count, *values)]


def tell(world):
    world.sql("select pg_notify('stepmill_schedules', '')")


def outcomes(world, schedule):
    return [row[0] for row in world.sql(
        "select outcome from schedule_firings where schedule_id = %s order by fire_time",
        schedule)]


def check_ledger(world):
    """Each run of a schedule has its entry, each entry that started one has its run, and
    what fired each second has no hole."""
    assert world.sql("""
        select r.id from workflow_runs r left join schedule_firings f on f.run_id = r.id
         where r.schedule_id is not null and f.run_id is null""") == []
    assert world.sql("""
        select f.* from schedule_firings f left join workflow_runs r on r.id = f.run_id
         where (f.outcome in ('started', 'caught_up')) <> (r.id is not null)""") == []


def test_a_schedule_fires_its_run(world):
    workflow = add_workflow(world)
    leader = world.leader()
    [schedule] = add_schedules(world, workflow, cron="*/2 * * * * *", due="now() - interval '1 s'",
                               input=json.dumps({"x": 1}), created_by="anna/phone")
    tell(world)
    wait("twice", lambda: len(outcomes(world, schedule)) >= 2)
    row = world.sql("""
        select triggered_by, requested_by, input, trigger_payload, run_status_name(status),
               project_id = (select id from projects where name = 'default')
          from workflow_runs where schedule_id = %s order by id limit 1""", schedule)[0]
    fire_time = world.one("select min(fire_time) from schedule_firings")
    assert row[:3] == ("cron", "anna/phone", {"x": 1})
    assert row[3] == {"type": "cron", "scheduleId": str(schedule), "scheduleName": "s",
                      "fireTime": fire_time.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert row[4:] == ("running", True)
    assert outcomes(world, schedule)[:2] == ["started", "skipped_overlap"], "its run lives"
    count, last, next_run = world.sql(
        "select run_count, last_run_id, next_run_at from schedules")[0]
    assert count == 1 and last is not None
    assert next_run > world.one("select max(fire_time) from schedule_firings")
    assert not leader.log("schedules.failed")
    check_ledger(world)


def test_overlap_allowed_and_a_limit(world):
    workflow = add_workflow(world)
    world.leader()
    [schedule] = add_schedules(world, workflow, overlap="allow", max_runs=3)
    tell(world)
    wait("it is switched off", lambda: not world.one("select enabled from schedules"))
    assert outcomes(world, schedule) == ["started"] * 3
    assert world.sql("select run_count, next_run_at, due_at from schedules") == [(3, None, None)]
    check_ledger(world)


def test_without_a_workflow_it_is_counted(world):
    world.leader()
    [schedule] = add_schedules(world, None, max_runs=2)
    tell(world)
    wait("it is switched off", lambda: not world.one("select enabled from schedules"))
    assert outcomes(world, schedule) == ["no_workflow"] * 2


def test_a_workflow_that_cannot_run(world):
    leader = world.leader()
    inactive = add_workflow(world, "inactive", active=False)
    broken = add_workflow(world, "broken", source="name: x\nsteps: 1\n")
    strict = add_workflow(world, "strict", source=SOURCE + "input: { type: object, required: [repo] }\n")
    made = [add_schedules(world, workflow, cron="0 0 0 * * *")[0]
            for workflow in (inactive, broken, strict)]
    tell(world)
    for schedule, why in zip(made, ("not active", "no longer loads", "input")):
        wait("it is in the ledger", lambda: outcomes(world, schedule) == ["failed"])
        assert why in world.one("select detail from schedule_firings where schedule_id = %s",
                                schedule)
    assert len(leader.log("schedule.failed")) == 3
    assert world.one("select count(*) from schedules where run_count = 0 and next_run_at > now()") == 3


def test_what_is_stored_wrong_is_switched_off(world):
    workflow = add_workflow(world)
    leader = world.leader()
    leader.errors = ["schedule.stopped"]
    [schedule] = add_schedules(world, workflow, timezone="Mars/Base")
    [good] = add_schedules(world, workflow)
    tell(world)
    wait("it is switched off", lambda: outcomes(world, schedule) == ["failed"])
    assert world.one("select enabled from schedules where id = %s", schedule) is False
    wait("others fire", lambda: outcomes(world, good))


def test_a_change_while_it_fires_is_not_lost(world):
    """A person changes it in the moment in which it fires: one of the two is first, and the
    other sees it."""
    workflow = add_workflow(world)
    world.leader()
    made = add_schedules(world, workflow, count=40, overlap="allow", due="now() - interval '1 s'")
    tell(world)
    for turn in range(15):
        for schedule in made:
            world.sql("""update schedules set revision = revision + 1, name = %s
                          where id = %s""", str(turn), schedule)
        tell(world)
    wait("they go on", lambda: world.one(
        "select count(*) from (select schedule_id from schedule_firings group by 1"
        " having count(*) > 3) x") == 40)
    holes(world)
    check_ledger(world)


def holes(world):
    """Of schedules of every second: entries from first to last without a hole."""
    assert world.sql("""
        select schedule_id, count(*), max(fire_time) - min(fire_time) from schedule_firings
         group by 1 having count(*) <> extract(epoch from max(fire_time) - min(fire_time)) + 1
        """) == []


def test_catching_up_after_days(world):
    """Nobody was running for forty days: an entry for each minute, in turns, while others
    fire in time."""
    workflow = add_workflow(world)
    policies = {"none": ({"missed": 57600, "started": 1}, 1),
                "last": ({"missed": 57600, "started": 1}, 1),
                "all": ({"missed": 57501, "caught_up": 99, "skipped_overlap": 1}, 99)}
    made = {policy: add_schedules(world, workflow, cron="* * * * *", catch_up=policy,
                                  due="date_trunc('minute', now()) - interval '40 days'")[0]
            for policy in policies}
    [quick] = add_schedules(world, workflow, overlap="allow", due="now() + interval '2 s'")
    world.leader()
    wait("the quick one fires", lambda: len(outcomes(world, quick)) >= 2)
    wait("all are entered", lambda: world.one(
        "select count(*) from schedules where next_run_at > now()") == 4, 60)
    for policy, (expected, runs) in policies.items():
        found = dict(world.sql("select outcome, count(*) from schedule_firings"
                               " where schedule_id = %s group by 1", made[policy]))
        extra = sum(found.values()) - 57601  # minutes that passed meanwhile
        assert 0 <= extra <= 2
        found.pop("skipped_overlap", None), expected.pop("skipped_overlap", None)
        assert found == expected
        assert world.one("select count(*) from workflow_runs where schedule_id = %s",
                         made[policy]) == runs
    check_ledger(world)


def test_a_thousand_in_one_second(world):
    workflow = add_workflow(world)
    world.leader()
    add_schedules(world, workflow, count=1000, cron="0 0 0 1 1 *",
                  due="date_trunc('second', now()) + interval '3 s'")
    tell(world)
    wait("all fired", lambda: world.one("select count(*) from workflow_runs") == 1000)
    late = world.one("""
        select percentile_cont(array[0.5, 0.99, 1.0]) within group (order by
               extract(epoch from f.created_at - f.fire_time) * 1000)
          from schedule_firings f""")
    print("lateness ms p50 %.1f p99 %.1f max %.1f" % tuple(late))
    check_ledger(world)


def test_killed_anywhere_it_fires_once(world):
    workflow = add_workflow(world)
    made = add_schedules(world, workflow, count=30, overlap="allow")
    for _ in range(8):
        scheduler = world.leader()
        before = world.one("select count(*) from schedule_firings")
        wait("it works", lambda: world.one("select count(*) from schedule_firings") > before + 20)
        scheduler.signal(signal.SIGKILL)
        scheduler.wait_end()
    world.leader()
    wait("all are up to date", lambda: world.one(
        "select count(*) from schedules where next_run_at > now()") == len(made))
    holes(world)
    check_ledger(world)


@pytest.mark.long
def test_two_schedulers_one_stopped_at_random(world):
    """One hangs and goes on, again and again, over ten thousand firings: none twice, none
    missing, and all of them started, for the other takes over in time."""
    workflow = add_workflow(world)
    both = [world.leader(), world.scheduler()]
    both[1].wait_log("scheduler.ready")
    made = add_schedules(world, workflow, count=150, overlap="allow")
    tell(world)
    choose, end = random.Random(10000), time.monotonic() + 300
    while world.one("select count(*) from schedule_firings") < 10_000:
        assert time.monotonic() < end
        one = choose.choice(both)
        one.signal(signal.SIGSTOP)
        time.sleep(choose.uniform(0.1, 7))
        one.signal(signal.SIGCONT)
        time.sleep(choose.uniform(0, 1))
    wait("all are up to date", lambda: world.one(
        "select count(*) from schedules where next_run_at > now()") == len(made))
    leaders = world.one("select epoch from scheduler_leader")
    late = world.one("select max(extract(epoch from created_at - fire_time)) from schedule_firings"
                     " where fire_time > (select min(fire_time) from schedule_firings)")
    print(f"{leaders} leaderships, latest firing {late:.1f} s late")
    assert leaders > 3
    assert world.sql("select outcome, count(*) > 0 from schedule_firings group by 1") == [
        ("started", True)]
    assert world.sql("""select schedule_id, trigger_payload ->> 'fireTime' from workflow_runs
                         group by 1, 2 having count(*) > 1""") == []
    holes(world)
    check_ledger(world)
