"""A PostgreSQL of a test's own on a Unix socket, at default durability, and sessions on it
that run the statements of sql/ by name, as the programs do."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[3]
SQL = ROOT / "sql"
DEADLINE = 20.0
# As common/store/pg.c sets up a connection for claims and finishes.
HOT = ("-c search_path=stepmill -c jit=off -c TimeZone=UTC -c plan_cache_mode=force_generic_plan"
       " -c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off"
       " -c enable_mergejoin=off")


def wait(what, condition, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not in {deadline} s: {what}"
        time.sleep(0.005)


def uuid7():
    bits = (int(time.time() * 1000) << 80) | (7 << 76) | (2 << 62)
    return str(uuid.UUID(int=bits | (uuid.uuid4().int & ((0xfff << 64) | ((1 << 62) - 1)))))


class Postgres:
    def __init__(self, settings=""):
        self.folder = Path(tempfile.mkdtemp(prefix="stepmill-pg-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.data.mkdir()
        self.bin = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.settings = settings
        self.count = 0
        self.template = False
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres", "postgres")
        self._run("initdb", "-A", "trust", "-U", "stepmill", "-N", "-E", "UTF8",
                  "--locale=C", "-D", self.data)
        self.start()

    def _run(self, program, *args, check=True):
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*as_user, self.bin / program, *args], check=check, cwd="/",
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def start(self):
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o",
                  f"-c listen_addresses= -c unix_socket_directories={self.data}"
                  f" {self.settings}", "start")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def kill(self):
        self.stop("immediate")

    def restart(self, mode="immediate"):
        self.stop(mode)
        self.start()

    def processes(self):
        """Its main process and the children of that."""
        main = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [main, *map(int, children)]

    def pause(self):
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(pid, number)

    def url(self, database):
        return f"host={self.data} user=stepmill dbname={database}"

    def connect(self, database, options="-c search_path=stepmill"):
        return psycopg.connect(self.url(database), autocommit=True, options=options)

    def _migrate(self, database):
        with self.connect(database) as conn:
            conn.execute((SQL / "schema_migrations_prepare.sql").read_text())
            for path in sorted((SQL / "migrations").glob("*.sql")):
                with conn.transaction():
                    conn.execute(path.read_text())

    def new_database(self):
        """Migrated, and empty."""
        with self.connect("postgres") as admin:
            if not self.template:
                admin.execute("create database migrated")
                self._migrate("migrated")
                self.template = True
            self.count += 1
            admin.execute(f"create database t{self.count} template migrated")
        return f"t{self.count}"

    def remove(self):
        if (self.data / "postmaster.pid").exists():
            self.resume()
            self.kill()
        shutil.rmtree(self.folder)


def literal(value):
    """A parameter in PostgreSQL's text form."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(item(each) for each in value) + "}"
    return str(value)


def item(value):
    if value is None:
        return "null"
    text = literal(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def parse(oid, value):
    if value is None:
        return None
    text = value.decode()
    if oid in (20, 21, 23):
        return int(text)
    if oid == 16:
        return text == "t"
    if oid in (114, 3802):
        return json.loads(text)
    return text


class Refused(Exception):
    def __init__(self, result):
        fields = psycopg.pq.DiagnosticField
        super().__init__(result.error_message.decode())
        self.sqlstate = result.error_field(fields.SQLSTATE).decode()
        self.constraint = (result.error_field(fields.CONSTRAINT_NAME) or b"").decode()


class Session:
    """One connection. run() is one statement of sql/; between begin() and commit() several
    are one transaction, as in a pipeline up to its Sync."""

    def __init__(self, postgres, database, options=HOT):
        self.conn = postgres.connect(database, options)
        self.pid = self.conn.info.backend_pid

    def text(self, sql, *params):
        values = [None if p is None else literal(p).encode() for p in params]
        result = self.conn.pgconn.exec_params(sql.encode(), values or None)
        if result.status not in (psycopg.pq.ExecStatus.TUPLES_OK,
                                 psycopg.pq.ExecStatus.COMMAND_OK):
            raise Refused(result)
        return [tuple(parse(result.ftype(column), result.get_value(row, column))
                      for column in range(result.nfields))
                for row in range(result.ntuples)]

    def run(self, name, *params):
        return self.text((SQL / f"{name}.sql").read_text(), *params)

    def begin(self):
        self.text("begin")

    def commit(self):
        self.text("commit")

    def rollback(self):
        self.text("rollback")

    def close(self):
        self.conn.close()


class Later:
    """A call in a thread: for statements that wait for another session."""

    def __init__(self, call, *args):
        self.answer = self.error = None
        self.thread = threading.Thread(target=self._run, args=(call, args), daemon=True)
        self.thread.start()

    def _run(self, call, args):
        try:
            self.answer = call(*args)
        except Exception as error:  # told to whoever asks for the result
            self.error = error

    def is_done(self):
        return not self.thread.is_alive()

    def result(self):
        self.thread.join(DEADLINE)
        assert self.is_done(), "the statement still waits"
        if self.error is not None:
            raise self.error
        return self.answer
