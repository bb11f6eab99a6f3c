"""Schedules over HTTP: made, looked at, changed, paused, fired by hand, removed; what a key may
of them. They fire once a year, so that nobody but the tests fires them."""
import datetime
import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from harness.stepmill import flow, moment, noop, shell, wait_for
from test_confinement import Tenant, key_for, project

YEARLY = "0 0 1 1 *"
NOBODY = "00000000-0000-7000-8000-00000000ffff"
DEFAULT = "00000000-0000-7000-8000-000000000001"


def body(**more):
    return {"name": f"s-{uuid.uuid4().hex[:8]}", "cronExpression": YEARLY, **more}


def make(stepmill, **more):
    answer = stepmill.ask("POST", "/api/schedules", body(**more))
    assert answer.status == 201, answer.body
    return answer.json


def patch(stepmill, made, status=200, **more):
    answer = stepmill.ask("PATCH", f"/api/schedules/{made['id']}", more)
    assert answer.status == status, answer.body
    return answer.json


def errors(answer, status=422):
    assert answer.status == status, answer.body
    return {error["path"]: error["message"] for error in answer.json.get("errors", [])}


def fire(stepmill, made, status=202):
    answer = stepmill.ask("POST", f"/api/schedules/{made['id']}/fire")
    assert answer.status == status, answer.body
    return answer.json


def firings(stepmill, made, query=""):
    return stepmill.get(f"/api/schedules/{made['id']}/firings{query}")["data"]


def new_year():
    return f"{datetime.datetime.now(datetime.timezone.utc).year + 1}-01-01T00:00:00.000Z"


# ---- make and look ----

def test_the_least(stepmill):
    made = make(stepmill, name="the least")
    assert made == {
        "id": made["id"], "name": "the least", "kind": "workflow", "projectId": DEFAULT,
        "cronExpression": YEARLY, "timezone": "UTC", "workflowId": None, "workflowName": None,
        "activeHours": None, "maxRuns": None, "runCount": 0, "catchUp": "last", "overlap": "skip",
        "jitterMs": 0, "input": None, "enabled": True, "nextRun": new_year(), "lastRunAt": None,
        "lastRunId": None, "declaredBy": None, "createdBy": "dev", "heartbeatPath": None,
        "model": None, "webhook": None, "createdAt": made["createdAt"],
        "updatedAt": made["createdAt"]}
    assert stepmill.get(f"/api/schedules/{made['id']}") == made


def test_all_fields(stepmill):
    workflow = stepmill.workflow(flow(
        "scheduled", noop("a"), input={"type": "object", "required": ["n"],
                                       "properties": {"n": {"type": "integer"}}}))
    fields = dict(name="every field", cronExpression="30 2 * * MON", timezone="Europe/Berlin",
                  activeHours={"start": "22:00", "end": "06:00", "daysOfWeek": [0, 1, 7]},
                  maxRuns=3, catchUp="all", overlap="allow", jitterMs=60000, input={"n": 7},
                  projectId=DEFAULT, enabled=False)
    made = make(stepmill, workflowId=workflow, **fields)
    assert made["workflowName"] == workflow
    assert made["workflowId"] == stepmill.get(f"/api/workflows/{workflow}")["id"]
    assert made["activeHours"].pop("daysOfWeek") == [7, 1]
    del fields["activeHours"]["daysOfWeek"]
    assert {key: made[key] for key in fields} == fields
    assert made["nextRun"] is None


def test_jitter_delays_what_is_due_and_not_what_is_shown(stepmill):
    made = make(stepmill, jitterMs=3600000)
    (next_run, due), = stepmill.sql("select next_run_at, due_at from schedules where id = %s",
                                    made["id"])
    assert made["nextRun"] == new_year()
    assert next_run < due < next_run + datetime.timedelta(hours=1)


def test_every_mistake_at_once(stepmill):
    answer = stepmill.ask("POST", "/api/schedules", {
        "name": "", "cronExpression": "* * *", "timezone": "Mars/Base", "maxRun": 1,
        "activeHours": {"start": "9", "end": "17:00", "daysOfWeek": [1, 9]}, "catchUp": "some",
        "jitterMs": -1})
    found = errors(answer)
    assert found.keys() == {"name", "cronExpression", "timezone", "maxRun", "activeHours.start",
                            "activeHours.daysOfWeek[1]", "catchUp", "jitterMs"}
    assert found["activeHours.start"] == "expected HH:MM"
    assert "maxRuns" in found["maxRun"]


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 0 1 1 * 2001", "* * * * * * * *", "soon"])
def test_what_never_fires_is_refused(stepmill, expression):
    assert errors(stepmill.ask("POST", "/api/schedules", body(cronExpression=expression))).keys() \
        == {"cronExpression"}


