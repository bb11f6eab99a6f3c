/* Counting by route and status, and the text for Prometheus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/http_stats.h"

static const struct route a = { .method = "GET", .path = "/a/:id" };
static const struct route b = { .method = "POST", .path = "/b" };

static void
test_counts(void **state)
{
	struct http_stats stats = { 0 };

	(void)state;
	http_stats_count(&stats, &a, 200, 0);
	http_stats_count(&stats, &a, 200, 1 * USEC_MS);
	http_stats_count(&stats, &a, 200, 1 * USEC_MS + 1);
	http_stats_count(&stats, &a, 404, 60 * USEC_SECOND);
	http_stats_count(&stats, &b, 200, 30 * USEC_SECOND);
	http_stats_count(&stats, NULL, 400, 0);
	assert_int_equal(stats.count, 4);
	assert_int_equal(stats.list[0].count, 3);
	assert_int_equal(stats.list[0].buckets[0], 2);
	assert_int_equal(stats.list[0].buckets[1], 1);
	assert_int_equal(stats.list[0].time, 2001);
	for (size_t i = 0; i < HTTP_STATS_BUCKETS; i++)
		assert_int_equal(stats.list[1].buckets[i], 0);
	assert_int_equal(stats.list[2].buckets[HTTP_STATS_BUCKETS - 1], 1);
	http_stats_fini(&stats);
}

static void
test_bounds_rise(void **state)
{
	(void)state;
	for (size_t i = 1; i < HTTP_STATS_BUCKETS; i++)
		assert_true(http_stats_bounds[i] > http_stats_bounds[i - 1]);
}

static void
expect_line(const struct buf *text, const char *line)
{
	if (strstr(buf_text(text), line) == NULL)
		fail_msg("no %s in\n%s", line, buf_text(text));
}

static void
test_text(void **state)
{
	struct http_stats stats = { 0 };
	struct buf text = { 0 };

	(void)state;
	http_stats_count(&stats, &a, 200, 2 * USEC_MS);
	http_stats_count(&stats, &a, 200, 60 * USEC_SECOND);
	http_stats_write(&stats, &text);
	expect_line(&text, "# TYPE stepmill_http_requests_total counter\n");
	expect_line(&text, "\nstepmill_http_requests_total{method=\"GET\","
			   "route=\"/a/:id\",status=\"200\"} 2\n");
	expect_line(&text,
		    "\nstepmill_http_request_duration_seconds_bucket{method=\"GET\","
		    "route=\"/a/:id\",status=\"200\",le=\"0.001\"} 0\n");
	expect_line(&text, "route=\"/a/:id\",status=\"200\",le=\"0.0025\"} 1\n");
	expect_line(&text, "route=\"/a/:id\",status=\"200\",le=\"30\"} 1\n");
	expect_line(&text, "route=\"/a/:id\",status=\"200\",le=\"+Inf\"} 2\n");
	expect_line(&text,
		    "\nstepmill_http_request_duration_seconds_sum{method=\"GET\","
		    "route=\"/a/:id\",status=\"200\"} 60.002000\n");
	expect_line(&text,
		    "\nstepmill_http_request_duration_seconds_count{method=\"GET\","
		    "route=\"/a/:id\",status=\"200\"} 2\n");
	buf_fini(&text);
	http_stats_fini(&stats);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_bounds_rise),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
