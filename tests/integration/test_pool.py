"""The supervisor's parent with children of our making: what it starts, when, whom it
tells what, and what it leaves behind. Guards the parent's half of I5 (any process may be
killed at any instant)."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.programs import driver as driver_path

TESTS = driver_path("pool_driver").parent
DEADLINE = 15.0


def wait(what, condition, deadline=DEADLINE):
    """Polls until the condition gives something true, and returns that."""
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not in {deadline} s: {what}"
        time.sleep(0.005)


def alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


class Child:
    """A process of pool_child: what it wrote down, and a way to command it."""

    def __init__(self, folder, pid):
        self.folder, self.pid = folder, pid

    def lines(self):
        try:
            text = (self.folder / f"{self.pid}.log").read_text()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind("\n") + 1].splitlines()
        return [(float(at), what) for at, what in (line.split(" ", 1) for line in whole)]

    def heard(self, pattern):
        """Times at which a line came that the pattern matches whole."""
        return [at for at, what in self.lines() if re.fullmatch(pattern, what)]

    @property
    def start(self):
        return self.lines()[0][1]

    @property
    def role(self):
        return self.start.split()[1]

    def do(self, command):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(command.encode(), str(self.folder / f"{self.pid}.sock"))

    def say(self, line):
        self.do(line + "\n")

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid, number)

    def alive(self):
        return alive(self.pid)


class Pool:
    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.env = {}
        self.expected_errors = []

    def start(self, workers=2, most=8, drain_ms=60000, mode="", ready=True):
        self.set_mode(mode)
        self.log_file = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [TESTS / "pool_driver", TESTS / "pool_child",
             f"127.0.0.1:0,unix:{self.folder}/web.sock",
             str(workers), str(most), str(drain_ms), self.folder / "reload"],
            env={**os.environ, "POOL_DIR": str(self.folder), **self.env},
            stderr=self.log_file, start_new_session=True)
        if ready:
            wait("all children ready", lambda: self.front() and
                 len(self.log("worker.admitted")) == workers and self.log("front.admitted"))

    def set_mode(self, mode):
        (self.folder / "mode").write_text(mode)

    def children(self):
        """Living children of the parent that wrote their first line, oldest first."""
        found = [Child(self.folder, int(path.stem)) for path in self.folder.glob("*.log")]
        found = [child for child in found if child.lines() and child.alive()]
        return sorted(found, key=lambda child: child.lines()[0][0])

    def workers(self):
        return [child for child in self.children() if child.role != "front"]

    def front(self):
        return next((child for child in self.children() if child.role == "front"), None)

    def wait_workers(self, count):
        return wait(f"{count} workers", lambda: len(self.workers()) == count and
                    (self.workers() or True))

    def log(self, event):
        records = []
        for line in (self.folder / "log").read_text().splitlines():
            record = json.loads(line)
            if record["event"] == event:
                records.append(record)
        return records

    def wait_log(self, event, count=1):
        return wait(f"{count} times {event} in the log",
                    lambda: len(self.log(event)) >= count and self.log(event))

    def signal(self, number):
        self.process.send_signal(number)

    def wait_end(self, deadline=DEADLINE):
        return self.process.wait(deadline)

    def connect(self):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(DEADLINE)
            sock.connect(str(self.folder / "web.sock"))
            return sock.makefile().read()

    def report(self):
        """The last "pool {json}" that the front heard."""
        def texts():
            front = self.front()
            return [what[len("heard pool "):] for _, what in (front.lines() if front else [])
                    if what.startswith("heard pool ")]
        return json.loads(wait("a report", texts)[-1])

    def stop(self):
        """Every test ends with the same look around."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            assert self.process.wait(DEADLINE) == 0
        self.log_file.close()
        text = (self.folder / "log").read_text()
        for line in text.splitlines():
            record = json.loads(line)  # also: no sanitizer's report among the lines
            if record["level"] == "error":
                assert record["event"] in self.expected_errors, line
        wait("no child left", lambda: not self.children())
        orphans = self.folder / "orphans"
        if orphans.exists():
            assert not [pid for pid in orphans.read_text().split() if alive(pid)]


@pytest.fixture
def pool(tmp_path):
    pool = Pool(tmp_path)
    yield pool
    if pool.process is not None:
        pool.stop()


