/* Gathering an answer within limits. See reply_core.h. */
#include "model/reply_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define TOKENS_MAX 1000000000 /* nobody counts that far: what is more is nonsense */

static bool
takes(struct reply *reply, size_t len)
{
	if (reply->trouble.kind != TROUBLE_NONE)
		return false;
	if (len > REPLY_BYTES_MAX - reply->bytes) {
		reply_fail(reply, TROUBLE_TOO_LARGE, "the answer is larger than 4 MiB");
		return false;
	}
	reply->bytes += len;
	return true;
}

void
reply_text(struct reply *reply, const char *text, size_t len)
{
	if (takes(reply, len))
		buf_add(&reply->text, text, len);
}

struct reply_call *
reply_call(struct reply *reply, int index)
{
	struct reply_call *call;

	for (size_t i = 0; i < reply->calls_count; i++)
		if (reply->calls[i].index == index)
			return &reply->calls[i];
	if (reply->calls_count == REPLY_CALLS_MAX) {
		reply_fail(reply, TROUBLE_TOO_LARGE,
			   "more than 64 tool calls in one answer");
		return NULL;
	}
	reply->calls =
	    xrealloc(reply->calls, reply->calls_count + 1, sizeof *reply->calls);
	call = &reply->calls[reply->calls_count++];
	*call = (struct reply_call){ .index = index };
	return call;
}

void
reply_name(struct reply_call *call, const char *id, const char *name)
{
	if (call->id == NULL)
		call->id = xstrdup(id);
	if (call->name == NULL)
		call->name = xstrdup(name);
}

void
reply_arguments(struct reply *reply, struct reply_call *call, const char *text,
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
reply_usage(struct reply *reply, int64_t input, int64_t output, int64_t cache_read)
{
	reply->usage =
	    (struct usage){ tokens(input), tokens(output), tokens(cache_read) };
	reply->has_usage = true;
}

void
reply_fail(struct reply *reply, enum trouble_kind kind, const char *message)
{
	if (reply->trouble.kind == TROUBLE_NONE)
		trouble_set(&reply->trouble, kind, message);
}

void
reply_close(struct reply *reply)
{
	if (reply->trouble.kind != TROUBLE_NONE)
		return;
	if (!reply->complete || reply->stop == REPLY_GOES_ON)
		reply_fail(reply, TROUBLE_CUT,
			   "the stream ended before the answer was complete");
	else if (reply->stop == REPLY_TOOLS && reply->calls_count == 0)
		reply_fail(reply, TROUBLE_GARBAGE,
			   "it waits for tools, and calls none");
}

void
reply_fini(struct reply *reply)
{
	for (size_t i = 0; i < reply->calls_count; i++) {
		free(reply->calls[i].id);
		free(reply->calls[i].name);
		free(reply->calls[i].signature);
		buf_fini(&reply->calls[i].arguments);
	}
	free(reply->calls);
	buf_fini(&reply->text);
	*reply = (struct reply){ 0 };
}
