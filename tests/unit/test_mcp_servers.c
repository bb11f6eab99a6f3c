/* MCP servers in the configuration: what may be said of one, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/mcp_servers.h"
#include "conf/yaml.h"

static char *
read_text(struct mcp_servers *servers, const char *text)
{
	struct problems problems = { 0 };
	struct doc *tree = yaml_parse(text, strlen(text), &problems);
	struct buf lines = { 0 };

	*servers = (struct mcp_servers){ 0 };
	assert_non_null(tree);
	mcp_servers_read(servers, tree, &problems);
	for (size_t i = 0; i < problems.count; i++)
		buf_printf(&lines, "%d:%d %s\n", problems.list[i].line,
			   problems.list[i].column, problems.list[i].message);
	doc_free(&tree);
	problems_fini(&problems);
	return buf_take(&lines);
}

static void
expect_problems(const char *text, const char *expected)
{
	struct mcp_servers servers;
	char *lines = read_text(&servers, text);

	assert_string_equal(lines != NULL ? lines : "", expected);
	free(lines);
	mcp_servers_fini(&servers);
}

static void
test_no_servers(void **state)
{
	struct mcp_servers servers;
	struct problems problems = { 0 };

	(void)state;
	mcp_servers_read(&servers, NULL, &problems);
	assert_int_equal(servers.count, 0);
	assert_null(servers.names[0]);
	mcp_servers_fini(&servers);
}

static void
test_both_kinds(void **state)
{
	struct mcp_servers servers;
	const struct mcp_server *one;
	char *lines;

	(void)state;
	setenv("TEST_MCP_TOKEN", "Bearer sesame", 1);
	lines = read_text(&servers,
			  "files:\n  command: [node, server.js, '--all']\n"
			  "  cwd: /srv\n  environment: [TZ]\n  env: {MODE: fast}\n"
			  "  start_timeout: 5s\n  idle: 0s\n  elicitation: defaults\n"
			  "web:\n  url: https://example.com/mcp\n"
			  "  headers: {Authorization: 'env:TEST_MCP_TOKEN'}\n");
	assert_string_equal(lines != NULL ? lines : "", "");
	free(lines);
	assert_int_equal(servers.count, 2);
	assert_string_equal(servers.names[1], "web");
	one = mcp_server_find(&servers, "files", 5);
	assert_int_equal(one->command.count, 3);
	assert_string_equal(one->command.list[2], "--all");
	assert_string_equal(one->env.list[0].value, "fast");
	assert_false(one->env.list[0].secret);
	assert_int_equal(one->start_timeout, 5 * USEC_SECOND);
	assert_int_equal(one->idle, 0);
	assert_int_equal(one->elicitation, MCP_ELICIT_DEFAULTS);
	one = mcp_server_find(&servers, "web", 3);
	assert_int_equal(one->idle, 300 * USEC_SECOND);
	assert_string_equal(one->headers.list[0].value, "Bearer sesame");
	assert_true(one->headers.list[0].secret);
	assert_null(mcp_server_find(&servers, "we", 2));
	mcp_servers_fini(&servers);
	unsetenv("TEST_MCP_TOKEN");
}

static void
test_secrets_are_masked(void **state)
{
	struct mcp_servers servers;
	struct mask *mask = mask_new();
	struct buf out = { 0 };
	const char *text = "it said Bearer sesame to fast";

	(void)state;
	setenv("TEST_MCP_TOKEN", "Bearer sesame", 1);
	free(read_text(&servers, "s:\n  command: [x]\n"
				 "  env: {T: 'env:TEST_MCP_TOKEN', M: fast}\n"));
	mcp_servers_mask(&servers, mask);
	mask_text(mask, text, strlen(text), &out);
	assert_string_equal(buf_text(&out), "it said *** to fast");
	buf_fini(&out);
	mask_free(&mask);
	mcp_servers_fini(&servers);
	unsetenv("TEST_MCP_TOKEN");
}

static void
test_what_is_refused(void **state)
{
	(void)state;
	expect_problems("[a]", "1:1 mcp: expected up to 64 names with what they are\n");
	expect_problems(
	    "a.b: {command: [x]}",
	    "1:1 mcp: expected names of up to 32 letters, digits, dashes or "
	    "underscores\n");
	expect_problems("a: {}",
			"1:4 mcp.a: expected either a command or a url, and one "
			"of them\n");
	expect_problems("a: {command: [x], url: 'http://h'}",
			"1:4 mcp.a: expected either a command or a url, and one of "
			"them\n");
	expect_problems("a: {url: 'ftp://h'}",
			"1:4 mcp.a.url: expected http:// or https:// with a host\n");
	expect_problems("a: {command: ['']}",
			"1:15 mcp.a.command: expected a list of words\n"
			"1:4 mcp.a: expected either a command or a url, and one of "
			"them\n");
	expect_problems("a: {command: [x], headers: {A: b}}",
			"1:28 mcp.a.headers: only a server with a url has some\n");
	expect_problems(
	    "a: {url: 'http://h', cwd: /x}",
	    "1:4 mcp.a: \"env\", \"environment\" and \"cwd\" are of a server "
	    "with a command\n");
	expect_problems("a: {url: 'http://h', headers: {'A b': c}}",
			"1:32 mcp.a.headers: \"A b\" is no name\n");
	expect_problems("a: {url: 'http://h', headers: {A: \"b\\r\\nc\"}}",
			"1:35 mcp.a.headers.A: a control character is not allowed\n");
	expect_problems("a: {url: 'http://h', oauth: {}, headers: {authorization: x}}",
			"1:4 mcp.a: expected either oauth or a header Authorization\n");
	expect_problems("a: {command: [x], oauth: {}}",
			"1:26 mcp.a.oauth: only a server with a url has some\n");
	expect_problems("a: {url: 'http://h', oauth: {client_secret: s}}",
			"1:29 mcp.a.oauth: a client_secret has a client_id\n");
	expect_problems(
	    "a: {url: 'http://h', oauth: {client_document: x, y: 1}}",
	    "1:50 mcp.a.oauth.y: unknown key\n"
	    "1:29 mcp.a.oauth.client_document: expected http:// or https:// "
	    "with a host\n");
	expect_problems("a: {command: [x], elicitation: ask}",
			"1:4 mcp.a.elicitation: expected none or defaults\n");
	expect_problems("a: {command: [x], environment: ['A=b']}",
			"1:4 mcp.a.environment: expected names of variables\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_servers),
		cmocka_unit_test(test_both_kinds),
		cmocka_unit_test(test_secrets_are_masked),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
