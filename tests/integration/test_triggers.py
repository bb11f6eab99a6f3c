"""Triggers that workflows declare: they come, change and go with the newest version; and runs
that events start, once each, whatever dies."""
import itertools

import pytest
from harness.stepmill import Refused, flow, noop, wait_for

names = itertools.count(1)


def name():
    return f"triggered-{next(names)}"


def rows(stepmill, workflow):
    return stepmill.sql("select place, kind, path, source, type, spec from workflow_triggers t"
                        " join workflows w on w.id = t.workflow_id where w.name = %s"
                        " order by place", workflow)


def webhook(path, auth="none", **more):
    return {"webhook": {"path": path, "auth": auth, **more}}


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
    config = stepmill.get(f"/api/workflows/{workflow}")["config"]
    assert config["trigger"][0]["webhook"]["auth"] == {"hmacSha256": "***"}
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


def test_triggers_of_a_file_go_with_it(fresh):
    path = fresh.templates / "t.yaml"
    path.write_text(flow("of-a-file", noop("a"), trigger=[webhook("of/a-file")]))
    wait_for("it is there", lambda: rows(fresh, "of-a-file"))
    path.unlink()
    wait_for("it is gone", lambda: not rows(fresh, "of-a-file"))
    path.write_text(flow("of-a-file", noop("a"), trigger=[webhook("of/a-file")]))
    wait_for("it is there again", lambda: rows(fresh, "of-a-file"))
