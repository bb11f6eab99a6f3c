/* See field_schema.h. What a template may become is not told: it may stand anywhere. */
#include "engine/field_schema.h"

static struct json *
of_type(const char *type)
{
	struct json *schema = json_new_object();

	if (type != NULL)
		json_set(schema, "type", json_new_str(type));
	return schema;
}

static struct json *
list_of(struct json *items)
{
	struct json *schema = of_type("array");

	json_set(schema, "items", items);
	return schema;
}

static struct json *
either(struct json *one, struct json *other)
{
	struct json *schema = json_new_object(), *list = json_new_array();

	json_append(list, one);
	json_append(list, other);
	json_set(schema, "anyOf", list);
	return schema;
}

static struct json *
of_text(const struct field *field)
{
	(void)field;
	return of_type("string");
}

static struct json *
of_texts(const struct field *field)
{
	(void)field;
	return either(of_type("string"), list_of(of_type("string")));
}

static struct json *
of_flag(const struct field *field)
{
	(void)field;
	return of_type("boolean");
}

static struct json *
of_count(const struct field *field)
{
	struct json *schema = of_type("integer");

	json_set(schema, "minimum", json_new_int(field->min));
	if (field->max > 0)
		json_set(schema, "maximum", json_new_int(field->max));
	return schema;
}

static struct json *
of_number(const struct field *field)
{
	struct json *schema = of_type("number");

	json_set(schema, "minimum", json_new_int(field->min));
	if (field->max > 0)
		json_set(schema, "maximum", json_new_int(field->max));
	return schema;
}

static struct json *
of_duration(const struct field *field)
{
	struct json *ms = of_type("integer");

	(void)field;
	json_set(ms, "minimum", json_new_int(0));
	return either(ms, of_type("string"));
}

static struct json *
of_moment(const struct field *field)
{
	struct json *schema = of_type("string");

	(void)field;
	json_set(schema, "format", json_new_str("date-time"));
	return schema;
}

static struct json *
of_choice(const struct field *field)
{
	struct json *schema = of_type("string"), *list = json_new_array();

	for (const char *const *choice = field->choices; *choice != NULL; choice++)
		json_append(list, json_new_str(*choice));
	json_set(schema, "enum", list);
	return schema;
}

static struct json *
of_object(const struct field *field)
{
	return field->members != NULL ? field_schema(field->members)
				      : of_type("object");
}

static struct json *
of_pairs(const struct field *field)
{
	struct json *schema = of_type("object"), *value = json_new_object();
	struct json *types = json_new_array();

	(void)field;
	json_append(types, json_new_str("string"));
	json_append(types, json_new_str("number"));
	json_append(types, json_new_str("boolean"));
	json_set(value, "type", types);
	json_set(schema, "additionalProperties", value);
	return schema;
}

static struct json *
of_objects(const struct field *field)
{
	return list_of(of_object(field));
}

static struct json *
of_any(const struct field *field)
{
	(void)field;
	return of_type(NULL);
}

static struct json *
of_steps(const struct field *field)
{
	(void)field;
	return list_of(of_type("string"));
}

static struct json *(*const makers[FIELD_TYPES])(const struct field *field) = {
	[FIELD_TEXT] = of_text,         [FIELD_TEXTS] = of_texts,
	[FIELD_FLAG] = of_flag,         [FIELD_COUNT] = of_count,
	[FIELD_DURATION] = of_duration, [FIELD_MOMENT] = of_moment,
	[FIELD_CHOICE] = of_choice,     [FIELD_OBJECT] = of_object,
	[FIELD_PAIRS] = of_pairs,       [FIELD_OBJECTS] = of_objects,
	[FIELD_ANY] = of_any,           [FIELD_EXPRESSION] = of_text,
	[FIELD_STEPS] = of_steps,       [FIELD_NUMBER] = of_number,
};

struct json *
field_schema(const struct field *table)
{
	struct json *schema = of_type("object"), *properties = json_new_object();
	struct json *required = json_new_array();

	for (const struct field *field = table; field->name != NULL; field++) {
		struct json *property;

		if (field->later)
			continue;
		property = makers[field->type](field);
		if (field->help != NULL)
			json_set(property, "description", json_new_str(field->help));
		json_set(properties, field->name, property);
		if (field->required && field->group == 0)
			json_append(required, json_new_str(field->name));
	}
	json_set(schema, "properties", properties);
	if (json_count(required) > 0)
		json_set(schema, "required", required);
	else
		json_unref(&required);
	json_set(schema, "additionalProperties", json_new_bool(false));
	return schema;
}
