/*
 * The shell around firing_core: one round at a time. A round looks, reads the
 * definitions that are not known, decides, stores. When the round as a whole is refused
 * although nothing was changed meanwhile, its schedules are stored one by one, and the
 * one that cannot be is entered as failed.
 */
#include "schedules.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "definitions.h"
#include "firing_core.h"
#include "starts.h"
#include "store/firings.h"

#define ROUND_SCHEDULES 256
#define ROUND_ENTRIES   4000              /* and what one schedule adds to it */
#define LOOK_EVERY      (5 * USEC_SECOND) /* should a notification be lost */
#define LOOK_FAILED     (250 * USEC_MS)
#define LOOK_SOON       (5 * USEC_MS) /* what was refused is read again */

/* A schedule of the round, with what of its row outlives the answer. */
struct member {
	struct due_row row;
	struct schedule_rule rule;
	char *texts[3];
	struct err refused;
};

struct schedules {
	struct loop *loop;
	struct schedules_conf conf;
	struct pg *pg;
	struct definitions *definitions;
	bool up, busy, failing;
	bool look_again;  /* something was changed while the round was under way */
	bool alone;       /* the next round is of one schedule only */
	bool hopeless;    /* and that one is entered as failed */
	usec_t next_look; /* monotonic */
	usec_t next_due;  /* by the database's clock */
	/* the round under way */
	struct member *members;
	size_t members_count;
	struct fired_row *fired;
	size_t fired_count;
	struct ledger_row *entries;
	size_t entries_count;
	struct uuid *runs; /* one place per entry; ledger rows point there */
	struct starts starts;
	struct firing decided[FIRINGS_MOST];
	struct err why; /* it was refused when tried before */
};

static void
wake(struct schedules *schedules)
{
	schedules->conf.wake(schedules->conf.context);
}

/* ---- the round's memory ---- */

static void
round_end(struct schedules *schedules)
{
	for (size_t i = 0; i < schedules->members_count; i++) {
		struct member *member = &schedules->members[i];

		for (size_t n = 0; n < 3; n++)
			free(member->texts[n]);
		json_unref(&member->row.tools);
		json_unref(&member->row.input);
	}
	free(schedules->members);
	free(schedules->fired);
	free(schedules->entries);
	free(schedules->runs);
	schedules->members = NULL;
	schedules->fired = NULL;
	schedules->entries = NULL;
	schedules->runs = NULL;
	schedules->members_count = schedules->fired_count = 0;
	schedules->entries_count = 0;
	starts_clear(&schedules->starts);
	schedules->busy = false;
}

/* Once per change, not per call. */
static void
note_result(struct schedules *schedules, const struct err *err)
{
	bool failed = err->kind != ERR_NONE;

	if (failed && !schedules->failing)
		log_warn("schedules.failed", F_STR("why", err->text));
	if (!failed && schedules->failing)
		log_info("schedules.recovered", F_INT("count", schedules->fired_count));
	schedules->failing = failed;
}

static void
come_back(struct schedules *schedules, usec_t delay)
{
	round_end(schedules);
	schedules->next_look = loop_mono(schedules->loop) + delay;
	wake(schedules);
}

/* ---- storing ---- */

/* Refused for what was read meanwhile (ERR_RETRY) or for reasons of its own. */
static void
on_refused(struct schedules *schedules, const struct err *err)
{
	if (err->kind == ERR_RETRY || err->kind == ERR_LOST) {
		come_back(schedules, pg_is_up(schedules->pg) ? LOOK_SOON : LOOK_FAILED);
		return;
	}
	log_error("schedules.refused", F_INT("count", schedules->fired_count),
		  F_STR("why", err->text));
	if (schedules->alone) {
		schedules->hopeless = true;
		schedules->why = *err;
	}
	schedules->alone = true;
	come_back(schedules, 0);
}

