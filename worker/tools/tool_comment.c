/* comment.add: a comment for whoever reads the run, by the step. */
#include <stdlib.h>

#include "actions/answer.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "store/comments.h"
#include "tools/holding.h"
#include "tools/tools.h"

#define MESSAGE_MAX (64 * 1024)

struct comment_call {
	struct attempt *attempt;
	struct uuid id;
};

static void
on_added(void *context, int64_t seq, const struct err *err)
{
	struct comment_call *call = context;
	struct json *output;
	char id[UUID_TEXT];

	if (err->kind != ERR_NONE) {
		answer_error(call->attempt, "comment.add", err);
		return;
	}
	holding_ring(call->attempt, seq);
	output = json_new_object();
	json_set(output, "id", json_new_str(uuid_format(&call->id, id)));
	attempt_succeed(call->attempt, output);
}

static void *
comment_start(struct attempt *attempt)
{
	const struct json *message = json_get(attempt->fields, "message");
	struct held_ref held = holding(attempt);
	struct json *text, *metadata;
	struct comment_call *call;

	if (json_str_len(message) == 0 || json_str_len(message) > MESSAGE_MAX) {
		attempt_fail(attempt, "input", true,
			     "comment.add: message: 1 to %d bytes", MESSAGE_MAX);
		return NULL;
	}
	call = xcalloc(1, sizeof *call);
	call->attempt = attempt;
	call->id = holding_id(attempt, "comment");
	text = answer_text(attempt, json_str(message), json_str_len(message));
	metadata = json_storable(json_ref(json_get(attempt->fields, "metadata")), NULL);
	comments_insert(attempt->services->pg, &held,
			&(struct new_comment){
			    .id = call->id,
			    .on_step = field_flag(attempt, "step", false),
			    .author = attempt->def->name,
			    .message = json_str(text),
			    .metadata = metadata,
			},
			on_added, call);
	json_unref(&text);
	json_unref(&metadata);
	return call;
}

/* It is one statement: the answer comes soon, and nothing can be taken back. */
static void
comment_stop(void *state, enum stop how)
{
	(void)state;
	(void)how;
}

static void
comment_free(void *state)
{
	struct comment_call *call = state;

	pg_forget(call->attempt->services->pg, call);
	free(call);
}

const struct action tool_comment_add = {
	.name = "comment.add",
	.start = comment_start,
	.stop = comment_stop,
	.free = comment_free,
};
