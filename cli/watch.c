/* See watch.h. */
#include "watch.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "follow.h"
#include "live.h"
#include "print.h"
#include "table.h"
#include "text.h"

#define PATIENCE   (30 * USEC_SECOND) /* with a server that is away meanwhile */
#define DRAW_EVERY (100 * USEC_MS)

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

int
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
