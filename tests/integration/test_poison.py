"""Steps that kill their workers (FM-10, A8). A worker dies for real: of a signal, or because
it gets no memory any more. A step that does it runs alone from then on and fails at the third
death, with what is known of it; nobody else pays for it."""
import os
import pathlib
import resource
import signal
import time

import pytest
from harness.stepmill import Stepmill, moment, noop, shell, wait_for

LIMIT = 3
POISON = [r"step\.poison"]  # the one error line that is expected


@pytest.fixture
def two():
    with Stepmill(workers=2) as stepmill:
        stepmill.allowed_errors += POISON
        yield stepmill


def started(stepmill, name, attempt):
    return (stepmill.folder / f"{name}.{attempt}").exists()


def deadly(key="deadly", **more):
    """Says that it runs, and then runs until somebody ends it: a file, or a death."""
    return shell(key, f'echo "attempt $STEPMILL_ATTEMPT"; touch {key}.$STEPMILL_ATTEMPT; '
                      f'until [ -e {key}.end ]; do sleep 0.02; done', **more)


def held(stepmill, run, key, attempt):
    """The worker that runs this attempt, once its program runs and its output is logged."""
    def there():
        row = stepmill.step(run, key)
        return (row if row and row["status"] == "RUNNING" and row["attemptNumber"] == attempt
                and started(stepmill, key, attempt)
                and f"attempt {attempt}" in log_of(stepmill, row) else None)
    return wait_for(f"attempt {attempt} of {key}", there)["workerId"]


def log_of(stepmill, row):
    path = stepmill.folder / row["logFilePath"]
    return path.read_text() if path.exists() else ""


def holds(stepmill, worker):
    """How many steps the database says that this worker holds."""
    return stepmill.sql("select count(*) from workflow_steps where worker_id = %s", worker)[0][0]


def pid_of(stepmill, worker):
    return stepmill.sql("select pid from workers where id = %s", worker)[0][0]


def kill(stepmill, run, key, attempt, how=signal.SIGSEGV):
    worker = held(stepmill, run, key, attempt)
    os.kill(pid_of(stepmill, worker), how)
    return worker


def wait_requeued(stepmill, run, key, losses):
    def there():
        row = stepmill.step(run, key)
        return row if row["losses"] == losses else None
    return wait_for(f"{losses} losses", there)


def recoveries(stepmill, run):
    return [e["payload"] for e in stepmill.events(run) if e["type"] == "run.recovered"]


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_three_deaths_make_a_step_fail_as_poison(two, how):
    run = two.begin(deadly(retry={"maxAttempts": 5}), noop("after"))
    workers = {kill(two, run, "deadly", attempt, how) for attempt in (1, 2, 3)}
    ended = two.wait_ended(run)
    name = how.name
    assert len(workers) == LIMIT
    assert ended["status"] == "FAILED"
    [step] = ended["steps"]
    assert (step["status"], step["deaths"], step["losses"]) == ("FAILED", LIMIT, LIMIT)
    error = step["error"]
    assert error["code"] == "poison"
    assert error["message"] == f"the step killed its worker 3 times, last by {name}"
    assert (error["signal"], error["deaths"]) == (name, LIMIT) and "exitStatus" not in error
    assert error["rusage"]["maxRssKb"] > 1000
    assert error["rusage"]["userMs"] >= 0 and error["rusage"]["systemMs"] >= 0
    assert error["logTail"] == ["attempt 1", "attempt 2", "attempt 3"]
    assert not started(two, "deadly", 4)
    told = recoveries(two, run)
    assert [payload["signal"] for payload in told] == [name] * LIMIT
    assert {payload["workerId"] for payload in told} == workers
    assert all(payload["rusage"]["maxRssKb"] > 1000 for payload in told)
    assert two.sql("select count(*) from workflow_events where type = 4 and execution_id = %s",
                   run)[0][0] == 1  # step.failed: it is final


def test_a_worker_that_gets_no_memory_is_a_death_of_its_step(two):
    """A limit on its address space, and a step whose output needs more."""
    run = two.begin(shell("deadly", 'echo "attempt $STEPMILL_ATTEMPT"; '
                                    'touch deadly.$STEPMILL_ATTEMPT; '
                                    'until [ -e go.$STEPMILL_ATTEMPT ]; do sleep 0.02; done; '
                                    'head -c 1000000 /dev/zero | tr "\\0" x'))
    for attempt in (1, 2, 3):
        worker = held(two, run, "deadly", attempt)
        pid = pid_of(two, worker)
        size = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * 4096
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))
        (two.folder / f"go.{attempt}").touch()
    error = two.wait_ended(run)["steps"][0]["error"]
    assert (error["code"], error["deaths"]) == ("poison", LIMIT)
    assert error["signal"] == "SIGABRT" or error["exitStatus"] not in (0, 75, 78)


