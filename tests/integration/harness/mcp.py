"""MCP servers for tests: those that other people wrote, from npm, and two of ours that misbehave as
they are told: one over standard input and output, one over HTTP."""
import asyncio
import fcntl
import itertools
import json
import os
import pathlib
import queue
import subprocess
import threading
import urllib.parse

from .loopback import Loopback
from .programs import driver

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = ROOT / "tests/conformance/mcp"
WORK = ROOT / "build/conformance/mcp"
STDIO = [os.path.realpath("/usr/bin/python3"),
         str(ROOT / "tests/integration/harness/mcp_server.py")]


def install():
    """The packages below build/, at the versions of package-lock.json; one at a time."""
    WORK.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package-lock.json").read_text()
    stamp = WORK / "installed"
    with open(WORK / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            for name in ("package.json", "package-lock.json"):
                (WORK / name).write_text((HERE / name).read_text())
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund",
                            "--ignore-scripts"], cwd=WORK, check=True, timeout=600)
            stamp.write_text(wanted)
    return WORK / "node_modules"


def everything(*words):
    """The command of server-everything."""
    return ["node", str(install() / "@modelcontextprotocol/server-everything/dist/index.js"),
            *words]


def filesystem(*folders):
    return ["node", str(install() / "@modelcontextprotocol/server-filesystem/dist/index.js"),
            *map(str, folders)]


