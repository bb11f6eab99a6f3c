/* Pure: what becomes of a call with an Idempotency-Key, from what is stored under it.
 */
#ifndef FRONT_CHANGE_CORE_H
#define FRONT_CHANGE_CORE_H

#include <stdbool.h>

struct change_known {
	bool locked; /* nobody else has the key at the moment */
	bool found;  /* there is a row */
	bool same;   /* of a call in the same words */
};

enum change_verdict {
	CHANGE_GO,
	CHANGE_REPEAT, /* give the stored answer */
	CHANGE_REFUSE, /* another call has this key */
	CHANGE_WAIT    /* the call with this key is still running */
};

enum change_verdict change_judge(const struct change_known *known);

#endif