def test_a_workflow_goes_on_from_poison_as_from_any_failure(two):
    run = two.begin(deadly(onFailure="mend"), noop("never"),
                    shell("mend", 'echo "{{ error.code }} {{ error.signal }} '
                                  '{{ steps.deadly.error.deaths }}"'))
    for attempt in (1, 2, 3):
        kill(two, run, "deadly", attempt)
    ended = two.wait_ended(run)
    assert ended["status"] == "COMPLETED", ended["error"]
    assert [s["stepKey"] for s in ended["steps"]] == ["deadly", "mend"]
    assert ended["steps"][1]["output"]["stdout"] == "poison SIGSEGV 3\n"


def test_the_limit_can_be_set():
    with Stepmill(workers=1, environment={"STEPMILL_WORKER_POISON_LIMIT": "1"}) as stepmill:
        stepmill.allowed_errors += POISON
        run = stepmill.begin(deadly())
        kill(stepmill, run, "deadly", 1)
        error = stepmill.wait_ended(run)["steps"][0]["error"]
    assert error["message"] == "the step killed its worker 1 time, last by SIGSEGV"


def test_it_runs_alone_and_the_others_go_on(two):
    """From its first death on: its worker takes nothing else, while the other one works."""
    run = two.begin(deadly())
    kill(two, run, "deadly", 1)
    worker = held(two, run, "deadly", 2)
    busy = two.define(shell("work", "sleep 0.02; echo done"), noop("end"))
    runs = [two.execute(busy) for _ in range(30)]
    for other in runs:
        assert two.wait_ended(other)["status"] == "COMPLETED"
        assert two.step(other, "work")["workerId"] != worker
    assert holds(two, worker) == 1
    (two.folder / "deadly.end").touch()
    ended = two.wait_ended(run)
    assert ended["status"] == "COMPLETED"
    assert (ended["steps"][0]["attemptNumber"], ended["steps"][0]["deaths"]) == (2, 1)


def test_with_everybody_busy_it_gets_its_turn_nevertheless():
    """One worker that always has something to do makes room for it."""
    with Stepmill(workers=1) as stepmill:
        busy = stepmill.define(*[shell(f"work-{i}", "sleep 0.05") for i in range(20)])
        run = stepmill.begin(deadly())
        kill(stepmill, run, "deadly", 1)
        wait_for("it is queued again", lambda: stepmill.step(run, "deadly")["deaths"] == 1)
        runs = [stepmill.execute(busy) for _ in range(10)]
        worker = held(stepmill, run, "deadly", 2)
        assert holds(stepmill, worker) == 1
        (stepmill.folder / "deadly.end").touch()
        assert stepmill.wait_ended(run)["status"] == "COMPLETED"
        for other in runs:
            ended = stepmill.wait_ended(other)
            assert ended["status"] == "COMPLETED", ended["error"]


def test_a_worker_that_holds_others_makes_room():
    """It ends what it holds, and takes nothing new until it is empty."""
    with Stepmill(workers=1) as stepmill:
        first = stepmill.begin(deadly("first"))
        worker = held(stepmill, first, "first", 1)
        run = stepmill.begin(deadly(queue="nobodys"))
        # As if it had killed a worker elsewhere.
        stepmill.sql("update workflow_steps set queue = 'default',"
                     " last_death = '{\"signal\": \"SIGSEGV\"}' where execution_id = %s", run)
        late = stepmill.begin(noop("late"))
        seen = stepmill.sql("select now()")[0][0]
        wait_for("the worker looked around more than once", lambda: stepmill.sql(
            "select last_seen_at > %s::timestamptz + interval '1.5 s' from workers"
            " where id = %s", seen, worker)[0][0])
        assert holds(stepmill, worker) == 1
        (stepmill.folder / "first.end").touch()
        held(stepmill, run, "deadly", 1)
        (stepmill.folder / "deadly.end").touch()
        rows = [stepmill.wait_ended(r)["steps"][0] for r in (first, run, late)]
        assert [row["status"] for row in rows] == ["COMPLETED"] * 3
        for before, after in zip(rows, rows[1:]):
            assert moment(before["completedAt"]) <= moment(after["startedAt"])


def test_deaths_in_company_count_for_nobody():
    with Stepmill(workers=1) as stepmill:
        keys = ["one", "two", "three"]
        runs = {key: stepmill.begin(deadly(key)) for key in keys}
        workers = {held(stepmill, runs[key], key, 1) for key in keys}
        assert len(workers) == 1
        os.kill(pid_of(stepmill, workers.pop()), signal.SIGSEGV)
        again = {held(stepmill, runs[key], key, 2) for key in keys}
        assert len(again) == 1, "in company again"
        for key in keys:
            assert recoveries(stepmill, runs[key])[0]["signal"] == "SIGSEGV"
            (stepmill.folder / f"{key}.end").touch()
        for key in keys:
            step = stepmill.wait_ended(runs[key])["steps"][0]
            assert (step["status"], step["losses"], step["deaths"]) == ("COMPLETED", 1, 0)


