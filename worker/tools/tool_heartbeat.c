/*
 * heartbeat.read: the checklist of a heartbeat, read afresh each time; and what its
 * front matter says of when it fires becomes what is stored. A file that is missing or
 * broken is no failure here but an answer, so that somebody is told of it.
 */
#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/heartbeat_core.h"
#include "files/files.h"
#include "lang/schedule_rule.h"
#include "store/heartbeats.h"
#include "tools/heartbeat_tools.h"
#include "tools/holding.h"
#include "tools/tools.h"

struct reading {
	struct attempt *attempt;
	struct uuid schedule;
	struct json *output;
};

bool
heartbeat_schedule(struct attempt *attempt, const char *tool, struct uuid *out)
{
	const struct json *id = json_get(attempt->fields, "schedule");

	if (strncmp(attempt->run_id, OWN_WORKFLOWS, strlen(OWN_WORKFLOWS)) != 0)
		attempt_fail(attempt, "denied", true,
			     "%s is for the engine's own workflows", tool);
	else if (!uuid_parse(json_str(id), json_str_len(id), out))
		attempt_fail(attempt, "input", true, "%s: schedule: expected a UUID",
			     tool);
	else
		return true;
	return false;
}

/* ---- the file ---- */

static int
read_file(const struct attempt *attempt, const char *path, struct buf *out,
	  struct err *err)
{
	const struct texts *folders = &attempt->services->settings->heartbeat_paths;
	struct buf clean = { 0 };
	const char *root;
	int result = files_place(attempt->project_path, folders->list, folders->count,
				 path, strlen(path), &root, &clean, err);

	if (result == 0)
		result =
		    files_read(root, buf_text(&clean), HEARTBEAT_BYTES_MAX, out, err);
	buf_fini(&clean);
	return result;
}

/* All that is wrong, in one text. */
static struct json *
problem_of(const struct problems *problems)
{
	struct buf text = { 0 };
	struct json *json;

	for (size_t i = 0; i < problems->count && text.len < 3000; i++) {
		char *line = problem_text(problems, i);

		buf_printf(&text, "%s%s", i > 0 ? "; " : "", line);
		free(line);
	}
	json = json_new_str_len(buf_text(&text), text.len);
	buf_fini(&text);
	return json;
}

/* False: problem (the caller's) says why. */
static bool
read_heartbeat(const struct attempt *attempt, const char *path, struct heartbeat *out,
	       struct json **problem)
{
	struct problems problems = { .file = (char *)(uintptr_t)path };
	struct buf text = { 0 };
	struct err err = { 0 };
	bool good = false;

	*problem = NULL;
	if (read_file(attempt, path, &text, &err) < 0) {
		err_in(&err, "cannot be read");
		*problem = json_new_str(err.text);
	} else {
		good = heartbeat_read(buf_text(&text), text.len, yaml_parse, out,
				      &problems);
	}
	if (problems.count > 0)
		*problem = problem_of(&problems);
	problems.file = NULL;
	problems_fini(&problems);
	buf_fini(&text);
	return good;
}

/* ---- when it fires ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_times(const struct heartbeat_times *a, const struct heartbeat_times *b)
{
	return same_text(a->cron, b->cron) && same_text(a->zone, b->zone) &&
	       same_text(a->start, b->start) && same_text(a->end, b->end) &&
	       a->days_count == b->days_count &&
	       memcmp(a->days, b->days, a->days_count * sizeof a->days[0]) == 0;
}

/* What is stored, and over it what the file says. cron keeps its text. */
static struct heartbeat_times
times_of(const struct heartbeat_row *row, const struct json *says, struct buf *cron)
{
	struct heartbeat_times times = row->times;
	const struct json *hours = json_get(says, "activeHours");
	const struct json *days = json_get(hours, "daysOfWeek");

	if (json_has(says, "interval")) {
		heartbeat_cron((long)json_int(json_get(says, "interval")), cron);
		times.cron = buf_text(cron);
	}
	if (json_has(says, "timezone"))
		times.zone = json_str(json_get(says, "timezone"));
	if (hours == NULL)
		return times;
	times.start = json_str(json_get(hours, "start"));
	times.end = json_str(json_get(hours, "end"));
	times.days_count = 0;
	for (size_t i = 0; i < json_count(days) && i < 7; i++)
		times.days[times.days_count++] = (int)json_int(json_at(days, i));
	return times;
}

static int
rule_of(const struct heartbeat_times *times, usec_t anchor, struct schedule_rule *out,
	struct err *err)
{
	const struct schedule_words words = { .cron = times->cron,
					      .zone = times->zone,
					      .start = times->start,
					      .end = times->end,
					      .days = times->days,
					      .days_count = times->days_count };

	return schedule_rule_read(&words, anchor, out, err);
}

