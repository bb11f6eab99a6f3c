"""Durable workflows written as Python programs.

    from stepmill import workflow

    @workflow(name="hello", description="Says hello.", timeout=60000)
    def main(ctx):
        text = ctx.run("think", lambda: "Hello, " + ctx.input["who"])
        ctx.files.write("hello.txt", text)
        return text

A step that has ended is never run again: when the program is run anew, after a crash or a wait,
its result comes from the record. Every call waits for its answer. Threads may call, too:
ctx.parallel starts them so that they know which step they stand in.

This file needs nothing but Python 3.9. It is also the program that runs a workflow:
python3 stepmill.py FILE.
"""
import contextvars
import datetime
import json
import os
import re
import socket
import sys
import threading
import time
import traceback
import types

__all__ = ["workflow", "Workflow", "WorkflowContext", "StepmillError", "StepFailed", "Divergence",
           "Cancelled"]

_LINE_MAX = 4 * 1024 * 1024
_IN_FLIGHT_MAX = 200  # the engine takes 256
_KEYS = ("trigger", "concurrency", "priority", "queue", "onInterrupt")
_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")

# Tools as methods, and their arguments that may be given by place.
_FAMILIES = {
    "git": {"ensureBranch": ("name", "base"), "getCurrentBranch": (), "getCurrentCommit": (),
            "status": (), "stageAll": (), "commit": ("message",), "push": ("remote", "branch"),
            "createPr": ("title", "body"), "log": ("range",), "diff": ("range",)},
    "files": {"read": ("path",), "write": ("path", "content"), "exists": ("path",),
              "delete": ("path",), "list": ("path",), "copy": ("from", "to")},
}

_in_step = contextvars.ContextVar("stepmill_step", default=None)


# ---- errors ----

class StepmillError(Exception):
    """Any error that the engine answers; code says which."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class StepFailed(StepmillError):
    """A step failed for good: its number, and all that the engine knows of its error."""

    def __init__(self, step, error):
        error = error or {}
        super().__init__(error.get("code", "failed"), error.get("message", "the step failed"))
        self.step, self.error = step, error


class Divergence(StepmillError):
    """The program asks for something else than what is recorded. It cannot go on."""

    def __init__(self, message, data=None):
        super().__init__("divergence", message)
        self.asked, self.recorded = (data or {}).get("asked"), (data or {}).get("recorded")


class Cancelled(StepmillError):
    """The run is being ended: there are no new steps."""

    def __init__(self, message):
        super().__init__("cancelled", message)


_STEP_FAILED, _DIVERGENCE, _CANCELLED, _LIMIT, _NOT_NOW = -32010, -32011, -32012, -32013, -32014
_CODES = {_LIMIT: "limit", -32700: "protocol", -32600: "protocol", -32601: "unknown_method",
          -32602: "input"}


def _error_of(answer):
    code, message, data = answer.get("code"), answer.get("message", ""), answer.get("data") or {}
    if code == _STEP_FAILED:
        return StepFailed(data.get("step"), data.get("error") or {"message": message})
    if code == _DIVERGENCE:
        return Divergence(message, data)
    if code == _CANCELLED:
        return Cancelled(message)
    return StepmillError(_CODES.get(code, "engine"), message)


def _describe(error):
    """Anything raised, as it is recorded."""
    code = getattr(error, "code", None)
    return {**({"code": code} if isinstance(code, str) else {}),
            "message": str(error) or type(error).__name__,
            "stack": "".join(traceback.format_exception(type(error), error, error.__traceback__))}


# ---- the descriptor ----

def _wait_for_ever():
    while True:
        time.sleep(3600)


class _Channel:
    """JSON-RPC 2.0, one message a line. A thread of its own reads."""

    def __init__(self, descriptor, notices):
        self.socket = socket.socket(fileno=descriptor)
        self.socket.setblocking(True)
        self.notices = notices
        self.lock = threading.Lock()
        self.room = threading.Semaphore(_IN_FLIGHT_MAX)
        self.waiting = {}
        self.last_id = 0
        threading.Thread(target=self._read, name="stepmill", daemon=True).start()

    def request(self, method, **params):
        asked = {"came": threading.Event(), "answer": None}
        with self.room:
            with self.lock:
                self.last_id += 1
                line = self._line(method, params, {"id": self.last_id})
                self.waiting[self.last_id] = asked
                self.socket.sendall(line)
            asked["came"].wait()
            answer = asked["answer"]
            if "error" not in answer:
                return answer.get("result")
            if answer["error"].get("code") == _NOT_NOW:
                _wait_for_ever()  # the program is about to be stopped
            raise _error_of(answer["error"])

    def notify(self, method, **params):
        with self.lock:
            self.socket.sendall(self._line(method, params, {}))

    @staticmethod
    def _line(method, params, head):
        line = json.dumps({"jsonrpc": "2.0", **head, "method": method, "params": params},
                          ensure_ascii=False, allow_nan=False).encode(errors="replace") + b"\n"
        if len(line) > _LINE_MAX:
            raise StepmillError("too_large", f"{method}: {len(line)} bytes of JSON, "
                                             f"at most {_LINE_MAX} fit")
        return line

    def _read(self):
        rest = []
        while True:
            try:
                piece = self.socket.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                os._exit(1)  # the worker is gone; whatever runs this again starts a new process
            *lines, last = piece.split(b"\n")
            for line in lines:
                rest.append(line)
                whole, rest = b"".join(rest), []
                self._take(json.loads(whole))
            rest.append(last)

    def _take(self, message):
        if "method" in message:
            notice = self.notices.get(message["method"])
            if notice:
                notice(**(message.get("params") or {}))
            return
        asked = self.waiting.pop(message.get("id"), None)
        if asked is not None:
            asked["answer"] = message
            asked["came"].set()


# ---- what workflows call ----

def _camel(name):
    first, *others = name.rstrip("_").split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


def _snake(name):
    return re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), name)


def _given(**members):
    return {name: value for name, value in members.items() if value is not None}


def _expect_text(what, value):
    if not isinstance(value, str) or not value:
        raise TypeError(f"{what}: expected a text, got {value!r}")


class _Family:
    """git.* or files.*: each tool a method, by its name in small letters: git.ensure_branch.
    Arguments are the tool's; `options` is {"name", "timeout", "retry"} of the step."""

    def __init__(self, context, family):
        for tool, places in _FAMILIES[family].items():
            setattr(self, _snake(tool), self._method(context, f"{family}.{tool}", places))

    @staticmethod
    def _method(context, tool, places):
        def call(*values, options=None, **args):
            if len(values) > len(places):
                raise TypeError(f"{tool}: at most {len(places)} arguments by place")
            named = {_camel(name): value for name, value in args.items()}
            return context.tool(tool, {**dict(zip(places, values)), **named}, **(options or {}))
        call.__name__ = call.__qualname__ = tool
        return call


