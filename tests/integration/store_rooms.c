/*
 * Calls each room of common/store once against a real PostgreSQL and says what came
 * back, a line each: that columns and parameters arrive where they belong. What the
 * statements promise is tested elsewhere, in SQL.
 *
 * store_rooms URL DEFINITION-ID
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/claims.h"
#include "store/finishes.h"
#include "store/runs.h"
#include "store/workers.h"

struct rooms {
	struct loop *loop;
	struct pg *pg;
	struct claimer *claimer;
	struct uuid worker, definition, runs[4];
	struct claimed claimed[8]; /* texts are those of the last claim only */
	size_t claimed_count;
	struct finish_item items[4];
};

static const enum priority order[] = { PRIORITY_HIGH, PRIORITY_NORMAL, PRIORITY_LOW };

/* ---- saying ---- */

static void
say_error(const char *what, const struct err *err)
{
	if (err->kind != ERR_NONE)
		printf("%s: %s %s\n", what, err_kind_name(err->kind), err->text);
}

/* Runs are named by their place, so that the output is the same each time. */
static int
place(const struct rooms *rooms, const struct uuid *run)
{
	for (int i = 0; i < 4; i++)
		if (uuid_equal(&rooms->runs[i], run))
			return i;
	return -1;
}

static const char *
text(const struct json *json)
{
	static char room[4][256];
	static int next;
	char *whole = json_text(json);

	next = (next + 1) % 4;
	snprintf(room[next], sizeof room[next], "%s", whole);
	free(whole);
	return room[next];
}

static void
on_done(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct rooms *all = context;

	(void)rows;
	say_error("done", err);
	loop_stop(all->loop);
}

static void
on_end(void *context, const struct err *err)
{
	struct rooms *rooms = context;

	say_error("end", err);
	printf("end: %s\n", err->kind == ERR_NONE ? "stored" : "refused");
	loop_stop(rooms->loop);
}

static void
on_claimed(void *context, struct claimed *list, size_t count, const struct err *err)
{
	struct rooms *rooms = context;

	say_error("claim", err);
	rooms->claimed_count = count;
	for (size_t i = 0; i < count; i++) {
		const struct claimed *c = &list[i];

		rooms->claimed[i] = *c;
		printf(
		    "claimed: run %d number %d fence %d attempt %d losses %d deaths %d"
		    " key %s woke %d before %d id %s path %s by %s input %s trigger %s"
		    " state %s priority %d queue %s at %d\n",
		    place(rooms, &c->run), c->number, c->fence, c->attempt, c->losses,
		    c->deaths, c->step_key, c->woke, c->started_before, c->run_id,
		    c->project_path, c->triggered_by, text(c->input), text(c->trigger),
		    text(c->state), c->priority, c->queue,
		    llabs(c->started_at - loop_now(rooms->loop)) < USEC_SECOND * 60);
		if (!uuid_equal(&c->definition, &rooms->definition))
			printf("another definition\n");
	}
	printf("claim: %zu more %d\n", count, claimer_has_more(rooms->claimer));
	loop_stop(rooms->loop);
}

static void
on_exists(void *context, bool ready, const struct err *err)
{
	struct rooms *rooms = context;

	say_error("exists", err);
	printf("ready exists: %d\n", ready);
	loop_stop(rooms->loop);
}

static void
on_finished(void *context, const struct finish_answer *answer, const struct err *err)
{
	struct rooms *rooms = context;
	const struct finish_item *items = answer->items;
	size_t count = answer->count;

	say_error("finish", err);
	for (size_t i = 0; i < count; i++)
		printf("finished: run %d number %d fence %d accepted %d seq %" PRId64
		       "\n",
		       place(rooms, &items[i].run), items[i].number, items[i].fence,
		       items[i].accepted, items[i].seq);
	loop_stop(rooms->loop);
}

static void
on_visits(void *context, struct visit_row *list, size_t count, const struct err *err)
{
	struct rooms *rooms = context;

	say_error("visits", err);
	for (size_t i = 0; i < count; i++)
		printf("visit: run %d key %s number %d status %d output %s error %s\n",
		       place(rooms, &list[i].run), list[i].key, list[i].number,
		       list[i].status, text(list[i].output), text(list[i].error));
	loop_stop(rooms->loop);
}

static void
on_renewed(void *context, const int *lost, size_t count, const struct err *err)
{
	struct rooms *rooms = context;

	say_error("renew", err);
	printf("renewed: %zu lost, the first %d\n", count, count > 0 ? lost[0] : -1);
	loop_stop(rooms->loop);
}

