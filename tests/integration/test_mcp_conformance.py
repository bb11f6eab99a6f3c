"""The client of MCP servers against the conformance tests of the protocol, which other people
wrote: all core scenarios. `tests/run mcp` has those that are not core, too."""
import pathlib
import subprocess

from harness.mcp import ROOT
from harness.programs import driver


def test_all_core_scenarios():
    build = pathlib.Path(driver("mcp_driver")).parents[1]
    done = subprocess.run([ROOT / "tests/conformance/mcp/run", build], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "18 of 18 scenarios as expected, suite core" in done.stdout
