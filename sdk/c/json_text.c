/* JSON for programs that have no library for it: written by a pattern, read by a path.
 */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stepmill/workflow.h"

/* ---- writing ---- */

static void
put_string(FILE *out, const char *text)
{
	struct json_object *string;

	if (text == NULL) {
		fputs("null", out);
		return;
	}
	string = json_object_new_string(text);
	fputs(json_object_to_json_string_ext(
		  string, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
	      out);
	json_object_put(string);
}

static void
put_double(FILE *out, double value)
{
	struct json_object *number = json_object_new_double(value);

	fputs(value - value == 0 ? json_object_to_json_string(number) : "null", out);
	json_object_put(number);
}

static void
put(FILE *out, char kind, va_list *args)
{
	const char *text;

	switch (kind) {
	case 's':
		put_string(out, va_arg(*args, const char *));
		break;
	case 'j':
		text = va_arg(*args, const char *);
		fputs(text != NULL ? text : "null", out);
		break;
	case 'd':
		fprintf(out, "%d", va_arg(*args, int));
		break;
	case 'l':
		fprintf(out, "%lld", va_arg(*args, long long));
		break;
	case 'f':
		put_double(out, va_arg(*args, double));
		break;
	case 'b':
		fputs(va_arg(*args, int) ? "true" : "false", out);
		break;
	default:
		fputc(kind, out);
	}
}

char *
stepmill_json(const char *pattern, ...)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	va_list args;

	if (out == NULL)
		return NULL;
	va_start(args, pattern);
	for (const char *at = pattern; *at != '\0'; at++) {
		if (*at == '%' && at[1] != '\0')
			put(out, *++at, &args);
		else
			fputc(*at, out);
	}
	va_end(args);
	fclose(out);
	return text;
}

/* ---- reading ---- */

static struct json_object *
step_into(struct json_object *value, const char *name, size_t len)
{
	struct json_object *member = NULL;
	char *key = strndup(name, len), *end;
	unsigned long index;

	if (json_object_is_type(value, json_type_array)) {
		index = strtoul(key, &end, 10);
		if (*end == '\0' && end != key)
			member = json_object_array_get_idx(value, index);
	} else {
		json_object_object_get_ex(value, key, &member);
	}
	free(key);
	return member;
}

static struct json_object *
walk(struct json_object *value, const char *path)
{
	while (value != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		value = step_into(value, path, len);
		path += len;
		path += *path == '.';
	}
	return value;
}

char *
stepmill_member(const char *json, const char *path)
{
	struct json_object *whole = json != NULL ? json_tokener_parse(json) : NULL;
	struct json_object *member = walk(whole, path);
	char *text =
	    member != NULL
		? strdup(json_object_to_json_string_ext(
		      member, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE))
		: NULL;

	json_object_put(whole);
	return text;
}

char *
stepmill_text(const char *json, const char *path)
{
	struct json_object *whole = json != NULL ? json_tokener_parse(json) : NULL;
	struct json_object *member = walk(whole, path);
	char *text = member == NULL
			 ? NULL
			 : strdup(json_object_is_type(member, json_type_string)
				      ? json_object_get_string(member)
				      : json_object_to_json_string_ext(
					    member, JSON_C_TO_STRING_PLAIN));

	json_object_put(whole);
	return text;
}
