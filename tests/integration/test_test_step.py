"""One step alone, on a worker, really: with outputs given for others, without what follows
it; hidden from lists unless asked for, and its definitions do not pile up."""
import hashlib
import json

import pytest
from harness.stepmill import Refused, Stepmill, noop, shell, tool, wait_for


def try_step(stepmill, name, step, **body):
    return stepmill.post(f"/api/workflows/{name}/test-step", {"stepId": step, **body})


def refused(stepmill, name, status, body):
    with pytest.raises(Refused) as caught:
        stepmill.post(f"/api/workflows/{name}/test-step", body)
    assert caught.value.status == status, caught.value.body
    return caught.value.body


def definitions(stepmill, name):
    return stepmill.sql("select id, version, is_active from workflow_definitions"
                        " where name = %s and is_test order by id", name)


def test_a_step_of_a_sequence(stepmill):
    name = stepmill.define(
        shell("before", "touch before"), shell("middle", "echo {{steps.before.output.stdout}} {{input.x}}"
                                               " {{steps.after.status}}; touch middle",
                                               **{"if": "false"}),
        shell("after", "touch after"), input={"type": "object", "required": ["y"]},
        output="{{steps.after.output}}", concurrency=1)
    answer = try_step(stepmill, name, "middle", input={"x": 7}, steps={"before": {"stdout": "hi"}})
    assert answer["status"] == "COMPLETED" and answer["output"]["stdout"] == "hi 7 pending\n"
    assert "error" not in answer and answer["durationMs"] >= 0
    assert any("hi 7 pending" in entry["message"] for entry in answer["logs"])
    run = stepmill.execution(answer["executionId"])
    assert (run["triggeredBy"], run["status"], run["version"]) == ("test", "COMPLETED", 1)
    assert [(s["stepKey"], s["status"]) for s in run["steps"]] == [
        ("before", "COMPLETED"), ("middle", "COMPLETED")]
    assert run["current_step"]["stepKey"] == "middle"
    folder = stepmill.folder
    assert not (folder / "before").exists() and not (folder / "after").exists()
    assert (folder / "middle").exists()


def test_it_is_listed_only_when_asked_for(stepmill):
    name = stepmill.define(noop("a"))
    before = stepmill.get("/api/workflows?limit=100")["pagination"]["total"]
    run = try_step(stepmill, name, "a")["executionId"]
    listed = stepmill.get(f"/api/executions?workflowId={name}")["data"]
    assert listed == []
    found, = stepmill.get(f"/api/executions?workflowId={name}&triggeredBy=test")["data"]
    assert found["id"] == run and found["workflowName"] == name
    assert stepmill.get("/api/workflows?limit=100")["pagination"]["total"] == before
    assert len(stepmill.get(f"/api/workflows/{name}/versions")["data"]) == 1
    assert stepmill.get(f"/api/workflows/{name}")["version"] == 1
    # A real run is of the workflow, and a new version is the second.
    assert stepmill.wait_ended(stepmill.execute(name))["version"] == 1
    changed = stepmill.request("POST", "/api/workflows", f"name: {name}\nsteps: [{{id: b, action: noop}}]",
                               content_type="application/yaml")
    assert changed["version"] == 2
    assert [row[1:] for row in definitions(stepmill, name)] == [(1, False)]


def test_the_same_step_has_the_same_definition(stepmill):
    name = stepmill.define(shell("a", "echo {{input.x}}"), noop("b"))
    runs = [try_step(stepmill, name, "a", input={"x": x})["executionId"] for x in range(3)]
    assert len({stepmill.execution(run)["workflowDefId"] for run in runs}) == 1
    old, = definitions(stepmill, name)
    # One that no run is of, and that nobody used for a while, goes when another is made.
    stepmill.sql("delete from workflow_runs where id = any (%s::uuid[])", runs)
    stepmill.sql("update workflow_definitions set updated_at = now() - interval '2 hours'"
                 " where id = %s", old[0])
    kept = try_step(stepmill, name, "b")["executionId"]
    assert [row[0] for row in definitions(stepmill, name)] == [stepmill.sql(
        "select workflow_def_id from workflow_runs where id = %s", kept)[0][0]]
    stepmill.sql("update workflow_definitions set updated_at = now() - interval '2 hours'"
                 " where name = %s and is_test", name)
    try_step(stepmill, name, "a", input={"x": 1})
    assert len(definitions(stepmill, name)) == 2  # a run is of the other


