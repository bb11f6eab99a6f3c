/*
 * New runs in groups, against a PostgreSQL that is played here: everybody is answered
 * exactly once, whatever becomes of the group.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front/inserts.h"
#include "until.h"

#define CLIENTS 3

static struct {
	struct loop *loop;
	struct inserts *inserts;
	char door;
	size_t sent; /* runs of the group that waits for its answer */
	int flights;
	pg_end_fn *done;
	pg_done_fn *position;
	void *context;
	const char *read_after; /* NULL: PostgreSQL does not say it */
	int pushed;
	/* of the clients */
	int answers[CLIENTS];
	enum err_kind kinds[CLIENTS];
	bool knows[CLIENTS]; /* the position */
	int clients[CLIENTS];
} world;

void
runs_insert(struct pg *pg, const struct new_run *runs, size_t count, pg_end_fn *done,
	    void *context)
{
	(void)pg, (void)runs;
	assert_null(world.done);
	world.sent = count;
	world.flights++;
	world.done = done;
	world.context = context;
}

void
pg_query(struct pg *pg, const char *statement, const struct pg_args *args,
	 pg_done_fn *done, void *context)
{
	(void)pg, (void)args;
	assert_string_equal(statement, "wal_position");
	assert_ptr_equal(context, world.context);
	assert_non_null(world.done);
	world.position = done;
}

const char *
pg_text(const struct pg_rows *rows, int row, int column, size_t *len)
{
	(void)rows, (void)row, (void)column, (void)len;
	return world.read_after;
}

void
runs_admit(struct pg *pg, const char *concurrency_key, ready_fn *done, void *context)
{
	(void)pg, (void)concurrency_key, (void)done, (void)context;
	fail_msg("none of these runs has a key");
}

void
pg_forget(struct pg *pg, const void *context)
{
	(void)pg, (void)context;
	world.done = NULL;
}

void
queue_push(struct queue *queue, const char *name, enum priority priority,
	   const struct step_ref *refs, size_t count)
{
	(void)queue, (void)name, (void)priority, (void)refs, (void)count;
	world.pushed++;
}

static void
on_done(void *context, const struct err *err)
{
	int client = *(int *)context;

	world.answers[client]++;
	world.kinds[client] = err->kind;
	world.knows[client] = inserts_position(world.inserts) != NULL;
}

static void
ask(int client)
{
	static const struct new_step first = { .key = "a",
					       .queue = "default",
					       .number = 1 };
	struct new_run run = { .id.b[15] = (unsigned char)(client + 1),
			       .workflow_name = "w",
			       .triggered_by = "manual",
			       .steps = &first,
			       .steps_count = 1 };

	inserts_add(world.inserts, &run, on_done, &world.clients[client]);
}

static void
answer(enum err_kind kind, const char *text)
{
	struct err err = { 0 };
	pg_end_fn *done = world.done;
	const struct pg_rows *rows =
	    world.read_after != NULL ? (const struct pg_rows *)&world.door : NULL;

	assert_non_null(done);
	if (kind != ERR_NONE)
		err_set(&err, kind, "%s", text);
	world.done = NULL;
	done(world.context, &err);
	world.position(world.context, rows, &err);
	run_turns(world.loop, 3);
}

static bool
is_sent(void *context)
{
	(void)context;
	return world.done != NULL;
}

static int
set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	memset(&world, 0, sizeof world);
	for (int i = 0; i < CLIENTS; i++)
		world.clients[i] = i;
	world.loop = loop_new(&err);
	world.inserts = inserts_new(world.loop, (struct pg *)&world.door,
				    (struct queue *)&world.door);
	for (int i = 0; i < CLIENTS; i++)
		ask(i);
	run_turns(world.loop, 3);
	assert_int_equal(world.sent, CLIENTS);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	inserts_free(&world.inserts);
	loop_free(&world.loop);
	return 0;
}

static void
check_answers(enum err_kind first, enum err_kind others)
{
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(world.answers[i], 1);
		assert_int_equal(world.kinds[i], i == 0 ? first : others);
	}
}

