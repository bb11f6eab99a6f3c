"""The system under test: a PostgreSQL and a Redis of its own, two supervisors with workers,
two schedulers, the ledger and the wires; and the service manager that starts again what
dies. Everything lives in one folder and below one process, which adopts what its children
leave behind, so that the end is clean and nothing else is ever touched."""
import asyncio
import collections
import ctypes
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg
import redis.asyncio

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))

from harness.postgres import Postgres  # noqa: E402

BIN = pathlib.Path(os.environ.get("STEPMILL_BIN", ROOT / "build/release/bin")).resolve()
RESTART_DELAY = 0.1
PR_SET_CHILD_SUBREAPER = 36
# Programs that are waited for by whoever started them.
WAITED_FOR = {"runuser", "pg_ctl", "initdb", "stepmill", "python3"}


def adopt_orphans():
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("prctl(PR_SET_CHILD_SUBREAPER)")


def children(pid):
    found = []
    try:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            found += (task / "children").read_text().split()
    except OSError:
        pass  # it ended meanwhile
    return sorted(map(int, found))


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def state_of(pid):
    """(name, state) of a process, or (None, None)."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None, None
    name, rest = text[text.index("(") + 1:].rsplit(")", 1)
    return name, rest.split()[0]


def send(pid, number):
    """Whether there was somebody to hear it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Service:
    """A program that is started again when it ends, as a service manager does it."""

    def __init__(self, system, name, argv, environment=None):
        self.system, self.name, self.argv = system, name, argv
        self.environment = environment or {}
        self.wanted = False
        self.process = None
        self.starts = 0
        self.task = None

    def start(self):
        self.wanted = True
        self.spawn()
        self.task = asyncio.ensure_future(self.keep())

    def spawn(self):
        with open(self.system.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                self.argv, cwd=self.system.project, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**self.system.environment, **self.environment})
        self.starts += 1
        self.system.history.note("started", name=self.name, pid=self.process.pid)

    async def keep(self):
        while True:
            await asyncio.sleep(0.02)
            if self.process.poll() is None:
                continue
            status = self.process.returncode
            self.system.history.note("ended", name=self.name, pid=self.process.pid,
                                     status=status)
            if not self.wanted:
                return
            if status == 78:  # the configuration is wrong
                self.system.history.violation("I-15", None, f"{self.name} ended with 78")
                return
            await asyncio.sleep(RESTART_DELAY)
            self.spawn()

    def kill(self, number=signal.SIGKILL):
        send(self.process.pid, number)

    async def stop(self, patience):
        """In order; killed when that takes too long. The exit status."""
        self.wanted = False
        if self.process is None:
            return None
        self.kill(signal.SIGCONT)
        self.kill(signal.SIGTERM)
        end = time.monotonic() + patience
        while self.process.poll() is None and time.monotonic() < end:
            await asyncio.sleep(0.02)
        if self.process.poll() is None:
            self.kill()
            self.process.wait()
        return self.process.returncode


class Redis:
    def __init__(self, folder):
        self.folder, self.socket = folder, folder / "redis.sock"
        self.process = None

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
             "--appendonly", "no", "--dir", self.folder, "--enable-debug-command", "yes"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")

    async def restart(self, seconds=20):
        """Is there again, and answers."""
        self.start()
        end = time.monotonic() + seconds
        while True:
            try:
                return await self.command("PING")
            except (OSError, redis.RedisError):
                if time.monotonic() > end:
                    raise
            await asyncio.sleep(0.02)

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()

    async def command(self, *words):
        """Asks it past the wire."""
        client = redis.asyncio.Redis(unix_socket_path=str(self.socket), socket_timeout=5)
        try:
            return await client.execute_command(*words)
        finally:
            await client.close()


