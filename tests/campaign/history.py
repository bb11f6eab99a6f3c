"""What was done to the system and what clients were told: one JSON object a line.

Every line has `at` (seconds since 1970) and `kind`:
  campaign  the seed and the options, the first line
  call      one HTTP call: op, method, path, key, start, end, status (null: no answer), and
            for triggers workflow, input and run (the id that was answered)
  fault     id, index in the plan, phase (start, end, note) and what it chose
  service   a program started or ended: name, pid, status
  stream    a subscriber that followed a run to its end: run, events, cuts
  read      an ended run as a client read it: run, status, steps [{number, status, sha}]
  violation what a client saw with its own eyes: invariant, run, what
"""
import json
import threading
import time


class History:
    def __init__(self, path):
        self.path = path
        self.file = open(path, "a", encoding="utf-8")
        self.lock = threading.Lock()
        self.violations = []

    def note(self, kind, **fields):
        line = json.dumps({"at": time.time(), "kind": kind, **fields}, default=str)
        with self.lock:
            self.file.write(line + "\n")
            self.file.flush()

    def violation(self, invariant, run, what):
        self.violations.append({"invariant": invariant, "run": run, "what": what})
        self.note("violation", invariant=invariant, run=run, what=what)

    def close(self):
        self.file.close()


def read(path, *kinds):
    """The lines of these kinds, in order."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            if not kinds or entry["kind"] in kinds:
                yield entry
