/*
 * One thing at a time on one connection: the list of triggers, the files that a new one
 * knows, the changes of one. A change that cannot be stored for reasons of its own is
 * noted without a run, so that it holds up no other.
 */
#include "file_watches.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "definitions.h"
#include "file_watch.h"
#include "starts.h"
#include "store/watched_files.h"
#include "zone/zone.h"

#define CHANGES_MOST 100
#define LIST_EVERY   (5 * USEC_SECOND) /* should a notification be lost */
#define LIST_FAILED  (250 * USEC_MS)

/* A trigger of the list. */
struct watched {
	struct file_watch *watch; /* NULL: its definition does not load */
	struct uuid workflow, definition, project;
	int place;
	char *name, *project_path, *spec;
	usec_t created_at;
	bool begun, loaded, listed;
};

struct file_watches {
	struct loop *loop;
	struct file_watches_conf conf;
	struct pg *pg;
	struct definitions *definitions;
	struct watched **list;
	size_t count, turn; /* turn: whose changes come next */
	bool up, busy, failing, list_again;
	bool alone;    /* the next change is stored by itself */
	bool hopeless; /* and starts nothing */
	usec_t next_list;
	/* what is being loaded, or stored */
	struct watched *current;
	struct file_change changes[CHANGES_MOST];
	size_t changes_count;
	struct starts starts;
};

static void
wake(void *context)
{
	struct file_watches *watches = context;

	watches->conf.wake(watches->conf.context);
}

/* Once per change, not per call. */
static void
note_result(struct file_watches *watches, const struct err *err)
{
	bool failed = err->kind != ERR_NONE;

	if (failed && !watches->failing)
		log_warn("file_watches.failed", F_STR("why", err->text));
	if (!failed && watches->failing)
		log_info("file_watches.recovered", F_INT("count", watches->count));
	watches->failing = failed;
}

static void
list_in(struct file_watches *watches, usec_t delay)
{
	usec_t at = loop_mono(watches->loop) + delay;

	if (watches->next_list > at)
		watches->next_list = at;
}

/* ---- the list ---- */

static void
watched_free(struct watched *watched)
{
	file_watch_free(&watched->watch);
	free(watched->name);
	free(watched->project_path);
	free(watched->spec);
	free(watched);
}

static struct watched *
find(const struct file_watches *watches, const struct file_watch_row *row)
{
	for (size_t i = 0; i < watches->count; i++) {
		struct watched *watched = watches->list[i];

		if (uuid_equal(&watched->workflow, &row->workflow) &&
		    watched->place == row->place &&
		    watched->created_at == row->created_at &&
		    strcmp(watched->spec, row->spec) == 0 &&
		    strcmp(watched->project_path, row->project_path) == 0)
			return watched;
	}
	return NULL;
}

static struct watched *
add(struct file_watches *watches, const struct file_watch_row *row)
{
	struct watched *watched = xcalloc(1, sizeof *watched);

	watched->workflow = row->workflow;
	watched->place = row->place;
	watched->name = xstrdup(row->name);
	watched->project_path = xstrdup(row->project_path);
	watched->spec = xstrdup(row->spec);
	watched->created_at = row->created_at;
	watched->begun = row->begun;
	watches->list =
	    xrealloc(watches->list, watches->count + 1, sizeof *watches->list);
	watches->list[watches->count++] = watched;
	return watched;
}

static void
drop_unlisted(struct file_watches *watches)
{
	size_t kept = 0;

	for (size_t i = 0; i < watches->count; i++)
		if (watches->list[i]->listed)
			watches->list[kept++] = watches->list[i];
		else
			watched_free(watches->list[i]);
	watches->count = kept;
	watches->turn = 0;
}

static bool
watches_a_file(const struct workflow *workflow, int place)
{
	for (size_t i = 0; i < workflow->triggers_count; i++)
		if (workflow->triggers[i].place == place)
			return workflow->triggers[i].kind == TRIGGER_FILE_WATCH;
	return false;
}

static void
open_watch(struct file_watches *watches, struct watched *watched,
	   const struct workflow *workflow)
{
	const struct file_watch_conf conf = {
		.loop = watches->loop,
		.workflow = watched->name,
		.project_path = watched->project_path,
		.wake = wake,
		.context = watches,
		.since = watched->begun ? USEC_NEVER : watched->created_at,
	};

	watched->watch = file_watch_new(&conf, workflow, watched->place);
}

