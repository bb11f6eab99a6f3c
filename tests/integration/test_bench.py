"""The program that measures the front runs, and loses no run that it was told of."""
import json
import subprocess

import pytest
from harness.stepmill import ROOT

pytestmark = pytest.mark.long


def test_the_figures_of_http():
    done = subprocess.run([ROOT / "tests/bench/http", "--rounds", "1", "--seconds", "1", "--json"],
                          capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    print(json.dumps(told, indent=1))
    assert told["none_lost"] and told["asked_by_id"]["told"] > 0
    assert len(told["figures"]) == 7
    assert all(one["errors"] == 0 and one["rate"]["median"] > 0
               for one in told["figures"].values())
