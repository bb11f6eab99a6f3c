"""What a fault can reach: the system, its clients, and small ways to start a run and look."""
import asyncio
import json
import signal
import time

import psycopg
from system import send

REFUSED_FLOW = "not available in this version"
OVER = {"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT", "CRASHED"}


class World:
    def __init__(self, system, clients, history, seed):
        self.system, self.clients, self.history, self.seed = system, clients, history, seed
        self.flush_seconds = self.lossy_seconds = 0.0
        self.kills = []  # (pid, when) of workers
        self.poisoned = 0

    def note(self, name, what, **fields):
        self.history.fault(name, what, **fields)

    def violation(self, invariant, run, what):
        self.history.violation(invariant, run, what)

    def expect(self, condition, invariant, run, what):
        if not condition:
            self.violation(invariant, run, what)

    # ---- workers ----

    def kill_worker(self, name, pid):
        at = time.time()
        if send(pid, signal.SIGKILL):
            self.kills.append((pid, at))
            self.system.counters["worker_kills"] += 1
            self.note(name, "worker killed", pid=pid)

    async def worker_of(self, run, number, seconds=20.0):
        """The pid of who holds this step; None when nobody does for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                rows = await self.system.sql(
                    "select w.pid from workflow_steps s join workers w on w.id = s.worker_id"
                    " where s.execution_id = %s and s.step_number = %s and s.status = 2"
                    " and w.status = 1", run, number)
            except psycopg.Error:
                rows = None
            if rows and rows[0][0] in self.system.workers():
                return rows[0][0]
            await asyncio.sleep(0.01)
        return None

    # ---- runs of a fault's own ----

    @staticmethod
    def shell(key, command, **more):
        return {"id": key, "action": "tool", "tool": "shell", "args": {"command": command},
                **more}

    async def begin(self, chance, name, steps, given=None):
        """Starts a run of these steps; its id, or None when this version has no such steps."""
        name = f"fault-{name}-{chance.randrange(10**9)}"
        status, answer = await self.clients.insist(chance, "register", "POST", "/api/workflows",
                                                   {"name": name, "steps": steps})
        if status == 422 and REFUSED_FLOW in str(answer):
            print(f"campaign: {name} is left out: not available in this version", flush=True)
            return None
        self.expect(status in (200, 201), "I-2", None, f"registering {name}: {status} {answer}")
        body = {"input": given or {}}
        status, answer = await self.clients.insist(
            chance, "trigger", "POST", f"/api/workflows/{name}/execute", body,
            key=f"{name}-{self.seed}", workflow=name, patience=600)
        self.expect(status == 202, "I-2", None, f"starting {name}: {status} {answer}")
        return answer["executionId"] if status == 202 else None

    async def ended(self, chance, run, seconds=240.0):
        """The run when it is over; None when it is not, which is for the checker to say."""
        end = time.monotonic() + seconds
        while run is not None and time.monotonic() < end:
            status, answer = await self.clients.call(chance, "read", "GET",
                                                     f"/api/executions/{run}")
            if status == 200 and answer["status"] in OVER:
                return answer
            await asyncio.sleep(0.2)
        return None

    def completed(self, run):
        """Or failed as poison: other faults kill the workers of any step."""
        if run is not None and ((run.get("error") or {}).get("code") == "poison"):
            self.poisoned += 1
            return True
        return run is not None and run["status"] == "COMPLETED"

    def in_ledger(self, key):
        """Among what came last."""
        with open(self.system.ledger_path, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 65536))
            lines = file.read().splitlines()
        return any(key.encode() in line and json.loads(line)["key"] == key
                   for line in lines if line.endswith(b"}") and line.startswith(b"{"))
