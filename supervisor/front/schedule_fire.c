/*
 * Firing by hand. See schedule_fire.h.
 *
 *	found, locked -> workflow found -> run stored -> firing stored -> told
 */
#include "front/schedule_fire.h"

#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/xalloc.h"
#include "front/batch_bells.h"
#include "front/catalog.h"
#include "front/own_workflows.h"
#include "front/start.h"
#include "store/schedule_rows.h"
#include "zone/zone.h"

struct fire {
	struct schedule_call call;
	const char *trace_id;
	struct json *stored, *tools, *input, *trigger;
	struct uuid id, project;
	int64_t run_count;
	bool last_alive;
	usec_t now;
	struct schedule_fired result;
	struct problems problems;
	schedule_fired_fn *done;
	void *context;
};

/* ---- answers ---- */

static void
end(struct fire *fire)
{
	if (fire->problems.count > 0)
		fire->result.problems = &fire->problems;
	fire->done(fire->context, &fire->result);
	json_unref(&fire->stored);
	json_unref(&fire->tools);
	json_unref(&fire->input);
	json_unref(&fire->trigger);
	problems_fini(&fire->problems);
	free(fire);
}

static void
refuse(struct fire *fire, int status, const char *text)
{
	fire->result.status = status;
	fire->result.text = text;
	end(fire);
}

static void
refuse_err(struct fire *fire, const struct err *err)
{
	fire->result.err = err;
	end(fire);
}

static const char *
text_of(const struct fire *fire, const char *name)
{
	return json_str(json_get(fire->stored, name));
}

/* ---- storing ---- */

static void
on_counted(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct fire *fire = context;
	struct json *details;
	char run[UUID_TEXT];

	if (rows == NULL) {
		refuse_err(fire, err);
		return;
	}
	details = json_new_object();
	json_set(details, "executionId",
		 json_new_str(uuid_format(&fire->result.run, run)));
	change_audit(fire->call.change, text_of(fire, "id"), details);
	fire->result.status = 202;
	end(fire);
}

static void
on_run_stored(void *context, const struct err *err)
{
	struct fire *fire = context;

	if (err->kind != ERR_NONE)
		refuse_err(fire, err);
	else
		schedule_fired(change_pg(fire->call.change), &fire->id, fire->now,
			       &fire->result.run, on_counted, fire);
}

static void
hang_bells(struct fire *fire, const struct new_run *run)
{
	struct batch_bells *bells =
	    batch_bells_new(run->priority, run->steps, run->steps_count, 1);

	batch_bells_add(bells, &run->id, run->concurrency_key);
	batch_bells_hang(&bells, fire->call.change);
}

static bool
is_heartbeat(const struct fire *fire)
{
	return strcmp(text_of(fire, "kind"), "heartbeat") == 0;
}

/* What expressions see as `trigger`, as the scheduler makes it. */
static struct json *
trigger_of(const struct fire *fire)
{
	struct json *trigger = json_new_object();
	char text[UUID_TEXT > 40 ? UUID_TEXT : 40];

	json_set(trigger, "type",
		 json_new_str(is_heartbeat(fire) ? "heartbeat" : "manual"));
	json_set(trigger, "scheduleId", json_new_str(uuid_format(&fire->id, text)));
	json_set(trigger, "scheduleName", json_new_str(text_of(fire, "name")));
	json_set(trigger, "fireTime", json_new_str(rfc3339_format(fire->now, text)));
	return trigger;
}

static void
store(struct fire *fire, const struct catalog_entry *entry, const char *key)
{
	struct starter starter = {
		.workflow = entry->workflow,
		.definition = entry->definition,
		.project = &fire->project,
		.triggered_by = is_heartbeat(fire) ? "heartbeat" : "manual",
		.schedule = &fire->id,
		.trigger = fire->trigger = trigger_of(fire),
		.requested_by = fire->call.by,
		.tools = fire->call.tools != NULL ? fire->call.tools : fire->tools,
		.trace_id = fire->trace_id,
	};
	struct new_run run = start_run(&starter, fire->input, key, fire->now);
	struct new_step *steps = new_steps_of(entry->workflow, &run.steps_count);

	run.steps = steps;
	fire->result.run = run.id;
	fire->result.waits = key != NULL;
	runs_insert(change_pg(fire->call.change), &run, 1, on_run_stored, fire);
	hang_bells(fire, &run);
	free(steps);
}

