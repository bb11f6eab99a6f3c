/* Streams on socket pairs and pipes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "loop/stream.h"
#include "until.h"

struct side {
	struct loop *loop;
	struct stream *stream;
	int inputs, drains, ends, faults;
	bool in_call, told_in_call;
	bool free_on_input, free_on_end, free_on_drained, eat;
	char error[64];
};

static void
on_input(void *context)
{
	struct side *side = context;
	struct buf *input = stream_input(side->stream);

	side->inputs++;
	if (side->eat)
		buf_consume(input, input->len);
	if (side->free_on_input)
		stream_free(&side->stream);
}

static void
on_drained(void *context)
{
	struct side *side = context;

	side->drains++;
	side->told_in_call |= side->in_call;
	if (side->free_on_drained)
		stream_free(&side->stream);
}

static void
on_end(void *context, const char *error)
{
	struct side *side = context;

	side->ends++;
	side->told_in_call |= side->in_call;
	if (error != NULL) {
		side->faults++;
		snprintf(side->error, sizeof side->error, "%s", error);
	}
	if (side->free_on_end)
		stream_free(&side->stream);
}

static const struct stream_events events = { on_input, on_drained, on_end };

struct pair {
	struct loop *loop;
	struct side a, b;
};

static struct pair
new_pair(void)
{
	struct err err = { 0 };
	struct pair pair = { .loop = loop_new(&err) };

	assert_non_null(pair.loop);
	pair.a.loop = pair.b.loop = pair.loop;
	return pair;
}

/* Streams keep a pointer to their side: the pair must stay where it is. */
static void
connect_pair(struct pair *pair)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pair->a.stream = stream_new(pair->loop, fds[0], &events, &pair->a);
	pair->b.stream = stream_new(pair->loop, fds[1], &events, &pair->b);
}

static void
free_pair(struct pair *pair)
{
	assert_false(pair->a.told_in_call);
	assert_false(pair->b.told_in_call);
	stream_free(&pair->a.stream);
	stream_free(&pair->b.stream);
	loop_free(&pair->loop);
}

static void
write_text(struct side *side, const char *text)
{
	side->in_call = true;
	stream_write(side->stream, text, strlen(text));
	side->in_call = false;
}

static void
test_bytes_arrive(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	write_text(&pair.a, "hello");
	assert_int_equal(stream_unsent(pair.a.stream), 0);
	assert_true(run_until_nonzero(pair.loop, &pair.b.inputs));
	assert_string_equal(buf_text(stream_input(pair.b.stream)), "hello");
	assert_true(run_until_nonzero(pair.loop, &pair.a.drains));
	assert_int_equal(fcntl(stream_fd(pair.a.stream), F_GETFD), FD_CLOEXEC);
	free_pair(&pair);
}

/* What the kernel holds was sent, and is not taken before the other side reads it. */
static void
test_taken_is_more_than_sent(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	assert_int_equal(stream_untaken(pair.a.stream), 0);
	write_text(&pair.a, "hello");
	assert_int_equal(stream_unsent(pair.a.stream), 0);
	assert_true(stream_untaken(pair.a.stream) >= 5);
	assert_true(run_until_nonzero(pair.loop, &pair.b.inputs));
	assert_int_equal(stream_untaken(pair.a.stream), 0);
	free_pair(&pair);
}

static bool
all_came(void *context)
{
	struct side *side = context;

	return stream_input(side->stream)->len == 5000000;
}

/* More than a socket holds: kept, sent in order, told once it is all gone. */
static void
test_much_is_kept_and_sent_in_order(void **state)
{
	struct pair pair = new_pair();
	char *data = xmalloc(5000000);
	struct buf *input;

	(void)state;
	connect_pair(&pair);
	stream_limit(pair.b.stream, 10000000);
	for (int i = 0; i < 5000000; i++)
		data[i] = (char)(i * 7 + i / 251);
	for (int i = 0; i < 50; i++)
		stream_write(pair.a.stream, data + i * 100000, 100000);
	assert_true(stream_unsent(pair.a.stream) > 1000000);
	assert_true(run_until(pair.loop, all_came, &pair.b));
	assert_true(run_until_nonzero(pair.loop, &pair.a.drains));
	input = stream_input(pair.b.stream);
	assert_memory_equal(input->data, data, 5000000);
	assert_int_equal(pair.a.drains, 1);
	free(data);
	free_pair(&pair);
}

