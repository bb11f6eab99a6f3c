"""A key that is bound to a project sees and changes that project only: what is others' is
not there. Everybody's workflows (of no project) may be read and run, in the own project."""
import hashlib
import json
import uuid

import pytest
from harness.stepmill import Stepmill, flow, shell

NOOP = {"id": "a", "action": "noop"}


def project(stepmill, name):
    made = str(uuid.uuid4())
    stepmill.sql("insert into projects (id, name, path) values (%s, %s, %s)",
                 made, name, str(stepmill.folder))
    return made


def key_for(stepmill, project_id, role="admin"):
    key = f"sm_{uuid.uuid4().hex}"
    stepmill.sql("insert into api_keys (id, name, key_hash, role, project_id)"
                 " values (gen_random_uuid(), %s, %s, %s, %s)", key[:12],
                 hashlib.sha256(key.encode()).digest(), role, project_id)
    return key


class Tenant:
    def __init__(self, supervisor, project_id, key):
        self.supervisor, self.project, self.key = supervisor, project_id, key

    def ask(self, method, path, body=None):
        return self.supervisor.ask(method, path, body, {"Authorization": f"Bearer {self.key}"})

    def ids(self, path):
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.body
        return {row["id"] for row in answer.json["data"]}


@pytest.fixture(scope="module")
def own():
    """Of this module: others count workflows."""
    with Stepmill(workers=2) as stepmill:
        yield stepmill


@pytest.fixture(scope="module")
def tenants(own):
    with own.supervisor(pool_workers=0, auth_required="true") as supervisor:
        made = []
        for name in ("red", "blue"):
            owner = project(own, f"{name}-{uuid.uuid4().hex[:6]}")
            made.append(Tenant(supervisor, owner, key_for(own, owner)))
        yield made


def start(tenant, workflow, **more):
    answer = tenant.ask("POST", f"/api/workflows/{workflow}/execute", more)
    assert answer.status == 202, answer.body
    return answer.json["executionId"]


def test_runs_of_others_are_not_there(own, tenants):
    red, blue = tenants
    everybodys = own.workflow(flow("everybodys", NOOP))
    run = start(red, everybodys)
    assert own.wait_ended(run)["projectId"] == red.project
    name = own.execution(run)["runId"]
    for handle in (run, name):
        assert red.ask("GET", f"/api/executions/{handle}").status == 200
        for method, rest in (("GET", ""), ("POST", "/cancel"), ("GET", "/events"),
                             ("GET", "/logs"), ("GET", "/logs/download"),
                             ("GET", "/artifacts")):
            answer = blue.ask(method, f"/api/executions/{handle}{rest}")
            assert answer.status == 404, (rest, answer.body)
    assert run in red.ids("/api/executions?limit=100")
    assert run not in blue.ids("/api/executions?limit=100")
    assert run not in blue.ids(f"/api/executions?projectId={red.project}")


def test_a_run_of_others_cannot_be_cancelled(own, tenants):
    red, blue = tenants
    sleeper = own.workflow(flow("sleeper-of-red", shell("a", "sleep 653")))
    run = start(red, sleeper)
    own.wait_running(run, "a")
    assert blue.ask("POST", f"/api/executions/{run}/cancel").status == 404
    assert own.execution(run)["status"] == "RUNNING"
    assert red.ask("POST", f"/api/executions/{run}/cancel").status == 200
    assert own.wait_ended(run)["status"] == "CANCELLED"


def test_workflows_of_others_are_not_there(own, tenants):
    red, blue = tenants
    everybodys = own.workflow(flow("everybodys", NOOP))
    made = red.ask("POST", "/api/workflows", flow("private", NOOP))
    assert made.status == 201, made.body
    private = made.json["id"]
    for handle in (private, "private"):
        assert red.ask("GET", f"/api/workflows/{handle}").json["projectId"] == red.project
        assert red.ask("GET", f"/api/workflows/{handle}/versions").status == 200
        assert blue.ask("GET", f"/api/workflows/{handle}").status == 404
        assert blue.ask("GET", f"/api/workflows/{handle}/versions").status == 404
        assert blue.ask("POST", f"/api/workflows/{handle}/execute", {}).status == 404
    start(red, private)
    start(red, "private")
    assert private in red.ids("/api/workflows?limit=100")
    seen = blue.ask("GET", "/api/workflows?limit=100").json["data"]
    assert private not in {row["id"] for row in seen}
    assert everybodys in {row["name"] for row in seen}


def test_each_has_a_workflow_of_the_same_name(own, tenants):
    red, blue = tenants
    own.workflow(flow("namesake", {"id": "everybodys", "action": "noop"}))
    for tenant, key in ((red, "reds"), (blue, "blues")):
        made = tenant.ask("POST", "/api/workflows",
                          flow("namesake", {"id": key, "action": "noop"}))
        assert (made.status, made.json["version"]) == (201, 1), made.body
    for tenant, key in ((red, "reds"), (blue, "blues")):
        versions = tenant.ask("GET", "/api/workflows/namesake/versions").json["data"]
        assert [row["projectId"] for row in versions] == [tenant.project]
        run = start(tenant, "namesake")
        assert [s["stepKey"] for s in own.wait_ended(run)["steps"]] == [key]


def test_a_run_cannot_be_put_into_another_project(own, tenants):
    red, blue = tenants
    everybodys = own.workflow(flow("everybodys", NOOP))
    answer = blue.ask("POST", f"/api/workflows/{everybodys}/execute",
                      {"projectId": red.project})
    assert answer.status == 404, answer.body
    start(blue, everybodys, projectId=blue.project)


def test_artifacts_of_others_are_not_there(own, tenants):
    red, blue = tenants
    made = own.workflow(flow("reporter", shell("a", "printf kept > note.txt"), {
        "id": "keep", "action": "tool", "tool": "artifact.add", "args": {"path": "note.txt"}}))
    run = start(red, made)
    assert own.wait_ended(run)["status"] == "COMPLETED"
    artifact = own.execution(run)["artifacts"][0]["id"]
    assert red.ask("GET", f"/api/artifacts/{artifact}/download").body == b"kept"
    assert blue.ask("GET", f"/api/artifacts/{artifact}/download").status == 404


def test_the_pool_is_nobody_s_alone(tenants):
    red, _ = tenants
    assert red.ask("PUT", "/api/pool", {"workers": 1}).status == 403
    assert red.ask("POST", "/api/pool/drain").status == 403


def test_q_is_text_and_no_pattern(own, tenants):
    red, _ = tenants
    run = start(red, own.workflow(flow("q-is-text", NOOP)))
    assert run in red.ids("/api/executions?q=Q-IS-TEXT")
    for pattern in ("q%25text", "q_is_text", "%5C", "%25"):
        assert run not in red.ids(f"/api/executions?q={pattern}"), pattern
    assert red.ask("GET", "/api/workflows?isActive=perhaps").status == 400
    assert json.loads(red.ask("GET", "/api/workflows?isActive=true").body)["data"]
