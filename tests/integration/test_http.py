"""The HTTP server alone, over real sockets: what it refuses, whom it cuts off, and that
nothing one client does keeps others waiting."""

import contextlib
import json
import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.programs import driver
from harness.raw_http import unescape

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "tables" / "http.txt"
DEADLINE = 15.0


def wait(what, condition, deadline=DEADLINE):
    """Polls until the condition gives something true, and returns that."""
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not in {deadline} s: {what}"
        time.sleep(0.005)


# ---- clients ----


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """One connection, read and written by hand."""

    def __init__(self, server, timeout=DEADLINE, buffer=None, source=None):
        self.socket = socket.socket(server.family, socket.SOCK_STREAM)
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(timeout)
        if source is not None:
            self.socket.bind((source, 0))
        self.socket.connect((source, server.address[1]) if source else server.address)
        self.input = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def request(self, method, target, headers="", body=b""):
        if body:
            headers += f"Content-Length: {len(body)}\r\n"
        self.send(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()
                  + body)

    def more(self):
        data = self.socket.recv(65536)
        self.input += data
        return data

    def until(self, end):
        while end not in self.input:
            assert self.more(), f"closed after {self.input[:200]!r}"
        head, self.input = self.input.split(end, 1)
        return head

    def exactly(self, count):
        while len(self.input) < count:
            assert self.more(), "closed in the middle of an answer"
        data, self.input = self.input[:count], self.input[count:]
        return data

    def chunks(self):
        body = b""
        while True:
            size = int(self.until(b"\r\n"), 16)
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
            if size == 0:
                return body

    def head(self):
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        assert lines[0].startswith("HTTP/1.1 "), lines[0]
        return int(lines[0].split(" ")[1]), headers

    def answer(self, of="GET"):
        status, headers = self.head()
        body = b""
        if of != "HEAD" and status not in (100, 204, 304):
            if headers.get("transfer-encoding") == "chunked":
                body = self.chunks()
            else:
                body = self.exactly(int(headers["content-length"]))
        return Answer(status, headers, body)

    def ask(self, method, target, headers="", body=b""):
        self.request(method, target, headers, body)
        return self.answer(method)

    def rest(self):
        """Everything until the server closes."""
        try:
            while self.more():
                pass
        except ConnectionResetError:
            self.input += b"<reset>"
        return self.input

    def closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


class Server:
    """http_server on a Unix socket or a port of loopback."""

    def __init__(self, folder, tcp=False, anywhere=False, descriptors=None, **settings):
        self.log = folder / "server.log"
        self.path = folder / "http.sock"
        self.family = socket.AF_INET if tcp else socket.AF_UNIX
        self.address = ("127.0.0.1", free_port()) if tcp else str(self.path)
        where = str(self.address[1]) if tcp else f"unix:{self.path}"
        where = f"any:{where}" if anywhere else where

        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [driver("http_server"), where]
                + [f"{name}={value}" for name, value in settings.items()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=limit)
        wait("it listens", lambda: "server.started" in self.text() or self.died())

    def died(self):
        assert self.process.poll() is None, self.text()
        return False

    def text(self):
        return self.log.read_text()

    def ask(self, method, target, headers="", body=b""):
        with Client(self) as client:
            return client.ask(method, target, headers, body)

    def count(self):
        return self.ask("GET", "/count").json

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) * 1024

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def start(tmp_path):
    """Starts servers, and looks around when the test is over."""
    servers = []

    def run(**settings):
        folder = tmp_path / str(len(servers))
        folder.mkdir()
        servers.append(Server(folder, **settings))
        return servers[-1]

    yield run
    for server in servers:
        status = server.stop()
        text = server.text()
        assert "Sanitizer" not in text and "runtime error" not in text, text
        errors = [line for line in text.split("\n") if " error " in line]
        assert all(" request.failed " in line for line in errors), text
        assert status == 0, text


@pytest.fixture
def server(start):
    return start()


# ---- the table of raw requests ----


def table():
    cases, raw, outcome, begun = [], b"", [], 0
    for number, line in enumerate(TABLE.read_text().split("\n"), 1):
        if line.startswith(">"):
            if outcome:
                cases.append((begun, raw, outcome))
                raw, outcome = b"", []
            begun = begun if raw else number
            raw += unescape(line[2:])[0]
        elif line.startswith("="):
            outcome.append(line[2:])
    return cases + [(begun, raw, outcome)]