static void
test_a_limit_stops_reading_and_consuming_goes_on(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	stream_limit(pair.b.stream, 4);
	write_text(&pair.a, "0123456789");
	run_turns(pair.loop, 5);
	assert_string_equal(buf_text(stream_input(pair.b.stream)), "0123");
	buf_consume(stream_input(pair.b.stream), 4);
	stream_pause(pair.b.stream, false);
	run_turns(pair.loop, 5);
	assert_string_equal(buf_text(stream_input(pair.b.stream)), "4567");
	pair.b.eat = true;
	buf_consume(stream_input(pair.b.stream), 4);
	stream_pause(pair.b.stream, false);
	run_turns(pair.loop, 5);
	assert_int_equal(pair.b.inputs, 3);
	free_pair(&pair);
}

static void
test_a_paused_stream_reads_nothing(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	stream_pause(pair.b.stream, true);
	write_text(&pair.a, "x");
	run_turns(pair.loop, 5);
	assert_int_equal(pair.b.inputs, 0);
	stream_pause(pair.b.stream, false);
	assert_true(run_until_nonzero(pair.loop, &pair.b.inputs));
	free_pair(&pair);
}

/* The other side ends its half: we hear it once, and may still write. */
static void
test_after_the_end_of_input_writing_goes_on(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	write_text(&pair.a, "last");
	stream_shutdown(pair.a.stream);
	write_text(&pair.a, "too late");
	assert_true(run_until_nonzero(pair.loop, &pair.b.ends));
	assert_int_equal(pair.b.faults, 0);
	assert_string_equal(buf_text(stream_input(pair.b.stream)), "last");
	write_text(&pair.b, "answer");
	assert_true(run_until_nonzero(pair.loop, &pair.a.inputs));
	assert_string_equal(buf_text(stream_input(pair.a.stream)), "answer");
	run_turns(pair.loop, 3);
	assert_int_equal(pair.b.ends, 1);
	free_pair(&pair);
}

static bool
is_drained(void *context)
{
	return stream_unsent(context) == 0;
}

static void
test_shutdown_waits_for_what_is_unsent(void **state)
{
	struct pair pair = new_pair();
	char *data = xcalloc(1, 1000000);

	(void)state;
	connect_pair(&pair);
	stream_write(pair.a.stream, data, 1000000);
	stream_shutdown(pair.a.stream);
	pair.b.eat = true;
	assert_true(run_until(pair.loop, is_drained, pair.a.stream));
	assert_true(run_until_nonzero(pair.loop, &pair.b.ends));
	free(data);
	free_pair(&pair);
}

/* Nobody reads any more: a fault, told at the end of the turn, and nothing kept. */
static void
test_writing_to_nobody_is_a_fault(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	stream_free(&pair.b.stream);
	write_text(&pair.a, "x");
	assert_int_equal(pair.a.faults, 0);
	assert_true(run_until_nonzero(pair.loop, &pair.a.faults));
	assert_string_equal(pair.a.error, "Broken pipe");
	write_text(&pair.a, "y");
	stream_shutdown(pair.a.stream);
	assert_int_equal(stream_unsent(pair.a.stream), 0);
	run_turns(pair.loop, 3);
	assert_int_equal(pair.a.faults, 1);
	free_pair(&pair);
}

static void
test_a_kept_write_that_fails_is_a_fault(void **state)
{
	struct pair pair = new_pair();
	char *data = xcalloc(1, 1000000);

	(void)state;
	connect_pair(&pair);
	stream_pause(pair.a.stream, true);
	stream_write(pair.a.stream, data, 1000000);
	stream_free(&pair.b.stream);
	assert_true(run_until_nonzero(pair.loop, &pair.a.faults));
	free(data);
	free_pair(&pair);
}

