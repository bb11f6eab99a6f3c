"""Clients that go away, or fall silent, at any moment of any call over HTTP and WebSocket, while
PostgreSQL makes calls wait or loses their connections, and while the supervisor stops. What was
begun is done or undone, and nothing is used that is gone: with a debug build the sanitizers look
on. (D6, D7)"""
import contextlib
import itertools
import json
import os
import random
import re
import socket
import struct
import threading

import psycopg
import pytest
from harness.raw_ws import Closed, Ended, RawWs, fast_frame
from harness.routes import routes
from harness.stepmill import flow, noop, wait_for

NOT_ASKED = {"/api/pool/drain", "/ws"}
ASK = {"id": "ask", "action": "approval", "prompt": "Go on?"}
numbers = itertools.count(1)


def begin_run(at):
    run = at.ask("POST", "/api/workflows/leaving/execute", {}).json
    return (run or {}).get("executionId")


class Calls:
    """Random calls of any route, of resources that are there."""

    def __init__(self, random, run, artifact, key, secret):
        self.random, self.secret = random, secret
        self.ids = {"executions": run, "workflows": "leaving", "artifacts": artifact,
                    "projects": "default", "api-keys": key}
        self.routes = [route for route in routes() if route.path not in NOT_ASKED]

    def path(self, route):
        def replace(found):
            return f"/{found[1]}/{self.ids[found[1]]}"
        path = re.sub(r"/([a-z-]+)/:id", replace, route.path).replace(":stepId", "ask")
        if route.method != "GET" and route.path.endswith("/artifacts"):
            return path + "?name=left.bin"
        if route.method == "DELETE" and route.path == "/api/workflows/:id":
            return path + "?deactivate=false"
        if route.path.endswith("/logs"):
            return path + self.random.choice(("", "?follow=true"))
        if route.path.endswith("/events"):
            return path + self.random.choice(("", "?wait=20s&since=100000", "?since=0"))
        return path

    def body(self, route):
        if route.method not in ("POST", "PUT", "PATCH"):
            return b""
        name = f"left-{next(numbers)}"
        bodies = {
            "/api/workflows": flow(name, noop("a")), "/api/workflows/validate": flow(name, noop("a")),
            "/api/executions/:id/artifacts": "x" * self.random.choice((10, 300_000, 9_000_000)),
            "/api/executions/bulk": {"action": self.random.choice(("cancel", "retry")),
                                     "filter": {"workflowId": "leaving"}},
            "/api/events": {"source": "s", "type": name, "data": {"a": 1}},
            "/api/projects": {"name": name, "path": "/tmp"},
            "/api/api-keys": {"name": name, "role": "viewer"},
            "/api/pool": {"workers": 0}, "/api/workflows/:id/test-step": {"stepId": "first"},
            "/api/projects/:id": {"name": "default", "path": "/tmp"}}
        body = bodies.get(route.path)
        if route.method == "PUT" and route.path == "/api/workflows/:id":
            body = flow("leaving", noop("first"), ASK,
                        description=name)
        if body is None:
            body = {"message": "m"} if route.path.endswith("comments") else {}
        return body.encode() if isinstance(body, str) else json.dumps(body).encode()

    def request(self):
        route = self.random.choice(self.routes)
        body = self.body(route)
        type_ = "application/yaml" if b'"steps"' in body else "application/json"
        head = [f"{route.method} {self.path(route)} HTTP/1.1", "Host: localhost",
                f"Content-Length: {len(body)}", f"Content-Type: {type_}"]
        if self.random.random() < 0.5:
            head.append(f"Idempotency-Key: {self.random.randrange(30)}")
        if route.path.endswith("/events") and self.random.random() < 0.5:
            head.append("Accept: text/event-stream")
        head += [f"{name}: {value}" for name, value in self.key()]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body

    def key(self):
        """Mostly the good one; one that is not known is looked up each time."""
        if self.secret is None:
            return []
        return [("Authorization", "Bearer " + self.random.choice(
            (self.secret, self.secret, self.secret, f"sm_{self.random.random()}")))]

    def message(self):
        run = self.random.choice((self.ids["executions"], "*", "leaving-1"))
        message = self.random.choice((
            {"type": "workflow.trigger", "workflowId": "leaving"},
            {"type": "workflow.approval", "executionId": run, "stepId": "ask", "approved": True},
            {"type": "workflow.list"}, {"type": "workflow.execution.list"},
            {"type": "workflow:subscribe", "executionId": run, "since": 0},
            {"type": "workflow:subscribe", "executionId": "*", "workflowId": "leaving"},
            {"type": "workflow:unsubscribe", "executionId": run},
            {"type": "workflow:cancel", "executionId": run},
            {"type": "SubscribeWorkflow", "run_id": run}, {"type": "UnsubscribeWorkflow", "run_id": run},
            {"type": "auth", "token": self.secret or "x"}, {"type": "ping"}))
        if self.random.random() < 0.3:
            message = {**message, "idempotencyKey": str(self.random.randrange(30))}
        return fast_frame(json.dumps({**message, "id": next(numbers)}).encode())