static void
on_stored(void *context, const struct err *err)
{
	struct schedules *schedules = context;

	if (err->kind != ERR_NONE) {
		if (err->kind != ERR_RETRY)
			note_result(schedules, err);
		on_refused(schedules, err);
		return;
	}
	note_result(schedules, err);
	POINT("schedules.stored.before_bell");
	starts_ring(&schedules->starts, schedules->pg, schedules->conf.queue);
	POINT("schedules.stored.after_bell");
	log_debug("schedules.fired", F_INT("schedules", schedules->fired_count),
		  F_INT("runs", schedules->starts.count));
	schedules->alone = schedules->hopeless = false;
	come_back(schedules, 0);
}

static void
store(struct schedules *schedules)
{
	struct pg_batch *batch = pg_batch_new(schedules->pg);
	const struct firings firings = { schedules->fired, schedules->fired_count,
					 schedules->entries, schedules->entries_count };

	starts_insert_into(&schedules->starts, batch);
	firings_store_into(batch, schedules->conf.epoch(schedules->conf.context),
			   &firings);
	pg_batch_send(&batch, on_stored, schedules);
}

/* ---- deciding ---- */

static struct json *
trigger_of(const struct member *member, usec_t at)
{
	struct json *trigger = json_new_object();
	char text[UUID_TEXT > 40 ? UUID_TEXT : 40];

	json_set(trigger, "type",
		 json_new_str(member->row.is_heartbeat ? "heartbeat" : "cron"));
	json_set(trigger, "scheduleId",
		 json_new_str(uuid_format(&member->row.id, text)));
	json_set(trigger, "scheduleName", json_new_str(member->row.name));
	json_set(trigger, "fireTime", json_new_str(rfc3339_format(at, text)));
	return trigger;
}

static struct uuid
start(struct schedules *schedules, const struct member *member, usec_t at)
{
	const char *why;
	struct json *trigger = trigger_of(member, at);
	const struct starter starter = {
		.workflow = definitions_get(schedules->definitions,
					    &member->row.definition, &why),
		.definition = member->row.definition,
		.project = &member->row.project,
		.triggered_by = member->row.is_heartbeat ? "heartbeat" : "cron",
		.schedule = &member->row.id,
		.trigger = trigger,
		.requested_by = member->row.created_by,
		.tools = member->row.tools,
	};
	struct uuid run = starts_add(&schedules->starts, &starter, member->row.input,
				     loop_now(schedules->loop));

	json_unref(&trigger);
	return run;
}

/* Why its workflow cannot be run, if it cannot. */
static void
check_workflow(struct schedules *schedules, struct member *member)
{
	struct due_row *row = &member->row;
	const struct workflow *workflow;
	struct json *trigger;
	const char *why = NULL;

	if (schedules->hopeless) {
		member->refused = schedules->why;
		return;
	}
	if (!row->has_definition || !row->is_active) {
		if (row->has_workflow || row->is_heartbeat)
			err_set(&member->refused, ERR_NOT_FOUND,
				row->has_definition ? "the workflow is not active"
						    : "the workflow has no version");
		return;
	}
	workflow = definitions_get(schedules->definitions, &row->definition, &why);
	if (workflow == NULL) {
		err_set(&member->refused, ERR_INPUT, "%s", why);
		return;
	}
	trigger = trigger_of(member, row->expected);
	starts_check(workflow, row->input, trigger, &member->refused);
	json_unref(&trigger);
}

static struct firing_case
case_of(const struct member *member)
{
	const struct due_row *row = &member->row;

	return (struct firing_case){
		.rule = &member->rule,
		.schedule = row->id,
		.jitter = row->jitter,
		.expected = row->expected,
		.now = row->now,
		.catch_up = catch_up_find(row->catch_up),
		.skip_overlap = row->skip_overlap,
		.last_alive = row->last_alive,
		.no_workflow = !row->has_workflow && !row->is_heartbeat,
		.refused = member->refused.kind != ERR_NONE,
		.runs_left = row->runs_left,
	};
}

static void
note_failed(const struct member *member)
{
	char id[UUID_TEXT];

	log_warn("schedule.failed", F_STR("schedule", uuid_format(&member->row.id, id)),
		 F_STR("name", member->row.name), F_STR("why", member->refused.text));
}

