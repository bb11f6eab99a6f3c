/* Logs of runs, for other answers that show one. */
#ifndef FRONT_API_LOGS_H
#define FRONT_API_LOGS_H

#include "base/buf.h"

/* Appends the entries of a log as a JSON array, the last of them where it is long; an
 * empty one where there is none. project: its path; path: of the log, relative to it.
 */
void api_write_log(const char *project, const char *path, struct buf *out);

#endif
