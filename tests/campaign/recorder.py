"""A subscriber: follows a run by long polls, is cut and comes back at random, and must see
every event once and in order."""
import asyncio
import time

PATIENCE = 900.0


class Recorder:
    def __init__(self, clients, history, chance, run):
        self.clients, self.history, self.chance, self.run = clients, history, chance, run
        self.seq = self.cuts = 0

    async def follow(self):
        """Until the run is over; whether it ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = await self.ask()
            if answer is None:
                await asyncio.sleep(self.chance.uniform(0.05, 0.5))
                continue
            self.look_at(answer["data"])
            if answer["over"] and self.seq >= answer["lastSeq"]:
                self.history.note("followed", run=self.run, events=self.seq, cuts=self.cuts)
                return True
        return False

    async def ask(self):
        """One long poll, which a third of the time is cut by us."""
        timeout = 8.0
        if self.chance.random() < 0.33:
            timeout = self.chance.uniform(0.02, 2.0)
            self.cuts += 1
        path = f"/api/executions/{self.run}/events?since={self.seq}&wait=5s"
        status, answer = await self.clients.call(self.chance, "events", "GET", path,
                                                 timeout=timeout)
        if status is not None and 400 <= status < 500:
            self.history.violation("I-7", self.run, f"GET {path} answered {status}")
        return answer if status == 200 else None

    def look_at(self, events):
        for event in events:
            if event["seq"] != self.seq + 1:
                self.history.violation(
                    "I-7", self.run, f"event {event['seq']} came after {self.seq}")
            self.seq = event["seq"]
            self.history.seen(self.run, self.seq, f"recorder of {self.run}")
