/*
 * Folders for temporary files: one per worker process, locked while it lives, so that
 * the next one can tell what a dead worker left behind and remove it.
 */
#ifndef WORKER_TEMP_FOLDER_H
#define WORKER_TEMP_FOLDER_H

#include <stdbool.h>

#include "base/err.h"

/* In $TMPDIR or /tmp. The path is the caller's; NULL with err. */
char *temp_folder_new(int *lock, struct err *err);
/* Removes it when it is empty, and lets go of the lock. */
void temp_folder_free(char **folder_p, int *lock);
/* Calls remove for each folder beside this one that a dead worker of ours left. */
void temp_folder_sweep(const char *folder,
		       void (*remove)(void *context, const char *path), void *context);
/* Removes a folder with a handful of files. False: there is more in it (some of it may
 * be gone by now). */
bool temp_folder_remove_small(const char *path);

#endif
