"""Every route with every role and without a key; and what a key sees that is bound to a
project: nothing of another one, on any route. The list is the supervisor's own."""
import json
import re

import pytest
from harness.routes import LEVELS, routes
from harness.stepmill import flow, noop, shell, tool, wait_for
from test_api import bearer, check_problem

NOBODY = "00000000-0000-7000-8000-00000000ffff"
# What ends the supervisor is only asked by those who may not.
FATAL = {"/api/pool/drain"}


@pytest.fixture(scope="module")
def guarded(shared):
    """A supervisor that asks for keys, beside the open one; and a key for each role."""
    with shared.supervisor(pool_workers=0, auth_required="true") as supervisor:
        wait_for("it is ready", lambda: supervisor.ask("GET", "/readyz").status == 200)
        supervisor.keys = {role: shared.post("/api/api-keys", {
            "name": f"role-{role}", "role": role})["key"] for role in ("viewer", "operator", "admin")}
        yield supervisor


def concrete(path, ids=None):
    """With the id of the resource that stands before it."""
    def replace(found):
        return f"/{found[1]}/{(ids or {}).get(found[1], NOBODY)}"
    path = re.sub(r"/([a-z-]+)/:id", replace, path)
    return re.sub(r":[A-Za-z]+", "a", path)


@pytest.mark.parametrize("route", routes(), ids=str)
def test_every_route_asks_for_its_role(guarded, route):
    """Who is not let in gets 401 or 403; who is gets past it, whatever comes then."""
    path = concrete(route.path)
    without = guarded.ask(route.method, path)
    if route.role == "none":
        assert without.status != 403
        return
    check_problem(without, 401)
    assert without.headers["WWW-Authenticate"].startswith("Bearer")
    admin = guarded.keys["admin"]
    for wrong in ("Bearer nonsense", "Bearer ", "Basic YTpi", "Bearer " + "x" * 5000,
                  "Bearer ü".encode().decode("latin-1"), admin, "Bearer " + admin[:-1],
                  "Bearer " + admin + "x"):
        answer = guarded.ask(route.method, path, headers={"Authorization": wrong})
        assert answer.status == 401, (wrong[:30], answer.status)
    for name, key in guarded.keys.items():
        for prefix in ("/api/", "/api/v1/"):
            if LEVELS[name] < LEVELS[route.role]:
                answer = guarded.ask(route.method, path.replace("/api/", prefix), headers=bearer(key))
                check_problem(answer, 403, route.role, name)
            elif route.path not in FATAL:
                answer = guarded.ask(route.method, path.replace("/api/", prefix), headers=bearer(key))
                assert answer.status not in (401, 403), (name, answer.body)


def test_reading_needs_no_more_than_a_viewer_and_changing_more():
    for route in routes():
        if route.method == "GET" and route.path != "/api/api-keys":
            assert route.role in ("none", "viewer"), route
        if route.changes != "-":
            assert route.method != "GET" and LEVELS[route.role] >= LEVELS["operator"], route


# ---- keys bound to a project ----

BODIES = {"comments": {"message": "from elsewhere"}, "pool": {"workers": 1},
          "projects": {"name": "taken over", "path": "/"}, "api-keys": {"name": "x", "role": "admin"},
          "events": {"source": "x", "type": "x", "data": {}}, "execute-batch": {"inputs": [{}]},
          "schedules": {"name": "from elsewhere", "cronExpression": "@yearly"},
          "heartbeats": {"heartbeatPath": "HEARTBEAT.md"},
          "bots": {"slug": "from-elsewhere"}, "send": {"body": "from elsewhere"},
          "preview": {"cronExpression": "@yearly"}}


