/*
 * The ring of a worker between doors that are played here: claims, finishes, leases and
 * queue entries are answered by the test, in the order that hurts. The loop is real.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "finish.h"
#include "programs.h"
#include "slot.h"
#include "store/finishes.h"
#include "store/recorded_rows.h"
#include "store/runs.h"
#include "store/workers.h"
#include "until.h"

#define CALLS_MAX 16

static const char definition_text[] = "name: two\n"
				      "steps:\n"
				      "  - { id: a, action: noop }\n"
				      "  - { id: b, action: noop }\n";

/* ---- what is played ---- */

struct flight {
	struct finish_item *items;
	size_t count;
	finish_fn *done;
	void *context;
};

static struct {
	struct loop *loop;
	struct settings settings;
	struct worker *worker;
	struct definition definition;
	enum err_kind no_definition; /* what asking for it gives */
	char door;                   /* its address stands for every door */
	bool more, aside;
	/* calls that wait for their answer; done NULL: none */
	claimed_fn *claimed;
	void *claim_context;
	struct step_ref named[QUEUE_POP_MAX];
	size_t named_count;
	int claims;
	popper_fn *popped;
	void *pop_context;
	struct flight flight;
	int flights;
	ended_fn *ended;
	void *ended_context;
	int crashes;
	ready_fn *handed_back, *left;
	void *back_context, *left_context;
	int handed;
	renewed_fn *renewed;
	void *renew_context;
} world;

struct pg *
pg_new(struct loop *loop, const struct pg_conf *conf, struct err *err)
{
	(void)loop, (void)conf, (void)err;
	return (struct pg *)&world.door;
}

void
pg_free(struct pg **pg_p)
{
	*pg_p = NULL;
}

bool
pg_is_up(const struct pg *pg)
{
	(void)pg;
	return true;
}

size_t
pg_pending(const struct pg *pg)
{
	(void)pg;
	return 0;
}

const struct pg_stats *
pg_stats(const struct pg *pg)
{
	(void)pg;
	return NULL;
}

void
pg_forget(struct pg *pg, const void *context)
{
	(void)pg;
	if (context == world.ended_context)
		world.ended = NULL;
	if (context == world.back_context)
		world.handed_back = NULL;
}

void
pg_query(struct pg *pg, const char *name, const struct pg_args *args, pg_done_fn *done,
	 void *context)
{
	(void)pg, (void)args, (void)done, (void)context;
	fail_msg("nobody asked for %s", name);
}

struct pg_batch *
pg_batch_new(struct pg *pg)
{
	(void)pg;
	return NULL;
}

void
pg_batch_add(struct pg_batch *batch, const char *name, const struct pg_args *args,
	     pg_done_fn *done, void *context)
{
	(void)batch, (void)name, (void)args, (void)done, (void)context;
}

void
pg_batch_attach(struct pg_batch *batch, const void *owner, void *memory)
{
	(void)batch, (void)owner, (void)memory;
}

void
pg_batch_send(struct pg_batch **batch_p, pg_end_fn *end, void *context)
{
	(void)batch_p, (void)end, (void)context;
}

struct claimer *
claimer_new(struct pg *pg, struct loop *loop, const struct uuid *worker,
	    const char *const *queues, size_t queues_count)
{
	(void)pg, (void)loop, (void)worker, (void)queues, (void)queues_count;
	return (struct claimer *)&world.door;
}

void
claimer_free(struct claimer **claimer_p)
{
	*claimer_p = NULL;
}

void
claimer_claim(struct claimer *claimer, const struct step_ref *refs, size_t count,
	      int most, const enum priority order[static PRIORITIES], bool own_search,
	      bool empty, claimed_fn *done, void *context)
{
	(void)claimer, (void)most, (void)order, (void)own_search;
	assert_null(world.claimed);
	assert_int_equal(empty, world.worker->used == 0);
	memcpy(world.named, refs, count * sizeof *refs);
	world.named_count = count;
	world.claims++;
	world.claimed = done;
	world.claim_context = context;
}

bool
claimer_has_more(const struct claimer *claimer)
{
	(void)claimer;
	return world.more;
}

