"""A small system for one crash point: one supervisor with two workers, one scheduler, a ledger
that answers well, on a database of its own. PostgreSQL and Redis are kept for all points."""
import asyncio
import collections
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading

from aiohttp import web
from ledger import Ledger, close
from system import (ROOT, WAITED_FOR, Postgres, Redis, System, adopt_orphans, children,
                    descendants, free_port, send, state_of)

BIN = pathlib.Path(os.environ.get("STEPMILL_POINTS_BIN", ROOT / "build/points/bin")).resolve()
PATIENCE = 10.0
PROVOKED = ("schedule.stopped",)  # errors that the mixture makes


def migrate(url, environment=None, folder="/"):
    """Also notes where the project is."""
    subprocess.run([BIN / "stepmill", "migrate", "--database-url", url], check=True, timeout=60,
                   stdout=subprocess.DEVNULL, cwd=folder, env=environment)


class Servers:
    """What all points share."""

    def __init__(self, folder):
        adopt_orphans()
        # Nobody takes its power away; databases are made and dropped all the time.
        self.postgres = Postgres("-c max_connections=100 -c log_min_messages=fatal"
                                 " -c fsync=off")
        with self.postgres.connect("postgres", options="") as admin:
            admin.execute("create database migrated")
        migrate(self.postgres.url("migrated"))
        self.postgres.template = True
        self.redis = Redis(folder)
        self.redis.start()
        self.systems = set()
        self.lock = threading.Lock()
        self.reaper = asyncio.ensure_future(self.reap())

    async def reap(self):
        """The children of the killed come to us; programs of a service are waited for by it."""
        while True:
            await asyncio.sleep(0.05)
            ours = {service.process.pid for system in self.systems
                    for service in system.services.values()} | {self.redis.process.pid}
            for pid in children(os.getpid()):
                name, state = state_of(pid)
                if state == "Z" and pid not in ours and name not in WAITED_FOR:
                    with contextlib.suppress(ChildProcessError):
                        os.waitpid(pid, os.WNOHANG)

    def remove(self):
        self.reaper.cancel()
        self.redis.kill()
        self.postgres.remove()


class GoodLedger(Ledger):
    def choose(self, key):
        self.calls[key] += 1
        return "answered", 0.0


async def on_chat(request):
    """A model that calls a tool, and answers when it sees what that said."""
    body = await request.json()
    if body["messages"][-1]["role"] == "tool":
        delta, reason = {"content": "thought"}, "stop"
    else:
        delta, reason = {"tool_calls": [{"index": 0, "id": "c", "function": {
            "name": "state_set", "arguments": '{"key": "thought", "value": 1}'}}]}, "tool_calls"
    event = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
             "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    return close(web.Response(text=f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n",
                              content_type="text/event-stream"))


