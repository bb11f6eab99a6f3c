"""One stepmill for the tests that break nothing; a fresh one for those that do. What servers say
over WebSocket is checked against the AsyncAPI document; with STEPMILL_PRISM=1 all that tests ask
over HTTP runs through prism, and what it found is told at the end (tests/run contract)."""
import json
import os

import pytest

from harness import messages, prism, raw_ws, stepmill as harness
from harness.stepmill import Stepmill

# Steps may call servers of the tests on this address, and on no other of loopback. There is a
# provider of models, but it never answers.
SHARED = {"STEPMILL_WORKER_HTTP_ALLOW": "127.0.0.1",
          # Those of docs/mcp.md, which never answer.
          "STEPMILL_MCP": '{files: {command: ["false"]}, tracker: {url: "http://127.0.0.1:1/mcp"}}',
          "STEPMILL_PROVIDERS": '{nobody: {type: openai, base_url: "http://127.0.0.1:1"}}'}


@pytest.fixture(scope="session")
def shared():
    with Stepmill(workers=2, environment=SHARED) as stepmill:
        yield stepmill


@pytest.fixture
def stepmill(shared):
    return shared


@pytest.fixture
def fresh():
    with Stepmill(workers=2) as stepmill:
        yield stepmill


@pytest.fixture(scope="session")
def key(shared):
    """Of an operator, for supervisors beside the shared one that ask for keys."""
    made = shared.cli("keys", "create", "--name", "of-the-tests", "--role", "operator", "--json",
                      "--database-url", shared.state["databaseUrl"])
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)["key"]


def pytest_collection_modifyitems(config, items):
    """Real agents have to be installed first: only who names them gets them."""
    if "agents" in config.getoption("-m"):
        return
    left = [item for item in items if item.get_closest_marker("agents")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


# ---- the documents of the API ----

@pytest.fixture(scope="session", autouse=True)
def heard():
    raw_ws.watch = messages.Messages()
    return raw_ws.watch


@pytest.fixture(scope="session", autouse=True)
def proxy():
    if not os.environ.get("STEPMILL_PRISM"):
        yield
        return
    with prism.Prism(messages.written("openapi")) as harness.checker:
        yield


def pytest_sessionfinish(session):
    if harness.checker is not None and harness.checker.wrong:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    proxy = harness.checker
    if proxy is None:
        return
    terminalreporter.section("prism")
    for one in proxy.wrong:
        terminalreporter.line(str(one))
    for one in proxy.missed:
        terminalreporter.line(f"not understood by prism: {one}")
    terminalreporter.line(
        f"{sum(proxy.checked.values())} requests to {len({name for name, _ in proxy.checked})} "
        f"operations through prism, {len(proxy.missed)} not understood, "
        f"{len(proxy.violations) - len(proxy.wrong)} refused ones that break the rules, "
        f"{len(proxy.wrong)} violations")
