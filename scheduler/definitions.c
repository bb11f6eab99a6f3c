/* See definitions.h. */
#include "definitions.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "conf/yaml.h"

struct known {
	struct workflow *workflow; /* or NULL: */
	char *why;
};

struct definitions {
	struct map *by_id;
};

struct load_call {
	struct definitions *definitions;
	pg_end_fn *done;
	void *context;
};

static void
known_free(void *value)
{
	struct known *known = value;

	workflow_free(&known->workflow);
	free(known->why);
	free(known);
}

struct definitions *
definitions_new(void)
{
	struct definitions *definitions = xcalloc(1, sizeof *definitions);

	definitions->by_id = map_new();
	return definitions;
}

void
definitions_free(struct definitions **definitions_p)
{
	struct definitions *definitions = *definitions_p;

	if (definitions == NULL)
		return;
	map_free(&definitions->by_id, known_free);
	free(definitions);
	*definitions_p = NULL;
}

static struct known *
read_source(const char *source, size_t len)
{
	struct known *known = xcalloc(1, sizeof *known);
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(source, len, &problems);

	known->workflow = doc != NULL ? workflow_read(doc, &problems) : NULL;
	if (known->workflow == NULL) {
		char *text = problem_text(&problems, 0);

		known->why = xprintf("the workflow no longer loads: %s", text);
		free(text);
	}
	doc_free(&doc);
	problems_fini(&problems);
	return known;
}

static void
on_sources(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct load_call *call = context;

	for (int i = 0; rows != NULL && i < pg_count(rows); i++) {
		struct uuid id = pg_uuid(rows, i, 0);
		size_t len;
		const char *source = pg_text(rows, i, 1, &len);
		struct known *former = map_put(call->definitions->by_id, id.b,
					       sizeof id.b, read_source(source, len));

		if (former != NULL)
			known_free(former);
	}
	call->done(call->context, err);
}

bool
definitions_knows(const struct definitions *definitions, const struct uuid *id)
{
	return map_get(definitions->by_id, id->b, sizeof id->b) != NULL;
}

void
definitions_load(struct definitions *definitions, struct pg *pg, const struct uuid *ids,
		 size_t count, pg_end_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct load_call *call = xcalloc(1, sizeof *call);
	bool full = map_count(definitions->by_id) + count > DEFINITIONS_KEPT;
	struct pg_args args;

	if (full) {
		map_free(&definitions->by_id, known_free);
		definitions->by_id = map_new();
	}
	*call = (struct load_call){ definitions, done, context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		if (!definitions_knows(definitions, &ids[i]))
			pg_arg_uuid(&args, &ids[i]);
	pg_array_end(&args);
	pg_batch_add(batch, "definitions_sources", &args, on_sources, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

const struct workflow *
definitions_get(const struct definitions *definitions, const struct uuid *id,
		const char **why)
{
	const struct known *known = map_get(definitions->by_id, id->b, sizeof id->b);

	*why = known == NULL ? "the workflow is gone" : known->why;
	return known != NULL ? known->workflow : NULL;
}
