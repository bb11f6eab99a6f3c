/* SKILL.md as a table of keys, and its Markdown as a template. See skill_read.h. */
#include "engine/skill_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/input_schema.h"
#include "engine/model_read.h"
#include "engine/reader.h"

#define NAME_FIRST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_REST  NAME_FIRST "._-"

static const char *const runtime_names[SKILL_RUNTIMES + 1] = {
	[SKILL_PROMPT] = "prompt",   [SKILL_JAVASCRIPT] = "javascript",
	[SKILL_PYTHON] = "python",   [SKILL_SHELL] = "shell",
	[SKILL_COMMAND] = "command",
};

static const struct {
	const char *program, *file;
} programs[SKILL_RUNTIMES] = {
	[SKILL_JAVASCRIPT] = { "node", "main.js" },
	[SKILL_PYTHON] = { "python3", "main.py" },
	[SKILL_SHELL] = { "/bin/sh", "main.sh" },
};

bool
skill_name_is_good(const char *name)
{
	return strlen(name) <= SKILL_NAME_MAX &&
	       reader_matches(name, NAME_FIRST, NAME_REST);
}

const char *
skill_runtime_name(enum skill_runtime runtime)
{
	return runtime < SKILL_RUNTIMES ? runtime_names[runtime] : "unknown";
}

const char *
skill_program(enum skill_runtime runtime)
{
	return runtime < SKILL_RUNTIMES ? programs[runtime].program : NULL;
}

const char *
skill_program_file(enum skill_runtime runtime)
{
	return runtime < SKILL_RUNTIMES ? programs[runtime].file : NULL;
}

/* ---- keys ---- */

/* It is found by its folder; another name beside it would be found by nobody. */
static void
read_name(struct reader *reader, const struct place *place, void *into)
{
	const struct skill *skill = into;
	const char *text = reader_text(reader, place, SKILL_NAME_MAX);

	if (text != NULL && strcmp(text, skill->name) != 0)
		reader_problem(reader, place,
			       "\"%.100s\" is not the name of its folder, \"%.100s\"",
			       text, skill->name);
}

static void
read_description(struct reader *reader, const struct place *place, void *into)
{
	struct skill *skill = into;
	const char *text = reader_text(reader, place, SKILL_DESCRIPTION_MAX);

	if (text != NULL)
		skill->description = xstrdup(text);
}

static void
read_runtime(struct reader *reader, const struct place *place, void *into)
{
	struct skill *skill = into;
	int runtime = reader_choice(reader, place, runtime_names);

	skill->runtime = runtime >= 0 ? (enum skill_runtime)runtime : SKILL_RUNTIMES;
}

static void
read_input(struct reader *reader, const struct place *place, void *into)
{
	struct skill *skill = into;

	skill->input_rules = input_schema_read(reader, place);
	skill->input = json_from_doc(place->doc);
}

static void
read_output(struct reader *reader, const struct place *place, void *into)
{
	struct skill *skill = into;

	skill->output_rules = schema_read(reader, place);
	skill->output = json_from_doc(place->doc);
}

static void
read_word(struct reader *reader, const struct place *place, struct json *words)
{
	const char *text = reader_text(reader, place, SKILL_WORD_MAX);

	if (text != NULL)
		json_append(words, json_new_str(text));
}

static void
read_command(struct reader *reader, const struct place *place, void *into)
{
	struct skill *skill = into;

	skill->command = json_new_array();
	if (place->doc->kind != DOC_LIST) {
		read_word(reader, place, skill->command);
		return;
	}
	if (place->doc->count == 0 || place->doc->count > SKILL_WORDS_MAX)
		reader_problem(reader, place, "expected 1 to %d words",
			       SKILL_WORDS_MAX);
	for (size_t i = 0; i < place->doc->count && i < SKILL_WORDS_MAX; i++) {
		struct place item = place_item(place, i);

		read_word(reader, &item, skill->command);
	}
}

static void
read_model_field(struct reader *reader, const struct place *place, void *into)
{
	struct skill *skill = into;
	const struct field *field =
	    field_find(action_fields[ACTION_MODEL].fields, place->key);
	struct json *value = json_from_doc(place->doc);
	struct err err = { 0 };

	if (skill->model == NULL)
		skill->model = json_new_object();
	if (field_accepts(field, value, FIELD_RESOLVED, &err) == 0) {
		json_set(skill->model, place->key, value);
	} else {
		reader_problem(reader, place, "%s", err.text);
		json_unref(&value);
	}
}

/* The last ones are those of skills that were written for other programs: of no meaning
 * here, and no mistake. */
static const struct key keys[] = {
	{ .name = "name", .read = read_name },
	{ .name = "description", .read = read_description, .required = true },
	{ .name = "runtime", .read = read_runtime },
	{ .name = "input", .read = read_input },
	{ .name = "output", .read = read_output },
	{ .name = "command", .read = read_command },
	{ .name = "model", .read = read_model_field },
	{ .name = "system", .read = read_model_field },
	{ .name = "maxTokens", .read = read_model_field },
	{ .name = "temperature", .read = read_model_field },
	{ .name = "tools", .read = read_model_field },
	{ .name = "maxToolRounds", .read = read_model_field },
	{ .name = "budget", .read = read_model_field },
	{ .name = "license" },
	{ .name = "version" },
	{ .name = "compatibility" },
	{ .name = "metadata" },
	{ .name = "allowed-tools" },
	{ 0 },
};

