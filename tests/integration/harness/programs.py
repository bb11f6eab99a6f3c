"""Where the programs under test and the drivers of single rooms are.

STEPMILL_BIN names the folder of the programs. The release build has no drivers: then those of
the build STEPMILL_DRIVERS are taken, or of the debug build, with what stands beside them.
"""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("STEPMILL_BIN", ROOT / "build/release/bin")).resolve()
DRIVERS = pathlib.Path(os.environ.get("STEPMILL_DRIVERS", ROOT / "build/debug")).resolve()


def driver(name):
    own = BIN.parent / "tests" / name
    return own if own.exists() else DRIVERS / "tests" / name
