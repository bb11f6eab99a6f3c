/* stepmill approve: a step that waits for approval may run. */
#include "commands.h"
#include "decide.h"

const struct arg approve_args[] = {
	{ "comment", 'm', "TEXT", "why, for who reads it" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

int
cmd_approve(const struct command *command, const struct args *args)
{
	return decide_run(command, args, "approve");
}
