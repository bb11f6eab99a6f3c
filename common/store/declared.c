/* See declared.h. */
#include "store/declared.h"

#include <stdlib.h>

#include "base/xalloc.h"

/* One of them, as it would be if it were new. */
struct declared {
	const struct trigger_def *trigger;
	struct uuid id;
	usec_t next, due; /* 0: it does not fire any more */
};

static struct declared
declared_of(const struct trigger_def *trigger, usec_t now)
{
	struct declared declared = { .trigger = trigger, .id = uuid7_new(now) };

	trigger_first(trigger, &declared.id, now, &declared.next, &declared.due);
	return declared;
}

static struct declared *
all_of(const struct workflow *workflow, usec_t now, size_t *count)
{
	struct declared *list = xcalloc(workflow->triggers_count + 1, sizeof *list);

	*count = 0;
	for (size_t i = 0; i < workflow->triggers_count; i++)
		if (workflow->triggers[i].kind == TRIGGER_CRON)
			list[(*count)++] = declared_of(&workflow->triggers[i], now);
	return list;
}

#define COLUMN(args, type, it, list, count, one)                                       \
	do {                                                                           \
		pg_array_begin(args, type);                                            \
		for (const struct declared *it = (list); it < (list) + (count); it++)  \
			one;                                                           \
		pg_array_end(args);                                                    \
	} while (0)

static void
arg_name(struct pg_args *args, const struct workflow *workflow,
	 const struct trigger_def *trigger)
{
	char *name = trigger->place == 0
			 ? xstrdup(workflow->name)
			 : xprintf("%s-%d", workflow->name, trigger->place + 1);

	pg_arg_text(args, name);
	free(name);
}

static void
arg_days(struct pg_args *args, const struct trigger_cron *cron)
{
	struct json *days = json_new_array();

	for (size_t i = 0; i < cron->days_count; i++)
		json_append(days, json_new_int(cron->days[i]));
	pg_arg_json(args, cron->days_count > 0 ? days : NULL);
	json_unref(&days);
}

static void
arg_max_runs(struct pg_args *args, const struct trigger_cron *cron)
{
	if (cron->max_runs > 0)
		pg_arg_int4(args, (int)cron->max_runs);
	else
		pg_arg_null(args, PG_INT4);
}

static void
arg_when(struct pg_args *args, const struct declared *list, size_t count)
{
	COLUMN(args, PG_TEXT, it, list, count,
	       pg_arg_text(args, it->trigger->cron.text));
	COLUMN(
	    args, PG_TEXT, it, list, count,
	    pg_arg_text(args, it->trigger->cron.zone ? it->trigger->cron.zone : "UTC"));
	COLUMN(args, PG_TEXT, it, list, count,
	       pg_arg_text(args, it->trigger->cron.start));
	COLUMN(args, PG_TEXT, it, list, count,
	       pg_arg_text(args, it->trigger->cron.end));
	COLUMN(args, PG_JSONB, it, list, count, arg_days(args, &it->trigger->cron));
}

static void
arg_how(struct pg_args *args, const struct declared *list, size_t count)
{
	COLUMN(args, PG_INT4, it, list, count, arg_max_runs(args, &it->trigger->cron));
	COLUMN(args, PG_TEXT, it, list, count,
	       pg_arg_text(args, it->trigger->cron.catch_up));
	COLUMN(args, PG_TEXT, it, list, count,
	       pg_arg_text(args, it->trigger->cron.overlap));
	COLUMN(args, PG_INT4, it, list, count,
	       pg_arg_int4(args, (int)(it->trigger->cron.jitter / USEC_MS)));
	COLUMN(args, PG_JSONB, it, list, count,
	       pg_arg_json(args, it->trigger->cron.input));
	COLUMN(args, PG_TIME, it, list, count, pg_arg_time(args, it->next));
	COLUMN(args, PG_TIME, it, list, count, pg_arg_time(args, it->due));
}

static void
undeclare(struct pg_batch *batch, const struct workflow *workflow,
	  const struct uuid *project, const struct declared *list, size_t count)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, workflow->name);
	pg_arg_uuid(&args, project);
	COLUMN(&args, PG_INT4, it, list, count, pg_arg_int4(&args, it->trigger->place));
	pg_batch_add(batch, "schedules_undeclare", &args, NULL, NULL);
	pg_args_fini(&args);
}

void
declared_put(struct pg_batch *batch, const struct workflow *workflow,
	     const struct uuid *project, usec_t now)
{
	size_t count;
	struct declared *list = all_of(workflow, now, &count);
	struct pg_args args;

	undeclare(batch, workflow, project, list, count);
	pg_args_init(&args);
	pg_arg_text(&args, workflow->name);
	pg_arg_uuid(&args, project);
	pg_arg_time(&args, now);
	COLUMN(&args, PG_UUID, it, list, count, pg_arg_uuid(&args, &it->id));
	COLUMN(&args, PG_INT4, it, list, count, pg_arg_int4(&args, it->trigger->place));
	COLUMN(&args, PG_TEXT, it, list, count, arg_name(&args, workflow, it->trigger));
	arg_when(&args, list, count);
	arg_how(&args, list, count);
	if (count > 0)
		pg_batch_add(batch, "schedules_declare", &args, NULL, NULL);
	pg_args_fini(&args);
	free(list);
}
