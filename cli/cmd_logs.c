/*
 * stepmill logs: what the steps of a run wrote. The log's file is read in pieces, each
 * from where the one before ended, so that following a long one costs little.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "commands.h"
#include "log_filter.h"
#include "print.h"
#include "server.h"

#define PIECE  (4LL * 1024 * 1024)
#define PAUSE  (500 * USEC_MS)
#define LAST   "9000000000000000000" /* after every event: asks for none */
#define NO_LOG 404
#define NO_NEW 416

const struct arg logs_args[] = {
	{ "follow", 'f', NULL, "go on until the run is over" },
	{ "step", 's', "STEP", "only this step (its id in the file)" },
	{ "level", 'l', "LEVEL", "at least trace, debug, info, warn, error or fatal" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

struct reading {
	struct server *server;
	struct log_filter filter;
	char *id; /* of the run, for a path */
	bool json;
	long long at;    /* bytes of the file read so far */
	struct buf rest; /* a line whose end has not come */
};

static void
print_entry(const struct reading *reading, const char *line, size_t len)
{
	struct json *entry = NULL;
	struct err err = { 0 };
	struct buf out = { 0 };

	if (json_parse(line, len, &entry, &err) == 0 &&
	    json_type(entry) == JSON_OBJECT &&
	    log_filter_wants(&reading->filter, entry)) {
		if (reading->json)
			json_write(entry, &out);
		else
			log_filter_line(entry, &out);
		puts(buf_text(&out));
	}
	buf_fini(&out);
	json_unref(&entry);
}

static void
print_lines(struct reading *reading)
{
	const char *text = buf_text(&reading->rest), *end;
	size_t used = 0;

	while ((end = memchr(text + used, '\n', reading->rest.len - used)) != NULL) {
		print_entry(reading, text + used, (size_t)(end - text) - used);
		used = (size_t)(end - text) + 1;
	}
	buf_consume(&reading->rest, used);
	fflush(stdout);
}

/* One piece. *more: there may be another one behind it. */
static int
read_piece(struct reading *reading, bool *more)
{
	char *path = xprintf("/api/executions/%s/logs/download", reading->id);
	char *range =
	    xprintf("Range: bytes=%lld-%lld", reading->at, reading->at + PIECE - 1);
	struct question question = { .method = "GET", .path = path, .header = range };
	struct answer answer;
	int status = server_ask(reading->server, &question, &answer);

	*more = false;
	if (status == CLI_OK) {
		/* who does not know Range sends all of it again */
		size_t skip = answer.status == 206 ? 0 : (size_t)reading->at;

		if (answer.len > skip) {
			buf_add(&reading->rest, answer.text + skip, answer.len - skip);
			reading->at += (long long)(answer.len - skip);
		}
		*more = answer.status == 206 && answer.len == (size_t)PIECE;
	} else if (answer.status == NO_LOG || answer.status == NO_NEW) {
		status = CLI_OK;
	} else {
		status = server_refusal(reading->server, &answer);
	}
	answer_fini(&answer);
	free(range);
	free(path);
	return status;
}

static int
read_new(struct reading *reading)
{
	bool more = true;
	int status = CLI_OK;

	while (more && status == CLI_OK) {
		status = read_piece(reading, &more);
		print_lines(reading);
	}
	return status;
}

/* Asked before the log is read, so that nothing written before the end is missed. */
static int
ask_over(struct reading *reading, bool *over)
{
	char *path = xprintf("/api/executions/%s/events?since=" LAST, reading->id);
	struct answer answer;
	int status = server_call(reading->server, "GET", path, NULL, &answer);

	*over = json_bool(json_get(answer.json, "over"));
	answer_fini(&answer);
	free(path);
	return status;
}

static int
read_log(struct reading *reading, bool follow)
{
	bool over = false;
	int status;

	for (;;) {
		status = ask_over(reading, &over);
		if (status == CLI_OK)
			status = read_new(reading);
		if (status != CLI_OK || over || !follow)
			return status;
		server_pause(reading->server, PAUSE);
	}
}

int
cmd_logs(const struct command *command, const struct args *args)
{
	struct reading reading = { .json = args_has(args, "json") };
	struct err err = { 0 };
	int status;

	if (args->words_count != 1)
		return command_usage(command, "name one run");
	if (log_filter_read(&reading.filter, args_value(args, "level"),
			    args_value(args, "step"), &err) < 0)
		return command_usage(command, "%s", err.text);
	reading.server = server_open(command, args, &status);
	if (reading.server == NULL)
		return status;
	reading.id = url_segment(args->words[0]);
	server_about(reading.server, "run", args->words[0]);
	status = read_log(&reading, args_has(args, "follow"));
	buf_fini(&reading.rest);
	free(reading.id);
	server_close(&reading.server);
	return status;
}
