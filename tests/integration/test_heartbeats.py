"""Heartbeats: configured over WebSocket and HTTP, gone through by a model that speaks the
protocols of Anthropic and OpenAI and misbehaves where it is asked to; what is found goes to whom
it is for, and is kept."""
import asyncio
import http.server
import itertools
import json
import threading
import time
import uuid

import pytest
from harness.models import Aimock, Provider, anthropic, sse
from harness.raw_ws import RawWs
from harness.stepmill import Stepmill, flow, moment, noop, tool
from test_confinement import Tenant, key_for, project

UNREADABLE = "Check could not be evaluated"
numbers = itertools.count(1)


def says(needed, details="", before="", after=""):
    text = before + json.dumps({"actionNeeded": needed, "details": details}) + after
    return lambda body: (200, [], sse(*anthropic(text)))


def refusal(status, kind, *headers):
    return lambda body: (status, list(headers), {"type": "error", "error": {
        "type": kind, "message": "not now"}})


def item_of(body):
    """What the model was asked about."""
    return body["messages"][0]["content"][0]["text"].strip()


class Hook:
    """Takes what is posted to it."""

    def __init__(self):
        taken = self.taken = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def chaos():
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def mill(chaos, tmp_path_factory):
    outside = tmp_path_factory.mktemp("beats")
    outside.chmod(0o755)
    for part in outside.parents[:-2]:
        part.chmod(0o755)
    mock = Aimock(tmp_path_factory.mktemp("aimock"), [
        {"match": {"userMessage": said}, "response": {"content": answer}} for said, answer in (
            ("the disk", '{"actionNeeded": true, "details": "full"}'),
            ("the inbox", '{"actionNeeded": false}'), ("the moon", "It shines."))])
    providers = {**{f"mock-{wire}": {"type": wire, "base_url": mock.url} for wire in ("anthropic", "openai")},
                 "chaos": {"type": "anthropic", "base_url": chaos.url},
                 "impatient": {"type": "anthropic", "base_url": chaos.url, "timeout": "300ms"}}
    with Stepmill(workers=1, environment={
            "STEPMILL_PROVIDERS": json.dumps(providers), "STEPMILL_DEFAULT_MODEL": "chaos:preset",
            "STEPMILL_HEARTBEAT_PATHS": str(outside),
            "STEPMILL_WORKER_HTTP_ALLOW": "127.0.0.1"}) as mill:
        mill.outside = outside
        yield mill
    mock.stop()


def connect(at, client=None):
    return RawWs(at.url, path=f"/ws?client={client or f'beat-{uuid.uuid4().hex[:8]}'}")


@pytest.fixture
def ws(mill):
    with connect(mill) as ws:
        yield ws


def checklist(mill, *items, front=None, name=None):
    """Writes a file with these open items; its name."""
    name = name or f"beat-{next(numbers)}.md"
    front = f"---\n{front}\n---\n" if front else ""
    (mill.folder / name).write_text(front + "# A list\n\n" + "".join(f"- [ ] {it}\n" for it in items))
    return name


def configure(ws, path, **more):
    answer = ws.ask({"type": "heartbeat.configure", "id": 1, "heartbeatPath": path, **more})
    assert answer["type"] == "heartbeat.configured", answer
    return answer["scheduleId"]


def fire(mill, beat):
    """Goes through it once; the run."""
    return mill.wait_ended(mill.post(f"/api/heartbeats/{beat}/fire")["executionId"])


def results(mill, beat, query=""):
    """Oldest first: (description, actionNeeded, details)."""
    data = mill.get(f"/api/heartbeats/{beat}/results{query}")["data"]
    return [(it["description"], it["actionNeeded"], it["details"]) for it in reversed(data)]


def beat(mill, beat_id):
    return mill.get(f"/api/heartbeats/{beat_id}")


def nothing_told(ws):
    """What was told so far, up to an answer: no alert."""
    ws.say({"type": "ping", "id": "now"})
    while (message := ws.next())["type"] != "pong":
        assert message["type"] != "heartbeat.alert", message


# ---- what is found ----

