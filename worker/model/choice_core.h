/*
 * Pure: which model of a list is asked next. The first that works is kept; one in
 * trouble is left for the next; those that asked for patience are asked again when
 * their time has come, if nobody else is left.
 */
#ifndef MODEL_CHOICE_CORE_H
#define MODEL_CHOICE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/trouble_core.h"

#define CHOICE_WAITS_MAX 4                  /* of one call, all models together */
#define CHOICE_WAIT_MAX  (60 * USEC_SECOND) /* longer ones are not sat out here */

struct choice {
	bool out;          /* not in this attempt any more */
	usec_t not_before; /* monotonic */
	int refusals;      /* in a row */
};

struct choices {
	struct choice *list;
	size_t count, current;
	int waits; /* since the last answer */
	enum trouble_kind last;
	bool may_mend; /* some trouble so far was not final */
};

enum choice_verdict { CHOICE_CALL, CHOICE_WAIT, CHOICE_GIVE_UP };

/* At now. CHOICE_WAIT and CHOICE_GIVE_UP: *wait is how long the first of those that
 * asked for patience wants, or 0. left: of the attempt's time; 0: no limit. */
enum choice_verdict choices_next(struct choices *choices, usec_t now, usec_t left,
				 usec_t *wait);
/* The current one answered. */
void choices_good(struct choices *choices);
/* It did not. random: any 64 bits, for jitter where nobody said how long. */
void choices_bad(struct choices *choices, const struct trouble *trouble, usec_t now,
		 uint64_t random);

#endif
