/* The log of a step: lines as JSON in two files, cut, masked, and never a reason to
 * fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "step_log.h"
#include "json/json.h"

#define FOLDER ".agent/workflows/executions/run"

static char project[64];

static int
setup(void **state)
{
	(void)state;
	log_open("test", LOG_ERROR, LOG_TEXT);
	strcpy(project, "/tmp/stepmill-log-XXXXXX");
	return mkdtemp(project) == NULL;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", project);
	return system(command);
}

static char *
content(const char *name)
{
	char *path = xprintf("%s/" FOLDER "/logs/%s", project, name);
	FILE *file = fopen(path, "r");
	struct buf text = { 0 };
	size_t got = 1;

	free(path);
	if (file == NULL)
		return NULL;
	while (got > 0) {
		got = fread(buf_reserve(&text, 4096), 1, 4096, file);
		buf_grow(&text, got);
	}
	fclose(file);
	return buf_take(&text);
}

/* "level:message|level:message|" of a file whose lines are JSON. */
static char *
messages(const char *name)
{
	char *text = content(name), *save = NULL;
	struct buf out = { 0 };

	assert_non_null(text);
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		struct json *json = NULL;
		struct err err = { 0 };

		if (json_parse(line, strlen(line), &json, &err) < 0)
			fail_msg("%s: %s", line, err.text);
		assert_int_equal(json_count(json), 4);
		assert_non_null(json_str(json_get(json, "time")));
		buf_printf(&out, "%s:%s|", json_str(json_get(json, "level")),
			   json_str(json_get(json, "message")));
		json_unref(&json);
	}
	free(text);
	return buf_take(&out);
}

static void
assert_messages(const char *name, const char *expected)
{
	char *got = messages(name);

	assert_string_equal(got, expected);
	free(got);
}

static void
test_nothing_said_no_files(void **state)
{
	struct step_log *log = step_log_new(project, FOLDER, 1, "quiet", NULL);
	struct stat st;
	char path[128];

	(void)state;
	step_log_free(&log);
	assert_null(log);
	snprintf(path, sizeof path, "%s/.agent", project);
	assert_int_equal(stat(path, &st), -1);
}

static void
test_lines_in_both_files(void **state)
{
	struct step_log *log =
	    step_log_new(project, FOLDER, 2, "My step/\xc3\xa9", NULL);
	struct stat st;
	char path[128];

	(void)state;
	step_log_write(log, STEP_INFO, "two\nlines", 9);
	step_log_printf(log, STEP_ERROR, "%d \"quotes\"", 3);
	step_log_free(&log);
	assert_messages("step-2-My-step--.log", "info:two\nlines|error:3 \"quotes\"|");
	assert_messages("execution.log", "info:two\nlines|error:3 \"quotes\"|");
	snprintf(path, sizeof path, "%s/" FOLDER "/logs", project);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
}

static void
test_streams(void **state)
{
	struct step_log *log = step_log_new(project, FOLDER, 3, "s", NULL);

	(void)state;
	step_log_stream(log, 1, "on", 2);
	step_log_stream(log, 2, "bad\r\n", 5);
	step_log_stream(log, 1, "e\ntwo\n\nth", 9);
	step_log_stream(log, 1, "ree", 3);
	step_log_free(&log); /* the rest */
	assert_messages("step-3-s.log", "warn:bad|info:one|info:two|info:|info:three|");
}

/* A line without an end is written in pieces; nothing grows. */
static void
test_a_line_without_end(void **state)
{
	struct step_log *log = step_log_new(project, FOLDER, 4, "s", NULL);
	char *data = malloc(100000), *text, *at;
	int lines = 0;

	(void)state;
	memset(data, 'x', 100000);
	for (int i = 0; i < 10; i++)
		step_log_stream(log, 1, data, 100000);
	step_log_free(&log);
	text = content("step-4-s.log");
	for (at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 1000000 / 65536 + 1);
	free(text);
	free(data);
}

