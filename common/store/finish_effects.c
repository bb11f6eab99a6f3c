/* One function per statement. See finish_effects.h. */
#include "store/finish_effects.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/runs.h"

/* The items of one statement, in its order. */
struct chosen {
	const struct finish_item *list[256];
	size_t count;
};

#define COLUMN(args, type, item, chosen, one)                                          \
	do {                                                                           \
		pg_array_begin(args, type);                                            \
		for (size_t i_ = 0; i_ < (chosen)->count; i_++) {                      \
			const struct finish_item *item = (chosen)->list[i_];           \
                                                                                       \
			one;                                                           \
		}                                                                      \
		pg_array_end(args);                                                    \
	} while (0)

typedef bool wants_fn(const struct finish_item *item);

static size_t
choose(struct chosen *chosen, const struct finish_item *items, size_t count,
       wants_fn *wants)
{
	chosen->count = 0;
	for (size_t i = 0; i < count; i++)
		if (wants(&items[i]))
			chosen->list[chosen->count++] = &items[i];
	return chosen->count;
}

/* $1 - $4: whose it is. Only what steps_finish has taken looks like this. */
static void
arg_whose(struct pg_args *args, const struct chosen *chosen)
{
	COLUMN(args, PG_UUID, item, chosen, pg_arg_uuid(args, &item->run));
	COLUMN(args, PG_INT4, item, chosen, pg_arg_int4(args, item->number));
	COLUMN(args, PG_INT4, item, chosen, pg_arg_int4(args, item->fence));
	COLUMN(args, PG_INT2, item, chosen, pg_arg_int2(args, (int)item->status));
}

static void
arg_runs(struct pg_args *args, const struct chosen *chosen)
{
	COLUMN(args, PG_UUID, item, chosen, pg_arg_uuid(args, &item->run));
}

static void
arg_parent(struct pg_args *args, int parent)
{
	if (parent != 0)
		pg_arg_int4(args, parent);
	else
		pg_arg_null(args, PG_INT4);
}

/* ---- rows that are made ---- */

static bool
spawns(const struct finish_item *item)
{
	return item->verdict != NULL && item->verdict->spawn.count > 0;
}

static const struct step_def *
spawned(const struct finish_item *item)
{
	return &item->workflow->steps[item->verdict->spawn.index];
}

struct spawning {
	struct ready_list *ready;
	struct {
		struct uuid run;
		enum priority priority;
		char queue[READY_QUEUE_MAX + 1];
	} whose[256];
};

static void
on_spawned(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct spawning *spawning = context;

	for (int row = 0; err->kind == ERR_NONE && row < pg_count(rows); row++) {
		size_t place = (size_t)pg_int(rows, row, 0) - 1;
		int first = (int)pg_int(rows, row, 1),
		    count = (int)pg_int(rows, row, 2);

		for (int i = 0; i < count; i++)
			ready_list_add(spawning->ready, &spawning->whose[place].run,
				       first + i, spawning->whose[place].queue,
				       spawning->whose[place].priority);
	}
}

static struct spawning *
spawning_new(const struct chosen *chosen, struct ready_list *ready)
{
	struct spawning *spawning = xcalloc(1, sizeof *spawning);

	spawning->ready = ready;
	for (size_t i = 0; i < chosen->count; i++) {
		spawning->whose[i].run = chosen->list[i]->run;
		spawning->whose[i].priority = chosen->list[i]->priority;
		snprintf(spawning->whose[i].queue, sizeof spawning->whose[i].queue,
			 "%s", spawned(chosen->list[i])->queue);
	}
	return spawning;
}

