"""Leaving in good order, and what must hold when there is none: SIGTERM once and twice,
SIGQUIT, SIGHUP, scaling, a killed front, a killed parent. Nobody's attempt is spent, no
connection is refused, no process is left."""
import http.client
import json
import os
import pathlib
import re
import signal
import threading
import time

import pytest
from harness.stepmill import Supervisor, flow, moment, noop, shell, wait_for

QUEUE = "of-this-test"


@pytest.fixture
def other(stepmill):
    """A supervisor beside the shared dev, whose workers serve a queue of their own."""
    with begun(stepmill) as supervisor:
        yield supervisor


def begun(stepmill, **settings):
    return stepmill.supervisor(**{"pool_workers": 2, "worker_queues": QUEUE, **settings})


def ready(supervisor, count=2):
    return wait_for(f"{count} workers", lambda: len(supervisor.ready_workers()) == count and
                    supervisor.ready_workers())


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def front_of(pid):
    """The child that serves clients."""
    for child in children(pid):
        try:
            if b"--front" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                return child
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return None


def nap(seconds, key="nap", **more):
    return shell(key, f"sleep {seconds}; echo $STEPMILL_ATTEMPT", queue=QUEUE, **more)


def check_untouched(run, key="nap"):
    """Its step was tried once, by one worker, and nobody lost it."""
    step = next(s for s in run["steps"] if s["stepKey"] == key)
    assert run["status"] == "COMPLETED", run["error"]
    assert (step["attemptNumber"], step["losses"], step["deaths"]) == (1, 0, 0)
    assert step["output"]["stdout"] == "1\n"


def holder(stepmill, supervisor, run, key="nap"):
    """The pid of the worker that holds a step."""
    worker = stepmill.wait_running(run, key)["workerId"]
    return next(w["pid"] for w in supervisor.ready_workers() if w["id"] == worker)


# ---- one worker ----

def test_a_worker_asked_to_end_finishes_what_it_holds(stepmill, other):
    ready(other)
    run = stepmill.begin(nap(2), noop("after", queue=QUEUE))
    pid = holder(stepmill, other, run)
    os.kill(pid, signal.SIGTERM)
    wait_for("it takes nothing more", lambda: "worker.draining" in other.log())
    # meanwhile the other worker goes on, and the place is filled again in the end
    assert stepmill.do(noop("x", queue=QUEUE))["status"] == "COMPLETED"
    assert alive(pid)
    check_untouched(stepmill.wait_ended(run))
    wait_for("it is gone", lambda: not alive(pid), 5)
    ready(other)
    assert len([e for e in stepmill.events(run) if e["type"] == "step.started"]) == 2


def test_an_idle_worker_leaves_at_once(stepmill, other):
    pid = ready(other)[0]["pid"]
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    wait_for("it is gone", lambda: not alive(pid), 3)
    assert time.monotonic() - began < 15
    ready(other)


def test_asked_twice_it_hands_back_without_spending_an_attempt(stepmill, other):
    ready(other)
    run = stepmill.begin(shell("nap", "if [ -e back ]; then echo $STEPMILL_ATTEMPT; else "
                                      "sleep 661; fi", queue=QUEUE), noop("after", queue=QUEUE))
    pid = holder(stepmill, other, run)
    os.kill(pid, signal.SIGTERM)
    wait_for("it drains", lambda: "worker.draining" in other.log())
    assert stepmill.step(run, "nap")["status"] == "RUNNING"
    (stepmill.folder / "back").touch()
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    try:
        check_untouched(stepmill.wait_ended(run))
    finally:
        (stepmill.folder / "back").unlink()
    assert time.monotonic() - began < 15
    wait_for("it is gone", lambda: not alive(pid), 5)
    types = [e["type"] for e in stepmill.events(run)]
    assert "step.failed" not in types and "run.recovered" not in types
    ready(other)


def test_a_stubborn_program_is_handed_back_too(stepmill, other):
    """It ignores SIGTERM: patience ends, it is killed, and nothing of it is left."""
    ready(other)
    run = stepmill.begin(shell("nap", "[ -e back2 ] && exec echo $STEPMILL_ATTEMPT; "
                                      'trap "" TERM; sleep 662 & sleep 662; sleep 662',
                               queue=QUEUE))
    pid = holder(stepmill, other, run)
    (stepmill.folder / "back2").touch()
    os.kill(pid, signal.SIGTERM)
    wait_for("it drains", lambda: "worker.draining" in other.log())
    os.kill(pid, signal.SIGTERM)
    check_untouched(stepmill.wait_ended(run))
    wait_for("it is gone", lambda: not alive(pid), 5)
    assert not sleeping(662)