bool
claimer_stands_aside(const struct claimer *claimer)
{
	(void)claimer;
	return world.aside;
}

void
claimer_ready_exists(struct claimer *claimer, ready_exists_fn *done, void *context)
{
	(void)claimer, (void)done, (void)context;
}

void
visits_load(struct pg *pg, const struct visits_request *requests, size_t count,
	    visits_fn *done, void *context)
{
	(void)pg, (void)requests, (void)count, (void)done, (void)context;
}

void
finishes_store(struct pg *pg, const struct uuid *worker, struct finish_item *items,
	       size_t count, finish_fn *done, void *context)
{
	(void)pg, (void)worker;
	assert_null(world.flight.done);
	for (size_t i = 0; i < count; i++)
		items[i].accepted = false;
	world.flight = (struct flight){ items, count, done, context };
	world.flights++;
}

void
runs_admit(struct pg *pg, const char *concurrency_key, ready_fn *done, void *context)
{
	(void)pg, (void)concurrency_key, (void)done, (void)context;
	fail_msg("none of these runs has a key");
}

void
back_load(struct pg *pg, const struct uuid *run, int number, back_fn *done,
	  void *context)
{
	(void)pg, (void)run, (void)number, (void)done, (void)context;
	fail_msg("none of these steps comes back");
}

void
to_start_find(struct pg *pg, const struct uuid *run, const char *name,
	      to_start_fn *done, void *context)
{
	(void)pg, (void)run, (void)name, (void)done, (void)context;
	fail_msg("none of these steps starts a run");
}

void
finishes_check(struct pg *pg, const struct uuid *worker, struct finish_item *items,
	       size_t count, finish_fn *done, void *context)
{
	finishes_store(pg, worker, items, count, done, context);
}

/* No run of these is a program. */
void
recorded_rows_store(struct pg *pg, const struct uuid *worker, struct record_item *items,
		    size_t count, record_fn *done, void *context)
{
	(void)pg, (void)worker, (void)items, (void)count, (void)done, (void)context;
	fail_msg("nothing is recorded here");
}

void
recorded_rows_check(struct pg *pg, const struct uuid *worker, struct record_item *items,
		    size_t count, record_fn *done, void *context)
{
	recorded_rows_store(pg, worker, items, count, done, context);
}

void
recorded_rows_load(struct pg *pg, const struct uuid *run, int fence,
		   recorded_rows_fn *done, void *context)
{
	(void)pg, (void)run, (void)fence, (void)done, (void)context;
	fail_msg("nothing is recorded here");
}

void
recorded_rows_awaited(struct pg *pg, const struct uuid *run, const int *numbers,
		      size_t count, recorded_rows_fn *done, void *context)
{
	(void)numbers, (void)count;
	recorded_rows_load(pg, run, 0, done, context);
}

void
runs_end(struct pg *pg, const struct uuid *ids, size_t count, enum run_end how,
	 const char *reason, const char *by, ended_fn *done, void *context)
{
	(void)pg, (void)ids, (void)count, (void)reason, (void)by;
	assert_int_equal(how, RUN_END_CRASH);
	assert_null(world.ended);
	world.crashes++;
	world.ended = done;
	world.ended_context = context;
}

void
workers_register(struct pg *pg, const struct worker_row *row, pg_done_fn *done,
		 void *context)
{
	(void)pg, (void)row, (void)done, (void)context;
}

void
workers_renew(struct pg *pg, const struct uuid *worker, usec_t lease, int used,
	      const struct held_ref *refs, size_t count, renewed_fn *done,
	      void *context)
{
	(void)pg, (void)worker, (void)lease, (void)used, (void)refs, (void)count;
	world.renewed = done;
	world.renew_context = context;
}

void
workers_leave(struct pg *pg, const struct uuid *worker, ready_fn *done, void *context)
{
	(void)pg, (void)worker;
	world.left = done;
	world.left_context = context;
}

void
workers_hand_back(struct pg *pg, const struct uuid *worker, const struct held_ref *refs,
		  size_t count, ready_fn *done, void *context)
{
	(void)pg, (void)worker, (void)refs;
	assert_int_equal(count, 1);
	world.handed++;
	world.handed_back = done;
	world.back_context = context;
}

