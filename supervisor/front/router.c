/*
 * The tree is built once from the tables. Searching goes down the literal child first
 * and comes back for the parameter, so that /workflows/validate and /workflows/:id live
 * side by side, also when only one of them knows the method.
 */
#include "front/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct node {
	char *text;             /* the literal; NULL: a parameter */
	bool takes_rest;        /* :path, all that follows */
	struct node **children; /* literals first, at most one parameter, the last */
	size_t children_count;
	const struct route **routes; /* that end here, one per method */
	size_t routes_count;
};

struct router {
	struct node root;
};

static const char *const known_methods[] = { "GET",     "HEAD",  "POST",
					     "PUT",     "PATCH", "DELETE",
					     "OPTIONS", "TRACE", NULL };

static int
method_bit(const char *method)
{
	for (int i = 0; known_methods[i] != NULL; i++)
		if (strcmp(known_methods[i], method) == 0)
			return i;
	return -1;
}

static void
node_fini(struct node *node)
{
	for (size_t i = 0; i < node->children_count; i++) {
		node_fini(node->children[i]);
		free(node->children[i]);
	}
	free(node->children);
	free(node->routes);
	free(node->text);
}

static struct node *
add_child(struct node *node, char *text)
{
	struct node *child = xcalloc(1, sizeof *child);
	size_t last = node->children_count++;

	child->text = text;
	node->children =
	    xrealloc(node->children, node->children_count, sizeof(struct node *));
	node->children[last] = child;
	if (text != NULL && last > 0 && node->children[last - 1]->text == NULL) {
		node->children[last] = node->children[last - 1];
		node->children[last - 1] = child;
	}
	return child;
}

static struct node *
child_for(struct node *node, const char *segment, size_t len)
{
	bool param = segment[0] == ':';

	for (size_t i = 0; i < node->children_count; i++) {
		const char *text = node->children[i]->text;

		if (text == NULL ? param
				 : strncmp(text, segment, len) == 0 && !text[len])
			return node->children[i];
	}
	return add_child(node, param ? NULL : xstrndup(segment, len));
}

static void
add_route(struct router *router, const struct route *route)
{
	struct node *node = &router->root;
	const char *segment = route->path;

	if (*segment != '/')
		bug("route %s does not begin with a slash", route->path);
	while (segment[0] == '/' && segment[1] != '\0') {
		size_t len = strcspn(++segment, "/");

		node = child_for(node, segment, len);
		node->takes_rest = strcmp(segment, ":path") == 0;
		segment += len;
	}
	if (method_bit(route->method) < 0)
		bug("the method of %s %s is not known", route->method, route->path);
	for (size_t i = 0; i < node->routes_count; i++)
		if (strcmp(node->routes[i]->method, route->method) == 0)
			bug("two routes for %s %s", route->method, route->path);
	node->routes =
	    xrealloc(node->routes, node->routes_count + 1, sizeof(struct route *));
	node->routes[node->routes_count++] = route;
}

struct router *
router_new(const struct route *const *tables)
{
	struct router *router = xcalloc(1, sizeof *router);

	for (; *tables != NULL; tables++)
		for (const struct route *route = *tables; route->method != NULL;
		     route++)
			add_route(router, route);
	return router;
}

void
router_free(struct router **router_p)
{
	struct router *router = *router_p;

	if (router == NULL)
		return;
	*router_p = NULL;
	node_fini(&router->root);
	free(router);
}

struct search {
	const struct target *target;
	const char *method; /* HEAD is searched as GET */
	unsigned allowed;   /* other methods of paths that fit: bits of known_methods */
};

static const struct route *
take_node(struct search *search, const struct node *node)
{
	for (size_t i = 0; i < node->routes_count; i++) {
		const struct route *route = node->routes[i];

		if (strcmp(route->method, search->method) == 0)
			return route;
		search->allowed |= 1u << method_bit(route->method);
	}
	return NULL;
}

static const struct route *
walk(struct search *search, const struct node *node, size_t index)
{
	const struct route *found = NULL;
	const char *segment;

	if (index == search->target->segments_count || node->takes_rest)
		return take_node(search, node);
	segment = target_segment(search->target, index);
	for (size_t i = 0; i < node->children_count && found == NULL; i++) {
		const struct node *child = node->children[i];
		bool fits = child->text != NULL ? strcmp(child->text, segment) == 0
						: *segment != '\0';

		if (fits)
			found = walk(search, child, index + 1);
	}
	return found;
}

/* /api/v1/x is /api/x: the search begins below "api" with the segment behind "v1". */
static const struct route *
search_from_root(const struct router *router, struct search *search, size_t *skip)
{
	const struct target *target = search->target;
	const struct node *root = &router->root;

	*skip = 0;
	if (target->segments_count < 2 ||
	    strcmp(target_segment(target, 0), "api") != 0 ||
	    strcmp(target_segment(target, 1), "v1") != 0)
		return walk(search, root, 0);
	*skip = 1;
	for (size_t i = 0; i < root->children_count; i++) {
		const struct node *child = root->children[i];

		if (child->text != NULL && strcmp(child->text, "api") == 0)
			return walk(search, child, 2);
	}
	return NULL;
}

/* GET brings HEAD with it, and OPTIONS goes everywhere. */
static void
write_allowed(unsigned allowed, struct buf *allow)
{
	for (int i = 0; known_methods[i] != NULL; i++) {
		if ((allowed & 1u << i) == 0)
			continue;
		buf_str(allow, known_methods[i]);
		buf_str(allow, i == 0 ? ", HEAD, " : ", ");
	}
	buf_str(allow, "OPTIONS");
}

enum router_verdict
router_find(const struct router *router, const char *method,
	    const struct target *target, const struct route **route, size_t *skip,
	    struct buf *allow)
{
	struct search search = { .target = target, .method = method };

	*route = NULL;
	*skip = 0;
	if (method_bit(method) < 0)
		return ROUTER_UNKNOWN_METHOD;
	if (strcmp(method, "HEAD") == 0)
		search.method = "GET";
	if (target->form == TARGET_ASTERISK) {
		buf_str(allow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
		return ROUTER_OPTIONS;
	}
	*route = search_from_root(router, &search, skip);
	if (*route != NULL)
		return ROUTER_FOUND;
	if (search.allowed == 0)
		return ROUTER_NO_PATH;
	write_allowed(search.allowed, allow);
	return strcmp(method, "OPTIONS") == 0 ? ROUTER_OPTIONS : ROUTER_NO_METHOD;
}

const char *
router_param(const struct route *route, const struct target *target, size_t skip,
	     const char *name)
{
	const char *segment = route->path;
	size_t name_len = strlen(name);

	for (size_t index = 0; *segment == '/'; index++) {
		size_t len = strcspn(++segment, "/");

		if (*segment == ':' && len == name_len + 1 &&
		    strncmp(segment + 1, name, name_len) == 0)
			return target_segment(target, index + skip);
		segment += len;
	}
	return NULL;
}
