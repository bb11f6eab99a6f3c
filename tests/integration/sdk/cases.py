"""The cases of test_sdk_protocol.py in Python: which one, the input says."""
import os
import time

from stepmill import Cancelled, Divergence, StepFailed, WorkflowContext, workflow


@workflow(name="cases", input={"type": "object"})
def main(ctx):
    return globals()[ctx.input["case"]](ctx)  # what is below is defined, too


def ran(what, gives=None):
    with open(os.environ["RAN"], "a") as file:
        file.write(what + "\n")
    return gives


def everything(ctx):
    ctx.set("a", {"n": 1})
    a = ctx.get("a")
    one = ctx.run("one", lambda: ran("one", {"got": a["n"]}))

    def nested():
        inner = ctx.run("inner", lambda: ran("inner", 2))
        ctx.comment("inside", {"n": inner})
        return inner
    outer = ctx.run("outer", nested)
    shell = ctx.shell("echo hi", env={"A": "b"}, timeout=5000)
    ctx.git.commit("changed", all=True, options={"name": "save"})
    ctx.files.write("a.txt", "text")
    ctx.files.copy("a.txt", to="b.txt")
    ctx.tool("json.pick", {"from": {}, "keys": []}, retry={"maxAttempts": 2})
    plan = ctx.run_cli("plan", "claude", "Plan it.", model="m")
    ctx.sleep(1000)
    event = ctx.wait_for_event("paid", when="event.data.n == 1", timeout=60000)
    approval = ctx.approval("Really?", name="gate")
    child = ctx.workflow("other", {"x": 1})
    ctx.comment_execution("outside")
    ctx.artifact("a.txt", type="DOCUMENT")
    had = ctx.has("a")
    ctx.delete("a")
    has = ctx.has("a")
    missing = ctx.get("missing", "none")
    ctx.log.warn("said", n=1)
    return {"one": one, "outer": outer, "shell": shell, "plan": plan, "event": event,
            "approval": approval, "child": child, "had": had, "has": has, "missing": missing,
            "ids": [ctx.execution_id, ctx.project_id, ctx.project_path],
            "is": isinstance(ctx, WorkflowContext), "cancelled": ctx.cancelled}


class Early(Exception):
    code = "early"


def tries(ctx):
    def shaky():
        ran("shaky")
        if len(open(os.environ["RAN"]).readlines()) < 3:
            raise Early("not yet")
        return "at last"
    return ctx.retry("shaky", shaky, max_attempts=3, delay=1)


class Mine(Exception):
    code = "mine"


def failing(ctx):
    def bad():
        raise Mine("broken")
    try:
        ctx.run("bad", bad)
    except StepFailed as error:
        ctx.set("caught", [error.code, str(error), error.step])
    ctx.shell("exit 3")


def trouble(ctx):
    try:
        ctx.shell("true")
    except (Divergence, Cancelled) as error:
        ran(type(error).__name__)
        raise


def stopped(ctx):
    try:
        ctx.run("before", lambda: 1)
        ctx.sleep(1000)
        ran("woken")
    finally:
        ran("after")
    return "end"


def held(ctx):
    def wait():
        while not ctx.cancelled:
            time.sleep(0.01)
        ran("aborted")
    ctx.run("holds", wait)
    return {"cancelled": ctx.cancelled}


def many(ctx):
    def one(i):
        return lambda: ctx.run(f"step-{i}", lambda: i)
    return sum(ctx.parallel(*map(one, range(500))))


def large(ctx):
    ctx.run("large", lambda: "x" * (5 << 20))


def nothing(ctx):
    pass
