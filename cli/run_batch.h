/*
 * Many runs of one workflow, from a file: JSON lines, or one JSON list. The whole file
 * is read and checked before the first run is started; then they go in calls of
 * BATCH_RUNS, each of which starts all of its runs or none, once.
 */
#ifndef CLI_RUN_BATCH_H
#define CLI_RUN_BATCH_H

#include "server.h"

#define BATCH_RUNS     10000
#define BATCH_BYTES    (32UL * 1024 * 1024) /* of one call */
#define BATCH_FILE_MAX ((size_t)256 * 1024 * 1024)

struct run_batch;

/* "-": standard input. NULL: err says what is wrong, and in which line. */
struct run_batch *run_batch_read(const char *path, struct err *err);
void run_batch_free(struct run_batch **batch_p);
/* Prints the ids in the order of the inputs (on a terminal: how many there are); what
 * was started before a refusal is printed, too. */
int run_batch_start(struct run_batch *batch, const struct command *command,
		    const struct args *args, struct server *server,
		    const char *workflow);

#endif
