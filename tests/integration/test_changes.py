"""Calls that change something: each is one transaction with its row in the audit log and, under
an Idempotency-Key, its stored answer; a refused one leaves nothing. (I4)"""
import concurrent.futures
import json
import os
import signal
import uuid

import psycopg
import pytest
from harness.stepmill import flow, noop, wait_for

WAITS = {"id": "nap", "action": "wait", "for": "1h"}
ASKS = {"id": "ask", "action": "approval", "prompt": "Shall it go on?"}


def post(stepmill, path, body=None, key=None, **headers):
    if key is not None:
        headers["Idempotency-Key"] = key
    headers.setdefault("Content-Type", "application/json")
    return stepmill.ask("POST", path, None if body is None else json.dumps(body).encode(), headers)


def database(stepmill, **more):
    return psycopg.connect(stepmill.state["databaseUrl"], **more)


def new_key():
    return f"key-{uuid.uuid4()}"


def audited(stepmill, target):
    return [row[0] for row in stepmill.sql(
        "select what from audit_log where target = %s order by id", target)]


def lies_before(first, second):
    """Who reads after the second answer sees what the first one tells of."""
    def position(answer):
        return [int(part, 16) for part in answer.headers["Stepmill-Read-After"].split("/")]
    return position(first) <= position(second)


def test_the_same_key_gets_the_stored_answer(stepmill):
    run, key = stepmill.begin(WAITS), new_key()
    first = post(stepmill, f"/api/executions/{run}/pause", key=key)
    assert first.status == 200 and first.json["status"] == "PAUSED"
    assert post(stepmill, f"/api/executions/{run}/resume").status == 200
    again = post(stepmill, f"/api/executions/{run}/pause", key=key)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert lies_before(first, again)
    assert stepmill.execution(run)["status"] == "RUNNING"  # it was not paused again
    assert audited(stepmill, run) == ["workflow.execute", "execution.pause", "execution.resume"]
    assert post(stepmill, f"/api/executions/{run}/cancel").status == 200


def test_a_start_says_what_to_read_after(stepmill):
    name, key = stepmill.define(WAITS), new_key()
    first = post(stepmill, f"/api/workflows/{name}/execute", {}, key)
    again = post(stepmill, f"/api/workflows/{name}/execute", {}, key)
    assert (first.status, again.status) == (202, 202) and first.body == again.body
    assert lies_before(first, again)
    run = first.json["executionId"]
    read = stepmill.ask("GET", f"/api/executions/{run}", None,
                        {"Stepmill-Read-After": first.headers["Stepmill-Read-After"]})
    assert read.status == 200
    assert post(stepmill, f"/api/executions/{run}/cancel").status == 200


def test_another_call_with_the_key_is_refused(stepmill):
    first, second, key = stepmill.begin(WAITS), stepmill.begin(WAITS), new_key()
    assert post(stepmill, f"/api/executions/{first}/cancel", key=key).status == 200
    for path, body in [(f"/api/executions/{second}/cancel", None),
                       (f"/api/executions/{first}/pause", None),
                       (f"/api/executions/{first}/cancel", {"reason": "other body"})]:
        refused = post(stepmill, path, body, key=key)
        assert refused.status == 422 and "another call" in refused.json["detail"]
    assert stepmill.execution(second)["status"] == "RUNNING"
    assert post(stepmill, f"/api/executions/{second}/cancel").status == 200


def test_another_query_is_another_call(stepmill):
    name, key = stepmill.define(noop("a")), {"Idempotency-Key": new_key()}
    path = f"/api/workflows/{name}"
    assert stepmill.ask("DELETE", f"{path}?deactivate=true", headers=key).status == 200
    assert stepmill.ask("DELETE", f"{path}?deactivate=true", headers=key).status == 200
    assert stepmill.ask("DELETE", path, headers=key).status == 422
    assert stepmill.get(path)["isActive"] is False


def test_the_key_of_one_client_is_not_another_s(stepmill):
    """Nor does it tell of the other's run."""
    name, key = stepmill.define(noop("a")), new_key()
    with stepmill.supervisor(pool_workers=0, auth_required="true") as guarded:
        wait_for("it is ready", lambda: guarded.ask("GET", "/readyz").status == 200)
        keys = [stepmill.post("/api/api-keys", {"name": new_key(), "role": "operator"})["key"]
                for _ in range(2)]

        def execute(whose):
            return guarded.ask("POST", f"/api/workflows/{name}/execute", {"input": {}}, {
                "Authorization": f"Bearer {whose}", "Idempotency-Key": key})
        first = execute(keys[0])
        assert first.status == 202 and execute(keys[0]).json == first.json
        other = execute(keys[1])
        assert other.status == 422 and first.json["executionId"] not in other.body.decode()


