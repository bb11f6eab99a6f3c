"""Webhooks: who may call one, what a call becomes, and that a delivery starts one run only,
however often, at once, and on whichever supervisor it comes. (I2)"""
import base64
import hashlib
import hmac
import itertools
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.stepmill import Stepmill, flow, noop, wait_for
from test_api import check_problem

SECRET = "hush hush"
CODED = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
names = itertools.count(1)


@pytest.fixture(scope="module")
def hooked():
    """A server that knows a secret by its name."""
    with Stepmill(workers=2, environment={"HOOK_SECRET": SECRET}) as stepmill:
        yield stepmill


def hook(stepmill, auth, input=None, **more):
    """A workflow with a webhook; its path."""
    name = f"hooked-{next(names)}"
    trigger = [{"webhook": {"path": f"of/{name}", "auth": auth, **more}}]
    top = {"input": input} if input else {}
    stepmill.workflow(flow(name, noop("a"), trigger=trigger, output={
        "trigger": "{{trigger}}", "input": "{{input}}"}, **top))
    return f"/webhooks/of/{name}"


def sign(body, secret=SECRET, before=""):
    return hmac.new(secret.encode(), before.encode() + body.encode(), hashlib.sha256).hexdigest()


def github(body, secret=SECRET, delivery=None):
    return {"X-Hub-Signature-256": "sha256=" + sign(body, secret), "X-GitHub-Event": "push",
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()), "Content-Type": "application/json"}


def standard(body, id=None, at=None, key=b"0123456789abcdef01234567"):
    id, at = id or f"msg_{uuid.uuid4().hex}", str(int(at or time.time()))
    mac = hmac.new(key, f"{id}.{at}.{body}".encode(), hashlib.sha256).digest()
    return {"webhook-id": id, "webhook-timestamp": at,
            "webhook-signature": "v1,bm90aGluZw== v1," + base64.b64encode(mac).decode()}


def ours(body, at=None, secret=SECRET):
    at = str(int(at or time.time()))
    return {"X-Stepmill-Timestamp": at,
            "X-Stepmill-Signature": "sha256=" + sign(body, secret, f"{at}.")}


def started(answer):
    assert answer.status == 202, answer.body
    return answer.json["executionId"]


def runs(stepmill, path):
    return stepmill.sql("select id::text from v_runs where workflow_name = %s",
                        path.rsplit("/", 1)[1])


# ---- what a call becomes ----

def test_a_call_is_a_run_with_what_was_sent(hooked):
    path = hook(hooked, {"hmacSha256": "env:HOOK_SECRET"})
    body = json.dumps({"ref": "main", "n": [1, {"ä": None}]}, ensure_ascii=False)
    run = started(hooked.ask("POST", path + "?a=1&b=%C3%A4&a=2", body, {
        **github(body, delivery="d-1"), "X-Twice": "x", "Authorization": "Bearer hidden",
        "Cookie": "hidden=1", "X-Odd": "b\xff"}))
    row = hooked.wait_ended(run)
    assert row["status"] == "COMPLETED" and row["triggeredBy"] == "webhook"
    trigger = row["output"]["trigger"]
    assert row["output"]["input"] == trigger["body"] == json.loads(body)
    assert trigger["type"] == "webhook" and trigger["method"] == "POST"
    assert trigger["path"] == path.removeprefix("/webhooks/")
    assert trigger["query"] == {"a": "1", "b": "ä"}
    assert trigger["headers"]["x-github-delivery"] == "d-1"
    assert trigger["headers"]["x-odd"].startswith("b")
    assert not {"authorization", "cookie", "x-hub-signature-256"} & set(trigger["headers"])
    assert "hidden" not in json.dumps(row) and SECRET not in json.dumps(row)
    assert trigger["receivedAt"].endswith("Z")


@pytest.mark.parametrize("sent, body, input", [
    ("", None, {}), ("plain", "plain", {}), ("[1]", [1], {}), ("5", 5, {}), ('"x"', "x", {}),
    ('{"a": 1', '{"a": 1', {}), ("1],[2", "1],[2", {}), ("1,2", "1,2", {}), (" ", " ", {}),
    ('{"a":"\\u0000"}', {"a": "�"}, {"a": "�"}),
    ('{"a":' * 61 + "1" + "}" * 61, ..., ...), ('{"a":' * 64 + "1" + "}" * 64, str, {}),
    (b"\xff\x00", "��", {}), (b"a=1&b=2", "a=1&b=2", {})])
