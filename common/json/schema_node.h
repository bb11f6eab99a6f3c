/*
 * What a schema is compiled to: a node per subschema, with a part for each kind of
 * value, which is there only when some keyword asks for it. Between the rooms of
 * schema; not to be included from elsewhere.
 */
#ifndef JSON_SCHEMA_NODE_H
#define JSON_SCHEMA_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "json/schema.h"
#include "json/schema_dialect.h"
#include "json/schema_format.h"

#define NO_INDEX SIZE_MAX

struct node;

/* A place in a schema: a keyword of a node, or a member or an item of its value. */
struct spot {
	const struct node *up; /* NULL: the top of a document */
	const char *keyword;
	const char *key; /* or NULL */
	size_t index;    /* or NO_INDEX */
};

/* A schema with a URI of its own, and all of the document that belongs to it. */
struct resource {
	char *uri; /* absolute as far as is known, no fragment; "" without `$id` */
	struct dialect dialect;
	struct node *top;
	struct map *anchors; /* name -> node */
	struct map *dynamic; /* name -> node; "" is `$recursiveAnchor` */
};

struct number_rules {
	const struct json *min, *max, *above, *below, *multiple_of; /* or NULL */
};

struct string_rules {
	int64_t min, max; /* code points */
	void *pattern;
	const char *pattern_text;
	const struct schema_format *format; /* that is asserted */
};

struct array_rules {
	int64_t min, max;
	bool unique;
	bool has_tuple; /* `items` was an array: then `additionalItems` is the rest */
	struct node **first;
	size_t first_count;
	struct node *rest; /* NULL: anything */
	struct node *contains;
	int64_t min_contains, max_contains;
};

struct pattern_rule {
	void *regex;
	struct node *node;
};

struct need { /* of a member that is there */
	const char *key;
	const struct json *names; /* or NULL: */
	struct node *node;
};

struct object_rules {
	int64_t min, max;
	const struct json *required;
	struct map *members; /* name -> node */
	struct pattern_rule *patterns;
	size_t patterns_count;
	struct node *others; /* NULL: anything */
	struct node *names;
	struct need *needs;
	size_t needs_count;
};

struct node_list {
	struct node **nodes;
	size_t count;
};

struct logic_rules {
	struct node_list all, any, one;
	struct node * not ;
	struct node *when, *then, *otherwise;
};

/* `$ref`, and the two that look at where one comes from. */
struct reference {
	const char *text;
	const char *dynamic; /* the anchor's name, when it is followed dynamically */
	struct node *node;   /* where it leads without that */
};

struct node {
	struct spot spot;
	const struct json *json;
	struct resource *resource;
	bool never;              /* the schema false */
	unsigned types;          /* bits 1 << enum schema_type; 0: any */
	const struct json *list; /* `enum` */
	struct hashed *hashes;   /* of its values, sorted */
	const struct json *constant;
	bool has_constant;
	int64_t constant_weight;
	struct number_rules *number;
	struct string_rules *string;
	struct array_rules *array;
	struct object_rules *object;
	struct logic_rules *logic;
	struct reference ref, dynamic_ref;
	struct node *other_items, *other_members; /* unevaluated... */
	unsigned char walk; /* of the search for endless references */
};

enum schema_type {
	TYPE_NULL,
	TYPE_BOOLEAN,
	TYPE_INTEGER,
	TYPE_NUMBER,
	TYPE_STRING,
	TYPE_ARRAY,
	TYPE_OBJECT,
	SCHEMA_TYPES
};
extern const char *const schema_type_names[SCHEMA_TYPES + 1];

struct schema {
	const struct schema_regex *regex;
	struct json **documents;
	size_t documents_count;
	struct node **nodes;
	size_t nodes_count, nodes_capacity;
	struct resource **resources;
	size_t resources_count;
	struct map *by_uri;  /* -> resource */
	struct map *by_json; /* address of a value -> node */
	struct node *top;
};

void schema_node_free(struct node *node, const struct schema_regex *regex);
struct number_rules *schema_node_number(struct node *node); /* made when missing */
struct string_rules *schema_node_string(struct node *node);
struct array_rules *schema_node_array(struct node *node);
struct object_rules *schema_node_object(struct node *node);
struct logic_rules *schema_node_logic(struct node *node);

#endif
