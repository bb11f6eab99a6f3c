"""What was found: violations, and which invariants could not be looked at."""

TITLES = {
    "I-1": "every accepted trigger has its run, and every run ends",
    "I-2": "a key has one run, an unanswered trigger at most one",
    "I-3": "a step has one accepted report, and what is stored stays",
    "I-4": "effects: at least one a success, one key a step, no more than tries",
    "I-5": "no effect after a cancel, an end or the loss of its attempt",
    "I-6": "steps start after what they need, along a path of the definition",
    "I-7": "event numbers without gap or repeat, in the log and at every subscriber",
    "I-8": "run and steps are the fold of the events",
    "I-9": "one firing for a schedule and a time",
    "I-10": "limits of concurrency, and one attempt of a step at a time",
    "I-11": "nothing is held after quiet",
    "I-12": "no secret anywhere",
    "I-13": "no process of a finished attempt lives",
    "I-14": "ready means that a run ends",
    "I-15": "nobody repaired by hand",
}


class Report:
    def __init__(self, seed=None):
        self.seed = seed
        self.violations = []
        self.unchecked = {}

    def add(self, invariant, run, what):
        assert invariant in TITLES
        self.violations.append({"invariant": invariant, "run": run, "seed": self.seed,
                                "what": what})

    def not_checked(self, invariant, why):
        """One part of it, or all: others of its violations may still be found."""
        self.unchecked.setdefault(invariant, []).append(why)

    def summary(self):
        """A line for each invariant."""
        for invariant, title in TITLES.items():
            count = sum(v["invariant"] == invariant for v in self.violations)
            verdict = f"{count} violation{'s' * (count > 1)}" if count else "ok"
            reasons = self.unchecked.get(invariant, [])
            gap = f" (not checked: {'; '.join(reasons)})" if reasons else ""
            yield f"{invariant:5} {verdict}: {title}{gap}"
