"""The engine's side of docs/program-protocol.md, in memory: for tests of what SDKs say and do
when they are answered, also with what a real engine says seldom. It keeps what it recorded
from one run of the program to the next, so a program is replayed by running it again."""
import json
import os
import pathlib
import select
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
SDK = ROOT / "sdk"
CHANGES = ("state.set", "state.delete", "comment", "artifact")
QUIET = 0.05  # so long nothing new, and the program is taken to wait for its waits only


def command_of(path):
    """How a program is started, by its name's end; and what its environment needs."""
    path = pathlib.Path(path)
    if path.suffix in (".js", ".mjs", ".ts"):
        return ["node", "--import", (SDK / "javascript/register.mjs").as_uri(), str(path)], {}
    if path.suffix == ".py":
        return ["/usr/bin/python3", str(path)], {"PYTHONPATH": str(SDK / "python")}
    return [str(path)], {}


class Trouble(Exception):
    """Answered as an error of JSON-RPC."""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.error = {"code": code, "message": message, "data": data}


class Engine:
    def __init__(self, program, input=None, does=None, waits=None):
        self.program, self.input = program, input or {}
        self.does = does or (lambda action, fields: None)  # what a call gives
        self.waits = waits or (lambda action, fields: None)  # what a wait gives, a run later
        self.steps, self.state, self.kept, self.log = {}, {}, [], []
        self.refuse = {}  # method -> Trouble, instead of an answer
        self.runs, self.asked, self.end, self.workflow = [], [], None, None
        self.on_message = None  # (engine, message), before the answer
        self.environment = {}

    # ---- one run of the program ----

    def run(self, mode="run", timeout=20):
        """Until the program has ended: done, failed, suspended or described."""
        ours, theirs = socket.socketpair()
        command, more = command_of(self.program)
        self.counts, self.open, self.pending, self.asked = {}, set(), {}, []
        self.end, self.suspended, self.mode = None, False, mode
        environment = {"PATH": os.environ["PATH"], "HOME": "/", "STEPMILL_FD": str(theirs.fileno()),
                       **more, **self.environment}
        self.process = subprocess.Popen(
            command, env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=pathlib.Path(self.program).parent)
        theirs.close()
        self.socket = ours
        try:
            self._serve(time.monotonic() + timeout)
            self.stdout, self.stderr = self.process.communicate(timeout=10)
        finally:
            self.process.kill()
            self.process.wait()
            ours.close()
        self.runs.append(self.asked)
        return self

    def finish(self, most=30):
        """Runs it again and again until it is done or has failed."""
        for _ in range(most):
            self.run()
            if not self.suspended:
                return self
        raise AssertionError("it is suspended again and again")

    def _serve(self, until):
        rest = b""
        while True:
            ready, *_ = select.select([self.socket], [], [], QUIET)
            if not ready:
                self._perhaps_suspend()
                assert time.monotonic() < until, f"the program hangs: {self.asked[-3:]}"
                continue
            try:
                piece = self.socket.recv(1 << 20)
            except ConnectionResetError:
                return
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._take(json.loads(line))

    def _perhaps_suspend(self):
        if self.pending and not self.open and not self.suspended:
            for step in self.pending.values():
                step["output"], step["done"] = self.waits(step["action"], step["fields"]), True
            self.suspended = True
            self.tell("suspend")

    def tell(self, method, **params):
        self._write({"method": method, "params": params})

    def _write(self, message):
        try:
            self.socket.sendall(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        except BrokenPipeError:
            pass

    # ---- messages ----

    def _take(self, message):
        assert message["jsonrpc"] == "2.0"
        method, params = message["method"], message.get("params", {})
        self.asked.append((method, params))
        if self.on_message:
            self.on_message(self, message)
        try:
            if method in self.refuse:
                raise self.refuse[method]
            result = self._answer(method, params)
        except Trouble as trouble:
            self._write({"id": message.get("id"), "error": trouble.error})
            return
        if "id" in message and result is not None:
            self._write({"id": message["id"], "result": result})

    def _answer(self, method, params):
        if method in CHANGES:
            self._change(method, params)
            return {"id": "1", "name": "x", "sizeBytes": 1}
        return getattr(self, "_on_" + method.replace(".", "_"))(**params)

    def _on_hello(self, protocol, sdk, workflow):
        self.workflow, self.sdk = workflow, sdk
        if self.mode == "describe":
            return {"mode": "describe"}
        return {"mode": "run", "executionId": "e-1", "runId": "r-1", "projectId": "p-1",
                "projectPath": "/project", "input": self.input, "attempt": 1,
                "replayed": len(self.steps)}

    def _step(self, name, parent, **facts):
        """The row of this step: the n-th of its name below its parent."""
        count = self.counts[parent, name] = self.counts.get((parent, name), 0) + 1
        step = self.steps.setdefault((parent, name, count), {
            "number": len(self.steps) + 1, "done": False, "attempt": 1, **facts})
        if step["action"] != facts["action"]:
            raise Trouble(-32011, f"asked for {facts['action']} \"{name}\", recorded is "
                                  f"{step['action']}", {"asked": facts["action"],
                                                        "recorded": step["action"]})
        return step

    def _on_step_begin(self, name, parent=None, retry=None):
        step = self._step(name, parent, action="run", retry=retry)
        head = {"step": step["number"], "done": step["done"]}
        if not step["done"]:
            self.open.add(step["number"])
            return {**head, "attempt": step["attempt"]}
        return {**head, **{key: step[key] for key in ("output", "error") if key in step}}

    def _on_step_end(self, step, output=None, error=None):
        row = next(row for row in self.steps.values() if row["number"] == step)
        if error and row["retry"] and row["attempt"] < row["retry"].get("maxAttempts", 3):
            row["attempt"] += 1
            return {"again": {"attempt": row["attempt"], "delay": 10}}
        self.open.discard(step)
        row.update({"done": True, **({"error": error} if error else {"output": output})})
        return {"failed": True} if error else {}

    def _on_call(self, action, fields, name=None, parent=None, timeout=None, retry=None):
        name = name or fields.get("tool", action)
        step = self._step(name, parent, action=action, fields=fields)
        if not step["done"]:
            step["done"] = True
            try:
                step["output"] = self.does(action, fields)
            except Trouble as trouble:
                step["error"] = trouble.error["data"]["error"]
        if "error" in step:
            raise Trouble(-32010, step["error"]["message"],
                          {"step": step["number"], "error": step["error"]})
        return {"step": step["number"], "output": step["output"]}

    def _on_wait(self, action, fields, name=None, parent=None, timeout=None):
        step = self._step(name or action, parent, action=action, fields=fields)
        if step["done"]:
            return {"step": step["number"], "output": step["output"]}
        self.pending[step["number"]] = step
        return None  # not yet

    def _change(self, method, params):
        step = self._step(method + str(params.get("key", "")), params.get("parent"), action=method)
        if step["done"]:
            return
        step["done"] = True
        if method == "state.set":
            self.state[params["key"]] = params["value"]
        elif method == "state.delete":
            self.state.pop(params["key"], None)
        else:
            self.kept.append((method, params))

    def _on_state_get(self, key, parent=None):
        return {"value": self.state.get(key), "found": key in self.state}

    def _on_state_has(self, key, parent=None):
        return {"found": key in self.state}

    def _on_log(self, level, message, fields=None, parent=None):
        self.log.append((level, message, fields))
        return {}

    def _on_done(self, output):
        self.end = ("done", output)
        return {}

    def _on_fail(self, error):
        self.end = ("fail", error)
        return {}
