/*
 * HTTP on behalf of steps: the guard that keeps them out of the private network, the
 * headers that name the attempt, the answer as JSON.
 */
#include "actions/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "address_core.h"
#include "base/xalloc.h"
#include "digest/digest.h"
#include "step_log.h"

#define ERROR_BODY_MAX                                                                 \
	(64 * 1024) /* of a refusal's body, kept in the error as well                  \
		     */
#define TRACE_ID_LEN 32

struct web {
	struct attempt *attempt;
	struct http_call *call;
	char refused[128]; /* which address, and why */
};

int
web_add_headers(struct http_form *form, const struct attempt *attempt, struct err *err)
{
	const char *key = attempt->idempotency_key;
	char hash[SHA256_TEXT], trace[80];

	if (http_form_add(form, "Idempotency-Key", key, err) < 0 ||
	    http_form_add(form, "User-Agent", "stepmill/" STEPMILL_VERSION, err) < 0)
		return -1;
	if (attempt->trace_id == NULL || strlen(attempt->trace_id) != TRACE_ID_LEN)
		return 0;
	sha256_text(key, strlen(key), hash);
	snprintf(trace, sizeof trace, "00-%s-%.16s-01", attempt->trace_id, hash);
	return http_form_add(form, "traceparent", trace, err);
}

bool
web_status_is_final(int status)
{
	return status >= 400 && status < 500 && status != 408 && status != 425 &&
	       status != 429;
}

static bool
is_allowed(void *context, const struct sockaddr *address)
{
	struct web *web = context;
	const struct texts *allow = &web->attempt->services->settings->http_allow;
	const char *why = address_refusal(address);
	char text[64];

	if (address_allowed(address, allow->list, allow->count))
		return true;
	snprintf(web->refused, sizeof web->refused, "%s is %s",
		 address_format(address, text, sizeof text), why);
	return false;
}

/* ---- the answer ---- */

static struct json *
headers_json(const struct attempt *attempt, const struct http_response *response)
{
	struct json *headers = json_new_object();

	for (char **line = response->headers; line != NULL && *line != NULL; line++) {
		size_t name_len = strcspn(*line, ":");
		char *name = xstrndup(*line, name_len);
		const char *value = *line + name_len;
		struct json *former = json_get(headers, name);

		value += strspn(value, ": ");
		if (former != NULL) {
			char *both = xprintf("%s, %s", json_str(former), value);

			json_set(headers, name,
				 answer_text(attempt, both, strlen(both)));
			free(both);
		} else {
			json_set(headers, name,
				 answer_text(attempt, value, strlen(value)));
		}
		free(name);
	}
	return headers;
}

static struct json *
body_json(const struct attempt *attempt, const struct http_response *response)
{
	const char *type = http_header(response, "content-type");
	const struct buf *body = &response->body;
	struct json *json = NULL;
	struct err err = { 0 };

	if (type != NULL && strcasestr(type, "json") != NULL &&
	    answer_json(attempt, buf_text(body), body->len, &json, &err) == 0)
		return json;
	return answer_text(attempt, buf_text(body), body->len);
}

static void
fail_by_status(struct web *web, const struct http_response *response,
	       struct json *output)
{
	struct json *details = json_new_object();

	json_set(details, "status", json_new_int(response->status));
	if (response->body.len <= ERROR_BODY_MAX)
		json_set(details, "body", json_ref(json_get(output, "body")));
	attempt_fail_with(web->attempt, "http_status",
			  web_status_is_final(response->status), details, output,
			  "the server answered with status %d", response->status);
}

static void
fail_without_answer(struct web *web, const struct err *err)
{
	static const char *const codes[ERR_KINDS] = {
		[ERR_RETRY] = "network",
		[ERR_LIMIT] = "reply_too_large",
		[ERR_DENIED] = "address_refused",
	};
	const char *code = codes[err->kind];

	if (code == NULL)
		code = err_kind_name(err->kind);
	if (err->kind == ERR_DENIED && web->refused[0] != '\0')
		attempt_fail(
		    web->attempt, code, true,
		    "%s: steps may not call it unless worker.http_allow says so",
		    web->refused);
	else
		attempt_fail(web->attempt, code, answer_is_final(err->kind), "%s",
			     err->text);
}

static void
on_done(void *context, const struct http_response *response, const struct err *err)
{
	struct web *web = context;
	struct json *output;

	web->call = NULL;
	if (response == NULL) {
		fail_without_answer(web, err);
		return;
	}
	step_log_printf(web->attempt->log, STEP_INFO,
			"%s answered with status %d after %lld ms", response->url,
			response->status, (long long)(response->duration / USEC_MS));
	output = json_new_object();
	json_set(output, "status", json_new_int(response->status));
	json_set(output, "headers", headers_json(web->attempt, response));
	json_set(output, "body", body_json(web->attempt, response));
	if (response->status >= 400)
		fail_by_status(web, response, output);
	else
		attempt_succeed(web->attempt, output);
}

/* ---- start and stop ---- */

void *
web_start(struct attempt *attempt, struct http_form *form)
{
	const struct services *services = attempt->services;
	struct err err = { 0 };
	struct web *web;

	if (web_add_headers(form, attempt, &err) < 0) {
		answer_error(attempt, NULL, &err);
		http_form_fini(form);
		return NULL;
	}
	web = xcalloc(1, sizeof *web);
	web->attempt = attempt;
	web->call =
	    httpc_send(services->httpc,
		       &(struct http_request){
			   .method = form->method,
			   .url = form->url,
			   .headers = (const char *const *)form->headers,
			   .body = form->has_body ? buf_text(&form->body) : NULL,
			   .body_len = form->body.len,
			   .reply_max = (size_t)services->settings->worker_output_max,
			   .follow_redirects = form->follow_redirects,
			   .address_allowed = is_allowed,
			   .address_context = web,
		       },
		       on_done, web);
	http_form_fini(form);
	return web;
}

void
web_stop(void *state, enum stop how)
{
	struct web *web = state;

	(void)how;
	if (web->call == NULL)
		return;
	http_call_cancel(&web->call);
	attempt_fail(web->attempt, "stopped", false, "told to stop");
}

void
web_free(void *state)
{
	struct web *web = state;

	if (web == NULL)
		return;
	if (web->call != NULL)
		http_call_cancel(&web->call);
	free(web);
}
