/* The metaschemas of the drafts that are known, built in. */
#ifndef JSON_SCHEMA_META_H
#define JSON_SCHEMA_META_H

#include "json/json.h"

/* The document with this URI, the caller's; *name is its URI as built in, which stays.
 * NULL: there is none. */
struct json *schema_meta_get(const char *uri, const char **name);

struct schema_meta {
	const char *uri, *text;
};

/* Both end with a NULL uri. See schema_meta_tables.py. */
extern const struct schema_meta schema_meta_2020[];
extern const struct schema_meta schema_meta_older[];

#endif
