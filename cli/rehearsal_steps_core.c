/* A step that a program asks for against what is recorded. See rehearsal_parts_core.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "rehearsal_parts_core.h"

static const char *const names[] = {
	[REHEARSED_RECORDED] = "recorded",
	[REHEARSED_RUN] = "run",
	[REHEARSED_MISSING] = "not recorded",
	[REHEARSED_DIVERGED] = "diverged",
};

const char *
rehearsed_name(enum rehearsed rehearsed)
{
	return names[rehearsed];
}

/* ---- what was said ---- */

void
rehearsal_note(struct rehearsal *rehearsal, const char *name, const char *action,
	       enum rehearsed was)
{
	struct json *step = json_new_object();

	json_set(step, "name", json_new_str(name));
	json_set(step, "action", json_new_str(action));
	json_set(step, "was", json_new_str(names[was]));
	json_append(json_get(rehearsal->report, "steps"), step);
}

struct json *
rehearsal_error(int code, const char *message, struct json *data)
{
	struct json *error = json_new_object();

	json_set(error, "code", json_new_int(code));
	json_set(error, "message", json_new_str(message));
	json_set(error, "data", data);
	return error;
}

/* {code, message} as a program's failure has them. */
static struct json *
failure_new(const char *code, const char *message)
{
	struct json *failure = json_new_object();

	json_set(failure, "code", json_new_str(code));
	json_set(failure, "message", json_new_str(message));
	return failure;
}

void
rehearsal_end_with(struct rehearsal *rehearsal, enum rehearsal_end end,
		   const char *code, const char *message)
{
	if (rehearsal->end != REHEARSAL_GOES_ON)
		return; /* the first counts */
	rehearsal->end = end;
	if (code != NULL)
		json_set(rehearsal->report, "error", failure_new(code, message));
}

/* ---- steps ---- */

static void
diverge(struct rehearsal *rehearsal, struct asked *asked, const char *recorded)
{
	char *message = xprintf("the program asks for %s \"%s\", recorded is %s",
				asked->action, asked->name, recorded);

	rehearsal_note(rehearsal, asked->name, asked->action, REHEARSED_DIVERGED);
	rehearsal_end_with(rehearsal, REHEARSAL_DIVERGED, "divergence", message);
	asked->error = rehearsal_error(-32011, message, NULL);
	free(message);
}

/* A place of a run that has no row: the run would go on here, or never came here. */
static void
leave_run(struct rehearsal *rehearsal, struct asked *asked)
{
	char *message;

	if (rehearsal->record.over) {
		diverge(rehearsal, asked, "no such step");
		return;
	}
	message =
	    xprintf("the record ends before %s \"%s\"", asked->action, asked->name);
	rehearsal_note(rehearsal, asked->name, asked->action, REHEARSED_MISSING);
	rehearsal_end_with(rehearsal, REHEARSAL_BEYOND, "not_recorded", message);
	asked->error = rehearsal_error(-32012, message, NULL);
	free(message);
}

/* The recorded row, the caller's; NULL: asked->error, or its function is to be run. */
struct json *
rehearsal_look_up(struct rehearsal *rehearsal, struct asked *asked)
{
	struct json *row = record_take(&rehearsal->record, asked->parent, asked->name);
	const char *action = json_str(json_get(row, "action"));

	if (row != NULL && (action == NULL || strcmp(action, asked->action) == 0))
		return row;
	if (row != NULL)
		diverge(rehearsal, asked, action);
	else if (rehearsal->record.by_name == NULL)
		leave_run(rehearsal, asked);
	json_unref(&row);
	return NULL;
}

static struct json *
not_recorded(struct rehearsal *rehearsal, struct asked *asked)
{
	char *message =
	    xprintf("%s \"%s\" is not in the record, and only an engine can "
		    "do it",
		    asked->action, asked->name);
	struct json *data = json_new_object();

	rehearsal_note(rehearsal, asked->name, asked->action, REHEARSED_MISSING);
	rehearsal_end_with(rehearsal, REHEARSAL_DIVERGED, "not_recorded", message);
	json_set(data, "error", failure_new("not_recorded", message));
	asked->error = rehearsal_error(-32010, message, data);
	free(message);
	return NULL;
}

static struct json *
begun(struct rehearsal *rehearsal, bool done)
{
	struct json *result = json_new_object();

	json_set(result, "step", json_new_int(++rehearsal->steps));
	json_set(result, "done", json_new_bool(done));
	return result;
}

static struct json *
run_function(struct rehearsal *rehearsal, struct asked *asked)
{
	struct json *result = begun(rehearsal, false);

	rehearsal_note(rehearsal, asked->name, asked->action, REHEARSED_RUN);
	json_set(result, "attempt", json_new_int(1));
	return result;
}

/* What is recorded, as the answer that this kind of question has. */
static struct json *
answer_row(struct rehearsal *rehearsal, struct asked *asked, const struct json *row)
{
	struct json *error = json_get(row, "error"), *result = begun(rehearsal, true),
		    *data;
	const char *message = json_str(json_get(error, "message"));

	rehearsal_note(rehearsal, asked->name, asked->action, REHEARSED_RECORDED);
	if (error == NULL) {
		json_set(result, "output", json_ref(json_get(row, "output")));
		return result;
	}
	if (asked->function) {
		json_set(result, "error", json_ref(error));
		return result;
	}
	json_unref(&result);
	data = json_new_object();
	json_set(data, "step", json_new_int(rehearsal->steps));
	json_set(data, "error", json_ref(error));
	asked->error =
	    rehearsal_error(-32010, message != NULL ? message : "it failed", data);
	return NULL;
}

struct json *
rehearsal_step(struct rehearsal *rehearsal, struct asked *asked)
{
	struct json *row = rehearsal_look_up(rehearsal, asked), *result = NULL;

	if (row != NULL && record_has_ended(row))
		result = answer_row(rehearsal, asked, row);
	else if (row != NULL && rehearsal->record.by_name == NULL)
		leave_run(rehearsal, asked); /* it was under way when it was recorded */
	else if (asked->error == NULL && asked->function)
		result = run_function(rehearsal, asked);
	else if (asked->error == NULL)
		result = not_recorded(rehearsal, asked);
	json_unref(&row);
	return result;
}
