/*
 * One value of an option: reading with limits, writing back. A secret may name a file
 * or an environment variable that holds it; those are read here, once, at start or
 * reload.
 */
#include "conf/option_value.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/quote.h"
#include "base/usec.h"
#include "base/xalloc.h"
#include "conf/secret.h"
#include "conf/yaml.h"
#include "conf/yaml_text.h"

#define SHOWN_MAX      60 /* of a wrong value in a message */
#define NUMBER_LEN_MAX 20

union number {
	long count;
	usec_t duration;
};

struct byte_unit {
	const char *name;
	long size;
};

static const struct byte_unit byte_units[] = {
	{ "GiB", 1L << 30 },
	{ "MiB", 1L << 20 },
	{ "KiB", 1L << 10 },
	{ "B", 1 },
};
#define BYTE_UNITS (sizeof byte_units / sizeof byte_units[0])

static void *
place_of(const struct option *option, void *conf)
{
	return (char *)conf + option->offset;
}

static const void *
const_place_of(const struct option *option, const void *conf)
{
	return (const char *)conf + option->offset;
}

static int
refuse(struct err *err, const char *text, size_t len, const char *what)
{
	return err_set(err, ERR_INPUT, "\"%.*s\" is not %s",
		       (int)(len < SHOWN_MAX ? len : SHOWN_MAX), text, what);
}

/* Digits up to the end or to what follows them; -1 when there are none or too many. */
static long
read_digits(const char *text, size_t len, size_t *used)
{
	long value = 0;

	for (*used = 0; *used < len; (*used)++) {
		char c = text[*used];

		if (c < '0' || c > '9')
			break;
		if (value > (LONG_MAX - 9) / 10)
			return -1;
		value = value * 10 + (c - '0');
	}
	return *used > 0 ? value : -1;
}

static int
read_count(const char *text, size_t len, union number *out, struct err *err)
{
	size_t used;

	out->count = read_digits(text, len, &used);
	if (out->count < 0 || used != len)
		return refuse(err, text, len, "a whole number");
	return 0;
}

static int
read_bytes(const char *text, size_t len, union number *out, struct err *err)
{
	size_t used, unit = BYTE_UNITS - 1;

	out->count = read_digits(text, len, &used);
	if (used < len)
		for (unit = 0; unit < BYTE_UNITS; unit++)
			if (strlen(byte_units[unit].name) == len - used &&
			    memcmp(byte_units[unit].name, text + used, len - used) == 0)
				break;
	if (out->count < 0 || unit == BYTE_UNITS ||
	    __builtin_mul_overflow(out->count, byte_units[unit].size, &out->count))
		return refuse(err, text, len, "a size, like 64KiB, 4MiB or 1GiB");
	return 0;
}

static int
read_duration(const char *text, size_t len, union number *out, struct err *err)
{
	if (len == 1 && text[0] == '0') {
		out->duration = 0;
		return 0;
	}
	return duration_parse(text, len, &out->duration, err);
}

typedef int read_fn(const char *text, size_t len, union number *out, struct err *err);

static read_fn *const readers[OPT_TYPES] = {
	[OPT_COUNT] = read_count,
	[OPT_BYTES] = read_bytes,
	[OPT_DURATION] = read_duration,
};

static int64_t
value_of(enum option_type type, const union number *number)
{
	return type == OPT_DURATION ? number->duration : number->count;
}

/* A limit of the table; a wrong one is our own mistake. */
static int64_t
limit(const struct option *option, const char *text)
{
	union number number = { 0 };
	struct err err = { 0 };

	if (readers[option->type](text, strlen(text), &number, &err) < 0)
		bug("option %s: limit %s", option->name, err.text);
	return value_of(option->type, &number);
}

static int
set_number(const struct option *option, void *conf, const char *text, size_t len,
	   struct err *err)
{
	union number number = { 0 };
	int64_t value;
	int shown = (int)(len < SHOWN_MAX ? len : SHOWN_MAX);

	if (readers[option->type](text, len, &number, err) < 0)
		return -1;
	value = value_of(option->type, &number);
	if (option->least != NULL && value < limit(option, option->least))
		return err_set(err, ERR_INPUT, "%.*s is less than %s", shown, text,
			       option->least);
	if (option->most != NULL && value > limit(option, option->most))
		return err_set(err, ERR_INPUT, "%.*s is more than %s", shown, text,
			       option->most);
	if (option->type == OPT_DURATION)
		*(usec_t *)place_of(option, conf) = number.duration;
	else
		*(long *)place_of(option, conf) = number.count;
	return 0;
}

