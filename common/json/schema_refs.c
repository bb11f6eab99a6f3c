/*
 * A reference is a URI, resolved against the resource it stands in, and a fragment: a
 * JSON pointer or the name of an anchor. A pointer may lead where no keyword has a
 * schema; what stands there becomes a node then.
 */
#include "json/schema_refs.h"

#include <stdlib.h>
#include <string.h>

#include "json/schema_uri.h"

enum { WALK_NEW, WALK_OPEN, WALK_DONE };

/* One token between slashes: %41, ~0 and ~1 decoded. */
static bool
decode_token(const char *token, size_t len, struct buf *out)
{
	struct buf raw = { 0 }, plain = { 0 };
	bool good;

	buf_add(&raw, token, len);
	good = schema_uri_decode(buf_text(&raw), &plain);
	buf_clear(out);
	for (const char *at = buf_text(&plain); good && *at != '\0'; at++) {
		if (*at != '~') {
			buf_char(out, *at);
			continue;
		}
		at++;
		good = *at == '0' || *at == '1';
		if (good)
			buf_char(out, *at == '0' ? '~' : '/');
	}
	buf_fini(&raw);
	buf_fini(&plain);
	return good;
}

static const struct json *
item_at(const struct json *array, const char *token)
{
	size_t len = strspn(token, "0123456789");

	if (len == 0 || len > 9 || token[len] != '\0' || (token[0] == '0' && len > 1))
		return NULL;
	return json_at(array, strtoul(token, NULL, 10));
}

static const struct json *
step_into(const struct json *json, const char *token)
{
	if (json_type(json) == JSON_ARRAY)
		return item_at(json, token);
	return json_get(json, token);
}

/* The value at a pointer; *nearest becomes the last node on the way, *rest the pointer
 * from there. NULL: there is none. */
static const struct json *
walk_pointer(struct loader *loader, const char *pointer, struct node **nearest,
	     const char **rest)
{
	const struct json *json = (*nearest)->json;
	struct buf token = { 0 };
	struct node *node;
	size_t len;

	*rest = pointer;
	while (json != NULL && *pointer == '/') {
		len = strcspn(pointer + 1, "/");
		if (!decode_token(pointer + 1, len, &token))
			json = NULL;
		else
			json = step_into(json, buf_text(&token));
		pointer += 1 + len;
		node = map_get(loader->schema->by_json, &json, sizeof json);
		if (node != NULL) {
			*nearest = node;
			*rest = pointer;
		}
	}
	buf_fini(&token);
	return json;
}

static struct node *
find_pointer(struct loader *loader, struct node *top, const char *pointer,
	     struct spot from)
{
	struct node *nearest = top;
	const char *rest;
	const struct json *json = walk_pointer(loader, pointer, &nearest, &rest);

	if (json == NULL) {
		load_problem(loader, from, "nothing stands at \"%.200s\"", pointer);
		return NULL;
	}
	if (*rest == '\0')
		return nearest;
	return load_node(loader, json, spot_of(nearest, rest), nearest->resource);
}

static struct node *
find_anchor(struct loader *loader, struct resource *resource, const char *fragment,
	    struct spot from)
{
	struct buf name = { 0 };
	struct node *node = NULL;

	if (schema_uri_decode(fragment, &name))
		node = map_get(resource->anchors, buf_text(&name), name.len);
	if (node == NULL)
		load_problem(loader, from, "there is no anchor \"%.200s\"", fragment);
	buf_fini(&name);
	return node;
}

static struct node *
find_target(struct loader *loader, const struct node *node, const char *text,
	    struct spot from)
{
	size_t len;
	const char *fragment = schema_uri_fragment(text, &len);
	char *uri = schema_uri_resolve(node->resource->uri, text, len);
	struct resource *resource =
	    len == 0 ? node->resource : load_resource(loader, uri);

	if (resource == NULL)
		load_problem(loader, from,
			     "nothing here has the URI \"%.200s\", and nothing is "
			     "fetched",
			     uri);
	free(uri);
	if (resource == NULL || resource->top == NULL)
		return NULL;
	if (fragment == NULL || fragment[0] == '\0')
		return resource->top;
	if (fragment[0] == '/')
		return find_pointer(loader, resource->top, fragment, from);
	return find_anchor(loader, resource, fragment, from);
}

static void
follow_ref(struct loader *loader, struct node *node)
{
	struct node *target;

	if (node->ref.text == NULL)
		return;
	target = find_target(loader, node, node->ref.text, spot_of(node, "$ref"));
	node->ref.node = target;
}

/* Dynamic only if what it names at first sight is a dynamic anchor itself. */
static void
follow_dynamic(struct loader *loader, struct node *node)
{
	struct reference *ref = &node->dynamic_ref;
	bool recursive = node->resource->dialect.draft == DRAFT_2019;
	struct spot spot = spot_of(node, recursive ? "$recursiveRef" : "$dynamicRef");
	const char *name;
	size_t len;

	if (ref->text == NULL)
		return;
	name = schema_uri_fragment(ref->text, &len);
	if (recursive && strcmp(ref->text, "#") != 0)
		load_problem(loader, spot, "expected \"#\"");
	ref->node = find_target(loader, node, ref->text, spot);
	if (ref->node == NULL || name == NULL || (name[0] == '\0' && !recursive))
		return;
	if (map_get(ref->node->resource->dynamic, name, strlen(name)) == ref->node)
		ref->dynamic = name;
}

/* From a node by what it always asks of the same value, back to itself? */
static bool
is_endless(struct node *node, unsigned depth)
{
	bool endless = false;

	if (node == NULL || node->walk == WALK_DONE)
		return false;
	if (node->walk == WALK_OPEN || depth == SCHEMA_DEPTH_MAX)
		return true;
	node->walk = WALK_OPEN;
	endless = is_endless(node->ref.node, depth + 1);
	for (size_t i = 0; node->logic != NULL && i < node->logic->all.count; i++)
		endless = endless || is_endless(node->logic->all.nodes[i], depth + 1);
	node->walk = WALK_DONE;
	return endless;
}

void
schema_refs_follow(struct loader *loader)
{
	struct schema *schema = loader->schema;

	for (size_t i = 0; i < schema->nodes_count; i++) { /* they become more */
		follow_ref(loader, schema->nodes[i]);
		follow_dynamic(loader, schema->nodes[i]);
	}
	for (size_t i = 0; i < schema->nodes_count; i++)
		if (is_endless(schema->nodes[i], 0))
			load_problem(
			    loader,
			    spot_of(schema->nodes[i], schema->nodes[i]->ref.node != NULL
							  ? "$ref"
							  : "allOf"),
			    "leads back to itself without end");
}