def method_of(outcome):
    return outcome.split(" ")[0]


@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
def test_the_table_of_raw_requests_holds_on_the_wire(start, tcp):
    """As many answers as there are requests, and not one more: nothing is smuggled."""
    server = start(tcp=tcp, body_max=64)
    cases = table()
    assert len(cases) > 200
    for line, raw, outcome in cases:
        with Client(server) as client:
            try:
                client.send(raw)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it was refused before all was sent
            refused = outcome[-1].isdigit()
            if not refused:
                client.socket.shutdown(socket.SHUT_WR)
            for expected in outcome:
                if expected == "more":
                    continue
                of_head = expected.isdigit() and raw.startswith(b"HEAD ")
                answer = client.answer("HEAD" if of_head else method_of(expected))
                if expected.isdigit():
                    assert answer.status == int(expected), f"http.txt:{line}"
                    assert of_head or answer.json["status"] == int(expected)
                    assert answer.headers["connection"] == "close"
                else:
                    # most paths of the table have no route here, and a body without one
                    # ends the connection
                    assert answer.status in (200, 204, 404, 405, 501), f"http.txt:{line}"
                    if answer.headers.get("connection") == "close":
                        break
            rest = client.rest()
            assert rest in (b"", b"<reset>"), f"http.txt:{line}: {rest!r}"
    assert server.count()["open"] == 1


