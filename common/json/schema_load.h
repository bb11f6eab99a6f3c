/* Making nodes of a document: what `$id`, `$schema` and anchors name, and the problems
 * with their places. What the other keywords mean stands in schema_keywords.c. */
#ifndef JSON_SCHEMA_LOAD_H
#define JSON_SCHEMA_LOAD_H

#include "json/schema_node.h"

#define LOAD_DEPTH_MAX 200 /* subschemas inside one another in a document */

struct loader {
	struct schema *schema;
	const struct schema_options *options;
	struct problems *problems;
	size_t told; /* problems by now */
	unsigned depth;
	size_t regex_size;
};

struct spot spot_of(const struct node *node, const char *keyword);
struct spot spot_key(const struct node *node, const char *keyword, const char *key);
struct spot spot_index(const struct node *node, const char *keyword, size_t index);
/* Not what the keyword needs: for "expected a list, got a number" and the like. */
void load_problem(struct loader *loader, struct spot spot, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The node of a subschema, at once with all in it. NULL when it is no schema. */
struct node *load_node(struct loader *loader, const struct json *json, struct spot spot,
		       struct resource *resource);
/* A whole document, known as uri from now on. NULL when it is no schema. */
struct node *load_document(struct loader *loader, const struct json *json,
			   const char *uri, const char *shown);
/* The resource with this URI; a document that is known and not read yet is read. */
struct resource *load_resource(struct loader *loader, const char *uri);

#endif