def sleeping(seconds):
    words = f"sleep\0{seconds}\0".encode()
    return [path.parent.name for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
            if read(path) == words]


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


# ---- the pool ----

def test_scaling_down_waits_for_running_steps(stepmill, other):
    ready(other)
    runs = [stepmill.begin(nap(1.5)) for _ in range(6)]
    for run in runs:
        stepmill.wait_running(run, "nap")
    before = {w["pid"] for w in other.ready_workers()}
    other.ask("PUT", "/api/pool", {"workers": 1})
    for run in runs:
        check_untouched(stepmill.wait_ended(run))
    assert [w["pid"] for w in ready(other, 1)][0] in before


def test_signals_scale_by_one(stepmill, other):
    ready(other)
    os.kill(other.process.pid, signal.SIGTTIN)
    ready(other, 3)
    for count in (2, 1):
        os.kill(other.process.pid, signal.SIGTTOU)
        ready(other, count)
    assert other.ask("GET", "/api/pool").json["desired"] == 1


def node_of(supervisor):
    return supervisor.ask("GET", "/api/pool").json["node"]


def wanted(stepmill, node):
    [[workers]] = stepmill.sql("select wanted_workers from nodes where id = %s", node)
    return workers


def test_any_supervisor_scales_any_node(stepmill, other):
    ready(other)
    node = node_of(other)
    answer = stepmill.ask("PUT", "/api/pool", {"workers": 4, "node": node})
    assert (answer.status, answer.json) == (202, {"desired": 4, "node": node})
    ready(other, 4)
    assert len(stepmill.ready_workers()) == stepmill.workers_wanted
    wait_for("it is noted as followed", lambda: wanted(stepmill, node) is None)
    done = stepmill.cli("scale", "1", "--node", node)
    assert done.returncode == 0 and done.stdout.startswith("1 workers wanted"), done.stderr
    ready(other, 1)
    shown = wait_for("the shared one has heard", lambda: [
        one for one in stepmill.get("/api/pool")["nodes"] if one["id"] == node and one["running"] == 1])
    assert shown[0]["desired"] == 1 and shown[0]["status"] == "ready"
    lines = [line.split() for line in stepmill.cli("scale").stdout.splitlines()]
    assert ["HOST", "NODE", "STATE", "WORKERS", "WANTED"] in lines
    assert [shown[0]["host"], node, "ready", "1", "1"] in lines
    wait_for("it is noted as followed", lambda: wanted(stepmill, node) is None)


def test_a_wish_that_was_not_heard_is_followed_at_the_next_beat(stepmill, other):
    ready(other)
    stepmill.sql("update nodes set wanted_workers = 1 where id = %s", node_of(other))
    ready(other, 1)


def test_a_wish_outlives_the_front_and_its_limit_is_the_nodes(stepmill):
    with begun(stepmill, pool_workers_max=3) as other:
        ready(other)
        node = node_of(other)
        os.kill(front_of(other.process.pid), signal.SIGKILL)
        assert stepmill.ask("PUT", "/api/pool", {"workers": 900, "node": node}).status == 202
        ready(other, 3)
        assert node_of(other) == node


def test_a_node_that_is_none_or_several(stepmill, other):
    wait_for("both are known", lambda: len({one["host"] for one in stepmill.get("/api/pool")["nodes"]}) == 1
             and len(stepmill.get("/api/pool")["nodes"]) >= 2)
    host = stepmill.get("/api/pool")["nodes"][0]["host"]
    refused = stepmill.ask("PUT", "/api/pool", {"workers": 1, "node": host})
    assert refused.status == 409 and "by its id" in refused.json["detail"]
    assert stepmill.ask("PUT", "/api/pool", {"workers": 1, "node": "nowhere"}).status == 404
    for body in ({"workers": 1, "node": ""}, {"workers": 1, "node": 7}, {"workers": 1025, "node": host},
                 {"workers": 1, "node": "x" * 256}):
        assert stepmill.ask("PUT", "/api/pool", body).status == 400
    done = stepmill.cli("scale", "--node", host)
    assert done.returncode == 2 and "a number of workers" in done.stderr


