/* stepmill resume: paused runs go on, crashed ones begin again where they stood. */
#include "changes.h"
#include "commands.h"

const struct arg resume_args[] = { SERVER_ARGS, COMMAND_ARGS };

int
cmd_resume(const struct command *command, const struct args *args)
{
	return changes_run(command, args, "resume");
}
