"""What was done to the system and what it told its clients: two files of JSON lines.

history.jsonl is for the checker; every line has `kind`:
  call   one HTTP call that means something: op (trigger, cancel, get), key, workflow, start,
         end, status (null: no answer), execution
  fault  id, time, what: every action of the nemesis, and what it chose
  seen   execution, seq, time, subscriber: an event that a subscriber got
  probe  name, value, expected, time: what was looked at from outside
diary.jsonl is for people: programs that started and ended, and all other calls.
"""
import json
import threading
import time


class History:
    def __init__(self, folder):
        self.path, self.diary_path = folder / "history.jsonl", folder / "diary.jsonl"
        self.file = open(self.path, "a", encoding="utf-8")
        self.diary = open(self.diary_path, "a", encoding="utf-8")
        self.lock = threading.Lock()
        self.violations = []  # what clients and faults saw with their own eyes

    def write(self, file, line):
        with self.lock:
            file.write(json.dumps(line, default=str) + "\n")
            file.flush()

    def note(self, what, **fields):
        self.write(self.diary, {"time": time.time(), "what": what, **fields})

    def call(self, op, **fields):
        """Calls that change nothing are many, and only for people."""
        if op in ("trigger", "cancel"):
            self.write(self.file, {"kind": "call", "op": op, **fields})
        else:
            self.note("call", op=op, **fields)

    def fault(self, name, what, **fields):
        self.write(self.file, {"kind": "fault", "id": name, "time": time.time(), "what": what,
                               **fields})

    def seen(self, run, seq, subscriber):
        self.write(self.file, {"kind": "seen", "execution": run, "seq": seq,
                               "time": time.time(), "subscriber": subscriber})

    def probe(self, name, value, expected):
        self.write(self.file, {"kind": "probe", "name": name, "value": value,
                               "expected": expected, "time": time.time()})

    def violation(self, invariant, run, what):
        self.violations.append({"invariant": invariant, "run": run, "what": what})
        self.note("violation", invariant=invariant, run=run, text=what)

    def close(self):
        self.file.close()
        self.diary.close()


def read(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
