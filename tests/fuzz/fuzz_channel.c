/*
 * The channel of a program: bytes cut where the first byte says give the same lines as
 * in one piece, nothing is lost, and each line is read as a message. What is asked for
 * in them is read as a step, and asked of a record.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "channel/line_core.h"
#include "channel/message_core.h"
#include "recorded/recorded_core.h"

#define MAX_LINE 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct fed {
	struct buf said;
	struct recorded *recorded;
};

static void
ask(struct recorded *recorded, const struct message *message)
{
	static const char *const kinds[] = { "step.begin", "call", "wait" };
	struct recorded_place place;
	struct recorded_step *step;
	struct made_step *made = NULL;
	struct err err = { 0 };
	struct json *value;

	for (int i = 0; i < 3; i++)
		if (strcmp(message->method, kinds[i]) == 0)
			made =
			    made_step_new((enum made_kind)i,
					  json_str(json_get(message->params, "name")),
					  message->params, "default", &err);
	if (made == NULL)
		return;
	if (recorded_ask(recorded, (int)json_int(json_get(message->params, "parent")),
			 made->def.name, made, &place, &step) == RECORDED_NEW) {
		step = recorded_make(recorded, &place, made, false);
		step->made = made_step_value(made, message->params);
		free(recorded_describe(step));
	}
	value = made_step_value(made, message->params);
	json_unref(&value);
	recorded_place_fini(&place);
	made_step_free(&made);
}

static void
on_line(void *context, const char *text, size_t len, bool whole, bool last)
{
	struct fed *fed = context;
	struct message message;
	struct buf answer = { 0 };

	if (len > MAX_LINE)
		abort();
	buf_add(&fed->said, text, len);
	if (whole)
		buf_char(&fed->said, '\n');
	if (!whole)
		return;
	(void)last;
	message_read(&message, text, len);
	if (message.kind == MESSAGE_CALL && fed->recorded != NULL)
		ask(fed->recorded, &message);
	if (message.kind == MESSAGE_BAD)
		message_error(&answer, message.id, message.code, message.why, NULL);
	if (memchr(buf_text(&answer), '\n', answer.len) !=
	    (answer.len > 0 ? answer.data + answer.len - 1 : NULL))
		abort(); /* more than one line */
	buf_fini(&answer);
	message_fini(&message);
}

static void
feed(struct fed *fed, const char *text, size_t len, size_t piece)
{
	struct lines lines;

	lines_init(&lines, MAX_LINE);
	for (size_t at = 0; at < len; at += piece)
		lines_add(&lines, text + at, len - at < piece ? len - at : piece,
			  on_line, fed);
	lines_end(&lines, on_line, fed);
	lines_fini(&lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fed whole = { .recorded = recorded_new() }, parts = { 0 };

	if (len < 2) {
		recorded_free(&whole.recorded);
		return 0;
	}
	feed(&whole, (const char *)data + 1, len - 1, len);
	recorded_rewind(whole.recorded);
	feed(&whole, (const char *)data + 1, 0, 1);
	feed(&parts, (const char *)data + 1, len - 1, data[0] % 16 + 1);
	if (whole.said.len != parts.said.len ||
	    (whole.said.len > 0 &&
	     memcmp(whole.said.data, parts.said.data, whole.said.len) != 0))
		abort();
	recorded_free(&whole.recorded);
	buf_fini(&whole.said);
	buf_fini(&parts.said);
	return 0;
}