@pytest.mark.parametrize("sent", [[], "text", 7, None])
def test_a_body_is_an_object(stepmill, sent):
    assert stepmill.ask("POST", "/api/schedules", sent).status == 400


def test_the_workflow_must_be_there_and_take_the_input(stepmill):
    workflow = stepmill.workflow(flow(
        "picky", noop("a"), input={"type": "object", "required": ["n"]}))
    for named in ("no-such-workflow", NOBODY):
        answer = stepmill.ask("POST", "/api/schedules", body(workflowId=named))
        assert errors(answer, 404).keys() == {"workflowId"}
    for more in ({}, {"input": {"m": 1}}):
        found = errors(stepmill.ask("POST", "/api/schedules", body(workflowId=workflow, **more)))
        assert all(path.startswith("input") for path in found) and found
    stepmill.request("DELETE", f"/api/workflows/{workflow}?deactivate=true")
    answer = stepmill.ask("POST", "/api/schedules", body(workflowId=workflow, input={"n": 1}))
    assert "not active" in errors(answer)["workflowId"]


def test_the_project_must_be_there(stepmill):
    answer = stepmill.ask("POST", "/api/schedules", body(projectId=NOBODY))
    assert answer.status == 404 and "project" in answer.json["detail"]


def test_lists(stepmill):
    name = f"listed-{uuid.uuid4().hex[:8]}"
    workflow = stepmill.workflow(flow(name, noop("a")))
    made = [make(stepmill, name=name, workflowId=workflow, enabled=i % 2 == 0)["id"]
            for i in range(5)]

    def ids(query):
        return [row["id"] for row in stepmill.get(f"/api/schedules?{query}")["data"]]

    assert ids(f"workflowId={workflow}") == made == ids(f"name={name}")
    assert ids(f"name={name}&sort=-createdAt") == made[::-1]
    assert ids(f"name={name}&enabled=true") == made[::2]
    assert ids(f"name={name}&enabled=false") == made[1::2]
    assert ids(f"name={name}&kind=heartbeat") == []
    assert ids(f"name={name}&limit=2&page=3") == made[4:]
    assert ids(f"name={name}&projectId={NOBODY}") == []
    for sort, wanted in (("createdAt", made), ("-createdAt", made[::-1])):
        seen, cursor = [], ""
        while cursor is not None:
            page = stepmill.get(f"/api/schedules?name={name}&sort={sort}&limit=2{cursor}")
            assert page["pagination"]["total"] == 5
            seen += [row["id"] for row in page["data"]]
            after = page["pagination"]["nextCursor"]
            cursor = f"&cursor={after}" if after else None
        assert seen == wanted
    for wrong in ("kind=x", "enabled=x", "sort=x", "cursor=x", "projectId=x", "limit=0"):
        assert stepmill.ask("GET", f"/api/schedules?{wrong}").status == 400


def test_what_is_not_there(stepmill):
    for handle in (NOBODY, "heartbeat-nothing", "nonsense"):
        for method, rest, sent in (("GET", "", None), ("GET", "/firings", None),
                                   ("PUT", "", body()), ("PATCH", "", {"name": "x"}),
                                   ("DELETE", "", None), ("POST", "/fire", None)):
            assert stepmill.ask(method, f"/api/schedules/{handle}{rest}", sent).status == 404


# ---- change ----

def test_null_clears(stepmill):
    workflow = stepmill.workflow(flow("clearable", noop("a")))
    made = make(stepmill, workflowId=workflow, timezone="Asia/Tokyo", maxRuns=2, catchUp="none",
                overlap="allow", jitterMs=5, input={}, activeHours={"start": "09:00", "end": "17:00"})
    now = patch(stepmill, made, workflowId=None, timezone=None, maxRuns=None, catchUp=None,
                overlap=None, jitterMs=None, input=None, activeHours=None)
    assert (now["workflowId"], now["timezone"], now["maxRuns"], now["catchUp"], now["overlap"],
            now["jitterMs"], now["input"], now["activeHours"]) \
        == (None, "UTC", None, "last", "skip", 0, None, None)
    assert now["name"] == made["name"] and now["nextRun"] == new_year()
    for name in ("name", "cronExpression", "enabled"):
        answer = stepmill.ask("PATCH", f"/api/schedules/{made['id']}", {name: None})
        assert errors(answer).keys() == {name}


