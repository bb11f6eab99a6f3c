/*
 * A document becomes nodes, one per subschema, and resources, one per `$id`. References
 * are only noted: they are followed when all is there (schema_refs.c).
 */
#include "json/schema_load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "json/schema_keywords.h"
#include "json/schema_meta.h"
#include "json/schema_uri.h"

#define PATH_MAX_LEN 1000

struct spot
spot_of(const struct node *node, const char *keyword)
{
	return (struct spot){ .up = node, .keyword = keyword, .index = NO_INDEX };
}

struct spot
spot_key(const struct node *node, const char *keyword, const char *key)
{
	return (struct spot){ node, keyword, key, NO_INDEX };
}

struct spot
spot_index(const struct node *node, const char *keyword, size_t index)
{
	return (struct spot){ node, keyword, NULL, index };
}

/* ---- problems ---- */

static void
add_token(struct buf *path, const char *token)
{
	buf_char(path, '/');
	for (; *token != '\0' && path->len < PATH_MAX_LEN; token++) {
		if (*token == '~' || *token == '/')
			buf_str(path, *token == '~' ? "~0" : "~1");
		else
			buf_char(path, *token);
	}
}

static void
add_path(struct spot spot, struct buf *path)
{
	if (spot.up == NULL) {
		if (spot.keyword != NULL)
			buf_printf(path, "%.500s#", spot.keyword);
		return;
	}
	add_path(spot.up->spot, path);
	if (spot.keyword[0] == '/') /* a pointer that some `$ref` had */
		buf_printf(path, "%.500s", spot.keyword);
	else
		add_token(path, spot.keyword);
	if (spot.key != NULL)
		add_token(path, spot.key);
	if (spot.index != NO_INDEX)
		buf_printf(path, "/%zu", spot.index);
}

void
load_problem(struct loader *loader, struct spot spot, const char *format, ...)
{
	struct buf path = { 0 }, message = { 0 };
	va_list args;

	if (loader->told++ >= SCHEMA_PROBLEMS_MAX)
		return;
	add_path(spot, &path);
	va_start(args, format);
	buf_vprintf(&message, format, args);
	va_end(args);
	problems_add_at(loader->problems, 0, 0, buf_text(&path), "%s",
			buf_text(&message));
	buf_fini(&path);
	buf_fini(&message);
}

/* ---- resources ---- */

static void
name_resource(struct loader *loader, struct resource *resource, const char *uri,
	      struct spot spot)
{
	struct map *by_uri = loader->schema->by_uri;

	if (map_get(by_uri, uri, strlen(uri)) != NULL)
		load_problem(loader, spot, "\"%.200s\" stands here a second time", uri);
	else
		map_put(by_uri, uri, strlen(uri), resource);
}

static struct resource *
new_resource(struct schema *schema, const char *uri, struct dialect dialect)
{
	struct resource *resource = xcalloc(1, sizeof *resource);

	resource->uri = xstrdup(uri);
	resource->dialect = dialect;
	resource->anchors = map_new();
	resource->dynamic = map_new();
	schema->resources = xrealloc(schema->resources, schema->resources_count + 1,
				     sizeof(struct resource *));
	schema->resources[schema->resources_count++] = resource;
	return resource;
}

/* A metaschema of somebody's own, among the documents that were handed in. */
static bool
find_own_dialect(struct loader *loader, const char *uri, struct spot spot,
		 struct dialect *out)
{
	const struct schema_options *options = loader->options;
	struct dialect base = schema_dialect_default(options->draft);
	const char *unknown;
	const char *text;

	for (size_t i = 0; i < options->documents_count; i++) {
		if (strcmp(options->documents[i].uri, uri) != 0)
			continue;
		text = json_str(json_get(options->documents[i].json, "$schema"));
		if (text != NULL)
			schema_dialect_find(text, &base);
		unknown = schema_dialect_read(options->documents[i].json, base, out);
		if (unknown != NULL)
			load_problem(loader, spot,
				     "needs the unknown vocabulary %.200s", unknown);
		return true;
	}
	return false;
}