class PointSystem(System):
    SUPERVISORS = SCHEDULERS = 1

    def __init__(self, servers, history, folder, crash):
        self.servers, self.postgres, self.redis = servers, servers.postgres, servers.redis
        self.history = history
        self.folder, self.project, self.crash = folder, folder / "project", crash
        self.mark, self.seen = folder / "died", folder / "seen"
        self.ledger_path = folder / "ledger.jsonl"
        with servers.lock:
            self.database = self.postgres.new_database()
        self.ports = [free_port(), free_port()]
        self.services = {}
        self.counters = collections.Counter()
        self.canaries = []
        self.make_project()
        self.environment = self.make_environment("2s", 2)
        migrate(self.database_url, self.environment, self.project)

    def make_project(self):
        """A repository, and a workflow that is found in it."""
        templates = self.project / ".agent/workflows/templates"
        templates.mkdir(parents=True)
        (templates / "found.yaml").write_text(
            "name: found\nsteps:\n  - { id: only, action: noop }\n")
        for words in (("init", "-q", "-b", "main"), ("add", "."), (
                "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first")):
            subprocess.run(["git", *words], cwd=self.project, check=True)

    # ---- addresses ----

    @property
    def database_url(self):
        return self.postgres.url(self.database)

    @property
    def ledger_url(self):
        return f"http://127.0.0.1:{self.ports[0]}"

    def front_urls(self):
        return [f"http://127.0.0.1:{self.ports[1]}"]

    def make_environment(self, lease, workers):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("STEPMILL_", "PG"))
                       and name not in ("DATABASE_URL", "REDIS_URL")}
        environment.update({
            "STEPMILL_DATABASE_URL": self.database_url,
            "STEPMILL_REDIS_URL": f"unix:{self.redis.socket}",
            "STEPMILL_REDIS_PREFIX": self.database,
            "STEPMILL_HTTP_LISTEN": f"127.0.0.1:{self.ports[1]}",
            "STEPMILL_PROJECT_PATH": str(self.project),
            "STEPMILL_AUTH_REQUIRED": "false", "STEPMILL_DEVELOPMENT": "1",
            "STEPMILL_POOL_WORKERS": str(workers), "STEPMILL_WORKER_LEASE": lease,
            "STEPMILL_SCHEDULER_SWEEP_INTERVAL": "500ms",
            "STEPMILL_SCHEDULER_RETENTION": "1h",
            # Workers are killed on purpose, more often than a step may bear it.
            "STEPMILL_WORKER_POISON_LIMIT": "50",
            "STEPMILL_WORKER_HTTP_ALLOW": "127.0.0.1",
            "STEPMILL_PROVIDERS": json.dumps({"ledger": {"type": "openai",
                                                        "base_url": self.ledger_url}}),
            "STEPMILL_CRASH": self.crash, "STEPMILL_CRASH_MARK": str(self.mark),
        })
        if not self.crash:
            environment["STEPMILL_POINTS_SEEN"] = str(self.seen)
        return environment

    # ---- life ----

    async def start(self):
        self.servers.systems.add(self)
        app = web.Application()
        app.router.add_post("/effect", GoodLedger(self.ledger_path, "").on_effect)
        app.router.add_post("/v1/chat/completions", on_chat)
        self.ledger = web.AppRunner(app)
        await self.ledger.setup()
        await web.TCPSite(self.ledger, "127.0.0.1", self.ports[0]).start()
        self.service("supervisor0", BIN / "stepmill-supervisor")
        self.service("scheduler0", BIN / "stepmill-scheduler")

    def kill_supervisor(self):
        """With all that belongs to it: nobody is left to say how its workers ended."""
        main = self.services["supervisor0"].process.pid
        pids = [main, *descendants(main)]
        for pid in pids:
            send(pid, signal.SIGSTOP)  # nobody may see another one end
        for pid in pids:
            send(pid, signal.SIGKILL)

    async def end(self):
        """In order; what went wrong with that."""
        wrong = [f"{name} ended with {status} when it was idle"
                 for name, status in await self.stop() if status != 0]
        try:
            await self.wait("the end", lambda: not self.engine_processes(), PATIENCE)
        except TimeoutError:
            wrong.append(f"processes are left: {self.engine_processes()}")
        return wrong + [line for line in self.log().splitlines() if '"level":"error"' in line
                        and not any(f'"event":"{event}"' in line for event in PROVOKED)]

    async def remove(self):
        for service in self.services.values():
            service.wanted = False
            service.task.cancel()
        for pid in self.engine_processes():
            send(pid, signal.SIGKILL)
        await self.ledger.cleanup()
        self.servers.systems.discard(self)
        await asyncio.to_thread(self.drop)

    def drop(self):
        with self.postgres.connect("postgres", options="") as admin:
            admin.execute(f"drop database if exists {self.database} with (force)")

    def engine_processes(self):
        """Of this system, also what lost its parent: all of them are in its project."""
        return [pid for pid in super().engine_processes() if self.is_here(pid)]

    def workers(self, supervisor=None):
        """Also those that lost their parent, and end what they hold."""
        return [pid for pid in self.engine_processes() if state_of(pid)[0] == "stepmill-worker"]

    def is_here(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/cwd").startswith(str(self.folder))
        except OSError:
            return False  # it ended meanwhile

    def died(self):
        """(program, pid) of who died at the point; None: nobody did."""
        if not self.mark.exists():
            return None
        program, _, pid = self.mark.read_text().split()
        return program, int(pid)

    def log(self):
        return "".join((self.folder / f"{name}.log").read_text(errors="replace")
                       for name in self.services)