def test_the_guilty_one_is_found_in_company():
    """Lost together twice, they run one by one; so one that always has company is found."""
    with Stepmill(workers=1) as stepmill:
        stepmill.allowed_errors += POISON
        keys = ["guilty", "other"]
        runs = {key: stepmill.begin(deadly(key)) for key in keys}
        for attempt in (1, 2):
            workers = {held(stepmill, runs[key], key, attempt) for key in keys}
            assert len(workers) == 1
            os.kill(pid_of(stepmill, workers.pop()), signal.SIGSEGV)
        (stepmill.folder / "other.end").touch()
        for attempt in (3, 4, 5):
            worker = held(stepmill, runs["guilty"], "guilty", attempt)
            assert holds(stepmill, worker) == 1
            os.kill(pid_of(stepmill, worker), signal.SIGSEGV)
        error = stepmill.wait_ended(runs["guilty"])["error"]
        assert (error["code"], error["deaths"]) == ("poison", LIMIT)
        other = stepmill.wait_ended(runs["other"])["steps"][0]
        assert (other["status"], other["deaths"]) == ("COMPLETED", 0)


QUEUE = "of-poison"


def supervisor(stepmill, **settings):
    return stepmill.supervisor(pool_workers=1, worker_queues=QUEUE, **settings)


def ended_by(stepmill, run, other):
    """Lets the step end in another supervisor; its row."""
    (stepmill.folder / "deadly.end").touch()
    with other:
        return stepmill.wait_ended(run)["steps"][0]


def test_a_worker_killed_in_a_drain_counts_for_nobody(two):
    """It got SIGTERM, and is killed before it is done."""
    with supervisor(two) as other:
        run = two.begin(deadly(queue=QUEUE))
        worker = held(two, run, "deadly", 1)
        pid = pid_of(two, worker)
        other.process.send_signal(signal.SIGTERM)
        wait_for("it drains", lambda: "worker.draining" in other.log())
        os.kill(pid, signal.SIGKILL)
        assert other.process.wait(30) == 0
    row = ended_by(two, run, supervisor(two))
    assert (row["status"], row["losses"], row["deaths"]) == ("COMPLETED", 1, 0)


def test_an_end_at_once_counts_for_nobody(two):
    """SIGQUIT kills workers with steps in hand: whoever declares them dead."""
    with supervisor(two, worker_lease="2s") as other:
        run = two.begin(deadly(queue=QUEUE))
        held(two, run, "deadly", 1)
        other.process.send_signal(signal.SIGQUIT)
        other.process.wait(10)
        other.end = lambda: 0
    row = ended_by(two, run, supervisor(two))
    assert (row["status"], row["losses"], row["deaths"]) == ("COMPLETED", 1, 0)


def test_the_loss_of_a_host_counts_for_nobody(two):
    """All of its processes at once: the sweep finds the step by the lease."""
    other = supervisor(two, worker_lease="2s").start()
    try:
        wait_for("its worker", other.ready_workers)
        run = two.begin(deadly(queue=QUEUE))
        held(two, run, "deadly", 1)
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for pid in tree(other.process.pid):  # parents first: none can tell of its child
                send(pid, how)
    finally:
        other.process.kill()
        other.process.wait()
    wait_requeued(two, run, "deadly", 1)
    row = ended_by(two, run, supervisor(two))
    assert (row["status"], row["losses"], row["deaths"]) == ("COMPLETED", 1, 0)
    [payload] = recoveries(two, run)
    assert "signal" not in payload and "exitStatus" not in payload


def send(pid, how):
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        pass  # one of the short sleeps of the step


def tree(pid):
    """A process and all below it, parents before children."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        for child in children:
            found += tree(int(child))
    return found


def test_deaths_slow_down_no_other_run(two):
    """While one step kills worker after worker, the runs of others take as long as before."""
    busy = two.define(noop("a"), shell("work", "echo done"), noop("b"))

    def times(count):
        taken = []
        for _ in range(count):
            began = time.monotonic()
            assert two.wait_ended(two.execute(busy))["status"] == "COMPLETED"
            taken.append(time.monotonic() - began)
        return sorted(taken)

    before = times(20)
    run = two.begin(deadly())
    during = []
    for attempt in (1, 2, 3):
        kill(two, run, "deadly", attempt)
        during += times(10)
    assert two.wait_ended(run)["error"]["code"] == "poison"
    during.sort()
    print(f"\na run, ms: alone p50 {before[10] * 1000:.0f} max {before[-1] * 1000:.0f}; beside"
          f" a poison step p50 {during[15] * 1000:.0f} max {during[-1] * 1000:.0f}")
    assert during[-1] < 5
