/* Validators of what is asked for again (RFC 9110 section 13.1). Pure. */
#ifndef FRONT_ETAG_CORE_H
#define FRONT_ETAG_CORE_H

#include <stdbool.h>

/* Whether the list of an If-None-Match names etag (with its quotes), by weak
 * comparison;
 * "*" names any. */
bool etag_is_listed(const char *list, const char *etag);

#endif
