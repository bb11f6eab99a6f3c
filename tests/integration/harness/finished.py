"""What holds of every run that is over, whatever it did."""

OPEN = 6  # statuses of steps below this are open
ENDS = {"step.completed": "COMPLETED", "step.failed": "FAILED", "step.skipped": "SKIPPED",
        "step.cancelled": "CANCELLED"}
STATUS = {6: "COMPLETED", 7: "FAILED", 8: "SKIPPED", 9: "CANCELLED"}


def check_finished(stepmill, run):
    """Waits for the end of a run, accuses it of everything at once; the run."""
    ended = stepmill.wait_ended(run)
    rows = {row[0]: row for row in stepmill.sql(
        "select step_number, step_key, status + 0, parent_step, item is not null, item_index,"
        " output, fence from workflow_steps where execution_id = %s order by step_number", run)}
    check_events(ended, rows, stepmill.events(run))
    open_rows = [row[:3] for row in rows.values() if row[2] < OPEN]
    assert not open_rows, open_rows
    for row in rows.values():
        check_items(row, rows.values())
    assert stepmill.sql("select count(*) from workflow_approvals"
                        " where execution_id = %s and status = 0", run) == [(0,)]
    return ended


def check_events(ended, rows, events):
    """Gapless; every step that started ended once, as its row says; the end is the last."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "run.started"
    assert events[-1]["type"] == "run." + ended["status"].lower()
    assert [e["type"] for e in events].count(events[-1]["type"]) == 1
    over = {}
    for event in events:
        number = event["payload"].get("stepNumber")
        if not event["type"].startswith("step."):
            continue
        assert number not in over, (event, over[number])
        if event["type"] in ENDS and not event["payload"].get("willRetry"):
            over[number] = ENDS[event["type"]]
    started = {e["payload"]["stepNumber"] for e in events if e["type"] == "step.started"}
    assert started <= over.keys(), started - over.keys()
    assert over == {number: STATUS[rows[number][2]] for number in over}
    silent = [row[:3] for number, row in rows.items()
              if number > 0 and number not in over and row[2] != 9]
    assert not silent, silent  # only what never started is cancelled without a word


def check_items(parent, rows):
    """A foreach that completed has the outputs of its items, in order, each once."""
    items = sorted((row for row in rows if row[3] == parent[0] and row[4]), key=lambda r: r[5])
    if not items or parent[2] != 6:
        return
    assert [row[5] for row in items] == list(range(len(items)))
    assert parent[6] == [row[6] for row in items]
