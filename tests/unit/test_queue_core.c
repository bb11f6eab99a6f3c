/* Connections to Redis: when to try again, what to tell; lists: whether they take more.
 * And the small pure rooms beside: URLs, entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "queue/entry.h"
#include "queue/queue.h"
#include "queue/queue_core.h"
#include "queue/redis_url.h"

#define S USEC_SECOND

static void
test_news_come_once_per_change(void **state)
{
	struct link link = { 0 };
	usec_t delay;

	(void)state;
	link_connecting(&link, 1 * S);
	assert_int_equal(link_lost(&link, 1 * S, 0, &delay), LINK_WENT);
	link_connecting(&link, 3 * S);
	assert_int_equal(link_lost(&link, 3 * S, 0, &delay), LINK_NO_NEWS);
	link_connecting(&link, 5 * S);
	assert_int_equal(link_up(&link, 5 * S), LINK_CAME);
	assert_true(link.up);
	assert_int_equal(link_lost(&link, 9 * S, 0, &delay), LINK_WENT);
	assert_false(link.up);
	link_connecting(&link, 10 * S);
	assert_int_equal(link_up(&link, 10 * S), LINK_CAME);
}

/* Whatever dice are thrown: two connects a second at most for three connections. */
static void
test_connects_keep_their_distance(void **state)
{
	static const uint32_t dice[] = { 0, 1, UINT32_MAX / 2, UINT32_MAX };
	struct link link = { 0 };
	usec_t now = 100 * S, delay;

	(void)state;
	for (int i = 0; i < 100; i++) {
		link_connecting(&link, now);
		link_up(&link, now + 10);
		link_lost(&link, now + 20, dice[i % 4], &delay);
		assert_true(now + 20 + delay >= now + LINK_SPACING);
		assert_true(delay <= LINK_DELAY_MAX + LINK_SPACING);
		now += 20 + delay;
	}
}

static void
test_the_delay_doubles_up_to_its_most(void **state)
{
	struct link link = { 0 };
	usec_t now = 1000 * S, delay, bound = LINK_DELAY_MIN;

	(void)state;
	link.connect_at = now - 100 * S; /* no distance to keep */
	for (int i = 0; i < 20; i++) {
		link_lost(&link, now, UINT32_MAX, &delay);
		assert_int_equal(delay, bound);
		bound = bound * 2 > LINK_DELAY_MAX ? LINK_DELAY_MAX : bound * 2;
	}
	link_lost(&link, now, 0, &delay);
	assert_int_equal(delay, 0); /* full jitter: from nothing on */
}

static void
test_a_connection_that_lasted_makes_good(void **state)
{
	struct link link = { 0 };
	usec_t delay;

	(void)state;
	for (int i = 0; i < 10; i++)
		link_lost(&link, i * 10 * S, UINT32_MAX, &delay);
	assert_int_equal(delay, LINK_DELAY_MAX);
	link_connecting(&link, 200 * S);
	link_up(&link, 200 * S);
	link_lost(&link, 200 * S + LINK_PROVEN - 1, UINT32_MAX, &delay);
	assert_int_equal(delay, LINK_DELAY_MAX);
	link_connecting(&link, 300 * S);
	link_up(&link, 300 * S);
	link_lost(&link, 300 * S + LINK_PROVEN, UINT32_MAX, &delay);
	assert_int_equal(delay, LINK_DELAY_MIN);
}

static void
test_refusals_are_told_until_one_is_served(void **state)
{
	struct link link = { 0 };
	usec_t delay;

	(void)state;
	assert_int_equal(link_up(&link, 1 * S), LINK_CAME);
	assert_int_equal(link_accepted(&link), LINK_NO_NEWS);
	assert_int_equal(link_refused(&link, 2 * S), LINK_WENT);
	assert_int_equal(link_refused(&link, 3 * S), LINK_NO_NEWS);
	assert_false(link_is_stale(&link, 2 * S + LINK_REFUSED_MAX - 1));
	assert_true(link_is_stale(&link, 2 * S + LINK_REFUSED_MAX));
	assert_int_equal(link_lost(&link, 8 * S, 0, &delay), LINK_NO_NEWS);
	assert_int_equal(link_up(&link, 9 * S), LINK_NO_NEWS); /* not proven yet */
	assert_false(link_is_stale(&link, 9 * S));
	assert_int_equal(link_accepted(&link), LINK_CAME);
	assert_false(link_is_stale(&link, 100 * S));
}

