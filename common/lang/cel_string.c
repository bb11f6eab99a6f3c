/* Functions on strings as a whole: searching, case, joining, splitting, replacing. */
#include "lang/cel_string.h"

#include <string.h>

#include "base/utf8.h"
#include "lang/cel_function.h"
#include "lang/cel_node.h"
#include "lang/cel_text.h"

size_t
cel_characters(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += (text[i] & 0xc0) != 0x80;
	return count;
}

size_t
cel_character_len(const struct cel_text *text, size_t at)
{
	size_t end = at + 1;

	while (end < text->len && (text->data[end] & 0xc0) == 0x80)
		end++;
	return end - at;
}

bool
cel_character_at(const struct cel_text *text, int64_t index, size_t *at)
{
	*at = 0;
	if (index < 0)
		return false;
	for (; index > 0 && *at < text->len; index--)
		*at += cel_character_len(text, *at);
	return index == 0;
}

static bool
all_strings(const struct cel_value *args, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (args[i].kind != CEL_STRING)
			return false;
	return true;
}

static struct cel_value
fn_contains(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text, *part = &args[1].text;

	if (!all_strings(args, count))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, (text->len + part->len) / 64))
		return cel_spent(run);
	return cel_bool(part->len == 0 ||
			memmem(text->data, text->len, part->data, part->len) != NULL);
}

static struct cel_value
fn_starts_with(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text, *part = &args[1].text;

	if (!all_strings(args, count))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, part->len / 64))
		return cel_spent(run);
	return cel_bool(text->len >= part->len &&
			memcmp(text->data, part->data, part->len) == 0);
}

static struct cel_value
fn_ends_with(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text, *part = &args[1].text;

	if (!all_strings(args, count))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, part->len / 64))
		return cel_spent(run);
	return cel_bool(
	    text->len >= part->len &&
	    memcmp(text->data + text->len - part->len, part->data, part->len) == 0);
}

/* detail: the first letter of those that change */
static struct cel_value
fn_ascii_case(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text;
	char first = (char)run->node->function->detail, *out;

	if (!all_strings(args, count))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, text->len / 16))
		return cel_spent(run);
	out = cel_alloc(run, text->len + 1);
	if (out == NULL)
		return cel_spent(run);
	for (size_t i = 0; i < text->len; i++) {
		out[i] = text->data[i];
		if (out[i] >= first && out[i] <= first + ('z' - 'a'))
			out[i] ^= 'a' ^ 'A';
	}
	out[text->len] = '\0';
	return cel_text(CEL_STRING, out, text->len);
}

/* Unicode's White_Space. */
static bool
is_space(const char *text, size_t len)
{
	uint32_t c;

	if (utf8_decode(text, len, &c) == 0)
		return false;
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 ||
	       c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	       c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static struct cel_value
fn_trim(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_text text = args[0].text;
	size_t step, last;

	if (!all_strings(args, count))
		return cel_no_overload(run, args, count);
	while (text.len > 0 && is_space(text.data, text.len)) {
		step = cel_character_len(&text, 0);
		text.data += step;
		text.len -= step;
	}
	while (text.len > 0) {
		last = text.len - 1;
		while (last > 0 && (text.data[last] & 0xc0) == 0x80)
			last--;
		if (!is_space(text.data + last, text.len - last))
			break;
		text.len = last;
	}
	if (!cel_spend(run, (args[0].text.len - text.len) / 16))
		return cel_spent(run);
	return cel_text(CEL_STRING, text.data, text.len);
}

static struct cel_value
fn_join(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_text between = { "", 0 };
	struct buf built = { 0 };
	struct cel_value item;

	if (args[0].kind != CEL_LIST || !all_strings(args + 1, count - 1))
		return cel_no_overload(run, args, count);
	if (count == 2)
		between = args[1].text;
	for (struct cel_iter it = cel_iter(&args[0]); cel_next(&it);) {
		item = it.value;
		if (item.kind != CEL_STRING) {
			buf_fini(&built);
			return cel_fail(run, "join() is for strings; item %lld is %s",
					(long long)it.key.integer,
					cel_kind_name(item.kind));
		}
		if (!cel_spend(run, 1 + (item.text.len + between.len) / 16))
			break;
		if (it.key.integer > 0)
			buf_add(&built, between.data, between.len);
		buf_add(&built, item.text.data, item.text.len);
	}
	return cel_take_text(run, &built);
}

/* An optional limit, the argument at that place: -1 is none. false: no number. */
static bool
read_limit(const struct cel_value *args, size_t count, size_t at, int64_t *limit)
{
	*limit = -1;
	if (count <= at)
		return true;
	if (args[at].kind != CEL_INT)
		return false;
	*limit = args[at].integer < 0 ? -1 : args[at].integer;
	return true;
}

/* Where the part is found next from there on; an empty one between all characters. */
static const char *
find(const struct cel_text *text, const char *from, const struct cel_text *part)
{
	const char *end = text->data + text->len;
	size_t at = (size_t)(from - text->data);

	if (part->len > 0)
		return memmem(from, (size_t)(end - from), part->data, part->len);
	return from == end ? NULL : from + cel_character_len(text, at);
}

static struct cel_value
fn_replace(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text, *old = &args[1].text;
	const struct cel_text *new = &args[2].text;
	const char *at = text->data, *next;
	struct buf built = { 0 };
	int64_t limit;

	if (!all_strings(args, 3) || !read_limit(args, count, 3, &limit))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, (text->len + old->len) / 32))
		return cel_spent(run);
	if (old->len == 0 && limit != 0) { /* in front of everything, too */
		buf_add(&built, new->data, new->len);
		limit -= limit > 0;
	}
	while (limit != 0 && (next = find(text, at, old)) != NULL) {
		if (!cel_spend(run, 2 + new->len / 16))
			break;
		buf_add(&built, at, (size_t)(next - at));
		buf_add(&built, new->data, new->len);
		at = next + old->len;
		limit -= limit > 0;
	}
	buf_add(&built, at, (size_t)(text->data + text->len - at));
	return cel_take_text(run, &built);
}

