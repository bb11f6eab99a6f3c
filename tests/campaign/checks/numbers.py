"""I-7: events are numbered 1, 2, 3 ... in the log; every subscriber sees each number once, in
order, from the first (or where it subscribed) to the last."""
import collections


def check(world, report):
    for run in world.runs.keys() | world.events.keys():
        _check_log(world, report, run)
    if not world.seen:
        report.not_checked("I-7", "no subscriber was recorded")
        return
    streams = collections.defaultdict(list)
    for line in world.seen:
        streams[line.subscriber, line.execution].append(line.seq)
    for (subscriber, run), numbers in streams.items():
        _check_seen(world, report, subscriber, run, numbers)


def _check_log(world, report, run):
    numbers = [event.seq for event in world.events.get(run, [])]
    repeated = sorted(n for n, count in collections.Counter(numbers).items() if count > 1)
    if repeated:
        report.add("I-7", run, f"event numbers {repeated[:5]} are there more than once")
    missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
    if missing:
        report.add("I-7", run, f"event numbers {missing[:5]} are missing")
    if min(numbers, default=1) < 1:
        report.add("I-7", run, f"event number {min(numbers)}")
    if run not in world.runs:
        report.add("I-7", run, "events of a run that is not there")
    elif (world.runs[run].last_seq or 0) != max(numbers, default=0):
        report.add("I-7", run, f"last_seq is {world.runs[run].last_seq}, the last event"
                   f" {max(numbers, default=0)}")


def _check_seen(world, report, subscriber, run, numbers):
    who = f"subscriber {subscriber}"
    first = 1 if world.options.get("seen_from_start", True) else numbers[0]
    if numbers[0] != first:
        report.add("I-7", run, f"{who} saw {numbers[0]} first")
    for before, after in zip(numbers, numbers[1:]):
        if after != before + 1:
            word = "again" if after == before else "out of order" if after < before else "too early"
            report.add("I-7", run, f"{who} saw {after} {word}, after {before}")
            return  # the rest follows from this one
    last = world.runs[run].last_seq if run in world.runs else None
    if last is None or numbers[-1] > last:
        report.add("I-7", run, f"{who} saw {numbers[-1]}, which is not in the log")
    elif numbers[-1] < last and world.options.get("seen_to_end", True):
        report.add("I-7", run, f"{who} saw {numbers[-1]} last, the last is {last}")
