"""An MCP server over standard input and output that does what its tools are called: dies, floods,
writes what is no message, never answers. Starts are counted in the file that COUNT names."""
import json
import os
import signal
import sys
import time

MODE = sys.argv[1] if len(sys.argv) > 1 else ""
COUNT = os.environ.get("COUNT")
NOTHING = {"type": "object"}
TOOLS = [
    {"name": "echo", "description": "says it again",
     "inputSchema": {"type": "object", "required": ["text"],
                     "properties": {"text": {"type": "string", "pattern": "^[^!]*$"}}}},
    {"name": "number", "inputSchema": {"type": "object", "properties": {"n": {"minimum": 1}}}},
    {"name": "die", "inputSchema": NOTHING},
    {"name": "die_idempotent", "inputSchema": NOTHING, "annotations": {"idempotentHint": True}},
    {"name": "die_reading", "inputSchema": NOTHING, "annotations": {"readOnlyHint": True}},
    {"name": "die_later", "inputSchema": NOTHING},
    {"name": "hang", "inputSchema": NOTHING},
    {"name": "hang_idempotent", "inputSchema": NOTHING, "annotations": {"idempotentHint": True}},
    {"name": "fail", "inputSchema": NOTHING},
    {"name": "refuse", "inputSchema": NOTHING},
    {"name": "structured", "inputSchema": NOTHING},
    {"name": "json", "inputSchema": NOTHING},
    {"name": "several", "inputSchema": NOTHING},
    {"name": "garbage", "inputSchema": NOTHING},
    {"name": "flood", "inputSchema": NOTHING},
    {"name": "huge", "inputSchema": NOTHING},
    {"name": "chatter", "inputSchema": NOTHING},
    {"name": "grow", "inputSchema": NOTHING},
    {"name": "ask", "inputSchema": NOTHING},
    {"name": "environment", "inputSchema": NOTHING},
    {"name": "cancelled", "inputSchema": NOTHING},
    {"name": "meta", "inputSchema": NOTHING},
    {"name": "odd", "inputSchema": {"type": "object", "$ref": "https://example.com/x.json"}},
    {"name": "no name at all", "inputSchema": NOTHING},
]
cancelled = []


def say(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def read():
    line = sys.stdin.readline()
    if not line:
        if MODE == "stubborn":
            time.sleep(1000)
        sys.exit(0)
    return json.loads(line)


def text(*texts):
    return {"content": [{"type": "text", "text": t} for t in texts]}


def die(code=3):
    sys.stderr.write("out of cheese\n")
    sys.stderr.flush()
    os._exit(code)


def ask(method, params=None):
    """A request to the client; its answer."""
    say({"id": "ours", "method": method, "params": params or {}})
    while True:
        message = read()
        if message.get("id") == "ours":
            return message.get("result", message.get("error"))


def grow():
    TOOLS.append({"name": "grown", "inputSchema": NOTHING})
    say({"method": "notifications/tools/list_changed"})


def call(key, params):
    name, args = params["name"], params.get("arguments", {})
    if name.startswith("die"):
        if name == "die_later":
            say({"id": key, "result": text("last words")})
            time.sleep(0.05)
        die()
    elif name.startswith("hang"):
        return None
    elif name == "garbage":
        for _ in range(1000):
            print("this is no message")
    elif name == "flood":
        for n in range(100000):
            say({"method": "notifications/message", "params": {"level": "info", "data": "x"}})
    elif name == "huge":
        while True:
            sys.stdout.write("x" * 65536)
    elif name == "chatter":
        token = params["_meta"]["progressToken"]
        say({"method": "notifications/progress",
             "params": {"progressToken": token, "progress": 1, "total": 4, "message": "a start"}})
        say({"method": "notifications/message",
             "params": {"level": "warning", "logger": "cat", "data": {"meow": 1}}})
    elif name == "grow":
        grow()
    if name == "echo":
        return text(args["text"])
    if name == "fail":
        return {**text("no such cheese", "try another"), "isError": True}
    if name == "structured":
        return {**text("{}"), "structuredContent": {"a": [1, 2]}}
    if name == "json":
        return text('{"a": 1}')
    if name == "several":
        return {"content": [{"type": "text", "text": "one"},
                            {"type": "image", "data": "aGk=", "mimeType": "image/png"}]}
    if name == "ask":
        return text(json.dumps([ask("ping"), ask("roots/list"), ask("elicitation/create", {
            "message": "who?", "requestedSchema": {
                "type": "object", "required": ["name"],
                "properties": {"name": {"type": "string", "default": "Ann"}}}})]))
    if name == "environment":
        return text(json.dumps({"variables": dict(os.environ), "cwd": os.getcwd()}))
    if name == "cancelled":
        return text(json.dumps({"list": cancelled}))
    if name == "meta":
        return text(json.dumps(params["_meta"]))
    return text("done")


def handle(message):
    method, key = message.get("method"), message.get("id")
    if method == "initialize":
        if MODE == "mute":
            return
        version = {"future": "2099-01-01", "old": "2024-11-05"}.get(
            MODE, message["params"]["protocolVersion"])
        say({"id": key, "result": {
            "protocolVersion": version,
            "capabilities": {} if MODE == "bare" else {"tools": {"listChanged": True}},
            "serverInfo": {"name": "test", "version": "1"}}})
    elif method == "tools/list":
        if MODE == "endless":
            say({"id": key, "result": {"tools": [], "nextCursor": "more"}})
            return
        start = int(message.get("params", {}).get("cursor", 0))
        page = {"tools": TOOLS[start:start + 7]}
        if start + 7 < len(TOOLS):
            page["nextCursor"] = str(start + 7)
        say({"id": key, "result": page})
    elif method == "tools/call" and message["params"]["name"] == "refuse":
        say({"id": key, "error": {"code": -32602, "message": "not like this"}})
    elif method == "tools/call":
        result = call(key, message["params"])
        if result is not None:
            say({"id": key, "result": result})
    elif method == "notifications/cancelled":
        cancelled.append(message["params"]["requestId"])
    elif key is not None and method:
        say({"id": key, "result": {}})


def main():
    if COUNT:
        with open(COUNT, "a") as file:
            file.write(f"{os.getpid()}\n")
    if MODE == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if MODE == "crash":
        die()
    if MODE == "banner":
        print("Welcome to this server!")
    while True:
        handle(read())


main()
