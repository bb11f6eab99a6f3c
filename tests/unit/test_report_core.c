/* The pool as JSON, also when it is too large for a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pool/report_core.h"
#include "json/json.h"

static void
start_all(struct pool_core *core, usec_t wall)
{
	struct pool_verdict verdict;
	pid_t pid = 40;

	while ((verdict = pool_core_next(core, 5)).deed == POOL_START) {
		struct uuid id = { .b = { [15] = (unsigned char)pid } };

		pool_core_forked(verdict.seat, &id, ++pid, 5, wall);
	}
}

static void
test_a_small_pool(void **state)
{
	struct pool_core core;
	struct buf out = { 0 };

	(void)state;
	pool_core_init(&core, 2, 8);
	start_all(&core, 1763703694123456);
	pool_core_said_ready(container_of(core.workers.next, struct seat, link));
	container_of(core.workers.next, struct seat, link)->used = 3;
	container_of(core.workers.next, struct seat, link)->slots = 8;
	pool_core_ended(container_of(core.workers.prev, struct seat, link),
			SEAT_CRASHED, 6);
	report_write(&core, 4096, &out);
	assert_string_equal(
	    buf_text(&out),
	    "{\"desired\":2,\"workers\":[{\"id\":\"00000000-0000-0000-0000-"
	    "000000000029\","
	    "\"pid\":42,\"state\":\"ready\",\"used\":3,\"slots\":8,"
	    "\"startedAt\":\"2025-11-21T05:41:34.123Z\",\"restarts\":0}],"
	    "\"waiting\":1,\"refused\":0,\"draining\":false}");
	buf_fini(&out);
	pool_core_fini(&core);
}

/* Whatever the room, it is valid JSON within it, and every process is counted. */
static void
test_every_room(void **state)
{
	struct pool_core core;
	struct buf out = { 0 };

	(void)state;
	pool_core_init(&core, 40, 40);
	start_all(&core, 1763703694123456);
	for (size_t room = 256; room < 8000; room += 37) {
		struct json *json = NULL;
		struct err err = { 0 };
		int64_t more;

		buf_clear(&out);
		report_write(&core, room, &out);
		assert_true(out.len <= room);
		assert_int_equal(json_parse(out.data, out.len, &json, &err), 0);
		more = json_int(json_get(json, "more"));
		assert_int_equal((int64_t)json_count(json_get(json, "workers")) + more,
				 40);
		json_unref(&json);
	}
	buf_fini(&out);
	pool_core_fini(&core);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_small_pool),
		cmocka_unit_test(test_every_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
