"""Graph style from end to end: who waits for whom, what is skipped and why, how a run of a
graph ends, and that nothing is done twice or left open."""
import itertools
import time

import pytest
from harness.finished import check_finished
from harness.stepmill import Stepmill, noop, shell, wait_for

numbers = itertools.count(1)


@pytest.fixture
def place(stepmill):
    """A folder of its own inside the project, for files that steps leave."""
    folder = stepmill.folder / f"graph-{next(numbers)}"
    folder.mkdir()
    return folder


def statuses(run):
    return {step["stepKey"]: step["status"] for step in run["steps"]}


def why(run, key):
    """Why a step was skipped."""
    return next(s["error"]["code"] for s in run["steps"] if s["stepKey"] == key)


def do(stepmill, *steps, **top):
    return check_finished(stepmill, stepmill.begin(*steps, **top))


def until(file):
    return f"until [ -e {file} ]; do sleep 0.02; done"


def holding(key, place, **more):
    """A step that says that it runs, and ends when it may."""
    return shell(key, f"touch {key}.runs; {until(key + '.may')}; echo -n {key}",
                 {"cwd": place.name}, **more)


# ---- order ----

def test_a_diamond(stepmill):
    run = do(stepmill, noop("d", needs=["b", "c"]), shell("b", "echo -n b", needs=["a"]),
             shell("c", "echo -n c", needs=["a"]), noop("a"),
             output="{{steps.b.output.stdout}}{{steps.c.output.stdout}}")
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == "bc" and set(statuses(run).values()) == {"COMPLETED"}
    assert [s["stepNumber"] for s in run["steps"]] == [1, 2, 3, 4]
    said = [(e["type"], e["payload"].get("stepKey")) for e in stepmill.events(run["id"])]
    for first, then in ("ab", "ac", "bd", "cd"):
        assert said.index(("step.completed", first)) < said.index(("step.started", then))


def test_what_can_run_side_by_side_does(stepmill, place):
    """Each ends only when it has seen the other run."""
    run = do(stepmill, noop("root"), *(
        shell(me, f"touch {me}; {until(other)}; echo -n {me}", {"cwd": place.name},
              needs=["root"], timeout=20000) for me, other in ("xy", "yx")))
    assert run["status"] == "COMPLETED", run["error"]
    assert {key: value["stdout"] for key, value in run["output"].items()} == {"x": "x", "y": "y"}


def test_fifty_needs_that_are_met_at_one_instant(stepmill):
    """Two workers count down the same row, in twenty runs at once; it runs once in each."""
    keys = [f"n{i}" for i in range(50)]
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    name = stepmill.define(*(noop(key) if i % 2 else {
        "id": key, "action": "wait", "until": "{{input.at}}"} for i, key in enumerate(keys)),
        noop("join", needs=keys), noop("after", needs=["join"]))
    for run in [stepmill.execute(name, {"at": at}) for _ in range(20)]:
        ended = check_finished(stepmill, run)
        assert ended["status"] == "COMPLETED" and len(ended["steps"]) == 52
        assert ended["steps"][50]["attemptNumber"] == 1


def test_a_step_of_a_graph_is_tried_again(stepmill):
    run = do(stepmill, shell("a", "[ $STEPMILL_ATTEMPT = 3 ]",
                             retry={"maxAttempts": 3, "backoff": "fixed", "delay": 1}),
             noop("b", needs=["a"]), noop("c"))
    assert run["status"] == "COMPLETED" and run["steps"][0]["attemptNumber"] == 3
    assert run["output"] == {"b": None, "c": None}


# ---- what is skipped ----

def test_skips_go_on_to_who_reads_the_output(stepmill):
    run = do(stepmill, noop("a", **{"if": "false"}), noop("b", needs=["a"]),
             shell("c", "echo {{steps.a.output}}", needs=["a"]),
             shell("d", "echo {{steps.c.output.stdout}}", needs=["c"]),
             noop("e", needs=["c", "d"]),
             shell("f", "echo -n {{steps.a.status}}", needs=["a"]))
    assert run["status"] == "COMPLETED"
    assert statuses(run) == {"a": "SKIPPED", "b": "COMPLETED", "c": "SKIPPED", "d": "SKIPPED",
                             "e": "COMPLETED", "f": "COMPLETED"}
    assert [why(run, key) for key in "cd"] == ["need_skipped"] * 2
    assert run["steps"][0]["error"] is None
    assert run["output"]["f"]["stdout"] == "skipped"