void
workers_bury(struct pg *pg, const struct uuid *worker, const struct ending *ending,
	     ready_fn *done, void *context)
{
	(void)pg, (void)worker, (void)ending, (void)done, (void)context;
}

struct queue *
queue_new(struct loop *loop, const struct queue_conf *conf, struct err *err)
{
	(void)loop, (void)conf, (void)err;
	return (struct queue *)&world.door;
}

void
queue_free(struct queue **queue_p)
{
	*queue_p = NULL;
}

void
queue_push(struct queue *queue, const char *name, enum priority priority,
	   const struct step_ref *refs, size_t count)
{
	(void)queue, (void)name, (void)priority, (void)refs, (void)count;
}

void
queue_publish(struct queue *queue, const char *channel, const void *data, size_t len)
{
	(void)queue, (void)channel, (void)data, (void)len;
}

struct popper *
popper_new(struct loop *loop, const struct queue_conf *conf, struct err *err)
{
	(void)loop, (void)conf, (void)err;
	return (struct popper *)&world.door;
}

void
popper_free(struct popper **popper_p)
{
	*popper_p = NULL;
}

bool
popper_is_busy(const struct popper *popper)
{
	(void)popper;
	return world.popped != NULL;
}

void
popper_pop(struct popper *popper, const char *const *names, size_t names_count,
	   const enum priority order[static PRIORITIES], size_t most, usec_t wait,
	   popper_fn *done, void *context)
{
	(void)popper, (void)names, (void)names_count, (void)order, (void)most,
	    (void)wait;
	assert_null(world.popped);
	world.popped = done;
	world.pop_context = context;
}

struct subscriber *
subscriber_new(struct loop *loop, const struct queue_conf *conf,
	       const char *const *channels, size_t count, subscriber_fn *on_message,
	       void *context, struct err *err)
{
	(void)loop, (void)conf, (void)channels, (void)count, (void)on_message,
	    (void)context, (void)err;
	return (struct subscriber *)&world.door;
}

void
subscriber_free(struct subscriber **subscriber_p)
{
	*subscriber_p = NULL;
}

struct definitions *
definitions_new(struct pg *pg, struct loop *loop)
{
	(void)pg, (void)loop;
	return (struct definitions *)&world.door;
}

void
definitions_free(struct definitions **definitions_p)
{
	*definitions_p = NULL;
}

struct definition *
definitions_get(struct definitions *definitions, const struct uuid *id)
{
	(void)definitions, (void)id;
	return world.no_definition == ERR_NONE ? &world.definition : NULL;
}

void
definitions_load(struct definitions *definitions, const struct uuid *id,
		 definition_fn *done, void *context)
{
	struct err err = { 0 };

	(void)definitions, (void)id;
	err_set(&err, world.no_definition, "it cannot be had");
	done(context, NULL, &err);
}

void
definitions_drop(struct definitions *definitions, struct definition **definition_p)
{
	(void)definitions;
	*definition_p = NULL;
}

void
definitions_forget(struct definitions *definitions, const void *context)
{
	(void)definitions, (void)context;
}

struct programs *
programs_new(const struct programs_conf *conf, struct err *err)
{
	(void)conf, (void)err;
	return (struct programs *)&world.door;
}

void
programs_free(struct programs **programs_p)
{
	*programs_p = NULL;
}

char *
programs_folder_new(struct programs *programs, struct err *err)
{
	(void)programs, (void)err;
	return NULL;
}

void
programs_folder_drop(struct programs *programs, char **folder_p)
{
	(void)programs, (void)folder_p;
}

bool
programs_end_orphans(struct programs *programs)
{
	(void)programs;
	return true;
}

void programs_remove_later(struct programs *programs, const char *path);
void
programs_remove_later(struct programs *programs, const char *path)
{
	(void)programs, (void)path;
}

/* ---- answers ---- */

static void
turns(void)
{
	run_turns(world.loop, 4);
}

static struct step_ref
step_of(unsigned char run, int number)
{
	struct step_ref ref = { .number = number };

	ref.run.b[15] = run;
	return ref;
}

