/* The request, the stream, and the silence that is too long. See call.h. */
#include "model/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/web.h"
#include "base/xalloc.h"
#include "model/wire_core.h"
#include "sse_core.h"

#define STREAM_MAX (64 * 1024 * 1024)
#define HEAD_MAX   (64 * 1024) /* kept of a body, for what an error says */

struct model_call {
	struct attempt *attempt;
	const struct provider *provider;
	const struct wire *wire;
	struct http_call *http;
	struct timer *silence; /* also of a call that cannot even begin */
	struct sse sse;
	struct buf head;
	size_t bytes;
	struct heard reply;
	model_done_fn *done;
	void *context;
};

static const struct wire *const wires[PROVIDER_TYPES] = {
	[PROVIDER_ANTHROPIC] = &wire_anthropic,
	[PROVIDER_OPENAI] = &wire_openai,
	[PROVIDER_RESPONSES] = &wire_responses,
	[PROVIDER_GEMINI] = &wire_gemini,
};

/* ---- the end ---- */

/* Providers repeat what they were sent, keys too. */
static void
mask_trouble(struct model_call *call)
{
	const struct mask *mask = call->attempt->services->mask;
	struct trouble *trouble = &call->reply.trouble;
	struct buf masked = { 0 };

	if (mask == NULL || trouble->kind == TROUBLE_NONE)
		return;
	mask_text(mask, trouble->message, strlen(trouble->message), &masked);
	trouble_set(trouble, trouble->kind, buf_text(&masked));
	buf_fini(&masked);
}

static void
end(struct model_call *call)
{
	timer_stop(call->silence);
	mask_trouble(call);
	call->done(call->context, &call->reply);
}

/* Also when nothing more is wanted: the last word was heard, or it is too much. */
static void
on_silence(void *context)
{
	struct model_call *call = context;

	http_call_cancel(&call->http);
	if (call->reply.sealed)
		heard_close(&call->reply);
	else
		heard_fail(&call->reply, TROUBLE_STALLED, "no byte came for too long");
	end(call);
}

/* ---- the answer ---- */

static void
on_event(void *context, const char *event, const char *data, size_t len)
{
	struct model_call *call = context;

	wire_take(call->wire, &call->reply, event, data, len);
}

static void
on_data(void *context, const char *data, size_t len)
{
	struct model_call *call = context;
	struct err err = { 0 };
	size_t room = HEAD_MAX - call->head.len;

	timer_set(call->silence, call->provider->timeout);
	buf_add(&call->head, data, len < room ? len : room);
	call->bytes += len;
	if (sse_feed(&call->sse, data, len, on_event, call, &err) < 0 ||
	    call->bytes > STREAM_MAX)
		heard_fail(&call->reply, TROUBLE_TOO_LARGE, "the stream is too large");
	if (!call->reply.sealed && call->reply.trouble.kind != TROUBLE_TOO_LARGE)
		return;
	http_call_cancel(&call->http); /* some never hang up */
	timer_set(call->silence, 0);   /* done comes from there: not from inside */
}

/* By the provider's clock, where it tells it. */
static usec_t
wait_told(const struct model_call *call, const struct http_response *response)
{
	const char *ms = http_header(response, "retry-after-ms");
	const char *after = http_header(response, "retry-after");
	const char *date = http_header(response, "date");
	usec_t now = loop_now(call->attempt->services->loop), wait = 0;

	if (ms != NULL && retry_seconds(ms, &wait))
		return wait / 1000;
	if (date != NULL)
		http_date(date, &now);
	if (after == NULL || !retry_after(after, now, &wait))
		return 0;
	return wait;
}

static void
take_refusal(struct model_call *call, const struct http_response *response)
{
	struct trouble *trouble = &call->reply.trouble;
	struct json *body = NULL;
	struct err err = { 0 };
	usec_t wait = wait_told(call, response);

	*trouble = (struct trouble){ 0 };
	json_parse(buf_text(&call->head), call->head.len, &body, &err);
	trouble_of_status(trouble, response->status, body);
	if (wait > 0)
		trouble->wait = wait;
	json_unref(&body);
}

static void
take_end(struct model_call *call, const struct http_response *response)
{
	const char *type = http_header(response, "content-type");
	char message[200];

	if (type == NULL || strcasestr(type, "event-stream") != NULL) {
		heard_close(&call->reply);
		return;
	}
	snprintf(message, sizeof message, "the answer is %.100s, no stream of events",
		 type);
	heard_fail(&call->reply, TROUBLE_GARBAGE, message);
}

