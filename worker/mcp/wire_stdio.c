/*
 * A server as a child program: a message is a line of its standard input or output. It
 * runs as programs of steps do (program.h), so it cannot outlive the worker, but is no
 * step's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "loop/stream.h"
#include "mcp/lines_core.h"
#include "mcp/wire.h"
#include "program.h"

#define UNSENT_MAX   (64 * 1024 * 1024) /* that it has not read */
#define END_PATIENCE (500 * USEC_MS)    /* after the end of its input */
#define ASK_PATIENCE (2 * USEC_SECOND)  /* after SIGTERM */
#define SENT_MAX     1024               /* requests on their way */
#define SAID_MAX     300                /* bytes of its last words in a message */

/* Where a request ends, in bytes since the start. */
struct sent {
	int64_t id;
	bool broken; /* the pipe was, when it was written */
};

struct stdio_wire {
	struct mcp_wire wire;
	struct program *program;
	struct stream *input; /* ours to write; NULL once it is closed */
	struct mcp_lines lines;
	struct timer *patience; /* also: tells an end that was found while opening */
	struct sent sent[SENT_MAX];
	size_t sent_count;
	bool over;  /* on_end was told */
	bool fault; /* it broke the rules, and is ended for that */
	bool closing, asked;
	char why[1200];
	bool final;
};

static struct stdio_wire *
stdio_of(struct mcp_wire *wire)
{
	return (struct stdio_wire *)wire;
}

/* ---- the end ---- */

static void
tell_end(struct stdio_wire *wire)
{
	const struct mcp_loss loss = {
		.reach = MCP_UNKNOWN,
		.final = wire->final,
		.why = wire->why,
	};

	if (wire->over)
		return;
	wire->over = true;
	timer_stop(wire->patience);
	wire->wire.conf.events->on_end(wire->wire.conf.context, &loss);
}

/* Which rule it broke is more than how it ended then. */
static void
break_off(struct stdio_wire *wire, const char *why)
{
	if (wire->fault || wire->over)
		return;
	wire->fault = true;
	snprintf(wire->why, sizeof wire->why, "%s", why);
	program_stop(wire->program, STOP_FORCE);
}

static void
on_program_end(void *context, const struct program_end *end)
{
	struct stdio_wire *wire = context;
	struct buf said = { 0 };

	if (!wire->fault) {
		if (end->code == NULL)
			output_last_line(end->errors, SAID_MAX, &said);
		if (!end->started)
			snprintf(wire->why, sizeof wire->why, "%s", end->why);
		else
			snprintf(wire->why, sizeof wire->why,
				 "its program ended: %s%s%s",
				 end->code != NULL ? end->why : "exit status 0",
				 said.len > 0 ? ": " : "", buf_text(&said));
		wire->final = !end->started && end->final;
	}
	buf_fini(&said);
	program_free(&wire->program);
	tell_end(wire);
}

/* ---- what it says ---- */

static void
on_line(void *context, const char *line, size_t len)
{
	struct stdio_wire *wire = context;
	const struct mcp_wire_conf *conf = &wire->wire.conf;
	struct json *message = NULL;
	struct err err = { 0 };

	if (wire->fault)
		return;
	if (json_parse(line, len, &message, &err) < 0 ||
	    (json_type(message) != JSON_OBJECT && json_type(message) != JSON_ARRAY))
		conf->events->on_garbage(conf->context, line, len);
	else
		conf->events->on_message(conf->context, message);
	json_unref(&message);
}

static void
on_out(void *context, const char *data, size_t len)
{
	struct stdio_wire *wire = context;
	struct err err = { 0 };

	if (wire->fault || wire->over)
		return;
	if (len == 0) {
		if (!wire->closing)
			timer_set(wire->patience, END_PATIENCE); /* it may be ending */
		return;
	}
	if (mcp_lines_feed(&wire->lines, data, len, on_line, wire, &err) < 0) {
		err_in(&err, "it wrote");
		break_off(wire, err.text);
	}
}

/* A pipe that it does not read any more: how it ends tells more. */
static void
on_input_end(void *context, const char *error)
{
	(void)context;
	(void)error;
}

static const struct stream_events input_events = {
	.on_input = (void (*)(void *))abort,
	.on_end = on_input_end,
};

/* ---- the start ---- */

/* Its variables: those that are handed on, then those that it is given. */
static char **
environment_of(const struct stdio_wire *wire)
{
	const struct mcp_server *server = wire->wire.conf.server;
	size_t count = 0;
	char **list = xcalloc(server->pass.count + server->env.count + 1, sizeof *list);

	for (size_t i = 0; i < server->pass.count; i++) {
		const char *name = server->pass.list[i];

		if (getenv(name) != NULL)
			list[count++] = xprintf("%s=%s", name, getenv(name));
	}
	for (size_t i = 0; i < server->env.count; i++)
		list[count++] = xprintf("%s=%s", server->env.list[i].name,
					server->env.list[i].value);
	return list;
}

static void
free_list(char **list)
{
	for (char **at = list; *at != NULL; at++) {
		explicit_bzero(*at, strlen(*at));
		free(*at);
	}
	free(list);
}

static int
open_folder(const struct stdio_wire *wire, struct err *err)
{
	const struct mcp_wire_conf *conf = &wire->wire.conf;
	const char *path = conf->server->cwd != NULL ? conf->server->cwd
						     : conf->settings->project_path;
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		err_errno(err, "%s", path);
	return fd;
}

