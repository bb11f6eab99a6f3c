"""What goes wrong, one function each, named by its id in the list of faults.

A fault gets the world and chance of its own (seeded by the campaign's seed and its place in
the plan), does its harm, undoes it, and returns. It never repairs the engine. `locks` name
what may not be harmed twice at once; the nemesis takes them. To add one: a function with
@fault, and a row in nemesis.FULL.
"""
import asyncio
import contextlib
import os
import pathlib
import signal
import time

import psycopg
import redis.asyncio
from system import descendants, send, state_of

FAULTS = {}
LEASE = 3.0
LISTS = [f"stepmill:q:default:{priority}" for priority in ("high", "normal", "low")]


def fault(name, *locks):
    def register(function):
        FAULTS[name] = (function, locks)
        return function
    return register


async def some(world, what, choose):
    """What there is to choose from, waiting a moment when there is nothing."""
    with contextlib.suppress(TimeoutError):
        return await world.system.wait(what, choose, 5)
    return []


# ---- A: processes ----

@fault("A1")
async def a1_worker_killed(world, chance):
    workers = await some(world, "a worker", world.system.workers)
    if workers:
        world.kill_worker("A1", chance.choice(workers))


@fault("A3", "supervisors")
async def a3_supervisor_killed(world, chance):
    """The parent alone: its children must notice by themselves."""
    supervisor = chance.choice(world.system.supervisors())
    if supervisor.process.poll() is None:
        supervisor.kill()
        world.system.counters["supervisor_kills"] += 1


@fault("A4")
async def a4_scheduler_killed(world, chance):
    """Half of them lead, half stand by."""
    scheduler = chance.choice(world.system.schedulers())
    if scheduler.process.poll() is None:
        scheduler.kill()
        world.system.counters["scheduler_kills"] += 1


@fault("A5")
async def a5_zombie_worker(world, chance):
    workers = await some(world, "a worker", world.system.workers)
    if workers:
        pid = chance.choice(workers)
        send(pid, signal.SIGSTOP)
        await asyncio.sleep(3 * LEASE)
        send(pid, signal.SIGCONT)


@fault("A6", "supervisors")
async def a6_supervisor_stopped(world, chance):
    """A whole supervisor stands still, longer than its leases; the other one goes on. Programs
    of its steps are not stopped: what they then do late, nobody could prevent."""
    parent = world.system.supervisors()[1].process.pid
    stopped = [pid for pid in [parent, *descendants(parent)]
               if (state_of(pid)[0] or "") in ("stepmill-superv", "stepmill-worker")]
    for pid in stopped:
        send(pid, signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(2.5, 4) * LEASE)
    for pid in stopped:
        send(pid, signal.SIGCONT)


@fault("A7", "supervisors", "pg", "redis")
async def a7_all_at_once(world, chance):
    system = world.system
    for pid in system.engine_processes():
        send(pid, signal.SIGKILL)
    for pid in system.postgres.processes():
        send(pid, signal.SIGKILL)
    system.redis.kill()
    system.counters["postgres_stops"] += 1
    await asyncio.sleep(chance.uniform(0.1, 2))
    await system.redis.restart()
    await system.postgres_start()


@fault("A8")
async def a8_poison_step(world, chance):
    """A step whose worker dies each time it runs. Here the worker is killed for it, more often
    than three times: what it loses in company, or while no supervisor sees it die, is a loss
    that is not held against it."""
    run = await world.begin(chance, "poison", [world.shell("dies", "sleep 60")])
    for _ in range(10):
        pid = await world.worker_of(run, 1)
        if pid is None:
            break
        world.kill_worker("A8", pid)
    ended = await world.ended(chance, run)
    error = (ended or {}).get("error") or {}
    world.expect(ended is not None and ended["status"] == "FAILED"
                 and error.get("code") == "poison", "I-1", run,
                 f"a step that killed each of its workers: {error or ended}")


@fault("A9")
async def a9_killed_at_the_last_step(world, chance):
    """Around the moment at which the last step is reported."""
    run = await world.begin(chance, "last", [
        {"id": "begin", "action": "noop"},
        {"id": "call", "action": "http", "method": "POST", "timeout": 3000,
         "url": f"{world.system.ledger_url}/effect",
         "retry": {"maxAttempts": 8, "backoff": "fixed", "delay": 150}}])
    pid = await world.worker_of(run, 2)
    with contextlib.suppress(TimeoutError):
        await world.system.wait("the effect", lambda: world.in_ledger(f"{run}:2"), 5)
    await asyncio.sleep(chance.uniform(0, 0.02))
    if pid is not None:
        world.kill_worker("A9", pid)
    ended = await world.ended(chance, run)
    world.expect(world.completed(ended), "I-1", run, f"killed at the last step: {ended}")


