/* approve and deny: RUN and the step that waits; without one, the only one that does.
 */
#ifndef CLI_DECIDE_H
#define CLI_DECIDE_H

#include "command.h"

int decide_run(const struct command *command, const struct args *args,
	       const char *verb);

#endif
