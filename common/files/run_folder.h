/* Where the files of a run are, in its project. */
#ifndef FILES_RUN_FOLDER_H
#define FILES_RUN_FOLDER_H

#include <stddef.h>

#include "base/err.h"
#include "base/uuid7.h"

/* ".agent/workflows/executions/ID", relative to the project; the caller's. */
char *run_folder_path(const struct uuid *run);
/* What it says of itself: metadata.json in there, replaced as a whole. */
int run_folder_write_metadata(const char *project, const struct uuid *run,
			      const char *text, size_t len, struct err *err);

#endif
