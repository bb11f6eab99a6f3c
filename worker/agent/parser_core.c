/* The formats as a table, and what the end of the output means. See parser_core.h. */
#include "agent/parser_core.h"

#include <string.h>

#include "agent/formats_core.h"

#define JSON_KEEP (4 * 1024 * 1024) /* of an answer that is one JSON value */

struct format {
	const char *name;
	/* Of a format of lines: */
	void (*take)(struct told *told, const struct json *event);
	/* Of one that is read as a whole: */
	void (*whole)(struct parser *parser);
	size_t keep; /* 0: as said */
};

/* Anything else than an object is no event. */
static void
on_line(void *context, const char *line, size_t len)
{
	struct parser *parser = context;
	struct json *event = NULL;
	struct err err = { 0 };

	if (json_parse(line, len, &event, &err) < 0 ||
	    json_type(event) != JSON_OBJECT) {
		told_strange(&parser->told, line, len);
	} else {
		parser->told.events++;
		parser->format->take(&parser->told, event);
	}
	json_unref(&event);
}

static void
end_json(struct parser *parser)
{
	struct buf text = { 0 };
	struct json *value = NULL;
	struct err err = { 0 };

	if (!output_bytes(&parser->whole, &text)) {
		parser->told.cut = true;
	} else if (strspn(buf_text(&text), " \t\r\n") == text.len) {
		/* nothing */
	} else if (json_parse(text.data, text.len, &value, &err) < 0) {
		told_strange(&parser->told, text.data, text.len);
	} else {
		parser->told.events++;
		json_take(&parser->told, value);
	}
	json_unref(&value);
	buf_fini(&text);
}

/* What is too long is cut, and says so. */
static void
end_text(struct parser *parser)
{
	struct buf text = { 0 };
	size_t len;

	output_text(&parser->whole, &text);
	for (len = text.len; len > 0 && strchr(" \t\r\n", text.data[len - 1]) != NULL;)
		len--;
	told_add(&parser->told, buf_text(&text), len);
	parser->told.has_result = strspn(buf_text(&text), " \t\r\n") < text.len;
	buf_fini(&text);
}

static const struct format formats[] = {
	{ "stream-json", stream_json_take, NULL, 0 },
	{ "jsonl", jsonl_take, NULL, 0 },
	{ "json", NULL, end_json, JSON_KEEP },
	{ "text", NULL, end_text, 0 },
};

static const struct format *
find(const char *name)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

bool
parser_is_text(const char *format)
{
	return strcmp(format, "text") == 0;
}

bool
parser_init(struct parser *parser, const char *format, size_t keep)
{
	*parser = (struct parser){ .format = find(format) };
	if (parser->format == NULL)
		return false;
	output_init(&parser->whole,
		    parser->format->keep > 0 ? parser->format->keep : keep);
	return true;
}

void
parser_fini(struct parser *parser)
{
	agent_lines_fini(&parser->lines);
	output_fini(&parser->whole);
	told_fini(&parser->told);
	*parser = (struct parser){ 0 };
}

void
parser_feed(struct parser *parser, const char *data, size_t len)
{
	if (parser->format->take != NULL)
		agent_lines_feed(&parser->lines, data, len, on_line, parser);
	else
		output_add(&parser->whole, data, len);
}

void
parser_end(struct parser *parser)
{
	if (parser->format->take != NULL)
		agent_lines_end(&parser->lines, on_line, parser);
	else
		parser->format->whole(parser);
}

enum parser_verdict
parser_verdict(const struct parser *parser)
{
	const struct told *told = &parser->told;

	if (told->failed)
		return PARSER_FAILED;
	if (told->cut)
		return PARSER_TOO_LONG;
	if (told->has_result)
		return PARSER_ANSWERED;
	if (told->events == 0 && (told->strange > 0 || parser->lines.skipped > 0))
		return PARSER_BAD_OUTPUT;
	return PARSER_NO_RESULT;
}
