/* stepmill rerun: runs a run again from its beginning. */
#include "again.h"
#include "commands.h"

const struct arg rerun_args[] = { SERVER_ARGS, COMMAND_ARGS };

int
cmd_rerun(const struct command *command, const struct args *args)
{
	return again_run(command, args, "rerun");
}
