/* What actions and tools do alike when they answer. See answer.h. */
#include "actions/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "engine/tool_names.h"

bool
answer_is_final(enum err_kind kind)
{
	return kind == ERR_INPUT || kind == ERR_DENIED || kind == ERR_LIMIT;
}

void
answer_error(struct attempt *attempt, const char *name, const struct err *err)
{
	attempt_fail(attempt, err_kind_name(err->kind), answer_is_final(err->kind),
		     "%s%s%s", name != NULL ? name : "", name != NULL ? ": " : "",
		     err->text);
}

bool
answer_allowed(struct attempt *attempt, const char *tool)
{
	if (tool_names_is_own(tool) || tool_names_allow(attempt->tools, tool))
		return true;
	attempt_fail(attempt, "denied", true,
		     "the key that started this run may not use \"%s\"", tool);
	return false;
}

bool
answer_checked(struct attempt *attempt, const char *name, const struct field *table)
{
	struct err err = { 0 };

	if (field_check(table, attempt->fields, FIELD_RESOLVED, &err) == 0)
		return true;
	answer_error(attempt, name, &err);
	return false;
}

/* ---- later ---- */

struct later {
	struct attempt *attempt;
	struct timer *timer;
	struct json *output;
	struct err err;
	const char *name;
	usec_t wait_until; /* 0: no wait */
};

static void
on_later(void *context)
{
	struct later *later = context;
	struct json *output = later->output;

	later->output = NULL;
	if (later->err.kind != ERR_NONE)
		answer_error(later->attempt, later->name, &later->err);
	else if (later->wait_until != 0)
		attempt_wait(later->attempt, later->wait_until);
	else
		attempt_succeed(later->attempt, output);
}

static struct later *
later_new(struct attempt *attempt)
{
	struct later *later = xcalloc(1, sizeof *later);

	later->attempt = attempt;
	later->timer = timer_new(attempt->services->loop, on_later, later);
	timer_set(later->timer, 0);
	return later;
}

struct later *
later_succeed(struct attempt *attempt, struct json *output)
{
	struct later *later = later_new(attempt);

	later->output = output;
	return later;
}

struct later *
later_error(struct attempt *attempt, const char *name, const struct err *err)
{
	struct later *later = later_new(attempt);

	later->err = *err;
	later->name = name;
	return later;
}

struct later *
later_wait(struct attempt *attempt, usec_t run_at)
{
	struct later *later = later_new(attempt);

	later->wait_until = run_at;
	return later;
}

void
later_free(void *context)
{
	struct later *later = context;

	if (later == NULL)
		return;
	timer_free(&later->timer);
	json_unref(&later->output);
	free(later);
}

/* ---- fields ---- */

const char *
field_text(const struct attempt *attempt, const char *name, const char *preset)
{
	const char *text = json_str(json_get(attempt->fields, name));

	return text != NULL ? text : preset;
}

bool
field_flag(const struct attempt *attempt, const char *name, bool preset)
{
	const struct json *value = json_get(attempt->fields, name);

	return json_type(value) == JSON_BOOL ? json_bool(value) : preset;
}

char *
field_as_text(const struct json *value)
{
	if (json_type(value) == JSON_STRING)
		return xstrndup(json_str(value), json_str_len(value));
	return json_type(value) == JSON_NULL ? xstrdup("") : json_text(value);
}

/* ---- texts ---- */

struct json *
answer_text(const struct attempt *attempt, const char *text, size_t len)
{
	const struct mask *mask = attempt->services->mask;
	struct buf repaired = { 0 }, masked = { 0 };
	struct json *json;

	utf8_repair(text, len, &repaired);
	mask_text(mask, buf_text(&repaired), repaired.len, &masked);
	json = json_new_str_len(buf_text(&masked), masked.len);
	buf_fini(&repaired);
	buf_fini(&masked);
	return json;
}

struct json *
answer_part(const struct attempt *attempt, const char *text, size_t len)
{
	struct buf repaired = { 0 }, masked = { 0 };
	struct json *json;

	utf8_repair(text, len, &repaired);
	mask_cut(attempt->services->mask, buf_text(&repaired), repaired.len, &masked);
	json = json_new_str_len(buf_text(&masked), masked.len);
	buf_fini(&repaired);
	buf_fini(&masked);
	return json;
}

struct json *
answer_output(const struct attempt *attempt, const struct output *output, bool *cut)
{
	const struct mask *mask = attempt->services->mask;
	struct output_parts parts = { 0 };
	struct buf text = { 0 };
	struct json *json;

	if (!output_cut(output, &parts)) {
		output_text(output, &text);
		json = answer_text(attempt, buf_text(&text), text.len);
	} else {
		*cut = true;
		mask_cut(mask, buf_text(&parts.head), parts.head.len, &text);
		output_mark(&parts, &text);
		mask_cut(mask, buf_text(&parts.tail), parts.tail.len, &text);
		json = json_new_str_len(buf_text(&text), text.len);
	}
	output_parts_fini(&parts);
	buf_fini(&text);
	return json;
}

int
answer_json(const struct attempt *attempt, const char *text, size_t len,
	    struct json **out, struct err *err)
{
	if (json_parse(text, len, out, err) < 0)
		return -1;
	*out = json_masked(*out, attempt->services->mask);
	return 0;
}

struct json *
answer_masked(const struct attempt *attempt, struct json *value)
{
	struct json *masked = NULL;
	struct err err = { 0 };
	char *text;

	if (attempt->services->mask == NULL || value == NULL)
		return value;
	text = json_text(value);
	if (answer_json(attempt, text, strlen(text), &masked, &err) == 0) {
		json_unref(&value);
		value = masked;
	}
	free(text);
	return value;
}
