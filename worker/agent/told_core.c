/* Taking what agents tell. See told_core.h. */
#include "agent/told_core.h"

#include <stdio.h>
#include <string.h>

#define TOKENS_MAX  ((int64_t)1 << 40) /* what is more is no number of tokens */
#define STRANGE_MAX 200
#define SESSION_LETTERS                                                                \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-"

void
told_fini(struct told *told)
{
	buf_fini(&told->text);
	buf_fini(&told->words);
	buf_fini(&told->activity);
	buf_fini(&told->strange_text);
	*told = (struct told){ 0 };
}

struct json *
told_any(const struct json *object, const char *const *names)
{
	for (; *names != NULL; names++) {
		struct json *value = json_get(object, *names);

		if (value != NULL)
			return value;
	}
	return NULL;
}

/* ---- text ---- */

void
told_add(struct told *told, const char *text, size_t len)
{
	size_t room = TOLD_TEXT_MAX - told->text.len;

	if (len > room) {
		told->cut = true;
		len = room;
	}
	buf_add(&told->text, text, len);
}

void
told_clear(struct told *told)
{
	buf_clear(&told->text);
	told->cut = false;
}

void
told_text(struct told *told, const struct json *text)
{
	struct buf written = { 0 };

	told_clear(told);
	if (json_type(text) == JSON_STRING) {
		told_add(told, json_str(text), json_str_len(text));
	} else if (text != NULL) {
		json_write(text, &written);
		told_add(told, written.data, written.len);
	}
	buf_fini(&written);
}

/* ---- what went wrong ---- */

void
told_fail(struct told *told, const char *words)
{
	told->failed = true;
	if (words != NULL && told->words.len == 0)
		buf_add(&told->words, words, strnlen(words, TOLD_WORDS_MAX));
}

void
told_strange(struct told *told, const char *line, size_t len)
{
	if (told->strange++ == 0)
		buf_add(&told->strange_text, line,
			len < STRANGE_MAX ? len : STRANGE_MAX);
}

/* ---- who ---- */

/* It becomes an argument of a call, and part of a pattern of files. */
void
told_session(struct told *told, const struct json *id)
{
	const char *text = json_str(id);
	size_t len = json_str_len(id);

	if (text == NULL || len == 0 || len > TOLD_ID_MAX ||
	    strspn(text, SESSION_LETTERS) != len || text[0] == '-' || text[0] == '.')
		return;
	memcpy(told->session, text, len + 1);
}

void
told_model(struct told *told, const struct json *name)
{
	const char *text = json_str(name);
	size_t len = json_str_len(name);

	if (text == NULL || len == 0 || len > TOLD_ID_MAX || strlen(text) != len)
		return;
	memcpy(told->model, text, len + 1);
}

/* ---- what it does ---- */

static void
add_line(struct buf *out, const char *text)
{
	for (; *text != '\0' && out->len < TOLD_ACTIVITY_MAX; text++)
		buf_char(out,
			 (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text);
}

void
told_activity(struct told *told, const char *what, const char *detail)
{
	buf_clear(&told->activity);
	add_line(&told->activity, what);
	if (detail != NULL && *detail != '\0') {
		add_line(&told->activity, ": ");
		add_line(&told->activity, detail);
	}
	told->news++;
}

void
told_tool(struct told *told, const char *name, const struct json *arguments)
{
	static const char *const telling[] = {
		"command", "file_path", "filePath",    "path",   "dir_path", "pattern",
		"query",   "url",       "description", "prompt", "skill",    NULL,
	};

	told_activity(told, name != NULL ? name : "a tool",
		      json_str(told_any(arguments, telling)));
}

/* ---- what it used ---- */

static int64_t
count_of(const struct json *usage, const char *const *names)
{
	int64_t count = json_int(told_any(usage, names));

	return count < 0 ? 0 : count > TOKENS_MAX ? TOKENS_MAX : count;
}

/* input counts all that went in. Some tell what came from a cache apart from it, some
 * as a part of it: by the name of what they tell. */
static struct usage
usage_of(const struct json *usage)
{
	static const char *const input[] = { "input_tokens", "inputTokens", "input",
					     "prompt", NULL };
	static const char *const output[] = { "output_tokens", "outputTokens", "output",
					      "candidates", NULL };
	static const char *const within[] = { "cached_input_tokens", "cacheReadTokens",
					      "cached", NULL };
	static const char *const beside[] = { "cache_read_input_tokens", NULL };
	static const char *const written[] = { "cache_creation_input_tokens", NULL };
	static const char *const read[] = { "read", NULL };
	static const char *const write[] = { "write", NULL };
	static const char *const thought[] = { "reasoning", "thoughts", NULL };
	const struct json *cache = json_get(usage, "cache"); /* of opencode */
	int64_t apart = count_of(usage, beside) + count_of(cache, read);

	return (struct usage){
		.input = count_of(usage, input) + apart + count_of(usage, written) +
			 count_of(cache, write),
		.output = count_of(usage, output) + count_of(usage, thought),
		.cache_read = count_of(usage, within) + apart,
	};
}

bool
told_usage(struct told *told, const struct json *usage, bool add)
{
	struct usage found;

	if (json_type(usage) != JSON_OBJECT)
		return false;
	found = usage_of(usage);
	if (found.input == 0 && found.output == 0)
		return false;
	if (!add)
		told->usage = (struct usage){ 0 };
	told->usage.input += found.input;
	told->usage.output += found.output;
	told->usage.cache_read += found.cache_read;
	told->has_usage = true;
	return true;
}

void
told_cost(struct told *told, const struct json *usd, bool add)
{
	enum json_type type = json_type(usd);
	double value = json_double(usd);

	if ((type != JSON_INT && type != JSON_DOUBLE) || !(value >= 0) || value > 1e9)
		return;
	told->usd = add ? told->usd + value : value;
	told->has_usd = true;
}
