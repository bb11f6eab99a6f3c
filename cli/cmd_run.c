/* stepmill run: starts a workflow and shows it going. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "clock.h"
#include "commands.h"
#include "follow.h"
#include "input.h"
#include "live.h"
#include "print.h"
#include "table.h"
#include "text.h"

#define PATIENCE   (30 * USEC_SECOND) /* with a server that is away meanwhile */
#define DRAW_EVERY (100 * USEC_MS)

const struct arg run_args[] = {
	{ "input", 'i', "JSON",
	  "the run's input: JSON, @FILE, or - for standard input" },
	{ "priority", 'p', "high|normal|low",
	  "its place in the queue (default: the workflow's)" },
	{ "run-at", 0, "TIME", "start at that time (RFC 3339)" },
	{ "detach", 'd', NULL, "print the run's id and do not wait for its end" },
	{ "timeout", 't', "DURATION", "wait at most so long (the run goes on)" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

/* ---- a file instead of a name ---- */

static bool
is_file(const char *word)
{
	const char *dot = strrchr(word, '.');

	return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* The name of the workflow; NULL: said why not. */
static char *
find_workflow(struct server *server, const char *word, int *status)
{
	struct json *registered;
	char *name;

	if (!is_file(word))
		return xstrdup(word);
	registered = server_register(server, word, status);
	name = xstrdup(json_str(json_get(registered, "name")));
	json_unref(&registered);
	return name;
}

/* ---- showing it ---- */

struct showing {
	struct live live;
	usec_t until; /* USEC_NEVER: no limit */
	bool json, timed_out, interrupted;
};

static void
print(struct buf *out)
{
	fwrite(buf_text(out), 1, out->len, stdout);
	fflush(stdout);
	buf_fini(out);
}

static bool
goes_on(struct showing *showing)
{
	showing->timed_out = clock_mono() >= showing->until;
	return !showing->interrupted && !showing->timed_out;
}

static void
on_interrupt(void *context)
{
	((struct showing *)context)->interrupted = true;
}

static bool
on_event(void *context, const struct json *event)
{
	struct showing *showing = context;
	struct buf out = { 0 };

	if (!showing->json) {
		live_event(&showing->live, event, clock_mono(), &out);
		print(&out);
	}
	return goes_on(showing);
}

static bool
on_idle(void *context)
{
	struct showing *showing = context;
	struct buf out = { 0 };

	if (!showing->json) {
		live_draw(&showing->live, clock_mono(), &out);
		print(&out);
	}
	return goes_on(showing);
}

static void
print_end(const struct json *run)
{
	const char *message = json_str(json_get(json_get(run, "error"), "message"));
	const struct json *output = json_get(run, "output");
	struct buf text = { 0 };
	char time[32];

	text_clean(json_str(json_get(run, "runId")), &text);
	buf_char(&text, ' ');
	text_clean(json_str(json_get(run, "status")), &text);
	buf_printf(&text, " in %s\n",
		   text_ms(json_int(json_get(run, "durationMs")), time, sizeof time));
	if (message != NULL) {
		buf_str(&text, "  error: ");
		text_clean(message, &text);
		buf_char(&text, '\n');
	}
	if (output != NULL) {
		buf_str(&text, "  output: ");
		print_value(output, &text);
		buf_char(&text, '\n');
	}
	print(&text);
}

static int
show_end(struct server *server, const char *id, bool json)
{
	int status;
	struct json *run = follow_fetch(server, id, &status);

	if (run == NULL)
		return status;
	if (json)
		print_json(run);
	else
		print_end(run);
	status = follow_exit_status(run);
	json_unref(&run);
	return status;
}

static int
watch_run(const struct command *command, const struct args *args, struct server *server,
	  const char *id, usec_t timeout)
{
	struct showing showing = { .live.terminal = isatty(STDOUT_FILENO),
				   .live.width = table_screen_width(),
				   .json = args_has(args, "json"),
				   .until =
				       timeout ? clock_mono() + timeout : USEC_NEVER };
	struct follow what = { .run = id,
			       .patience = PATIENCE,
			       .on_event = on_event,
			       .context = &showing };
	struct signal_watch *interrupt =
	    signal_watch_new(server_loop(server), SIGINT, on_interrupt, &showing);
	struct buf out = { 0 };
	enum followed followed;
	int status;

	server_on_idle(server, DRAW_EVERY, on_idle, &showing);
	followed = follow(server, &what, &status);
	signal_watch_free(&interrupt);
	live_wipe(&showing.live, &out);
	print(&out);
	if (followed == FOLLOWED_TO_END)
		return show_end(server, id, showing.json);
	fprintf(stderr,
		"The run goes on.\n  see it     stepmill show %s\n"
		"  cancel it  stepmill cancel %s\n",
		id, id);
	if (showing.timed_out)
		return command_fail(command, CLI_TIMEOUT, "not over in time");
	return showing.interrupted ? CLI_INTERRUPTED : status;
}

/* ---- starting it ---- */

/* Takes input. */
static struct json *
make_body(const struct args *args, struct json *input)
{
	struct json *body = json_new_object();

	if (input != NULL)
		json_set(body, "input", input);
	if (args_has(args, "priority"))
		json_set(body, "priority", json_new_str(args_value(args, "priority")));
	if (args_has(args, "run-at"))
		json_set(body, "runAt", json_new_str(args_value(args, "run-at")));
	return body;
}

/* Takes body. The run's id, the caller's; NULL: why not was said. */
static char *
start(const struct command *command, struct server *server, const char *name,
      struct json *body, int *status)
{
	char *segment = url_segment(name);
	char *path = xprintf("/api/workflows/%s/execute", segment);
	struct answer answer;
	char *id;

	*status = server_call(server, "POST", path, body, &answer);
	id = xstrdup(json_str(json_get(answer.json, "executionId")));
	if (*status == CLI_OK && id == NULL)
		*status = command_fail(command, CLI_FAILED,
				       "%s does not answer as stepmill does",
				       server_url(server));
	answer_fini(&answer);
	free(segment);
	free(path);
	return id;
}

static void
print_id(const char *id, bool json)
{
	struct json *answer;

	if (!json) {
		puts(id);
		return;
	}
	answer = json_new_object();
	json_set(answer, "executionId", json_new_str(id));
	print_json(answer);
	json_unref(&answer);
}

static int
read_timeout(const struct args *args, usec_t *timeout, struct err *err)
{
	const char *text = args_value(args, "timeout");

	*timeout = 0;
	if (text == NULL)
		return 0;
	if (duration_parse(text, strlen(text), timeout, err) < 0)
		return err_in(err, "--timeout");
	return *timeout > 0 ? 0 : err_set(err, ERR_INPUT, "--timeout: more than 0s");
}

int
cmd_run(const struct command *command, const struct args *args)
{
	struct json *input = NULL;
	struct server *server;
	struct err err = { 0 };
	usec_t timeout;
	char *name, *id = NULL;
	int status;

	if (args->words_count == 0)
		return command_usage(command, "name a workflow, or a file with one");
	if (read_timeout(args, &timeout, &err) < 0 ||
	    input_read(args_value(args, "input"), args->words + 1,
		       args->words_count - 1, &input, &err) < 0) {
		json_unref(&input);
		return command_usage(command, "%s", err.text);
	}
	server = server_open(command, args, &status);
	if (server == NULL) {
		json_unref(&input);
		return status;
	}
	name = find_workflow(server, args->words[0], &status);
	if (name != NULL)
		id = start(command, server, name, make_body(args, input), &status);
	else
		json_unref(&input);
	if (id != NULL && args_has(args, "detach"))
		print_id(id, args_has(args, "json"));
	else if (id != NULL)
		status = watch_run(command, args, server, id, timeout);
	free(id);
	free(name);
	server_close(&server);
	return status;
}
