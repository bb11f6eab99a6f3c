/* Triggers of workflows as rows. See triggers.h. */
#include "store/triggers.h"

static bool
is_row(const struct trigger_def *trigger)
{
	return trigger->kind != TRIGGER_CRON;
}

/* As it stands in the parsed form: in a list, or alone. */
static const struct json *
spec_of(const struct workflow *workflow, const struct trigger_def *trigger)
{
	const struct json *all = json_get(workflow->config, "trigger");

	return json_type(all) == JSON_ARRAY ? json_at(all, (size_t)trigger->place)
					    : all;
}

static void
arg_places(const struct workflow *workflow, struct pg_args *args)
{
	pg_array_begin(args, PG_INT4);
	for (size_t i = 0; i < workflow->triggers_count; i++)
		if (is_row(&workflow->triggers[i]))
			pg_arg_int4(args, workflow->triggers[i].place);
	pg_array_end(args);
}

static void
arg_specs(const struct workflow *workflow, struct pg_args *args)
{
	pg_array_begin(args, PG_JSONB);
	for (size_t i = 0; i < workflow->triggers_count; i++)
		if (is_row(&workflow->triggers[i]))
			pg_arg_json(args, spec_of(workflow, &workflow->triggers[i]));
	pg_array_end(args);
}

typedef const char *column_fn(const struct trigger_def *trigger);

static const char *
kind_of(const struct trigger_def *trigger)
{
	return trigger_kind_name(trigger->kind);
}

static const char *
path_of(const struct trigger_def *trigger)
{
	return trigger->webhook.path;
}

static const char *
source_of(const struct trigger_def *trigger)
{
	return trigger->event.source;
}

static const char *
type_of(const struct trigger_def *trigger)
{
	return trigger->event.type;
}

static void
arg_texts(const struct workflow *workflow, column_fn *column, struct pg_args *args)
{
	pg_array_begin(args, PG_TEXT);
	for (size_t i = 0; i < workflow->triggers_count; i++)
		if (is_row(&workflow->triggers[i]))
			pg_arg_text(args, column(&workflow->triggers[i]));
	pg_array_end(args);
}

void
triggers_put(struct pg_batch *batch, const struct workflow *workflow,
	     const struct uuid *project)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, workflow->name);
	pg_arg_uuid(&args, project);
	arg_places(workflow, &args);
	arg_specs(workflow, &args);
	pg_batch_add(batch, "workflow_triggers_drop", &args, NULL, NULL);
	pg_args_fini(&args);
	if (workflow->triggers_count == 0)
		return;
	pg_args_init(&args);
	pg_arg_text(&args, workflow->name);
	pg_arg_uuid(&args, project);
	arg_places(workflow, &args);
	arg_texts(workflow, kind_of, &args);
	arg_texts(workflow, path_of, &args);
	arg_texts(workflow, source_of, &args);
	arg_texts(workflow, type_of, &args);
	arg_specs(workflow, &args);
	pg_batch_add(batch, "workflow_triggers_put", &args, NULL, NULL);
	pg_args_fini(&args);
}

char *
triggers_paths(const struct workflow *workflow)
{
	struct buf paths = { 0 };

	for (size_t i = 0; i < workflow->triggers_count; i++)
		if (workflow->triggers[i].kind == TRIGGER_WEBHOOK)
			buf_printf(&paths, "%s\n", workflow->triggers[i].webhook.path);
	return buf_take(&paths);
}

void
triggers_taken(struct pg_batch *batch, const char *name, const struct uuid *project,
	       const char *paths, pg_done_fn *done, void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, name);
	pg_arg_uuid(&args, project);
	pg_arg_text(&args, paths);
	pg_batch_add(batch, "workflow_triggers_taken", &args, done, context);
	pg_args_fini(&args);
}
