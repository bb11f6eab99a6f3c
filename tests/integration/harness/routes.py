"""What the HTTP API answers, as the supervisor itself tells it."""
import subprocess
from typing import NamedTuple

from .stepmill import BIN

LEVELS = {"none": 0, "viewer": 1, "operator": 2, "admin": 3}


class Route(NamedTuple):
    method: str
    path: str
    role: str
    changes: str  # "-": nothing

    def __str__(self):
        return f"{self.method} {self.path}"


def told(option):
    return subprocess.run([BIN / "stepmill-supervisor", option], capture_output=True, text=True,
                          check=True).stdout.splitlines()


def routes():
    found = [Route(*line.split(" ")) for line in told("--routes")]
    assert len(found) >= 40
    return found
