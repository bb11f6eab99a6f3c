/* The log: what a line looks like, how it stays one line, and that it never waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/uuid7.h"

struct capture {
	int saved; /* what standard error was before */
	int read_end;
};

static void
capture_begin(struct capture *capture)
{
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	capture->saved = dup(STDERR_FILENO);
	capture->read_end = pipes[0];
	assert_int_equal(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
	close(pipes[1]);
}

/* What was written since, into text. */
static void
capture_end(struct capture *capture, char *text, size_t size)
{
	ssize_t len, sum = 0;

	dup2(capture->saved, STDERR_FILENO); /* closes the last write end */
	close(capture->saved);
	while ((len = read(capture->read_end, text + sum, size - 1 - (size_t)sum)) > 0)
		sum += len;
	text[sum] = '\0';
	close(capture->read_end);
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no %s in %s", part, text);
}

/* "2026-01-31T12:00:00.000Z" at text */
static void
assert_time(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";

	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9'
				   : text[i] != form[i])
			fail_msg("no time: %s", text);
}

static void
test_a_json_line(void **state)
{
	struct capture capture;
	struct uuid id;
	char text[8192], pid[40];

	(void)state;
	assert_true(uuid_parse("018bcfe5-687b-7123-8abc-0123456789ab", 36, &id));
	log_open("worker", LOG_INFO, LOG_JSON);
	capture_begin(&capture);
	log_info("step.claimed", F_STR("step", "a\"b\n\xff\xc3\xa4"),
		 F_INT("attempt", -3), F_UUID("run", &id), F_STR("none", NULL),
		 F_UUID("nil", NULL));
	capture_end(&capture, text, sizeof text);
	assert_memory_equal(text, "{\"time\":\"", 9);
	assert_time(text + 9);
	snprintf(pid, sizeof pid, ",\"pid\":%d,", (int)getpid());
	assert_has(text, pid);
	assert_has(text, "\",\"level\":\"info\",\"event\":\"step.claimed\","
			 "\"program\":\"worker\",");
	assert_has(text, "\"step\":\"a\\\"b\\n\xef\xbf\xbd\xc3\xa4\",\"attempt\":-3,"
			 "\"run\":\"018bcfe5-687b-7123-8abc-0123456789ab\","
			 "\"none\":null,\"nil\":null}\n");
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void
test_a_text_line(void **state)
{
	struct capture capture;
	char text[8192], head[60];

	(void)state;
	log_open("cli", LOG_INFO, LOG_TEXT);
	capture_begin(&capture);
	log_warn("step.lost", F_STR("step", "draft"), F_STR("why", "two words"),
		 F_STR("empty", ""), F_STR("sly", "x\x1b[31m a=b"), F_INT("n", 7));
	capture_end(&capture, text, sizeof text);
	assert_time(text);
	snprintf(head, sizeof head, " warn  cli[%d] step.lost step=draft ",
		 (int)getpid());
	assert_has(text, head);
	assert_has(text, "why=\"two words\" empty=\"\" sly=\"x\\u001b[31m a=b\" n=7\n");
}

static void
test_levels(void **state)
{
	struct capture capture;
	enum log_level level = LOG_LEVELS;
	char text[8192];

	(void)state;
	assert_true(log_level_parse("debug", &level) && level == LOG_DEBUG);
	assert_true(log_level_parse("info", &level) && level == LOG_INFO);
	assert_true(log_level_parse("warn", &level) && level == LOG_WARN);
	assert_true(log_level_parse("error", &level) && level == LOG_ERROR);
	assert_false(log_level_parse("WARN", &level));
	assert_false(log_level_parse("", &level));
	assert_int_equal(level, LOG_ERROR);

	log_open("worker", LOG_DEBUG, LOG_JSON);
	log_set_level(LOG_WARN);
	assert_false(log_wants(LOG_INFO));
	assert_true(log_wants(LOG_WARN));
	capture_begin(&capture);
	log_debug("a.a", F_INT("n", 1));
	log_info("b.b", F_INT("n", 1));
	log_warn("c.c", F_INT("n", 1));
	log_error("d.d", F_INT("n", 1));
	capture_end(&capture, text, sizeof text);
	assert_null(strstr(text, "a.a"));
	assert_null(strstr(text, "b.b"));
	assert_has(text, "c.c");
	assert_has(text, "d.d");
}

static void
test_long_lines_stay_in_one_piece(void **state)
{
	struct capture capture;
	char text[20000], huge[10001];

	(void)state;
	for (size_t i = 0; i < sizeof huge - 1; i += 2)
		memcpy(huge + i, "\xc3\xa4", 2);
	huge[sizeof huge - 1] = '\0';
	log_open("worker", LOG_INFO, LOG_JSON);
	capture_begin(&capture);
	log_info("x.y", F_STR("a", huge), F_STR("b", huge + 1), F_STR("c", huge),
		 F_STR("d", huge), F_INT("last", 1));
	capture_end(&capture, text, sizeof text);
	assert_true(strlen(text) <= PIPE_BUF);
	assert_has(text, "\"a\":\"\xc3\xa4");
	assert_has(text, ",\"last\":1,\"cut\":true}\n");
	assert_null(strstr(text, "\xc3\""));
}

/* More than a pipe holds: the rest is dropped and counted, nothing waits. */
static void
test_a_full_pipe_drops_and_counts(void **state)
{
	struct capture capture;
	uint64_t before = log_dropped();
	char bytes[4096], *text = malloc(1 << 20);
	char note[60];

	(void)state;
	log_open("worker", LOG_INFO, LOG_JSON);
	capture_begin(&capture);
	alarm(20); /* a log that waits would wait for ever */
	for (int i = 0; i < 5000; i++)
		log_info("x.y", F_INT("n", i));
	assert_true(log_dropped() > before);
	assert_int_equal(read(capture.read_end, bytes, sizeof bytes), sizeof bytes);
	assert_int_equal(read(capture.read_end, bytes, sizeof bytes), sizeof bytes);
	before = log_dropped() - before;
	log_info("now.room", F_INT("n", 1));
	alarm(0);
	capture_end(&capture, text, 1 << 20);
	snprintf(note, sizeof note, "\"lines\":%llu}\n", (unsigned long long)before);
	assert_has(text, "log.dropped");
	assert_has(text, note);
	assert_has(strstr(text, "log.dropped"), "now.room");
	free(text);
}

static void
test_nobody_reads(void **state)
{
	uint64_t before = log_dropped();
	int saved = dup(STDERR_FILENO), pipes[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	close(pipes[1]);
	close(pipes[0]);
	log_info("x.y", F_INT("n", 1));
	close(STDERR_FILENO);
	log_info("x.y", F_INT("n", 1));
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(log_dropped(), before + 2);
}

static void
test_a_file_takes_every_line(void **state)
{
	uint64_t before = log_dropped();
	int saved = dup(STDERR_FILENO), lines = 0;
	FILE *file = tmpfile();
	char line[8192];

	(void)state;
	dup2(fileno(file), STDERR_FILENO);
	for (int i = 0; i < 1000; i++)
		log_info("x.y", F_INT("n", i));
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	while (fgets(line, sizeof line, file) != NULL)
		lines++;
	fclose(file);
	assert_int_equal(lines, 1000);
	assert_int_equal(log_dropped(), before);
}

/* A broken invariant ends the process, and says which one. */
static void
test_a_bug_is_logged_and_ends_the_process(void **state)
{
	struct capture capture;
	char text[8192];
	int status;
	pid_t child;

	(void)state;
	log_open("worker", LOG_INFO, LOG_JSON);
	capture_begin(&capture);
	child = fork();
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		bug("%d is not %d", 1, 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	capture_end(&capture, text, sizeof text);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_has(text, "\"level\":\"error\",\"event\":\"process.aborted\"");
	assert_has(text, "\"bug\":\"1 is not 2\"}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_json_line),
		cmocka_unit_test(test_a_text_line),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_long_lines_stay_in_one_piece),
		cmocka_unit_test(test_a_full_pipe_drops_and_counts),
		cmocka_unit_test(test_a_file_takes_every_line),
		cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_a_bug_is_logged_and_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
