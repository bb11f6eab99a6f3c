"""What repeats, holds blocks, starts other runs or waits for its turn, from end to end:
foreach, repeatUntil, conditional, loop, workflow, concurrency, if, outputSchema."""
import itertools

import pytest
from harness.finished import check_finished
from harness.stepmill import Refused, flow, noop, shell, tool, wait_for

numbers = itertools.count(1)


@pytest.fixture
def place(stepmill):
    """A folder of its own inside the project, for files that steps leave."""
    folder = stepmill.folder / f"flow-{next(numbers)}"
    folder.mkdir()
    return folder


def do(stepmill, *steps, **top):
    return check_finished(stepmill, stepmill.begin(*steps, **top))


def keys(run):
    return [step["stepKey"] for step in run["steps"]]


def of(run, key):
    """The rows of a step, in order."""
    return [step for step in run["steps"] if step["stepKey"] == key]


def until(file):
    return f"until [ -e {file} ]; do sleep 0.02; done"


def counted(mine, do="sleep 0.03"):
    """A command that notes how many of its kind run at that moment, itself included."""
    return (f"mkdir -p at; touch at/{mine}; ls at | wc -l >> counts; {do}; rm at/{mine}; "
            f"echo {mine} >> order")


def most(place):
    return max(int(line) for line in (place / "counts").read_text().split())


def loop(key, *body, **more):
    return {"id": key, "action": "loop", "body": list(body), **more}


def conditional(key, condition, then=(), other=(), **more):
    return {"id": key, "action": "conditional", "condition": condition, "then": list(then),
            "else": list(other), **more}


def workflow(key, name, **more):
    return {"id": key, "action": "workflow", "workflow": name, **more}


# ---- foreach ----

def test_outputs_stand_in_the_order_of_the_items(stepmill):
    """The first items take longest."""
    run = do(stepmill, shell("each", "sleep 0.{{4 - index}}; echo -n {{item.n}}-{{index}}",
                             foreach="input.list"),
             noop("after"), input={"list": [{"n": n} for n in "abcd"]},
             output="{{steps.each.output.map(o, o.stdout)}}")
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == ["a-0", "b-1", "c-2", "d-3"]
    assert keys(run)[0] == "each" and keys(run)[-1] == "after"


def test_never_more_than_max_parallel_at_once(stepmill, place):
    run = do(stepmill, shell("each", counted("{{index}}"), {"cwd": place.name},
                             foreach="[1,2,3,4,5,6,7,8,9,10,11,12,13,14]", maxParallel=3))
    assert run["status"] == "COMPLETED", run["error"]
    assert most(place) <= 3
    assert sorted(map(int, (place / "order").read_text().split())) == list(range(14))


def test_one_at_a_time_is_the_order(stepmill, place):
    run = do(stepmill, shell("each", "echo {{item}} >> order", {"cwd": place.name},
                             foreach="input.list", maxParallel=1),
             input={"list": list("kdjfaz")})
    assert run["status"] == "COMPLETED"
    assert (place / "order").read_text().split() == list("kdjfaz")


def test_two_thousand_items(stepmill):
    run = do(stepmill, noop("each", foreach="input.list"), noop("after"),
             input={"list": list(range(2000))}, output="{{size(steps.each.output)}}", maxSteps=5)
    assert run["status"] == "COMPLETED" and run["output"] == 2000


def test_an_empty_list(stepmill):
    run = do(stepmill, shell("each", "exit 1", foreach="input.list"), noop("after"),
             input={"list": []}, output="{{steps.each.output}}")
    assert run["status"] == "COMPLETED" and run["output"] == []
    assert keys(run) == ["each", "after"]


@pytest.mark.parametrize("value", [7, "text", {"a": 1}, None])
def test_what_is_no_list(stepmill, value):
    run = do(stepmill, noop("each", foreach="input.list"), input={"list": value})
    assert run["status"] == "FAILED"
    assert run["error"]["code"] == "expression"
    assert "expected a list" in run["error"]["message"]