class Two:
    """Two projects, each with a workflow, a run that waits, and an artifact; and an admin's
    key that is bound to the first."""

    def __init__(self, stepmill, folder):
        self.stepmill = stepmill
        self.key = None
        self.own, self.other = (self.fill(name, folder / name) for name in ("own", "other"))

    def fill(self, name, path):
        path.mkdir()
        stepmill = self.stepmill
        project = stepmill.post("/api/projects", {"name": f"roles-{name}", "path": str(path)})["id"]
        made = stepmill.post("/api/api-keys", {"name": f"roles-{name}-secret", "role": "admin",
                                               "projectId": project})
        self.key = self.key or made["key"]
        return {"projects": project, "api-keys": made["id"]}

    def fill_runs(self, guarded, which, key):
        """Registered with its own key, so that the workflow is the project's."""
        name = f"roles-flow-{'own' if which is self.own else 'other'}"
        text = flow(name, shell("write", "echo very-secret-word > f.txt; echo very-secret-word"),
                    tool("keep", "artifact.add", {"path": "f.txt", "name": f"{name}.txt"}),
                    {"id": "a", "action": "approval", "prompt": f"prompt of {name}"}, noop("b"))
        made = guarded.ask("POST", "/api/workflows", text,
                           {**bearer(key), "Content-Type": "application/yaml"})
        assert made.status == 201, made.body
        made_too = guarded.ask("POST", "/api/schedules", {
            "name": f"schedule of {name}", "cronExpression": "@yearly",
            "workflowId": made.json["id"]}, bearer(key))
        assert made_too.status == 201, made_too.body
        beat = guarded.ask("POST", "/api/heartbeats", {"heartbeatPath": f"{name}.md"}, bearer(key))
        assert beat.status == 201, beat.body
        bot = guarded.ask("POST", "/api/bots", {"slug": name}, bearer(key))
        assert bot.status == 201, bot.body
        run = guarded.ask("POST", f"/api/workflows/{name}/execute", {}, bearer(key))
        assert run.status == 202, run.body
        which |= {"workflows": made.json["id"], "executions": run.json["executionId"],
                  "schedules": made_too.json["id"], "heartbeats": beat.json["id"],
                  "bots": bot.json["id"]}
        self.stepmill.wait_step(which["executions"], "a", "WAITING_APPROVAL")
        [[which["sessions"]]] = self.stepmill.sql(
            "insert into agent_sessions (id, execution_id, step_number, name, session_type)"
            " values (uuid7(), %s, 1, 'roles', 'model') returning id::text", which["executions"])
        which["artifacts"] = self.stepmill.execution(which["executions"])["artifacts"][0]["id"]
        which["name"] = name


@pytest.fixture(scope="module")
def two(shared, guarded, tmp_path_factory):
    folder = tmp_path_factory.mktemp("projects")
    for part in (folder, *folder.parents[:-2]):
        part.chmod(0o755)
    two = Two(shared, folder)
    other = shared.post("/api/api-keys", {"name": "roles-other-key", "role": "admin",
                                          "projectId": two.other["projects"]})["key"]
    two.fill_runs(guarded, two.own, two.key)
    two.fill_runs(guarded, two.other, other)
    return two


def ask_bound(guarded, two, route, ids):
    path = concrete(route.path, ids)
    body = BODIES.get(path.rsplit("/", 1)[1], BODIES.get(route.path.split("/")[2] if
                      route.path.count("/") > 1 else "", {})) if route.method != "GET" else None
    if route.path == "/api/executions/bulk":
        body = {"action": "cancel", "ids": [ids["executions"]]}
    if path.endswith("/artifacts") and route.method == "POST":
        path, body = path + "?name=x", "data"
    if route.method in ("POST", "PUT") and re.fullmatch(r"/api/workflows(/:id)?", route.path):
        body = flow(two.other["name"], noop("replaced"))
    return guarded.ask(route.method, path, body, bearer(two.key))


