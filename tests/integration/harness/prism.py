"""Requests through `prism proxy`, which checks each and its answer against the OpenAPI document.

Prism stands between the test and a go-between of ours, which sends what the test asked, byte by
byte, to the server that it asked, and keeps the answer as it came: so a test sees nothing of the
proxy, and any number of servers share one. What prism found comes back in a header.
"""
import atexit
import collections
import http.client
import http.server
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import urllib.parse

from .stepmill import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = ROOT / "tests/conformance/documents"
WORK = ROOT / "build/conformance/documents"
TOKEN = "X-Test-Request"


def install():
    """Prism and the linters below build/, at the versions of package-lock.json."""
    WORK.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package-lock.json").read_text()
    stamp = WORK / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            (WORK / name).write_text((HERE / name).read_text())
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
                       cwd=WORK, check=True, timeout=600)
        stamp.write_text(wanted)
    return WORK


def tool(name):
    return WORK / "node_modules/.bin" / name


class Violation(collections.namedtuple("Violation", "request status side code where message")):
    def __str__(self):
        return f"{self.request} -> {self.status}: {self.side} {self.where}: {self.message}"


def is_wanted(violation):
    """A request that was refused may break the rules: that is why it was. All else may not."""
    return not (violation.side == "request" and violation.status >= 400)


class GoBetween(http.server.ThreadingHTTPServer):
    """What prism takes for the server."""
    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.answers = {}, {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do(self):
        self.close_connection = True  # what is kept alive may end as it is used again
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers[TOKEN]
        try:
            answer = self.server.asked[token]()
        except (OSError, http.client.HTTPException) as error:
            self.server.answers[token] = error
            return
        self.server.answers[token] = answer
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

    def log_message(self, *words):
        pass


class Prism:
    """`document` is one as read. To be used as a context, which waits until prism listens."""
    numbers = itertools.count(1)

    def __init__(self, document):
        install()
        self.violations, self.checked, self.missed = [], collections.Counter(), []
        self.lock, self.tokens = threading.Lock(), itertools.count(1)
        self.go_between = GoBetween()
        self.paths = [(re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))), item)
                      for path, item in document["paths"].items()]
        self.document = WORK / f"prism-{os.getpid()}-{next(self.numbers)}.json"
        self.document.write_text(json.dumps(document))
        self.log = open(self.document.with_suffix(".log"), "w+")
        self.start()
        atexit.register(self.stop)

    def start(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [tool("prism"), "proxy", "--host", "127.0.0.1", "--port", str(self.port), "--verboseLevel",
             "error", self.document, f"http://127.0.0.1:{self.go_between.server_port}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)

    def start_again(self):
        """There are requests and answers of which it dies."""
        with self.lock:
            if self.process.poll() is not None:
                self.start()
                wait_for("prism listens again", self.listens, 180, 0.1)

    def __enter__(self):
        wait_for("prism listens", self.listens, 180, 0.1)
        return self

    def __exit__(self, *error):
        self.stop()

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            assert self.process.poll() is None, self.log_text()
            return False

    def log_text(self):
        self.log.seek(0)
        return self.log.read()[-5000:]

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)
        self.go_between.shutdown()

    def operation(self, method, path):
        """What stands in the document, or None."""
        path = path.partition("?")[0]
        if re.search(r"%(?![0-9A-Fa-f]{2})", path) or not path.isascii():
            return None
        try:
            path = urllib.parse.unquote(path, errors="strict")
        except UnicodeDecodeError:
            return None  # prism would die of it
        found = [item for pattern, item in self.paths if pattern.fullmatch(path)]
        return next((item[method.lower()] for item in found if method.lower() in item), None)

    def ask(self, send, method, path, data, headers, timeout):
        """send() is the request itself. It is sent once, through prism where the document has it."""
        if self.operation(method, path) is None:
            return send()
        token = f"{os.getpid()}-{next(self.tokens)}"
        self.go_between.asked[token] = send
        checks = self.through(token, method, path, data, headers, timeout)
        del self.go_between.asked[token]
        answer = self.go_between.answers.pop(token, None)
        if isinstance(answer, Exception):
            raise answer
        if answer is not None and checks.startswith(f"{answer.status} "):
            self.note(method, path, answer, checks.partition(" ")[2])
            return answer
        with self.lock:  # prism itself could not read it
            self.missed.append(f"{method} {path}: {checks}")
        self.start_again()
        return answer if answer is not None else send()

    def through(self, token, method, path, data, headers, timeout):
        """What prism answers: a status, and what it found or whatever else it says."""
        headers = {name: value for name, value in headers.items() if name.lower() != "connection"}
        headers.setdefault("Authorization", "Bearer as-in-stepmill-dev")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout + 20)
        try:
            connection.request(method, path, data, {**headers, TOKEN: token, "Connection": "close"})
            answer = connection.getresponse()
            body = answer.read()
            return f"{answer.status} {answer.headers.get('sl-violations') or body[:200]}"
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()

    def note(self, method, path, answer, checks):
        found = json.loads(checks) if checks.startswith("[") else []
        with self.lock:
            self.checked[self.operation(method, path)["operationId"], answer.status] += 1
            for one in found:
                where = one["location"]
                self.violations.append(Violation(f"{method} {path}", answer.status, where[0],
                                                 one.get("code"), ".".join(map(str, where[1:])),
                                                 one["message"]))

    @property
    def wrong(self):
        return [one for one in self.violations if is_wanted(one)]
