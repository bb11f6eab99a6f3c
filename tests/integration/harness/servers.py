"""A PostgreSQL and a Redis of a test's own, on Unix sockets, with databases that are
migrated as stepmill does it. For tests of single programs; what tests the whole of
stepmill uses harness.stepmill."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[3]


class Server:
    """A PostgreSQL and a Redis of our own, on Unix sockets."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="stepmill-sched-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "pg"
        self.data.mkdir()
        shutil.chown(self.data, "postgres", "postgres")
        self.bin = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.run_as_postgres("initdb", "-A", "trust", "-U", "stepmill", "-N", "-E", "UTF8",
                             "--locale=C", self.data)
        self.redis_sock = self.folder / "redis.sock"
        self.redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.redis_sock, "--save", "",
             "--appendonly", "no"], stdout=subprocess.DEVNULL)
        self.count = 0
        self.start()

    def run_as_postgres(self, program, *args):
        subprocess.run(["runuser", "-u", "postgres", "--", self.bin / program, *args],
                       check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def start(self):
        self.run_as_postgres(
            "pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o",
            f"-c listen_addresses= -c unix_socket_directories={self.data} -c fsync=on",
            "start")

    def stop(self, mode):
        self.run_as_postgres("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def url(self, name):
        return f"host={self.data} user=stepmill dbname={name}"

    def new_database(self):
        """Migrated as stepmill does it, with one workflow in it."""
        self.count += 1
        name = f"t{self.count}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as admin:
            admin.execute(f"create database {name}")
        sql = ROOT / "sql"
        with psycopg.connect(self.url(name), autocommit=True) as conn:
            conn.execute((sql / "schema_migrations_prepare.sql").read_text())
            conn.execute("set search_path = stepmill")
            for path in sorted((sql / "migrations").glob("*.sql")):
                text = path.read_text()
                with conn.transaction():
                    conn.execute(text)
                    conn.execute("insert into schema_migrations values (%s, %s, %s)",
                                 [int(path.stem[:4]), path.stem,
                                  hashlib.sha256(text.encode()).hexdigest()])
            conn.execute("select partitions_ensure(now())")
            conn.execute("""
                with w as (insert into workflows (id, name) values (uuid7(), 'sleepy')
                           returning id)
                insert into workflow_definitions (id, workflow_id, name, version, source,
                    config, checksum) select uuid7(), id, 'sleepy', 1, '', '{}', '' from w""")
        return name

    def remove(self):
        self.stop("immediate")
        self.redis.terminate()
        self.redis.wait()
        shutil.rmtree(self.folder)