static int
set_flag(const struct option *option, void *conf, const char *text, size_t len,
	 struct err *err)
{
	static const char *const words[] = {
		"false", "true", "no", "yes", "off", "on"
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strlen(words[i]) != len || strncasecmp(words[i], text, len) != 0)
			continue;
		*(bool *)place_of(option, conf) = i % 2 == 1;
		return 0;
	}
	return refuse(err, text, len, "true or false");
}

static int
set_text(const struct option *option, void *conf, const char *text, size_t len,
	 struct err *err)
{
	char **place = place_of(option, conf), *value;

	if (memchr(text, '\0', len) != NULL)
		return err_set(err, ERR_INPUT, "\\0 is not allowed");
	value = xstrndup(text, len);
	if ((option->flags & OPT_SECRET) != 0) {
		char *followed = secret_follow(value, err);

		free(value);
		value = followed;
	}
	if (value == NULL)
		return -1;
	free(*place);
	*place = value;
	return 0;
}

/* "a, b": what an environment variable can hold of a list. */
static int
set_texts(const struct option *option, void *conf, const char *text, size_t len,
	  struct err *err)
{
	const char *end = text + len, *comma, *last;

	(void)err;
	option_value_clear(option, conf);
	for (; text < end; text = comma + 1) {
		comma = memchr(text, ',', (size_t)(end - text));
		if (comma == NULL)
			comma = end;
		while (text < comma && *text == ' ')
			text++;
		for (last = comma; last > text && last[-1] == ' '; last--)
			;
		if (last > text)
			option_value_add(option, conf, text, (size_t)(last - text));
	}
	return 0;
}

/* A plain decimal number: no exponent, no sign. */
static int
set_decimal(const struct option *option, void *conf, const char *text, size_t len,
	    struct err *err)
{
	char *copy = xstrndup(text, len);
	size_t digits = strspn(copy, "0123456789"), whole = digits;
	double value = strtod(copy, NULL);

	if (copy[whole] == '.')
		whole += 1 + strspn(copy + whole + 1, "0123456789");
	free(copy);
	if (digits == 0 || whole != len || len > NUMBER_LEN_MAX)
		return refuse(err, text, len, "a number, like 15 or 0.25");
	*(double *)place_of(option, conf) = value;
	return 0;
}

void
option_value_put(const struct option *option, void *conf, const struct doc *node)
{
	option_value_clear(option, conf);
	*(struct doc **)place_of(option, conf) = doc_copy(node);
}

static int
set_tree(const struct option *option, void *conf, const char *text, size_t len,
	 struct err *err)
{
	struct problems problems = { 0 };
	struct doc *tree = yaml_parse(text, len, &problems);
	int status = 0;

	if (tree != NULL)
		option_value_put(option, conf, tree);
	else
		status = err_set(err, ERR_INPUT, "%s", problems.list[0].message);
	doc_free(&tree);
	problems_fini(&problems);
	return status;
}

typedef int set_fn(const struct option *option, void *conf, const char *text,
		   size_t len, struct err *err);

static set_fn *const setters[OPT_TYPES] = {
	[OPT_TEXT] = set_text,       [OPT_COUNT] = set_number, [OPT_BYTES] = set_number,
	[OPT_DURATION] = set_number, [OPT_FLAG] = set_flag,    [OPT_TEXTS] = set_texts,
	[OPT_NUMBER] = set_decimal,  [OPT_TREE] = set_tree,
};

int
option_value_set(const struct option *option, void *conf, const char *text, size_t len,
		 struct err *err)
{
	return setters[option->type](option, conf, text, len, err);
}

void
option_value_add(const struct option *option, void *conf, const char *text, size_t len)
{
	struct texts *texts = place_of(option, conf);

	texts->list = xrealloc(texts->list, texts->count + 1, sizeof *texts->list);
	texts->list[texts->count++] = xstrndup(text, len);
}

void
option_value_clear(const struct option *option, void *conf)
{
	struct texts *texts;
	char **text;

	if (option->type == OPT_TREE) {
		doc_free(place_of(option, conf));
	} else if (option->type == OPT_TEXT) {
		text = place_of(option, conf);
		free(*text);
		*text = NULL;
	} else if (option->type == OPT_TEXTS) {
		texts = place_of(option, conf);
		for (size_t i = 0; i < texts->count; i++)
			free(texts->list[i]);
		free(texts->list);
		*texts = (struct texts){ 0 };
	}
}

