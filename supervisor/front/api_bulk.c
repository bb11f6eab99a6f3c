/*
 * POST /executions/bulk: cancel or retry many runs, in one transaction. What is found
 * is judged again when it is changed; runs that meanwhile cannot be are left and
 * counted.
 */
#include <stdio.h>

#include "front/api.h"
#include "front/bulk_read.h"
#include "front/change.h"
#include "front/run_again.h"
#include "store/runs.h"

struct bulk {
	struct exchange *exchange;
	enum bulk_action action;
	size_t most, named, count, at;
	struct uuid ids[BULK_CANCELS_MAX];
	int64_t cursor; /* number of the last one; 0: there are no more */
	size_t changed;
	struct uuid
	    done[BULK_CANCELS_MAX]; /* what was cancelled; new ones of retries */
	struct run_again again;
};

static struct json *
ids_of(const struct bulk *bulk)
{
	struct json *list = json_new_array();
	char text[UUID_TEXT];

	for (size_t i = 0; i < bulk->changed; i++)
		json_append(list, json_new_str(uuid_format(&bulk->done[i], text)));
	return list;
}

static void
answer(struct bulk *bulk)
{
	struct json *body = json_new_object(), *details = json_new_object();
	char cursor[24];

	snprintf(cursor, sizeof cursor, "%lld", (long long)bulk->cursor);
	json_set(body, "action",
		 json_new_str(bulk->action == BULK_CANCEL ? "cancel" : "retry"));
	json_set(body, "matched", json_new_int((int64_t)bulk->count));
	json_set(body, "changed", json_new_int((int64_t)bulk->changed));
	json_set(body, "skipped", json_new_int((int64_t)(bulk->count - bulk->changed)));
	json_set(body, "notFound",
		 json_new_int(bulk->named > bulk->count
				  ? (int64_t)(bulk->named - bulk->count)
				  : 0));
	json_set(body, "nextCursor", bulk->cursor > 0 ? json_new_str(cursor) : NULL);
	json_set(details, "executionIds", ids_of(bulk));
	exchange_audit(bulk->exchange, "/api/executions/bulk", details);
	json_set(body, "executionIds", ids_of(bulk));
	reply_json(bulk->exchange, 200, body);
}

/* ---- cancel: all at once ---- */

static void
on_ended(void *context, const struct ended_run *runs, size_t count,
	 const struct err *err)
{
	struct bulk *bulk = context;

	if (err->kind != ERR_NONE) {
		reply_err(bulk->exchange, err);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (runs[i].before == runs[i].after)
			continue;
		change_tell_end(exchange_change(bulk->exchange), &runs[i].id,
				runs[i].seq);
		bulk->done[bulk->changed++] = runs[i].id;
	}
	answer(bulk);
}

/* ---- retry: one after the other ---- */

static void retry_next(struct bulk *bulk);

static void
on_again(void *context, const struct again_result *result)
{
	struct bulk *bulk = context;

	if (result->outcome == AGAIN_FAILED) {
		reply_err(bulk->exchange, result->err);
		return;
	}
	if (result->outcome == AGAIN_STORED)
		bulk->done[bulk->changed++] = result->run;
	retry_next(bulk);
}

static void
retry_next(struct bulk *bulk)
{
	if (bulk->at == bulk->count) {
		answer(bulk);
		return;
	}
	bulk->again = (struct run_again){
		.change = exchange_change(bulk->exchange),
		.now = loop_now(exchange_front(bulk->exchange)->loop),
		.run = bulk->ids[bulk->at++],
		.from_failure = true,
		.by = exchange_who(bulk->exchange),
		.tools = exchange_tools(bulk->exchange),
		.done = on_again,
		.context = bulk,
	};
	run_again_begin(&bulk->again);
}

/* ---- the runs ---- */

static void
go(struct bulk *bulk)
{
	if (bulk->count == 0 || bulk->action == BULK_RETRY)
		retry_next(bulk);
	else
		runs_end(exchange_pg(bulk->exchange), bulk->ids, bulk->count,
			 RUN_END_CANCEL, NULL, exchange_who(bulk->exchange), on_ended,
			 bulk);
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct bulk *bulk = exchange_kept(exchange);

	if (rows == NULL) {
		reply_err(exchange, err);
		return;
	}
	for (int i = 0; i < pg_count(rows); i++) {
		if (bulk->count == bulk->most) {
			bulk->cursor = pg_int(rows, i - 1, 1);
			break;
		}
		bulk->ids[bulk->count++] = pg_uuid(rows, i, 0);
	}
	api_unguard(exchange);
	go(bulk);
}

static void
on_bulk(struct exchange *exchange)
{
	struct bulk_request request;
	struct bulk *bulk;

	if (bulk_read(exchange, &request) < 0)
		return;
	bulk = exchange_keep(exchange, sizeof *bulk);
	bulk->exchange = exchange;
	bulk->action = request.action;
	bulk->most = request.most;
	bulk->named = request.ids;
	api_add_up(exchange, request.statement, &request.args, on_found);
	pg_args_fini(&request.args);
}

/* clang-format off */
const struct route routes_bulk[] = {
	{ "POST", "/api/executions/bulk", ROLE_OPERATOR, 0, false, on_bulk, "execution.bulk" },
	{ 0 },
};
/* clang-format on */
