/* Any stream of events, taken by the protocol that the first byte names: a reply within
 * its limits that is complete or in trouble, and that goes back into a conversation. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/answer_core.h"
#include "model/wire_core.h"
#include "sse_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct wire *const wires[] = { &wire_anthropic, &wire_openai,
					    &wire_responses, &wire_gemini };

struct taking {
	const struct wire *wire;
	struct heard reply;
};

static void
on_event(void *context, const char *event, const char *data, size_t len)
{
	struct taking *taking = context;

	wire_take(taking->wire, &taking->reply, event, data, len);
}

static void
check(const struct heard *reply)
{
	if (reply->bytes > HEARD_BYTES_MAX || reply->calls_count > HEARD_CALLS_MAX ||
	    reply->usage.input < 0 || reply->usage.output < 0 ||
	    reply->usage.cache_read < 0)
		abort();
	if (reply->trouble.kind == TROUBLE_NONE &&
	    (!reply->complete || reply->stop == HEARD_GOES_ON))
		abort();
	if (!utf8_valid(reply->trouble.message, strlen(reply->trouble.message)))
		abort();
}

/* What it said can be sent back to any of them. */
static void
go_on(const struct heard *reply)
{
	const struct wire_request request = { "http://h", "m", true };
	struct talk talk = { .max_tokens = 1 };
	struct span span = answer_span(buf_text(&reply->text), reply->text.len);

	if (span.len > reply->text.len)
		abort();
	talk_ask(&talk, "q");
	talk_reply(&talk, reply);
	talk_results(&talk);
	for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
		struct json *body = wires[i]->body(&request, &talk), *again = NULL;
		char *text = json_text(body);
		struct err err = { 0 };

		if (json_parse(text, strlen(text), &again, &err) < 0)
			abort();
		free(text);
		json_unref(&body);
		json_unref(&again);
	}
	talk_fini(&talk);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct taking taking = { 0 };
	struct sse sse = { 0 };
	struct err err = { 0 };

	if (len == 0)
		return 0;
	taking.wire = wires[data[0] % 4];
	sse_feed(&sse, (const char *)data + 1, len - 1, on_event, &taking, &err);
	heard_close(&taking.reply);
	check(&taking.reply);
	go_on(&taking.reply);
	heard_fini(&taking.reply);
	sse_fini(&sse);
	return 0;
}
