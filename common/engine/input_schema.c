/* Compiling the schema of a file, and checking a run's input against it. */
#include "engine/input_schema.h"

#include <stdlib.h>
#include <string.h>

#include "engine/workflow.h"
#include "lang/schema_regex.h"

/* ---- reading ---- */

/* The next token of a JSON pointer, decoded. Returns what is behind it. */
static const char *
next_token(const char *pointer, struct buf *token)
{
	buf_clear(token);
	for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
		if (pointer[0] == '~' && (pointer[1] == '0' || pointer[1] == '1'))
			buf_char(token, *++pointer == '0' ? '~' : '/');
		else
			buf_char(token, *pointer);
	}
	return pointer;
}

static bool
step_into(const struct place *place, const char *token, struct place *out)
{
	char *end;
	size_t index;

	if (place->doc->kind == DOC_MAP) {
		for (index = 0; index < place->doc->count; index++)
			if (strcmp(place->doc->keys[index]->text, token) == 0)
				break;
		if (index < place->doc->count)
			*out = place_nth(place, index);
	} else {
		index = strtoul(token, &end, 10);
		if (place->doc->kind != DOC_LIST || *end != '\0' || end == token)
			return false;
		if (index < place->doc->count)
			*out = place_item(place, index);
	}
	return index < place->doc->count;
}

/* At the place in the file that the pointer leads to, or as near as the file goes: a
 * part of the schema may stand in a metaschema. */
static void
report_at(struct reader *reader, const struct place *place, const char *pointer,
	  const char *message)
{
	struct buf token = { 0 };
	struct place inner;
	const char *rest;

	if (*pointer == '/') {
		rest = next_token(pointer, &token);
		if (step_into(place, buf_text(&token), &inner))
			report_at(reader, &inner, rest, message);
		else
			reader_problem(reader, place, "%s", message);
	} else if (*pointer != '\0') {
		reader_problem(reader, place, "%s: %s", pointer, message);
	} else {
		reader_problem(reader, place, "%s", message);
	}
	buf_fini(&token);
}

struct schema *
schema_read(struct reader *reader, const struct place *place)
{
	static const struct schema_options options = { .regex = &schema_regex };
	struct problems problems = { 0 };
	struct schema *schema;
	struct json *json;

	if (!reader_is(reader, place, DOC_MAP))
		return NULL;
	json = json_from_doc(place->doc);
	schema = schema_compile(json, &options, &problems);
	for (size_t i = 0; i < problems.count; i++)
		report_at(reader, place, problems.list[i].path,
			  problems.list[i].message);
	problems_fini(&problems);
	json_unref(&json);
	return schema;
}

struct schema *
input_schema_read(struct reader *reader, const struct place *place)
{
	const struct place type = place_member(place, "type");

	if (place->doc->kind == DOC_MAP && type.doc != NULL &&
	    (type.doc->kind != DOC_SCALAR || strcmp(type.doc->text, "object") != 0))
		reader_problem(reader, &type, "the input of a run is an object");
	return schema_read(reader, place);
}

/* ---- checking ---- */

/* No input at all is an empty object. */
bool
workflow_check_input(const struct workflow *workflow, const struct json *input,
		     struct problems *problems)
{
	struct json *empty = NULL;
	bool good;

	if (workflow->input_rules == NULL)
		return true;
	if (input != NULL && json_type(input) != JSON_OBJECT) {
		problems_add_at(problems, 0, 0, "input", "expected an object, got %s",
				json_type_name(json_type(input)));
		return false;
	}
	if (input == NULL)
		input = empty = json_new_object();
	good = schema_check(workflow->input_rules, input, "input", problems);
	json_unref(&empty);
	return good;
}
