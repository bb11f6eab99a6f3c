/*
 * A schedule that is there: found and locked, then changed or removed. One that a
 * workflow's file declares, and a heartbeat, are written elsewhere: here they are only
 * let fire or not, and a heartbeat is removed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/schedule_edit_priv.h"

static bool
only_enabled(const struct json *sent)
{
	return json_type(json_get(sent, "enabled")) == JSON_BOOL &&
	       json_count(sent) == 1;
}

static bool
is_heartbeat(const struct edit *edit)
{
	return strcmp(json_str(json_get(edit->stored, "kind")), "heartbeat") == 0;
}

/* What a key's runs may not use it does not get by way of another's schedule. */
static bool
uses_others_tools(const struct edit *edit, const struct pg_rows *rows)
{
	struct json *tools = pg_json(rows, 0, SCHEDULE_TOOLS);
	bool same = edit->call.tools == NULL || json_equal(tools, edit->call.tools);

	json_unref(&tools);
	return !same;
}

static void
refuse_declared(struct edit *edit, const struct pg_rows *rows)
{
	const char *name = pg_text(rows, 0, SCHEDULE_DECLARED_BY, NULL);
	const char *file = pg_text(rows, 0, SCHEDULE_DECLARED_IN, NULL);
	char *text =
	    *file != '\0'
		? xprintf("the workflow \"%s\" declares it: change its trigger in %s",
			  name, file)
		: xprintf("the workflow \"%s\" declares it: change its trigger, and "
			  "register it again",
			  name);

	edit_refuse(edit, 409, text);
	free(text);
}

/* False: it may not be changed like that, and that was said. */
static bool
may_change(struct edit *edit, const struct pg_rows *rows)
{
	if (!pg_is_null(rows, 0, SCHEDULE_DECLARED_BY)) {
		refuse_declared(edit, rows);
		return false;
	}
	if (is_heartbeat(edit)) {
		edit_refuse(
		    edit, 409,
		    "it is a heartbeat: configure it again to change more of it "
		    "than whether it is enabled");
		return false;
	}
	if (uses_others_tools(edit, rows)) {
		edit_refuse(
		    edit, 403,
		    "its runs may use other tools than the key: it can be enabled, "
		    "disabled and deleted");
		return false;
	}
	return true;
}

/* Disabling needs nothing, so that it can always be done. */
static void
enable(struct edit *edit, bool enabled)
{
	struct schedule_row row = { .id = edit->id, .enabled = enabled };

	edit->doc = schedule_fields_merge(edit->stored, edit->sent);
	if (enabled && schedule_fields_read(edit->doc, false, edit->created_at,
					    &edit->fields, &edit->problems)) {
		edit_find_next(edit);
		edit_check_runs(edit);
	}
	if (edit->problems.count > 0) {
		edit_refuse_problems(edit);
		return;
	}
	row.jitter_ms = edit->fields.jitter_ms;
	row.next_run_at = edit->next_run_at;
	edit_set_due(edit, &row);
	schedule_enable(change_pg(edit->call.change), &row, edit_on_stored, edit);
}

static bool
take_found(struct edit *edit, const struct pg_rows *rows, const struct err *err)
{
	if (rows == NULL) {
		edit_refuse_err(edit, err);
		return false;
	}
	if (pg_count(rows) == 0) {
		edit_refuse(edit, 404, "there is no such schedule");
		return false;
	}
	edit->id = pg_uuid(rows, 0, SCHEDULE_ID);
	edit->stored = pg_json(rows, 0, SCHEDULE_DOC);
	edit->created_at = pg_time(rows, 0, SCHEDULE_CREATED_AT);
	edit->next_run_at = pg_time(rows, 0, SCHEDULE_NEXT_RUN_AT);
	edit->project = pg_uuid(rows, 0, SCHEDULE_PROJECT);
	edit->has_project = true;
	edit->run_count = pg_int(rows, 0, SCHEDULE_RUN_COUNT);
	return true;
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct edit *edit = context;

	if (!take_found(edit, rows, err))
		return;
	if (!edit->whole && only_enabled(edit->sent)) {
		enable(edit, json_bool(json_get(edit->sent, "enabled")));
		return;
	}
	if (!may_change(edit, rows))
		return;
	edit->doc =
	    schedule_fields_merge(edit->whole ? NULL : edit->stored, edit->sent);
	edit_read_fields(edit);
}

static void
find(const struct schedule_call *call, bool whole, pg_done_fn *on_row,
     schedule_edited_fn *done, void *context)
{
	struct edit *edit = edit_new(call, done, context);

	edit->whole = whole;
	schedule_find(change_pg(call->change), call->named, call->confined, on_row,
		      edit);
}

void
schedule_patch(const struct schedule_call *call, schedule_edited_fn *done,
	       void *context)
{
	find(call, false, on_found, done, context);
}

void
schedule_replace(const struct schedule_call *call, schedule_edited_fn *done,
		 void *context)
{
	find(call, true, on_found, done, context);
}

/* ---- away ---- */

static void
on_removed(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct edit *edit = context;
	const struct schedule_edited edited = {
		.status = 204,
		.id = json_str(json_get(edit->stored, "id")),
	};

	if (rows == NULL) {
		edit_refuse_err(edit, err);
		return;
	}
	change_audit(edit->call.change, edited.id, NULL);
	edit_end(edit, &edited);
}

static void
on_found_to_remove(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct edit *edit = context;

	if (!take_found(edit, rows, err))
		return;
	if (!pg_is_null(rows, 0, SCHEDULE_DECLARED_BY))
		refuse_declared(edit, rows);
	else
		schedule_delete(change_pg(edit->call.change), &edit->id, on_removed,
				edit);
}

void
schedule_remove(const struct schedule_call *call, schedule_edited_fn *done,
		void *context)
{
	find(call, false, on_found_to_remove, done, context);
}
