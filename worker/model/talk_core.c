/* Turns of a conversation. See talk_core.h. */
#include "model/talk_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define WIRE_NAME_MAX 64
#define WIRE_CHARACTERS                                                                \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

static struct talk_turn *
add_turn(struct talk *talk, enum talk_role role, const char *text)
{
	struct talk_turn *turn;

	talk->turns = xrealloc(talk->turns, talk->turns_count + 1, sizeof *talk->turns);
	turn = &talk->turns[talk->turns_count++];
	*turn = (struct talk_turn){ .role = role, .text = xstrdup(text) };
	return turn;
}

void
talk_ask(struct talk *talk, const char *text)
{
	add_turn(talk, TALK_USER, text);
}

void
talk_answered(struct talk *talk, const char *text)
{
	add_turn(talk, TALK_MODEL, text);
}

/* Providers want an object back, whatever the model wrote. */
static char *
object_text(const struct buf *arguments)
{
	struct json *json = NULL;
	struct err err = { 0 };
	char *text = NULL;

	if (json_parse(buf_text(arguments), arguments->len, &json, &err) == 0 &&
	    json_type(json) == JSON_OBJECT)
		text = xstrdup(buf_text(arguments));
	json_unref(&json);
	return text != NULL ? text : xstrdup("{}");
}

void
talk_reply(struct talk *talk, const struct heard *reply)
{
	struct talk_turn *turn = add_turn(talk, TALK_MODEL, buf_text(&reply->text));

	turn->calls = xcalloc(reply->calls_count + 1, sizeof *turn->calls);
	turn->count = reply->calls_count;
	for (size_t i = 0; i < reply->calls_count; i++) {
		const struct heard_call *call = &reply->calls[i];

		turn->calls[i] = (struct talk_call){
			.id = call->id != NULL
				  ? xstrdup(call->id)
				  : xprintf("call_%zu_%zu", talk->turns_count, i),
			.name = xstrdup(call->name != NULL ? call->name : "unnamed"),
			.signature = xstrdup(call->signature),
			.arguments = object_text(&call->arguments),
		};
	}
}

void
talk_results(struct talk *talk)
{
	size_t count = talk->turns[talk->turns_count - 1].count;
	struct talk_turn *turn = add_turn(talk, TALK_RESULTS, "");

	turn->results = xcalloc(count + 1, sizeof *turn->results);
	turn->count = count;
	for (size_t i = 0; i < count; i++)
		turn->results[i] =
		    (struct talk_result){ xstrdup("not answered"), true };
}

/* Not in the middle of a character. */
static size_t
whole_characters(const char *text, size_t len)
{
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

void
talk_result(struct talk *talk, size_t index, const char *text, size_t len, bool failed)
{
	struct talk_result *result = &talk->turns[talk->turns_count - 1].results[index];
	struct buf cut = { 0 };

	if (len <= TALK_RESULT_MAX) {
		buf_add(&cut, text, len);
	} else {
		buf_add(&cut, text, whole_characters(text, TALK_RESULT_MAX));
		buf_printf(&cut, "\n[cut: %zu bytes in all]", len);
	}
	free(result->text);
	result->text = buf_take(&cut);
	result->failed = failed;
}

/* ---- tools ---- */

static char *
wire_name(const char *name)
{
	char *wire = xprintf("%.*s", WIRE_NAME_MAX, name);

	for (char *c = wire; *c != '\0'; c++)
		if (strchr(WIRE_CHARACTERS, *c) == NULL)
			*c = '_';
	return wire;
}

static bool
is_offered(const struct talk *talk, const char *name)
{
	for (size_t i = 0; i < talk->tools_count; i++)
		if (strcmp(talk->tools[i].name, name) == 0)
			return true;
	return false;
}

/* "mcp.a.b_c" and "mcp.a_b.c" look the same there: the later one gets a number. */
static char *
free_wire_name(const struct talk *talk, const char *name)
{
	char *wire = wire_name(name);

	for (int i = 2; talk_tool(talk, wire) != NULL; i++) {
		char *base = wire_name(name);

		free(wire);
		wire = xprintf("%.*s_%d", WIRE_NAME_MAX - 6, base, i);
		free(base);
	}
	return wire;
}

void
talk_offer(struct talk *talk, const char *name, const char *help, struct json *schema)
{
	char *wire;

	if (is_offered(talk, name)) {
		json_unref(&schema);
		return;
	}
	wire = free_wire_name(talk, name);
	talk->tools = xrealloc(talk->tools, talk->tools_count + 1, sizeof *talk->tools);
	talk->tools[talk->tools_count++] =
	    (struct talk_tool){ xstrdup(name), wire, xstrdup(help), schema };
}

const struct talk_tool *
talk_tool(const struct talk *talk, const char *wire)
{
	for (size_t i = 0; i < talk->tools_count; i++)
		if (strcmp(talk->tools[i].wire_name, wire) == 0)
			return &talk->tools[i];
	return NULL;
}

/* ---- all of it ---- */

size_t
talk_size(const struct talk *talk)
{
	size_t size = talk->system != NULL ? strlen(talk->system) : 0;

	for (size_t i = 0; i < talk->turns_count; i++) {
		const struct talk_turn *turn = &talk->turns[i];

		size += strlen(turn->text);
		for (size_t k = 0; turn->calls != NULL && k < turn->count; k++)
			size += strlen(turn->calls[k].arguments);
		for (size_t k = 0; turn->results != NULL && k < turn->count; k++)
			size += strlen(turn->results[k].text);
	}
	return size;
}

static void
turn_fini(struct talk_turn *turn)
{
	for (size_t i = 0; turn->calls != NULL && i < turn->count; i++) {
		free(turn->calls[i].id);
		free(turn->calls[i].name);
		free(turn->calls[i].signature);
		free(turn->calls[i].arguments);
	}
	for (size_t i = 0; turn->results != NULL && i < turn->count; i++)
		free(turn->results[i].text);
	free(turn->calls);
	free(turn->results);
	free(turn->text);
}

void
talk_fini(struct talk *talk)
{
	for (size_t i = 0; i < talk->turns_count; i++)
		turn_fini(&talk->turns[i]);
	for (size_t i = 0; i < talk->tools_count; i++) {
		free(talk->tools[i].name);
		free(talk->tools[i].wire_name);
		free(talk->tools[i].help);
		json_unref(&talk->tools[i].schema);
	}
	free(talk->turns);
	free(talk->tools);
	free(talk->system);
	*talk = (struct talk){ 0 };
}
