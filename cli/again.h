/* retry and rerun: both make a new run of an old one, whose id is printed. */
#ifndef CLI_AGAIN_H
#define CLI_AGAIN_H

#include "command.h"

int again_run(const struct command *command, const struct args *args, const char *verb);

#endif