def test_a_call_that_is_still_running(stepmill):
    """Here somebody else, another supervisor for example, is at it."""
    run, key = stepmill.begin(WAITS), new_key()
    with database(stepmill, autocommit=True) as other:
        other.execute("select pg_advisory_lock(7366531, hashtext('dev' || chr(10) || %s))", (key,))
        busy = post(stepmill, f"/api/executions/{run}/cancel", key=key)
        assert busy.status == 409 and busy.headers["Retry-After"] == "1"
        assert "still running" in busy.json["detail"]
    wait_for("it is over", lambda: post(
        stepmill, f"/api/executions/{run}/cancel", key=key).status == 200)


def test_many_at_once_with_one_key_happen_once(stepmill):
    run, key = stepmill.begin(WAITS), new_key()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(
            lambda _: post(stepmill, f"/api/executions/{run}/rerun", key=key), range(16)))
        assert {answer.status for answer in answers} == {409}  # it still runs
        post(stepmill, f"/api/executions/{run}/cancel")
        answers = list(pool.map(
            lambda _: post(stepmill, f"/api/executions/{run}/rerun", key=key), range(16)))
    made = {answer.json["executionId"] for answer in answers if answer.status == 202}
    assert {answer.status for answer in answers} <= {202, 409} and len(made) == 1
    assert stepmill.sql("select count(*) from workflow_runs where retry_of_run_id = %s",
                        run) == [(1,)]
    post(stepmill, f"/api/executions/{made.pop()}/cancel")


def test_what_is_refused_is_not_kept(stepmill):
    run, key = stepmill.begin(ASKS), new_key()
    wait_for("it asks", lambda: stepmill.execution(run)["status"] == "PAUSED")
    path = f"/api/executions/{run}/steps/ask/approve"
    assert post(stepmill, path, {"comment": 7}, key=key).status == 400
    assert post(stepmill, path, {"comment": "yes"}, key=key).status == 200
    assert post(stepmill, path, {"comment": "yes"}, key=key).status == 200
    assert post(stepmill, path, {"comment": "yes"}).status == 409  # none is pending any more
    assert stepmill.wait_ended(run)["status"] == "COMPLETED"
    assert audited(stepmill, run) == ["workflow.execute", "approval.approve"]


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_bad_key(stepmill, key):
    run = stepmill.begin(noop("one"))
    assert post(stepmill, f"/api/executions/{run}/cancel", key=key).status == 400


def test_an_expired_key_is_free_again(stepmill):
    run, key = stepmill.begin(WAITS), new_key()
    assert post(stepmill, f"/api/executions/{run}/pause", key=key).status == 200
    stepmill.sql("update idempotency_keys set expires_at = now() where key = %s returning 1", key)
    assert post(stepmill, f"/api/executions/{run}/cancel", key=key).status == 200


def test_registering_and_events_are_changes(stepmill):
    name, key = f"changes-{uuid.uuid4().hex[:8]}", new_key()
    first = post(stepmill, "/api/workflows", json.loads(flow(name, noop("one"))), key=key)
    assert first.status == 201 and first.json["version"] == 1
    assert post(stepmill, "/api/workflows", json.loads(flow(name, noop("one"))), key=key).body == first.body
    assert post(stepmill, "/api/workflows", json.loads(flow(name, noop("two"))), key=key).status == 422
    assert audited(stepmill, name) == ["workflow.register"]
    event = {"source": "test", "type": "changes.told", "data": {}}
    told = post(stepmill, "/api/events", event, key=key + "e")
    assert told.status == 202
    assert post(stepmill, "/api/events", event, key=key + "e").body == told.body
    assert stepmill.sql("select count(*) from bus_events where type = 'changes.told'") == [(1,)]


def test_the_audit_log_says_who_what_from_where(stepmill):
    run = stepmill.begin(WAITS)
    post(stepmill, f"/api/executions/{run}/cancel")
    rows = stepmill.sql("select who, what, host(ip) from audit_log where target = %s order by id",
                        run)
    assert rows == [("dev", "workflow.execute", "127.0.0.1"),
                    ("dev", "execution.cancel", "127.0.0.1")]


def test_changes_tell_what_readers_must_have_seen(stepmill):
    run = stepmill.begin(WAITS)
    position = post(stepmill, f"/api/executions/{run}/cancel").headers["Stepmill-Read-After"]
    high, low = (int(part, 16) for part in position.split("/"))
    assert (high, low) > (0, 0)
    read = stepmill.ask("GET", f"/api/executions/{run}", None, {"Stepmill-Read-After": position})
    assert read.json["status"] == "CANCELLED"