def test_reload(stepmill, tmp_path):
    """SIGHUP: what may change changes in all processes; a broken file changes nothing."""
    config = tmp_path / "stepmill.yaml"
    config.write_text(f"pool: {{ workers: 1 }}\nworker: {{ queues: [{QUEUE}] }}\n")
    supervisor = stepmill.supervisor()
    del supervisor.environment["STEPMILL_AUTH_REQUIRED"]
    supervisor.allowed_errors.append("configuration.refused")
    supervisor.environment["STEPMILL_AUTH_REQUIRED"] = "false"
    supervisor.start("--config", str(config))
    wait_for("the front answers", supervisor.answers)
    try:
        ready(supervisor, 1)
        run = stepmill.begin(nap(1))
        stepmill.wait_running(run, "nap")
        config.write_text("pool: { workers: 3 }\nlog: { level: debug }\n"
                          f"worker: {{ queues: [{QUEUE}] }}\n")
        os.kill(supervisor.process.pid, signal.SIGHUP)
        ready(supervisor, 3)
        supervisor.ask("GET", "/api/pool")
        wait_for("the front's level changed", lambda: '"request.answered"' in supervisor.log())
        config.write_text("pool: { workers: many }\nlog: { level: info }\n")
        os.kill(supervisor.process.pid, signal.SIGHUP)
        said = wait_for("refused", lambda: re.search("configuration.refused.*", supervisor.log()))
        assert "stepmill.yaml:1:18: pool.workers" in said[0]
        check_untouched(stepmill.wait_ended(run))
        assert len(ready(supervisor, 3)) == 3
    finally:
        supervisor.__exit__(None, None, None)


def test_a_reload_finds_workflow_files(stepmill, tmp_path):
    with begun(stepmill, pool_workers=0, workflow_paths=str(tmp_path / "more")) as supervisor:
        (tmp_path / "more").mkdir()
        (tmp_path / "more/x.yaml").write_text(flow("from-more", noop("a")))
        os.kill(supervisor.process.pid, signal.SIGHUP)
        wait_for("found", lambda: stepmill.ask("GET", "/api/workflows/from-more").status == 200, 5)


# ---- the end of a supervisor ----

def test_a_supervisor_drains(stepmill):
    """Running steps end, long polls are answered, readiness says no, all exit with 0."""
    supervisor = begun(stepmill, http_drain_delay="700ms")
    with supervisor:
        ready(supervisor)
        run = stepmill.begin(nap(2), noop("after", queue=QUEUE))
        stepmill.wait_running(run, "nap")
        answers = []
        poller = threading.Thread(target=lambda: answers.append(supervisor.ask(
            "GET", f"/api/executions/{run}/events?since=2&wait=20s")))
        poller.start()
        began = time.monotonic()
        supervisor.process.send_signal(signal.SIGTERM)
        draining = wait_for("it says so", lambda: is_draining(supervisor), 3)
        assert draining.status == 503 and draining.headers["Retry-After"]
        assert draining.json["draining"] is True and draining.json["postgresql"] is True
        poller.join()
        assert answers[0].status in (200, 503), answers[0].body
        assert supervisor.process.wait(30) == 0
        assert 1 < time.monotonic() - began < 25
    step = stepmill.step(run, "nap")
    assert step["status"] == "COMPLETED" and step["attemptNumber"] == 1
    after = stepmill.step(run, "after")
    if after is not None:  # it was not begun: drained workers take nothing on
        assert after["status"] in ("QUEUED", "COMPLETED")
    finish(stepmill, run)


def is_draining(supervisor):
    try:
        answer = supervisor.ask("GET", "/readyz")
    except OSError:
        return None
    return answer if answer.status == 503 else None


def finish(stepmill, run):
    """What is left is done by the workers of another supervisor."""
    with begun(stepmill, pool_workers=1):
        ended = stepmill.wait_ended(run)
    assert ended["status"] == "COMPLETED", ended["error"]
    return ended


def test_a_supervisor_is_drained_over_the_api(stepmill):
    with begun(stepmill) as supervisor:
        ready(supervisor)
        run = stepmill.begin(nap(1))
        stepmill.wait_running(run, "nap")
        answer = supervisor.ask("POST", "/api/pool/drain")
        assert answer.status == 202 and answer.json == {"draining": True}
        assert supervisor.process.wait(30) == 0
    check_untouched(stepmill.wait_ended(run))


