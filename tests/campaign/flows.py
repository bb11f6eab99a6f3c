"""The workflows of the load, one entry each. To add one: a function of the ledger's address
that answers its steps, under a name, a weight and what its runs may end as.

`effects` are the ids of steps that must have an entry in the ledger when they completed;
`needs` is what else the workflow needs to be registered first. A workflow that the server
refuses as not available in this version is left out, with a notice.
"""
import dataclasses

RETRY = {"maxAttempts": 8, "backoff": "fixed", "delay": 150}


def noop(key, **more):
    return {"id": key, "action": "noop", **more}


def shell(key, command, **more):
    return {"id": key, "action": "tool", "tool": "shell", "args": {"command": command}, **more}


def http(key, ledger, **more):
    """An effect by the engine's own client. It has less patience than a late answer."""
    return {"id": key, "action": "http", "method": "POST", "url": f"{ledger}/effect",
            "json": {"step": key}, "timeout": 3000, "retry": RETRY, **more}


def curl(key, ledger, **more):
    """An effect by a program, which knows its attempt."""
    command = ('exec curl -fsS -m 3 -o /dev/null -X POST -H "X-Attempt: $STEPMILL_ATTEMPT"'
               f' -H "Idempotency-Key: $STEPMILL_IDEMPOTENCY_KEY" {ledger}/effect')
    return shell(key, command, timeout=10000, retry=RETRY, **more)


def pause(key, milliseconds, **more):
    return {"id": key, "action": "wait", "for": milliseconds, **more}


@dataclasses.dataclass(frozen=True)
class Flow:
    name: str
    weight: int
    steps: object  # function of the ledger's address
    ends: tuple = ("COMPLETED",)
    effects: tuple = ()
    needs: tuple = ()
    cancel: float = 0.0  # share of the runs that a client cancels
    top: dict = dataclasses.field(default_factory=dict)

    def document(self, ledger):
        return {"name": self.name, **self.top, "steps": self.steps(ledger)}


def five_noops(_):
    return [noop(f"n{number}") for number in range(1, 6)]


def mixed(ledger):
    return [noop("begin"), curl("program", ledger), http("call", ledger),
            shell("echo", 'echo "{{steps.call.output.body.key}}"'), noop("end_of_it")]


def calls(ledger):
    return [http("one", ledger), http("two", ledger), http("three", ledger)]


def stubborn(ledger):
    """Fails twice, then does it."""
    return [shell("third_time", 'test "$STEPMILL_ATTEMPT" -ge 3', retry=RETRY),
            curl("program", ledger)]


def patient(ledger):
    return [noop("begin"), pause("short", 300), http("call", ledger), pause("long", 6000),
            noop("done")]


def naps(ledger):
    return [shell("nap", "sleep 2"), curl("program", ledger), shell("again", "sleep 2")]


def helped(ledger):
    return [shell("breaks", "exit 3", onFailure="helper"), noop("never"),
            http("helper", ledger)]


def broken(_):
    return [noop("begin"), shell("breaks", "exit 3"), noop("never")]


def back_again(_):
    """Three visits of one step."""
    return [shell("visit", 'echo "$STEPMILL_STEP_NUMBER"', branches=[
        {"condition": "int(result.stdout.trim()) < 3", "goto": "visit"}]), noop("done")]


def join(ledger):
    return [noop("begin"), http("left", ledger, needs=["begin"]),
            curl("middle", ledger, needs=["begin"]), pause("right", 500, needs=["begin"]),
            noop("join", needs=["left", "middle", "right"])]


def wide(_):
    """A join with much to wait for: many finishes change one run at once."""
    leaves = [noop(f"leaf{number}", needs=["begin"]) for number in range(60)]
    return [noop("begin"), *leaves, noop("join", needs=[leaf["id"] for leaf in leaves])]


def each(ledger):
    return [http("call", ledger, foreach="[1, 2, 3, 4, 5]", maxParallel=3), noop("done")]


def parent(_):
    return [noop("begin"), {"id": "child", "action": "workflow", "workflow": "campaign-mixed"},
            noop("done")]


def asked(ledger):
    """Nobody answers: the clock approves."""
    return [{"id": "ask", "action": "approval", "prompt": "may it?", "timeout": 1500,
             "onTimeout": "approve"}, http("call", ledger)]


FLOWS = [
    Flow("campaign-noops", 3, five_noops),
    Flow("campaign-mixed", 5, mixed, effects=("program", "call")),
    Flow("campaign-calls", 3, calls, effects=("one", "two", "three")),
    Flow("campaign-stubborn", 2, stubborn, effects=("program",)),
    Flow("campaign-patient", 8, patient, effects=("call",)),
    Flow("campaign-naps", 3, naps, ends=("COMPLETED", "CANCELLED"), effects=("program",),
         cancel=0.3),
    Flow("campaign-helped", 1, helped, effects=("helper",)),
    Flow("campaign-broken", 1, broken, ends=("FAILED",)),
    Flow("campaign-back-again", 1, back_again),
    Flow("campaign-join", 3, join, effects=("left", "middle")),
    Flow("campaign-wide", 1, wide),
    Flow("campaign-each", 2, each),
    Flow("campaign-parent", 1, parent, needs=("campaign-mixed",)),
    Flow("campaign-asked", 2, asked, effects=("call",)),
]
