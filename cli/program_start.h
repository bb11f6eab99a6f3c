/*
 * A workflow program, started by hand: in which way its kind of file is run, with the
 * SDK in reach, and a descriptor to speak over (docs/program-protocol.md).
 */
#ifndef CLI_PROGRAM_START_H
#define CLI_PROGRAM_START_H

#include <sys/types.h>

#include "base/err.h"

struct started {
	pid_t pid;
	int fd;       /* our end */
	char *folder; /* of files made for it, or NULL */
};

/* ERR_INPUT: it is no program. What the program writes goes to standard error. */
int program_start(const char *path, struct started *started, struct err *err);
/* Ends it if it has not ended, with its group; its wait status. */
int program_stop(struct started *started);

#endif
