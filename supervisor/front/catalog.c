/* Workflows by name, and their registration. See catalog.h. */
#include "front/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "digest/digest.h"
#include "front/own_workflows.h"
#include "front/position_core.h"
#include "store/declared.h"
#include "store/triggers.h"

#define CATALOG_KEPT 1000 /* names; past it all are forgotten */

struct waiting {
	struct waiting *next;
	uint64_t read_after;
	bool again; /* asked anew because of that, once: a position may be no good */
	catalog_fn *done;
	void *context;
};

struct named {
	struct catalog *catalog;
	struct uuid project; /* who asks; nil: nobody in particular */
	char *name;
	struct catalog_entry entry;
	usec_t read_at;    /* monotonic; 0: never */
	uint64_t position; /* in PostgreSQL's log, when it was read */
	struct waiting *waiting;
	struct waiting *telling; /* those that are answered just now */
	bool asked;
	bool outdated; /* registered since it was asked for: asked again */
};

struct catalog {
	struct loop *loop;
	struct pg *read;
	struct secret_sources secrets;
	struct map *by_name;
	const char *const *mcp_servers;
};

struct catalog *
catalog_new(struct loop *loop, struct pg *read, const char *const *mcp_servers)
{
	struct catalog *catalog = xcalloc(1, sizeof *catalog);

	catalog->mcp_servers = mcp_servers;
	catalog->loop = loop;
	catalog->read = read;
	catalog->by_name = map_new();
	return catalog;
}

static struct waiting *
waiting_pop(struct waiting **list)
{
	struct waiting *first = *list;

	if (first != NULL)
		*list = first->next;
	return first;
}

static void
named_free(void *value)
{
	struct named *named = value;

	while (named->waiting != NULL)
		free(waiting_pop(&named->waiting));
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
	secret_sources_fini(&catalog->secrets);
	free(catalog);
	*catalog_p = NULL;
}

