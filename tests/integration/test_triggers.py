"""Triggers that workflows declare: they come, change and go with the newest version; and runs
that events start, once each, whatever dies."""
import itertools
import json
import os
import signal

import pytest
from harness.stepmill import Refused, Stepmill, flow, noop, shell, tool, wait_for

names = itertools.count(1)


def name():
    return f"triggered-{next(names)}"


def rows(stepmill, workflow):
    return stepmill.sql("select place, kind, path, source, type, spec from workflow_triggers t"
                        " join workflows w on w.id = t.workflow_id where w.name = %s"
                        " order by place", workflow)


def webhook(path, auth="none", **more):
    return {"webhook": {"path": path, "auth": auth, **more}}


@pytest.fixture(scope="module")
def apart():
    """A server on which nobody else's runs end."""
    with Stepmill(workers=2) as stepmill:
        yield stepmill


# ---- they come and go ----

def test_triggers_come_change_and_go_with_the_versions(stepmill):
    workflow = name()
    first = flow(workflow, noop("a"), trigger=[
        "manual", "every 5 hours", webhook(f"{workflow}/in", {"bearer": ["hush", "env:X"]}),
        {"event": {"source": "shop", "type": "paid"}}, {"fileWatch": {"paths": "inbox"}}])
    stepmill.workflow(first)
    found = rows(stepmill, workflow)
    assert [row[:5] for row in found] == [
        (2, "webhook", f"{workflow}/in", None, None), (3, "event", None, "shop", "paid"),
        (4, "file_watch", None, None, None)]
    assert found[0][5]["webhook"]["auth"] == {"bearer": ["***", "env:X"]}
    before = stepmill.sql("select xmin from workflow_triggers where kind = 'event'")
    stepmill.workflow(first)
    assert stepmill.sql("select xmin from workflow_triggers where kind = 'event'") == before
    stepmill.workflow(flow(workflow, noop("a"), trigger=[
        {"event": {"type": "paid"}}, webhook(f"{workflow}/in"), webhook(f"{workflow}/b")]))
    assert [row[:5] for row in rows(stepmill, workflow)] == [
        (0, "event", None, None, "paid"), (1, "webhook", f"{workflow}/in", None, None),
        (2, "webhook", f"{workflow}/b", None, None)]
    stepmill.request("DELETE", f"/api/workflows/{workflow}?deactivate=true")
    assert rows(stepmill, workflow) == []
    stepmill.workflow(first)
    assert len(rows(stepmill, workflow)) == 3
    stepmill.request("DELETE", f"/api/workflows/{workflow}")
    assert rows(stepmill, workflow) == []


def test_a_changed_secret_is_a_new_version_and_is_masked(stepmill):
    workflow = name()
    for version, secret in enumerate(("hush-one", "hush-two", "hush-two"), 1):
        answer = stepmill.post("/api/workflows", flow(
            workflow, noop("a"), trigger=[webhook(workflow, {"hmacSha256": secret})]),
            content_type="application/yaml")
        assert answer["version"] == min(version, 2)
    shown = stepmill.get(f"/api/workflows/{workflow}")
    assert shown["config"]["trigger"][0]["webhook"]["auth"] == {"hmacSha256": "***"}
    assert '{"hmacSha256": "***"}' in shown["source"] and "hush" not in json.dumps(shown)
    # what was shown is not taken for a secret when it comes back
    with pytest.raises(Refused) as refused:
        stepmill.workflow(shown["source"])
    assert "stands where a secret was" in json.dumps(refused.value.body)
    checked = stepmill.post("/api/workflows/validate", flow(
        workflow, noop("a"), trigger=[webhook(workflow, {"hmacSha256": "hush-one"})]),
        content_type="application/yaml")
    assert "hush" not in str(checked)


def test_a_path_belongs_to_one_workflow(stepmill):
    first, second = name(), name()
    stepmill.workflow(flow(first, noop("a"), trigger=[webhook("taken/once")]))
    with pytest.raises(Refused) as refused:
        stepmill.workflow(flow(second, noop("a"), trigger=[webhook("taken/once")]))
    assert refused.value.status == 409
    assert refused.value.body["detail"] == (
        f'the webhook path "taken/once" belongs to the workflow "{first}"')
    with pytest.raises(Refused):
        stepmill.get(f"/api/workflows/{second}")
    stepmill.workflow(flow(first, noop("a"), trigger=[webhook("taken/no-more")]))
    stepmill.workflow(flow(second, noop("a"), trigger=[webhook("taken/once")]))


