/* Comments that people make on a run or a step of it, whatever its status. */
#include "front/api.h"
#include "front/api_body.h"
#include "front/change.h"
#include "store/attach.h"

#define MESSAGE_MAX  10000
#define METADATA_MAX (64 * 1024)

static void
attach_to(struct exchange *exchange, const struct uuid *run, int step)
{
	static const char *const keys[] = { "message", "metadata", NULL };
	struct new_comment comment = {
		.id = uuid7_new(loop_now(exchange_front(exchange)->loop)),
		.author = exchange_who(exchange),
	};
	struct json *body, *metadata = NULL;

	api_unguard(exchange);
	api_audit_run(exchange, run);
	if (api_body(exchange, keys, &body) < 0)
		return;
	if (api_body_text(exchange, body, "message", 1, MESSAGE_MAX, API_NEEDED,
			  &comment.message) == 0 &&
	    api_body_object(exchange, body, "metadata", METADATA_MAX, &metadata) == 0) {
		comment.metadata = metadata;
		attach_comment(exchange_pg(exchange), run, step, &comment,
			       api_on_attached, exchange);
	}
	json_unref(&metadata);
	json_unref(&body);
}

static void
on_run_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct uuid run;

	if (!api_found_step(context, NULL, rows, err))
		return;
	run = pg_uuid(rows, 0, 0);
	attach_to(context, &run, 0);
}

static void
on_step_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct uuid run;

	if (!api_found_step(context, exchange_param(context, "stepId"), rows, err))
		return;
	run = pg_uuid(rows, 0, 0);
	attach_to(context, &run, (int)pg_int(rows, 0, 2));
}

static void
on_comment(struct exchange *exchange)
{
	api_find_step(exchange, NULL, on_run_found);
}

static void
on_step_comment(struct exchange *exchange)
{
	api_find_step(exchange, exchange_param(exchange, "stepId"), on_step_found);
}

/* clang-format off */
const struct route routes_comments[] = {
	{ "POST", "/api/executions/:id/comments",               ROLE_OPERATOR, 0, false, on_comment,      "comment.add" },
	{ "POST", "/api/executions/:id/steps/:stepId/comments", ROLE_OPERATOR, 0, false, on_step_comment, "comment.add" },
	{ 0 },
};
/* clang-format on */
