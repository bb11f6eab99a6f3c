/* Finding a built-in metaschema. They are parsed when a schema refers to one. */
#include "json/schema_meta.h"

#include <string.h>

static const struct schema_meta *
find(const struct schema_meta *list, const char *uri)
{
	for (; list->uri != NULL; list++)
		if (strcmp(list->uri, uri) == 0)
			return list;
	return NULL;
}

struct json *
schema_meta_get(const char *uri, const char **name)
{
	const struct schema_meta *meta = find(schema_meta_2020, uri);
	struct json *json = NULL;
	struct err err = { 0 };

	if (meta == NULL)
		meta = find(schema_meta_older, uri);
	if (meta == NULL)
		return NULL;
	if (json_parse(meta->text, strlen(meta->text), &json, &err) < 0)
		bug("the metaschema %s: %s", uri, err.text);
	*name = meta->uri;
	return json;
}
