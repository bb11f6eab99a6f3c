/* What a schedule is to be, and storing it. See schedule_edit.h, and for edits of one
 * that is there schedule_change.c. */
#include "front/schedule_edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/catalog.h"
#include "front/schedule_edit_priv.h"
#include "front/start.h"

/* ---- life and answers ---- */

#define NOT_GOOD "the schedule is not good"

struct edit *
edit_new(const struct schedule_call *call, schedule_edited_fn *done, void *context)
{
	struct edit *edit = xcalloc(1, sizeof *edit);

	edit->call = *call;
	edit->sent = json_storable(json_ref((struct json *)call->sent), NULL);
	edit->now = loop_now(call->front->loop);
	edit->done = done;
	edit->context = context;
	return edit;
}

void
edit_end(struct edit *edit, const struct schedule_edited *edited)
{
	edit->done(edit->context, edited);
	json_unref(&edit->sent);
	json_unref(&edit->stored);
	json_unref(&edit->doc);
	json_unref(&edit->input);
	problems_fini(&edit->problems);
	free(edit);
}

void
edit_refuse(struct edit *edit, int status, const char *text)
{
	const struct schedule_edited edited = {
		.status = status,
		.text = text,
		.problems = edit->problems.count > 0 ? &edit->problems : NULL,
	};

	edit_end(edit, &edited);
}

void
edit_refuse_problems(struct edit *edit)
{
	edit_refuse(edit, 422, NOT_GOOD);
}

void
edit_refuse_err(struct edit *edit, const struct err *err)
{
	const struct schedule_edited edited = { .err = err };

	edit_end(edit, &edited);
}

static void
add_problem(struct edit *edit, const char *path, const char *text)
{
	problems_add_at(&edit->problems, 0, 0, path, "%s", text);
}

/* ---- the edit_end: what is there now ---- */

static void
tell_stored(struct edit *edit, const struct pg_rows *rows)
{
	struct schedule_edited edited = { .status = edit->stored == NULL ? 201 : 200 };
	struct json *doc = pg_json(rows, 0, 0);

	edited.id = json_str(json_get(doc, "id"));
	edited.doc = pg_text(rows, 0, 0, &edited.doc_len);
	change_audit(edit->call.change, edited.id, NULL);
	edit_end(edit, &edited);
	json_unref(&doc);
}

static void
on_read_back(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct edit *edit = context;

	if (rows == NULL)
		edit_refuse_err(edit, err);
	else
		tell_stored(edit, rows);
}

void
edit_on_stored(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct edit *edit = context;
	struct pg_args args;

	if (rows != NULL) {
		pg_args_init(&args);
		pg_arg_uuid(&args, &edit->id);
		pg_arg_null(&args, PG_TEXT);
		pg_arg_null(&args, PG_UUID);
		pg_query(change_pg(edit->call.change), "schedules_get", &args,
			 on_read_back, edit);
		pg_args_fini(&args);
	} else if (err->kind == ERR_CONFLICT &&
		   strncmp(err->text, "schedules_project_id_fkey", 25) == 0) {
		edit_refuse(edit, 404, "there is no such project");
	} else if (err->kind == ERR_CONFLICT &&
		   strncmp(err->text, "schedules_workflow_id_fkey", 26) == 0) {
		add_problem(edit, "workflowId", "there is no such workflow any more");
		edit_refuse_problems(edit);
	} else {
		edit_refuse_err(edit, err);
	}
}

/* ---- storing ---- */

void
edit_set_due(const struct edit *edit, struct schedule_row *row)
{
	if (!row->enabled)
		row->next_run_at = 0;
	if (row->next_run_at > 0)
		row->due_at =
		    row->next_run_at + schedule_jitter(&edit->id, row->next_run_at,
						       row->jitter_ms * USEC_MS);
}

static void
store(struct edit *edit)
{
	const struct schedule_fields *fields = &edit->fields;
	struct schedule_row row = {
		.id = edit->id,
		.project = edit->has_project ? &edit->project : NULL,
		.created_by = edit->call.by,
		.tools = edit->call.tools,
		.created_at = edit->created_at,
		.name = fields->name,
		.workflow = edit->has_workflow ? &edit->workflow : NULL,
		.cron = fields->cron,
		.zone = fields->zone,
		.start = fields->hours.start,
		.end = fields->hours.end,
		.days = fields->hours.days,
		.days_count = fields->hours.days_count,
		.max_runs = fields->max_runs,
		.input = fields->input,
		.enabled = fields->enabled,
		.catch_up = fields->catch_up,
		.overlap = fields->overlap,
		.jitter_ms = fields->jitter_ms,
		.next_run_at = edit->next_run_at,
	};
	struct pg *pg = change_pg(edit->call.change);

	edit_set_due(edit, &row);
	if (edit->stored == NULL)
		schedule_insert(pg, &row, edit_on_stored, edit);
	else
		schedule_update(pg, &row, edit_on_stored, edit);
}