def test_an_item_that_fails_cancels_those_that_have_not_begun(stepmill):
    run = do(stepmill, shell("each", "[ {{index}} -lt 2 ] || exit 9", foreach="input.list",
                             maxParallel=1, onFailure="handler"),
             noop("never"), shell("handler", "echo -n {{error.index}} {{error.exitCode}}"),
             input={"list": list(range(6))})
    assert run["status"] == "COMPLETED"
    assert "never" not in keys(run) and run["output"]["stdout"] == "2 9"
    rows = stepmill.sql("select status + 0 from workflow_steps where execution_id = %s"
                        " and item is not null order by item_index", run["id"])
    assert [row[0] for row in rows] == [6, 6, 7, 9, 9, 9]


def test_with_continue_on_error_all_items_run(stepmill, place):
    run = do(stepmill, shell("each", "echo {{index}} >> all; [ {{index}} != 1 ]",
                             {"cwd": place.name}, foreach="[0, 1, 2, 3]", continueOnError=True,
                             maxParallel=2),
             shell("after", "echo -n {{steps.each.status}} {{size(steps.each.output)}}"))
    assert run["status"] == "COMPLETED"
    assert run["output"]["stdout"] == "failed 4"
    assert sorted((place / "all").read_text().split()) == list("0123")


def test_an_item_is_tried_again(stepmill):
    run = do(stepmill, shell("each", "[ {{index}} != 1 ] || [ $STEPMILL_ATTEMPT = 3 ]",
                             foreach="[0, 1, 2]", maxParallel=1,
                             retry={"maxAttempts": 3, "backoff": "fixed", "delay": 1}))
    assert run["status"] == "COMPLETED", run["error"]
    rows = stepmill.sql("select attempt_number from workflow_steps where execution_id = %s"
                        " and item is not null order by item_index", run["id"])
    assert [row[0] for row in rows] == [1, 3, 1]


def test_the_schema_is_for_each_item_s_output(stepmill):
    run = do(stepmill, {"id": "each", "action": "code", "language": "shell", "source": "echo '{{item}}'",
              "foreach": "input.list", "maxParallel": 1, "outputSchema": {"type": "integer"}},
             input={"list": [1, 2, "x"]})
    assert run["status"] == "FAILED"
    assert run["error"]["code"] == "output_schema" and run["error"]["index"] == 2


def test_a_loop_around_a_foreach(stepmill):
    run = do(stepmill, loop("turns", "each", "sum", maxIterations=3),
             {"id": "each", "action": "code", "language": "shell", "source": "echo {{item}}",
              "foreach": "[index * 10, index * 10 + 1]"},
             tool("sum", "state.set", {"key": "t{{index}}", "value": "{{steps.each.output}}"}))
    assert run["status"] == "COMPLETED", run["error"]
    assert run["state"] == {"t0": [0, 1], "t1": [10, 11], "t2": [20, 21]}


def test_a_foreach_of_other_workflows(stepmill):
    child = stepmill.define(
        {"id": "a", "action": "code", "language": "shell", "source": "echo {{input.n * 2}}"})
    run = do(stepmill, workflow("each", child, input={"n": "{{item}}"}, foreach="[1, 2, 3, 4, 5]",
                                maxParallel=2))
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == [2, 4, 6, 8, 10]


# ---- if, schema, order ----

def test_if_in_a_sequence(stepmill):
    run = do(stepmill, noop("a", **{"if": "input.n > 5"}), noop("b", **{"if": "input.n == 5"}),
             noop("c", **{"if": "steps.a.status == 'skipped'"}), input={"n": 5})
    assert [s["status"] for s in run["steps"]] == ["SKIPPED", "COMPLETED", "COMPLETED"]
    types = [e["type"] for e in stepmill.events(run["id"]) if e["payload"].get("stepNumber") == 1]
    assert types == ["step.skipped"]


def test_if_is_looked_at_before_the_fields(stepmill):
    run = do(stepmill, shell("a", "echo {{input.missing.deeper}}", **{"if": "false"}), noop("b"))
    assert run["status"] == "COMPLETED" and run["steps"][0]["status"] == "SKIPPED"


def test_an_if_that_cannot_be_evaluated(stepmill):
    run = do(stepmill, noop("a", **{"if": "input.x"}, onFailure="b",
                            retry={"maxAttempts": 3, "delay": 1}), noop("b"), input={"x": 3})
    assert run["status"] == "COMPLETED"
    assert run["steps"][0]["status"] == "FAILED" and run["steps"][0]["attemptNumber"] == 1
    assert run["steps"][0]["error"]["code"] == "expression"


