"""The ledger and the history, as JSON lines. What a file must not hold is an error that names
the line: a checker that skips what it does not understand finds nothing."""
import json
from types import SimpleNamespace

NUMBER = (int, float)
TEXT_OR_NONE = (str, type(None))
ANY = object
OPS = {"trigger", "cancel", "pause", "resume", "approve", "deny", "retry", "rerun", "get"}
PROBES = {"leases", "children", "sessions", "descriptors", "rss", "survivors", "ready"}

EFFECT = {"key": str, "attempt": int, "time": NUMBER, "note": str}
LINES = {
    "call": {"op": str, "key": TEXT_OR_NONE, "workflow": TEXT_OR_NONE, "start": NUMBER,
             "end": (int, float, type(None)), "status": (int, type(None)),
             "execution": TEXT_OR_NONE},
    "fault": {"id": str, "time": NUMBER, "what": str},
    "repair": {"time": NUMBER, "what": str},
    "seen": {"execution": str, "seq": int, "time": NUMBER, "subscriber": (int, str)},
    "probe": {"name": str, "value": ANY, "time": NUMBER},
}
WORDS = {"call": ("op", OPS), "probe": ("name", PROBES)}


class Malformed(Exception):
    pass


def _lines(path):
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                line = json.loads(text)
            except ValueError as error:
                raise Malformed(f"{path}:{number}: {error}") from error
            if not isinstance(line, dict):
                raise Malformed(f"{path}:{number}: not an object")
            yield f"{path}:{number}", line


def _check(where, line, fields):
    for name, kind in fields.items():
        if name not in line:
            raise Malformed(f"{where}: no \"{name}\"")
        value = line[name]
        if isinstance(value, bool) and kind is not ANY or not isinstance(value, kind):
            raise Malformed(f"{where}: \"{name}\" is {value!r}")


def read_ledger(path):
    """Every effect that was received, in the order of receipt."""
    effects = []
    for where, line in _lines(path):
        _check(where, line, EFFECT)
        effects.append(SimpleNamespace(**line))
    return effects


def read_history(path):
    """By kind, each in the order of the file."""
    history = {kind: [] for kind in LINES}
    for where, line in _lines(path):
        kind = line.get("kind")
        if kind not in LINES:
            raise Malformed(f"{where}: there is no kind {kind!r}")
        _check(where, line, LINES[kind])
        if kind in WORDS:
            name, words = WORDS[kind]
            if line[name] not in words:
                raise Malformed(f"{where}: there is no {kind} {line[name]!r}")
        line.setdefault("expected", None)
        history[kind].append(SimpleNamespace(**line))
    return history
