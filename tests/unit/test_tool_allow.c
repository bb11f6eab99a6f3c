/* Which tools a list of names with stars allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/tool_names.h"
#include "json/json.h"

static void
test_lists(void **state)
{
	static const struct {
		const char *list, *name;
		bool allowed;
	} rows[] = {
		{ "[]", "shell", false },
		{ "[\"shell\"]", "shell", true },
		{ "[\"shell\"]", "shells", false },
		{ "[\"shell\"]", "shel", false },
		{ "[\"*\"]", "git.push", true },
		{ "[\"git.*\"]", "git.push", true },
		{ "[\"git.*\"]", "github", false },
		{ "[\"git.*\"]", "git.", true },
		{ "[\"*.write\"]", "files.write", true },
		{ "[\"*.write\"]", "files.writer", false },
		{ "[\"f*s.*e\"]", "files.write", true },
		{ "[\"f*s.*e\"]", "files.read", false },
		{ "[\"*a*b\"]", "aab", true },
		{ "[\"*ab\"]", "aab", true },
		{ "[\"**\"]", "", true },
		{ "[\"\"]", "a", false },
		{ "[\"json.*\", \"git.log\"]", "git.log", true },
		{ "[1, null]", "shell", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json *list = NULL;
		struct err err = { 0 };

		assert_int_equal(
		    json_parse(rows[i].list, strlen(rows[i].list), &list, &err), 0);
		if (tool_names_allow(list, rows[i].name) != rows[i].allowed)
			fail_msg("%s: %s", rows[i].list, rows[i].name);
		json_unref(&list);
	}
	assert_true(tool_names_allow(NULL, "shell"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