def test_an_alert_tells_what_needs_action_and_nothing_else(mill, chaos, ws):
    chaos.answers["preset"] = lambda body: says(item_of(body) == "the disk", "92 % are used")(body)
    made = configure(ws, checklist(mill, "the inbox", "the disk"))
    with connect(mill) as other, connect(mill) as follower:
        follower.ask({"type": "workflow:subscribe", "id": 1, "executionId": "*"})
        run = fire(mill, made)
        alert = ws.until("heartbeat.alert")
        assert alert["checks"] == [{"description": "the disk", "actionNeeded": True,
                                    "details": "92 % are used"}]
        assert alert["executionId"] == run["id"] and alert["heartbeatId"] == made
        assert follower.until("heartbeat.alert") == alert
        for one in (ws, other, follower):
            nothing_told(one)
    assert run["status"] == "COMPLETED" and run["triggeredBy"] == "heartbeat"
    assert run["workflowName"] == "stepmill.heartbeat" and run["output"]["alerts"] == 1
    assert results(mill, made) == [("the inbox", False, "92 % are used"),
                                   ("the disk", True, "92 % are used")]
    assert results(mill, made, "?actionNeeded=true") == [("the disk", True, "92 % are used")]
    assert moment(alert["timestamp"]) == moment(
        mill.get(f"/api/heartbeats/{made}/results")["data"][0]["at"])


def test_items_are_checked_in_order_one_after_the_other(mill, chaos, ws):
    begun, alone = [], []

    def answer(body):
        begun.append(item_of(body))
        alone.append(threading.active_count())
        return says(False)(body)
    chaos.answers["preset"] = answer
    wanted = [f"item {n}" for n in range(5)]
    run = fire(mill, configure(ws, checklist(mill, *wanted)))
    assert begun == wanted
    steps = sorted((s for s in run["steps"] if s["itemIndex"] is not None), key=lambda s: s["itemIndex"])
    for former, later in zip(steps, steps[1:]):
        assert former["completedAt"] <= later["startedAt"]
    nothing_told(ws)


@pytest.mark.parametrize("text", ["All is well.", '{"actionNeeded": "yes"}', "{", '["actionNeeded"]'])
def test_an_answer_that_cannot_be_read(mill, chaos, ws, text):
    chaos.answers["preset"] = lambda body: (200, [], sse(*anthropic(text)))
    made = configure(ws, checklist(mill, "the disk"))
    assert fire(mill, made)["status"] == "COMPLETED"
    assert results(mill, made) == [("the disk", False, UNREADABLE)]
    nothing_told(ws)


def test_an_answer_with_words_around(mill, chaos, ws):
    chaos.answers["preset"] = says(True, "a } b", before="I looked {at it}.\n```json\n", after="\n```\n")
    made = configure(ws, checklist(mill, "the disk"))
    fire(mill, made)
    assert ws.until("heartbeat.alert")["checks"][0]["details"] == "a } b"


@pytest.mark.parametrize("why, answer, model", [
    ("500", refusal(500, "api_error"), "chaos:bad"),
    ("401", refusal(401, "authentication_error"), "chaos:bad"),
    pytest.param("429", refusal(429, "rate_limit_error", "Retry-After: 1"), "chaos:bad",
                 marks=pytest.mark.long),
    ("time-out", None, "impatient:slow"),
])
def test_a_provider_that_fails(mill, chaos, ws, why, answer, model):
    async def hang(writer, body):
        await writer.wait_closed()
    chaos.answers["bad"], chaos.answers["slow"] = answer, hang
    made = configure(ws, checklist(mill, "first", "second"), model=model)
    run = fire(mill, made)
    assert run["status"] == "COMPLETED", run["error"]
    assert results(mill, made) == [("first", False, UNREADABLE), ("second", False, UNREADABLE)]
    data = mill.get(f"/api/heartbeats/{made}/results")["data"]
    assert all(it["error"] for it in data), (why, data)
    nothing_told(ws)


