"""A PostgreSQL cluster as `stepmill dev` makes it, made once by each process of the tests and
copied from then on: initdb takes seconds of a core, a copy does not. What tests the making
itself starts with an empty folder (Stepmill(made=False)); everything after it is as ever."""
import atexit
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

BIN = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]


def run(program, *args, text=None):
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*as_user, BIN / program, *args], check=True, cwd="/", text=True, input=text,
                   stdout=subprocess.DEVNULL)


@functools.cache
def template():
    """A folder for .stepmill/servers: cluster, database, and the mark that they are complete.
    Flags are those of cli/dev/servers.c; nothing is synced, for no power fails in between."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stepmill-cluster-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "postgres"
    run("initdb", "-N", "-D", data, "-U", "stepmill", "--auth=trust", "-E", "UTF8",
        "--locale=C.UTF-8", "--no-instructions")
    run("postgres", "--single", "-D", data, "postgres", text="create database stepmill;\n")
    (folder / "made").touch()
    return folder


def put(folder):
    """The servers' folder of a project that has no data yet."""
    data = folder / ".stepmill"
    data.mkdir()
    (data / ".gitignore").write_text("*\n")  # whoever makes the folder writes it, cli/dev/place.c
    subprocess.run(["cp", "-a", template(), data / "servers"], check=True)
