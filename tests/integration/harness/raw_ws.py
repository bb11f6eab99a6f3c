"""A WebSocket client that can do everything wrong: frames are made byte by byte, nothing is
checked on the way out, and what comes is given as it came."""
import base64
import hashlib
import json
import os
import socket
import struct
import time
import urllib.parse
import zlib

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
# Hears what servers say (harness/messages.py), or None.
watch = None
DEFLATE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def frame(payload=b"", opcode=TEXT, fin=True, reserved=0, mask=b"\x12\x34\x56\x78", length=None,
          wide=None):
    """mask None: unmasked. length: what is declared, whatever is there; wide: 16 or 64, whatever
    would do."""
    if isinstance(payload, str):
        payload = payload.encode()
    declared = len(payload) if length is None else length
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    bit = 0x80 if mask is not None else 0
    if wide == 64 or (wide is None and declared > 65535):
        head = struct.pack("!BBQ", first, bit | 127, declared)
    elif wide == 16 or (wide is None and declared > 125):
        head = struct.pack("!BBH", first, bit | 126, declared)
    else:
        head = struct.pack("!BB", first, bit | declared)
    if mask is None:
        return head + payload
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def fast_frame(payload, opcode=TEXT, **more):
    """For large payloads: masked with zeros."""
    head = frame(b"", opcode, length=len(payload), mask=b"\0\0\0\0", **more)
    return head + payload


def close_payload(code, reason=b""):
    return struct.pack("!H", code) + reason


def pack(text):
    compress = zlib.compressobj(wbits=-15)
    data = compress.compress(text) + compress.flush(zlib.Z_SYNC_FLUSH)
    return data[:-4]


class Ended(Exception):
    """The connection is over; `reset` says how."""

    def __init__(self, reset):
        super().__init__("reset" if reset else "end of file")
        self.reset = reset


class RawWs:
    def __init__(self, url, path="/ws?client=raw", headers=(), timeout=30, receive_buffer=None, upgrade=True,
                 more=b"", method="GET", version="HTTP/1.1", own=None):
        """own: these headers instead of those that a handshake has."""
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.timeout = timeout
        self.socket.connect((parts.hostname, parts.port))
        self.key = base64.b64encode(os.urandom(16)).decode()
        fields = own if own is not None else {
            "Host": parts.netloc, "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": self.key, "Sec-WebSocket-Version": "13"}
        lines = [f"{method} {path} {version}", *(f"{k}: {v}" for k, v in fields.items()),
                 *(f"{k}: {v}" for k, v in headers)]
        self.buffer, self.kept = b"", []
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + more)
        self.status, self.headers = self.read_head()
        if upgrade:
            assert self.status == 101, (self.status, self.headers, self.buffer)
            accept = base64.b64encode(hashlib.sha1((self.key + GUID).encode()).digest())
            assert self.headers["sec-websocket-accept"] == accept.decode()

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), {k.lower(): v for k, v in fields.items()}

    def more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError as error:
            raise Ended(True) from error
        if not data:
            raise Ended(False)
        self.buffer += data

    def take(self, count):
        while len(self.buffer) < count:
            self.more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def frame(self):
        """(fin, reserved, opcode, payload) of the next frame; the server's are unmasked."""
        first, second = self.take(2)
        assert second & 0x80 == 0, "the server masks"
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack("!H", self.take(2))
        elif length == 127:
            length, = struct.unpack("!Q", self.take(8))
        return bool(first & 0x80), first >> 4 & 7, first & 15, self.take(length)

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def say(self, message):
        self.send(fast_frame(json.dumps(message).encode()))

    def next(self):
        """The next message: first what came before an answer."""
        return self.kept.pop(0) if self.kept else self.receive()

    def receive(self):
        """The next message as JSON; pings are answered, and are not what is waited for."""
        until = time.monotonic() + self.timeout
        while True:
            assert time.monotonic() < until, "no message came"
            fin, reserved, opcode, payload = self.frame()
            if opcode == PING:
                self.send(frame(payload, PONG))
            elif opcode == TEXT:
                assert fin
                if reserved:
                    assert reserved == 4
                    payload = zlib.decompressobj(wbits=-15).decompress(
                        payload + b"\0\0\xff\xff")
                message = json.loads(payload)
                if watch is not None:
                    watch.hear(message)
                return message
            elif opcode == CLOSE:
                self.closed = payload
                raise Closed(payload)

    def until(self, type_):
        while (message := self.next())["type"] != type_:
            pass
        return message

    def ask(self, message):
        """The answer to a message with this id; what comes before it is kept for next."""
        self.say(message)
        while (answer := self.receive()).get("id") != message["id"]:
            self.kept.append(answer)
        return answer

    def closing(self):
        """Code and reason of the server's close; what comes before it is left out."""
        while True:
            try:
                fin, reserved, opcode, payload = self.frame()
            except Ended as ended:
                raise AssertionError(f"no close: {ended}") from ended
            if opcode == CLOSE:
                assert fin and not reserved
                if not payload:
                    return None, ""
                return struct.unpack("!H", payload[:2])[0], payload[2:].decode()

    def ended(self):
        """Waits for the end of the connection; whether it was a reset."""
        while True:
            try:
                self.take(len(self.buffer) + 1)
            except Ended as ended:
                return ended.reset

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Closed(Exception):
    def __init__(self, payload):
        self.code = struct.unpack("!H", payload[:2])[0] if payload else None
        self.reason = payload[2:].decode()
        super().__init__(f"{self.code} {self.reason}")
