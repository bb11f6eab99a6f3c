/* See trigger.h. */
#include "front/trigger.h"

#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/xalloc.h"
#include "front/catalog.h"
#include "front/inserts.h"
#include "front/start.h"

struct trigger {
	struct front *front;
	struct json *input, *payload, *tools;
	char *triggered_by;
	struct uuid project, confined; /* nil: none */
	char *requested_by, *address, *key, *trace_id;
	bool key_is_enough;
	bool has_priority;
	enum priority priority;
	usec_t run_at;
	struct uuid of_project; /* what was inserted, should it be there; nil */
	struct uuid definition;
	bool waits; /* for others of its concurrency key, perhaps */
	bool starting;
	struct triggered result;
	struct problems problems;
	struct err err;
	char *text;
	triggered_fn *done; /* NULL: nobody asks any more */
	void *context;
};

static void
trigger_free(struct trigger *trigger)
{
	json_unref(&trigger->input);
	json_unref(&trigger->payload);
	free(trigger->triggered_by);
	json_unref(&trigger->tools);
	problems_fini(&trigger->problems);
	free(trigger->requested_by);
	free(trigger->address);
	free(trigger->key);
	free(trigger->trace_id);
	free(trigger->text);
	free(trigger);
}

static const struct uuid *
or_null(const struct uuid *id)
{
	return uuid_is_nil(id) ? NULL : id;
}

/* ---- answers ---- */

static void
tell(void *context)
{
	struct trigger *trigger = context;

	trigger->result.text = trigger->text;
	trigger->result.err = &trigger->err;
	if (trigger->problems.count > 0)
		trigger->result.problems = &trigger->problems;
	if (trigger->done != NULL)
		trigger->done(trigger->context, &trigger->result);
	trigger_free(trigger);
}

static void
end(struct trigger *trigger)
{
	if (trigger->starting)
		loop_defer(trigger->front->loop, tell, trigger);
	else
		tell(trigger);
}

static void
end_status(struct trigger *trigger, int status, char *text /* taken */)
{
	trigger->result.status = status;
	trigger->text = text;
	end(trigger);
}

static void
end_err(struct trigger *trigger, const struct err *err)
{
	trigger->err = *err;
	end(trigger);
}

static void
end_started(struct trigger *trigger, const struct uuid *run, enum run_status status)
{
	trigger->result.run = *run;
	trigger->result.run_status = status;
	end_status(trigger, 202, NULL);
}

/* ---- the key was used before ---- */

static void
on_position(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct trigger *trigger = context;

	(void)err;
	if (rows != NULL)
		trigger->result.read_after = pg_text(rows, 0, 0, NULL);
	end_started(trigger, &trigger->result.run, trigger->result.run_status);
}

/* The same call gets the same answer, another is refused. */
static void
on_known(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct trigger *trigger = context;

	if (rows == NULL) {
		end_err(trigger, err);
	} else if (pg_count(rows) == 0) {
		end_status(trigger, 409,
			   xstrdup("the run of this Idempotency-Key was deleted"));
	} else if (!trigger->key_is_enough && !pg_bool(rows, 0, 2)) {
		end_status(trigger, 422,
			   xstrdup("this Idempotency-Key was used for another call"));
	} else {
		trigger->result.run = pg_uuid(rows, 0, 0);
		trigger->result.run_status =
		    pg_int(rows, 0, 1) == RUN_PENDING ? RUN_PENDING : RUN_RUNNING;
		pg_query(trigger->front->write, "wal_position", NULL, on_position,
			 trigger);
	}
}

static void
find_known(struct trigger *trigger)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, or_null(&trigger->of_project));
	pg_arg_text(&args, trigger->key);
	pg_arg_uuid(&args, &trigger->definition);
	pg_arg_json(&args, trigger->input);
	pg_arg_text(&args, trigger->requested_by);
	pg_query(trigger->front->write, "runs_find_key", &args, on_known, trigger);
	pg_args_fini(&args);
}

/* ---- storing ---- */

