/* The keywords that hold subschemas. Those of a subschema that is no schema at all are
 * left out: then the problem is told already and nothing will be checked. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "json/schema_keywords.h"

/* ---- one, many, by name ---- */

static struct node *
read_sub(struct loader *loader, struct node *node, const char *name,
	 const struct json *value)
{
	return load_node(loader, value, spot_of(node, name), node->resource);
}

static struct node_list
read_list(struct loader *loader, struct node *node, const char *name,
	  const struct json *value)
{
	struct node_list list = { 0 };

	if (!schema_keywords_want(loader, spot_of(node, name), value, JSON_ARRAY))
		return list;
	list.nodes = xcalloc(json_count(value) + 1, sizeof(struct node *));
	for (size_t i = 0; i < json_count(value); i++) {
		struct node *sub = load_node(loader, json_at(value, i),
					     spot_index(node, name, i), node->resource);

		if (sub != NULL)
			list.nodes[list.count++] = sub;
	}
	return list;
}

static struct node *
read_named(struct loader *loader, struct node *node, const char *name,
	   const struct json_iter *it)
{
	return load_node(loader, it->value, spot_key(node, name, it->key),
			 node->resource);
}

/* ---- a place for names only ---- */

static void
read_definitions(struct loader *loader, struct node *node, const char *name,
		 const struct json *value)
{
	if (!schema_keywords_want(loader, spot_of(node, name), value, JSON_OBJECT))
		return;
	for (struct json_iter it = json_iter(value); json_next(&it);)
		read_named(loader, node, name, &it);
}

/* ---- objects ---- */

static void
read_properties(struct loader *loader, struct node *node, const char *name,
		const struct json *value)
{
	struct object_rules *rules = schema_node_object(node);

	if (!schema_keywords_want(loader, spot_of(node, name), value, JSON_OBJECT))
		return;
	rules->members = map_new();
	for (struct json_iter it = json_iter(value); json_next(&it);) {
		struct node *sub = read_named(loader, node, name, &it);

		if (sub != NULL)
			map_put(rules->members, it.key, it.key_len, sub);
	}
}

static void
read_patterns(struct loader *loader, struct node *node, const char *name,
	      const struct json *value)
{
	struct object_rules *rules = schema_node_object(node);

	if (!schema_keywords_want(loader, spot_of(node, name), value, JSON_OBJECT))
		return;
	rules->patterns = xcalloc(json_count(value) + 1, sizeof *rules->patterns);
	for (struct json_iter it = json_iter(value); json_next(&it);) {
		struct pattern_rule rule;

		rule.node = read_named(loader, node, name, &it);
		rule.regex = schema_keywords_regex(loader, spot_key(node, name, it.key),
						   it.key, it.key_len);
		if (rule.regex != NULL)
			rules->patterns[rules->patterns_count++] = rule;
	}
}

static void
read_others(struct loader *loader, struct node *node, const char *name,
	    const struct json *value)
{
	schema_node_object(node)->others = read_sub(loader, node, name, value);
}

static void
read_names(struct loader *loader, struct node *node, const char *name,
	   const struct json *value)
{
	schema_node_object(node)->names = read_sub(loader, node, name, value);
}

static void
add_need(struct node *node, struct need need)
{
	struct object_rules *rules = schema_node_object(node);

	/* one keyword's worth at a time: see read_needs */
	rules->needs[rules->needs_count++] = need;
}

/* `dependentRequired` has names, `dependentSchemas` schemas, `dependencies` either. */
static void
read_needs(struct loader *loader, struct node *node, const char *name,
	   const struct json *value)
{
	struct object_rules *rules = schema_node_object(node);
	bool names = strcmp(name, "dependentSchemas") != 0;
	bool schemas = strcmp(name, "dependentRequired") != 0;

	if (!schema_keywords_want(loader, spot_of(node, name), value, JSON_OBJECT))
		return;
	rules->needs =
	    xrealloc(rules->needs, rules->needs_count + json_count(value) + 1,
		     sizeof *rules->needs);
	for (struct json_iter it = json_iter(value); json_next(&it);) {
		struct need need = { .key = it.key };

		if (names && (!schemas || json_type(it.value) == JSON_ARRAY)) {
			if (schema_keywords_names(loader, spot_key(node, name, it.key),
						  it.value))
				need.names = it.value;
		} else {
			need.node = read_named(loader, node, name, &it);
		}
		add_need(node, need);
	}
}

static void
read_unevaluated(struct loader *loader, struct node *node, const char *name,
		 const struct json *value)
{
	struct node *sub = read_sub(loader, node, name, value);

	if (strcmp(name, "unevaluatedItems") == 0)
		node->other_items = sub;
	else
		node->other_members = sub;
}

/* ---- arrays ---- */

