/* Turns, timers, watches, signals, what is deferred. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "loop/loop.h"
#include "until.h"

struct trace {
	struct loop *loop;
	char text[64];
	int calls;
	struct timer *timer;
	struct watch *watch;
	struct signal_watch *signal;
	usec_t first, second;
};

static void
note(struct trace *trace, char c)
{
	trace->text[trace->calls++ % 63] = c;
}

static struct loop *
new_loop(void)
{
	struct err err = { 0 };
	struct loop *loop = loop_new(&err);

	assert_non_null(loop);
	return loop;
}

static void
on_a(void *context)
{
	note(context, 'a');
}

static void
on_b(void *context)
{
	note(context, 'b');
}

static void
on_stop(void *context)
{
	struct trace *trace = context;

	note(trace, 's');
	loop_stop(trace->loop);
}

static void
test_timers_run_in_order_of_their_time(void **state)
{
	struct trace trace = { .loop = new_loop() };
	struct timer *a = timer_new(trace.loop, on_a, &trace);
	struct timer *b = timer_new(trace.loop, on_b, &trace);
	struct timer *stop = timer_new(trace.loop, on_stop, &trace);

	(void)state;
	timer_set(stop, 6 * USEC_MS);
	timer_set(a, 4 * USEC_MS);
	timer_set(b, 2 * USEC_MS);
	assert_true(timer_is_set(a));
	loop_run(trace.loop);
	assert_string_equal(trace.text, "bas");
	assert_false(timer_is_set(a));
	timer_free(&a);
	timer_free(&b);
	timer_free(&stop);
	assert_null(a);
	loop_free(&trace.loop);
}

static void
test_a_timer_is_moved_and_stopped(void **state)
{
	struct trace trace = { .loop = new_loop() };
	struct timer *a = timer_new(trace.loop, on_a, &trace);
	struct timer *b = timer_new(trace.loop, on_b, &trace);
	struct timer *stop = timer_new(trace.loop, on_stop, &trace);

	(void)state;
	timer_set(a, USEC_MS);
	timer_set(a, USEC_NEVER);
	timer_set(b, USEC_MS);
	timer_stop(b);
	timer_stop(b);
	timer_set(stop, 3 * USEC_MS);
	loop_run(trace.loop);
	assert_string_equal(trace.text, "s");
	assert_true(timer_is_set(a));
	timer_free(&a);
	timer_free(&b);
	timer_free(&stop);
	loop_free(&trace.loop);
}

static void
test_a_timer_is_no_coarser_than_a_millisecond(void **state)
{
	struct trace trace = { .loop = new_loop() };
	struct timer *stop = timer_new(trace.loop, on_stop, &trace);
	usec_t before = loop_mono(trace.loop), took;

	(void)state;
	timer_set(stop, 200);
	loop_run(trace.loop);
	took = loop_mono(trace.loop) - before;
	assert_in_range(took, 200, 20 * USEC_MS);
	timer_free(&stop);
	loop_free(&trace.loop);
}

static void
on_free_own_timer(void *context)
{
	struct trace *trace = context;

	timer_free(&trace->timer);
	loop_stop(trace->loop);
}

static void
test_a_timer_may_be_freed_in_its_callback(void **state)
{
	struct trace trace = { .loop = new_loop() };

	(void)state;
	trace.timer = timer_new(trace.loop, on_free_own_timer, &trace);
	timer_set(trace.timer, -5);
	loop_run(trace.loop);
	assert_null(trace.timer);
	timer_free(&trace.timer);
	loop_free(&trace.loop);
}

static void
on_timer_defers(void *context)
{
	struct trace *trace = context;

	loop_defer(trace->loop, on_a, trace);
	loop_defer(trace->loop, on_b, trace);
	note(trace, 't');
}

static void
test_what_is_deferred_runs_at_the_end_of_the_turn(void **state)
{
	struct trace trace = { .loop = new_loop() };
	struct timer *timer = timer_new(trace.loop, on_timer_defers, &trace);
	struct timer *stop = timer_new(trace.loop, on_stop, &trace);

	(void)state;
	timer_set(timer, 0);
	timer_set(stop, 2 * USEC_MS);
	loop_run(trace.loop);
	assert_string_equal(trace.text, "tabs");
	timer_free(&timer);
	timer_free(&stop);
	loop_free(&trace.loop);
}

static void
on_defer_again(void *context)
{
	struct trace *trace = context;

	if (++trace->calls < 100000)
		loop_defer(trace->loop, on_defer_again, trace);
}

/* A hundred thousand rounds without waiting, and descriptors are not starved by them.
 */
static void
test_deferring_again_neither_waits_nor_starves(void **state)
{
	struct trace trace = { .loop = new_loop() };
	struct timer *stop = timer_new(trace.loop, on_stop, &trace);

	(void)state;
	loop_defer(trace.loop, on_defer_again, &trace);
	timer_set(stop, USEC_MS);
	loop_run(trace.loop);
	assert_in_range(trace.calls, 2, 100000 - 1);
	trace.calls = 99990; /* the rest is run by loop_free, in rounds */
	timer_free(&stop);
	loop_free(&trace.loop);
	assert_int_equal(trace.calls, 100000);
}

static void
test_many_deferred_functions_run_in_one_turn(void **state)
{
	struct trace trace = { .loop = new_loop() };
	usec_t before;

	(void)state;
	for (int i = 0; i < 100000; i++)
		loop_defer(trace.loop, on_a, &trace);
	loop_defer(trace.loop, on_stop, &trace);
	before = loop_mono(trace.loop);
	loop_run(trace.loop);
	assert_int_equal(trace.calls, 100001);
	assert_in_range(loop_mono(trace.loop) - before, 0, USEC_SECOND);
	loop_free(&trace.loop);
}