def leave(random, client):
    """By the end of its half, of the connection, or by a reset."""
    how = random.randrange(3)
    with contextlib.suppress(OSError):
        if how == 0:
            client.shutdown(socket.SHUT_WR)
            client.settimeout(random.random() / 5)
            client.recv(65536)
        elif how == 1:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def call(random, calls, address):
    request = calls.request()
    if random.random() < 0.3:
        request = request[:random.randrange(len(request))]
    with contextlib.suppress(OSError):
        client = socket.create_connection(address, 10)
        client.settimeout(random.choice((0.001, 0.02, 0.3, 3)))
        with contextlib.suppress(OSError):
            client.sendall(request)
            client.recv(65536)
        leave(random, client)


def talk(random, calls, url):
    with contextlib.suppress(OSError, Ended, Closed, AssertionError):
        ws = RawWs(url, path=f"/ws?client=c{random.randrange(3)}", timeout=10,
                   headers=calls.key() if random.random() < 0.7 else ())
        messages = b"".join(calls.message() for _ in range(random.randrange(1, 40)))
        if random.random() < 0.3:
            messages = messages[:random.randrange(len(messages))]
        ws.socket.settimeout(random.choice((0.001, 0.02, 0.3, 2)))
        with contextlib.suppress(OSError, Ended, Closed):
            ws.socket.sendall(messages)
            while random.random() < 0.9:
                ws.next()
        leave(random, ws.socket)


class Weather:
    """Makes PostgreSQL slow at times, and loses connections."""

    def __init__(self, random, stepmill, over):
        self.random, self.url, self.over = random, stepmill.state["databaseUrl"], over

    def hold(self):
        with psycopg.connect(self.url + " options='-c search_path=stepmill'") as connection:
            connection.execute("lock table " + self.random.choice((
                "workflow_run_state", "workflow_runs", "idempotency_keys", "audit_seals",
                "workflow_definitions", "api_keys")) + " in access exclusive mode")
            self.over.wait(self.random.random() * 2)

    def cut(self):
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where"
                               " application_name = %s", (self.random.choice((
                                   "stepmill front changes", "stepmill front reads",
                                   "stepmill front feed", "stepmill front")),))

    def blow(self):
        while not self.over.wait(self.random.random()):
            with contextlib.suppress(psycopg.Error):
                self.random.choice((self.hold, self.hold, self.cut))()


def crowd(seed, fresh, at, calls_of, over, count):
    random_ = random.Random(seed)
    calls = calls_of(random_)
    host, port = at.url.removeprefix("http://").split(":")
    for _ in range(count):
        if over.is_set():
            return
        if random_.random() < 0.7:
            call(random_, calls, (host, int(port)))
        else:
            talk(random_, calls, at.url)
        if random_.random() < 0.1:
            with contextlib.suppress(OSError):
                calls.ids["executions"] = begin_run(fresh) or calls.ids["executions"]


def storm(fresh, seed, count, guarded):
    """A supervisor in bad weather; at the end it stops, with whoever is there. guarded: it
    asks for keys."""
    fresh.workflow(flow("leaving", noop("first"), ASK))
    run = begin_run(fresh)
    fresh.wait_step(run, "ask", "WAITING_APPROVAL")
    artifact = fresh.ask("POST", f"/api/executions/{run}/artifacts?name=a", "data").json["id"]
    key = fresh.post("/api/api-keys", {"name": f"leaving-{seed}", "role": "viewer"})["id"]
    secret = fresh.post("/api/api-keys", {"name": "leaving", "role": "admin"})["key"] if guarded else None
    headers = {"Authorization": f"Bearer {secret}"} if guarded else {}
    over, still = threading.Event(), threading.Event()
    with fresh.supervisor(pool_workers=0, http_request_timeout="1s",
                          auth_required="true" if guarded else "false") as at:
        weather = threading.Thread(target=Weather(random.Random(seed), fresh, over).blow)
        crowds = [threading.Thread(target=crowd, args=(seed * 100 + i, fresh, at, lambda r: Calls(
            r, run, artifact, key, secret), still, count)) for i in range(8)]
        for thread in (weather, *crowds):
            thread.start()
        for thread in crowds[:4]:
            thread.join()
        over.set()
        weather.join()
        wait_for("it serves", lambda: at.ask("GET", "/readyz").status == 200)
        changes = at.ask("POST", "/api/events", {"source": "s", "type": "t", "data": {}}, headers)
        assert changes.status == 202, "nothing holds up the changes of others"
    still.set()
    for thread in crowds:
        thread.join()


def test_leaving_at_any_moment(fresh):
    storm(fresh, int(os.environ.get("STEPMILL_SEED", "1")), 40, guarded=True)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 8))
def test_leaving_at_any_moment_for_long(fresh, seed):
    storm(fresh, seed, 150, guarded=seed % 2 == 0)
