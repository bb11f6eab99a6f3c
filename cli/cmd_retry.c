/* stepmill retry: runs a failed run again from where it failed. */
#include "again.h"
#include "commands.h"

const struct arg retry_args[] = { SERVER_ARGS, COMMAND_ARGS };

int
cmd_retry(const struct command *command, const struct args *args)
{
	return again_run(command, args, "retry");
}
