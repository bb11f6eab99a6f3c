/*
 * wait: until a moment, for a while, or until an event comes, without a slot: the step
 * is put away and comes back when its time has come or an event of its type has. One
 * that waits for an event looks at all that came since its run started, and waits on if
 * none of them is what it waits for.
 */
#include <stdlib.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "store/bus_events.h"

/* -1 with err. */
static int
read_end(const struct attempt *attempt, usec_t *end, struct err *err)
{
	const struct json *until = json_get(attempt->fields, "until");
	usec_t duration;

	if (until != NULL)
		return field_moment(until, end, err);
	if (field_duration(json_get(attempt->fields, "for"), &duration, err) < 0)
		return -1;
	*end = attempt->started_at + duration;
	return 0;
}

/* ---- for an event ---- */

struct waiting {
	struct attempt *attempt;
	struct later *later; /* it waits for a moment: the answer, later */
	struct timer *again; /* the look at the events failed for a passing reason */
	bool answered;
};

#define AGAIN (200 * USEC_MS)

/* 1: this is it; 0: it is not; -1: the expression fails. */
static int
is_awaited(const struct attempt *attempt, struct json *event, struct err *err)
{
	struct run_scope scope;
	bool awaited = true;
	int result = 0;

	if (attempt->def->when == NULL)
		return 1;
	held_scope(&scope, (struct run *)(uintptr_t)attempt->run_values, attempt->held);
	scope.event = event;
	result = cel_test(attempt->def->when, &scope.scope, &awaited, err);
	run_scope_fini(&scope);
	if (result < 0) {
		err_in(err, "when");
		return -1;
	}
	return awaited;
}

static usec_t
deadline(const struct attempt *attempt)
{
	usec_t timeout = attempt->def->timeout;

	return timeout > 0 ? attempt->began_at + timeout : 0;
}

static void
wait_on(struct waiting *waiting, usec_t as_of)
{
	struct attempt *attempt = waiting->attempt;
	usec_t until = deadline(attempt);

	if (until != 0 && until <= as_of)
		attempt_succeed(attempt, NULL);
	else
		attempt_wait_event(attempt, field_text(attempt, "event", ""), as_of,
				   until);
}

static void
on_events(void *context, struct json *list, usec_t as_of, const struct err *err)
{
	struct waiting *waiting = context;
	struct attempt *attempt = waiting->attempt;
	struct err why = { 0 };
	int awaited = 0;

	if (err->kind == ERR_RETRY || err->kind == ERR_LOST) {
		timer_set(waiting->again, AGAIN);
		return;
	}
	waiting->answered = true;
	if (err->kind != ERR_NONE) {
		attempt_fail(attempt, err_kind_name(err->kind), false, "%s", err->text);
		return;
	}
	for (size_t i = 0; i < json_count(list) && awaited == 0; i++) {
		awaited = is_awaited(attempt, json_at(list, i), &why);
		if (awaited > 0)
			attempt_succeed(attempt, json_ref(json_at(list, i)));
	}
	if (awaited < 0)
		attempt_fail(attempt, "expression", true, "%s", why.text);
	else if (awaited == 0)
		wait_on(waiting, as_of);
}

static void
look(void *context)
{
	struct waiting *waiting = context;
	struct attempt *attempt = waiting->attempt;

	bus_events_since(attempt->services->pg, &attempt->run,
			 field_text(attempt, "event", ""), on_events, waiting);
}

/* ---- both ---- */

static struct later *
wait_for_moment(struct attempt *attempt)
{
	struct err err = { 0 };
	usec_t end = 0;

	if (attempt->woke)
		return later_succeed(attempt, NULL);
	if (read_end(attempt, &end, &err) < 0)
		return later_error(attempt, NULL, &err);
	if (end <= loop_now(attempt->services->loop))
		return later_succeed(attempt, NULL);
	return later_wait(attempt, end);
}

static void *
wait_start(struct attempt *attempt)
{
	struct waiting *waiting;

	if (!attempt->woke &&
	    !answer_checked(attempt, NULL, action_fields[ACTION_WAIT].fields))
		return NULL;
	waiting = xcalloc(1, sizeof *waiting);
	waiting->attempt = attempt;
	if (json_get(attempt->fields, "event") != NULL) {
		waiting->again = timer_new(attempt->services->loop, look, waiting);
		look(waiting);
		return waiting;
	}
	waiting->later = wait_for_moment(attempt);
	return waiting;
}

/* What waits for a moment answers on the next turn anyway. */
static void
wait_stop(void *state, enum stop how)
{
	struct waiting *waiting = state;

	(void)how;
	if (waiting->answered || waiting->later != NULL)
		return;
	pg_forget(waiting->attempt->services->pg, waiting);
	timer_stop(waiting->again);
	waiting->answered = true;
	attempt_fail(waiting->attempt, "stopped", false,
		     "stopped before it looked for events");
}

static void
wait_free(void *state)
{
	struct waiting *waiting = state;

	if (waiting->later != NULL)
		later_free(waiting->later);
	else if (waiting->attempt->services->pg != NULL)
		pg_forget(waiting->attempt->services->pg, waiting);
	timer_free(&waiting->again);
	free(waiting);
}

const struct action action_wait = {
	.name = "wait",
	.start = wait_start,
	.stop = wait_stop,
	.free = wait_free,
};
