/* What the handlers share. See api.h. */
#include "front/api.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/xalloc.h"
#include "front/change.h"
#include "store/attach.h"
#include "zone/zone.h"

static void
arg_run(struct pg_args *args, const char *text)
{
	struct uuid id;
	const char *dash = strrchr(text, '-');
	char *end = NULL;
	long long number = 0;

	if (uuid_parse(text, strlen(text), &id)) {
		pg_arg_uuid(args, &id);
		pg_arg_null(args, PG_INT8);
		pg_arg_null(args, PG_TEXT);
		return;
	}
	pg_arg_null(args, PG_UUID);
	if (dash != NULL && dash[1] >= '1' && dash[1] <= '9' && strlen(dash) < 20)
		number = strtoll(dash + 1, &end, 10);
	pg_arg_int8(args, end != NULL && *end == '\0' ? number : -1);
	pg_arg_text(args, text);
}

void
api_arg_run_named(struct pg_args *args, const char *text, const struct uuid *project)
{
	arg_run(args, text);
	pg_arg_uuid(args, project);
}

void
api_arg_confined(struct exchange *exchange, struct pg_args *args)
{
	pg_arg_uuid(args, exchange_project(exchange));
}

void
api_arg_run(struct exchange *exchange, struct pg_args *args)
{
	api_arg_run_named(args, exchange_param(exchange, "id"),
			  exchange_project(exchange));
}

int
api_needs_all(struct exchange *exchange)
{
	if (exchange_project(exchange) == NULL)
		return 0;
	reply_problem(exchange, 403, NULL, "the key is bound to one project");
	return -1;
}

int
api_query_int(struct exchange *exchange, const char *name, int64_t min, int64_t max,
	      int64_t preset, int64_t *out)
{
	const char *text = exchange_query(exchange, name);
	char *end;
	long long value;

	*out = preset;
	if (text == NULL)
		return 0;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (strchr("-0123456789", *text) == NULL || *text == '\0' || *end != '\0' ||
	    errno != 0 || value < min || value > max) {
		reply_problem(exchange, 400, NULL,
			      "%s: expected a whole number from %lld to %lld", name,
			      (long long)min, (long long)max);
		return -1;
	}
	*out = value;
	return 0;
}

int
api_query_flag(struct exchange *exchange, const char *name, bool *out)
{
	const char *text = exchange_query(exchange, name);

	*out = text != NULL &&
	       (*text == '\0' || strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
	if (*out || text == NULL || strcmp(text, "false") == 0 ||
	    strcmp(text, "0") == 0)
		return 0;
	reply_problem(exchange, 400, NULL, "%s: expected true or false", name);
	return -1;
}

int
api_page(struct exchange *exchange, struct api_page *page)
{
	int64_t number, limit;

	if (api_query_int(exchange, "page", 1, 1000000, 1, &number) < 0 ||
	    api_query_int(exchange, "limit", 1, 100, 20, &limit) < 0)
		return -1;
	*page =
	    (struct api_page){ (int)number, (int)limit, (int)((number - 1) * limit) };
	return 0;
}

int
api_query_time(struct exchange *exchange, const char *name, usec_t *out)
{
	const char *text = exchange_query(exchange, name);

	*out = 0;
	if (text == NULL || rfc3339_parse(text, strlen(text), out))
		return 0;
	reply_problem(exchange, 400, NULL,
		      "%s: expected a time such as 2026-01-31T09:00:00Z", name);
	return -1;
}

void
api_on_json(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	const char *text;
	size_t len;

	if (rows == NULL) {
		reply_err(exchange, err);
		return;
	}
	if (pg_count(rows) == 0 || pg_is_null(rows, 0, 0)) {
		reply_problem(exchange, 404, NULL, "there is nothing at %s",
			      exchange_path(exchange));
		return;
	}
	text = pg_text(rows, 0, 0, &len);
	reply_json_text(exchange, 200, text, len);
}

struct guard {
	struct pg *pg;
	struct exchange *exchange;
};

static void
on_gone(void *state)
{
	struct guard *guard = state;

	pg_forget(guard->pg, guard->exchange);
	free(guard);
}

void
api_read(struct exchange *exchange, const char *statement, const struct pg_args *args,
	 pg_done_fn *done)
{
	api_query(exchange, exchange_front(exchange)->read, statement, args, done);
}

void
api_add_up(struct exchange *exchange, const char *statement, const struct pg_args *args,
	   pg_done_fn *done)
{
	api_query(exchange, exchange_front(exchange)->figures, statement, args, done);
}

void
api_query(struct exchange *exchange, struct pg *pg, const char *statement,
	  const struct pg_args *args, pg_done_fn *done)
{
	if (exchange_state(exchange) == NULL) {
		struct guard *guard = xmalloc(sizeof *guard);

		*guard = (struct guard){ pg, exchange };
		exchange_set_state(exchange, guard, on_gone);
	}
	pg_query(pg, statement, args, done, exchange);
}

void
api_unguard(struct exchange *exchange)
{
	free(exchange_state(exchange));
	exchange_set_state(exchange, NULL, NULL);
}

void
api_reply_status(struct exchange *exchange, int code, const struct uuid *run,
		 enum run_status status)
{
	struct json *body = json_new_object();
	char id[UUID_TEXT], name[32];
	size_t i = 0;

	for (const char *c = run_status_name(status); *c != '\0' && i < sizeof name - 1;
	     c++)
		name[i++] = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	name[i] = '\0';
	json_set(body, "executionId", json_new_str(uuid_format(run, id)));
	json_set(body, "status", json_new_str(name));
	reply_json(exchange, code, body);
}

void
api_audit_run(struct exchange *exchange, const struct uuid *run)
{
	char id[UUID_TEXT];

	exchange_audit(exchange, uuid_format(run, id), NULL);
}

void
api_on_attached(void *context, const struct attached *attached, const struct err *err)
{
	struct exchange *exchange = context;

	if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
		return;
	}
	if (attached == NULL) {
		reply_problem(exchange, 404, NULL, "there is no such execution");
		return;
	}
	change_tell_run(exchange_change(exchange), &attached->run, attached->seq);
	reply_json_text(exchange, 201, attached->doc, attached->doc_len);
}

