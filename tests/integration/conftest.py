"""One stepmill for the tests that break nothing; a fresh one for those that do."""
import pytest

from harness.stepmill import Stepmill


@pytest.fixture(scope="session")
def shared():
    with Stepmill(workers=2) as stepmill:
        yield stepmill


@pytest.fixture
def stepmill(shared):
    return shared


@pytest.fixture
def fresh():
    with Stepmill(workers=2) as stepmill:
        yield stepmill
