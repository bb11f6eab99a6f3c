"""The log of a run folded into what its rows must say. Events in, values out; nothing else."""

RUN_ENDS = {"run.completed": "completed", "run.failed": "failed", "run.cancelled": "cancelled",
            "run.timed_out": "timed_out", "run.crashed": "crashed"}
RUN_GOES_ON = {"run.resumed", "run.recovered"}
STEP_ENDS = {"step.completed": "completed", "step.skipped": "skipped",
             "step.cancelled": "cancelled"}  # and step.failed that is not tried again
OVER = {"completed", "failed", "cancelled", "timed_out"}  # a crashed run may be resumed
STEP_OVER = {"completed", "failed", "skipped", "cancelled"}
# What a row may say when the log says the word before: what becomes ready, is claimed, or is
# handed back has no event.
ROWS = {
    "new": {"pending", "queued", "running", "waiting"},
    "ready": {"pending", "queued", "running"},
    "running": {"running", "queued", "pending"},
    "retrying": {"retrying", "queued", "running", "pending"},
    "waiting": {"waiting", "queued", "running", "pending"},
    "waiting_approval": {"waiting_approval"},
    **{status: {status} for status in STEP_OVER},
}


class StepLog:
    """What the log says of one step."""

    def __init__(self):
        self.status = "new"
        self.starts = []    # numbers of step.started
        self.end = None     # the event that ended it
        self.reports = 0    # how many events would have ended it
        self.retries = 0
        self.waits = 0
        self.attempt = 1
        self.attempt_ends = {}  # attempt -> when it was over, as far as the log tells
        self.overlaps = []  # numbers of step.started under which another attempt ran
        self.odd = []       # what does not fit where it stands


class RunLog:
    def __init__(self, events):
        self.status = "pending"
        self.begun = []     # (time it began to run, time it stopped running or None)
        self.steps = {}
        self.odd = []
        self.crashed = False
        for event in events:
            self._take(event)

    def step(self, number):
        return self.steps.setdefault(number, StepLog())

    def _take(self, event):
        kind = event.type.split(".")[0]
        if kind not in ("run", "step", "approval"):
            return  # comments and the like change nothing
        stands_still = self.status in OVER or self.status == "crashed"
        if stands_still and not (self.status == "crashed" and event.type in RUN_GOES_ON):
            self.odd.append(f"{event.type} ({event.seq}) after the run was {self.status}")
        if kind == "run":
            self._take_run(event)
        else:
            self._take_step(event, self.step(event.step_number))

    def _take_run(self, event):
        if event.type in RUN_ENDS:
            self.crashed |= event.type == "run.crashed"
            self._stop(event, RUN_ENDS[event.type])
        elif event.type == "run.paused":
            self._stop(event, "paused")
        elif event.type == "run.started":
            if self.status != "pending":
                self.odd.append(f"run.started ({event.seq}) when it was {self.status}")
            self._go(event)
        elif event.type == "run.resumed" or self.status == "crashed":
            self._go(event)
        if event.type == "run.recovered":
            for number in (event.payload or {}).get("steps", []):
                self._lose(event, self.step(number))

    def _go(self, event):
        if self.status == "crashed":
            for log in self.steps.values():  # whatever ran is claimed anew
                if log.status == "running":
                    log.status = "ready"
        self.status = "running"
        self.begun.append((event.at, None))

    def _stop(self, event, status):
        if self.status in OVER:
            return  # told as odd; the first end is the one that counts
        self.status = status
        if self.begun and self.begun[-1][1] is None:
            self.begun[-1] = (self.begun[-1][0], event.at)

    def _lose(self, event, log):
        if log.status in STEP_OVER:
            log.odd.append(f"run.recovered ({event.seq}) names it after its end")
            return
        log.attempt_ends[log.attempt] = event.at
        log.attempt += 1
        log.status = "ready"

    def _take_step(self, event, log):
        failed_for_good = event.type == "step.failed" \
            and not (event.payload or {}).get("willRetry")
        if event.type in STEP_ENDS or failed_for_good:
            log.reports += 1
            if log.end is None:
                self._end_step(event, log)
        elif log.end is not None:
            log.odd.append(f"{event.type} ({event.seq}) after its end ({log.end.seq})")
        elif event.type == "step.started":
            if log.status == "running":
                log.overlaps.append(event.seq)
            log.starts.append(event.seq)
            log.status = "running"
        elif event.type == "step.failed":
            log.attempt_ends[log.attempt] = event.at
            log.attempt += 1
            log.retries += 1
            log.status = "retrying"
        elif event.type == "step.waiting":
            log.waits += 1
            log.status = "waiting"
        else:
            log.status = "waiting_approval" if event.type == "approval.requested" else "ready"

    def _end_step(self, event, log):
        if event.type == "step.completed" and log.status == "new":
            log.odd.append(f"step.completed ({event.seq}) without a step.started")
        log.end = event
        log.attempt_ends[log.attempt] = event.at
        log.status = STEP_ENDS.get(event.type, "failed")
