/* The life of a node and of its parts. */
#include "json/schema_node.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "json/schema_hash.h"

const char *const schema_type_names[SCHEMA_TYPES + 1] = {
	[TYPE_NULL] = "null",       [TYPE_BOOLEAN] = "boolean",
	[TYPE_INTEGER] = "integer", [TYPE_NUMBER] = "number",
	[TYPE_STRING] = "string",   [TYPE_ARRAY] = "array",
	[TYPE_OBJECT] = "object",
};

struct number_rules *
schema_node_number(struct node *node)
{
	if (node->number == NULL)
		node->number = xcalloc(1, sizeof *node->number);
	return node->number;
}

struct string_rules *
schema_node_string(struct node *node)
{
	if (node->string == NULL) {
		node->string = xcalloc(1, sizeof *node->string);
		node->string->max = INT64_MAX;
	}
	return node->string;
}

struct array_rules *
schema_node_array(struct node *node)
{
	if (node->array == NULL) {
		node->array = xcalloc(1, sizeof *node->array);
		node->array->max = INT64_MAX;
		node->array->min_contains = 1;
		node->array->max_contains = INT64_MAX;
	}
	return node->array;
}

struct object_rules *
schema_node_object(struct node *node)
{
	if (node->object == NULL) {
		node->object = xcalloc(1, sizeof *node->object);
		node->object->max = INT64_MAX;
	}
	return node->object;
}

struct logic_rules *
schema_node_logic(struct node *node)
{
	if (node->logic == NULL)
		node->logic = xcalloc(1, sizeof *node->logic);
	return node->logic;
}

static void
object_free(struct object_rules *object, const struct schema_regex *regex)
{
	if (object == NULL)
		return;
	for (size_t i = 0; i < object->patterns_count; i++)
		if (object->patterns[i].regex != NULL)
			regex->free(object->patterns[i].regex);
	map_free(&object->members, NULL);
	free(object->patterns);
	free(object->needs);
	free(object);
}

void
schema_node_free(struct node *node, const struct schema_regex *regex)
{
	if (node->string != NULL && node->string->pattern != NULL)
		regex->free(node->string->pattern);
	if (node->array != NULL)
		free(node->array->first);
	if (node->logic != NULL) {
		free(node->logic->all.nodes);
		free(node->logic->any.nodes);
		free(node->logic->one.nodes);
	}
	object_free(node->object, regex);
	free(node->hashes);
	free(node->number);
	free(node->string);
	free(node->array);
	free(node->logic);
	free(node);
}