static int
start_program(struct stdio_wire *wire, int folder, int input, struct err *err)
{
	const struct mcp_server *server = wire->wire.conf.server;
	const char **argv = xcalloc(server->command.count + 1, sizeof *argv);
	char **environment = environment_of(wire);
	const struct program_spec spec = {
		.argv = argv,
		.folder = folder,
		.environment = (const char *const *)environment,
		.input_fd = input,
		.on_out = on_out,
	};
	int result;

	for (size_t i = 0; i < server->command.count; i++)
		argv[i] = server->command.list[i];
	result = program_start(wire->program, &spec, on_program_end, wire, err);
	free_list(environment);
	free(argv);
	return result;
}

static int
start(struct stdio_wire *wire, struct err *err)
{
	const struct mcp_wire_conf *conf = &wire->wire.conf;
	int folder, pipe[2], result;

	folder = open_folder(wire, err);
	if (folder < 0)
		return -1;
	wire->program = program_new_shared(conf->programs, err);
	if (wire->program == NULL || pipe2(pipe, O_CLOEXEC) < 0) {
		if (wire->program != NULL)
			err_errno(err, "pipe");
		close(folder);
		return -1;
	}
	wire->input = stream_new(conf->loop, pipe[1], &input_events, wire);
	result = start_program(wire, folder, pipe[0], err);
	close(folder);
	return result;
}

/* Of an end that was found while opening; of one that is waited for. */
static void
on_patience(void *context)
{
	struct stdio_wire *wire = context;

	if (wire->program == NULL) {
		tell_end(wire);
		return;
	}
	if (!wire->closing) {
		break_off(wire, "it closed its standard output");
		return;
	}
	program_stop(wire->program, wire->asked ? STOP_FORCE : STOP_ASK);
	wire->asked = true;
	timer_set(wire->patience, ASK_PATIENCE);
}

static struct mcp_wire *
stdio_open(const struct mcp_wire_conf *conf)
{
	struct stdio_wire *wire = xcalloc(1, sizeof *wire);
	struct err err = { 0 };

	wire->wire = (struct mcp_wire){ &mcp_wire_stdio, *conf };
	wire->patience = timer_new(conf->loop, on_patience, wire);
	if (start(wire, &err) == 0)
		return &wire->wire;
	snprintf(wire->why, sizeof wire->why, "%s", err.text);
	wire->final = err.kind == ERR_INPUT;
	program_free(&wire->program);
	stream_free(&wire->input);
	timer_set(wire->patience, 0);
	return &wire->wire;
}

/* ---- what it is told ---- */

static void
note(struct stdio_wire *wire, int64_t id, bool broken)
{
	if (id < 0 || wire->sent_count == SENT_MAX)
		return;
	wire->sent[wire->sent_count++] = (struct sent){ id, broken };
}

/* The write itself tells that nobody is there to read any more: only while nothing else
 * waits to be written is it clear that this message is meant. */
static void
stdio_send(struct mcp_wire *base, const struct json *message, int64_t id)
{
	struct stdio_wire *wire = stdio_of(base);
	bool broken = wire->input == NULL || stream_broken(wire->input);
	struct buf line = { 0 };

	if (!broken) {
		bool alone = stream_unsent(wire->input) == 0;

		json_write(message, &line);
		buf_char(&line, '\n');
		stream_write(wire->input, buf_text(&line), line.len);
		broken = alone && stream_broken(wire->input);
		if (stream_unsent(wire->input) > UNSENT_MAX)
			break_off(wire, "it does not read what it is sent");
		buf_fini(&line);
	}
	note(wire, id, broken);
}

static void
stdio_forget(struct mcp_wire *base, int64_t id)
{
	struct stdio_wire *wire = stdio_of(base);

	for (size_t i = 0; i < wire->sent_count; i++)
		if (wire->sent[i].id == id)
			wire->sent[i--] = wire->sent[--wire->sent_count];
}

static void
stdio_greeted(struct mcp_wire *base, const char *version)
{
	(void)base;
	(void)version;
}

static enum mcp_reach
stdio_reach(const struct mcp_wire *base, int64_t id)
{
	const struct stdio_wire *wire = (const struct stdio_wire *)base;

	for (size_t i = 0; i < wire->sent_count; i++)
		if (wire->sent[i].id == id && wire->sent[i].broken)
			return MCP_NOT_SENT;
	return MCP_UNKNOWN;
}

static void
stdio_close(struct mcp_wire *base)
{
	struct stdio_wire *wire = stdio_of(base);

	if (wire->closing || wire->over)
		return;
	wire->closing = true;
	stream_free(&wire->input);
	timer_set(wire->patience, wire->program == NULL ? 0 : END_PATIENCE);
}

static void
stdio_free(struct mcp_wire *base)
{
	struct stdio_wire *wire = stdio_of(base);

	program_free(&wire->program);
	stream_free(&wire->input);
	timer_free(&wire->patience);
	mcp_lines_fini(&wire->lines);
	free(wire);
}

const struct mcp_wire_type mcp_wire_stdio = {
	.open = stdio_open,
	.send = stdio_send,
	.forget = stdio_forget,
	.greeted = stdio_greeted,
	.reach = stdio_reach,
	.close = stdio_close,
	.free = stdio_free,
};