static void
on_two_reads(void *context)
{
	struct trace *trace = context;
	struct timespec moment = { .tv_nsec = 2000000 };

	trace->first = loop_now(trace->loop);
	nanosleep(&moment, NULL); /* time passes inside a turn */
	trace->second = loop_now(trace->loop);
	loop_stop(trace->loop);
}

static void
test_the_time_stands_still_in_a_turn(void **state)
{
	struct trace trace = { .loop = new_loop() };
	struct timer *timer = timer_new(trace.loop, on_two_reads, &trace);

	(void)state;
	timer_set(timer, 0);
	assert_int_equal(loop_lag(trace.loop), 0);
	loop_run(trace.loop);
	assert_int_equal(trace.first, trace.second);
	assert_true(loop_now(trace.loop) >= trace.first + 2000);
	assert_in_range(loop_lag(trace.loop), 2000, 10 * USEC_SECOND);
	timer_free(&timer);
	loop_free(&trace.loop);
}

static void
on_ready(void *context, unsigned ready)
{
	struct trace *trace = context;

	note(trace, ready == WATCH_READ ? 'r' : 'w');
	loop_stop(trace->loop);
}

static void
test_a_watch_tells_what_is_wanted_only(void **state)
{
	struct trace trace = { .loop = new_loop() };
	struct timer *stop = timer_new(trace.loop, on_stop, &trace);
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	trace.watch = watch_new(trace.loop, fds[0], 0, on_ready, &trace);
	timer_set(stop, USEC_MS);
	loop_run(trace.loop);
	watch_want(trace.watch, WATCH_WRITE);
	loop_run(trace.loop);
	watch_want(trace.watch, WATCH_READ);
	loop_run(trace.loop);
	loop_run(trace.loop); /* level-triggered: it was not read */
	assert_string_equal(trace.text, "swrr");
	watch_free(&trace.watch);
	timer_free(&stop);
	close(fds[0]);
	close(fds[1]);
	loop_free(&trace.loop);
}

static void
on_free_own_watch(void *context, unsigned ready)
{
	struct trace *trace = context;

	note(trace, ready == WATCH_READ ? 'r' : 'w');
	watch_free(&trace->watch);
	loop_stop(trace->loop);
}

/* Ready for both, freed by the first of the two calls: the second never comes. */
static void
test_a_watch_may_be_freed_in_its_callback(void **state)
{
	struct trace trace = { .loop = new_loop() };
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	trace.watch = watch_new(trace.loop, fds[0], WATCH_READ | WATCH_WRITE,
				on_free_own_watch, &trace);
	loop_run(trace.loop);
	assert_int_equal(trace.calls, 1);
	watch_free(&trace.watch);
	close(fds[0]);
	close(fds[1]);
	loop_free(&trace.loop);
}

static void
on_free_own_signal(void *context)
{
	struct trace *trace = context;

	note(trace, 'u');
	signal_watch_free(&trace->signal);
	loop_stop(trace->loop);
}

static void
test_a_signal_becomes_a_callback(void **state)
{
	struct trace trace = { .loop = new_loop() };

	(void)state;
	trace.signal =
	    signal_watch_new(trace.loop, SIGUSR1, on_free_own_signal, &trace);
	raise(SIGUSR1);
	assert_int_equal(trace.calls, 0);
	loop_run(trace.loop);
	assert_string_equal(trace.text, "u");
	signal_watch_free(&trace.signal);
	loop_free(&trace.loop);
}

static void
test_sigpipe_is_ignored(void **state)
{
	struct loop *loop = new_loop();
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	assert_int_equal(write(fds[1], "x", 1), -1);
	close(fds[1]);
	loop_free(&loop);
}

/* Children inherit nothing of the loop. */
static void
test_descriptors_are_closed_on_exec(void **state)
{
	bool before[64];
	struct loop *loop;

	(void)state;
	for (int fd = 0; fd < 64; fd++)
		before[fd] = fcntl(fd, F_GETFD) >= 0;
	loop = new_loop();
	for (int fd = 0; fd < 64; fd++)
		if (!before[fd] && fcntl(fd, F_GETFD) >= 0)
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	loop_free(&loop);
	for (int fd = 0; fd < 64; fd++)
		assert_int_equal(fcntl(fd, F_GETFD) >= 0, before[fd]);
}

static void
test_stopped_before_it_runs_it_returns_at_once(void **state)
{
	struct loop *loop = new_loop();

	(void)state;
	loop_stop(loop);
	loop_run(loop);
	loop_free(&loop);
	loop_free(&loop);
	assert_null(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers_run_in_order_of_their_time),
		cmocka_unit_test(test_a_timer_is_moved_and_stopped),
		cmocka_unit_test(test_a_timer_is_no_coarser_than_a_millisecond),
		cmocka_unit_test(test_a_timer_may_be_freed_in_its_callback),
		cmocka_unit_test(test_what_is_deferred_runs_at_the_end_of_the_turn),
		cmocka_unit_test(test_deferring_again_neither_waits_nor_starves),
		cmocka_unit_test(test_many_deferred_functions_run_in_one_turn),
		cmocka_unit_test(test_the_time_stands_still_in_a_turn),
		cmocka_unit_test(test_a_watch_tells_what_is_wanted_only),
		cmocka_unit_test(test_a_watch_may_be_freed_in_its_callback),
		cmocka_unit_test(test_a_signal_becomes_a_callback),
		cmocka_unit_test(test_sigpipe_is_ignored),
		cmocka_unit_test(test_descriptors_are_closed_on_exec),
		cmocka_unit_test(test_stopped_before_it_runs_it_returns_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
