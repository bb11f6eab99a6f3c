"""The WebSocket as a protocol (RFC 6455, RFC 7692): handshakes, frames, fragments, masks, text,
closes, limits and compression, with a client that can do everything wrong. Whoever breaks the
protocol loses its own connection, with the right code, and nobody else's. (D6, D7)"""
import json
import re
import threading

import pytest
from harness.raw_ws import (BINARY, CLOSE, CONTINUATION, DEFLATE, PING, PONG, TEXT, RawWs,
                            close_payload, fast_frame, frame, pack)
from harness.stepmill import wait_for

MIB = 1024 * 1024
PING_MESSAGE = b'{"type":"ping","id":1}'


def padded(length):
    """A ping message of exactly this many bytes."""
    head, tail = b'{"type":"ping","id":1,"x":"', b'"}'
    return head + b"x" * (length - len(head) - len(tail)) + tail


@pytest.fixture
def ws(stepmill):
    with RawWs(stepmill.url) as ws:
        yield ws


@pytest.fixture
def packed(stepmill):
    """One that has agreed on permessage-deflate."""
    with RawWs(stepmill.url, headers=[("Sec-WebSocket-Extensions", DEFLATE)]) as ws:
        assert ws.headers["sec-websocket-extensions"] == DEFLATE
        yield ws


def works(ws):
    assert ws.ask({"type": "ping", "id": 7}) == {"type": "pong", "id": 7}


def closes(ws, code, reset_allowed=False):
    assert ws.closing()[0] == code
    assert not ws.ended() or reset_allowed


# ---- the handshake ----

def host(stepmill):
    return stepmill.url.removeprefix("http://")


def good_fields(stepmill, **changes):
    fields = {"Host": host(stepmill), "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    for name, value in changes.items():
        name = name.replace("_", "-")
        fields.pop(name, None)
        if value is not None:
            fields[name] = value
    return fields


@pytest.mark.parametrize("changes, status", [
    ({"Upgrade": None}, 426), ({"Upgrade": "h2c"}, 426), ({"Connection": "close"}, 426),
    ({"Sec_WebSocket_Version": "8"}, 426), ({"Sec_WebSocket_Version": None}, 426),
    ({"Sec_WebSocket_Key": None}, 400), ({"Sec_WebSocket_Key": "short"}, 400),
    ({"Content-Length": "3"}, 413), ({"Host": None}, 400),
    ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403)])
def test_handshakes_that_are_refused(stepmill, changes, status):
    with RawWs(stepmill.url, own=good_fields(stepmill, **changes), upgrade=False) as ws:
        assert ws.status == status
        if status == 426:
            assert ws.headers["sec-websocket-version"] == "13"
            assert ws.headers["upgrade"] == "websocket"


@pytest.mark.parametrize("method, version, status", [
    ("POST", "HTTP/1.1", 405), ("HEAD", "HTTP/1.1", 426), ("GET", "HTTP/1.0", 400)])
def test_only_get_and_http_1_1(stepmill, method, version, status):
    with RawWs(stepmill.url, own=good_fields(stepmill), method=method, version=version,
               upgrade=False) as ws:
        assert ws.status == status


def test_the_accept_of_the_rfc(stepmill):
    with RawWs(stepmill.url, own=good_fields(stepmill), upgrade=False) as ws:
        assert ws.status == 101
        assert ws.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert ws.headers["connection"] == "Upgrade"
        assert "content-length" not in ws.headers and "transfer-encoding" not in ws.headers
        works(ws)


def test_subprotocol_and_own_origin(stepmill):
    with RawWs(stepmill.url, headers=[("Sec-WebSocket-Protocol", "other, stepmill.v1"),
                                      ("Origin", stepmill.url)]) as ws:
        assert ws.headers["sec-websocket-protocol"] == "stepmill.v1"
        works(ws)
    with RawWs(stepmill.url, headers=[("Sec-WebSocket-Protocol", "other")]) as ws:
        assert "sec-websocket-protocol" not in ws.headers
        works(ws)


@pytest.mark.parametrize("offer", ["permessage-deflate; server_max_window_bits=10", "foo",
                                   "permessage-deflate; nonsense", ""])
def test_compression_that_is_not_agreed_on(stepmill, offer):
    with RawWs(stepmill.url, headers=[("Sec-WebSocket-Extensions", offer)]) as ws:
        assert "sec-websocket-extensions" not in ws.headers
        works(ws)


def test_a_bad_name_of_a_client(stepmill):
    for name in ("a/b", "", "x" * 65, "a%20b"):
        with RawWs(stepmill.url, path=f"/ws?client={name}", upgrade=False) as ws:
            assert ws.status == 400


def test_frames_may_come_with_the_handshake(stepmill):
    with RawWs(stepmill.url, more=frame(PING_MESSAGE) + frame(b"", PING)) as ws:
        came = sorted((ws.frame()[2:] for _ in range(2)))
        assert [opcode for opcode, _ in came] == [TEXT, PONG]
        assert json.loads(came[0][1]) == {"type": "pong", "id": 1}


# ---- frames that break the protocol ----

