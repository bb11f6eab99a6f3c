"""Clients that want stepmill to misunderstand, to wait or to run out of something: bare, and
behind HAProxy and nginx with the files of deploy/. The requests stand in
tests/tables/hostile_http.txt.

Two things are looked for in every case: that what must not run does not (the hidden request
has a name that the log would tell; a run would be in the database), and that the next request
is understood. Behind a proxy, what it says to stepmill is listened to as well.
"""

import asyncio
import json
import os
import pathlib
import re
import resource
import subprocess
import threading
import time

import aiohttp
import aiohttp.web
import psycopg
import pytest

from harness.proxies import PROXIES, HAProxy, address_of
from harness.raw_http import Ambiguous, Headless, Silent, Tap, Wire, requests_of, unescape
from harness.stepmill import BIN, ROOT, ask, flow, noop, wait_for

TABLE = ROOT / "tests" / "tables" / "hostile_http.txt"
PATIENCE = 10.0  # for an answer that must come
HESITATION = 1.0  # for one that a proxy may have none to give
KEY = b"of-who-comes-through-a-proxy"  # bare, none is needed
WITH_KEY = b"Authorization: Bearer %b\r\n" % KEY
END = (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: end\r\n"
       b"Connection: close\r\n\r\n")


# ---- the table ----


class Case:
    def __init__(self, name, parts, outcome):
        self.name, self.parts = name, parts
        self.may_be_refused = outcome.endswith(" or refused")
        self.kind, _, self.value = outcome.removesuffix(" or refused").partition(" ")

    def bytes(self, how):
        """The bytes for one of the three ways; names tell it."""
        hidden = (f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
                  f"X-Request-Id: {self.trap(how)}\r\n\r\n").encode()
        words = {"run": b"POST /api/workflows/bait/execute HTTP/1.1\r\nHost: localhost\r\n"
                        b"%bX-Request-Id: case-%b\r\n" % (WITH_KEY, self.name.encode()),
                 "key": WITH_KEY,
                 "hidden": hidden, "len": b"%d" % len(hidden), "hex": b"%x" % len(hidden)}
        out = b""
        for kind, text in self.parts:
            data = unescape(text, words)[0]
            out += b"Content-Length: %d\r\n\r\n" % len(data) if kind == "+" else b""
            out += data
        return out

    def trap(self, how):
        return f"trap-{how}-{self.name}"

    def statuses(self, default):
        """The statuses that are right, as a pattern."""
        return (self.value or default).replace("x", r"\d")

    def __repr__(self):
        return self.name


def table():
    cases, name, parts = [], None, []
    for line in TABLE.read_text().split("\n"):
        if line[:1] in (">", "+"):
            parts.append((line[0], line[2:]))
        elif line.startswith("="):
            cases.append(Case(name, parts, line[2:]))
            parts = []
        elif line and not line.startswith("#"):
            name = line
    return cases


CASES = table()


def test_the_table_is_complete():
    """Every case has a name of its own, a known outcome and bytes."""
    assert len(CASES) >= 90
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert re.fullmatch(r"[a-z0-9-]+", case.name), case
        assert case.kind in CHECKS, case
        assert case.bytes("bare"), case


# Cases about where a request ends, and whom it is for.
FRAMING = "two-lengths|length-|coding-|chunk-(size|data|last|end)|trailer-|head-with-a|host-"


def test_the_strict_reader_is_strict():
    """What listens behind the proxies hears it when a request is ambiguous."""
    for case in CASES:
        raw = case.bytes("bare")
        if case.kind == "refuse" and re.match(FRAMING, case.name):
            with pytest.raises(Ambiguous):
                requests_of(raw)
        elif case.kind != "refuse" and not case.name.startswith("empty-line-"):
            assert requests_of(raw), case


# ---- stepmill and what stands before it ----


class Door:
    """Where requests are sent, and what can be seen from there."""

    def __init__(self, how, address, front, stepmill, tap=None):
        self.how, self.address, self.front, self.tap = how, address, front, tap
        self.database = psycopg.connect(
            stepmill.state["databaseUrl"] + " options='-c search_path=stepmill'",
            autocommit=True)
        self.log_at = 0
        self.report = []

    @property
    def bare(self):
        return self.tap is None

    def runs(self):
        return self.database.execute("select count(*) from workflow_run_state").fetchone()[0]

    def log(self):
        """What the front has logged since the last time."""
        text = os.pread(self.front.log_file.fileno(), 1 << 26, self.log_at)
        self.log_at += len(text)
        return text.decode(errors="replace")

    def said(self):
        """What the proxy said to stepmill since the last time, but for its own questions."""
        return self.tap.take()

    def note(self, case, party, status):
        self.report.append(f"{self.how:8} {case.name:48} {case.kind:8} {party:9} {status}")