static void
test_a_flood_is_cut_and_said(void **state)
{
	struct step_log *log = step_log_new(project, FOLDER, 5, "s", NULL);
	char *data = malloc(1000000), *text;

	(void)state;
	memset(data, 'y', 1000000);
	for (int i = 0; i < 1000000; i += 100)
		data[i] = '\n';
	for (int i = 0; i < 40; i++)
		step_log_stream(log, 1, data, 1000000);
	step_log_printf(log, STEP_INFO, "our own words still come");
	step_log_free(&log);
	text = content("step-5-s.log");
	assert_true(strlen(text) < 17 * 1024 * 1024);
	assert_non_null(strstr(text, "is left out"));
	assert_non_null(strstr(text, "our own words still come"));
	free(text);
	free(data);
}

static void
test_secrets_are_masked(void **state)
{
	struct mask *mask = mask_new();
	struct step_log *log;
	char *text;

	(void)state;
	mask_add(mask, "hunter2-canary", 14);
	log = step_log_new(project, FOLDER, 6, "s", mask);
	step_log_printf(log, STEP_INFO, "key=hunter2-canary;");
	/* split over two writes of a program */
	step_log_stream(log, 1, "key=hunter", 10);
	step_log_stream(log, 1, "2-canary!\n", 10);
	/* the other stream between its halves, and a line that begins like one */
	step_log_stream(log, 1, "again hunter2-", 14);
	step_log_stream(log, 2, "hunter2-\n", 9);
	step_log_stream(log, 1, "canary\n", 7);
	step_log_free(&log);
	text = content("step-6-s.log");
	assert_null(strstr(text, "canary"));
	assert_non_null(strstr(text, "again ***\""));
	assert_non_null(strstr(text, "\"hunter2-\""));
	assert_non_null(strstr(text, "key=***;"));
	assert_non_null(strstr(text, "key=***!"));
	free(text);
	mask_free(&mask);
}

/* Each line of a key is one line of the log at most, and none shows anything. */
static void
test_secrets_of_several_lines(void **state)
{
	static const char key[] = "MIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n";
	struct mask *mask = mask_new();
	struct step_log *log;
	char *text;

	(void)state;
	mask_add(mask, key, sizeof key - 1);
	log = step_log_new(project, FOLDER, 8, "s", mask);
	step_log_stream(log, 1, "key: MIIEvQIBADANBgkq\nhkiG9w0", 29);
	step_log_stream(log, 1, "BAQEFAASC\nalone: hkiG9w0BAQEFAASC\n", 34);
	step_log_free(&log);
	text = content("step-8-s.log");
	assert_null(strstr(text, "MIIE"));
	assert_null(strstr(text, "hkiG"));
	assert_non_null(strstr(text, "\"key: ***"));
	assert_non_null(strstr(text, "alone: ***\""));
	free(text);
	mask_free(&mask);
}

static void
test_binary_is_still_json(void **state)
{
	struct step_log *log = step_log_new(project, FOLDER, 7, "s", NULL);
	char *got;

	(void)state;
	step_log_stream(log, 1, "a\0b\xff\x01\n", 6);
	step_log_free(&log);
	got = messages("step-7-s.log");
	assert_int_equal(strncmp(got, "info:a", 6), 0);
	free(got);
}

/* A run's folder that is a link to elsewhere, a file in the way, no project at all. */
static void
test_what_cannot_be_written_is_lost(void **state)
{
	struct step_log *log;
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/elsewhere", project);
	assert_int_equal(symlink("/tmp", path), 0);
	log = step_log_new(project, "elsewhere/x", 1, "s", NULL);
	step_log_printf(log, STEP_INFO, "lost");
	step_log_free(&log);
	assert_int_equal(access("/tmp/x/logs", F_OK), -1);
	log = step_log_new("/no/such/project", FOLDER, 1, "s", NULL);
	step_log_printf(log, STEP_INFO, "lost");
	step_log_stream(log, 1, "x\n", 2);
	step_log_free(&log);
	step_log_printf(NULL, STEP_INFO, "no log at all");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_said_no_files),
		cmocka_unit_test(test_lines_in_both_files),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_a_line_without_end),
		cmocka_unit_test(test_a_flood_is_cut_and_said),
		cmocka_unit_test(test_secrets_are_masked),
		cmocka_unit_test(test_secrets_of_several_lines),
		cmocka_unit_test(test_binary_is_still_json),
		cmocka_unit_test(test_what_cannot_be_written_is_lost),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
