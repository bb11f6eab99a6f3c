#!/usr/bin/env python3
"""Writes the documents of the API (docs/api/NAME.yaml) as JSON in C byte arrays, with one table of
their names: embed_documents.py OUT FILE..."""
import hashlib
import json
import pathlib
import sys

import yaml

LINE = 16


class Loader(yaml.SafeLoader):
    """Refuses a key that stands twice; `<<` and what it brings may be overridden."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value} stands twice",
                                           problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def array(name, data):
    lines = (",".join(str(byte) for byte in data[at:at + LINE])
             for at in range(0, len(data), LINE))
    return f"static const char {name}[] = {{\n" + ",\n".join(lines) + ",0\n};\n"


def main(out, files):
    text = '/* Generated from docs/api/. */\n#include "front/documents.h"\n\n'
    rows = ""
    for index, file in enumerate(sorted(files)):
        document = yaml.load(pathlib.Path(file).read_text(encoding="utf-8"), Loader)
        text_of = json.dumps(document, separators=(",", ":"))
        # what refers to another file refers to another document where it is served
        data = text_of.replace('.yaml#/', '.json#/').encode("ascii")
        text += array(f"text_{index}", data)
        tag = hashlib.sha256(data).hexdigest()[:32]
        rows += f'\t{{ "{pathlib.Path(file).stem}", "\\"{tag}\\"", text_{index}, {len(data)} }},\n'
    text += f"\nconst struct document documents[] = {{\n{rows}\t{{ 0 }},\n}};\n"
    pathlib.Path(out).write_text(text)


main(sys.argv[1], sys.argv[2:])
