"""I-6: a step starts after all it needs are over, and the steps that ran are a path of the
workflow's definition. Conditions are not evaluated: any of the branches may have been taken."""
import collections

from checks.fold import STEP_OVER

END = "end"


def check(world, report):
    for run in world.runs.values():
        steps = world.steps.get(run.id, [])
        if run.config is not None and "program" in run.config:
            _check_program(report, run, steps)
            continue
        if run.config is None or "steps" not in run.config:
            report.add("I-6", run.id, "its definition is not there")
            continue
        _Order(world, report, run, steps).check()


def _check_program(report, run, steps):
    """What a program asks for is not known before; but each has its number, and stands after
    the step inside which it was asked for."""
    numbers = [step.step_number for step in steps]
    if numbers != list(range(1, len(numbers) + 1)):
        report.add("I-6", run.id, f"steps are numbered {numbers[:20]}")
    for step in steps:
        if step.parent_step is not None and not 0 < step.parent_step < step.step_number:
            report.add("I-6", run.id, f"step {step.step_number} is inside {step.parent_step}")


class _Order:
    def __init__(self, world, report, run, steps):
        self.world, self.report, self.run, self.steps = world, report, run, steps
        self.definition = {step["id"]: step for step in run.config["steps"]}
        inside = {key for step in run.config["steps"] for field in ("then", "else", "body")
                  for key in step.get(field) or ()}
        self.order = [key for key in self.definition if key not in inside]
        self.is_graph = any("needs" in step for step in self.definition.values())

    def add(self, what):
        self.report.add("I-6", self.run.id, what)

    def check(self):
        if not self._check_rows():
            return
        # what stands in the body of another step is that step's affair
        top = [step for step in self.steps if step.parent_step is None
               and step.step_key in self.order]
        if self.is_graph:
            self._check_graph(top)
        else:
            self._check_path(top)
        self._check_children()

    def _check_rows(self):
        """All others rest on these."""
        numbers = [step.step_number for step in self.steps]
        if numbers != list(range(1, len(numbers) + 1)):
            self.add(f"steps are numbered {numbers[:20]}")
        unknown = [step.step_key for step in self.steps if step.step_key not in self.definition]
        if unknown:
            self.add(f"steps {unknown[:5]} are not in the definition")
        return not unknown

    def _name(self, step):
        return f"step {step.step_number} ({step.step_key})"

    def _check_after(self, step, needed):
        """The first start comes after the end of what is needed. That a step which is over has
        no event of its end is told by others."""
        log, before = self.world.log(step), self.world.log(needed)
        if not log.starts:
            return
        if needed.status not in STEP_OVER:
            self.add(f"{self._name(step)} started, and {self._name(needed)} is {needed.status}")
        elif before.end is not None and log.starts[0] < before.end.seq:
            self.add(f"{self._name(step)} started ({log.starts[0]}) before"
                     f" {self._name(needed)} was over ({before.end.seq})")

    def _repeats(self, key):
        return "repeatUntil" in self.definition[key]

    # ---- sequence style ----

    def _next_in_file(self, key):
        place = self.order.index(key) + 1
        return self.order[place] if place < len(self.order) else END

    def _by_default(self, key, status):
        """Where it goes on when no branch was taken; None: the run fails."""
        step = self.definition[key]
        if status in ("completed", "skipped"):
            return step.get("onSuccess") or self._next_in_file(key)
        if step.get("onFailure"):
            return step["onFailure"]
        if step.get("continueOnError"):
            return step.get("onSuccess") or self._next_in_file(key)
        return None

    def _ways(self, key, status):
        ways = {key} if self._repeats(key) else set()
        for branch in self.definition[key].get("branches") or ():
            ways.add(branch["goto"])
            if str(branch["condition"]).strip().lower() == "true" and status == "completed":
                return ways
        return ways | {self._by_default(key, status)}

    def _check_path(self, top):
        if top and self.order and top[0].step_key != self.order[0]:
            self.add(f"begins with {top[0].step_key}, the file with {self.order[0]}")
        for step, following in zip(top, top[1:]):
            self._check_after(following, step)
            ways = self._ways(step.step_key, step.status)
            if step.status in STEP_OVER and following.step_key not in ways:
                self.add(f"{self._name(following)} came after {self._name(step)}, which was"
                         f" {step.status}: only {sorted(map(str, ways))} may")
        if top and top[-1].status in STEP_OVER:
            self._check_last(top[-1])

    def _check_last(self, step):
        ways = self._ways(step.step_key, step.status)
        error = self.run.error or {}
        if self.run.status == "completed" and (END not in ways or END in self.definition) \
                and not self._is_after_all(step, ways):
            self.add(f"completed after {self._name(step)}, which was {step.status} and goes on"
                     f" with {sorted(map(str, ways))}")
        elif self.run.status == "failed" and step.status == "failed" and None not in ways \
                and error.get("step") == step.step_key and error.get("code") == step.error_code:
            self.add(f"failed with {self._name(step)}, which goes on with {sorted(ways)}")

    def _is_after_all(self, step, ways):
        """With a step called "end" the word does not mean the end, but the file still has one."""
        return END in self.definition and END in ways and self.order[-1] == step.step_key

    # ---- graph style ----

    def _targets(self):
        """What only a branch leads to."""
        for step in self.definition.values():
            yield from (branch["goto"] for branch in step.get("branches") or ())
            yield from filter(None, (step.get("onSuccess"), step.get("onFailure")))

    def _is_met(self, step):
        return step.status in ("completed", "skipped") or (
            step.status == "failed" and self.definition[step.step_key].get("continueOnError"))

    def _check_graph(self, top):
        latest = {step.step_key: step for step in top}
        visits = collections.Counter(step.step_key for step in top)
        targets = set(self._targets())
        for step in top:
            if visits[step.step_key] > 1 and step.step_key not in targets \
                    and not self._repeats(step.step_key):
                self.add(f"{self._name(step)} is there {visits[step.step_key]} times")
            self._check_needs(step, latest)
        if self.run.status == "completed":
            for key in set(self.order) - targets:
                self._check_came(key, latest)

    def _check_needs(self, step, latest):
        for key in self.definition[step.step_key].get("needs") or ():
            needed = latest.get(key)
            if needed is None:
                if self.world.log(step).starts:
                    self.add(f"{self._name(step)} started, and {key}, which it needs, is not"
                             " there")
                continue
            self._check_after(step, needed)
            if self.world.log(step).starts and needed.status in STEP_OVER \
                    and not self._is_met(needed):
                self.add(f"{self._name(step)} started, and {self._name(needed)}, which it needs,"
                         f" was {needed.status}")

    def _check_came(self, key, latest):
        needs = [latest.get(need) for need in self.definition[key].get("needs") or ()]
        if all(need is not None and self._is_met(need) for need in needs) \
                and (key not in latest or latest[key].status not in STEP_OVER):
            self.add(f"completed without step {key}, though all it needs was there")

    # ---- children ----

    def _is_over_before(self, child, parent):
        end, parent_end = self.world.log(child).end, self.world.log(parent).end
        return child.status in STEP_OVER and (
            end is None or parent_end is None or end.seq < parent_end.seq)

    def _check_children(self):
        rows = {step.step_number: step for step in self.steps}
        places = collections.Counter()
        for step in self.steps:
            if step.parent_step is None:
                continue
            parent = rows.get(step.parent_step)
            if parent is None:
                self.add(f"{self._name(step)} belongs to step {step.parent_step}, which is not"
                         " there")
                continue
            if "foreach" in self.definition[parent.step_key] and not self._repeats(step.step_key):
                places[step.parent_step, step.item_index, step.step_key] += 1
            if parent.status == "completed" and not self._is_over_before(step, parent):
                self.add(f"{self._name(parent)} completed before its child {step.step_number}")
        for (parent, item, key), count in places.items():
            if count > 1:
                self.add(f"step {parent} has {count} children {key} of item {item}")
