/* Schedules as people say them, by tests/tables/human.txt; each is a schedule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "lang/cron_parse.h"
#include "lang/human_schedule.h"
#include "text_file.h"

static void
check_line(const char *line)
{
	const char *arrow = strstr(line, " -> ");
	char got[1100], out[HUMAN_SCHEDULE_SIZE];
	struct err err = { 0 };
	struct cron cron;
	size_t len;

	assert_non_null(arrow);
	len = (size_t)(arrow - line);
	if (human_schedule(line, len, out, &err) < 0) {
		snprintf(got, sizeof got, "error: %s", err.text);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_int_equal(cron_parse(line, len, &cron, &err), -1);
	} else {
		snprintf(got, sizeof got, "%s", out);
		assert_int_equal(cron_parse(line, len, &cron, &err), 0);
	}
	if (strcmp(got, arrow + 4) != 0)
		fail_msg("%s\n  got %s", line, got);
}

static void
test_table(void **state)
{
	char *text = text_file_read(TESTS_DIR "/tables/human.txt", NULL), *save = NULL;
	int lines = 0;

	(void)state;
	assert_non_null(text);
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		check_line(line);
		lines++;
	}
	assert_true(lines > 50);
	free(text);
}

/* The longest pattern that can be said fits. */
static void
test_everything_at_once(void **state)
{
	char text[400] = "monthly on 1", out[HUMAN_SCHEDULE_SIZE];
	struct err err = { 0 };

	(void)state;
	for (int i = 2; i <= 31; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), ",%d", i);
	snprintf(text + strlen(text), sizeof text - strlen(text), ",last at 0:59");
	for (int i = 1; i <= 23; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), ",%d:59", i);
	assert_int_equal(human_schedule(text, strlen(text), out, &err), 0);
	assert_string_equal(out + strlen(out) - 8, "31,L * *");
}

/* A NUL is a character like another, and no end. */
static void
test_strange_bytes(void **state)
{
	static const char texts[][20] = { "daily\0at 9", "every 5 minutes\0",
					  "every \0 minutes", "\0daily     ",
					  "daily at 9\xc3\xa9  " };
	static const size_t lens[] = { 10, 16, 15, 6, 12 };
	char out[HUMAN_SCHEDULE_SIZE];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
		assert_int_equal(human_schedule(texts[i], lens[i], out, &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_everything_at_once),
		cmocka_unit_test(test_strange_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
