/* Pure: the pool as a line of JSON, as GET /api/pool shows it. */
#ifndef POOL_REPORT_CORE_H
#define POOL_REPORT_CORE_H

#include <stddef.h>

#include "base/buf.h"
#include "pool/pool_core.h"

/* Adds {"desired":2,"workers":[{..}],"waiting":0,"refused":0,"draining":false} of at
 * most `most` bytes (at least 256). workers are processes in order of age; those that
 * do not fit are counted in "more". waiting: places whose next start is delayed;
 * refused: places that stay empty because their process called the configuration wrong.
 */
void report_write(const struct pool_core *core, size_t most, struct buf *out);

#endif
