/*
 * One edit of a heartbeat, from what was sent to what is there then. See
 * heartbeat_edit.h.
 *
 *	(found, locked) -> read -> placed -> looked at -> (of that file: found, locked)
 *	-> stored -> read back -> told
 */
#include "front/heartbeat_edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/xalloc.h"
#include "digest/digest.h"
#include "front/heartbeat_fields_core.h"
#include "front/heartbeat_file.h"
#include "store/schedule_rows.h"

#define SLUG_BYTES 4 /* of chance, two characters each */
#define NAME_MOST  200

struct beat_edit {
	struct schedule_call call;
	bool whole;          /* what is sent is all of it */
	struct json *sent;   /* storable */
	struct json *stored; /* as it was; NULL: a new one, or not found yet */
	struct json *wanted; /* as it is to be */
	struct json *says;   /* of the file, or NULL */
	struct json *input;  /* of its runs */
	char *path;          /* as it is stored */
	char *warning;
	char slug[sizeof SCHEDULE_SLUG + 2 * SLUG_BYTES];
	struct uuid id, project, workflow;
	bool has_workflow;
	usec_t now, created_at, next_run_at;
	struct heartbeat_fields fields;
	struct problems problems;
	schedule_edited_fn *done;
	void *context;
};

/* ---- life and answers ---- */

static struct beat_edit *
edit_new(const struct schedule_call *call, schedule_edited_fn *done, void *context)
{
	struct beat_edit *edit = xcalloc(1, sizeof *edit);

	edit->call = *call;
	edit->sent =
	    json_storable(json_ref((struct json *)(uintptr_t)call->sent), NULL);
	edit->now = loop_now(call->front->loop);
	edit->created_at = edit->now;
	edit->done = done;
	edit->context = context;
	return edit;
}

static void
end(struct beat_edit *edit, const struct schedule_edited *edited)
{
	edit->done(edit->context, edited);
	json_unref(&edit->sent);
	json_unref(&edit->stored);
	json_unref(&edit->wanted);
	json_unref(&edit->says);
	json_unref(&edit->input);
	problems_fini(&edit->problems);
	free(edit->path);
	free(edit->warning);
	free(edit);
}

static void
refuse(struct beat_edit *edit, int status, const char *text)
{
	const struct schedule_edited edited = {
		.status = status,
		.text = text,
		.problems = edit->problems.count > 0 ? &edit->problems : NULL,
	};

	end(edit, &edited);
}

static void
refuse_problems(struct beat_edit *edit)
{
	refuse(edit, 422, "the heartbeat is not good");
}

static void
refuse_err(struct beat_edit *edit, const struct err *err)
{
	const struct schedule_edited edited = { .err = err };

	end(edit, &edited);
}

static void
add_problem(struct beat_edit *edit, const char *path, const char *text)
{
	problems_add_at(&edit->problems, 0, 0, path, "%s", text);
}

static void
on_read_back(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct beat_edit *edit = context;
	struct schedule_edited edited = { .status = edit->stored == NULL ? 201 : 200 };
	struct json *doc;
	char *text;

	if (rows == NULL) {
		refuse_err(edit, err);
		return;
	}
	doc = pg_json(rows, 0, 0);
	if (edit->warning != NULL)
		json_set(doc, "warning", json_new_str(edit->warning));
	text = json_text(doc);
	edited.id = json_str(json_get(doc, "id"));
	edited.doc = text;
	edited.doc_len = strlen(text);
	change_audit(edit->call.change, edited.id, NULL);
	end(edit, &edited);
	free(text);
	json_unref(&doc);
}

static void
on_stored(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct beat_edit *edit = context;
	struct pg_args args;

	if (rows != NULL) {
		pg_args_init(&args);
		pg_arg_uuid(&args, &edit->id);
		pg_arg_null(&args, PG_TEXT);
		pg_arg_null(&args, PG_UUID);
		pg_query(change_pg(edit->call.change), "heartbeats_get", &args,
			 on_read_back, edit);
		pg_args_fini(&args);
	} else if (err->kind == ERR_CONFLICT &&
		   strncmp(err->text, "schedules_heartbeat", 19) == 0) {
		refuse(edit, 409, "another heartbeat goes through this file already");
	} else {
		refuse_err(edit, err);
	}
}