def test_children_find_what_they_are_promised(pool):
    pool.env = {"NOTIFY_SOCKET": str(pool.folder / "nobody")}
    pool.start(workers=1)
    worker, front = pool.workers()[0], pool.front()
    pattern = (r"start %s ppid %d stdin /dev/null fds %s, "
               r"group 1 blocked 0 notify no")
    # besides 0 to 3 and the sockets there is only the child's own log and command socket
    assert re.fullmatch(pattern % (r"[0-9a-f-]{36}", pool.process.pid, r"0,1,2,3,4,5,6,7"),
                        worker.start), worker.start
    assert re.fullmatch(pattern % ("front", pool.process.pid, r"0,1,2,3,4,5,6,7,8,9"),
                        front.start), front.start
    assert pool.connect() == f"front {front.pid}\n"


def test_a_dead_worker_is_told_to_the_front_and_replaced(pool):
    pool.start(workers=2)
    victim = pool.workers()[0]
    time.sleep(1.1)  # a second old: no crash loop
    victim.kill()
    at = time.monotonic()
    told = wait("the front heard of it", lambda: pool.front().heard(f"heard dead {victim.role} .*"))
    assert told[0] - at < 0.1
    assert pool.front().heard(
        f"heard dead {victim.role} signal 9 user [0-9]+ system [0-9]+ memory [1-9][0-9]+")
    pool.wait_log("worker.admitted", 3)
    assert pool.wait_log("worker.started", 3)[2]["starts"] == 2
    ended = pool.log("worker.ended")[0]
    assert (ended["signal"], ended["delay_ms"], ended["level"]) == ("KILL", 0, "warn")
    assert ended["worker"] == victim.role
    assert len({worker.role for worker in pool.workers()}) == 2


def test_time_from_death_to_telling(pool):
    pool.start(workers=4)
    times = []
    for _ in range(20):
        victim = pool.workers()[0]
        victim.do("orphans")
        wait("orphans", lambda: victim.heard("did orphans"))
        ready = len(pool.log("worker.admitted"))
        victim.kill()
        at = time.monotonic()
        times.append(wait("the front heard of it", lambda: pool.front().heard(
            f"heard dead {victim.role} .*"))[0] - at)
        pool.wait_log("worker.admitted", ready + 1)
    times.sort()
    print(f"death to telling, ms: p50 {times[10] * 1000:.1f} max {times[-1] * 1000:.1f}")
    assert times[10] < 0.1


def test_orphans_are_gone_before_a_death_is_told(pool):
    pool.start(workers=2)
    victim, other = pool.workers()
    for worker in (victim, other):
        worker.do("orphans")
    pids = wait("four orphans", lambda: (pool.folder / "orphans").exists() and
                len((pool.folder / "orphans").read_text().split()) == 4 and
                (pool.folder / "orphans").read_text().split())
    theirs = [pid for pid in pids if is_below(int(pid), victim.pid)]
    assert len(theirs) == 2
    (pool.folder / "orphans").write_text("\n".join(theirs))
    victim.kill()
    wait("the front heard of it", lambda: pool.front().heard(f"heard dead {victim.role} .*"))
    assert pool.front().heard("orphans 0") and not pool.front().heard("orphans [^0].*")
    assert not [pid for pid in theirs if alive(pid)]
    assert all(alive(pid) for pid in pids if pid not in theirs), "those of the other live"
    assert pool.log("orphans.killed")
    (pool.folder / "orphans").write_text("\n".join(pids))  # looked at once more at the end


def is_below(pid, ancestor):
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return False


def test_without_a_front_a_worker_is_told(pool):
    pool.start(workers=2, mode="front silent", ready=False)
    pool.wait_log("worker.admitted", 2)
    victim, other = pool.workers()
    victim.kill()
    wait("the other heard of it", lambda: other.heard(f"heard dead {victim.role} .*"))
    assert not pool.front().heard("heard dead .*")


def test_with_nobody_there_deaths_wait(pool):
    pool.start(workers=1, mode="front silent\nworker silent", ready=False)
    victim = pool.wait_workers(1)[0]
    victim.kill()
    pool.wait_log("worker.ended")
    wait("a front", pool.front).say("ready")
    wait("the front heard of it", lambda: pool.front().heard(f"heard dead {victim.role} .*"))