def test_a_step_that_fails(stepmill):
    name = stepmill.define(shell("a", "echo oh >&2; exit 3", onFailure="b"), noop("b"))
    answer = try_step(stepmill, name, "a")
    assert answer["status"] == "FAILED" and answer["error"]["code"]
    assert [s["stepKey"] for s in stepmill.execution(answer["executionId"])["steps"]] == ["a"]


def test_a_step_of_a_graph_and_its_block(stepmill):
    name = stepmill.define(
        noop("root"), {"id": "pick", "action": "conditional", "needs": ["root"],
                       "condition": "steps.root.output == 1", "then": ["yes", "more"], "else": ["no"]},
        shell("yes", "echo yes"), {"id": "more", "action": "loop", "body": ["again"], "maxIterations": 2},
        shell("again", "echo {{index}}"), noop("no"), noop("last", needs=["pick"]))
    answer = try_step(stepmill, name, "pick", steps={"root": 1})
    assert answer["status"] == "COMPLETED" and answer["output"] == {"taken": "then"}
    run = stepmill.execution(answer["executionId"])
    assert sorted(s["stepKey"] for s in run["steps"]) == [
        "again", "again", "more", "pick", "root", "yes"]
    each = stepmill.define(shell("a", "echo {{item}}", foreach="steps.b.output", maxParallel=1), noop("b"))
    answer = try_step(stepmill, each, "a", steps={"b": ["x", "y"]})
    assert [one["stdout"] for one in answer["output"]] == ["x\n", "y\n"]


def test_a_step_that_was_sent(stepmill):
    name = stepmill.define(noop("a"), noop("b"))
    body = {"step": shell("b", "echo {{steps.a.output}}"), "steps": {"a": "new"}}
    answer = stepmill.post(f"/api/workflows/{name}/test-step", body)
    assert answer["output"]["stdout"] == "new\n"
    body["step"]["id"] = "c"
    assert stepmill.post(f"/api/workflows/{name}/test-step", body)["status"] == "COMPLETED"
    body["step"]["tool"] = "shelf"
    problem = refused(stepmill, name, 422, body)
    assert problem["errors"][0]["path"] == "step.tool"


def test_texts_that_yaml_cannot_hold_as_they_are(stepmill):
    odd = "\x7f\x85\u2028\ufeff\U0001f600 '\"\\ \n\t{{input.x}}"
    name = stepmill.define(tool("a", "json.merge", {"values": [{"a": odd}, {"b": "{{steps.b.output}}"}]}),
                           noop("b"))
    answer = try_step(stepmill, name, "a", input={"x": odd}, steps={"b": odd})
    assert answer["output"] == {"a": odd.replace("{{input.x}}", odd), "b": odd}
    walked = stepmill.post(f"/api/workflows/{name}/dry-run", {"input": {"x": "y"}})
    assert walked["steps"][0]["fields"]["args"]["values"][0] == {"a": odd.replace("{{input.x}}", "y")}


def test_what_is_refused(stepmill):
    name = stepmill.define(noop("a"), noop("b"))
    refused(stepmill, name, 400, {})
    refused(stepmill, name, 400, {"stepId": "a", "step": noop("a")})
    refused(stepmill, name, 400, {"stepId": 1})
    refused(stepmill, name, 400, {"step": {"action": "noop"}})
    refused(stepmill, name, 400, {"stepId": "a", "steps": {"a": 1}})
    refused(stepmill, name, 400, {"stepId": "a", "else": 1})
    refused(stepmill, name, 404, {"stepId": "c"})
    refused(stepmill, name, 422, {"stepId": "a", "steps": {"c": 1}})
    refused(stepmill, "there-is-none", 404, {"stepId": "a"})
    assert definitions(stepmill, name) == []
    assert stepmill.get(f"/api/executions?workflowId={name}&triggeredBy=test")["data"] == []


