/* See top_screen.h. Tables come in the order of what an operator asks first; the last
 * one, of runs, is cut to the screen. */
#include "top_screen.h"

#include <stdio.h>
#include <string.h>

#include "table.h"
#include "text.h"

#define RUNS_LEAST 3 /* lines for runs on the smallest screen */

static void
add_int(struct table *table, size_t column, const struct json *value)
{
	char text[24];

	if (json_type(value) != JSON_INT)
		return;
	snprintf(text, sizeof text, "%lld", (long long)json_int(value));
	table_add(table, column, text);
}

static void
add_ms(struct table *table, size_t column, const struct json *value)
{
	char text[32];

	if (json_type(value) == JSON_INT || json_type(value) == JSON_DOUBLE)
		table_add(table, column,
			  text_ms((long long)json_double(value), text, sizeof text));
}

/* The table and an empty line before it; nothing when it has no rows. */
static void
finish(struct table *table, size_t width, struct buf *out)
{
	if (table_rows(table) > 0) {
		buf_char(out, '\n');
		table_write(table, width, out);
	}
	table_free(&table);
}

/* ---- the figures ---- */

static void
put_figures(const struct json *stats, struct buf *out)
{
	const struct json *done = json_get(stats, "throughput"),
			  *times = json_get(stats, "durations");
	char p50[32], p99[32];

	if (stats == NULL)
		return;
	buf_printf(out,
		   "runs        %lld unfinished, %lld ended in the last minute, "
		   "%lld in the last hour\n",
		   (long long)json_int(json_get(stats, "unfinished")),
		   (long long)json_int(json_get(done, "lastMinute")),
		   (long long)json_int(json_get(done, "lastHour")));
	if (json_int(json_get(times, "runs")) > 0)
		buf_printf(out, "durations   p50 %s, p99 %s\n",
			   text_ms((long long)json_double(json_get(times, "p50Ms")),
				   p50, sizeof p50),
			   text_ms((long long)json_double(json_get(times, "p99Ms")),
				   p99, sizeof p99));
}

/* ---- who works ---- */

static void
put_nodes(const struct json *pool, size_t width, struct buf *out)
{
	static const char *const titles[] = { "HOST",    "VERSION", "STATE",
					      "WORKERS", "WANTED",  "NODE" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);
	const struct json *nodes = json_get(pool, "nodes");

	for (size_t i = 0; i < json_count(nodes); i++) {
		const struct json *node = json_at(nodes, i);

		table_add(table, 0, json_str(json_get(node, "host")));
		table_add(table, 1, json_str(json_get(node, "version")));
		table_add(table, 2, json_str(json_get(node, "status")));
		add_int(table, 3, json_get(node, "running"));
		add_int(table, 4, json_get(node, "desired"));
		table_add(table, 5, json_str(json_get(node, "id")));
		table_end_row(table);
	}
	finish(table, width, out);
}

static void
put_workers(const struct json *pool, size_t width, struct buf *out)
{
	static const char *const titles[] = { "PID", "STATE", "SLOTS", "WORKER" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);
	const struct json *workers = json_get(pool, "workers");
	char text[48];

	for (size_t i = 0; i < json_count(workers); i++) {
		const struct json *worker = json_at(workers, i);

		add_int(table, 0, json_get(worker, "pid"));
		table_add(table, 1, json_str(json_get(worker, "state")));
		snprintf(text, sizeof text, "%lld/%lld",
			 (long long)json_int(json_get(worker, "used")),
			 (long long)json_int(json_get(worker, "slots")));
		table_add(table, 2, text);
		table_add(table, 3, json_str(json_get(worker, "id")));
		table_end_row(table);
	}
	finish(table, width, out);
}

/* ---- what waits, and what runs ---- */

static void
put_queues(const struct json *queues, size_t width, struct buf *out)
{
	static const char *const titles[] = { "QUEUE", "READY", "OLDEST", "WORKERS",
					      "SLOTS" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);
	const struct json *data = json_get(queues, "data");
	char text[48];

	for (size_t i = 0; i < json_count(data); i++) {
		const struct json *queue = json_at(data, i);

		table_add(table, 0, json_str(json_get(queue, "name")));
		add_int(table, 1, json_get(queue, "depth"));
		add_ms(table, 2, json_get(queue, "oldestAgeMs"));
		add_int(table, 3, json_get(queue, "workers"));
		snprintf(text, sizeof text, "%lld/%lld",
			 (long long)json_int(json_get(queue, "used")),
			 (long long)json_int(json_get(queue, "slots")));
		table_add(table, 4, text);
		table_end_row(table);
	}
	finish(table, width, out);
}

static size_t
lines_of(const struct buf *text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text->len; i++)
		lines += text->data[i] == '\n';
	return lines;
}

static void
put_runs(const struct json *executions, size_t most, size_t width, struct buf *out)
{
	static const char *const titles[] = { "RUN", "STATUS", "STEP", "TIME" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);
	const struct json *data = json_get(executions, "data");

	for (size_t i = 0; i < json_count(data) && i < most; i++) {
		const struct json *run = json_at(data, i);

		table_add(table, 0, json_str(json_get(run, "runId")));
		table_add(table, 1, json_str(json_get(run, "status")));
		table_add(table, 2,
			  json_str(json_get(json_get(run, "current_step"), "name")));
		add_ms(table, 3, json_get(run, "durationMs"));
		table_end_row(table);
	}
	finish(table, width, out);
}

/* Two lines go to what stands above the runs: an empty one and their titles. */
static size_t
room_for_runs(size_t height, size_t used)
{
	if (height == 0)
		return SIZE_MAX;
	return height > used + 2 + RUNS_LEAST ? height - used - 2 : RUNS_LEAST;
}

void
top_screen(const struct top_answers *answers, size_t width, size_t height,
	   struct buf *out)
{
	put_figures(answers->stats, out);
	put_nodes(answers->pool, width, out);
	put_workers(answers->pool, width, out);
	put_queues(answers->queues, width, out);
	put_runs(answers->executions, room_for_runs(height, lines_of(out)), width, out);
}