@pytest.mark.parametrize("route", [r for r in routes() if r.role != "none"], ids=str)
def test_a_bound_key_sees_and_changes_nothing_of_another_project(shared, guarded, two, route):
    other = two.other
    before = shared.execution(other["executions"])
    assert before["status"] == "PAUSED"
    answer = ask_bound(guarded, two, route, other)
    if ":id" in route.path:
        assert answer.status in (403, 404), (answer.status, answer.body[:300])
    elif route.path == "/api/executions/bulk":
        assert answer.json["notFound"] == 1 and answer.json["changed"] == 0
    for word in ("executions", "workflows", "artifacts", "projects", "api-keys", "schedules",
                 "heartbeats", "sessions", "bots"):
        said = answer.body.decode()
        if answer.status < 400 and route.path != "/api/executions/bulk":
            assert other[word] not in said, (word, said[:500])
    if route.method == "GET":
        assert other["name"] not in answer.body.decode() and "roles-other" not in answer.body.decode()
    assert shared.execution(other["executions"]) == before, "nothing of it has changed"


def test_a_bound_key_filters_for_nothing_else(guarded, two):
    other, key = two.other, bearer(two.key)
    for query in (f"projectId={other['projects']}", f"workflowId={other['workflows']}",
                  f"workflowId={other['name']}", "q=roles-flow-other"):
        found = guarded.ask("GET", f"/api/executions?{query}", headers=key)
        assert found.json["data"] == [] and found.json["pagination"]["total"] == 0, query
    for body in ({"projectId": other["projects"]}, {"workflowId": other["name"]}):
        answer = guarded.ask("POST", "/api/executions/bulk", {"action": "cancel", "filter": body}, key)
        assert answer.json["matched"] == 0
    answer = guarded.ask("POST", f"/api/workflows/{two.own['name']}/execute",
                         {"projectId": other["projects"]}, key)
    check_problem(answer, 404)


def test_a_bound_key_works_in_its_own_project(shared, guarded, two):
    own, key = two.own, bearer(two.key)
    run = f"/api/executions/{own['executions']}"
    for path in (run, f"{run}/logs", f"{run}/logs/download", f"{run}/artifacts", f"{run}/events",
                 f"/api/artifacts/{own['artifacts']}/download", f"/api/workflows/{own['name']}",
                 f"/api/projects/{own['projects']}", "/api/stats", "/api/queues"):
        assert guarded.ask("GET", path, headers=key).status == 200, path
    listed = guarded.ask("GET", "/api/projects", headers=key).json
    assert [p["id"] for p in listed["data"]] == [own["projects"]]
    assert listed["pagination"]["total"] == 1
    assert guarded.ask("POST", f"{run}/comments", {"message": "mine"}, key).status == 201
    assert guarded.ask("POST", f"{run}/artifacts?name=n", "data", key).status == 201
    stats = guarded.ask("GET", "/api/stats", headers=key).json
    assert [w["name"] for w in stats["workflows"]] == [own["name"]]
    for method, path, body in (("PATCH", f"/api/projects/{own['projects']}", {"path": "/"}),
                               ("DELETE", f"/api/projects/{own['projects']}", None),
                               ("POST", "/api/projects", {"name": "x", "path": "/"}),
                               ("GET", "/api/api-keys", None), ("GET", "/api/audit", None),
                               ("POST", "/api/api-keys", {"name": "x", "role": "admin"})):
        check_problem(guarded.ask(method, path, body, key), 403, "bound")
    everybody_s = shared.define(noop("a"))
    assert guarded.ask("GET", f"/api/workflows/{everybody_s}", headers=key).status == 200
    check_problem(guarded.ask("DELETE", f"/api/workflows/{everybody_s}", headers=key), 403)
    done = guarded.ask("POST", f"{run}/steps/a/approve", {}, key)
    assert done.status == 200
    assert shared.wait_ended(own["executions"])["status"] == "COMPLETED"
    assert guarded.ask("DELETE", run, headers=key).status == 204


def test_a_key_bound_to_tools_makes_none_that_is_not(shared, guarded):
    key = shared.post("/api/api-keys", {"name": "roles-tools", "role": "admin", "tools": ["shell"]})["key"]
    for body in ({"name": "x", "role": "viewer"}, {"name": "x", "role": "admin", "tools": ["shell"]}):
        check_problem(guarded.ask("POST", "/api/api-keys", body, bearer(key)), 403, "tools")
    assert guarded.ask("GET", "/api/api-keys", headers=bearer(key)).status == 200
