/* noop: nothing, at once. */
#include "actions/actions.h"

static struct json *
do_nothing(const struct attempt *attempt, struct err *err)
{
	(void)attempt;
	(void)err;
	return NULL;
}

const struct action action_noop = { .name = "noop", .now = do_nothing };
