/* Pure: the last messages of a step's log, out of the end of its file. */
#ifndef WORKER_LOG_TAIL_CORE_H
#define WORKER_LOG_TAIL_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "json/json.h"

#define LOG_TAIL_LINES 20
#define LOG_TAIL_BYTES (32 * 1024) /* of the file's end */

/* An array of texts, oldest first; the caller's. cut: text begins inside a line. What
 * is no line of a step's log (programs may write to the file, too) is passed over. */
struct json *log_tail(const char *text, size_t len, bool cut);

#endif
