"""Schedules over WebSocket: the same reader and the same effect as over HTTP, in the messages of
the protocol."""
import uuid

import pytest
from harness.stepmill import flow, noop
from test_confinement import key_for, project
from test_schedules_api import YEARLY, heartbeat, new_year
from test_ws import connect


@pytest.fixture
def ws(stepmill):
    with connect(stepmill) as ws:
        yield ws


def create(ws, **more):
    answer = ws.ask({"type": "schedule.create", "id": "c", "name": f"s-{uuid.uuid4().hex[:8]}",
                     "cronExpression": YEARLY, **more})
    assert answer["type"] == "schedule.created" and answer["id"] == "c", answer
    assert answer.keys() == {"type", "id", "scheduleId"}
    return answer["scheduleId"]


def update(ws, schedule, **more):
    answer = ws.ask({"type": "schedule.update", "id": 2, "scheduleId": schedule, **more})
    assert answer == {"type": "schedule.updated", "id": 2, "scheduleId": schedule}, answer


def listed(ws, schedule):
    answer = ws.ask({"type": "schedule.list", "id": 3})
    assert answer["type"] == "schedule.list.result"
    return next((row for row in answer["schedules"] if row["id"] == schedule), None)


def refused(answer, code):
    assert (answer["type"], answer["code"]) == ("error", code), answer
    return {error["path"]: error["message"] for error in answer.get("errors", [])}


def test_from_creation_to_deletion(stepmill, ws):
    workflow = stepmill.workflow(flow("over-ws", noop("a")))
    made = create(ws, name="over ws", workflowId=workflow, timezone="Europe/Berlin", maxRuns=3,
                  activeHours={"start": "09:00", "end": "17:00", "daysOfWeek": [1, 0]},
                  catchUp="none", overlap="allow", jitterMs=7, input={"n": 1}, unknown="ignored")
    stored = stepmill.get(f"/api/schedules/{made}")
    assert (stored["catchUp"], stored["overlap"], stored["jitterMs"], stored["input"]) \
        == ("none", "allow", 7, {"n": 1})
    assert stored["createdBy"] == f"dev/{ws.client}"
    assert listed(ws, made) == {
        "id": made, "name": "over ws", "cronExpression": YEARLY, "timezone": "Europe/Berlin",
        "enabled": True, "nextRun": stored["nextRun"], "workflowId": stored["workflowId"],
        "activeHours": {"start": "09:00", "end": "17:00", "daysOfWeek": [1, 7]}, "maxRuns": 3}
    update(ws, made, timezone=None, activeHours=None, maxRuns=None, input=None, catchUp=None,
           overlap=None, jitterMs=None, enabled=None, cronExpression=None)
    assert listed(ws, made) == {
        "id": made, "name": "over ws", "cronExpression": YEARLY, "timezone": "UTC", "enabled": True,
        "nextRun": new_year(), "workflowId": stored["workflowId"]}
    update(ws, made, enabled=False)
    assert "nextRun" not in listed(ws, made) and listed(ws, made)["enabled"] is False
    answer = ws.ask({"type": "schedule.delete", "id": 4, "scheduleId": made})
    assert answer == {"type": "schedule.updated", "id": 4, "scheduleId": made}
    assert listed(ws, made) is None
    assert stepmill.ask("GET", f"/api/schedules/{made}").status == 404


def test_every_mistake_at_once(ws):
    found = refused(ws.ask({"type": "schedule.create", "id": 1, "cronExpression": "* * *",
                            "timezone": "Mars", "maxRuns": 0, "idempotencyKey": "",
                            "activeHours": {"start": "9", "end": "17:00", "daysOfWeek": [8]}}),
                    "invalid_message")
    assert found.keys() == {"name", "cronExpression", "timezone", "maxRuns", "idempotencyKey",
                            "activeHours.start", "activeHours.daysOfWeek[0]"}
    assert found["activeHours.start"] == "expected HH:MM"
    found = refused(ws.ask({"type": "schedule.update", "id": 1, "scheduleId": 7, "jitterMs": -1,
                            "cronExpression": "0 0 30 2 *"}), "invalid_message")
    assert found.keys() == {"scheduleId", "jitterMs", "cronExpression"}


def test_what_is_not_there(stepmill, ws):
    nobody = str(uuid.uuid4())
    for type_ in ("schedule.update", "schedule.delete"):
        refused(ws.ask({"type": type_, "id": 1, "scheduleId": nobody, "enabled": True}), "not_found")
    for more in ({"workflowId": "there-is-none"}, {"projectId": nobody}):
        refused(ws.ask({"type": "schedule.create", "id": 1, "name": "n", "cronExpression": YEARLY,
                        **more}), "not_found")
    workflow = stepmill.workflow(flow("picky-too", noop("a"), input={
        "type": "object", "required": ["n"]}))
    refused(ws.ask({"type": "schedule.create", "id": 1, "name": "n", "cronExpression": YEARLY,
                    "workflowId": workflow}), "invalid_message")
    made = create(ws, workflowId=workflow, input={"n": 1})
    stepmill.sql("update schedules set declared_by = workflow_id, declared_place = 0 where id = %s"
                 " returning 1", made)
    refused(ws.ask({"type": "schedule.delete", "id": 1, "scheduleId": made}), "conflict")


def test_heartbeats_are_listed_and_deleted(stepmill, ws):
    slug = heartbeat(stepmill)
    assert listed(ws, slug)["name"] == "beats"
    ws.ask({"type": "schedule.delete", "id": 4, "scheduleId": slug})
    assert listed(ws, slug) is None


def test_the_same_message_again(stepmill, ws):
    key, name = uuid.uuid4().hex, uuid.uuid4().hex
    assert create(ws, name=name, idempotencyKey=key) == create(ws, name=name, idempotencyKey=key)
    assert len(stepmill.get(f"/api/schedules?name={name}")["data"]) == 1
    refused(ws.ask({"type": "schedule.create", "id": 1, "name": "other", "cronExpression": YEARLY,
                    "idempotencyKey": key}), "conflict")


def test_what_a_key_may(shared):
    owner, other = (project(shared, f"ws-{uuid.uuid4().hex[:6]}") for _ in range(2))
    with shared.supervisor(pool_workers=0, auth_required="true") as guarded:
        def say(key):
            return connect(guarded, headers=[("Authorization", f"Bearer {key}")])

        with say(key_for(shared, owner, "operator")) as own, \
                say(key_for(shared, other, "operator")) as alien, \
                say(key_for(shared, owner, "viewer")) as viewer:
            made = create(own)
            assert listed(own, made) and listed(viewer, made) and listed(alien, made) is None
            refused(alien.ask({"type": "schedule.delete", "id": 1, "scheduleId": made}), "not_found")
            refused(alien.ask({"type": "schedule.create", "id": 1, "name": "n",
                               "cronExpression": YEARLY, "projectId": owner}), "not_found")
            refused(viewer.ask({"type": "schedule.delete", "id": 1, "scheduleId": made}), "forbidden")
