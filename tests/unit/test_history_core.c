/* What two bots said, as turns: they alternate, and a question comes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "model/history_core.h"

/* "?text" is a question, "=text" an answer; "|" behind each. */
static void
told(const char *history, const char *question, const char *expected)
{
	struct json *json = NULL;
	struct err err = { 0 };
	struct talk talk = { 0 };
	struct buf found = { 0 };

	assert_int_equal(json_parse(history, strlen(history), &json, &err), 0);
	history_tell(&talk, json, "me");
	history_ask(&talk, question);
	for (size_t i = 0; i < talk.turns_count; i++)
		buf_printf(&found, "%c%s|", talk.turns[i].role == TALK_USER ? '?' : '=',
			   talk.turns[i].text);
	assert_string_equal(buf_text(&found), expected);
	buf_fini(&found);
	talk_fini(&talk);
	json_unref(&json);
}

static void
test_turns(void **state)
{
	(void)state;
	told("[]", "q", "?q|");
	told("null", "q", "?q|");
	told("[{\"from\":\"you\",\"body\":\"a\"},{\"from\":\"me\",\"body\":\"b\"}]",
	     "q", "?a|=b|?q|");
	told("[{\"from\":\"you\",\"body\":\"a\"},{\"from\":\"you\",\"body\":\"b\"}]",
	     "q", "?a\n\nb\n\nq|");
	told("[{\"from\":\"me\",\"body\":\"a\"},{\"from\":\"me\",\"body\":\"b\"}]", "q",
	     "?(You write first.)|=a\n\nb|?q|");
	told("[{\"from\":\"you\",\"body\":\"\"},{\"from\":null,\"body\":\"x\"}, 7]",
	     "q", "?x\n\nq|");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