def test_an_output_that_does_not_fit_is_a_failure(stepmill):
    step = {"id": "a", "action": "code", "language": "shell",
            "source": "printf '{\"n\": \"%s\"}' $STEPMILL_ATTEMPT",
            "outputSchema": {"type": "object", "properties": {"n": {"const": "2"}}},
            "retry": {"maxAttempts": 2, "backoff": "fixed", "delay": 1}}
    run = do(stepmill, step)
    assert run["status"] == "COMPLETED" and run["output"] == {"n": "2"}
    failed = [e for e in stepmill.events(run["id"]) if e["type"] == "step.failed"]
    assert [e["payload"]["error"]["code"] for e in failed] == ["output_schema"]
    assert "output.n" in failed[0]["payload"]["error"]["message"]


def test_a_loop_by_goto_ends_beside_a_foreach(stepmill):
    """The items do not count, the visits do."""
    run = do(stepmill, noop("each", foreach="[1, 2, 3, 4, 5, 6, 7, 8, 9]"), noop("a"),
             noop("b", onSuccess="a"), maxSteps=12)
    assert run["status"] == "FAILED" and run["error"]["code"] == "max_steps"
    assert len([key for key in keys(run) if key in "ab"]) == 11


# ---- repeatUntil ----

def test_repeat_until(stepmill):
    run = do(stepmill, {"id": "a", "action": "code", "language": "shell",
                        "source": "echo {{index * 10}}", "repeatUntil": "result >= 30"},
             noop("b"), output="{{steps.a.output}}")
    assert run["status"] == "COMPLETED" and run["output"] == 30
    assert keys(run) == ["a"] * 4 + ["b"]
    assert [s["output"] for s in of(run, "a")] == [0, 10, 20, 30]


def test_max_iterations(stepmill):
    run = do(stepmill, noop("a", repeatUntil="false", maxIterations=3, onFailure="b"),
             noop("never"), shell("b", "echo -n {{error.code}}"))
    assert run["status"] == "COMPLETED" and keys(run) == ["a", "a", "a", "b"]
    assert run["output"]["stdout"] == "max_iterations"
    assert [s["status"] for s in of(run, "a")] == ["COMPLETED", "COMPLETED", "FAILED"]


def test_each_repetition_has_its_attempts(stepmill):
    run = do(stepmill, shell("a", "[ $STEPMILL_ATTEMPT = 2 ]", repeatUntil="index == 2",
                             retry={"maxAttempts": 2, "backoff": "fixed", "delay": 1}))
    assert run["status"] == "COMPLETED"
    assert [s["attemptNumber"] for s in run["steps"]] == [2, 2, 2]


def test_a_repetition_ends_at_max_steps(stepmill):
    run = do(stepmill, noop("a", repeatUntil="false"), maxSteps=9)
    assert run["status"] == "FAILED" and run["error"]["code"] == "max_steps"
    assert len(run["steps"]) == 9


def test_a_repetition_in_a_graph(stepmill):
    run = do(stepmill, noop("a", repeatUntil="index == 3"), noop("b", needs=["a"]), noop("c"),
             noop("d", needs=["b", "c"]))
    assert run["status"] == "COMPLETED" and len(of(run, "a")) == 4
    assert len(of(run, "b")) == len(of(run, "d")) == 1


def test_a_repeat_until_that_cannot_be_evaluated(stepmill):
    run = do(stepmill, noop("a", repeatUntil="result.x"), noop("b"))
    assert run["status"] == "FAILED" and run["error"]["code"] == "expression"
    assert run["error"]["message"].startswith("repeatUntil: ")


# ---- blocks ----

@pytest.mark.parametrize("n, ran, taken", [(7, ["t1", "t2"], "then"), (1, ["e1"], "else")])
def test_a_conditional(stepmill, n, ran, taken):
    run = do(stepmill, conditional("which", "input.n > 5", ["t1", "t2"], ["e1"]), noop("t1"),
             noop("e1"), noop("t2"), noop("after"), input={"n": n},
             output="{{steps.which.output.taken}}")
    assert run["status"] == "COMPLETED" and run["output"] == taken
    assert keys(run) == ["which", *ran, "after"]


