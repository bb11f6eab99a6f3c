/* See due_schedule.h. */
#include "due_schedule.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "starts.h"

static int
read_rule(const struct due_row *row, struct schedule_rule *out, struct err *err)
{
	const struct schedule_words words = { .cron = row->cron,
					      .zone = row->zone,
					      .start = row->start,
					      .end = row->end,
					      .days = row->days,
					      .days_count = row->days_count };

	return schedule_rule_read(&words, row->created_at, out, err);
}

int
due_schedule_read(struct due_schedule *schedule, const struct due_row *row,
		  struct err *err)
{
	struct due_row *own = &schedule->row;

	*schedule = (struct due_schedule){ .row = *row };
	if (read_rule(row, &schedule->rule, err) < 0)
		return -1;
	schedule->due =
	    row->expected + schedule_jitter(&row->id, row->expected, row->jitter);
	own->name = xstrdup(row->name);
	own->created_by = xstrdup(row->created_by);
	own->catch_up = xstrdup(row->catch_up);
	json_ref(own->tools);
	json_ref(own->input);
	own->cron = own->zone = own->start = own->end = NULL; /* the rule has them */
	return 0;
}

void
due_schedule_fini(struct due_schedule *schedule)
{
	free((char *)schedule->row.name);
	free((char *)schedule->row.created_by);
	free((char *)schedule->row.catch_up);
	json_unref(&schedule->row.tools);
	json_unref(&schedule->row.input);
}

struct json *
due_schedule_trigger(const struct due_schedule *schedule, usec_t fire_time)
{
	const struct due_row *row = &schedule->row;
	struct json *trigger = json_new_object();
	char text[40], id[UUID_TEXT];

	json_set(trigger, "type",
		 json_new_str(row->is_heartbeat ? "heartbeat" : "cron"));
	json_set(trigger, "scheduleId", json_new_str(uuid_format(&row->id, id)));
	json_set(trigger, "scheduleName", json_new_str(row->name));
	json_set(trigger, "fireTime", json_new_str(rfc3339_format(fire_time, text)));
	return trigger;
}

void
due_schedule_check(const struct due_schedule *schedule,
		   const struct definitions *definitions, struct err *why)
{
	const struct due_row *row = &schedule->row;
	const struct workflow *workflow;
	struct json *trigger;
	const char *broken = NULL;

	if (!row->has_workflow && !row->is_heartbeat)
		return; /* that is no failure */
	if (!row->has_definition || !row->is_active) {
		err_set(why, ERR_NOT_FOUND,
			row->has_definition ? "the workflow is not active"
					    : "the workflow has no version");
		return;
	}
	workflow = definitions_get(definitions, &row->definition, &broken);
	if (workflow == NULL) {
		err_set(why, ERR_INPUT, "%s", broken);
		return;
	}
	trigger = due_schedule_trigger(schedule, row->expected);
	starts_check(workflow, row->input, trigger, why);
	json_unref(&trigger);
}

struct firing_case
due_schedule_case(const struct due_schedule *schedule, usec_t now, bool refused)
{
	const struct due_row *row = &schedule->row;

	return (struct firing_case){
		.rule = &schedule->rule,
		.schedule = row->id,
		.jitter = row->jitter,
		.expected = row->expected,
		.now = now,
		.catch_up = catch_up_find(row->catch_up),
		.skip_overlap = row->skip_overlap,
		.last_alive = row->last_alive,
		.no_workflow = !row->has_workflow && !row->is_heartbeat,
		.refused = refused,
		.runs_left = row->runs_left,
	};
}
