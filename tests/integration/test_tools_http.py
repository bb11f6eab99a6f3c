"""HTTP steps, webhooks and pull requests against a server that misbehaves on request. The
guard of addresses, limits of size, what is tried again. Battery F7 and F8."""

import asyncio
import gzip
import hashlib
import hmac
import json
import ssl
import subprocess
import threading
import time

import pytest

from test_tools import project, repository  # noqa: F401 (fixtures)


class Server:
    """Raw HTTP/1.1 on loopback: what a path does is a method here."""

    def __init__(self, tls=None):
        self.requests = []
        self.loop = asyncio.new_event_loop()
        self.tls = tls
        ready = threading.Event()
        self.thread = threading.Thread(target=self.serve, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)
        self.allow = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def serve(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self.on_client, "127.0.0.1", 0, ssl=self.tls))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.05))

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def on_client(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, path, _ = head[0].split(" ")
                headers = {k.lower(): v.strip() for k, v in
                           (line.split(":", 1) for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append((method, path, headers, body))
                name = path.split("?")[0].strip("/").split("/")
                handler = getattr(self, "on_" + name[0].replace("-", "_"))
                await handler(writer, name[1:], (method, path, headers, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    @staticmethod
    def answer(writer, status, body=b"", headers=None, content_type="text/plain"):
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}",
                 f"Content-Type: {content_type}"]
        lines += [f"{k}: {v}" for k, v in (headers or [])]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def on_echo(self, writer, rest, request):
        method, path, headers, body = request
        text = json.dumps({"method": method, "path": path, "headers": headers,
                           "body": body.decode("latin-1")}).encode()
        self.answer(writer, 200, text, content_type="application/json; charset=utf-8")

    async def on_status(self, writer, rest, request):
        self.answer(writer, int(rest[0]), b'{"why":"because"}', content_type="application/json")

    async def on_text(self, writer, rest, request):
        self.answer(writer, 200, b"plain \xff\x00 text", [("X-Twice", "1"), ("X-Twice", "2")])

    async def on_bad_json(self, writer, rest, request):
        self.answer(writer, 200, b"{broken", content_type="application/json")

    async def on_nul_json(self, writer, rest, request):
        self.answer(writer, 200, b'{"a":"x\\u0000y\\ud800"}', content_type="application/json")

    async def on_slow(self, writer, rest, request):
        await asyncio.sleep(3600)

    async def on_endless(self, writer, rest, request):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async def on_drip(self, writer, rest, request):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def on_bomb(self, writer, rest, request):
        block = gzip.compress(b"\0" * 100_000_000, 9)
        self.answer(writer, 200, block * 10, [("Content-Encoding", "gzip")])

    async def on_redirect(self, writer, rest, request):
        self.answer(writer, int(rest[0]), headers=[("Location", "/" + "/".join(rest[1:]))])

    async def on_away(self, writer, rest, request):
        self.answer(writer, 302, headers=[("Location", request[1].split("?", 1)[1])])

    async def on_loop(self, writer, rest, request):
        self.answer(writer, 302, headers=[("Location", "/loop")])

    async def on_reset(self, writer, rest, request):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
        await writer.drain()
        writer.transport.abort()

    async def on_short(self, writer, rest, request):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
        await writer.drain()
        writer.close()

    async def on_headers(self, writer, rest, request):
        self.answer(writer, 200, headers=[(f"X-{i}", "y" * 100_000) for i in range(100)])

    async def on_once(self, writer, rest, request):
        """Answers the first request of a connection; at the next it goes away."""
        if getattr(writer, "has_answered", False):
            writer.close()
            return
        writer.has_answered = True
        self.answer(writer, 200, b"{}", content_type="application/json")

    async def on_garbage(self, writer, rest, request):
        writer.write(b"\0\1\2 this is no HTTP\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop()


def http(project, server, path, allow=True, settings=None, more=None, **fields):
    return project.run("http", {"url": server.url + path, **fields},
                       settings={"httpAllow": [server.allow] if allow else [],
                                 **(settings or {})}, **(more or {}))


# ---- what is sent, what comes back ----

def test_a_request_and_its_answer(project, server):
    answer = http(project, server, "/echo?a=1", method="POST", json={"k": ["é", None]},
                  query={"q": "x y&z"}, headers={"X-Mine": "1"}, auth={"bearer": "tok"})
    assert answer["ok"], answer
    output = answer["output"]
    assert output["status"] == 200
    assert output["headers"]["content-type"] == "application/json; charset=utf-8"
    sent = output["body"]
    assert sent["method"] == "POST" and sent["path"] == "/echo?a=1&q=x%20y%26z"
    assert json.loads(sent["body"].encode("latin-1")) == {"k": ["é", None]}
    assert sent["headers"]["authorization"] == "Bearer tok"
    assert sent["headers"]["content-type"] == "application/json"
    assert sent["headers"]["idempotency-key"] == "key-of-the-step"
    assert sent["headers"]["user-agent"].startswith("stepmill/")
    assert sent["headers"]["x-mine"] == "1" and "traceparent" not in sent["headers"]


def test_a_trace_goes_along(project, server):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = http(project, server, "/echo", more={"traceId": trace})
    version, trace_id, span, flags = answer["output"]["body"]["headers"]["traceparent"].split("-")
    assert (version, trace_id, len(span), flags) == ("00", trace, 16, "01")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods(project, server, method):
    answer = http(project, server, "/echo", method=method,
                  **({"body": "x"} if method in ("POST", "PUT", "PATCH") else {}))
    assert answer["ok"] and server.requests[-1][0] == method


def test_the_tool_is_the_action(project, server):
    answer = project.tool("http.request", {"url": server.url + "/status/204"},
                          settings={"httpAllow": [server.allow]})
    assert answer["ok"] and answer["output"]["status"] == 204


def test_bodies(project, server):
    output = http(project, server, "/text")["output"]
    assert output["body"] == "plain \ufffd\ufffd text" and output["headers"]["x-twice"] == "1, 2"
    assert http(project, server, "/bad-json")["output"]["body"] == "{broken"
    assert http(project, server, "/nul-json")["output"]["body"] == {"a": "x\ufffdy\ufffd"}


@pytest.mark.parametrize("status, final", [(400, True), (401, True), (404, True), (408, False),
                                           (409, True), (425, False), (429, False), (500, False),
                                           (503, False)])
def test_statuses_that_are_failures(project, server, status, final):
    answer = http(project, server, f"/status/{status}")
    assert not answer["ok"] and answer["code"] == "http_status" and answer["final"] is final
    assert answer["details"] == {"status": status, "body": {"why": "because"}}
    assert answer["output"]["status"] == status
    assert answer["output"]["body"] == {"why": "because"}
    assert str(status) in answer["message"]


def test_redirects(project, server):
    assert http(project, server, "/redirect/302/echo")["output"]["body"]["path"] == "/echo"
    answer = http(project, server, "/redirect/301/echo", followRedirects=False)
    assert answer["ok"] and answer["output"]["status"] == 301
    assert answer["output"]["headers"]["location"] == "/echo"
    assert http(project, server, "/redirect/307/echo", method="POST", body="b")["output"]["body"][
        "body"] == "b"


def test_a_secret_does_not_come_back(project, server):
    answer = http(project, server, "/echo", headers={"X-Key": "canary-key-12345"},
                  settings={"secrets": ["canary-key-12345"]})
    assert answer["ok"] and "canary" not in json.dumps(answer)
    assert server.requests[-1][2]["x-key"] == "canary-key-12345"


# ---- the guard ----

LOOPBACKS = ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "0x7f000001",
             "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "localhost", "user@127.0.0.1",
             "x:y@127.0.0.1", "127.0.0.1.", "LOCALHOST", "[0:0:0:0:0:ffff:127.0.0.1]",
             "017700000001", "127.0.0.1%2f@127.0.0.1", "0.0.0.0", "[::]", "[64:ff9b::7f00:1]",
             "[2002:7f00:1::]", "169.254.169.254", "10.0.0.1", "192.168.0.1", "[fd00:ec2::254]"]


@pytest.mark.parametrize("host", LOOPBACKS)
def test_private_addresses_are_refused(project, server, host):
    before = len(server.requests)
    begin = time.monotonic()
    answer = project.run("http", {"url": f"http://{host}:{server.port}/echo"})
    assert not answer["ok"] and len(server.requests) == before
    assert time.monotonic() - begin < 20
    if host != "127.0.0.1.":  # of which the resolver knows nothing
        assert answer["code"] in ("address_refused", "input") and answer["final"], answer


def test_the_refusal_says_why(project, server):
    answer = http(project, server, "/echo", allow=False)
    assert answer["code"] == "address_refused"
    assert f"127.0.0.1:{server.port} is loopback" in answer["message"]
    assert "worker.http_allow" in answer["message"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1:1/x", "dict://x/",
                                 "ftp://127.0.0.1/", "//127.0.0.1/", "", "http://",
                                 "http://a b/", "http://a/\r\nX: y", "HTTP:/x"])
def test_urls_that_are_none(project, url):
    answer = project.run("http", {"url": url})
    assert not answer["ok"] and answer["code"] in ("input", "network"), answer


def test_the_list_opens_exactly_what_it_says(project, server):
    other = Server()
    try:
        allow = {"httpAllow": [server.allow]}
        assert project.run("http", {"url": server.url + "/echo"}, settings=allow)["ok"]
        assert not project.run("http", {"url": other.url + "/echo"}, settings=allow)["ok"]
        # nor by a redirect
        answer = project.run("http", {"url": f"{server.url}/away?{other.url}/echo"},
                             settings=allow)
        assert answer["code"] == "address_refused" and other.requests == []
        answer = project.run("http", {"url": f"{server.url}/away?http://localhost:1/x"},
                             settings=allow)
        assert answer["code"] == "address_refused"
        answer = project.run("http", {"url": f"{server.url}/away?file:///etc/passwd"},
                             settings=allow)
        assert not answer["ok"]
        both = {"httpAllow": ["127.0.0.0/8"]}
        assert project.run("http", {"url": f"{server.url}/away?{other.url}/echo"},
                           settings=both)["ok"]
    finally:
        other.stop()


def test_no_proxy_of_the_environment(project, server):
    proxy = {"http_proxy": server.url, "HTTP_PROXY": server.url, "ALL_PROXY": server.url}
    before = len(server.requests)
    project.run("http", {"url": "http://198.51.100.1/"}, environment=proxy,
                settings={"httpAllow": [server.allow]})
    assert len(server.requests) == before


# ---- servers that misbehave ----

def test_a_reply_without_end(project, server):
    answer = http(project, server, "/endless", settings={"outputMax": 300000})
    assert answer["code"] == "reply_too_large" and answer["final"]


def test_a_bomb(project, server):
    answer = http(project, server, "/bomb")
    assert answer["code"] == "reply_too_large" and answer["ms"] < 20000


def test_headers_of_ten_megabytes(project, server):
    answer = http(project, server, "/headers")
    assert not answer["ok"] and answer["code"] in ("reply_too_large", "network"), answer["code"]


@pytest.mark.parametrize("path", ["/reset", "/short", "/garbage"])
def test_broken_replies_are_tried_again(project, server, path):
    answer = http(project, server, path)
    assert not answer["ok"] and answer["code"] == "network" and not answer["final"]
    assert len(answer["message"]) > 10


@pytest.mark.parametrize("method", ["POST", "PATCH", "GET"])
def test_what_may_change_something_is_sent_once_an_attempt(stepmill, server, method):
    """A connection that was kept may end while a request is under way: whether it was acted on
    nobody knows. libcurl sends it again by itself, which only a GET bears."""
    path = f"/once/{method}"
    steps = [{"id": f"s{n}", "action": "http", "method": method, "url": server.url + path,
              "retry": {"maxAttempts": 1}} for n in range(6)]
    done = stepmill.do(*steps)
    assert done["status"] == "COMPLETED", done["error"]
    sent = sum(1 for request in server.requests if request[1] == path)
    assert sent > len(steps) if method == "GET" else sent == len(steps)


def test_redirects_without_end(project, server):
    before = len(server.requests)
    answer = http(project, server, "/loop")
    assert not answer["ok"] and "redirect" in answer["message"].lower()
    assert len(server.requests) - before <= 12


@pytest.mark.parametrize("path", ["/slow", "/drip"])
@pytest.mark.parametrize("how", ["stopMs", "forceMs"])
def test_slow_servers_are_given_up(project, server, path, how):
    answer = http(project, server, path, more={how: 200})
    assert answer["code"] == "stopped" and answer["leftMs"] < 500


def test_nobody_there(project):
    answer = project.run("http", {"url": "http://127.0.0.1:1/"},
                         settings={"httpAllow": ["127.0.0.1"]})
    assert answer["code"] == "network" and not answer["final"]
    answer = project.run("http", {"url": "http://no-such-host.invalid/"})
    assert answer["code"] == "network" and "no-such-host.invalid" in answer["message"]


def test_a_certificate_nobody_knows(project, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=127.0.0.1", "-keyout", tmp_path / "key",
                    "-out", tmp_path / "cert"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    server = Server(context)
    try:
        answer = http(project, server, "/echo")
        assert not answer["ok"] and "certificate" in answer["message"].lower(), answer
        assert server.requests == []
    finally:
        server.stop()


@pytest.mark.parametrize("fields, words", [
    ({}, "url"), ({"url": "http://x", "body": "a", "json": 1}, "exclude"),
    ({"url": "http://x", "method": "FETCH"}, "FETCH"),
    ({"url": "http://x", "headers": {"A": "b\nC: d"}}, "control character"),
    ({"url": "http://x", "headers": {"Host\n": "x"}}, "no name"),
    ({"url": "http://x", "auth": {"bearer": "x", "basic": {}}}, "auth"),
    ({"url": "http://x", "hedaers": {}}, "headers"),
])
def test_fields_are_checked(project, fields, words):
    answer = project.run("http", fields)
    assert answer["code"] == "input" and answer["final"] and words in answer["message"]


# ---- notify.webhook ----

def test_a_webhook_is_signed(project, server):
    body = {"text": "done é", "n": 1}
    answer = project.tool("notify.webhook", {"url": server.url + "/echo", "body": body,
                                             "headers": {"X-A": "1"}, "secret": "s3cret"},
                          settings={"httpAllow": [server.allow]})
    assert answer["ok"] and answer["output"]["status"] == 200
    method, _, headers, sent = server.requests[-1]
    assert method == "POST" and json.loads(sent) == body and headers["x-a"] == "1"
    assert headers["x-stepmill-signature"] == \
        "sha256=" + hmac.new(b"s3cret", sent, hashlib.sha256).hexdigest()
    project.tool("notify.webhook", {"url": server.url + "/echo"},
                 settings={"httpAllow": [server.allow]})
    assert server.requests[-1][3] == b"{}"
    assert "x-stepmill-signature" not in server.requests[-1][2]
    answer = project.tool("notify.webhook", {"url": server.url + "/echo"})
    assert answer["code"] == "address_refused"
    answer = project.tool("notify.webhook", {"url": server.url + "/status/500"},
                          settings={"httpAllow": [server.allow]})
    assert answer["code"] == "http_status" and not answer["final"]


# ---- git.createPr ----

class Forge(Server):
    """As much of GitHub's REST API as a pull request needs."""

    def __init__(self):
        super().__init__()
        self.status, self.open = 201, []

    async def on_repos(self, writer, rest, request):
        method, path, headers, body = request
        if method == "GET":
            return self.answer(writer, 200, json.dumps(self.open).encode(),
                               content_type="application/json")
        if self.status != 201:
            reply = {"message": "Validation Failed", "errors": [{"message": "no commits"}]}
            return self.answer(writer, self.status, json.dumps(reply).encode(),
                               content_type="application/json")
        pull = {"html_url": "https://forge/acme/tool/pull/7", "number": 7, "state": "open"}
        self.answer(writer, 201, json.dumps(pull).encode(), content_type="application/json")


@pytest.fixture
def forge():
    forge = Forge()
    yield forge
    forge.stop()


@pytest.fixture
def pull(repository, forge):
    repository.git("remote", "add", "origin", "git@github.com:acme/tool.git")
    repository.git("checkout", "--quiet", "-b", "work/x")
    return lambda **args: repository.tool(
        "git.createPr", {"title": "T $(id)", **args},
        settings={"forgeUrl": forge.url + "/", "forgeToken": "canary-token"})


def test_a_pull_request(pull, forge):
    answer = pull(body="B", draft=True)
    assert answer["ok"] and answer["output"] == {"url": "https://forge/acme/tool/pull/7",
                                                 "number": 7}
    method, path, headers, body = forge.requests[-1]
    assert (method, path) == ("POST", "/repos/acme/tool/pulls")
    assert headers["authorization"] == "Bearer canary-token"
    assert headers["accept"] == "application/vnd.github+json"
    assert json.loads(body) == {"title": "T $(id)", "body": "B", "head": "work/x",
                                "base": "main", "draft": True}
    assert "canary" not in json.dumps(answer)
    pull(head="other", base="release")
    assert json.loads(forge.requests[-1][3])["head"] == "other"
    assert json.loads(forge.requests[-1][3])["base"] == "release"


def test_a_pull_request_that_is_open_already(pull, forge):
    forge.status = 422
    forge.open = [{"html_url": "https://forge/acme/tool/pull/5", "number": 5}]
    answer = pull()
    assert answer["ok"] and answer["output"]["number"] == 5
    assert forge.requests[-1][1] == \
        "/repos/acme/tool/pulls?state=open&head=acme%3Awork%2Fx&base=main"
    forge.open = []
    answer = pull()
    assert answer["code"] == "forge" and answer["final"] and "no commits" in answer["message"]


@pytest.mark.parametrize("status, final", [(401, True), (403, True), (404, True), (500, False)])
def test_a_forge_that_refuses(pull, forge, status, final):
    forge.status = status
    answer = pull()
    assert answer["code"] == "forge" and answer["final"] is final
    assert str(status) in answer["message"] and "Validation Failed" in answer["message"]


def test_a_pull_request_that_cannot_be(repository, forge):
    settings = {"forgeUrl": forge.url, "forgeToken": "t"}
    answer = repository.tool("git.createPr", {"title": "T"}, settings={"forgeUrl": forge.url})
    assert answer["code"] == "not_configured" and "forge.token" in answer["message"]
    answer = repository.tool("git.createPr", {"title": "T"}, settings=settings)
    assert answer["code"] == "exit_status" and "origin" in answer["message"]
    repository.git("remote", "add", "origin", "/srv/tool.git")
    answer = repository.tool("git.createPr", {"title": "T"}, settings=settings)
    assert answer["code"] == "input" and "OWNER/REPOSITORY" in answer["message"]
    repository.git("remote", "set-url", "origin", "https://github.com/acme/tool")
    repository.git("checkout", "--quiet", "--detach")
    answer = repository.tool("git.createPr", {"title": "T"}, settings=settings)
    assert answer["code"] == "input" and "head" in answer["message"]
    assert forge.requests == []


def test_a_forge_that_does_not_answer(repository):
    repository.git("remote", "add", "origin", "https://github.com/acme/tool")
    answer = repository.tool("git.createPr", {"title": "T"}, settings={
        "forgeUrl": "http://127.0.0.1:1", "forgeToken": "t"})
    assert answer["code"] == "forge" and not answer["final"]
