"""Workflow files that cannot be seen are not gone, and a busy project hides none."""
import threading
import time

import pytest
from harness.stepmill import Refused, Stepmill, flow, wait_for

NOOP = {"id": "a", "action": "noop"}


@pytest.fixture
def own():
    with Stepmill(workers=1) as stepmill:
        yield stepmill


def active(stepmill, name):
    try:
        return stepmill.get(f"/api/workflows/{name}")["isActive"]
    except Refused:
        return None


def scans(stepmill):
    return stepmill.log().count("workflows.discovered")


def test_files_that_runs_make_neither_hide_nor_cause_a_look(own):
    end = threading.Event()

    def busy():
        for number in range(100000):
            if end.is_set():
                return
            (own.folder / f"made-{number}.txt").touch()
            time.sleep(0.02)

    worker = threading.Thread(target=busy)
    worker.start()
    try:
        (own.templates / "late.yaml").write_text(flow("late", NOOP))
        wait_for("found although more comes", lambda: active(own, "late"), 5)
        before = scans(own)
        time.sleep(1)
        assert scans(own) <= before + 1
    finally:
        end.set()
        worker.join()


def test_what_cannot_be_read_is_not_gone(own):
    own.allowed_errors += ["workflow.refused", "workflows.not_seen"]
    for name in ("grows", "goes"):
        (own.templates / f"{name}.yaml").write_text(flow(name, NOOP))
        wait_for("found", lambda: active(own, name), 5)
    (own.templates / "grows.yaml").write_bytes(b"#" * 300_000)
    (own.templates / "goes.yaml").unlink()
    wait_for("gone", lambda: active(own, "goes") is False, 5)
    assert active(own, "grows")


def test_a_folder_that_cannot_be_opened_takes_nothing_away(own):
    own.allowed_errors.append("workflows.not_seen")
    (own.templates / "stays.yaml").write_text(flow("stays", NOOP))
    wait_for("found", lambda: active(own, "stays"), 5)
    before = scans(own)
    away = own.templates.with_name("away")
    own.templates.rename(away)
    own.templates.symlink_to("templates")
    wait_for("looked", lambda: scans(own) > before, 5)
    wait_for("told", lambda: "workflows.not_seen" in own.log(), 5)
    assert active(own, "stays")
    own.templates.unlink()
    away.rename(own.templates)