def test_a_provider_that_asks_to_wait(mill, chaos, ws):
    left = iter([refusal(429, "rate_limit_error", "Retry-After: 1"), says(True, "later")])
    chaos.answers["preset"] = lambda body: next(left)(body)
    made = configure(ws, checklist(mill, "the disk"))
    fire(mill, made)
    assert ws.until("heartbeat.alert")["checks"][0]["details"] == "later"


def test_the_model_uses_tools(mill, chaos, ws):
    (mill.folder / "disk.txt").write_text("92 %")

    def answer(body):
        if len(body["messages"]) == 1:
            assert {"files_read", "git_status", "http_request"} <= {t["name"] for t in body["tools"]}
            assert not {"shell", "files_write", "heartbeat_read"} & {t["name"] for t in body["tools"]}
            return 200, [], sse(*anthropic(tools=[("call_1", "files_read", {"path": "disk.txt"})]))
        return says("92 %" in json.dumps(body["messages"][2]), "nearly full")(body)
    chaos.answers["preset"] = answer
    made = configure(ws, checklist(mill, "the disk"))
    fire(mill, made)
    assert ws.until("heartbeat.alert")["checks"][0]["details"] == "nearly full"


def test_tools_go_round_five_times_at_most(mill, chaos, ws):
    asked = []

    def answer(body):
        asked.append(body)
        return 200, [], sse(*anthropic(tools=[(f"call_{len(asked)}", "files_list", {})]))
    chaos.answers["preset"] = answer
    made = configure(ws, checklist(mill, "the disk"))
    fire(mill, made)
    assert results(mill, made) == [("the disk", False, UNREADABLE)]
    rounds = max(sum(m["role"] == "assistant" for m in body["messages"]) for body in asked)
    assert rounds <= 5


# ---- the file ----

def test_a_file_that_is_missing_is_told(mill, ws):
    made = configure(ws, "not-there.md")
    run = fire(mill, made)
    alert = ws.until("heartbeat.alert")
    assert alert["checks"] == [{"description": "not-there.md", "actionNeeded": True,
                                "details": 'cannot be read: "not-there.md": there is no such file'}]
    assert run["status"] == "COMPLETED" and results(mill, made)[0][1] is True
    assert mill.get(f"/api/heartbeats/{made}/results")["data"][0]["error"]


@pytest.mark.parametrize("front, why", [
    ("intervall: 5", 'beat.md:2:1: unknown key "intervall"; did you mean "interval"?'),
    ("interval: 0", "beat.md:2:11 interval: 0 is less than 1"),
    ("timezone: Mars/Olympus", 'beat.md:2:11 timezone: unknown time zone "Mars/Olympus"'),
    ("interval: [", "beat.md:3:"),
])
def test_front_matter_that_is_broken_is_told(mill, ws, front, why):
    checklist(mill, "the disk", front=front, name="beat.md")
    made = mill.post("/api/heartbeats", {"heartbeatPath": "beat.md"})
    assert made["warning"].startswith(why)
    assert configure(ws, "beat.md") == made["id"]
    fire(mill, made["id"])
    assert ws.until("heartbeat.alert")["checks"][0]["details"].startswith(why)


def test_the_file_is_read_afresh_each_time(mill, chaos, ws):
    chaos.answers["preset"] = lambda body: says(True, item_of(body))(body)
    name = checklist(mill, "one")
    made = configure(ws, name, interval=45, timezone="Europe/Berlin")
    assert beat(mill, made)["cronExpression"] == "@every 45m"
    fire(mill, made)
    assert ws.until("heartbeat.alert")["checks"][0]["details"] == "one"
    checklist(mill, "two", "three", name=name, front="interval: 20\ntimezone: Asia/Tokyo\nmodel: chaos:preset")
    fire(mill, made)
    assert [it["details"] for it in ws.until("heartbeat.alert")["checks"]] == ["two", "three"]
    now = beat(mill, made)
    assert (now["cronExpression"], now["interval"], now["timezone"]) == ("*/20 * * * *", 20, "Asia/Tokyo")
    assert now["model"] is None and now["nextRun"][14:16] in ("00", "20", "40")


