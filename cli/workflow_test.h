/* stepmill workflows test: a workflow program against recorded results. */
#ifndef CLI_WORKFLOW_TEST_H
#define CLI_WORKFLOW_TEST_H

#include "command.h"

int workflow_test(const struct command *command, const struct args *args);

#endif