@pytest.fixture(scope="module")
def front(shared):
    """Says in its log what it answers."""
    shared.workflow(flow("bait", noop("only")))
    shared.sql("insert into api_keys (id, name, key_hash, role) values"
               " (gen_random_uuid(), 'of-the-proxies', sha256(%s), 'operator')", KEY)
    with shared.supervisor(pool_workers=0, log_level="debug") as front:
        wait_for("it is ready", lambda: front.ask("GET", "/readyz").status == 200)
        yield front


REPORT = BIN.parent / "hostile_http.txt"


@pytest.fixture(scope="module", params=["bare", *PROXIES])
def door(request, shared, front):
    how = request.param
    if how == "bare":
        yield from report(Door(how, address_of(front.url), front, shared))
        return
    tap = Tap(address_of(front.url))
    with PROXIES[how](tap.address) as proxy:
        yield from report(Door(how, proxy.address, front, shared, tap))
    tap.close()


def report(door):
    """Who answered what is kept beside the programs, for whoever wants to know."""
    yield door
    door.database.close()
    with open(REPORT, "w" if door.bare else "a") as out:
        out.writelines(line + "\n" for line in door.report)


# ---- one case ----


def party_of(reply):
    """Who said this: all of stepmill's answers carry its request id."""
    return "stepmill" if "x-request-id" in reply.headers else "proxy"


class Attempt:
    """One case at one door."""

    def __init__(self, door, case):
        self.door, self.case = door, case
        raw = case.bytes(door.how)
        self.method = raw.lstrip(b"\r\n").split(b" ")[0].decode("latin-1")
        self.runs_before = door.runs()
        self.wire = Wire(door.address)
        self.wire.send(raw)

    def reply(self, method="GET", seconds=PATIENCE):
        reply = self.wire.reply(method, seconds)
        assert reply is not None, "closed without an answer"
        return reply

    def first(self):
        reply = self.reply(self.method)
        self.door.note(self.case, party_of(reply), reply.status)
        return reply

    def in_step(self):
        """The next request is the next request, and nothing was left in between."""
        self.wire.send(END)
        reply = self.reply()
        assert (reply.status, reply.body) == (200, b"ok\n"), (reply.status, reply.body[:300])
        assert self.wire.closed() == b""

    def answered(self, pattern):
        """The first answer, which has this status. None: a proxy refused, and may do so."""
        reply = self.first()
        if self.case.may_be_refused and party_of(reply) == "proxy" and reply.status >= 400:
            assert not self.door.bare
            return None
        assert re.fullmatch(pattern, str(reply.status)), \
            f"{reply.status} instead of {pattern}: {reply.body[:300]}"
        return reply

    def started(self):
        return self.door.runs() - self.runs_before


def check_refuse_bare(attempt):
    reply = attempt.answered(attempt.case.statuses("400"))
    assert reply.headers["connection"] == "close"
    assert attempt.method == "HEAD" or json.loads(reply.body)["status"] == reply.status
    assert attempt.wire.closed() == b""
    assert attempt.started() == 0


def reluctant(attempt):
    """Who did what, and whether it was taken for something good."""
    try:
        reply = attempt.wire.reply(attempt.method, HESITATION)
    except Silent:
        return "proxy", "waits", False
    except Headless:
        return "proxy", "answers as HTTP/0.9", True
    if reply is None:
        return "proxy", "closes", False
    return party_of(reply), reply.status, reply.status < 400


def check_refuse_behind(attempt):
    """Whoever refuses. When nobody does, the proxy must have made good requests of it."""
    party, what, taken = reluctant(attempt)
    attempt.door.note(attempt.case, party, what)
    attempt.wire.socket.close()
    if not taken:
        assert attempt.started() == 0
        return
    for said in attempt.door.said():
        requests_of(said)


def check_refuse(attempt):
    (check_refuse_bare if attempt.door.bare else check_refuse_behind)(attempt)