def test_a_block_that_is_not_there(stepmill):
    run = do(stepmill, conditional("which", "false", ["t"]), noop("t"), noop("after"),
             output="{{steps.which.output.taken}}")
    assert run["output"] == "else" and keys(run) == ["which", "after"]


def test_loops_inside_conditionals_inside_loops(stepmill):
    run = do(stepmill, loop("outer", "odd", condition="index < 4"),
             conditional("odd", "index % 2 == 1", ["inner"], ["even"]),
             loop("inner", "deep", maxIterations=2),
             tool("deep", "state.set", {"key": "deep{{index}}", "value": "{{index}}"}),
             tool("even", "state.set", {"key": "even{{index}}", "value": True}), noop("after"))
    assert run["status"] == "COMPLETED", run["error"]
    assert run["state"] == {"deep0": 0, "deep1": 1, "even0": True, "even2": True}
    assert keys(run) == ["outer", "odd", "even", "odd", "inner", "deep", "deep", "odd", "even",
                         "odd", "inner", "deep", "deep", "after"]
    assert [s["output"] for s in of(run, "inner")] == [{"iterations": 2}] * 2
    assert of(run, "outer")[0]["output"] == {"iterations": 4}


def test_a_loop_sees_what_its_body_did(stepmill):
    """Also where it is the first step of the run."""
    run = do(stepmill, loop("turns", "turn", condition="steps.turn.output != 'enough'"),
             {"id": "turn", "action": "code", "language": "shell",
              "source": "[ {{index}} = 2 ] && echo -n enough || echo -n more"}, maxSteps=20)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"] == {"iterations": 3}


def test_a_loop_whose_condition_is_false_at_once(stepmill):
    run = do(stepmill, loop("turns", "turn", condition="false"), noop("turn"), noop("after"))
    assert keys(run) == ["turns", "after"] and run["steps"][0]["output"] == {"iterations": 0}


def test_goto_inside_a_block(stepmill):
    run = do(stepmill, conditional("which", "true", ["a", "b", "c"]),
             noop("a", branches=[{"condition": "true", "goto": "c"}]), noop("b"),
             shell("c", "exit 1", onFailure="b", **{"if": "steps.b.status == 'pending'"}),
             noop("after"))
    assert run["status"] == "COMPLETED"
    assert keys(run) == ["which", "a", "c", "b", "c", "after"]
    assert [s["status"] for s in of(run, "c")] == ["FAILED", "SKIPPED"]


def test_the_end_inside_a_block(stepmill):
    run = do(stepmill, loop("turns", "which", condition="true"),
             conditional("which", "index == 1", ["last"]), shell("last", "echo -n x",
                                                                 onSuccess="end"), noop("after"))
    assert run["status"] == "COMPLETED" and run["output"]["stdout"] == "x"
    assert "after" not in keys(run)


def test_a_failure_goes_up_through_blocks(stepmill):
    run = do(stepmill, loop("turns", "which", condition="true", onFailure="h"),
             conditional("which", "index == 1", ["bad"]), shell("bad", "exit 8"),
             shell("h", "echo -n {{steps.turns.error.step}} {{steps.which.error.exitCode}}"))
    assert run["status"] == "COMPLETED" and run["output"]["stdout"] == "bad 8"


@pytest.mark.parametrize("body", [["a"], ["a", "b"]])
def test_a_loop_ends_at_max_steps(stepmill, body):
    run = do(stepmill, loop("turns", *body, condition="true"), *map(noop, body), maxSteps=20)
    assert run["status"] == "FAILED" and run["error"]["code"] == "max_steps"
    assert len(run["steps"]) == 20


def test_a_loop_that_is_tried_again(stepmill):
    """Its rows of before are there when it goes on to the next step."""
    run = do(stepmill, loop("turns", "turn", condition="steps.turn.status == 'pending'",
                            outputSchema={"properties": {"iterations": {"const": 0}}},
                            retry={"maxAttempts": 2, "backoff": "fixed", "delay": 1}),
             noop("turn"), noop("after"))
    assert run["status"] == "COMPLETED", run["error"]
    assert keys(run) == ["turns", "turn", "after"]