/* The connection broke: when the last word was heard nothing is missing. */
static void
take_break(struct model_call *call, const struct err *err)
{
	bool cut = call->bytes > 0;

	if (call->reply.sealed)
		heard_close(&call->reply);
	else
		heard_fail(&call->reply,
			   err->kind == ERR_INPUT ? TROUBLE_REQUEST
			   : cut                  ? TROUBLE_CUT
						  : TROUBLE_NETWORK,
			   err->text);
}

static void
on_done(void *context, const struct http_response *response, const struct err *err)
{
	struct model_call *call = context;

	call->http = NULL;
	if (response == NULL)
		take_break(call, err);
	else if (response->status < 200 || response->status > 299)
		take_refusal(call, response);
	else
		take_end(call, response);
	end(call);
}

/* ---- the request ---- */

static int
add_headers(struct model_call *call, struct http_form *form, struct err *err)
{
	const struct provider *provider = call->provider;
	const struct wire *wire = call->wire;
	int result = 0;

	for (size_t i = 0; i < provider->headers_count && result == 0; i++)
		result = http_form_add(form, provider->headers[i].name,
				       provider->headers[i].value, err);
	if (result == 0 && provider->api_key != NULL) {
		char *value = xprintf("%s%s", wire->key_prefix, provider->api_key);

		result = http_form_add(form, wire->key_header, value, err);
		explicit_bzero(value, strlen(value));
		free(value);
	}
	if (result == 0 && wire->version_header != NULL)
		result = http_form_add(form, wire->version_header, wire->version, err);
	if (result == 0)
		result = http_form_add(form, "Accept", "text/event-stream", err);
	return result;
}

static int
make_form(struct model_call *call, const char *model, const struct talk *talk,
	  int number, struct http_form *form, struct err *err)
{
	const struct wire_request request = { call->provider->base_url, model,
					      call->provider->structured_output };
	struct json *body = call->wire->body(&request, talk);
	struct attempt keyed = *call->attempt;
	struct buf url = { 0 };
	char *key = xprintf("%s:%d", call->attempt->idempotency_key, number);
	int result;

	call->wire->url(&request, &url);
	keyed.idempotency_key = key;
	result = http_form_post(form, buf_text(&url), body, NULL, err);
	if (result == 0 && (add_headers(call, form, err) < 0 ||
			    web_add_headers(form, &keyed, err) < 0)) {
		http_form_fini(form);
		result = -1;
	}
	json_unref(&body);
	buf_fini(&url);
	free(key);
	return result;
}

/* The address stands in the configuration: it is allowed by that. Redirects are not
 * followed. */
static void
send_form(struct model_call *call, struct http_form *form)
{
	call->http = httpc_send(call->attempt->services->httpc,
				&(struct http_request){
				    .method = form->method,
				    .url = form->url,
				    .headers = (const char *const *)form->headers,
				    .body = buf_text(&form->body),
				    .body_len = form->body.len,
				    .on_data = on_data,
				},
				on_done, call);
	timer_set(call->silence, call->provider->timeout);
}

struct model_call *
model_call_new(struct attempt *attempt, const struct provider *provider,
	       const char *model, const struct talk *talk, int number,
	       model_done_fn *done, void *context)
{
	struct model_call *call = xcalloc(1, sizeof *call);
	struct http_form form;
	struct err err = { 0 };

	call->attempt = attempt;
	call->provider = provider;
	call->wire = wires[provider->type];
	call->done = done;
	call->context = context;
	call->silence = timer_new(attempt->services->loop, on_silence, call);
	if (make_form(call, model, talk, number, &form, &err) == 0) {
		send_form(call, &form);
		http_form_fini(&form);
	} else {
		heard_fail(&call->reply, TROUBLE_REQUEST, err.text);
		timer_set(call->silence, 0);
	}
	return call;
}

void
model_call_free(struct model_call **call_p)
{
	struct model_call *call = *call_p;

	*call_p = NULL;
	if (call == NULL)
		return;
	http_call_cancel(&call->http);
	timer_free(&call->silence);
	sse_fini(&call->sse);
	buf_fini(&call->head);
	heard_fini(&call->reply);
	free(call);
}