@pytest.mark.parametrize("how", ["asked twice", "out of patience"])
def test_a_supervisor_in_a_hurry_hands_back(stepmill, how):
    timeout = "60s" if how == "asked twice" else "700ms"
    with begun(stepmill, pool_drain_timeout=timeout) as supervisor:
        ready(supervisor)
        run = stepmill.begin(nap("$([ -e hurry ] && echo 0 || echo 663)"),
                             noop("after", queue=QUEUE))
        stepmill.wait_running(run, "nap")
        began = time.monotonic()
        supervisor.process.send_signal(signal.SIGTERM)
        wait_for("it drains", lambda: "worker.draining" in supervisor.log())
        if how == "asked twice":
            assert stepmill.step(run, "nap")["status"] == "RUNNING"
            supervisor.process.send_signal(signal.SIGTERM)
        assert supervisor.process.wait(30) == 0
        assert time.monotonic() - began < 25
    step = stepmill.step(run, "nap")
    assert step["status"] == "QUEUED" and step["workerId"] is None
    assert not sleeping(663)
    (stepmill.folder / "hurry").touch()
    try:
        check_untouched(finish(stepmill, run))
    finally:
        (stepmill.folder / "hurry").unlink()


def test_quit_ends_at_once(stepmill):
    """Nobody is asked; the steps are found by the lease, or by whoever hears of the death."""
    with begun(stepmill, worker_lease="2s") as supervisor:
        ready(supervisor)
        run = stepmill.begin(nap("$([ -e quit ] && echo 0 || echo 664)"))
        stepmill.wait_running(run, "nap")
        began = time.monotonic()
        supervisor.process.send_signal(signal.SIGQUIT)
        status = supervisor.process.wait(10)
        assert time.monotonic() - began < 15
        assert status in (0, 131, -signal.SIGQUIT), status
        supervisor.end = lambda: 0
    wait_for("its programs are gone", lambda: not sleeping(664), 5)
    (stepmill.folder / "quit").touch()
    try:
        ended = finish(stepmill, run)
    finally:
        (stepmill.folder / "quit").unlink()
    assert ended["steps"][0]["status"] == "COMPLETED"
    assert [e["type"] for e in stepmill.events(run)].count("run.recovered") == 1


# ---- killed ----

class Knocking:
    """Opens connections without a pause and asks; counts how each of them fared."""

    def __init__(self, url):
        self.host = url.removeprefix("http://")
        self.good = self.cut = 0
        self.refused, self.slowest = [], 0.0
        self.end = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(4)]

    def work(self):
        while not self.end.is_set():
            connection = http.client.HTTPConnection(self.host, timeout=10)
            began = time.monotonic()
            try:
                connection.connect()
                connection.request("GET", "/healthz")
                self.good += connection.getresponse().read() == b"ok\n"
            except ConnectionRefusedError as error:
                self.refused.append(error)
            except (OSError, http.client.HTTPException):
                self.cut += 1  # it was being served when its front was killed
            finally:
                connection.close()
            self.slowest = max(self.slowest, time.monotonic() - began)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_front_that_ends_refuses_no_connection(stepmill, other, how):
    ready(other)
    run = stepmill.begin(nap(2))
    stepmill.wait_running(run, "nap")
    workers = {w["pid"] for w in other.ready_workers()}
    kills = 4
    with Knocking(other.url) as knocking:
        for _ in range(kills):
            front = wait_for("a front", lambda: front_of(other.process.pid))
            wait_for("it serves", lambda before=knocking.good: knocking.good > before + 10)
            os.kill(front, how)
            wait_for("another one", lambda: front_of(other.process.pid) not in (None, front))
        wait_for("it serves", lambda before=knocking.good: knocking.good > before + 10)
    assert not knocking.refused
    if how == signal.SIGKILL:
        assert knocking.cut <= kills * 2 * len(knocking.threads)
    else:
        assert knocking.cut == 0, "one that is asked to end answers what it was asked"
    assert knocking.slowest < 8
    wait_for("the pool answers", lambda: other.ready_workers())
    assert {w["pid"] for w in ready(other)} == workers, "workers do not notice"
    check_untouched(stepmill.wait_ended(run))


def test_workers_outlive_their_parent(stepmill):
    """They finish what they hold, take nothing on, and leave nobody behind."""
    supervisor = begun(stepmill).start()
    wait_for("the front answers", supervisor.answers)
    ready(supervisor)
    tree = children(supervisor.process.pid)
    runs = [stepmill.begin(nap(1.5), noop("after", queue=QUEUE)) for _ in range(4)]
    for run in runs:
        stepmill.wait_running(run, "nap")
    supervisor.process.kill()
    supervisor.process.wait()
    wait_for("all know it", lambda: supervisor.log().count("parent.lost") == len(tree), 20)
    late = stepmill.begin(noop("late", queue=QUEUE))
    wait_for("no process is left", lambda: not any(alive(pid) for pid in tree), 10)
    for run in runs:
        step = stepmill.step(run, "nap")
        assert step["status"] == "COMPLETED" and step["attemptNumber"] == 1
        assert step["output"]["stdout"] == "1\n"
    assert stepmill.step(late, "late")["status"] == "QUEUED"
    assert not supervisor.answers()
    with begun(stepmill, pool_workers=1):
        for run in runs + [late]:
            assert stepmill.wait_ended(run)["status"] == "COMPLETED"
    log = supervisor.log()
    assert "Sanitizer" not in log and "runtime error" not in log, log[-5000:]


