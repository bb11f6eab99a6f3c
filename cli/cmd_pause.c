/* stepmill pause: nothing more of these runs is begun until they are resumed. */
#include "changes.h"
#include "commands.h"

const struct arg pause_args[] = { SERVER_ARGS, COMMAND_ARGS };

int
cmd_pause(const struct command *command, const struct args *args)
{
	return changes_run(command, args, "pause");
}