# ---- other runs ----

def test_a_child_s_output_comes_up(stepmill):
    child = stepmill.define(noop("a"), input={"type": "object", "required": ["who"]},
                            output={"hello": "{{input.who}}", "by": "{{run.workflow}}"})
    run = do(stepmill, workflow("call", child, input={"who": "{{input.name}}"}),
             shell("after", "echo -n {{steps.call.output.hello}}"), input={"name": "Ä"})
    assert run["status"] == "COMPLETED", run["error"]
    assert of(run, "call")[0]["output"] == {"hello": "Ä", "by": child}
    assert run["output"]["stdout"] == "Ä"
    inner, = stepmill.sql("select id from workflow_runs where parent_run_id = %s", run["id"])
    assert check_finished(stepmill, str(inner[0]))["status"] == "COMPLETED"


def test_a_child_s_failure_comes_up(stepmill):
    child = stepmill.define(shell("a", "exit 5"))
    run = do(stepmill, workflow("call", child, onFailure="h"),
             shell("h", "echo -n {{error.code}} {{error.error.exitCode}} {{error.error.step}}"))
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"]["stdout"] == "run_failed 5 a"
    inner = of(run, "call")[0]["error"]["executionId"]
    assert stepmill.execution(inner)["status"] == "FAILED"


def test_a_child_that_is_tried_again_is_another_run(stepmill, place):
    child = stepmill.define(shell("a", "mkdir once && exit 5; true", {"cwd": place.name}))
    run = do(stepmill, workflow("call", child,
                                retry={"maxAttempts": 2, "backoff": "fixed", "delay": 1}))
    assert run["status"] == "COMPLETED", run["error"]
    assert stepmill.sql("select count(*) from workflow_runs where parent_run_id = %s",
                        run["id"]) == [(2,)]


def test_an_input_that_the_child_does_not_take(stepmill):
    child = stepmill.define(noop("a"), input={"type": "object", "required": ["who"]})
    run = do(stepmill, workflow("call", child, input={"x": 1},
                                retry={"maxAttempts": 3, "delay": 1}))
    assert run["status"] == "FAILED" and run["error"]["code"] == "input"
    assert "input.who" in run["error"]["message"]
    assert run["steps"][0]["attemptNumber"] == 1


def test_a_workflow_that_is_not_there(stepmill):
    run = do(stepmill, workflow("call", "nowhere-to-be-found"))
    assert run["status"] == "FAILED" and run["error"]["code"] == "no_workflow"


def test_without_waiting(stepmill, place):
    child = stepmill.define(shell("a", until("may"), {"cwd": place.name}))
    run = do(stepmill, workflow("call", child, wait=False))
    assert run["status"] == "COMPLETED"
    inner = run["output"]["executionId"]
    assert stepmill.execution(inner)["status"] in ("PENDING", "RUNNING")
    (place / "may").touch()
    assert check_finished(stepmill, inner)["status"] == "COMPLETED"


def test_a_child_that_takes_too_long_is_cancelled(stepmill):
    child = stepmill.define(shell("hang", "sleep 732"))
    run = do(stepmill, workflow("call", child, timeout=400, onFailure="h"),
             shell("h", "echo -n {{error.code}}"))
    assert run["status"] == "COMPLETED", run["error"]
    assert run["output"]["stdout"] == "timeout"
    inner = of(run, "call")[0]["error"]["executionId"]
    assert check_finished(stepmill, inner)["status"] == "CANCELLED"


def test_children_of_a_foreach_that_fails_are_cancelled(stepmill):
    child = stepmill.define(shell("a", "[ {{input.n}} != 1 ] && sleep 733; exit 3"))
    run = do(stepmill, workflow("each", child, input={"n": "{{item}}"}, foreach="[0, 1, 2]"))
    assert run["status"] == "FAILED" and run["error"]["index"] == 1
    children = stepmill.sql("select id from workflow_runs where parent_run_id = %s", run["id"])
    ends = [check_finished(stepmill, str(child[0]))["status"] for child in children]
    assert sorted(ends) == ["CANCELLED", "CANCELLED", "FAILED"]


