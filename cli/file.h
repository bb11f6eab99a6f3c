/* A file that a person named on the command line, read whole up to a limit. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include <stddef.h>

#include "base/err.h"

/* "-" is standard input. NUL-terminated, the caller's; NULL: why not stands in err. */
char *file_read(const char *path, size_t most, size_t *len, struct err *err);

#endif
