/*
 * One value against one compiled schema. A node is checked part by part; a frame on the
 * stack remembers what is being checked where, so that dynamic references know where
 * they come from and a reference that goes in circles is found. A check that cannot be
 * finished (too deep, too much work, in circles) is broken: it ends with a problem and
 * the value does not count as good, not even inside `not`.
 */
#include "json/schema_check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"

#define KEY_SHOWN   100
#define VALUE_SHOWN 60
#define REASON_MAX  300

/* ---- problems ---- */

static bool
is_plain_key(const char *key)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_$";

	return key[0] != '\0' && strchr(letters, key[0]) != NULL &&
	       key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789_$-")] == '\0';
}

/* At most max bytes, never half a character. */
static size_t
cut_len(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && (text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void
add_key(const char *key, struct buf *path)
{
	size_t len = strlen(key), cut = cut_len(key, len, KEY_SHOWN);

	if (cut == len && is_plain_key(key)) {
		buf_printf(path, ".%s", key);
		return;
	}
	buf_char(path, '[');
	json_write_string(key, cut, path);
	buf_str(path, cut < len ? "...]" : "]");
}

static void
add_where(const struct where *where, struct buf *path)
{
	if (where->up == NULL) {
		buf_str(path, where->key);
		return;
	}
	add_where(where->up, path);
	if (where->key != NULL)
		add_key(where->key, path);
	else
		buf_printf(path, "[%zu]", where->index);
}

bool
schema_check_tells(const struct frame *frame)
{
	return frame->check->problems != NULL &&
	       frame->check->problems->count < frame->check->most &&
	       frame->check->broken == NULL;
}

bool
schema_check_fail(const struct frame *frame, const struct where *where,
		  const char *format, ...)
{
	struct buf path = { 0 }, message = { 0 };
	va_list args;

	if (!schema_check_tells(frame))
		return false;
	add_where(where, &path);
	va_start(args, format);
	buf_vprintf(&message, format, args);
	va_end(args);
	problems_add_at(frame->check->problems, 0, 0, buf_text(&path), "%s",
			buf_text(&message));
	buf_fini(&path);
	buf_fini(&message);
	return false;
}

char *
schema_check_shown(const struct json *value)
{
	struct buf text = { 0 };
	size_t cut;

	if (json_type(value) == JSON_STRING) { /* may be long: no more is written */
		cut = cut_len(json_str(value), json_str_len(value), VALUE_SHOWN);
		json_write_string(json_str(value), cut, &text);
		if (cut < json_str_len(value))
			buf_str(&text, "...");
		return buf_take(&text);
	}
	if (json_type(value) == JSON_ARRAY || json_type(value) == JSON_OBJECT) {
		buf_printf(&text, "an %s with %zu %s%s",
			   json_type_name(json_type(value)), json_count(value),
			   json_type(value) == JSON_ARRAY ? "item" : "member",
			   json_count(value) == 1 ? "" : "s");
		return buf_take(&text);
	}
	return json_text(value);
}

/* ---- work and depth ---- */

static bool
set_broken(const struct frame *frame, const char *why)
{
	if (frame->check->broken == NULL)
		frame->check->broken = why;
	return false;
}

bool
schema_check_spend(const struct frame *frame, int64_t work)
{
	frame->check->work -= work;
	if (frame->check->work > 0)
		return true;
	return set_broken(frame, "checking this takes too much work");
}

bool
schema_check_regex(const struct frame *frame, const void *regex, const char *text,
		   size_t len)
{
	struct check *check = frame->check;
	int answer = check->regex->match(regex, text, len, &check->work);

	if (answer < 0)
		return set_broken(frame, "matching a pattern takes too much work");
	return answer == 1;
}

/* Is this node being asked about this very place already? */
static bool
is_in_circles(const struct frame *frame)
{
	for (const struct frame *at = frame->up; at->where == frame->where; at = at->up)
		if (at->node == frame->node)
			return true;
	return false;
}

static bool
may_enter(const struct frame *frame)
{
	if (frame->check->broken != NULL || !schema_check_spend(frame, 1))
		return false;
	if (frame->check->depth < SCHEMA_DEPTH_MAX)
		return true;
	return set_broken(frame, is_in_circles(frame)
				     ? "the schema refers to itself without end here"
				     : "the schema goes too deep here");
}

/* ---- one node ---- */

static bool
check_parts(const struct frame *frame)
{
	static bool (*const parts[])(const struct frame *) = {
		schema_check_value, schema_check_number, schema_check_string,
		schema_check_array, schema_check_object, schema_check_logic,
		schema_check_refs,
	};
	bool good = schema_check_type(frame);

	if (!good)
		return false;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (good || schema_check_tells(frame))
			good = parts[i](frame) && good;
	return good && schema_check_others(frame);
}

bool
schema_check_node(const struct frame *up, const struct node *node,
		  const struct json *value, const struct where *where,
		  struct seen *seen)
{
	struct seen own = { 0 };
	struct frame frame = {
		.check = up->check,
		.up = up,
		.node = node,
		.value = value,
		.where = where,
	};
	bool good;

	if (!may_enter(&frame))
		return false;
	if (node->never)
		return schema_check_fail(&frame, where, "is not allowed");
	if (seen != NULL || node->other_items != NULL || node->other_members != NULL)
		frame.seen = &own;
	frame.check->depth++;
	good = check_parts(&frame);
	frame.check->depth--;
	if (good && seen != NULL) {
		schema_check_spend(&frame, (int64_t)own.words / 8);
		schema_seen_merge(seen, &own);
	}
	schema_seen_fini(&own);
	return good;
}

bool
schema_check_quietly(const struct frame *up, const struct node *node,
		     const struct json *value, const struct where *where,
		     struct seen *seen)
{
	struct problems *problems = up->check->problems;
	bool good;

	up->check->problems = NULL;
	good = schema_check_node(up, node, value, where, seen);
	up->check->problems = problems;
	return good;
}

char *
schema_check_reason(const struct frame *up, const struct node *node,
		    const struct json *value, const struct where *where)
{
	struct check *check = up->check;
	struct problems *problems = check->problems, own = { 0 };
	size_t most = check->most;
	char *text = NULL;

	check->problems = &own;
	check->most = 1;
	schema_check_node(up, node, value, where, NULL);
	check->problems = problems;
	check->most = most;
	if (own.count > 0) {
		const char *message = own.list[0].message;
		size_t len = strlen(message), cut = cut_len(message, len, REASON_MAX);
		struct buf path = { 0 };

		add_where(where, &path);
		if (strncmp(own.list[0].path, buf_text(&path), path.len) == 0 &&
		    own.list[0].path[path.len] != '\0')
			text = xprintf("%s: %.*s",
				       own.list[0].path + path.len +
					   (own.list[0].path[path.len] == '.'),
				       (int)cut, message);
		else
			text = xprintf("%.*s%s", (int)cut, message,
				       cut < len ? "..." : "");
		buf_fini(&path);
	}
	problems_fini(&own);
	return text != NULL ? text : xstrdup("does not fit");
}

bool
schema_check(const struct schema *schema, const struct json *value, const char *name,
	     struct problems *problems)
{
	struct where where = { .key = name };
	struct check check = {
		.regex = schema->regex,
		.problems = problems,
		.most = problems->count + SCHEMA_PROBLEMS_MAX,
		.work = SCHEMA_WORK_MAX,
	};
	struct frame outermost = { .check = &check };
	bool good = schema_check_node(&outermost, schema->top, value, &where, NULL);

	if (check.broken != NULL)
		problems_add_at(problems, 0, 0, name, "%s", check.broken);
	return good && check.broken == NULL;
}
