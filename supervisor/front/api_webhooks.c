/*
 * POST /webhooks/<path>: somebody outside starts a run of the workflow whose trigger
 * has this path. Who it is is shown by a signature or a token (webhook.h), not by a
 * key.
 *
 * One delivery starts one run: its id is part of the run's idempotency key, so that the
 * table of runs itself refuses a second one, whichever supervisor it comes to.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "digest/digest.h"
#include "front/api.h"
#include "front/api_workflows.h"
#include "front/auth_core.h"
#include "front/trace_core.h"
#include "front/trigger.h"
#include "front/webhook.h"
#include "zone/zone.h"

#define BEFORE_PATH "/webhooks/"

/* What the handler keeps. */
struct hook {
	struct exchange *exchange;
	const char *path;
	char workflow[UUID_TEXT];
	bool again; /* the workflow was read anew, past what is kept of it */
};

/* ---- what was sent ---- */

static struct webhook_call
call_of(struct exchange *exchange)
{
	struct webhook_call call = {
		.id = exchange_header(exchange, "webhook-id"),
		.timestamp = exchange_header(exchange, "webhook-timestamp"),
		.signature = exchange_header(exchange, "webhook-signature"),
		.own_timestamp = exchange_header(exchange, "X-Stepmill-Timestamp"),
		.own_signature = exchange_header(exchange, "X-Stepmill-Signature"),
		.github_signature = exchange_header(exchange, "X-Hub-Signature-256"),
		.github_delivery = exchange_header(exchange, "X-GitHub-Delivery"),
		.authorization = exchange_header(exchange, "Authorization"),
		.idempotency_key = exchange_header(exchange, "Idempotency-Key"),
		.now = loop_now(exchange_front(exchange)->loop),
	};

	call.body = exchange_body(exchange, &call.body_len);
	return call;
}

/* Who is asked for no key may be anybody; what would let in elsewhere is not handed on.
 */
static struct json *
headers_of(const struct exchange *exchange)
{
	static const char *const secret[] = {
		"authorization",
		"proxy-authorization",
		"cookie",
		"webhook-signature",
		"x-stepmill-signature",
		"x-hub-signature",
		"x-hub-signature-256",
		"x-api-key",
	};
	struct json *headers = exchange_headers(exchange);

	for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
		json_remove(headers, secret[i]);
	return headers;
}

/* As JSON if it is JSON, else as text. It is one level deeper than the payload, which
 * must be readable again. */
static struct json *
body_of(const struct webhook_call *call)
{
	struct buf list = { 0 };
	struct json *all = NULL, *body = NULL;
	struct err err = { 0 };

	if (call->body_len == 0)
		return NULL;
	buf_char(&list, '[');
	buf_add(&list, call->body, call->body_len);
	buf_char(&list, ']');
	if (json_parse(buf_text(&list), list.len, &all, &err) == 0 &&
	    json_count(all) == 1)
		body = json_ref(json_at(all, 0));
	else
		body = json_new_str_len(call->body, call->body_len);
	json_unref(&all);
	buf_fini(&list);
	return body;
}

static struct json *
payload_of(struct exchange *exchange, const char *path, const struct webhook_call *call)
{
	struct json *payload = json_new_object();
	char at[40];

	json_set(payload, "type", json_new_str("webhook"));
	json_set(payload, "path", json_new_str(path));
	json_set(payload, "method", json_new_str(exchange_method(exchange)));
	json_set(payload, "headers", headers_of(exchange));
	json_set(payload, "query", exchange_queries(exchange));
	json_set(payload, "body", body_of(call));
	json_set(payload, "receivedAt", json_new_str(rfc3339_format(call->now, at)));
	return json_storable(payload, NULL);
}

/* ---- the run ---- */

/* The delivery under the path: others may number theirs alike. */
static bool
key_of(const char *path, const struct webhook_call *call,
       const struct webhook_claim *claim, struct buf *key)
{
	char hash[SHA256_TEXT];
	struct buf name = { 0 };
	bool found;

	buf_add(&name, path, strlen(path) + 1);
	found = webhook_delivery(call, claim, &name);
	if (found)
		buf_printf(key, "webhook %s", sha256_text(name.data, name.len, hash));
	buf_fini(&name);
	return found;
}

static void
start(struct hook *hook, const struct webhook_call *call,
      const struct webhook_claim *claim, struct json *payload, struct json *input)
{
	const char *parent = exchange_header(hook->exchange, "traceparent");
	char trace[TRACE_ID];
	struct buf key = { 0 };
	struct trigger_call wanted = {
		.workflow = hook->workflow,
		.input = input,
		.triggered_by = "webhook",
		.payload = payload,
		.address = exchange_address(hook->exchange),
		.key_is_enough = true,
	};

	if (key_of(hook->path, call, claim, &key))
		wanted.key = buf_text(&key);
	if (parent != NULL && trace_parse(parent, trace))
		wanted.trace_id = trace;
	api_start_run(hook->exchange, &wanted);
	buf_fini(&key);
}

static void
answer_ignored(struct exchange *exchange)
{
	struct json *body = json_new_object();

	json_set(body, "status", json_new_str("ignored"));
	reply_json(exchange, 200, body);
}

