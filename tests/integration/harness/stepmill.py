"""A real `stepmill dev` in a folder of its own, driven through its own doors.

Waits are for states, with a deadline; nothing sleeps to hope. `look_around` at the end is the
same accusation for every test: no unexpected error line, no sanitizer text, no process left,
exit status 0.
"""
import datetime
import http.client
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg

from . import cluster

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("STEPMILL_BIN", ROOT / "build/release/bin"))
OVER = {"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT", "CRASHED"}
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|UndefinedBehavior")
ERROR_LINE = re.compile(r'("level":"error"|\bERROR\b|\berror\b +[a-z]+\.)')


class Deadline(AssertionError):
    pass


def wait_for(what, condition, seconds=30.0, every=0.02):
    """Asks until the condition gives something true; that is the answer."""
    until = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > until:
            raise Deadline(f"{what}: not within {seconds} s")
        time.sleep(every)


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Answer:
    """What a server said, whatever it was."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


# What stands between (harness/prism.py), or None: everything is sent to where it goes.
checker = None


def ask(url, method, path, body=None, headers=None, timeout=40):
    """One request. A body that is no text is sent as JSON."""
    headers = {"Connection": "close", **(headers or {})}
    if body is not None and not isinstance(body, (str, bytes)):
        body = json.dumps(body, ensure_ascii=False)
        headers.setdefault("Content-Type", "application/json")
    data = body.encode() if isinstance(body, str) else body

    def send():
        return exchange(url, method, path, data, headers, timeout)
    return checker.ask(send, method, path, data, headers, timeout) if checker else send()


def exchange(url, method, path, data, headers, timeout):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def flow(name, *steps, **top):
    """A workflow as text; JSON is YAML too."""
    return json.dumps({"name": name, **top, "steps": list(steps)})


def shell(key, command, args=None, **more):
    """A step that runs a command."""
    return {"id": key, "action": "tool", "tool": "shell",
            "args": {"command": command, **(args or {})}, **more}


def tool(key, name, args=None, **more):
    return {"id": key, "action": "tool", "tool": name, "args": args or {}, **more}


def noop(key, **more):
    return {"id": key, "action": "noop", **more}


def moment(text):
    """Seconds since 1970 of a time as the API writes it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Stepmill:
    def __init__(self, workers=2, folder=None, args=(), environment=None, made=True):
        self.made = made  # PostgreSQL's cluster, before the start
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="stepmill-test-"))
        os.chmod(self.folder, 0o755)
        self.templates = self.folder / ".agent/workflows/templates"
        self.templates.mkdir(parents=True, exist_ok=True)
        self.workers_wanted = workers
        self.args = list(args)
        self.environment = {**os.environ, **(environment or {})}
        for name in ("DATABASE_URL", "REDIS_URL", "STEPMILL_URL", "STEPMILL_API_KEY"):
            self.environment.pop(name, None)
        self.allowed_errors = []
        self.process = None
        self.state = None

    # ---- life ----

    def start(self, seconds=60):
        if self.made and not (self.folder / ".stepmill").exists():
            cluster.put(self.folder)
        command = [BIN / "stepmill", "dev", "--workers", str(self.workers_wanted), *self.args]
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        path = self.folder / ".stepmill/dev.json"

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"stepmill dev ended: {self.process.stdout.read()}")
            try:
                state = json.loads(path.read_text())
            except (OSError, ValueError):
                return None
            return state if state.get("pid") == self.process.pid and "url" in state else None

        self.state = wait_for("stepmill dev ready", ready, seconds)
        self.url = self.state["url"]
        wait_for("workers ready", lambda: len(self.ready_workers()) >= self.workers_wanted,
                 seconds)
        return self

    def stop(self, seconds=90):
        """Ctrl-C; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.output = self.process.communicate(timeout=seconds)[0]
        return self.process.returncode

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            print(self.log()[-20000:])
            self.remove()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                assert self.stop() == 0, self.output
                self.look_around()
            else:
                print(self.log()[-20000:])
        finally:
            self.remove()

    # ---- files ----

    def workflow(self, text, name=None):
        """Registers a workflow over the API; its name."""
        return self.post("/api/workflows", text, content_type="application/yaml")["name"]

    def log(self):
        path = self.folder / ".stepmill/log/stepmill.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # ---- HTTP ----

    def ask(self, method, path, body=None, headers=None, timeout=40):
        return ask(self.url, method, path, body, headers, timeout)

    def request(self, method, path, body=None, content_type=None, timeout=40):
        """The answer's JSON, or its bytes; what is no success is raised."""
        headers = {"Content-Type": content_type} if content_type else {}
        answer = self.ask(method, path, body, headers, timeout)
        kind = answer.headers.get("Content-Type", "")
        is_json = "json" in kind and "ndjson" not in kind and answer.body
        if answer.status >= 400:
            raise Refused(answer.status, answer.json if is_json else answer.body)
        return answer.json if is_json else answer.body

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def execute(self, workflow, input=None, **more):
        """Starts a run; its id. A file's text may stand for the name."""
        if "\n" in workflow:
            workflow = self.workflow(workflow)
        return self.post(f"/api/workflows/{workflow}/execute",
                         {"input": input or {}, **more})["executionId"]

    def execution(self, run):
        return self.get(f"/api/executions/{run}")

    def wait_ended(self, run, seconds=60):
        until = time.monotonic() + seconds
        seq = 0
        while True:
            answer = self.get(f"/api/executions/{run}/events?since={seq}&wait=5s")
            if answer["data"]:
                seq = answer["data"][-1]["seq"]
            if answer["over"] and seq >= answer["lastSeq"]:
                return self.execution(run)
            if time.monotonic() > until:
                raise Deadline(f"run {run} not over: {json.dumps(self.execution(run))[:3000]}")

    def step(self, run, key):
        """The newest visit of a step, or None."""
        steps = [s for s in self.execution(run)["steps"] if s["stepKey"] == key]
        return steps[-1] if steps else None

    def wait_running(self, run, step, seconds=30):
        return self.wait_step(run, step, "RUNNING", seconds=seconds)

    def events(self, run):
        seq, all_events = 0, []
        while True:
            answer = self.get(f"/api/executions/{run}/events?since={seq}")
            all_events += answer["data"]
            if not answer["data"]:
                return all_events
            seq = answer["data"][-1]["seq"]

    def run(self, workflow, input=None, seconds=60):
        return self.wait_ended(self.execute(workflow, input), seconds)

    names = itertools.count(1)

    def define(self, *steps, **top):
        """Registers these steps under a name of their own; the name."""
        return self.workflow(flow(f"flow-{next(self.names)}", *steps, **top))

    def begin(self, *steps, input=None, **top):
        """Starts a run of these steps; its id."""
        return self.execute(self.define(*steps, **top), input)

    def do(self, *steps, input=None, **top):
        """Runs these steps to the end; the run."""
        return self.wait_ended(self.begin(*steps, input=input, **top))

    def wait_step(self, run, key, *statuses, seconds=30):
        """Waits until the newest visit of a step has one of these statuses; its row."""
        def there():
            row = self.step(run, key)
            return row if row and row["status"] in statuses else None
        return wait_for(f"step {key} {' or '.join(statuses)}", there, seconds)

    # ---- processes ----

    def pool(self):
        try:
            return self.get("/api/pool")
        except (Refused, OSError):
            return {"workers": []}

    def ready_workers(self):
        return [w for w in self.pool()["workers"] if w["state"] == "ready"]

    def kill_worker(self, worker_id, how=signal.SIGKILL):
        for worker in self.pool()["workers"]:
            if worker["id"] == worker_id:
                os.kill(worker["pid"], how)
                return worker["pid"]
        raise AssertionError(f"no worker {worker_id}")

    def cli(self, *words, input=None, timeout=60):
        return subprocess.run([BIN / "stepmill", *words], cwd=self.folder, env=self.environment,
                              input=input, capture_output=True, text=True, timeout=timeout)

    # ---- another supervisor on the same database ----

    def supervisor(self, **settings):
        other = Supervisor(self.folder, self.state["databaseUrl"], self.state["redisUrl"],
                           environment=self.environment, **settings)
        other.allowed_errors = self.allowed_errors  # it finds the same files
        return other

    # ---- the database ----

    def sql(self, query, *params):
        with psycopg.connect(self.state["databaseUrl"] + " options='-c search_path=stepmill'",
                             autocommit=True) as connection:
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else None

    # ---- the end ----

    def look_around(self):
        log = self.log()
        found = SANITIZER.search(log)
        assert not found, log[max(0, found.start() - 500):found.start() + 6000]
        errors = [line for line in log.splitlines() if ERROR_LINE.search(line)
                  and not any(re.search(allowed, line) for allowed in self.allowed_errors)]
        assert not errors, "unexpected error lines:\n" + "\n".join(errors[:20])
        assert not self.left_over(), self.left_over()

    def left_over(self):
        """Processes that still have to do with this folder."""
        needle = str(self.folder).encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                words = (entry / "cmdline").read_bytes()
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if needle in words or b"STEPMILL_PROJECT_PATH=" + needle in environment:
                found.append((entry.name, words.replace(b"\0", b" ").decode(errors="replace")))
        return found


