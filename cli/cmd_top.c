/* stepmill top: what the servers do, drawn anew every so often; or once, where nobody
 * looks. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/duration.h"
#include "commands.h"
#include "print.h"
#include "server.h"
#include "table.h"
#include "top_screen.h"

#define EVERY_DEFAULT (2 * USEC_SECOND)
#define EVERY_LEAST   (200 * USEC_MS)
#define EVERY_MOST    (3600 * USEC_SECOND)
#define IDLE_EVERY    (50 * USEC_MS)

const struct arg top_args[] = {
	{ "every", 'e', "DURATION", "look again after so long (default 2s)" },
	{ "once", '1', NULL, "print it once (always, when stdout is no terminal)" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const struct {
	const char *name, *path;
} questions[] = {
	{ "stats", "/api/stats" },
	{ "pool", "/api/pool" },
	{ "queues", "/api/queues" },
	{ "executions", "/api/executions?status=running,paused,pending&limit=100" },
};

#define QUESTIONS (sizeof questions / sizeof *questions)

struct top {
	struct server *server;
	bool interrupted;
};

static void
on_interrupt(void *context)
{
	((struct top *)context)->interrupted = true;
}

static bool
on_idle(void *context)
{
	return !((struct top *)context)->interrupted;
}

static size_t
screen_height(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

/* {stats, pool, queues, executions}; the caller's. NULL: *status says why. */
static struct json *
look(struct top *top, int *status)
{
	struct json *all = json_new_object();
	struct answer answer;

	for (size_t i = 0; i < QUESTIONS; i++) {
		*status =
		    server_call(top->server, "GET", questions[i].path, NULL, &answer);
		if (*status == CLI_OK)
			json_set(all, questions[i].name, json_ref(answer.json));
		answer_fini(&answer);
		if (*status != CLI_OK) {
			json_unref(&all);
			return NULL;
		}
	}
	return all;
}

static void
draw(const struct json *all, const char *url, bool terminal)
{
	struct top_answers answers = {
		.stats = json_get(all, "stats"),
		.pool = json_get(all, "pool"),
		.queues = json_get(all, "queues"),
		.executions = json_get(all, "executions"),
	};
	size_t height = terminal ? screen_height() : 0;
	struct buf out = { 0 };

	if (terminal) /* to the corner; what was there is wiped line by line below */
		buf_str(&out, "\033[H\033[J");
	buf_printf(&out, "stepmill    %s\n", url);
	top_screen(&answers, terminal ? table_screen_width() : 0,
		   height > 2 ? height - 2 : height, &out);
	fwrite(buf_text(&out), 1, out.len, stdout);
	fflush(stdout);
	buf_fini(&out);
}

static int
show(struct top *top, usec_t every, bool once, bool json)
{
	int status;

	do {
		struct json *all = look(top, &status);

		if (all == NULL)
			return top->interrupted ? CLI_INTERRUPTED : status;
		if (json)
			print_json(all);
		else
			draw(all, server_url(top->server), !once);
		json_unref(&all);
		if (!once)
			server_pause(top->server, every);
	} while (!once && !top->interrupted);
	return top->interrupted ? CLI_INTERRUPTED : CLI_OK;
}

static int
read_every(const struct args *args, usec_t *every, struct err *err)
{
	const char *text = args_value(args, "every");

	*every = EVERY_DEFAULT;
	if (text == NULL)
		return 0;
	if (duration_parse(text, strlen(text), every, err) < 0)
		return -1;
	if (*every < EVERY_LEAST || *every > EVERY_MOST)
		return err_set(err, ERR_INPUT, "--every is 200ms to 1h");
	return 0;
}

int
cmd_top(const struct command *command, const struct args *args)
{
	bool json = args_has(args, "json");
	bool once = json || args_has(args, "once") || !isatty(STDOUT_FILENO);
	struct top top = { 0 };
	struct signal_watch *interrupt;
	struct err err = { 0 };
	usec_t every;
	int status;

	if (args->words_count > 0)
		return command_usage(command, "\"%s\": not understood", args->words[0]);
	if (read_every(args, &every, &err) < 0)
		return command_usage(command, "%s", err.text);
	top.server = server_open(command, args, &status);
	if (top.server == NULL)
		return status;
	interrupt =
	    signal_watch_new(server_loop(top.server), SIGINT, on_interrupt, &top);
	server_on_idle(top.server, IDLE_EVERY, on_idle, &top);
	status = show(&top, every, once, json);
	signal_watch_free(&interrupt);
	server_close(&top.server);
	return status;
}
