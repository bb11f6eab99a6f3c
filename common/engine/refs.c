/* Compiling what stands in a file, and collecting the names in it. */
#include "engine/refs.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/workflow.h"

/* What an expression may read; what needs a scope of its own says where that is. */
static const struct {
	const char *name;
	unsigned scope; /* 0: everywhere */
	const char *elsewhere;
} variables[] = {
	{ "input", 0, NULL },
	{ "steps", 0, NULL },
	{ "result", REFS_RESULT, "exists only in branches and repeatUntil" },
	{ "state", 0, NULL },
	{ "error", 0, NULL },
	{ "run", 0, NULL },
	{ "trigger", 0, NULL },
	{ "event", 0, NULL },
	{ "item", REFS_ITEM, "exists only in a step with foreach" },
	{ "index", REFS_INDEX,
	  "exists only in a step with foreach or repeatUntil, or in a loop" },
	{ "env", 0, NULL },
	{ "secrets", 0, NULL },
};
#define VARIABLES (sizeof variables / sizeof variables[0])

struct collector {
	struct reader *reader;
	const struct place *place;
	struct refs *refs;
	unsigned scope;
	bool good;
};

void
refs_fini(struct refs *refs)
{
	free(refs->list);
	free(refs->outputs);
	*refs = (struct refs){ 0 };
}

static void
add_index(int **list, size_t *count, int index)
{
	for (size_t i = 0; i < *count; i++)
		if ((*list)[i] == index)
			return;
	*list = xrealloc(*list, *count + 1, sizeof **list);
	(*list)[(*count)++] = index;
}

static void
add_step(struct refs *refs, int index)
{
	add_index(&refs->list, &refs->count, index);
}

static void
add_output(struct refs *refs, int index)
{
	add_index(&refs->outputs, &refs->outputs_count, index);
}

void
refs_merge(struct refs *refs, struct refs *more)
{
	for (size_t i = 0; i < more->count; i++)
		add_step(refs, more->list[i]);
	for (size_t i = 0; i < more->outputs_count; i++)
		add_output(refs, more->outputs[i]);
	refs->all_steps |= more->all_steps;
	refs->whole |= more->whole;
	refs->state |= more->state;
	refs_fini(more);
}

static void
unknown_variable(struct collector *collector, const char *name)
{
	const char *names[VARIABLES + 1], *nearest;

	for (size_t i = 0; i < VARIABLES; i++)
		names[i] = variables[i].name;
	names[VARIABLES] = NULL;
	nearest = nearest_name(name, names);
	if (nearest != NULL)
		reader_problem(collector->reader, collector->place,
			       "unknown variable \"%.100s\"; did you mean \"%s\"?",
			       name, nearest);
	else
		reader_problem(collector->reader, collector->place,
			       "unknown variable \"%.100s\"", name);
}

void
refs_unknown_step(struct reader *reader, const struct place *place, const char *id,
		  bool or_end)
{
	const struct workflow *workflow = reader->workflow;
	const char **names = xcalloc(workflow->steps_count + 2, sizeof *names);
	const char *nearest;
	size_t count = 0;

	for (size_t i = 0; i < workflow->steps_count; i++)
		if (workflow->steps[i].id != NULL)
			names[count++] = workflow->steps[i].id;
	if (or_end)
		names[count] = "end";
	nearest = nearest_name(id, names);
	if (nearest != NULL)
		reader_problem(reader, place,
			       "there is no step \"%.100s\"; did you mean \"%s\"?", id,
			       nearest);
	else
		reader_problem(reader, place, "there is no step \"%.100s\"", id);
	free(names);
}

static bool
tells_how_it_ended(const char *field)
{
	return field != NULL &&
	       (strcmp(field, "status") == 0 || strcmp(field, "error") == 0);
}

static void
collect_step(struct collector *collector, const char *id, const char *field)
{
	const struct reader *reader = collector->reader;
	const struct step_def *step;

	if (id == NULL) {
		collector->refs->all_steps = collector->refs->whole = true;
		return;
	}
	step = map_get(reader->workflow->ids, id, strlen(id));
	if (step == NULL)
		step = map_get(reader->aliases, id, strlen(id));
	if (step != NULL) {
		add_step(collector->refs, step->index);
		if (!tells_how_it_ended(field))
			add_output(collector->refs, step->index);
		return;
	}
	refs_unknown_step(collector->reader, collector->place, id, false);
	collector->good = false;
}

