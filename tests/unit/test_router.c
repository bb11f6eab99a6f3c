/* Paths against a table of routes: who is found, what is allowed, what params are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/router.h"

static const struct route things[] = {
	{ .method = "GET", .path = "/" },
	{ .method = "GET", .path = "/api" },
	{ .method = "GET", .path = "/api/things" },
	{ .method = "POST", .path = "/api/things" },
	{ .method = "GET", .path = "/api/things/:id" },
	{ .method = "PUT", .path = "/api/things/:id" },
	{ .method = "DELETE", .path = "/api/things/:id" },
	{ .method = "POST", .path = "/api/things/validate" },
	{ .method = "PATCH", .path = "/api/things/validate" },
	{ 0 },
};
static const struct route parts[] = {
	{ .method = "POST", .path = "/api/things/:id/parts/:partId/approve" },
	{ .method = "GET", .path = "/api/things/:id/parts" },
	{ .method = "GET", .path = "/api/things/mine/parts/new" },
	{ .method = "GET", .path = "/healthz" },
	{ .method = "POST", .path = "/hooks/:path" },
	{ 0 },
};
static const struct route *const tables[] = { things, parts, NULL };

static const struct {
	const char *method, *target;
	enum router_verdict verdict;
	const char *path;  /* of the route */
	const char *allow; /* or param "id" when found */
} cases[] = {
	{ "GET", "/", ROUTER_FOUND, "/", NULL },
	{ "GET", "/api", ROUTER_FOUND, "/api", NULL },
	{ "GET", "/api/v1", ROUTER_FOUND, "/api", NULL },
	{ "GET", "/healthz", ROUTER_FOUND, "/healthz", NULL },
	{ "HEAD", "/healthz?x=1", ROUTER_FOUND, "/healthz", NULL },
	{ "GET", "http://host/healthz", ROUTER_FOUND, "/healthz", NULL },
	{ "GET", "/api/things", ROUTER_FOUND, "/api/things", NULL },
	{ "POST", "/api/v1/things", ROUTER_FOUND, "/api/things", NULL },
	{ "GET", "/api/things/a%20b", ROUTER_FOUND, "/api/things/:id", "a b" },
	{ "GET", "/api/v1/things/x", ROUTER_FOUND, "/api/things/:id", "x" },
	{ "PUT", "/api/things/v1", ROUTER_FOUND, "/api/things/:id", "v1" },
	/* a literal goes before a parameter, but only where it has the method */
	{ "POST", "/api/things/validate", ROUTER_FOUND, "/api/things/validate", NULL },
	{ "GET", "/api/things/validate", ROUTER_FOUND, "/api/things/:id", "validate" },
	{ "POST", "/api/things/x/parts/y/approve", ROUTER_FOUND,
	  "/api/things/:id/parts/:partId/approve", "x" },
	/* ... and is left again where it leads nowhere */
	{ "GET", "/api/things/mine/parts", ROUTER_FOUND, "/api/things/:id/parts",
	  "mine" },
	{ "GET", "/api/things/mine/parts/new", ROUTER_FOUND,
	  "/api/things/mine/parts/new", NULL },
	{ "POST", "/api/things/mine/parts/y/approve", ROUTER_FOUND,
	  "/api/things/:id/parts/:partId/approve", "mine" },
	/* what takes all that is left */
	{ "POST", "/hooks/a", ROUTER_FOUND, "/hooks/:path", NULL },
	{ "POST", "/hooks/a/b/c", ROUTER_FOUND, "/hooks/:path", NULL },
	{ "POST", "/hooks/a/", ROUTER_FOUND, "/hooks/:path", NULL },
	{ "GET", "/hooks/a/b", ROUTER_NO_METHOD, NULL, "POST, OPTIONS" },
	{ "POST", "/hooks", ROUTER_NO_PATH, NULL, NULL },
	{ "POST", "/hooks/", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/api/things/", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/api//things", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "//", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/api/things//parts", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/healthz/", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/v1/things", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/api/v1/v1/things", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/api/v2/things", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/API/things", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/api/things/:id/parts/x", ROUTER_NO_PATH, NULL, NULL },
	{ "GET", "/api/things/x/parts/y/approve", ROUTER_NO_METHOD, NULL,
	  "POST, OPTIONS" },
	{ "POST", "/healthz", ROUTER_NO_METHOD, NULL, "GET, HEAD, OPTIONS" },
	{ "TRACE", "/api/things", ROUTER_NO_METHOD, NULL, "GET, HEAD, POST, OPTIONS" },
	{ "TRACE", "/api/things/validate", ROUTER_NO_METHOD, NULL,
	  "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
	{ "OPTIONS", "/api/things", ROUTER_OPTIONS, NULL, "GET, HEAD, POST, OPTIONS" },
	{ "OPTIONS", "/nowhere", ROUTER_NO_PATH, NULL, NULL },
	{ "OPTIONS", "*", ROUTER_OPTIONS, NULL,
	  "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
	{ "get", "/healthz", ROUTER_UNKNOWN_METHOD, NULL, NULL },
	{ "BREW", "/nowhere", ROUTER_UNKNOWN_METHOD, NULL, NULL },
};

static void
check_found(size_t i, const struct route *route, const struct target *target,
	    size_t skip)
{
	const char *id = router_param(route, target, skip, "id");

	assert_string_equal(route->path, cases[i].path);
	if (cases[i].allow == NULL)
		assert_null(id);
	else
		assert_string_equal(id, cases[i].allow);
	assert_null(router_param(route, target, skip, "i"));
	assert_null(router_param(route, target, skip, "idx"));
}

static void
test_find(void **state)
{
	struct router *router = router_new(tables);
	struct target target = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct route *route;
		struct buf allow = { 0 };
		size_t skip;

		assert_null(
		    target_read(&target, cases[i].target, strlen(cases[i].target)));
		if (router_find(router, cases[i].method, &target, &route, &skip,
				&allow) != cases[i].verdict)
			fail_msg("%s %s", cases[i].method, cases[i].target);
		if (cases[i].verdict == ROUTER_FOUND)
			check_found(i, route, &target, skip);
		else
			assert_null(route);
		if (cases[i].verdict != ROUTER_FOUND && cases[i].allow != NULL)
			assert_string_equal(buf_text(&allow), cases[i].allow);
		buf_fini(&allow);
	}
	target_fini(&target);
	router_free(&router);
	assert_null(router);
}

static void
test_all_params(void **state)
{
	struct router *router = router_new(tables);
	struct target target = { 0 };
	const struct route *route;
	struct buf allow = { 0 };
	size_t skip;

	(void)state;
	assert_null(target_read(&target, "/api/v1/things/a/parts/b%3A2/approve", 36));
	assert_int_equal(router_find(router, "POST", &target, &route, &skip, &allow),
			 ROUTER_FOUND);
	assert_string_equal(router_param(route, &target, skip, "id"), "a");
	assert_string_equal(router_param(route, &target, skip, "partId"), "b:2");
	target_fini(&target);
	router_free(&router);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_all_params),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
