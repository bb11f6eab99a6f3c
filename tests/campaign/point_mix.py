"""What happens while a crash point waits to be visited: a run of each workflow, what people do to
some of them, and what befalls the workers. Everything is asked for until it is answered, as the
crash may be anywhere."""
import asyncio
import random
import signal

from flows import back_again, curl, each, http, join, mixed, noop, pause, shell, stubborn
from system import send
from world import World

OPEN = 20.0  # for all runs to end
HOLDING = 15.0  # until somebody has the step that is held, or has it again
RETRY = {"maxAttempts": 5, "backoff": "fixed", "delay": 50}


def tool(key, name, args):
    return {"id": key, "action": "tool", "tool": name, "args": args, "retry": RETRY}


def nap(_):
    return [noop("begin"), shell("nap", "sleep 0.7", retry=RETRY), noop("done")]


def brief(_):
    return [noop("begin"), noop("done")]


def held(_):
    """As long as workers are still to be disturbed at it."""
    return [noop("begin"), shell("held", "until [ -e held.end ]; do sleep 0.05; done",
                                 retry=RETRY), noop("done")]


def parent(_):
    return [{"id": "child", "action": "workflow", "workflow": "point-join"}, noop("done")]


def asked(ledger):
    return [{"id": "ask", "action": "approval", "prompt": "may it?"}, http("call", ledger)]


def noted(_):
    return [shell("make", "echo made > made.txt", retry=RETRY),
            tool("attach", "artifact.add", {"path": "made.txt"}),
            tool("say", "comment.add", {"message": "made"}),
            tool("keep", "state.set", {"key": "made", "value": 1}),
            tool("forget", "state.delete", {"key": "made"})]


def thought(_):
    """The provider is the ledger: it asks for a tool, then it answers."""
    return [{"id": "think", "action": "model", "model": "ledger:any", "prompt": "think",
             "tools": ["state.*"], "retry": RETRY}]


def talked(_):
    """The provider is the ledger again, and the bot that answers has its tools."""
    return [{"id": "ask", "action": "message", "from": "point-a", "to": "point-b", "body": "think",
             "wait": True, "retry": RETRY},
            {"id": "tell", "action": "message", "from": "point-a", "channel": "points",
             "body": "said", "retry": RETRY},
            {"id": "last", "action": "agent", "bot": "point-b", "prompt": "think", "retry": RETRY}]


def branched(_):
    """A git that is killed leaves a lock behind, which only who knows the repository may take
    away: here nobody else works in it."""
    return [{"id": "branch", "action": "tool", "tool": "git.ensureBranch",
             "args": {"name": "work"}, "onSuccess": "end", "onFailure": "mend"},
            shell("mend", "find .git -name '*.lock' -delete", retry=RETRY, onSuccess="branch")]


def told(_):
    return [{"id": "wait", "action": "wait", "event": "point.told"}, noop("done")]


def cut(_):
    """One fails, and what has not begun is cancelled."""
    return [noop("begin"), shell("breaks", "exit 3", needs=["begin"]),
            noop("never", needs=["breaks"])]


def left(_):
    """One leads to the end while another one waits."""
    return [noop("begin"), pause("late", 300, needs=["begin"]),
            noop("early", needs=["begin"], onSuccess="end")]


def slow(_):
    return [noop("begin"), shell("late", "sleep 60"), noop("never")]


