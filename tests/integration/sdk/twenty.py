"""The kill test: 20 steps. Each function notes that it ran, and gives a number drawn then."""
import random

from stepmill import workflow


def draw(name):
    def function():
        with open("effects-py", "a") as file:
            file.write(name + "\n")
        return random.randrange(10**9)
    return function


@workflow(name="twenty-py", input={"type": "object"})
def main(ctx):
    drawn = []
    for i in range(4):
        drawn.append(ctx.run(f"draw-{i}", draw(f"draw-{i}")))
        ctx.set(f"k{i}", drawn[i])
        ctx.shell(f"sleep 0.1; echo shell-{i} >>effects-py; echo {drawn[i]}", name=f"shell-{i}")
        ctx.run_cli(f"agent-{i}", "scripted", f"Say {i}.")
        ctx.sleep(50, name=f"nap-{i}")
    ctx.approval("First?", name="first")
    ctx.comment("approved")
    ctx.run("last", draw("last"))
    ctx.approval("Second?", name="second")
    kept = [ctx.get(f"k{i}") for i in range(4)]
    ctx.shell("true", name="end")
    return {"drawn": drawn, "kept": kept}