def test_what_changes_when_it_fires(stepmill):
    made = make(stepmill)
    stepmill.sql("update schedules set next_run_at = '2031-05-05', due_at = '2031-05-05'"
                 " where id = %s returning 1", made["id"])
    kept = "2031-05-05T00:00:00.000Z"
    assert patch(stepmill, made, name="other", maxRuns=7)["nextRun"] == kept
    assert patch(stepmill, made, cronExpression=YEARLY)["nextRun"] == kept
    assert patch(stepmill, made, enabled=True)["nextRun"] == kept
    assert patch(stepmill, made, timezone="Etc/GMT-1")["nextRun"].endswith("-12-31T23:00:00.000Z")
    assert patch(stepmill, made, enabled=False)["nextRun"] is None
    assert patch(stepmill, made, cronExpression="0 0 2 1 *")["nextRun"] is None
    assert patch(stepmill, made, enabled=True)["nextRun"].endswith("-01-01T23:00:00.000Z")
    (revision,), = stepmill.sql("select revision from schedules where id = %s", made["id"])
    assert revision == 8


def test_elapsed_time_counts_from_the_creation(stepmill):
    made = make(stepmill, cronExpression="@every 50m")
    since = moment(made["nextRun"]) - moment(made["createdAt"])
    assert since == 3000
    again = patch(stepmill, made, cronExpression="every 90 minutes")
    assert moment(again["nextRun"]) - moment(made["createdAt"]) == 5400


def test_put_is_all_of_it(stepmill):
    made = make(stepmill, maxRuns=2, timezone="Asia/Tokyo", enabled=False)
    answer = stepmill.ask("PUT", f"/api/schedules/{made['id']}",
                          {"name": "put", "cronExpression": "0 0 2 1 *"})
    assert answer.status == 200, answer.body
    assert (answer.json["name"], answer.json["maxRuns"], answer.json["timezone"],
            answer.json["enabled"]) == ("put", None, "UTC", True)
    assert answer.json["id"] == made["id"] and answer.json["createdAt"] == made["createdAt"]
    assert errors(stepmill.ask("PUT", f"/api/schedules/{made['id']}", {"name": "x"})).keys() \
        == {"cronExpression"}


def test_it_stays_in_its_project(stepmill):
    made = make(stepmill)
    answer = stepmill.ask("PATCH", f"/api/schedules/{made['id']}", {"projectId": NOBODY})
    assert errors(answer).keys() == {"projectId"}
    assert patch(stepmill, made, projectId=DEFAULT)["projectId"] == DEFAULT


def test_an_inactive_workflow_does_not_keep_it_from_being_changed(stepmill):
    workflow = stepmill.workflow(flow("goes-away", noop("a")))
    made = make(stepmill, workflowId=workflow)
    stepmill.request("DELETE", f"/api/workflows/{workflow}?deactivate=true")
    assert patch(stepmill, made, name="still", enabled=False)["workflowName"] == workflow
    assert errors(stepmill.ask("PATCH", f"/api/schedules/{made['id']}", {"input": {}})).keys() \
        == {"workflowId"}


def test_removed(stepmill):
    made = make(stepmill)
    assert stepmill.ask("DELETE", f"/api/schedules/{made['id']}").status == 204
    assert stepmill.ask("GET", f"/api/schedules/{made['id']}").status == 404


def test_what_a_file_declares_is_changed_there(stepmill):
    workflow = stepmill.workflow(flow("declares", noop("a")))
    made = make(stepmill, workflowId=workflow)
    stepmill.sql("update schedules set declared_by = workflow_id, declared_place = 0"
                 " where id = %s returning 1", made["id"])
    for method, sent in (("PATCH", {"name": "x"}), ("PATCH", {"enabled": False, "name": "x"}),
                         ("PUT", body()), ("DELETE", None)):
        answer = stepmill.ask(method, f"/api/schedules/{made['id']}", sent)
        assert answer.status == 409 and '"declares"' in answer.json["detail"], answer.body
    assert patch(stepmill, made, enabled=False)["nextRun"] is None
    stepmill.wait_ended(fire(stepmill, made)["executionId"])
    assert patch(stepmill, made, enabled=True)["nextRun"] == new_year()