/* ---- storing ---- */

static void
make_slug(struct beat_edit *edit)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char chance[2 * SLUG_BYTES];
	size_t at = strlen(SCHEDULE_SLUG);

	memcpy(edit->slug, SCHEDULE_SLUG, at);
	digest_random(chance, sizeof chance);
	for (size_t i = 0; i < sizeof chance; i++)
		edit->slug[at++] = letters[chance[i] % (sizeof letters - 1)];
	edit->slug[at] = '\0';
}

/* What a run of it is given: how it was when it was configured. The file has the last
 * word, and the row the one before. */
static struct json *
input_of(const struct beat_edit *edit)
{
	struct json *input = json_new_object();
	char id[UUID_TEXT];

	json_set(input, "scheduleId", json_new_str(uuid_format(&edit->id, id)));
	json_set(input, "heartbeatId", json_new_str(edit->slug));
	json_set(input, "heartbeatPath", json_new_str(edit->path));
	json_set(input, "model", json_new_str(edit->fields.model));
	json_set(input, "webhook", json_new_str(edit->fields.webhook));
	return input;
}

/* The end of the path, at a character's begin. */
static const char *
name_of(const char *path)
{
	size_t len = strlen(path);

	if (len <= NAME_MOST)
		return path;
	path += len - NAME_MOST;
	while (((unsigned char)*path & 0xc0) == 0x80)
		path++;
	return path;
}

static struct schedule_row
row_of(struct beat_edit *edit)
{
	const struct heartbeat_fields *fields = &edit->fields;

	edit->input = input_of(edit);
	return (struct schedule_row){
		.id = edit->id,
		.slug = edit->slug,
		.project = &edit->project,
		.created_by = edit->call.by,
		.tools = edit->call.tools,
		.created_at = edit->created_at,
		.name = name_of(edit->path),
		.workflow = edit->has_workflow ? &edit->workflow : NULL,
		.cron = fields->cron,
		.zone = fields->zone,
		.start = fields->hours.start,
		.end = fields->hours.end,
		.days = fields->hours.days,
		.days_count = fields->hours.days_count,
		.heartbeat_path = edit->path,
		.model = fields->model,
		.webhook = fields->webhook,
		.input = edit->input,
		.enabled = fields->enabled,
		.catch_up = "last",
		.overlap = "skip",
		.next_run_at = edit->next_run_at,
		.due_at = edit->next_run_at,
	};
}

static bool
same_hours(const struct schedule_rule *a, const struct schedule_rule *b)
{
	return a->has_hours == b->has_hours && a->hours.start == b->hours.start &&
	       a->hours.end == b->hours.end && a->hours.days == b->hours.days;
}

/* Whether it fires as it did. */
static bool
fires_as_before(const struct beat_edit *edit)
{
	const struct heartbeat_fields *now = &edit->fields;
	struct json *stored = heartbeat_fields_merge(edit->stored, NULL);
	struct heartbeat_fields was;
	struct problems problems = { 0 };
	bool same =
	    heartbeat_fields_read(stored, false, edit->created_at, &was, &problems) &&
	    was.interval == now->interval && strcmp(was.zone, now->zone) == 0 &&
	    same_hours(&was.rule, &now->rule);

	problems_fini(&problems);
	json_unref(&stored);
	return same;
}

/* From now on, if that has changed; else it stays. */
static void
find_next(struct beat_edit *edit)
{
	struct cron_firing firing;

	if (!edit->fields.enabled)
		edit->next_run_at = 0;
	else if (edit->next_run_at != 0 && fires_as_before(edit))
		return;
	else if (schedule_rule_next(&edit->fields.rule, edit->now, &firing))
		edit->next_run_at = firing.at;
	else
		add_problem(edit, "interval", "it never fires any more");
}