def test_triggers_of_a_file_go_with_it(apart):
    path = apart.templates / "t.yaml"
    path.write_text(flow("of-a-file", noop("a"), trigger=[webhook("of/a-file")]))
    wait_for("it is there", lambda: rows(apart, "of-a-file"))
    path.unlink()
    wait_for("it is gone", lambda: not rows(apart, "of-a-file"))
    path.write_text(flow("of-a-file", noop("a"), trigger=[webhook("of/a-file")]))
    wait_for("it is there again", lambda: rows(apart, "of-a-file"))


# ---- events ----

def tell(stepmill, type, data=None, source="shop", **more):
    return stepmill.post("/api/events", {"source": source, "type": type, "data": data}, **more)["id"]


def waits_for(stepmill, type, *steps, **event):
    """A workflow that such events start; its name."""
    workflow = name()
    stepmill.workflow(flow(workflow, *(steps or [noop("a")]),
                           output={"trigger": "{{trigger}}", "input": "{{input}}"},
                           trigger=[{"event": {"type": type, **event}}]))
    return workflow


def started(stepmill, workflow):
    return [row[0] for row in stepmill.sql(
        "select id::text from v_runs where workflow_name = %s order by id", workflow)]


def wait_runs(stepmill, workflow, count):
    wait_for(f"{count} runs", lambda: len(started(stepmill, workflow)) >= count)
    return [stepmill.wait_ended(run) for run in started(stepmill, workflow)]


def settled(stepmill):
    wait_for("all events were looked at", lambda: not stepmill.sql(
        "select 1 from bus_events where pending"))


def test_an_event_starts_a_run_of_each_trigger(stepmill):
    type = f"order.paid-{name()}"
    every, of_shop = waits_for(stepmill, type), waits_for(stepmill, type, source="shop")
    dear = waits_for(stepmill, type, when="trigger.data.total > 10",
                     input={"total": "{{trigger.data.total}}"})
    ids = [tell(stepmill, type, {"total": 11}), tell(stepmill, type, {"total": 9}, source="other"),
           tell(stepmill, type, [1])]
    tell(stepmill, type + "x", {"total": 11})
    settled(stepmill)
    runs = wait_runs(stepmill, every, 3)
    assert [run["output"]["trigger"]["id"] for run in runs] == ids
    trigger = runs[0]["output"]["trigger"]
    assert trigger.pop("at").endswith("Z")
    assert trigger == {"type": "event", "id": ids[0], "source": "shop", "eventType": type,
                       "data": {"total": 11}, "depth": 1}
    assert [run["output"]["input"] for run in runs] == [{"total": 11}, {"total": 9}, {}]
    assert {run["triggeredBy"] for run in runs} == {"event"}
    assert len(wait_runs(stepmill, of_shop, 2)) == 2
    [run] = wait_runs(stepmill, dear, 1)  # of the list the condition fails
    assert run["output"]["input"] == {"total": 11}
    assert '"event_trigger.skipped"' in stepmill.log() or "event_trigger.skipped" in stepmill.log()


def test_events_without_a_trigger_wait_for_nobody(stepmill):
    tell(stepmill, "nobody.waits")
    assert stepmill.sql("select pending from bus_events where type = 'nobody.waits'") == [(False,)]


def test_the_engine_s_source_is_its_own(stepmill):
    with pytest.raises(Refused) as refused:
        tell(stepmill, "run.completed", source="stepmill")
    assert refused.value.status == 400


def test_an_event_of_a_project_is_for_that_one_and_for_everybody_s(stepmill, tmp_path):
    keys = {}
    type = f"of-a-project-{name()}"
    with stepmill.supervisor(pool_workers=0, auth_required="true") as guarded:
        wait_for("it is ready", lambda: guarded.ask("GET", "/readyz").status == 200)
        workflows = {}
        for which in ("one", "two"):
            project = stepmill.post("/api/projects", {"name": f"{type}-{which}", "path": str(tmp_path)})
            keys[which] = {"Authorization": "Bearer " + stepmill.post("/api/api-keys", {
                "name": f"{type}-{which}", "role": "admin", "projectId": project["id"]})["key"],
                "Content-Type": "application/json"}
            workflows[which] = name()
            made = guarded.ask("POST", "/api/workflows", flow(workflows[which], noop("a"), trigger=[
                {"event": {"type": type}}]), keys[which])
            assert made.status == 201, made.body
            keys[which]["id"] = project["id"]
        workflows["all"] = waits_for(stepmill, type)
        one = keys["one"].pop("id")
        assert guarded.ask("POST", "/api/events", {"source": "s", "type": type},
                           keys["one"]).status == 202
        settled(stepmill)
        assert len(wait_runs(stepmill, workflows["one"], 1)) == 1
        assert started(stepmill, workflows["two"]) == []
        [run] = wait_runs(stepmill, workflows["all"], 1)
        assert run["projectId"] == one
        tell(stepmill, type)
        settled(stepmill)
        for which, count in (("one", 2), ("two", 1), ("all", 2)):
            assert len(wait_runs(stepmill, workflows[which], count)) == count