def test_a_parent_that_comes_back_finds_its_port(stepmill):
    """The workers of the dead one still run; its socket must not be theirs."""
    first = begun(stepmill).start()
    wait_for("the front answers", first.answers)
    ready(first)
    run = stepmill.begin(nap(1.5))
    stepmill.wait_running(run, "nap")
    first.process.kill()
    first.process.wait()
    began = time.monotonic()
    second = begun(stepmill)
    second.environment["STEPMILL_HTTP_LISTEN"] = first.environment["STEPMILL_HTTP_LISTEN"]
    second.url = first.url
    with second:
        assert time.monotonic() - began < 15
        check_untouched(stepmill.wait_ended(run))
        ready(second)
    log = first.log()
    assert "Sanitizer" not in log and "runtime error" not in log, log[-5000:]


def test_handing_back_is_no_retry(stepmill, other):
    """A step in its second attempt, handed back, is in its second attempt again."""
    ready(other)
    run = stepmill.begin(shell("nap", "[ $STEPMILL_ATTEMPT = 2 ] || exit 1; "
                                      "[ -e again ] || sleep 665; echo $STEPMILL_ATTEMPT",
                               queue=QUEUE, retry={"maxAttempts": 2, "backoff": "fixed",
                                                   "delay": 1}))
    wait_for("its second attempt", lambda: sleeping(665))
    pid = holder(stepmill, other, run)
    (stepmill.folder / "again").touch()
    os.kill(pid, signal.SIGTERM)
    wait_for("it drains", lambda: "worker.draining" in other.log())
    os.kill(pid, signal.SIGTERM)
    ended = stepmill.wait_ended(run)
    assert ended["status"] == "COMPLETED", ended["error"]
    assert ended["output"]["stdout"] == "2\n" and ended["steps"][0]["attemptNumber"] == 2


def test_a_worker_that_was_asleep_reports_in_vain(stepmill):
    """Declared dead while it was stopped: what it finished meanwhile is not recorded."""
    with begun(stepmill, worker_lease="2s") as supervisor:
        supervisor.allowed_errors.append("worker.buried")
        ready(supervisor)
        run = stepmill.begin(shell("nap", "echo $STEPMILL_IDEMPOTENCY_KEY >> asleep.txt; "
                                          "sleep 0.5; echo $STEPMILL_ATTEMPT", queue=QUEUE),
                             noop("after", queue=QUEUE))
        pid = holder(stepmill, supervisor, run)
        os.kill(pid, signal.SIGSTOP)
        try:
            ended = stepmill.wait_ended(run, 20)
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for("it knows that it is dead", lambda: not alive(pid), 10)
        assert "worker.buried" in supervisor.log()
        assert ended["status"] == "COMPLETED"
        assert stepmill.execution(run) == ended, "the late report changed nothing"
        types = [e["type"] for e in stepmill.events(run)]
        assert types.count("run.recovered") == 1 and types.count("step.completed") == 2
        assert ended["steps"][0]["losses"] == 1
        keys = (stepmill.folder / "asleep.txt").read_text().split()
        assert keys == [ended["steps"][0]["idempotencyKey"]] * 2
        ready(supervisor)


def scheduler(stepmill):
    """Its pid, as dev tells it now."""
    return json.loads((stepmill.folder / ".stepmill/dev.json").read_text())["schedulerPid"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_waits_and_retries_outlive_the_scheduler(stepmill, how):
    waiting = stepmill.begin({"id": "nap", "action": "wait", "for": "1s"}, noop("after"))
    retrying = stepmill.begin(shell("nap", "[ $STEPMILL_ATTEMPT = 2 ]", retry={
        "maxAttempts": 2, "backoff": "fixed", "delay": 1000, "jitter": False}))
    stepmill.wait_step(waiting, "nap", "WAITING")
    stepmill.wait_step(retrying, "nap", "RETRYING")
    before = scheduler(stepmill)
    os.kill(before, how)
    wait_for("dev starts another", lambda: scheduler(stepmill) != before, 10)
    for run in (waiting, retrying):
        ended = stepmill.wait_ended(run, 10)
        assert ended["status"] == "COMPLETED"
        row = ended["steps"][0]
        due = moment(row["startedAt"]) + 1
        assert moment(row["completedAt"]) < due + 4
