"""stepmill: a supervisor with two workers and a scheduler on the servers that all engines get, a
fresh database, `stepmill bench`. Nothing is tuned, no VACUUM and no ANALYZE is made. Prints
result lines."""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ["STEPMILL_ROOT"])
sys.path.insert(0, str(ROOT / "tests/integration"))

from harness.stepmill import BIN, exchange, wait_for  # noqa: E402
from servers import free_port  # noqa: E402

WORKERS = int(os.environ.get("STEPMILL_WORKERS", 2))
# workload -> its name in `stepmill bench`, how many runs, the metric, and what is read of the answer
RATES = {"W1": ("seq10", "W1_RUNS", "steps_per_s", "stepsPerSecond"),
         "W2": ("single", "W2_JOBS", "jobs_per_s", "runsPerSecond"),
         "W3": ("fan100", "W3_RUNS", "steps_per_s", "stepsPerSecond")}
LATENCIES = {"W1lat": ("latency", "W1_LAT", "W1"), "W3": ("fan-latency", "W3_LAT", "W3")}
CONSUMERS = {"stepmill-superv": "front", "stepmill-worker": "workers", "stepmill-schedu": "scheduler",
            "postgres": "postgres", "redis-server": "redis"}
TICK = 1e6 / os.sysconf("SC_CLK_TCK")


def version():
    return subprocess.run([BIN / "stepmill", "--version"], capture_output=True, text=True,
                          check=True).stdout.split()[-1]


def processes():
    """pid -> its parent, its name, the microseconds it has used with children it waited for."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = stat.read_text()
            fields = text.rsplit(")", 1)[1].split()
            found[int(stat.parent.name)] = (int(fields[1]), text[text.index("(") + 1:text.rindex(")")],
                                            sum(map(int, fields[11:15])) * TICK)
    return found


def cpu(roots):
    """Microseconds that the programs below these processes have used, by program."""
    found, used = processes(), {}
    ours = set(roots)
    while more := {pid for pid, (parent, _, _) in found.items() if parent in ours} - ours:
        ours |= more
    for pid in ours & found.keys():
        _, name, spent = found[pid]
        if name in CONSUMERS:
            used[CONSUMERS[name]] = used.get(CONSUMERS[name], 0) + spent
    used["client"] = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) * 1e6
    return used


@contextlib.contextmanager
def started(folder):
    """A stepmill on a database of its own: what its command line needs, its URL, its programs."""
    templates = folder / "project/.agent/workflows/templates"
    templates.mkdir(parents=True)
    for file, text in LONG_ONES.items():
        (templates / file).write_text(text)
    subprocess.run(["psql", "-qX", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c",
                    "drop database if exists stepmill_bench with (force)",
                    "-c", "create database stepmill_bench"], check=True)
    port = free_port()
    (folder / "stepmill.yaml").write_text(json.dumps({
        "database": {"url": f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} "
                            f"user={os.environ['PGUSER']} dbname=stepmill_bench"},
        "redis": {"url": f"redis://127.0.0.1:{os.environ['REDIS_PORT']}/0"},
        "project": {"path": str(folder / "project")}, "http": {"listen": f"127.0.0.1:{port}"},
        "pool": {"workers": WORKERS}}))
    env = {**os.environ, "STEPMILL_CONFIG": str(folder / "stepmill.yaml")}
    subprocess.run([BIN / "stepmill", "migrate"], check=True, env=env, stdout=subprocess.DEVNULL)
    env["STEPMILL_API_KEY"] = json.loads(subprocess.run(
        [BIN / "stepmill", "keys", "create", "--name", "bench", "--role", "admin", "--json"],
        check=True, env=env, stdout=subprocess.PIPE, text=True).stdout)["key"]
    with open(folder / "log", "w") as log:
        programs = [subprocess.Popen([BIN / f"stepmill-{name}"], env=env, cwd=folder, stderr=log)
                    for name in ("supervisor", "scheduler")]
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for("it is ready", lambda: is_ready(url))
            yield env, url, [program.pid for program in programs]
        finally:
            for program in programs:
                program.terminate()
            for program in programs:
                program.wait(60)
    subprocess.run(["psql", "-qX", "-d", "postgres", "-c",
                    "drop database stepmill_bench with (force)"], check=True)


def is_ready(url):
    try:
        return exchange(url, "GET", "/readyz", None, {"Connection": "close"}, 5).status == 200
    except OSError:
        return False


def bench(place, name, runs):
    """What it found; an error when a run is not completed or an event is missing."""
    env, url, programs = place
    roots = [*programs, int(os.environ["PG_PID"]), int(os.environ["REDIS_PID"])]
    before = cpu(roots)
    said = json.loads(subprocess.run(
        [BIN / "stepmill", "bench", name, "--url", url, "--runs", str(runs), "--json"],
        env=env, check=True, stdout=subprocess.PIPE, text=True).stdout)
    after = cpu(roots)
    cost = {f"cpu_us_per_step_{program}": round((used - before.get(program, 0)) / said["steps"], 1)
            for program, used in after.items()}
    cost["pg_commits_per_step"] = said["commitsPerStep"]
    cost["pg_wal_bytes_per_step"] = said["walBytesPerStep"]
    return said, cost


LONG = 1000
# name -> its file; what it does a thousand times
LONG_ONES = {
    "long-program.mjs": """import { createWorkflow } from "stepmill";

export default createWorkflow({ name: "long-program" }, async ctx => {
	for (let i = 0; i < %d; i++)
		await ctx.run("noop", () => 1);
});
""" % LONG,
    "long-yaml.yaml": json.dumps({"name": "long-yaml", "maxSteps": LONG, "steps": [
        {"id": f"s{n}", "action": "noop"} for n in range(LONG)]}),
}


def run_long(place, workflow):
    """Milliseconds from its start to its end, as stepmill has noted them."""
    env, url, _ = place
    return json.loads(subprocess.run([BIN / "stepmill", "run", workflow, "--url", url, "--json"],
                                     env=env, check=True, stdout=subprocess.PIPE,
                                     text=True).stdout)["durationMs"]


def measure_long(place, rep):
    for file in LONG_ONES:
        name = file.partition(".")[0]
        times = sorted(run_long(place, name) for _ in range(int(os.environ["W4_RUNS"])))
        report(workload="W4", metric="latency_ms", variant=name, rep=rep, value=times[len(times) // 2],
               config=f"{WORKERS} workers, one run at a time", p50=times[len(times) // 2], p99=times[-1])


def report(**line):
    print(json.dumps({"peer": "stepmill", "version": version(), **line}), flush=True)


def measure(place):
    workloads = os.environ["WORKLOADS"].split(",")
    config = f"{WORKERS} workers, triggered over HTTP by 64 connections"
    bench(place, "seq10", 50)
    for rep in range(int(os.environ["REPS"])):
        for workload, (name, size, metric, key) in RATES.items():
            if workload in workloads:
                said, cost = bench(place, name, os.environ[size])
                report(workload=workload, metric=metric, variant=name, config=config, rep=rep,
                       value=said[key], cost=cost)
        if "W4" in workloads:
            measure_long(place, rep)
        for workload, (name, size, shown) in LATENCIES.items():
            if workload in workloads:
                said, _ = bench(place, name, os.environ[size])
                report(workload=shown, metric="latency_ms", variant=name, rep=rep,
                       config=f"{WORKERS} workers, one run at a time", value=said["latencyMs"]["p50"],
                       p50=said["latencyMs"]["p50"], p99=said["latencyMs"]["p99"])


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stepmill-bench-"))
    try:
        with started(folder) as place:
            measure(place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
