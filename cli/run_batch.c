/* See run_batch.h. */
#include "run_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/uuid7.h"
#include "base/xalloc.h"
#include "clock.h"
#include "file.h"
#include "print.h"

#define PATIENCE (30 * USEC_SECOND) /* with a server that is away, for one call */
#define AGAIN    (USEC_SECOND / 2)
#define TIMEOUT  (300 * USEC_SECOND) /* of one call */

struct run_batch {
	char *text;
	struct json *items; /* the inputs */
	size_t at;          /* the next one to be started */
	size_t began;       /* of the call that is under way */
	struct json *ids;
};

/* ---- reading ---- */

void
run_batch_free(struct run_batch **batch_p)
{
	struct run_batch *batch = *batch_p;

	if (batch == NULL)
		return;
	*batch_p = NULL;
	json_unref(&batch->items);
	json_unref(&batch->ids);
	free(batch->text);
	free(batch);
}

static int
read_line(struct run_batch *batch, const char *line, size_t len, size_t number,
	  struct err *err)
{
	struct json *item;

	if (strspn(line, " \t\r\n") >= len)
		return 0;
	if (json_parse(line, len, &item, err) < 0)
		return err_in(err, "line %zu of the file", number);
	json_append(batch->items, item);
	return 0;
}

static int
read_lines(struct run_batch *batch, size_t len, struct err *err)
{
	const char *line = batch->text, *end = batch->text + len, *stop;
	size_t number = 0;

	batch->items = json_new_array();
	for (; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL)
			stop = end;
		if (read_line(batch, line, (size_t)(stop - line), ++number, err) < 0)
			return -1;
	}
	return 0;
}

/* What begins with [ is one list, all else lines. */
static int
read_items(struct run_batch *batch, size_t len, struct err *err)
{
	int result = batch->text[strspn(batch->text, " \t\r\n")] == '['
			 ? json_parse(batch->text, len, &batch->items, err)
			 : read_lines(batch, len, err);

	if (result == 0 && json_count(batch->items) == 0)
		return err_set(err, ERR_INPUT, "there is no input in it");
	return result;
}

struct run_batch *
run_batch_read(const char *path, struct err *err)
{
	struct run_batch *batch = xcalloc(1, sizeof *batch);
	size_t len;

	batch->ids = json_new_array();
	batch->text = file_read(path, BATCH_FILE_MAX, &len, err);
	if (batch->text == NULL || read_items(batch, len, err) < 0)
		run_batch_free(&batch);
	else
		free(batch->text), batch->text = NULL;
	return batch;
}

/* ---- one call ---- */

/* {"inputs": [...], "priority"}; as many as go in. */
static void
fill(struct run_batch *batch, const char *priority, struct buf *body)
{
	size_t count = json_count(batch->items);

	batch->began = batch->at;
	buf_str(body, "{\"inputs\":[");
	while (batch->at < count && batch->at - batch->began < BATCH_RUNS &&
	       body->len < BATCH_BYTES) {
		if (batch->at > batch->began)
			buf_char(body, ',');
		json_write(json_at(batch->items, batch->at++), body);
	}
	buf_char(body, ']');
	if (priority != NULL) {
		buf_str(body, ",\"priority\":");
		json_write_string(priority, strlen(priority), body);
	}
	buf_char(body, '}');
}

/* Whether the same call may go better a little later. */
static bool
is_passing(const struct answer *answer)
{
	return answer->status == 0 || answer->status == 409 || answer->status == 429 ||
	       answer->status == 502 || answer->status == 503 || answer->status == 504;
}

/* Asked again under one key, it starts its runs once. */
static int
insist(struct server *server, const struct question *question, struct answer *answer)
{
	usec_t until = clock_mono() + PATIENCE;
	int status;

	while ((status = server_ask(server, question, answer)) != CLI_OK &&
	       is_passing(answer) && clock_mono() < until && !server_gave_up(server)) {
		answer_fini(answer);
		server_pause(server, AGAIN);
	}
	return status;
}

