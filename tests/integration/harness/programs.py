"""Where the programs under test and the drivers of single rooms are.

STEPMILL_BIN names the folder of the programs. The release build has no drivers: then those of
the debug build are taken, with what stands beside them.
"""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("STEPMILL_BIN", ROOT / "build/release/bin")).resolve()


def driver(name):
    own = BIN.parent / "tests" / name
    return own if own.exists() else ROOT / "build/debug/tests" / name
