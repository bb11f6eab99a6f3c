/*
 * POST /workflows/:id/execute-batch: the body comes in pieces, of which each input's
 * place is kept; the rest is batch.h's. Whose client goes before the commit has started
 * nothing.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "digest/digest.h"
#include "front/api.h"
#include "front/api_body.h"
#include "front/batch.h"
#include "front/trace_core.h"

struct request {
	struct exchange *exchange;
	struct buf body;
	struct inputs inputs;
	struct sha256 *hash; /* NULL: all has come */
	char sha256[SHA256_TEXT];
	struct json *frame;
	struct uuid project;
	char trace[TRACE_ID];
	struct batch_call call;
	struct batch *batch;
};

static void
end_hash(struct request *request)
{
	unsigned char sum[SHA256_BYTES];

	if (request->hash == NULL)
		return;
	sha256_end(&request->hash, sum);
	digest_hex(sum, sizeof sum, request->sha256);
}

static void
request_free(void *state)
{
	struct request *request = state;

	batch_free(&request->batch);
	exchange_front(request->exchange)->batch_bytes -= request->body.len;
	end_hash(request);
	json_unref(&request->frame);
	inputs_fini(&request->inputs);
	buf_fini(&request->body);
	free(request);
}

/* ---- the answer ---- */

static struct json *
ids_of(const struct batch_result *result)
{
	struct json *list = json_new_array();
	char text[UUID_TEXT];

	for (size_t i = 0; i < result->count; i++)
		json_append(list, json_new_str(uuid_format(&result->ids[i], text)));
	return list;
}

static void
answer(struct exchange *exchange, const struct batch_result *result)
{
	struct json *body = json_new_object(), *details = json_new_object();
	char text[UUID_TEXT];

	json_set(details, "count", json_new_int((int64_t)result->count));
	json_set(details, "firstExecutionId",
		 json_new_str(uuid_format(&result->ids[0], text)));
	json_set(details, "lastExecutionId",
		 json_new_str(uuid_format(&result->ids[result->count - 1], text)));
	exchange_audit(exchange, result->workflow_name, details);
	json_set(body, "executionIds", ids_of(result));
	reply_json(exchange, 202, body);
}

static void
on_done(void *context, const struct batch_result *result)
{
	struct exchange *exchange = context;

	if (result->status == 202)
		answer(exchange, result);
	else if (result->status == 0)
		reply_err(exchange, result->err);
	else
		reply_problem(exchange, result->status,
			      result->problems != NULL ? api_problems(result->problems)
						       : NULL,
			      "%s", result->text);
}

static void
go(struct exchange *exchange)
{
	struct request *request = exchange_state(exchange);

	request->batch =
	    batch_begin(exchange_front(exchange), exchange_change(exchange),
			&request->call, on_done, exchange);
}

/* ---- the body ---- */

static int
read_frame(struct request *request, struct err *err)
{
	struct starter *starter = &request->call.starter;
	const struct json *frame;

	if (json_parse(buf_text(&request->inputs.frame), request->inputs.frame.len,
		       &request->frame, err) < 0)
		return -1;
	frame = request->frame;
	if (json_type(frame) != JSON_OBJECT ||
	    json_type(json_get(frame, "inputs")) != JSON_ARRAY ||
	    json_count(json_get(frame, "inputs")) > 0 || request->inputs.count == 0)
		return err_set(err, ERR_INPUT,
			       "expected an object {\"inputs\": [...], projectId, "
			       "priority} with 1 to %d inputs",
			       BATCH_MAX);
	if (start_read_priority(frame, &starter->has_priority, &starter->priority,
				err) < 0)
		return -1;
	return start_read_project(frame, request->call.confined, &request->project,
				  &starter->project, err);
}

static void
on_all(struct exchange *exchange)
{
	struct request *request = exchange_state(exchange);
	struct err err = { 0 };

	end_hash(request);
	if (read_frame(request, &err) < 0) {
		reply_err(exchange, &err);
		return;
	}
	request->call.body = buf_text(&request->body);
	request->call.inputs = request->inputs.list;
	request->call.count = request->inputs.count;
	exchange_change_apart(exchange);
	exchange_change_later(exchange, request->sha256, go);
}

static void
refuse(struct exchange *exchange, const struct request *request,
       enum inputs_verdict verdict)
{
	if (verdict == INPUTS_TOO_MANY)
		reply_problem(exchange, 413, NULL, "inputs: more than %d", BATCH_MAX);
	else if (verdict == INPUTS_TOO_LONG)
		reply_problem(exchange, 413, NULL, "inputs[%zu]: more than %zu bytes",
			      request->inputs.count - 1, request->inputs.len_max);
	else
		reply_problem(exchange, 413, NULL,
			      "more than %d bytes beside the inputs", INPUTS_FRAME_MAX);
}

static void
on_piece(struct exchange *exchange, const void *data, size_t len)
{
	struct request *request = exchange_state(exchange);
	struct front *front = exchange_front(exchange);
	enum inputs_verdict verdict = inputs_add(&request->inputs, data, len);

	if (verdict != INPUTS_GOOD) {
		refuse(exchange, request, verdict);
		return;
	}
	if (front->batch_bytes + len > BATCHES_BYTES_MAX) {
		reply_header(exchange, "Retry-After", "1");
		reply_problem(exchange, 503, NULL, "too many batches come in");
		return;
	}
	sha256_add(request->hash, data, len);
	buf_add(&request->body, data, len);
	front->batch_bytes += len;
}

static const struct body_taker taker = { on_piece, on_all };

static void
on_execute_batch(struct exchange *exchange)
{
	const char *parent = exchange_header(exchange, "traceparent");
	struct request *request;

	if (exchange_check_json(exchange) < 0)
		return;
	request = xcalloc(1, sizeof *request);
	request->exchange = exchange;
	request->hash = sha256_new();
	request->inputs.most = BATCH_MAX;
	request->inputs.len_max =
	    (size_t)exchange_front(exchange)->settings->http_body_max;
	request->call = (struct batch_call){
		.workflow = exchange_param(exchange, "id"),
		.confined = exchange_project(exchange),
		.starter.triggered_by = "manual",
		.starter.requested_by = exchange_who(exchange),
		.starter.tools = exchange_tools(exchange),
		.starter.address = exchange_address(exchange),
		.read_after = exchange_read_after(exchange),
	};
	if (parent != NULL && trace_parse(parent, request->trace))
		request->call.starter.trace_id = request->trace;
	exchange_set_state(exchange, request, request_free);
	exchange_take_body(exchange, BATCH_BYTES_MAX, &taker);
}

/* clang-format off */
const struct route routes_execute_batch[] = {
	{ "POST", "/api/workflows/:id/execute-batch", ROLE_OPERATOR, BODY_IN_PIECES, false,
	  on_execute_batch, "workflow.execute-batch" },
	{ 0 },
};
/* clang-format on */
