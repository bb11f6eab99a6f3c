/* workflow.status as an answer: what became of the run that a message was about. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/ws_priv.h"
#include "store/pg.h"

/* The change is made, so it is answered in any case. */
static struct json *
status_unknown(const struct uuid *run)
{
	struct json *status = json_new_object();
	char text[UUID_TEXT];

	json_set(status, "executionId", json_new_str(uuid_format(run, text)));
	json_set(status, "status", json_new_str("running"));
	return status;
}

static void
on_status(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ws_request *request = context;
	struct json *answer = ws_answer_new(request, "workflow.status");
	struct json *status;

	(void)err;
	if (rows != NULL && pg_count(rows) == 1)
		status = pg_json(rows, 0, 1);
	else
		status = status_unknown(request->state);
	for (struct json_iter it = json_iter(status); json_next(&it);)
		json_set(answer, it.key, json_ref(it.value));
	json_unref(&status);
	ws_answer(request, answer);
}

void
ws_answer_status(struct ws_request *request, const struct uuid *run)
{
	struct uuid *kept = xmemdup(run, sizeof *run);
	struct pg_args args;

	if (request->free_state != NULL)
		request->free_state(request->state);
	request->state = kept;
	request->free_state = free;
	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	pg_arg_uuid(&args, kept);
	pg_array_end(&args);
	pg_arg_uuid(&args, NULL);
	pg_query(request->ws->front->read, "runs_status", &args, on_status, request);
	pg_args_fini(&args);
}
