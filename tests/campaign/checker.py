#!/usr/bin/python3
"""The checker of the fault campaign: after quiet, one pass over database, ledger and history;
prints each violated invariant with the run and the seed. What it must find is found by
tests/integration/test_campaign_checker.py.

  checker.py --database URL --ledger FILE --history FILE [--options FILE] [--seed S] [--json]
  checker.py --database URL --fingerprint FILE      (while the campaign still runs)

Exit status 0: nothing, 1: violations, 2: it could not be checked.

Ledger: JSON lines {"key", "attempt", "time", "note"}, one for each effect that was received. The
key is what the attempt was given as its idempotency key; a step's name (EXECUTION-ID:NUMBER) in
the note, if there is one, must be the same.

History: JSON lines, by "kind":
  call    op, key, workflow, start, end, status, execution: what a client asked, what it was told
  fault   id, time, what: what the nemesis did
  repair  time, what: what nobody should have done
  seen    execution, seq, time, subscriber: an event as a subscriber got it, in order of receipt
  probe   name, value, expected, time; value and expected are numbers, lists of what is there, or
          either by name. The last of leases, children, sessions, descriptors and rss counts, and
          every one of survivors and ready; of ready, value is what readiness said and expected
          the seconds until a canary run ended (null: it did not)

Options, a JSON object:
  pause            seconds between the two looks at what is stored (1)
  before           a former look (--fingerprint): what was stored then must still be the same
  bound            seconds from a run's making to its end (none)
  open_runs        ids of runs that may be open
  grace            seconds after a cancel or an end in which an effect may come (2)
  effects          ["WORKFLOW/STEP", ...] that have effects (default: of which one had)
  seen_from_start  subscribers see runs from event 1 (true)
  seen_to_end      subscribers see them to the end (true)
  clock_slack      seconds by which runs may seem to overlap (0.1)
  canaries, files  secrets, and the files and folders in which they must not be
  wait             called with the pause instead of time.sleep (from Python only)
"""
import argparse
import json
import sys
import time
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent))  # also when imported from elsewhere

from checks import (canaries, effects, limits, numbers, order, remains, requests,  # noqa: E402
                    results, states)
from checks.files import Malformed  # noqa: E402
from checks.report import Report  # noqa: E402
from checks.world import World, connect  # noqa: E402

ROOMS = (requests, effects, order, numbers, states, limits, remains, canaries)
OPTIONS = {"pause", "before", "bound", "open_runs", "grace", "effects", "seen_from_start",
           "seen_to_end", "clock_slack", "canaries", "files", "seed", "wait"}


def examine(database_url, ledger_path, history_path, options=None):
    """The report: violations and what was not checked."""
    options = options or {}
    unknown = options.keys() - OPTIONS
    if unknown:
        raise Malformed(f"there are no options {sorted(unknown)}")
    report = Report(options.get("seed"))
    with connect(database_url) as conn:
        first = results.fingerprint(conn)
        if "before" in options:
            results.compare(options["before"], first, report)
        world = World(conn, ledger_path, history_path, options)
        for room in ROOMS:
            room.check(world, report)
        results.check_reports(world, report)
        options.get("wait", time.sleep)(options.get("pause", 1.0))
        results.compare(first, results.fingerprint(conn), report)
    return report


def check(database_url, ledger_path, history_path, options=None):
    """The violations: [{"invariant", "run", "seed", "what"}]."""
    return examine(database_url, ledger_path, history_path, options).violations


def fingerprint(database_url):
    """For the option "before"."""
    with connect(database_url) as conn:
        return results.fingerprint(conn)


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--database", required=True, metavar="URL")
    parser.add_argument("--ledger", metavar="FILE")
    parser.add_argument("--history", metavar="FILE")
    parser.add_argument("--options", metavar="FILE")
    parser.add_argument("--seed")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fingerprint", metavar="FILE")
    args = parser.parse_args(words)
    if args.fingerprint is None and (args.ledger is None or args.history is None):
        parser.error("--ledger and --history are needed")
    return args


def show(report):
    for violation in report.violations:
        run = f" run {violation['run']}" if violation["run"] else ""
        seed = f" seed {violation['seed']}" if violation["seed"] is not None else ""
        print(f"{violation['invariant']}{run}{seed}: {violation['what']}")
    for line in report.summary():
        print(line)


def main(words=None):
    args = arguments(words)
    try:
        if args.fingerprint is not None:
            Path(args.fingerprint).write_text(json.dumps(fingerprint(args.database)))
            return 0
        options = json.loads(Path(args.options).read_text()) if args.options else {}
        if args.seed is not None:
            options["seed"] = args.seed
        report = examine(args.database, args.ledger, args.history, options)
    except (Malformed, OSError, ValueError, psycopg.Error) as error:
        print(f"checker.py: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps({"violations": report.violations, "notChecked": report.unchecked},
                         indent=1))
    else:
        show(report)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
