"""test_sdk.py: what does not go straight, each a case of the input."""
import os
import time

from stepmill import StepFailed, StepmillError, workflow


def retry(ctx):
    def shaky():
        with open("tries-py", "a+") as file:
            file.write("x")
            if file.tell() < 3:
                raise Mine("early", "not yet")
            return file.tell()
    return ctx.retry("shaky", shaky, max_attempts=3, delay=10, jitter=False)


class Mine(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def diverge(ctx):  # decides by a file, which is not recorded
    ctx.run("other" if os.path.exists("flip-py") else "first", lambda: 1)
    open("flip-py", "w").close()
    ctx.sleep(20)


def held(ctx):
    def hold():
        while not ctx.cancelled:
            time.sleep(0.01)
        with open("aborted-py", "w") as file:
            file.write("true")
    ctx.run("holds", hold)


def many(ctx):
    def branch(i):
        def inside():
            ctx.set(f"b{i}", i)
            return ctx.shell(f"echo {i}", name=f"echo-{i}")
        return lambda: ctx.run(f"branch-{i}", inside)
    every = ctx.parallel(*map(branch, range(40)))
    ctx.sleep(20)
    return [int(each["stdout"]) for each in every]


def event(ctx):
    def never():
        try:
            return ctx.wait_for_event("never", timeout=100, name="never")
        except StepmillError as error:
            return error.code
    paid, none = ctx.parallel(
        lambda: ctx.wait_for_event("paid", when="event.data.n == 2", timeout=20000, name="paid"),
        never)
    return {"data": paid["data"], "none": none}


def caught(ctx):
    try:
        ctx.shell("echo words >&2; exit 3", name="fails")
    except StepFailed as failed:
        ctx.sleep(20)
        return {"name": type(failed).__name__, "code": failed.code,
                "exitCode": failed.error["exitCode"], "step": failed.step}


def thrown(ctx):
    raise Mine("mine", "of my own")


@workflow(name="odd-py")
def main(ctx):
    return globals()[ctx.input["case"]](ctx)
