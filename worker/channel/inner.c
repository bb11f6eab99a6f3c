/* One action inside an attempt. See inner.h. */
#include "channel/inner.h"

#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "base/list.h"
#include "base/xalloc.h"
#include "child_run.h"

struct inner {
	struct attempt attempt;
	const struct action *action;
	void *state;
	struct json *fields;
	char *key, *part;
	struct timer *turn; /* the answer, on a turn of its own */
	struct inner_end end;
	char *code, *message;
	bool answered;
	inner_done_fn *done;
	void *context;
};

static struct inner *
inner_of(struct attempt *attempt)
{
	return container_of(attempt, struct inner, attempt);
}

static void
on_success(struct attempt *attempt, struct json *output)
{
	struct inner *inner = inner_of(attempt);

	inner->answered = true;
	inner->end.output = output;
	timer_set(inner->turn, 0);
}

static void
on_failure(struct attempt *attempt, const struct attempt_failure *failure)
{
	struct inner *inner = inner_of(attempt);

	inner->answered = true;
	inner->code = xstrdup(failure->code);
	inner->message = xstrdup(failure->message);
	inner->end = (struct inner_end){
		.failed = true,
		.final = failure->final,
		.code = inner->code,
		.message = inner->message,
		.retry_at = failure->retry_at,
		.details = json_ref(failure->details),
		.output = failure->output,
	};
	timer_set(inner->turn, 0);
}

static const struct attempt_maker maker = {
	.succeeded = on_success,
	.failed = on_failure,
};

static void
on_wait(struct attempt *attempt, usec_t run_at)
{
	struct inner *inner = inner_of(attempt);

	inner->answered = true;
	inner->end.kind = INNER_WAITS;
	inner->end.run_at = run_at;
	timer_set(inner->turn, 0);
}

static void
on_wait_event(struct attempt *attempt, const char *type, usec_t checked_at,
	      usec_t run_at)
{
	struct inner *inner = inner_of(attempt);

	on_wait(attempt, run_at);
	inner->end.kind = INNER_WAITS_FOR;
	inner->end.event = xstrdup(type);
	inner->end.checked_at = checked_at;
}

static void
on_start_run(struct attempt *attempt, struct child_run *child, bool wait, usec_t run_at,
	     struct json *output)
{
	struct inner *inner = inner_of(attempt);

	on_wait(attempt, run_at);
	inner->end.kind = INNER_STARTS_RUN;
	inner->end.child = child;
	inner->end.waits = wait;
	inner->end.output = output;
}

static const struct attempt_maker waiting_maker = {
	.succeeded = on_success,
	.failed = on_failure,
	.waits = on_wait,
	.waits_for_event = on_wait_event,
	.starts_run = on_start_run,
};

struct json *
inner_error(const struct inner_end *end)
{
	struct json *error = step_error(end->code, end->message);

	for (struct json_iter it = json_iter(end->details); json_next(&it);)
		if (!json_has(error, it.key))
			json_set(error, it.key, json_ref(it.value));
	return error;
}

static void
on_turn(void *context)
{
	struct inner *inner = context;

	if (inner->state != NULL)
		inner->action->free(inner->state);
	inner->state = NULL;
	inner->done(inner->context, &inner->end);
}

/* Actions that answer at once have no other way. */
static void
begin_now(struct inner *inner)
{
	struct err err = { 0 };
	struct json *output = inner->action->now(&inner->attempt, &err);

	if (err.kind == ERR_NONE)
		on_success(&inner->attempt, output);
	else
		answer_error(&inner->attempt, NULL, &err);
}

/* An action whose fields become rows for others gets what may be stored. Takes them. */
static struct json *
fields_for(const struct attempt *base, const struct action *action, struct json *fields)
{
	bool stores = action == &action_workflow || action == &action_message ||
		      action == &action_wait;

	return stores ? json_masked(fields, base->services->mask) : fields;
}

static struct inner *
make(const struct attempt *base, const struct attempt_maker *of,
     const struct action *action, struct json *fields, const char *part,
     inner_done_fn *done, void *context)
{
	struct inner *inner = xcalloc(1, sizeof *inner);

	inner->attempt = *base;
	inner->attempt.maker = of;
	inner->attempt.fields = inner->fields = fields_for(base, action, fields);
	inner->attempt.woke = false;
	inner->attempt.back = NULL;
	if (part != NULL) {
		inner->part = xstrdup(part);
		inner->key = xprintf("%s:%s", base->idempotency_key, part);
		inner->attempt.part = inner->part;
		inner->attempt.idempotency_key = inner->key;
	}
	inner->action = action;
	inner->done = done;
	inner->context = context;
	inner->turn = timer_new(base->services->loop, on_turn, inner);
	if (action->now != NULL)
		begin_now(inner);
	else
		inner->state = action->start(&inner->attempt);
	return inner;
}

struct inner *
inner_new(const struct attempt *base, const struct action *action, struct json *fields,
	  const char *part, inner_done_fn *done, void *context)
{
	return make(base, &maker, action, fields, part, done, context);
}

struct inner *
inner_new_waiting(const struct attempt *base, const struct action *action,
		  struct json *fields, inner_done_fn *done, void *context)
{
	return make(base, &waiting_maker, action, fields, NULL, done, context);
}

void
inner_stop(struct inner *inner, enum stop how)
{
	if (!inner->answered && inner->state != NULL)
		inner->action->stop(inner->state, how);
}

void
inner_free(struct inner **inner_p)
{
	struct inner *inner = *inner_p;

	*inner_p = NULL;
	if (inner == NULL)
		return;
	if (inner->state != NULL)
		inner->action->free(inner->state);
	timer_free(&inner->turn);
	json_unref(&inner->fields);
	json_unref(&inner->end.output);
	json_unref(&inner->end.details);
	child_run_free(&inner->end.child);
	free(inner->end.event);
	free(inner->code);
	free(inner->message);
	free(inner->key);
	free(inner->part);
	free(inner);
}