def test_a_change_whose_connection_is_cut(fresh):
    """The transaction goes with its connection, and the next change has a new one."""
    run, key = fresh.begin(WAITS), new_key()
    with database(fresh) as other:
        other.execute("select from stepmill.workflow_run_state where execution_id = %s for update", (run,))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            call = pool.submit(post, fresh, f"/api/executions/{run}/cancel", key=key)
            wait_for("it waits for the run", lambda: fresh.sql(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                " and application_name = 'stepmill front changes'") == [(1,)])
            (pid,), = fresh.sql("select pid from pg_stat_activity where wait_event_type = 'Lock'"
                                " and application_name = 'stepmill front changes'")
            fresh.sql("select pg_terminate_backend(%s)", pid)
            assert call.result().status == 503
        other.rollback()
    assert fresh.execution(run)["status"] == "RUNNING" and audited(fresh, run) == [
        "workflow.execute"]
    answer = wait_for("it is done", lambda: (now := post(
        fresh, f"/api/executions/{run}/cancel", key=key)).status == 200 and now)
    assert answer.json["status"] == "CANCELLED"


def test_the_front_dies_within_a_change(fresh):
    """Nothing of it happened, and the same call does it."""
    run, key = fresh.begin(WAITS), new_key()
    with database(fresh) as other:
        other.execute("select from stepmill.workflow_run_state where execution_id = %s for update", (run,))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            call = pool.submit(post, fresh, f"/api/executions/{run}/cancel", key=key)
            wait_for("it waits for the run", lambda: fresh.sql(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                " and application_name = 'stepmill front changes'") == [(1,)])
            (front,), = fresh.sql("select pid from nodes")
            os.kill(front, signal.SIGKILL)
            with pytest.raises(OSError):
                call.result()
        other.rollback()
    answer = wait_for("it is done", lambda: (now := try_post(
        fresh, f"/api/executions/{run}/cancel", key)) and now.status == 200 and now)
    assert answer.json["status"] == "CANCELLED"
    assert audited(fresh, run) == ["workflow.execute", "execution.cancel"]


def try_post(stepmill, path, key):
    try:
        return post(stepmill, path, key=key)
    except OSError:
        return None


def test_a_workflow_registered_here_is_known_there(fresh):
    """Another supervisor may have looked a moment ago; who says what it has seen is not told
    less."""
    name = f"fresh-{uuid.uuid4().hex[:8]}"
    with fresh.supervisor() as other:
        for version in range(1, 6):
            told = post(fresh, "/api/workflows", json.loads(flow(name, noop(f"v{version}"))))
            position = told.headers["Stepmill-Read-After"]
            answer = other.ask("POST", f"/api/workflows/{name}/execute", b"{}", {
                "Content-Type": "application/json", "Stepmill-Read-After": position})
            assert answer.status == 202, answer.body
            run = fresh.wait_ended(answer.json["executionId"])
            assert run["version"] == version and run["steps"][0]["stepKey"] == f"v{version}"


@pytest.mark.parametrize("text", ["", "x", "1/", "0/123456789"])
def test_a_position_that_is_none(stepmill, text):
    answer = stepmill.ask("GET", "/api/workflows", None, {"Stepmill-Read-After": text})
    assert answer.status == 400 and "Stepmill-Read-After" in answer.json["detail"]


def test_one_that_waits_does_not_hold_up_everybody(fresh):
    """Here for the lock of its run. Those of other clients mostly go on."""
    runs = [fresh.begin(WAITS) for _ in range(13)]
    keys = []
    for number in range(13):
        keys.append(f"sm_{uuid.uuid4().hex}")
        fresh.sql("insert into api_keys (id, name, key_hash, role) values"
                  " (gen_random_uuid(), %s, sha256(%s::bytea), 'operator')", f"client-{number}",
                  keys[-1].encode())
    with fresh.supervisor(pool_workers=0, auth_required="true") as guarded, \
            database(fresh) as other, concurrent.futures.ThreadPoolExecutor(13) as pool:
        def cancel(number):
            return guarded.ask("POST", f"/api/executions/{runs[number]}/cancel", None,
                               {"Authorization": f"Bearer {keys[number]}"})
        other.execute("select from stepmill.workflow_run_state where execution_id = %s for update",
                      (runs[0],))
        first = pool.submit(cancel, 0)
        wait_for("it waits for the run", lambda: fresh.sql(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            " and application_name = 'stepmill front changes'") == [(1,)])
        others = [pool.submit(cancel, number) for number in range(1, 13)]
        done = next(concurrent.futures.as_completed(others, 20))
        assert done.result().status == 200 and not first.done()
        other.rollback()
        assert all(call.result().status == 200 for call in [first, *others])