# name: steps, what it ends as, top
FLOWS = {
    "mixed": (mixed, "COMPLETED", {}),
    "stubborn": (stubborn, "COMPLETED", {}),
    "join": (join, "COMPLETED", {}),
    "each": (each, "COMPLETED", {}),
    "parent": (parent, "COMPLETED", {}),
    "asked": (asked, "COMPLETED", {}),
    "told": (told, "COMPLETED", {}),
    "noted": (noted, "COMPLETED", {}),
    "thought": (thought, "COMPLETED", {}),
    "talked": (talked, "COMPLETED", {}),
    "branched": (branched, "COMPLETED", {}),
    "back": (back_again, "COMPLETED", {}),
    "cut": (cut, "FAILED", {}),
    "left": (left, "COMPLETED", {}),
    "held": (held, "COMPLETED", {}),
    "paused": (nap, "COMPLETED", {}),
    "cancelled": (slow, "CANCELLED", {}),
    "timed": (slow, "TIMED_OUT", {"timeout": 1000}),
    "limited": (nap, "COMPLETED", {"concurrency": 1}),
    "batch": (brief, "COMPLETED", {}),
    "limited-batch": (brief, "COMPLETED", {"concurrency": 2}),
}
# A workflow that is a program, and speaks the protocol itself.
PROGRAM = r'''#!/usr/bin/python3
import json, os, socket, sys

channel = socket.socket(fileno=int(os.environ["STEPMILL_FD"]))
reader = channel.makefile("rb")


def ask(method, **params):
    channel.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                                "params": params}).encode() + b"\n")
    while True:
        message = json.loads(reader.readline() or sys.exit(1))
        if message.get("method") == "suspend":
            os._exit(0)
        if "method" not in message:
            return message.get("result")


hello = ask("hello", protocol=1, workflow={"name": "point-program"})
if hello["mode"] == "describe":
    sys.exit(0)
for name in ("first", "second"):
    begun = ask("step.begin", name=name)
    if not begun["done"]:
        ask("step.end", step=begun["step"], output=name)
ask("call", action="tool", fields={"tool": "shell", "args": {"command": "true"}}, name="call")
ask("state.set", key="k", value=1)
ask("wait", action="wait", fields={"for": "200ms"}, name="nap")
ask("done", output="over")
'''
# By who does something to them.
BEGUN = ("asked", "cancelled", "paused", "cut", "held", "told", "batch", "limited-batch")
IN_BATCH = 20
TICKS = 3
EVENTS = 3
FILES = 3
EFFECTS = ["point-mixed/program", "point-mixed/call", "point-stubborn/program",
           "point-join/left", "point-join/middle", "point-asked/call"]