static void
answer_pop(const struct step_ref *refs, size_t count)
{
	popper_fn *done = world.popped;

	assert_non_null(done);
	world.popped = NULL;
	done(world.pop_context, refs, count);
	turns();
}

static void
answer_with(struct claimed *list, size_t count, enum err_kind kind)
{
	claimed_fn *done = world.claimed;
	struct err err = { .kind = kind };

	assert_non_null(done);
	world.claimed = NULL;
	done(world.claim_context, list, count, &err);
	turns();
}

/* Steps number 1 of so many runs. */
static void
answer_claim(size_t count, enum err_kind kind)
{
	struct claimed list[CALLS_MAX];

	for (size_t i = 0; i < count; i++)
		list[i] = (struct claimed){ .run = step_of((unsigned char)i, 1).run,
					    .number = 1,
					    .fence = 1,
					    .attempt = 1,
					    .step_key = "a",
					    .run_id = "two-1",
					    .project_path = "/nowhere",
					    .triggered_by = "manual",
					    .item_index = -1,
					    .queue = "default" };
	answer_with(list, count, kind);
}

static void
answer_flight(enum err_kind kind)
{
	struct flight flight = world.flight;
	struct err err = { 0 };

	assert_non_null(flight.done);
	if (kind != ERR_NONE)
		err_set(&err, kind, "refused");
	for (size_t i = 0; i < flight.count; i++) {
		flight.items[i].accepted = kind == ERR_NONE;
		flight.items[i].holds_next = flight.items[i].next.held;
	}
	world.flight.done = NULL;
	flight.done(
	    flight.context,
	    &(struct finish_answer){ .items = flight.items, .count = flight.count },
	    &err);
	turns();
}

static void
answer_crash(enum err_kind kind)
{
	ended_fn *done = world.ended;
	struct err err = { .kind = kind };

	assert_non_null(done);
	world.ended = NULL;
	done(world.ended_context, NULL, 0, &err);
	turns();
}

static void
answer_renewal(void)
{
	struct err err = { 0 };
	renewed_fn *done = world.renewed;

	worker_renew(world.worker);
	done = world.renewed;
	assert_non_null(done);
	world.renewed = NULL;
	done(world.renew_context, NULL, 0, &err);
	turns();
}

/* ---- the worker ---- */

static int
set_up(void **state)
{
	struct problems problems = { 0 };
	struct doc *doc =
	    yaml_parse(definition_text, strlen(definition_text), &problems);
	struct err err = { 0 };
	static char *queues[] = { "default" };

	(void)state;
	memset(&world, 0, sizeof world);
	log_set_level(LOG_ERROR);
	world.definition.workflow = workflow_read(doc, &problems);
	assert_non_null(world.definition.workflow);
	doc_free(&doc);
	problems_fini(&problems);
	world.settings.worker_slots = 4;
	world.settings.worker_poison_limit = 3;
	world.settings.worker_lease = 10 * USEC_SECOND;
	world.settings.worker_queues.list = queues;
	world.settings.worker_queues.count = 1;
	world.loop = loop_new(&err);
	world.worker = worker_new(world.loop, &world.settings, NULL, &err);
	assert_non_null(world.worker);
	world.worker->registered = true;
	world.worker->lease_until = loop_mono(world.loop) + 10 * USEC_SECOND;
	world.worker->looked_at = loop_mono(world.loop);
	worker_turn(world.worker);
	turns();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	worker_free(&world.worker);
	loop_free(&world.loop);
	workflow_free(&world.definition.workflow);
	return 0;
}

static void
test_an_entry_that_comes_during_a_claim_is_named_in_the_next(void **state)
{
	struct step_ref first = step_of(1, 1), second = step_of(2, 1);

	(void)state;
	answer_pop(&first, 1);
	assert_int_equal(world.claims, 1);
	answer_pop(&second, 1);
	assert_int_equal(world.claims, 1);
	answer_claim(0, ERR_NONE);
	assert_int_equal(world.claims, 2);
	assert_int_equal(world.named_count, 1);
	assert_memory_equal(&world.named[0].run, &second.run, sizeof second.run);
}

