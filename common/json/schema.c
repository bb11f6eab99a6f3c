/* A schema's life: compiled from a document, used, freed. */
#include "json/schema.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "json/schema_load.h"
#include "json/schema_refs.h"

static void
resource_free(struct resource *resource)
{
	map_free(&resource->anchors, NULL);
	map_free(&resource->dynamic, NULL);
	free(resource->uri);
	free(resource);
}

void
schema_free(struct schema **schema_p)
{
	struct schema *schema = *schema_p;

	*schema_p = NULL;
	if (schema == NULL)
		return;
	for (size_t i = 0; i < schema->nodes_count; i++)
		schema_node_free(schema->nodes[i], schema->regex);
	for (size_t i = 0; i < schema->resources_count; i++)
		resource_free(schema->resources[i]);
	for (size_t i = 0; i < schema->documents_count; i++)
		json_unref(&schema->documents[i]);
	map_free(&schema->by_uri, NULL);
	map_free(&schema->by_json, NULL);
	free(schema->nodes);
	free(schema->resources);
	free(schema->documents);
	free(schema);
}

struct schema *
schema_compile(const struct json *json, const struct schema_options *options,
	       struct problems *problems)
{
	struct schema *schema = xcalloc(1, sizeof *schema);
	struct loader loader = {
		.schema = schema,
		.options = options,
		.problems = problems,
	};

	schema->regex = options->regex;
	schema->by_uri = map_new();
	schema->by_json = map_new();
	schema->top = load_document(&loader, json, "", NULL);
	schema_refs_follow(&loader);
	if (loader.told > 0)
		schema_free(&schema);
	return schema;
}
