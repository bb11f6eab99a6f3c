"""Clients that start runs, follow some, cancel some: so many at once, so many a second."""
import asyncio
import random
import time

import psycopg
from flows import FLOWS
from recorder import Recorder

FOLLOWED = 0.35
REFUSED_FLOW = "not available in this version"


class Load:
    def __init__(self, system, clients, history, seed, in_flight=100, rate=12.0):
        self.system, self.clients, self.history = system, clients, history
        self.seed, self.rate = seed, rate
        self.flows = []
        self.room = asyncio.Semaphore(in_flight)
        self.accepted = {}  # run -> flow
        self.over = set()
        self.tasks = set()
        self.ending = False

    # ---- the workflows ----

    async def register(self):
        chance = random.Random(f"{self.seed}:register")
        for flow in FLOWS:
            if not set(flow.needs) <= {known.name for known in self.flows}:
                print(f"campaign: {flow.name} is left out: it needs {flow.needs}")
                continue
            status, answer = await self.clients.insist(
                chance, "register", "POST", "/api/workflows",
                flow.document(self.system.ledger_url))
            if status in (200, 201):
                self.flows.append(flow)
            elif REFUSED_FLOW in str(answer):
                print(f"campaign: {flow.name} is left out: not available in this version")
            else:
                raise AssertionError(f"{flow.name}: {status} {answer}")

    # ---- runs ----

    async def work(self):
        """Starts runs until the end is wished."""
        chance = random.Random(f"{self.seed}:load")
        weights = [flow.weight for flow in self.flows]
        number = 0
        due = time.monotonic()
        while not self.ending:
            await self.room.acquire()
            due = max(due + 1 / self.rate, time.monotonic() - 1)
            await asyncio.sleep(max(0, due - time.monotonic()))
            number += 1
            flow = chance.choices(self.flows, weights)[0]
            task = asyncio.ensure_future(self.one(flow, number))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def one(self, flow, number):
        chance = random.Random(f"{self.seed}:run:{number}")
        try:
            run = await self.trigger(chance, flow, number)
            if run is None:
                return
            if chance.random() < flow.cancel:
                await self.cancel(chance, run)
            if chance.random() < FOLLOWED:
                await Recorder(self.clients, self.history, chance, run).follow()
            else:
                await self.watch(run)
        finally:
            self.room.release()

    async def trigger(self, chance, flow, number):
        """Asked for again under the same key until there is an answer."""
        status, answer = await self.clients.insist(
            chance, "trigger", "POST", f"/api/workflows/{flow.name}/execute",
            {"input": {"n": number}}, key=f"campaign-{self.seed}-{number}", patience=600,
            workflow=flow.name)
        if status == 202:
            self.accepted[answer["executionId"]] = flow
            return answer["executionId"]
        if status is not None and status < 500:
            self.history.violation("I-2", None, f"trigger {number} answered {status}: {answer}")
        return None

    async def cancel(self, chance, run):
        await asyncio.sleep(chance.uniform(0.1, 3.0))
        status, answer = await self.clients.insist(
            chance, "cancel", "POST", f"/api/executions/{run}/cancel", execution=run)
        if status not in (200, 202, 409):
            self.history.violation("I-1", run, f"cancel answered {status}: {answer}")

    async def watch(self, run):
        """A client that asks for nothing until its run is over."""
        while run not in self.over and not self.ending:
            await asyncio.sleep(0.2)

    async def check_ends(self):
        """Each run ended as its workflow does, whatever happened to its workers. (Except as
        poison: of a step whose workers were killed again and again nobody can know.)"""
        ended = {row[0]: row[1:] for row in await self.system.sql(
            "select id::text, upper(status), error from v_runs")}
        poisoned = 0
        for run, flow in self.accepted.items():
            status, error = ended.get(run, (None, None))
            if (error or {}).get("code") == "poison":
                poisoned += 1
            elif status not in flow.ends:
                self.history.violation("ends", run, f"{flow.name} ended as {status}: {error}")
        return poisoned

    async def watch_all(self):
        """One question for all that are watched."""
        while True:
            await asyncio.sleep(0.5)
            open_runs = [run for run in self.accepted if run not in self.over]
            try:
                rows = await self.system.sql(
                    "select execution_id::text from workflow_run_state"
                    " where execution_id = any(%s::uuid[]) and status >= 3", open_runs)
            except psycopg.Error:
                continue
            self.over.update(row[0] for row in rows)