static void
take_over(struct beat_edit *edit)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &edit->id);
	pg_arg_text(&args, edit->call.by);
	pg_arg_json(&args, edit->call.tools);
	pg_query(change_pg(edit->call.change), "heartbeats_take_over", &args, NULL,
		 NULL);
	pg_args_fini(&args);
}

static void
store(struct beat_edit *edit)
{
	struct pg *pg = change_pg(edit->call.change);
	struct schedule_row row;

	find_next(edit);
	if (edit->problems.count > 0) {
		refuse_problems(edit);
		return;
	}
	if (edit->stored == NULL) {
		edit->id = uuid7_new(edit->now);
		make_slug(edit);
		row = row_of(edit);
		schedule_insert(pg, &row, on_stored, edit);
		return;
	}
	row = row_of(edit);
	if (edit->whole)
		take_over(edit);
	schedule_update(pg, &row, on_stored, edit);
}

/* ---- the one that is there ---- */

/* What a key's runs may not use it does not get by way of another's heartbeat. */
static bool
uses_others_tools(const struct beat_edit *edit, const struct pg_rows *rows)
{
	struct json *tools = pg_json(rows, 0, SCHEDULE_TOOLS);
	bool same = edit->call.tools == NULL || json_equal(tools, edit->call.tools);

	json_unref(&tools);
	return !same;
}

/* Stopping it, and letting it go on, needs no more than the right to. */
static bool
only_enabled(const struct beat_edit *edit)
{
	return !edit->whole && json_count(edit->sent) == 1 &&
	       json_has(edit->sent, "enabled");
}

/* False: it is not there, or may not be changed, and that was said. */
static bool
take_found(struct beat_edit *edit, const struct pg_rows *rows, const struct err *err)
{
	const char *slug;

	if (rows == NULL) {
		refuse_err(edit, err);
		return false;
	}
	edit->stored = pg_count(rows) > 0 ? pg_json(rows, 0, SCHEDULE_DOC) : NULL;
	slug = json_str(json_get(edit->stored, "id"));
	if (slug == NULL || strncmp(slug, SCHEDULE_SLUG, strlen(SCHEDULE_SLUG)) != 0) {
		refuse(edit, 404, "there is no such heartbeat");
		return false;
	}
	if (!only_enabled(edit) && uses_others_tools(edit, rows)) {
		refuse(edit, 403,
		       "its runs may use other tools than the key: it can be enabled, "
		       "disabled and deleted");
		return false;
	}
	strncpy(edit->slug, slug, sizeof edit->slug - 1);
	edit->id = pg_uuid(rows, 0, SCHEDULE_ID);
	edit->created_at = pg_time(rows, 0, SCHEDULE_CREATED_AT);
	edit->next_run_at = pg_time(rows, 0, SCHEDULE_NEXT_RUN_AT);
	edit->project = pg_uuid(rows, 0, SCHEDULE_PROJECT);
	return true;
}

static void
on_found_by_path(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct beat_edit *edit = context;

	if (take_found(edit, rows, err))
		store(edit);
}

static void
on_slug(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct beat_edit *edit = context;

	if (rows == NULL)
		refuse_err(edit, err);
	else if (pg_count(rows) == 0)
		store(edit);
	else
		schedule_find(change_pg(edit->call.change), pg_text(rows, 0, 0, NULL),
			      NULL, on_found_by_path, edit);
}

static void
find_by_path(struct beat_edit *edit)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &edit->project);
	pg_arg_text(&args, edit->path);
	pg_query(change_pg(edit->call.change), "heartbeats_of_path", &args, on_slug,
		 edit);
	pg_args_fini(&args);
}

/* ---- the place and the file ---- */

