"""Commands that die in the middle: asked for once more, they do what they are to do."""
import asyncio
import signal
import subprocess

from history import History
from point_system import BIN, PointSystem


class Commands:
    def __init__(self, system):
        self.system = system

    def run(self, *words, crash):
        environment = {**self.system.environment, "STEPMILL_CRASH": crash}
        return subprocess.run([BIN / "stepmill", "keys", *words], env=environment, text=True,
                              cwd=self.system.project, stdin=subprocess.DEVNULL, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def keys(self):
        """{name: it is revoked} as stored."""
        with self.system.postgres.connect(self.system.database) as conn:
            return dict(conn.execute(
                "select name, revoked_at is not null from api_keys").fetchall())


def work(commands, words, crash):
    """What is wrong."""
    if words[0] == "revoke":
        commands.run("create", "--name", "key", "--role", "viewer", crash="")
    first = commands.run(*words, crash=crash)
    again = commands.run(*words, crash=crash)
    wrong = []
    if first.returncode != -signal.SIGKILL:
        wrong.append(f"it ended with {first.returncode}: {first.stdout}")
    # A name that is taken, and a key that is revoked already, are refused: it was done.
    if again.returncode not in (0, 1):
        wrong.append(f"again it ended with {again.returncode}: {again.stdout}")
    if commands.keys() != {"key": words[0] == "revoke"}:
        wrong.append(f"the keys are {commands.keys()}")
    return wrong


async def try_command(servers, folder, case):
    history = History(folder)
    system = await asyncio.to_thread(PointSystem, servers, history, folder, "")
    words = {"api_keys_insert": ("create", "--name", "key", "--role", "viewer"),
             "api_keys_revoke": ("revoke", "key")}[case.point.split(".")[1]]
    wrong = await asyncio.to_thread(work, Commands(system), words, case.order)
    died = system.died()
    history.close()
    await asyncio.to_thread(system.drop)
    return wrong, died[0] if died else "nobody"
