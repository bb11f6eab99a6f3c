"""What people add to runs and take away over HTTP and on the command line: comments,
artifacts, logs as they grow, removals, bulk actions, projects, keys, and the figures."""
import hashlib
import http.client
import itertools
import json
import os
import re
import signal
import socket
import threading
import time
import urllib.parse
import uuid

import pytest
from harness.proxies import HAProxy, Nginx
from harness.stepmill import BIN, ask, flow, noop, shell, tool, wait_for
from test_api import check_problem

NOBODY = "00000000-0000-7000-8000-00000000ffff"
numbers = itertools.count(1)


def new_name(what="rest"):
    return f"{what}-{next(numbers)}"


def good(done):
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


# ---- comments ----

def test_a_comment_on_a_run(stepmill):
    run = stepmill.do(noop("a"))
    answer = stepmill.ask("POST", f"/api/executions/{run['id']}/comments",
                          {"message": "ü\nsecond line", "metadata": {"ticket": 7}})
    assert answer.status == 201 and answer.headers["Stepmill-Read-After"]
    comment = answer.json
    assert uuid.UUID(comment["id"]).version == 7
    assert (comment["message"], comment["metadata"], comment["author"], comment["stepId"]) == (
        "ü\nsecond line", {"ticket": 7}, "dev", None)
    after = stepmill.execution(run["id"])
    assert after["comments"] == [comment] and after["lastSeq"] == run["lastSeq"] + 1
    event = stepmill.events(run["id"])[-1]
    assert (event["type"], event["seq"]) == ("comment.added", after["lastSeq"])
    assert event["payload"] == {"commentId": comment["id"]}


def test_a_comment_on_a_step_by_whatever_name(stepmill):
    run = stepmill.do(noop("a"), noop("b"))
    for step in ("b", "2", f"{run['id']}:2"):
        answer = stepmill.ask("POST", f"/api/executions/{run['runId']}/steps/{step}/comments",
                              {"message": step})
        assert answer.status == 201 and answer.json["stepId"] == f"{run['id']}:2"
        assert answer.json["metadata"] is None
    payload = stepmill.events(run["id"])[-1]["payload"]
    assert payload["stepKey"] == "b" and payload["commentId"] == answer.json["id"]


@pytest.mark.parametrize("body", [
    None, [], "x", {}, {"message": ""}, {"message": 1}, {"message": None}, {"message": "x" * 10001},
    {"message": "a\0b"}, {"message": "x", "metadata": []}, {"message": "x", "metadata": "y"},
    {"message": "x", "metadata": {"a": "y" * 70000}}, {"message": "x", "author": "me"}])
def test_what_is_no_comment(stepmill, body):
    run = stepmill.do(noop("a"))
    body = json.dumps(body) if isinstance(body, str) else body
    check_problem(stepmill.ask("POST", f"/api/executions/{run['id']}/comments", body), 400)
    assert stepmill.execution(run["id"])["lastSeq"] == run["lastSeq"]


def test_comments_on_what_is_not_there(stepmill):
    run = stepmill.do(noop("a"))
    for path in (f"/api/executions/{NOBODY}/comments", "/api/executions/none-1/comments",
                 f"/api/executions/{run['id']}/steps/z/comments",
                 f"/api/executions/{run['id']}/steps/{NOBODY}:1/comments"):
        check_problem(stepmill.ask("POST", path, {"message": "x"}), 404)


