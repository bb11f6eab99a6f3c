/* See workflow_test.h. What is answered is rehearsal_core.c's; here are the record, the
 * program, the lines between, and what is said in the end. */
#include "workflow_test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "clock.h"
#include "file.h"
#include "follow.h"
#include "input.h"
#include "print.h"
#include "program_start.h"
#include "rehearsal_core.h"
#include "server.h"
#include "text.h"

#define RECORD_MAX ((size_t)64 * 1024 * 1024)
#define LINE_MOST  ((size_t)4 * 1024 * 1024)
#define PIECE      65536
#define SILENCE    (60 * USEC_SECOND) /* so long a function may take */
#define FAREWELL   (2 * USEC_SECOND)  /* so long after the end it may take to leave */

struct test {
	const struct command *command;
	const struct args *args;
	struct rehearsal *rehearsal;
	struct started program;
	struct buf in;
	size_t shown; /* steps that were printed */
};

/* ---- the record ---- */

static int
read_record_file(struct test *test, const char *path, struct json **record)
{
	struct err err = { 0 };
	size_t len = 0;
	char *text = file_read(path, RECORD_MAX, &len, &err);

	if (text == NULL || json_parse(text, len, record, &err) < 0) {
		free(text);
		return command_fail(test->command, CLI_USAGE, "--record %s: %s", path,
				    err.text);
	}
	free(text);
	return CLI_OK;
}

static int
read_record(struct test *test, struct json **record)
{
	const char *file = args_value(test->args, "record");
	const char *run = args_value(test->args, "against");
	struct server *server;
	int status;

	*record = NULL;
	if (file != NULL && run != NULL)
		return command_usage(test->command,
				     "either --record or --against, not both");
	if (file != NULL)
		return read_record_file(test, file, record);
	if (run == NULL)
		return CLI_OK;
	server = server_open(test->command, test->args, &status);
	if (server == NULL)
		return status;
	server_about(server, "run", run);
	*record = follow_fetch(server, run, &status);
	server_close(&server);
	return *record != NULL ? CLI_OK : status;
}

/* ---- what is shown ---- */

static void
show_steps(struct test *test)
{
	const struct json *steps = json_get(rehearsal_report(test->rehearsal), "steps");
	struct buf line = { 0 };

	if (args_has(test->args, "json"))
		return;
	for (; test->shown < json_count(steps); test->shown++) {
		const struct json *step = json_at(steps, test->shown);

		buf_clear(&line);
		text_clean(json_str(json_get(step, "action")), &line);
		buf_char(&line, ' ');
		text_clean(json_str(json_get(step, "name")), &line);
		printf("%3zu  %-40s %s\n", test->shown + 1, buf_text(&line),
		       json_str(json_get(step, "was")));
	}
	buf_fini(&line);
}

static void
show_end(struct test *test, const struct json *report)
{
	const struct json *unasked = json_get(report, "unasked");
	const char *why = json_str(json_get(json_get(report, "error"), "message"));
	struct buf line = { 0 };

	for (size_t i = 0; i < json_count(unasked); i++) {
		buf_clear(&line);
		text_clean(json_str(json_at(unasked, i)), &line);
		printf("     recorded, and not asked for: %s\n", buf_text(&line));
	}
	buf_clear(&line);
	print_value(json_get(report, "workflow"), &line);
	printf("%s %s", buf_text(&line), json_str(json_get(report, "end")));
	buf_clear(&line);
	if (why != NULL)
		text_clean(why, &line);
	printf("%s%s\n", why != NULL ? ": " : "", buf_text(&line));
	buf_fini(&line);
	(void)test;
}

/* ---- the program ---- */