static void
arg_spawns(struct pg_args *args, const struct chosen *chosen)
{
	COLUMN(args, PG_TEXT, item, chosen, pg_arg_text(args, spawned(item)->id));
	COLUMN(args, PG_TEXT, item, chosen, pg_arg_text(args, spawned(item)->queue));
	COLUMN(args, PG_INT2, item, chosen,
	       pg_arg_int2(args, spawned(item)->retry.max_attempts));
	COLUMN(args, PG_INT4, item, chosen,
	       pg_arg_int4(args, item->verdict->spawn.count));
	COLUMN(args, PG_INT4, item, chosen,
	       pg_arg_int4(args, item->verdict->spawn.parallel));
	COLUMN(args, PG_INT4, item, chosen,
	       arg_parent(args, item->verdict->spawn.parent));
	COLUMN(args, PG_INT4, item, chosen,
	       item->verdict->spawn.has_index
		   ? pg_arg_int4(args, item->verdict->spawn.item_index)
		   : pg_arg_null(args, PG_INT4));
	COLUMN(args, PG_INT4, item, chosen,
	       pg_arg_int4(args, item->verdict->spawn.iteration));
	COLUMN(args, PG_JSONB, item, chosen,
	       pg_arg_json(args, item->verdict->spawn.items));
	COLUMN(args, PG_BOOL, item, chosen, pg_arg_bool(args, item->verdict->expects));
	COLUMN(args, PG_INT4, item, chosen,
	       pg_arg_int4(args, item->verdict->own_iteration));
}

static void
add_spawns(struct pg_batch *batch, const struct finish_item *items, size_t count,
	   struct ready_list *ready)
{
	struct chosen chosen;
	struct spawning *spawning;
	struct pg_args args;

	if (choose(&chosen, items, count, spawns) == 0)
		return;
	spawning = spawning_new(&chosen, ready);
	pg_batch_attach(batch, NULL, spawning);
	pg_args_init(&args);
	arg_whose(&args, &chosen);
	arg_spawns(&args, &chosen);
	pg_batch_add(batch, "steps_spawn", &args, on_spawned, spawning);
	pg_args_fini(&args);
}

/* ---- rows that are counted down, or cut short ---- */

static void
on_ready_rows(void *context, const struct pg_rows *rows, const struct err *err)
{
	if (err->kind == ERR_NONE)
		ready_list_rows(context, rows);
}

static bool
closes(const struct finish_item *item)
{
	return item->verdict != NULL && (item->verdict->closing != CLOSING_NONE ||
					 item->verdict->cancel_siblings);
}

static void
add_closes(struct pg_batch *batch, const struct finish_item *items, size_t count,
	   struct ready_list *ready)
{
	struct chosen chosen;
	struct pg_args args;

	if (choose(&chosen, items, count, closes) == 0)
		return;
	pg_args_init(&args);
	arg_whose(&args, &chosen);
	COLUMN(&args, PG_INT4, item, &chosen,
	       arg_parent(&args, item->verdict->closing != CLOSING_NONE
				     ? 0
				     : item->verdict->joins));
	COLUMN(&args, PG_INT2, item, &chosen,
	       pg_arg_int2(&args, (int)item->verdict->closing));
	COLUMN(&args, PG_JSONB, item, &chosen,
	       pg_arg_json(&args, item->verdict->run_error));
	pg_batch_add(batch, "steps_close", &args, on_ready_rows, ready);
	pg_args_fini(&args);
}

/* One row per thing that is met. */
struct meeting {
	const struct finish_item *item;
	int target;
	bool chosen;
	const struct json *error;
	bool release;
};

struct meetings {
	struct meeting *list;
	size_t count, room;
};

static void
add_meeting(struct meetings *meetings, const struct meeting *meeting)
{
	if (meetings->count == meetings->room) {
		meetings->room = meetings->room * 2 + 64;
		meetings->list =
		    xrealloc(meetings->list, meetings->room, sizeof *meetings->list);
	}
	meetings->list[meetings->count++] = *meeting;
}

static void
meetings_of(struct meetings *meetings, const struct finish_item *item)
{
	const struct verdict *verdict = item->verdict;

	for (size_t i = 0; i < verdict->met_count; i++)
		add_meeting(meetings, &(struct meeting){ item, verdict->met[i], false,
							 NULL, false });
	if (verdict->chosen != 0)
		add_meeting(meetings, &(struct meeting){ item, verdict->chosen, true,
							 NULL, false });
	if (verdict->joins != 0)
		add_meeting(meetings,
			    &(struct meeting){ item, verdict->joins, false,
					       verdict->join_error, verdict->release });
}