BROKEN = {
    "unmasked": [frame(PING_MESSAGE, mask=None)],
    "reserved bit 1 without an extension": [frame(PING_MESSAGE, reserved=4)],
    "reserved bit 2": [frame(PING_MESSAGE, reserved=2)],
    "reserved bit 3": [frame(PING_MESSAGE, reserved=1)],
    "an opcode for later": [frame(PING_MESSAGE, opcode=3)],
    "an opcode of control for later": [frame(b"", opcode=11)],
    "a fragmented ping": [frame(b"a", PING, fin=False)],
    "a fragmented close": [frame(close_payload(1000), CLOSE, fin=False)],
    "a ping of 126 bytes": [frame(b"x" * 126, PING)],
    "a length that could be shorter": [frame(PING_MESSAGE, wide=16)],
    "a length that could be much shorter": [frame(PING_MESSAGE, wide=64)],
    "a length with the highest bit": [frame(PING_MESSAGE, length=1 << 63, wide=64)],
    "a continuation of nothing": [frame(b"x", CONTINUATION)],
    "a second beginning": [frame(b"{", fin=False), frame(b"}")],
    "a continuation after the end": [frame(PING_MESSAGE), frame(b"x", CONTINUATION)],
    "a close of one byte": [frame(b"x", CLOSE)],
    **{f"close code {code}": [frame(close_payload(code), CLOSE)]
       for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535)},
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_protocol_closes_with_1002(ws, what):
    ws.send(*BROKEN[what])
    closes(ws, 1002, reset_allowed=True)


def test_binary_closes_with_1003(ws):
    ws.send(frame(b"\x00", BINARY))
    closes(ws, 1003)


def test_a_fault_harms_nobody_else(stepmill, ws):
    with RawWs(stepmill.url) as bad:
        bad.send(frame(b"", opcode=7))
        closes(bad, 1002)
    works(ws)


# ---- text ----

@pytest.mark.parametrize("parts", [
    [b"\xff"], [b'{"a":"\xc3\x28"}'], [b"\xed\xa0\x80"], [b"\xc0\xaf"], [b"\xf4\x90\x80\x80"],
    [b'{"a":"\xe2\x82', b'"}'], [b'{"a":"\xf0\x9f', b'\x98"}'], [b"abc\xc3"],
    [b'{"a":"\xe2', b"", b'\x28\xa1"}']])
def test_text_that_is_no_utf_8_closes_with_1007(ws, parts):
    for i, part in enumerate(parts):
        ws.send(frame(part, CONTINUATION if i else TEXT, fin=i == len(parts) - 1))
    closes(ws, 1007)


def test_text_may_be_cut_anywhere(ws):
    """Each byte a fragment, with pings and pongs in between."""
    text = json.dumps({"type": "ping", "id": "Grüße, 世界 😀"}, ensure_ascii=False).encode()
    for i in range(len(text)):
        ws.send(frame(text[i:i + 1], CONTINUATION if i else TEXT, fin=False),
                frame(b"%d" % i, PING), frame(b"unasked", PONG))
        assert ws.frame() == (True, 0, PONG, b"%d" % i)
    ws.send(frame(b"", CONTINUATION))
    assert ws.next() == {"type": "pong", "id": "Grüße, 世界 😀"}


def test_an_empty_message_is_answered(ws):
    ws.send(frame(b""), frame(b"", fin=False), frame(b"", CONTINUATION))
    for _ in range(2):
        assert ws.next()["code"] == "invalid_message"
    works(ws)


# ---- control ----

def test_pings_are_answered_with_their_payload(ws):
    for payload in (b"", b"x", b"\x00\xff" * 62 + b"."):
        ws.send(frame(payload, PING))
        assert ws.frame() == (True, 0, PONG, payload)
    works(ws)


def test_many_pings(ws):
    """Faster than they can be answered, by one who reads the answers late."""
    sender = threading.Thread(target=ws.send, args=[frame(b"x", PING) * 100_000])
    sender.start()
    for _ in range(100_000):
        assert ws.take(3) == b"\x8a\x01x"
    sender.join(30)
    works(ws)


@pytest.mark.parametrize("payload, code", [
    (b"", None), (close_payload(1000, b"bye"), 1000), (close_payload(1001), 1001),
    (close_payload(1011), 1011), (close_payload(3000), 3000),
    (close_payload(4999, "tschüß".encode()), 4999)])
def test_a_close_is_answered_and_the_connection_ends(ws, payload, code):
    ws.send(frame(payload, CLOSE))
    assert ws.closing()[0] == code
    assert not ws.ended()


def test_the_reason_of_a_close_is_text(ws):
    ws.send(frame(close_payload(1000, b"\xff"), CLOSE))
    closes(ws, 1007)


def test_nothing_is_heard_after_a_close(ws):
    ws.send(frame(close_payload(1000), CLOSE), frame(PING_MESSAGE), frame(b"", PING))
    fin, reserved, opcode, payload = ws.frame()
    assert (opcode, payload[:2]) == (CLOSE, close_payload(1000))
    ws.ended()


