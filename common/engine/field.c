/*
 * Checking values against a table of fields. Says what was expected; where it stood is
 * the caller's to know.
 */
#include "engine/field.h"

#include <string.h>

#include "base/doc.h"
#include "base/duration.h"
#include "lang/cel.h"

#define FIELDS_MAX 32
#define DURATION_MAX_MS                                                                \
	(INT64_C(36525) * 24 * 3600 * 1000) /* as "100 years" elsewhere */
#define TEMPLATE_OPENING "{{"

static const char *const type_names[FIELD_TYPES] = {
	[FIELD_TEXT] = "text",
	[FIELD_TEXTS] = "text or list of texts",
	[FIELD_FLAG] = "true or false",
	[FIELD_COUNT] = "whole number",
	[FIELD_NUMBER] = "number",
	[FIELD_DURATION] = "duration",
	[FIELD_MOMENT] = "moment",
	[FIELD_CHOICE] = "choice",
	[FIELD_OBJECT] = "object",
	[FIELD_PAIRS] = "object of texts",
	[FIELD_OBJECTS] = "list of objects",
	[FIELD_ANY] = "any value",
	[FIELD_EXPRESSION] = "expression",
	[FIELD_STEPS] = "list of ids",
};

bool
field_is_flow(const struct field *field)
{
	return field->type == FIELD_EXPRESSION || field->type == FIELD_STEPS;
}

const char *
field_type_name(enum field_type type)
{
	return type < FIELD_TYPES ? type_names[type] : "unknown";
}