def test_a_death_is_told_again_when_the_listener_dies(pool):
    pool.start(workers=2)
    victim, other = pool.workers()
    front = pool.front()
    victim.kill()
    wait("the front heard of it", lambda: front.heard(f"heard dead {victim.role} .*"))
    front.kill()
    wait("another one heard of it", lambda: any(
        child.heard(f"heard dead {victim.role} signal 9 .*") for child in pool.children()
        if child.pid != front.pid))


def test_crash_loop_slows_down(pool):
    pool.start(workers=1, mode="worker crash", ready=False)
    ended = pool.wait_log("worker.ended", 5)
    assert [record["delay_ms"] for record in ended[:5]] == [100, 200, 400, 800, 1600]
    pool.set_mode("")
    pool.wait_log("worker.admitted")


def test_exit_75_is_tried_again_later(pool):
    pool.start(workers=1, mode="worker exit 75", ready=False)
    assert pool.wait_log("worker.ended")[0]["delay_ms"] == 1000
    pool.set_mode("")
    pool.wait_log("worker.admitted")


def test_exit_78_is_not_tried_again_until_reloaded(pool):
    pool.expected_errors = ["worker.ended"]
    pool.start(workers=1, mode="worker exit 78", ready=False)
    ended = pool.wait_log("worker.ended")
    assert (ended[0]["then"], ended[0]["level"]) == ("refused", "error")
    wait("the report", lambda: pool.report()["refused"] == 1)
    time.sleep(1.5)
    assert len(pool.log("worker.started")) == 1
    pool.set_mode("")
    (pool.folder / "reload").write_text("1 8")
    pool.signal(signal.SIGHUP)
    pool.wait_log("worker.admitted")


def test_a_front_that_exits_78_ends_the_supervisor(pool):
    pool.expected_errors = ["front.ended", "pool.refused"]
    pool.start(workers=1, mode="front exit 78", ready=False)
    assert pool.wait_end() == 78
    assert pool.log("pool.refused")


def test_a_program_that_is_not_there(pool):
    pool.expected_errors = ["child.not_executed", "front.ended", "worker.ended",
                            "pool.refused"]
    pool.log_file = open(pool.folder / "log", "ab")
    pool.process = subprocess.Popen(
        [TESTS / "pool_driver", "/nowhere/child", "127.0.0.1:0", "1", "2", "1000",
         "/nowhere/reload"], stderr=pool.log_file)
    assert pool.wait_end() == 78


def test_scale_by_line_and_signal(pool):
    pool.start(workers=2, most=4)
    first = pool.workers()[0]
    pool.front().say("scale 4")
    workers = pool.wait_workers(4)
    assert first.pid in [worker.pid for worker in workers]
    pool.signal(signal.SIGTTIN)  # past the most: nothing changes
    pool.signal(signal.SIGTTOU)
    pool.wait_workers(3)
    pool.signal(signal.SIGTTIN)
    pool.wait_workers(4)
    pool.front().say("scale 1000000")
    pool.front().say("scale 0")
    pool.wait_workers(0)
    assert all(record["level"] == "info" for record in pool.log("worker.ended"))
    assert not [child for child in pool.children() if child.heard("heard dead .*")]


def test_shrinking_drains_the_idlest(pool):
    pool.start(workers=3)
    busy, idle, middle = pool.workers()
    busy.say("slots 8/8")
    idle.say("slots 1/8")
    middle.say("slots 3/8")
    wait("slots in the report", lambda: sorted(
        worker["used"] for worker in pool.report()["workers"]) == [1, 3, 8])
    idle.do("stubborn")  # finishes in its own time
    wait("stubborn", lambda: idle.heard("did stubborn"))
    pool.front().say("scale 2")
    wait("drain", lambda: idle.heard("heard drain"))
    report = wait("the wish in a report", lambda: next(
        (report for report in [pool.report()] if report["desired"] == 2), None))
    states = {worker["pid"]: worker["state"] for worker in report["workers"]}
    assert states == {busy.pid: "ready", idle.pid: "draining", middle.pid: "ready"}
    idle.do("exit 0")
    pool.wait_workers(2)
    assert not pool.front().heard("heard dead .*")


def test_reports_are_bounded_in_number(pool):
    pool.start(workers=1)
    worker, front = pool.workers()[0], pool.front()
    before, at = len(front.heard("heard pool .*")), time.monotonic()
    for used in range(300):
        worker.say(f"slots {used}/300")
        time.sleep(0.003)
    wait("the last report", lambda: pool.report()["workers"][0]["used"] == 299)
    count = len(front.heard("heard pool .*")) - before
    assert count <= (time.monotonic() - at) * 5 + 2