/* Inputs are counted from the beginning of the file, not of the call. */
static void
shift_paths(const struct run_batch *batch, const struct json *errors)
{
	for (size_t i = 0; i < json_count(errors); i++) {
		struct json *error = json_at(errors, i);
		const char *path = json_str(json_get(error, "path"));
		unsigned long long index;
		char *shifted;
		int len = 0;

		if (path == NULL || sscanf(path, "inputs[%llu%n", &index, &len) != 1)
			continue;
		shifted = xprintf("inputs[%llu%s", index + batch->began, path + len);
		json_set(error, "path", json_new_str(shifted));
		free(shifted);
	}
}

static int
take_ids(struct run_batch *batch, const struct command *command, struct server *server,
	 const struct answer *answer)
{
	const struct json *ids = json_get(answer->json, "executionIds");

	if (json_count(ids) != batch->at - batch->began)
		return command_fail(command, CLI_FAILED,
				    "%s does not answer as stepmill does",
				    server_url(server));
	for (size_t i = 0; i < json_count(ids); i++)
		json_append(batch->ids, json_ref(json_at(ids, i)));
	return CLI_OK;
}

static int
start_some(struct run_batch *batch, const struct command *command, const char *priority,
	   struct server *server, const char *path)
{
	struct uuid id = uuid7_new((usec_t)time(NULL) * USEC_SECOND);
	struct buf body = { 0 };
	struct answer answer;
	char text[UUID_TEXT];
	char *header = xprintf("Idempotency-Key: %s", uuid_format(&id, text));
	struct question question = { .method = "POST",
				     .path = path,
				     .header = header,
				     .content_type = "application/json",
				     .body_stays = true,
				     .timeout = TIMEOUT };
	int status;

	fill(batch, priority, &body);
	question.body = buf_text(&body);
	question.len = body.len;
	status = insist(server, &question, &answer);
	if (status == CLI_OK) {
		status = take_ids(batch, command, server, &answer);
	} else {
		shift_paths(batch, json_get(answer.json, "errors"));
		status = server_refusal(server, &answer);
	}
	answer_fini(&answer);
	buf_fini(&body);
	free(header);
	return status;
}

/* ---- all of them ---- */

static void
print_progress(const struct run_batch *batch)
{
	size_t all = json_count(batch->items), done = json_count(batch->ids);

	if (isatty(STDERR_FILENO) && all > BATCH_RUNS)
		fprintf(stderr, "\r%zu of %zu runs%s", done, all,
			done == all ? "\n" : "");
}

static void
print_ids(const struct run_batch *batch, bool as_json)
{
	size_t count = json_count(batch->ids);
	struct json *answer;

	if (as_json) {
		answer = json_new_object();
		json_set(answer, "executionIds", json_ref(batch->ids));
		print_json(answer);
		json_unref(&answer);
	} else if (isatty(STDOUT_FILENO) && count > 1) {
		printf("%zu runs were started, from %s to %s\n", count,
		       json_str(json_at(batch->ids, 0)),
		       json_str(json_at(batch->ids, count - 1)));
	} else {
		for (size_t i = 0; i < count; i++)
			puts(json_str(json_at(batch->ids, i)));
	}
}

int
run_batch_start(struct run_batch *batch, const struct command *command,
		const struct args *args, struct server *server, const char *workflow)
{
	char *segment = url_segment(workflow);
	char *path = xprintf("/api/workflows/%s/execute-batch", segment);
	size_t all = json_count(batch->items);
	int status = CLI_OK;

	while (status == CLI_OK && batch->at < all) {
		status = start_some(batch, command, args_value(args, "priority"),
				    server, path);
		print_progress(batch);
	}
	if (status != CLI_OK && json_count(batch->ids) > 0)
		command_fail(command, status, "only the first %zu of %zu were started",
			     json_count(batch->ids), all);
	if (json_count(batch->ids) > 0)
		print_ids(batch, args_has(args, "json"));
	free(segment);
	free(path);
	return status;
}
