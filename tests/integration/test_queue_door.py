"""The door to Redis against a real Redis that is flushed, cut, stopped, restarted, spoiled
and locked. Guards the queue's half of I1 (Redis is expendable): nothing waits, everything
comes back by itself, a change of state is one line in the log."""

import json
import os
import queue as queues
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness.programs import driver as driver_path
import redis

DRIVER = driver_path("queue_driver")
DEADLINE = 20.0
NORMAL = "sm:q:default:normal"


def wait(what, condition, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not in {deadline} s: {what}"
        time.sleep(0.02)


class Redis:
    """A real server on a Unix socket in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / "redis.sock"
        self.process = None
        self.start()

    def start(self, *options):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir",
             self.folder, "--save", "", "--enable-debug-command", "local", *options],
            stdout=subprocess.DEVNULL)
        self.client = redis.Redis(unix_socket_path=str(self.path))
        wait("redis answers", self.answers)

    def answers(self):
        try:
            return self.client.ping()
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False

    def stop(self):
        self.client.close()
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


class Driver:
    def __init__(self, url):
        self.process = subprocess.Popen(
            [DRIVER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, bufsize=1)
        self.events, self.logs = queues.Queue(), []
        self.threads = [threading.Thread(target=self.read_events),
                        threading.Thread(target=self.read_log)]
        for thread in self.threads:
            thread.start()

    def read_events(self):
        for line in self.process.stdout:
            self.events.put(json.loads(line))

    def read_log(self):
        for line in self.process.stderr:
            self.logs.append(line)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def next(self, key, deadline=DEADLINE):
        """The next event that has the key; others before it are dropped."""
        end = time.monotonic() + deadline
        while True:
            event = self.events.get(timeout=max(0.01, end - time.monotonic()))
            if key in event:
                return event

    def ask(self, line, key):
        self.say(line)
        return self.next(key)

    def state(self):
        return self.ask("state ", "queue")

    def pop(self, ms=200):
        return self.ask(f"pop {ms}", "pop")

    def is_up(self):
        state = self.state()
        return state["queue"] and state["subscriber"]

    def log(self, event, connection=None):
        lines = [json.loads(line) for line in list(self.logs) if line.startswith("{")]
        return [line for line in lines if line["event"] == event
                and connection in (None, line.get("connection"))]

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=10) == 0, "".join(self.logs)
        for thread in self.threads:
            thread.join()
        text = "".join(self.logs)
        assert "Sanitizer" not in text and "runtime error" not in text, text
        assert '"level":"error"' not in text, text


@pytest.fixture
def server(tmp_path):
    server = Redis(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def driver(server):
    driver = Driver(f"unix:{server.path}")
    wait("the driver is connected", driver.is_up)
    yield driver
    driver.stop()


def pop_until_some(driver):
    return wait("something is popped", lambda: (p := driver.pop())["pop"] and p)


def test_what_is_pushed_is_popped_in_order(driver, server):
    driver.say("push 3")
    popped = driver.pop(1000)
    assert popped["pop"] == 3 and popped["first"] == 1
    assert popped["took_ms"] < 500
    driver.say("push 2")
    driver.say("push 1")
    wait("all are there", lambda: server.client.llen(NORMAL) == 3)
    assert driver.ask("depth default", "depth")["depth"] == [0, 3, 0]
    assert server.client.lindex(NORMAL, 0)[16:] == b"\0\0\0\x04"


def test_a_pop_waits_for_a_push_and_no_longer(driver):
    driver.say("pop 5000")
    time.sleep(0.1)  # lets it block; the push must wake it
    driver.say("push 1")
    assert driver.next("pop")["took_ms"] < 1000
    nothing = driver.pop(300)
    assert nothing["pop"] == 0 and 295 <= nothing["took_ms"] < 1300


def test_messages_arrive(driver):
    driver.say("publish hello")
    assert driver.next("message") == {"message": 5, "channel": "events"}


def test_flushall_is_no_event(driver, server):
    for _ in range(5):
        driver.say("push 1000")
        server.client.flushall()
    driver.say("push 1")
    assert pop_until_some(driver)["pop"] >= 1
    assert len(driver.log("redis.lost")) == 0


def test_killed_connections_come_back_without_a_storm(driver, server):
    began = time.monotonic()
    before = sum(driver.state()["connects"])
    while time.monotonic() < began + 6:
        for kind in ("normal", "pubsub"):
            server.client.execute_command("CLIENT", "KILL", "TYPE", kind,
                                          "SKIPME", "yes")
        driver.say("push 1")
        time.sleep(0.1)  # the rate of the fault
    connects = sum(driver.state()["connects"]) - before
    assert 3 <= connects <= 2 * (time.monotonic() - began) + 3
    wait("all are back", driver.is_up)
    driver.say("push 1")
    pop_until_some(driver)
    driver.say("publish again")
    assert driver.next("message")["message"] == 5


def test_a_stopped_server_holds_nobody(driver, server):
    server.process.send_signal(signal.SIGSTOP)
    driver.say("push 1")
    popped = driver.pop(300)
    assert popped["pop"] == 0 and popped["took_ms"] < 1800
    wait("it is noticed", lambda: not driver.state()["queue"])
    for _ in range(5):
        popped = driver.pop(100)
        assert popped["pop"] == 0 and popped["took_ms"] < 1800
    assert driver.ask("depth default", "depth")["depth"] == [-1, -1, -1]
    assert driver.state()["lag_ms"] <= 50
    server.process.send_signal(signal.SIGCONT)
    wait("all are back", driver.is_up)
    driver.say("push 1")
    pop_until_some(driver)
    for connection in ("queue", "popper"):
        assert len(driver.log("redis.lost", connection)) == 1
        assert len(driver.log("redis.connected", connection)) == 2


def test_a_paused_server_holds_nobody(driver, server):
    server.client.execute_command("CLIENT", "PAUSE", "3000", "ALL")
    popped = driver.pop(200)
    assert popped["took_ms"] < 1700
    wait("all are back", driver.is_up)


def test_a_restarted_server_is_found_again(driver, server):
    driver.say("push 5")
    wait("they are there", lambda: driver.state()["pushed"] == 5)
    server.stop()
    wait("it is noticed", lambda: not driver.is_up())
    driver.say("push 7")
    wait("it is counted", lambda: driver.state()["dropped"] >= 7)
    assert driver.pop(100)["pop"] == 0
    server.start()
    assert driver.next("resync")
    wait("all are back", driver.is_up)
    driver.say("push 2")
    assert pop_until_some(driver)["pop"] == 2


def test_absent_at_the_start_it_is_waited_for(tmp_path):
    driver = Driver(f"unix:{tmp_path}/redis.sock")
    assert driver.pop(100)["pop"] == 0
    assert driver.state()["dropped"] == 0
    server = Redis(tmp_path)
    wait("it is found", driver.is_up)
    assert len(driver.log("redis.lost", "queue")) == 1
    driver.stop()
    server.stop()


def test_other_things_under_our_keys(driver, server):
    """B7: a string where a list should be spoils nothing but itself."""
    server.client.set("sm:q:default:high", "no list")
    popped = driver.pop(100)
    assert popped["pop"] == 0
    wait("the list is told", lambda: driver.log("list.spoiled"))
    driver.say("push 4")
    assert pop_until_some(driver)["pop"] == 4
    server.client.delete(NORMAL)
    server.client.set(NORMAL, "no list either")
    dropped = driver.state()["dropped"]
    for _ in range(10):
        driver.say("push 1")
    wait("they are counted", lambda: driver.state()["dropped"] == dropped + 10)
    assert driver.state()["queue"] == 1
    assert len(driver.log("redis.lost")) == 0
    spoiled = [line["list"] for line in driver.log("list.spoiled")]
    assert spoiled.count(NORMAL) == 1


def test_garbage_entries_are_dropped_and_counted(driver, server):
    server.client.rpush(NORMAL, b"", b"x", b"\0" * 20, b"y" * 100000)
    driver.say("push 1")
    assert pop_until_some(driver)["pop"] == 1
    assert driver.state()["garbage"] == 4


def test_an_entry_of_many_megabytes_is_not_taken_in(driver, server):
    server.client.rpush(NORMAL, b"x" * (64 << 20))
    server.client.publish("sm:events", b"x" * (64 << 20))
    driver.pop(1000)
    wait("both are cut", lambda: driver.log("redis.lost", "popper")
         and driver.log("redis.lost", "subscriber"))
    status = Path(f"/proc/{driver.process.pid}/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0])
    if "asan" not in Path(f"/proc/{driver.process.pid}/maps").read_text():
        assert peak < 40 * 1024, f"{peak} KiB at most"
    wait("all are back", driver.is_up)
    driver.say("push 1")
    pop_until_some(driver)


@pytest.mark.parametrize("lock, unlock", [
    (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
    (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
    (["CONFIG", "SET", "min-replicas-to-write", "1"],
     ["CONFIG", "SET", "min-replicas-to-write", "0"]),
])
def test_a_server_that_refuses_writes(driver, server, lock, unlock):
    """B6: -OOM, -READONLY, -NOREPLICAS: one line each, and back by itself."""
    server.client.execute_command(*lock)
    for _ in range(20):
        driver.say("push 1")
    wait("it is noticed", lambda: not driver.state()["queue"])
    for _ in range(20):
        driver.say("push 1")
        assert driver.pop(20)["pop"] == 0
    assert len(driver.log("redis.lost", "queue")) == 1
    assert len(driver.log("redis.lost", "popper")) <= 1
    server.client.execute_command(*unlock)
    wait("it is back", lambda: driver.state()["queue"])
    driver.say("push 1")
    pop_until_some(driver)
    assert len(driver.log("redis.connected", "queue")) == 2


def test_misconf(driver, server):
    """Redis cannot save, and therefore takes no writes."""
    os.mkdir(server.folder / "dump.rdb")  # nothing can be renamed over a folder
    server.client.config_set("save", "3600 1000000")
    server.client.bgsave()
    wait("saving failed", lambda: server.client.info("persistence")
         ["rdb_last_bgsave_status"] == "err")
    driver.say("push 1")
    wait("it is noticed", lambda: not driver.state()["queue"])
    told = wait("it is told", lambda: driver.log("redis.lost", "queue"))
    assert "MISCONF" in told[0]["why"]
    os.rmdir(server.folder / "dump.rdb")
    server.client.bgsave()
    wait("it is back", driver.is_up)
    driver.say("push 1")
    pop_until_some(driver)


def test_a_busy_script_holds_nobody(driver, server):
    server.client.config_set("busy-reply-threshold", "100")
    script = threading.Thread(target=lambda: server.client.execute_command(
        "DEBUG", "SLEEP", "3"))
    script.start()
    popped = driver.pop(200)
    assert popped["took_ms"] < 1700
    assert driver.state()["lag_ms"] <= 50
    script.join()
    wait("all are back", driver.is_up)


def test_the_password(server, tmp_path):
    server.client.config_set("requirepass", "secret-canary")
    wrong = Driver(f"unix:{server.path}")
    wait("it is refused", lambda: wrong.log("redis.lost", "queue"))
    assert not wrong.is_up()
    wrong.stop()
    assert len(wrong.log("redis.lost", "queue")) == 1
    server.stop()
    port = 20000 + os.getpid() % 20000
    server.start("--requirepass", "secret-canary", "--port", str(port))
    right = Driver(f"redis://:secret-canary@localhost:{port}/3")
    wait("it is connected", right.is_up)
    right.say("push 2")
    assert pop_until_some(right)["pop"] == 2
    right.stop()
    bad = Driver(f"redis://:wrong-canary@127.0.0.1:{port}")
    wait("it is refused", lambda: bad.log("redis.lost", "queue"))
    assert "WRONGPASS" in bad.log("redis.lost", "queue")[0]["why"]
    bad.stop()
    assert "canary" not in "".join(wrong.logs + right.logs + bad.logs)


def test_a_full_list_takes_no_more(driver, server):
    """100,000 entries are enough: PostgreSQL has the rest."""
    for _ in range(11):
        driver.say("push 10000")
    wait("it is full", lambda: driver.state()["pushed"] >= 100000)
    driver.say("push 10000")
    wait("what is too much is dropped", lambda: driver.state()["dropped"] >= 10000)
    assert server.client.llen(NORMAL) <= 110000
    server.client.delete(NORMAL)

    def pushed_again():
        driver.say("push 1")
        return server.client.llen(NORMAL) > 0
    wait("it takes some again", pushed_again)