@fault("A10", "supervisors")
async def a10_drained(world, chance):
    """In order, by SIGTERM; the service manager starts it again."""
    supervisor = chance.choice(world.system.supervisors())
    process = supervisor.process
    began = time.monotonic()
    supervisor.kill(signal.SIGTERM)
    try:
        await world.system.wait("the drain", lambda: process.poll() is not None, 40)
    except TimeoutError:
        world.violation("A10", None, f"{supervisor.name} did not end within 40 s of SIGTERM")
        process.kill()
        return
    world.note("A10", "drained", service=supervisor.name, status=process.returncode,
               seconds=time.monotonic() - began)
    world.expect(process.returncode == 0, "A10", None,
                 f"{supervisor.name} drained with status {process.returncode}")


# ---- B: the queue ----

@contextlib.asynccontextmanager
async def redis_client(world):
    client = redis.asyncio.Redis(unix_socket_path=str(world.system.redis.socket),
                                 socket_timeout=15, single_connection_client=True)
    try:
        yield client
    finally:
        await client.close()


async def for_some_time(seconds, every, act):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(redis.exceptions.RedisError, psycopg.Error, OSError):
            await act()
        await asyncio.sleep(every)


@fault("B1", "redis")
async def b1_redis_away(world, chance):
    world.system.redis.kill()
    await asyncio.sleep(chance.uniform(4, 10))
    await world.system.redis.restart()


@fault("B2", "redis")
async def b2_flushed(world, chance):
    """FLUSHALL every 2 s for the whole window."""
    async def flush():
        await world.system.redis.command("FLUSHALL")
        world.system.counters["flushes"] += 1
    await for_some_time(world.flush_seconds, 2.0, flush)


