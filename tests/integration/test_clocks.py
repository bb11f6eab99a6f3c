"""The real scheduler on a PostgreSQL whose clock is faked (libfaketime): the hours in which
daylight saving begins and ends, clocks that are set, and times in which nobody was running.
Each expected firing has one entry in the ledger. What is expected is computed here, from the
rule in docs/schedules.md, with the zone data of Python."""

import os
import random
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from harness.servers import Server
from test_firings import add_workflow, check_ledger, tell
from test_scheduler import World, wait

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Clock:
    """The time of all processes that read its file: real time and an offset."""

    def __init__(self, folder):
        self.path = folder / "faketime"
        self.offset = timedelta()
        self.environment = {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.path),
                            "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1"}
        self.write()

    def write(self):
        other = self.path.with_suffix(".new")
        other.write_text(f"{self.offset.total_seconds():+.6f}\n")
        other.chmod(0o644)
        other.rename(self.path)

    def now(self):
        return datetime.now(timezone.utc) + self.offset

    def step(self, by):
        self.offset += by
        self.write()

    def set(self, to):
        self.step(to - self.now())


class FakedServer(Server):
    def __init__(self):
        self.clock = None
        super().__init__()

    def start(self):
        self.clock = self.clock or Clock(self.folder)
        os.environ.update(self.clock.environment)
        try:
            super().start()
        finally:
            for key in self.clock.environment:
                del os.environ[key]


@pytest.fixture(scope="module")
def server():
    server = FakedServer()
    yield server
    server.remove()


@pytest.fixture
def world(server, tmp_path):
    world = World(server, tmp_path)
    world.clock = server.clock
    # a month's tables are made long before it begins, and not while its first run comes
    world.sql("select partitions_ensure(month) from generate_series("
              "timestamptz '2025-01-15', '2026-02-15', '1 month') month")
    yield world
    for scheduler in world.schedulers:
        scheduler.stop()
    world.conn.close()


def leader(world):
    return world.leader(settings=world.clock.environment)


# ---- what is expected ----

def wall(zone, at):
    return at.astimezone(zone).replace(tzinfo=None)


def each_minute(start, end):
    at = start.replace(second=0, microsecond=0) + MINUTE
    while at <= end:
        yield at
        at += MINUTE


def elapsed(zone, fits, start, end):
    """Whenever the clock on the wall shows a time that is named."""
    return [at for at in each_minute(start, end) if fits(wall(zone, at))]


def fixed(zone, hour, minute, start, end):
    """Once a day: at the first instant at which the wall shows that time or, where a gap
    skips it, a later one."""
    found = []
    day = wall(zone, start).date() - DAY
    while day <= wall(zone, end).date():
        local = datetime.combine(day, datetime.min.time()) + timedelta(hours=hour, minutes=minute)
        at = local.replace(tzinfo=timezone.utc) - 15 * HOUR
        # the first minute from which on the wall is not before it
        while wall(zone, at) < local:
            left = local - wall(zone, at)
            at += max(MINUTE, left - 3 * HOUR)
        found.append(at)
        day += DAY
    return [at for at in dict.fromkeys(found) if start < at <= end]


PATTERNS = {
    "*/30 * * * *": lambda zone, start, end: elapsed(
        zone, lambda t: t.minute % 30 == 0, start, end),
    "15 * * * *": lambda zone, start, end: elapsed(zone, lambda t: t.minute == 15, start, end),
    "*/20 2 * * *": lambda zone, start, end: elapsed(
        zone, lambda t: t.hour == 2 and t.minute % 20 == 0, start, end),
    **{f"{minute} {hour} * * *": lambda zone, start, end, hour=hour, minute=minute: fixed(
        zone, hour, minute, start, end)
       for hour, minute in ((0, 0), (0, 30), (1, 45), (2, 0), (2, 15), (2, 30), (3, 0))},
}


def add(world, pattern, zone, **more):
    """A schedule as if it were made now."""
    now = world.one("select clock_timestamp()")
    first = PATTERNS[pattern](ZoneInfo(zone), now, now + 3 * DAY)[0]
    row = {"name": f"{pattern} {zone}", "cron_expression": pattern, "timezone": zone,
           "created_at": now, "next_run_at": first, "due_at": first, **more}
    return world.one(f"""
        insert into schedules (id, project_id, {', '.join(row)})
        select uuid7(), id, {', '.join(['%s'] * len(row))} from projects
         where name = 'default' returning id""", *row.values())


def settle(world):
    """All that is due is in the ledger."""
    tell(world)
    wait("nothing is due", lambda: world.one(
        "select not exists (select from schedules where next_run_at <= clock_timestamp())"))


def check(world, made, start):
    """made: schedule -> (pattern, zone). One entry per expected time, up to what each has
    come to."""
    for schedule, (pattern, zone) in made.items():
        end = world.one("select next_run_at from schedules where id = %s", schedule)
        expected = PATTERNS[pattern](ZoneInfo(zone), start, end - MINUTE)
        found = [row[0] for row in world.sql(
            "select fire_time from schedule_firings where schedule_id = %s order by 1", schedule)]
        assert found == expected, (pattern, zone, set(found) ^ set(expected))
    check_ledger(world)


