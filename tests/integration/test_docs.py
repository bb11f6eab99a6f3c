"""What the documents show is true: README's tour is typed as it stands, every piece of YAML is
a workflow, every curl line is answered, and every route of the HTTP API's page is there."""
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import textwrap
import time

import psycopg
import pytest

from harness.routes import routes
from harness.servers import Server
from harness.stepmill import BIN, OVER, ROOT, Refused, Stepmill, wait_for

PAGES = ["README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
         *sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("examples/*/README.md"))]
ADDRESS = "http://127.0.0.1:3456"


def page(name):
    return (ROOT / name).read_text()


def section(text, title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


def fenced(text, kind):
    """The blocks between ``` of that kind, with the line each begins at."""
    blocks, inside = [], None
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        mark = re.match(r" *```(\w*)$", line)
        if mark and inside is None:
            inside = (mark[1], number + 1, [])
        elif mark:
            if inside[0] == kind:
                blocks.append((inside[1], "".join(inside[2])))
            inside = None
        elif inside is not None:
            inside[2].append(line)
    return blocks


def indented(text):
    """The lines of blocks that are indented by four."""
    return "".join(line[4:] if line.startswith("    ") else "\n"
                   for line in text.splitlines(keepends=True))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


# ---- README ----

class Tour:
    """README's five minutes in a home of its own. What builds is left out: that was done."""

    def __init__(self, home):
        self.home, self.folder = home, home / "hello"
        lines = indented(section(page("README.md"), "Five minutes")).splitlines()
        self.built = [line for line in lines
                      if re.match(r"deploy/|cmake |export PATH=\$PWD/build/release/bin", line)]
        self.port = str(free_port())
        self.script = "\n".join(line for line in lines if line not in self.built)
        assert self.script.count("stepmill dev --detach") == 1 and ADDRESS in self.script
        self.script = self.script.replace("3456", self.port).replace(
            "dev --detach", f"dev --port {self.port} --detach")
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith("STEPMILL_") and name not in ("DATABASE_URL", "REDIS_URL")}
        self.environment |= {"HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}"}

    def type(self, script, folder=None):
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], text=True,
                              cwd=folder or self.home, env=self.environment, timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)

    def stop(self):
        if (self.folder / ".stepmill/dev.json").exists():
            self.type("stepmill dev --stop", self.folder)


@pytest.fixture
def tour(tmp_path):
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)  # the servers of root run as another user
    tour = Tour(tmp_path)
    yield tour
    tour.stop()


def test_the_tour_of_the_readme(tour):
    assert len(tour.built) == 3
    done = tour.type(tour.script)
    assert done.returncode == 0, done.stdout
    for said in (f"ready in .*http://127.0.0.1:{tour.port}", r"good \(hello, 4 steps\)",
                 r"flaky .*will be tried again", r"hello-1 COMPLETED in", r"hello-2 COMPLETED in",
                 r"run +hello-1\n", r'"executionId":"', r'"type": ?"run.completed"', "stopped"):
        assert re.search(said, done.stdout), f"{said}: {done.stdout}"
    assert (tour.folder / "greeting.txt").read_text() == "Good day, you\n"
    assert (tour.folder / ".stepmill").is_dir()


def test_it_goes_on_after_everything_was_killed(tour):
    """"While hello naps, kill -9 a worker, or everything"."""
    lines = tour.script.split("stepmill validate")[0]
    done = tour.type(lines + "\ncd ~/hello && stepmill run .agent/workflows/templates/hello.yaml"
                             " who=you --detach")
    assert done.returncode == 0, done.stdout
    run = done.stdout.split()[-1]

    def napping():
        shown = tour.type(f"stepmill show {run} --json", tour.folder).stdout
        return json.loads(shown)["steps"][-1]["status"] == "WAITING"

    wait_for("hello naps", napping)
    state = json.loads((tour.folder / ".stepmill/dev.json").read_text())
    workers = json.loads(tour.type("stepmill scale --json", tour.folder).stdout)["workers"]
    victims = [worker["pid"] for worker in workers] + [
        state[name] for name in ("supervisorPid", "schedulerPid", "redisPid", "postgresPid", "pid")]
    assert len(victims) == 7
    for victim in victims:
        subprocess.run(["kill", "-9", str(victim)], check=True)
    wait_for("all of them gone", lambda: not any(map(is_alive, victims)))
    done = tour.type(f"stepmill dev --port {tour.port} --detach", tour.folder)
    assert done.returncode == 0, done.stdout

    def over():
        shown = json.loads(tour.type(f"stepmill show {run} --json", tour.folder).stdout)
        return shown if shown["status"] in OVER else None

    shown = wait_for("hello over", over)
    assert shown["status"] == "COMPLETED" and len(shown["steps"]) == 4
    assert (tour.folder / "greeting.txt").read_text() == "Good day, you\n"


