/* What commands that change runs have in common: one question per run named. */
#ifndef CLI_CHANGES_H
#define CLI_CHANGES_H

#include "command.h"
#include "server.h"

/* POST /api/executions/RUN/VERB for each word; prints what became of each. */
int changes_run(const struct command *command, const struct args *args,
		const char *verb);
/* One answer {executionId, status}: as JSON, or "RUN STATUS". */
void changes_print(const char *run, const struct json *answer, bool json);

#endif