# ---- both transitions of 2025 ----

ZONES = {"Europe/Berlin": ("2025-03-30T01:00", "2025-10-26T01:00"),
         "America/New_York": ("2025-03-09T07:00", "2025-11-02T06:00"),
         "Australia/Lord_Howe": ("2025-10-04T15:30", "2025-04-05T15:00"),
         "Asia/Beirut": ("2025-03-29T22:00", "2025-10-25T21:00"),
         "America/Santiago": ("2025-09-07T04:00", "2025-04-06T03:00"),
         "Africa/Cairo": ("2025-04-24T22:00", "2025-10-30T21:00")}


def walk_through(world, zone, transition):
    """From three hours before to three after, a quarter of an hour at a time."""
    middle = datetime.fromisoformat(transition).replace(tzinfo=timezone.utc)
    assert ZoneInfo(zone).utcoffset(middle.replace(tzinfo=None)) is not None
    assert wall(ZoneInfo(zone), middle) - wall(ZoneInfo(zone), middle - MINUTE) != MINUTE
    world.clock.set(middle - 3 * HOUR)
    workflow = add_workflow(world, f"tick-{world.one('select uuid7()')}")
    start = world.one("select clock_timestamp()")
    made = {add(world, pattern, zone, workflow_id=workflow, overlap="allow", catch_up="all"):
            (pattern, zone) for pattern in PATTERNS}
    for _ in range(24):
        world.clock.step(15 * MINUTE)
        settle(world)
    check(world, made, start)
    outcomes = dict(world.sql("""select outcome, count(*) from schedule_firings
                                  where schedule_id = any(%s) group by 1""", list(made)))
    assert set(outcomes) <= {"started", "caught_up"}, outcomes


@pytest.mark.parametrize("edge", [0, 1])
def test_daylight_saving_begins_and_ends(world, edge):
    leader(world)
    walk_through(world, "Europe/Berlin", ZONES["Europe/Berlin"][edge])


@pytest.mark.long
@pytest.mark.parametrize("zone", ZONES)
def test_both_transitions_in_each_zone(world, zone):
    leader(world)
    for transition in ZONES[zone]:
        walk_through(world, zone, transition)


# ---- clocks that are set, times without a scheduler ----

POLICIES = ("none", "last", "all")


def begin(world, at="2025-06-01T00:00"):
    world.clock.set(datetime.fromisoformat(at).replace(tzinfo=timezone.utc))
    workflow = add_workflow(world, f"tick-{world.one('select uuid7()')}")
    start = world.one("select clock_timestamp()")
    made = {add(world, "*/30 * * * *", "Europe/Berlin", workflow_id=workflow, overlap="allow",
                catch_up=policy): ("*/30 * * * *", "Europe/Berlin") for policy in POLICIES}
    return start, made


def new_outcomes(world, schedule, seen):
    rows = [row[0] for row in world.sql(
        "select outcome from schedule_firings where schedule_id = %s order by fire_time",
        schedule)]
    new = rows[seen.get(schedule, 0):]
    seen[schedule] = len(rows)
    return new


def check_policies(made, world, seen):
    for policy, schedule in zip(POLICIES, made):
        new = new_outcomes(world, schedule, seen)
        late, started = new.count("caught_up"), new.count("started")
        assert started <= 1, new
        if policy == "none":
            assert late == 0
        elif policy == "last":
            assert late + started == min(1, len(new)), new
            assert not new or new[-1] != "missed", new
        else:
            assert late + started == min(100, len(new)), new


def test_a_clock_that_is_set_is_noticed(world):
    """Without being told of anything."""
    leader(world)
    start, made = begin(world)
    tell(world)
    time.sleep(0.5)
    world.clock.step(HOUR)
    wait("all fire", lambda: world.one("select count(distinct schedule_id)"
                                       " from schedule_firings") == len(made))
    check(world, made, start)


def test_times_in_which_nobody_was_running(world):
    start, made = begin(world)
    seen = {}
    for gap in (timedelta(seconds=1), timedelta(seconds=59), 3 * HOUR, 40 * DAY,
                timedelta(seconds=59), 3 * HOUR):
        scheduler = leader(world)
        settle(world)
        check_policies(made, world, seen)
        scheduler.stop()
        world.clock.step(gap)
    leader(world)
    settle(world)
    check_policies(made, world, seen)
    check(world, made, start)


def test_clocks_that_are_set_at_random(world):
    start, made = begin(world)
    leader(world)
    choose, seen = random.Random(2025), {}
    for turn in range(40):
        world.clock.step(choose.choice((HOUR, -HOUR, DAY, -DAY, 20 * MINUTE, 31 * MINUTE)))
        settle(world)
        check_policies(made, world, seen)
    check(world, made, start)
