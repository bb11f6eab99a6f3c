/* What each keyword means: reads its value into the parts of a node. */
#ifndef JSON_SCHEMA_KEYWORDS_H
#define JSON_SCHEMA_KEYWORDS_H

#include "json/schema_load.h"

/* A keyword that the node's dialect does not have is left alone. */
void schema_keywords_read(struct loader *loader, struct node *node, const char *name,
			  const struct json *value);

typedef void keyword_fn(struct loader *loader, struct node *node, const char *name,
			const struct json *value);

struct keyword {
	const char *name;
	unsigned drafts, vocabulary;
	keyword_fn *read;
};

/* Those that hold subschemas (schema_keywords_sub.c), and all others. A NULL name ends
 * the table. */
extern const struct keyword schema_keywords_sub[];
extern const struct keyword schema_keywords_plain[];

/* False with a problem when the value is of another type. */
bool schema_keywords_want(struct loader *loader, struct spot spot,
			  const struct json *value, enum json_type type);
bool schema_keywords_names(struct loader *loader, struct spot spot,
			   const struct json *value);
void *schema_keywords_regex(struct loader *loader, struct spot spot, const char *text,
			    size_t len);

#endif