def test_nothing_behind_a_refusal_runs(server):
    """The request hidden in the body of another never reaches a handler."""
    hidden = b"GET /echo/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    heads = [
        b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(hidden),
        b"Content-Length : %d\r\n" % len(hidden),
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ]
    before = server.count()["handled"]
    for method in (b"GET", b"POST", b"HEAD"):
        for head in heads:
            with Client(server) as client:
                client.send(method + b" /echo HTTP/1.1\r\nHost: localhost\r\n" + head
                            + b"\r\n" + hidden)
                assert client.rest().count(b"HTTP/1.1 ") == 1
    with Client(server) as client:
        client.send(b"HEAD /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                    % len(hidden) + hidden)
        assert client.rest().count(b"HTTP/1.1 400") == 1
    assert server.count()["handled"] == before


# ---- ordinary life ----


def test_an_answer_has_what_it_needs(server):
    answer = server.ask("GET", "/echo?q=a+b%2B")
    assert answer.status == 200
    assert answer.json["q"] == "a b+"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d gmt", answer.headers["date"])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "connection" not in answer.headers


def test_keep_alive_and_close(server):
    with Client(server) as client:
        for _ in range(50):
            assert client.ask("GET", "/small").status == 200
        answer = client.ask("GET", "/small", "Connection: close\r\n")
        assert answer.headers["connection"] == "close"
        assert client.closed()
    with Client(server) as client:
        client.send("GET /small HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert client.answer().headers["connection"] == "close"
        assert client.closed()


def test_pipelined_requests_are_answered_in_order(server):
    with Client(server) as client:
        client.request("GET", "/slow?ms=200")
        for i in range(300):
            client.request("GET", f"/echo/{i}")
        client.request("GET", "/slow?ms=1")
        client.request("POST", "/echo", body=b"last")
        assert client.answer().body == b"slow"
        for i in range(300):
            assert client.answer().json["name"] == str(i)
        assert client.answer().body == b"slow"
        assert client.answer().json["body"] == "last"


def test_requests_in_pieces(server):
    """Byte by byte, two requests on one connection."""
    raw = (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
           b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with Client(server) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        for byte in raw:
            client.send(bytes([byte]))
        assert client.answer().json["body"] == "abcde"
        assert client.answer().json["method"] == "GET"


def test_head_is_get_without_body(server):
    with Client(server) as client:
        answer = client.ask("HEAD", "/small")
        assert answer.status == 200 and int(answer.headers["content-length"]) > 0
        assert client.ask("HEAD", "/stream?count=5").status == 200
        assert client.ask("HEAD", "/nowhere").status == 404
        assert client.ask("GET", "/small").status == 200
        assert client.input == b""


def test_what_is_not_there(server):
    with Client(server) as client:
        answer = client.ask("GET", "/nowhere")
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["title"] == "Not Found"
        assert answer.json["requestId"] == answer.headers["x-request-id"]
        answer = client.ask("DELETE", "/echo")
        assert answer.status == 405
        assert answer.headers["allow"] == "get, head, post, options"
        answer = client.ask("OPTIONS", "/echo")
        assert answer.status == 204 and answer.headers["allow"] == "get, head, post, options"
        assert client.ask("OPTIONS", "*").status == 204
        assert client.ask("BREW", "/echo").status == 501
        assert client.ask("TRACE", "/echo").status == 405


def test_request_ids_and_traces(server):
    with Client(server) as client:
        answer = client.ask("GET", "/echo", "X-Request-Id: abc-1.2_3\r\ntraceparent: 00-1\r\n")
        assert answer.headers["x-request-id"] == "abc-1.2_3"
        assert answer.json["trace"] == "00-1"
        for bad in ("a b", "a" * 129, "<x>", "\xe4"):
            made = client.ask("GET", "/echo", f"X-Request-Id: {bad}\r\n").headers["x-request-id"]
            assert re.fullmatch("[0-9a-f]{16}-[0-9a-f]{12}", made)
        ids = {client.ask("GET", "/small").headers["x-request-id"] for _ in range(50)}
        assert len(ids) == 50


def test_each_request_is_logged_and_counted(start):
    server = start(debug=1)
    with Client(server) as client:
        client.ask("GET", "/echo/x?secret=1", "X-Request-Id: abc\r\n")
        client.ask("GET", "/echo/y")
        client.ask("POST", "/json", body=b"{")
        client.ask("GET", "/nowhere")
        client.send("nonsense\r\n")
        assert client.answer().status == 400
    line = next(line for line in server.text().split("\n") if "request=abc" in line)
    for part in ("debug", "request.answered", "method=GET", "route=/echo/:name", "status=200"):
        assert part in line
    assert "secret" not in server.text()
    metrics = server.ask("GET", "/metrics").body.decode()
    for line in ('{method="GET",route="/echo/:name",status="200"} 2',
                 '{method="POST",route="/json",status="400"} 1',
                 '{method="",route="",status="404"} 1', '{method="",route="",status="400"} 1'):
        assert f"stepmill_http_requests_total{line}\n" in metrics


def test_json_bodies(server):
    with Client(server) as client:
        kind = "Content-Type: application/json; charset=utf-8\r\n"
        assert client.ask("POST", "/json", kind, b'{"a":[1]}').json == {"a": [1]}
        assert client.ask("POST", "/json", "", b'{"a":1}').status == 201
        assert client.ask("POST", "/json").json is None
        answer = client.ask("POST", "/json", kind, b'{"a":')
        assert answer.status == 400 and "line 1" in answer.json["detail"]
        assert client.ask("POST", "/json", "Content-Type: text/plain\r\n", b"{}").status == 415
        assert client.ask("POST", "/json", kind, b"[" * 65 + b"]" * 65).status == 400


def test_errors_tell_no_secrets(server):
    kinds = {1: 400, 2: 404, 3: 409, 4: 403, 5: 413, 6: 503, 7: 503, 8: 500}
    with Client(server) as client:
        for kind, status in kinds.items():
            answer = client.ask("GET", f"/error?kind={kind}")
            assert answer.status == status
            assert ("why" in answer.json["detail"]) == (status < 500)
            assert ("retry-after" in answer.headers) == (status == 503)
    assert "request.failed" in server.text()


def test_a_header_of_ours_cannot_be_split(server):
    answer = server.ask("GET", "/header?value=a%0d%0aX-Evil:%201")
    assert answer.headers["x-given"] == "ax-evil: 1"
    assert "x-evil" not in answer.headers


# ---- bodies ----


def test_body_limits(start):
    server = start(body_max=1000)
    with Client(server) as client:
        assert client.ask("POST", "/echo", body=b"x" * 1000).json["length"] == 1000
        answer = client.ask("POST", "/echo", body=b"x" * 1001)
        assert answer.status == 413 and answer.headers["connection"] == "close"
    with Client(server) as client:  # before anything of it was sent
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
        assert client.answer().status == 413
    with Client(server) as client:
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3e8\r\n" + "x" * 1000 + "\r\n1\r\n")
        assert client.answer().status == 413
    assert server.ask("POST", "/tiny", body=b"x" * 65).status == 413


def test_expect_continue(server):
    with Client(server) as client:
        client.request("POST", "/echo", "Expect: 100-continue\r\nContent-Length: 5\r\n")
        assert client.answer().status == 100
        client.send("hello")
        assert client.answer().json["body"] == "hello"
        client.request("POST", "/nowhere", "Expect: 100-continue\r\nContent-Length: 5\r\n")
        assert client.answer().status == 404  # and no invitation


def test_a_large_body_goes_through(start):
    server = start(body_max=8 << 20)
    body = bytes(random.Random(1).randbytes(1 << 20)).hex().encode()
    with Client(server) as client:
        answer = client.ask("POST", "/echo", body=body)
        assert answer.json["length"] == len(body) and answer.json["body"] == body.decode()


def test_a_refusal_reaches_a_client_that_still_sends(start):
    """Half-closed and drained: the answer is not lost in a reset."""
    server = start(tcp=True, body_max=1000)
    for _ in range(20):
        with Client(server) as client:
            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
            try:
                for _ in range(30):
                    client.send(b"x" * 100000)
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert client.answer().status == 413


# ---- who is slow, silent or gone ----


def test_slow_heads_are_cut_off(start):
    """One byte at a time does not help."""
    server = start(header_ms=400)
    begun = time.monotonic()
    with Client(server) as client:
        try:
            for byte in b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX-Slow: yyyyyyyyyyyyyyy":
                client.send(bytes([byte]))
                time.sleep(0.03)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert client.answer().status == 408
    assert time.monotonic() - begun < 15


def test_silent_connections_are_closed(start):
    server = start(header_ms=300, keepalive_ms=300)
    with Client(server) as silent, Client(server) as idle:
        assert idle.ask("GET", "/small").status == 200
        assert silent.closed() and idle.closed()
        assert silent.input == b""


def test_slow_bodies_are_cut_off(start):
    server = start(request_ms=500)
    with Client(server) as client:
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        assert client.answer().status == 408
        assert client.closed()


def test_a_handler_that_takes_too_long(start):
    server = start(request_ms=300)
    answer = server.ask("GET", "/slow?ms=60000")
    assert answer.status == 503 and answer.headers["retry-after"] == "1"
    assert server.count()["alive"] == 0  # it was told
    assert server.ask("GET", "/poll?ms=900").status == 200  # not for long polls


def test_a_handler_that_cannot_be_told(start):
    """It answers into the void, with what it borrowed still there."""
    server = start(request_ms=200)
    answer = server.ask("POST", "/stubborn?ms=700", body=b"x" * 1000)
    assert answer.status == 503
    wait("it gave up", lambda: server.count()["alive"] == 0)
    for _ in range(10):
        with Client(server) as client:
            client.request("POST", "/stubborn?ms=50", body=b"y" * 1000)
    wait("they gave up", lambda: server.count()["alive"] == 0)
    with Client(server) as client:  # and one that nobody waits for at the end
        client.request("POST", "/stubborn?ms=60000", body=b"z")
        wait("it runs", lambda: server.count()["alive"] == 1)


@pytest.mark.parametrize("target", ["/poll?ms=60000", "/flood", "/stream?count=100000000"])
@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
def test_who_goes_away_takes_the_handler_along(start, target, tcp):
    server = start(tcp=tcp)
    for _ in range(5):
        with Client(server) as client:
            client.request("GET", target)
            wait("it runs", lambda: server.count()["alive"] == 1)
        wait("it is gone", lambda: server.count()["alive"] == 0)
    assert server.count()["open"] == 1


def test_a_reset_takes_the_handler_along(start):
    server = start(tcp=True)
    with Client(server) as client:
        client.request("GET", "/slow?ms=60000")
        wait("it runs", lambda: server.count()["alive"] == 1)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 b"\1\0\0\0\0\0\0\0")
    wait("it is gone", lambda: server.count()["alive"] == 0)


def test_who_only_stops_sending_gets_the_answer(server):
    with Client(server) as client:
        client.request("GET", "/slow?ms=100")
        client.request("GET", "/small")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.answer().body == b"slow"
        assert client.answer().status == 200
        assert client.closed()


def test_who_does_not_read_costs_little(start):
    """A careful stream waits; a careless one is cut off."""
    server = start()
    before = server.memory()
    careful = [Client(server, buffer=4096) for _ in range(20)]
    careless = [Client(server, buffer=4096) for _ in range(20)]
    for client in careful:
        client.request("GET", "/stream?count=100000000")
    for client in careless:
        client.request("GET", "/flood")
    wait("the careless are gone", lambda: server.count()["alive"] == 20)
    assert server.memory() - before < 400 << 20  # a sanitizer keeps what was freed
    assert server.ask("GET", "/small").status == 200
    for client in careful:
        client.send("")
        assert client.more().startswith(b"HTTP/1.1 200")
    for client in careful + careless:
        client.close()
    wait("all are gone", lambda: server.count()["alive"] == 0)


# ---- streams ----


def test_streams(server):
    with Client(server) as client:
        answer = client.ask("GET", "/stream?count=3000")
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.body == b"x" * 3000000
        assert client.ask("GET", "/small").status == 200
        client.send("GET /stream?count=10 HTTP/1.0\r\n\r\n")
        status, headers = client.head()
        assert "transfer-encoding" not in headers and headers["connection"] == "close"
        assert client.rest() == b"x" * 10000


# ---- files ----


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(bytes(random.Random(2).randbytes(1000003)))
    return path


def test_a_file_and_its_ranges(server, file):
    data = file.read_bytes()
    with Client(server) as client:
        def get(headers="", method="GET"):
            return client.ask(method, f"/file?path={file}", headers)

        answer = get()
        assert answer.status == 200 and answer.body == data
        assert answer.headers["accept-ranges"] == "bytes"
        answer = get(method="HEAD")
        assert answer.headers["content-length"] == "1000003" and answer.body == b""
        for asked, first, last in (("0-0", 0, 0), ("5-9", 5, 9), ("1000000-", 1000000, 1000002),
                                   ("-3", 1000000, 1000002), ("0-99999999", 0, 1000002)):
            answer = get(f"Range: bytes={asked}\r\n")
            assert answer.status == 206
            assert answer.headers["content-range"] == f"bytes {first}-{last}/1000003"
            assert answer.body == data[first:last + 1]
        answer = get("Range: bytes=1000003-\r\n")
        assert answer.status == 416 and answer.headers["content-range"] == "bytes */1000003"
        for whole in ("bytes=0-1,5-6", "bytes=9-5", "lines=1-2", "bytes=x"):
            assert get(f"Range: {whole}\r\n").body == data
        assert get("Range: bytes=0-1\r\n", "HEAD").status == 200


def test_a_file_that_is_known_already(server, file):
    with Client(server) as client:
        def get(headers=""):
            return client.ask("GET", f"/file?path={file}", headers)

        answer = get()
        tag, date = answer.headers["etag"], "Last-Modified"
        for known in (tag, f'"x", {tag}', f"W/{tag}", "*"):
            answer = get(f"If-None-Match: {known}\r\n")
            assert answer.status == 304 and answer.body == b""
            assert answer.headers["etag"] == tag
        assert get('If-None-Match: "x"\r\n').status == 200
        client.request("GET", f"/file?path={file}")
        head = client.until(b"\r\n\r\n").decode()
        client.exactly(1000003)
        date = re.search(r"Last-Modified: (.*)", head)[1].strip()
        assert get(f"If-Modified-Since: {date}\r\n").status == 304
        assert get(f"If-Range: {tag}\r\nRange: bytes=0-4\r\n").status == 206
        assert get('If-Range: "x"\r\nRange: bytes=0-4\r\n').status == 200
        file.write_bytes(b"new")
        answer = get(f"If-None-Match: {tag}\r\n")
        assert answer.status == 200 and answer.body == b"new"


def test_the_name_of_a_download(server, file):
    answer = server.ask("GET", f"/file?path={file}&as=%C3%BC%22%0d%0a;x.txt")
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"______x.txt\"; filename*=utf-8''%c3%bc%22%0d%0a%3bx.txt")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_a_file_that_shrinks(server, file):
    """The promised length cannot be kept: the connection ends, the server does not."""
    with open(file, "wb") as out:
        out.truncate(50 << 20)
    with Client(server, buffer=4096) as client:
        client.request("GET", f"/file?path={file}")
        client.more()
        os.truncate(file, 10)
        assert len(client.rest()) < 50 << 20
    assert "download.cut" in server.text()
    assert server.ask("GET", f"/file?path={file.parent}").status == 404
    assert server.ask("GET", "/file?path=/nowhere").status == 404


def test_downloads_leave_no_descriptor(server, file):
    before = server.descriptors()
    for _ in range(20):
        with Client(server, buffer=4096) as client:
            client.request("GET", f"/file?path={file}")
            client.more()
    wait("all are closed", lambda: server.descriptors() == before)


# ---- crowds ----


def test_a_thousand_connections(start):
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    server = start(connections_max=1500)
    clients = [Client(server) for _ in range(1000)]
    for _ in range(3):
        for client in clients:
            client.request("GET", "/small")
        for client in clients:
            assert client.answer().status == 200
    assert server.count()["open"] == 1001
    for client in clients:
        client.close()
    wait("all are closed", lambda: server.count()["open"] == 1)


def test_more_connections_than_allowed(start):
    """Who is idle makes room; when nobody is, the answer is 503 and not silence."""
    server = start(connections_max=20)
    busy = [Client(server) for _ in range(19)]
    for client in busy:
        client.request("GET", "/poll?ms=60000")
    wait("they are in work", lambda: server.count()["alive"] == 19)
    # the last place is that of count()'s connection: once it is closed
    with Client(server) as last:
        last.request("GET", "/poll?ms=60000")
        with Client(server) as client:
            client.send("GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = client.answer()
            assert answer.status == 503 and answer.headers["retry-after"] == "1"
    busy.pop().close()
    wait("there is room", lambda: server.ask("GET", "/small").status == 200)
    for client in busy:
        client.close()
    assert server.text().count("listener.crowded") == 1


def test_idle_connections_make_room(start):
    server = start(connections_max=20)
    idle = [Client(server) for _ in range(20)]
    for client in idle:
        assert client.ask("GET", "/small").status == 200
    time.sleep(1.1)  # who was idle for less is spared: nothing else to wait for
    assert server.count()["evicted"] == 1
    assert idle[0].closed()
    assert idle[19].ask("GET", "/small").status == 200


CROWD = """
import fcntl, socket, struct, sys
sys.path.insert(0, sys.argv[1])
import pathlib, test_http as t
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:  # 192.0.2.1 and .2 on lo
    def ifreq(name, data):
        return struct.pack("16s24s", name, data)
    for name, address in ((b"lo:1", "192.0.2.1"), (b"lo:2", "192.0.2.2")):
        data = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
        fcntl.ioctl(s, 0x8916, ifreq(name, data))
    fcntl.ioctl(s, 0x8914, ifreq(b"lo", struct.pack("H", 0x41)))
folder = pathlib.Path(sys.argv[2])
server = t.Server(folder, tcp=True, anywhere=True, connections_max=20)
def client(source):
    return t.Client(server, source=source)
def check():
    first = [client("192.0.2.1") for _ in range(10)]
    for one in first:
        assert one.ask("GET", "/small").status == 200
    assert client("192.0.2.1").answer().status == 429
    assert client("192.0.2.2").ask("GET", "/small").status == 200
    assert client("127.0.0.1").ask("GET", "/api/things/x").status == 200
    answer = first[1].ask("GET", "/api/things/x")
    assert answer.status == 401 and "bearer" in answer.headers["www-authenticate"]
    first[0].close()
    t.wait("there is room", lambda: client("192.0.2.1").ask("GET", "/small").status == 200)
try:
    check()
finally:
    status = server.stop()
assert status == 0
"""


def test_one_address_does_not_get_everything(tmp_path):
    """Nor does it count as this machine. In a network of its own, with two addresses."""
    subprocess.run(["unshare", "-rn", sys.executable, "-c", CROWD, Path(__file__).parent,
                    tmp_path], check=True, timeout=60)
    assert "listener.crowded" in (tmp_path / "server.log").read_text()


def test_descriptors_run_out(start):
    """No spinning, few words, an answer for who knocks, and back to normal at once."""
    server = start(descriptors=64, connections_max=1000)
    busy = []
    while len(busy) < 200:
        client = Client(server)
        with contextlib.suppress(BrokenPipeError):  # refused before it had asked
            client.request("GET", "/poll?ms=60000")
        busy.append(client)
    wait("it noticed", lambda: "listener.starved" in server.text())
    before, begun = server.cpu(), time.monotonic()
    time.sleep(1)  # what it burns meanwhile is measured
    assert (server.cpu() - before) / (time.monotonic() - begun) <= 0.6  # spinning would be 1
    assert server.text().count("\n") <= 10
    refused = [client for client in busy[100:] if client.answer().status == 503]
    assert len(refused) == 100
    for client in busy:
        client.close()
    begun = time.monotonic()
    wait("it serves again", lambda: server.ask("GET", "/small").status == 200)
    assert time.monotonic() - begun <= 10


def test_idle_connections_make_room_when_descriptors_run_out(start):
    server = start(descriptors=64, connections_max=1000)
    idle = [Client(server) for _ in range(40)]
    for client in idle:
        assert client.ask("GET", "/small").status == 200
    time.sleep(1.1)  # who was idle for less is spared
    more = [Client(server) for _ in range(40)]
    for client in more:
        assert client.ask("GET", "/small").status == 200
    for client in idle + more:
        client.close()


def test_many_clients_at_once(start):
    """Half of them rude, for a while; the polite ones are served all along."""
    server = start(tcp=True, header_ms=500)
    stop = time.monotonic() + 3
    seed = 7
    print("seed", seed)
    failures = []

    def rude(number):
        chance = random.Random(seed + number)
        while time.monotonic() < stop:
            try:
                with Client(server) as client:
                    raw = (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"
                           b"defghi")
                    client.send(raw[:chance.randrange(len(raw) + 1)])
                    if chance.random() < 0.3:
                        client.send(chance.randbytes(20))
                    if chance.random() < 0.3:
                        client.request("GET", "/stream?count=1000")
            except OSError:
                pass

    def polite(number):
        try:
            while time.monotonic() < stop:
                with Client(server) as client:
                    for i in range(20):
                        assert client.ask("GET", f"/echo/{i}").json["name"] == str(i)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=target, args=(i,))
               for i in range(8) for target in (rude, polite)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    wait("all are closed", lambda: server.count()["open"] == 1)


# ---- development without keys ----


def test_without_keys_only_this_machine(server):
    def status(host, origin=None):
        headers = f"Origin: {origin}\r\n" if origin else ""
        with Client(server) as client:
            client.send(f"GET /api/things/x HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n")
            return client.answer().status

    for host in ("localhost", "localhost:3456", "LOCALHOST", "127.0.0.1:1", "127.1.2.3", "[::1]",
                 "[::1]:80"):
        assert status(host) == 200
        assert status(host, f"http://{host}") == 200
        assert status(host, "http://evil.example") == 403
        assert status(host, "null") == 403
        assert status(host, f"https://{host}") == 403
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "128.0.0.1",
                 "0.0.0.0", "[::2]", "[::ffff:127.0.0.1]", "127.1", "127.0.0.01", "2130706433"):
        assert status(host) == 403
    with Client(server) as client:
        client.send("GET http://evil.example/api/things/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.answer().status == 403
    answer = server.ask("GET", "/api/v1/things/x")
    assert answer.json["who"] == "dev" and answer.json["name"] == "x"


# ---- the end ----


def test_drain(start):
    """What is in work is finished, what waits is sent away, nothing new is taken."""
    server = start()
    with Client(server) as idle, Client(server) as slow, Client(server) as poll, \
            Client(server) as stream:
        assert idle.ask("GET", "/small").status == 200
        slow.request("GET", "/slow?ms=500")
        poll.request("GET", "/poll?ms=60000")
        stream.request("GET", "/flood")
        wait("they are in work", lambda: server.count()["alive"] == 3)
        assert server.ask("POST", "/drain").status == 204
        assert idle.closed()
        assert poll.answer().status == 503
        answer = slow.answer()
        assert answer.status == 200 and answer.headers["connection"] == "close"
        assert stream.rest().endswith(b"0\r\n\r\n")
        with pytest.raises(ConnectionRefusedError):
            Client(server)
    assert server.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("tcp", [True, False])
def test_who_has_come_before_the_end_is_served(start, tcp):
    """While the server stood still: it is asked to drain, a connection that was used before
    has another request, and a new one has its first. Nobody else gets in after them."""
    server = start(tcp=tcp)
    with Client(server) as asks, Client(server) as kept:
        assert asks.ask("GET", "/small").status == kept.ask("GET", "/small").status == 200
        server.process.send_signal(signal.SIGSTOP)
        try:
            asks.request("POST", "/drain")
            kept.request("GET", "/small")
            waiting = [Client(server) for _ in range(20)]
            for client in waiting:
                client.request("GET", "/small")
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert asks.answer().status == 204
        assert [client.answer().status for client in [kept, *waiting]] == [200] * 21
        assert kept.closed()
        for client in waiting:
            client.close()
    assert server.process.wait(DEADLINE) == 0
    with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        Client(server)
