/* Workflows by name, and their registration. See catalog.h. */
#include "front/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "digest/digest.h"

#define CATALOG_KEPT 1000 /* names; past it all are forgotten */

struct waiting {
	struct waiting *next;
	catalog_fn *done;
	void *context;
};

struct named {
	struct catalog *catalog;
	char *name;
	struct catalog_entry entry;
	usec_t read_at; /* monotonic; 0: never */
	struct waiting *waiting;
	bool asked;
};

struct catalog {
	struct loop *loop;
	struct pg *read, *write;
	struct map *by_name;
};

struct catalog *
catalog_new(struct loop *loop, struct pg *read, struct pg *write)
{
	struct catalog *catalog = xcalloc(1, sizeof *catalog);

	catalog->loop = loop;
	catalog->read = read;
	catalog->write = write;
	catalog->by_name = map_new();
	return catalog;
}

static void
named_free(void *value)
{
	struct named *named = value;
	struct waiting *next;

	for (; named->waiting != NULL; named->waiting = next) {
		next = named->waiting->next;
		free(named->waiting);
	}
	pg_forget(named->catalog->read, named);
	workflow_free(&named->entry.workflow);
	free(named->name);
	free(named);
}

void
catalog_free(struct catalog **catalog_p)
{
	struct catalog *catalog = *catalog_p;

	if (catalog == NULL)
		return;
	map_free(&catalog->by_name, named_free);
	free(catalog);
	*catalog_p = NULL;
}

/* ---- finding ---- */

static struct workflow *
read_workflow(const char *source, size_t len, struct problems *problems)
{
	struct doc *doc = yaml_parse(source, len, problems);
	struct workflow *workflow = doc ? workflow_read(doc, problems) : NULL;

	doc_free(&doc);
	return workflow;
}

static void
fill(struct named *named, const struct pg_rows *rows, struct err *err)
{
	struct catalog_entry *entry = &named->entry;
	struct problems problems = { 0 };
	struct uuid definition = pg_uuid(rows, 0, 0);
	const char *source;
	size_t len;

	entry->workflow_id = pg_uuid(rows, 0, 1);
	entry->version = (int)pg_int(rows, 0, 3);
	entry->has_project = !pg_is_null(rows, 0, 5);
	entry->project = entry->has_project ? pg_uuid(rows, 0, 5) : (struct uuid){ 0 };
	entry->active = pg_bool(rows, 0, 6);
	if (entry->workflow != NULL && uuid_equal(&entry->definition, &definition))
		return;
	workflow_free(&entry->workflow);
	source = pg_text(rows, 0, 4, &len);
	entry->workflow = read_workflow(source, len, &problems);
	entry->definition = definition;
	if (entry->workflow == NULL) {
		char *text = problem_text(&problems, 0);

		err_set(err, ERR_INPUT, "the workflow no longer loads: %s", text);
		free(text);
	}
	problems_fini(&problems);
}

static void
answer_all(struct named *named, const struct err *err)
{
	struct waiting *waiting = named->waiting;

	named->waiting = NULL;
	while (waiting != NULL) {
		struct waiting *next = waiting->next;

		if (waiting->done != NULL)
			waiting->done(waiting->context,
				      err->kind == ERR_NONE ? &named->entry : NULL,
				      err);
		free(waiting);
		waiting = next;
	}
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *failed)
{
	struct named *named = context;
	struct err err = *failed;

	named->asked = false;
	if (rows != NULL) {
		if (pg_count(rows) == 0)
			err_set(&err, ERR_NOT_FOUND, "there is no workflow \"%s\"",
				named->name);
		else
			fill(named, rows, &err);
	}
	named->read_at = err.kind == ERR_NONE ? loop_mono(named->catalog->loop) : 0;
	answer_all(named, &err);
}

static struct named *
named_get(struct catalog *catalog, const char *name)
{
	struct named *named = map_get(catalog->by_name, name, strlen(name));

	if (named != NULL)
		return named;
	named = xcalloc(1, sizeof *named);
	named->catalog = catalog;
	named->name = xstrdup(name);
	map_put(catalog->by_name, name, strlen(name), named);
	return named;
}

/* Names come from outside: those that found nothing are not kept for ever. */
static void
forget_idle(struct catalog *catalog)
{
	size_t cursor = 0;
	const void *key;
	size_t len;
	void *value;

	if (map_count(catalog->by_name) < CATALOG_KEPT)
		return;
	while (map_next(catalog->by_name, &cursor, &key, &len, &value)) {
		struct named *named = value;

		if (named->asked || named->waiting != NULL)
			continue;
		map_remove(catalog->by_name, key, len);
		named_free(named);
	}
}