def heartbeat(stepmill):
    slug = f"heartbeat-{uuid.uuid4().hex[:8]}"
    stepmill.sql("insert into schedules (id, slug, name, kind, project_id, cron_expression,"
                 " heartbeat_path, next_run_at, due_at) values (gen_random_uuid(), %s, 'beats',"
                 " 'heartbeat', %s, %s, %s, '2031-01-01', '2031-01-01') returning 1", slug, DEFAULT,
                 YEARLY, slug + ".md")
    return slug


def test_heartbeats_are_among_them(stepmill):
    slug = heartbeat(stepmill)
    made = stepmill.get(f"/api/schedules/{slug}")
    assert (made["id"], made["kind"], made["heartbeatPath"]) == (slug, "heartbeat", slug + ".md")
    assert slug in [row["id"] for row in stepmill.get("/api/schedules?kind=heartbeat")["data"]]
    assert stepmill.ask("PATCH", f"/api/schedules/{slug}", {"name": "x"}).status == 409
    assert patch(stepmill, made, enabled=False)["nextRun"] is None
    assert stepmill.ask("DELETE", f"/api/schedules/{slug}").status == 204


def test_the_scheduler_is_told(stepmill):
    """Of what was committed, and of nothing else."""
    url = stepmill.state["databaseUrl"]
    with psycopg.connect(url, autocommit=True) as heard:
        heard.execute("listen stepmill_schedules")
        notes = []
        heard.add_notify_handler(lambda note: notes.append(note.channel))

        def told():
            wait_for("it is told", lambda: heard.execute("select 1") and notes)
            return notes.pop() == "stepmill_schedules"

        made = make(stepmill)
        assert told()
        patch(stepmill, made, name="x")
        assert told()
        patch(stepmill, made, enabled=False)
        assert told()
        assert stepmill.ask("DELETE", f"/api/schedules/{made['id']}").status == 204
        assert told()


# ---- fire ----

def test_fired_by_hand(stepmill):
    workflow = stepmill.workflow(flow("by-hand", noop("a"), input={"type": "object"},
                                      output="{{trigger}}"))
    made = make(stepmill, workflowId=workflow, input={"n": 1})
    answer = fire(stepmill, made)
    assert answer["status"] == "RUNNING"
    run = stepmill.wait_ended(answer["executionId"])
    assert (run["status"], run["triggeredBy"], run["scheduleId"], run["input"], run["requestedBy"]) \
        == ("COMPLETED", "manual", made["id"], {"n": 1}, "dev")
    assert run["output"] == run["triggerPayload"] == {
        "type": "manual", "scheduleId": made["id"], "scheduleName": made["name"],
        "fireTime": run["triggerPayload"]["fireTime"]}
    now = stepmill.get(f"/api/schedules/{made['id']}")
    assert (now["runCount"], now["lastRunId"], now["nextRun"]) == (1, run["id"], new_year())
    entry, = firings(stepmill, made)
    assert entry == {"scheduleId": made["id"], "fireTime": now["lastRunAt"], "outcome": "started",
                     "executionId": run["id"], "detail": "by hand", "createdAt": entry["createdAt"]}
    told, = [row for row in stepmill.get("/api/audit?what=schedule.fire&limit=100")["data"]
             if row["target"] == made["id"]]
    assert told["details"] == {"executionId": run["id"]}


def test_not_while_its_last_run_is_alive(stepmill):
    workflow = stepmill.workflow(flow("long-one", shell("a", "sleep 644")))
    made = make(stepmill, workflowId=workflow)
    first = fire(stepmill, made)["executionId"]
    assert "overlap" in fire(stepmill, made, 409)["detail"]
    patch(stepmill, made, overlap="allow")
    second = fire(stepmill, made)["executionId"]
    for run in (first, second):
        stepmill.post(f"/api/executions/{run}/cancel")
        stepmill.wait_ended(run)
    patch(stepmill, made, overlap="skip")
    third = fire(stepmill, made)["executionId"]
    stepmill.post(f"/api/executions/{third}/cancel")
    assert [f["executionId"] for f in firings(stepmill, made)] == [third, second, first]


def test_what_is_changed_at_the_same_moment_is_seen(stepmill):
    """Who waited for the row reads it as it is then, not as it was when the call came."""
    workflow = stepmill.workflow(flow("long-two", shell("a", "sleep 645")))
    made = make(stepmill, workflowId=workflow, overlap="allow")
    run = fire(stepmill, made)["executionId"]
    with psycopg.connect(stepmill.state["databaseUrl"]) as other, ThreadPoolExecutor() as pool:
        other.execute("update stepmill.schedules set overlap = 'skip' where id = %s", [made["id"]])
        waiting = pool.submit(stepmill.ask, "POST", f"/api/schedules/{made['id']}/fire")
        wait_for("it waits for the row", lambda: stepmill.sql(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like %s",
            "%schedule%"))
        other.commit()
        assert waiting.result(30).status == 409
    stepmill.post(f"/api/executions/{run}/cancel")


