/* See print.h. */
#include "print.h"

#include <stdio.h>

#include "text.h"

static void put(const struct json *json, int depth, struct buf *out);

static void
indent(int depth, struct buf *out)
{
	buf_char(out, '\n');
	for (int i = 0; i < depth; i++)
		buf_str(out, "  ");
}

static void
put_array(const struct json *json, int depth, struct buf *out)
{
	buf_char(out, '[');
	for (size_t i = 0; i < json_count(json); i++) {
		if (i > 0)
			buf_char(out, ',');
		indent(depth + 1, out);
		put(json_at(json, i), depth + 1, out);
	}
	indent(depth, out);
	buf_char(out, ']');
}

static void
put_object(const struct json *json, int depth, struct buf *out)
{
	bool first = true;

	buf_char(out, '{');
	for (struct json_iter it = json_iter(json); json_next(&it); first = false) {
		if (!first)
			buf_char(out, ',');
		indent(depth + 1, out);
		json_write_string(it.key, it.key_len, out);
		buf_str(out, ": ");
		put(it.value, depth + 1, out);
	}
	indent(depth, out);
	buf_char(out, '}');
}

static void
put(const struct json *json, int depth, struct buf *out)
{
	if (json_type(json) == JSON_ARRAY && json_count(json) > 0)
		put_array(json, depth, out);
	else if (json_type(json) == JSON_OBJECT && json_count(json) > 0)
		put_object(json, depth, out);
	else
		json_write(json, out);
}

void
print_json(const struct json *json)
{
	struct buf out = { 0 };

	put(json, 0, &out);
	printf("%s\n", buf_text(&out));
	buf_fini(&out);
}

void
print_line(const struct json *json)
{
	struct buf out = { 0 };

	json_write(json, &out);
	printf("%s\n", buf_text(&out));
	fflush(stdout);
	buf_fini(&out);
}

void
print_value(const struct json *json, struct buf *out)
{
	struct buf text = { 0 };

	if (json_type(json) == JSON_STRING) {
		text_clean(json_str(json), out);
		return;
	}
	json_write(json, &text);
	text_clean(buf_text(&text), out);
	buf_fini(&text);
}
