"""`stepmill dev`: start, stop, what survives, what is started again, and that nothing of it is
left behind whoever ends it. Tries to break I5 (any process may be killed at any instant) where
all of stepmill is one command."""
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from harness.stepmill import BIN, Stepmill, wait_for

NAP = """
name: dev-nap
steps:
  - { id: nap, action: tool, tool: shell, args: { command: "echo $$ >> naps; sleep {{input.s}}" } }
"""


@pytest.fixture(scope="module")
def place():
    """A folder whose data is made once and used by test after test."""
    folder = Path(tempfile.mkdtemp(prefix="stepmill-dev-"))
    stepmill = Stepmill(folder=folder, made=False)
    yield stepmill
    shutil.rmtree(folder)


@pytest.fixture
def dev(place):
    """The same, not running; at the end nothing of it may be left."""
    place.allowed_errors = []
    log = place.folder / ".stepmill/log/stepmill.log"
    log.unlink(missing_ok=True)
    yield place
    place.cli("dev", "--stop")
    place.look_around()


def detach(stepmill, *words, folder=None, **environment):
    return subprocess.run([BIN / "stepmill", "dev", "--detach", *words],
                          cwd=folder or stepmill.folder, env={**stepmill.environment, **environment},
                          capture_output=True, text=True, timeout=60)


def state_of(folder):
    return json.loads((Path(folder) / "dev.json").read_text())


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def user_of(pid):
    return os.stat(f"/proc/{pid}").st_uid


# ---- start and stop ----

def test_it_starts_shows_where_it_is_and_leaves_nothing(dev):
    dev.start()
    process = dev.process
    for name in ("supervisorPid", "schedulerPid", "postgresPid", "redisPid"):
        assert os.path.exists(f"/proc/{dev.state[name]}")
    assert dev.state["project"] == str(dev.folder)
    assert (dev.folder / ".stepmill/.gitignore").read_text() == "*\n"
    assert dev.stop() == 0
    assert f"http://127.0.0.1:{dev.url.rsplit(':', 1)[1]}" in dev.output
    assert "ready in " in dev.output and "Ctrl-C" in dev.output
    assert not (dev.folder / ".stepmill/dev.json").exists()
    assert process.returncode == 0


def test_the_servers_run_as_nobody_special(dev):
    dev.start()
    wanted = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else os.geteuid()
    assert user_of(dev.state["postgresPid"]) == wanted
    assert user_of(dev.state["redisPid"]) == wanted
    servers = (dev.folder / ".stepmill/servers").resolve()
    assert servers.stat().st_mode & 0o077 == 0
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True).stdout \
        if shutil.which("ss") else ""
    for name in ("postgresPid", "redisPid"):
        assert f"pid={dev.state[name]}," not in listening
    assert dev.sql("show fsync") == [("on",)] and dev.sql("show synchronous_commit") == [("on",)]
    assert dev.stop() == 0


def test_what_is_stored_is_there_again(dev):
    dev.start()
    dev.workflow("name: dev-keeps\nsteps:\n  - { id: a, action: noop }\n")
    run = dev.run("dev-keeps")
    assert dev.stop() == 0
    dev.start()
    assert dev.execution(run["id"])["status"] == "COMPLETED"
    assert dev.run("dev-keeps")["runId"] != run["runId"]
    assert dev.stop() == 0


def test_workflows_of_the_project_are_discovered(dev):
    path = dev.templates / "found.yaml"
    path.write_text("name: dev-found\nsteps:\n  - { id: a, action: noop }\n")
    try:
        dev.start()
        wait_for("discovered", lambda: "dev-found" in dev.cli("workflows").stdout)
        assert dev.cli("run", "dev-found").returncode == 0
        assert dev.stop() == 0
    finally:
        path.unlink()


def test_in_the_background_it_holds_nothing_of_its_starter(dev):
    done = detach(dev)  # would hang if it kept the pipe
    assert done.returncode == 0, done.stderr
    assert "ready in " in done.stdout and "stepmill dev --stop" in done.stdout
    pid = state_of(dev.folder / ".stepmill")["pid"]
    assert os.getsid(pid) == pid
    assert all(os.readlink(f"/proc/{pid}/fd/{fd}") != "/dev/tty" for fd in (0, 1, 2))
    stopped = dev.cli("dev", "--stop")
    assert (stopped.returncode, stopped.stderr) == (0, "")
    wait_for("its end", lambda: not running(pid), 5)


