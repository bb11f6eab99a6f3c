/* See object_core.h. */
#include "front/object_core.h"

#include <stdio.h>
#include <string.h>

struct check {
	const struct field *table;
	const char *under;
	bool strict;
	struct problems *problems;
};

void
object_path(const char *under, const char *name, char out[static OBJECT_PATH_MAX])
{
	snprintf(out, OBJECT_PATH_MAX, "%.90s%s%.100s", under,
		 *under != '\0' ? "." : "", name);
}

static void
complain(const struct check *check, const char *name, const char *why)
{
	char path[OBJECT_PATH_MAX];

	object_path(check->under, name, path);
	problems_add_at(check->problems, 0, 0, path, "%s", why);
}

static void
check_unknown(const struct check *check, const char *name)
{
	const char *nearest = field_nearest(check->table, name);
	char text[100];

	snprintf(text, sizeof text, "is unknown%s%s%s",
		 nearest != NULL ? "; did you mean \"" : "",
		 nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
	complain(check, name, text);
}

static void
check_length(const struct check *check, const struct field *field,
	     const struct json *value)
{
	size_t len = json_str_len(value);
	char text[100];

	if (strlen(json_str(value)) != len) {
		complain(check, field->name, "expected a text without NUL");
	} else if (field->max > 0 &&
		   ((long)len < field->min || (long)len > field->max)) {
		snprintf(text, sizeof text, "expected %ld to %ld bytes", field->min,
			 field->max);
		complain(check, field->name, text);
	}
}

static void
check_members(const struct check *check, const struct field *field,
	      const struct json *value)
{
	char path[OBJECT_PATH_MAX];

	object_path(check->under, field->name, path);
	object_check(field->members, value, path, check->strict, check->problems);
}

static void
check_field(const struct check *check, const struct field *field,
	    const struct json *value)
{
	struct field own = *field;
	struct err why = { 0 };

	own.members = NULL; /* judged one by one */
	if (field_accepts(&own, value, FIELD_RESOLVED, &why) < 0)
		complain(check, field->name, why.text);
	else if (value != NULL && field->type == FIELD_TEXT)
		check_length(check, field, value);
	else if (value != NULL && field->members != NULL)
		check_members(check, field, value);
}

bool
object_check(const struct field *table, const struct json *object, const char *under,
	     bool strict, struct problems *problems)
{
	const struct check check = { table, under, strict, problems };
	size_t before = problems->count;

	if (json_type(object) != JSON_OBJECT) {
		problems_add_at(problems, 0, 0, under, "expected an object, got %s",
				json_type_name(json_type(object)));
		return false;
	}
	for (const struct field *field = table; field->name != NULL; field++)
		if (json_has(object, field->name))
			check_field(&check, field, json_get(object, field->name));
		else if (field->required)
			complain(&check, field->name, "is missing");
	for (struct json_iter it = json_iter(object); strict && json_next(&it);)
		if (field_find(table, it.key) == NULL)
			check_unknown(&check, it.key);
	return problems->count == before;
}