/* ---- the workflow ---- */

static void
start(struct fire *fire, const struct catalog_entry *entry)
{
	struct err bad = { 0 };
	char *why = NULL, *key;
	int status = start_refuses(entry, &fire->project, &why);

	fire->input = start_input(json_get(fire->stored, "input"));
	if (status != 0) {
		refuse(fire, 409, why);
		free(why);
		return;
	}
	if (!workflow_check_input(entry->workflow, fire->input, &fire->problems)) {
		refuse(fire, 422, "its input does not fit the workflow's schema");
		return;
	}
	key = workflow_concurrency_key(entry->workflow, fire->input, NULL, &bad);
	if (bad.kind != ERR_NONE)
		refuse(fire, 422, bad.text);
	else
		store(fire, entry, key);
	free(key);
}

static void
on_workflow(void *context, const struct catalog_entry *entry, const struct err *err)
{
	struct fire *fire = context;

	if (entry != NULL)
		start(fire, entry);
	else if (err->kind == ERR_NOT_FOUND || err->kind == ERR_INPUT)
		refuse(fire, 409, err->text);
	else
		refuse_err(fire, err);
}

/* ---- the schedule ---- */

static bool
is_spent(const struct fire *fire)
{
	const struct json *most = json_get(fire->stored, "maxRuns");

	return most != NULL && fire->run_count >= json_int(most);
}

/* A heartbeat's is always the engine's own, also where it was configured before that
 * was there. */
static const char *
workflow_of(const struct fire *fire)
{
	if (strcmp(text_of(fire, "kind"), "heartbeat") == 0)
		return OWN_HEARTBEAT;
	return text_of(fire, "workflowId");
}

static void
judge(struct fire *fire)
{
	const char *workflow = workflow_of(fire);

	if (workflow == NULL)
		refuse(fire, 409, "it names no workflow: there is nothing to start");
	else if (is_spent(fire))
		refuse(fire, 409,
		       "it has started all of its runs: raise maxRuns first");
	else if (fire->last_alive && strcmp(text_of(fire, "overlap"), "skip") == 0)
		refuse(fire, 409,
		       "its last run is not over, and overlap is skip: wait for it, "
		       "or cancel it");
	else
		catalog_find(fire->call.front->catalog, &fire->project, workflow,
			     fire->call.read_after, on_workflow, fire);
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct fire *fire = context;

	if (rows == NULL) {
		refuse_err(fire, err);
		return;
	}
	if (pg_count(rows) == 0) {
		refuse(fire, 404, "there is no such schedule");
		return;
	}
	fire->id = pg_uuid(rows, 0, SCHEDULE_ID);
	fire->stored = pg_json(rows, 0, SCHEDULE_DOC);
	fire->tools = pg_json(rows, 0, SCHEDULE_TOOLS);
	fire->project = pg_uuid(rows, 0, SCHEDULE_PROJECT);
	fire->run_count = pg_int(rows, 0, SCHEDULE_RUN_COUNT);
	fire->last_alive = pg_bool(rows, 0, SCHEDULE_LAST_ALIVE);
	judge(fire);
}

void
schedule_fire(const struct schedule_call *call, const char *trace_id,
	      schedule_fired_fn *done, void *context)
{
	struct fire *fire = xcalloc(1, sizeof *fire);

	fire->call = *call;
	fire->trace_id = trace_id;
	fire->now = loop_now(call->front->loop);
	fire->done = done;
	fire->context = context;
	schedule_find(change_pg(call->change), call->named, call->confined, on_found,
		      fire);
}
