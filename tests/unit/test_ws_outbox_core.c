/* What waits for a client: order, limit, and what its gaps say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "front/ws_outbox_core.h"
#include "json/json.h"

static const struct uuid runs[3] = { { { 1 } }, { { 2 } }, { { 3 } } };

/* "NUMBER" and so many spaces. */
static struct ws_text *
text_of(int number, size_t len)
{
	char *data = xmalloc(len + 1);
	struct ws_text *text;

	memset(data, ' ', len);
	data[snprintf(data, len, "%d", number)] = ' ';
	text = ws_text_new(data, len);
	free(data);
	return text;
}

static bool
add_event(struct ws_outbox *outbox, int run, int seq, size_t len)
{
	const struct ws_origin origin = { runs[run], seq };
	struct ws_text *text = text_of(1000 * run + seq, len);

	return ws_outbox_add(outbox, &text, &origin, 0);
}

static bool
add_answer(struct ws_outbox *outbox, int number, size_t len)
{
	struct ws_text *text = text_of(number, len);

	return ws_outbox_add(outbox, &text, NULL, 0);
}

/* The number of the next; of a gap -(1000 * run + seq); 0: none is left. */
static int
next(struct ws_outbox *outbox)
{
	struct ws_text *text = ws_outbox_take(outbox);
	struct json *json = NULL;
	struct err err = { 0 };
	struct uuid run;
	int number;

	if (text == NULL)
		return 0;
	assert_int_equal(json_parse(text->data, text->len, &json, &err), 0);
	if (json_type(json) == JSON_OBJECT) {
		const char *id = json_str(json_get(json, "executionId"));

		assert_string_equal(json_str(json_get(json, "type")), "events.gap");
		assert_true(uuid_parse(id, strlen(id), &run));
		number =
		    -(1000 * (run.b[0] - 1) + (int)json_int(json_get(json, "lastSeq")));
	} else {
		number = (int)json_int(json);
	}
	json_unref(&json);
	ws_text_unref(&text);
	return number;
}

static void
test_in_order(void **state)
{
	struct ws_outbox outbox;

	(void)state;
	ws_outbox_init(&outbox);
	assert_true(ws_outbox_empty(&outbox));
	assert_true(add_answer(&outbox, 7, 10));
	assert_true(add_event(&outbox, 0, 1, 10));
	assert_true(add_answer(&outbox, 8, 10));
	assert_int_equal(next(&outbox), 7);
	assert_int_equal(next(&outbox), 1);
	assert_int_equal(next(&outbox), 8);
	assert_int_equal(next(&outbox), 0);
	assert_int_equal(outbox.bytes, 0);
	ws_outbox_fini(&outbox);
}

/* A quarter each: the fifth drops the first, and so on. */
static void
test_the_oldest_events_go(void **state)
{
	struct ws_outbox outbox;

	(void)state;
	ws_outbox_init(&outbox);
	add_answer(&outbox, 9999, 100);
	for (int seq = 1; seq <= 10; seq++) {
		assert_true(add_event(&outbox, 0, seq, WS_UNSENT_MAX / 4));
		assert_true(outbox.bytes <= WS_UNSENT_MAX);
	}
	assert_int_equal(next(&outbox), 9999);
	assert_int_equal(next(&outbox), -7);
	for (int seq = 8; seq <= 10; seq++)
		assert_int_equal(next(&outbox), seq);
	assert_int_equal(next(&outbox), 0);
	ws_outbox_fini(&outbox);
}

static void
test_one_gap_for_each_run(void **state)
{
	struct ws_outbox outbox;

	(void)state;
	ws_outbox_init(&outbox);
	for (int seq = 1; seq <= 6; seq++)
		for (int run = 0; run < 2; run++)
			add_event(&outbox, run, seq, WS_UNSENT_MAX / 5);
	assert_int_equal(next(&outbox), -4);
	assert_int_equal(next(&outbox), -1004);
	assert_int_equal(next(&outbox), 5);
	assert_int_equal(next(&outbox), 1005);
	assert_int_equal(next(&outbox), 6);
	assert_int_equal(next(&outbox), 1006);
	ws_outbox_fini(&outbox);
}

