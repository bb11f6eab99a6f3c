"""The audit log: every change has its row, and rows stand under seals that show when somebody
changed, added or took away one later."""
import json
import uuid

import psycopg
import pytest
from harness.stepmill import Stepmill, noop, wait_for

WAITS = {"id": "nap", "action": "wait", "for": "1h"}


@pytest.fixture(scope="module")
def shared():
    """One that seals often, for this file alone."""
    with Stepmill(workers=1, environment={"STEPMILL_SCHEDULER_SWEEP_INTERVAL": "100ms"}) as one:
        yield one


@pytest.fixture
def fresh(shared):
    return shared


def verify(stepmill, *words):
    done = stepmill.cli("audit", "verify", "--json", "--database-url",
                        stepmill.state["databaseUrl"], *words)
    return done, json.loads(done.stdout or "null")


def change(stepmill):
    run = stepmill.begin(WAITS)
    stepmill.post(f"/api/executions/{run}/cancel")
    return run


def sealed(stepmill):
    """Waits until all that is there is sealed."""
    def all_of_it():
        return stepmill.sql("select count(*) from audit_log l join audit_seals s on s.number = l.seal"
                            " where s.closed_at is null") == [(0,)]
    wait_for("all entries are sealed", all_of_it)


def test_a_log_that_nobody_touched(fresh):
    for _ in range(3):
        change(fresh)
        sealed(fresh)
    done, verdict = verify(fresh)
    assert done.returncode == 0, done.stderr
    count, = fresh.sql("select count(*) from audit_log")[0]
    assert verdict["good"] and verdict["entries"] == count and verdict["seal"] >= 3
    noted = f"{verdict['seal']}:{verdict['hash']}"
    change(fresh)
    assert verify(fresh, "--expect", noted)[0].returncode == 0
    wait_for("the seal is logged", lambda: verdict["hash"] in fresh.log())
    text = fresh.cli("audit", "verify", "--database-url", fresh.state["databaseUrl"]).stdout
    assert text.startswith("good: ") and "--expect" in text


def test_what_the_log_says_stays(fresh):
    change(fresh)
    for statement in ("update audit_log set who = 'somebody else'", "delete from audit_log",
                      "truncate audit_log", "delete from audit_seals"):
        try:
            fresh.sql(statement)
        except psycopg.errors.RestrictViolation:
            continue
        raise AssertionError(f"{statement}: was done")


def tamper(stepmill, *statements):
    """As the owner of the database could."""
    with psycopg.connect(stepmill.state["databaseUrl"]) as connection:
        connection.execute("set search_path = stepmill")
        for table in ("audit_log", "audit_seals"):
            connection.execute(f"alter table {table} disable trigger user")
        for statement in statements:
            connection.execute(statement)
        for table in ("audit_log", "audit_seals"):
            connection.execute(f"alter table {table} enable trigger user")


def test_tampering_shows(fresh):
    for _ in range(3):
        change(fresh)
        sealed(fresh)
    first = "(select id from audit_log where seal = 1 order by id limit 1)"
    harms = {
        "does not fit": ["update audit_log set who = 'mallory' where id = " + first,
                         "update audit_log set who = 'dev' where id = " + first],
        "there are": ["insert into audit_log (id, who, what, target, seal)"
                      f" values ('{uuid.uuid4()}', 'm', 'w', 'planted', 1)",
                      "delete from audit_log where target = 'planted'"],
        "under no seal": ["insert into audit_log (id, who, what, target, seal)"
                          f" values ('{uuid.uuid4()}', 'm', 'w', 'planted', 99999)",
                          "delete from audit_log where target = 'planted'"],
        "seal 1 is missing": ["update audit_seals set number = -1 where number = 1",
                              "update audit_seals set number = 1 where number = -1"],
    }
    assert verify(fresh)[0].returncode == 0
    for what, (harm, mend) in harms.items():
        tamper(fresh, harm)
        done, verdict = verify(fresh)
        assert done.returncode == 1 and what in done.stderr, (what, done.stderr)
        assert not verdict["good"] and what in verdict["problem"]
        tamper(fresh, mend)
    good, verdict = verify(fresh)
    assert good.returncode == 0, good.stderr
    # who hashes everything anew is betrayed by a seal that was noted elsewhere
    tamper(fresh, "update audit_log set who = 'mallory' where id = " + first,
           "update audit_seals s set hash = sha256(coalesce((select hash from audit_seals"
           " where number = s.number - 1), '') || convert_to(audit_sealed_text(number), 'UTF8'))"
           " where number = 1")
    done, _ = verify(fresh, "--expect", f"1:{'0' * 64}")
    assert done.returncode == 1 and "not the one expected" in done.stderr
    done, _ = verify(fresh, "--expect", f"100:{'0' * 64}")
    assert done.returncode == 1


def test_a_refused_call_leaves_no_row(stepmill):
    run = stepmill.begin(noop("one"))
    stepmill.wait_ended(run)
    assert stepmill.ask("POST", f"/api/executions/{run}/pause").status == 409
    assert stepmill.sql("select what from audit_log where target = %s", run) == [
        ("workflow.execute",)]


def test_expect_is_checked(stepmill):
    for bad in ("7", "x:00", "0:" + "0" * 64, "1:" + "z" * 64):
        done = stepmill.cli("audit", "verify", "--expect", bad)
        assert done.returncode == 2 and "--expect" in done.stderr


def test_keys_made_at_the_command_line_are_in_the_log(stepmill):
    name = f"audited-{uuid.uuid4().hex[:6]}"
    url = ("--database-url", stepmill.state["databaseUrl"])
    assert stepmill.cli("keys", "create", "--name", name, "--role", "viewer", *url).returncode == 0
    again = stepmill.cli("keys", "create", "--name", name, "--role", "viewer", *url)
    assert again.returncode == 1 and "another name" in again.stderr
    assert stepmill.cli("keys", "revoke", name, *url).returncode == 0
    assert stepmill.cli("keys", "revoke", name + "x", *url).returncode == 1
    rows = stepmill.sql("select who, what, target from audit_log where target like %s order by id",
                        name + "%")
    assert [row[1:] for row in rows] == [("key.create", name), ("key.revoke", name)]
    assert all(row[0].startswith("cli:") for row in rows)