static void
test_entries_do_not_keep_what_waits_longest_waiting(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	world.worker->looked_at -= 3 * USEC_SECOND;
	answer_pop(&ref, 1);
	assert_int_equal(world.named_count, 0);
	answer_claim(0, ERR_NONE);
	assert_int_equal(world.named_count, 1);
}

static void
test_who_drains_leaves_after_a_claim_that_brought_nothing(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	answer_pop(&ref, 1);
	worker_drain(world.worker);
	turns();
	assert_null(world.left);
	answer_claim(0, ERR_RETRY);
	assert_non_null(world.left);
}

static void
test_what_comes_in_a_hurry_goes_back(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	answer_pop(&ref, 1);
	worker_drain_now(world.worker);
	answer_claim(1, ERR_NONE);
	assert_int_equal(world.handed, 1);
	assert_int_equal(world.flights, 0);
}

static void
test_the_next_step_does_not_start_in_a_hurry(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	answer_pop(&ref, 1);
	answer_claim(1, ERR_NONE);
	assert_true(world.flight.items[0].next.held);
	worker_drain_now(world.worker);
	answer_flight(ERR_NONE);
	assert_int_equal(world.handed, 1);
	assert_int_equal(world.flights, 1);
}

static void
test_a_crash_is_stored_before_the_step_is_let_go(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	world.no_definition = ERR_NOT_FOUND;
	answer_pop(&ref, 1);
	answer_claim(1, ERR_NONE);
	assert_int_equal(world.crashes, 1);
	answer_crash(ERR_RETRY);
	assert_int_equal(world.worker->used, 1);
	answer_renewal();
	assert_int_equal(world.crashes, 2);
	answer_crash(ERR_NONE);
	assert_int_equal(world.worker->used, 0);
}

static void
test_a_definition_that_could_not_be_loaded_is_asked_for_again(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	world.no_definition = ERR_SYSTEM;
	answer_pop(&ref, 1);
	answer_claim(1, ERR_NONE);
	assert_int_equal(world.crashes, 0);
	world.no_definition = ERR_NONE;
	answer_renewal();
	assert_int_equal(world.flights, 1);
}

static void
test_a_result_that_is_refused_becomes_a_failure_then_a_crash(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	answer_pop(&ref, 1);
	answer_claim(1, ERR_NONE);
	answer_flight(ERR_INPUT);
	assert_int_equal(world.flight.items[0].status, STEP_FAILED);
	answer_flight(ERR_INPUT);
	assert_int_equal(world.crashes, 1);
	assert_int_equal(world.worker->used, 1);
	answer_crash(ERR_NONE);
	assert_int_equal(world.worker->used, 0);
}

static void
test_the_one_that_spoils_a_flight_is_looked_for_by_halves(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	answer_pop(&ref, 1);
	answer_claim(4, ERR_NONE);
	assert_int_equal(world.flight.count, 4);
	answer_flight(ERR_INPUT);
	assert_int_equal(world.flight.count, 2);
	answer_flight(ERR_INPUT);
	assert_int_equal(world.flight.count, 1);
}

static void
test_a_fault_of_postgresql_fails_no_step(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	answer_pop(&ref, 1);
	answer_claim(1, ERR_NONE);
	answer_flight(ERR_SYSTEM);
	finish_wake(world.worker->finish);
	turns();
	assert_int_equal(world.flights, 2);
	assert_int_equal(world.flight.items[0].status, STEP_COMPLETED);
}

static void
test_a_short_lease_leaves_time_to_work(void **state)
{
	(void)state;
	world.settings.worker_lease = USEC_SECOND;
	answer_renewal();
	assert_true(worker_may_start(world.worker));
}

/* A step that killed workers, as the claim brings it. */
static struct claimed
killer(int deaths)
{
	struct json *last_death = json_new_object();

	json_set(last_death, "signal", json_new_str("SIGSEGV"));
	return (struct claimed){ .run = step_of(1, 1).run,
				 .number = 1,
				 .fence = 1,
				 .attempt = 1,
				 .deaths = deaths,
				 .step_key = "a",
				 .run_id = "two-1",
				 .project_path = "/nowhere",
				 .triggered_by = "manual",
				 .queue = "default",
				 .last_death = last_death };
}

