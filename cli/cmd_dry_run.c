/* stepmill dry-run: how a run would go, without running anything. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "commands.h"
#include "input.h"
#include "print.h"
#include "server.h"
#include "table.h"
#include "text.h"

const struct arg dry_run_args[] = {
	{ "input", 'i', "JSON",
	  "the run's input: JSON, @FILE, or - for standard input" },
	{ "steps", 0, "JSON", "outputs of steps by their ids: JSON, @FILE, or -" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

static const char *const titles[] = { "#", "STEP", "ACTION", "WOULD", "" };

/* ---- what is remarkable of a step ---- */

static void
note(struct buf *out, const char *title, const char *text)
{
	if (text != NULL)
		buf_printf(out, "%s%s%s", out->len > 0 ? "; " : "", title, text);
}

static void
note_list(struct buf *out, const char *title, const struct json *list)
{
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *item = json_at(list, i);
		const char *text = json_type(item) == JSON_OBJECT
				       ? json_str(json_get(item, "goto"))
				       : json_str(item);

		if (i == 0)
			note(out, title, text);
		else
			buf_printf(out, ", %s", text);
	}
}

static void
note_unknown(struct buf *out, const struct json *step, const char *key)
{
	const char *expression = json_str(json_get(json_get(step, key), "expression"));
	char *title;

	if (expression == NULL)
		return;
	title = xprintf("not known: %s ", key);
	note(out, title, expression);
	free(title);
}

static void
note_all(struct buf *out, const struct json *step)
{
	const struct json *item = json_get(step, "itemIndex");
	const struct json *items = json_get(json_get(step, "foreach"), "count");

	if (item != NULL)
		buf_printf(out, "item %d", (int)json_int(item));
	if (items != NULL)
		buf_printf(out, "%d items", (int)json_int(items));
	note(out, "waits for ", json_str(json_get(step, "waitsFor")));
	note(out, "", json_str(json_get(step, "reason")));
	note(out, "", json_str(json_get(json_get(step, "error"), "message")));
	note(out, "takes ", json_str(json_get(step, "branch")));
	note_unknown(out, step, "if");
	note_unknown(out, step, "condition");
	note_unknown(out, step, "foreach");
	note_unknown(out, step, "repeatUntil");
	note_list(out, "needs ", json_get(step, "needs"));
	note_list(out, "reads what is not known: ", json_get(step, "unresolved"));
	note_list(out, "or goes to ", json_get(step, "mayGoTo"));
}

/* ---- all of it ---- */

static void
add_step(struct table *table, const struct json *step, size_t number)
{
	const char *would = json_str(json_get(step, "would"));
	struct buf text = { 0 };

	buf_printf(&text, "%zu", number);
	table_add(table, 0, buf_text(&text));
	table_add(table, 1, json_str(json_get(step, "stepKey")));
	table_add(table, 2, json_str(json_get(step, "action")));
	buf_clear(&text);
	buf_printf(&text, "%s%s", would != NULL ? would : "",
		   json_bool(json_get(step, "certain")) ? "" : "?");
	table_add(table, 3, buf_text(&text));
	buf_clear(&text);
	note_all(&text, step);
	table_add(table, 4, buf_text(&text));
	table_end_row(table);
	buf_fini(&text);
}

static void
print_end(const struct json *answer)
{
	const char *ends = json_str(json_get(answer, "ends"));
	struct buf out = { 0 };

	if (json_bool(json_get(answer, "truncated")))
		buf_str(&out, "(and more)\n");
	if (ends != NULL)
		buf_printf(&out, "%s %s",
			   json_bool(json_get(answer, "certain")) ? "ends" : "may end",
			   ends);
	if (json_get(answer, "error") != NULL) {
		buf_str(&out, ": ");
		text_clean(json_str(json_get(json_get(answer, "error"), "message")),
			   &out);
	}
	if (json_get(answer, "output") != NULL) {
		buf_str(&out, ", output: ");
		print_value(json_get(answer, "output"), &out);
	}
	puts(buf_text(&out));
	buf_fini(&out);
}

static void
print_walk(const struct json *answer)
{
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);
	const struct json *steps = json_get(answer, "steps");
	const struct json *missed = json_get(answer, "notReached");
	struct buf out = { 0 };

	for (size_t i = 0; i < json_count(steps); i++)
		add_step(table, json_at(steps, i), i + 1);
	table_print(table);
	table_free(&table);
	note_list(&out, "not reached: ", missed);
	if (out.len > 0)
		puts(buf_text(&out));
	buf_fini(&out);
	print_end(answer);
}

int
cmd_dry_run(const struct command *command, const struct args *args)
{
	struct server *server;
	struct answer answer;
	struct json *body;
	struct err err = { 0 };
	char *segment, *path;
	int status;

	if (args->words_count == 0)
		return command_usage(command, "name a workflow");
	body = json_new_object();
	if (input_fill_body(args, 1, body, &err) < 0) {
		json_unref(&body);
		return command_usage(command, "%s", err.text);
	}
	server = server_open(command, args, &status);
	if (server == NULL) {
		json_unref(&body);
		return status;
	}
	segment = url_segment(args->words[0]);
	path = xprintf("/api/workflows/%s/dry-run", segment);
	status = server_call(server, "POST", path, body, &answer);
	if (status == CLI_OK && args_has(args, "json"))
		print_json(answer.json);
	else if (status == CLI_OK)
		print_walk(answer.json);
	answer_fini(&answer);
	free(segment);
	free(path);
	server_close(&server);
	return status;
}
