/*
 * What an agent's attempt has used: by programs that ended, and by the one at work as
 * far as it has told. Some agents tell sums of the whole session, earlier calls
 * included: those are taken off. Compared with budgets.
 */
#ifndef AGENT_SPENDING_H
#define AGENT_SPENDING_H

#include "agent/assignment.h"
#include "agent/told_core.h"
#include "store/sessions.h"

struct spending {
	const struct assignment *assignment;
	struct sessions_used before; /* by other sessions of the run and the step */
	struct usage_sum ended;      /* by programs that ended */
	struct usage base;           /* of the session, before the program at work */
	double base_usd;
};

/* The program ends: what it told is counted, and the next one begins behind it. */
void spending_end(struct spending *spending, const struct told *told);
struct usage_sum spending_now(const struct spending *spending, const struct told *told);
/* The same to be stored, with the sums of the session where the agent tells those:
 * {..., session: {inputTokens, outputTokens, cacheReadTokens, costUsd}}. */
struct json *spending_json(const struct spending *spending, const struct told *told);
/* An earlier session is gone on with, which was stored with these sums (or NULL). */
void spending_resume(struct spending *spending, const struct json *sums);
/* True and why when nothing is left of a budget. */
bool spending_is_over(const struct spending *spending, const struct told *told,
		      struct buf *why);

#endif