def test_its_runs_are_counted(stepmill):
    workflow = stepmill.workflow(flow("counted", noop("a")))
    made = make(stepmill, workflowId=workflow, maxRuns=2, overlap="allow")
    fire(stepmill, made)
    assert stepmill.get(f"/api/schedules/{made['id']}")["enabled"] is True
    fire(stepmill, made)
    now = stepmill.get(f"/api/schedules/{made['id']}")
    assert (now["enabled"], now["nextRun"], now["runCount"]) == (False, None, 2)
    assert "maxRuns" in fire(stepmill, made, 409)["detail"]
    answer = stepmill.ask("PATCH", f"/api/schedules/{made['id']}", {"enabled": True})
    assert errors(answer).keys() == {"maxRuns"}
    assert patch(stepmill, made, enabled=True, maxRuns=3)["nextRun"] == new_year()
    assert [f["outcome"] for f in firings(stepmill, made)] == ["started"] * 2


def test_what_cannot_be_fired(stepmill):
    assert "no workflow" in fire(stepmill, make(stepmill), 409)["detail"]
    workflow = stepmill.workflow(flow("changes-its-mind", noop("a")))
    made = make(stepmill, workflowId=workflow)
    stepmill.workflow(flow(workflow, noop("a"), input={"type": "object", "required": ["n"]}))
    answer = stepmill.ask("POST", f"/api/schedules/{made['id']}/fire")
    assert errors(answer)
    stepmill.request("DELETE", f"/api/workflows/{workflow}?deactivate=true")
    wait_for("that is seen", lambda: "not active" in stepmill.ask(
        "POST", f"/api/schedules/{made['id']}/fire").json["detail"])
    assert firings(stepmill, made) == []


def test_limited_ones_wait_for_their_turn(stepmill):
    workflow = stepmill.workflow(flow("one-at-a-time", noop("a"), concurrency=1))
    made = make(stepmill, workflowId=workflow, overlap="allow")
    runs = [fire(stepmill, made) for _ in range(3)]
    assert {run["status"] for run in runs} == {"PENDING"}
    for run in runs:
        assert stepmill.wait_ended(run["executionId"])["status"] == "COMPLETED"


def test_the_ledger_in_pages(stepmill):
    made = make(stepmill)
    for i in range(5):
        stepmill.sql("insert into schedule_firings (schedule_id, fire_time, outcome) values"
                     " (%s, '2026-01-01'::timestamptz + %s * interval '1 day', %s) returning 1",
                     made["id"], i, "missed" if i % 2 else "skipped_active_hours")
    days = [f"2026-01-0{i + 1}T00:00:00.000Z" for i in range(5)]
    assert [f["fireTime"] for f in firings(stepmill, made)] == days[::-1]
    assert [f["fireTime"] for f in firings(stepmill, made, "?outcome=missed")] == [days[3], days[1]]
    for sort, wanted in (("fireTime", days), ("-fireTime", days[::-1])):
        seen, cursor = [], ""
        while cursor is not None:
            page = stepmill.get(
                f"/api/schedules/{made['id']}/firings?sort={sort}&limit=2{cursor}")
            seen += [f["fireTime"] for f in page["data"]]
            after = page["pagination"]["nextCursor"]
            cursor = f"&cursor={after}" if after else None
        assert seen == wanted
    for wrong in ("sort=x", "cursor=x", "outcome=x"):
        assert stepmill.ask("GET", f"/api/schedules/{made['id']}/firings?{wrong}").status == 400


# ---- keys ----

def test_the_same_call_again(stepmill):
    sent, key = body(), {"Idempotency-Key": uuid.uuid4().hex}
    first, second = (stepmill.ask("POST", "/api/schedules", sent, key) for _ in range(2))
    assert (first.status, second.status) == (201, 201) and first.json == second.json
    assert len(stepmill.get(f"/api/schedules?name={sent['name']}")["data"]) == 1
    workflow = stepmill.workflow(flow("again", noop("a")))
    made, key = make(stepmill, workflowId=workflow), {"Idempotency-Key": uuid.uuid4().hex}
    path = f"/api/schedules/{made['id']}/fire"
    runs = {stepmill.ask("POST", path, None, key).json["executionId"] for _ in range(2)}
    assert len(runs) == 1