def test_outside_of_the_files_new_hours_nothing_is_checked(mill, chaos, ws):
    asked = []
    chaos.answers["preset"] = lambda body: asked.append(body) or says(True)(body)
    name = checklist(mill, "one")
    made = configure(ws, name)
    hour = time.gmtime(time.time() + 6 * 3600).tm_hour
    checklist(mill, "one", name=name, front=f'activeHours: {{start: "{hour:02}:00", end: "{hour:02}:01"}}')
    run = fire(mill, made)
    assert run["output"]["checked"] == 0 and not asked and results(mill, made) == []
    assert beat(mill, made)["activeHours"]["start"] == f"{hour:02}:00"
    nothing_told(ws)
    fire(mill, made)  # by hand, and file and row say the same
    assert ws.until("heartbeat.alert") and len(asked) == 1


def test_the_front_matter_wins_when_it_is_configured(mill, ws):
    name = checklist(mill, "x", front='interval: 1h30m\ntimezone: Asia/Tokyo\n'
                                      'activeHours: {start: "22:00", end: "06:00", daysOfWeek: [0, 1]}')
    made = beat(mill, configure(ws, name, interval=5, timezone="Europe/Berlin", activeHours=None))
    assert (made["interval"], made["cronExpression"], made["timezone"]) == (90, "@every 90m", "Asia/Tokyo")
    assert made["activeHours"] == {"start": "22:00", "end": "06:00", "daysOfWeek": [1, 7]}
    answer = mill.ask("PATCH", f"/api/heartbeats/{made['id']}", {"interval": 5})
    assert answer.json["interval"] == 90 and "warning" not in answer.json


# ---- where the file may lie ----

def refused(mill, path, **more):
    answer = mill.ask("POST", "/api/heartbeats", {"heartbeatPath": path, **more})
    assert answer.status == 422, answer.body
    return {error["path"]: error["message"] for error in answer.json["errors"]}


def test_paths_that_lead_out_are_refused(mill, tmp_path):
    for path in ("../HEARTBEAT.md", "a/../../x", "/etc/passwd", f"{mill.folder}/../x", f"{mill.outside}/../x",
                 f"{mill.outside}x/HEARTBEAT.md", "a\nb", ".", str(mill.outside)):
        assert "heartbeatPath" in refused(mill, path), path
    (mill.folder / "out.md").symlink_to("/etc/passwd")
    (mill.outside / "out.md").symlink_to("/etc/passwd")
    for path in ("out.md", f"{mill.outside}/out.md"):
        assert "heartbeatPath" in refused(mill, path), path


def test_a_link_that_comes_later_leads_nowhere(mill, ws):
    made = configure(ws, "later.md")
    (mill.folder / "later.md").symlink_to("/etc/passwd")
    fire(mill, made)
    details = ws.until("heartbeat.alert")["checks"][0]["details"]
    assert details.startswith("cannot be read") and "root" not in details


def test_absolute_paths(mill, chaos, ws):
    chaos.answers["preset"] = lambda body: says(True, item_of(body))(body)
    inside = checklist(mill, "inside")
    made = configure(ws, f"{mill.folder}/./{inside}")
    assert beat(mill, made)["heartbeatPath"] == inside and configure(ws, inside) == made
    (mill.outside / "team").mkdir()
    (mill.outside / "team/HEARTBEAT.md").write_text("- [ ] outside\n")
    made = configure(ws, f"{mill.outside}/team/HEARTBEAT.md")
    assert beat(mill, made)["heartbeatPath"] == f"{mill.outside}/team/HEARTBEAT.md"
    fire(mill, made)
    assert ws.until("heartbeat.alert")["checks"][0]["details"] == "outside"


