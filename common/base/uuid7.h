/* UUIDv7 (RFC 9562): ids that sort by the time they were made. */
#ifndef BASE_UUID7_H
#define BASE_UUID7_H

#include <stdbool.h>
#include <stddef.h>

#include "base/usec.h"

#define UUID_TEXT 37 /* 36 characters and the NUL */

struct uuid {
	unsigned char b[16];
};

/* A new id for this moment. Within one process ids strictly rise. */
struct uuid uuid7_new(usec_t now);
bool uuid_parse(const char *text, size_t len, struct uuid *out); /* the 36-char form */
char *uuid_format(const struct uuid *id, char out[static UUID_TEXT]); /* returns out */
bool uuid_equal(const struct uuid *a, const struct uuid *b);
int uuid_compare(const struct uuid *a, const struct uuid *b); /* as PostgreSQL sorts */
bool uuid_is_nil(const struct uuid *id);

#endif
