/*
 * Puts the tree together from what libyaml tells, one event at a time: limits, anchors
 * and aliases, merge keys, duplicate keys. Knows no libyaml. Calls return -1, with a
 * problem added, when reading on makes no sense.
 */
#ifndef CONF_YAML_TREE_H
#define CONF_YAML_TREE_H

#include <stdbool.h>

#include "base/doc.h"

struct yaml_tree;

struct yaml_place {
	int line, column;
	const char *anchor; /* the name it is given, or NULL */
};

struct yaml_tree *yaml_tree_new(struct problems *problems);
void yaml_tree_free(struct yaml_tree **tree_p);
int yaml_tree_scalar(struct yaml_tree *tree, const struct yaml_place *place,
		     const char *text, size_t len, bool quoted);
int yaml_tree_open(struct yaml_tree *tree, const struct yaml_place *place,
		   enum doc_kind kind);
int yaml_tree_close(struct yaml_tree *tree);
int yaml_tree_alias(struct yaml_tree *tree, const struct yaml_place *place,
		    const char *name);
/* Adds a problem with the path to where the tree is being built. */
void yaml_tree_complain(struct yaml_tree *tree, const struct yaml_place *place,
			const char *format, ...) __attribute__((format(printf, 3, 4)));
struct doc *yaml_tree_take(struct yaml_tree *tree); /* the root, or NULL */

#endif
