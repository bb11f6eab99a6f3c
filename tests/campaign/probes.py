"""What is looked at from outside the engine: whether readiness says the truth while faults
happen, and what is still held when all is quiet."""
import asyncio
import os
import pathlib
import time

import psycopg
from system import children, descendants, state_of

CANARY = {"name": "campaign-canary", "steps": [{"id": "sing", "action": "noop"}]}


def open_files(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def programs(system):
    """Processes of steps: whatever is below a worker, or was."""
    found = []
    for pid in descendants(os.getpid()):
        name, state = state_of(pid)
        try:
            words = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if b"STEPMILL_IDEMPOTENCY_KEY=" in words and state != "Z":
            found.append(f"{pid} {name}")
    return found


def fronts(system):
    return [pid for service in system.supervisors() for pid in children(service.process.pid)
            if state_of(pid)[0] == "stepmill-superv"]


async def sessions(system):
    """How many, by what they call themselves."""
    return dict(await system.sql(
        "select application_name, count(*) from pg_stat_activity where datname = 'campaign'"
        " and pid <> pg_backend_pid() and backend_type = 'client backend' group by 1"))


async def leases(system):
    return (await system.sql("select count(*) from workflow_steps where status = 2"))[0][0]


class Probes:
    def __init__(self, system, history):
        self.system, self.history = system, history
        self.before = None

    async def at_start(self):
        """What an idle engine has, after its first run."""
        self.before = await self.look()

    async def look(self):
        return {"sessions": await sessions(self.system),
                "descriptors": {"front": max(map(open_files, fronts(self.system)), default=0),
                                "worker": max(map(open_files, self.system.workers()),
                                              default=0)}}

    async def settled(self):
        """As at the start; those who were cut may take a moment."""
        now = await self.look()
        return now if all(self.fits(now, name) for name in now) else None

    def fits(self, now, name):
        before, value = self.before[name], now[name]
        if isinstance(value, dict):
            return all(value[key] <= before.get(key, 0) for key in value)
        return value <= before

    async def at_end(self):
        try:
            now = await self.system.wait("as at the start", self.settled, 30)
        except (TimeoutError, psycopg.Error):
            now = await self.look()
        self.history.probe("leases", await leases(self.system), 0)
        left = programs(self.system)
        self.history.probe("survivors", left, [])
        self.history.probe("children", left, [])
        for name, value in now.items():
            self.history.probe(name, value, self.before[name])


async def canary(clients, chance, patience=10.0):
    """Seconds until a run of one step ended; None: it did not."""
    began = time.monotonic()
    status, answer = await clients.call(
        chance, "trigger", "POST", "/api/workflows/campaign-canary/execute", {},
        workflow="campaign-canary", timeout=patience)
    if status != 202:
        return None
    while time.monotonic() < began + patience:
        status, run = await clients.call(chance, "get", "GET",
                                         f"/api/executions/{answer['executionId']}")
        if status == 200 and run["status"] == "COMPLETED":
            return time.monotonic() - began
        await asyncio.sleep(0.02)
    return None