#define ROWS(args, type, row, meetings, one)                                           \
	do {                                                                           \
		pg_array_begin(args, type);                                            \
		for (size_t i_ = 0; i_ < (meetings)->count; i_++) {                    \
			const struct meeting *row = &(meetings)->list[i_];             \
                                                                                       \
			one;                                                           \
		}                                                                      \
		pg_array_end(args);                                                    \
	} while (0)

static void
arg_meetings(struct pg_args *args, const struct meetings *all)
{
	ROWS(args, PG_UUID, row, all, pg_arg_uuid(args, &row->item->run));
	ROWS(args, PG_INT4, row, all, pg_arg_int4(args, row->item->number));
	ROWS(args, PG_INT4, row, all, pg_arg_int4(args, row->item->fence));
	ROWS(args, PG_INT2, row, all, pg_arg_int2(args, (int)row->item->status));
	ROWS(args, PG_INT4, row, all, pg_arg_int4(args, row->target));
	ROWS(args, PG_BOOL, row, all, pg_arg_bool(args, row->chosen));
	ROWS(args, PG_JSONB, row, all, pg_arg_json(args, row->error));
	ROWS(args, PG_BOOL, row, all, pg_arg_bool(args, row->release));
}

static void
add_meetings(struct pg_batch *batch, const struct finish_item *items, size_t count,
	     struct ready_list *ready)
{
	struct meetings meetings = { 0 };
	struct pg_args args;

	for (size_t i = 0; i < count; i++)
		if (items[i].verdict != NULL)
			meetings_of(&meetings, &items[i]);
	if (meetings.count == 0)
		return;
	pg_args_init(&args);
	arg_meetings(&args, &meetings);
	pg_batch_add(batch, "steps_meet", &args, on_ready_rows, ready);
	pg_args_fini(&args);
	free(meetings.list);
}

/* ---- approvals ---- */

static bool
asks(const struct finish_item *item)
{
	return item->ask != NULL;
}

static void
add_asks(struct pg_batch *batch, const struct finish_item *items, size_t count)
{
	struct chosen chosen;
	struct pg_args args;

	if (choose(&chosen, items, count, asks) == 0)
		return;
	pg_args_init(&args);
	arg_whose(&args, &chosen);
	COLUMN(&args, PG_UUID, item, &chosen, pg_arg_uuid(&args, &item->approval));
	COLUMN(&args, PG_TEXT, item, &chosen,
	       pg_arg_text(&args, json_str(item->ask->prompt)));
	COLUMN(&args, PG_JSONB, item, &chosen, pg_arg_json(&args, item->ask->args));
	COLUMN(&args, PG_INT2, item, &chosen,
	       pg_arg_int2(&args, (int)item->ask->on_timeout));
	COLUMN(&args, PG_TIME, item, &chosen, pg_arg_time(&args, item->run_at));
	pg_batch_add(batch, "approvals_request", &args, NULL, NULL);
	pg_args_fini(&args);
}

/* Of a sequence it is the only step; of others the last one that still ran may end now.
 */
static bool
may_leave_only_approvals(const struct finish_item *item)
{
	return item->run_status == RUN_RUNNING &&
	       (item->ask != NULL || item->awaited_count > 0 ||
		(item->verdict != NULL && item->verdict->joins != 0));
}

static void
add_pauses(struct pg_batch *batch, const struct finish_item *items, size_t count)
{
	struct chosen chosen;
	struct pg_args args;

	if (choose(&chosen, items, count, may_leave_only_approvals) == 0)
		return;
	pg_args_init(&args);
	arg_runs(&args, &chosen);
	pg_batch_add(batch, "runs_pause_waiting", &args, NULL, NULL);
	pg_args_fini(&args);
}

/* ---- events ---- */

static bool
waits_for_event(const struct finish_item *item)
{
	return item->wait_event != NULL;
}