/* Newest versions: of new triggers, and of those that stayed as they were. */
static void
take_definitions(struct file_watches *watches)
{
	for (size_t i = 0; i < watches->count; i++) {
		struct watched *watched = watches->list[i];
		const char *why = NULL;
		const struct workflow *workflow =
		    definitions_get(watches->definitions, &watched->definition, &why);

		if (workflow == NULL || !watches_a_file(workflow, watched->place)) {
			file_watch_free(&watched->watch);
			watched->loaded = false;
		} else if (watched->watch == NULL) {
			open_watch(watches, watched, workflow);
		} else {
			file_watch_update(watched->watch, workflow, watched->place);
		}
	}
}

static void
end_list(struct file_watches *watches, const struct err *err)
{
	note_result(watches, err);
	watches->busy = false;
	watches->next_list =
	    loop_mono(watches->loop) + (err->kind != ERR_NONE ? LIST_FAILED
					: watches->list_again ? 0
							      : LIST_EVERY);
	wake(watches);
}

static void
on_definitions(void *context, const struct err *err)
{
	struct file_watches *watches = context;

	if (err->kind == ERR_NONE)
		take_definitions(watches);
	end_list(watches, err);
}

static void
load_definitions(struct file_watches *watches)
{
	struct uuid *ids = xcalloc(watches->count + 1, sizeof *ids);
	bool known = true;

	for (size_t i = 0; i < watches->count; i++) {
		ids[i] = watches->list[i]->definition;
		known &= definitions_knows(watches->definitions, &ids[i]);
	}
	if (known)
		on_definitions(watches, &(const struct err){ 0 });
	else
		definitions_load(watches->definitions, watches->pg, ids, watches->count,
				 on_definitions, watches);
	free(ids);
}

static void
on_list(void *context, const struct file_watch_row *rows, size_t count,
	const struct err *err)
{
	struct file_watches *watches = context;

	if (err->kind != ERR_NONE) {
		end_list(watches, err);
		return;
	}
	for (size_t i = 0; i < watches->count; i++)
		watches->list[i]->listed = false;
	for (size_t i = 0; i < count; i++) {
		struct watched *watched = find(watches, &rows[i]);

		if (watched == NULL)
			watched = add(watches, &rows[i]);
		watched->listed = true;
		watched->definition = rows[i].definition;
		watched->project = rows[i].project;
	}
	drop_unlisted(watches);
	load_definitions(watches);
}

/* ---- what a new one knows ---- */

static void
on_loaded(void *context, const struct watched_file *files, size_t count,
	  const struct err *err)
{
	struct file_watches *watches = context;
	struct watched *watched = watches->current;

	note_result(watches, err);
	watches->busy = false;
	if (err->kind != ERR_NONE) {
		list_in(watches, LIST_FAILED);
		wake(watches);
		return;
	}
	file_watch_forget_files(watched->watch);
	for (size_t i = 0; i < count; i++)
		file_watch_know(watched->watch, files[i].path,
				&(const struct file_seen){
				    files[i].mtime_ns, files[i].size, files[i].inode });
	watched->loaded = true;
	file_watch_walk(watched->watch);
	wake(watches);
}

static void
load(struct file_watches *watches, struct watched *watched)
{
	watches->busy = true;
	watches->current = watched;
	watched_files_load(watches->pg, &watched->workflow, watched->place, on_loaded,
			   watches);
}

/* ---- changes ---- */

static void
forget_changes(struct file_watches *watches)
{
	for (size_t i = 0; i < watches->changes_count; i++)
		free(watches->changes[i].path);
	watches->changes_count = 0;
	starts_clear(&watches->starts);
	watches->busy = false;
}

