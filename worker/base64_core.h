/* Pure: base64 (RFC 4648, with padding): files.read and files.write, Basic auth. */
#ifndef WORKER_BASE64_CORE_H
#define WORKER_BASE64_CORE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

void base64_write(const void *data, size_t len, struct buf *out);
/* Line breaks are skipped; anything else that does not belong there is an error. */
int base64_read(const char *text, size_t len, struct buf *out, struct err *err);

#endif
