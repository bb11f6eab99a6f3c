/*
 * A route that changes something: its exchange holds a change from the end of the
 * request to the handler's answer, which waits for the commit. See change.h and
 * exchange.h.
 */
#include <string.h>

#include "base/buf.h"
#include "front/change.h"
#include "front/exchange.h"

static void
on_turn(void *context)
{
	struct exchange *exchange = context;

	if (exchange->go != NULL)
		exchange->go(exchange);
	else
		exchange->route->on_request(exchange);
}

/* The stored answer, and what is shown this once. */
static void
answer_made(struct exchange *exchange, const struct change_result *result)
{
	struct json *body = NULL;
	struct err err = { 0 };

	if (exchange->once == NULL || result->outcome != CHANGE_MADE ||
	    json_parse(result->text, result->len, &body, &err) < 0) {
		reply_json_text(exchange, result->status, result->text, result->len);
		return;
	}
	for (struct json_iter it = json_iter(exchange->once); json_next(&it);)
		json_set(body, it.key, json_ref(it.value));
	reply_json(exchange, result->status, body);
}

static void
answer_busy(struct exchange *exchange)
{
	reply_header(exchange, "Retry-After", "1");
	reply_problem(exchange, 409, NULL,
		      "the call with this Idempotency-Key is still running");
}

/* The parts of an answer that were given before the commit (headers) are still there.
 */
static void
on_made(void *context, const struct change_result *result)
{
	struct exchange *exchange = context;

	exchange->change = NULL;
	switch (result->outcome) {
	case CHANGE_OTHER:
		reply_problem(exchange, 422, NULL,
			      "this Idempotency-Key was used for another call");
		return;
	case CHANGE_BUSY:
		answer_busy(exchange);
		return;
	case CHANGE_FAILED:
		reply_err(exchange, result->err);
		return;
	case CHANGE_REPEATED:
		reply_header(exchange, "Idempotency-Replayed", "true");
		break;
	case CHANGE_MADE:
		break;
	}
	if (result->read_after != NULL)
		reply_header(exchange, "Stepmill-Read-After", result->read_after);
	if (result->outcome == CHANGE_MADE && exchange->made != NULL &&
	    !exchange->gone) {
		exchange->made(exchange);
		return;
	}
	if (result->len > 0)
		answer_made(exchange, result);
	else
		reply_empty(exchange, result->status);
}

/* False: it was refused. */
static bool
good_key(struct exchange *exchange, const char *key)
{
	if (key == NULL || (*key != '\0' && strlen(key) <= CHANGE_KEY_MAX))
		return true;
	reply_problem(exchange, 400, NULL,
		      "Idempotency-Key: expected 1 to %d characters", CHANGE_KEY_MAX);
	return false;
}

void
exchange_change_begin(struct exchange *exchange)
{
	const char *key = exchange_header(exchange, "Idempotency-Key");
	struct change_call call = {
		.what = exchange->route->changes,
		.target = exchange_path(exchange),
		.who = exchange->who,
		.address = exchange_address(exchange),
		.key = key,
	};

	if (!good_key(exchange, key))
		return;
	call.query = target_query_words(&exchange->head->target, &call.query_len);
	call.body = exchange_body(exchange, &call.body_len);
	exchange->change = change_begin(exchange->apart ? exchange->front->long_changes
							: exchange->front->changes,
					&call, on_turn, on_made, exchange);
}

/* A handler without an effect (a wish to the pool) need not have sent anything. What it
 * kept goes, but the exchange stays for the answer. */
bool
exchange_change_takes(struct exchange *exchange, int status, const char *text,
		      size_t len)
{
	if (exchange->change == NULL)
		return false;
	if (status >= 400) {
		exchange_change_drop(exchange);
		return false;
	}
	exchange_let_go(exchange);
	exchange->held = true;
	change_answer(exchange->change, status, text, len);
	return true;
}

void
exchange_change_drop(struct exchange *exchange)
{
	change_drop(&exchange->change);
}

void
exchange_change_leave(struct exchange *exchange)
{
	if (exchange->change == NULL || change_is_going(exchange->change))
		return;
	exchange_change_drop(exchange);
	exchange->held = false;
}

void
exchange_change_apart(struct exchange *exchange)
{
	exchange->apart = true;
}

struct pg *
exchange_pg(struct exchange *exchange)
{
	return change_pg(exchange->change);
}

struct change *
exchange_change(struct exchange *exchange)
{
	return exchange->change;
}

void
exchange_then(struct exchange *exchange, exchange_made_fn *made)
{
	exchange->made = made;
}

void
exchange_audit(struct exchange *exchange, const char *target, struct json *details)
{
	change_audit(exchange->change, target, details);
}

void
exchange_change_later(struct exchange *exchange, const char *words,
		      void (*go)(struct exchange *exchange))
{
	exchange->go = go;
	buf_clear(&exchange->body);
	buf_str(&exchange->body, words);
	exchange_change_begin(exchange);
}

void
exchange_show_once(struct exchange *exchange, const char *key, const char *text)
{
	if (exchange->once == NULL)
		exchange->once = json_new_object();
	json_set(exchange->once, key, json_new_str(text));
}
