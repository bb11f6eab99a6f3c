/* Says in the log which runs were taken up again, by the names that people know. */
#ifndef SCHEDULER_RECOVERY_H
#define SCHEDULER_RECOVERY_H

#include "store/workers.h"

void recovery_log(struct pg *pg, const struct uuid *worker,
		  const struct ready_ref *refs, size_t count);

#endif
