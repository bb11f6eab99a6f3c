/* The door to Redis against a Redis that misbehaves: nothing waits, nothing is lost
 * that matters, everything comes back. The real one is asked in tests/integration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "fake_redis.h"
#include "queue/queue.h"
#include "until.h"

struct bench {
	struct loop *loop;
	struct fake_redis redis;
	struct queue_conf conf;
	struct queue *queue;
	struct popper *popper;
	struct subscriber *subscriber;

	int depths; /* answers */
	int64_t depth[PRIORITIES];
	int pops;
	size_t popped;
	struct step_ref first;
	usec_t popped_at;
	int messages, resyncs;
	char message[64], channel[64];
	bool free_in_callback;
};

static int
set_up(void **state)
{
	struct bench *bench = xcalloc(1, sizeof *bench);
	struct err err = { 0 };

	log_open("test", LOG_LEVELS, LOG_TEXT); /* nothing is worth a line */
	bench->loop = loop_new(&err);
	assert_non_null(bench->loop);
	fake_start(&bench->redis, bench->loop);
	bench->conf = (struct queue_conf){ bench->redis.url, "sm" };
	*state = bench;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *bench = *state;

	queue_free(&bench->queue);
	popper_free(&bench->popper);
	subscriber_free(&bench->subscriber);
	queue_free(&bench->queue);
	popper_free(&bench->popper);
	subscriber_free(&bench->subscriber);
	fake_stop(&bench->redis);
	loop_free(&bench->loop);
	free(bench);
	return 0;
}

static bool
queue_is_up_now(void *context)
{
	return queue_is_up(((struct bench *)context)->queue);
}

static bool
queue_is_down_now(void *context)
{
	return !queue_is_up(((struct bench *)context)->queue);
}

static void
open_queue(struct bench *bench)
{
	struct err err = { 0 };

	bench->queue = queue_new(bench->loop, &bench->conf, &err);
	assert_non_null(bench->queue);
	assert_false(queue_is_up(bench->queue));
	assert_true(run_until(bench->loop, queue_is_up_now, bench));
}

static struct step_ref
ref_of(int number)
{
	struct step_ref ref = { .number = number };

	memset(ref.run.b, number, sizeof ref.run.b);
	return ref;
}

static bool
three_pushed(void *context)
{
	return queue_stats(((struct bench *)context)->queue)->pushed == 3;
}

static bool
some_dropped(void *context)
{
	return queue_stats(((struct bench *)context)->queue)->dropped > 0;
}

static bool
one_published(void *context)
{
	return queue_stats(((struct bench *)context)->queue)->published == 1;
}

static void
test_it_greets_and_pushes(void **state)
{
	struct bench *bench = *state;
	const struct step_ref refs[] = { ref_of(1), ref_of(2), ref_of(3) };

	open_queue(bench);
	queue_push(bench->queue, "default", PRIORITY_HIGH, refs, 2);
	queue_push(bench->queue, "gpu", PRIORITY_LOW, refs + 2, 1);
	queue_push(bench->queue, "gpu", PRIORITY_LOW, refs, 0);
	assert_true(run_until(bench->loop, three_pushed, bench));
	assert_non_null(strstr(buf_text(&bench->redis.heard),
			       "RPUSH sm:q:default:high <20 bytes> <20 bytes>\n"
			       "RPUSH sm:q:gpu:low <20 bytes>\n"));
	assert_int_equal(queue_stats(bench->queue)->connects, 1);
	assert_int_equal(queue_stats(bench->queue)->dropped, 0);
}

static void
test_it_logs_in(void **state)
{
	struct bench *bench = *state;
	char url[100];

	snprintf(url, sizeof url, "%s?db=4", bench->redis.url);
	bench->conf.url = url;
	open_queue(bench);
	assert_non_null(strstr(buf_text(&bench->redis.heard), "SELECT 4\nPING\n"));
}