static void
test_a_served_command_of_a_lost_connection_is_no_news(void **state)
{
	struct link link = { 0 };
	usec_t delay;

	(void)state;
	link_up(&link, 1 * S);
	link_lost(&link, 2 * S, 0, &delay);
	assert_int_equal(link_accepted(&link), LINK_NO_NEWS);
}

static void
test_a_full_list_is_asked_once_a_second(void **state)
{
	struct guard guard = { 0 };

	(void)state;
	guard_length(&guard, 99, 100, 10 * S);
	assert_false(guard.full);
	assert_false(guard_wants_length(&guard, 10 * S));
	guard_length(&guard, 100, 100, 11 * S);
	assert_true(guard.full);
	assert_false(guard_wants_length(&guard, 11 * S));
	assert_true(guard_wants_length(&guard, 11 * S + GUARD_ASK));
	assert_false(guard_wants_length(&guard, 11 * S + GUARD_ASK + 1));
	guard_length(&guard, 200, 100, 13 * S);
	assert_true(guard_wants_length(&guard, 14 * S));
	guard_length(&guard, 0, 100, 14 * S);
	assert_false(guard.full);
}

struct url_case {
	const char *text;
	const char *path, *host;
	int port;
	const char *user, *password;
	int db;
};

static const struct url_case good_urls[] = {
	{ "redis://h", NULL, "h", 6379, NULL, NULL, 0 },
	{ "redis://h/", NULL, "h", 6379, NULL, NULL, 0 },
	{ "redis://h:1/15", NULL, "h", 1, NULL, NULL, 15 },
	{ "redis://127.0.0.1:65535", NULL, "127.0.0.1", 65535, NULL, NULL, 0 },
	{ "redis://[::1]", NULL, "::1", 6379, NULL, NULL, 0 },
	{ "redis://[::1]:7/2", NULL, "::1", 7, NULL, NULL, 2 },
	{ "redis://:p@h", NULL, "h", 6379, NULL, "p", 0 },
	{ "redis://u:p@h:2", NULL, "h", 2, "u", "p", 0 },
	{ "redis://u:@h", NULL, "h", 6379, "u", "", 0 },
	{ "redis://:p%40%3a%2Fq@h", NULL, "h", 6379, NULL, "p@:/q", 0 },
	{ "redis://:a@b@h", NULL, "h", 6379, NULL, "a@b", 0 },
	{ "unix:/run/redis.sock", "/run/redis.sock", NULL, 6379, NULL, NULL, 0 },
	{ "unix:/r?db=3", "/r", NULL, 6379, NULL, NULL, 3 },
};

static void
assert_text(const char *got, const char *expected)
{
	if (expected == NULL)
		assert_null(got);
	else
		assert_string_equal(got, expected);
}

static void
test_good_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good_urls / sizeof good_urls[0]; i++) {
		const struct url_case *one = &good_urls[i];
		struct err err = { 0 };
		struct redis_url url;

		if (redis_url_parse(one->text, &url, &err) < 0)
			fail_msg("%s: %s", one->text, err.text);
		assert_text(url.path, one->path);
		assert_text(url.host, one->host);
		assert_int_equal(url.port, one->port);
		assert_text(url.user, one->user);
		assert_text(url.password, one->password);
		assert_int_equal(url.db, one->db);
		redis_url_fini(&url);
	}
}

