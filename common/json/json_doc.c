/*
 * A YAML document as a JSON value, by the core schema of YAML 1.2: plain scalars that
 * look like null, booleans, integers or floats become those, all others strings. What
 * JSON has no word for (.inf, .nan, numbers past a double) stays the string it was
 * written as.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

static bool
is_one_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

/* All of the text is digits of this base; at least one. */
static bool
all_digits(const char *text, const char *digits)
{
	return *text != '\0' && text[strspn(text, digits)] == '\0';
}

/* [-+]?[0-9]+, 0o[0-7]+, 0x[0-9a-fA-F]+ within int64 */
static bool
read_int(const char *text, int64_t *out)
{
	const char *digits = text;
	int base = 10;
	char *end;

	if (strncmp(text, "0o", 2) == 0 && all_digits(text + 2, "01234567")) {
		digits += 2;
		base = 8;
	} else if (strncmp(text, "0x", 2) == 0 &&
		   all_digits(text + 2, "0123456789abcdefABCDEF")) {
		digits += 2;
		base = 16;
	} else if (!all_digits(text + (*text == '-' || *text == '+'), "0123456789")) {
		return false;
	}
	errno = 0;
	*out = strtoll(digits, &end, base);
	return errno == 0 && *end == '\0';
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? within a double */
static bool
read_double(const char *text, double *out)
{
	const char *at = text + (*text == '-' || *text == '+');
	size_t before = strspn(at, "0123456789"), after = 0;

	at += before;
	if (*at == '.') {
		after = strspn(at + 1, "0123456789");
		at += 1 + after;
	}
	if (before + after == 0)
		return false;
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '-' || *at == '+';
		if (!all_digits(at, "0123456789"))
			return false;
		at += strlen(at);
	}
	*out = strtod(text, NULL);
	return *at == '\0' && isfinite(*out);
}

static struct json *
from_plain(const struct doc *doc)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const trues[] = { "true", "True", "TRUE", NULL };
	static const char *const falses[] = { "false", "False", "FALSE", NULL };
	int64_t integer;
	double number;

	if (strlen(doc->text) != doc->len)
		return json_new_str_len(doc->text, doc->len);
	if (is_one_of(doc->text, nulls))
		return NULL;
	if (is_one_of(doc->text, trues))
		return json_new_bool(true);
	if (is_one_of(doc->text, falses))
		return json_new_bool(false);
	if (read_int(doc->text, &integer))
		return json_new_int(integer);
	if (read_double(doc->text, &number))
		return json_new_double(number);
	return json_new_str_len(doc->text, doc->len);
}

static struct json *
from_list(const struct doc *doc)
{
	struct json *array = json_new_array();

	for (size_t i = 0; i < doc->count; i++)
		json_append(array, json_from_doc(doc->items[i]));
	return array;
}

static struct json *
from_map(const struct doc *doc)
{
	struct json *object = json_new_object();

	for (size_t i = 0; i < doc->count; i++)
		json_set_len(object, doc->keys[i]->text, doc->keys[i]->len,
			     json_from_doc(doc->items[i]));
	return object;
}

struct json *
json_from_doc(const struct doc *doc)
{
	if (doc == NULL)
		return NULL;
	if (doc->kind == DOC_LIST)
		return from_list(doc);
	if (doc->kind == DOC_MAP)
		return from_map(doc);
	if (doc->text == NULL)
		return NULL;
	return doc->quoted ? json_new_str_len(doc->text, doc->len) : from_plain(doc);
}
