/*
 * heartbeat.report: what the model said of each item becomes a row, and with the same
 * transaction whoever listens is told that something needs action. A file that could
 * not be read is such a thing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "engine/heartbeat_answer_core.h"
#include "engine/heartbeat_core.h"
#include "store/heartbeats.h"
#include "tools/heartbeat_tools.h"
#include "tools/holding.h"
#include "tools/tools.h"

struct reporting {
	struct attempt *attempt;
	struct json *checks; /* those that need action */
	int64_t checked;
};

static const struct json *
read_part(const struct reporting *reporting, const char *key)
{
	return json_get(json_get(reporting->attempt->fields, "read"), key);
}

/* ---- what was found ---- */

static void
add_check(struct reporting *reporting, const struct heartbeat_result *result)
{
	struct json *check = json_new_object();

	json_set(check, "description", json_new_str(result->description));
	json_set(check, "actionNeeded", json_new_bool(true));
	json_set(check, "details", json_new_str(result->details));
	json_append(reporting->checks, check);
}

/* Ids of one run sort as its items do: behind the time stands which one it is. */
static struct uuid
result_id(const struct reporting *reporting, int item)
{
	char what[40];
	struct uuid id;

	snprintf(what, sizeof what, "heartbeat %d", item);
	id = holding_id(reporting->attempt, what);
	id.b[6] = 0x70; /* a UUIDv7, as it was */
	id.b[7] = (unsigned char)(item + 1);
	return id;
}

static struct heartbeat_result
result_new(const struct reporting *reporting, int item, const char *description)
{
	return (struct heartbeat_result){ .id = result_id(reporting, item),
					  .description = description,
					  .item = item };
}

/* Text, or what the model's answer was read as on the way here. */
static struct heartbeat_answer
answer_of(const struct json *answer)
{
	struct heartbeat_answer result;
	char *text;

	if (json_type(answer) == JSON_STRING)
		return heartbeat_answer_read(json_str(answer), json_str_len(answer));
	text = json_text(answer);
	result = heartbeat_answer_read(text, strlen(text));
	free(text);
	return result;
}

/* details are the caller's to free. */
static size_t
judge_items(struct reporting *reporting, const struct json *items,
	    struct heartbeat_result *out)
{
	const struct json *answers = json_get(reporting->attempt->fields, "answers");
	size_t count = json_count(items);

	if (count > HEARTBEAT_ITEMS_MAX)
		count = HEARTBEAT_ITEMS_MAX;
	for (size_t i = 0; i < count; i++) {
		struct heartbeat_answer answer = answer_of(json_at(answers, i));
		const char *text = json_str(json_at(items, i));

		out[i] = result_new(reporting, (int)i, text != NULL ? text : "");
		out[i].action_needed = answer.action_needed;
		out[i].details = answer.details;
		if (answer.action_needed)
			add_check(reporting, &out[i]);
	}
	reporting->checked = (int64_t)count;
	return count;
}

/* Nobody looks into a log for what has not happened: its owner is told. */
static size_t
judge_problem(struct reporting *reporting, const char *problem,
	      struct heartbeat_result *out)
{
	const char *path = json_str(read_part(reporting, "path"));

	out[0] = result_new(reporting, -1, path != NULL ? path : "HEARTBEAT.md");
	out[0].action_needed = true;
	out[0].details = xstrdup(problem);
	add_check(reporting, &out[0]);
	return 1;
}

/* ---- the answer ---- */

static struct json *
alert_of(const struct reporting *reporting, const char *at)
{
	struct json *alert;
	char run[UUID_TEXT];

	if (json_count(reporting->checks) == 0)
		return NULL;
	alert = json_new_object();
	json_set(alert, "type", json_new_str("heartbeat.alert"));
	json_set(alert, "heartbeatId",
		 json_ref((struct json *)(uintptr_t)read_part(reporting, "heartbeat")));
	json_set(alert, "executionId",
		 json_new_str(uuid_format(&reporting->attempt->run, run)));
	json_set(alert, "checks", json_ref(reporting->checks));
	json_set(alert, "timestamp", json_new_str(at));
	return alert;
}

static void
on_stored(void *context, const char *at, const struct err *err)
{
	struct reporting *reporting = context;
	struct json *output, *alert;

	if (err->kind != ERR_NONE) {
		answer_error(reporting->attempt, "heartbeat.report", err);
		return;
	}
	if (at == NULL) {
		attempt_fail(reporting->attempt, "not_found", true,
			     "the heartbeat is not there any more");
		return;
	}
	alert = alert_of(reporting, at);
	output = json_new_object();
	json_set(output, "checked", json_new_int(reporting->checked));
	json_set(output, "alerts",
		 json_new_int((int64_t)json_count(reporting->checks)));
	json_set(output, "webhook",
		 alert != NULL ? json_ref((struct json *)(uintptr_t)read_part(
				     reporting, "webhook"))
			       : NULL);
	json_set(output, "alert", alert);
	attempt_succeed(reporting->attempt, output);
}

/* ---- the tool ---- */

static void *
report_start(struct attempt *attempt)
{
	struct heartbeat_result results[HEARTBEAT_ITEMS_MAX];
	struct held_ref held = holding(attempt);
	struct reporting *reporting;
	struct uuid schedule;
	const char *problem;
	size_t count;

	if (!heartbeat_schedule(attempt, "heartbeat.report", &schedule))
		return NULL;
	reporting = xcalloc(1, sizeof *reporting);
	reporting->attempt = attempt;
	reporting->checks = json_new_array();
	problem = json_str(read_part(reporting, "problem"));
	if (problem != NULL)
		count = judge_problem(reporting, problem, results);
	else
		count = judge_items(reporting, read_part(reporting, "items"), results);
	heartbeat_report(attempt->services->pg, &held, &schedule, results, count,
			 on_stored, reporting);
	for (size_t i = 0; i < count; i++)
		free((char *)(uintptr_t)results[i].details);
	return reporting;
}

/* It is one statement: the answer comes soon, and nothing can be taken back. */
static void
report_stop(void *state, enum stop how)
{
	(void)state;
	(void)how;
}

static void
report_free(void *state)
{
	struct reporting *reporting = state;

	pg_forget(reporting->attempt->services->pg, reporting);
	json_unref(&reporting->checks);
	free(reporting);
}

const struct action tool_heartbeat_report = {
	.name = "heartbeat.report",
	.start = report_start,
	.stop = report_stop,
	.free = report_free,
};