def test_a_front_that_dies_refuses_no_connection(pool):
    pool.start(workers=2)
    workers = [worker.pid for worker in pool.workers()]
    for _ in range(5):
        front = pool.front()
        assert pool.connect() == f"front {front.pid}\n"
        front.kill()
        answer = pool.connect()  # waits in the kernel for the next front
        assert answer.startswith("front ") and answer != f"front {front.pid}\n"
    assert [worker.pid for worker in pool.workers()] == workers


def test_nonsense_is_passed_over(pool):
    pool.start(workers=1)
    worker = pool.workers()[0]
    for line in ("scale 5", "drain", "slots 9/3", "\x01\xff"):
        worker.say(line)
    worker.say("slots 2/3")
    wait("the good line after the bad ones",
         lambda: pool.report()["workers"][0]["used"] == 2)
    assert len(pool.log("channel.misspoken")) == 3, "the fourth is not told"
    worker.do("x" * 10000)  # without end: the channel closes, the child leaves by itself
    pool.wait_log("channel.closed")
    wait("end of file", lambda: worker.heard("end of file"))
    pool.wait_log("worker.admitted", 2)


def test_drain(pool):
    pool.start(workers=2)
    front, (one, other) = pool.front(), pool.workers()
    one.do("stubborn")
    wait("stubborn", lambda: one.heard("did stubborn"))
    pool.signal(signal.SIGTERM)
    wait("drain", lambda: one.heard("heard drain"))
    pool.wait_log("front.ended")
    pool.wait_log("worker.ended")
    assert front.heard("heard drain") and other.heard("heard drain")
    with pytest.raises(ConnectionRefusedError):
        pool.connect()
    assert pool.process.poll() is None and one.alive()
    one.do("exit 0")
    assert pool.wait_end() == 0
    assert not (pool.folder / "web.sock").exists()


def test_the_front_may_ask_for_the_drain(pool):
    pool.start(workers=1)
    pool.front().say("drain")
    assert pool.wait_end() == 0


def test_a_worker_that_dies_in_a_drain_is_told(pool):
    pool.start(workers=1)
    front, worker = pool.front(), pool.workers()[0]
    for child in (front, worker):
        child.do("stubborn")
        wait("stubborn", lambda: child.heard("did stubborn"))
    pool.signal(signal.SIGTERM)
    wait("drain", lambda: worker.heard("heard drain"))
    worker.kill()
    wait("told", lambda: front.heard(f"heard dead {worker.role} signal 9 .* ordered"))
    assert len(pool.log("worker.started")) == 1
    front.do("exit 0")
    assert pool.wait_end() == 0


def test_a_second_sigterm_hands_back(pool):
    pool.start(workers=2)
    children = pool.children()
    for child in children:
        child.do("stubborn")
        wait("stubborn", lambda: child.heard("did stubborn"))
    pool.signal(signal.SIGTERM)
    for child in children:
        wait("drain", lambda: child.heard("heard drain"))
    pool.signal(signal.SIGTERM)
    assert pool.wait_end() == 0
    assert all(child.heard("heard drain now") for child in children)


def test_patience_ends_and_the_deaf_are_killed(pool):
    pool.start(workers=1, drain_ms=300)
    worker = pool.workers()[0]
    worker.do("deaf")
    worker.do("orphans")
    wait("orphans", lambda: worker.heard("did orphans"))
    at = time.monotonic()
    pool.signal(signal.SIGTERM)
    assert pool.wait_end() == 0
    heard = worker.heard("heard drain now")[0]
    assert 0.3 <= heard - at < 0.6
    assert 5.2 <= time.monotonic() - at < 20
    assert pool.log("worker.ended")[-1]["signal"] == "KILL"


def test_sigquit_is_at_once(pool):
    pool.start(workers=2)
    for child in pool.children():
        child.do("deaf")
        wait("deaf", lambda: child.heard("did deaf"))
    pool.workers()[0].do("orphans")
    wait("orphans", lambda: pool.workers()[0].heard("did orphans"))
    at = time.monotonic()
    pool.signal(signal.SIGQUIT)
    assert pool.wait_end() == 0
    assert time.monotonic() - at < 10


