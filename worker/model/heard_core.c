/* Gathering an answer within limits. See heard_core.h. */
#include "model/heard_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define TOKENS_MAX 1000000000 /* nobody counts that far: what is more is nonsense */

static bool
takes(struct heard *reply, size_t len)
{
	if (reply->trouble.kind != TROUBLE_NONE)
		return false;
	if (len > HEARD_BYTES_MAX - reply->bytes) {
		heard_fail(reply, TROUBLE_TOO_LARGE, "the answer is larger than 4 MiB");
		return false;
	}
	reply->bytes += len;
	return true;
}

void
heard_text(struct heard *reply, const char *text, size_t len)
{
	if (takes(reply, len))
		buf_add(&reply->text, text, len);
}

struct heard_call *
heard_call(struct heard *reply, int index)
{
	struct heard_call *call;

	for (size_t i = 0; i < reply->calls_count; i++)
		if (reply->calls[i].index == index)
			return &reply->calls[i];
	if (reply->calls_count == HEARD_CALLS_MAX) {
		heard_fail(reply, TROUBLE_TOO_LARGE,
			   "more than 64 tool calls in one answer");
		return NULL;
	}
	reply->calls =
	    xrealloc(reply->calls, reply->calls_count + 1, sizeof *reply->calls);
	call = &reply->calls[reply->calls_count++];
	*call = (struct heard_call){ .index = index };
	return call;
}

void
heard_name(struct heard_call *call, const char *id, const char *name)
{
	if (call->id == NULL)
		call->id = xstrdup(id);
	if (call->name == NULL)
		call->name = xstrdup(name);
}

void
heard_arguments(struct heard *reply, struct heard_call *call, const char *text,
		size_t len)
{
	if (takes(reply, len))
		buf_add(&call->arguments, text, len);
}

static int64_t
tokens(int64_t told)
{
	return told < 0 ? 0 : told > TOKENS_MAX ? TOKENS_MAX : told;
}

void
heard_usage(struct heard *reply, int64_t input, int64_t output, int64_t cache_read)
{
	reply->usage =
	    (struct usage){ tokens(input), tokens(output), tokens(cache_read) };
	reply->has_usage = true;
}

void
heard_fail(struct heard *reply, enum trouble_kind kind, const char *message)
{
	if (reply->trouble.kind == TROUBLE_NONE)
		trouble_set(&reply->trouble, kind, message);
}

void
heard_close(struct heard *reply)
{
	if (reply->trouble.kind != TROUBLE_NONE)
		return;
	if (!reply->complete || reply->stop == HEARD_GOES_ON)
		heard_fail(reply, TROUBLE_CUT,
			   "the stream ended before the answer was complete");
	else if (reply->stop == HEARD_TOOLS && reply->calls_count == 0)
		heard_fail(reply, TROUBLE_GARBAGE,
			   "it waits for tools, and calls none");
}

void
heard_fini(struct heard *reply)
{
	for (size_t i = 0; i < reply->calls_count; i++) {
		free(reply->calls[i].id);
		free(reply->calls[i].name);
		free(reply->calls[i].signature);
		buf_fini(&reply->calls[i].arguments);
	}
	free(reply->calls);
	buf_fini(&reply->text);
	*reply = (struct heard){ 0 };
}
