/* Removing what deleted runs left in their projects: some files a turn, in the
 * background. What a front does not get to before it ends stays. */
#ifndef FRONT_RUN_FILES_H
#define FRONT_RUN_FILES_H

#include "base/uuid7.h"
#include "loop/loop.h"

struct run_files;

struct run_files *run_files_new(struct loop *loop);
void run_files_free(struct run_files **files_p);
/* project: the path of its folder. */
void run_files_remove(struct run_files *files, const char *project,
		      const struct uuid *run);

#endif