static void
on_ready(void *context, const struct ready_ref *refs, size_t count,
	 const struct err *err)
{
	struct rooms *rooms = context;

	say_error("ready", err);
	for (size_t i = 0; i < count; i++)
		printf("made ready: run %d number %d queue %s priority %d\n",
		       place(rooms, &refs[i].ref.run), refs[i].ref.number,
		       refs[i].queue, refs[i].priority);
	printf("made ready: %zu\n", count);
	loop_stop(rooms->loop);
}

static void
on_timers(void *context, const struct timer_row *list, size_t count,
	  const struct err *err)
{
	struct rooms *rooms = context;

	say_error("timers", err);
	for (size_t i = 0; i < count; i++)
		printf("timer: run %d number %d due %d\n",
		       place(rooms, &list[i].ref.run), list[i].ref.number,
		       list[i].run_at <= loop_now(rooms->loop));
	loop_stop(rooms->loop);
}

static void
on_ids(void *context, const struct uuid *ids, size_t count, const struct err *err)
{
	struct rooms *rooms = context;

	say_error("ids", err);
	printf("ids: %zu, run %d, worker %d\n", count,
	       count > 0 ? place(rooms, &ids[0]) : -1,
	       count > 0 && uuid_equal(&ids[0], &rooms->worker));
	loop_stop(rooms->loop);
}

static void
on_ended(void *context, const struct ended_run *runs, size_t count,
	 const struct err *err)
{
	struct rooms *rooms = context;

	say_error("ended", err);
	for (size_t i = 0; i < count; i++)
		printf("ended: run %d %s to %s seq %" PRId64 "\n",
		       place(rooms, &runs[i].id), run_status_name(runs[i].before),
		       run_status_name(runs[i].after), runs[i].seq);
	loop_stop(rooms->loop);
}

/* ---- the walk ---- */

static void
enlist(struct rooms *rooms, usec_t lease)
{
	static const char *const queues[] = { "default", "gpu" };
	struct worker_row row = { .node = rooms->worker,
				  .pid = 1,
				  .slots = 8,
				  .version = "test",
				  .queues = queues,
				  .queues_count = 2,
				  .lease = lease };

	claimer_free(&rooms->claimer);
	rooms->worker = row.id = uuid7_new(loop_now(rooms->loop));
	workers_register(rooms->pg, &row, on_done, rooms);
	loop_run(rooms->loop);
	rooms->claimer = claimer_new(rooms->pg, rooms->loop, &rooms->worker, queues, 2);
}

static void
insert(struct rooms *rooms)
{
	struct json *input = json_new_str("in \xc3\xa9"), *trigger = json_new_int(7);
	struct new_run runs[4];
	struct new_step first[4];

	for (int i = 0; i < 4; i++) {
		rooms->runs[i] = uuid7_new(loop_now(rooms->loop));
		first[i] = (struct new_step){ .key = i == 0 ? "a" : "b",
					      .queue = i == 1 ? "gpu" : "default",
					      .number = 1,
					      .max_attempts = 3 + i };
		runs[i] = (struct new_run){
			.id = rooms->runs[i],
			.definition = rooms->definition,
			.input = i == 0 ? input : NULL,
			.trigger = i == 0 ? trigger : NULL,
			.priority = i == 1 ? PRIORITY_HIGH : PRIORITY_LOW,
			.triggered_by = i == 1 ? "cron" : "manual",
			.requested_by = i == 2 ? "eve" : NULL,
			.idempotency_key = i == 2 ? "once" : NULL,
			.trace_id = i == 2 ? "trace" : NULL,
			.timeout = i == 1 ? 1 : 0,
			.run_at = i == 3 ? loop_now(rooms->loop) + USEC_SECOND : 0,
			.steps = &first[i],
			.steps_count = 1,
		};
	}
	runs_insert(rooms->pg, runs, 4, on_end, rooms);
	loop_run(rooms->loop);
	runs[2].id = uuid7_new(loop_now(rooms->loop));
	runs_insert(rooms->pg, &runs[2], 1, on_end, rooms);
	loop_run(rooms->loop);
	json_unref(&input);
	json_unref(&trigger);
}

static void
claim(struct rooms *rooms, const struct step_ref *refs, size_t count, int most,
      bool own_search)
{
	claimer_claim(rooms->claimer, refs, count, most, order, own_search, false,
		      on_claimed, rooms);
	loop_run(rooms->loop);
}