static int
write_answer(int fd, const struct json *answer)
{
	struct buf line = { 0 };
	size_t done = 0;

	json_write(answer, &line);
	buf_char(&line, '\n');
	while (done < line.len) {
		ssize_t sent =
		    send(fd, line.data + done, line.len - done, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			break;
		done += sent > 0 ? (size_t)sent : 0;
	}
	buf_fini(&line);
	return done > 0 ? 0 : -1;
}

static int
take_line(struct test *test, const char *text, size_t len, struct err *err)
{
	struct json *message = NULL, *answer = NULL;
	int result = json_parse(text, len, &message, err);

	if (result == 0)
		result = rehearsal_take(test->rehearsal, message, &answer, err);
	if (result == 0 && answer != NULL)
		(void)write_answer(test->program.fd, answer); /* its end tells more */
	json_unref(&answer);
	json_unref(&message);
	show_steps(test);
	return result;
}

static int
take_lines(struct test *test, struct err *err)
{
	char *end;

	while (test->in.len > 0 &&
	       (end = memchr(test->in.data, '\n', test->in.len)) != NULL) {
		size_t len = (size_t)(end - test->in.data);

		if (take_line(test, test->in.data, len, err) < 0)
			return -1;
		buf_consume(&test->in, len + 1);
	}
	return test->in.len > LINE_MOST
		   ? err_set(err, ERR_LIMIT,
			     "the program wrote a line that is too long")
		   : 0;
}

/* 1: go on, 0: it has ended, -1: what is wrong stands in err. */
static int
read_more(struct test *test, usec_t patience, struct err *err)
{
	struct pollfd ready = { .fd = test->program.fd, .events = POLLIN };
	int polled = poll(&ready, 1, (int)(patience / 1000));
	ssize_t got;

	if (polled == 0)
		return err_set(err, ERR_RETRY, "the program said nothing for %lld s",
			       (long long)(patience / USEC_SECOND));
	got = read(test->program.fd, buf_reserve(&test->in, PIECE), PIECE);
	if (got < 0 && errno == EINTR)
		return 1;
	if (got <= 0)
		return 0;
	buf_grow(&test->in, (size_t)got);
	return take_lines(test, err) < 0 ? -1 : 1;
}

static int
converse(struct test *test, struct err *err)
{
	int more = 1;

	while (more > 0)
		more = read_more(test,
				 rehearsal_end(test->rehearsal) == REHEARSAL_GOES_ON
				     ? SILENCE
				     : FAREWELL,
				 err);
	if (more < 0 && rehearsal_end(test->rehearsal) != REHEARSAL_GOES_ON)
		err_clear(err); /* it was over anyway */
	return err->kind == ERR_NONE ? 0 : -1;
}

static int
judge(struct test *test)
{
	const struct json *report = rehearsal_report(test->rehearsal);
	enum rehearsal_end end = rehearsal_end(test->rehearsal);

	if (args_has(test->args, "json"))
		print_json(report);
	else
		show_end(test, report);
	if (end == REHEARSAL_GOES_ON)
		return command_fail(test->command, CLI_FAILED,
				    "the program ended without saying how");
	return end == REHEARSAL_DONE || end == REHEARSAL_BEYOND ? CLI_OK : CLI_FAILED;
}

static int
perform(struct test *test, const char *path)
{
	struct err err = { 0 };
	int failed;

	if (program_start(path, &test->program, &err) < 0)
		return command_fail(test->command, CLI_USAGE, "%s", err.text);
	failed = converse(test, &err);
	program_stop(&test->program);
	buf_fini(&test->in);
	if (failed < 0)
		return command_fail(test->command, CLI_FAILED, "%s", err.text);
	return judge(test);
}

int
workflow_test(const struct command *command, const struct args *args)
{
	struct test test = { .command = command, .args = args };
	struct json *record = NULL, *input = NULL;
	struct err err = { 0 };
	char *folder = realpath(".", NULL);
	int status = read_record(&test, &record);

	if (status == CLI_OK && input_read(args_value(args, "input"), args->words + 2,
					   args->words_count - 2, &input, &err) < 0)
		status = command_usage(command, "%s", err.text);
	if (status == CLI_OK) {
		test.rehearsal = rehearsal_new(record, input, folder, &err);
		status = test.rehearsal != NULL
			     ? perform(&test, args->words[1])
			     : command_fail(command, CLI_USAGE, "%s", err.text);
	}
	rehearsal_free(&test.rehearsal);
	json_unref(&record);
	json_unref(&input);
	free(folder);
	return status;
}