def test_it_is_written_down_and_not_done_twice(stepmill):
    name = stepmill.define(shell("a", "echo x >> twice"))
    first = stepmill.ask("POST", f"/api/workflows/{name}/test-step", {"stepId": "a"},
                         {"Idempotency-Key": name})
    assert first.status == 200 and first.headers["Stepmill-Read-After"]
    again = stepmill.ask("POST", f"/api/workflows/{name}/test-step", {"stepId": "a"},
                         {"Idempotency-Key": name})
    assert again.json["executionId"] == first.json["executionId"]
    assert (stepmill.folder / "twice").read_text() == "x\n"
    (what, details), = stepmill.sql("select what, details from audit_log where target = %s",
                                    f"/api/workflows/{name}/test-step")
    assert what == "workflow.test_step"
    assert details == {"executionId": first.json["executionId"], "step": "a"}


def test_a_gate_is_kept_and_a_long_step_goes_on(stepmill):
    name = stepmill.define(shell("a", "echo done", approvalRequired=True))
    answer = stepmill.ask("POST", f"/api/workflows/{name}/test-step", {"stepId": "a"}, timeout=60)
    assert answer.status == 202 and answer.json["status"] == "PAUSED"
    run = answer.json["executionId"]
    stepmill.post(f"/api/executions/{run}/steps/a/approve")
    assert stepmill.wait_ended(run)["output"]["stdout"] == "done\n"


def test_a_client_that_leaves(stepmill):
    name = stepmill.define(shell("a", "while [ ! -e go ]; do sleep 0.05; done; rm go"))
    with pytest.raises(TimeoutError):
        stepmill.ask("POST", f"/api/workflows/{name}/test-step", {"stepId": "a"}, timeout=1)
    run = wait_for("it runs", lambda: stepmill.get(
        f"/api/executions?workflowId={name}&triggeredBy=test")["data"])[0]["id"]
    (stepmill.folder / "go").touch()
    assert stepmill.wait_ended(run)["status"] == "COMPLETED"


def test_a_failed_test_is_tried_again_with_what_was_given(stepmill):
    name = stepmill.define(noop("a"), shell("b", "echo {{steps.a.output}}; [ -e right ]"), noop("c"))
    failed = try_step(stepmill, name, "b", steps={"a": "it"})
    assert failed["status"] == "FAILED"
    (stepmill.folder / "right").touch()
    for how in ("retry", "rerun"):
        again = stepmill.post(f"/api/executions/{failed['executionId']}/{how}")["executionId"]
        ended = stepmill.wait_ended(again)
        assert ended["status"] == "COMPLETED" and ended["output"]["stdout"] == "it\n"
        assert ended["triggeredBy"] == "test" and ended["retryOfRunId"] == failed["executionId"]
        assert [s["stepKey"] for s in ended["steps"]] == ["a", "b"]


def test_by_the_command_line(stepmill):
    name = stepmill.define(noop("a"), shell("b", "echo {{input.x}} {{steps.a.output}}"))
    done = stepmill.cli("test-step", name, "b", "x=1", "--steps", '{"a": 2}')
    assert done.returncode == 0 and "1 2" in done.stdout and "COMPLETED" in done.stdout, done.stderr
    done = stepmill.cli("test-step", name, "b", "x=1", "--steps", '{"a": 2}', "--json")
    assert json.loads(done.stdout)["output"]["stdout"] == "1 2\n"
    bad = stepmill.define(shell("b", "exit 3"))
    assert stepmill.cli("test-step", bad, "b").returncode == 1
    assert stepmill.cli("test-step", name).returncode == 2
    assert stepmill.cli("test-step", name, "nowhere").returncode == 1


def test_who_may():
    with Stepmill(workers=1) as stepmill:
        name = stepmill.define(noop("a"))
        with stepmill.supervisor(pool_workers=0, auth_required="true") as served:
            wait_for("it serves", lambda: served.ask("GET", "/readyz").status == 200)
            codes = {}
            for role in ("viewer", "operator", "admin"):
                key = f"sm_{role}"
                stepmill.sql("insert into api_keys (id, name, key_hash, role)"
                             " values (gen_random_uuid(), %s, %s, %s)", key,
                             hashlib.sha256(key.encode()).digest(), role)
                codes[role] = [served.ask("POST", f"/api/workflows/{name}/{call}", {"stepId": "a"}
                                          if call == "test-step" else {},
                                          {"Authorization": f"Bearer {key}"}).status
                               for call in ("dry-run", "test-step")]
            assert codes == {"viewer": [403, 403], "operator": [200, 403], "admin": [200, 200]}
