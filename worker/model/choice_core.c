/* Falling over, and patience. See choice_core.h. */
#include "model/choice_core.h"

#include "engine/retry_core.h"

static const struct retry patience = {
	.backoff = BACKOFF_EXPONENTIAL,
	.delay = 2 * USEC_SECOND,
	.max_delay = 30 * USEC_SECOND,
	.jitter = true,
};

static bool
is_ready(const struct choice *choice, usec_t now)
{
	return !choice->out && choice->not_before <= now;
}

/* The first whose time comes; count when nobody is left. */
static size_t
soonest(const struct choices *choices)
{
	size_t found = choices->count;

	for (size_t i = 0; i < choices->count; i++)
		if (!choices->list[i].out &&
		    (found == choices->count ||
		     choices->list[i].not_before < choices->list[found].not_before))
			found = i;
	return found;
}

enum choice_verdict
choices_next(struct choices *choices, usec_t now, usec_t left, usec_t *wait)
{
	size_t next;

	*wait = 0;
	if (is_ready(&choices->list[choices->current], now))
		return CHOICE_CALL;
	for (size_t i = 0; i < choices->count; i++) {
		if (is_ready(&choices->list[i], now)) {
			choices->current = i;
			return CHOICE_CALL;
		}
	}
	next = soonest(choices);
	if (next == choices->count)
		return CHOICE_GIVE_UP;
	*wait = choices->list[next].not_before - now;
	if (*wait > CHOICE_WAIT_MAX || (left > 0 && *wait >= left) ||
	    choices->waits == CHOICE_WAITS_MAX)
		return CHOICE_GIVE_UP;
	choices->current = next;
	choices->waits++;
	return CHOICE_WAIT;
}

void
choices_good(struct choices *choices)
{
	choices->list[choices->current].refusals = 0;
	choices->waits = 0;
}

void
choices_bad(struct choices *choices, const struct trouble *trouble, usec_t now,
	    uint64_t random)
{
	struct choice *choice = &choices->list[choices->current];
	bool later =
	    trouble->kind == TROUBLE_LIMITED || trouble->kind == TROUBLE_OVERLOADED;
	usec_t wait = trouble->wait;

	choices->last = trouble->kind;
	choices->may_mend |= !trouble_is_final(trouble->kind);
	choice->out = !later;
	choice->refusals++;
	if (wait == 0)
		wait = retry_delay(&patience, choice->refusals, random);
	choice->not_before = now + wait;
}
