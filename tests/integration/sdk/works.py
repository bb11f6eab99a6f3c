"""test_sdk.py: state, duplicate names, files, git, waiting, comments, artifacts."""
from stepmill import workflow


@workflow(name="works-py", description="A bit of all.",
          input={"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}})
def main(ctx):
    ctx.set("n", 1)
    twice = [ctx.run("twice", lambda: 1), ctx.run("twice", lambda: 2)]

    def outer():
        ctx.comment("inside")
        return ctx.run("inner", lambda: "in")
    inner = ctx.run("outer", outer)
    ctx.git.ensure_branch("feature/py")
    ctx.files.write("py.txt", ctx.input["text"])
    content = ctx.files.read("py.txt")["content"]
    ctx.git.stage_all()
    sha = ctx.git.commit("of py", options={"name": "save"})["sha"]
    by = ctx.approval("Go on?")["by"]
    ctx.sleep(20)
    ctx.set("n", ctx.get("n") + 1)
    ctx.comment_execution("outside", {"by": by})
    ctx.artifact("py.txt", name="kept.txt", type="DOCUMENT")
    ctx.log.warn("said by py")
    return {"twice": twice, "inner": inner, "content": content, "sha": sha, "by": by,
            "n": ctx.get("n"), "has": ctx.has("none"), "run": ctx.execution_id,
            "folder": ctx.project_path}
