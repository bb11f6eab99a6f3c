"""A command-line agent that does what its prompt says: its first word is a verb. Keeps a session
in HOME as real ones do, so that it knows what it was told before. Battery F10 and F2."""
import ctypes
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time
import uuid


def say(**event):
    print(json.dumps(event), flush=True)


def options(words):
    """--name value, up to --; the rest is the prompt."""
    found, at = {}, 0
    while at < len(words) and words[at] != "--":
        found[words[at].removeprefix("--")] = words[at + 1]
        at += 2
    return found, words[at + 1:]


class Session:
    def __init__(self, name):
        self.name = name or f"fake-{uuid.uuid4()}"
        self.path = pathlib.Path(os.environ["HOME"]) / f".fake/sessions/{self.name}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if name and not self.path.exists():
            say(type="error", message=f"no session {name}")
            sys.exit(4)

    def told(self):
        return self.path.read_text().splitlines() if self.path.exists() else []

    def keep(self, line):
        with self.path.open("a") as file:
            file.write(line.replace("\n", " ") + "\n")


def result(text, **more):
    usage = {"inputTokens": 10, "outputTokens": 5, **more.pop("usage", {})}
    say(type="result", text=text, usage=usage, **more)


def do_answer(rest, session):
    result(rest)


def kernel_folder():
    """As the kernel tells it, not as a library finds it out: some agents are linked with one that
    cannot."""
    path = ctypes.create_string_buffer(4096)
    number = 17 if platform.machine() in ("aarch64", "arm64") else 79
    ctypes.CDLL(None).syscall(number, path, 4096)
    return path.value.decode()


def do_facts(rest, session):
    """What it sees of the world."""
    home = pathlib.Path(os.environ["HOME"])
    result({"environment": dict(os.environ), "folder": kernel_folder(), "arguments": sys.argv[1:],
            "stdin": sys.stdin.read(), "told": session.told(), "descriptors": sorted(
                int(name) for name in os.listdir("/proc/self/fd")),
            "home": {str(path.relative_to(home)): path.read_text()
                     for path in sorted(home.rglob("*")) if path.is_file()}})


def do_nothing(rest, session):
    pass


def do_nonjson(rest, session):
    print("Welcome! Please log in first: https://example.com/login")


def do_ask(rest, session):
    """As somebody who wants to be answered; there is nobody."""
    print("Do you trust this folder? [y/n]", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    try:
        open("/dev/tty").close()
        answer = "a terminal"
    except OSError:
        pass
    if answer == "":
        sys.exit(7)
    result(f"answered: {answer}")


def stay(folder_name):
    """Processes that do not want to end: in a session of their own, and deaf."""
    code = ("import os, signal, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "open('pids', 'a').write(f'{os.getpid()}\\n')\n"
            "time.sleep(1000)\n")
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True,
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)
    while not os.path.exists("pids"):
        time.sleep(0.01)


def do_hang(rest, session):
    say(type="progress", message="hangs")
    stay("pids")
    if rest == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("pids", "a").write(f"{os.getpid()}\n")
    say(type="progress", message="ready to hang")
    time.sleep(1000)


def do_daemon(rest, session):
    stay("pids")
    result("left somebody behind")


def do_flood(rest, session):
    """So many MiB: without a newline, or as lines."""
    kind, size = rest.split()
    piece = b"x" * (1 << 20) if kind == "line" else (b"y" * 1023 + b"\n") * 1024
    for _ in range(int(size)):
        os.write(1, piece)
    os.write(1, b"\n")
    if kind == "lines":
        result("after the flood")


def do_error(rest, session):
    say(type="error", message=rest)


def do_exit(rest, session):
    print("I cannot go on", file=sys.stderr)
    sys.exit(int(rest))


def do_slow(rest, session):
    for number in range(4):
        say(type="progress", message=f"part {number}")
        time.sleep(0.6)
    result("done")


def do_use(rest, session):
    """So many tokens, told before the end; then it would go on for long."""
    say(type="step_finish", part={"reason": "tool-calls", "tokens": {"input": int(rest), "output": 0}})
    say(type="progress", message="goes on")
    time.sleep(1000)


def do_paid(rest, session):
    result("paid", usage={"costUsd": float(rest)})


def do_sums(rest, session):
    """What the whole session has used: ten tokens and a quarter of a dollar for each call."""
    calls = len(session.told()) + 1
    result(f"call {calls}", usage={"inputTokens": 10 * calls, "outputTokens": 0, "costUsd": calls / 4})


def do_schema(rest, session):
    """Wrong so often, counted in the folder."""
    path = pathlib.Path("wrong")
    count = int(path.read_text()) if path.exists() else 0
    path.write_text(str(count + 1))
    open("prompts", "a").write(json.dumps(sys.argv[-1]) + "\n")
    result("not JSON" if count < int(rest.split()[0]) else '{"title": "Good"}')


def do_link(rest, session):
    """A session file that is a link to somewhere else."""
    session.path.unlink(missing_ok=True)
    session.path.symlink_to(rest)
    result("linked")


def main():
    found, prompt = options(sys.argv[1:])
    prompt = prompt[0] if prompt else sys.stdin.read()
    session = Session(found.get("resume"))
    say(type="session", id=session.name)
    verb, _, rest = os.path.expandvars(prompt).partition(" ")
    globals()[f"do_{verb}"](rest, session)
    if not session.path.is_symlink():
        session.keep(prompt)


main()
