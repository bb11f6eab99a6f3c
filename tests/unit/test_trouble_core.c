/* What went wrong with a provider, and when to come again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "model/choice_core.h"
#include "model/trouble_core.h"

#define NOW (INT64_C(1445412420) * USEC_SECOND) /* Wed, 21 Oct 2015 07:27:00 GMT */

struct row {
	int status;
	const char *body;
	const char *code;
	bool final;
};

static const struct row rows[] = {
	{ 401, NULL, "provider_auth", true },
	{ 403, "{}", "provider_auth", true },
	{ 404, "[]", "unknown_model", true },
	{ 408, NULL, "provider_error", false },
	{ 413, NULL, "context_too_long", true },
	{ 429, NULL, "rate_limited", false },
	{ 500, NULL, "provider_error", false },
	{ 502, "\"x\"", "provider_error", false },
	{ 503, NULL, "overloaded", false },
	{ 529, NULL, "overloaded", false },
	{ 302, NULL, "provider_refused", true },
	{ 422, NULL, "provider_refused", true },
	{ 700, NULL, "provider_protocol", false },
	{ 400, "{\"error\":{\"code\":\"context_length_exceeded\"}}", "context_too_long",
	  true },
	{ 400, "{\"error\":{\"message\":\"prompt is too long: 9\"}}",
	  "context_too_long", true },
	{ 400, "{\"error\":{\"message\":\"Your credit balance is too low\"}}",
	  "provider_quota", true },
	{ 400, "[{\"error\":{\"message\":\"API key not valid.\"}}]", "provider_auth",
	  true },
	{ 429, "{\"error\":{\"type\":\"insufficient_quota\"}}", "provider_quota",
	  true },
	{ 429, "{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\"}}", "rate_limited",
	  false },
	{ 500, "{\"error\":{\"type\":\"overloaded_error\"}}", "overloaded", false },
	{ 401, "{\"error\":{\"type\":\"overloaded_error\"}}", "provider_auth", true },
};

static void
test_statuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct trouble trouble = { 0 };
		struct json *body = NULL;
		struct err err = { 0 };

		if (rows[i].body != NULL)
			assert_int_equal(
			    json_parse(rows[i].body, strlen(rows[i].body), &body, &err),
			    0);
		trouble_of_status(&trouble, rows[i].status, body);
		if (strcmp(trouble_code(trouble.kind), rows[i].code) != 0 ||
		    trouble_is_final(trouble.kind) != rows[i].final)
			fail_msg("%d %s: %s", rows[i].status,
				 rows[i].body != NULL ? rows[i].body : "",
				 trouble_code(trouble.kind));
		assert_non_null(strstr(trouble.message, "status "));
		json_unref(&body);
	}
}

static void
test_messages_are_one_short_line(void **state)
{
	struct trouble trouble = { 0 };
	char text[2000];

	(void)state;
	trouble_set(&trouble, TROUBLE_CUT, "a\nb\x01\xff");
	assert_string_equal(trouble.message, "a b \xef\xbf\xbd");
	for (size_t i = 0; i + 3 < sizeof text; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 4);
	trouble_set(&trouble, TROUBLE_CUT, text);
	assert_true(strlen(trouble.message) < TROUBLE_TEXT);
	assert_int_equal(strlen(trouble.message) % 3, 0);
}

static void
test_gemini_tells_the_wait_in_the_body(void **state)
{
	static const char text[] =
	    "{\"error\":{\"details\":[{\"a\":1},{\"retryDelay\":\"34.5s\"}]}}";
	struct trouble trouble = { 0 };
	struct json *body = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &body, &err), 0);
	trouble_of_status(&trouble, 429, body);
	assert_int_equal(trouble.wait, 34500 * USEC_MS);
	json_unref(&body);
}

struct when {
	const char *text;
	int64_t ms; /* -1: neither a number nor a date */
};

static const struct when whens[] = {
	{ "0", 0 },
	{ "3", 3000 },
	{ " 3", 3000 },
	{ "1.5", 1500 },
	{ "100000000", 86400000 },
	{ "Wed, 21 Oct 2015 07:28:00 GMT", 60000 },
	{ "Wed, 21 Oct 2015 07:26:00 GMT", 0 },
	{ "Fri, 21 Oct 2016 07:26:00 GMT", 86400000 },
	{ "Wednesday, 21-Oct-15 07:28:00 GMT", 60000 },
	{ "Wed Oct 21 07:28:00 2015", 60000 },
	{ "", -1 },
	{ "soon", -1 },
	{ "-3", -1 },
	{ "3s", -1 },
	{ "3 seconds", -1 },
	{ "1e3", -1 },
	{ "9999999999999999999999", -1 },
	{ "Wed, 21 Oct 2015 07:28:00 CET", -1 },
	{ "Wed, 21 Okt 2015 07:28:00 GMT", -1 },
	{ "Wed, 41 Oct 2015 07:28:00 GMT", -1 },
	{ "Wed, 21 Oct 2015 27:28:00 GMT", -1 },
	{ "Wed, 21 Oct 2015", -1 },
};

