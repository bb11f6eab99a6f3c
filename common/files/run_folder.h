/* Where the files of a run are, in its project. */
#ifndef FILES_RUN_FOLDER_H
#define FILES_RUN_FOLDER_H

#include "base/uuid7.h"

/* ".agent/workflows/executions/ID", relative to the project; the caller's. */
char *run_folder_path(const struct uuid *run);

#endif
