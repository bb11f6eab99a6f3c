"""The tools of the fault campaign: the plan comes from the seed alone, and the wire to
PostgreSQL loses answers to commits, never the commits, and nothing else."""
import asyncio
import collections
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from harness.postgres import Postgres, wait

CAMPAIGN = Path(__file__).resolve().parents[1] / "campaign"
sys.path.insert(0, str(CAMPAIGN))

import nemesis  # noqa: E402
import wire  # noqa: E402
from system import Wires  # noqa: E402

# What 20 minutes must have at least.
LEAST = {"A1": 300, "A3": 30, "A4": 30, "C1": 50}


def order(plan):
    return [action.fault for action in plan]


def test_the_plan_is_the_seed_s():
    plan = nemesis.make_plan("1", 20)
    assert nemesis.make_plan("1", 20) == plan
    assert order(nemesis.make_plan("2", 20)) != order(plan)
    assert [action.at for action in plan] == sorted(action.at for action in plan)
    assert plan[0].at >= 0 and plan[-1].at < 20 * 60


def test_twenty_minutes_have_enough_of_each_fault():
    often = collections.Counter(order(nemesis.make_plan("3", 20)))
    assert set(often) == set(nemesis.FAULTS)
    assert all(often[name] >= least for name, least in LEAST.items())
    begin, end = nemesis.FLUSHED
    assert (end - begin) * 20 * 60 >= 300


def test_left_out_faults_are_not_planned():
    assert "A8" not in order(nemesis.make_plan("4", 20, without={"A8"}))
    assert set(order(nemesis.make_plan("4", 1, short=True))) == {*nemesis.SHORT, "B2", "C2"}


@pytest.mark.parametrize("sql, changes", [
    (b"select 1", False), (b"select 1 from t for update", False),
    (b"select 1 from t for no key update of t", False), (b"-- an update\nselect 1", False),
    (b"update t set a = 1", True), (b"with x as (insert into t values (1)) select 1", True),
    (b"select updated_at from t", False), (b"DELETE FROM t", True)])
def test_what_is_a_commit(sql, changes):
    assert wire.changes_something(sql) == changes


class Lossy:
    """A PostgreSQL, and a wire to it."""

    def __init__(self, folder):
        self.postgres = Postgres()
        self.folder = folder
        self.process = subprocess.Popen(
            [CAMPAIGN / "wire.py", "--control", folder / "control", "--seed", "1",
             f"pg,pg,{folder}/.s.PGSQL.5432,{self.postgres.data}/.s.PGSQL.5432"])
        wait("the wire", lambda: os.path.exists(folder / "control"))
        self.direct = self.postgres.connect("postgres", options="")
        self.direct.execute("create table effects (n int)")

    def rules(self, **rules):
        return asyncio.run(Wires(self.folder / "control").order("pg", rules=rules))

    def connect(self):
        return psycopg.connect(f"host={self.folder} user=stepmill dbname=postgres",
                               autocommit=True)

    def count(self, number):
        return self.direct.execute("select count(*) from effects where n = %s",
                                   [number]).fetchone()[0]

    def remove(self):
        self.direct.close()
        self.process.terminate()
        self.process.wait(10)
        self.postgres.remove()


@pytest.fixture
def lossy(tmp_path):
    lossy = Lossy(tmp_path)
    yield lossy
    lossy.remove()


def test_answers_to_commits_are_lost_and_nothing_else(lossy):
    lossy.rules(commit_lost=1)
    for number in range(20):
        with lossy.connect() as conn:
            assert conn.execute("select %s::int", [number]).fetchone() == (number,)
            with pytest.raises(psycopg.OperationalError):
                conn.execute("insert into effects values (%s)", [number])
        wait("the commit", lambda: lossy.count(number) == 1)
    counters = lossy.rules()
    assert counters["commits"] == counters["commits_lost"] == 20
    assert all(counters["commits_lost_" + way] for way in wire.WAYS)
    with lossy.connect() as conn:
        conn.execute("insert into effects values (%s)", [99])
    assert lossy.count(99) == 1


def test_of_a_pipeline_what_came_before_is_answered(lossy):
    """Only the transaction whose answer is lost is in doubt."""
    seen = []
    with pytest.raises(psycopg.OperationalError):
        with lossy.connect() as conn, conn.pipeline() as pipeline:
            first = conn.execute("insert into effects values (%s) returning n", [1])
            pipeline.sync()
            seen.append(first.fetchone())
            lossy.rules(commit_lost=1)
            conn.execute("insert into effects values (%s)", [2])
            pipeline.sync()
            seen.append(conn.execute("select 3").fetchone())
    assert seen == [(1,)]
    wait("the commit", lambda: lossy.count(2) == 1)