@fault("B4", "redis")
async def b4_connections_cut(world, chance):
    await for_some_time(4, 0.1, lambda: world.system.redis.command(
        "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))


@fault("B5", "redis")
async def b5_redis_hangs(world, chance):
    """Stopped, pausing, or at the other end of a wire that swallows everything."""
    seconds = chance.uniform(3, 8)
    how = chance.choice(["stopped", "paused", "half open"])
    world.note("B5", how)
    if how == "stopped":
        world.system.redis.kill(signal.SIGSTOP)
    elif how == "paused":
        await world.system.redis.command("CLIENT", "PAUSE", int(seconds * 1000), "ALL")
    else:
        await world.system.wires.order("redis", rules={"half_open": True})
    await asyncio.sleep(seconds)
    if how == "stopped":
        world.system.redis.kill(signal.SIGCONT)
    await world.system.wires.order("redis", rules={})


async def config(client, **settings):
    for name, value in settings.items():
        await client.execute_command("CONFIG", "SET", name.replace("_", "-"), value)


@fault("B6", "redis")
async def b6_redis_refuses(world, chance):
    """No memory, no replica, read only, another password: whatever it says, work goes on."""
    how = chance.choice(["memory", "replicas", "readonly", "password", "asleep"])
    world.note("B6", "refuses", how=how)
    async with redis_client(world) as client:
        await client.ping()
        if how == "memory":
            await config(client, maxmemory="1mb", maxmemory_policy="noeviction")
            await asyncio.sleep(5)
            await config(client, maxmemory="0")
        elif how == "replicas":
            await config(client, min_replicas_to_write="1")
            await asyncio.sleep(5)
            await config(client, min_replicas_to_write="0")
        elif how == "readonly":
            await client.execute_command("REPLICAOF", "127.0.0.1", "1")
            await asyncio.sleep(5)
            await client.execute_command("REPLICAOF", "NO", "ONE")
        elif how == "password":
            await config(client, requirepass="nobody knows")
            await client.execute_command("CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal")
            await asyncio.sleep(5)
            await config(client, requirepass="")
        else:
            await client.execute_command("DEBUG", "SLEEP", "4")


POISONS = {
    "text": lambda to, key, chance: to.set(key, "no list"),
    "hash": lambda to, key, chance: to.hset(key, "field", "value"),
    "set": lambda to, key, chance: to.sadd(key, "member"),
    "garbage": lambda to, key, chance: to.rpush(
        key, *[chance.randbytes(chance.randint(0, 64)) for _ in range(200)]),
    "ghosts": lambda to, key, chance: to.rpush(
        key, *[chance.randbytes(20) for _ in range(2000)]),
    "large": lambda to, key, chance: to.rpush(key, b"x" * (16 << 20)),
}


@fault("B7", "redis")
async def b7_poisoned_contents(world, chance):
    """Other types under our keys, entries that are none, entries for runs that are not."""
    async with redis_client(world) as client:
        for key in LISTS:
            kind = chance.choice(sorted(POISONS))
            world.note("B7", "poisoned", key=key, how=kind)
            async with client.pipeline(transaction=True) as at_once:
                at_once.delete(key)
                POISONS[kind](at_once, key, chance)
                await at_once.execute()
        await asyncio.sleep(4)
        await client.delete(*LISTS)


# ---- C: the database ----

@fault("C1", "pg")
async def c1_postgres_crashes(world, chance):
    await world.system.postgres_stop("immediate")
    await asyncio.sleep(chance.uniform(0, 1.5))
    await world.system.postgres_start()


@fault("C2")
async def c2_commits_unanswered(world, chance):
    """Of 5 % of the commits the answer is lost, for the whole window."""
    await world.system.set_pg_rules(commit_lost=0.05)
    await asyncio.sleep(world.lossy_seconds)
    await world.system.set_pg_rules(commit_lost=None)


@fault("C3", "pg")
async def c3_postgres_hangs(world, chance):
    """Stopped, or at the other end of a wire on which nothing moves."""
    how = chance.choice(["stopped", "held"])
    world.note("C3", how)
    if how == "stopped":
        world.system.postgres.pause()
    else:
        await world.system.set_pg_rules(hold=True)
    await asyncio.sleep(chance.uniform(2, 8))
    if how == "stopped":
        world.system.postgres.resume()
    else:
        await world.system.set_pg_rules(hold=None)


@fault("C4", "pg")
async def c4_too_many_clients(world, chance):
    """Others take every connection; ours are cut, so that all have to come again."""
    taken = []
    try:
        for _ in range(200):
            taken.append(await psycopg.AsyncConnection.connect(
                world.system.database_url, connect_timeout=3))
    except psycopg.OperationalError:
        pass  # that was the last one
    await world.system.wires.order("pg", cut_all=True)
    world.note("C4", "taken", connections=len(taken))
    await asyncio.sleep(chance.uniform(2, 6))
    for connection in taken:
        with contextlib.suppress(psycopg.Error):
            await connection.close()


@fault("C5", "pg")
async def c5_table_locked(world, chance):
    table = chance.choice(["workflow_steps", "workflow_run_state", "workers",
                           "workflow_events"])
    world.note("C5", "locked", table=table)
    with contextlib.suppress(psycopg.Error):
        connection = await psycopg.AsyncConnection.connect(
            world.system.database_url, connect_timeout=3,
            options="-c search_path=stepmill -c lock_timeout=3s")
        async with connection:
            await connection.execute(f"lock table {table} in access exclusive mode")
            await asyncio.sleep(chance.uniform(1, 5))


@fault("C8")
async def c8_backends_terminated(world, chance):
    """One at a time, at whatever it is doing."""
    async def terminate():
        pids = [row[0] for row in await world.system.sql(
            "select pid from pg_stat_activity where datname = 'campaign'"
            " and pid <> pg_backend_pid() and backend_type = 'client backend' order by pid")]
        if pids:
            await world.system.sql("select pg_terminate_backend(%s)", chance.choice(pids))
            world.system.counters["backends_terminated"] += 1
    await for_some_time(2, 0.15, terminate)


@fault("C9")
async def c9_hot_run(world, chance):
    """Many finishes change one run at once, in several workers."""
    leaves = [{"id": f"leaf{number}", "action": "noop", "needs": ["begin"]}
              for number in range(300)]
    run = await world.begin(chance, "hot", [
        {"id": "begin", "action": "noop"}, *leaves,
        {"id": "join", "action": "noop", "needs": [leaf["id"] for leaf in leaves]}])
    if run is None:
        return  # no graphs in this version: the notice is printed
    ended = await world.ended(chance, run)
    world.expect(world.completed(ended), "I-1", run, f"a join of 300: {ended}")


# ---- F: execution ----

def running(marker):
    """Processes of ours whose command line has that text."""
    found = []
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            if marker.encode() in words.replace(b"\0", b" ") and state_of(pid)[1] != "Z":
                found.append(pid)
    return found


@fault("F1")
async def f1_escapes(world, chance):
    """A tree that leaves its session and its parents, and is then cancelled."""
    marker = f"sleep 7{chance.randrange(10**6):06}"
    run = await world.begin(chance, "escape", [world.shell("escape", (
        f'trap "" TERM; setsid sh -c \'trap "" TERM; {marker} & {marker} & wait\' &'
        f' (setsid nohup {marker} >/dev/null 2>&1 &) ; {marker}'))])
    await some(world, "the tree", lambda: len(running(marker)) >= 4)
    await world.clients.insist(chance, "cancel", "POST", f"/api/executions/{run}/cancel",
                               execution=run)
    began = time.monotonic()
    await world.ended(chance, run)
    try:
        await world.system.wait("nobody left", lambda: not running(marker), 20)
        world.note("F1", "gone", seconds=time.monotonic() - began)
    except TimeoutError:
        world.violation("I-13", run, f"{len(running(marker))} processes of {marker} survive")


@fault("F2")
async def f2_floods(world, chance):
    """Much output, no newline: cut, and marked as cut."""
    run = await world.begin(chance, "flood", [
        world.shell("flood", "head -c 60000000 /dev/zero | tr '\\0' x")])
    ended = await world.ended(chance, run)
    if not world.completed(ended):
        world.violation("I-1", run, f"a flood: {ended}")
        return
    output = (ended["steps"][0] or {}).get("output") or {}
    world.expect(output.get("truncated") is True and len(output["stdout"]) < 2 << 20, "F2", run,
                 f"{len(output.get('stdout', ''))} characters kept: {output.get('truncated')}")


@fault("F3")
async def f3_ignores_the_signal(world, chance):
    marker = f"sleep 8{chance.randrange(10**6):06}"
    run = await world.begin(chance, "deaf", [world.shell(
        "deaf", f'trap "" TERM; while :; do {marker}; done', timeout=1000)])
    ended = await world.ended(chance, run)
    error = (ended or {}).get("error") or {}
    world.expect(error.get("code") in ("timeout", "poison"), "F3", run,
                 f"ignored SIGTERM and ended as {error or ended}")
    with contextlib.suppress(TimeoutError):
        await world.system.wait("nobody left", lambda: not running(marker), 20)
    world.expect(not running(marker), "I-13", run, f"{marker} survives its time")


ALLOWED = {"PATH", "HOME", "LANG", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"}


@fault("F4")
async def f4_descriptors_and_environment(world, chance):
    run = await world.begin(chance, "inside", [world.shell(
        "inside", "sh -c 'ls /proc/$$/fd'; echo --; env | cut -d= -f1; echo --;"
        " echo $STEPMILL_FD")])
    ended = await world.ended(chance, run)
    if not world.completed(ended):
        world.violation("I-1", run, f"looking around: {ended}")
        return
    descriptors, names, own = (part.split() for part in
                               ended["steps"][0]["output"]["stdout"].split("--\n"))
    world.expect(sorted(descriptors) == sorted({"0", "1", "2", *own}), "F4", run,
                 f"open descriptors: {descriptors}, ours is {own}")
    strange = [name for name in names
               if name not in ALLOWED and not name.startswith("STEPMILL_")]
    strange += [name for name in names if "URL" in name]
    world.expect(not strange, "I-12", run, f"a program finds {strange}")


NASTY = ["$(id)", "`id`", "; rm -rf /", "a\nb", "-rf", "%n%s", "'\"\\", "{{input}}", "é✓\u202e",
         "*", "~root", "x" * 50000, "", " ", "\t", "${IFS}", "&& id", "\x7f\x01"]


@fault("F5")
async def f5_injection(world, chance):
    """What comes in arrives byte for byte, as one value."""
    value = chance.choice(NASTY)
    step = world.shell("show", 'printf %s "$VALUE"')
    step["args"]["env"] = {"VALUE": "{{input.value}}"}
    run = await world.begin(chance, "inject", [step], {"value": value})
    ended = await world.ended(chance, run)
    if not world.completed(ended):
        world.violation("F5", run, f"{value[:40]!r}: {ended}")
        return
    got = ended["steps"][0]["output"]["stdout"]
    world.expect(got == value, "F5", run, f"{value[:40]!r} arrived as {got[:40]!r}")


OUTSIDE = ["../../etc/passwd", "/etc/passwd", "..", "a/../../../etc/passwd", "link/passwd",
           "%2e%2e/etc/passwd", "..\\..\\etc\\passwd", "x" * 300]


@fault("F6")
async def f6_traversal(world, chance):
    """No path leads out of the project."""
    link = world.system.project / "link"
    if not link.is_symlink():
        link.symlink_to("/etc")
    path = chance.choice(OUTSIDE)
    run = await world.begin(chance, "outside", [
        {"id": "read", "action": "tool", "tool": "files.read",
         "args": {"path": "{{input.path}}"}}], {"path": path})
    ended = await world.ended(chance, run)
    world.expect(ended is not None and ended["status"] == "FAILED", "F6", run,
                 f"{path[:40]!r} was not refused: {ended}")
    status, _ = await world.clients.insist(chance, "traverse", "GET",
                                           "/api/artifacts/..%2f..%2fetc%2fpasswd/download")
    world.expect(status in (400, 404), "F6", None, f"an artifact of .. answered {status}")