static const char *const bad_urls[] = {
	"",
	"h",
	"http://h",
	"rediss://h",
	"redis://",
	"redis://:1",
	"redis://h:",
	"redis://h:0",
	"redis://h:65536",
	"redis://h:1x",
	"redis://h:-1",
	"redis://h/x",
	"redis://h/-1",
	"redis://h/65536",
	"redis://h/1/2",
	"redis://[::1",
	"redis://[]:1",
	"redis://[::1]x",
	"redis://secret@h",
	"redis://:secret%4@h",
	"redis://:secret%00@h",
	"redis://%zz:secret@h",
	"unix:",
	"unix:secret",
	"unix:/r?secret=1",
	"unix:/r?db=",
	"unix:/r?db=x",
	"unix:/"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static void
test_bad_urls_are_not_repeated(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_urls / sizeof bad_urls[0]; i++) {
		struct err err = { 0 };
		struct redis_url url;

		if (redis_url_parse(bad_urls[i], &url, &err) == 0)
			fail_msg("%s: taken", bad_urls[i]);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_null(strstr(err.text, "secret"));
	}
}

static void
test_a_long_url_is_refused(void **state)
{
	char *text = xcalloc(1, 3000);
	struct err err = { 0 };
	struct redis_url url;

	(void)state;
	memset(text, 'h', 2999);
	memcpy(text, "redis://", 8);
	assert_int_equal(redis_url_parse(text, &url, &err), -1);
	free(text);
}

static void
test_entries_go_there_and_back(void **state)
{
	static const int32_t numbers[] = { 1, 255, 256, 65536, 0x01020304, INT32_MAX };
	unsigned char bytes[ENTRY_LEN];
	struct step_ref ref, back;

	(void)state;
	for (int i = 0; i < 16; i++)
		ref.run.b[i] = (unsigned char)(i * 17);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		ref.number = numbers[i];
		entry_write(&ref, bytes);
		assert_true(entry_read(bytes, sizeof bytes, &back));
		assert_int_equal(back.number, ref.number);
		assert_true(uuid_equal(&back.run, &ref.run));
	}
	ref.number = 0x01020304;
	entry_write(&ref, bytes);
	assert_memory_equal(bytes + 16, "\1\2\3\4", 4);
}

static void
test_garbage_is_no_entry(void **state)
{
	unsigned char bytes[ENTRY_LEN + 1] = { 0 };
	struct step_ref ref;

	(void)state;
	assert_false(entry_read(bytes, ENTRY_LEN, &ref)); /* number 0 */
	bytes[19] = 1;
	assert_true(entry_read(bytes, ENTRY_LEN, &ref));
	assert_false(entry_read(bytes, ENTRY_LEN - 1, &ref));
	assert_false(entry_read(bytes, ENTRY_LEN + 1, &ref));
	assert_false(entry_read(bytes, 0, &ref));
	bytes[16] = 0x80; /* negative */
	assert_false(entry_read(bytes, ENTRY_LEN, &ref));
	memset(bytes + 16, 0xff, 4);
	assert_true(entry_read(bytes, ENTRY_LEN, &ref));
	assert_int_equal(ref.number, -1);
}

static void
test_list_names(void **state)
{
	char *key = list_key("stepmill", "gpu", PRIORITY_LOW);
	char name[QUEUE_NAME_MAX + 2];

	(void)state;
	assert_string_equal(key, "stepmill:q:gpu:low");
	free(key);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_null(list_key("stepmill", name, PRIORITY_HIGH));
	assert_null(list_key("stepmill", "", PRIORITY_HIGH));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_news_come_once_per_change),
		cmocka_unit_test(test_connects_keep_their_distance),
		cmocka_unit_test(test_the_delay_doubles_up_to_its_most),
		cmocka_unit_test(test_a_connection_that_lasted_makes_good),
		cmocka_unit_test(test_refusals_are_told_until_one_is_served),
		cmocka_unit_test(test_a_served_command_of_a_lost_connection_is_no_news),
		cmocka_unit_test(test_a_full_list_is_asked_once_a_second),
		cmocka_unit_test(test_good_urls),
		cmocka_unit_test(test_bad_urls_are_not_repeated),
		cmocka_unit_test(test_a_long_url_is_refused),
		cmocka_unit_test(test_entries_go_there_and_back),
		cmocka_unit_test(test_garbage_is_no_entry),
		cmocka_unit_test(test_list_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