static void
test_a_step_that_is_to_run_alone_leaves_no_room(void **state)
{
	struct step_ref ref = step_of(1, 1), later = step_of(2, 1);
	struct claimed claimed = killer(2);

	(void)state;
	answer_pop(&ref, 1);
	answer_with(&claimed, 1, ERR_NONE);
	assert_null(claimed.last_death);
	assert_int_equal(world.worker->alone, 1);
	assert_int_equal(world.flight.items[0].status, STEP_COMPLETED);
	answer_pop(&later, 1);
	assert_int_equal(world.claims, 1);
	answer_flight(ERR_NONE); /* the next step of its run is none of that kind */
	assert_int_equal(world.worker->alone, 0);
	assert_int_equal(world.claims, 2);
	assert_int_equal(world.named_count, 1);
}

static void
test_a_step_that_killed_too_many_workers_is_not_executed(void **state)
{
	struct step_ref ref = step_of(1, 1);
	struct claimed claimed = killer(3);
	const struct json *error;

	(void)state;
	answer_pop(&ref, 1);
	answer_with(&claimed, 1, ERR_NONE);
	assert_int_equal(world.flights, 1);
	assert_int_equal(world.flight.items[0].status, STEP_FAILED);
	error = world.flight.items[0].error;
	assert_string_equal(json_str(json_get(error, "code")), "poison");
	assert_string_equal(json_str(json_get(error, "signal")), "SIGSEGV");
	assert_int_equal(json_int(json_get(error, "deaths")), 3);
	assert_int_equal(json_type(json_get(error, "logTail")), JSON_ARRAY);
	answer_flight(ERR_NONE);
	assert_int_equal(world.worker->alone, 0);
}

static void
test_who_stands_aside_takes_nothing_until_it_is_empty(void **state)
{
	struct step_ref ref = step_of(1, 1);

	(void)state;
	answer_pop(&ref, 1);
	world.aside = true;
	answer_claim(1, ERR_NONE);
	assert_int_equal(world.claims, 2); /* asks once whether it still must */
	assert_false(world.flight.items[0].next.held);
	answer_claim(0, ERR_NONE);
	assert_int_equal(world.claims, 2); /* and not all the time */
	answer_flight(ERR_NONE);
	assert_int_equal(world.worker->used, 0);
	assert_int_equal(world.claims, 3);
	world.aside = false;
	answer_claim(0, ERR_NONE);
	assert_non_null(world.popped);
}

/* What is deferred when it goes may still look at it; the sanitizer judges. */
static void
test_a_worker_goes_in_the_middle_of_everything(void **state)
{
	struct step_ref ref = step_of(1, 1);
	struct slot *slot;

	(void)state;
	answer_pop(&ref, 1);
	answer_claim(2, ERR_NONE);
	slot = container_of(world.worker->slots.next, struct slot, link);
	world.worker->turning = false;
	worker_turn(world.worker);
	finish_ended(world.worker->finish, slot);
	slot_crash(slot, "on purpose");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_an_entry_that_comes_during_a_claim_is_named_in_the_next),
		TEST(test_entries_do_not_keep_what_waits_longest_waiting),
		TEST(test_who_drains_leaves_after_a_claim_that_brought_nothing),
		TEST(test_what_comes_in_a_hurry_goes_back),
		TEST(test_the_next_step_does_not_start_in_a_hurry),
		TEST(test_a_crash_is_stored_before_the_step_is_let_go),
		TEST(test_a_definition_that_could_not_be_loaded_is_asked_for_again),
		TEST(test_a_result_that_is_refused_becomes_a_failure_then_a_crash),
		TEST(test_the_one_that_spoils_a_flight_is_looked_for_by_halves),
		TEST(test_a_fault_of_postgresql_fails_no_step),
		TEST(test_a_short_lease_leaves_time_to_work),
		TEST(test_a_step_that_is_to_run_alone_leaves_no_room),
		TEST(test_a_step_that_killed_too_many_workers_is_not_executed),
		TEST(test_who_stands_aside_takes_nothing_until_it_is_empty),
		TEST(test_a_worker_goes_in_the_middle_of_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
