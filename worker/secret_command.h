/* One run of a command that prints a secret: with the limits of every child program of
 * a worker, without a step. */
#ifndef WORKER_SECRET_COMMAND_H
#define WORKER_SECRET_COMMAND_H

#include "actions/action.h"
#include "conf/secrets.h"

struct secret_command;

/* value: what it printed, without the line ends behind it; NULL: err says why not, and
 * tells nothing of what was printed. The command may be freed in it. */
typedef void secret_printed_fn(void *context, const char *value, const struct err *err);

/* NULL with err: it does not run, done will not come. services and source are borrowed
 * until it is freed. */
struct secret_command *secret_command_new(const struct services *services,
					  const struct secret_source *source,
					  secret_printed_fn *done, void *context,
					  struct err *err);
void secret_command_free(struct secret_command **command_p);

#endif