void
catalog_find(struct catalog *catalog, const char *name_or_id, catalog_fn *done,
	     void *context)
{
	static const struct err none;
	struct named *named = named_get(catalog, name_or_id);
	struct waiting *waiting;
	struct pg_args args;

	if (named->read_at != 0 &&
	    loop_mono(catalog->loop) - named->read_at < CATALOG_FRESH) {
		done(context, &named->entry, &none);
		return;
	}
	waiting = xcalloc(1, sizeof *waiting);
	*waiting = (struct waiting){ named->waiting, done, context };
	named->waiting = waiting;
	if (named->asked)
		return;
	named->asked = true;
	pg_args_init(&args);
	pg_arg_text(&args, name_or_id);
	pg_arg_uuid(&args, NULL);
	pg_query(catalog->read, "workflows_find", &args, on_found, named);
	pg_args_fini(&args);
	forget_idle(catalog);
}

void
catalog_forget(struct catalog *catalog, const void *context)
{
	size_t cursor = 0;
	void *value;

	while (map_next(catalog->by_name, &cursor, NULL, NULL, &value))
		for (struct waiting *it = ((struct named *)value)->waiting; it != NULL;
		     it = it->next)
			if (it->context == context)
				it->done = NULL;
}

/* ---- registering ---- */

struct registration {
	struct catalog *catalog;
	struct registered answer;
	char *name;
	registered_fn *done;
	void *context;
};

static void
on_version(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct registration *registration = context;

	(void)err;
	if (rows == NULL || pg_count(rows) == 0)
		return;
	registration->answer.workflow_id = pg_uuid(rows, 0, 0);
	registration->answer.definition = pg_uuid(rows, 0, 1);
	registration->answer.version = (int)pg_int(rows, 0, 2);
	registration->answer.is_new = pg_bool(rows, 0, 3);
}

static void
on_registered(void *context, const struct err *err)
{
	struct registration *registration = context;
	struct named *named = map_get(registration->catalog->by_name,
				      registration->name, strlen(registration->name));
	size_t cursor = 0;
	void *value;

	/* By whatever name or id it was kept, it is read again. */
	if (named != NULL)
		named->read_at = 0;
	while (map_next(registration->catalog->by_name, &cursor, NULL, NULL, &value))
		if (uuid_equal(&((struct named *)value)->entry.workflow_id,
			       &registration->answer.workflow_id))
			((struct named *)value)->read_at = 0;
	registration->answer.name = registration->name;
	registration->done(registration->context,
			   err->kind == ERR_NONE ? &registration->answer : NULL, err);
	free(registration->name);
	free(registration);
}

static void
store(struct registration *registration, const struct workflow *workflow,
      const char *source, size_t len, const char *file)
{
	struct catalog *catalog = registration->catalog;
	struct pg_batch *batch = pg_batch_new(catalog->write);
	struct uuid id = uuid7_new(loop_now(catalog->loop));
	char checksum[SHA256_TEXT];
	char *config = json_text(workflow->config);
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	pg_arg_text(&args, workflow->name);
	pg_arg_text(&args, workflow->description ? workflow->description : "");
	pg_arg_text(&args, file);
	pg_arg_uuid(&args, NULL);
	pg_batch_add(batch, "workflows_upsert", &args, NULL, NULL);
	pg_args_fini(&args);

	id = uuid7_new(loop_now(catalog->loop));
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	pg_arg_text(&args, workflow->name);
	pg_arg_uuid(&args, NULL);
	pg_arg_text_len(&args, source, len);
	pg_arg_json_text(&args, config, strlen(config));
	pg_arg_text(&args, sha256_text(config, strlen(config), checksum));
	pg_arg_text(&args, file);
	pg_arg_text(&args, workflow->description ? workflow->description : "");
	pg_batch_add(batch, "definitions_register", &args, on_version, registration);
	pg_args_fini(&args);
	pg_batch_send(&batch, on_registered, registration);
	free(config);
}

int
catalog_register(struct catalog *catalog, const char *source, size_t len,
		 const char *file, struct problems *problems, registered_fn *done,
		 void *context)
{
	struct workflow *workflow = read_workflow(source, len, problems);
	struct registration *registration;

	if (workflow == NULL)
		return -1;
	registration = xcalloc(1, sizeof *registration);
	registration->catalog = catalog;
	registration->name = xstrdup(workflow->name);
	registration->done = done;
	registration->context = context;
	store(registration, workflow, source, len, file);
	workflow_free(&workflow);
	return 0;
}