def test_what_needs_a_step_that_failed_is_skipped(stepmill):
    run = do(stepmill, shell("a", "exit 3", onFailure="h"), noop("b", needs=["a"]),
             noop("c", needs=["b"]), shell("h", "echo -n {{steps.a.error.exitCode}}"),
             noop("after", needs=["h"]), noop("other", needs=["r"]), noop("r"))
    assert run["status"] == "COMPLETED"
    assert statuses(run) == {"a": "FAILED", "b": "SKIPPED", "c": "SKIPPED", "h": "COMPLETED",
                             "after": "COMPLETED", "other": "COMPLETED", "r": "COMPLETED"}
    assert [why(run, key) for key in "bc"] == ["need_failed"] * 2


@pytest.mark.parametrize("way, taken, left", [("left", "x", "y"), ("right", "y", "x")])
def test_of_exclusive_branches_one_runs_and_their_join(stepmill, way, taken, left):
    run = do(stepmill, noop("route", branches=[
        {"condition": f"input.way == '{w}'", "goto": g} for w, g in (("left", "x"), ("right", "y"))]),
        shell("x", "echo -n x"), shell("y", "echo -n y"),
        noop("x2", needs=["x"]), noop("y2", needs=["y"]), noop("y3", needs=["y2", "y"]),
        noop("join", needs=["x", "y2"]), input={"way": way})
    assert run["status"] == "COMPLETED"
    got = statuses(run)
    assert got[taken] == got[taken + "2"] == got["join"] == "COMPLETED"
    assert got[left] == got[left + "2"] == "SKIPPED"
    assert why(run, left) == why(run, left + "2") == "not_chosen"


def test_no_branch_is_chosen_at_all(stepmill):
    run = do(stepmill, noop("route", branches=[{"condition": "false", "goto": "x"}]),
             noop("x", onSuccess="y"), noop("y"), noop("z", needs=["x", "y"]),
             noop("after", needs=["route"]))
    assert run["status"] == "COMPLETED"
    assert [why(run, key) for key in "xyz"] == ["not_chosen"] * 3
    assert statuses(run)["after"] == "COMPLETED"


def test_two_steps_may_choose_the_same(stepmill):
    run = do(stepmill, noop("r"), shell("a", "exit 1", needs=["r"], onFailure="undo"),
             shell("b", "exit 1", needs=["r"], onFailure="undo"),
             noop("c", needs=["r"], onSuccess="undo"), noop("undo"))
    assert run["status"] == "COMPLETED"
    assert statuses(run)["undo"] == "COMPLETED"
    types = [(e["type"], e["payload"].get("stepKey")) for e in stepmill.events(run["id"])]
    assert types.count(("step.started", "undo")) == 1


def test_a_failure_that_goes_on(stepmill):
    run = do(stepmill, shell("a", "exit 1", continueOnError=True),
             shell("b", "echo -n {{steps.a.error.code}}", needs=["a"]))
    assert run["status"] == "COMPLETED"
    assert statuses(run) == {"a": "FAILED", "b": "COMPLETED"}
    assert run["output"]["stdout"] == "exit_status"


def test_an_if_that_cannot_be_evaluated_fails_the_step(stepmill):
    run = do(stepmill, noop("a", **{"if": "input.missing.deeper"}), noop("b", needs=["a"]))
    assert run["status"] == "FAILED"
    assert run["error"]["code"] == "expression" and run["error"]["step"] == "a"
    assert run["error"]["message"].startswith("if: ")
    assert statuses(run) == {"a": "FAILED", "b": "CANCELLED"}


# ---- ends ----

def test_a_failure_cancels_what_has_not_started(stepmill, place):
    run = stepmill.begin(
        holding("slow", place), noop("later", needs=["slow"]), noop("last", needs=["later"]),
        shell("bad", f"{until('slow.runs')}; exit 4", {"cwd": place.name}),
        {"id": "nap", "action": "wait", "for": "1h"}, noop("rested", needs=["nap"]))
    stepmill.wait_step(run, "later", "CANCELLED")
    now = stepmill.execution(run)
    assert now["status"] == "RUNNING"
    assert statuses(now) == {"slow": "RUNNING", "later": "CANCELLED", "last": "CANCELLED",
                             "bad": "FAILED", "nap": "CANCELLED", "rested": "CANCELLED"}
    (place / "slow.may").touch()
    ended = check_finished(stepmill, run)
    assert ended["status"] == "FAILED" and ended["output"] is None
    assert ended["error"]["step"] == "bad" and ended["error"]["exitCode"] == 4
    assert statuses(ended)["slow"] == "COMPLETED"


def test_the_first_of_two_failures_is_the_run_s(stepmill, place):
    run = stepmill.begin(shell("slow", f"touch runs; {until('may')}; exit 5", {"cwd": place.name}),
                         shell("bad", f"{until('runs')}; exit 4", {"cwd": place.name}),
                         noop("z", needs=["slow", "bad"]))
    stepmill.wait_step(run, "z", "CANCELLED")
    (place / "may").touch()
    ended = check_finished(stepmill, run)
    assert ended["status"] == "FAILED" and ended["error"]["step"] == "bad"