/* How many parts there will be. */
static size_t
count_parts(const struct cel_text *text, const struct cel_text *by, int64_t limit)
{
	const char *at = text->data;
	size_t parts = 1;

	if (limit == 0 || (by->len == 0 && text->len == 0))
		return 0;
	while ((limit < 0 || (int64_t)parts < limit) &&
	       (at = find(text, at, by)) != NULL) {
		at += by->len;
		if (by->len == 0 && at == text->data + text->len)
			break;
		parts++;
	}
	return parts;
}

static struct cel_value
fn_split(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text, *by = &args[1].text;
	const char *at = text->data, *next;
	struct cel_value *items;
	size_t parts;
	int64_t limit;

	if (!all_strings(args, 2) || !read_limit(args, count, 2, &limit))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, (text->len + by->len) / 16))
		return cel_spent(run);
	parts = count_parts(text, by, limit);
	cel_spend(run, 4 * parts);
	items = cel_alloc_values(run, parts);
	if (items == NULL)
		return cel_spent(run);
	for (size_t i = 0; i < parts; i++) {
		next = i + 1 < parts ? find(text, at, by) : text->data + text->len;
		items[i] = cel_text(CEL_STRING, at, (size_t)(next - at));
		at = next + by->len;
	}
	return cel_items(CEL_LIST, items, parts);
}

static struct cel_value
fn_reverse(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text;
	size_t step;
	char *out;

	if (!all_strings(args, count))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, text->len / 8))
		return cel_spent(run);
	out = cel_alloc(run, text->len + 1);
	if (out == NULL)
		return cel_spent(run);
	for (size_t at = 0; at < text->len; at += step) {
		step = cel_character_len(text, at);
		memcpy(out + text->len - at - step, text->data + at, step);
	}
	out[text->len] = '\0';
	return cel_text(CEL_STRING, out, text->len);
}

static struct cel_value
fn_quote(struct cel_run *run, const struct cel_value *args, size_t count)
{
	static const char letters[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";
	const struct cel_text *text = &args[0].text;
	struct buf built = { 0 };
	const char *found;

	if (!all_strings(args, count))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, text->len / 4))
		return cel_spent(run);
	buf_char(&built, '"');
	for (size_t i = 0; i < text->len; i++) {
		found = text->data[i] != '\0' ? strchr(values, text->data[i]) : NULL;
		if (found != NULL) {
			buf_char(&built, '\\');
			buf_char(&built, letters[found - values]);
		} else {
			buf_char(&built, text->data[i]);
		}
	}
	buf_char(&built, '"');
	return cel_take_text(run, &built);
}

#define MEMBER(name, least, most, fn, usage, detail)                                   \
	{                                                                              \
		name, false, true, least, most, fn, usage, detail                      \
	}

const struct cel_function cel_string_functions[] = {
	MEMBER("contains", 2, 2, fn_contains, "string.contains(string)", 0),
	MEMBER("startsWith", 2, 2, fn_starts_with, "string.startsWith(string)", 0),
	MEMBER("endsWith", 2, 2, fn_ends_with, "string.endsWith(string)", 0),
	MEMBER("lowerAscii", 1, 1, fn_ascii_case, "string.lowerAscii()", 'A'),
	MEMBER("upperAscii", 1, 1, fn_ascii_case, "string.upperAscii()", 'a'),
	MEMBER("trim", 1, 1, fn_trim, "string.trim()", 0),
	MEMBER("join", 1, 2, fn_join, "list.join(string)", 0),
	MEMBER("replace", 3, 4, fn_replace, "string.replace(string, string, limit)", 0),
	MEMBER("split", 2, 3, fn_split, "string.split(string, limit)", 0),
	MEMBER("reverse", 1, 1, fn_reverse, "string.reverse()", 0),
	{ "strings.quote", true, false, 1, 1, fn_quote, "strings.quote(string)", 0 },
	{ 0 },
};