const struct field *
field_find(const struct field *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

const char *
field_nearest(const struct field *table, const char *name)
{
	const char *names[FIELDS_MAX];
	size_t count = 0;

	for (; table->name != NULL && count < FIELDS_MAX - 1; table++)
		names[count++] = table->name;
	names[count] = NULL;
	return nearest_name(name, names);
}

struct check {
	const struct field *field;
	enum field_stage stage;
	struct err *err;
};

static bool
may_become_anything(const struct check *check, const struct json *value)
{
	return check->stage == FIELD_WRITTEN && json_type(value) == JSON_STRING &&
	       strstr(json_str(value), TEMPLATE_OPENING) != NULL;
}

static int
expected(struct err *err, const char *what, const struct json *value)
{
	return err_set(err, ERR_INPUT, "expected %s, got %s", what,
		       json_type_name(json_type(value)));
}

/* ---- one function per type ---- */

typedef int accept_fn(const struct check *check, const struct json *value);

static int
accept_text(const struct check *check, const struct json *value)
{
	return json_type(value) == JSON_STRING
		   ? 0
		   : expected(check->err, "a string", value);
}

static int
accept_texts(const struct check *check, const struct json *value)
{
	if (json_type(value) == JSON_STRING)
		return 0;
	if (json_type(value) != JSON_ARRAY)
		return expected(check->err, "a string or a list of strings", value);
	for (size_t i = 0; i < json_count(value); i++)
		if (!may_become_anything(check, json_at(value, i)) &&
		    json_type(json_at(value, i)) != JSON_STRING)
			return expected(check->err, "a list of strings",
					json_at(value, i));
	return 0;
}

static int
accept_flag(const struct check *check, const struct json *value)
{
	return json_type(value) == JSON_BOOL
		   ? 0
		   : expected(check->err, "true or false", value);
}

/* A template may give 3.0 where 3 is meant. */
static bool
is_whole(const struct json *value)
{
	double number = json_double(value);

	if (json_type(value) == JSON_INT)
		return true;
	return json_type(value) == JSON_DOUBLE && number > -1e15 && number < 1e15 &&
	       number == (double)(int64_t)number;
}

static int
accept_count(const struct check *check, const struct json *value)
{
	int64_t number = json_int(value);

	if (!is_whole(value) && json_type(value) == JSON_DOUBLE)
		return err_set(check->err, ERR_INPUT, "expected a whole number, got %g",
			       json_double(value));
	if (!is_whole(value))
		return expected(check->err, "a whole number", value);
	if (number < check->field->min)
		return err_set(check->err, ERR_INPUT, "%lld is less than %ld",
			       (long long)number, check->field->min);
	if (check->field->max != 0 && number > check->field->max)
		return err_set(check->err, ERR_INPUT, "%lld is more than %ld",
			       (long long)number, check->field->max);
	return 0;
}

static int
accept_number(const struct check *check, const struct json *value)
{
	double number = json_double(value);

	if (json_type(value) != JSON_INT && json_type(value) != JSON_DOUBLE)
		return expected(check->err, "a number", value);
	if (number < (double)check->field->min)
		return err_set(check->err, ERR_INPUT, "%g is less than %ld", number,
			       check->field->min);
	if (check->field->max != 0 && number > (double)check->field->max)
		return err_set(check->err, ERR_INPUT, "%g is more than %ld", number,
			       check->field->max);
	return 0;
}

static int
accept_duration(const struct check *check, const struct json *value)
{
	usec_t duration;

	return field_duration(value, &duration, check->err);
}

static int
accept_moment(const struct check *check, const struct json *value)
{
	usec_t moment;

	return field_moment(value, &moment, check->err);
}

static int
accept_choice(const struct check *check, const struct json *value)
{
	const char *text = json_str(value);
	struct buf list = { 0 };

	if (text == NULL)
		return expected(check->err, "a string", value);
	for (const char *const *choice = check->field->choices; *choice; choice++)
		if (strcmp(*choice, text) == 0)
			return 0;
	for (const char *const *choice = check->field->choices; *choice; choice++)
		buf_printf(&list, "%s%s", list.len > 0 ? ", " : "", *choice);
	err_set(check->err, ERR_INPUT, "\"%.100s\" is not one of %s", text,
		buf_text(&list));
	buf_fini(&list);
	return -1;
}

static int
accept_object(const struct check *check, const struct json *value)
{
	if (json_type(value) != JSON_OBJECT)
		return expected(check->err, "an object", value);
	return check->field->members != NULL
		   ? field_check(check->field->members, value, check->stage, check->err)
		   : 0;
}

static int
accept_pairs(const struct check *check, const struct json *value)
{
	if (json_type(value) != JSON_OBJECT)
		return expected(check->err, "an object", value);
	for (struct json_iter it = json_iter(value); json_next(&it);) {
		enum json_type type = json_type(it.value);

		if (type != JSON_STRING && type != JSON_INT && type != JSON_DOUBLE &&
		    type != JSON_BOOL && type != JSON_NULL) {
			expected(check->err, "a string", it.value);
			return err_in(check->err, "%.100s", it.key);
		}
	}
	return 0;
}

static int
accept_objects(const struct check *check, const struct json *value)
{
	if (json_type(value) != JSON_ARRAY)
		return expected(check->err, "a list of objects", value);
	for (size_t i = 0; i < json_count(value); i++)
		if (!may_become_anything(check, json_at(value, i)) &&
		    json_type(json_at(value, i)) != JSON_OBJECT)
			return expected(check->err, "a list of objects",
					json_at(value, i));
	return 0;
}

static int
accept_any(const struct check *check, const struct json *value)
{
	(void)check;
	(void)value;
	return 0;
}

static accept_fn *const accepts[FIELD_TYPES] = {
	[FIELD_TEXT] = accept_text,         [FIELD_TEXTS] = accept_texts,
	[FIELD_FLAG] = accept_flag,         [FIELD_COUNT] = accept_count,
	[FIELD_DURATION] = accept_duration, [FIELD_MOMENT] = accept_moment,
	[FIELD_CHOICE] = accept_choice,     [FIELD_OBJECT] = accept_object,
	[FIELD_PAIRS] = accept_pairs,       [FIELD_OBJECTS] = accept_objects,
	[FIELD_ANY] = accept_any,           [FIELD_EXPRESSION] = accept_text,
	[FIELD_STEPS] = accept_any,         [FIELD_NUMBER] = accept_number,
};

int
field_accepts(const struct field *field, const struct json *value,
	      enum field_stage stage, struct err *err)
{
	const struct check check = { field, stage, err };

	if ((value == NULL && !field->required) || may_become_anything(&check, value))
		return 0;
	return accepts[field->type](&check, value);
}

/* ---- a whole object ---- */

static int
check_member(const struct field *table, const char *name, const struct json *value,
	     enum field_stage stage, struct err *err)
{
	const struct field *field = field_find(table, name);
	const char *nearest;

	if (field != NULL && field->later)
		return err_set(err, ERR_INPUT,
			       "\"%s\" is not available in this version", name);
	if (field != NULL) {
		if (field_accepts(field, value, stage, err) < 0)
			return err_in(err, "%s", name);
		return 0;
	}
	nearest = field_nearest(table, name);
	if (nearest == NULL)
		return err_set(err, ERR_INPUT, "unknown key \"%.100s\"", name);
	return err_set(err, ERR_INPUT, "unknown key \"%.100s\"; did you mean \"%s\"?",
		       name, nearest);
}

/* Is it there? Of a group: is another one there instead? *other is then which. */
static bool
is_given(const struct field *table, const struct field *field,
	 const struct json *object, const char **other)
{
	*other = NULL;
	for (const struct field *f = table; field->group != 0 && f->name != NULL; f++)
		if (f != field && f->group == field->group && json_has(object, f->name))
			*other = f->name;
	return json_has(object, field->name);
}

void
field_group(const struct field *table, int group, struct buf *out)
{
	size_t before = out->len;

	for (; table->name != NULL; table++)
		if (table->group == group && !table->later)
			buf_printf(out, "%s\"%s\"", out->len > before ? " or " : "",
				   table->name);
}

static int
missing(const struct field *table, const struct field *field, struct err *err)
{
	struct buf names = { 0 };

	if (field->group == 0)
		return err_set(err, ERR_INPUT, "\"%s\" is required", field->name);
	field_group(table, field->group, &names);
	err_set(err, ERR_INPUT, "%s is required", buf_text(&names));
	buf_fini(&names);
	return -1;
}

static int
check_presence(const struct field *table, const struct json *object, struct err *err)
{
	for (const struct field *field = table; field->name != NULL; field++) {
		const char *other;
		bool given = is_given(table, field, object, &other);

		if (given && other != NULL)
			return err_set(err, ERR_INPUT,
				       "\"%s\" and \"%s\" exclude each other",
				       field->name, other);
		if (!given && other == NULL && field->required)
			return missing(table, field, err);
	}
	return 0;
}

int
field_check(const struct field *table, const struct json *object,
	    enum field_stage stage, struct err *err)
{
	if (object != NULL && json_type(object) != JSON_OBJECT)
		return expected(err, "an object", object);
	if (object == NULL)
		return check_presence(table, object, err);
	for (struct json_iter it = json_iter(object); json_next(&it);)
		if (check_member(table, it.key, it.value, stage, err) < 0)
			return -1;
	return check_presence(table, object, err);
}

int
field_duration(const struct json *value, usec_t *out, struct err *err)
{
	double ms = json_double(value);

	if (json_type(value) == JSON_STRING)
		return duration_parse(json_str(value), json_str_len(value), out, err);
	if (json_type(value) != JSON_INT && json_type(value) != JSON_DOUBLE)
		return expected(err, "milliseconds or a duration such as \"10m\"",
				value);
	if (ms < 0)
		return err_set(err, ERR_INPUT, "a duration cannot be negative");
	if (ms > (double)DURATION_MAX_MS)
		return err_set(err, ERR_INPUT, "a duration is at most 100 years");
	*out = (usec_t)(ms * 1000);
	return 0;
}

static bool
lookup_moment(void *context, const char *name, struct json **value)
{
	if (strcmp(name, "moment") != 0)
		return false;
	*value = context;
	return true;
}

/* Which texts are a timestamp is for the expression language to say. */
int
field_moment(const struct json *value, usec_t *out, struct err *err)
{
	static const char source[] = "int(timestamp(moment)) * 1000 + "
				     "timestamp(moment).getMilliseconds()";
	struct err why = { 0 };
	struct cel *cel = cel_compile(source, sizeof source - 1, NULL, &why);
	struct json *moment = json_copy(value), *ms = NULL;
	const struct cel_scope scope = { lookup_moment, moment };
	int result = -1;

	if (cel == NULL)
		bug("%s", why.text);
	if (json_type(value) != JSON_STRING) {
		expected(err, "a timestamp", value);
	} else if (cel_eval(cel, &scope, &ms, &why) < 0) {
		err_set(err, ERR_INPUT,
			"\"%.100s\" is not a timestamp such as 2026-03-01T09:00:00Z",
			json_str(value));
	} else {
		*out = json_int(ms) * USEC_MS;
		result = 0;
	}
	json_unref(&moment);
	json_unref(&ms);
	cel_free(&cel);
	return result;
}

void
field_document(const struct field *table, struct buf *out)
{
	for (; table->name != NULL; table++) {
		if (table->later)
			continue;
		buf_printf(out, "| `%s` | %s | %s | %s |\n", table->name,
			   field_type_name(table->type),
			   !table->required    ? ""
			   : table->group != 0 ? "one of"
					       : "yes",
			   table->help);
	}
}