class Supervisor:
    """A stepmill-supervisor of its own: with other settings, or with servers that come and
    go. Settings are those of the configuration: pool_workers=0."""

    def __init__(self, folder, database_url, redis_url, environment=None, **settings):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        self.database_url = database_url
        self.environment = {**(environment or os.environ), "STEPMILL_DEVELOPMENT": "1",
                            "STEPMILL_DATABASE_URL": database_url,
                            "STEPMILL_REDIS_URL": redis_url,
                            "STEPMILL_HTTP_LISTEN": f"127.0.0.1:{port}",
                            "STEPMILL_PROJECT_PATH": str(folder)}
        for name in [n for n in self.environment if n.startswith("PG")]:
            del self.environment[name]
        for name, value in {"auth_required": "false", **settings}.items():
            self.environment["STEPMILL_" + name.upper()] = str(value)
        self.allowed_errors = []

    def start(self, *args):
        self.log_file = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([BIN / "stepmill-supervisor", *args], cwd=self.folder,
                                        env=self.environment, stdin=subprocess.DEVNULL,
                                        stderr=self.log_file)
        return self

    def log(self):
        self.log_file.seek(0)
        return self.log_file.read()

    def ask(self, method, path, body=None, headers=None, timeout=40):
        return ask(self.url, method, path, body, headers, timeout)

    def answers(self):
        try:
            return self.ask("GET", "/healthz").status == 200
        except OSError:
            return False

    def ready_workers(self):
        """Of the pool; none while nobody answers."""
        try:
            workers = self.ask("GET", "/api/pool").json.get("workers", [])
        except OSError:
            return []
        return [worker for worker in workers if worker["state"] == "ready"]

    def __enter__(self):
        self.start()
        try:
            wait_for("the front answers", self.answers)
        except BaseException:
            self.end()
            print(self.log()[-10000:])
            raise
        return self

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(90)
        finally:
            self.process.kill()

    def __exit__(self, kind, value, trace):
        status = self.end()
        log = self.log()
        if kind is not None:
            print(log[-10000:])
            return
        assert status == 0, log[-10000:]
        found = SANITIZER.search(log)
        assert not found, log[max(0, found.start() - 500):found.start() + 6000]
        errors = [line for line in log.splitlines() if ERROR_LINE.search(line)
                  and not any(re.search(allowed, line) for allowed in self.allowed_errors)]
        assert not errors, "unexpected error lines:\n" + "\n".join(errors[:20])