@pytest.mark.parametrize("last, status", [("true", "COMPLETED"), ("exit 5", "FAILED")])
def test_the_end_of_a_graph(stepmill, place, last, status):
    """What runs goes on to its end, and however that is, the run is completed."""
    run = stepmill.begin(
        shell("slow", f"touch runs; {until('may')}; {last}", {"cwd": place.name}),
        noop("later", needs=["slow"]),
        shell("done", f"{until('runs')}; echo -n done", {"cwd": place.name}, onSuccess="end"),
        output="{{steps.done.output.stdout}}")
    stepmill.wait_step(run, "later", "CANCELLED")
    (place / "may").touch()
    ended = check_finished(stepmill, run)
    assert ended["status"] == "COMPLETED", ended["error"]
    assert ended["error"] is None and ended["output"] == "done"
    assert statuses(ended) == {"slow": status, "later": "CANCELLED", "done": "COMPLETED"}


def test_the_end_cuts_a_foreach_short(stepmill, place):
    run = stepmill.begin(
        noop("root"), shell("each", f"touch runs; {until('may')}", {"cwd": place.name},
                            foreach="[1, 2, 3, 4]", maxParallel=1, needs=["root"]),
        shell("done", f"{until('runs')}; echo -n done", {"cwd": place.name}, onSuccess="end"),
        output="{{steps.done.output.stdout}}")
    stepmill.wait_step(run, "done", "COMPLETED")
    (place / "may").touch()
    ended = check_finished(stepmill, run)
    assert ended["status"] == "COMPLETED", ended["error"]
    assert ended["output"] == "done"


def test_a_failure_cuts_a_loop_short(stepmill, place):
    run = stepmill.begin(
        {"id": "loop", "action": "loop", "body": ["turn"], "condition": "true"},
        shell("turn", f"touch runs; {until('may')}", {"cwd": place.name}),
        shell("bad", f"{until('runs')}; exit 4", {"cwd": place.name}),
        noop("z", needs=["bad"]), maxSteps=300)
    stepmill.wait_step(run, "z", "CANCELLED")
    (place / "may").touch()
    ended = check_finished(stepmill, run)
    assert ended["status"] == "FAILED" and ended["error"]["step"] == "bad", ended["error"]
    assert len(ended["steps"]) < 10


@pytest.mark.parametrize("more, output", [
    ([], {"stdout": "deployed"}),
    ([noop("extra")], {"deploy": "deployed", "extra": None}),
])
def test_the_output_is_that_of_who_is_needed_by_nobody(stepmill, more, output):
    run = do(stepmill, noop("build"), shell("deploy", "echo -n deployed", needs=["build"]), *more)
    got = run["output"]
    if more:
        got = {**got, "deploy": got["deploy"]["stdout"]}
        assert got == output
    else:
        assert got["stdout"] == output["stdout"]


def test_a_step_with_a_way_out_of_failure_answers_too(stepmill):
    """As on the page: undo is there for the failure only."""
    steps = [noop("build"), shell("deploy", "echo -n out; exit {{input.code}}", needs=["build"],
                                  onFailure="undo"), shell("undo", "echo -n undone")]
    good = do(stepmill, *steps, input={"code": 0})
    assert good["status"] == "COMPLETED" and list(good["output"]) == ["deploy"]
    bad = do(stepmill, *steps, input={"code": 1})
    assert bad["status"] == "COMPLETED" and list(bad["output"]) == ["undo"]


def test_a_graph_ends_at_max_steps(stepmill):
    """Who needs the step that may not go on is cancelled."""
    run = do(stepmill, noop("a", repeatUntil="false"), noop("b", needs=["a"]), maxSteps=9)
    assert run["status"] == "FAILED" and run["error"]["code"] == "max_steps"
    assert run["error"]["step"] == "a" and statuses(run)["b"] == "CANCELLED"
    run = do(stepmill, {"id": "l", "action": "loop", "body": ["x"], "condition": "true"},
             noop("x"), noop("b", needs=["l"]), maxSteps=9)
    assert run["status"] == "FAILED" and run["error"]["code"] == "max_steps"
    assert statuses(run)["b"] == "CANCELLED"


# ---- blocks inside graphs ----

def test_blocks_inside_a_graph(stepmill):
    run = do(stepmill, noop("root"), {"id": "which", "action": "conditional", "needs": ["root"],
                                      "condition": "input.n > 1", "then": ["t1", "t2"],
                                      "else": ["e1"]},
             shell("t1", "echo -n t1"), shell("t2", "echo -n {{steps.t1.output.stdout}}2"),
             noop("e1"),
             {"id": "turns", "action": "loop", "maxIterations": 3, "body": ["turn"],
              "needs": ["root"]}, shell("turn", "echo -n {{index}}"),
             noop("join", needs=["which", "turns"]), input={"n": 2},
             output={"which": "{{steps.which.output.taken}}", "t2": "{{steps.t2.output.stdout}}",
                     "turns": "{{steps.turns.output.iterations}}",
                     "turn": "{{steps.turn.output.stdout}}"})
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == {"which": "then", "t2": "t12", "turns": 3, "turn": "2"}
    assert "e1" not in statuses(run)


