"""Result lines -> the table: the median of the repetitions, with the least and the most."""
import os
import statistics

TITLES = {
    ("W1", "steps_per_s"): "W1: steps a second, runs of ten in sequence",
    ("W1", "latency_ms"): "W1: one run of ten at a time, ms",
    ("W2", "jobs_per_s"): "W2: runs of one step a second",
    ("W3", "steps_per_s"): "W3: children a second, a hundred fanned out and joined",
    ("W3", "latency_ms"): "W3: one at a time, ms",
    ("W4", "latency_ms"): "W4: a program of a thousand durable steps, one at a time, ms",
    ("limit", "per_s"): "What PostgreSQL alone does here, a second",
}
COSTS = [("cpu_us_per_step_", "us"), ("pg_commits_per_step", "commits"),
         ("pg_wal_bytes_per_step", "B of WAL"), ("redis_cmds_per_step", "Redis commands")]


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values):
    return f"{number(statistics.median(values))} ({number(min(values))} - {number(max(values))})"


def groups(lines):
    """(workload, metric) -> (peer, version, variant, config) -> its lines."""
    found = {}
    for line in lines:
        rows = found.setdefault((line["workload"], line["metric"]), {})
        rows.setdefault((line["peer"], line["version"], line["variant"], line["config"]),
                        []).append(line)
    return found


def is_latency(metric):
    return metric == "latency_ms"


def best_first(rows, metric):
    return sorted(rows.items(), key=lambda row: statistics.median(
        line["value"] for line in row[1]), reverse=not is_latency(metric))


def cost(lines):
    """CPU of each program, statements and bytes, of one step."""
    known = [line["cost"] for line in lines if line.get("cost")]
    shown = []
    for key in sorted({key for one in known for key in one}):
        for start, unit in COSTS:
            values = [one[key] for one in known if key in one]
            if key.startswith(start) and statistics.median(values) >= 0.005:
                name = key.removeprefix(start).replace("_", " ") if start.endswith("_") else ""
                shown.append(f"{name} {number(statistics.median(values))} {unit}".strip())
    return ", ".join(shown)


def text(lines):
    out = [f"{len(set(line['peer'] for line in lines) - {'limits'})} engines on {os.cpu_count()} cores: "
           "median (least - most)"]
    for key, title in TITLES.items():
        rows = groups(lines).get(key)
        if not rows:
            continue
        latency = is_latency(key[1])
        out += ["", f"### {title}", "", "| engine | how | " +
                ("p50 | p99 |" if latency else "figure | cost of one |"), "|---|---|---|---|"]
        for (peer, version, variant, config), each in best_first(rows, key[1]):
            values = (spread([line["p50"] for line in each]), spread([line["p99"] for line in each])
                      ) if latency else (spread([line["value"] for line in each]), cost(each))
            out.append(f"| {peer} {version} | {variant}: {config} | {values[0]} | {values[1]} |")
    return "\n".join(out)


def medians(lines):
    return [{"workload": workload, "metric": metric, "engine": peer, "version": version,
             "variant": variant, "config": config,
             "median": statistics.median(line["value"] for line in each),
             "least": min(line["value"] for line in each),
             "most": max(line["value"] for line in each),
             **({"p99": statistics.median(line["p99"] for line in each)}
                if is_latency(metric) else {})}
            for (workload, metric), rows in groups(lines).items()
            for (peer, version, variant, config), each in best_first(rows, metric)]