def test_bodies(hooked, sent, body, input):
    path = hook(hooked, "none")
    output = hooked.wait_ended(started(hooked.ask("POST", path, sent)))["output"]
    if body is ...:
        assert output["input"] == output["trigger"]["body"] == json.loads(sent)
        return
    assert output["trigger"]["body"] == (sent if body is str else body)
    assert output["input"] == input


def test_a_body_as_deep_as_can_be_is_read_again(hooked):
    path = hook(hooked, "none")
    name = path.rsplit("/", 1)[1]
    hooked.workflow(flow(name, noop("a"), output="{{trigger.body.a.a.a.a.a != null}}", trigger=[
        {"webhook": {"path": f"of/{name}", "auth": "none"}}]))
    run = started(hooked.ask("POST", path, '{"a":' * 63 + "1" + "}" * 63))
    assert hooked.wait_ended(run)["output"] is True


def test_input_and_when(hooked):
    path = hook(hooked, "none", input={
        "type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]},
        when="trigger.body.n > 1")
    assert hooked.ask("POST", path, {"n": 1, "who": "me"}).json == {"status": "ignored"}
    assert hooked.ask("POST", path, {"n": 1}).status == 200
    check_problem(hooked.ask("POST", path, {"n": 2}), 422)
    check_problem(hooked.ask("POST", path, {"m": 2}), 422, "no such key")
    assert runs(hooked, path) == []
    started(hooked.ask("POST", path, {"n": 2, "who": "me"}))
    path = hook(hooked, "none")
    name = path.rsplit("/", 1)[1]
    hooked.workflow(flow(name, noop("a"), output="{{input}}", trigger=[{"webhook": {
        "path": f"of/{name}", "auth": "none", "input": {"who": "{{trigger.query.who}}"}}}]))
    assert hooked.wait_ended(started(hooked.ask("POST", path + "?who=me", {})))["output"] == {
        "who": "me"}
    check_problem(hooked.ask("POST", path, {}), 422, "who")


# ---- who may ----

def test_signatures(hooked):
    named = hook(hooked, {"hmacSha256": "env:HOOK_SECRET"})
    rotated = hook(hooked, {"hmacSha256": ["the new one", SECRET]})
    coded = hook(hooked, {"hmacSha256": CODED})
    body = '{"a": 1}'
    for path in (named, rotated):
        started(hooked.ask("POST", path, body, github(body)))
        started(hooked.ask("POST", path, body, ours(body)))
        started(hooked.ask("POST", path, body, standard(body, key=SECRET.encode())))
    started(hooked.ask("POST", rotated, body, github(body, "the new one")))
    started(hooked.ask("POST", coded, body, standard(body)))
    good = started(hooked.ask("POST", coded, body, standard(body, at=time.time() - 200)))
    assert hooked.wait_ended(good)["output"]["input"] == {"a": 1}
    for path, headers in (
            (named, {}), (named, {"Authorization": f"Bearer {SECRET}"}),
            (named, github(body + " ")), (named, github(body, "wrong")),
            (named, ours(body, at=time.time() - 400)), (named, ours(body, at=time.time() + 400)),
            (named, {**ours(body), "X-Stepmill-Timestamp": "1"}),
            (coded, standard(body, at=time.time() - 400)), (coded, standard(body, key=b"wrong")),
            (coded, {**standard(body), "webhook-id": "msg_other"}), (coded, github(body))):
        before = runs(hooked, path)
        answer = hooked.ask("POST", path, body, headers)
        check_problem(answer, 401)
        assert "WWW-Authenticate" in answer.headers
        assert runs(hooked, path) == before


def test_tokens(hooked, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of-a-file\n")
    path = hook(hooked, {"bearer": [f"file:{secret}", "plain"]})
    for token in ("of-a-file", "plain"):
        started(hooked.ask("POST", path, {}, {"Authorization": f"Bearer {token}"}))
    for token in ("of-a-fil", "of-a-file x", "", "plain plain"):
        check_problem(hooked.ask("POST", path, {}, {"Authorization": f"Bearer {token}"}), 401)
    secret.write_text("replaced")
    started(hooked.ask("POST", path, {}, {"Authorization": "Bearer replaced"}))
    check_problem(hooked.ask("POST", path, {}, {"Authorization": "Bearer of-a-file"}), 401)
    path = hook(hooked, {"bearer": f"file:{secret}"})
    secret.unlink()
    answer = hooked.ask("POST", path, {}, {"Authorization": "Bearer replaced"})
    check_problem(answer, 503)
    assert str(secret) not in answer.body.decode()


def test_a_page_elsewhere_may_not_call_what_is_open(hooked):
    path = hook(hooked, "none")
    check_problem(hooked.ask("POST", path, {}, {"Origin": "https://elsewhere.example"}), 401)
    started(hooked.ask("POST", path, {}, {"Origin": hooked.url}))


def test_there_is_nothing_elsewhere(hooked):
    path = hook(hooked, "none")
    for other in (path + "/", path + "x", path.rsplit("/", 1)[0], path.replace("of/", "o%66/"),
                  "/webhooks/none", "/api" + path):
        check_problem(hooked.ask("POST", other, {}), 404)
    check_problem(hooked.ask("GET", path), 405)
    name = path.rsplit("/", 1)[1]
    hooked.request("DELETE", f"/api/workflows/{name}?deactivate=true")
    check_problem(hooked.ask("POST", path, {}), 404)


def test_no_key_is_needed_and_the_rate_is_limited(hooked):
    path = hook(hooked, "none")
    with hooked.supervisor(pool_workers=0, auth_required="true", http_rate_limit=20) as guarded:
        wait_for("it is ready", lambda: guarded.ask("GET", "/readyz").status == 200)
        started(guarded.ask("POST", path, {}))
        wait_for("it is enough", lambda: guarded.ask("POST", path, {}).status == 429, every=0)


# ---- once ----

def test_a_delivery_starts_one_run(hooked):
    signed = hook(hooked, {"hmacSha256": [SECRET, CODED]})
    token = hook(hooked, {"bearer": "plain"})
    body = '{"a": 1}'
    bearer = {"Authorization": "Bearer plain"}
    for path, headers, again in (
            (signed, github(body, delivery="one"), github(body, delivery="one")),
            (signed, standard(body, "msg_1"), standard(body, "msg_1", time.time() - 100)),
            (signed, ours(body), None), (token, {**bearer, "webhook-id": "x"}, None),
            (token, {**bearer, "Idempotency-Key": "y"}, None)):
        run = started(hooked.ask("POST", path, body, headers))
        assert started(hooked.ask("POST", path, body, again or headers)) == run
        hooked.wait_ended(run)
        assert started(hooked.ask("POST", path, body, headers)) == run
    assert len(runs(hooked, signed)) == 3 and len(runs(hooked, token)) == 2
    started(hooked.ask("POST", token, body, bearer))
    started(hooked.ask("POST", token, body, bearer))
    assert len(runs(hooked, token)) == 4
    other = hook(hooked, {"hmacSha256": SECRET})
    started(hooked.ask("POST", other, body, github(body, delivery="one")))


def test_many_at_once_on_two_supervisors_are_one_run(hooked):
    path = hook(hooked, {"hmacSha256": SECRET})
    body = '{"a": 1}'
    with hooked.supervisor(pool_workers=0) as other, ThreadPoolExecutor(16) as pool:
        wait_for("it is ready", lambda: other.ask("GET", "/readyz").status == 200)
        for _ in range(5):
            headers = github(body)
            found = set(pool.map(lambda at: started(at.ask("POST", path, body, headers)),
                                 [hooked, other] * 12))
            assert len(found) == 1
    assert len(runs(hooked, path)) == 5


def test_a_new_version_counts_at_once_on_another_supervisor(hooked):
    with hooked.supervisor(pool_workers=0) as other:
        wait_for("it is ready", lambda: other.ask("GET", "/readyz").status == 200)
        path = hook(hooked, "none")
        name = path.rsplit("/", 1)[1]
        started(other.ask("POST", path, {}))
        hooked.workflow(flow(name, noop("a"), trigger=[{"webhook": {
            "path": f"of/{name}/more", "auth": "none"}}]))
        started(other.ask("POST", path + "/more", {}))
        check_problem(other.ask("POST", path, {}), 404)
