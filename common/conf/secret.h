/* Secrets that may be named instead of written: file:/path and env:NAME. */
#ifndef CONF_SECRET_H
#define CONF_SECRET_H

#include "base/err.h"

#define SECRET_MAX (64 * 1024) /* bytes of a file */

/* What the text names, or the text itself; line ends behind a file's are left out. The
 * caller's; NULL with err (ERR_INPUT, which tells the name, never the secret). Reads a
 * file without waiting: no fifo or device can hang the caller. */
char *secret_follow(const char *text, struct err *err);

#endif
