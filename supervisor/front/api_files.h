/* Files of a run over HTTP: its logs and its artifacts. */
#ifndef FRONT_API_FILES_H
#define FRONT_API_FILES_H

#include "base/buf.h"
#include "front/route.h"

void api_logs(struct exchange *exchange);
void api_logs_download(struct exchange *exchange);
/* Appends the entries of a log as a JSON array, the last of them where it is long; an
 * empty one where there is none. project: its path; path: of the log, relative to it.
 */
void api_write_log(const char *project, const char *path, struct buf *out);
void api_artifacts(struct exchange *exchange);
void api_artifact_download(struct exchange *exchange);

#endif