static void
test_a_group_is_stored_together(void **state)
{
	(void)state;
	answer(ERR_NONE, "");
	check_answers(ERR_NONE, ERR_NONE);
	assert_int_equal(world.pushed, CLIENTS);
}

static void
test_who_is_stored_knows_what_it_lies_before(void **state)
{
	(void)state;
	world.read_after = "0/16B3740";
	answer(ERR_NONE, "");
	for (int i = 0; i < CLIENTS; i++)
		assert_true(world.knows[i]);
	world.read_after = NULL;
	ask(0);
	run_turns(world.loop, 3);
	answer(ERR_NONE, "");
	assert_false(world.knows[0]);
}

static void
test_the_one_that_spoils_a_group_is_refused_alone(void **state)
{
	(void)state;
	answer(ERR_INPUT, "one of them");
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(world.sent, 1);
		answer(i == 0 ? ERR_INPUT : ERR_NONE, "this one");
	}
	check_answers(ERR_INPUT, ERR_NONE);
	assert_int_equal(world.pushed, CLIENTS - 1);
}

static void
test_who_is_gone_is_told_nothing(void **state)
{
	(void)state;
	inserts_forget(world.inserts, &world.clients[1]);
	answer(ERR_NONE, "");
	assert_int_equal(world.answers[0], 1);
	assert_int_equal(world.answers[1], 0);
	assert_int_equal(world.pushed, CLIENTS);
}

/* It was committed: sent again, it meets itself. */
static void
test_a_lost_answer_is_found_again(void **state)
{
	(void)state;
	answer(ERR_LOST, "connection lost");
	assert_int_equal(world.answers[0], 0);
	assert_true(run_until(world.loop, is_sent, NULL));
	answer(ERR_CONFLICT, "workflow_runs_pkey: duplicate key");
	for (int i = 0; i < CLIENTS; i++)
		answer(ERR_CONFLICT, "workflow_runs_pkey: duplicate key");
	check_answers(ERR_NONE, ERR_NONE);
	assert_int_equal(world.pushed, CLIENTS);
}

/* It was not: sent again, it is stored; while PostgreSQL is away, it waits. */
static void
test_a_lost_request_is_sent_again(void **state)
{
	(void)state;
	answer(ERR_LOST, "connection lost");
	assert_true(run_until(world.loop, is_sent, NULL));
	answer(ERR_RETRY, "there is no connection");
	assert_int_equal(world.answers[0], 0);
	assert_true(run_until(world.loop, is_sent, NULL));
	answer(ERR_NONE, "");
	check_answers(ERR_NONE, ERR_NONE);
}

/* A conflict of a first sending is somebody else's run. */
static void
test_a_first_conflict_is_refused(void **state)
{
	(void)state;
	inserts_forget(world.inserts, &world.clients[1]);
	answer(ERR_CONFLICT, "workflow_runs_idempotency: duplicate key");
	answer(ERR_CONFLICT, "workflow_runs_pkey: duplicate key");
	assert_int_equal(world.kinds[0], ERR_CONFLICT);
}

static void
test_who_is_refused_early_may_go_before_it_is_told(void **state)
{
	int more = INSERTS_WAITING_MAX - CLIENTS;

	(void)state;
	for (int i = 0; i < more; i++)
		ask(1);
	ask(2);
	ask(0);
	inserts_forget(world.inserts, &world.clients[0]);
	run_turns(world.loop, 3);
	assert_int_equal(world.answers[0], 0);
	assert_int_equal(world.answers[2], 1);
	assert_int_equal(world.kinds[2], ERR_RETRY);
	ask(2); /* deferred when everything goes */
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_group_is_stored_together),
		TEST(test_who_is_stored_knows_what_it_lies_before),
		TEST(test_the_one_that_spoils_a_group_is_refused_alone),
		TEST(test_who_is_gone_is_told_nothing),
		TEST(test_a_lost_answer_is_found_again),
		TEST(test_a_lost_request_is_sent_again),
		TEST(test_a_first_conflict_is_refused),
		TEST(test_who_is_refused_early_may_go_before_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