static void
read_dialect(struct loader *loader, const struct json *json, const struct node *node,
	     struct dialect *dialect)
{
	const struct json *value = json_get(json, "$schema");
	const char *text = json_str(value);

	if (!json_has(json, "$schema"))
		return;
	if (text == NULL)
		load_problem(loader, spot_of(node, "$schema"),
			     "expected a string, got %s",
			     json_type_name(json_type(value)));
	else if (!schema_dialect_find(text, dialect) &&
		 !find_own_dialect(loader, text, spot_of(node, "$schema"), dialect))
		load_problem(loader, spot_of(node, "$schema"),
			     "\"%.200s\" is not known; drafts 2020-12, 2019-09, 7 "
			     "and 6 are",
			     text);
}

static void
put_anchor(struct loader *loader, struct map *map, const char *name, struct node *node,
	   const char *keyword)
{
	if (map_get(map, name, strlen(name)) != NULL)
		load_problem(loader, spot_of(node, keyword),
			     "\"%.200s\" stands here a second time", name);
	else
		map_put(map, name, strlen(name), node);
}

/* In drafts 6 and 7 all beside `$ref` means nothing, `$id` too. */
static bool
hides_siblings(const struct node *node)
{
	return (node->resource->dialect.draft & DRAFTS_OLD) != 0 &&
	       json_has(node->json, "$ref");
}

/* The document itself is found by both: where it came from and what it says. */
static void
rename_document(struct loader *loader, struct node *node, const char *uri)
{
	struct resource *resource = node->resource;

	if (strcmp(uri, resource->uri) == 0)
		return;
	free(resource->uri);
	resource->uri = xstrdup(uri);
	name_resource(loader, resource, uri, spot_of(node, "$id"));
}

static void
begin_resource(struct loader *loader, struct node *node, const char *uri)
{
	struct dialect dialect = node->resource->dialect;

	read_dialect(loader, node->json, node, &dialect);
	node->resource = new_resource(loader->schema, uri, dialect);
	node->resource->top = node;
	name_resource(loader, node->resource, uri, spot_of(node, "$id"));
}

/* `$id`: the node begins a resource, or only names an anchor ("#foo", old drafts). */
static void
read_id(struct loader *loader, struct node *node)
{
	const char *id = json_str(json_get(node->json, "$id"));
	struct resource *outer = node->resource;
	const char *fragment;
	size_t len;
	char *uri;

	if (json_has(node->json, "$id") && id == NULL)
		load_problem(loader, spot_of(node, "$id"), "expected a string");
	if (id == NULL || hides_siblings(node))
		return;
	fragment = schema_uri_fragment(id, &len);
	if (fragment != NULL && fragment[0] != '\0') {
		if ((outer->dialect.draft & DRAFTS_OLD) == 0)
			load_problem(loader, spot_of(node, "$id"),
				     "no fragment may stand here");
		else
			put_anchor(loader, outer->anchors, fragment, node, "$id");
	}
	if (len == 0)
		return;
	uri = schema_uri_resolve(outer->uri, id, len);
	if (node->spot.up == NULL)
		rename_document(loader, node, uri);
	else
		begin_resource(loader, node, uri);
	free(uri);
}

static bool
is_anchor(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

	return text[0] != '\0' && strchr(letters, text[0]) != NULL &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-_.:")] == '\0';
}

static void
read_anchor(struct loader *loader, struct node *node, const char *keyword, bool dynamic)
{
	const char *name = json_str(json_get(node->json, keyword));

	if (!json_has(node->json, keyword))
		return;
	if (name == NULL || !is_anchor(name)) {
		load_problem(
		    loader, spot_of(node, keyword),
		    "expected a name of letters, digits, \"_\", \"-\" and \".\"");
		return;
	}
	put_anchor(loader, node->resource->anchors, name, node, keyword);
	if (dynamic)
		put_anchor(loader, node->resource->dynamic, name, node, keyword);
}

