"""Crash points: each one has a test, and ordinary builds have none of them. What the tests do is
in tests/campaign/points."""
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("STEPMILL_BIN", ROOT / "build/release/bin"))
sys.path.insert(0, str(ROOT / "tests/campaign"))

import point_names  # noqa: E402
from point_cases import CASES, COMMANDS  # noqa: E402

TESTED = [case.point for case in CASES + COMMANDS]


def test_each_point_has_a_test():
    assert point_names.compare(TESTED) == []


def test_a_point_is_tested_once_by_program_and_visit():
    orders = [(case.order, case.supervisor_dies) for case in CASES + COMMANDS]
    assert len(set(orders)) == len(orders)


@pytest.fixture
def tree(tmp_path):
    """Sources with one point, and one statement of each sort."""
    for folder in (*point_names.FOLDERS, "sql", "common/store"):
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "sql/things_set.sql").write_text("-- Sets.\nupdate things set a = $1\n")
    (tmp_path / "sql/things_get.sql").write_text("-- No update.\nselect 1 for update\n")
    (tmp_path / "sql/things_never.sql").write_text("delete from things\n")
    (tmp_path / "common/store/pg_pipe.c").write_text(
        'POINT_OF("transaction", query_name(query), when);\n'
        'visit(batch, "before");\nvisit(batch, "after");\n')
    (tmp_path / "common/store/things.c").write_text('pg_query("things_set"); "things_get"')
    (tmp_path / "worker/a.c").write_text('\tPOINT("a.b");\n')
    return tmp_path


NAMES = {"a.b", "transaction.things_set.before", "transaction.things_set.after"}


def test_what_is_a_point(tree):
    assert point_names.all_names(tree) == NAMES
    assert point_names.compare(NAMES, tree) == []


def test_a_point_without_a_test_is_found(tree):
    (tree / "scheduler/b.c").write_text('if (x)\n\t\tPOINT(\n\t\t"c.d");\n')
    assert point_names.compare(NAMES, tree) == ["c.d: no test visits it"]


def test_a_statement_without_a_test_is_found(tree):
    (tree / "worker/a.c").write_text('POINT("a.b"); pg_batch_add(batch, "things_never");')
    assert point_names.compare(NAMES, tree) == [
        "transaction.things_never.after: no test visits it",
        "transaction.things_never.before: no test visits it"]


def test_a_test_without_a_point_is_found(tree):
    (tree / "worker/a.c").write_text("")
    assert point_names.compare(NAMES, tree) == ["a.b: there is no such point"]


@pytest.mark.parametrize("text", ["POINT_OF(kind, x(), when);", "POINT(name);"])
def test_a_point_whose_names_are_unknown_is_found(tree, text):
    (tree / "worker/a.c").write_text(text)
    with pytest.raises(point_names.Unknown):
        point_names.all_names(tree)


@pytest.mark.parametrize("program", ["stepmill", "stepmill-supervisor", "stepmill-worker",
                                     "stepmill-scheduler"])
def test_an_ordinary_build_has_no_points(program):
    assert b"STEPMILL_CRASH" not in (BIN / program).read_bytes()
