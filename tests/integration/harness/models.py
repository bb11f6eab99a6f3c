"""Providers of models for tests: aimock, which other people wrote and which speaks the protocols
of all, and one of ours that misbehaves as the name of the model says."""
import asyncio
import fcntl
import json
import pathlib
import subprocess

from .loopback import Loopback

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = ROOT / "tests/conformance/models"
WORK = ROOT / "build/conformance/models"


def install():
    """aimock below build/, at the version of package-lock.json. One at a time: tests of several
    files begin at once, and would find one another's half."""
    WORK.mkdir(parents=True, exist_ok=True)
    with open(WORK / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return install_alone()


def install_alone():
    wanted = (HERE / "package-lock.json").read_text()
    stamp = WORK / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            (WORK / name).write_text((HERE / name).read_text())
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
                       cwd=WORK, check=True, timeout=600)
        stamp.write_text(wanted)
    (WORK / "providers.mjs").write_text((HERE / "providers.mjs").read_text())
    return WORK


class Aimock:
    """fixtures: as in aimock's files, a list of {match, response}."""

    def __init__(self, folder, fixtures):
        path = pathlib.Path(folder) / "fixtures.json"
        path.write_text(json.dumps(fixtures))
        self.process = subprocess.Popen(
            ["node", "providers.mjs", str(path)], cwd=install(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://"), "aimock did not start"

    def stop(self):
        self.process.communicate(timeout=20)


def sse(*events):
    """Events as text; each is JSON, or (name, JSON)."""
    lines = []
    for event in events:
        name, data = event if isinstance(event, tuple) else (None, event)
        text = data if isinstance(data, str) else json.dumps(data)
        lines.append((f"event: {name}\n" if name else "") + f"data: {text}\n\n")
    return "".join(lines)


def anthropic(text="", tools=(), stop=None, tokens=(10, 5), pieces=3):
    """The events of a whole answer of Messages."""
    start = {"type": "message_start", "message": {"usage": {"input_tokens": tokens[0],
                                                            "output_tokens": 1}}}
    events = [("message_start", start), ("ping", {"type": "ping"})]
    step = max(1, len(text) // pieces)
    if text:
        events.append(("content_block_start", {"type": "content_block_start", "index": 0,
                                               "content_block": {"type": "text", "text": ""}}))
    for at in range(0, len(text), step):
        events.append(("content_block_delta", {
            "type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": text[at:at + step]}}))
    for index, (key, name, arguments) in enumerate(tools, 1):
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        events.append(("content_block_start", {
            "type": "content_block_start", "index": index,
            "content_block": {"type": "tool_use", "id": key, "name": name, "input": {}}}))
        for part in (written[:4], written[4:]):
            events.append(("content_block_delta", {
                "type": "content_block_delta", "index": index,
                "delta": {"type": "input_json_delta", "partial_json": part}}))
    events.append(("message_delta", {
        "type": "message_delta",
        "delta": {"stop_reason": stop or ("tool_use" if tools else "end_turn")},
        "usage": {"output_tokens": tokens[1]}}))
    return events + [("message_stop", {"type": "message_stop"})]


class Provider(Loopback):
    """What it answers to a model is `answers[model]`: a function of the request's body that gives
    (status, headers, body); or of the writer too, when it takes two. Counts what it is asked."""

    def __init__(self):
        self.requests = []  # (path, headers, body)
        self.answers = {}
        self.start()
        self.url = f"http://127.0.0.1:{self.port}"

    def asked(self, model):
        return [body for _, _, body in self.requests if body.get("model") == model]

    async def on_client(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, v in
                       (line.split(":", 1) for line in head[1:] if line)}
            body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))))
            self.requests.append((head[0].split(" ")[1], headers, body))
            answer = self.answers[body["model"]]
            if asyncio.iscoroutinefunction(answer):
                await answer(writer, body)
            else:
                self.write(writer, *answer(body))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @staticmethod
    def begin(writer, status=200, headers=(), content_type="text/event-stream"):
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}",
                 "Transfer-Encoding: chunked", *headers]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    @staticmethod
    def chunk(writer, text):
        data = text if isinstance(text, bytes) else text.encode()
        writer.write(b"%x\r\n%s\r\n" % (len(data), data))

    @classmethod
    def write(cls, writer, status, headers, body):
        is_error = isinstance(body, dict)
        cls.begin(writer, status, headers,
                  "application/json" if is_error else "text/event-stream")
        cls.chunk(writer, json.dumps(body) if is_error else body)
        writer.write(b"0\r\n\r\n")