def test_an_absolute_path_finds_its_project(mill, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    other = mill.post("/api/projects", {"name": f"p-{uuid.uuid4().hex[:8]}", "path": str(folder)})["id"]
    made = mill.post("/api/heartbeats", {"heartbeatPath": f"{folder}/a/HEARTBEAT.md"})
    assert (made["projectId"], made["heartbeatPath"]) == (other, "a/HEARTBEAT.md")
    made = mill.post("/api/heartbeats", {"heartbeatPath": "b.md", "projectId": other})
    assert made["projectId"] == other
    assert "heartbeatPath" in refused(mill, f"{mill.folder}/x.md", projectId=other)


# ---- configuring ----

def test_the_least(mill, ws):
    made = configure(ws, "least.md")
    assert made.startswith("heartbeat-") and len(made) == len("heartbeat-xxxxxxxx")
    row = beat(mill, made)
    assert row["cronExpression"] == "*/30 * * * *" and row["interval"] == 30 and row["enabled"]
    assert row["nextRun"][14:16] in ("00", "30") and row["timezone"] == "UTC"
    assert row["createdBy"].startswith("dev/beat-")
    listed, = [it for it in ws.ask({"type": "schedule.list", "id": 2})["schedules"] if it["id"] == made]
    assert listed["cronExpression"] == "*/30 * * * *"
    assert ws.ask({"type": "schedule.delete", "id": 3, "scheduleId": made})["type"] == "schedule.updated"
    assert mill.ask("GET", f"/api/heartbeats/{made}").status == 404


def test_the_same_file_again_changes_that_one(mill, ws):
    made = configure(ws, "again.md", interval=45, model="chaos:preset")
    assert configure(ws, "./again.md", enabled=False) == made
    row = beat(mill, made)
    assert (row["interval"], row["model"], row["enabled"], row["nextRun"]) == (30, None, False, None)
    answer = mill.ask("POST", "/api/heartbeats", {"heartbeatPath": "again.md", "interval": 7})
    assert answer.status == 200 and answer.json["id"] == made
    assert answer.json["createdBy"] == "dev", "who configures it is told what it finds"


def test_a_repeated_call_is_answered_as_the_first(mill, ws):
    first = configure(ws, "repeated.md", idempotencyKey="beat-key")
    mill.request("DELETE", f"/api/heartbeats/{first}")
    assert configure(ws, "repeated.md", idempotencyKey="beat-key") == first
    answer = ws.ask({"type": "heartbeat.configure", "id": 1, "heartbeatPath": "other.md",
                     "idempotencyKey": "beat-key"})
    assert answer["code"] == "conflict"


def test_every_wrong_field_is_told(mill, ws):
    wrong = {"interval": 0, "timezone": "x/y", "activeHours": {"start": "9", "end": "10:00"},
             "model": "", "webhook": "ftp://x", "enabled": "yes", "projectId": "p"}
    paths = {"heartbeatPath", "interval", "timezone", "activeHours.start", "model", "webhook",
             "enabled", "projectId"}
    answer = ws.ask({"type": "heartbeat.configure", "id": 1, **wrong})
    assert answer["code"] == "invalid_message" and {e["path"] for e in answer["errors"]} == paths
    assert set(refused(mill, "", **wrong, x=1)) == paths | {"x"}


def test_put_and_patch(mill):
    made = mill.post("/api/heartbeats", {"heartbeatPath": "put.md", "interval": 45, "model": "chaos:x"})
    at = f"/api/heartbeats/{made['id']}"
    patched = mill.request("PATCH", at, {"timezone": "Europe/Berlin"})
    assert (patched["interval"], patched["model"], patched["timezone"]) == (45, "chaos:x", "Europe/Berlin")
    assert patched["nextRun"] != made["nextRun"] or patched["nextRun"]
    patched = mill.request("PATCH", at, {"model": None, "enabled": False})
    assert patched["model"] is None and patched["nextRun"] is None
    put = mill.request("PUT", at, {"heartbeatPath": "put-2.md"})
    assert (put["heartbeatPath"], put["interval"], put["enabled"]) == ("put-2.md", 30, True)
    mill.post("/api/heartbeats", {"heartbeatPath": "put.md"})
    assert mill.ask("PUT", at, {"heartbeatPath": "put.md"}).status == 409


def test_next_runs_stay_where_nothing_of_them_changes(mill):
    made = mill.post("/api/heartbeats", {"heartbeatPath": "stay.md", "interval": 45})
    again = mill.post("/api/heartbeats", {"heartbeatPath": "stay.md", "interval": 45, "model": "chaos:x"})
    assert again["nextRun"] == made["nextRun"] and again["model"] == "chaos:x"


# ---- who may, and who is told ----

@pytest.fixture(scope="module")
def guarded(mill):
    with mill.supervisor(pool_workers=0, auth_required="true") as supervisor:
        yield supervisor


def listen(guarded, key, client):
    return RawWs(guarded.url, path=f"/ws?client={client}", headers=(("Authorization", f"Bearer {key}"),))


def test_projects_are_respected(mill, chaos, guarded, ws):
    chaos.answers["preset"] = says(True, "red")
    red, blue = (project(mill, f"beat-{uuid.uuid4().hex[:6]}") for _ in range(2))
    keys = key_for(mill, red), key_for(mill, blue)
    ws.ask({"type": "workflow:subscribe", "id": 1, "executionId": "*"})
    with listen(guarded, keys[0], "a") as owner, listen(guarded, keys[0], "b") as same_key, \
            listen(guarded, keys[1], "a") as stranger:
        for one in (same_key, stranger):
            one.ask({"type": "workflow:subscribe", "id": 1, "executionId": "*"})
        made = configure(owner, checklist(mill, "x"))
        assert beat(mill, made)["projectId"] == red
        theirs = Tenant(guarded, blue, keys[1])
        for method, path in (("GET", ""), ("GET", "/results"), ("PATCH", ""), ("DELETE", ""), ("POST", "/fire")):
            body = {} if method == "PATCH" else None
            assert theirs.ask(method, f"/api/heartbeats/{made}{path}", body).status == 404
        fire(mill, made)
        for one in (owner, same_key, ws):
            assert one.until("heartbeat.alert")["checks"][0]["details"] == "red"
        nothing_told(stranger)


def test_filters_of_a_subscription_are_respected(mill, chaos, ws):
    chaos.answers["preset"] = says(True, "x")
    name = mill.define(noop("a"))
    other = project(mill, f"beat-{uuid.uuid4().hex[:6]}")
    made = configure(ws, checklist(mill, "x"))
    with connect(mill) as by_flow, connect(mill) as by_project, connect(mill) as by_beat:
        by_flow.ask({"type": "workflow:subscribe", "id": 1, "executionId": "*", "workflowId": name})
        by_project.ask({"type": "workflow:subscribe", "id": 1, "executionId": "*", "projectId": other})
        by_beat.ask({"type": "workflow:subscribe", "id": 1, "executionId": "*",
                     "workflowId": "stepmill.heartbeat"})
        fire(mill, made)
        ws.until("heartbeat.alert")
        by_beat.until("heartbeat.alert")
        for one in (by_flow, by_project):
            nothing_told(one)


def test_the_client_is_told_wherever_it_is_connected(mill, chaos):
    chaos.answers["preset"] = says(True, "x")
    client = f"beat-{uuid.uuid4().hex[:8]}"
    with connect(mill, client) as before:
        made = configure(before, checklist(mill, "x"))
    with mill.supervisor(pool_workers=0, auth_required="false") as other, \
            connect(other, client) as there, connect(mill, client) as here:
        fire(mill, made)
        assert there.until("heartbeat.alert") == here.until("heartbeat.alert")


def test_what_is_told_while_the_connection_is_away_is_told_later(mill, ws):
    made = configure(ws, "away.md")
    schedule, = mill.sql("select id from schedules where slug = %s", made)[0]
    run = str(uuid.uuid4())
    mill.sql("with gone as (select pg_terminate_backend(pid) from pg_stat_activity"
             " where application_name = 'stepmill front reads' and datname = current_database())"
             " insert into heartbeat_results (id, schedule_id, run_id, description, action_needed, details)"
             " select gen_random_uuid(), %s, %s, 'x', true, 'y' from gone limit 1", schedule, run)
    mill.allowed_errors.append("postgres")
    assert ws.until("heartbeat.alert")["executionId"] == run
    mill.sql("select pg_notify('stepmill_alerts', %s)", run)
    nothing_told(ws)


def test_tools_of_the_key(mill, chaos, guarded, ws):
    offered = []
    chaos.answers["preset"] = lambda body: offered.extend(t["name"] for t in body["tools"]) or says(False)(body)
    key = mill.post("/api/api-keys", {"name": f"k-{uuid.uuid4().hex[:8]}", "role": "operator",
                                      "tools": ["files.read"]})["key"]
    with listen(guarded, key, "tools") as limited:
        name = checklist(mill, "x")
        made = configure(limited, name)
        run = fire(mill, made)
        assert run["status"] == "COMPLETED" and set(offered) <= {
            "files_read", "files_list", "files_exists", "git_status", "git_log", "git_diff", "http_request"}
        free = configure(ws, checklist(mill, "y"))
        answer = limited.ask({"type": "heartbeat.configure", "id": 1,
                              "heartbeatPath": beat(mill, free)["heartbeatPath"]})
        assert answer["code"] == "forbidden"


# ---- the webhook ----

def test_a_webhook_is_told_too(mill, chaos, ws):
    chaos.answers["preset"] = lambda body: says(item_of(body) == "bad", "hot")(body)
    hook = Hook()
    try:
        name = checklist(mill, "good", "bad")
        made = configure(ws, name, webhook=hook.url)
        run = fire(mill, made)
        alert = ws.until("heartbeat.alert")
        assert run["status"] == "COMPLETED" and hook.taken == [alert]
        checklist(mill, "good", name=name)
        run = fire(mill, made)
        assert len(hook.taken) == 1
        assert [s["status"] for s in run["steps"] if s["stepKey"] == "notify"] == ["SKIPPED"]
    finally:
        hook.stop()


# ---- firing ----

def test_the_scheduler_fires(mill, chaos, ws):
    chaos.answers["preset"] = says(True, "by the clock")
    made = configure(ws, checklist(mill, "x"))
    mill.sql("update schedules set next_run_at = now(), due_at = now(), revision = revision + 1"
             " where slug = %s", made)
    mill.sql("select pg_notify('stepmill_schedules', '')")
    alert = ws.until("heartbeat.alert")
    run = mill.wait_ended(alert["executionId"])
    assert run["triggeredBy"] == "heartbeat" and run["input"]["heartbeatId"] == made
    firing, = mill.get(f"/api/schedules/{made}/firings")["data"]
    assert (firing["outcome"], firing["executionId"]) == ("started", run["id"])


def test_it_never_overlaps_itself(mill, chaos, ws):
    go_on = threading.Event()

    async def hang(writer, body):
        while not go_on.is_set():
            await asyncio.sleep(0.02)
        chaos.write(writer, *says(False)(body))
    chaos.answers["preset"] = hang
    made = configure(ws, checklist(mill, "x"))
    run = mill.post(f"/api/heartbeats/{made}/fire")["executionId"]
    assert mill.ask("POST", f"/api/heartbeats/{made}/fire").status == 409
    go_on.set()
    mill.wait_ended(run)
    fire(mill, made)


def test_it_fires_by_hand_also_when_it_was_configured_before_its_workflow_was_there(mill, ws):
    made = configure(ws, "early.md")
    mill.sql("update schedules set workflow_id = null where slug = %s", made)
    assert fire(mill, made)["workflowName"] == "stepmill.heartbeat"


# ---- the engine's own workflow ----

def test_its_workflow_is_the_engines_own(mill):
    shown = mill.get("/api/workflows/stepmill.heartbeat")
    assert shown["version"] == 1 and shown["definitionPath"] == ""
    text = flow("stepmill.mine", noop("a"))
    for path in ("/api/workflows", "/api/workflows/validate"):
        answer = mill.ask("POST", path, text, {"Content-Type": "application/yaml"})
        assert answer.status == 422 and "engine's own" in answer.json["errors"][0]["message"]
    text = flow("stepmill.heartbeat", noop("a"))
    assert mill.ask("PUT", "/api/workflows/stepmill.heartbeat", text,
                    {"Content-Type": "application/yaml"}).status == 422
    for query in ("", "?deactivate=true"):
        assert mill.ask("DELETE", f"/api/workflows/stepmill.heartbeat{query}").status == 409


def test_its_tools_are_nobody_elses(mill):
    assert not [it for it in mill.get("/api/tools")["data"] if it["name"].startswith("heartbeat")]
    for name, args in (("heartbeat.read", {}), ("heartbeat.report", {"read": {}})):
        run = mill.do(tool("a", name, {"schedule": str(uuid.uuid4()), **args}))
        assert run["error"]["code"] == "denied", run["error"]


def test_a_run_of_it_without_a_heartbeat_fails(mill):
    run = mill.run("stepmill.heartbeat", {"scheduleId": str(uuid.uuid4())})
    assert run["status"] == "FAILED" and run["error"]["code"] == "not_found"


# ---- another protocol, of other people ----

@pytest.mark.parametrize("wire", ["anthropic", "openai"])
def test_aimock(mill, ws, wire):
    made = configure(ws, checklist(mill, "the inbox", "the disk", "the moon"), model=f"mock-{wire}:some")
    fire(mill, made)
    assert ws.until("heartbeat.alert")["checks"] == [
        {"description": "the disk", "actionNeeded": True, "details": "full"}]
    assert results(mill, made) == [("the inbox", False, ""), ("the disk", True, "full"),
                                   ("the moon", False, UNREADABLE)]


# ---- the command ----

def cli(mill, *words, status=0):
    done = mill.cli("heartbeat", *words)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


def test_the_command(mill, chaos):
    chaos.answers["preset"] = says(True, "look")
    made = json.loads(cli(mill, "add", "cli.md", "-i", "1h30m", "-z", "Europe/Berlin", "-a", "08:00-18:00",
                          "-d", "1,5", "-m", "chaos:preset", "--json"))
    assert (made["interval"], made["timezone"], made["activeHours"]) == (
        90, "Europe/Berlin", {"start": "08:00", "end": "18:00", "daysOfWeek": [1, 5]})
    done = mill.cli("heartbeat", "add", "cli.md", "--interval", "45")
    assert done.stdout == made["id"] + "\n" and "there is no such file" in done.stderr
    assert any(it["id"] == made["id"] for it in json.loads(cli(mill, "list", "--json")))
    assert "45m" in cli(mill, "list") and made["id"] in cli(mill, "show", made["id"])
    checklist(mill, "the disk", name="cli.md")
    assert "nothing was found yet" in cli(mill, "results", made["id"])
    mill.wait_ended(cli(mill, "fire", made["id"]).strip())
    shown = cli(mill, "results", made["id"], "--alerts")
    assert "needed" in shown and "the disk" in shown and "look" in shown
    assert json.loads(cli(mill, "results", made["id"], "--json"))[0]["details"] == "look"
    assert cli(mill, "pause", made["id"]) == f"{made['id']} paused\n"
    assert json.loads(cli(mill, "show", made["id"], "--json"))["enabled"] is False
    assert cli(mill, "resume", made["id"]) == f"{made['id']} resumed\n"
    assert cli(mill, "remove", made["id"]) == f"{made['id']} removed\n"
    assert "there is no heartbeat" in cli(mill, "show", made["id"], status=1)


@pytest.mark.parametrize("words, why", [
    (["add"], "expected add PATH"), (["add", "x.md", "-i", "90s"], "whole minutes"),
    (["add", "x.md", "-i", "0"], "--interval"), (["add", "x.md", "-a", "9"], "expected HH:MM-HH:MM"),
    (["add", "x.md", "-d", "1"], "goes with --active-hours"),
    (["add", "x.md", "-a", "08:00-09:00", "-d", "9"], "--days"), (["results", "x", "-n", "0"], "--limit"),
])
def test_a_command_that_is_wrong(mill, words, why):
    assert why in cli(mill, *words, status=2)


def test_what_the_server_refuses_is_said(mill):
    said = cli(mill, "add", "../x.md", "-z", "Mars/Olympus", status=1)
    assert "timezone" in said