static void
exists(struct rooms *rooms)
{
	claimer_ready_exists(rooms->claimer, on_exists, rooms);
	loop_run(rooms->loop);
}

static void
renew(struct rooms *rooms)
{
	struct held_ref refs[] = {
		{ rooms->claimed[0].run, rooms->claimed[0].number,
		  rooms->claimed[0].fence },
		{ rooms->claimed[0].run, rooms->claimed[0].number, 77 },
	};

	workers_renew(rooms->pg, &rooms->worker, USEC_SECOND, 1, refs, 2, on_renewed,
		      rooms);
	loop_run(rooms->loop);
}

/* Run 0 goes on to a queued step, run 2 fails and is tried again, run 1 is left out. */
static void
finish(struct rooms *rooms)
{
	struct json *output = json_new_double(1.5), *error = json_new_object(),
		    *input = json_new_bool(true);
	struct finish_item *items = rooms->items;

	json_set(error, "code", json_new_str("x"));
	items[0] = (struct finish_item){
		.run = rooms->runs[0],
		.number = 1,
		.fence = 1,
		.say_started = true,
		.status = STEP_COMPLETED,
		.input = input,
		.output = output,
		.next = { .key = "b", .number = 2, .queue = "gpu", .max_attempts = 9 },
		.run_status = RUN_RUNNING
	};
	items[1] = (struct finish_item){ .run = rooms->runs[2],
					 .number = 1,
					 .fence = 1,
					 .say_started = true,
					 .status = STEP_RETRYING,
					 .error = error,
					 .run_at = loop_now(rooms->loop) - USEC_SECOND,
					 .will_retry = true,
					 .run_status = RUN_RUNNING };
	items[2] = items[0];
	items[2].run = rooms->runs[1];
	items[2].fence = 9;
	finishes_store(rooms->pg, &rooms->worker, items, 3, on_finished, rooms);
	loop_run(rooms->loop);
	finishes_check(rooms->pg, &rooms->worker, items, 3, on_finished, rooms);
	loop_run(rooms->loop);
	json_unref(&output);
	json_unref(&error);
	json_unref(&input);
}

static void
visits(struct rooms *rooms)
{
	static const char *const keys[] = { "b", "a" };
	struct visits_request requests[] = { { rooms->runs[0], keys, 2 },
					     { rooms->runs[2], NULL, 0 } };

	visits_load(rooms->pg, requests, 2, on_visits, rooms);
	loop_run(rooms->loop);
}

static void
timers(struct rooms *rooms)
{
	struct step_ref refs[] = { { rooms->runs[2], 1 }, { rooms->runs[3], 1 } };

	timers_load(rooms->pg, loop_now(rooms->loop) + 60 * USEC_SECOND, 10, on_timers,
		    rooms);
	loop_run(rooms->loop);
	timers_fire(rooms->pg, refs, 2, on_ready, rooms);
	loop_run(rooms->loop);
}

static void
hand_back(struct rooms *rooms)
{
	struct held_ref ref = { rooms->runs[1], 1, 1 };

	workers_hand_back(rooms->pg, &rooms->worker, &ref, 1, on_ready, rooms);
	loop_run(rooms->loop);
}

static void
end_runs(struct rooms *rooms)
{
	runs_overdue(rooms->pg, on_ids, rooms);
	loop_run(rooms->loop);
	runs_end(rooms->pg, rooms->runs, 2, RUN_END_TIME_OUT, NULL, NULL, on_ended,
		 rooms);
	loop_run(rooms->loop);
	runs_end(rooms->pg, rooms->runs, 4, RUN_END_CANCEL, "en\"ough", "eve", on_ended,
		 rooms);
	loop_run(rooms->loop);
	runs_stuck(rooms->pg, on_ids, rooms);
	loop_run(rooms->loop);
}

static void
die(struct rooms *rooms)
{
	workers_expired(rooms->pg, on_ids, rooms);
	loop_run(rooms->loop);
	workers_bury(rooms->pg, &rooms->worker, NULL, on_ready, rooms);
	loop_run(rooms->loop);
	claim(rooms, NULL, 0, 1, true);
	rooms->items[0] = (struct finish_item){ .run = rooms->runs[1],
						.number = 1,
						.fence = 1,
						.status = STEP_COMPLETED,
						.run_status = RUN_COMPLETED };
	finishes_store(rooms->pg, &rooms->worker, rooms->items, 1, on_finished, rooms);
	loop_run(rooms->loop);
	renew(rooms);
}

