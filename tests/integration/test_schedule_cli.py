"""stepmill schedule: add, list, show, edit, pause, resume, fire, firings, remove, for people and for
programs; what is said when it goes wrong. (preview: test_schedule_preview.py)"""
import json
import uuid

import pytest
from harness.stepmill import flow, noop
from test_cli import alone, good, refused
from test_schedules_api import YEARLY, new_year


@pytest.fixture(scope="module")
def workflow(shared):
    return shared.workflow(flow("cli-scheduled", noop("a")))


@pytest.fixture
def name():
    return f"cli-{uuid.uuid4().hex[:8]}"


def of(stepmill, *words, **more):
    return json.loads(good(stepmill.cli("schedule", *words, "--json", **more)))


def test_from_adding_to_removing(stepmill, workflow, name):
    made = of(stepmill, "add", name, YEARLY, "-w", workflow, "-z", "Asia/Tokyo", "-m", "5", "--jitter",
              "90s", "-a", "22:00-06:00", "-d", "1,0", "--catch-up", "none", "--overlap", "allow",
              "-i", '{"n": 1}', "--disabled")
    assert (made["workflowName"], made["timezone"], made["maxRuns"], made["jitterMs"],
            made["activeHours"], made["catchUp"], made["overlap"], made["input"], made["enabled"]) \
        == (workflow, "Asia/Tokyo", 5, 90000,
            {"start": "22:00", "end": "06:00", "daysOfWeek": [1, 7]}, "none", "allow", {"n": 1}, False)
    now = of(stepmill, "edit", name, "--timezone", "none", "-m", "none", "--jitter", "none", "-a", "none",
             "-i", "none", "--cron", "@monthly", "--name", name + "-new")
    assert (now["timezone"], now["maxRuns"], now["jitterMs"], now["activeHours"], now["input"],
            now["cronExpression"]) == ("UTC", None, 0, None, None, "@monthly")
    name += "-new"
    assert good(stepmill.cli("schedule", "resume", name)).startswith(f"{name} fires next at 2")
    assert good(stepmill.cli("schedule", "pause", name)) == f"{name} is paused\n"
    assert of(stepmill, "show", made["id"])["name"] == name
    run, status = good(stepmill.cli("schedule", "fire", name)).split()
    assert status == "RUNNING" and stepmill.wait_ended(run)["scheduleId"] == made["id"]
    entry, = of(stepmill, "firings", name)
    assert (entry["executionId"], entry["outcome"]) == (run, "started")
    assert of(stepmill, "firings", name, "-o", "missed", "-n", "1") == []
    assert good(stepmill.cli("schedule", "remove", name)) == f"{name} removed\n"
    refused(stepmill.cli("schedule", "show", name), 1, name, "schedule list")


def test_as_people_see_it(stepmill, workflow, name):
    shown = good(stepmill.cli("schedule", "add", name, YEARLY, "-w", workflow, "-m", "2", "-a",
                              "09:00-17:00", "-d", "1,2", "--jitter", "1m", "-i", '{"n": 1}'))
    lines = dict(line.split(maxsplit=1) for line in shown.splitlines() if not line.startswith(
        ("active", "catch", "next", "made")))
    assert lines == {"name": name, "id": lines["id"], "state": "on", "schedule": YEARLY,
                     "starts": workflow, "runs": "0/2", "overlap": "skip", "jitter": "1m",
                     "input": '{"n":1}'}
    for line in ("active hours  09:00-17:00 on days 1,2", f"next run      {new_year()}", "made by       dev"):
        assert line in shown.splitlines()
    assert good(stepmill.cli("schedule", "show", name)) == shown
    table = good(stepmill.cli("schedule", "list", "-w", workflow)).splitlines()
    assert table[0].split() == ["NAME", "STATE", "SCHEDULE", "STARTS", "RUNS", "NEXT", "RUN", "ID"]
    row = next(line for line in table if line.startswith(name))
    assert row.split() == [name, "on", *YEARLY.split(), workflow, "0/2", new_year(), lines["id"]]
    assert "not come due" in good(stepmill.cli("schedule", "firings", name))
    good(stepmill.cli("schedule", "fire", name))
    table = good(stepmill.cli("schedule", "firings", name)).splitlines()
    assert table[0].split() == ["FIRE", "TIME", "OUTCOME", "RUN", "DETAIL"]
    assert table[1].split()[1] == "started"


def test_all_pages_are_listed(stepmill, workflow):
    before = len(of(stepmill, "list"))
    for _ in range(101):
        stepmill.post("/api/schedules", {"name": "many", "cronExpression": YEARLY, "enabled": False})
    listed = of(stepmill, "list")
    assert len(listed) == before + 101 == len({row["id"] for row in listed})
    refused(stepmill.cli("schedule", "pause", "many"), 1, "several", "id")
    for row in listed:
        if row["name"] == "many":
            stepmill.request("DELETE", f"/api/schedules/{row['id']}")


def test_what_the_server_refuses_is_said(stepmill, name):
    refused(stepmill.cli("schedule", "add", name, "* * *", "-z", "Mars"), 1, "cronExpression",
            "timezone", "Mars")
    refused(stepmill.cli("schedule", "add", name, YEARLY, "-w", "there-is-none"), 1, "there-is-none")
    good(stepmill.cli("schedule", "add", name, YEARLY))
    refused(stepmill.cli("schedule", "fire", name), 1, "no workflow")
    refused(stepmill.cli("schedule", "edit", str(uuid.uuid4()), "--name", "x"), 1, "schedule")


@pytest.mark.parametrize("line, word", [
    ("", "add NAME EXPR"), ("add x", "add NAME EXPR"), ("show", "SCHEDULE"), ("preview", "EXPR"),
    ("add x @daily -a 9", "--active-hours"), ("add x @daily -d 1", "--active-hours"),
    ("add x @daily -a 09:00-17:00 -d 8", "--days"), ("add x @daily -m 0", "--max-runs"),
    ("add x @daily --jitter 5", "--jitter"), ("add x @daily -i {", "--input"), ("edit x", "--cron"),
    ("firings x -n 0", "--count")])
def test_wrong_use(stepmill, line, word):
    refused(stepmill.cli("schedule", *line.split()), 2, word)


def test_without_a_server_the_way_out_is_said():
    refused(alone("schedule", "list"), 5, "stepmill dev", "STEPMILL_URL")