class Everything:
    """server-everything over streamable HTTP."""

    def __init__(self):
        import socket
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.process = subprocess.Popen(
            everything("streamableHttp"), env={**os.environ, "PORT": str(port)}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in self.process.stdout:
            if "listening" in line:
                break
        self.url = f"http://127.0.0.1:{port}/mcp"
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def stop(self):
        self.process.kill()
        self.process.wait()


class Client:
    """mcp_driver: the MCP client of a worker. Calls may be under way side by side."""

    def __init__(self, folder, servers, environment=None):
        self.folder = pathlib.Path(folder)
        self.errors = open(self.folder / "driver.log", "w+")
        self.process = subprocess.Popen(
            [driver("mcp_driver"), str(folder)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env={**os.environ, **(environment or {}), "MCP": json.dumps(servers)})
        self.numbers = itertools.count(1)
        self.answers, self.wanted = {}, threading.Condition()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            with self.wanted:
                self.answers[answer["id"]] = answer
                self.wanted.notify_all()
        with self.wanted:
            self.answers[None] = {}
            self.wanted.notify_all()

    def begin(self, tool=None, args=None, **more):
        number = next(self.numbers)
        request = {"id": number, **({"tool": tool, "args": args or {}} if tool else {}), **more}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return number

    def answer(self, number, seconds=40):
        with self.wanted:
            there = self.wanted.wait_for(
                lambda: number in self.answers or None in self.answers, seconds)
            assert there and number in self.answers, self.log()
            return self.answers.pop(number)

    def call(self, tool, args=None, seconds=40, **more):
        return self.answer(self.begin(tool, args, **more), seconds)

    def list(self, server):
        return self.answer(self.begin(list=server))

    def model(self, *patterns):
        return self.answer(self.begin(model=list(patterns)))

    def steps_log(self, number):
        """What the log of that call says, line by line."""
        logs = (self.folder / ".agent/workflows/executions/test/logs").glob(f"step-{number}-*")
        return [json.loads(line) for log in logs for line in log.read_text().splitlines()]

    def log(self):
        self.errors.flush()
        return (self.folder / "driver.log").read_text()

    def stop(self, seconds=30):
        self.process.stdin.close()
        try:
            assert self.process.wait(seconds) == 0, self.log()
        finally:
            self.process.kill()
        self.thread.join(10)
        assert "Sanitizer" not in self.log() and "runtime error" not in self.log(), self.log()


class HttpServer(Loopback):
    """Speaks streamable HTTP as far as a test wants it: `answers[method]` is a coroutine that
    gets (server, message, reply), and a reply has `json`, `events` and `raw`."""

    def __init__(self, tools=(), session="session-1", version="2025-11-25"):
        self.tools, self.session, self.version = list(tools), session, version
        self.requests = queue.Queue()  # (HTTP method, headers, message)
        self.seen = []
        self.answers = {}
        self.pages, self.asked = {}, []  # beside the protocol: by path
        self.token = None  # without it every message is refused
        self.on_get = None
        self.known = set()  # sessions
        self.numbers = itertools.count(1)
        self.start()
        self.url = f"http://127.0.0.1:{self.port}/mcp"

    def methods(self):
        """What was asked, in order: MCP methods, or the HTTP method of what has none."""
        return [message.get("method", "answer") if message else verb
                for verb, _, message in list(self.seen)]

    async def on_client(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            verb, path = head[0].split(" ")[:2]
            headers = {k.lower(): v.strip() for k, v in
                       (line.split(":", 1) for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if path.split("?")[0] in self.pages:
                self.asked.append((path, headers, body.decode()))
                await self.pages[path.split("?")[0]](path, headers, body.decode(), Reply(writer))
                return
            message = json.loads(body) if body else None
            self.seen.append((verb, headers, message))
            await self.route(verb, headers, message, Reply(writer))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def route(self, verb, headers, message, reply):
        if verb == "GET":
            await (self.on_get(self, headers, reply) if self.on_get else reply.raw(405))
        elif verb == "DELETE":
            self.known.discard(headers.get("mcp-session-id"))
            await reply.raw(200)
        elif self.token and headers.get("authorization") != f"Bearer {self.token}":
            await reply.raw(401, headers={"WWW-Authenticate": "Bearer"})
        elif message.get("method") == "initialize":
            await self.greet(message, reply)
        elif self.session and headers.get("mcp-session-id") not in self.known:
            await reply.raw(404, b"no such session")
        else:
            await self.talk(message, reply)

    async def greet(self, message, reply):
        session = f"{self.session}-{next(self.numbers)}" if self.session else None
        self.known.add(session)
        result = {"protocolVersion": self.version, "capabilities": {"tools": {}},
                  "serverInfo": {"name": "test", "version": "1"}}
        if "initialize" in self.answers:
            await self.answers["initialize"](self, message, reply)
        else:
            await reply.json({"jsonrpc": "2.0", "id": message["id"], "result": result},
                             {"Mcp-Session-Id": session} if session else {})

    async def talk(self, message, reply):
        method = message.get("method")
        if method in self.answers:
            await self.answers[method](self, message, reply)
        elif method == "tools/list":
            await reply.result(message, {"tools": self.tools})
        elif "id" in message and method:
            await reply.result(message, {"content": [{"type": "text", "text": "done"}]})
        else:
            await reply.raw(202)


def add_authorization(server, issuer=None, logs_in=True, refresh=None):
    """Lets the server want tokens, and give them out: `server.token` is the one that counts."""
    base = server.url.removesuffix("/mcp")
    issuer = issuer or base
    server.token, numbers = "token-of-nobody", itertools.count(1)

    async def resource(path, headers, body, reply):
        await reply.json({"resource": server.url, "authorization_servers": [issuer],
                          "scopes_supported": ["tools"]})

    async def metadata(path, headers, body, reply):
        await reply.json({"issuer": issuer, "authorization_endpoint": f"{base}/authorize",
                          "token_endpoint": f"{base}/token",
                          "registration_endpoint": f"{base}/register",
                          "code_challenge_methods_supported": ["S256"]})

    async def register(path, headers, body, reply):
        await reply.json({"client_id": "ours", "client_secret": "client-secret-01"}, status=201)

    async def authorize(path, headers, body, reply):
        if not logs_in:
            await reply.raw(200, b"<html>who are you?</html>")
            return
        asked = urllib.parse.parse_qs(path.split("?")[1])
        await reply.raw(302, headers={"Location": asked["redirect_uri"][0] + "?code=c0de&state="
                                      + asked["state"][0]})

    async def token(path, headers, body, reply):
        if refresh is False and "refresh_token" in body:
            await reply.json({"error": "invalid_grant"}, status=400)
            return
        server.token = f"canary-token-{next(numbers)}"
        await reply.json({"access_token": server.token, "token_type": "Bearer",
                          **({"refresh_token": "again"} if refresh is not None else {})})
    server.pages.update({
        "/.well-known/oauth-protected-resource/mcp": resource, "/register": register,
        "/.well-known/oauth-authorization-server": metadata, "/authorize": authorize,
        "/token": token})


class Reply:
    def __init__(self, writer):
        self.writer = writer
        self.begun = False

    async def raw(self, status, body=b"", headers=None, length=True):
        lines = [f"HTTP/1.1 {status} X", "Connection: close"]
        lines += [f"Content-Length: {len(body)}"] if length else []
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await self.writer.drain()

    async def json(self, value, headers=None, status=200):
        await self.raw(status, json.dumps(value).encode(),
                       {"Content-Type": "application/json", **(headers or {})})

    async def result(self, message, result):
        await self.json({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def event(self, value=None, key=None, retry=None):
        """One event of a stream; without a value it only names its id."""
        if not self.begun:
            await self.raw(200, headers={"Content-Type": "text/event-stream"}, length=False)
            self.begun = True
        text = (f"id: {key}\n" if key else "") + (f"retry: {retry}\n" if retry else "")
        text += f"data: {json.dumps(value) if value is not None else ''}\n\n"
        self.writer.write(text.encode())
        await self.writer.drain()
