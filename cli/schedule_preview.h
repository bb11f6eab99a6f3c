/* stepmill schedule preview EXPR. */
#ifndef CLI_SCHEDULE_PREVIEW_H
#define CLI_SCHEDULE_PREVIEW_H

#include "command.h"

int preview_run(const struct command *command, const struct args *args);

#endif