static void
test_it_may_be_freed_in_each_callback(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	pair.b.free_on_input = pair.a.free_on_drained = true;
	write_text(&pair.a, "x");
	assert_true(run_until_nonzero(pair.loop, &pair.a.drains));
	assert_true(run_until_nonzero(pair.loop, &pair.b.inputs));
	assert_null(pair.a.stream);
	assert_null(pair.b.stream);
	connect_pair(&pair);
	pair.b.free_on_end = true;
	stream_free(&pair.a.stream);
	assert_true(run_until_nonzero(pair.loop, &pair.b.ends));
	assert_null(pair.b.stream);
	free_pair(&pair);
}

static void
test_a_fault_may_free_it(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	pair.a.free_on_end = true;
	stream_free(&pair.b.stream);
	write_text(&pair.a, "x");
	write_text(&pair.a, "x");
	assert_true(run_until_nonzero(pair.loop, &pair.a.faults));
	assert_null(pair.a.stream);
	free_pair(&pair);
}

/* Freed with a call still due: it never comes. */
static void
test_freed_it_tells_nothing_more(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	write_text(&pair.a, "x");
	stream_free(&pair.a.stream);
	run_turns(pair.loop, 3);
	assert_int_equal(pair.a.drains, 0);
	free_pair(&pair);
}

static void
test_the_ends_of_a_pipe(void **state)
{
	struct pair pair = new_pair();
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pair.a.stream = stream_new(pair.loop, fds[1], &events, &pair.a);
	pair.b.stream = stream_new(pair.loop, fds[0], &events, &pair.b);
	write_text(&pair.a, "through");
	assert_true(run_until_nonzero(pair.loop, &pair.b.inputs));
	assert_string_equal(buf_text(stream_input(pair.b.stream)), "through");
	stream_shutdown(pair.a.stream);
	assert_int_equal(stream_fd(pair.a.stream), -1);
	assert_true(run_until_nonzero(pair.loop, &pair.b.ends));
	assert_int_equal(pair.b.faults, 0);
	free_pair(&pair);
}

/* A program that closes its input is noticed without writing to it. */
static void
test_a_pipe_without_reader_is_a_fault(void **state)
{
	struct pair pair = new_pair();
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pair.a.stream = stream_new(pair.loop, fds[1], &events, &pair.a);
	close(fds[0]);
	assert_true(run_until_nonzero(pair.loop, &pair.a.faults));
	assert_string_equal(pair.a.error, "Broken pipe");
	free_pair(&pair);
}

static void
test_a_reset_is_a_fault(void **state)
{
	struct pair pair = new_pair();

	(void)state;
	connect_pair(&pair);
	stream_pause(pair.b.stream, true);
	write_text(&pair.a, "unread");
	stream_free(&pair.b.stream); /* with bytes unread: a reset */
	assert_true(run_until_nonzero(pair.loop, &pair.a.faults));
	assert_string_equal(pair.a.error, "Connection reset by peer");
	free_pair(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_arrive),
		cmocka_unit_test(test_taken_is_more_than_sent),
		cmocka_unit_test(test_much_is_kept_and_sent_in_order),
		cmocka_unit_test(test_a_limit_stops_reading_and_consuming_goes_on),
		cmocka_unit_test(test_a_paused_stream_reads_nothing),
		cmocka_unit_test(test_after_the_end_of_input_writing_goes_on),
		cmocka_unit_test(test_shutdown_waits_for_what_is_unsent),
		cmocka_unit_test(test_writing_to_nobody_is_a_fault),
		cmocka_unit_test(test_a_kept_write_that_fails_is_a_fault),
		cmocka_unit_test(test_it_may_be_freed_in_each_callback),
		cmocka_unit_test(test_a_fault_may_free_it),
		cmocka_unit_test(test_freed_it_tells_nothing_more),
		cmocka_unit_test(test_the_ends_of_a_pipe),
		cmocka_unit_test(test_a_pipe_without_reader_is_a_fault),
		cmocka_unit_test(test_a_reset_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