static void
test_retry_after(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof whens / sizeof whens[0]; i++) {
		usec_t wait = 0;
		bool good = retry_after(whens[i].text, NOW, &wait);

		if (good != (whens[i].ms >= 0) ||
		    (good && wait != whens[i].ms * USEC_MS))
			fail_msg("\"%s\": %s %lld ms", whens[i].text,
				 good ? "good" : "bad", (long long)(wait / USEC_MS));
	}
}

/* ---- who is asked next ---- */

static void
bad(struct choices *choices, enum trouble_kind kind, usec_t wait, usec_t now)
{
	struct trouble trouble = { .kind = kind, .wait = wait };

	choices_bad(choices, &trouble, now, UINT64_MAX);
}

static void
test_the_next_one_is_asked(void **state)
{
	struct choice list[3] = { 0 };
	struct choices choices = { .list = list, .count = 3 };
	usec_t wait;

	(void)state;
	assert_int_equal(choices_next(&choices, 0, 0, &wait), CHOICE_CALL);
	assert_int_equal(choices.current, 0);
	bad(&choices, TROUBLE_LIMITED, 5 * USEC_SECOND, 0);
	assert_int_equal(choices_next(&choices, 0, 0, &wait), CHOICE_CALL);
	assert_int_equal(choices.current, 1);
	choices_good(&choices);
	/* the one that works is kept, though the first may be asked again */
	assert_int_equal(choices_next(&choices, 9 * USEC_SECOND, 0, &wait),
			 CHOICE_CALL);
	assert_int_equal(choices.current, 1);
	bad(&choices, TROUBLE_AUTH, 0, 9 * USEC_SECOND);
	assert_int_equal(choices_next(&choices, 9 * USEC_SECOND, 0, &wait),
			 CHOICE_CALL);
	assert_int_equal(choices.current, 0);
	bad(&choices, TROUBLE_AUTH, 0, 9 * USEC_SECOND);
	assert_int_equal(choices_next(&choices, 9 * USEC_SECOND, 0, &wait),
			 CHOICE_CALL);
	assert_int_equal(choices.current, 2);
	bad(&choices, TROUBLE_CUT, 0, 9 * USEC_SECOND);
	assert_int_equal(choices_next(&choices, 9 * USEC_SECOND, 0, &wait),
			 CHOICE_GIVE_UP);
	assert_int_equal(wait, 0);
	assert_true(choices.may_mend);
	assert_int_equal(choices.last, TROUBLE_CUT);
}

static void
test_patience_has_an_end(void **state)
{
	struct choice list[1] = { 0 };
	struct choices choices = { .list = list, .count = 1 };
	usec_t wait, now = 0;

	(void)state;
	for (int i = 0; i < CHOICE_WAITS_MAX; i++) {
		bad(&choices, TROUBLE_OVERLOADED, 0, now);
		assert_int_equal(choices_next(&choices, now, 0, &wait), CHOICE_WAIT);
		assert_true(wait >= USEC_SECOND && wait <= 30 * USEC_SECOND);
		now += wait;
		assert_int_equal(choices_next(&choices, now, 0, &wait), CHOICE_CALL);
	}
	bad(&choices, TROUBLE_OVERLOADED, 0, now);
	assert_int_equal(choices_next(&choices, now, 0, &wait), CHOICE_GIVE_UP);
	assert_true(wait > 0);
	choices_good(&choices);
	bad(&choices, TROUBLE_LIMITED, USEC_SECOND, now);
	assert_int_equal(choices_next(&choices, now, 0, &wait), CHOICE_WAIT);
	assert_int_equal(wait, USEC_SECOND);
}

static void
test_long_waits_are_not_sat_out(void **state)
{
	struct choice list[1] = { 0 };
	struct choices choices = { .list = list, .count = 1 };
	usec_t wait;

	(void)state;
	bad(&choices, TROUBLE_LIMITED, 61 * USEC_SECOND, 0);
	assert_int_equal(choices_next(&choices, 0, 0, &wait), CHOICE_GIVE_UP);
	assert_int_equal(wait, 61 * USEC_SECOND);
	bad(&choices, TROUBLE_LIMITED, 10 * USEC_SECOND, 0);
	assert_int_equal(choices_next(&choices, 0, 10 * USEC_SECOND, &wait),
			 CHOICE_GIVE_UP);
	assert_int_equal(choices_next(&choices, 0, 11 * USEC_SECOND, &wait),
			 CHOICE_WAIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_messages_are_one_short_line),
		cmocka_unit_test(test_gemini_tells_the_wait_in_the_body),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_the_next_one_is_asked),
		cmocka_unit_test(test_patience_has_an_end),
		cmocka_unit_test(test_long_waits_are_not_sat_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