def test_links_lead_somewhere():
    for name in [*PAGES, "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]:
        text, folder = page(name), (ROOT / name).parent
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (folder / link).exists(), f"{name}: {link}"
        for word in re.findall(r"`((?:deploy|docs|examples|sql|tests)/[\w./-]+)`", text):
            assert (ROOT / word).exists() or "NNNN" in word, f"{name}: {word}"


# ---- docs/running.md ----

@pytest.fixture
def servers():
    servers = Server()
    with psycopg.connect(servers.url("postgres"), autocommit=True) as admin:
        admin.execute("create database service")
    yield servers
    servers.remove()


def test_running_it_as_a_service(servers, tmp_path):
    """Both blocks, typed into one shell; then the end that the page promises."""
    port = str(free_port())
    first, then = (text.replace("3456", port) for _, text in fenced(page("docs/running.md"), "sh"))
    first = re.sub(r"^export DATABASE_URL=.*$", f"export DATABASE_URL='{servers.url('service')}'",
                   first, flags=re.M)
    first = re.sub(r"^export REDIS_URL=.*$", f"export REDIS_URL='unix:{servers.redis_sock}'",
                   first, flags=re.M)
    (tmp_path / "hi.yaml").write_text(
        "name: hi\nsteps: [{ id: where, action: tool, tool: shell, args: { command: pwd } }]\n")
    script = f"""
        {first}
        supervisor=$(jobs -p %1) scheduler=$(jobs -p %2)
        trap 'kill -9 $supervisor $scheduler 2>/dev/null' EXIT
        cp hi.yaml project/.agent/workflows/templates/
        until curl -sf {ADDRESS.replace("3456", port)}/readyz >/dev/null; do sleep 0.05; done
        export STEPMILL_API_KEY=$(grep -o 'sm_[^ ]*' key.txt)
        {then}
        stepmill run hi.yaml
        stepmill run hi --json | grep -F "$PWD/project"
        kill $supervisor && wait $supervisor
        kill $scheduler && wait $scheduler
        trap - EXIT
        echo both ended with 0
    """
    made = re.search(r"^stepmill keys create.*$", script, re.M)[0]
    script = script.replace(made, re.sub(r" +#.*", "", made) + " > key.txt")
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("STEPMILL_")} | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", textwrap.dedent(script)],
                          cwd=tmp_path, env=environment, text=True, timeout=90,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    logs = "".join((tmp_path / name).read_text() for name in ("supervisor.log", "scheduler.log")
                   if (tmp_path / name).exists())
    assert done.returncode == 0, done.stdout + logs
    assert "hi-1 COMPLETED" in done.stdout and "both ended with 0" in done.stdout
    assert '"level":"error"' not in logs, logs


