"""The PostgreSQL and the Redis that all engines get: of this run alone, on loopback, stopped at its
end. Each yields what programs find in their environment."""
import contextlib
import shutil
import socket
import subprocess

from harness.cluster import run as run_as_postgres
from harness.stepmill import wait_for


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


@contextlib.contextmanager
def postgres(work):
    """At its default durability; more shared memory and WAL than it would take by itself, for
    all of them alike."""
    port, data = free_port(), work / "pg"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    shutil.chown(data, "postgres", "postgres")
    run_as_postgres("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                    "-D", data)
    with open(data / "postgresql.conf", "a") as conf:
        conf.write(f"port = {port}\nlisten_addresses = '127.0.0.1'\n"
                   f"unix_socket_directories = '{data}'\nmax_connections = 200\n"
                   "shared_buffers = 512MB\nmax_wal_size = 4GB\n")
    run_as_postgres("pg_ctl", "-D", data, "-w", "-l", data / "log", "start")
    try:
        yield {"PGPORT": str(port), "PGHOST": "127.0.0.1", "PGUSER": "postgres",
               "PG_PID": (data / "postmaster.pid").read_text().split()[0],
               "PG_URL": f"postgres://postgres@127.0.0.1:{port}/postgres"}
    finally:
        run_as_postgres("pg_ctl", "-D", data, "-w", "-m", "fast", "stop")


@contextlib.contextmanager
def redis(work):
    port, data = free_port(), work / "redis"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", data,
         "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""],
        stdout=subprocess.DEVNULL)
    try:
        wait_for("Redis answers", lambda: ask_redis(port, "PING"))
        yield {"REDIS_PORT": str(port), "REDIS_PID": str(server.pid)}
    finally:
        server.terminate()
        server.wait()


def ask_redis(port, command):
    return subprocess.run(["redis-cli", "-p", str(port), command], capture_output=True,
                          text=True).stdout.strip() in ("PONG", "OK")
