/*
 * An action's fields against its table. A string with a template in it may become
 * anything: the worker checks those again when they are resolved.
 */
#include "engine/fields_read.h"

#include <string.h>

#include "engine/action_fields.h"
#include "engine/agent_read.h"
#include "engine/bot_read.h"
#include "engine/field.h"
#include "engine/mcp_names.h"
#include "engine/model_read.h"
#include "engine/skill_read.h"
#include "engine/tool_names.h"

static void check_members(struct reader *reader, const struct place *map,
			  const struct field *table);

static void
check_value(struct reader *reader, const struct place *place, const struct field *field)
{
	struct json *value;
	struct err err = { 0 };

	if (field->later) {
		reader_problem(reader, place, "\"%s\" is not available in this version",
			       field->name);
		return;
	}
	if (field->members != NULL && place->doc->kind == DOC_MAP) {
		check_members(reader, place, field->members);
		return;
	}
	value = json_from_doc(place->doc);
	if (field_accepts(field, value, FIELD_WRITTEN, &err) < 0)
		reader_problem(reader, place, "%s", err.text);
	json_unref(&value);
}

/* Another field of the same group that is there, or NULL. */
static const struct field *
rival(const struct place *map, const struct field *table, const struct field *field)
{
	for (const struct field *f = table; field->group != 0 && f->name != NULL; f++)
		if (f != field && f->group == field->group &&
		    doc_get(map->doc, f->name) != NULL)
			return f;
	return NULL;
}

static const struct field *
first_of_group(const struct field *table, const struct field *field)
{
	for (const struct field *f = table; field->group != 0 && f < field; f++)
		if (f->group == field->group)
			return f;
	return field;
}

static void
missing(struct reader *reader, const struct place *map, const struct field *table,
	const struct field *field)
{
	const struct place place = place_member(map, field->name);
	struct buf names = { 0 };

	if (first_of_group(table, field) != field)
		return; /* said of the first */
	if (field->group == 0) {
		reader_problem(reader, &place, "is required");
		return;
	}
	field_group(table, field->group, &names);
	reader_problem(reader, map, "%s is required", buf_text(&names));
	buf_fini(&names);
}

static void
check_presence(struct reader *reader, const struct place *map,
	       const struct field *table)
{
	for (const struct field *field = table; field->name != NULL; field++) {
		const struct place place = place_member(map, field->name);
		const struct field *other = rival(map, table, field);

		if (place.doc == NULL && other == NULL && field->required)
			missing(reader, map, table, field);
		else if (place.doc != NULL && other != NULL && other < field)
			reader_problem(reader, &place,
				       "\"%s\" and \"%s\" exclude each other",
				       other->name, field->name);
	}
}

/* Every key that the table has; with only this table, others are unknown. */
static void
check_known(struct reader *reader, const struct place *map, const struct field *table)
{
	for (const struct field *field = table; field->name != NULL; field++) {
		const struct place place = place_member(map, field->name);

		if (place.doc != NULL)
			check_value(reader, &place, field);
	}
	check_presence(reader, map, table);
}

static void
check_members(struct reader *reader, const struct place *map, const struct field *table)
{
	static const struct key none[] = { { 0 } };

	reader_map(reader, map, none, table, NULL);
	check_known(reader, map, table);
}

/* ---- tools ---- */

static void
unknown_tool(struct reader *reader, const struct place *place, const char *name)
{
	const char *nearest = tool_names_nearest(name);

	if (strstr(name, "{{") != NULL)
		reader_problem(reader, place, "a tool's name cannot be a template");
	else if (nearest != NULL)
		reader_problem(reader, place,
			       "unknown tool \"%.100s\"; did you mean \"%s\"?", name,
			       nearest);
	else
		reader_problem(reader, place, "unknown tool \"%.100s\"", name);
}

static void
check_mcp(struct reader *reader, const struct place *place, const char *name)
{
	struct buf why = { 0 };

	if (strchr(name, '*') != NULL)
		buf_str(&why, "one tool has to be named, not a pattern");
	else
		mcp_name_check(name, reader->mcp_servers, &why);
	if (why.len > 0)
		reader_problem(reader, place, "%s", buf_text(&why));
	buf_fini(&why);
}

static bool
is_null(const struct doc *doc)
{
	struct json *value = doc != NULL ? json_from_doc(doc) : NULL;
	bool null = value == NULL;

	json_unref(&value);
	return null;
}

static void
check_tool(struct reader *reader, const struct place *step_place)
{
	const struct place name = place_member(step_place, "tool");
	const struct place args = place_member(step_place, "args");
	const struct tool_name *tool;

	if (name.doc == NULL || name.doc->kind != DOC_SCALAR)
		return;
	tool = tool_names_find(name.doc->text);
	if (mcp_name_is(name.doc->text) && strstr(name.doc->text, "{{") == NULL)
		check_mcp(reader, &name, name.doc->text);
	else if (tool == NULL)
		unknown_tool(reader, &name, name.doc->text);
	else if (is_null(args.doc))
		check_presence(reader, &args, tool->args);
	else if (args.doc->kind == DOC_MAP)
		check_members(reader, &args, tool->args);
}

static void
check_skill(struct reader *reader, const struct place *step_place)
{
	const struct place name = place_member(step_place, "skill");

	if (name.doc != NULL && name.doc->kind == DOC_SCALAR &&
	    strstr(name.doc->text, "{{") == NULL && !skill_name_is_good(name.doc->text))
		reader_problem(reader, &name, "\"%.100s\" is no name of a skill",
			       name.doc->text);
}

/* ---- all of it ---- */

static struct json *
fields_value(const struct place *step_place, const struct field *table)
{
	struct json *value = json_new_object();

	for (; table->name != NULL; table++) {
		const struct doc *doc = doc_get(step_place->doc, table->name);

		if (doc != NULL && !field_is_flow(table))
			json_set(value, table->name, json_from_doc(doc));
	}
	return value;
}

static bool
check_templates(struct reader *reader, const struct place *step_place,
		const struct field *table, struct refs *refs, unsigned scope)
{
	bool good = true;

	for (; table->name != NULL; table++) {
		const struct place place = place_member(step_place, table->name);

		if (place.doc != NULL && !field_is_flow(table))
			good = refs_templates(reader, &place, refs, scope) && good;
	}
	return good;
}

void
fields_read(struct reader *reader, const struct place *step_place,
	    struct step_def *step, struct refs *refs, unsigned scope)
{
	const struct field *table = action_fields[step->action].fields;
	struct json *value;
	struct err err = { 0 };

	refs->all_steps |= action_fields[step->action].reads_run;
	refs->state |= action_fields[step->action].reads_run;
	check_known(reader, step_place, table);
	if (step->action == ACTION_TOOL)
		check_tool(reader, step_place);
	if (step->action == ACTION_MODEL)
		model_read_names(reader, step_place);
	if (step->action == ACTION_AGENT)
		agent_read_fields(reader, step_place);
	if (step->action == ACTION_SKILL)
		check_skill(reader, step_place);
	if (step->action == ACTION_AGENT || step->action == ACTION_MESSAGE)
		bot_read_names(reader, step_place, step->action);
	if (!check_templates(reader, step_place, table, refs, scope))
		return;
	value = fields_value(step_place, table);
	step->fields = template_compile(value, NULL, &err);
	if (step->fields == NULL)
		reader_problem(reader, step_place, "%s", err.text);
	json_unref(&value);
}
