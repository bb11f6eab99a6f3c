"""stepmill schedule preview: the examples of docs/schedules.md, what is printed for people and
for programs, exit statuses. Needs no server."""
import json
import re
import subprocess

import pytest

from harness.stepmill import BIN, ROOT

PAGE = (ROOT / "docs/schedules.md").read_text()
FIRINGS = re.findall(r"^\| `([^|]+)` \| `([^|`]+)` \| ([^| ]+) \| ([^|]+) \|$", PAGE, re.M)
WORDS = re.findall(r"^\| `([a-z][^|`]+)` \| `([^|`]+)` \|$", PAGE, re.M)
APIA = ("--timezone", "Pacific/Apia", "--from", "2011-12-29T12:00:00Z", "--count", "30", "--json")


def preview(*words):
    return subprocess.run([BIN / "stepmill", "schedule", "preview", *words], text=True,
                          capture_output=True, timeout=30)


def firings(*words):
    done = preview(*words)
    assert done.returncode == 0 and done.stderr == "", done
    return json.loads(done.stdout)["firings"]


def test_the_page_has_its_examples():
    assert len(FIRINGS) > 15 and len(WORDS) > 10


@pytest.mark.parametrize("schedule, zone, after, expected", FIRINGS)
def test_an_example_of_the_page(schedule, zone, after, expected):
    count = str(expected.count(",") + 1)
    done = preview(schedule, "-z", zone, "-f", after, "-n", count, "--json")
    shown = ", ".join(" ".join(filter(None, (it["local"], it.get("note"))))
                      for it in json.loads(done.stdout)["firings"])
    assert (shown or "never") == expected
    assert done.returncode == (1 if expected == "never" else 0)


@pytest.mark.parametrize("words, pattern", WORDS)
def test_words_are_what_the_page_says(words, pattern):
    assert firings(words, *APIA) == firings(pattern, *APIA)


def test_the_first_example_as_people_see_it():
    command, shown = re.search(r"^\$ stepmill schedule preview (.*?)\n(.*?)```", PAGE, re.M | re.S).groups()
    words = re.findall(r"'[^']*'|\S+", command)
    done = preview(*(word.strip("'") for word in words))
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines == shown.splitlines() and done.returncode == 0


def test_active_hours_are_noted():
    shown = firings("0 */6 * * *", "-f", "2024-03-08T12:00:00Z", "-n", "4", "--active-hours", "22:00-06:00",
                    "--days", "5", "--json")
    assert [it.get("note") for it in shown] == [
        "skipped by active hours", None, "skipped by active hours", "skipped by active hours"]


def test_the_end_of_a_schedule_is_said():
    done = preview("0 0 0 1 1 * 2030", "-f", "2024-01-01T00:00:00Z")
    assert done.returncode == 0 and done.stdout.endswith("\nand never again\n")
    done = preview("0 0 30 2 *", "-f", "2024-01-01T00:00:00Z")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "stepmill schedule: it never fires after 2024-01-01T00:00:00Z\n"


@pytest.mark.parametrize("words, status, why", [
    (["0 25 * * *"], 1, "at character 3: hour 25 is more than 23"),
    (["every mondey"], 1, "at character 7: expected"),
    (["0", "9"], 2, "in quotes"),
    (["@daily", "-z", "Mars/Olympus"], 2, 'unknown time zone "Mars/Olympus"'),
    (["@daily", "-f", "tomorrow"], 2, "--from: expected a time"),
    (["@daily", "-n", "101"], 2, "101"),
    (["@daily", "-a", "9-17"], 2, "--active-hours: expected HH:MM"),
    (["@daily", "-a", "09:00"], 2, "--active-hours: expected HH:MM"),
    (["@daily", "-d", "1"], 2, "--days goes with --active-hours"),
    (["@daily", "-a", "09:00-17:00", "-d", "1,"], 2, "--days: expected"),
    (["@daily", "-a", "09:00-17:00", "-d", "8"], 2, "--days: expected days 1"),
])
def test_what_is_wrong_is_said(words, status, why):
    done = preview(*words)
    assert done.returncode == status and done.stdout == "" and why in done.stderr
