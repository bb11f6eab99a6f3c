/* Definitions by id, read once. See definitions.h. */
#include "definitions.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/graph_core.h"

#define DEFINITIONS_KEPT                                                               \
	500 /* unused ones beyond this are forgotten, oldest use first */

struct waiting {
	struct list link;
	struct definitions *definitions;
	struct uuid id;
	definition_fn *done;
	void *context;
};

struct definitions {
	struct pg *pg;
	struct loop *loop;
	struct map *by_id;
	struct list loads; /* struct waiting: asked, not answered; one query per id */
	uint64_t uses;
};

struct definitions *
definitions_new(struct pg *pg, struct loop *loop)
{
	struct definitions *definitions = xcalloc(1, sizeof *definitions);

	definitions->pg = pg;
	definitions->loop = loop;
	definitions->by_id = map_new();
	list_init(&definitions->loads);
	return definitions;
}

static void
definition_free(void *value)
{
	struct definition *definition = value;

	workflow_free(&definition->workflow);
	free(definition->read_keys);
	free(definition);
}

static void
note_reads(struct definition *definition, bool *read, const int *refs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (read[refs[i]])
			continue;
		read[refs[i]] = true;
		definition->read_keys[definition->read_count++] =
		    definition->workflow->steps[refs[i]].id;
	}
}

/* Which outputs the expressions of the whole workflow name. */
static void
find_reads(struct definition *definition)
{
	const struct workflow *workflow = definition->workflow;
	bool *read = xcalloc(workflow->steps_count, sizeof *read);

	definition->read_keys =
	    xcalloc(workflow->steps_count, sizeof *definition->read_keys);
	definition->reads_all = workflow->output_refs_all_steps;
	note_reads(definition, read, workflow->output_refs,
		   workflow->output_refs_count);
	for (size_t i = 0; i < workflow->steps_count; i++) {
		const struct step_def *step = &workflow->steps[i];

		definition->reads_all |= step->refs_all_steps;
		note_reads(definition, read, step->refs, step->refs_count);
		note_reads(definition, read, step->needs, step->needs_count);
		if (graph_is_end(workflow, step))
			note_reads(definition, read, &step->index, 1);
	}
	free(read);
}

void
definitions_free(struct definitions **definitions_p)
{
	struct definitions *definitions = *definitions_p;

	if (definitions == NULL)
		return;
	pg_forget(definitions->pg, definitions);
	list_each_safe (it, &definitions->loads) {
		list_remove(it);
		free(container_of(it, struct waiting, link));
	}
	map_free(&definitions->by_id, definition_free);
	free(definitions);
	*definitions_p = NULL;
}

struct definition *
definitions_get(struct definitions *definitions, const struct uuid *id)
{
	struct definition *definition =
	    map_get(definitions->by_id, id->b, sizeof id->b);

	if (definition == NULL)
		return NULL;
	definition->users++;
	definition->used_at = ++definitions->uses;
	return definition;
}

static void
forget_oldest(struct definitions *definitions)
{
	struct definition *oldest = NULL;
	size_t cursor = 0;
	void *value;

	if (map_count(definitions->by_id) <= DEFINITIONS_KEPT)
		return;
	while (map_next(definitions->by_id, &cursor, NULL, NULL, &value)) {
		struct definition *definition = value;

		if (definition->users == 0 &&
		    (oldest == NULL || definition->used_at < oldest->used_at))
			oldest = definition;
	}
	if (oldest == NULL)
		return;
	map_remove(definitions->by_id, oldest->id.b, sizeof oldest->id.b);
	definition_free(oldest);
}

void
definitions_drop(struct definitions *definitions, struct definition **definition_p)
{
	struct definition *definition = *definition_p;

	*definition_p = NULL;
	if (definition != NULL && --definition->users == 0)
		forget_oldest(definitions);
}

static struct definition *
definition_read(const struct uuid *id, const char *source, size_t len, struct err *err)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(source, len, &problems);
	struct workflow *workflow = NULL;
	struct definition *definition = NULL;

	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	if (workflow != NULL) {
		definition = xcalloc(1, sizeof *definition);
		definition->id = *id;
		definition->workflow = workflow;
		find_reads(definition);
	} else {
		char *text = problem_text(&problems, 0);

		err_set(err, ERR_INPUT, "the definition no longer loads: %s", text);
		free(text);
	}
	problems_fini(&problems);
	doc_free(&doc);
	return definition;
}

/* Answers everybody who waits for this id. Answers may ask again or forget others. */
static void
answer(struct definitions *definitions, const struct uuid *id, const struct err *err)
{
	struct list mine;

	list_init(&mine);
	list_each_safe (it, &definitions->loads) {
		if (!uuid_equal(&container_of(it, struct waiting, link)->id, id))
			continue;
		list_remove(it);
		list_push(&mine, it);
	}
	while (!list_empty(&mine)) {
		struct waiting *waiting =
		    container_of(list_shift(&mine), struct waiting, link);

		if (waiting->done != NULL)
			waiting->done(waiting->context,
				      err->kind == ERR_NONE
					  ? definitions_get(definitions, id)
					  : NULL,
				      err);
		free(waiting);
	}
}

static void
on_loaded(void *context, const struct pg_rows *rows, const struct err *failed)
{
	struct definitions *definitions = context;
	struct err err = { 0 };
	struct uuid id;

	if (rows == NULL) {
		/* Nobody knows which it was: all that wait hear of it. */
		while (!list_empty(&definitions->loads)) {
			id = container_of(definitions->loads.next, struct waiting, link)
				 ->id;
			answer(definitions, &id, failed);
		}
		return;
	}
	id = pg_uuid(rows, 0, 0);
	if (pg_is_null(rows, 0, 1)) {
		err_set(&err, ERR_NOT_FOUND, "the definition is gone");
	} else if (map_get(definitions->by_id, id.b, sizeof id.b) == NULL) {
		size_t len;
		const char *source = pg_text(rows, 0, 1, &len);
		struct definition *definition = definition_read(&id, source, len, &err);

		if (definition != NULL)
			map_put(definitions->by_id, id.b, sizeof id.b, definition);
	}
	answer(definitions, &id, &err);
}

void
definitions_load(struct definitions *definitions, const struct uuid *id,
		 definition_fn *done, void *context)
{
	struct waiting *waiting = xcalloc(1, sizeof *waiting);
	struct pg_args args;
	bool asked = false;

	list_each (it, &definitions->loads)
		asked |= uuid_equal(&container_of(it, struct waiting, link)->id, id);
	waiting->id = *id;
	waiting->done = done;
	waiting->context = context;
	list_push(&definitions->loads, &waiting->link);
	if (asked)
		return;
	pg_args_init(&args);
	pg_arg_uuid(&args, id);
	pg_query(definitions->pg, "definitions_source", &args, on_loaded, definitions);
	pg_args_fini(&args);
}

void
definitions_forget(struct definitions *definitions, const void *context)
{
	list_each (it, &definitions->loads) {
		struct waiting *waiting = container_of(it, struct waiting, link);

		if (waiting->context == context)
			waiting->done = NULL;
	}
}
