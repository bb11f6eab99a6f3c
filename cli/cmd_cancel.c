/* stepmill cancel: ends runs; what of them runs is stopped. */
#include "changes.h"
#include "commands.h"

const struct arg cancel_args[] = { SERVER_ARGS, COMMAND_ARGS };

int
cmd_cancel(const struct command *command, const struct args *args)
{
	return changes_run(command, args, "cancel");
}
