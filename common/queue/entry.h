/* An entry of a list: a run's id and a step's number in network order; and list names.
 */
#ifndef QUEUE_ENTRY_H
#define QUEUE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/step_ref.h"

#define ENTRY_LEN 20

void entry_write(const struct step_ref *ref, unsigned char out[static ENTRY_LEN]);
bool entry_read(const void *data, size_t len,
		struct step_ref *out); /* false: garbage */
/* "PREFIX:q:NAME:PRIO"; the caller's. NULL when the name is no name. */
char *list_key(const char *prefix, const char *name, enum priority priority);

#endif
