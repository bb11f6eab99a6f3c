/* See firing_batch.h. */
#include "firing_batch.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "starts.h"

#define ROOM (FIRING_BATCH_ENTRIES + FIRINGS_MOST)

struct firing_batch {
	struct fired_row fired[FIRING_BATCH_SCHEDULES];
	size_t fired_count;
	struct ledger_row *entries;
	struct uuid *runs; /* of each entry; it points here */
	char **details;    /* likewise */
	size_t entries_count;
	struct starts starts;
	struct firing decided[FIRINGS_MOST];
};

struct firing_batch *
firing_batch_new(void)
{
	struct firing_batch *batch = xcalloc(1, sizeof *batch);

	batch->entries = xcalloc(ROOM, sizeof *batch->entries);
	batch->runs = xcalloc(ROOM, sizeof *batch->runs);
	batch->details = xcalloc(ROOM, sizeof *batch->details);
	return batch;
}

void
firing_batch_free(struct firing_batch **batch_p)
{
	struct firing_batch *batch = *batch_p;

	if (batch == NULL)
		return;
	*batch_p = NULL;
	for (size_t i = 0; i < batch->entries_count; i++)
		free(batch->details[i]);
	free(batch->entries);
	free(batch->runs);
	free(batch->details);
	starts_clear(&batch->starts);
	free(batch);
}

bool
firing_batch_is_full(const struct firing_batch *batch)
{
	return batch->fired_count == FIRING_BATCH_SCHEDULES ||
	       batch->entries_count >= FIRING_BATCH_ENTRIES;
}

size_t
firing_batch_count(const struct firing_batch *batch)
{
	return batch->fired_count;
}

/* ---- deciding ---- */

static struct uuid
start(struct firing_batch *batch, const struct due_schedule *schedule,
      const struct definitions *definitions, usec_t at, usec_t wall)
{
	const struct due_row *row = &schedule->row;
	const char *why;
	struct json *trigger = due_schedule_trigger(schedule, at);
	const struct starter starter = {
		.workflow = definitions_get(definitions, &row->definition, &why),
		.definition = row->definition,
		.project = &row->project,
		.triggered_by = row->is_heartbeat ? "heartbeat" : "cron",
		.schedule = &row->id,
		.trigger = trigger,
		.requested_by = row->created_by,
		.tools = row->tools,
	};
	struct uuid run = starts_add(&batch->starts, &starter, row->input, wall);

	json_unref(&trigger);
	return run;
}

static void
note_failed(const struct due_schedule *schedule, const char *why)
{
	char id[UUID_TEXT];

	log_warn("schedule.failed",
		 F_STR("schedule", uuid_format(&schedule->row.id, id)),
		 F_STR("name", schedule->row.name), F_STR("why", why));
}

/* Adds the entry; its run or NULL. */
static struct ledger_row *
enter(struct firing_batch *batch, const struct due_schedule *schedule,
      const struct firing *firing, const struct err *refused)
{
	size_t i = batch->entries_count++;
	struct ledger_row *entry = &batch->entries[i];

	if (firing->outcome == FIRING_FAILED) {
		note_failed(schedule, refused->text);
		batch->details[i] = xstrdup(refused->text);
	}
	*entry = (struct ledger_row){ .schedule = schedule->row.id,
				      .fire_time = firing->at,
				      .outcome = firing_outcome_name(firing->outcome),
				      .detail = batch->details[i] };
	return entry;
}

void
firing_batch_add(struct firing_batch *batch, const struct due_schedule *schedule,
		 const struct definitions *definitions, usec_t now, usec_t wall,
		 const struct err *given_up)
{
	struct fired_row *fired = &batch->fired[batch->fired_count++];
	struct firing_verdict verdict = { .firings = batch->decided };
	struct err refused = { 0 };
	struct firing_case it;

	if (given_up != NULL)
		refused = *given_up;
	else
		due_schedule_check(schedule, definitions, &refused);
	it = due_schedule_case(schedule, now, refused.kind != ERR_NONE);
	firing_decide(&it, &verdict);
	*fired = (struct fired_row){ .id = schedule->row.id,
				     .revision = schedule->row.revision,
				     .expected = schedule->row.expected,
				     .next = verdict.over ? 0 : verdict.next,
				     .due = verdict.over ? 0 : verdict.due,
				     .counted = verdict.counted,
				     .reached = verdict.reached };
	for (size_t i = 0; i < verdict.count; i++) {
		const struct firing *firing = &verdict.firings[i];
		struct ledger_row *entry = enter(batch, schedule, firing, &refused);
		struct uuid *run = &batch->runs[entry - batch->entries];

		if (!firing->starts)
			continue;
		*run = start(batch, schedule, definitions, firing->at, wall);
		entry->run = fired->run = run;
	}
}

/* ---- storing ---- */

void
firing_batch_send(struct firing_batch *batch, struct pg *pg, int64_t epoch,
		  pg_end_fn *done, void *context)
{
	struct pg_batch *sent = pg_batch_new(pg);
	const struct firings firings = { batch->fired, batch->fired_count,
					 batch->entries, batch->entries_count };

	starts_insert_into(&batch->starts, sent);
	firings_store_into(sent, epoch, &firings);
	pg_batch_send(&sent, done, context);
}

void
firing_batch_ring(const struct firing_batch *batch, struct pg *pg, struct queue *queue)
{
	starts_ring(&batch->starts, pg, queue);
}