static const struct uuid *
enter(struct schedules *schedules, const struct member *member,
      const struct firing *firing)
{
	size_t i = schedules->entries_count++;
	struct ledger_row *entry = &schedules->entries[i];
	bool failed = firing->outcome == FIRING_FAILED;

	if (firing->starts)
		schedules->runs[i] = start(schedules, member, firing->at);
	if (failed)
		note_failed(member);
	*entry = (struct ledger_row){
		.schedule = member->row.id,
		.fire_time = firing->at,
		.outcome = firing_outcome_name(firing->outcome),
		.run = firing->starts ? &schedules->runs[i] : NULL,
		.detail = failed ? member->refused.text : NULL,
	};
	return entry->run;
}

static void
decide_one(struct schedules *schedules, struct member *member)
{
	struct firing_verdict verdict = { .firings = schedules->decided };
	struct fired_row *fired = &schedules->fired[schedules->fired_count++];
	struct firing_case it;
	const struct uuid *run;

	check_workflow(schedules, member);
	it = case_of(member);
	firing_decide(&it, &verdict);
	*fired = (struct fired_row){
		.id = member->row.id,
		.revision = member->row.revision,
		.expected = member->row.expected,
		.next = verdict.over ? 0 : verdict.next,
		.due = verdict.over ? 0 : verdict.due,
		.counted = verdict.counted,
		.reached = verdict.reached,
	};
	for (size_t i = 0; i < verdict.count; i++) {
		run = enter(schedules, member, &verdict.firings[i]);
		fired->run = run != NULL ? run : fired->run;
	}
}

static void
decide(struct schedules *schedules)
{
	size_t room = ROUND_ENTRIES + FIRINGS_MOST;

	schedules->fired = xcalloc(schedules->members_count, sizeof *schedules->fired);
	schedules->entries = xcalloc(room, sizeof *schedules->entries);
	schedules->runs = xcalloc(room, sizeof *schedules->runs);
	for (size_t i = 0;
	     i < schedules->members_count && schedules->entries_count < ROUND_ENTRIES;
	     i++)
		decide_one(schedules, &schedules->members[i]);
	POINT("schedules.decided");
	store(schedules);
}

static void
on_definitions(void *context, const struct err *err)
{
	struct schedules *schedules = context;

	if (err->kind != ERR_NONE) {
		note_result(schedules, err);
		come_back(schedules, LOOK_FAILED);
	} else if (!schedules->conf.may_act(schedules->conf.context)) {
		come_back(schedules, LOOK_FAILED);
	} else {
		decide(schedules);
	}
}

/* ---- looking ---- */

static bool
read_rule(const struct due_row *row, struct schedule_rule *out, struct err *err)
{
	const struct schedule_words words = { .cron = row->cron,
					      .zone = row->zone,
					      .start = row->start,
					      .end = row->end,
					      .days = row->days,
					      .days_count = row->days_count };

	return schedule_rule_read(&words, row->created_at, out, err) == 0 &&
	       catch_up_find(row->catch_up) < CATCH_UPS;
}

static void
on_stopped(void *context, const struct pg_rows *rows, const struct err *err)
{
	(void)context;
	(void)rows;
	(void)err;
}

/* Stored by hand, or by a version that read it otherwise. */
static void
stop_broken(struct schedules *schedules, const struct due_row *row,
	    const struct err *err)
{
	char id[UUID_TEXT];

	log_error("schedule.stopped", F_STR("schedule", uuid_format(&row->id, id)),
		  F_STR("name", row->name), F_STR("why", err->text));
	firings_stop(schedules->pg, &row->id, row->revision, err->text, on_stopped,
		     schedules);
}

static void
keep(struct schedules *schedules, const struct due_row *row)
{
	struct member *member = &schedules->members[schedules->members_count];
	struct err err = { 0 };

	*member = (struct member){ .row = *row };
	if (!read_rule(row, &member->rule, &err)) {
		stop_broken(schedules, row, &err);
		return;
	}
	member->row.name = member->texts[0] = xstrdup(row->name);
	member->row.created_by = member->texts[1] = xstrdup(row->created_by);
	member->row.catch_up = member->texts[2] = xstrdup(row->catch_up);
	json_ref(row->tools);
	json_ref(row->input);
	schedules->members_count++;
}