/* The caller has shown who it is. */
static void
take(struct hook *hook, const struct trigger_def *trigger,
     const struct webhook_call *call, const struct webhook_claim *claim)
{
	struct json *payload = payload_of(hook->exchange, hook->path, call);
	struct json *input = NULL;
	struct err err = { 0 };
	bool applies = false;

	if (trigger_applies(trigger, payload, &applies, &err) < 0)
		err_in(&err, "when");
	else if (applies)
		input = trigger_input(trigger, payload, &err);
	if (err.kind != ERR_NONE)
		reply_problem(hook->exchange, 422, NULL, "%s", err.text);
	else if (!applies)
		answer_ignored(hook->exchange);
	else
		start(hook, call, claim, payload, input);
	json_unref(&payload);
	json_unref(&input);
}

/* ---- who is asked, and who asks ---- */

static void
answer_unknown(struct exchange *exchange)
{
	reply_problem(exchange, 404, NULL, "there is no webhook at this path");
}

static void
refuse(struct hook *hook, enum webhook_verdict verdict, const struct err *err)
{
	if (err->kind != ERR_NONE) {
		log_warn("webhook.secret_missing", F_STR("path", hook->path),
			 F_STR("why", err->text));
		reply_header(hook->exchange, "Retry-After", "60");
		reply_problem(hook->exchange, 503, NULL,
			      "this webhook's secret cannot be read just now");
		return;
	}
	log_info("webhook.refused", F_STR("path", hook->path),
		 F_STR("why", webhook_verdict_text(verdict)),
		 F_STR("address", exchange_address(hook->exchange)));
	reply_header(hook->exchange, "WWW-Authenticate", "Bearer realm=\"webhook\"");
	reply_problem(hook->exchange, 401, NULL, "%s", webhook_verdict_text(verdict));
}

/* Without a secret a browser could be made to call by any page that is open in it. */
static bool
is_a_page_elsewhere(struct exchange *exchange, const struct trigger_webhook *webhook)
{
	const char *origin = exchange_header(exchange, "Origin");
	const char *host = exchange_header(exchange, "Host");

	return webhook->auth == TRIGGER_AUTH_NONE && origin != NULL &&
	       !auth_origin_is_own(origin, host != NULL ? host : "");
}

static void on_workflow(void *context, const struct catalog_entry *entry,
			const struct err *err);

/* Another supervisor may have registered it since it was read here. */
static void
look_again(struct hook *hook)
{
	if (hook->again) {
		answer_unknown(hook->exchange);
		return;
	}
	hook->again = true;
	catalog_find(exchange_front(hook->exchange)->catalog, NULL, hook->workflow,
		     UINT64_MAX, on_workflow, hook);
}

static void
check(struct hook *hook, const struct trigger_def *trigger)
{
	const struct webhook_call call = call_of(hook->exchange);
	enum webhook_verdict verdict;
	struct webhook_claim claim;
	struct err err = { 0 };

	if (is_a_page_elsewhere(hook->exchange, &trigger->webhook)) {
		reply_problem(hook->exchange, 401, NULL,
			      "a page of another origin may not call this webhook");
		return;
	}
	verdict = webhook_check(&trigger->webhook, &call, &claim, &err);
	if (verdict == WEBHOOK_GOOD)
		take(hook, trigger, &call, &claim);
	else
		refuse(hook, verdict, &err);
	webhook_claim_fini(&claim);
}

static void
on_workflow(void *context, const struct catalog_entry *entry, const struct err *err)
{
	struct hook *hook = context;
	const struct trigger_def *trigger = NULL;

	if (entry == NULL && err->kind != ERR_NOT_FOUND) {
		reply_err(hook->exchange, err);
		return;
	}
	if (entry != NULL && entry->active)
		trigger = trigger_webhook(entry->workflow, hook->path);
	if (trigger != NULL)
		check(hook, trigger);
	else
		look_again(hook);
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct hook *hook;
	struct uuid workflow;

	api_unguard(exchange);
	if (rows == NULL) {
		reply_err(exchange, err);
		return;
	}
	if (pg_count(rows) == 0) {
		answer_unknown(exchange);
		return;
	}
	workflow = pg_uuid(rows, 0, 0);
	hook = exchange_keep(exchange, sizeof *hook);
	hook->exchange = exchange;
	hook->path = exchange_path(exchange) + strlen(BEFORE_PATH);
	uuid_format(&workflow, hook->workflow);
	catalog_find(exchange_front(exchange)->catalog, NULL, hook->workflow, 0,
		     on_workflow, hook);
}

/* The path as it was sent: none that has a trigger needs an escape. */
static void
on_call(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, exchange_path(exchange) + strlen(BEFORE_PATH));
	api_read(exchange, "workflow_triggers_webhook", &args, on_found);
	pg_args_fini(&args);
}

/* clang-format off */
const struct route routes_webhooks[] = {
	{ "POST", "/webhooks/:path", ROLE_NONE, 0, false, on_call, NULL },
	{ 0 },
};
/* clang-format on */
