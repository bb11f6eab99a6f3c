/* The object in a model's words. See heartbeat_answer_core.h. */
#include "engine/heartbeat_answer_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "json/json.h"

#define TEXT_MAX  (64 * 1024) /* of which is looked at */
#define TRIES_MAX 50          /* objects that are parsed */

/* How long the object is that begins the text, as far as its braces tell; 0: it has no
 * end. */
static size_t
object_len(const char *text, size_t len)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && text[i] == '{')
			depth++;
		else if (!quoted && text[i] == '}' && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* At a character's end, and without what PostgreSQL does not store. */
static char *
cut(const char *text, size_t len)
{
	struct buf out = { 0 };

	if (len > HEARTBEAT_DETAILS_MAX)
		for (len = HEARTBEAT_DETAILS_MAX;
		     len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	utf8_repair(text, len, &out);
	return out.data != NULL ? buf_take(&out) : xstrdup("");
}

static char *
details_of(const struct json *details)
{
	char *text, *result;

	if (json_type(details) == JSON_STRING)
		return cut(json_str(details), json_str_len(details));
	if (json_type(details) == JSON_NULL)
		return xstrdup("");
	text = json_text(details);
	result = cut(text, strlen(text));
	free(text);
	return result;
}

static bool
read_object(const char *text, size_t len, struct heartbeat_answer *out)
{
	struct json *json = NULL, *needed;
	struct err err = { 0 };
	bool found;

	if (json_parse(text, len, &json, &err) < 0)
		return false;
	needed = json_get(json, "actionNeeded");
	found = json_type(needed) == JSON_BOOL;
	if (found)
		*out = (struct heartbeat_answer){
			.readable = true,
			.action_needed = json_bool(needed),
			.details = details_of(json_get(json, "details")),
		};
	json_unref(&json);
	return found;
}

struct heartbeat_answer
heartbeat_answer_read(const char *text, size_t len)
{
	struct heartbeat_answer answer = { .details = NULL };
	size_t at = 0;

	if (len > TEXT_MAX)
		len = TEXT_MAX;
	for (int tries = 0; at < len && tries < TRIES_MAX; tries++) {
		const char *brace = memchr(text + at, '{', len - at);
		size_t object;

		if (brace == NULL)
			break;
		at = (size_t)(brace - text);
		object = object_len(brace, len - at);
		if (object > 0 && read_object(brace, object, &answer))
			return answer;
		at++;
	}
	answer.details = xstrdup(HEARTBEAT_UNREADABLE);
	return answer;
}