@pytest.fixture(scope="module")
def guarded(shared):
    with shared.supervisor(pool_workers=0, auth_required="true") as supervisor:
        yield supervisor


def test_schedules_of_others_are_not_there(shared, guarded):
    red, blue = (Tenant(guarded, owner, key_for(shared, owner)) for owner in (
        project(shared, f"{name}-{uuid.uuid4().hex[:6]}") for name in ("red", "blue")))
    made = red.ask("POST", "/api/schedules", body()).json
    assert made["projectId"] == red.project
    path = f"/api/schedules/{made['id']}"
    for method, rest, sent in (("GET", "", None), ("GET", "/firings", None), ("PUT", "", body()),
                               ("PATCH", "", {"enabled": False}), ("DELETE", "", None),
                               ("POST", "/fire", None)):
        assert blue.ask(method, path + rest, sent).status == 404, (method, rest)
    assert made["id"] in red.ids("/api/schedules?limit=100")
    assert made["id"] not in blue.ids("/api/schedules?limit=100")
    assert blue.ask("POST", "/api/schedules", body(projectId=red.project)).status == 404
    private = red.ask("POST", "/api/workflows", flow(f"private-{uuid.uuid4().hex[:6]}", noop("a")))
    for named in (private.json["id"], private.json["name"]):
        answer = blue.ask("POST", "/api/schedules", body(workflowId=named))
        assert errors(answer, 404).keys() == {"workflowId"}
    # also for who may all: a schedule of one project with the workflow of another
    answer = shared.ask("POST", "/api/schedules", body(workflowId=private.json["id"],
                                                       projectId=blue.project))
    assert errors(answer, 404).keys() == {"workflowId"}
    own = make(shared, workflowId=private.json["id"])
    assert own["projectId"] == red.project
    assert red.ask("DELETE", path).status == 204


def test_tools_of_the_key_that_made_it(shared, guarded):
    def key_with(tools):
        key = f"sm_{uuid.uuid4().hex}"
        shared.sql("insert into api_keys (id, name, key_hash, role, tools) values"
                   " (gen_random_uuid(), %s, %s, 'operator', %s) returning 1", key[:12],
                   hashlib.sha256(key.encode()).digest(), tools)
        return Tenant(guarded, None, key)

    bound, other = key_with(["git.*"]), key_with(["shell"])
    workflow = shared.workflow(flow("uses-a-tool", shell("a", "true")))
    made = bound.ask("POST", "/api/schedules", body(workflowId=workflow)).json
    path = f"/api/schedules/{made['id']}"
    assert made["createdBy"].startswith("sm_")
    run = shared.wait_ended(fire(shared, made)["executionId"])
    assert run["status"] == "FAILED" and run["error"]["code"] == "denied"
    assert other.ask("PATCH", path, {"input": {}}).status == 403
    assert other.ask("PATCH", path, {"enabled": False}).status == 200
    assert bound.ask("PATCH", path, {"name": "still mine"}).status == 200
    wide = make(shared, workflowId=workflow)
    assert bound.ask("PATCH", f"/api/schedules/{wide['id']}", {"input": {}}).status == 403
    run = bound.ask("POST", f"/api/schedules/{wide['id']}/fire").json["executionId"]
    assert shared.wait_ended(run)["status"] == "FAILED"


# ---- preview ----

def test_preview(stepmill):
    answer = stepmill.post("/api/schedules/preview", {
        "cronExpression": "30 2 * * *", "timezone": "Europe/Berlin", "count": 2,
        "from": "2024-03-30T12:00:00Z", "activeHours": {"start": "02:00", "end": "03:00"}})
    assert answer == {"firings": [
        {"at": "2024-03-31T01:00:00Z", "local": "2024-03-31T03:00:00+02:00",
         "note": "after the gap, skipped by active hours"},
        {"at": "2024-04-01T00:30:00Z", "local": "2024-04-01T02:30:00+02:00"}]}
    assert len(stepmill.post("/api/schedules/preview", {"cronExpression": "@daily"})["firings"]) == 5
    wrong = stepmill.ask("POST", "/api/schedules/preview", {
        "cronExpression": "0 0 30 2 *", "timezone": "Mars", "count": 101, "from": "soon", "n": 1})
    assert errors(wrong).keys() == {"cronExpression", "timezone", "count", "from", "n"}
    for sent in ([], None, "x"):
        assert stepmill.ask("POST", "/api/schedules/preview", sent).status in (400, 422)
