/*
 * The documents of the API, from docs/api/NAME.yaml: made into JSON and embedded when
 * this is built (cmake/embed_documents.py). They hold no secrets.
 */
#ifndef FRONT_DOCUMENTS_H
#define FRONT_DOCUMENTS_H

#include <stddef.h>

struct document {
	const char *name; /* "openapi"; NULL ends the table */
	const char *etag; /* with its quotes; it changes with the text */
	const char *text; /* JSON, NUL-terminated */
	size_t len;
};

extern const struct document documents[];

#endif