void
catalog_know_secrets(struct catalog *catalog, const struct secret_sources *secrets)
{
	secret_sources_fini(&catalog->secrets);
	secret_sources_copy(&catalog->secrets, secrets);
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

struct workflow *
catalog_read(const struct catalog *catalog, const char *source, size_t len,
	     struct problems *problems)
{
	struct doc *doc = yaml_parse(source, len, problems);
	struct workflow *workflow =
	    doc ? workflow_read_new(doc, catalog->mcp_servers, problems) : NULL;

	if (workflow != NULL && workflow->program != NULL) {
		problems_add(problems, doc_get(doc, "program"), "program",
			     "a program is found in a folder of workflows, and not "
			     "registered in any other way");
		workflow_free(&workflow);
	}
	if (workflow != NULL && own_workflow_is(workflow->name)) {
		problems_add(problems, doc_get(doc, "name"), "name",
			     "names that begin with \"" OWN_WORKFLOW
			     "\" are the engine's own");
		workflow_free(&workflow);
	}
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

/* An answer may ask anew, and forget others that are still to be told. */
static void
answer_all(struct named *named, const struct err *err)
{
	const struct catalog_entry *entry =
	    err->kind == ERR_NONE ? &named->entry : NULL;
	struct waiting *waiting;

	named->telling = named->waiting;
	named->waiting = NULL;
	while (named->telling != NULL) {
		waiting = named->telling;
		if (waiting->done != NULL)
			waiting->done(waiting->context, entry, err);
		free(waiting_pop(&named->telling));
	}
}

static void ask(struct named *named);

/* Asked before it is read, as a statement of its own: what was committed before that
 * position is seen. */
static void
on_position(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct named *named = context;

	(void)err;
	named->position = 0;
	if (rows != NULL)
		position_parse(pg_text(rows, 0, 0, NULL), &named->position);
}

/* Somebody has seen more than this. */
static bool
is_too_old(struct named *named)
{
	bool too_old = false;

	for (struct waiting *it = named->waiting; it != NULL; it = it->next)
		if (it->read_after > named->position && !it->again)
			it->again = too_old = true;
	return too_old;
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *failed)
{
	struct named *named = context;
	struct err err = *failed;

	if (rows != NULL && (named->outdated || is_too_old(named))) {
		ask(named);
		return;
	}
	named->asked = false;
	if (rows != NULL) {
		if (pg_count(rows) == 0)
			err_set(&err, ERR_NOT_FOUND, "there is no workflow \"%s\"",
				named->name);
		else
			fill(named, rows, &err);
	}
	/* one that is not active may be again, by another supervisor's doing */
	named->read_at = err.kind == ERR_NONE && named->entry.active
			     ? loop_mono(named->catalog->loop)
			     : 0;
	answer_all(named, &err);
}

static void
ask(struct named *named)
{
	struct pg_args args;

	named->asked = true;
	named->outdated = false;
	pg_args_init(&args);
	pg_query(named->catalog->read, "wal_position", NULL, on_position, named);
	pg_arg_text(&args, named->name);
	pg_arg_uuid(&args, uuid_is_nil(&named->project) ? NULL : &named->project);
	pg_query(named->catalog->read, "workflows_find", &args, on_found, named);
	pg_args_fini(&args);
}

static struct named *
named_get(struct catalog *catalog, const struct uuid *project, const char *name)
{
	struct buf key = { 0 };
	struct uuid nobody = { 0 };
	struct named *named;

	buf_add(&key, project != NULL ? project->b : nobody.b, sizeof nobody.b);
	buf_str(&key, name);
	named = map_get(catalog->by_name, key.data, key.len);
	if (named == NULL) {
		named = xcalloc(1, sizeof *named);
		named->catalog = catalog;
		named->project = project != NULL ? *project : nobody;
		named->name = xstrdup(name);
		map_put(catalog->by_name, key.data, key.len, named);
	}
	buf_fini(&key);
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

		if (named->asked || named->telling != NULL)
			continue;
		map_remove(catalog->by_name, key, len);
		named_free(named);
	}
}

void
catalog_find(struct catalog *catalog, const struct uuid *project,
	     const char *name_or_id, uint64_t read_after, catalog_fn *done,
	     void *context)
{
	static const struct err none;
	struct named *named = named_get(catalog, project, name_or_id);
	struct waiting *waiting;

	if (named->read_at != 0 && named->position >= read_after &&
	    loop_mono(catalog->loop) - named->read_at < CATALOG_FRESH) {
		done(context, &named->entry, &none);
		return;
	}
	waiting = xcalloc(1, sizeof *waiting);
	*waiting = (struct waiting){ .next = named->waiting,
				     .read_after = read_after,
				     .done = done,
				     .context = context };
	named->waiting = waiting;
	if (named->asked)
		return;
	ask(named);
	forget_idle(catalog);
}

static void
forget_in(struct waiting *list, const void *context)
{
	for (struct waiting *it = list; it != NULL; it = it->next)
		if (it->context == context)
			it->done = NULL;
}

void
catalog_forget(struct catalog *catalog, const void *context)
{
	size_t cursor = 0;
	void *value;

	while (map_next(catalog->by_name, &cursor, NULL, NULL, &value)) {
		forget_in(((struct named *)value)->waiting, context);
		forget_in(((struct named *)value)->telling, context);
	}
}

/* ---- registering ---- */

struct registration {
	struct catalog *catalog;
	struct registered answer;
	registered_fn *done;
	void *context;
	char name[WORKFLOW_NAME_MAX + 1];
	struct uuid project;
	bool has_project;
	char *paths; /* of its webhooks; triggers_paths */
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

void
catalog_outdate(struct catalog *catalog, const char *name)
{
	size_t cursor = 0;
	void *value;

	while (map_next(catalog->by_name, &cursor, NULL, NULL, &value)) {
		struct named *named = value;

		const struct workflow *workflow = named->entry.workflow;

		if (strcmp(named->name, name) != 0 && workflow != NULL &&
		    strcmp(workflow->name, name) != 0)
			continue;
		named->read_at = 0;
		named->outdated = named->asked;
	}
}

static void
end_registration(struct registration *registration, const struct err *err)
{
	registration->answer.name = registration->name;
	registration->done(registration->context,
			   err->kind == ERR_NONE ? &registration->answer : NULL, err);
}

/* Who registered that path may be gone again by now. */
static void
on_taken(void *context, const struct pg_rows *rows, const struct err *failed)
{
	struct registration *registration = context;
	bool found = rows != NULL && pg_count(rows) > 0;
	struct err err = { 0 };

	(void)failed;
	if (found && !pg_is_null(rows, 0, 1))
		err_set(&err, ERR_CONFLICT,
			"the webhook path \"%s\" belongs to the workflow \"%s\"",
			pg_text(rows, 0, 0, NULL), pg_text(rows, 0, 1, NULL));
	else
		err_set(&err, ERR_CONFLICT,
			"the path of a webhook belongs to another workflow");
	end_registration(registration, &err);
}

/* The registration lives as long as the batch that failed: a copy goes on. */
static void
ask_who_has_it(const struct registration *failed)
{
	struct catalog *catalog = failed->catalog;
	struct pg_batch *batch = pg_batch_new(catalog->read);
	struct registration *copy = xmalloc(sizeof *copy);

	*copy = *failed;
	copy->paths = NULL;
	pg_batch_attach(batch, catalog, copy);
	triggers_taken(batch, copy->name, copy->has_project ? &copy->project : NULL,
		       failed->paths, on_taken, copy);
	pg_batch_send(&batch, NULL, NULL);
}

static void
on_registered(void *context, const struct err *err)
{
	struct registration *registration = context;

	if (err->kind == ERR_NONE)
		catalog_outdate(registration->catalog, registration->name);
	if (err->kind == ERR_CONFLICT &&
	    strncmp(err->text, TRIGGERS_PATH_TAKEN, strlen(TRIGGERS_PATH_TAKEN)) == 0)
		ask_who_has_it(registration);
	else
		end_registration(registration, err);
}

/* Of what the file says; secrets count, though what is shown of them is masked. */
static char *
checksum_of(const struct workflow *workflow, const char *config,
	    char out[static SHA256_TEXT])
{
	struct buf text = { 0 };

	buf_str(&text, config);
	trigger_add_secrets(workflow, &text);
	sha256_text(text.data, text.len, out);
	buf_fini(&text);
	return out;
}

static void
store(struct registration *registration, struct pg *pg, const struct uuid *project,
      const struct workflow *workflow, const char *source, size_t len, const char *file)
{
	struct catalog *catalog = registration->catalog;
	struct pg_batch *batch = pg_batch_new(pg);
	struct uuid id = uuid7_new(loop_now(catalog->loop));
	char checksum[SHA256_TEXT];
	char *config = json_text(workflow->config);
	struct pg_args args;

	pg_batch_attach(batch, catalog, registration);
	pg_batch_attach(batch, NULL, registration->paths);
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	pg_arg_text(&args, workflow->name);
	pg_arg_text(&args, workflow->description ? workflow->description : "");
	pg_arg_text(&args, file);
	pg_arg_uuid(&args, project);
	pg_batch_add(batch, "workflows_upsert", &args, NULL, NULL);
	pg_args_fini(&args);

	id = uuid7_new(loop_now(catalog->loop));
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	pg_arg_text(&args, workflow->name);
	pg_arg_uuid(&args, project);
	pg_arg_text_len(&args, source, len);
	pg_arg_json_text(&args, config, strlen(config));
	pg_arg_text(&args, checksum_of(workflow, config, checksum));
	pg_arg_text(&args, file);
	pg_arg_text(&args, workflow->description ? workflow->description : "");
	pg_batch_add(batch, "definitions_register", &args, on_version, registration);
	pg_args_fini(&args);
	free(config);

	/* What the newest version declares comes and goes with it. */
	triggers_put(batch, workflow, project);
	declared_put(batch, workflow, project, loop_now(catalog->loop));
	pg_batch_send(&batch, on_registered, registration);
}

static void
look_at_secrets(const struct catalog *catalog, const struct workflow *workflow)
{
	const char **names = xcalloc(catalog->secrets.count + 1, sizeof *names);

	for (size_t i = 0; i < catalog->secrets.count; i++)
		names[i] = catalog->secrets.list[i].name;
	for (size_t i = 0; i < workflow->secrets_count; i++)
		if (secret_source_find(&catalog->secrets, workflow->secrets[i]) == NULL)
			log_warn("workflow.secret_unknown",
				 F_STR("workflow", workflow->name),
				 F_STR("secret", workflow->secrets[i]),
				 F_STR("nearest",
				       nearest_name(workflow->secrets[i], names)));
	free(names);
}

static void
begin_registration(struct catalog *catalog, struct pg *pg, const struct uuid *project,
		   const struct workflow *workflow, const char *source, size_t len,
		   const char *file, registered_fn *done, void *context)
{
	struct registration *registration;

	registration = xcalloc(1, sizeof *registration);
	registration->catalog = catalog;
	snprintf(registration->name, sizeof registration->name, "%s", workflow->name);
	registration->done = done;
	registration->context = context;
	registration->paths = triggers_paths(workflow);
	registration->has_project = project != NULL;
	if (project != NULL)
		registration->project = *project;
	look_at_secrets(catalog, workflow);
	store(registration, pg, project, workflow, source, len, file);
}

int
catalog_register(struct catalog *catalog, struct pg *pg, const struct uuid *project,
		 const char *source, size_t len, const char *file,
		 struct problems *problems, registered_fn *done, void *context)
{
	struct workflow *workflow = catalog_read(catalog, source, len, problems);

	if (workflow == NULL)
		return -1;
	begin_registration(catalog, pg, project, workflow, source, len, file, done,
			   context);
	workflow_free(&workflow);
	return 0;
}

int
catalog_register_program(struct catalog *catalog, struct pg *pg, const char *manifest,
			 const char *file, struct problems *problems,
			 registered_fn *done, void *context)
{
	size_t len = strlen(manifest);
	struct workflow *workflow = read_workflow(manifest, len, problems);

	if (workflow != NULL && own_workflow_is(workflow->name)) {
		problems_add_at(problems, 0, 0, "name",
				"names that begin with \"" OWN_WORKFLOW
				"\" are the engine's own");
		workflow_free(&workflow);
	}
	if (workflow == NULL)
		return -1;
	begin_registration(catalog, pg, NULL, workflow, manifest, len, file, done,
			   context);
	workflow_free(&workflow);
	return 0;
}

int
catalog_register_own(struct catalog *catalog, struct pg *pg, const char *source,
		     size_t len, struct problems *problems, registered_fn *done,
		     void *context)
{
	struct workflow *workflow = read_workflow(source, len, problems);

	if (workflow == NULL)
		return -1;
	begin_registration(catalog, pg, NULL, workflow, source, len, "", done, context);
	workflow_free(&workflow);
	return 0;
}
