/*
 * The processes that `stepmill dev` keeps: each in a group of its own, so that Ctrl-C
 * reaches only dev itself, each told to end should dev die, its output in a log file.
 */
#ifndef DEV_PROCESS_H
#define DEV_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/usec.h"
#include "dev/place.h"

struct process {
	const char *name;
	const char *const *argv; /* argv[0] is a path */
	const char *log;         /* file, appended to */
	bool as_other;           /* as place->uid */
	int end_signal;          /* asks it to end; a second one asks it to hurry */
	int orphan_signal;       /* when dev is gone; 0: the same */
	pid_t pid;               /* 0: not running */
};

int process_start(struct process *process, const struct place *place, struct err *err);
/* Runs it to its end; its last line of output becomes the error. */
int process_run(struct process *process, const struct place *place, struct err *err);
/* Asks it to end, waits, kills it when patience is over. A SIGINT or SIGTERM that comes
 * meanwhile (they must be blocked) is handed on: hurry. */
void process_stop(struct process *process, usec_t patience);
/* Has it ended by itself? Then pid is 0 and *status as of waitpid. */
bool process_has_ended(struct process *process, int *status);
/* "ended with status 3", "was killed by signal 9". Returns out. */
char *process_end_text(int status, char *out, size_t size);

#endif
