/* Pure: how a reason is put together, and what one answer is made from. For why_core.c
 * and why_step_core.c only. */
#ifndef FRONT_WHY_REASON_CORE_H
#define FRONT_WHY_REASON_CORE_H

#include "engine/status.h"
#include "engine/workflow.h"

#define WHY_COUNT 1000 /* where sql/runs_why.sql stops counting */
#define WHY_NAME  200  /* room for how a step is called */

struct why {
	const struct json *facts;
	const struct workflow *workflow; /* or NULL */
	struct json *reasons;
	enum run_status status;
};

/* ---- the facts ---- */

const char *why_text(const struct json *from, const char *key);
int why_number(const struct json *from, const char *key);
/* A time that is still to come. */
bool why_is_ahead(const struct why *why, const char *time);
struct json *why_upper(const char *name); /* as the API writes a status */

/* ---- a reason ---- */

/* step: a row of the facts, or NULL: of the whole run. Borrowed from the list. */
struct json *why_add(struct why *why, const char *kind, const struct json *step,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Takes over a member under the name; none where there is none. */
void why_copy(struct json *to, const char *name, const struct json *from,
	      const char *key);
/* `step "build"`, `item 3 of step "build"`. */
const char *why_name(const struct json *step, char out[static WHY_NAME]);
/* `until`, and when it goes on: nothing does while no scheduler runs. */
void why_add_clock(const struct why *why, struct json *reason, const char *time);
void why_add_position(struct json *reason, int before);

#endif