class Mix:
    def __init__(self, system, clients, history, supervisor_dies):
        self.system, self.clients, self.history = system, clients, history
        self.supervisor_dies = supervisor_dies
        self.world = World(system, clients, history, "points")
        self.chance = random.Random(0)
        self.runs = {}  # id -> (name, what it ends as)

    async def ask(self, op, method, path, body=None, key=None, **noted):
        return await self.clients.insist(self.chance, op, method, path, body, key,
                                         patience=OPEN, **noted)

    async def work(self):
        await self.system.wait("stepmill is ready", self.ready, OPEN)
        await self.bots()
        for name, (steps, _, top) in FLOWS.items():
            status, answer = await self.ask("register", "POST", "/api/workflows", {
                "name": f"point-{name}", **top, "steps": steps(self.system.ledger_url)})
            assert status in (200, 201), f"{name}: {status} {answer}"
        await asyncio.gather(self.approve(), self.cancel(), self.pause(), self.retry(),
                             self.tell(), self.disturb(), self.add_and_remove(),
                             self.keep_house(), self.age(), self.schedule(), self.tick(),
                             self.heartbeat(), self.evented(), self.watched(), self.batch(),
                             self.program(),
                             self.begin("limited", "2"), *(
                                 self.begin(name) for name in FLOWS if name not in BEGUN))
        try:
            await self.system.wait("no run is open", self.all_over, OPEN)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; but {await self.open_runs()}") from None

    async def ready(self):
        status, _ = await self.clients.call(self.chance, "ready", "GET", "/readyz")
        return status == 200

    async def open_runs(self):
        """[(id, workflow, status, [(step, status), ...])]"""
        return await self.system.sql(
            "select v.id::text, v.workflow_name, v.status, array(select (step_key,"
            " step_status_name(t.status))::text from workflow_steps t where execution_id = v.id)"
            " from v_runs v join workflow_run_state s on s.execution_id = v.id"
            " where s.status < 3")

    async def all_over(self):
        return not await self.open_runs()

    async def begin(self, name, more=""):
        status, answer = await self.ask(
            "trigger", "POST", f"/api/workflows/point-{name}/execute", {"input": {}},
            key=f"{name}{more}", workflow=f"point-{name}")
        assert status == 202, f"starting {name}: {status} {answer}"
        self.runs[answer["executionId"]] = name, FLOWS[name][1]
        return answer["executionId"]

    async def batch(self):
        """Two calls, each of which starts all of its runs, once: of runs that begin at once, and
        of limited ones."""
        for name in ("batch", "limited-batch"):
            status, answer = await self.ask("batch", "POST", f"/api/workflows/point-{name}/execute-batch",
                                            {"inputs": [{}] * IN_BATCH}, key=name)
            assert status == 202, f"starting {name}: {status} {answer}"
            assert len(set(answer["executionIds"])) == IN_BATCH
            self.runs |= {run: (name, FLOWS[name][1]) for run in answer["executionIds"]}

    async def status(self, run, *wanted):
        """Waits until it is one of these."""
        async def there():
            _, answer = await self.clients.call(self.chance, "get", "GET",
                                                f"/api/executions/{run}")
            return isinstance(answer, dict) and answer.get("status") in wanted
        await self.system.wait(f"{run} is {wanted}", there, OPEN)

    # ---- what people do ----

    async def approve(self):
        run = await self.begin("asked")
        await self.status(run, "PAUSED")
        status, answer = await self.ask("approve", "POST",
                                        f"/api/executions/{run}/steps/ask/approve", {})
        assert status in (200, 409), f"approve: {status} {answer}"  # 409: it was heard before

    async def cancel(self):
        run = await self.begin("cancelled")
        status, answer = await self.ask("cancel", "POST", f"/api/executions/{run}/cancel",
                                        execution=run)
        assert status in (200, 202, 409), f"cancel: {status} {answer}"

    async def pause(self):
        run = await self.begin("paused")
        for word, state in (("pause", "PAUSED"), ("resume", "RUNNING")):
            status, answer = await self.ask(word, "POST", f"/api/executions/{run}/{word}", {})
            assert status in (200, 202, 409), f"{word}: {status} {answer}"
            await self.status(run, state, "COMPLETED")

    async def retry(self):
        run = await self.begin("cut")
        await self.status(run, "FAILED")
        status, answer = await self.ask("retry", "POST", f"/api/executions/{run}/retry", {},
                                        key="again")
        assert status in (200, 202), f"retry: {status} {answer}"
        self.runs[answer["executionId"]] = "cut again", "FAILED"

    async def tell(self):
        run = await self.begin("told")

        async def waits():
            return await self.system.sql("select 1 from event_waits where execution_id = %s", run)
        await self.system.wait("it waits for the event", waits, OPEN)
        status, answer = await self.ask("tell", "POST", "/api/events", {
            "source": "points", "type": "point.told", "data": {}})
        assert status == 202, f"tell: {status} {answer}"

    async def evented(self):
        """Events that start a run, each one."""
        await self.change("POST", "/api/workflows", {
            "name": "point-evented", "steps": [noop("only")],
            "trigger": [{"event": {"type": "point.evented"}}]})
        for number in range(EVENTS):
            status, answer = await self.ask("tell", "POST", "/api/events", {
                "source": "points", "type": "point.evented"}, key=f"evented{number}")
            assert status == 202, f"tell: {status} {answer}"

        async def taken():
            return not await self.system.sql("select 1 from bus_events where pending")
        await self.system.wait("all events were looked at", taken, OPEN)

    async def watched(self):
        """Files that start a run, each one; and one of them goes."""
        folder = self.system.project / "watched"
        folder.mkdir(exist_ok=True)
        (folder / "before").write_text("x")
        await self.change("POST", "/api/workflows", {
            "name": "point-watched", "steps": [noop("only")],
            "trigger": [{"fileWatch": {"paths": "watched", "debounce": 50}}]})
        for number in range(FILES):
            (folder / str(number)).write_text("x")

        async def noted(count):
            return await self.system.sql(
                "select 1 from workflow_triggers where kind = 'file_watch' and watched_since"
                " is not null and (select count(*) from watched_files) = %s", count)
        await self.system.wait("the files were seen", lambda: noted(FILES + 1), OPEN)
        (folder / "before").unlink()
        await self.system.wait("it was seen that one went", lambda: noted(FILES), OPEN)

    async def program(self):
        """A workflow that is a program: it is found, runs, rests, and runs on."""
        folder = self.system.project / ".agent/workflows/templates"
        folder.mkdir(parents=True, exist_ok=True)
        made = folder / ".point"
        made.write_text(PROGRAM)
        made.chmod(0o755)
        made.rename(folder / "point-program.workflow")

        async def found():
            status, _ = await self.clients.call(self.chance, "get", "GET",
                                                "/api/workflows/point-program")
            return status == 200
        await self.system.wait("the program is found", found, OPEN)
        status, answer = await self.ask("trigger", "POST", "/api/workflows/point-program/execute",
                                        {"input": {}}, key="program", workflow="point-program")
        assert status == 202, f"starting the program: {status} {answer}"
        self.runs[answer["executionId"]] = "program", "COMPLETED"

    async def change(self, method, path, body=None, key=None, again=()):
        """again: what else may be answered, when it was heard before."""
        status, answer = await self.ask("change", method, path, body, key)
        assert status in (200, 201, 204, *again), f"{method} {path}: {status} {answer}"
        return answer

    async def add_and_remove(self):
        """A run that gets a comment and a file, and goes; then its workflow."""
        await self.change("POST", "/api/workflows", {"name": "point-gone", "steps": [noop("only")]})
        status, answer = await self.ask("begin", "POST", "/api/workflows/point-gone/execute", {},
                                        key="gone")
        assert status == 202, f"starting gone: {status} {answer}"
        run = answer["executionId"]
        await self.status(run, "COMPLETED")
        await self.change("POST", f"/api/executions/{run}/comments", {"message": "x"}, "said")
        await self.change("POST", f"/api/executions/{run}/artifacts?name=x", {"x": 1}, "kept")
        await self.change("DELETE", f"/api/executions/{run}", again=(404,))
        await self.change("DELETE", "/api/workflows/point-gone?deactivate=true")
        await self.change("DELETE", "/api/workflows/point-gone", again=(404,))

    async def keep_house(self):
        project = await self.change("POST", "/api/projects", {
            "name": "point", "path": str(self.system.project)}, "project")
        path = f"/api/projects/{project['id']}"
        await self.change("PATCH", path, {"defaultBranch": "work"})
        await self.change("DELETE", path, again=(404,))
        await self.change("POST", "/api/workflows/point-mixed/test-step",
                          {"stepId": "echo", "steps": {"call": {"body": {"key": "k"}}}}, "tested",
                          again=(202,))
        status, pool = await self.ask("look", "GET", "/api/pool")
        assert status == 200, pool
        await self.change("PUT", "/api/pool", {"workers": 2, "node": pool["node"]}, "wished",
                          again=(202, 404))
        key = await self.change("POST", "/api/api-keys", {"name": "point", "role": "viewer"}, "key")
        await self.change("DELETE", f"/api/api-keys/{key['id']}")

    async def age(self):
        """A run that ended two hours ago, and an entry of the ledger as old."""
        await self.change("POST", "/api/workflows", {"name": "point-old", "steps": [noop("only")]})
        status, answer = await self.ask("begin", "POST", "/api/workflows/point-old/execute", {},
                                        key="old")
        assert status == 202, f"starting old: {status} {answer}"
        run = answer["executionId"]
        await self.status(run, "COMPLETED")
        await self.system.sql(
            "with s as (insert into schedules (id, name, project_id, cron_expression, enabled)"
            " select uuid7(), 'old', id, '@daily', false from projects where name = 'default'"
            " returning id)"
            " insert into schedule_firings (schedule_id, fire_time, outcome, run_id, created_at)"
            " select id, now() - interval '2 hours', 'started', %s::uuid,"
            " now() - interval '2 hours' from s returning 1", run)
        await self.system.sql("update workflow_runs set completed_at = now() - interval '2 hours'"
                              " where id = %s returning 1", run)

        async def gone():
            return not await self.system.sql(
                "select 1 from workflow_runs where id = %s union all select 1 from"
                " schedule_firings where run_id = %s", run, run)
        await self.system.wait("what is old is gone", gone, OPEN)

    async def bots(self):
        """Two that talk, and one that is made, changed, told something, and goes."""
        for slug in ("point-a", "point-b", "point-c"):
            await self.change("POST", "/api/bots", {"slug": slug, "model": "ledger:any",
                                                    "tools": ["state.*"]}, slug)
        await self.change("PATCH", "/api/bots/point-c", {"name": "gone soon"})
        await self.change("POST", "/api/bots/point-c/send", {"body": "x"}, "to-bot")
        await self.change("POST", "/api/channels/points/send", {"body": "x"}, "to-channel")
        await self.change("DELETE", "/api/bots/point-c", again=(404,))

    async def schedule(self):
        """One that is made, changed, paused, fired once, and goes."""
        await self.change("POST", "/api/workflows", {"name": "point-yearly", "steps": [noop("only")]})
        made = await self.change("POST", "/api/schedules", {
            "name": "point", "cronExpression": "@yearly", "workflowId": "point-yearly"}, "yearly")
        path = f"/api/schedules/{made['id']}"
        await self.change("PATCH", path, {"jitterMs": 1000})
        await self.change("PATCH", path, {"enabled": False})
        fired = await self.change("POST", f"{path}/fire", key="fired", again=(202,))
        self.runs[fired["executionId"]] = "yearly", "COMPLETED"
        await self.change("DELETE", path, again=(404,))

    async def tick(self):
        """One that fires each second, three times, and one whose rule nobody can read."""
        await self.change("POST", "/api/workflows", {
            "name": "point-tick", "steps": [noop("only")], "trigger": [
                {"cron": "* * * * * *", "maxRuns": TICKS, "overlap": "allow"}]})
        await self.system.sql(
            "insert into schedules (id, name, project_id, cron_expression, timezone,"
            " next_run_at, due_at) select uuid7(), 'broken', id, '@daily', 'Mars/Base', now(),"
            " now() from projects where name = 'default' returning 1")

        async def over():
            return not await self.system.sql("select 1 from schedules where enabled"
                                             " and (declared_by is not null or name = 'broken')")
        await self.system.wait("the schedules are over", over, OPEN)
    async def heartbeat(self):
        """One that is configured, fired, whose file then says something else, and goes."""
        file = self.system.project / "POINT.md"
        file.write_text("# nothing to do\n")
        made = await self.change("POST", "/api/heartbeats", {"heartbeatPath": "POINT.md"}, "beat")
        path = f"/api/heartbeats/{made['id']}"
        file.write_text("---\ninterval: 45\n---\n")
        await self.change("POST", "/api/heartbeats", {"heartbeatPath": "POINT.md", "interval": 7}, "beat-again")
        file.write_text("---\ninterval: 50\n---\n")
        fired = await self.change("POST", f"{path}/fire", key="beat-fired", again=(202,))
        self.runs[fired["executionId"]] = "beat", "COMPLETED"
        await self.status(fired["executionId"], "COMPLETED")
        await self.change("DELETE", path, again=(404,))

    # ---- what befalls workers ----

    async def disturb(self):
        """One has to hand its step back, the next one is killed with it."""
        run = await self.begin("held")
        for number in (signal.SIGTERM, signal.SIGKILL):
            await self.end_worker(await self.holder(run), number)
        if self.supervisor_dies:
            await self.holder(run)
            self.history.fault("supervisor", "killed")
            self.system.kill_supervisor()
        (self.system.project / "held.end").touch()

    async def holder(self, run):
        pid = await self.world.worker_of(run, 2, HOLDING)
        assert pid is not None, "nobody runs the step that is held"
        return pid

    async def end_worker(self, pid, number):
        """A second SIGTERM hurries."""
        self.history.fault("worker", f"signal {number}", pid=pid)
        await self.system.wait("the worker is gone", lambda: not send(pid, number), OPEN)

    # ---- what must have come of it ----

    async def wrong_counts(self):
        """Runs of a batch that nobody was told of."""
        made = await self.system.sql(
            "select workflow_name, count(*) from v_runs where workflow_name like %s"
            " group by 1", "point-%batch")
        return [f"{name} has {count} runs, not {IN_BATCH}" for name, count in made
                if count != IN_BATCH] + await self.wrong_firings() + await self.wrong_events() \
            + await self.wrong_files()

    async def wrong_events(self):
        """Events that started no run, or two."""
        [counts] = await self.system.sql(
            "select (select count(*) from bus_events where type = 'point.evented'), count(*),"
            " count(distinct trigger_payload ->> 'id') from workflow_runs"
            " where triggered_by = 'event'")
        return [] if counts == (EVENTS,) * 3 else [f"events, runs, of events: {counts}"]

    async def wrong_files(self):
        """Files that started no run, or two."""
        [counts] = await self.system.sql(
            "select count(*), count(distinct trigger_payload ->> 'path') from workflow_runs"
            " where triggered_by = 'file_watch'")
        return [] if counts == (FILES,) * 2 else [f"runs of files, files: {counts}"]

    async def wrong_firings(self):
        """Of the schedule that fired each second: entries without a run, runs without one."""
        [counts] = await self.system.sql(
            "select s.run_count, (select count(*) from workflow_runs where schedule_id = s.id),"
            " (select count(*) from schedule_firings f join workflow_runs r on r.id = f.run_id"
            " and r.schedule_id = f.schedule_id where f.schedule_id = s.id"
            " and f.outcome = 'started') from schedules s where s.declared_by is not null"
            " and s.name = 'point-tick'")
        return [] if counts == (TICKS,) * 3 else [f"counted, runs, entries: {counts}"]

    async def wrong_ends(self):
        ended = {row[0]: row[1:] for row in await self.system.sql(
            "select id::text, upper(status), error from v_runs")}
        return [f"{name} ({run}) ended as {ended.get(run)}, not {wanted}"
                for run, (name, wanted) in self.runs.items()
                if ended.get(run, (None,))[0] != wanted]
