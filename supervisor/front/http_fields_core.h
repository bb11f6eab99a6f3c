/* The header fields that decide about framing, address and identity. Pure; a part of
 * http_core. */
#ifndef FRONT_HTTP_FIELDS_CORE_H
#define FRONT_HTTP_FIELDS_CORE_H

#include "front/http_core.h"

/* A field is complete. NULL, or what is wrong; *status is 400 unless set otherwise. */
const char *http_fields_take(struct http_parser *parser, const char *name,
			     const char *value, int *status);
/* The head is complete. */
const char *http_fields_end(struct http_parser *parser, int *status);

#endif
