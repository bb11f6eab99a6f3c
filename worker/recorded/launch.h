/*
 * How a workflow program is started: which file, by what. The version that the run
 * started with is what runs: the file itself while it is as it was registered, else its
 * registered text beside it, or (where that folder cannot be written) apart from it.
 */
#ifndef RECORDED_LAUNCH_H
#define RECORDED_LAUNCH_H

#include "actions/script.h"
#include "conf/settings.h"
#include "engine/workflow.h"
#include "program.h"

struct launch {
	char *path; /* that runs */
	char *copy; /* that is removed afterwards, or NULL */
	char *words[6];
	const char *argv[7];
	struct pairs environment;
};

/* program: for files of its private folder. -1 with err (ERR_CONFLICT: its file is
 * another one by now). */
int launch_prepare(struct launch *launch, const struct program_def *def,
		   const struct settings *settings, struct program *program,
		   struct err *err);
void launch_fini(struct launch *launch);
/* Reads a file of at most max bytes; the text is the caller's. NULL with err. */
char *launch_read_file(const char *path, size_t max, size_t *len, struct err *err);

#endif
