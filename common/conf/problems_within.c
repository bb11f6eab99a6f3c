/* Names in front of problems. See problems_within.h. */
#include "conf/problems_within.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void
problems_within(struct problems *problems, size_t first, const char *name)
{
	for (size_t i = first; i < problems->count; i++) {
		struct problem *problem = &problems->list[i];
		bool of_member = strncmp(problem->message, "expected ", 9) != 0;
		char *message =
		    xprintf("%s%s%s", name, of_member ? "." : ": ", problem->message);

		free(problem->message);
		problem->message = message;
	}
}