def test_runs_are_nested_eight_deep(stepmill):
    stepmill.workflow(flow("matryoshka", workflow("inner", "matryoshka")))
    run = check_finished(stepmill, stepmill.execute("matryoshka"))
    assert run["status"] == "FAILED"
    error, depth = run["error"], 0
    while error["code"] == "run_failed":
        error, depth = error["error"], depth + 1
    assert error["code"] == "too_deep" and depth == 8


def test_a_cancel_travels_down(stepmill):
    leaf = stepmill.define(shell("hang", "sleep 731"))
    middle = stepmill.define(workflow("call", leaf))
    run = stepmill.begin(workflow("call", middle), noop("after"))

    def below(parent):
        rows = stepmill.sql("select id from workflow_runs where parent_run_id = %s", parent)
        return str(rows[0][0]) if rows else None

    inner = wait_for("the middle runs", lambda: below(run))
    deepest = wait_for("the leaf runs", lambda: below(inner))
    stepmill.wait_running(deepest, "hang")
    assert stepmill.post(f"/api/executions/{run}/cancel")["status"] == "CANCELLED"
    for each in (run, inner, deepest):
        assert check_finished(stepmill, each)["status"] == "CANCELLED"


# ---- taking turns ----

def test_never_more_runs_at_once_than_concurrency(stepmill, place):
    name = stepmill.define(shell("a", counted("{{input.n}}", "sleep 0.05"), {"cwd": place.name}),
                           concurrency=2)
    runs = [stepmill.execute(name, {"n": n}) for n in range(8)]
    assert all(check_finished(stepmill, run)["status"] == "COMPLETED" for run in runs)
    assert most(place) <= 2
    starts = [stepmill.execution(run)["startedAt"] for run in runs]
    assert starts == sorted(starts)


def test_runs_of_one_key_take_turns(stepmill, place):
    name = stepmill.define(
        shell("a", "mkdir -p {{input.key}}; cd {{input.key}}; " + counted("{{input.n}}"),
              {"cwd": place.name}), noop("b"), concurrency={"key": "{{input.key}}"})
    runs = [stepmill.execute(name, {"key": key, "n": n}) for n in range(6) for key in "xy"]
    assert all(check_finished(stepmill, run)["status"] == "COMPLETED" for run in runs)
    for key in "xy":
        assert most(place / key) == 1
        assert (place / key / "order").read_text().split() == list("012345")


def test_other_keys_do_not_wait(stepmill, place):
    name = stepmill.define(shell("a", until("{{input.key}}"), {"cwd": place.name}),
                           concurrency={"key": "{{input.key}}", "limit": 1})
    first, second, other = (stepmill.execute(name, {"key": key}) for key in ("x", "x", "y"))
    (place / "y").touch()
    assert check_finished(stepmill, other)["status"] == "COMPLETED"
    assert stepmill.execution(second)["status"] == "PENDING"
    (place / "x").touch()
    assert [check_finished(stepmill, run)["status"] for run in (first, second)] == \
        ["COMPLETED"] * 2


def test_a_run_that_waits_for_its_turn_can_be_cancelled(stepmill, place):
    name = stepmill.define(shell("a", until("may"), {"cwd": place.name}), concurrency=1)
    first, second, third = (stepmill.execute(name) for _ in range(3))
    stepmill.wait_running(first, "a")
    assert stepmill.post(f"/api/executions/{second}/cancel")["status"] == "CANCELLED"
    # who holds the place lets the next one in also when it is cancelled
    assert stepmill.post(f"/api/executions/{first}/cancel")["status"] == "CANCELLED"
    (place / "may").touch()
    assert check_finished(stepmill, third)["status"] == "COMPLETED"


def test_children_take_turns_too(stepmill, place):
    child = stepmill.define(shell("a", counted("{{input.n}}"), {"cwd": place.name}),
                            concurrency=1)
    run = do(stepmill, workflow("each", child, input={"n": "{{item}}"}, foreach="[0, 1, 2, 3, 4]"))
    assert run["status"] == "COMPLETED", run["error"]
    assert most(place) == 1


def test_a_key_that_cannot_be_made(stepmill):
    name = stepmill.define(noop("a"), concurrency={"key": "{{input.missing.deeper}}"})
    with pytest.raises(Refused) as refused:
        stepmill.execute(name)
    assert 400 <= refused.value.status < 500