def test_who_just_goes_is_forgotten(stepmill):
    def clients():
        metrics = stepmill.get("/metrics").decode()
        return int(re.search(r"stepmill_front_websocket_clients (\d+)", metrics)[1])

    before = clients()
    gone = [RawWs(stepmill.url) for _ in range(20)]
    for i, ws in enumerate(gone):
        works(ws)
        if i % 2:
            ws.send(frame(b"{", fin=False))
    assert clients() == before + 20
    for ws in gone:
        ws.close()
    wait_for("all are forgotten", lambda: clients() == before)


# ---- sizes ----

def test_a_message_of_one_mebibyte(ws):
    ws.send(fast_frame(padded(MIB)))
    assert ws.next() == {"type": "pong", "id": 1}
    text = padded(MIB)
    ws.send(*(frame(text[i:i + 100_000], CONTINUATION if i else TEXT,
                    fin=i + 100_000 >= MIB, mask=b"\0\0\0\0")
              for i in range(0, MIB, 100_000)))
    assert ws.next() == {"type": "pong", "id": 1}


@pytest.mark.parametrize("declared", [MIB + 1, 1 << 40, (1 << 63) - 1])
def test_a_larger_one_closes_with_1009(ws, declared):
    ws.send(frame(b"{", length=declared))
    closes(ws, 1009, reset_allowed=True)


def test_a_larger_one_that_is_really_sent(ws):
    """The close is read although more was on its way: closing does not become a reset."""
    ws.send(fast_frame(padded(MIB + 1)))
    closes(ws, 1009)


def test_a_larger_one_in_fragments(ws):
    ws.send(frame(b"x" * 60_000, fin=False, mask=b"\0\0\0\0"),
            *[frame(b"x" * 60_000, CONTINUATION, fin=False, mask=b"\0\0\0\0")] * 17)
    closes(ws, 1009, reset_allowed=True)


def test_many_empty_fragments(ws):
    ws.send(frame(b"", fin=False), frame(b"", CONTINUATION, fin=False) * 200_000,
            frame(PING_MESSAGE, CONTINUATION))
    assert ws.next() == {"type": "pong", "id": 1}


def test_many_fragments_of_one_byte(stepmill, ws):
    """What is kept of them is what they hold."""
    text = padded(200_000)
    ws.send(b"".join(frame(text[i:i + 1], CONTINUATION if i else TEXT, fin=i == len(text) - 1)
                     for i in range(len(text))))
    assert ws.next() == {"type": "pong", "id": 1}


# ---- compression ----

def test_compressed_messages(packed):
    packed.send(frame(pack(PING_MESSAGE), reserved=4))
    assert packed.next() == {"type": "pong", "id": 1}
    works(packed)  # each message may be compressed or not


def test_compressed_and_fragmented(packed):
    data = pack(padded(5000))
    cut = len(data) // 2
    packed.send(frame(data[:cut], reserved=4, fin=False), frame(b"p", PING),
                frame(data[cut:], CONTINUATION))
    assert packed.frame()[2] == PONG
    assert packed.next() == {"type": "pong", "id": 1}


def test_long_answers_are_compressed(stepmill, packed):
    for _ in range(5):
        stepmill.define({"id": "a", "action": "noop"})
    packed.say({"type": "workflow.list", "id": 1})
    fin, reserved, opcode, payload = packed.frame()
    assert (fin, reserved, opcode) == (True, 4, TEXT)
    packed.buffer = b"\xc1" + bytes([126]) + len(payload).to_bytes(2, "big") + payload
    assert packed.next()["type"] == "workflow.list.result"


@pytest.mark.parametrize("frames, code", [
    ([frame(b"\xff\xff\xff", reserved=4)], 1007),
    ([frame(pack(b"\xff\xfe"), reserved=4)], 1007),
    ([frame(pack(PING_MESSAGE)[:5], reserved=4, fin=False),
      frame(pack(PING_MESSAGE)[5:], CONTINUATION, reserved=4)], 1002),
    ([frame(b"", PING, reserved=4)], 1002),
    ([frame(pack(padded(MIB + 1)), reserved=4)], 1009),
    ([frame(pack(b" " * 100 * MIB), reserved=4)], 1009)])
def test_bad_compression(packed, frames, code):
    packed.send(*frames)
    closes(packed, code, reset_allowed=True)


def test_a_compressed_message_of_one_mebibyte(packed):
    packed.send(frame(pack(padded(MIB)), reserved=4))
    assert packed.next() == {"type": "pong", "id": 1}


def test_who_pings_and_reads_no_pong_is_not_read_any_more(stepmill):
    """Each ping makes a pong, which would lie in the server's memory."""
    with RawWs(stepmill.url, receive_buffer=4096) as ws:
        pings = frame(b"x" * 125, PING) * 1000
        ws.socket.settimeout(3)
        with pytest.raises(TimeoutError):
            for _ in range(500):  # 65 MB
                ws.socket.sendall(pings)
        ws.socket.settimeout(30)
        for _ in range(4000):  # what was held goes on once it is read
            assert ws.frame()[2] == PONG