static void
answer(struct reading *reading)
{
	struct json *output = reading->output;

	reading->output = NULL;
	attempt_succeed(reading->attempt, output);
}

static void
on_followed(void *context, const struct err *err)
{
	struct reading *reading = context;

	if (err->kind == ERR_NONE)
		answer(reading);
	else
		answer_error(reading->attempt, "heartbeat.read", err);
}

static void
follow(struct reading *reading, const struct heartbeat_row *row,
       const struct heartbeat_times *times, const struct schedule_rule *rule,
       usec_t now)
{
	struct held_ref held = holding(reading->attempt);
	struct cron_firing next;
	usec_t next_run_at = 0, due_at = 0;

	if (row->enabled && schedule_rule_next(rule, now, &next)) {
		next_run_at = next.at;
		due_at =
		    next.at + schedule_jitter(&reading->schedule, next.at, row->jitter);
	}
	heartbeat_follow(reading->attempt->services->pg, &held, &reading->schedule,
			 row->revision, times, next_run_at, due_at, on_followed,
			 reading);
}

/* The file has a time of its own: outside of it nothing is checked, though the firing
 * was decided by what was stored before. (One that is fired by hand at another time is
 * checked, as soon as both say the same.) */
static void
take_times(struct reading *reading, const struct heartbeat_row *row,
	   const struct json *says)
{
	struct json *output = reading->output;
	usec_t now = loop_now(reading->attempt->services->loop);
	struct buf cron = { 0 };
	struct heartbeat_times times = times_of(row, says, &cron);
	struct schedule_rule rule;
	struct err err = { 0 };

	if (same_times(&times, &row->times)) {
		answer(reading);
	} else if (rule_of(&times, row->created_at, &rule, &err) < 0) {
		json_set(output, "problem", json_new_str(err.text));
		json_set(output, "items", json_new_array());
		answer(reading);
	} else {
		if (!schedule_rule_is_active(&rule, now)) {
			json_set(output, "items", json_new_array());
			json_set(output, "skipped",
				 json_new_str("outside the active hours of the file"));
		}
		follow(reading, row, &times, &rule, now);
	}
	buf_fini(&cron);
}

/* ---- the answer ---- */

static struct json *
said_or(const struct json *says, const char *key, const char *stored)
{
	struct json *said = json_get(says, key);

	return said != NULL ? json_ref(said) : json_new_str(stored);
}

static struct json *
output_new(const struct heartbeat_row *row)
{
	struct json *output = json_new_object();

	json_set(output, "heartbeat", json_new_str(row->slug));
	json_set(output, "path", json_new_str(row->path));
	json_set(output, "items", json_new_array());
	json_set(output, "model", json_new_str(row->model));
	json_set(output, "webhook", json_new_str(row->webhook));
	json_set(output, "problem", NULL);
	json_set(output, "skipped", NULL);
	return output;
}

static void
on_row(void *context, const struct heartbeat_row *row, const struct err *err)
{
	struct reading *reading = context;
	struct heartbeat heartbeat;
	struct json *problem;

	if (err->kind != ERR_NONE) {
		answer_error(reading->attempt, "heartbeat.read", err);
		return;
	}
	if (row == NULL) {
		attempt_fail(reading->attempt, "not_found", true,
			     "the heartbeat is not there any more");
		return;
	}
	reading->output = output_new(row);
	if (!read_heartbeat(reading->attempt, row->path, &heartbeat, &problem)) {
		json_set(reading->output, "problem", problem);
		answer(reading);
		return;
	}
	json_set(reading->output, "items", json_ref(heartbeat.items));
	json_set(reading->output, "model",
		 said_or(heartbeat.says, "model", row->model));
	json_set(reading->output, "webhook",
		 said_or(heartbeat.says, "webhook", row->webhook));
	take_times(reading, row, heartbeat.says);
	heartbeat_fini(&heartbeat);
}

/* ---- the tool ---- */

static void *
read_start(struct attempt *attempt)
{
	struct reading *reading;
	struct uuid schedule;

	if (!heartbeat_schedule(attempt, "heartbeat.read", &schedule))
		return NULL;
	reading = xcalloc(1, sizeof *reading);
	reading->attempt = attempt;
	reading->schedule = schedule;
	heartbeat_of_run(attempt->services->pg, &attempt->run, &schedule, on_row,
			 reading);
	return reading;
}

/* These are two statements: the answer comes soon. */
static void
read_stop(void *state, enum stop how)
{
	(void)state;
	(void)how;
}

static void
read_free(void *state)
{
	struct reading *reading = state;

	pg_forget(reading->attempt->services->pg, reading);
	json_unref(&reading->output);
	free(reading);
}

const struct action tool_heartbeat_read = {
	.name = "heartbeat.read",
	.start = read_start,
	.stop = read_stop,
	.free = read_free,
};
