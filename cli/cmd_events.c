/* stepmill events: the log of events of a run, as it is and as it grows. */
#include <stdio.h>

#include "commands.h"
#include "follow.h"
#include "print.h"
#include "text.h"

#define PATIENCE (30 * USEC_SECOND)

const struct arg events_args[] = {
	{ "since", 0, "SEQ", "only events after this number" },
	{ "follow", 'f', NULL, "go on until the run is over" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static void
print_event(const struct json *event)
{
	struct buf out = { 0 };

	buf_printf(&out, "%6lld  ", (long long)json_int(json_get(event, "seq")));
	text_clean(json_str(json_get(event, "at")), &out);
	buf_str(&out, "  ");
	text_clean(json_str(json_get(event, "type")), &out);
	buf_str(&out, "  ");
	text_clean(json_str(json_get(json_get(event, "payload"), "name")), &out);
	puts(buf_text(&out));
	fflush(stdout);
	buf_fini(&out);
}

static bool
on_event(void *context, const struct json *event)
{
	if (*(const bool *)context)
		print_line(event);
	else
		print_event(event);
	return true;
}

int
cmd_events(const struct command *command, const struct args *args)
{
	bool json = args_has(args, "json");
	struct follow what = { .once = !args_has(args, "follow"),
			       .on_event = on_event,
			       .context = &json };
	struct server *server;
	struct err err = { 0 };
	long since = 0;
	int status;

	if (args->words_count != 1)
		return command_usage(command, "name one run");
	if (args_count(args, "since", 0, INT32_MAX, &since, &err) < 0)
		return command_usage(command, "%s", err.text);
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	what.run = args->words[0];
	what.since = since;
	what.patience = what.once ? 0 : PATIENCE;
	follow(server, &what, &status);
	server_close(&server);
	return status;
}