static void
add_event_waits(struct pg_batch *batch, const struct finish_item *items, size_t count)
{
	struct chosen chosen;
	struct pg_args args;

	if (choose(&chosen, items, count, waits_for_event) == 0)
		return;
	pg_args_init(&args);
	arg_whose(&args, &chosen);
	COLUMN(&args, PG_TEXT, item, &chosen, pg_arg_text(&args, item->wait_event));
	COLUMN(&args, PG_TIME, item, &chosen, pg_arg_time(&args, item->checked_at));
	pg_batch_add(batch, "event_waits_add", &args, NULL, NULL);
	pg_args_fini(&args);
}

/* ---- other runs ---- */

static void
add_children(struct pg_batch *batch, const struct finish_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].child != NULL)
			runs_insert_child(batch, items[i].child, &items[i].run,
					  items[i].number, items[i].fence);
}

static bool
leaves_open(const struct finish_item *item)
{
	return item->verdict != NULL && item->verdict->close_open;
}

static bool
wakes_parent(const struct finish_item *item)
{
	return item->has_parent_run && item->run_status != RUN_RUNNING;
}

static void
add_ends(struct pg_batch *batch, const struct finish_item *items, size_t count,
	 struct ready_list *ready)
{
	struct chosen chosen;
	struct pg_args args;

	if (choose(&chosen, items, count, leaves_open) > 0) {
		pg_args_init(&args);
		arg_runs(&args, &chosen);
		pg_batch_add(batch, "runs_close_open", &args, NULL, NULL);
		pg_args_fini(&args);
	}
	if (choose(&chosen, items, count, wakes_parent) > 0) {
		pg_args_init(&args);
		arg_runs(&args, &chosen);
		pg_batch_add(batch, "parents_wake", &args, on_ready_rows, ready);
		pg_args_fini(&args);
	}
}

/* ---- programs ---- */

static bool
rests(const struct finish_item *item)
{
	return item->awaited_count > 0;
}

/* All that any of them waits for. */
static void
add_rests(struct pg_batch *batch, const struct finish_item *items, size_t count,
	  struct ready_list *ready)
{
	struct chosen chosen;
	struct pg_args args;

	if (choose(&chosen, items, count, rests) == 0)
		return;
	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	for (size_t i = 0; i < chosen.count; i++)
		for (size_t j = 0; j < chosen.list[i]->awaited_count; j++)
			pg_arg_uuid(&args, &chosen.list[i]->run);
	pg_array_end(&args);
	pg_array_begin(&args, PG_INT4);
	for (size_t i = 0; i < chosen.count; i++)
		for (size_t j = 0; j < chosen.list[i]->awaited_count; j++)
			pg_arg_int4(&args, chosen.list[i]->awaited[j]);
	pg_array_end(&args);
	pg_batch_add(batch, "programs_rest", &args, on_ready_rows, ready);
	pg_args_fini(&args);
}

static bool
ends_program(const struct finish_item *item)
{
	return item->workflow != NULL && item->workflow->program != NULL &&
	       item->number == END_NUMBER && item->run_status != RUN_RUNNING;
}

static void
add_counts(struct pg_batch *batch, const struct finish_item *items, size_t count)
{
	struct chosen chosen;
	struct pg_args args;

	if (choose(&chosen, items, count, ends_program) == 0)
		return;
	pg_args_init(&args);
	arg_runs(&args, &chosen);
	pg_batch_add(batch, "runs_count_steps", &args, NULL, NULL);
	pg_args_fini(&args);
}

void
finish_effects_add(struct pg_batch *batch, const struct finish_item *items,
		   size_t count, struct ready_list *ready)
{
	add_spawns(batch, items, count, ready);
	add_closes(batch, items, count, ready);
	add_meetings(batch, items, count, ready);
	add_asks(batch, items, count);
	add_event_waits(batch, items, count);
	add_children(batch, items, count);
	add_ends(batch, items, count, ready);
	add_rests(batch, items, count, ready);
	add_counts(batch, items, count);
	add_pauses(batch, items, count);
}
