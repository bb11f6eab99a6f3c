"""A real browser as a client: pages of this server's origin, of one that is allowed and of one
that is not, over WebSocket; and EventSource across the death of a supervisor. (I7; D1)"""
import os
import signal
import urllib.parse

import pytest
from harness.chromium import Chromium, Page
from harness.stepmill import Stepmill, noop, shell, wait_for

pytestmark = pytest.mark.long

TYPES = ["run.started", "run.paused", "run.resumed", "run.recovered", "run.completed",
         "step.started", "step.waiting", "step.completed", "approval.requested",
         "approval.decided", "comment.added"]
CLOSED = 2  # EventSource.readyState


@pytest.fixture(scope="module")
def browser():
    with Chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page():
    with Page() as page:
        yield page


@pytest.fixture(scope="module")
def guarded(shared, page):
    """A supervisor that asks for keys, to which that page may talk."""
    with shared.supervisor(pool_workers=0, auth_required="true",
                           http_allowed_origins=page.origin) as supervisor:
        yield supervisor


def origins(guarded, page):
    return {"own": guarded.url + "/healthz", "allowed": page.origin}


def talk(browser, guarded, workflow, query=None, first=None):
    url = guarded.url.replace("http", "ws") + "/ws?client=page"
    if query:
        url += "&" + urllib.parse.urlencode(query)
    browser.do("watchOverSocket(...arguments)", url, workflow, first)
    browser.wait("its end", "told.closed")
    return browser.do("return told")


@pytest.mark.parametrize("how", ["query", "message"])
@pytest.mark.parametrize("origin", ["own", "allowed"])
def test_a_page_follows_the_run_that_it_started(shared, guarded, page, browser, key, origin, how):
    workflow = shared.define(shell("one", "echo 1"), noop("two"), shell("three", "echo 3"))
    browser.open(origins(guarded, page)[origin])
    if how == "query":
        told = talk(browser, guarded, workflow, query={"access_token": key})
    else:
        told = talk(browser, guarded, workflow,
                    first={"type": "auth", "id": "auth", "token": key})
    assert told["closed"] == {"code": 1000, "wasClean": True}, told
    assert told["protocol"] == "stepmill.v1"
    assert told["seqs"] == [event["seq"] for event in shared.events(told["run"])]
    run = shared.execution(told["run"])
    assert run["status"] == "COMPLETED" and run["requestedBy"] == "of-the-tests/page"
    assert key not in guarded.log()


@pytest.mark.parametrize("how", ["query", "message"])
def test_a_page_from_elsewhere_is_refused(shared, guarded, browser, key, how):
    workflow = shared.define(noop("a"))
    with Page() as elsewhere:
        browser.open(elsewhere.origin)
        if how == "query":
            told = talk(browser, guarded, workflow, query={"access_token": key})
        else:
            told = talk(browser, guarded, workflow,
                        first={"type": "auth", "id": "auth", "token": key})
    assert not told["opened"] and told["messages"] == [], told
    assert told["closed"] == {"code": 1006, "wasClean": False}
    assert shared.sql("select count(*) from v_runs where workflow_name = %s",
                      workflow) == [(0,)]


def test_an_event_source_goes_on_after_the_supervisor_died(browser):
    """The browser comes back by itself and says what it has: nothing is missing or there twice.
    At the run's end it is told to stay away."""
    with Stepmill(workers=1) as dev:
        run = dev.begin(noop("before"), {"id": "ask", "action": "approval", "prompt": "Go on?"},
                        shell("after", "true"))
        browser.open(dev.url + "/healthz")
        browser.do("watchEvents(...arguments)", f"/api/executions/{run}/events", TYPES)
        browser.wait("the events until it waits",
                     "told.events.some(([, type]) => type === 'run.paused')")
        assert browser.do("return told.opened") == 1
        os.kill(dev.state["supervisorPid"], signal.SIGKILL)
        browser.wait("it is open again", "told.opened >= 2")
        wait_for("approved", lambda: approve(dev, run))
        assert dev.wait_ended(run)["status"] == "COMPLETED"
        browser.wait("it stays away", f"source.readyState === {CLOSED}")
        events = browser.do("return told.events")
        wanted = [[event["seq"], event["type"], event["seq"]] for event in dev.events(run)]
        assert events == wanted
        browser.open("about:blank")


def approve(dev, run):
    return dev.ask("POST", f"/api/executions/{run}/steps/ask/approve").status == 200
