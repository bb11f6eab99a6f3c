"""Behind a load balancer, who is restarted fails nobody's request. HAProxy and nginx are real,
with the files of deploy/. (A11)"""
import collections
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from harness.proxies import PROXIES, address_of, is_ready, supervisor
from harness.raw_http import Wire
from harness.raw_ws import Closed, RawWs
from harness.stepmill import BIN, noop, wait_for


# ---- a rolling restart ----


class Load:
    """Clients of a proxy, each with a connection that is kept: they look, and they start runs.
    rate: requests a second of all together; None: as fast as they can."""

    def __init__(self, url, key, workflow, clients=4, rate=None):
        self.host = url.removeprefix("http://")
        self.headers = {"Authorization": f"Bearer {key}"}
        self.workflow = workflow
        self.pause = clients / rate if rate else 0
        self.since, self.seconds = 0, 0
        self.good, self.started, self.failed = collections.Counter(), [], []
        self.end = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(clients)]

    def one(self, connection, number):
        if number % 2:
            path = f"executions/{self.started[-1]}" if self.started else f"workflows/{self.workflow}"
            connection.request("GET", f"/api/{path}", headers=self.headers)
            wanted = 200
        else:
            connection.request("POST", f"/api/workflows/{self.workflow}/execute", b'{"input":{}}',
                               {**self.headers, "Content-Type": "application/json"})
            wanted = 202
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == wanted, f"{answer.status} {body[:300]}"
        self.good[wanted] += 1
        if wanted == 202:
            self.started.append(json.loads(body)["executionId"])

    def work(self):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        number, due = 0, time.monotonic()
        while not self.end.is_set():
            number += 1
            try:
                self.one(connection, number)
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failed.append(f"{'GET' if number % 2 else 'POST'}: {error!r}")
                connection.close()
            due = max(due + self.pause, time.monotonic() - 1)
            self.end.wait(max(0, due - time.monotonic()))
        connection.close()

    def __enter__(self):
        self.since = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.threads:
            thread.join()
        self.seconds = time.monotonic() - self.since


def served(supervisor):
    """How many of the load's requests it has answered since its start."""
    try:
        text = supervisor.ask("GET", "/metrics").body.decode()
    except OSError:
        return 0
    return sum(int(count) for count in re.findall(
        r'^stepmill_http_requests_total\{.*route="/api/(?:executions|workflows)/.*\} (\d+)$',
        text, re.M))


def restart(supervisor):
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.process.wait(60) == 0, supervisor.log()[-5000:]
    supervisor.start()
    wait_for("it is ready", lambda: is_ready(supervisor))
    wait_for("it is asked again", lambda: served(supervisor) > 5, 60, 0.1)


def roll(shared, key, proxy, delay, rounds=1, **load):
    """Restarts two supervisors in turn; the load, when it is over."""
    settings = {"http_drain_delay": delay, "http_trusted_proxies": "127.0.0.1"}
    workflow = shared.define(noop("only"))
    with supervisor(shared, **settings) as one, supervisor(shared, **settings) as two:
        both = (one, two)
        for each in both:
            wait_for("it is ready", lambda each=each: is_ready(each))
        with PROXIES[proxy](*(address_of(each.url) for each in both)) as door, \
                Load(door.url, key, workflow, **load) as load:
            for each in both:
                wait_for("both are asked", lambda each=each: served(each) > 5)
            for _ in range(rounds):
                for each in both:
                    restart(each)
    return load


def check(shared, load):
    assert not load.failed, f"{len(load.failed)} failed: {load.failed[:5]}"
    assert load.good[200] and load.good[202]
    [(there,)] = shared.sql("select count(*) from workflow_runs where id = any(%s::uuid[])",
                            load.started)
    assert there == len(load.started)


@pytest.mark.parametrize("proxy, delay", [("haproxy", "3s"), ("haproxy", "0s"), ("nginx", "0s")])
def test_a_rolling_restart_fails_no_request(shared, key, proxy, delay):
    check(shared, roll(shared, key, proxy, delay))


