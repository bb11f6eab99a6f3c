"""Many clients of the WebSocket at once: some that stop reading, some that read slowly, and
all that come back at the same moment. The figures are printed. (D1, D2; I-7, I-11)"""
import asyncio
import concurrent.futures
import contextlib
import json
import multiprocessing
import os
import pathlib
import re
import resource
import time

import pytest
from harness import raw_ws
from harness.raw_ws import RawWs, fast_frame
from harness.stepmill import OVER, Stepmill, moment, shell, wait_for

pytestmark = pytest.mark.long

MIB = 1024 * 1024
BIG = "head -c 60000 /dev/zero | tr '\\0' x"


@pytest.fixture(autouse=True)
def unchecked(monkeypatch):
    """Looking into each message takes more time than sending it: other tests do it."""
    monkeypatch.setattr(raw_ws, "watch", None)


@pytest.fixture(scope="module")
def busy():
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with Stepmill(workers=2) as stepmill:
        with stepmill.supervisor(pool_workers=0, http_connections_max="8192") as front:
            front.stepmill = stepmill
            yield front


def front_pid(supervisor):
    """The front is the child of the supervisor's parent that serves clients."""
    parent = supervisor.process.pid
    children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(children[0])


def resident(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024


def cpu_of(pid):
    """Seconds of a core so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def metric(front, name):
    return float(re.search(rf"^{name} (\S+)", front.ask("GET", "/metrics").body.decode(),
                           re.M)[1])


def is_over_at(stepmill, run, seq):
    """Nothing comes after a gap up to the last event of a run: who is told of one has to look."""
    return (stepmill.execution(run)["status"] in OVER
            and len(stepmill.events(run)) == seq)


def follow(stepmill, ws, runs, seen, delays):
    """Reads until it has all of so many runs: the last numbers, how long each event was on its
    way, and how many gaps were told."""
    last, gaps = {}, 0
    while len(seen) < runs:
        message = ws.next()
        run = message["executionId"]
        if message["type"] == "events.gap":
            gaps += 1
            last[run] = message["lastSeq"]
            if is_over_at(stepmill, run, last[run]):
                seen[run] = last[run]
            continue
        delays.append(time.time() - moment(message["at"]))
        assert message["seq"] == last.get(run, 0) + 1, "a gap that was not told"
        last[run] = message["seq"]
        if message["type"] == "workflow:execution:completed":
            seen[run] = message["seq"]
    return gaps


def p99(delays):
    """Milliseconds."""
    return sorted(delays)[int(len(delays) * 0.99)] * 1000


def watch(stepmill, workflow, readers, meanwhile):
    """Six runs that all readers follow to their ends; what they saw, how late, with how many
    gaps."""
    seen, delays = [{} for _ in readers], [[] for _ in readers]
    with concurrent.futures.ThreadPoolExecutor(len(readers)) as threads:
        reading = [threads.submit(follow, stepmill, ws, 6, got, late)
                   for ws, got, late in zip(readers, seen, delays)]
        runs = [stepmill.execute(workflow) for _ in range(6)]
        while not all(one.done() for one in reading):
            meanwhile()
        gaps = sum(one.result() for one in reading)
    logs = {run: len(stepmill.events(run)) for run in runs}
    assert all(got == logs for got in seen)
    return sum(logs.values()), sum(delays, []), gaps


def test_clients_that_do_not_read(busy):
    """200 that stop reading and 200 that read 1 KB/s beside 20 that read: nobody costs more
    than 1 MiB, the readers see everything in order, and the deaf ones are closed."""
    stepmill, pid = busy.stepmill, front_pid(busy)
    workflow = stepmill.define(*({**shell("big", BIG), "id": f"s{n}"} for n in range(20)))
    subscribe = {"type": "workflow:subscribe", "executionId": "*", "workflowId": workflow}
    readers = [RawWs(busy.url, "/ws?client=load", timeout=90) for _ in range(20)]
    for ws in readers:
        assert ws.ask({**subscribe, "id": 1})["type"] == "ack"
    for _ in range(2):  # the first one also starts what has not run yet
        _, alone, _ = watch(stepmill, workflow, readers, lambda: time.sleep(0.05))
    deaf, slow = ([RawWs(busy.url, "/ws?client=load", receive_buffer=4096, timeout=90)
                   for _ in range(200)] for _ in range(2))
    for ws in deaf + slow:
        assert ws.ask({**subscribe, "id": 1})["type"] == "ack"
    before, most = resident(pid), 0

    def meanwhile():
        nonlocal most
        time.sleep(0.05)
        most = max(most, resident(pid) - before)

    with another_process(read_slowly, slow):
        began, used = time.monotonic(), cpu_of(pid)
        events, filling, gaps = watch(stepmill, workflow, readers, meanwhile)
        busy_for = (cpu_of(pid) - used) / (time.monotonic() - began)
        more, full, again = watch(stepmill, workflow, readers, meanwhile)
    print(f"\n400 clients that do not read: {most / 400 / MIB:.2f} MiB held for each; the 20 that "
          f"do had {events + more} events, {gaps + again} gaps told; 99 of 100 of theirs came "
          f"within {p99(full):.0f} ms, while the 400 filled up within {p99(filling):.0f} ms, "
          f"without the 400 within {p99(alone):.0f} ms")
    assert most / 400 / MIB <= 1.1
    for ws in readers:
        ws.close()
    wait_for("the deaf are closed", lambda: slow_read(slow) or busy.log().count(
        "nothing was read for 30 s") >= 200, 90, every=1)
    for ws in deaf:
        assert ws.closing()[0] == 1013
    for ws in slow + deaf:
        ws.close()


@contextlib.contextmanager
def another_process(function, *args):
    """It does this meanwhile, without taking time from the threads of this one."""
    process = multiprocessing.get_context("fork").Process(target=function, args=args)
    process.start()
    try:
        yield
        assert process.is_alive()
    finally:
        process.kill()
        process.join()


def read_slowly(clients):
    """1 KB a second each."""
    while True:
        slow_read(clients)
        time.sleep(1)


def slow_read(clients):
    for ws in clients:
        ws.socket.settimeout(0.001)
        try:
            ws.socket.recv(1024)
        except OSError:
            pass


def take_texts(data):
    """Of the frames in here: the texts of those that are whole, and the rest."""
    texts, at = [], 0
    while len(data) - at >= 2:
        start, length = at + 2, data[at + 1] & 127
        wide = {126: 2, 127: 8}.get(length, 0)
        if wide:
            length = int.from_bytes(data[start:start + wide], "big")
            start += wide
        if len(data) < start + length:
            break
        if data[at] & 15 == 1:
            texts.append(data[start:start + length])
        at = start + length
    return texts, data[at:]


def test_everybody_comes_back_at_once(busy):
    """2,000 that were cut subscribe with what they have: all caught up, no gap, no repeat."""
    stepmill = busy.stepmill
    run = stepmill.begin(*(shell(f"s{n}", "true") for n in range(50)))
    stepmill.wait_ended(run)
    events = [event["seq"] for event in stepmill.events(run)]
    port = int(busy.url.rsplit(":", 1)[1])

    async def one(number, since):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /ws?client=c{number % 50} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                     "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        writer.write(fast_frame(json.dumps({"type": "workflow:subscribe", "executionId": run,
                                            "since": since}).encode()))
        seqs, unread = [], b""
        while not seqs or seqs[-1] < events[-1]:
            got = await reader.read(MIB)
            assert got, "cut"
            texts, unread = take_texts(unread + got)
            seqs += [message["seq"] for message in map(json.loads, texts) if "seq" in message]
        return writer, seqs

    async def storm():
        began = time.monotonic()
        got = await asyncio.gather(*(one(n, n % 50) for n in range(2000)))
        took = time.monotonic() - began
        for number, (writer, seqs) in enumerate(got):
            assert seqs == events[number % 50:], number
            writer.transport.abort()
        return took

    before = cpu_of(front_pid(busy))
    took = asyncio.run(storm())
    print(f"\n2,000 clients came back at once and had caught up after {took:.1f} s, "
          f"of which the front took {cpu_of(front_pid(busy)) - before:.1f} s of a core")
    assert took < 60
    wait_for("all are gone", lambda: metric(busy, "stepmill_front_websocket_clients") == 0)