/* What does not go with how it is run. */
static void
check_runtime(struct reader *reader, const struct place *top, const struct skill *skill)
{
	const struct place command = place_member(top, "command");

	if (skill->runtime == SKILL_RUNTIMES)
		return; /* it is not known what goes with it */
	if (skill->runtime == SKILL_COMMAND && command.doc == NULL)
		reader_problem(reader, &command, "is required");
	if (skill->runtime != SKILL_COMMAND && command.doc != NULL)
		reader_problem(reader, &command, "is for the runtime \"command\" only");
	if (skill->runtime == SKILL_PROMPT)
		return;
	for (struct json_iter it = json_iter(skill->model); json_next(&it);) {
		const struct place place = place_member(top, it.key);

		reader_problem(reader, &place, "is for the runtime \"prompt\" only");
	}
}

static void
read_front(struct reader *reader, const struct front_matter *parts,
	   front_matter_yaml_fn *yaml, struct skill *skill)
{
	struct doc *doc = yaml(parts->front, parts->front_len, reader->problems);
	const struct place top = { .doc = doc };

	if (doc == NULL)
		return;
	reader_map(reader, &top, keys, NULL, skill);
	if (doc->kind == DOC_MAP) {
		model_read_names(reader, &top);
		check_runtime(reader, &top, skill);
	}
	doc_free(&doc);
}

/* ---- the prompt ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without blank lines before and behind it; its first line keeps its number. */
static void
trim(struct front_matter *parts)
{
	while (parts->body_len > 0 && is_blank(parts->body[parts->body_len - 1]))
		parts->body_len--;
	while (parts->body_len > 0 && is_blank(*parts->body)) {
		parts->body_line += *parts->body == '\n';
		parts->body++;
		parts->body_len--;
	}
}

struct reading_refs {
	struct skill *skill;
	char *unknown; /* the first variable that is none */
};

static void
on_ref(void *context, const char *variable, const char *member, const char *field)
{
	struct reading_refs *refs = context;

	(void)member;
	(void)field;
	if (strcmp(variable, "input") == 0)
		refs->skill->names_input = true;
	else if (refs->unknown == NULL)
		refs->unknown = xstrdup(variable);
}

static void
check_refs(struct reader *reader, const struct front_matter *parts, struct skill *skill)
{
	struct reading_refs refs = { .skill = skill };

	template_refs(skill->prompt, on_ref, &refs);
	if (refs.unknown != NULL)
		problems_add_at(reader->problems, parts->body_line, 1, "",
				"the prompt knows \"input\" and nothing else: "
				"there is no \"%.100s\"",
				refs.unknown);
	free(refs.unknown);
}

static void
read_prompt(struct reader *reader, struct front_matter *parts, struct skill *skill)
{
	struct cel_place place = { 0 };
	struct err err = { 0 };
	struct json *text;

	trim(parts);
	if (parts->body_len == 0) {
		problems_add_at(reader->problems, parts->body_line, 1, "",
				"there is no prompt behind the front matter");
		return;
	}
	text = json_new_str_len(parts->body, parts->body_len);
	skill->prompt = template_compile(text, &place, &err);
	if (skill->prompt == NULL)
		problems_add_at(reader->problems,
				parts->body_line +
				    (place.line > 0 ? place.line - 1 : 0),
				place.column, "", "%s", err.text);
	else
		check_refs(reader, parts, skill);
	json_unref(&text);
}

/* ---- all of it ---- */

bool
skill_read(const char *name, const char *text, size_t len, front_matter_yaml_fn *yaml,
	   struct skill *out, struct problems *problems)
{
	struct reader reader = { .problems = problems };
	size_t before = problems->count;
	struct front_matter parts;

	if (!front_matter_split(text, len, &parts, problems))
		return false;
	*out = (struct skill){ .name = xstrdup(name) };
	if (!skill_name_is_good(name))
		problems_add_at(problems, 0, 0, "",
				"the name of a skill is at most %d letters, digits, "
				"\".\", _ and -, and begins with a letter or digit",
				SKILL_NAME_MAX);
	if (parts.front == NULL)
		problems_add_at(problems, 1, 1, "",
				"expected front matter: a first line \"---\"");
	else
		read_front(&reader, &parts, yaml, out);
	if (out->runtime == SKILL_PROMPT && parts.front != NULL)
		read_prompt(&reader, &parts, out);
	if (problems->count == before)
		return true;
	skill_fini(out);
	return false;
}

void
skill_fini(struct skill *skill)
{
	free(skill->name);
	free(skill->description);
	json_unref(&skill->input);
	schema_free(&skill->input_rules);
	json_unref(&skill->output);
	schema_free(&skill->output_rules);
	json_unref(&skill->command);
	json_unref(&skill->model);
	template_free(&skill->prompt);
	*skill = (struct skill){ 0 };
}

/* ---- a prompt for an input ---- */

static bool
lookup(void *context, const char *name, struct json **value)
{
	*value = context;
	return strcmp(name, "input") == 0;
}

/* A prompt that is nothing but one template may give any value. */
static void
add_value(const struct json *value, struct buf *out)
{
	if (json_type(value) == JSON_STRING)
		buf_add(out, json_str(value), json_str_len(value));
	else
		json_write(value, out);
}

int
skill_prompt(const struct skill *skill, struct json *input, struct buf *out,
	     struct err *err)
{
	const struct cel_scope scope = { .lookup = lookup, .context = input };
	struct json *text = NULL;

	if (template_resolve(skill->prompt, &scope, &text, err) < 0)
		return -1;
	add_value(text, out);
	json_unref(&text);
	if (!skill->names_input && json_count(input) > 0) {
		buf_str(out, "\n\nThe input, as JSON:\n\n");
		json_write(input, out);
	}
	return 0;
}
