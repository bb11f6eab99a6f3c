/* Functions on places in strings: charAt, indexOf, substring. */
#include <string.h>

#include "lang/cel_format.h"
#include "lang/cel_function.h"
#include "lang/cel_string.h"

static struct cel_value
out_of_range(struct cel_run *run, int64_t index)
{
	return cel_fail(run, "index out of range: %lld", (long long)index);
}

static struct cel_value
fn_char_at(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text;
	size_t at;

	if (args[0].kind != CEL_STRING || args[1].kind != CEL_INT)
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, text->len / 16))
		return cel_spent(run);
	if (!cel_character_at(text, args[1].integer, &at))
		return out_of_range(run, args[1].integer);
	return cel_text(CEL_STRING, text->data + at,
			at == text->len ? 0 : cel_character_len(text, at));
}

/* string, string and perhaps a place. */
static bool
search_args(const struct cel_value *args, size_t count)
{
	return args[0].kind == CEL_STRING && args[1].kind == CEL_STRING &&
	       (count < 3 || args[2].kind == CEL_INT);
}

static struct cel_value
fn_index_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text, *part = &args[1].text;
	const char *found;
	size_t from = 0;

	if (!search_args(args, count))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, (text->len + part->len) / 16))
		return cel_spent(run);
	if (count == 3 && !cel_character_at(text, args[2].integer, &from))
		return out_of_range(run, args[2].integer);
	found = text->data + from;
	if (part->len > 0)
		found = memmem(found, text->len - from, part->data, part->len);
	if (found == NULL)
		return cel_int(-1);
	return cel_int(
	    (int64_t)cel_characters(text->data, (size_t)(found - text->data)));
}

static struct cel_value
fn_last_index_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text, *part = &args[1].text;
	size_t from = text->len;

	if (!search_args(args, count))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, text->len / 16))
		return cel_spent(run);
	if (count == 3 && !cel_character_at(text, args[2].integer, &from))
		return out_of_range(run, args[2].integer);
	if (part->len > text->len)
		return cel_int(-1);
	if (from > text->len - part->len)
		from = text->len - part->len;
	for (size_t at = from + 1; at-- > 0;) {
		if (part->len > 0 && text->data[at] != part->data[0])
			continue;
		if (!cel_spend(run, 1 + part->len / 32))
			return cel_spent(run);
		if (part->len == 0 ||
		    memcmp(text->data + at, part->data, part->len) == 0)
			return cel_int((int64_t)cel_characters(text->data, at));
	}
	return cel_int(-1);
}

static struct cel_value
fn_substring(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_text *text = &args[0].text;
	size_t from, to = text->len;

	if (args[0].kind != CEL_STRING || args[1].kind != CEL_INT ||
	    (count == 3 && args[2].kind != CEL_INT))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, text->len / 16))
		return cel_spent(run);
	if (!cel_character_at(text, args[1].integer, &from))
		return out_of_range(run, args[1].integer);
	if (count == 3 && !cel_character_at(text, args[2].integer, &to))
		return out_of_range(run, args[2].integer);
	if (to < from)
		return cel_fail(run, "the substring would end before it begins");
	return cel_text(CEL_STRING, text->data + from, to - from);
}

const struct cel_function cel_cut_functions[] = {
	{ "charAt", false, true, 2, 2, fn_char_at, "string.charAt(index)", 0 },
	{ "indexOf", false, true, 2, 3, fn_index_of, "string.indexOf(string, from)",
	  0 },
	{ "lastIndexOf", false, true, 2, 3, fn_last_index_of,
	  "string.lastIndexOf(string, from)", 0 },
	{ "substring", false, true, 2, 3, fn_substring, "string.substring(from, to)",
	  0 },
	{ "format", false, true, 2, 2, cel_format, "string.format(list)", 0 },
	{ 0 },
};