class _Log:
    """log.info("text", files=3): into the logs of the run, and on a terminal."""

    def __init__(self, channel):
        for level in _LEVELS:
            setattr(self, level, self._method(channel, level))

    @staticmethod
    def _method(channel, level):
        def line(message, **fields):
            channel.notify("log", level=level, message=str(message), fields=fields or None)
            if sys.stderr.isatty():
                print(level, message, file=sys.stderr)
        return line


class WorkflowContext:
    """What main is given: the run, and the calls that are recorded."""

    def __init__(self, channel, told, state):
        self._channel, self._state = channel, state
        self.execution_id, self.run_id = told.get("executionId"), told.get("runId")
        self.project_id, self.project_path = told.get("projectId"), told.get("projectPath")
        self.input = told.get("input") or {}
        self.attempt = told.get("attempt")
        self.git, self.files = _Family(self, "git"), _Family(self, "files")
        self.log = _Log(channel)

    @property
    def cancelled(self):
        """True from a cancel (or the run's timeout) until the program is ended."""
        return self._state["cancelled"]

    # ---- steps ----

    def run(self, name, fn, *, retry=None):
        """A durable step: fn() runs at least once, what it returns is recorded once."""
        _expect_text("run: name", name)
        if not callable(fn):
            raise TypeError(f'run "{name}": expected a function')
        begun = self._ask("step.begin", name=name, retry=retry)
        if not begun["done"]:
            return self._carry_out(begun["step"], fn)
        if begun.get("error"):
            raise StepFailed(begun["step"], begun["error"])
        return begun.get("output")

    def retry(self, name, fn, **options):
        """run with retries: three attempts unless max_attempts says otherwise."""
        return self.run(name, fn, retry={_camel(key): value for key, value in options.items()})

    @staticmethod
    def _attempt(step, fn):
        inside = _in_step.set(step)
        try:
            return json.loads(json.dumps(fn(), allow_nan=False))  # as the record has it
        finally:
            _in_step.reset(inside)

    def _carry_out(self, step, fn):
        while True:
            try:
                output = self._attempt(step, fn)
                self._channel.request("step.end", step=step, output=output)
                return output
            except (Divergence, Cancelled):
                raise  # says nothing about this step
            except Exception as error:
                failure = error
            answer = self._channel.request("step.end", step=step, error=_describe(failure))
            if not answer.get("again"):
                raise StepFailed(step, _describe(failure)) from failure
            time.sleep(answer["again"]["delay"] / 1000)

    def parallel(self, *functions):
        """Calls the functions at once, each in a thread, and gives what they return, in their
        order. The first error is raised when all have ended. Steps in them need names of their
        own."""
        results = [None] * len(functions)
        errors = []

        def work(index, function):
            try:
                results[index] = function()
            except BaseException as error:
                errors.append(error)
        threads = [threading.Thread(target=contextvars.copy_context().run,
                                    args=(work, index, function), daemon=True)
                   for index, function in enumerate(functions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return results

    def call(self, action, fields, *, name=None, timeout=None, retry=None):
        """An action of the engine: http, model, agent, skill, code, tool."""
        return self._ask("call", action=action, fields=fields, name=name, timeout=timeout,
                         retry=retry).get("output")

    def run_cli(self, name, agent, prompt, *, timeout=None, retry=None, **fields):
        """A coding agent of the configuration: model=, working_directory=, permissions=, budget=
        and so on. {"text", "sessionId", "exitCode", "usage"}."""
        _expect_text("run_cli: name", name)
        _expect_text("run_cli: agent", agent)
        fields = {_camel(key): value for key, value in fields.items()}
        return self.call("agent", {**fields, "cli": agent, "prompt": prompt}, name=name,
                         timeout=timeout, retry=retry)

    def tool(self, tool, args=None, *, name=None, timeout=None, retry=None):
        """Any tool by its name."""
        _expect_text("tool: name", tool)
        return self.call("tool", {"tool": tool, "args": args or {}}, name=name, timeout=timeout,
                         retry=retry)

    def shell(self, command, *, cwd=None, env=None, stdin=None, name=None, timeout=None,
              retry=None):
        """{"exitCode", "stdout", "stderr"}; another exit status than 0 is raised."""
        return self.tool("shell", _given(command=command, cwd=cwd, env=env, stdin=stdin),
                         name=name, timeout=timeout, retry=retry)

    # ---- waiting: the program is ended, and run again afterwards ----

    def _wait(self, action, fields, name, timeout=None):
        return self._ask("wait", action=action, fields=fields, name=name,
                         timeout=timeout).get("output")

    def sleep(self, duration, *, name=None):
        """Milliseconds, a text ("10m"), a timedelta, or a datetime to sleep until."""
        if isinstance(duration, datetime.datetime):
            fields = {"until": duration.astimezone(datetime.timezone.utc).isoformat()}
        elif isinstance(duration, datetime.timedelta):
            fields = {"for": int(duration.total_seconds() * 1000)}
        else:
            fields = {"for": duration}
        self._wait("wait", fields, name)

    def wait_for_event(self, type, *, when=None, timeout=None, name=None):
        """The event {"id", "source", "type", "data", "at"}, or None after the timeout."""
        _expect_text("wait_for_event: type", type)
        return self._wait("wait", _given(event=type, when=when), name, timeout)

    def approval(self, prompt, *, timeout=None, on_timeout=None, name=None):
        """{"approved", "by", "comment", "at"}; a denial is raised: StepFailed, code "denied"."""
        _expect_text("approval: prompt", prompt)
        return self._wait("approval", _given(prompt=prompt, onTimeout=on_timeout), name, timeout)

    def workflow(self, workflow, input=None, *, wait=None, timeout=None, name=None):
        """A run of another workflow: its output."""
        _expect_text("workflow: name", workflow)
        return self._wait("workflow", _given(workflow=workflow, input=input or {}, wait=wait),
                          name, timeout)

    # ---- what is kept ----

    def set(self, key, value):
        self._channel.request("state.set", key=key, value=value, **_given(parent=_in_step.get()))

    def get(self, key, default=None):
        kept = self._ask("state.get", key=key)
        return kept.get("value") if kept["found"] else default

    def has(self, key):
        return self._ask("state.has", key=key)["found"]

    def delete(self, key):
        self._ask("state.delete", key=key)

    def comment(self, message, metadata=None):
        """On the step this stands in: {"id"}."""
        return self._ask("comment", message=message, metadata=metadata, scope="step")

    def comment_execution(self, message, metadata=None):
        """On the run: {"id"}."""
        return self._ask("comment", message=message, metadata=metadata, scope="execution")

    def artifact(self, path, *, name=None, type=None, mime_type=None, description=None):
        """Keeps a file with the run: {"id", "name", "sizeBytes"}."""
        return self._ask("artifact", path=str(path), name=name, type=type, mimeType=mime_type,
                         description=description)

    def _ask(self, method, **params):
        return self._channel.request(method, **_given(parent=_in_step.get(), **params))


# ---- workflows ----

class Workflow:
    """What @workflow makes of a function: call it with a context, or let the engine run it."""

    def __init__(self, main, config):
        self.main, self.config = main, config
        self.name, self.description = config["name"], config.get("description")
        self.timeout, self.input = config["timeout"], config.get("input")

    def __call__(self, ctx):
        return self.main(ctx)


def _check(name, description, timeout, input, more):
    if not isinstance(name, str) or not re.fullmatch("[a-z0-9][a-z0-9._-]{0,99}", name):
        raise TypeError(f'workflow: name: {name!r} is none: small letters, digits, ".", "_", "-", '
                        "at most 100, a letter or digit first")
    if description is not None and not isinstance(description, str):
        raise TypeError("workflow: description: expected a text")
    if not isinstance(timeout, int) or isinstance(timeout, bool) or timeout <= 0:
        raise TypeError("workflow: timeout: expected a whole number of milliseconds above 0")
    if input is not None and not isinstance(input, dict):
        raise TypeError("workflow: input: expected a JSON Schema, a dict")
    for key in more:
        if key not in _KEYS:
            raise TypeError(f'workflow: unknown key "{key}"; known are name, description, timeout, '
                            "input, " + ", ".join(_KEYS))


_defined = []


def workflow(*, name, description=None, timeout=3600000, input=None, **more):
    """Makes main(ctx) the workflow of this file. timeout: of the whole run, in ms; input: a JSON
    Schema; also trigger, concurrency, priority, queue, on_interrupt, as in YAML."""
    more = {_camel(key): value for key, value in more.items()}
    _check(name, description, timeout, input, more)

    def define(main):
        if not callable(main):
            raise TypeError("workflow: expected a function main(ctx)")
        if main.__module__ == "__main__" and _descriptor() is not None and not _running:
            _begin_anew()
        made = Workflow(main, _given(name=name, description=description, timeout=timeout,
                                     input=input, **more))
        _defined.append(made)
        return made
    return define


def _descriptor():
    text = os.environ.get("STEPMILL_FD", "")
    return int(text) if text.isdecimal() else None


# ---- running one ----

_running = False  # a file, from below


def _begin_anew():
    """`python3 FILE` stands in the middle of the file: what follows is yet to be defined. This
    file runs the whole of it, and then the workflow. Nothing was said to the engine yet."""
    program = getattr(sys.modules["__main__"], "__file__", None)
    if program is None:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, os.path.abspath(__file__), program, *sys.argv[1:]])


