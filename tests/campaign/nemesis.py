"""Draws what goes wrong, and when, from a seed; then lets it happen in that order.

The plan is made before anything starts: the same seed, length and list of faults give the
same actions in the same order. An action starts when its time has come and what it harms is
free; the ones after it wait for it, so that the order holds on a slow machine, too.
"""
import asyncio
import contextlib
import dataclasses
import hashlib
import random
import time
import traceback

from faults import FAULTS

# How often in 20 minutes.
FULL = {
    "A1": 440, "A3": 44, "A4": 44, "A5": 12, "A6": 4, "A7": 4, "A8": 4, "A9": 24, "A10": 6,
    "B1": 4, "B4": 5, "B5": 5, "B6": 8, "B7": 8,
    "C1": 66, "C3": 5, "C4": 4, "C5": 6, "C8": 20, "C9": 5,
    "F1": 8, "F2": 3, "F3": 4, "F4": 4, "F5": 12, "F6": 6,
}
# How often in the short form: some of each kind, whatever the length.
SHORT = {"A1": 16, "A3": 2, "A4": 2, "C1": 2, "F1": 1}
FLUSHED = (0.25, 0.55)  # window of B2, as shares of the time
LOSSY = (0.02, 0.99)  # window of C2
NOT_WHILE_FLUSHED = {"B1", "B4", "B5", "B6", "B7", "A7"}


@dataclasses.dataclass(frozen=True)
class Action:
    at: float  # seconds after the start
    fault: str


def counts(minutes, short):
    if short:
        return dict(SHORT)
    return {name: max(1, round(often * minutes / 20)) for name, often in FULL.items()}


def place(chance, name, number, often, seconds):
    """Evenly spread, and each at random within its part."""
    share = (number + chance.random()) / often * 0.95 + 0.02
    if name in NOT_WHILE_FLUSHED:  # what the window covers is left out
        covered = FLUSHED[1] - FLUSHED[0]
        share *= 1 - covered
        share += covered if share >= FLUSHED[0] else 0
    return share * seconds


def make_plan(seed, minutes, short=False, without=()):
    chance = random.Random(f"{seed}:plan")
    seconds = minutes * 60
    actions = [Action(FLUSHED[0] * seconds, "B2"), Action(LOSSY[0] * seconds, "C2")]
    for name, often in counts(minutes, short).items():
        actions += [Action(place(chance, name, number, often, seconds), name)
                    for number in range(often)]
    return sorted((action for action in actions if action.fault not in without),
                  key=lambda action: (action.at, action.fault))


def digest(plan):
    order = " ".join(action.fault for action in plan)
    return hashlib.sha256(order.encode()).hexdigest()[:12]


class Nemesis:
    def __init__(self, world, plan, minutes):
        self.world, self.plan, self.minutes = world, plan, minutes
        self.locks = {lock: asyncio.Lock() for _, locks in FAULTS.values() for lock in locks}
        self.tasks = set()
        self.done = {}  # fault -> how often it started
        world.flush_seconds = (FLUSHED[1] - FLUSHED[0]) * minutes * 60
        world.lossy_seconds = (LOSSY[1] - LOSSY[0]) * minutes * 60

    async def work(self):
        """Until the time is over; then what is under way ends by itself."""
        began = time.monotonic()
        for index, action in enumerate(self.plan):
            left = began + self.minutes * 60 - time.monotonic()
            if left <= 0:
                break
            await asyncio.sleep(max(0, began + action.at - time.monotonic()))
            await self.start(index, action)
        await asyncio.sleep(max(0, began + self.minutes * 60 - time.monotonic()))
        await self.join()

    async def start(self, index, action):
        function, locks = FAULTS[action.fault]
        held = contextlib.AsyncExitStack()
        for lock in sorted(locks):
            await held.enter_async_context(self.locks[lock])
        self.done[action.fault] = self.done.get(action.fault, 0) + 1
        self.world.history.fault(action.fault, "start", index=index)
        task = asyncio.ensure_future(self.one(index, action, function, held))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def one(self, index, action, function, held):
        chance = random.Random(f"{self.world.seed}:{index}:{action.fault}")
        async with held:
            try:
                await function(self.world, chance)
            except Exception:
                self.world.violation("harness", None, f"{action.fault} at {index}: "
                                     + traceback.format_exc())
        self.world.history.fault(action.fault, "end", index=index)

    async def join(self):
        """The faults that last are over by now; those with runs of their own follow them."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=120)