static void
read_tuple(struct loader *loader, struct node *node, const char *name,
	   const struct json *value)
{
	struct node_list list = read_list(loader, node, name, value);
	struct array_rules *rules = schema_node_array(node);

	rules->has_tuple = true;
	rules->first = list.nodes;
	rules->first_count = list.count;
}

static void
read_items(struct loader *loader, struct node *node, const char *name,
	   const struct json *value)
{
	schema_node_array(node)->rest = read_sub(loader, node, name, value);
}

static void
read_items_or_tuple(struct loader *loader, struct node *node, const char *name,
		    const struct json *value)
{
	if (json_type(value) == JSON_ARRAY)
		read_tuple(loader, node, name, value);
	else
		read_items(loader, node, name, value);
}

/* Means something only beside an array in `items`. */
static void
read_more_items(struct loader *loader, struct node *node, const char *name,
		const struct json *value)
{
	struct node *sub = read_sub(loader, node, name, value);

	if (json_type(json_get(node->json, "items")) == JSON_ARRAY)
		schema_node_array(node)->rest = sub;
}

static void
read_contains(struct loader *loader, struct node *node, const char *name,
	      const struct json *value)
{
	schema_node_array(node)->contains = read_sub(loader, node, name, value);
}

/* ---- logic ---- */

static void
read_combination(struct loader *loader, struct node *node, const char *name,
		 const struct json *value)
{
	struct node_list list = read_list(loader, node, name, value);
	struct logic_rules *rules = schema_node_logic(node);

	if (json_type(value) == JSON_ARRAY && json_count(value) == 0)
		load_problem(loader, spot_of(node, name), "needs at least one schema");
	if (strcmp(name, "allOf") == 0)
		rules->all = list;
	else if (strcmp(name, "anyOf") == 0)
		rules->any = list;
	else
		rules->one = list;
}

static void
read_condition(struct loader *loader, struct node *node, const char *name,
	       const struct json *value)
{
	struct node *sub = read_sub(loader, node, name, value);
	struct logic_rules *rules = schema_node_logic(node);

	if (strcmp(name, "not") == 0)
		rules->not = sub;
	else if (strcmp(name, "if") == 0)
		rules->when = sub;
	else if (strcmp(name, "then") == 0)
		rules->then = sub;
	else
		rules->otherwise = sub;
}

const struct keyword schema_keywords_sub[] = {
	{ "$defs", DRAFTS_ALL, VOCAB_CORE, read_definitions },
	{ "definitions", DRAFTS_ALL, VOCAB_CORE, read_definitions },
	{ "properties", DRAFTS_ALL, VOCAB_APPLICATOR, read_properties },
	{ "patternProperties", DRAFTS_ALL, VOCAB_APPLICATOR, read_patterns },
	{ "additionalProperties", DRAFTS_ALL, VOCAB_APPLICATOR, read_others },
	{ "propertyNames", DRAFTS_ALL, VOCAB_APPLICATOR, read_names },
	{ "dependencies", DRAFTS_ALL, VOCAB_APPLICATOR, read_needs },
	{ "dependentSchemas", DRAFTS_NEW, VOCAB_APPLICATOR, read_needs },
	{ "dependentRequired", DRAFTS_NEW, VOCAB_VALIDATION, read_needs },
	{ "unevaluatedProperties", DRAFTS_NEW, VOCAB_UNEVALUATED, read_unevaluated },
	{ "unevaluatedItems", DRAFTS_NEW, VOCAB_UNEVALUATED, read_unevaluated },
	{ "prefixItems", DRAFT_2020, VOCAB_APPLICATOR, read_tuple },
	{ "items", DRAFT_2020, VOCAB_APPLICATOR, read_items },
	{ "items", DRAFTS_ALL, VOCAB_APPLICATOR, read_items_or_tuple },
	{ "additionalItems", DRAFTS_OLD | DRAFT_2019, VOCAB_APPLICATOR,
	  read_more_items },
	{ "contains", DRAFTS_ALL, VOCAB_APPLICATOR, read_contains },
	{ "allOf", DRAFTS_ALL, VOCAB_APPLICATOR, read_combination },
	{ "anyOf", DRAFTS_ALL, VOCAB_APPLICATOR, read_combination },
	{ "oneOf", DRAFTS_ALL, VOCAB_APPLICATOR, read_combination },
	{ "not", DRAFTS_ALL, VOCAB_APPLICATOR, read_condition },
	{ "if", DRAFTS_NEW | DRAFT_7, VOCAB_APPLICATOR, read_condition },
	{ "then", DRAFTS_NEW | DRAFT_7, VOCAB_APPLICATOR, read_condition },
	{ "else", DRAFTS_NEW | DRAFT_7, VOCAB_APPLICATOR, read_condition },
	{ NULL, 0, 0, NULL },
};