@pytest.mark.long
@pytest.mark.parametrize("proxy, delay", [("haproxy", "3s"), ("nginx", "1s")])
def test_a_rolling_restart_under_500_requests_a_second(shared, key, proxy, delay):
    load = roll(shared, key, proxy, delay, rounds=5, clients=48, rate=500)
    asked = sum(load.good.values())
    print(f"\n{proxy}: {asked} requests in {load.seconds:.1f} s, {asked / load.seconds:.0f} a second, "
          f"{len(load.failed)} failed")
    check(shared, load)


def test_all_is_served_until_the_delay_is_over(shared, key):
    """Readiness says no at once; who keeps a connection is told to come elsewhere."""
    headers = f"Host: localhost\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    with supervisor(shared, http_drain_delay="60s") as one, \
            Wire(address_of(one.url)) as kept, Wire(address_of(one.url)) as new:
        wait_for("it is ready", lambda: is_ready(one))
        kept.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reply = kept.reply("GET")
        assert reply.status == 200 and "connection" not in reply.headers
        one.process.send_signal(signal.SIGTERM)
        draining = wait_for("it says so", lambda: unready(one))
        assert json.loads(draining.body)["draining"] is True
        for wire in (kept, new):
            wire.send(b"GET /api/workflows HTTP/1.1\r\n" + headers)
            reply = wire.reply("GET")
            assert reply.status == 200 and reply.headers["connection"] == "close"
            assert wire.closed() == b""
        assert one.ask("GET", "/healthz").status == 200
        one.process.send_signal(signal.SIGTERM)  # asked twice: it does not wait any longer
        assert one.process.wait(30) == 0


@pytest.mark.parametrize("proxy", PROXIES)
def test_websockets_are_sent_to_the_other_one(shared, key, proxy):
    """Those of the one that ends are told to go, and are let in again at once."""
    with supervisor(shared) as one, supervisor(shared) as two:
        for each in (one, two):
            wait_for("it is ready", lambda each=each: is_ready(each))

        def connect():
            return RawWs(door.url, headers=[("Authorization", f"Bearer {key}")])

        def ping(ws):
            """Whether it is still connected."""
            try:
                return ws.ask({"type": "ping", "id": 1})["type"] == "pong"
            except Closed as closed:
                assert closed.code == 1001
                return False

        with PROXIES[proxy](*(address_of(each.url) for each in (one, two))) as door:
            sockets = [connect() for _ in range(4)]
            assert all(ping(ws) for ws in sockets)
            one.process.send_signal(signal.SIGTERM)
            assert one.process.wait(30) == 0
            lost = [ws for ws in sockets if not ping(ws)]
            assert 0 < len(lost) < 4
            for _ in lost:
                with connect() as again:
                    assert ping(again)
            for ws in sockets:
                ws.socket.close()


GIVE = ("import os, sys; os.dup2(int(sys.argv[1]), 3); "
        "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); "
        "os.execv(sys.argv[2], sys.argv[2:])")


def test_a_socket_of_a_service_manager_loses_nobody(shared):
    """It stays open when an instance ends: who comes in between waits for the next one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = supervisor(shared)
        one.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def start():
            one.log_file = tempfile.TemporaryFile("w+")
            one.process = subprocess.Popen(
                [sys.executable, "-c", GIVE, str(listener.fileno()), BIN / "stepmill-supervisor"],
                cwd=one.folder, env=one.environment, stdin=subprocess.DEVNULL,
                stderr=one.log_file, pass_fds=[listener.fileno()])

        one.start = start
        with one:
            one.process.send_signal(signal.SIGTERM)
            assert one.process.wait(30) == 0
            with Wire(listener.getsockname()) as early:
                early.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                start()
                assert early.reply("GET", 30).status == 200


def unready(supervisor):
    answer = supervisor.ask("GET", "/readyz")
    return answer if answer.status == 503 else None
