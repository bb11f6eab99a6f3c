/* stepmill deny: a step that waits for approval fails. */
#include "commands.h"
#include "decide.h"

const struct arg deny_args[] = {
	{ "comment", 'm', "TEXT", "why, for who reads it" },
	SERVER_ARGS,
	COMMAND_ARGS,
};

int
cmd_deny(const struct command *command, const struct args *args)
{
	return decide_run(command, args, "deny");
}