static void
collect_secret(struct workflow *workflow, const char *name)
{
	if (name == NULL) {
		workflow->reads_all_secrets = true;
		return;
	}
	for (size_t i = 0; i < workflow->secrets_count; i++)
		if (strcmp(workflow->secrets[i], name) == 0)
			return;
	workflow->secrets = xrealloc(workflow->secrets, workflow->secrets_count + 1,
				     sizeof *workflow->secrets);
	workflow->secrets[workflow->secrets_count++] = xstrdup(name);
}

/* The error that led to a step may come from any other. */
static void
collect_known(struct collector *collector, const char *variable, const char *member,
	      const char *field)
{
	if (strcmp(variable, "steps") == 0)
		collect_step(collector, member, field);
	else if (strcmp(variable, "state") == 0)
		collector->refs->state = true;
	else if (strcmp(variable, "secrets") == 0)
		collect_secret(collector->reader->workflow, member);
	else if (strcmp(variable, "error") == 0 &&
		 (collector->scope & REFS_RESULT) == 0)
		collector->refs->all_steps = true;
}

/* Before there is a run only its trigger is known. */
static bool
comes_too_early(const struct collector *collector, const char *variable)
{
	return (collector->scope & REFS_TRIGGER) != 0 &&
	       strcmp(variable, "trigger") != 0;
}

static void
collect(void *context, const char *variable, const char *member, const char *field)
{
	struct collector *collector = context;

	for (size_t i = 0; i < VARIABLES; i++) {
		if (strcmp(variables[i].name, variable) != 0)
			continue;
		if (comes_too_early(collector, variable)) {
			reader_problem(
			    collector->reader, collector->place,
			    "\"%s\" is not known before there is a run: only "
			    "trigger",
			    variable);
			collector->good = false;
			return;
		}
		if ((variables[i].scope & ~collector->scope) == 0) {
			collect_known(collector, variable, member, field);
			return;
		}
		reader_problem(collector->reader, collector->place, "\"%s\" %s",
			       variable, variables[i].elsewhere);
		collector->good = false;
		return;
	}
	unknown_variable(collector, variable);
	collector->good = false;
}

/* The place in the file can be told of what stands unquoted on one line. */
static void
syntax_problem(struct reader *reader, const struct place *place,
	       const struct cel_place *at, const struct err *err)
{
	const struct doc *doc = place->doc;

	if (!doc->quoted && at->line == 1 && at->column > 0)
		reader_problem_at(reader, place, doc->line,
				  doc->column + at->column - 1, "%s", err->text);
	else
		reader_problem(reader, place, "%s", err->text);
}

struct cel *
refs_condition(struct reader *reader, const struct place *place, struct refs *refs,
	       unsigned scope)
{
	struct collector collector = { reader, place, refs, scope, true };
	struct cel_place at = { 0 };
	struct err err = { 0 };
	struct cel *cel;

	if (reader_text(reader, place, CEL_TEXT_MAX) == NULL)
		return NULL;
	cel = cel_compile(place->doc->text, place->doc->len, &at, &err);
	if (cel == NULL) {
		syntax_problem(reader, place, &at, &err);
		return NULL;
	}
	cel_refs(cel, collect, &collector);
	if (!collector.good)
		cel_free(&cel);
	return cel;
}

static bool
check_string(struct reader *reader, const struct place *place, struct refs *refs,
	     unsigned scope)
{
	struct collector collector = { reader, place, refs, scope, true };
	struct cel_place at = { 0 };
	struct err err = { 0 };
	struct json *text;
	struct template *tmpl;

	if (strstr(place->doc->text, "{{") == NULL)
		return true;
	text = json_new_str_len(place->doc->text, place->doc->len);
	tmpl = template_compile(text, &at, &err);
	if (tmpl == NULL)
		syntax_problem(reader, place, &at, &err);
	else
		template_refs(tmpl, collect, &collector);
	collector.good = collector.good && tmpl != NULL;
	json_unref(&text);
	template_free(&tmpl);
	return collector.good;
}

bool
refs_templates(struct reader *reader, const struct place *place, struct refs *refs,
	       unsigned scope)
{
	bool good = true;

	if (place->doc->kind == DOC_SCALAR)
		return check_string(reader, place, refs, scope);
	for (size_t i = 0; i < place->doc->count; i++) {
		struct place item = place->doc->kind == DOC_MAP ? place_nth(place, i)
								: place_item(place, i);

		good = refs_templates(reader, &item, refs, scope) && good;
	}
	return good;
}
