/*
 * Bringing a file (or a folder) safely to the disk without waiting for it: by the C
 * library's own helper thread, looked after by a timer.
 */
#ifndef LOOP_FILE_SYNC_H
#define LOOP_FILE_SYNC_H

#include "loop/loop.h"

struct file_sync;

/* error: of errno; 0: it is on the disk. Called once, on a later turn. */
typedef void file_sync_fn(void *context, int error);

/* The descriptor stays the caller's, who may close it at once. */
struct file_sync *file_sync_new(struct loop *loop, int fd, file_sync_fn *done,
				void *context);
/* done will not come any more; what the disk is doing goes on. */
void file_sync_cancel(struct file_sync **sync_p);

#endif