static void
on_refused(struct file_watches *watches, const struct err *err)
{
	struct watched *watched = watches->current;

	for (size_t i = 0; i < watches->changes_count; i++)
		file_watch_again(watched->watch, &watches->changes[i]);
	/* Perhaps the files are noted otherwise, or the trigger is gone. */
	watched->loaded = false;
	list_in(watches, err->kind == ERR_CONFLICT ? 0 : LIST_FAILED);
	if (err->kind == ERR_RETRY || err->kind == ERR_LOST ||
	    err->kind == ERR_CONFLICT)
		return;
	log_error("file_watches.refused", F_STR("workflow", watched->name),
		  F_INT("count", watches->changes_count), F_STR("why", err->text));
	watches->hopeless = watches->alone;
	watches->alone = true;
}

static void
on_stored(void *context, const struct err *err)
{
	struct file_watches *watches = context;

	note_result(watches, err);
	if (err->kind != ERR_NONE) {
		on_refused(watches, err);
	} else {
		POINT("file_watches.stored.before_bell");
		starts_ring(&watches->starts, watches->pg, watches->conf.queue);
		for (size_t i = 0; i < watches->changes_count; i++)
			file_watch_noted(watches->current->watch, &watches->changes[i]);
		watches->alone = watches->hopeless = false;
	}
	forget_changes(watches);
	wake(watches);
}

static void
add_files(struct file_watches *watches, struct pg_batch *batch)
{
	const struct watched *watched = watches->current;
	struct watched_file put[CHANGES_MOST], drop[CHANGES_MOST];
	size_t puts = 0, drops = 0;

	for (size_t i = 0; i < watches->changes_count; i++) {
		const struct file_change *change = &watches->changes[i];
		struct watched_file *file =
		    change->news == FILE_GONE ? &drop[drops++] : &put[puts++];

		*file = (struct watched_file){ change->path, change->seen.mtime_ns,
					       change->seen.size, change->seen.inode };
	}
	watched_files_put_into(batch, watches->conf.epoch(watches->conf.context),
			       &watched->workflow, watched->place, put, puts);
	watched_files_drop_into(batch, &watched->workflow, watched->place, drop, drops);
}

static struct json *
payload_of(const struct file_change *change)
{
	struct json *payload = json_new_object();
	char at[40];

	json_set(payload, "type", json_new_str("file_watch"));
	json_set(payload, "event", json_new_str(file_news_name(change->news)));
	json_set(payload, "path", json_new_str(change->path));
	json_set(payload, "size", json_new_int(change->seen.size));
	json_set(payload, "modifiedAt",
		 json_new_str(rfc3339_format(change->seen.mtime_ns / 1000, at)));
	return json_storable(payload, NULL);
}

static void
start(struct file_watches *watches, const struct file_change *change)
{
	const struct watched *watched = watches->current;
	const struct workflow *workflow = file_watch_workflow(watched->watch);
	const struct trigger_def *trigger = file_watch_trigger(watched->watch);
	struct json *payload = payload_of(change), *input = NULL;
	const struct starter starter = {
		.workflow = workflow,
		.definition = watched->definition,
		.project = uuid_is_nil(&watched->project) ? NULL : &watched->project,
		.triggered_by = "file_watch",
		.trigger = payload,
	};
	struct err err = { 0 };
	bool applies = false;

	if (trigger_applies(trigger, payload, &applies, &err) == 0 && applies) {
		input = trigger_input(trigger, payload, &err);
		if (input != NULL && starts_check(workflow, input, payload, &err))
			starts_add(&watches->starts, &starter, input,
				   loop_now(watches->loop));
	}
	if (err.kind != ERR_NONE)
		log_warn("file_watch.skipped", F_STR("workflow", watched->name),
			 F_STR("path", change->path), F_STR("why", err.text));
	json_unref(&input);
	json_unref(&payload);
}

/* False: none of what was due is news. */
static bool
store_changes(struct file_watches *watches, struct watched *watched)
{
	struct pg_batch *batch;

	watches->current = watched;
	watches->changes_count = file_watch_take(watched->watch, watches->changes,
						 watches->alone ? 1 : CHANGES_MOST);
	if (watches->changes_count == 0)
		return false;
	for (size_t i = 0; i < watches->changes_count; i++)
		if (watches->changes[i].starts && !watches->hopeless)
			start(watches, &watches->changes[i]);
	POINT("file_watches.decided");
	watches->busy = true;
	batch = pg_batch_new(watches->pg);
	starts_insert_into(&watches->starts, batch);
	add_files(watches, batch);
	pg_batch_send(&batch, on_stored, watches);
	return true;
}