static void
test_a_bad_url_is_told_at_once(void **state)
{
	struct bench *bench = *state;
	const char *channels[] = { "x" };
	struct err err = { 0 };

	bench->conf.url = "nonsense";
	assert_null(queue_new(bench->loop, &bench->conf, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_null(popper_new(bench->loop, &bench->conf, &err));
	assert_null(
	    subscriber_new(bench->loop, &bench->conf, channels, 1, NULL, NULL, &err));
}

static void
test_publishing_is_binary(void **state)
{
	struct bench *bench = *state;

	open_queue(bench);
	queue_publish(bench->queue, CHANNEL_EVENTS, "a\0b\r\n", 5);
	assert_true(run_until(bench->loop, one_published, bench));
	assert_non_null(
	    strstr(buf_text(&bench->redis.heard), "PUBLISH sm:events <5 bytes>\n"));
}

static void
test_what_is_too_much_is_dropped(void **state)
{
	struct bench *bench = *state;
	const struct step_ref ref = ref_of(1);
	char *data = xcalloc(1, 2000000);

	open_queue(bench);
	queue_publish(bench->queue, CHANNEL_EVENTS, data, 2000000);
	queue_push(bench->queue, "", PRIORITY_HIGH, &ref, 1);
	assert_int_equal(queue_stats(bench->queue)->dropped, 2);
	for (int i = 0; i < 5000; i++) {
		char name[32];

		snprintf(name, sizeof name, "q%d", i);
		queue_push(bench->queue, name, PRIORITY_HIGH, &ref, 1);
	}
	assert_true(queue_stats(bench->queue)->dropped >= 800); /* lists */
	free(data);
}

static void
test_while_away_all_is_dropped_and_counted(void **state)
{
	struct bench *bench = *state;
	const struct step_ref refs[] = { ref_of(1), ref_of(2) };
	struct err err = { 0 };

	fake_stop_listening(&bench->redis);
	bench->queue = queue_new(bench->loop, &bench->conf, &err);
	queue_push(bench->queue, "default", PRIORITY_HIGH, refs, 2);
	queue_publish(bench->queue, CHANNEL_EVENTS, "x", 1);
	run_turns(bench->loop, 20);
	assert_false(queue_is_up(bench->queue));
	assert_int_equal(queue_stats(bench->queue)->dropped, 3);
	fake_listen(&bench->redis); /* it comes up by itself */
	assert_true(run_until(bench->loop, queue_is_up_now, bench));
}

static void
test_a_cut_connection_comes_back(void **state)
{
	struct bench *bench = *state;
	const struct step_ref ref = ref_of(1);

	open_queue(bench);
	queue_push(bench->queue, "default", PRIORITY_HIGH, &ref, 1);
	fake_rule(&bench->redis, "RPUSH", "!");
	assert_true(run_until(bench->loop, queue_is_down_now, bench));
	assert_int_equal(queue_stats(bench->queue)->dropped, 1);
	fake_rule(&bench->redis, "RPUSH", ":1\r\n");
	assert_true(run_until(bench->loop, queue_is_up_now, bench));
	assert_int_equal(bench->redis.connects, 2);
	assert_int_equal(queue_stats(bench->queue)->connects, 2);
}

/* It reads, and says nothing: the watchdog cuts after a second. */
static void
test_a_hanging_connection_is_cut(void **state)
{
	struct bench *bench = *state;
	const struct step_ref ref = ref_of(1);
	usec_t before;

	open_queue(bench);
	fake_rule(&bench->redis, "RPUSH", "");
	fake_rule(&bench->redis, "RPUSHX", "");
	queue_push(bench->queue, "default", PRIORITY_HIGH, &ref, 1);
	before = loop_mono(bench->loop);
	assert_true(run_until(bench->loop, some_dropped, bench));
	assert_in_range(loop_mono(bench->loop) - before, 900 * USEC_MS,
			5 * USEC_SECOND);
	assert_false(queue_is_up(bench->queue));
}

static void
test_refusals_are_survived(void **state)
{
	static const char *const replies[] = {
		"-MISCONF Redis is configured to save RDB snapshots\r\n",
		"-READONLY You can't write against a read only replica.\r\n",
		"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
		"-NOPERM this user has no permissions\r\n",
		"-BUSY Redis is busy running a script.\r\n",
	};
	struct bench *bench = *state;
	const struct step_ref ref = ref_of(1);
	uint64_t dropped;

	open_queue(bench);
	for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
		dropped = queue_stats(bench->queue)->dropped;
		fake_rule(&bench->redis, "RPUSH", replies[i]);
		fake_rule(&bench->redis, "RPUSHX", replies[i]);
		queue_push(bench->queue, "default", PRIORITY_HIGH, &ref, 1);
		assert_true(run_until(bench->loop, queue_is_down_now, bench));
		assert_int_equal(queue_stats(bench->queue)->dropped, dropped + 1);
		fake_rule(&bench->redis, "RPUSH", ":1\r\n");
		queue_push(bench->queue, "default", PRIORITY_HIGH, &ref, 1);
		assert_true(run_until(bench->loop, queue_is_up_now, bench));
	}
	assert_int_equal(bench->redis.connects, 1);
}

/* Nobody pushes, and still it is found out that Redis takes writes again. */
static void
test_a_probe_finds_that_writes_are_taken_again(void **state)
{
	struct bench *bench = *state;

	open_queue(bench);
	fake_rule(&bench->redis, "RPUSHX", "-READONLY no\r\n");
	assert_true(run_until(bench->loop, queue_is_down_now, bench));
	fake_rule(&bench->redis, "RPUSHX", ":0\r\n");
	assert_true(run_until(bench->loop, queue_is_up_now, bench));
	assert_int_equal(bench->redis.connects, 1);
}

static bool
reconnected(void *context)
{
	return ((struct bench *)context)->redis.connects > 1;
}

/* A replica that was the primary: another connection may reach the new one. */
static void
test_refused_for_long_it_connects_anew(void **state)
{
	struct bench *bench = *state;

	open_queue(bench);
	fake_rule(&bench->redis, "RPUSHX", "-READONLY no\r\n");
	assert_true(run_until(bench->loop, reconnected, bench));
	assert_false(queue_is_up(bench->queue));
}

static bool
twice_greeted(void *context)
{
	return ((struct bench *)context)->redis.connects >= 2;
}

static void
test_a_refused_greeting_is_tried_again(void **state)
{
	struct bench *bench = *state;
	struct err err = { 0 };

	fake_rule(&bench->redis, "PING", "-LOADING Redis is loading the dataset\r\n");
	bench->queue = queue_new(bench->loop, &bench->conf, &err);
	assert_true(run_until(bench->loop, twice_greeted, bench));
	assert_false(queue_is_up(bench->queue));
	fake_rule(&bench->redis, "PING", "+PONG\r\n");
	assert_true(run_until(bench->loop, queue_is_up_now, bench));
}

static void
test_nonsense_cuts_the_connection(void **state)
{
	struct bench *bench = *state;
	const struct step_ref ref = ref_of(1);

	open_queue(bench);
	fake_rule(&bench->redis, "RPUSH", "HTTP/1.1 400 Bad Request\r\n\r\n");
	queue_push(bench->queue, "default", PRIORITY_HIGH, &ref, 1);
	assert_true(run_until(bench->loop, queue_is_down_now, bench));
}

static void
test_a_full_list_gets_nothing_until_it_is_shorter(void **state)
{
	struct bench *bench = *state;
	const struct step_ref refs[] = { ref_of(1), ref_of(2), ref_of(3) };

	open_queue(bench);
	fake_rule(&bench->redis, "RPUSH", ":100001\r\n");
	queue_push(bench->queue, "default", PRIORITY_HIGH, refs, 3);
	assert_true(run_until(bench->loop, three_pushed, bench));
	queue_push(bench->queue, "default", PRIORITY_HIGH, refs, 3);
	assert_int_equal(queue_stats(bench->queue)->dropped, 3);
	assert_null(strstr(buf_text(&bench->redis.heard), "LLEN"));
	fake_rule(&bench->redis, "RPUSH", ":4\r\n");
	while (queue_stats(bench->queue)->pushed == 3) {
		run_turns(bench->loop, 20);
		queue_push(bench->queue, "default", PRIORITY_HIGH, refs, 1);
	}
	assert_non_null(
	    strstr(buf_text(&bench->redis.heard), "LLEN sm:q:default:high\n"));
}

static void
test_a_list_that_is_none_is_told_once_and_counted(void **state)
{
	struct bench *bench = *state;
	const struct step_ref ref = ref_of(1);

	open_queue(bench);
	fake_rule(&bench->redis, "RPUSH", "-WRONGTYPE Operation against a key\r\n");
	queue_push(bench->queue, "default", PRIORITY_HIGH, &ref, 1);
	assert_true(run_until(bench->loop, some_dropped, bench));
	assert_true(queue_is_up(bench->queue));
	assert_int_equal(queue_stats(bench->queue)->garbage, 1);
}

static void
on_depth(void *context, const int64_t depth[static PRIORITIES])
{
	struct bench *bench = context;

	bench->depths++;
	memcpy(bench->depth, depth, sizeof bench->depth);
	if (bench->free_in_callback)
		queue_free(&bench->queue);
}

static void
test_depths(void **state)
{
	struct bench *bench = *state;

	open_queue(bench);
	fake_rule(&bench->redis, "LLEN", ":7\r\n");
	queue_depth(bench->queue, "default", on_depth, bench);
	assert_int_equal(bench->depths, 0);
	assert_true(run_until_nonzero(bench->loop, &bench->depths));
	assert_int_equal(bench->depth[PRIORITY_LOW], 7);
	assert_non_null(strstr(buf_text(&bench->redis.heard),
			       "LLEN sm:q:default:high\nLLEN sm:q:default:normal\n"
			       "LLEN sm:q:default:low\n"));
	bench->depths = 0;
	fake_rule(&bench->redis, "LLEN", "-WRONGTYPE x\r\n");
	queue_depth(bench->queue, "default", on_depth, bench);
	assert_true(run_until_nonzero(bench->loop, &bench->depths));
	assert_int_equal(bench->depth[PRIORITY_HIGH], -1);
	assert_true(queue_is_up(bench->queue));
}

static void
test_depths_while_away(void **state)
{
	struct bench *bench = *state;
	struct err err = { 0 };

	fake_stop_listening(&bench->redis);
	bench->queue = queue_new(bench->loop, &bench->conf, &err);
	queue_depth(bench->queue, "default", on_depth, bench);
	assert_int_equal(bench->depths, 0);
	assert_true(run_until_nonzero(bench->loop, &bench->depths));
	assert_int_equal(bench->depth[PRIORITY_HIGH], -1);
	assert_int_equal(bench->depth[PRIORITY_LOW], -1);
}

static void
test_depths_of_a_connection_that_is_cut(void **state)
{
	struct bench *bench = *state;

	open_queue(bench);
	fake_rule(&bench->redis, "LLEN", "!");
	bench->free_in_callback = true;
	queue_depth(bench->queue, "default", on_depth, bench);
	queue_depth(bench->queue, "gpu", on_depth, bench);
	assert_true(run_until_nonzero(bench->loop, &bench->depths));
	run_turns(bench->loop, 3);
	assert_int_equal(bench->depths, 1); /* freed: the other never comes */
	assert_int_equal(bench->depth[PRIORITY_HIGH], -1);
	assert_null(bench->queue);
}

static void
test_freed_with_calls_under_way(void **state)
{
	struct bench *bench = *state;
	const struct step_ref ref = ref_of(1);

	open_queue(bench);
	queue_push(bench->queue, "default", PRIORITY_HIGH, &ref, 1);
	queue_depth(bench->queue, "default", on_depth, bench);
	queue_free(&bench->queue);
	run_turns(bench->loop, 5);
	assert_int_equal(bench->depths, 0);
}

/* popping */

static void
on_pop(void *context, const struct step_ref *refs, size_t count)
{
	struct bench *bench = context;

	bench->pops++;
	bench->popped = count;
	if (count > 0)
		bench->first = refs[0];
	bench->popped_at = loop_mono(bench->loop);
	if (bench->free_in_callback)
		popper_free(&bench->popper);
}

static const enum priority order[PRIORITIES] = { PRIORITY_HIGH, PRIORITY_NORMAL,
						 PRIORITY_LOW };

static void
pop(struct bench *bench, usec_t wait)
{
	static const char *const names[] = { "default", "gpu" };

	bench->pops = 0;
	popper_pop(bench->popper, names, 2, order, 5, wait, on_pop, bench);
	assert_true(popper_is_busy(bench->popper));
	assert_int_equal(bench->pops, 0);
}

static bool
greeted(void *context)
{
	const struct bench *bench = context;

	return strstr(buf_text(&bench->redis.heard), "PING\n") != NULL;
}

static void
open_popper(struct bench *bench)
{
	struct err err = { 0 };

	bench->popper = popper_new(bench->loop, &bench->conf, &err);
	assert_non_null(bench->popper);
	assert_true(run_until(bench->loop, greeted, bench));
	run_turns(bench->loop, 3);
}

static void
test_entries_are_popped(void **state)
{
	struct bench *bench = *state;

	open_popper(bench);
	fake_rule(&bench->redis, "BLMPOP",
		  "*2\r\n$1\r\nk\r\n*2\r\n$20\r\n0123456789abcdef\1\1\1\2\r\n"
		  "$20\r\n0123456789abcdeg\1\1\1\3\r\n");
	pop(bench, 700 * USEC_MS);
	assert_true(run_until_nonzero(bench->loop, &bench->pops));
	assert_int_equal(bench->popped, 2);
	assert_int_equal(bench->first.number, 0x01010102);
	assert_memory_equal(bench->first.run.b, "0123456789abcdef", 16);
	assert_int_equal(popper_stats(bench->popper)->popped, 2);
	assert_false(popper_is_busy(bench->popper));
	assert_non_null(strstr(buf_text(&bench->redis.heard),
			       "BLMPOP 0.700 6 sm:q:default:high sm:q:gpu:high "
			       "sm:q:default:normal sm:q:gpu:normal "
			       "sm:q:default:low sm:q:gpu:low LEFT COUNT 5\n"));
}

static void
expect_nothing_after(struct bench *bench, usec_t wait)
{
	usec_t before = loop_mono(bench->loop);

	pop(bench, wait);
	assert_true(run_until_nonzero(bench->loop, &bench->pops));
	assert_int_equal(bench->popped, 0);
	assert_true(bench->popped_at - before >= wait - 5 * USEC_MS);
	assert_true(bench->popped_at - before < wait + 3 * USEC_SECOND);
}

static void
test_nothing_is_said_when_the_time_is_over(void **state)
{
	struct bench *bench = *state;

	open_popper(bench);
	expect_nothing_after(bench, 30 * USEC_MS); /* a nil that comes too soon */
	fake_rule(&bench->redis, "BLMPOP", "-OOM no\r\n");
	expect_nothing_after(bench, 30 * USEC_MS);
	fake_rule(&bench->redis, "BLMPOP", "+what\r\n");
	expect_nothing_after(bench, 30 * USEC_MS);
	fake_rule(&bench->redis, "BLMPOP", "*1\r\n:1\r\n");
	expect_nothing_after(bench, 0);
	fake_rule(&bench->redis, "BLMPOP", "!");
	expect_nothing_after(bench, 30 * USEC_MS);
	expect_nothing_after(bench, 30 * USEC_MS); /* away */
}

static void
test_garbage_is_dropped_and_counted(void **state)
{
	struct bench *bench = *state;

	open_popper(bench);
	fake_rule(&bench->redis, "BLMPOP",
		  "*2\r\n$1\r\nk\r\n*3\r\n$3\r\nfoo\r\n:5\r\n$0\r\n\r\n");
	expect_nothing_after(bench, 30 * USEC_MS);
	assert_int_equal(popper_stats(bench->popper)->garbage, 3);
	fake_rule(&bench->redis, "BLMPOP",
		  "*2\r\n$1\r\nk\r\n*2\r\n$3\r\nfoo\r\n"
		  "$20\r\n0123456789abcdef\1\1\1\2\r\n");
	pop(bench, 30 * USEC_MS);
	assert_true(run_until_nonzero(bench->loop, &bench->pops));
	assert_int_equal(bench->popped, 1);
	assert_int_equal(popper_stats(bench->popper)->garbage, 4);
}

static void
test_more_than_was_asked_for_is_not_taken(void **state)
{
	struct bench *bench = *state;
	struct buf reply = { 0 };

	open_popper(bench);
	buf_str(&reply, "*2\r\n$1\r\nk\r\n*300\r\n");
	for (int i = 0; i < 300; i++)
		buf_str(&reply, "$20\r\n0123456789abcdef\1\1\1\2\r\n");
	fake_rule(&bench->redis, "BLMPOP", buf_text(&reply));
	pop(bench, 30 * USEC_MS);
	assert_true(run_until_nonzero(bench->loop, &bench->pops));
	assert_int_equal(bench->popped, QUEUE_POP_MAX);
	assert_int_equal(popper_stats(bench->popper)->garbage, 300 - QUEUE_POP_MAX);
	buf_fini(&reply);
}

/* Something else under our keys: found by TYPE, left out from then on. */
static void
test_a_spoiled_list_is_left_out(void **state)
{
	struct bench *bench = *state;

	open_popper(bench);
	fake_rule(&bench->redis, "BLMPOP", "-WRONGTYPE Operation against a key\r\n");
	fake_rule(&bench->redis, "TYPE", "+string\r\n");
	expect_nothing_after(bench, 50 * USEC_MS);
	assert_int_equal(popper_stats(bench->popper)->garbage, 6);
	assert_non_null(strstr(buf_text(&bench->redis.heard), "TYPE sm:q:gpu:low\n"));
	bench->redis.commands = 0;
	expect_nothing_after(bench, 30 * USEC_MS); /* all are spoiled: not asked */
	assert_int_equal(bench->redis.commands, 0);
}

static void
test_a_hanging_pop_is_cut(void **state)
{
	struct bench *bench = *state;
	usec_t before;

	open_popper(bench);
	fake_rule(&bench->redis, "BLMPOP", "");
	before = loop_mono(bench->loop);
	pop(bench, 100 * USEC_MS);
	assert_true(run_until_nonzero(bench->loop, &bench->pops));
	assert_int_equal(bench->popped, 0);
	assert_in_range(bench->popped_at - before, 500 * USEC_MS, 4000 * USEC_MS);
	fake_rule(&bench->redis, "BLMPOP",
		  "*2\r\n$1\r\nk\r\n*1\r\n$20\r\n0123456789abcdef\1\1\1\2\r\n");
	do { /* it comes back by itself */
		pop(bench, 100 * USEC_MS);
		assert_true(run_until_nonzero(bench->loop, &bench->pops));
	} while (bench->popped == 0);
	assert_int_equal(popper_stats(bench->popper)->connects, 2);
}

static void
test_a_huge_reply_cuts_the_connection(void **state)
{
	struct bench *bench = *state;
	struct buf reply = { 0 };

	open_popper(bench);
	buf_str(&reply, "*2\r\n$1\r\nk\r\n*1\r\n$536870912\r\n");
	for (int i = 0; i < 600000; i++)
		buf_str(&reply, "0123456789");
	fake_rule(&bench->redis, "BLMPOP", buf_text(&reply));
	expect_nothing_after(bench, 900 * USEC_MS);
	assert_true(run_until(bench->loop, reconnected, bench));
	buf_fini(&reply);
}

static void
test_a_popper_may_be_freed_in_its_callback(void **state)
{
	struct bench *bench = *state;

	open_popper(bench);
	bench->free_in_callback = true;
	pop(bench, 20 * USEC_MS);
	assert_true(run_until_nonzero(bench->loop, &bench->pops));
	assert_null(bench->popper);
}

/* subscribing */

static void
on_message(void *context, const char *channel, const void *data, size_t len)
{
	struct bench *bench = context;

	if (data == NULL) {
		bench->resyncs++;
		return;
	}
	bench->messages++;
	snprintf(bench->message, sizeof bench->message, "%.*s", (int)len,
		 (const char *)data);
	snprintf(bench->channel, sizeof bench->channel, "%s", channel);
	if (bench->free_in_callback)
		subscriber_free(&bench->subscriber);
}

static void
open_subscriber(struct bench *bench)
{
	static const char *const channels[] = { CHANNEL_EVENTS, CHANNEL_CONTROL };
	struct err err = { 0 };

	bench->subscriber = subscriber_new(bench->loop, &bench->conf, channels, 2,
					   on_message, bench, &err);
	assert_non_null(bench->subscriber);
	assert_false(subscriber_is_up(bench->subscriber));
	assert_true(run_until_nonzero(bench->loop, &bench->resyncs));
	assert_true(subscriber_is_up(bench->subscriber));
}

static void
publish(struct bench *bench, const char *text)
{
	list_each (link, &bench->redis.conns)
		fake_say(container_of(link, struct fake_conn, link), text);
}

#define MESSAGE "*3\r\n$7\r\nmessage\r\n$9\r\nsm:events\r\n$5\r\nhello\r\n"

static void
test_messages_arrive(void **state)
{
	struct bench *bench = *state;

	open_subscriber(bench);
	assert_int_equal(bench->resyncs, 1);
	assert_non_null(
	    strstr(buf_text(&bench->redis.heard), "SUBSCRIBE sm:events sm:control\n"));
	publish(bench, MESSAGE);
	assert_true(run_until_nonzero(bench->loop, &bench->messages));
	assert_string_equal(bench->message, "hello");
	assert_string_equal(bench->channel, "events");
	assert_int_equal(subscriber_stats(bench->subscriber)->received, 1);
}

static void
test_odd_messages_are_skipped(void **state)
{
	struct bench *bench = *state;

	open_subscriber(bench);
	publish(bench, "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
	publish(bench, "+OK\r\n:1\r\n*3\r\n:1\r\n:2\r\n:3\r\n");
	publish(bench, "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\ny\r\n");
	publish(bench, "*3\r\n$7\r\nmessage\r\n:1\r\n$1\r\ny\r\n");
	publish(bench, "*3\r\n$7\r\nmessage\r\n$9\r\nsm:events\r\n$-1\r\n");
	publish(bench, MESSAGE);
	assert_true(run_until_nonzero(bench->loop, &bench->messages));
	assert_int_equal(bench->messages, 1);
	assert_true(subscriber_is_up(bench->subscriber));
}

static bool
resynced_twice(void *context)
{
	return ((struct bench *)context)->resyncs == 2;
}

static void
test_after_a_cut_it_subscribes_again_and_says_so(void **state)
{
	struct bench *bench = *state;

	open_subscriber(bench);
	fake_cut_all(&bench->redis);
	assert_true(run_until(bench->loop, resynced_twice, bench));
	assert_true(subscriber_is_up(bench->subscriber));
	assert_int_equal(subscriber_stats(bench->subscriber)->connects, 2);
	publish(bench, MESSAGE);
	assert_true(run_until_nonzero(bench->loop, &bench->messages));
}

static void
test_a_quiet_subscription_is_pinged(void **state)
{
	struct bench *bench = *state;

	open_subscriber(bench);
	fake_rule(&bench->redis, "PING", ""); /* from now on it hangs */
	assert_true(run_until(bench->loop, reconnected, bench));
	assert_false(subscriber_is_up(bench->subscriber));
	fake_rule(&bench->redis, "PING", "+PONG\r\n");
	assert_true(run_until(bench->loop, resynced_twice, bench));
}

static void
test_an_error_in_between_cuts_it(void **state)
{
	struct bench *bench = *state;

	open_subscriber(bench);
	publish(bench, "-ERR max number of clients reached\r\n");
	run_turns(bench->loop, 5);
	assert_false(subscriber_is_up(bench->subscriber));
}

static void
test_a_subscriber_may_be_freed_in_its_callback(void **state)
{
	struct bench *bench = *state;

	open_subscriber(bench);
	bench->free_in_callback = true;
	publish(bench, MESSAGE MESSAGE);
	assert_true(run_until_nonzero(bench->loop, &bench->messages));
	run_turns(bench->loop, 3);
	assert_int_equal(bench->messages, 1);
	assert_null(bench->subscriber);
}

/* names */

static void
test_a_name_that_does_not_exist_blocks_nothing(void **state)
{
	struct bench *bench = *state;
	struct err err = { 0 };
	usec_t before = loop_mono(bench->loop);

	bench->conf.url = "redis://no-such-host.invalid:1";
	bench->queue = queue_new(bench->loop, &bench->conf, &err);
	assert_non_null(bench->queue);
	run_turns(bench->loop, 20);
	assert_in_range(loop_mono(bench->loop) - before, 0, 5 * USEC_SECOND);
	assert_false(queue_is_up(bench->queue));
}

static void
test_addresses_are_tried_one_after_the_other(void **state)
{
	struct bench *bench = *state;
	struct err err = { 0 };

	bench->conf.url = "redis://:secret@localhost:1/3"; /* nobody listens there */
	bench->queue = queue_new(bench->loop, &bench->conf, &err);
	run_turns(bench->loop, 50);
	assert_int_equal(queue_stats(bench->queue)->connects, 1);
	assert_false(queue_is_up(bench->queue));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_greets_and_pushes),
		TEST(test_it_logs_in),
		TEST(test_a_bad_url_is_told_at_once),
		TEST(test_publishing_is_binary),
		TEST(test_what_is_too_much_is_dropped),
		TEST(test_while_away_all_is_dropped_and_counted),
		TEST(test_a_cut_connection_comes_back),
		TEST(test_a_hanging_connection_is_cut),
		TEST(test_refusals_are_survived),
		TEST(test_a_probe_finds_that_writes_are_taken_again),
		TEST(test_refused_for_long_it_connects_anew),
		TEST(test_a_refused_greeting_is_tried_again),
		TEST(test_nonsense_cuts_the_connection),
		TEST(test_a_full_list_gets_nothing_until_it_is_shorter),
		TEST(test_a_list_that_is_none_is_told_once_and_counted),
		TEST(test_depths),
		TEST(test_depths_while_away),
		TEST(test_depths_of_a_connection_that_is_cut),
		TEST(test_freed_with_calls_under_way),
		TEST(test_entries_are_popped),
		TEST(test_nothing_is_said_when_the_time_is_over),
		TEST(test_garbage_is_dropped_and_counted),
		TEST(test_more_than_was_asked_for_is_not_taken),
		TEST(test_a_spoiled_list_is_left_out),
		TEST(test_a_hanging_pop_is_cut),
		TEST(test_a_huge_reply_cuts_the_connection),
		TEST(test_a_popper_may_be_freed_in_its_callback),
		TEST(test_messages_arrive),
		TEST(test_odd_messages_are_skipped),
		TEST(test_after_a_cut_it_subscribes_again_and_says_so),
		TEST(test_a_quiet_subscription_is_pinged),
		TEST(test_an_error_in_between_cuts_it),
		TEST(test_a_subscriber_may_be_freed_in_its_callback),
		TEST(test_a_name_that_does_not_exist_blocks_nothing),
		TEST(test_addresses_are_tried_one_after_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