def check_accept(attempt):
    count = int(attempt.case.value or 1)
    if attempt.answered("202") is None:
        assert attempt.started() == 0
        return
    for _ in range(count - 1):
        assert attempt.reply().status == 202
    attempt.in_step()
    assert attempt.started() == count


def check_one(attempt):
    if attempt.answered(attempt.case.statuses("200")) is not None:
        attempt.in_step()
    assert attempt.started() == 0


def check_last(attempt):
    reply = attempt.answered(attempt.case.statuses("200"))
    if attempt.door.bare:
        assert reply.headers["connection"] == "close"
        assert attempt.wire.closed() == b""
    assert attempt.started() == 0


def check_two(attempt):
    if attempt.answered(attempt.case.statuses("200")) is None:
        return
    second = attempt.reply()
    assert second.status == (200 if attempt.door.bare else 403), second.body[:300]
    attempt.in_step()


def check_denied(attempt):
    reply = attempt.first()
    assert reply.status == (200 if attempt.door.bare else 403), reply.body[:300]
    if not attempt.door.bare:
        assert not any(b"metric" in said for said in attempt.door.said())


CHECKS = {"refuse": check_refuse, "accept": check_accept, "one": check_one,
          "last": check_last, "two": check_two, "denied": check_denied}


def check_next_client(door):
    """Nothing of the case was left for whoever comes next."""
    for _ in range(2):
        with Wire(door.address) as wire:
            wire.send(END)
            reply = wire.reply("GET")
            assert reply is not None and (reply.status, reply.body) == (200, b"ok\n")


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_hostile_request(door, case):
    if not door.bare:
        door.said()
    attempt = Attempt(door, case)
    with attempt.wire:
        CHECKS[case.kind](attempt)
    check_next_client(door)
    if case.kind == "two":
        return
    assert f'{case.trap(door.how)}"' not in door.log(), "the hidden request ran"


def test_no_hidden_request_ran(door):
    """Once more when all is answered, over the whole log of this way."""
    with Wire(door.address) as wire:
        wire.send(END.replace(b"Id: end", b"Id: last-" + door.how.encode()))
        assert wire.reply("GET").status == 200
    wait_for("the last is logged", lambda: f'"last-{door.how}"' in door.log())
    door.log_at = 0
    ran = set(re.findall(rf'"trap-{door.how}-([a-z0-9-]+)"', door.log()))
    may = {case.name for case in CASES if case.kind == "two"} if door.bare else set()
    assert ran <= may


# ---- the files of deploy/ ----


class Backend:
    """A server that speaks WebSocket in /ws and tells what it was asked, in a thread."""

    def __init__(self):
        self.ready, self.loop = True, asyncio.new_event_loop()
        self.address = None
        started = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(20)

    def run(self, started):
        async def begin():
            app = aiohttp.web.Application()
            app.router.add_get("/ws", self.on_ws)
            app.router.add_get("/readyz", self.on_readyz)
            app.router.add_get("/{rest:.*}", self.on_any)
            runner = aiohttp.web.AppRunner(app)
            await runner.setup()
            site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.address = site._server.sockets[0].getsockname()
            started.set()

        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(begin())
        self.loop.run_forever()

    async def on_ws(self, request):
        socket = aiohttp.web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"{request.headers['X-Forwarded-For']} {message.data}")
        return socket

    async def on_readyz(self, _):
        return aiohttp.web.Response(status=200 if self.ready else 503)

    async def on_any(self, request):
        return aiohttp.web.json_response([[n.lower(), v] for n, v in request.headers.items()])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)


@pytest.fixture(params=PROXIES)
def before_backend(request):
    with Backend() as backend, PROXIES[request.param](backend.address) as proxy:
        yield proxy, backend


def test_the_deployed_files_pass_websockets(before_backend):
    async def talk(url):
        async with aiohttp.ClientSession() as session, session.ws_connect(
                url + "/ws", headers={"X-Forwarded-For": "1.2.3.4"}) as socket:
            await socket.send_str("hello")
            return await asyncio.wait_for(socket.receive_str(), 20)

    assert asyncio.run(talk(before_backend[0].url)) == "127.0.0.1 hello"


