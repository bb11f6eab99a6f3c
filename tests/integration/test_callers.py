"""Who stands behind a request: what a trusted proxy says, in headers or by the PROXY protocol,
and nobody else; and how often they may ask. HAProxy and nginx are real, with the files of
deploy/."""
import json
import socket
import struct

import pytest

from harness.proxies import PROXIES, HAProxy, address_of, is_ready, supervisor
from harness.raw_http import Silent, Wire
from harness.raw_ws import RawWs
from harness.stepmill import ask, wait_for

SIGN = b"\r\n\r\n\0\r\nQUIT\n"


# ---- who asks ----


@pytest.fixture(scope="module")
def front(shared):
    """Says in its log who asked; a proxy is on 127.0.0.1 only."""
    with supervisor(shared, log_level="debug", http_trusted_proxies="127.0.0.1,10.0.0.0/8") as front:
        yield front


def logged(front, name):
    """The address that stands in the log for a request."""
    def line():
        return next((json.loads(line) for line in front.log().splitlines()
                     if '"request.answered"' in line and f'"{name}"' in line), None)
    return wait_for("it is logged", line)["address"]


def ask_from(source, address, name, headers="", before=b""):
    """One request of one of this machine's many loopback addresses; the status."""
    with socket.create_connection(address, 20, (source, 0)) as client:
        client.sendall(before + (f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {name}\r\n"
                                 f"Connection: close\r\n{headers}\r\n").encode())
        answer = b""
        try:
            while more := client.recv(65536):
                answer += more
        except ConnectionResetError:
            pass
    return int(answer.split()[1]) if answer else None


