/* mcp.SERVER.TOOL: what is such a name, and which server a pattern may mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "engine/mcp_names.h"

static void
test_names(void **state)
{
	struct mcp_name name;

	(void)state;
	assert_true(mcp_name_read("mcp.files.read_file", &name));
	assert_int_equal(name.server_len, 5);
	assert_memory_equal(name.server, "files", 5);
	assert_string_equal(name.tool, "read_file");
	assert_true(mcp_name_read("mcp.a-b_1.x.y/z", &name));
	assert_string_equal(name.tool, "x.y/z");
	assert_false(mcp_name_read("mcp.files", &name));
	assert_false(mcp_name_read("mcp.files.", &name));
	assert_false(mcp_name_read("mcp..x", &name));
	assert_false(mcp_name_read("mcp.a b.x", &name));
	assert_false(mcp_name_read("mcp.a.x y", &name));
	assert_false(mcp_name_read("files.read", &name));
}

static void
test_patterns(void **state)
{
	static const struct {
		const char *pattern, *server;
		bool may;
	} rows[] = {
		{ "mcp.*", "files", true },
		{ "mcp.files.*", "files", true },
		{ "mcp.files.read", "files", true },
		{ "mcp.fi*", "files", true },
		{ "mcp.files*", "files", true },
		{ "mcp.filesystem.*", "files", false },
		{ "mcp.file.*", "files", false },
		{ "mcp.x*", "files", false },
		{ "mcp.files.r*d", "files", true },
		{ "*", "files", false },
		{ "files.*", "files", false },
		{ "mcp.files", "files", false },
		{ "mcp.", "files", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(mcp_pattern_may_be(rows[i].pattern, rows[i].server),
				 rows[i].may);
}

static void
expect_why(const char *name, const char *const *servers, const char *expected)
{
	struct buf why = { 0 };

	assert_int_equal(mcp_name_check(name, servers, &why), *expected == '\0');
	assert_string_equal(buf_text(&why), expected);
	buf_fini(&why);
}

static void
test_servers_have_to_be_there(void **state)
{
	static const char *const servers[] = { "files", "web", NULL };
	static const char *const none[] = { NULL };

	(void)state;
	expect_why("mcp.files.read", servers, "");
	expect_why("mcp.*", servers, "");
	expect_why("mcp.anything.read", NULL, "");
	expect_why("mcp.fils.read", servers,
		   "\"mcp.fils.read\": there is no MCP server \"fils\" in the "
		   "configuration; did you mean \"files\"?");
	expect_why("mcp.zzz.*", servers,
		   "\"mcp.zzz.*\": there is no MCP server \"zzz\" in the "
		   "configuration");
	expect_why("mcp.files.read", none,
		   "\"mcp.files.read\": there is no MCP server \"files\" in the "
		   "configuration");
	expect_why("mcp.files", servers,
		   "\"mcp.files\" is no tool of an MCP server: expected "
		   "mcp.SERVER.TOOL");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_servers_have_to_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