/* What was there in the beginning has been noted. */
static void
begin(struct file_watches *watches, struct watched *watched)
{
	watched->begun = true;
	file_watch_begun(watched->watch);
	file_watches_begun(watches->pg, &watched->workflow, watched->place,
			   watches->conf.epoch(watches->conf.context));
	log_info("file_watch.begun", F_STR("workflow", watched->name),
		 F_STR("project", watched->project_path));
}

/* ---- turns ---- */

/* False: nothing of it is to be waited for. */
static bool
work_on(struct file_watches *watches, struct watched *watched, usec_t now)
{
	if (watched->watch == NULL)
		return false;
	if (!watched->loaded) {
		load(watches, watched);
		return true;
	}
	if (file_watch_due(watched->watch) <= now && store_changes(watches, watched))
		return true;
	if (!watched->begun && !file_watch_is_walking(watched->watch) &&
	    file_watch_due(watched->watch) == USEC_NEVER)
		begin(watches, watched);
	return false;
}

static usec_t
next_due(const struct file_watches *watches)
{
	usec_t next = watches->next_list;

	for (size_t i = 0; i < watches->count; i++) {
		const struct watched *watched = watches->list[i];

		if (watched->watch != NULL && file_watch_due(watched->watch) < next)
			next = file_watch_due(watched->watch);
	}
	return next;
}

usec_t
file_watches_tick(struct file_watches *watches, usec_t now)
{
	if (!watches->up || watches->busy ||
	    !watches->conf.may_act(watches->conf.context))
		return USEC_NEVER;
	if (watches->next_list <= now) {
		watches->busy = true;
		watches->list_again = false;
		file_watches_list(watches->pg, on_list, watches);
		return USEC_NEVER;
	}
	for (size_t i = 0; i < watches->count; i++) {
		struct watched *watched = watches->list[watches->turn];

		watches->turn = (watches->turn + 1) % watches->count;
		if (work_on(watches, watched, now))
			return USEC_NEVER;
	}
	return next_due(watches);
}

/* ---- life ---- */

static void
look_now(struct file_watches *watches)
{
	watches->list_again = true;
	watches->next_list = loop_mono(watches->loop);
	wake(watches);
}

static void
on_state(void *context, bool up)
{
	struct file_watches *watches = context;

	watches->up = up;
	look_now(watches);
}

static void
on_notify(void *context, const char *channel, const char *payload)
{
	(void)channel;
	(void)payload;
	look_now(context);
}

struct file_watches *
file_watches_new(struct loop *loop, const struct file_watches_conf *conf,
		 struct err *err)
{
	static const char *const channels[] = { "listen_schedules", NULL };
	struct file_watches *watches = xcalloc(1, sizeof *watches);
	struct pg_conf pg = { .url = conf->url,
			      .application = "stepmill scheduler files",
			      .statement_timeout = conf->statement_timeout,
			      .on_state = on_state,
			      .listen = channels,
			      .on_notify = on_notify,
			      .context = watches };

	watches->loop = loop;
	watches->conf = *conf;
	watches->definitions = definitions_new();
	watches->pg = pg_new(loop, &pg, err);
	if (watches->pg == NULL)
		file_watches_free(&watches);
	return watches;
}

static void
close_all(struct file_watches *watches)
{
	forget_changes(watches);
	for (size_t i = 0; i < watches->count; i++)
		watched_free(watches->list[i]);
	free(watches->list);
	watches->list = NULL;
	watches->count = watches->turn = 0;
}

void
file_watches_free(struct file_watches **watches_p)
{
	struct file_watches *watches = *watches_p;

	if (watches == NULL)
		return;
	*watches_p = NULL;
	pg_free(&watches->pg);
	close_all(watches);
	definitions_free(&watches->definitions);
	free(watches);
}

void
file_watches_forget(struct file_watches *watches)
{
	pg_forget(watches->pg, watches);
	close_all(watches);
	watches->alone = watches->hopeless = false;
	watches->next_list = 0;
}

bool
file_watches_busy(const struct file_watches *watches)
{
	return watches->busy;
}
