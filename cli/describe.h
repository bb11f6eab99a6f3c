/* Asks a workflow program what it is, by `stepmill-worker --describe` beside this
 * binary: the program runs as workers run programs. */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include <stdbool.h>

#include "base/doc.h"

bool describe_is_program(const char *path); /* by its name */
/* What is registered of it, as text that reads like a workflow; the caller's. NULL with
 * at least one problem, which has its place in the file. Takes up to 10 s. */
char *describe_program(const char *path, struct problems *problems);

#endif
