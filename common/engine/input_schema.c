/* Reading a schema out of a file, and checking a run's input against it. */
#include "engine/input_schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/workflow.h"

static const char *const type_names[] = {
	"null", "boolean", "integer", "number", "string", "array", "object", NULL,
};

/* ---- reading ---- */

/* `type: string` or `type: [string, "null"]`. */
static void
read_type(struct reader *reader, const struct place *place)
{
	if (place->doc->kind != DOC_LIST) {
		reader_choice(reader, place, type_names);
		return;
	}
	for (size_t i = 0; i < place->doc->count; i++) {
		struct place item = place_item(place, i);

		reader_choice(reader, &item, type_names);
	}
}

static void
read_properties(struct reader *reader, const struct place *place)
{
	if (!reader_is(reader, place, DOC_MAP))
		return;
	for (size_t i = 0; i < place->doc->count; i++) {
		struct place property = place_nth(place, i), type;

		if (!reader_is(reader, &property, DOC_MAP))
			continue;
		type = place_member(&property, "type");
		if (type.doc != NULL)
			read_type(reader, &type);
	}
}

static void
read_required(struct reader *reader, const struct place *place)
{
	if (!reader_is(reader, place, DOC_LIST))
		return;
	for (size_t i = 0; i < place->doc->count; i++) {
		struct place item = place_item(place, i);
		struct json *name = json_from_doc(item.doc);

		if (json_type(name) != JSON_STRING)
			reader_problem(reader, &item, "expected a string, got %s",
				       json_type_name(json_type(name)));
		json_unref(&name);
	}
}

void
input_schema_read(struct reader *reader, const struct place *place)
{
	const struct place type = place_member(place, "type");
	const struct place properties = place_member(place, "properties");
	const struct place required = place_member(place, "required");

	if (!reader_is(reader, place, DOC_MAP))
		return;
	if (type.doc != NULL &&
	    (type.doc->kind != DOC_SCALAR || strcmp(type.doc->text, "object") != 0))
		reader_problem(reader, &type, "the input of a run is an object");
	if (properties.doc != NULL)
		read_properties(reader, &properties);
	if (required.doc != NULL)
		read_required(reader, &required);
}

/* ---- checking ---- */

static bool
is_whole(double number)
{
	return number > -9e15 && number < 9e15 && number == (double)(int64_t)number;
}

/* Is the value of the type of this name? */
static bool
has_type(const struct json *value, const char *name)
{
	static const char *const names[JSON_TYPES] = {
		[JSON_NULL] = "null",     [JSON_BOOL] = "boolean",
		[JSON_INT] = "number",    [JSON_DOUBLE] = "number",
		[JSON_STRING] = "string", [JSON_ARRAY] = "array",
		[JSON_OBJECT] = "object",
	};
	enum json_type type = json_type(value);

	if (strcmp(name, "integer") == 0)
		return type == JSON_INT ||
		       (type == JSON_DOUBLE && is_whole(json_double(value)));
	return strcmp(names[type], name) == 0;
}

static void
add_types(const struct json *type, struct buf *out)
{
	if (json_type(type) == JSON_STRING)
		buf_str(out, json_str(type));
	for (size_t i = 0; i < json_count(type) && json_type(type) == JSON_ARRAY; i++)
		buf_printf(out, "%s%s", i > 0 ? " or " : "",
			   json_str(json_at(type, i)));
}

static bool
fits_type(const struct json *value, const struct json *type)
{
	if (json_type(type) == JSON_STRING)
		return has_type(value, json_str(type));
	if (json_type(type) != JSON_ARRAY)
		return true;
	for (size_t i = 0; i < json_count(type); i++)
		if (has_type(value, json_str(json_at(type, i))))
			return true;
	return false;
}

static void
check_properties(const struct json *schema, const struct json *input,
		 struct problems *problems)
{
	const struct json *properties = json_get(schema, "properties");

	if (json_type(properties) != JSON_OBJECT || json_type(input) != JSON_OBJECT)
		return;
	for (struct json_iter it = json_iter(properties); json_next(&it);) {
		const struct json *type = json_get(it.value, "type");
		const struct json *value = json_get(input, it.key);
		struct buf expected = { 0 };
		char *path;

		if (!json_has(input, it.key) || fits_type(value, type))
			continue;
		add_types(type, &expected);
		path = xprintf("input.%s", it.key);
		problems_add_at(problems, 0, 0, path, "expected %s, got %s",
				buf_text(&expected), json_type_name(json_type(value)));
		free(path);
		buf_fini(&expected);
	}
}

static void
check_required(const struct json *schema, const struct json *input,
	       struct problems *problems)
{
	const struct json *required = json_get(schema, "required");

	for (size_t i = 0; i < json_count(required); i++) {
		const char *name = json_str(json_at(required, i));
		char *path;

		if (name == NULL || json_has(input, name))
			continue;
		path = xprintf("input.%s", name);
		problems_add_at(problems, 0, 0, path, "is required");
		free(path);
	}
}

/* No input at all is an empty object. */
bool
workflow_check_input(const struct workflow *workflow, const struct json *input,
		     struct problems *problems)
{
	const struct json *schema = workflow->input_schema;
	size_t before = problems->count;
	struct json *empty = json_new_object();

	if (schema != NULL && input != NULL && json_type(input) != JSON_OBJECT) {
		problems_add_at(problems, 0, 0, "input", "expected an object, got %s",
				json_type_name(json_type(input)));
	} else if (schema != NULL) {
		check_required(schema, input != NULL ? input : empty, problems);
		check_properties(schema, input != NULL ? input : empty, problems);
	}
	json_unref(&empty);
	return problems->count == before;
}