static void
load_definitions(struct schedules *schedules)
{
	struct uuid *ids = xcalloc(schedules->members_count + 1, sizeof *ids);
	size_t count = 0;
	bool known = true;

	for (size_t i = 0; i < schedules->members_count; i++) {
		const struct due_row *row = &schedules->members[i].row;

		if (!row->has_definition)
			continue;
		ids[count++] = row->definition;
		known &= definitions_knows(schedules->definitions, &row->definition);
	}
	if (known)
		on_definitions(schedules, &(const struct err){ 0 });
	else
		definitions_load(schedules->definitions, schedules->pg, ids, count,
				 on_definitions, schedules);
	free(ids);
}

static void
on_due(void *context, const struct due_row *rows, size_t count, usec_t next,
       const struct err *err)
{
	struct schedules *schedules = context;

	if (err->kind != ERR_NONE) {
		note_result(schedules, err);
		come_back(schedules, LOOK_FAILED);
		return;
	}
	schedules->next_due = next;
	schedules->members = xcalloc(count + 1, sizeof *schedules->members);
	for (size_t i = 0; i < count; i++)
		keep(schedules, &rows[i]);
	if (schedules->members_count > 0)
		load_definitions(schedules);
	else
		come_back(schedules, schedules->look_again ? 0 : LOOK_EVERY);
}

static void
look(struct schedules *schedules)
{
	schedules->busy = true;
	schedules->look_again = false;
	firings_due(schedules->pg, schedules->alone ? 1 : ROUND_SCHEDULES, on_due,
		    schedules);
}

usec_t
schedules_tick(struct schedules *schedules, const struct clock_core *clock, usec_t now)
{
	usec_t due;

	if (!schedules->up || schedules->busy)
		return USEC_NEVER;
	due = schedules->next_due == USEC_NEVER
		  ? USEC_NEVER
		  : clock_core_when(clock, schedules->next_due);
	if (due > schedules->next_look)
		due = schedules->next_look;
	if (due > now)
		return due;
	look(schedules);
	return USEC_NEVER;
}

/* ---- life ---- */

static void
look_now(struct schedules *schedules)
{
	schedules->look_again = true;
	schedules->next_look = loop_mono(schedules->loop);
	wake(schedules);
}

static void
on_state(void *context, bool up)
{
	struct schedules *schedules = context;

	schedules->up = up;
	look_now(schedules);
}

static void
on_notify(void *context, const char *channel, const char *payload)
{
	(void)channel;
	(void)payload;
	look_now(context);
}

struct schedules *
schedules_new(struct loop *loop, const struct schedules_conf *conf, struct err *err)
{
	static const char *const channels[] = { "listen_schedules", NULL };
	struct schedules *schedules = xcalloc(1, sizeof *schedules);
	struct pg_conf pg = { .url = conf->url,
			      .application = "stepmill scheduler schedules",
			      .statement_timeout = conf->statement_timeout,
			      .on_state = on_state,
			      .listen = channels,
			      .on_notify = on_notify,
			      .context = schedules };

	schedules->loop = loop;
	schedules->conf = *conf;
	schedules->next_due = USEC_NEVER;
	schedules->definitions = definitions_new();
	schedules->pg = pg_new(loop, &pg, err);
	if (schedules->pg == NULL)
		schedules_free(&schedules);
	return schedules;
}

void
schedules_free(struct schedules **schedules_p)
{
	struct schedules *schedules = *schedules_p;

	if (schedules == NULL)
		return;
	*schedules_p = NULL;
	pg_free(&schedules->pg);
	round_end(schedules);
	definitions_free(&schedules->definitions);
	free(schedules);
}

void
schedules_forget(struct schedules *schedules)
{
	pg_forget(schedules->pg, schedules);
	round_end(schedules);
	schedules->alone = schedules->hopeless = false;
	schedules->next_look = 0;
}

bool
schedules_busy(const struct schedules *schedules)
{
	return schedules->busy;
}