static void
write_quoted(const char *text, struct buf *out)
{
	struct buf json = { 0 };

	quote_json(text, strlen(text), &json);
	yaml_text_escape(json.data, json.len, out);
	buf_fini(&json);
}

static void
write_text(const struct option *option, const void *place, struct buf *out)
{
	const char *text = *(char *const *)place;

	if (text == NULL)
		return;
	if ((option->flags & OPT_SECRET) != 0)
		text = "***";
	write_quoted(text, out);
}

static void
write_texts(const struct option *option, const void *place, struct buf *out)
{
	const struct texts *texts = place;

	(void)option;
	buf_char(out, '[');
	for (size_t i = 0; i < texts->count; i++) {
		if (i > 0)
			buf_str(out, ", ");
		write_quoted(texts->list[i], out);
	}
	buf_char(out, ']');
}

static void
write_count(const struct option *option, const void *place, struct buf *out)
{
	(void)option;
	buf_printf(out, "%ld", *(const long *)place);
}

static void
write_bytes(const struct option *option, const void *place, struct buf *out)
{
	long bytes = *(const long *)place;
	size_t unit = 0;

	(void)option;
	while (bytes == 0 || bytes % byte_units[unit].size != 0) {
		if (++unit == BYTE_UNITS - 1)
			break;
	}
	buf_printf(out, "%ld%s", bytes / byte_units[unit].size, byte_units[unit].name);
}

static void
write_duration(const struct option *option, const void *place, struct buf *out)
{
	char text[64];

	(void)option;
	buf_str(out, duration_format(*(const usec_t *)place, text, sizeof text));
}

static void
write_flag(const struct option *option, const void *place, struct buf *out)
{
	(void)option;
	buf_str(out, *(const bool *)place ? "true" : "false");
}

static void
write_number(const struct option *option, const void *place, struct buf *out)
{
	char text[64];
	size_t len;

	(void)option;
	len = (size_t)snprintf(text, sizeof text, "%.6f", *(const double *)place);
	while (len > 0 && text[len - 1] == '0')
		len--;
	if (len > 0 && text[len - 1] == '.')
		len--;
	buf_add(out, text, len);
}

/* What is called like this is shown to nobody, nor is what is below it. */
static bool
is_secret(const char *key)
{
	static const char *const words[] = { "key", "token", "secret", "password",
					     "headers" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strstr(key, words[i]) != NULL)
			return true;
	return false;
}

/* Read back as it is when nothing is put around it. */
static bool
is_plain(const struct doc *node)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t start = strspn(node->text, letters);

	return start > 0 &&
	       start + strspn(node->text + start, "abcdefghijklmnopqrstuvwxyz"
						  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						  "0123456789._-/") ==
		   node->len;
}

static void
write_node(const struct doc *node, bool secret, struct buf *out)
{
	bool is_map = node->kind == DOC_MAP;

	if (node->kind == DOC_SCALAR && secret)
		buf_str(out, "\"***\"");
	else if (node->kind == DOC_SCALAR && !node->quoted && is_plain(node))
		buf_str(out, node->text);
	else if (node->kind == DOC_SCALAR)
		write_quoted(node->text, out);
	if (node->kind == DOC_SCALAR)
		return;
	buf_char(out, is_map ? '{' : '[');
	for (size_t i = 0; i < node->count; i++) {
		buf_str(out, i > 0 ? ", " : "");
		if (is_map) {
			write_quoted(node->keys[i]->text, out);
			buf_str(out, ": ");
		}
		write_node(node->items[i],
			   secret || (is_map && is_secret(node->keys[i]->text)), out);
	}
	buf_char(out, is_map ? '}' : ']');
}

static void
write_tree(const struct option *option, const void *place, struct buf *out)
{
	const struct doc *node = *(struct doc *const *)place;

	(void)option;
	if (node == NULL)
		buf_str(out, "{}");
	else
		write_node(node, false, out);
}

typedef void write_fn(const struct option *option, const void *place, struct buf *out);

static write_fn *const writers[OPT_TYPES] = {
	[OPT_TEXT] = write_text,     [OPT_COUNT] = write_count,
	[OPT_BYTES] = write_bytes,   [OPT_DURATION] = write_duration,
	[OPT_FLAG] = write_flag,     [OPT_TEXTS] = write_texts,
	[OPT_NUMBER] = write_number, [OPT_TREE] = write_tree,
};

void
option_value_write(const struct option *option, const void *conf, struct buf *out)
{
	writers[option->type](option, const_place_of(option, conf), out);
}
