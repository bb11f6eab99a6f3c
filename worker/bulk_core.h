/*
 * Pure: how much a JSON value is, without writing it. Shared parts count as often as
 * they stand in it, and counting stops past a limit, so a small value that names a
 * large one a thousand times costs no more than the limit.
 */
#ifndef WORKER_BULK_CORE_H
#define WORKER_BULK_CORE_H

#include <stddef.h>

#include "json/json.h"

/* No byte of text needs more than this many as JSON: \u0001. */
#define BULK_ESCAPED_MAX 6
#define BULK_MAX         (64 * 1024 * 1024) /* of anything that is stored with a step */

/* Times BULK_ESCAPED_MAX never less than its length as JSON text. More than most as
 * soon as it is clear. */
size_t bulk_of(const struct json *json, size_t most);

#endif
