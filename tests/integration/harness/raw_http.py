"""HTTP by hand: bytes written in tables, connections read as they come, and a strict reader
of what went over a wire, which knows nothing of stepmill's own parser."""

import re
import socket
import threading

CHARS = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


def unescape(text, words=None, at=0, inside=False):
    """Bytes of a line of tests/tables/http.txt or hostile_http.txt, where escapes are told;
    words are those that stand for something. Also where it ended."""
    out = b""
    while at < len(text):
        char = text[at]
        if inside and char == "}":
            return out, at + 1
        at += 1
        if char != "\\":
            out += char.encode()
            continue
        char = text[at]
        at += 1
        if char == "{":
            word = re.compile(r"([a-z]+)\}").match(text, at)
            if word:
                out += words[word[1]]
                at = word.end()
                continue
            star = text.index("*", at)
            once, end = unescape(text, words, star + 1, True)
            out += once * int(text[at:star])
            at = end
        elif char == "x":
            out += bytes([int(text[at:at + 2], 16)])
            at += 2
        else:
            out += CHARS[char]
    return out, at


# ---- what a server says ----


class Reply:
    def __init__(self, status, headers, body=b""):
        self.status, self.headers, self.body = status, headers, body


class Silent(Exception):
    """Nothing more came in time."""


class Headless(Exception):
    """An answer without a head, as HTTP/0.9 had them."""


class Wire:
    """One connection to (host, port), written and read by hand."""

    def __init__(self, address, timeout=10.0):
        self.socket = socket.create_connection(address, timeout)
        self.input = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False: the other side has closed before it was sent."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def more(self, seconds):
        """False at the end."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            return False
        except TimeoutError:
            raise Silent(self.input[:200]) from None
        self.input += data
        return data != b""

    def upto(self, count, seconds):
        while len(self.input) < count:
            if not self.more(seconds):
                break
        data, self.input = self.input[:count], self.input[count:]
        return data

    def until(self, end, seconds):
        while end not in self.input:
            if not self.more(seconds):
                raise EOFError
        data, self.input = self.input.split(end, 1)
        return data

    def chunks(self, seconds):
        body = b""
        while True:
            size = int(self.until(b"\r\n", seconds), 16)
            body += self.upto(size, seconds)
            assert self.upto(2, seconds) == b"\r\n"
            if size == 0:
                return body

    def body(self, reply, method, seconds):
        headers = reply.headers
        if method == "HEAD" or reply.status in (204, 304):
            return b""
        if headers.get("transfer-encoding") == "chunked":
            return self.chunks(seconds)
        if "content-length" in headers:
            return self.upto(int(headers["content-length"]), seconds)
        while self.more(seconds):
            pass
        data, self.input = self.input, b""
        return data

    def reply(self, method, seconds=10.0):
        """The next answer that is a last one; None when the connection is closed instead."""
        while True:
            try:
                lines = self.until(b"\r\n\r\n", seconds).decode("latin-1").split("\r\n")
            except EOFError:
                if self.input:
                    raise Headless(self.input[:200]) from None
                return None
            start = re.fullmatch(r"HTTP/1\.[01] (\d{3})( .*)?", lines[0])
            assert start, f"no answer: {lines[0]!r}"
            headers = dict(line.lower().split(": ", 1) for line in lines[1:])
            reply = Reply(int(start[1]), headers)
            if reply.status >= 200:
                reply.body = self.body(reply, method, seconds)
                return reply

    def closed(self, seconds=10.0):
        """Everything until the other side closes, which is b"" when it says no more."""
        while self.more(seconds):
            pass
        return self.input


# ---- what went over a wire ----

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
START = re.compile(rb"(" + TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.([01])")
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
HOST = re.compile(r"([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?")


class Ambiguous(Exception):
    """Two programs could read this differently."""


def must(condition, why):
    if not condition:
        raise Ambiguous(why)


def take_line(data):
    line, end, rest = data.partition(b"\r\n")
    must(end, f"a line without end: {line[:80]!r}")
    must(b"\n" not in line and b"\r" not in line, f"a bare CR or LF: {line[:80]!r}")
    return line, rest


def take_fields(data):
    fields = []
    while True:
        line, data = take_line(data)
        if line == b"":
            return fields, data
        found = FIELD.fullmatch(line)
        must(found, f"no header line: {line[:80]!r}")
        fields.append((found[1].lower().decode(), found[2].rstrip(b" \t").decode("latin-1")))


def take_chunks(data):
    while True:
        line, data = take_line(data)
        size = CHUNK.fullmatch(line)
        must(size, f"no chunk size: {line[:80]!r}")
        size = int(size[1], 16)
        if size == 0:
            trailers, data = take_fields(data)
            bad = {"content-length", "transfer-encoding", "host", "authorization"}
            must(not bad & {name for name, _ in trailers}, f"trailers: {trailers}")
            return data
        must(data[size:size + 2] == b"\r\n", "a chunk longer or shorter than its size")
        data = data[size + 2:]


def check_fields(method, minor, fields):
    """(chunked, length) of a request whose header lines these are."""
    def all_of(name):
        return [value for known, value in fields if known == name]

    lengths, codings, hosts = map(all_of, ("content-length", "transfer-encoding", "host"))
    must(len(hosts) == 1 or (minor == b"0" and not hosts), f"Host: {hosts}")
    must(all(HOST.fullmatch(host) for host in hosts), f"Host: {hosts}")
    must(len(lengths) <= 1, f"Content-Length: {lengths}")
    must(all(re.fullmatch(r"[0-9]+", length) for length in lengths), f"length {lengths}")
    must(not codings or [value.lower() for value in codings] == ["chunked"], f"{codings}")
    must(not codings or (not lengths and minor == b"1"), "coding beside length, or in 1.0")
    length = int(lengths[0]) if lengths else 0
    must(method != b"HEAD" or (not codings and length == 0), "HEAD with a body")
    return codings != [], length


def requests_of(data):
    """Requests as (method, target, fields) when nothing about them is ambiguous."""
    found = []
    while data:
        line, data = take_line(data)
        start = START.fullmatch(line)
        must(start, f"no request line: {line[:80]!r}")
        fields, data = take_fields(data)
        chunked, length = check_fields(start[1], start[3], fields)
        if chunked:
            data = take_chunks(data)
        must(len(data) >= length, "a body shorter than its length")
        data = data[length:]
        found.append((start[1].decode(), start[2].decode(), fields))
    return found


class Tap:
    """Stands between a proxy and what is behind it, and keeps what the proxy says."""

    def __init__(self, backend):
        self.backend = backend
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = self.listener.getsockname()
        self.lock = threading.Lock()
        self.said = {}
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        number = 0
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            number += 1
            try:
                server = socket.create_connection(self.backend, 10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for source, sink, key in ((client, server, number), (server, client, None)):
                threading.Thread(target=self.pump, args=(source, sink, key),
                                 daemon=True).start()

    def pump(self, source, sink, key):
        try:
            while data := source.recv(1 << 18):
                if key is not None:
                    with self.lock:
                        self.said[key] = self.said.get(key, b"") + data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        if key is None:
            source.close()

    def take(self):
        """What was said since the last time, a list with an entry per connection."""
        with self.lock:
            said, self.said = self.said, {}
        return list(said.values())

    def close(self):
        self.listener.close()
