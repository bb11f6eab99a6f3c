/* stepmill show: one run with its steps, comments and artifacts. */
#include <stdio.h>

#include "commands.h"
#include "follow.h"
#include "print.h"
#include "table.h"
#include "text.h"
#include "watch.h"

const struct arg show_args[] = {
	{ "follow", 'f', NULL, "go on until the run is over" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const char *const titles[] = {
	"#", "STEP", "ACTION", "STATUS", "TRY", "TIME", ""
};

static void
add_step(struct table *table, const struct json *step)
{
	const struct json *duration = json_get(step, "durationMs");
	char text[32];

	snprintf(text, sizeof text, "%lld",
		 (long long)json_int(json_get(step, "stepNumber")));
	table_add(table, 0, text);
	table_add(table, 1, json_str(json_get(step, "name")));
	table_add(table, 2, json_str(json_get(step, "action")));
	table_add(table, 3, json_str(json_get(step, "status")));
	snprintf(text, sizeof text, "%lld/%lld",
		 (long long)json_int(json_get(step, "attemptNumber")),
		 (long long)json_int(json_get(step, "maxAttempts")));
	table_add(table, 4, text);
	if (json_type(duration) == JSON_INT)
		table_add(table, 5, text_ms(json_int(duration), text, sizeof text));
	table_add(table, 6, json_str(json_get(json_get(step, "error"), "message")));
	table_end_row(table);
}

static void
print_steps(const struct json *steps)
{
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(steps); i++)
		add_step(table, json_at(steps, i));
	puts("");
	if (table_rows(table) > 0)
		table_print(table);
	table_free(&table);
}

static void
print_field(const struct json *run, const char *title, const char *key)
{
	const struct json *value = json_get(run, key);
	struct buf out = { 0 };

	if (value == NULL)
		return;
	print_value(value, &out);
	printf("%-10s %s\n", title, buf_text(&out));
	buf_fini(&out);
}

static void
print_list(const char *title, const struct json *list, const char *who,
	   const char *what)
{
	struct buf out = { 0 };

	if (json_count(list) > 0)
		buf_printf(&out, "\n%s\n", title);
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *item = json_at(list, i);

		buf_str(&out, "  ");
		text_clean(json_str(json_get(item, who)), &out);
		buf_str(&out, "  ");
		text_clean(json_str(json_get(item, what)), &out);
		buf_char(&out, '\n');
	}
	fputs(buf_text(&out), stdout);
	buf_fini(&out);
}

static void
print_run(const struct json *run)
{
	print_field(run, "run", "runId");
	print_field(run, "execution", "id");
	print_field(run, "workflow", "workflowName");
	print_field(run, "version", "version");
	print_field(run, "status", "status");
	print_field(run, "started", "startedAt");
	print_field(run, "completed", "completedAt");
	print_field(run, "input", "input");
	print_field(run, "output", "output");
	print_field(json_get(run, "error"), "error", "message");
	print_steps(json_get(run, "steps"));
	print_list("comments", json_get(run, "comments"), "author", "message");
	print_list("artifacts", json_get(run, "artifacts"), "type", "storagePath");
}

static int
show(struct server *server, const char *name, bool json)
{
	struct json *run;
	int status;

	run = follow_fetch(server, name, &status);
	if (run != NULL && json)
		print_json(run);
	else if (run != NULL)
		print_run(run);
	json_unref(&run);
	return status;
}

int
cmd_show(const struct command *command, const struct args *args)
{
	struct server *server;
	int status;

	if (args->words_count != 1)
		return command_usage(command, "name one run");
	server = server_open(command, args, &status);
	if (server == NULL)
		return status;
	if (args_has(args, "follow"))
		status = watch_run(command, args, server, args->words[0], 0);
	else
		status = show(server, args->words[0], args_has(args, "json"));
	server_close(&server);
	return status;
}
