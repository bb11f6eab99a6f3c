/*
 * After a child's death: first its process tree goes, then somebody who can reach the
 * database is told to declare it dead. Not here: starting its successor, which waits
 * for neither.
 */
#ifndef POOL_BURIALS_H
#define POOL_BURIALS_H

#include <stdbool.h>

#include "base/ending.h"
#include "loop/loop.h"
#include "pool/pool_core.h"

struct burials;

/* Borrows the core for its whole life. */
struct burials *burials_new(struct loop *loop, struct pool_core *core);
void burials_free(struct burials **burials_p);
/* The child ended. worker: whom to declare dead, or NULL for nobody. Orphans are looked
 * for in either case, by the next burials_go. */
void burials_add(struct burials *burials, pid_t child, const struct uuid *worker,
		 const struct ending *ending);
/* After each reaping, and whenever a child became ready: goes as far as it can. */
void burials_go(struct burials *burials);
bool burials_orphans_left(const struct burials *burials);

#endif