static void
read_names(struct loader *loader, struct node *node)
{
	unsigned draft;

	read_id(loader, node);
	draft = node->resource->dialect.draft;
	if (draft & DRAFTS_NEW)
		read_anchor(loader, node, "$anchor", false);
	if (draft & DRAFT_2020)
		read_anchor(loader, node, "$dynamicAnchor", true);
	if ((draft & DRAFT_2019) && node == node->resource->top &&
	    json_bool(json_get(node->json, "$recursiveAnchor")))
		put_anchor(loader, node->resource->dynamic, "", node,
			   "$recursiveAnchor");
}

/* ---- nodes ---- */

static struct node *
new_node(struct schema *schema, const struct json *json, struct spot spot,
	 struct resource *resource)
{
	struct node *node = xcalloc(1, sizeof *node);

	node->spot = spot;
	node->json = json;
	node->resource = resource;
	if (schema->nodes_count == schema->nodes_capacity) {
		schema->nodes_capacity = schema->nodes_capacity * 2 + 16;
		schema->nodes = xrealloc(schema->nodes, schema->nodes_capacity,
					 sizeof(struct node *));
	}
	schema->nodes[schema->nodes_count++] = node;
	map_put(schema->by_json, &json, sizeof json, node);
	return node;
}

static void
read_keywords(struct loader *loader, struct node *node)
{
	bool alone = hides_siblings(node);

	for (struct json_iter it = json_iter(node->json); json_next(&it);)
		if (!alone || strcmp(it.key, "$ref") == 0 ||
		    strcmp(it.key, "definitions") == 0)
			schema_keywords_read(loader, node, it.key, it.value);
}

struct node *
load_node(struct loader *loader, const struct json *json, struct spot spot,
	  struct resource *resource)
{
	enum json_type type = json_type(json);
	struct node *node;

	if (type != JSON_OBJECT && type != JSON_BOOL) {
		load_problem(loader, spot,
			     "expected a schema (an object or a boolean), "
			     "got %s",
			     json_type_name(type));
		return NULL;
	}
	if (loader->depth == LOAD_DEPTH_MAX) {
		load_problem(loader, spot, "nested too deeply");
		return NULL;
	}
	node = map_get(loader->schema->by_json, &json, sizeof json);
	if (node != NULL)
		return node;
	node = new_node(loader->schema, json, spot, resource);
	if (resource->top == NULL)
		resource->top = node;
	node->never = type == JSON_BOOL && !json_bool(json);
	loader->depth++;
	read_names(loader, node);
	read_keywords(loader, node);
	loader->depth--;
	return node;
}

struct node *
load_document(struct loader *loader, const struct json *json, const char *uri,
	      const char *shown)
{
	struct schema *schema = loader->schema;
	struct spot spot = { .keyword = shown, .index = NO_INDEX };
	struct node top = { .spot = spot };
	struct resource *resource;

	resource =
	    new_resource(schema, uri, schema_dialect_default(loader->options->draft));
	read_dialect(loader, json, &top, &resource->dialect);
	name_resource(loader, resource, uri, spot);
	schema->documents = xrealloc(schema->documents, schema->documents_count + 1,
				     sizeof(struct json *));
	schema->documents[schema->documents_count] = json_copy(json);
	json = schema->documents[schema->documents_count++];
	return load_node(loader, json, spot, resource);
}

struct resource *
load_resource(struct loader *loader, const char *uri)
{
	const struct schema_options *options = loader->options;
	struct resource *resource = map_get(loader->schema->by_uri, uri, strlen(uri));
	struct json *built_in;

	if (resource != NULL)
		return resource;
	for (size_t i = 0; i < options->documents_count; i++)
		if (strcmp(options->documents[i].uri, uri) == 0) {
			load_document(loader, options->documents[i].json, uri,
				      options->documents[i].uri);
			return map_get(loader->schema->by_uri, uri, strlen(uri));
		}
	built_in = schema_meta_get(uri, &uri);
	if (built_in != NULL)
		load_document(loader, built_in, uri, uri);
	json_unref(&built_in);
	return map_get(loader->schema->by_uri, uri, strlen(uri));
}
