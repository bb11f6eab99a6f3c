#!/usr/bin/env python3
"""Makes schema_meta_2020.c and schema_meta_older.c out of the published metaschemas.

    schema_meta_tables.py FOLDER

FOLDER holds draft2020-12.json, draft2019-09.json, draft7.json, draft6.json and
vocabularies.json (all vocabularies in one object, by URI), as Debian's python3-jsonschema
has them. What only explains (titles, comments) is left out.
"""
import json
import pathlib
import sys


def shorten(value):
    if isinstance(value, list):
        return [shorten(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: shorten(item)
        for key, item in value.items()
        if not (key in ("title", "description", "$comment") and isinstance(item, str))
    }


def literal(text):
    pieces = [text[at : at + 66] for at in range(0, len(text), 66)]
    return "\n".join(
        '\t  "%s"' % piece.replace("\\", "\\\\").replace('"', '\\"') for piece in pieces
    )


def write(path, what, name, documents):
    with open(path, "w", encoding="utf-8") as out:
        out.write("/* %s Made by schema_meta_tables.py. */\n" % what)
        out.write('#include "json/schema_meta.h"\n\n#include <stddef.h>\n\n')
        out.write("/* clang-format off */\nconst struct schema_meta %s[] = {\n" % name)
        for uri, document in documents:
            text = json.dumps(shorten(document), separators=(",", ":"))
            out.write('\t{ "%s",\n%s },\n' % (uri, literal(text)))
        out.write("\t{ NULL, NULL },\n};\n/* clang-format on */\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    here = pathlib.Path(__file__).parent
    newer, older = [], []
    for name in ("draft2020-12", "draft2019-09", "draft7", "draft6"):
        document = json.loads((folder / (name + ".json")).read_text())
        uri = document["$id"].rstrip("#")
        (newer if "2020-12" in uri else older).append((uri, document))
    vocabularies = json.loads((folder / "vocabularies.json").read_text())
    for uri in sorted(vocabularies):
        if "hyper-schema" not in uri:
            (newer if "2020-12" in uri else older).append((uri, vocabularies[uri]))
    write(here / "schema_meta_2020.c", "The metaschemas of draft 2020-12.",
          "schema_meta_2020", newer)
    write(here / "schema_meta_older.c", "The metaschemas of drafts 2019-09, 7 and 6.",
          "schema_meta_older", older)


main()