/* A gap that was told is over; what is dropped later is another one. */
static void
test_gaps_that_were_told(void **state)
{
	struct ws_outbox outbox;

	(void)state;
	ws_outbox_init(&outbox);
	for (int seq = 1; seq <= 5; seq++)
		add_event(&outbox, 0, seq, WS_UNSENT_MAX / 4);
	assert_int_equal(next(&outbox), -2);
	for (int seq = 6; seq <= 9; seq++)
		add_event(&outbox, 0, seq, WS_UNSENT_MAX / 4);
	assert_int_equal(next(&outbox), -6);
	assert_int_equal(next(&outbox), 7);
	ws_outbox_fini(&outbox);
}

static void
test_gaps_from_outside(void **state)
{
	const struct ws_origin early = { runs[2], 3 }, late = { runs[2], 8 };
	struct ws_outbox outbox;

	(void)state;
	ws_outbox_init(&outbox);
	assert_true(ws_outbox_add_gap(&outbox, &late, 0));
	assert_true(ws_outbox_add_gap(&outbox, &early, 0));
	assert_int_equal(next(&outbox), -2008);
	assert_int_equal(next(&outbox), 0);
	assert_true(ws_outbox_add_gap(&outbox, &early, 0));
	assert_int_equal(next(&outbox), -2003);
	ws_outbox_fini(&outbox);
}

static void
test_what_may_not_go(void **state)
{
	struct ws_outbox outbox;

	(void)state;
	ws_outbox_init(&outbox);
	assert_true(add_answer(&outbox, 1, 2 * WS_UNSENT_MAX)); /* alone */
	assert_false(add_answer(&outbox, 2, 10));
	ws_outbox_clear(&outbox);
	assert_true(ws_outbox_empty(&outbox));
	assert_true(add_answer(&outbox, 3, WS_UNSENT_MAX - 1000));
	assert_true(add_event(&outbox, 0, 1, 2000));
	assert_int_equal(next(&outbox), 3);
	assert_int_equal(next(&outbox), -1);
	ws_outbox_fini(&outbox);
}

/* What is on its way counts, too. */
static void
test_with_what_is_sent(void **state)
{
	const struct ws_origin origin = { runs[0], 1 };
	struct ws_text *text = text_of(1, 100);
	struct ws_outbox outbox;

	(void)state;
	ws_outbox_init(&outbox);
	assert_true(add_answer(&outbox, 5, 100));
	assert_false(ws_outbox_add(&outbox, &text, &origin, WS_UNSENT_MAX));
	assert_null(text);
	assert_int_equal(next(&outbox), 5);
	assert_int_equal(next(&outbox), -1);
	ws_outbox_fini(&outbox);
}

static void
test_texts_are_shared(void **state)
{
	struct ws_text *text = ws_text_new("x", 1);
	struct ws_text *first = ws_text_ref(text), *second = ws_text_ref(text);
	struct ws_outbox a, b;

	(void)state;
	ws_outbox_init(&a);
	ws_outbox_init(&b);
	ws_outbox_add(&a, &first, NULL, 0);
	ws_outbox_add(&b, &second, NULL, 0);
	assert_int_equal(text->refs, 3);
	ws_outbox_fini(&a);
	ws_outbox_fini(&b);
	assert_int_equal(text->refs, 1);
	ws_text_unref(&text);
	assert_null(text);
	ws_text_unref(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_the_oldest_events_go),
		cmocka_unit_test(test_one_gap_for_each_run),
		cmocka_unit_test(test_gaps_that_were_told),
		cmocka_unit_test(test_gaps_from_outside),
		cmocka_unit_test(test_what_may_not_go),
		cmocka_unit_test(test_with_what_is_sent),
		cmocka_unit_test(test_texts_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
