"""One stepmill for the tests that break nothing; a fresh one for those that do."""
import json

import pytest

from harness.stepmill import Stepmill

# Steps may call servers of the tests on this address, and on no other of loopback.
SHARED = {"STEPMILL_WORKER_HTTP_ALLOW": "127.0.0.1"}


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
