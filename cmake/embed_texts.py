#!/usr/bin/env python3
"""Writes text files as C byte arrays, with one table of their names, sorted:
embed_texts.py OUT HEADER TYPE TABLE FILE..."""
import pathlib
import sys

LINE = 16


def array(name, data):
    lines = (",".join(f"0x{byte:02x}" for byte in data[at:at + LINE])
             for at in range(0, len(data), LINE))
    return f"static const char {name}[] = {{\n" + ",\n".join(lines) + ",0\n};\n"


def main(out, header, kind, table, files):
    text = f'/* Generated. */\n#include "{header}"\n\n'
    rows = ""
    for index, file in enumerate(sorted(files)):
        data = pathlib.Path(file).read_bytes()
        text += array(f"text_{index}", data)
        rows += f'\t{{ "{pathlib.Path(file).stem}", text_{index}, {len(data)} }},\n'
    text += f"\nconst {kind} {table}[] = {{\n{rows}\t{{ 0 }},\n}};\n"
    pathlib.Path(out).write_text(text, encoding="ascii")


main(*sys.argv[1:5], sys.argv[5:])