def test_the_engine_tells_of_its_runs(apart):
    of = {kind: waits_for(apart, kind, when="trigger.data.workflow == 'told'")
          for kind in ("run.completed", "run.failed", "run.cancelled", "run.timed_out",
                       "artifact.created")}

    def told(*steps, **top):
        apart.workflow(flow("told", *steps, **top))
        return apart.execute("told")
    done = told(shell("make", "echo x > x.txt"), tool("keep", "artifact.add", {"path": "x.txt"}))
    apart.wait_ended(done)
    failed = told(shell("a", "exit 1"))
    apart.wait_ended(failed)
    late = told(shell("a", "sleep 60"), timeout=300)
    apart.wait_ended(late)
    cancelled = told(shell("a", "sleep 60"))
    apart.post(f"/api/executions/{cancelled}/cancel")
    for kind, run in (("run.completed", done), ("run.failed", failed), ("run.timed_out", late),
                      ("run.cancelled", cancelled), ("artifact.created", done)):
        [started_by] = wait_runs(apart, of[kind], 1)
        trigger = started_by["output"]["trigger"]
        assert (trigger["source"], trigger["eventType"]) == ("stepmill", kind)
        data = trigger["data"]
        assert (data["executionId"], data["workflow"]) == (run, "told")
        assert data["runId"] == apart.execution(run)["runId"]
        if kind != "artifact.created":
            assert data["status"] == kind.split(".")[1]
        else:
            [artifact] = apart.execution(run)["artifacts"]
            assert data["artifactId"] == artifact["id"] and data["name"] == "x.txt"
    apart.post("/api/workflows/told/test-step", {"step": noop("b")})
    settled(apart)
    assert {len(started(apart, workflow)) for workflow in of.values()} == {1}


def test_runs_that_events_start_do_not_go_on_for_ever(apart):
    """Also when the one that ends is a child of the one that was started."""
    apart.workflow(flow("child", noop("a"), trigger=[
        {"event": {"type": "run.completed", "when": "trigger.data.workflow == 'parent'"}}]))
    apart.workflow(flow("parent", noop("a")))
    apart.workflow(flow("round", {"id": "a", "action": "workflow", "workflow": "again"}))
    apart.workflow(flow("again", noop("a"), trigger=[
        {"event": {"type": "run.completed", "when": "trigger.data.workflow == 'again'"}}]))
    apart.run("again")
    wait_runs(apart, "again", 9)
    wait_for("it was said", lambda: "stand one behind the other" in apart.log())
    settled(apart)
    assert len(started(apart, "again")) == 9
    assert [run["triggerPayload"]["depth"] for run in wait_runs(apart, "again", 9)[1:]] == list(
        range(1, 9))
    apart.workflow(flow("loop", {"id": "a", "action": "workflow", "workflow": "inner"}, trigger=[
        {"event": {"type": "run.completed", "when": "trigger.data.workflow == 'inner'"}}]))
    apart.workflow(flow("inner", noop("a")))
    apart.run("loop")
    wait_runs(apart, "loop", 9)
    settled(apart)
    assert len(started(apart, "loop")) == 9


def test_a_killed_scheduler_starts_each_event_once(apart):
    workflow = waits_for(apart, "counted")
    ids = []
    for burst in range(6):
        ids += [tell(apart, "counted", {"n": len(ids)}) for _ in range(10)]
        kill_scheduler(apart)
    wait_for("all were looked at", lambda: not apart.sql(
        "select 1 from bus_events where pending"), 60)
    runs = wait_runs(apart, workflow, len(ids))
    assert sorted(run["triggerPayload"]["id"] for run in runs) == sorted(ids)


def kill_scheduler(stepmill):
    [pid] = [row[0] for row in stepmill.sql("select pid from scheduler_leader where epoch > 0")]
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
