/*
 * wait: until a moment or for a while, without a slot: the step is put away, comes back
 * when its time has come, and then succeeds.
 */
#include "actions/actions.h"
#include "actions/answer.h"
#include "engine/action_fields.h"

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

static void *
wait_start(struct attempt *attempt)
{
	struct err err = { 0 };
	usec_t end = 0;

	if (attempt->woke)
		return later_succeed(attempt, NULL);
	if (!answer_checked(attempt, NULL, action_fields[ACTION_WAIT].fields))
		return NULL;
	if (read_end(attempt, &end, &err) < 0) {
		answer_error(attempt, NULL, &err);
		return NULL;
	}
	if (end <= loop_now(attempt->services->loop))
		return later_succeed(attempt, NULL);
	return later_wait(attempt, end);
}

/* It answers on the next turn anyway. */
static void
wait_stop(void *state, enum stop how)
{
	(void)state;
	(void)how;
}

const struct action action_wait = {
	.name = "wait",
	.start = wait_start,
	.stop = wait_stop,
	.free = later_free,
};