static void
on_inserted(void *context, const struct err *err)
{
	struct trigger *trigger = context;
	bool later = trigger->waits || trigger->run_at > loop_now(trigger->front->loop);

	trigger->result.read_after = inserts_position(trigger->front->inserts);
	if (err->kind == ERR_CONFLICT && trigger->key != NULL)
		find_known(trigger);
	else if (err->kind == ERR_INPUT && !uuid_is_nil(&trigger->project))
		end_status(trigger, 404, xstrdup("there is no such project"));
	else if (err->kind != ERR_NONE)
		end_err(trigger, err);
	else
		end_started(trigger, &trigger->result.run,
			    later ? RUN_PENDING : RUN_RUNNING);
}

static void
store(struct trigger *trigger, const struct catalog_entry *entry, const char *key)
{
	struct starter starter = {
		.workflow = entry->workflow,
		.definition = entry->definition,
		.project = or_null(&trigger->of_project),
		.triggered_by =
		    trigger->triggered_by != NULL ? trigger->triggered_by : "manual",
		.trigger = trigger->payload,
		.requested_by = trigger->requested_by,
		.tools = trigger->tools,
		.address = trigger->address,
		.trace_id = trigger->trace_id,
		.key = trigger->key,
		.has_priority = trigger->has_priority,
		.priority = trigger->priority,
		.run_at = trigger->run_at,
	};
	struct new_run run =
	    start_run(&starter, trigger->input, key, loop_now(trigger->front->loop));
	struct new_step *steps = new_steps_of(entry->workflow, &run.steps_count);

	run.audited = true;
	run.steps = steps;
	trigger->waits = key != NULL;
	trigger->result.run = run.id;
	trigger->definition = entry->definition;
	inserts_add(trigger->front->inserts, &run, on_inserted, trigger);
	free(steps);
}

/* False: this workflow cannot be run, and that is the answer. */
static bool
check(struct trigger *trigger, const struct catalog_entry *entry)
{
	char *why = NULL;
	int status = start_refuses(entry, or_null(&trigger->confined), &why);

	if (status != 0) {
		end_status(trigger, status, why);
		return false;
	}
	if (!workflow_check_input(entry->workflow, trigger->input,
				  &trigger->problems)) {
		end_status(trigger, 422,
			   xstrdup("the input does not fit the workflow's schema"));
		return false;
	}
	return true;
}

static void
on_workflow(void *context, const struct catalog_entry *entry, const struct err *err)
{
	struct trigger *trigger = context;
	struct err bad = { 0 };
	char *key;

	if (entry == NULL) {
		end_err(trigger, err);
		return;
	}
	if (!check(trigger, entry))
		return;
	key = workflow_concurrency_key(entry->workflow, trigger->input,
				       trigger->payload, &bad);
	if (bad.kind != ERR_NONE) {
		end_status(trigger, 422, xstrdup(bad.text));
		return;
	}
	trigger->of_project = trigger->project;
	if (uuid_is_nil(&trigger->project) && entry->has_project)
		trigger->of_project = entry->project;
	store(trigger, entry, key);
	free(key);
}

/* ---- life ---- */

struct trigger *
trigger_begin(struct front *front, const struct trigger_call *call, triggered_fn *done,
	      void *context)
{
	struct trigger *trigger = xcalloc(1, sizeof *trigger);

	trigger->front = front;
	trigger->input = start_input(call->input);
	trigger->payload = json_ref(call->payload);
	trigger->triggered_by = xstrdup(call->triggered_by);
	trigger->key_is_enough = call->key_is_enough;
	trigger->tools = json_ref((struct json *)call->tools);
	if (call->project != NULL)
		trigger->project = *call->project;
	if (call->confined != NULL)
		trigger->confined = *call->confined;
	trigger->requested_by = xstrdup(call->requested_by);
	trigger->address = xstrdup(call->address);
	trigger->key = xstrdup(call->key);
	trigger->trace_id = xstrdup(call->trace_id);
	trigger->has_priority = call->has_priority;
	trigger->priority = call->priority;
	trigger->run_at = call->run_at;
	trigger->done = done;
	trigger->context = context;
	trigger->starting = true;
	catalog_find(front->catalog, call->project, call->workflow, call->read_after,
		     on_workflow, trigger);
	trigger->starting = false;
	return trigger;
}

void
trigger_forget(struct trigger **trigger_p)
{
	if (*trigger_p != NULL)
		(*trigger_p)->done = NULL;
	*trigger_p = NULL;
}