def test_comments_of_many_at_once_leave_no_gap(stepmill):
    run = stepmill.do(noop("a"))
    path = f"/api/executions/{run['id']}/comments"
    threads = [threading.Thread(target=stepmill.post, args=(path, {"message": str(n)}))
               for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = stepmill.execution(run["id"])
    assert {c["message"] for c in after["comments"]} == {str(n) for n in range(12)}
    assert [e["seq"] for e in stepmill.events(run["id"])] == list(range(1, after["lastSeq"] + 1))


def test_a_comment_repeated_under_its_key_is_one(stepmill):
    run = stepmill.do(noop("a"))
    path, key = f"/api/executions/{run['id']}/comments", {"Idempotency-Key": new_name()}
    first, again = (stepmill.ask("POST", path, {"message": "once"}, key) for _ in range(2))
    assert first.status == again.status == 201 and first.json == again.json
    check_problem(stepmill.ask("POST", path, {"message": "other"}, key), 422)
    assert len(stepmill.execution(run["id"])["comments"]) == 1


def test_a_comment_on_the_command_line(stepmill):
    run = stepmill.do(noop("a"))
    assert good(stepmill.cli("comment", run["runId"], "from here")) == f"{run['runId']} commented\n"
    row = json.loads(good(stepmill.cli("comment", "--json", "-s", "a", run["id"], "on a")))
    assert row["stepId"] == f"{run['id']}:1" and row["message"] == "on a"
    done = stepmill.cli("comment", "none-1", "x")
    assert done.returncode == 1 and 'there is no run "none-1"' in done.stderr
    assert stepmill.cli("comment", run["id"]).returncode == 2


# ---- logs as they grow ----

def follow(stepmill, path):
    connection = http.client.HTTPConnection(stepmill.url.removeprefix("http://"), timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/x-ndjson"
    return connection, answer


def test_a_log_is_followed_to_the_end_of_its_run(stepmill):
    run = stepmill.begin(shell("a", "echo first; until [ -e go-on ]; do sleep 0.05; done; echo last"),
                         shell("b", "echo of b; echo bad >&2"))
    connection, answer = follow(stepmill, f"/api/executions/{run}/logs?follow=true")
    seen = []
    while "first" not in [e["message"] for e in seen]:
        seen.append(json.loads(answer.readline()))
    assert stepmill.execution(run)["status"] == "RUNNING", "told before the end"
    (stepmill.folder / "go-on").touch()
    seen += [json.loads(line) for line in answer.read().splitlines()]
    connection.close()
    (stepmill.folder / "go-on").unlink()
    assert seen == stepmill.get(f"/api/executions/{run}/logs")["data"]
    assert {"first", "last", "of b", "bad"} <= {e["message"] for e in seen}
    for query, expected in (("level=warn", {"bad"}), ("stepId=b", {"of b", "bad"}),
                            ("stepId=b&level=error", set())):
        connection, answer = follow(stepmill, f"/api/executions/{run}/logs?follow=1&{query}")
        said = {json.loads(line)["message"] for line in answer.read().splitlines()}
        connection.close()
        assert said & {"first", "last", "of b", "bad"} == expected, query


def test_a_log_that_does_not_begin_yet(stepmill):
    run = stepmill.begin(shell("a", "until [ -e go-on2 ]; do sleep 0.05; done; echo late"))
    connection, answer = follow(stepmill, f"/api/executions/{run}/logs?follow=true")
    (stepmill.folder / "go-on2").touch()
    assert "late" in {json.loads(line)["message"] for line in answer.read().splitlines()}
    connection.close()
    quiet = stepmill.do(noop("a"))
    connection, answer = follow(stepmill, f"/api/executions/{quiet['id']}/logs?follow")
    assert answer.read() == b""
    connection.close()


def test_a_large_log_is_given_whole_to_who_reads_slowly(stepmill):
    lines = 60000
    run = stepmill.do(shell("a", f"seq -f 'line %.0f of a log that is rather long' {lines}"))
    connection, answer = follow(stepmill, f"/api/executions/{run['id']}/logs?follow=true")
    said = [json.loads(line)["message"] for line in answer]
    connection.close()
    assert [s for s in said if s.startswith("line")] == [
        f"line {n} of a log that is rather long" for n in range(1, lines + 1)]
    at_once = stepmill.get(f"/api/executions/{run['id']}/logs")
    assert at_once["truncated"] is True and len(at_once["data"]) < lines


def test_who_stops_following_is_forgotten(stepmill):
    run = stepmill.begin(shell("a", "echo x; sleep 671"))
    for _ in range(20):
        connection, answer = follow(stepmill, f"/api/executions/{run}/logs?follow=true")
        connection.sock.close() if connection.sock else answer.close()
        connection.close()
    for query in ("follow=maybe", "follow=true&level=loud"):
        check_problem(stepmill.ask("GET", f"/api/executions/{run}/logs?{query}"), 400)
    assert stepmill.ask("HEAD", f"/api/executions/{run}/logs?follow=true").status == 200
    stepmill.post(f"/api/executions/{run}/cancel")


def test_who_follows_is_let_go_when_the_server_stops(stepmill):
    run = stepmill.begin(shell("a", "echo heard; sleep 672"))
    with stepmill.supervisor(pool_workers=0) as other:
        wait_for("it is ready", lambda: other.ask("GET", "/readyz").status == 200)
        connection, answer = follow(other, f"/api/executions/{run}/logs?follow=true")
        while json.loads(answer.readline())["message"] != "heard":
            pass
        other.process.send_signal(signal.SIGTERM)
        answer.read()  # to the proper end of the answer, else this is an error
        connection.close()
    assert stepmill.execution(run)["status"] == "RUNNING"
    stepmill.post(f"/api/executions/{run}/cancel")


# ---- artifacts ----

def upload(stepmill, run, data, headers=None, **query):
    path = f"/api/executions/{run}/artifacts?" + urllib.parse.urlencode(query)
    return stepmill.ask("POST", path, data, headers)


HOSTILE = ["../../../etc/passwd", "/etc/passwd", "..", ".", "-rf", "a\nb", "a\r\nSet-Cookie: x=1",
           'quote".txt', "back\\slash", "ü☃\U0001f600.txt", "x" * 255, "%2e%2e%2f", "nul\tl", " ",
           "\u202etxt.exe", "a;b=c", "C:\\x", "CON", "$(id)", "`id`", "<script>"]


@pytest.mark.parametrize("name", HOSTILE)
def test_an_upload_under_any_name(stepmill, name):
    run = stepmill.do(noop("a"))
    data = os.urandom(1000)
    answer = upload(stepmill, run["id"], data, {"Content-Type": "text/x-odd; charset=utf-8"},
                    name=name, type="DOCUMENT", stepId="a")
    assert answer.status == 201, answer.body
    row = answer.json
    assert row["name"] == name and row["type"] == "DOCUMENT" and row["sizeBytes"] == 1000
    assert row["mimeType"] == "text/x-odd; charset=utf-8" and row["stepId"] == f"{run['id']}:1"
    assert row["sha256"] == hashlib.sha256(data).hexdigest()
    folder = stepmill.folder / ".agent/workflows/executions" / run["id"] / "artifacts"
    path = stepmill.folder / row["storagePath"]
    assert path.resolve().is_relative_to(folder.resolve()) and path.read_bytes() == data
    assert re.fullmatch(r"[A-Za-z0-9._-]+", path.name) and len(path.name) <= 255
    assert [p for p in folder.rglob("*") if p.is_file()] == [path]
    got = stepmill.ask("GET", f"/api/artifacts/{row['id']}/download")
    assert got.status == 200 and got.body == data and "Set-Cookie" not in got.headers
    disposition = got.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ") and "\n" not in disposition
    told = re.search(r"filename\*=UTF-8''([A-Za-z0-9.%_-]*)$", disposition)
    assert urllib.parse.unquote(told[1]) == name
    assert got.headers["Content-Type"] == "text/x-odd; charset=utf-8"
    part = stepmill.ask("GET", f"/api/artifacts/{row['id']}/download",
                        headers={"Range": "bytes=10-19"})
    assert part.status == 206 and part.body == data[10:20]
    same = stepmill.ask("GET", f"/api/artifacts/{row['id']}/download",
                        headers={"If-None-Match": got.headers["ETag"]})
    assert same.status == 304


def test_an_upload_is_in_the_run_and_in_its_log(stepmill):
    run = stepmill.do(noop("a"), noop("b"))
    of_run = upload(stepmill, run["runId"], b"", name="empty.bin").json
    assert (of_run["type"], of_run["mimeType"], of_run["stepId"], of_run["sizeBytes"]) == (
        "OTHER", "application/octet-stream", None, 0)
    assert of_run["sha256"] == hashlib.sha256(b"").hexdigest()
    of_step = upload(stepmill, run["id"], b"x", name="empty.bin", stepId="2", type="LOG_FILE").json
    after = stepmill.execution(run["id"])
    assert after["artifacts"] == [of_run, of_step]
    kept = [e for e in stepmill.events(run["id"]) if e["type"] == "artifact.created"]
    assert [e["payload"]["artifactId"] for e in kept] == [of_run["id"], of_step["id"]]
    assert kept[1]["payload"]["stepKey"] == "b"
    for query, expected in (("", [of_run, of_step]), ("?stepId=b", [of_step]), ("?stepId=a", []),
                            ("?type=LOG_FILE", [of_step]), ("?type=OTHER&stepId=b", [])):
        assert stepmill.get(f"/api/executions/{run['id']}/artifacts{query}")["data"] == expected
    check_problem(stepmill.ask("GET", f"/api/executions/{run['id']}/artifacts?type=odd"), 400)


def artifact_files(stepmill, run):
    folder = stepmill.folder / ".agent/workflows/executions" / run / "artifacts"
    return [p for p in folder.rglob("*") if p.is_file()]


def test_uploads_that_are_refused_leave_nothing(stepmill):
    run = stepmill.do(noop("a"))["id"]
    for status, headers, query in (
            (400, {}, {}), (400, {}, {"name": ""}), (400, {}, {"name": "x" * 256}),
            (400, {}, {"name": "x", "type": "odd"}), (404, {}, {"name": "x", "stepId": "z"}),
            (415, {"Content-Type": "multipart/form-data; boundary=x"}, {"name": "x"}),
            (400, {"Content-Type": "x" * 300}, {"name": "x"})):
        check_problem(upload(stepmill, run, b"data", headers, **query), status)
    check_problem(upload(stepmill, NOBODY, b"data", name="x"), 404)
    check_problem(stepmill.ask("POST", f"/api/executions/{run}/artifacts?name=%ff", b"x"), 400)
    assert artifact_files(stepmill, run) == [] and stepmill.execution(run)["artifacts"] == []


def raw_upload(stepmill, run, head, *pieces):
    """A request by hand; the socket is the caller's."""
    host, port = stepmill.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(f"POST /api/executions/{run}/artifacts?name=raw HTTP/1.1\r\n"
                       f"Host: {host}:{port}\r\n{head}\r\n".encode())
    for piece in pieces:
        connection.sendall(piece)
    return connection


def test_an_upload_in_chunks_and_one_that_breaks_off(stepmill):
    run = stepmill.do(noop("a"))["id"]
    data = os.urandom(300_000)
    chunks = [data[i:i + 7001] for i in range(0, len(data), 7001)]
    connection = raw_upload(stepmill, run, "Transfer-Encoding: chunked\r\n",
                            *[b"%x\r\n%s\r\n" % (len(c), c) for c in chunks], b"0\r\n\r\n")
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    row = json.loads(answer.read())
    assert answer.status == 201 and row["sha256"] == hashlib.sha256(data).hexdigest()
    connection.close()
    (kept,) = artifact_files(stepmill, run)
    assert kept.read_bytes() == data
    connection = raw_upload(stepmill, run, "Content-Length: 1000000\r\n", data)
    wait_for("it is being written", lambda: len(artifact_files(stepmill, run)) == 2)
    connection.close()
    wait_for("it was taken away", lambda: artifact_files(stepmill, run) == [kept])
    assert len(stepmill.execution(run)["artifacts"]) == 1
    # 100-continue is asked for, and the answer to the refusal comes before the body
    connection = raw_upload(stepmill, NOBODY, "Content-Length: 1000000\r\nExpect: 100-continue\r\n")
    assert connection.recv(100).startswith(b"HTTP/1.1 404")
    connection.close()
    connection = raw_upload(stepmill, run, "Content-Length: 3\r\nExpect: 100-continue\r\n")
    assert connection.recv(100).startswith(b"HTTP/1.1 100")
    connection.sendall(b"abc")
    assert connection.recv(100).startswith(b"HTTP/1.1 201")
    connection.close()


def test_several_uploads_on_one_connection(stepmill):
    run = stepmill.do(noop("a"))["id"]
    connection = http.client.HTTPConnection(stepmill.url.removeprefix("http://"), timeout=60)
    for number in range(5):
        data = bytes([number]) * (number * 40_000)
        connection.request("POST", f"/api/executions/{run}/artifacts?name=f{number}", data)
        answer = connection.getresponse()
        row = json.loads(answer.read())
        assert answer.status == 201 and row["sha256"] == hashlib.sha256(data).hexdigest()
    connection.close()


def test_an_upload_repeated_under_its_key_is_one(stepmill):
    run = stepmill.do(noop("a"))["id"]
    key = {"Idempotency-Key": new_name()}
    first, again = (upload(stepmill, run, b"same", key, name="n") for _ in range(2))
    assert first.status == again.status == 201 and first.json == again.json
    check_problem(upload(stepmill, run, b"other", key, name="n"), 422)
    assert len(artifact_files(stepmill, run)) == 1


def test_the_media_type_of_an_artifact_is_one_header(stepmill):
    run = stepmill.do(shell("write", "echo x > evil.txt"), tool("keep", "artifact.add", {
        "path": "evil.txt", "mimeType": "text/plain\r\nX-Evil: 1\r\n\r\nbody"}))
    artifact = run["artifacts"][0]["id"]
    answer = stepmill.ask("GET", f"/api/artifacts/{artifact}/download")
    assert answer.status == 200 and answer.body == b"x\n"
    assert "X-Evil" not in answer.headers


def memory_of_front(stepmill):
    """The most that the front has ever held, in KiB."""
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as words, open(f"/proc/{entry}/status") as status:
                line = words.read()
                with open(f"/proc/{entry}/environ", "rb") as environment:
                    mine = str(stepmill.folder).encode() in environment.read()
                if b"stepmill-supervisor" in line and b"--front" in line and mine:
                    return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
        except (OSError, TypeError):
            continue
    raise AssertionError("there is no front")


def test_a_large_upload_takes_no_memory(stepmill):
    run = stepmill.do(noop("a"))["id"]
    before, size = memory_of_front(stepmill), 200 << 20
    block, hashed = os.urandom(1 << 20), hashlib.sha256()

    def blocks():
        for _ in range(size >> 20):
            hashed.update(block)
            yield block

    connection = http.client.HTTPConnection(stepmill.url.removeprefix("http://"), timeout=300)
    connection.request("POST", f"/api/executions/{run}/artifacts?name=big", blocks(),
                       {"Content-Length": str(size)})
    answer = connection.getresponse()
    row = json.loads(answer.read())
    connection.close()
    assert answer.status == 201 and row["sizeBytes"] == size
    assert row["sha256"] == hashed.hexdigest()
    most = 32 if "/debug/" not in f"{BIN}/" else 300  # a sanitizer keeps what was freed
    assert memory_of_front(stepmill) - before < most * 1024
    stepmill.ask("DELETE", f"/api/executions/{run}")


def test_an_upload_that_is_too_large(stepmill):
    run = stepmill.do(noop("a"))["id"]
    with stepmill.supervisor(pool_workers=0, http_upload_max="64KiB") as other:
        wait_for("it is ready", lambda: other.ask("GET", "/readyz").status == 200)
        assert upload(other, run, b"x" * 65536, name="fits").status == 201
        check_problem(upload(other, run, b"x" * 65537, name="large"), 413)
        connection = raw_upload(other, run, "Transfer-Encoding: chunked\r\n",
                                b"11000\r\n" + b"x" * 0x11000 + b"\r\n0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
        connection.close()
    assert len(artifact_files(stepmill, run)) == 1


def test_an_upload_lasts_as_long_as_it_goes_on(stepmill):
    """Longer than a request may take, and longer than the server takes new ones."""
    run = stepmill.do(noop("a"))["id"]
    with stepmill.supervisor(pool_workers=0, http_request_timeout="3s") as other:
        wait_for("it is ready", lambda: other.ask("GET", "/readyz").status == 200)
        connection = raw_upload(other, run, "Transfer-Encoding: chunked\r\n")
        hashed, until = hashlib.sha256(), time.monotonic() + 3.2
        while time.monotonic() < until:
            connection.sendall(b"10\r\n0123456789abcdef\r\n")
            hashed.update(b"0123456789abcdef")
        other.process.send_signal(signal.SIGTERM)
        wait_for("it takes no more", lambda: not other.answers())
        connection.sendall(b"0\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 201 and json.loads(answer.read())["sha256"] == hashed.hexdigest()
        connection.close()
    assert len(artifact_files(stepmill, run)) == 1


@pytest.mark.parametrize("kind", [HAProxy, Nginx])
def test_files_and_logs_through_a_proxy(stepmill, kind):
    run = stepmill.do(shell("a", "echo said"))["id"]
    key = stepmill.post("/api/api-keys", {"name": new_name("proxy"), "role": "operator"})["key"]
    bearer, data = {"Authorization": f"Bearer {key}"}, os.urandom(6 << 20)
    host, port = stepmill.url.removeprefix("http://").split(":")
    with kind((host, int(port))) as proxy:
        made = ask(proxy.url, "POST", f"/api/executions/{run}/artifacts?name=large", data, bearer)
        assert made.status == 201 and made.json["sha256"] == hashlib.sha256(data).hexdigest()
        got = ask(proxy.url, "GET", f"/api/artifacts/{made.json['id']}/download", headers=bearer)
        assert got.status == 200 and got.body == data
        log = ask(proxy.url, "GET", f"/api/executions/{run}/logs?follow=true", headers=bearer)
        assert "said" in {json.loads(line)["message"] for line in log.body.splitlines()}


def test_an_upload_to_a_folder_that_is_not_here(stepmill):
    project = stepmill.post("/api/projects", {"name": new_name("away"), "path": "/nothing/here"})["id"]
    run = stepmill.execute(stepmill.define(noop("a")), projectId=project)
    assert stepmill.wait_ended(run)["status"] == "COMPLETED"
    answer = upload(stepmill, run, b"x", name="x")
    check_problem(answer, 503, "folder")
    assert answer.headers["Retry-After"]
    assert stepmill.ask("DELETE", f"/api/projects/{project}").status == 204


def test_artifacts_on_the_command_line(stepmill, tmp_path):
    run = stepmill.do(noop("a"))
    data = os.urandom(9 << 20)
    (tmp_path / "in.bin").write_bytes(data)
    made = good(stepmill.cli("artifacts", "add", run["runId"], str(tmp_path / "in.bin"), "-t",
                             "TEST_REPORT", "-s", "a", "-m", "application/x-test")).strip()
    row = json.loads(good(stepmill.cli("artifacts", "add", run["id"], str(tmp_path / "in.bin"),
                                       "--name", "../evil name", "--json")))
    listed = json.loads(good(stepmill.cli("artifacts", "list", run["id"], "--json")))
    assert [a["id"] for a in listed] == [made, row["id"]]
    assert listed[0]["type"] == "TEST_REPORT" and listed[0]["mimeType"] == "application/x-test"
    assert "TEST_REPORT" in good(stepmill.cli("artifacts", "list", run["id"], "-s", "a"))
    assert json.loads(good(stepmill.cli("artifacts", "list", run["id"], "--json", "-t", "OTHER",
                                        ))) == [row]
    good(stepmill.cli("artifacts", "get", run["id"], "in.bin", "-o", str(tmp_path / "out.bin")))
    assert (tmp_path / "out.bin").read_bytes() == data
    good(stepmill.cli("artifacts", "get", run["id"], row["id"]))
    assert (stepmill.folder / "evil-name").read_bytes() == data
    twice = stepmill.cli("artifacts", "get", run["id"], row["id"])
    assert twice.returncode == 1 and "--output" in twice.stderr
    (stepmill.folder / "evil-name").unlink()
    for words, status in ((("get", run["id"], "none"), 1), (("list", "none-1"), 1),
                          (("add", run["id"], "/nothing"), 2), (("add", run["id"], "/dev/null"), 2),
                          (("get", run["id"]), 2), (("add", "none-1", str(tmp_path / "in.bin")), 1)):
        assert stepmill.cli("artifacts", *words).returncode == status, words


# ---- removals ----

def rows_of(stepmill, run):
    return {table: stepmill.sql(f"select count(*) from {table} where {column} = %s", run)[0][0]
            for table, column in (("workflow_runs", "id"), ("workflow_run_state", "execution_id"),
                                  ("workflow_steps", "execution_id"),
                                  ("workflow_events", "execution_id"),
                                  ("workflow_comments", "execution_id"),
                                  ("workflow_artifacts", "execution_id"))}


def test_a_run_is_deleted_with_rows_and_files(stepmill):
    run = stepmill.do(shell("a", "echo x > made.txt"),
                      tool("keep", "artifact.add", {"path": "made.txt"}))["id"]
    stepmill.post(f"/api/executions/{run}/comments", {"message": "x"})
    folder = stepmill.folder / ".agent/workflows/executions" / run
    (folder / "deep/er").mkdir(parents=True)
    for number in range(300):
        (folder / f"deep/er/{number}").touch()
    (folder / "deep/link").symlink_to(stepmill.folder / "made.txt")
    (folder / "deep/folder").symlink_to(stepmill.templates)
    assert all(rows_of(stepmill, run).values())
    answer = stepmill.ask("DELETE", f"/api/executions/{run}")
    assert answer.status == 204 and answer.body == b""
    assert not any(rows_of(stepmill, run).values())
    check_problem(stepmill.ask("GET", f"/api/executions/{run}"), 404)
    check_problem(stepmill.ask("DELETE", f"/api/executions/{run}"), 404)
    wait_for("the files are gone", lambda: not folder.exists())
    assert (stepmill.folder / "made.txt").exists() and stepmill.templates.is_dir()


def test_a_run_that_is_alive_is_not_deleted(stepmill):
    for run in (stepmill.begin(shell("a", "sleep 681")),
                stepmill.begin({"id": "a", "action": "approval", "prompt": "?"}),
                stepmill.execute(stepmill.define(noop("a")), runAt="2099-01-01T00:00:00Z")):
        check_problem(stepmill.ask("DELETE", f"/api/executions/{run}"), 409, "cancel")
        stepmill.post(f"/api/executions/{run}/cancel")
        assert stepmill.ask("DELETE", f"/api/executions/{run}").status == 204


def test_a_new_version_by_put(stepmill):
    name = stepmill.define(noop("a"))
    id = stepmill.get(f"/api/workflows/{name}")["id"]
    yaml = {"Content-Type": "application/yaml"}
    made = stepmill.ask("PUT", f"/api/workflows/{id}", flow(name, noop("a"), noop("b")), yaml)
    assert made.status == 200
    assert (made.json["id"], made.json["version"], made.json["created"]) == (id, 2, True)
    same = stepmill.ask("PUT", f"/api/workflows/{name}", flow(name, noop("a"), noop("b")), yaml)
    assert same.status == 200 and same.json["created"] is False
    assert len(stepmill.run(name)["steps"]) == 2
    other = new_name()
    check_problem(stepmill.ask("PUT", f"/api/workflows/{name}", flow(other, noop("a")), yaml), 409,
                  other)
    assert stepmill.ask("GET", f"/api/workflows/{other}").status == 404, "nothing was registered"
    check_problem(stepmill.ask("PUT", f"/api/workflows/{name}", "name: x", yaml), 422)
    check_problem(stepmill.ask("PUT", f"/api/workflows/{other}", flow(other, noop("a")), yaml), 404)
    check_problem(stepmill.ask("PUT", f"/api/workflows/{name}", "x", {"Content-Type": "text/plain"}),
                  415)


def test_a_workflow_goes(stepmill):
    name = stepmill.define(noop("a"))
    run = stepmill.run(name)["id"]
    check_problem(stepmill.ask("DELETE", f"/api/workflows/{name}"), 409, "deactivate")
    hidden = stepmill.ask("DELETE", f"/api/workflows/{name}?deactivate=true")
    assert hidden.status == 200 and hidden.json["isActive"] is False
    check_problem(stepmill.ask("POST", f"/api/workflows/{name}/execute", {}), 409, "active")
    assert stepmill.get(f"/api/workflows/{name}")["isActive"] is False
    assert name not in [w["name"] for w in stepmill.get("/api/workflows?isActive=true&limit=100")["data"]]
    stepmill.workflow(flow(name, noop("a")))
    assert stepmill.run(name)["status"] == "COMPLETED", "registered anew it is active"
    for run in stepmill.get(f"/api/executions?workflowId={name}")["data"]:
        assert stepmill.ask("DELETE", f"/api/executions/{run['id']}").status == 204
    assert stepmill.ask("DELETE", f"/api/workflows/{name}").status == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/versions"), ("POST", "/execute")):
        wait_for("it is gone", lambda: stepmill.ask(
            method, f"/api/workflows/{name}{path}", {} if method == "POST" else None).status == 404)
    check_problem(stepmill.ask("DELETE", f"/api/workflows/{name}?deactivate=perhaps"), 400)


# ---- many at once ----

def test_many_runs_are_cancelled(stepmill):
    name = stepmill.define(shell("a", "sleep 691"))
    runs = [stepmill.execute(name) for _ in range(5)]
    over = stepmill.do(noop("a"))["id"]
    answer = stepmill.post("/api/executions/bulk", {
        "action": "cancel", "ids": [runs[0], stepmill.execution(runs[1])["runId"], over, NOBODY,
                                    "none-7"]})
    assert {k: answer[k] for k in ("matched", "changed", "skipped", "notFound")} == {
        "matched": 3, "changed": 2, "skipped": 1, "notFound": 2}
    assert sorted(answer["executionIds"]) == sorted(runs[:2]) and answer["nextCursor"] is None
    assert {stepmill.wait_ended(run)["status"] for run in runs[:2]} == {"CANCELLED"}
    for run in runs[2:]:
        stepmill.wait_running(run, "a")
    answer = stepmill.post("/api/executions/bulk", {
        "action": "cancel", "filter": {"workflowId": name, "status": "running,pending"}})
    assert (answer["changed"], answer["notFound"]) == (3, 0)
    assert {stepmill.wait_ended(run)["status"] for run in runs[2:]} == {"CANCELLED"}
    assert stepmill.post("/api/executions/bulk", {
        "action": "cancel", "filter": {"workflowId": name}})["matched"] == 0


def test_many_runs_are_retried(stepmill):
    name = stepmill.define(noop("a"), shell("b", "test -e luck"))
    runs = [stepmill.run(name)["id"] for _ in range(3)]
    stopped = stepmill.begin(shell("a", "sleep 692"))
    stepmill.post(f"/api/executions/{stopped}/cancel")
    assert stepmill.post("/api/executions/bulk", {"action": "retry", "filter": {
        "workflowId": stepmill.execution(stopped)["workflowId"]}})["matched"] == 0, "by a wish only"
    (stepmill.folder / "luck").touch()
    answer = stepmill.post("/api/executions/bulk", {
        "action": "retry", "filter": {"workflowId": name, "status": "failed"}})
    assert (answer["matched"], answer["changed"], answer["skipped"]) == (3, 3, 0)
    ended = [stepmill.wait_ended(run) for run in answer["executionIds"]]
    (stepmill.folder / "luck").unlink()
    assert {run["status"] for run in ended} == {"COMPLETED"}
    assert sorted(run["retryOfRunId"] for run in ended) == sorted(runs)
    answer = stepmill.post("/api/executions/bulk", {"action": "retry", "ids": [ended[0]["id"]]})
    assert (answer["matched"], answer["changed"], answer["skipped"]) == (1, 0, 1)


@pytest.mark.parametrize("body", [
    None, {}, {"action": "cancel"}, {"action": "burn", "ids": [NOBODY]}, {"ids": [NOBODY]},
    {"action": "cancel", "ids": []}, {"action": "cancel", "ids": [1]},
    {"action": "cancel", "ids": [NOBODY], "filter": {}}, {"action": "cancel", "ids": "x"},
    {"action": "retry", "ids": [NOBODY] * 201}, {"action": "cancel", "ids": [NOBODY] * 1001},
    {"action": "cancel", "filter": []}, {"action": "cancel", "filter": {"stauts": "failed"}},
    {"action": "cancel", "filter": {"status": "odd"}}, {"action": "cancel", "filter": {"since": "x"}},
    {"action": "cancel", "filter": {"projectId": "x"}}, {"action": "cancel", "ids": ["a\0b"]},
    {"action": "cancel", "filter": {"cursor": "x"}}, {"action": "cancel", "filter": {}, "more": 1}])
def test_what_is_no_bulk_action(stepmill, body):
    check_problem(stepmill.ask("POST", "/api/executions/bulk", body), 400)


# ---- projects ----

def test_projects(stepmill, tmp_path):
    name = new_name("project")
    made = stepmill.ask("POST", "/api/projects", {"name": name, "path": str(tmp_path)})
    assert made.status == 201
    project = made.json
    assert (project["name"], project["path"], project["defaultBranch"]) == (
        name, str(tmp_path), "main")
    id = project["id"]
    for by in (id, name):
        assert stepmill.get(f"/api/projects/{by}") == project
    listed = stepmill.get("/api/projects?limit=100")
    assert project in listed["data"] and listed["pagination"]["total"] == len(listed["data"])
    assert "default" in [p["name"] for p in listed["data"]]
    patched = stepmill.ask("PATCH", f"/api/projects/{id}", {"defaultBranch": "trunk"})
    assert patched.status == 200 and patched.json["defaultBranch"] == "trunk"
    assert patched.json["path"] == str(tmp_path)
    put = stepmill.ask("PUT", f"/api/projects/{id}", {"name": f"{name}-b", "path": "/elsewhere"})
    assert (put.json["name"], put.json["path"], put.json["defaultBranch"]) == (
        f"{name}-b", "/elsewhere", "main")
    check_problem(stepmill.ask("POST", "/api/projects", {"name": f"{name}-b", "path": "/x"}), 409)
    check_problem(stepmill.ask("PATCH", f"/api/projects/{id}", {"name": "default"}), 409)
    check_problem(stepmill.ask("PATCH", "/api/projects/default", {"name": "other"}), 409)
    check_problem(stepmill.ask("DELETE", "/api/projects/default"), 409, "default")
    assert stepmill.ask("DELETE", f"/api/projects/{id}").status == 204
    for method, body in (("GET", None), ("PUT", {"name": "x", "path": "/x"}), ("PATCH", {}),
                         ("DELETE", None)):
        check_problem(stepmill.ask(method, f"/api/projects/{id}", body), 404)


@pytest.mark.parametrize("body", [
    None, {}, {"name": "x"}, {"path": "/x"}, {"name": "", "path": "/x"}, {"name": "x", "path": "x"},
    {"name": "x", "path": ""}, {"name": "a\nb", "path": "/x"}, {"name": "x", "path": "/a\x01"},
    {"name": "x" * 201, "path": "/x"}, {"name": 1, "path": "/x"}, {"name": "x", "path": "/x", "y": 1}])
def test_what_is_no_project(stepmill, body):
    check_problem(stepmill.ask("POST", "/api/projects", body), 400)


def test_a_project_goes_with_all_that_belongs_to_it(stepmill, tmp_path):
    project = stepmill.post("/api/projects", {"name": new_name("project"), "path": str(tmp_path)})["id"]
    name = stepmill.define(shell("a", "echo hello"))
    runs = [stepmill.execute(name, projectId=project) for _ in range(3)]
    for run in runs:
        assert stepmill.wait_ended(run)["projectId"] == project
    alive = stepmill.execute(name, projectId=project, runAt="2099-01-01T00:00:00Z")
    check_problem(stepmill.ask("DELETE", f"/api/projects/{project}"), 409, "not over")
    stepmill.post(f"/api/executions/{alive}/cancel")
    assert list(tmp_path.rglob("execution.log"))
    assert stepmill.ask("DELETE", f"/api/projects/{project}").status == 204
    for run in [*runs, alive]:
        assert not any(rows_of(stepmill, run).values())
    assert stepmill.get(f"/api/workflows/{name}")["name"] == name, "it was every project's"
    assert list(tmp_path.rglob("execution.log")), "its folder is nobody's but its owner's"


def test_a_project_of_many_runs_goes_in_parts(stepmill, tmp_path):
    name = new_name("project")
    project = stepmill.post("/api/projects", {"name": name, "path": str(tmp_path)})["id"]
    definition = stepmill.get(f"/api/workflows/{stepmill.define(noop('a'))}")["definitionId"]
    stepmill.sql("with runs as (insert into workflow_runs (id, workflow_def_id, project_id, status,"
                 " triggered_by, completed_at) select uuid7(), %s, %s, 3, 'manual', now()"
                 " from generate_series(1, 10050) returning id)"
                 " insert into workflow_run_state (execution_id, status) select id, 3 from runs",
                 definition, project)
    part = stepmill.ask("DELETE", f"/api/projects/{project}", timeout=120)
    assert part.status == 202 and part.json == {"deletedExecutions": 10000, "done": False}
    assert stepmill.sql("select count(*) from workflow_runs where project_id = %s", project) == [(50,)]
    assert stepmill.get(f"/api/projects/{project}")["name"] == name
    assert good(stepmill.cli("projects", "remove", name)) == f"{name} removed\n"
    assert stepmill.sql("select count(*) from workflow_run_state s where not exists"
                        " (select from workflow_runs where id = s.execution_id)") == [(0,)]


def test_projects_on_the_command_line(stepmill, tmp_path):
    name = new_name("project")
    good(stepmill.cli("projects", "add", name, "--path", str(tmp_path), "--branch", "trunk"))
    shown = json.loads(good(stepmill.cli("projects", "show", name, "--json")))
    assert (shown["path"], shown["defaultBranch"]) == (str(tmp_path.resolve()), "trunk")
    assert name in good(stepmill.cli("projects", "list"))
    assert name in [p["name"] for p in json.loads(good(stepmill.cli("projects", "list", "--json")))]
    assert str(tmp_path) in good(stepmill.cli("projects", "show", name))
    assert good(stepmill.cli("projects", "remove", name)) == f"{name} removed\n"
    done = stepmill.cli("projects", "show", name)
    assert done.returncode == 1 and name in done.stderr
    assert stepmill.cli("projects", "add", name, "--path", "/nothing/here").returncode == 2
    assert stepmill.cli("projects").returncode == 2


# ---- keys ----

def test_keys_over_http(stepmill):
    with stepmill.supervisor(pool_workers=0, auth_required="true") as guarded:
        wait_for("it is ready", lambda: guarded.ask("GET", "/readyz").status == 200)
        name = new_name("key")
        answer = stepmill.ask("POST", "/api/api-keys", {
            "name": name, "role": "operator", "tools": ["git.*", "shell"],
            "expiresAt": "2099-01-01T00:00:00Z"})
        assert answer.status == 201
        row = dict(answer.json)
        key = row.pop("key")
        assert key.startswith("sm_") and len(key) == 46
        assert (row["name"], row["role"], row["tools"], row["projectId"], row["state"]) == (
            name, "operator", ["git.*", "shell"], None, "good")
        assert row["expiresAt"] == "2099-01-01T00:00:00.000Z"
        bearer = {"Authorization": f"Bearer {key}"}
        assert guarded.ask("GET", "/api/workflows", headers=bearer).status == 200
        assert guarded.ask("PUT", "/api/pool", {"workers": 0}, headers=bearer).status == 403
        listed = stepmill.get("/api/api-keys?limit=100")["data"]
        assert row in listed and key not in json.dumps(listed)
        stored = stepmill.sql("select key_hash, tools from api_keys where name = %s", name)
        assert stored == [(hashlib.sha256(key.encode()).digest(), ["git.*", "shell"])]
        check_problem(stepmill.ask("POST", "/api/api-keys", {"name": name, "role": "viewer"}), 409)
        assert stepmill.ask("DELETE", f"/api/api-keys/{row['id']}").status == 204
        wait_for("it opens nothing", lambda: guarded.ask(
            "GET", "/api/workflows", headers=bearer).status == 401, 15)
        check_problem(stepmill.ask("DELETE", f"/api/api-keys/{NOBODY}"), 404)
        check_problem(stepmill.ask("DELETE", "/api/api-keys/x"), 404)


def test_a_key_is_shown_once_even_to_who_repeats_the_call(stepmill):
    body, key = {"name": new_name("key"), "role": "viewer"}, {"Idempotency-Key": new_name()}
    first = stepmill.ask("POST", "/api/api-keys", body, key)
    again = stepmill.ask("POST", "/api/api-keys", body, key)
    assert first.status == again.status == 201 and again.headers["Idempotency-Replayed"]
    shown = first.json.pop("key")
    assert "key" not in again.json and {**again.json, "key": shown} == first.json
    for table in ("idempotency_keys", "audit_log", "api_keys"):
        assert shown not in str(stepmill.sql(f"select t::text from {table} t"))
    assert shown not in stepmill.log()


@pytest.mark.parametrize("body", [
    None, {}, {"name": "x"}, {"role": "viewer"}, {"name": "", "role": "viewer"},
    {"name": "x", "role": "king"}, {"name": "x", "role": "none"}, {"name": "a\nb", "role": "viewer"},
    {"name": "a/b", "role": "viewer"},
    {"name": "x", "role": "viewer", "tools": "git"}, {"name": "x", "role": "viewer", "tools": ["a b"]},
    {"name": "x", "role": "viewer", "tools": ["git.lo?"]},
    {"name": "x", "role": "viewer", "tools": [1]}, {"name": "x", "role": "viewer", "tools": ["x"] * 101},
    {"name": "x", "role": "viewer", "expiresAt": "soon"}, {"name": "x", "role": "viewer", "projectId": "x"},
    {"name": "x", "role": "viewer", "expiresAt": "2001-01-01T00:00:00Z"},
    {"name": "x", "role": "viewer", "key": "mine"}])
def test_what_is_no_key(stepmill, body):
    check_problem(stepmill.ask("POST", "/api/api-keys", body), 400)


def test_a_key_of_a_project_that_is_not_there(stepmill):
    check_problem(stepmill.ask("POST", "/api/api-keys", {
        "name": new_name(), "role": "viewer", "projectId": NOBODY}), 404, "project")


# ---- figures ----

def test_stats(fresh):
    stepmill = fresh  # they tell of a hundred workflows at most
    name = stepmill.define(noop("a"))
    for _ in range(3):
        stepmill.run(name)
    failed = stepmill.define(shell("a", "false"))
    stepmill.run(failed)
    stats = stepmill.get("/api/stats")
    assert set(stats["executions"]) == {"PENDING", "RUNNING", "PAUSED", "COMPLETED", "FAILED",
                                        "CANCELLED", "TIMED_OUT", "CRASHED"}
    assert stats["executions"]["COMPLETED"] >= 3 and stats["truncated"] is False
    by_name = {w["name"]: w for w in stats["workflows"]}
    assert (by_name[name]["runs"], by_name[name]["completed"], by_name[name]["failed"]) == (3, 3, 0)
    assert by_name[name]["workflowId"] == stepmill.get(f"/api/workflows/{name}")["id"]
    assert (by_name[failed]["failed"], by_name[failed]["p95Ms"]) == (1, None)
    assert by_name[name]["p50Ms"] >= 0 and stats["durations"]["p99Ms"] >= stats["durations"]["p50Ms"]
    assert stats["throughput"]["ended"] >= 4 and stats["throughput"]["perMinute"] > 0
    later = stepmill.get("/api/stats?since=2099-01-01T00:00:00Z")
    assert sum(later["executions"].values()) == 0 and later["workflows"] == []
    check_problem(stepmill.ask("GET", "/api/stats?since=x"), 400)


def test_queues(stepmill):
    served = {q["name"]: q for q in stepmill.get("/api/queues")["data"]}
    assert served["default"]["workers"] == 2 and served["default"]["slots"] == 128
    queue = new_name("queue")
    name = stepmill.define(noop("a", queue=queue))
    runs = [stepmill.execute(name, priority=p) for p in ("high", "low", "low")]
    found = {q["name"]: q for q in stepmill.get("/api/queues")["data"]}[queue]
    assert (found["depth"], found["workers"], found["slots"]) == (3, 0, 0)
    assert found["byPriority"] == {"high": 1, "normal": 0, "low": 2}
    assert found["oldestAgeMs"] >= 0 and found["oldestReadyAt"]
    stepmill.post("/api/executions/bulk", {"action": "cancel", "ids": runs})
    assert queue not in [q["name"] for q in stepmill.get("/api/queues")["data"]]


def test_tools_with_their_schemas(stepmill):
    answer = stepmill.get("/api/tools")
    tools = {t["name"]: t for t in answer["data"]}
    assert {"shell", "git.log", "artifact.add", "http.request"} <= set(tools)
    schema = tools["shell"]["inputSchema"]
    assert schema["required"] == ["command"] and schema["additionalProperties"] is False
    assert schema["properties"]["command"]["type"] == "string"
    assert tools["artifact.add"]["inputSchema"]["properties"]["type"]["enum"][0] == "SCREENSHOT"
    assert {"noop", "tool", "approval"} <= {a["name"] for a in answer["actions"]}
    for one in [*answer["data"], *answer["actions"]]:
        assert one["description"] and one["inputSchema"]["type"] == "object"


def test_the_audit_log(stepmill):
    run = stepmill.do(noop("a"))["id"]
    for number in range(3):
        stepmill.post(f"/api/executions/{run}/comments", {"message": str(number)})
    page = stepmill.get(f"/api/audit?target={run}&what=comment.add&limit=2")
    assert [row["what"] for row in page["data"]] == ["comment.add"] * 2
    assert page["pagination"]["total"] == 3
    assert all(row["who"] == "dev" and row["ip"] == "127.0.0.1" for row in page["data"])
    rest = stepmill.get(f"/api/audit?target={run}&what=comment.add&limit=2"
                        f"&cursor={page['pagination']['nextCursor']}")
    assert len(rest["data"]) == 1 and rest["pagination"]["nextCursor"] is None
    assert stepmill.get(f"/api/audit?target={run}&what=comment.add&who=dev")["pagination"]["total"] == 3
    assert stepmill.get(f"/api/audit?target={run}&who=nobody")["data"] == []
    assert stepmill.get(f"/api/audit?target={run}&until=2001-01-01T00:00:00Z")["data"] == []
    for query in ("cursor=x", "since=x", "until=x", "limit=0"):
        check_problem(stepmill.ask("GET", f"/api/audit?{query}"), 400)