def test_a_failure_in_a_block_is_the_holder_s(stepmill):
    run = do(stepmill, {"id": "which", "action": "conditional", "condition": "true",
                        "then": ["t"], "onFailure": "h"},
             shell("t", "exit 6"), noop("after", needs=["which"]), noop("h"))
    assert run["status"] == "COMPLETED"
    assert statuses(run) == {"which": "FAILED", "t": "FAILED", "after": "SKIPPED",
                             "h": "COMPLETED"}
    error = next(s["error"] for s in run["steps"] if s["stepKey"] == "which")
    assert error["exitCode"] == 6 and error["step"] == "t"


def test_the_end_inside_a_loop_of_a_graph(stepmill):
    run = do(stepmill, {"id": "turns", "action": "loop", "condition": "true", "body": ["turn"]},
             noop("turn", branches=[{"condition": "index == 2", "goto": "end"}]),
             noop("after", needs=["turns"]), maxSteps=100)
    assert run["status"] == "COMPLETED", run["error"]
    assert [s["stepKey"] for s in run["steps"]].count("turn") == 3
    assert statuses(run)["after"] == "CANCELLED"


# ---- what a worker knows of a run ----

@pytest.fixture(scope="module")
def small():
    """Workers with few slots, of which one is killed in the end."""
    with Stepmill(workers=2, environment={"STEPMILL_WORKER_SLOTS": "4"}) as stepmill:
        yield stepmill


def test_items_see_what_ended_before_them(small):
    """Also in workers that have had the run in hand since before that: each keeps one of the
    slow steps."""
    place = small.folder / "slow"
    place.mkdir()
    slow = [f"slow{i}" for i in range(5)]
    run = small.begin(
        *(holding(key, place) for key in slow),
        shell("prep", f"{until('begin')}; echo -n ready", {"cwd": place.name}),
        shell("each", "echo -n {{steps.prep.output.stdout}}", foreach="input.list",
              needs=["prep"], maxParallel=20), input={"list": list(range(24))},
        output="{{steps.each.output.map(o, o.stdout)}}")
    wait_for("all run", lambda: len(list(place.glob("*.runs"))) == len(slow))
    held = {step["workerId"]: step["stepKey"] for step in small.execution(run)["steps"]
            if step["stepKey"] in slow}
    assert len(held) == 2
    for key in set(slow) - set(held.values()):
        (place / f"{key}.may").touch()
        small.wait_step(run, key, "COMPLETED")
    (place / "begin").touch()
    wait_for("each is over", lambda: next(
        step for step in small.execution(run)["steps"]
        if step["stepKey"] == "each")["status"] in ("COMPLETED", "FAILED"))
    for key in held.values():
        (place / f"{key}.may").touch()
    ended = check_finished(small, run)
    assert ended["status"] == "COMPLETED", ended["error"]
    assert ended["output"] == ["ready"] * 24


# ---- a worker dies ----

def test_a_worker_dies_in_the_middle_of_everything(small):
    """Of twenty diamonds and a foreach of two hundred: all end right, each result once."""
    diamond = small.define(
        noop("a"), shell("b", "sleep 0.1; echo -n b", needs=["a"]),
        shell("c", "sleep 0.15; echo -n c", needs=["a"]), noop("d", needs=["b", "c"]),
        output="{{steps.b.output.stdout}}{{steps.c.output.stdout}}")
    many = small.begin(shell("each", "sleep 0.02; echo -n {{item * 2}}", foreach="input.list",
                             maxParallel=20), input={"list": list(range(200))},
                       output="{{steps.each.output.map(o, o.stdout)}}")
    runs = [small.execute(diamond) for _ in range(20)]
    held = wait_for("both kinds run", lambda: small.sql(
        "select worker_id from workflow_steps where status = 2 and item is not null"
        " and worker_id in (select worker_id from workflow_steps where status = 2"
        " and step_key in ('b', 'c')) limit 1"))
    small.kill_worker(str(held[0][0]))
    for run in runs:
        ended = check_finished(small, run)
        assert ended["status"] == "COMPLETED" and ended["output"] == "bc"
        assert all(step["attemptNumber"] <= 2 for step in ended["steps"])
    ended = check_finished(small, many)
    assert ended["status"] == "COMPLETED", ended["error"]
    assert ended["output"] == [str(2 * i) for i in range(200)]
    lost = small.sql("select count(*) from workflow_steps where losses > 0")[0][0]
    assert lost > 0