def test_the_deployed_files_tell_who_asks(before_backend):
    """Not what a client says about itself; and they ask for no other protocol."""
    answer = ask(before_backend[0].url, "GET", "/x", headers={
        "X-Forwarded-For": "1.2.3.4", "Forwarded": "for=1.2.3.4", "Upgrade": "h2c",
        "X-Forwarded-Proto": "https", "Connection": "Upgrade, HTTP2-Settings",
        "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA"})
    headers = answer.json
    assert [v for n, v in headers if n == "x-forwarded-for"] == ["127.0.0.1"]
    assert [v for n, v in headers if n == "x-forwarded-proto"] == ["http"]
    assert not {"forwarded", "upgrade", "http2-settings"} & {n for n, _ in headers}


def test_haproxy_leaves_alone_who_is_not_ready():
    with Backend() as backend, HAProxy(backend.address) as proxy:
        backend.ready = False
        wait_for("it is taken out", lambda: ask(proxy.url, "GET", "/x").status == 503)
        backend.ready = True
        wait_for("it is taken back", lambda: ask(proxy.url, "GET", "/x").status == 200)


# ---- bodies cost little time ----


def serving_pid(server):
    """The only child, where there is one: of a supervisor without workers, of nginx."""
    pid = server.process.pid
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) <= 1, children
    return int(children[0]) if children else pid