def test_programs_get_the_state_as_json(dev):
    done = detach(dev, "--json", "--workers", "1")
    assert json.loads(done.stdout) == state_of(dev.folder / ".stepmill")
    wait_for("one worker", lambda: '"used"' in dev.cli("scale", "--json").stdout)
    assert len(json.loads(dev.cli("scale", "--json").stdout)["workers"]) == 1


def test_only_one_runs_in_a_folder(dev):
    assert detach(dev).returncode == 0
    before = state_of(dev.folder / ".stepmill")
    second = detach(dev)
    assert second.returncode == 1 and second.stdout == ""
    assert "already running" in second.stderr and "--stop" in second.stderr
    assert state_of(dev.folder / ".stepmill") == before
    assert dev.cli("list").returncode == 0


def test_stop_where_none_runs_says_so_and_makes_nothing(dev, tmp_path):
    done = subprocess.run([BIN / "stepmill", "dev", "--stop"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "none is running" in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert dev.cli("dev", "--stop").returncode == 1
    missing = subprocess.run([BIN / "stepmill", "dev", "--project", "/nowhere"], capture_output=True,
                             text=True, cwd=tmp_path)
    assert missing.returncode == 1 and "/nowhere" in missing.stderr


def test_commands_find_it_from_below(dev):
    assert detach(dev).returncode == 0
    below = dev.folder / "src/deep"
    below.mkdir(parents=True, exist_ok=True)
    for words in (["list"], ["migrate", "--status"], ["doctor"]):
        done = subprocess.run([BIN / "stepmill", *words], cwd=below, env=dev.environment,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    stopped = subprocess.run([BIN / "stepmill", "dev", "--stop"], cwd=below, env=dev.environment)
    assert stopped.returncode == 0


# ---- where it is ----

def test_data_elsewhere_is_found_from_the_project(dev, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    shutil.copytree(dev.folder / ".stepmill", tmp_path / "data", symlinks=True)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "postgres:", tmp_path / "data/servers"], check=True)
    done = detach(dev, "--data", "../data", folder=project)
    assert done.returncode == 0, done.stderr
    assert state_of(tmp_path / "data")["project"] == str(project)
    listed = subprocess.run([BIN / "stepmill", "list"], cwd=project, capture_output=True, text=True,
                            env=dev.environment)
    assert listed.returncode == 0, listed.stderr
    assert subprocess.run([BIN / "stepmill", "dev", "--stop"], cwd=project).returncode == 0
    assert list(project.iterdir()) == [], "nothing stays in the project"


def test_a_long_path_with_odd_characters(dev):
    folder = Path(tempfile.mkdtemp(prefix="stepmill-dev-")) / ("it's, a \"long\" größe " + "x" * 80)
    try:
        os.chmod(folder.parent, 0o755)
        folder.mkdir()
        done = detach(dev, folder=folder)
        assert done.returncode == 0, done.stderr
        sockets = Path(state_of(folder / ".stepmill")["redisUrl"][5:]).parent
        assert sockets.parent == Path("/tmp") and sockets.stat().st_mode & 0o077 == 0
        (folder / "w.yaml").write_text("name: w\nsteps:\n  - { id: a, action: tool, tool: shell,"
                                       " args: { command: pwd } }\n")
        ran = subprocess.run([BIN / "stepmill", "run", "w.yaml"], cwd=folder, capture_output=True,
                             text=True, env=dev.environment)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "größe" in ran.stdout
        assert subprocess.run([BIN / "stepmill", "dev", "--stop"], cwd=folder).returncode == 0
        assert not sockets.exists(), "nothing stays outside of the data"
    finally:
        shutil.rmtree(folder.parent)


def test_a_folder_that_others_cannot_enter(dev):
    """As root the servers are another user's: their data moves to where that user can go."""
    private = Path(tempfile.mkdtemp(prefix="stepmill-dev-"))
    os.chmod(private, 0o700)
    try:
        done = detach(dev, folder=private)
        assert done.returncode == 0, done.stderr
        servers = (private / ".stepmill/servers").resolve()
        if os.geteuid() == 0:
            assert servers.parent == Path("/var/lib/stepmill")
        assert subprocess.run([BIN / "stepmill", "dev", "--stop"], cwd=private).returncode == 0
        assert detach(dev, folder=private).returncode == 0, "the second start finds it"
        assert subprocess.run([BIN / "stepmill", "dev", "--stop"], cwd=private).returncode == 0
        shutil.rmtree(servers)
    finally:
        shutil.rmtree(private)


def test_nobody_else_can_plant_the_folder_of_the_servers(dev, tmp_path):
    (tmp_path / ".stepmill").mkdir()
    (tmp_path / "victim").mkdir(mode=0o755)
    (tmp_path / ".stepmill/servers").symlink_to(tmp_path / "victim")
    os.chmod(tmp_path, 0o755)
    for folder in tmp_path.parents:
        if folder != Path("/") and folder.owner() == pwd.getpwuid(os.geteuid()).pw_name:
            os.chmod(folder, folder.stat().st_mode | 0o011)
    owner = (tmp_path / "victim").stat().st_uid
    done = detach(dev, folder=tmp_path)
    assert done.returncode == 1 and "not a folder of ours alone" in done.stderr
    assert (tmp_path / "victim").stat().st_uid == owner
    assert list((tmp_path / "victim").iterdir()) == []


def test_the_port_can_be_chosen_and_a_taken_one_is_refused(dev):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = detach(dev, "--port", str(port))
        assert done.returncode == 1 and f"port {port}" in done.stderr
        assert dev.left_over() == []
    assert detach(dev, "--port", str(port)).returncode == 0
    assert state_of(dev.folder / ".stepmill")["url"] == f"http://127.0.0.1:{port}"


def test_the_preset_port_gives_way(dev):
    holders = []
    try:
        for port in (3456, 3457):
            try:
                holders.append(socket.create_server(("127.0.0.1", port)))
            except OSError:
                pass  # somebody else's stepmill dev
        assert detach(dev).returncode == 0
        assert int(state_of(dev.folder / ".stepmill")["url"].rsplit(":", 1)[1]) >= 3458
    finally:
        for holder in holders:
            holder.close()


def test_who_starts_in_the_same_moment_gets_another_port():
    """One that looks for a port while the other's supervisor does not listen yet took the
    same one, and the other's answer for its own."""
    folders = [Path(tempfile.mkdtemp(prefix="stepmill-dev-")) for _ in range(3)]
    started = [subprocess.Popen([BIN / "stepmill", "dev", "--detach", "--workers", "1"],
                                cwd=folder, stdout=subprocess.DEVNULL) for folder in folders]
    try:
        assert [one.wait(60) for one in started] == [0, 0, 0]
        states = [state_of(folder / ".stepmill") for folder in folders]
        assert len({state["url"] for state in states}) == 3
    finally:
        for folder in folders:
            subprocess.run([BIN / "stepmill", "dev", "--stop"], cwd=folder, timeout=60, check=False,
                           capture_output=True)
            shutil.rmtree(folder)


def test_what_others_set_for_their_servers_does_not_reach_ours(dev):
    done = detach(dev, PGHOST="/nowhere", PGPORT="1", PGDATABASE="x", PGUSER="x", PGSSLMODE="require",
                  DATABASE_URL="host=/nowhere", REDIS_URL="redis://127.0.0.1:1",
                  STEPMILL_HTTP_LISTEN="127.0.0.1:1", STEPMILL_AUTH_REQUIRED="true")
    assert done.returncode == 0, done.stderr
    assert dev.cli("list").returncode == 0
    assert dev.cli("doctor").returncode == 0


# ---- what goes wrong ----

def test_a_setting_that_is_wrong_ends_it_with_a_word(dev):
    done = detach(dev, STEPMILL_WORKER_SLOTS="many")
    assert done.returncode == 1
    assert "stepmill-s" in done.stderr and "status 78" in done.stderr
    assert str(dev.folder / ".stepmill/log/stepmill.log") in done.stderr
    assert 'STEPMILL_WORKER_SLOTS: "many"' in dev.log()
    assert dev.left_over() == []


def test_a_half_made_cluster_is_made_anew(dev):
    servers = (dev.folder / ".stepmill/servers").resolve()
    (servers / "made").unlink()
    assert detach(dev).returncode == 0
    assert (servers / "made").exists()
    assert len(list(servers.glob("postgres.broken-*"))) == 1, "what was there is kept"
    assert dev.cli("dev", "--stop").returncode == 0
    for broken in servers.glob("postgres.broken-*"):
        shutil.rmtree(broken)


@pytest.mark.parametrize("name", ["supervisor", "scheduler", "redis", "postgres"])
def test_what_dies_is_started_again(dev, name):
    dev.allowed_errors = ["."] if name == "postgres" else []
    dev.start()
    dev.workflow(NAP)
    before = dev.state[f"{name}Pid"]
    run = dev.execute("dev-nap", {"s": 1})
    dev.wait_running(run, "nap")
    os.kill(before, signal.SIGKILL)

    def another():
        state = state_of(dev.folder / ".stepmill")
        return state if state[f"{name}Pid"] not in (0, before) else None

    state = wait_for("another one", another)
    assert running(state[f"{name}Pid"])
    assert state["url"] == dev.url

    def ended():
        try:
            return dev.wait_ended(run, 40)
        except (OSError, Exception) as error:
            return None if "503" in str(error) or isinstance(error, OSError) else pytest.fail(str(error))
    assert wait_for("the run's end", ended, 60)["status"] == "COMPLETED"
    assert dev.stop() == 0
    assert "was started again" in dev.output


def test_a_killed_dev_takes_everything_with_it(dev):
    dev.start()
    dev.workflow(NAP)
    run = dev.execute("dev-nap", {"s": 600})
    dev.wait_running(run, "nap")
    dev.process.kill()
    dev.process.wait()
    wait_for("nothing is left", lambda: dev.left_over() == [], 20)
    dev.start()
    dev.wait_running(run, "nap")
    dev.post(f"/api/executions/{run}/cancel")
    assert dev.stop() == 0


def test_after_a_kill_it_starts_at_once(dev):
    dev.start()
    dev.workflow(NAP)
    run = dev.execute("dev-nap", {"s": 0.1})
    for _ in range(3):
        dev.process.kill()
        dev.process.wait()
        dev.start()
    assert dev.wait_ended(run)["status"] == "COMPLETED"
    assert dev.stop() == 0


def test_asked_twice_it_does_not_wait_for_steps(dev):
    dev.start()
    dev.workflow(NAP)
    run = dev.execute("dev-nap", {"s": 600})
    dev.wait_running(run, "nap")
    dev.process.send_signal(signal.SIGINT)
    wait_for("it drains", lambda: "pool.draining" in dev.log())
    assert dev.process.poll() is None, "it waits for the step"
    begun = time.monotonic()
    dev.process.send_signal(signal.SIGINT)
    dev.output = dev.process.communicate(timeout=30)[0]
    assert dev.process.returncode == 0
    assert time.monotonic() - begun < 15
    dev.start()
    row = dev.wait_running(run, "nap")
    assert row["attemptNumber"] == 1, "handed back: no attempt was spent"
    dev.post(f"/api/executions/{run}/cancel")
    assert dev.stop() == 0


def test_steps_in_hand_are_finished_before_the_end(dev):
    dev.start()
    dev.workflow(NAP)
    run = dev.execute("dev-nap", {"s": 1})
    dev.wait_running(run, "nap")
    assert dev.stop() == 0
    dev.start()
    assert dev.wait_ended(run)["status"] == "COMPLETED"
    assert dev.step(run, "nap")["attemptNumber"] == 1
    assert dev.stop() == 0


def test_a_closed_terminal_ends_it(dev):
    dev.start()
    dev.process.send_signal(signal.SIGHUP)
    dev.output = dev.process.communicate(timeout=30)[0]
    assert dev.process.returncode == 0
    assert dev.left_over() == []


def test_ctrl_c_before_it_is_ready_leaves_nothing(dev):
    process = subprocess.Popen([BIN / "stepmill", "dev"], cwd=dev.folder, env=dev.environment,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert "starting PostgreSQL" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (0, 1)
    assert dev.left_over() == []


def test_start_to_ready_is_quick(dev):
    """The target: under 5 s the first time, under 2 s again; a busy machine is given more."""
    times = []
    for _ in range(3):
        begun = time.monotonic()
        assert detach(dev).returncode == 0
        times.append(time.monotonic() - begun)
        assert dev.cli("dev", "--stop").returncode == 0
    assert min(times) < 2, times
