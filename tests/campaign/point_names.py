"""Which crash points there are, read from the sources: POINT("name"), and before and after each
transaction with a statement that changes something (common/store/pg_pipe.c)."""
import pathlib
import re

from wire import changes_something

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("common", "supervisor", "worker", "scheduler", "cli")
POINT = re.compile(r'\bPOINT\(\s*"([^"]+)"\s*\)')
ANY_POINT = re.compile(r"\bPOINT\(")
POINT_OF = re.compile(r"\bPOINT_OF\(")
TRANSACTION = 'POINT_OF("transaction", query_name('
VISIT = re.compile(r'\bvisit\(batch, "(\w+)"\)')
# Runs its statements by itself, before there is anything that could be lost.
MIGRATION = "migrate.c"


class Unknown(Exception):
    """A point whose names cannot be read from the sources."""


def sources(root=ROOT):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]")):
            if path.name not in ("point.c", "point.h", MIGRATION):
                yield path, path.read_text()


def statements(texts, root=ROOT):
    """Names of those that change something, and that a program sends."""
    for path in sorted((root / "sql").glob("*.sql")):
        if changes_something(path.read_bytes()) and f'"{path.stem}"' in texts:
            yield path.stem


def all_names(root=ROOT):
    names, whens, texts = set(), set(), ""
    for path, text in sources(root):
        found = POINT.findall(text)
        names |= set(found)
        texts += text
        if len(ANY_POINT.findall(text)) != len(found) or \
                len(POINT_OF.findall(text)) != text.count(TRANSACTION):
            raise Unknown(f"{path}: of what is this a point?")
        if TRANSACTION in text:
            whens |= set(VISIT.findall(text))
    return names | {f"transaction.{statement}.{when}"
                    for statement in statements(texts, root) for when in whens}


def compare(tested, root=ROOT):
    """What is wrong with the list of those that are tested: a line for each."""
    there = all_names(root)
    return ([f"{name}: no test visits it" for name in sorted(there - set(tested))]
            + [f"{name}: there is no such point" for name in sorted(set(tested) - there)])