def cpu_ms(pid):
    """Of this process and nobody else, however busy the machine is."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def cost_ms(front, raw, times=3):
    """CPU time that one request takes the front, the least of a few."""
    def once():
        before = cpu_ms(serving_pid(front))
        with Wire(address_of(front.url)) as wire:
            wire.send(raw)
            wire.send(END)
            while wire.reply("POST") is not None:
                pass
        return cpu_ms(serving_pid(front)) - before
    return min(once() for _ in range(times))


# By how much a build with sanitizers may be slower.
SANITIZED = 20 if "/debug/" in f"{BIN}/" else 1


def keys(count):
    body = json.dumps({"input": {str(i): i for i in range(count)}}).encode()
    head = b"POST /api/workflows/bait/execute HTTP/1.1\r\nHost: localhost\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_bad_bodies_cost_little(front):
    costs = {case.name: cost_ms(front, case.bytes("bare")) for case in CASES
             if case.name.startswith(("json-", "body-")) and case.kind != "accept"}
    dearest = max(costs, key=costs.get)
    print(f"dearest: {dearest} {costs[dearest]:.1f} ms")
    assert costs[dearest] <= 50 * SANITIZED


def test_large_bodies_cost_what_they_must(front):
    """They are good, and taken: four times the members are not sixteen times the work."""
    some, many = cost_ms(front, keys(50000), 1), cost_ms(front, keys(200000), 1)
    print(f"50,000 keys: {some:.1f} ms, 200,000: {many:.1f} ms")
    assert many <= 1000 * SANITIZED and many <= 12 * some


# ---- descriptors run out ----


def knock(address, stop, counts):
    """Comes again and again, and is sent away."""
    while not stop.is_set():
        try:
            with Wire(address, 5) as wire:
                wire.send(END)
                reply = wire.reply("GET", 5)
                counts.append(reply.status if reply else None)
        except (OSError, Silent):
            counts.append(None)
        stop.wait(0.01)


def test_descriptors_run_out(shared):
    """256 of them, 400 clients that hold on with half a head, and others that knock: no
    spinning, few words, and all is well as soon as they are gone."""
    with shared.supervisor(pool_workers=0, http_header_timeout="60s") as front:
        pid, address = serving_pid(front), address_of(front.url)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (256, 256))
        clients = [Wire(address) for _ in range(400)]
        for client in clients:
            client.send(b"GET /healthz HTTP/1.1\r\nHost: loc")
        wait_for("it noticed", lambda: "listener.starved" in front.log())
        stop, counts = threading.Event(), []
        thread = threading.Thread(target=knock, args=(address, stop, counts))
        thread.start()
        lines, cpu, begun = front.log().count("\n"), cpu_ms(pid), time.monotonic()
        wait_for("many have knocked", lambda: len(counts) >= 20)
        wait_for("a while is over", lambda: time.monotonic() - begun >= 3)
        took = time.monotonic() - begun
        share = (cpu_ms(pid) - cpu) / 1000 / took
        rate = (front.log().count("\n") - lines) / took
        stop.set()
        thread.join()
        for client in clients:
            client.socket.close()
        begun = time.monotonic()
        wait_for("it serves again", front.answers, every=0.01)
        recovered = time.monotonic() - begun
        print(f"CPU {share:.1%}, {rate:.1f} log lines/s, {len(counts)} knocked: "
              f"{sorted(set(map(str, counts)))}, served again after {recovered * 1000:.0f} ms")
        assert share <= 0.2 and rate <= 10
        assert recovered <= 5  # one, on a machine that does nothing else
        assert set(counts) <= {503, None} and 503 in counts
        assert front.ask("GET", "/readyz").status == 200


# ---- a thousand slow clients ----


class Probe:
    """Asks for health and readiness all along."""

    def __init__(self, url):
        self.url, self.took, self.wrong = url, [], []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.stop.wait(0.05):
            for path in ("/healthz", "/readyz"):
                begun = time.monotonic()
                try:
                    status = ask(self.url, "GET", path, timeout=20).status
                except OSError as error:
                    status = repr(error)
                self.took.append(time.monotonic() - begun)
                if status != 200:
                    self.wrong.append((path, status))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def summary(self):
        took = sorted(self.took)
        return (f"{len(took)} probes, {len(self.wrong)} wrong, p50 "
                f"{took[len(took) // 2] * 1000:.1f} ms, p99 "
                f"{took[len(took) * 99 // 100] * 1000:.1f} ms, max {took[-1] * 1000:.1f} ms")


# A head, a body and an answer that take forever.
MODES = {
    "headers": ["-H", "-i", "1", "-x", "24"],
    "body": ["-B", "-i", "1", "-s", "8192", "-x", "10"],
    "read": ["-X", "-n", "1", "-w", "512", "-y", "1024", "-z", "32", "-k", "1"],
}
PATHS = {"headers": "/healthz", "body": "/api/workflows/validate", "read": "/api/workflows/wide"}


class Siege:
    """slowhttptest with a thousand connections, seen from the side of who serves."""

    def __init__(self, server, mode):
        self.fds = f"/proc/{serving_pid(server)}/fd"
        self.before = len(os.listdir(self.fds))
        self.peak, self.lasted = 0, None
        self.process = subprocess.Popen(
            ["slowhttptest", "-c", "1000", "-r", "1000", "-l", "240", "-p", "10", *MODES[mode],
             "-u", server.url + PATHS[mode]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def open(self):
        count = len(os.listdir(self.fds)) - self.before
        self.peak = max(self.peak, count)
        return count

    def wait(self, over, seconds):
        """Until most were there at once, and then until it is over."""
        begun = time.monotonic()
        wait_for("most are there", lambda: self.open() >= 900, every=0.01)
        wait_for("it is over", lambda: over(self.open(), time.monotonic() - begun), seconds,
                 every=0.05)
        self.lasted = time.monotonic() - begun

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def all_gone(count, _):
    return count <= 10


def besiege(server, mode, seconds, over=all_gone):
    """All the time who asks is told that all is well."""
    with Probe(server.url) as probe, Siege(server, mode) as siege:
        siege.wait(over, seconds)
    print(f"{mode}: {siege.peak} connections, over after {siege.lasted:.1f} s, "
          f"{probe.summary()}")
    assert not probe.wrong, probe.wrong[:10]


@pytest.fixture
def wide(shared):
    """A workflow that is long to read."""
    shared.workflow(flow("wide", *(noop(f"step-{i}", name="x" * 100) for i in range(60))))


# How long heads and bodies may take; the rest has no setting.
SHORT = {"http_header_timeout": "3s", "http_request_timeout": "5s"}


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("mode", ["headers", "body"])
def test_a_thousand_slow_clients(shared, mode):
    with shared.supervisor(pool_workers=0, **SHORT) as front:
        besiege(front, mode, seconds=30)


@pytest.mark.usefixtures("wide")
def test_a_thousand_slow_readers(shared):
    with shared.supervisor(pool_workers=0) as front:
        besiege(front, "read", seconds=60)


@pytest.mark.long
@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("mode", MODES)
def test_a_thousand_slow_clients_as_it_is_deployed(shared, mode):
    with shared.supervisor(pool_workers=0) as front:
        besiege(front, mode, seconds=60)


@pytest.mark.long
@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("mode", MODES)
def test_a_thousand_slow_clients_of_a_proxy(shared, mode, proxy):
    """How long the proxy bears them is its own business; others are served all along."""
    with shared.supervisor(pool_workers=0) as front, \
            PROXIES[proxy](address_of(front.url)) as before:
        besiege(before, mode, seconds=60, over=lambda _, lasted: lasted >= 20)