def _leave(status):
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _chosen(names):
    if isinstance(names.get("main"), Workflow):
        return names["main"]
    if len(_defined) == 1:
        return _defined[0]
    raise TypeError(f"{len(_defined)} workflows are defined; call one of them main")


def _cancel(state):
    state["cancelled"] = True


def _perform(made):
    state = {"cancelled": False}
    channel = _Channel(_descriptor(), {
        "suspend": lambda **_: os._exit(0),
        "cancel": lambda **_: _cancel(state),
    })
    told = channel.request("hello", protocol=1, sdk="python 1.0", workflow=made.config)
    if told["mode"] == "describe":
        return
    try:
        output = made(WorkflowContext(channel, told, state))
        channel.request("done", output=output)
    except Exception as error:
        channel.request("fail", error=_describe(error))


def _load(path):
    """The file as the program that was started; the names it defines."""
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    module.__file__ = path
    with open(path, "rb") as file:
        exec(compile(file.read(), path, "exec"), module.__dict__)
    return module.__dict__


def run_file(path):
    """Runs the program in the file as the engine wants it. Never comes back."""
    global _running
    _running = True
    sys.stdout.reconfigure(line_buffering=True)  # a suspend leaves no time to write more
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    made = _chosen(_load(path))
    if _descriptor() is None:
        raise SystemExit(f"{path} is a workflow: stepmill run {path}, or "
                         f"stepmill workflows test {path}")
    _perform(made)
    _leave(0)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit("usage: python3 stepmill.py FILE")
    import stepmill  # this file, under the name that workflows import
    stepmill.run_file(sys.argv[1])