/* ---- the workflow ---- */

/* 0, or the status of a refusal; what is wrong is among the problems. */
static int
check_workflow(struct edit *edit, const struct catalog_entry *entry)
{
	char *why = NULL;
	int status =
	    start_refuses(entry, edit->has_project ? &edit->project : NULL, &why);

	if (status != 0) {
		add_problem(edit, "workflowId", why);
		free(why);
		return status == 404 ? 404 : 422;
	}
	edit->workflow = entry->workflow_id;
	edit->has_workflow = true;
	edit->input = start_input(edit->fields.input);
	return workflow_check_input(entry->workflow, edit->input, &edit->problems)
		   ? 0
		   : 422;
}

static void
on_workflow(void *context, const struct catalog_entry *entry, const struct err *err)
{
	struct edit *edit = context;
	int status = err->kind == ERR_NOT_FOUND ? 404 : 422;

	if (entry != NULL)
		status = check_workflow(edit, entry);
	else if (err->kind == ERR_NOT_FOUND || err->kind == ERR_INPUT)
		add_problem(edit, "workflowId", err->text);
	else
		status = 0;
	if (status != 0)
		edit_refuse(edit, status, NOT_GOOD);
	else if (entry == NULL)
		edit_refuse_err(edit, err);
	else
		store(edit);
}

/* A workflow that is left as it is may be gone or inactive: its firings tell. */
static bool
asks_for_workflow(const struct edit *edit)
{
	return edit->fields.workflow != NULL &&
	       (edit->stored == NULL || edit->whole ||
		json_has(edit->sent, "workflowId") || json_has(edit->sent, "input"));
}

static void
find_workflow(struct edit *edit)
{
	const char *named = edit->fields.workflow;

	if (asks_for_workflow(edit)) {
		catalog_find(edit->call.front->catalog,
			     edit->has_project ? &edit->project : NULL, named,
			     edit->call.read_after, on_workflow, edit);
		return;
	}
	edit->has_workflow =
	    named != NULL && uuid_parse(named, strlen(named), &edit->workflow);
	store(edit);
}

/* ---- the fields ---- */

static bool
fires_anew(const struct edit *edit)
{
	static const char *const names[] = { "cronExpression", "timezone",
					     "activeHours", "enabled", NULL };

	return edit->stored == NULL ||
	       schedule_fields_differ(edit->stored, edit->doc, names);
}

/* When it fires next, from now on. */
void
edit_find_next(struct edit *edit)
{
	const struct schedule_fields *fields = &edit->fields;
	struct cron_firing firing;

	if (!fields->enabled || !fires_anew(edit))
		return;
	if (schedule_rule_next(&fields->rule, edit->now, &firing))
		edit->next_run_at = firing.at;
	else
		add_problem(edit, "cronExpression", "it never fires any more");
}

void
edit_check_runs(struct edit *edit)
{
	const struct schedule_fields *fields = &edit->fields;

	if (fields->enabled && fields->max_runs > 0 &&
	    edit->run_count >= fields->max_runs)
		problems_add_at(&edit->problems, 0, 0, "maxRuns",
				"it has started %lld already: give it more, or disable "
				"it",
				(long long)edit->run_count);
}

/* False: another project than it has, or than the key may use. */
static bool
place(struct edit *edit)
{
	const struct schedule_fields *fields = &edit->fields;

	if (edit->stored != NULL) {
		if (fields->has_project &&
		    !uuid_equal(&fields->project, &edit->project))
			add_problem(edit, "projectId",
				    "a schedule stays in its project");
		return true;
	}
	edit->has_project = fields->has_project || edit->call.confined != NULL;
	if (fields->has_project)
		edit->project = fields->project;
	else if (edit->call.confined != NULL)
		edit->project = *edit->call.confined;
	return edit->call.confined == NULL ||
	       uuid_equal(&edit->project, edit->call.confined);
}

void
edit_read_fields(struct edit *edit)
{
	bool good = schedule_fields_read(edit->doc, edit->call.strict, edit->created_at,
					 &edit->fields, &edit->problems);

	if (!place(edit)) {
		edit_refuse(edit, 404, "there is no such project");
		return;
	}
	if (good) {
		edit_find_next(edit);
		edit_check_runs(edit);
	}
	if (edit->problems.count > 0)
		edit_refuse_problems(edit);
	else
		find_workflow(edit);
}

/* ---- a new one ---- */

void
schedule_create(const struct schedule_call *call, schedule_edited_fn *done,
		void *context)
{
	struct edit *edit = edit_new(call, done, context);

	edit->id = uuid7_new(edit->now);
	edit->created_at = edit->now;
	edit->doc = schedule_fields_merge(NULL, edit->sent);
	edit_read_fields(edit);
}