@pytest.mark.parametrize("source, headers, address", [
    ("127.0.0.1", "", "127.0.0.1"),
    ("127.0.0.1", "X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"),
    ("127.0.0.1", "X-Forwarded-For: 1.2.3.4, 203.0.113.9, 10.1.2.3\r\n", "203.0.113.9"),
    ("127.0.0.1", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 2001:db8::9\r\n", "2001:db8::9"),
    ("127.0.0.1", "X-Forwarded-For: nobody\r\n", "127.0.0.1"),
    ("127.0.0.1", "X-Real-IP: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n", "127.0.0.1"),
    ("127.0.0.7", "X-Forwarded-For: 203.0.113.9\r\n", "127.0.0.7"),
])
def test_only_a_trusted_proxy_is_believed(front, request, source, headers, address):
    name = f"who-{abs(hash(request.node.name))}"
    assert ask_from(source, address_of(front.url), name, headers) == 200
    assert logged(front, name) == address


@pytest.mark.parametrize("proxy", PROXIES)
def test_the_proxies_tell_who_asks(front, proxy):
    """And not what the client says about itself."""
    with PROXIES[proxy](address_of(front.url)) as door:
        assert ask_from("127.0.0.5", door.address, f"through-{proxy}",
                        "X-Forwarded-For: 1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\n") == 200
    assert logged(front, f"through-{proxy}") == "127.0.0.5"


@pytest.mark.parametrize("proxy", PROXIES)
def test_the_proxies_log_no_key_of_a_url(front, proxy):
    with PROXIES[proxy](address_of(front.url)) as door:
        with RawWs(door.url, path="/ws?access_token=very-secret-key", upgrade=False) as ws:
            assert ws.status == 401
        wait_for("it is logged", lambda: "GET /ws HTTP/1.1" in door.log().replace('"', ""))
        assert "very-secret-key" not in door.log()


def test_the_audit_log_keeps_the_client_s_address(shared, front, key):
    run = shared.begin({"id": "wait", "action": "wait", "for": "10m"})
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": "1.2.3.4, 203.0.113.9"}
    assert front.ask("POST", f"/api/executions/{run}/pause", headers=headers).status == 200
    assert shared.sql("select host(ip) from audit_log where what = 'execution.pause'"
                      " and target like %s", f"%{run}%") == [("203.0.113.9",)]
    shared.post(f"/api/executions/{run}/cancel")


@pytest.mark.parametrize("proxy", PROXIES)
def test_who_comes_through_a_proxy_is_not_on_this_machine(shared, proxy):
    """Where no key is needed on loopback, one is needed by them, whatever the name they use;
    also when nobody has said that there is a proxy."""
    for trusted in ("", "127.0.0.1"):
        with supervisor(shared, auth_required="false", http_trusted_proxies=trusted) as front, \
                PROXIES[proxy](address_of(front.url)) as door:
            for headers in ({}, {"Host": "localhost"}, {"X-Forwarded-For": "127.0.0.1"}):
                assert ask(door.url, "GET", "/api/workflows", headers=headers).status == 401
            direct = front.ask("GET", "/api/workflows").status
            assert direct == (401 if trusted else 200), "a proxy is nobody on this machine"


def test_requests_are_counted_by_the_client_s_address(shared, key):
    """Half of all connections are for one address, also behind a proxy, who may have all."""
    run = shared.begin({"id": "wait", "action": "wait", "for": "10m"})

    def poll(client):
        wire = Wire(address_of(front.url))
        wire.send(f"GET /api/executions/{run}/events?since=1000&wait=25s HTTP/1.1\r\nHost: a\r\n"
                  f"Authorization: Bearer {key}\r\nX-Forwarded-For: {client}\r\n\r\n".encode())
        return wire

    with supervisor(shared, http_trusted_proxies="127.0.0.1", http_connections_max=8) as front:
        wait_for("it is ready", lambda: is_ready(front))
        polls = [poll("203.0.113.9") for _ in range(4)]
        fifth = wait_for("one too many", lambda: crowded(poll("203.0.113.9")))
        assert fifth.headers["connection"] == "close" and fifth.headers["retry-after"] == "1"
        with poll("203.0.113.10") as other:
            shared.post(f"/api/executions/{run}/cancel")
            assert other.reply("GET").status == 200
        for wire in polls:
            assert wire.reply("GET").status == 200
            wire.socket.close()
        with poll("203.0.113.9") as again:
            assert again.reply("GET").status == 200


def crowded(wire):
    """The answer, if it is that there are too many."""
    with wire:
        try:
            reply = wire.reply("GET", 1)
        except Silent:  # it was let in: those before are not there yet
            return None
    return reply if reply.status == 429 else None


def test_a_websocket_is_its_client_s_for_as_long_as_it_lives(shared, key):
    """Counted by the address that the proxy named, and let in from pages of its scheme only."""
    def connect(client, origin=None, upgrade=True):
        headers = [("Authorization", f"Bearer {key}"), ("X-Forwarded-For", client),
                   ("X-Forwarded-Proto", "https")]
        return RawWs(front.url, headers=headers + ([("Origin", origin)] if origin else []),
                     upgrade=upgrade)

    with supervisor(shared, http_trusted_proxies="127.0.0.1", http_connections_max=8) as front:
        wait_for("it is ready", lambda: is_ready(front))
        host = front.url.removeprefix("http://")
        with connect("203.0.113.8", f"https://{host}") as ws:
            assert ws.ask({"type": "ping", "id": 1})["type"] == "pong"
        with connect("203.0.113.8", f"http://{host}", upgrade=False) as refused:
            assert refused.status == 403
        sockets = [connect("203.0.113.9") for _ in range(4)]
        with connect("203.0.113.9", upgrade=False) as fifth:
            assert fifth.status == 429
        with connect("203.0.113.10"):
            pass
        sockets.pop().socket.close()

        def let_in():
            with connect("203.0.113.9", upgrade=False) as again:
                return again.status == 101

        wait_for("there is room again", let_in)
        for ws in sockets:
            assert ws.ask({"type": "ping", "id": 1})["type"] == "pong"
            ws.socket.close()


# ---- the PROXY protocol ----

SPEAKER = "127.0.0.2"  # the proxy; the harness itself asks from 127.0.0.1


@pytest.fixture(scope="module")
def named(shared):
    with supervisor(shared, log_level="debug", http_trusted_proxies=SPEAKER,
                    http_proxy_protocol="on", http_header_timeout="1s") as front:
        yield front


def v2(command, family, payload):
    return SIGN + bytes([0x20 | command, family]) + struct.pack("!H", len(payload)) + payload


PORTS = struct.pack("!HH", 4711, 80)
V4 = socket.inet_aton("203.0.113.9") + socket.inet_aton("198.51.100.1") + PORTS
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::9") * 2 + PORTS
SPOKEN = {
    "v1": (b"PROXY TCP4 203.0.113.9 198.51.100.1 4711 80\r\n", "203.0.113.9"),
    "v1-6": (b"PROXY TCP6 2001:db8::9 2001:db8::1 4711 80\r\n", "2001:db8::9"),
    "v1-unknown": (b"PROXY UNKNOWN\r\n", SPEAKER),
    "v2": (v2(1, 0x11, V4), "203.0.113.9"),
    "v2-6": (v2(1, 0x21, V6), "2001:db8::9"),
    "v2-more": (v2(1, 0x11, V4 + b"\x04\0\x03abc"), "203.0.113.9"),
    "v2-local": (v2(0, 0, b""), SPEAKER),
}


@pytest.mark.parametrize("how", SPOKEN)
def test_the_proxy_protocol(named, how):
    header, address = SPOKEN[how]
    assert ask_from(SPEAKER, address_of(named.url), f"spoken-{how}",
                    "X-Forwarded-For: 1.2.3.4\r\n" if address != SPEAKER else "", header) == 200
    assert logged(named, f"spoken-{how}") == address


@pytest.mark.parametrize("how", ["v1", "v2-more"])
def test_a_proxy_header_in_single_bytes(named, how):
    data = SPOKEN[how][0] + (f"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: bytes-{how}\r\n"
                             "\r\n").encode()
    with socket.create_connection(address_of(named.url), 20, (SPEAKER, 0)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            client.sendall(bytes([byte]))
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert logged(named, f"bytes-{how}") == "203.0.113.9"


def test_the_proxy_protocol_is_required_of_proxies(named):
    """Who is one and does not speak it is cut off; who is none is not believed."""
    address = address_of(named.url)
    assert ask_from(SPEAKER, address, "no-header") is None
    assert "proxy.misunderstood" in named.log()
    for name in ("v1", "v2"):
        assert ask_from("127.0.0.3", address, "not-a-proxy", before=SPOKEN[name][0]) == 400
    assert ask_from("127.0.0.3", address, "plain") == 200
    assert logged(named, "plain") == "127.0.0.3"
    assert ask_from(SPEAKER, address, "cut", before=v2(1, 0x11, V4[:-1])) is None
    assert ask_from(SPEAKER, address, "long", before=SIGN + b"\x21\x11\xff\xff") is None
    with socket.create_connection(address, 20, (SPEAKER, 0)) as silent:
        silent.sendall(SIGN)
        assert silent.recv(1) == b"", "half a header does not wait for ever"


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
def test_haproxy_speaks_the_proxy_protocol(named, version):
    with HAProxy(address_of(named.url), more=f" {version} source {SPEAKER}") as door:
        assert ask_from("127.0.0.5", door.address, version) == 200
        assert logged(named, version) == "127.0.0.5"
        wait_for("its checks speak it, too", lambda: '"/readyz"' in named.log())


# ---- how often ----


def until_limited(ask_once):
    """Asks until it is too often: what came before, and that answer."""
    before = []
    for _ in range(200):
        answer = ask_once()
        if answer.status == 429:
            return before, answer
        before.append(answer.status)
    raise AssertionError("there is no limit")


def test_requests_are_limited_by_key_and_by_address(shared, key):
    other = shared.cli("keys", "create", "--name", "of-the-limits", "--role", "viewer", "--json",
                       "--database-url", shared.state["databaseUrl"])
    settings = {"http_rate_limit": 1, "http_rate_burst": 5, "http_trusted_proxies": "127.0.0.1"}
    with supervisor(shared, **settings) as front:
        wait_for("it is ready", lambda: is_ready(front))

        def look(key, client="203.0.113.9", path="/api/workflows"):
            return front.ask("GET", path, headers={
                "X-Forwarded-For": client, **({"Authorization": f"Bearer {key}"} if key else {})})

        before, limited = until_limited(lambda: look(key))
        assert len(before) >= 5 and set(before) == {200}
        assert limited.headers["Content-Type"] == "application/problem+json"
        assert limited.headers["Retry-After"] == "1" and limited.json["status"] == 429
        assert look(json.loads(other.stdout)["key"]).status == 200, "another key has its own"
        before, limited = until_limited(lambda: look(None))
        assert len(before) >= 5 and set(before) == {401}
        assert len(until_limited(lambda: look("nonsense"))[0]) < 5, "it is the address, too"
        assert look(None, "203.0.113.10").status == 401
        for path in ("/healthz", "/readyz", "/metrics"):
            assert {look(None, path=path).status for _ in range(20)} == {200}
        wait_for("there is room again", lambda: look(key).status == 200, 10, 0.2)


def test_messages_are_limited_like_requests(shared, key):
    """With the key's requests together; a message in vain harms nothing."""
    with supervisor(shared, http_rate_limit=1, http_rate_burst=5) as front:
        wait_for("it is ready", lambda: is_ready(front))
        with RawWs(front.url, headers=[("Authorization", f"Bearer {key}")]) as ws:
            told = [ws.ask({"type": "ping", "id": n}) for n in range(12)]
            limited = [answer for answer in told if answer["type"] == "error"]
            assert len(told) - len(limited) >= 5 and limited
            assert limited[0]["code"] == "rate_limited" and "again in 1 s" in limited[0]["message"]
            assert until_limited(lambda: front.ask("GET", "/api/workflows", headers={
                "Authorization": f"Bearer {key}"}))[0].count(200) < 5
            wait_for("there is room again", lambda: ws.ask(
                {"type": "ping", "id": 99})["type"] == "pong", 10, 0.2)