@pytest.mark.parametrize("program", ["supervisor", "worker", "scheduler"])
@pytest.mark.parametrize("missing", ["DATABASE_URL", "REDIS_URL"])
def test_a_wrong_configuration_is_78(tmp_path, program, missing):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("STEPMILL_")}
    environment |= {"DATABASE_URL": f"host={tmp_path}", "REDIS_URL": f"unix:{tmp_path}/none"}
    del environment[missing]
    done = subprocess.run([BIN / f"stepmill-{program}"], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 78, done.stderr
    assert f"nor is {missing}" in done.stderr


# ---- YAML ----

def as_workflow(text):
    """A workflow of what may be a part of one: keys of the top, steps, or keys of a step."""
    first = next(line for line in text.splitlines() if line.strip() and line[0] != "#")
    step = "  - id: shown\n    action: tool\n    tool: shell\n"
    if first.startswith("name:"):
        return text
    if first.startswith("    "):
        return "name: part\nsteps:\n" + step + text + (
            "" if "args:" in text else "    args: { command: 'true' }\n")
    if first.startswith("  - "):
        return "name: part\nsteps:\n" + text
    if first.startswith("steps:"):
        return "name: part\n" + text
    return "name: part\n" + text + "steps:\n" + step + "    args: { command: 'true' }\n"


# Of a configuration, not of a workflow; what begins with http: is a part of a step in places.
PARTS = ("http:", "mcp:", "agents:", "# stepmill.yaml")
YAML = [(name, line, text) for name in PAGES if name != "docs/configuration.md"
        for line, text in fenced(page(name), "yaml")
        if not text.startswith(PARTS)]
CONFIGURATIONS = [text for name in PAGES for _, text in fenced(page(name), "yaml")
                  if name == "docs/configuration.md" or text.startswith(PARTS[1:])]


@pytest.mark.parametrize("name, line, text", YAML, ids=[f"{n}:{li}" for n, li, _ in YAML])
def test_yaml_is_a_workflow(stepmill, name, line, text):
    try:
        answer = stepmill.post("/api/workflows/validate", as_workflow(text),
                               content_type="application/yaml")
    except Refused as refused:
        raise AssertionError(f"{name}:{line}: {json.dumps(refused.body, indent=1)}") from None
    assert answer["valid"]


def test_there_is_yaml():
    assert sum(name == "docs/workflow-format.md" for name, *_ in YAML) >= 10


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_configuration_is_read(tmp_path, text):
    assert len(CONFIGURATIONS) >= 6
    key = tmp_path / "key"
    key.write_text("a key\n")
    config = tmp_path / "stepmill.yaml"
    config.write_text(text.replace("/run/secrets/anthropic", str(key)))
    done = subprocess.run([BIN / "stepmill-supervisor", "--config", config, "--check"], text=True,
                          capture_output=True,
                          env={**os.environ, "DATABASE_URL": "host=/nowhere",
                               "TRACKER_AUTHORIZATION": "Bearer sesame"})
    assert done.returncode == 0, done.stderr


def test_commands_of_the_workflow_format(stepmill):
    text = page("docs/workflow-format.md")
    _, workflow = fenced(text, "yaml")[0]
    _, commands = fenced(text, "")[0]
    (stepmill.folder / "hello.yaml").write_text(workflow)
    stepmill.workflow(workflow)
    for command in commands.splitlines():
        program, *words = shlex.split(command)
        done = stepmill.cli(*words)
        assert program == "stepmill" and done.returncode == 0, done.stdout + done.stderr
    assert "COMPLETED" in done.stdout


def test_mistakes_read_as_shown(tmp_path):
    """The page's own mistakes, made in a file of that name."""
    for line in section(page("docs/workflow-format.md"), "Errors at registration").splitlines():
        match = re.match(r"release.yaml:\d+:\d+ steps\[\d+\](\S*): (.*)", line)
        if match is None:
            continue
        key, message = match.groups()
        given = {".retry.backoff": "retry: { backoff: expo }", "": "onSucess: review",
                 ".onFailure": "onFailure: reveiw"}[key]
        (tmp_path / "release.yaml").write_text(
            f"name: release\nsteps:\n  - id: one\n    action: noop\n    {given}\n"
            "  - { id: review, action: noop }\n")
        done = subprocess.run([BIN / "stepmill", "validate", "release.yaml"], cwd=tmp_path,
                              capture_output=True, text=True)
        assert done.returncode == 1
        assert re.search(rf"release.yaml:5:\d+ steps\[0\]{re.escape(key)}: {re.escape(message)}\n",
                         done.stdout + done.stderr), done.stdout + done.stderr


# ---- the HTTP API ----

ASKS = "name: asks\nsteps: [{ id: ask, action: approval, prompt: Really? }]\n"


def ask(stepmill):
    run = stepmill.execute("asks")
    wait_for("it asks", lambda: stepmill.execution(run)["status"] == "PAUSED")
    return run


@pytest.fixture(scope="module")
def served():
    """One run, hello-1, of the format's first example, with a comment and an artifact; and
    one that waits for an approval."""
    with Stepmill(workers=1) as stepmill:
        _, text = fenced(page("docs/workflow-format.md"), "yaml")[0]
        (stepmill.folder / "hello.yaml").write_text(text + """
  - { id: write, action: tool, tool: files.write, args: { path: a.txt, content: text } }
  - { id: keep, action: tool, tool: artifact.add, args: { path: a.txt } }
  - { id: tell, action: tool, tool: comment.add, args: { message: done } }
""")
        stepmill.workflow((stepmill.folder / "hello.yaml").read_text())
        stepmill.first = stepmill.run("hello", {"who": "World"})
        assert stepmill.first["runId"] == "hello-1"
        stepmill.workflow(ASKS)
        ask(stepmill)
        skill = stepmill.folder / ".agent/skills/hello/SKILL.md"
        skill.parent.mkdir(parents=True)
        skill.write_text("---\ndescription: Says hello.\n---\nHello.\n")
        yield stepmill


CURL = [(line, command) for line, text in fenced(page("docs/http-api.md"), "")
        for command in re.sub(r"\\\n *", "", text).splitlines() if command.startswith("curl ")]


@pytest.mark.parametrize("line, command", CURL)
def test_curl(served, line, command):
    words = shlex.split(command.replace(ADDRESS, served.url))
    done = subprocess.run([*words, "-w", "\n%{http_code}"], cwd=served.folder, text=True,
                          capture_output=True, timeout=60)
    body, status = done.stdout.rsplit("\n", 1)
    assert done.returncode == 0 and 200 <= int(status) < 300, done.stdout + done.stderr
    assert isinstance(json.loads(body), dict)


def test_there_is_curl():
    assert len(CURL) >= 5


ROUTES = re.findall(r"(GET|POST|PUT|PATCH|DELETE) `(/[\w/:.-]+)`((?: `[?{][^`]*`)?)", page("docs/http-api.md"))
BODIES = {"/api/workflows": "name: one\nsteps: [{ id: a, action: noop }]\n",
          "/api/workflows/validate": "name: one\nsteps: [{ id: a, action: noop }]\n",
          "/api/workflows/:id/execute-batch": '{"inputs": [{"who": "World"}]}',
          "/api/workflows/:id/test-step": '{"stepId": "keep"}',
          "/api/events": '{"source": "shop", "type": "order", "data": {}}',
          "/api/pool": '{"workers": 1}',
          "/api/workflows/:id": "name: changed\nsteps: [{ id: a, action: noop }]\n",
          "/api/executions/:id/comments": '{"message": "said"}',
          "/api/executions/:id/steps/:stepId/comments": '{"message": "said"}',
          "/api/executions/:id/artifacts": "data",
          "/api/executions/bulk": '{"action": "cancel", "filter": {"workflowId": "hello"}}',
          "/api/projects": '{"name": "docs", "path": "/tmp"}',
          "PATCH /api/projects/:id": '{"path": "/tmp"}',
          "/api/projects/:id": '{"name": "docs-changed", "path": "/tmp"}',
          "/api/api-keys": '{"name": "docs", "role": "viewer"}',
          "/api/schedules": '{"name": "docs", "cronExpression": "@yearly"}',
          "PATCH /api/schedules/:id": '{"enabled": false, "maxRuns": null}',
          "/api/schedules/:id": '{"name": "docs", "cronExpression": "@monthly", "timezone": "UTC"}',
          "/api/heartbeats": '{"heartbeatPath": "docs/HEARTBEAT.md"}',
          "PATCH /api/heartbeats/:id": '{"enabled": false, "model": null}',
          "/api/heartbeats/:id": '{"heartbeatPath": "docs/OTHER.md", "interval": 45}',
          "/api/bots": '{"slug": "docs"}',
          "PATCH /api/bots/:id": '{"model": null, "tools": ["git.*"]}',
          "/api/bots/:id": '{"name": "Docs", "systemPrompt": "Be brief."}',
          "/api/bots/:id/send": '{"body": "Hello."}',
          "/api/channels/:name/send": '{"body": "Hello."}',
          "/api/schedules/preview": '{"cronExpression": "@daily", "timezone": "UTC", "count": 2}'}
QUERY = {"isActive": "true", "page": "1", "limit": "5", "status": "completed,FAILED",
         "workflowId": "hello", "triggeredBy": "manual", "since": "2020-01-01T00:00:00Z",
         "until": "2120-01-01T00:00:00Z", "q": "hello", "sort": "-startedAt",
         "wait": "1s", "follow": "true", "name": "a.txt", "stepId": "keep", "level": "info", "type": "OTHER"}


OVER_ALREADY = ("/cancel", "/pause", "/resume", "/retry")  # of a run that is completed


def one_more(served, path):
    """Something that may be changed or go: its id."""
    if path.startswith("/api/projects"):
        return served.post("/api/projects", {"name": f"docs-{time.monotonic_ns()}", "path": "/tmp"})["id"]
    if path.startswith("/api/api-keys"):
        return served.post("/api/api-keys", {"name": f"docs-{time.monotonic_ns()}",
                                             "role": "viewer"})["id"]
    if path.startswith("/api/bots"):
        return served.post("/api/bots", {"slug": f"docs-{time.monotonic_ns()}",
                                         "projectId": served.first["projectId"]})["id"]
    if path.startswith("/api/heartbeats"):
        return served.post("/api/heartbeats", {"heartbeatPath": f"docs/{time.monotonic_ns()}.md"})["id"]
    if path.startswith("/api/schedules"):
        return served.post("/api/schedules", {"name": "docs", "cronExpression": "@yearly",
                                              "workflowId": "hello"})["id"]
    served.workflow(BODIES["/api/workflows/:id"])
    return served.run("changed")["id"] if path.startswith("/api/executions") else "changed"


def route_url(served, method, path, query):
    run = served.first
    if method in ("PUT", "PATCH", "DELETE") or path in (
            "/api/projects/:id", "/api/schedules/:id", "/api/schedules/:id/fire",
            "/api/heartbeats/:id", "/api/heartbeats/:id/fire", "/api/bots/:id", "/api/bots/:id/send"):
        path = path.replace(":id", one_more(served, path)) if ":id" in path else path
    if path in ("/api/api-keys", "/api/schedules", "/api/heartbeats", "/api/bots") and method == "GET":
        one_more(served, path)
    path = path.replace("/channels/:name", "/channels/docs")
    if path == "/api/heartbeats/:id/results":
        path = path.replace(":id", one_more(served, path))
        served.wait_ended(served.post(path.replace("results", "fire"))["executionId"])
    if path.startswith("/api/sessions"):
        bot = one_more(served, "/api/bots")
        made = served.sql(
            "insert into agent_sessions (id, execution_id, step_number, name, session_type, bot_id,"
            " created_at) select uuid7(), %s, 1, 'docs', 'model', %s, now() + i * interval '1 s'"
            " from generate_series(1, 2) i returning id::text", run["id"], bot)
        path = path.replace(":id", made[0][0])
    if path == "/api/schedules/:id/firings":
        path = path.replace(":id", one_more(served, path))
        served.post(path.replace("firings", "fire"))
    if path == "/webhooks/:path":
        served.workflow("name: hooked\ntrigger: { webhook: { path: of/docs, auth: none } }\n"
                        "steps: [{ id: a, action: noop }]\n")
        path = "/webhooks/of/docs"
    ids = {"/api/workflows": "hello", "/api/executions": run["runId"],
           "/api/artifacts": run["artifacts"][0]["id"]}
    for prefix, found in ids.items():
        if path.startswith(prefix + "/:id"):
            path = path.replace(":id", found)
    if ":stepId" in path:
        path = path.replace(run["runId"], ask(served)).replace(":stepId", "ask")
    names = re.findall(r"[?&](\w+)=", query)
    values = QUERY | {"projectId": run["projectId"]}
    if "events" in path:
        values["since"] = "0"
    if path == "/api/approvals":
        values["status"] = "pending"
    if path == "/api/audit":
        values |= {"who": "dev", "what": "workflow.register", "target": "hello",
                   "cursor": "ffffffff-ffff-7fff-bfff-ffffffffffff"}
    elif path == "/api/sessions":
        values |= {"type": "model", "bot": bot, "executionId": run["runId"], "cursor": made[1][0]}
    elif path == "/api/heartbeats":
        values["enabled"] = "true"
    elif path.endswith("/results"):
        values |= {"actionNeeded": "true", "cursor": "", "page": "1"}
        names.remove("cursor")
    elif path == "/api/schedules":
        values |= {"kind": "workflow", "enabled": "true", "name": "docs", "sort": "createdAt",
                   "cursor": "00000000-0000-7000-8000-000000000000"}
    elif "firings" in path:
        values |= {"outcome": "started", "sort": "-fireTime", "cursor": "9999999999999999"}
    elif "cursor" in names:  # what comes before the newest but one
        values["cursor"] = str(int(run["runId"].split("-")[-1]) + 1)
    return path + "?" + "&".join(f"{name}={values[name]}" for name in names)


@pytest.mark.parametrize("method, path, query", [r for r in ROUTES if r[1] != "/api/pool/drain"])
def test_route(served, method, path, query):
    url = route_url(served, method, path, query)
    kind = "application/yaml" if BODIES.get(path, "").startswith("name:") else "application/json"
    try:
        body = BODIES.get(f"{method} {path}", BODIES.get(path)) if method != "GET" else None
        answer = served.request(method, url, body, content_type=kind)
    except Refused as refused:
        assert path.endswith(OVER_ALREADY) and refused.status == 409, refused
        return
    assert answer or method == "DELETE"
    if isinstance(answer, dict) and "data" in answer:
        assert answer["data"], f"nothing found by {url}"


def test_every_route_is_described():
    """The other way round: what the front serves stands on the page."""
    described = {(method, path) for method, path, _ in ROUTES}
    described |= {("POST", "/api/workflows/:id/trigger"), ("GET", "/ws")}  # ws: websocket.md
    assert {(route.method, route.path) for route in routes()} == described


def names(text, what):
    """The names in the first `{...}` after what."""
    body = re.search(what + r" is `\{(.*?)\}`", text, re.S)[1]
    return set(re.findall(r"\w+", body))


@pytest.mark.parametrize("what, find", [
    ("A run", lambda run: run), ("A step", lambda run: run["steps"][-1]),
    ("A comment", lambda run: run["comments"][0]),
    ("An artifact", lambda run: run["artifacts"][0]),
    ("A workflow", None), ("A schedule", "schedules"), ("A firing", "firings"),
    ("A heartbeat", "heartbeats"), ("A result", "results"), ("A bot", "bots"), ("A message", "messages"),
])
def test_members(served, what, find):
    text = page("docs/http-api.md")
    if find in ("bots", "messages"):
        made = f"/api/bots/{one_more(served, '/api/bots')}"
        shown = served.get(made) if find == "bots" else served.post(f"{made}/send", {"body": "x"})
        assert names(text, what) == set(shown)
        return
    if find in ("heartbeats", "results"):
        made = one_more(served, "/api/heartbeats")
        shown = served.get(f"/api/heartbeats/{made}")
        if find == "results":
            served.wait_ended(served.post(f"/api/heartbeats/{made}/fire")["executionId"])
            shown = served.get(f"/api/heartbeats/{made}/results")["data"][0]
        assert names(text, what) == set(shown)
        return
    if isinstance(find, str):
        made = one_more(served, "/api/schedules")
        served.post(f"/api/schedules/{made}/fire")
        shown = served.get(f"/api/schedules/{made}" + ("/firings" if find == "firings" else ""))
        shown = shown["data"][0] if find == "firings" else shown
        assert names(text, what) == set(shown)
        return
    shown = served.get("/api/workflows")["data"][0] if find is None else find(served.first)
    assert names(text, what) <= set(shown), names(text, what) - set(shown)


def test_events_are_described(served):
    text = page("docs/http-api.md")
    for event in served.events(served.first["id"]):
        line = re.search(rf"^\| [^|]*`{event['type']}`[^|]*\| (.*) \|$", text, re.M)
        assert line, event["type"]
        assert set(event["payload"]) <= set(re.findall(r"\w+", line[1])) | {
            "stepId", "stepNumber", "stepKey", "name", "action"}


def test_programs_are_there():
    """Pages of the man, and the commands that --help knows, are named by the README."""
    text = page("README.md")
    assert "man deploy/man/stepmill.1" in text and shutil.which("man")
    done = subprocess.run(["man", "deploy/man/stepmill.1"], cwd=ROOT, text=True,
                          capture_output=True, env={**os.environ, "MANPAGER": "cat"})
    assert done.returncode == 0 and "release-notes-42" in done.stdout, done.stderr
