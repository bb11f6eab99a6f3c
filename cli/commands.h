/* The table of commands: each is one file, and one row in commands.c. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "command.h"

#define COMMAND(name)                                                                  \
	extern const struct arg name##_args[];                                         \
	int cmd_##name(const struct command *command, const struct args *args)

COMMAND(approvals);
COMMAND(approve);
COMMAND(artifacts);
COMMAND(bench);
COMMAND(bots);
COMMAND(cancel);
COMMAND(comment);
COMMAND(completion);
COMMAND(ctx);
COMMAND(deny);
COMMAND(dev);
COMMAND(doctor);
COMMAND(dry_run);
COMMAND(events);
COMMAND(heartbeat);
COMMAND(audit);
COMMAND(keys);
COMMAND(list);
COMMAND(logs);
COMMAND(migrate);
COMMAND(pause);
COMMAND(projects);
COMMAND(rerun);
COMMAND(resume);
COMMAND(retry);
COMMAND(run);
COMMAND(scale);
COMMAND(schedule);
COMMAND(show);
COMMAND(skills);
COMMAND(test_step);
COMMAND(top);
COMMAND(validate);
COMMAND(why);
COMMAND(workflows);

#undef COMMAND

extern const struct command commands[];
/* NULL: there is none of that name. */
const struct command *command_find(const char *name);

#endif
