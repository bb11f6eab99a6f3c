/* Errors as values: kinds, text that is one clean line, context in front. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <stdio.h>

#include "base/err.h"

static void
test_set_keeps_kind_and_text(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, ERR_LOST, "step %d of \"%s\"", 3, "a"), -1);
	assert_int_equal(err.kind, ERR_LOST);
	assert_string_equal(err.text, "step 3 of \"a\"");
}

static void
test_in_puts_context_in_front_and_keeps_the_kind(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_INPUT, "unknown action \"%s\"", "modle");
	assert_int_equal(err_in(&err, "step \"%s\"", "draft"), -1);
	assert_int_equal(err_in(&err, "workflow"), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.text,
			    "workflow: step \"draft\": unknown action \"modle\"");
}

static void
test_the_old_text_may_be_an_argument(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_RETRY, "gone");
	err_set(&err, ERR_LOST, "it was: %s", err.text);
	assert_string_equal(err.text, "it was: gone");
	err_in(&err, "%s", err.text);
	assert_string_equal(err.text, "it was: gone: it was: gone");
}

static void
test_errno_names_the_reason(void **state)
{
	struct err err = { 0 };

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_errno(&err, "cannot open %s", "x"), -1);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_string_equal(err.text, "cannot open x: No such file or directory");
}

static void
test_text_is_one_clean_line(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_INPUT, "a\nb\tc\x1b[31m\x7f \xc3\xa4 \xff \xc3");
	assert_string_equal(err.text, "a b c [31m  \xc3\xa4 ? ?");
}

static void
test_long_text_is_cut_between_characters(void **state)
{
	struct err err = { 0 };
	char text[3001];

	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[sizeof text - 1] = '\0';
	err_set(&err, ERR_INPUT, "%s",
		text); /* 999 bytes fit: half a character too many */
	assert_int_equal(strlen(err.text), 998);
	assert_memory_equal(err.text, text, 998);
	err_set(&err, ERR_INPUT, ".%s", text);
	assert_int_equal(strlen(err.text), 999);
	err_in(&err, "%s", text); /* and a colon fits behind */
	assert_int_equal(strlen(err.text), 999);
}

static void
test_clear_and_null(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_INPUT, "x");
	err_clear(&err);
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(err.text, "");
	assert_int_equal(err_set(NULL, ERR_INPUT, "x"), -1);
	assert_int_equal(err_in(NULL, "x"), -1);
	assert_int_equal(err_errno(NULL, "x"), -1);
	err_clear(NULL);
}

static void
test_every_kind_has_its_own_name(void **state)
{
	(void)state;
	for (int a = 0; a < ERR_KINDS; a++) {
		assert_non_null(err_kind_name((enum err_kind)a));
		for (int b = 0; b < a; b++)
			assert_string_not_equal(err_kind_name((enum err_kind)a),
						err_kind_name((enum err_kind)b));
	}
	assert_string_equal(err_kind_name(ERR_KINDS), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_keeps_kind_and_text),
		cmocka_unit_test(test_in_puts_context_in_front_and_keeps_the_kind),
		cmocka_unit_test(test_the_old_text_may_be_an_argument),
		cmocka_unit_test(test_errno_names_the_reason),
		cmocka_unit_test(test_text_is_one_clean_line),
		cmocka_unit_test(test_long_text_is_cut_between_characters),
		cmocka_unit_test(test_clear_and_null),
		cmocka_unit_test(test_every_kind_has_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
