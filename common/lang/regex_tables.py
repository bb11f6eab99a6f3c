#!/usr/bin/env python3
"""Writes regex_tables.c: general categories and simple case pairs of Unicode.

usage: python3 regex_tables.py > regex_tables.c
"""

import unicodedata

CATEGORIES = [
    "Cn", "Cc", "Cf", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd",
    "Nl", "No", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl",
    "Zp", "Zs",
]
LAST = 0x110000


def category_runs():
    """Where a category starts; "L&" is a stretch in which Lu and Ll take turns."""
    names = [unicodedata.category(chr(c)) for c in range(LAST)]
    runs = []
    at = 0
    while at < LAST:
        end = at
        while end + 1 < LAST and {names[end], names[end + 1]} == {"Lu", "Ll"}:
            end += 1
        if end - at >= 3:
            runs.append((at, 30 if names[at] == "Lu" else 31))
            at = end + 1
            continue
        if not runs or runs[-1][1] != CATEGORIES.index(names[at]):
            runs.append((at, CATEGORIES.index(names[at])))
        at += 1
    return runs


def case_runs(change):
    """(first, last, step, delta) of the characters that change to one other."""
    runs = []
    for c in range(LAST):
        other = change(chr(c))
        if len(other) != 1 or ord(other) == c:
            continue
        delta = ord(other) - c
        if runs and runs[-1][3] == delta:
            first, last, step, _ = runs[-1]
            if c - last == step or (first == last and c - last in (1, 2)):
                runs[-1] = (first, c, c - last, delta)
                continue
        runs.append((c, c, 1, delta))
    return runs


def table(name, kind, rows, wide):
    lines = ["const %s %s[] = {" % (kind, name)]
    for at in range(0, len(rows), wide):
        lines.append("\t" + " ".join(rows[at:at + wide]))
    lines.append("};")
    lines.append("const size_t %s_count = sizeof %s / sizeof %s[0];" % (name, name, name))
    return "\n".join(lines)


def main():
    print("/* Written by regex_tables.py out of Unicode %s. */" % unicodedata.unidata_version)
    print("/* clang-format off */")
    print('#include "lang/regex_tables.h"')
    print()
    print(table("regex_categories", "uint32_t",
                ["0x%x," % (first << 5 | what) for first, what in category_runs()], 9))
    for name, change in (("regex_lower", str.lower), ("regex_upper", str.upper)):
        print()
        print(table(name, "struct regex_case",
                    ["{%d,%d,%d,%d}," % run for run in case_runs(change)], 3))


if __name__ == "__main__":
    main()
