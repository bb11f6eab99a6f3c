/* stepmill audit list: who changed what, newest first. */
#ifndef CLI_AUDIT_LIST_H
#define CLI_AUDIT_LIST_H

#include "command.h"

int audit_list(const struct command *command, const struct args *args);

#endif
