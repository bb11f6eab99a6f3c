/* Finding a keyword in the tables, and what readers of both kinds share. */
#include "json/schema_keywords.h"

#include <string.h>

static const struct keyword *
find(const struct keyword *table, const char *name, unsigned draft)
{
	for (; table->name != NULL; table++)
		if ((table->drafts & draft) != 0 && strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

void
schema_keywords_read(struct loader *loader, struct node *node, const char *name,
		     const struct json *value)
{
	const struct dialect *dialect = &node->resource->dialect;
	const struct keyword *keyword = find(schema_keywords_sub, name, dialect->draft);

	if (keyword == NULL)
		keyword = find(schema_keywords_plain, name, dialect->draft);
	if (keyword != NULL && (dialect->vocabularies & keyword->vocabulary) != 0)
		keyword->read(loader, node, keyword->name, value);
}

bool
schema_keywords_want(struct loader *loader, struct spot spot, const struct json *value,
		     enum json_type type)
{
	if (json_type(value) == type)
		return true;
	load_problem(loader, spot, "expected %s %s, got %s",
		     type == JSON_ARRAY || type == JSON_OBJECT ? "an" : "a",
		     json_type_name(type), json_type_name(json_type(value)));
	return false;
}

bool
schema_keywords_names(struct loader *loader, struct spot spot, const struct json *value)
{
	bool good = schema_keywords_want(loader, spot, value, JSON_ARRAY);

	for (size_t i = 0; i < json_count(value) && json_type(value) == JSON_ARRAY;
	     i++) {
		struct spot item = spot;

		if (spot.key == NULL)
			item.index = i;
		good &=
		    schema_keywords_want(loader, item, json_at(value, i), JSON_STRING);
	}
	return good;
}

void *
schema_keywords_regex(struct loader *loader, struct spot spot, const char *text,
		      size_t len)
{
	const struct schema_regex *engine = loader->schema->regex;
	struct err err = { 0 };
	void *regex;

	if (engine == NULL) {
		load_problem(loader, spot, "patterns are not available here");
		return NULL;
	}
	regex = engine->compile(text, len, &err);
	if (regex == NULL) {
		load_problem(loader, spot, "\"%.100s\" is not a pattern: %s", text,
			     err.text);
		return NULL;
	}
	loader->regex_size += engine->size(regex);
	if (loader->regex_size <= SCHEMA_REGEX_MAX)
		return regex;
	load_problem(loader, spot, "all patterns together are too large");
	engine->free(regex);
	return NULL;
}