/* When it fires, as the file wants it. */
static void
follow_file(struct beat_edit *edit)
{
	struct json *followed = heartbeat_fields_follow(edit->wanted, edit->says);

	json_unref(&edit->wanted);
	edit->wanted = followed;
	heartbeat_fields_read(edit->wanted, false, edit->created_at, &edit->fields,
			      &edit->problems);
}

static void
look_at_file(struct beat_edit *edit, const char *project_path)
{
	const struct settings *settings = edit->call.front->settings;
	struct heartbeat_file file;
	struct err err = { 0 };

	if (heartbeat_file_read(project_path, &settings->heartbeat_paths,
				edit->fields.path, &file, &err) < 0) {
		add_problem(edit, "heartbeatPath", err.text);
		return;
	}
	edit->path = file.path;
	edit->says = file.says;
	edit->warning = file.warning;
	if (edit->says != NULL)
		follow_file(edit);
}

static void
on_placed(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct beat_edit *edit = context;

	if (rows == NULL) {
		refuse_err(edit, err);
		return;
	}
	if (pg_count(rows) == 0) {
		refuse(edit, 404, "there is no such project");
		return;
	}
	edit->project = pg_uuid(rows, 0, 0);
	edit->has_workflow = !pg_is_null(rows, 0, 2);
	if (edit->has_workflow)
		edit->workflow = pg_uuid(rows, 0, 2);
	look_at_file(edit, pg_text(rows, 0, 1, NULL));
	if (edit->problems.count > 0)
		refuse_problems(edit);
	else if (edit->stored == NULL)
		find_by_path(edit);
	else
		store(edit);
}

/* Whose project it is asked for in; NULL: nobody said. */
static const struct uuid *
wanted_project(const struct beat_edit *edit)
{
	if (edit->stored != NULL)
		return &edit->project;
	return edit->fields.has_project ? &edit->fields.project : edit->call.confined;
}

static void
find_place(struct beat_edit *edit)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, wanted_project(edit));
	pg_arg_text(&args, edit->fields.path);
	pg_query(change_pg(edit->call.change), "heartbeats_place", &args, on_placed,
		 edit);
	pg_args_fini(&args);
}

/* ---- the fields ---- */

static void
read_fields(struct beat_edit *edit)
{
	const struct heartbeat_fields *fields = &edit->fields;
	const struct uuid *confined = edit->call.confined;

	heartbeat_fields_read(edit->wanted, edit->call.strict, edit->created_at,
			      &edit->fields, &edit->problems);
	if (edit->stored != NULL && fields->has_project &&
	    !uuid_equal(&fields->project, &edit->project))
		add_problem(edit, "projectId", "a heartbeat stays in its project");
	if (edit->problems.count > 0)
		refuse_problems(edit);
	else if (confined != NULL && fields->has_project &&
		 !uuid_equal(&fields->project, confined))
		refuse(edit, 404, "there is no such project");
	else
		find_place(edit);
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct beat_edit *edit = context;

	if (!take_found(edit, rows, err))
		return;
	edit->wanted =
	    heartbeat_fields_merge(edit->whole ? NULL : edit->stored, edit->sent);
	read_fields(edit);
}

void
heartbeat_configure(const struct schedule_call *call, schedule_edited_fn *done,
		    void *context)
{
	struct beat_edit *edit = edit_new(call, done, context);

	edit->whole = true;
	edit->wanted = heartbeat_fields_merge(NULL, edit->sent);
	read_fields(edit);
}

static void
change(const struct schedule_call *call, bool whole, schedule_edited_fn *done,
       void *context)
{
	struct beat_edit *edit = edit_new(call, done, context);

	edit->whole = whole;
	schedule_find(change_pg(call->change), call->named, call->confined, on_found,
		      edit);
}

void
heartbeat_patch(const struct schedule_call *call, schedule_edited_fn *done,
		void *context)
{
	change(call, false, done, context);
}

void
heartbeat_replace(const struct schedule_call *call, schedule_edited_fn *done,
		  void *context)
{
	change(call, true, done, context);
}