def test_a_killed_parent_is_end_of_file_to_its_children(pool):
    pool.start(workers=2)
    children = pool.children()
    assert len(children) == 3
    pool.signal(signal.SIGKILL)
    for child in children:
        wait("end of file", lambda: child.heard("end of file"))
        wait("gone", lambda: not child.alive())
    assert pool.wait_end() == -signal.SIGKILL


def test_reload(pool):
    pool.start(workers=2, most=4)
    front, workers = pool.front(), pool.workers()
    (pool.folder / "reload").write_text("nonsense")
    pool.signal(signal.SIGHUP)
    (pool.folder / "reload").write_text("3 4")
    wait("nothing of the first", lambda: True)
    pool.signal(signal.SIGHUP)
    pool.wait_workers(3)
    for child in (front, *workers):
        wait("hup", lambda: child.heard("hup"))
    pool.front().say("scale 1")
    pool.wait_workers(1)
    pool.signal(signal.SIGHUP)  # the file says what it said: a scale by hand stays
    pool.wait_log("pool.reloaded", 2)
    assert pool.report()["desired"] == 1
    (pool.folder / "reload").write_text("2 2")
    pool.signal(signal.SIGHUP)
    pool.wait_workers(2)


def test_a_reload_waits_for_those_that_start(pool):
    pool.start(workers=1, mode="worker silent", ready=False)
    worker = pool.wait_workers(1)[0]
    pool.wait_log("front.admitted")
    (pool.folder / "reload").write_text("1 8")
    pool.signal(signal.SIGHUP)
    pool.wait_log("pool.reloaded")
    assert not worker.heard("hup")
    worker.say("ready")
    wait("hup", lambda: worker.heard("hup"))


def test_the_service_manager_is_told(pool):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(pool.folder / "notify"))
        sock.settimeout(DEADLINE)
        pool.env = {"NOTIFY_SOCKET": str(pool.folder / "notify"), "WATCHDOG_USEC": "400000"}
        pool.start(workers=1)
        seen = []

        def until(message):
            while message not in seen:
                seen.append(sock.recv(4096).decode())

        until("READY=1")
        assert not [text for text in seen if text == "STOPPING=1"]
        until("STATUS=1 of 1 workers ready, 0 steps running")
        seen.clear()
        until("WATCHDOG=1")
        pool.signal(signal.SIGTERM)
        until("STOPPING=1")
        assert pool.wait_end() == 0


def test_sockets_of_a_service_manager(pool):
    pool.set_mode("")
    listener = socket.create_server(("127.0.0.1", 0))
    pool.log_file = open(pool.folder / "log", "ab")
    give = ("import os, sys; os.dup2(int(sys.argv[1]), 3); "
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); "
            "os.execv(sys.argv[2], sys.argv[2:])")
    pool.process = subprocess.Popen(
        [sys.executable, "-c", give, str(listener.fileno()), TESTS / "pool_driver",
         TESTS / "pool_child", "127.0.0.1:1", "1", "2", "1000", "/nowhere"],
        env={**os.environ, "POOL_DIR": str(pool.folder)}, stderr=pool.log_file,
        pass_fds=[listener.fileno()])
    with socket.create_connection(listener.getsockname(), DEADLINE) as sock:
        assert sock.makefile().read().startswith("front ")
    assert pool.wait_log("socket.taken")


def test_a_port_that_is_taken(pool):
    pool.expected_errors = ["pool.stopped"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = "127.0.0.1:%d" % listener.getsockname()[1]
        run = subprocess.run(
            [TESTS / "pool_driver", "/nowhere", taken, "1", "2", "1000", "x"],
            stderr=subprocess.PIPE, timeout=DEADLINE)
    assert run.returncode == 2
    assert f"cannot listen on {taken}: Address already in use" in run.stderr.decode()


def test_a_stale_socket_file_is_replaced_and_a_living_one_is_not(pool):
    path = pool.folder / "web.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    pool.start(workers=0)
    assert pool.connect().startswith("front ")
    run = subprocess.run(
        [TESTS / "pool_driver", "/nowhere", f"unix:{path}", "1", "2", "1000", "x"],
        stderr=subprocess.PIPE, timeout=DEADLINE)
    assert run.returncode == 2 and b"is in use" in run.stderr
    assert pool.connect().startswith("front ")