static void
walk(struct rooms *rooms)
{
	struct step_ref named;

	enlist(rooms, 3600 * USEC_SECOND);
	insert(rooms);
	exists(rooms);
	claim(rooms, NULL, 0, 8, false);
	named = (struct step_ref){ rooms->runs[0], 1 };
	claim(rooms, &named, 1, 1, true);
	renew(rooms);
	claim(rooms, NULL, 0, 8, true);
	exists(rooms);
	finish(rooms);
	visits(rooms);
	timers(rooms);
	hand_back(rooms);
	claim(rooms, NULL, 0, 1, true);
	workers_leave(rooms->pg, &rooms->worker, on_ready, rooms);
	loop_run(rooms->loop);
	enlist(rooms, -1);
	claim(rooms, NULL, 0, 1, true);
	die(rooms);
	end_runs(rooms);
	nodes_beat(rooms->pg, &rooms->worker, "host", 12, "v", 3, 2, "ready", -1,
		   on_done, rooms);
	loop_run(rooms->loop);
}

/* ---- owners that die ---- */

static void
on_never(void *context, const struct pg_rows *rows, const struct err *err)
{
	(void)context, (void)rows, (void)err;
	printf("a callback came that was forgotten\n");
}

static void
on_free_it(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct rooms *rooms = context;

	(void)rows;
	printf("freed in a callback: %s\n", err_kind_name(err->kind));
	pg_free(&rooms->pg);
	loop_stop(rooms->loop);
}

static void
on_refused(void *context, const struct pg_rows *rows, const struct err *err)
{
	int *calls = context;

	(void)rows;
	printf("without a connection: %s\n", err_kind_name(err->kind));
	++*calls;
}

static void
on_time(void *context)
{
	loop_stop(context);
}

/* What is asked before there is a connection fails, but not inside the call. */
static void
ask_too_early(struct rooms *rooms, const struct pg_conf *conf)
{
	struct pg_conf silent = *conf;
	struct timer *timer = timer_new(rooms->loop, on_time, rooms->loop);
	struct err err = { 0 };
	struct pg *early;
	int calls = 0;

	silent.on_state = NULL;
	early = pg_new(rooms->loop, &silent, &err);
	pg_query(early, "runs_stuck", NULL, on_refused, &calls);
	printf("calls inside the call: %d, pending %zu\n", calls, pg_pending(early));
	timer_set(timer, 50 * USEC_MS);
	loop_run(rooms->loop);
	printf("calls later: %d, pending %zu\n", calls, pg_pending(early));
	pg_query(early, "runs_stuck", NULL, on_never, &calls);
	pg_free(&early);
	timer_free(&timer);
}

static void
forget(struct rooms *rooms)
{
	int owner;

	pg_query(rooms->pg, "runs_stuck", NULL, on_never, &owner);
	runs_stuck(rooms->pg, (run_ids_fn *)NULL, &owner);
	pg_forget(rooms->pg, &owner);
	pg_query(rooms->pg, "runs_stuck", NULL, on_free_it, rooms);
	pg_query(rooms->pg, "runs_stuck", NULL, on_never, rooms);
	loop_run(rooms->loop);
}

static void
on_state(void *context, bool up)
{
	struct rooms *rooms = context;

	if (up)
		loop_stop(rooms->loop);
}

int
main(int argc, char **argv)
{
	struct rooms rooms = { 0 };
	struct pg_conf conf = { .application = "store_rooms",
				.statement_timeout = 5 * USEC_SECOND,
				.hot = true,
				.on_state = on_state,
				.context = &rooms };
	struct err err = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open("store_rooms", LOG_WARN, LOG_JSON);
	if (argc != 3 || !uuid_parse(argv[2], strlen(argv[2]), &rooms.definition)) {
		fprintf(stderr, "usage: store_rooms URL DEFINITION-ID\n");
		return EXIT_FAILURE;
	}
	conf.url = argv[1];
	rooms.loop = loop_new(&err);
	rooms.pg = pg_new(rooms.loop, &conf, &err);
	if (rooms.pg == NULL)
		bug("%s", err.text);
	loop_run(rooms.loop);
	walk(&rooms);
	printf("pending %zu\n", pg_pending(rooms.pg));
	claimer_free(&rooms.claimer);
	ask_too_early(&rooms, &conf);
	forget(&rooms);
	loop_free(&rooms.loop);
	return EXIT_SUCCESS;
}
