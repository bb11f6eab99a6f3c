/* The keywords that hold no subschemas: types, values, limits, names, references. */
#include <string.h>

#include "json/schema_hash.h"
#include "json/schema_keywords.h"
#include "json/schema_number.h"

#define LIST_SHORT 8 /* values of `enum` that are simply compared one by one */

/* ---- types and values ---- */

static void
read_type_name(struct loader *loader, struct node *node, struct spot spot,
	       const struct json *value)
{
	const char *name = json_str(value);
	const char *nearest;

	if (!schema_keywords_want(loader, spot, value, JSON_STRING))
		return;
	for (unsigned i = 0; i < SCHEMA_TYPES; i++)
		if (strcmp(schema_type_names[i], name) == 0) {
			node->types |= 1U << i;
			return;
		}
	nearest = nearest_name(name, schema_type_names);
	load_problem(loader, spot,
		     "\"%.100s\" is not one of null, boolean, integer, number, string, "
		     "array, object%s%s%s",
		     name, nearest != NULL ? "; did you mean \"" : "",
		     nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

static void
read_type(struct loader *loader, struct node *node, const char *name,
	  const struct json *value)
{
	if (json_type(value) != JSON_ARRAY) {
		if (json_type(value) == JSON_STRING)
			read_type_name(loader, node, spot_of(node, name), value);
		else
			load_problem(loader, spot_of(node, name),
				     "expected a type or an array of types, got %s",
				     json_type_name(json_type(value)));
		return;
	}
	if (json_count(value) == 0)
		load_problem(loader, spot_of(node, name), "names no type");
	for (size_t i = 0; i < json_count(value); i++)
		read_type_name(loader, node, spot_index(node, name, i),
			       json_at(value, i));
}

static void
read_enum(struct loader *loader, struct node *node, const char *name,
	  const struct json *value)
{
	int64_t work = INT64_MAX;

	if (!schema_keywords_want(loader, spot_of(node, name), value, JSON_ARRAY))
		return;
	node->list = value;
	if (json_count(value) > LIST_SHORT)
		node->hashes = schema_hash_items(value, &work);
}

static void
read_const(struct loader *loader, struct node *node, const char *name,
	   const struct json *value)
{
	int64_t work = INT64_MAX;

	(void)loader;
	(void)name;
	node->constant = value;
	node->has_constant = true;
	schema_hash(value, &work);
	node->constant_weight = INT64_MAX - work;
}

/* ---- numbers ---- */

static bool
want_number(struct loader *loader, struct node *node, const char *name,
	    const struct json *value)
{
	if (schema_number_is(value))
		return true;
	load_problem(loader, spot_of(node, name), "expected a number, got %s",
		     json_type_name(json_type(value)));
	return false;
}

static void
read_limit(struct loader *loader, struct node *node, const char *name,
	   const struct json *value)
{
	struct number_rules *rules = schema_node_number(node);
	const struct {
		const char *name;
		const struct json **place;
	} places[] = {
		{ "minimum", &rules->min },
		{ "maximum", &rules->max },
		{ "exclusiveMinimum", &rules->above },
		{ "exclusiveMaximum", &rules->below },
	};

	if (!want_number(loader, node, name, value))
		return;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (strcmp(places[i].name, name) == 0)
			*places[i].place = value;
}

static void
read_multiple(struct loader *loader, struct node *node, const char *name,
	      const struct json *value)
{
	if (!want_number(loader, node, name, value))
		return;
	if (json_double(value) <= 0)
		load_problem(loader, spot_of(node, name),
			     "expected a number above 0, got %g", json_double(value));
	else
		schema_node_number(node)->multiple_of = value;
}

/* ---- counts ---- */

static int64_t *
count_place(struct node *node, const char *name)
{
	const bool least = strncmp(name, "min", 3) == 0;
	const char *what = name + 3;

	if (strcmp(what, "Length") == 0)
		return least ? &schema_node_string(node)->min
			     : &schema_node_string(node)->max;
	if (strcmp(what, "Items") == 0)
		return least ? &schema_node_array(node)->min
			     : &schema_node_array(node)->max;
	if (strcmp(what, "Contains") == 0)
		return least ? &schema_node_array(node)->min_contains
			     : &schema_node_array(node)->max_contains;
	return least ? &schema_node_object(node)->min : &schema_node_object(node)->max;
}

static void
read_count(struct loader *loader, struct node *node, const char *name,
	   const struct json *value)
{
	if (!want_number(loader, node, name, value))
		return;
	if (!schema_number_is_whole(value) || json_double(value) < 0)
		load_problem(loader, spot_of(node, name),
			     "expected a whole number from 0 on, got %.17g",
			     json_double(value));
	else
		*count_place(node, name) = json_int(value);
}

static void
read_unique(struct loader *loader, struct node *node, const char *name,
	    const struct json *value)
{
	if (schema_keywords_want(loader, spot_of(node, name), value, JSON_BOOL))
		schema_node_array(node)->unique = json_bool(value);
}

/* ---- strings ---- */

static void
read_pattern(struct loader *loader, struct node *node, const char *name,
	     const struct json *value)
{
	struct string_rules *rules = schema_node_string(node);

	if (!schema_keywords_want(loader, spot_of(node, name), value, JSON_STRING))
		return;
	rules->pattern_text = json_str(value);
	rules->pattern = schema_keywords_regex(loader, spot_of(node, name),
					       json_str(value), json_str_len(value));
}

static void
read_format(struct loader *loader, struct node *node, const char *name,
	    const struct json *value)
{
	if (!schema_keywords_want(loader, spot_of(node, name), value, JSON_STRING))
		return;
	if (loader->options->assert_formats ||
	    (node->resource->dialect.vocabularies & VOCAB_FORMAT_ASSERTION) != 0)
		schema_node_string(node)->format = schema_format_find(json_str(value));
}

/* ---- members ---- */

static void
read_required(struct loader *loader, struct node *node, const char *name,
	      const struct json *value)
{
	if (schema_keywords_names(loader, spot_of(node, name), value))
		schema_node_object(node)->required = value;
}

/* ---- references ---- */

static void
read_ref(struct loader *loader, struct node *node, const char *name,
	 const struct json *value)
{
	if (!schema_keywords_want(loader, spot_of(node, name), value, JSON_STRING))
		return;
	if (strcmp(name, "$ref") == 0)
		node->ref.text = json_str(value);
	else
		node->dynamic_ref.text = json_str(value);
}

const struct keyword schema_keywords_plain[] = {
	{ "$ref", DRAFTS_ALL, VOCAB_CORE, read_ref },
	{ "$dynamicRef", DRAFT_2020, VOCAB_CORE, read_ref },
	{ "$recursiveRef", DRAFT_2019, VOCAB_CORE, read_ref },
	{ "type", DRAFTS_ALL, VOCAB_VALIDATION, read_type },
	{ "enum", DRAFTS_ALL, VOCAB_VALIDATION, read_enum },
	{ "const", DRAFTS_ALL, VOCAB_VALIDATION, read_const },
	{ "minimum", DRAFTS_ALL, VOCAB_VALIDATION, read_limit },
	{ "maximum", DRAFTS_ALL, VOCAB_VALIDATION, read_limit },
	{ "exclusiveMinimum", DRAFTS_ALL, VOCAB_VALIDATION, read_limit },
	{ "exclusiveMaximum", DRAFTS_ALL, VOCAB_VALIDATION, read_limit },
	{ "multipleOf", DRAFTS_ALL, VOCAB_VALIDATION, read_multiple },
	{ "minLength", DRAFTS_ALL, VOCAB_VALIDATION, read_count },
	{ "maxLength", DRAFTS_ALL, VOCAB_VALIDATION, read_count },
	{ "pattern", DRAFTS_ALL, VOCAB_VALIDATION, read_pattern },
	{ "format", DRAFTS_ALL, VOCAB_FORMAT, read_format },
	{ "minItems", DRAFTS_ALL, VOCAB_VALIDATION, read_count },
	{ "maxItems", DRAFTS_ALL, VOCAB_VALIDATION, read_count },
	{ "uniqueItems", DRAFTS_ALL, VOCAB_VALIDATION, read_unique },
	{ "minContains", DRAFTS_NEW, VOCAB_VALIDATION, read_count },
	{ "maxContains", DRAFTS_NEW, VOCAB_VALIDATION, read_count },
	{ "minProperties", DRAFTS_ALL, VOCAB_VALIDATION, read_count },
	{ "maxProperties", DRAFTS_ALL, VOCAB_VALIDATION, read_count },
	{ "required", DRAFTS_ALL, VOCAB_VALIDATION, read_required },
	{ NULL, 0, 0, NULL },
};
