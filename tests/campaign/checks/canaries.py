"""I-12: secrets that were planted must be found nowhere, in no encoding: not in the files that
are named (logs, dumps, core files, what /metrics said), not in any column that holds text."""
import base64
import html
import json
import urllib.parse
from pathlib import Path

COLUMNS = """
select table_name as table, column_name as column from information_schema.columns c
  join information_schema.tables t using (table_schema, table_name)
 where table_schema = 'stepmill' and t.table_type = 'BASE TABLE'
   and table_name not in (select inhrelid::regclass::text from pg_inherits)
   and data_type in ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY')
 order by 1, 2"""


def _base64_inside(secret, encode):
    """As it looks inside a longer text: at each of the three offsets, without the characters
    that also depend on the neighbours."""
    data = secret.encode()
    for offset in range(3):
        text = encode(b"\0" * offset + data).decode().rstrip("=")
        bits = 8 * (offset + len(data))
        yield text[-(-8 * offset // 6):bits // 6]


def encodings(secret):
    """{text: name of the encoding}; what is the same as a former one is left out."""
    quoted = urllib.parse.quote(secret, safe="")
    forms = [
        ("raw", [secret]),
        ("base64", _base64_inside(secret, base64.b64encode)),
        ("base64url", _base64_inside(secret, base64.urlsafe_b64encode)),
        ("URL-coded", [quoted, urllib.parse.quote_plus(secret),
                       urllib.parse.quote(secret), _lower_hex(quoted)]),
        ("JSON-escaped", [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1],
                          json.dumps(secret)[1:-1].replace("/", "\\/")]),
        ("hex", [secret.encode().hex(), secret.encode().hex().upper()]),
        ("reversed", [secret[::-1]]),
        ("HTML-escaped", [html.escape(secret), html.escape(secret, quote=False)]),
    ]
    needles = {}
    for name, texts in forms:
        for text in texts:
            needles.setdefault(text, name)
    return needles


def _lower_hex(quoted):
    first, *rest = quoted.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def check(world, report):
    canaries = world.options.get("canaries", [])
    if not canaries:
        report.not_checked("I-12", "no canaries")
        return
    needles = {text: (number, name) for number, secret in enumerate(canaries)
               for text, name in encodings(secret).items()}
    for path in _files(world.options.get("files", [])):
        data = path.read_bytes()
        for text, (number, name) in needles.items():
            at = data.find(text.encode())
            if at >= 0:
                report.add("I-12", None, f"canary {number} ({name}) in {path} at byte {at}")
    for column in world.conn.execute(COLUMNS).fetchall():
        _check_column(world, report, column, needles)


def _files(paths):
    """Folders with all that is in them."""
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file())
        else:
            yield path


def _check_column(world, report, column, needles):
    names = [row[0] for row in world.conn.execute(
        "select column_name from information_schema.columns where table_schema = 'stepmill'"
        " and table_name = %s and column_name in ('execution_id')", (column.table,))]
    run = "execution_id" if names else "id" if column.table == "workflow_runs" else "null"
    text = f'"{column.column}"::text'
    rows = world.conn.execute(
        f'select {run}::text as run, needle from "{column.table}"'
        f" join unnest(%s::text[]) needle on position(needle in {text}) > 0 limit 100",
        (list(needles),))
    for row in rows:
        number, name = needles[row.needle]
        report.add("I-12", row.run, f"canary {number} ({name}) in"
                   f" {column.table}.{column.column}")