class Wires:
    """Orders to wire.py."""

    def __init__(self, path):
        self.path = path

    async def order(self, wire, **order):
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(json.dumps({"wire": wire, **order}).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        return answer


class System:
    SUPERVISORS, SCHEDULERS = 2, 2

    def __init__(self, history, folder, seed, lease="3s", workers=2):
        self.history, self.seed = history, seed
        # Secrets of the configuration, which must be found nowhere else.
        self.canaries = [f"canary-{kind}-{secrets.token_hex(12)}" for kind in ("pg", "forge")]
        self.folder = folder
        self.project = folder / "project"
        self.wire_folder = folder / "w"
        self.project.mkdir()
        self.wire_folder.mkdir()
        self.postgres = Postgres("-c max_connections=120 -c log_min_messages=fatal")
        self.redis = Redis(folder)
        self.wires = Wires(self.wire_folder / "control")
        self.ledger_path = folder / "ledger.jsonl"
        self.ledger_path.touch()
        self.ports = [free_port() for _ in range(2 * self.SUPERVISORS + 2)]
        self.pg_rules = {}
        self.environment = self.make_environment(lease, workers)
        self.services = {}
        self.counters = collections.Counter()

    # ---- addresses ----

    @property
    def database_url(self):
        """Past the wire: for who looks from outside."""
        return self.postgres.url("campaign")

    @property
    def ledger_url(self):
        """As steps call it."""
        return f"http://127.0.0.1:{self.ports[1]}"

    def front_port(self, number):
        return self.ports[2 + 2 * number]

    def front_urls(self):
        """The supervisors as clients reach them, over a wire."""
        return [f"http://127.0.0.1:{self.ports[3 + 2 * number]}"
                for number in range(self.SUPERVISORS)]

    def make_environment(self, lease, workers):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("STEPMILL_", "PG"))
                       and name not in ("DATABASE_URL", "REDIS_URL")}
        environment.update({
            "STEPMILL_DATABASE_URL": f"host={self.wire_folder} user=stepmill dbname=campaign"
                                     f" password={self.canaries[0]}",
            "STEPMILL_FORGE_TOKEN": self.canaries[1],
            "STEPMILL_REDIS_URL": f"unix:{self.wire_folder}/redis.sock",
            "STEPMILL_PROJECT_PATH": str(self.project),
            "STEPMILL_AUTH_REQUIRED": "false", "STEPMILL_DEVELOPMENT": "1",
            "STEPMILL_POOL_WORKERS": str(workers), "STEPMILL_WORKER_LEASE": lease,
            "STEPMILL_POOL_DRAIN_TIMEOUT": "10s",
            "STEPMILL_WORKER_HTTP_ALLOW": "127.0.0.1",
        })
        return environment

    # ---- life ----

    def service(self, name, *argv, **environment):
        self.services[name] = Service(self, name, [str(word) for word in argv], environment)
        self.services[name].start()

    async def start(self):
        adopt_orphans()
        self.reaper = asyncio.ensure_future(self.reap_orphans())
        self.redis.start()
        with self.postgres.connect("postgres", options="") as admin:
            admin.execute("create database campaign")
        self.service("ledger", HERE / "ledger.py", "--port", self.ports[0], "--file",
                     self.ledger_path, "--seed", self.seed)
        self.start_wires()
        await self.wait("the wires", lambda: (self.wire_folder / "control").exists())
        subprocess.run([BIN / "stepmill", "migrate", "--database-url", self.database_url],
                       cwd=self.project, env=self.environment, check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        for number in range(self.SUPERVISORS):
            self.service(f"supervisor{number}", BIN / "stepmill-supervisor",
                         STEPMILL_HTTP_LISTEN=f"127.0.0.1:{self.front_port(number)}")
        for number in range(self.SCHEDULERS):
            self.service(f"scheduler{number}", BIN / "stepmill-scheduler")

    def start_wires(self):
        wires = [f"pg,pg,{self.wire_folder}/.s.PGSQL.5432,{self.postgres.data}/.s.PGSQL.5432",
                 f"redis,raw,{self.wire_folder}/redis.sock,{self.redis.socket}",
                 f"ledger,raw,{self.ports[1]},{self.ports[0]}"]
        for number in range(self.SUPERVISORS):
            wires.append(f"front{number},raw,{self.ports[3 + 2 * number]},"
                         f"{self.front_port(number)}")
        self.service("wire", HERE / "wire.py", "--control", self.wires.path, "--seed",
                     self.seed, *wires)

    async def stop(self):
        """In order; (name, exit status) of the engine's programs."""
        names = [name for name in self.services if name.startswith(("super", "sched"))]
        statuses = await asyncio.gather(*(self.services[name].stop(30) for name in names))
        return list(zip(names, statuses))

    def remove(self):
        """Whatever is still there goes."""
        for service in self.services.values():
            service.wanted = False
            if service.task is not None:
                service.task.cancel()
        for pid in descendants(os.getpid()):
            send(pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while children(os.getpid()) and time.monotonic() < deadline:
            for pid in children(os.getpid()):
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass
            time.sleep(0.02)
        shutil.rmtree(self.postgres.folder, ignore_errors=True)

    async def reap_orphans(self):
        """The children of the killed come to us; PostgreSQL waits until they are reaped."""
        while True:
            await asyncio.sleep(0.05)
            ours = {service.process.pid for service in self.services.values()}
            ours.add(self.redis.process.pid)
            for pid in children(os.getpid()):
                name, state = state_of(pid)
                if state == "Z" and pid not in ours and name not in WAITED_FOR:
                    try:
                        os.waitpid(pid, os.WNOHANG)
                    except ChildProcessError:
                        pass

    # ---- PostgreSQL ----

    async def postgres_start(self):
        """After a kill the shared memory of the former one may still be in use."""
        for _ in range(40):
            try:
                return await asyncio.to_thread(self.postgres.start)
            except subprocess.CalledProcessError:
                await asyncio.sleep(0.25)
        raise AssertionError("PostgreSQL does not start any more")

    async def postgres_stop(self, mode="immediate"):
        await asyncio.to_thread(self.postgres.stop, mode)
        self.counters["postgres_stops"] += 1

    async def sql(self, query, *params):
        """One statement, past the wire; psycopg.OperationalError while it is away."""
        connection = await psycopg.AsyncConnection.connect(
            self.database_url, autocommit=True, connect_timeout=5,
            options="-c search_path=stepmill")
        async with connection:
            cursor = await connection.execute(query, params)
            return await cursor.fetchall() if cursor.description else None

    async def set_pg_rules(self, **rules):
        """What PostgreSQL's wire does; None takes a rule away."""
        self.pg_rules = {name: value for name, value in {**self.pg_rules, **rules}.items()
                         if value is not None}
        return await self.wires.order("pg", rules=self.pg_rules)

    async def set_front_rules(self, **rules):
        """What the wires between clients and supervisors do."""
        for number in range(self.SUPERVISORS):
            await self.wires.order(f"front{number}", rules=rules)

    # ---- processes ----

    def supervisors(self):
        return [service for name, service in sorted(self.services.items())
                if name.startswith("supervisor")]

    def schedulers(self):
        return [service for name, service in sorted(self.services.items())
                if name.startswith("scheduler")]

    def workers(self, supervisor=None):
        """Pids of those that a supervisor keeps."""
        parents = [supervisor] if supervisor else self.supervisors()
        return [pid for parent in parents for pid in children(parent.process.pid)
                if state_of(pid)[0] == "stepmill-worker" and state_of(pid)[1] != "Z"]

    def engine_processes(self):
        """All of the engine, also what lost its parent."""
        return [pid for pid in descendants(os.getpid())
                if (state_of(pid)[0] or "").startswith("stepmill-")
                and state_of(pid)[1] != "Z"]

    # ---- waiting ----

    async def wait(self, what, condition, seconds=30.0):
        end = time.monotonic() + seconds
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not within {seconds} s")
            await asyncio.sleep(0.05)


def new_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stepmill-campaign-"))
    folder.chmod(0o755)
    return folder