struct json *
api_problems(const struct problems *problems)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];
		struct json *item = json_new_object();

		json_set(item, "path", json_new_str(problem->path));
		json_set(item, "message", json_new_str(problem->message));
		if (problem->line > 0) {
			json_set(item, "line", json_new_int(problem->line));
			json_set(item, "column", json_new_int(problem->column));
		}
		json_append(list, item);
	}
	return list;
}

/* ---- a step of a run ---- */

/* The step's row is named RUN:NUMBER; its number and its id in the file do as well. */
void
api_arg_step_named(struct pg_args *args, const char *step)
{
	const char *colon = step ? strrchr(step, ':') : NULL;
	const char *text = colon ? colon + 1 : step;
	char *end = NULL;
	long number = text ? strtol(text, &end, 10) : 0;

	if (number > 0 && number <= INT_MAX && *end == '\0')
		pg_arg_int4(args, (int)number);
	else
		pg_arg_null(args, PG_INT4);
	pg_arg_text(args, step);
}

void
api_find_step(struct exchange *exchange, const char *step, pg_done_fn *done)
{
	struct pg_args args;

	pg_args_init(&args);
	api_arg_run(exchange, &args);
	api_arg_step_named(&args, step);
	api_read(exchange, "steps_find", &args, done);
	pg_args_fini(&args);
}

bool
api_is_step(const char *step, const struct pg_rows *rows)
{
	const char *colon = strrchr(step, ':');
	struct uuid of, id = pg_uuid(rows, 0, 0);

	if (pg_is_null(rows, 0, 2))
		return false;
	return colon == NULL ||
	       (uuid_parse(step, (size_t)(colon - step), &of) && uuid_equal(&of, &id));
}

/* False: there is no such run, or no such step of it, and that was said. */
bool
api_found_step(struct exchange *exchange, const char *step, const struct pg_rows *rows,
	       const struct err *err)
{
	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(exchange, rows, err);
		return false;
	}
	if (step == NULL || api_is_step(step, rows))
		return true;
	reply_problem(exchange, 404, NULL, "the execution has no step \"%.200s\"",
		      step);
	return false;
}

int
api_arg_uuid(struct exchange *exchange, const char *name, struct pg_args *args)
{
	const char *text = exchange_query(exchange, name);
	struct uuid id;

	if (text != NULL && !uuid_parse(text, strlen(text), &id)) {
		reply_problem(exchange, 400, NULL, "%s: expected a UUID", name);
		return -1;
	}
	pg_arg_uuid(args, text != NULL ? &id : NULL);
	return 0;
}

int
api_arg_flag(struct exchange *exchange, const char *name, struct pg_args *args)
{
	bool value;

	if (api_query_flag(exchange, name, &value) < 0)
		return -1;
	if (exchange_query(exchange, name) != NULL)
		pg_arg_bool(args, value);
	else
		pg_arg_null(args, PG_BOOL);
	return 0;
}
