/* Texts of OAuth: refusals, places of metadata, what they say, requests, answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "mcp/oauth_core.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

static const char *
or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void
expect_challenge(const char *header, const char *metadata, const char *scope,
		 const char *error)
{
	struct oauth_challenge challenge;

	oauth_challenge_read(&challenge, header);
	assert_string_equal(or_dash(challenge.metadata), metadata);
	assert_string_equal(or_dash(challenge.scope), scope);
	assert_string_equal(or_dash(challenge.error), error);
	oauth_challenge_fini(&challenge);
}

static void
test_refusals(void **state)
{
	(void)state;
	expect_challenge("", "-", "-", "-");
	expect_challenge("Bearer", "-", "-", "-");
	expect_challenge("Bearer resource_metadata=\"http://h/m\", scope=\"a b\"",
			 "http://h/m", "a b", "-");
	expect_challenge("bearer error=insufficient_scope,scope=\"a\\\"b\"", "-",
			 "a\"b", "insufficient_scope");
	expect_challenge("Basic realm=\"x\", scope=\"no\", Bearer scope=\"yes\"", "-",
			 "yes", "-");
	expect_challenge("Bearer scope=\"\", scope=\"second\"", "-", "second", "-");
	expect_challenge("Bearer scope=\"unended", "-", "unended", "-");
	expect_challenge("Bearer =, ===,\"", "-", "-", "-");
}

static void
expect_places(void (*find)(struct oauth_places *, const char *), const char *url,
	      const char *expected)
{
	struct oauth_places places;
	struct buf text = { 0 };

	find(&places, url);
	for (size_t i = 0; i < places.count; i++)
		buf_printf(&text, "%s\n", places.list[i]);
	assert_string_equal(buf_text(&text), expected);
	buf_fini(&text);
	oauth_places_fini(&places);
}

static void
test_places_of_metadata(void **state)
{
	(void)state;
	expect_places(oauth_resource_places, "https://h:1/a/mcp?x",
		      "https://h:1/.well-known/oauth-protected-resource/a/mcp\n"
		      "https://h:1/.well-known/oauth-protected-resource\n");
	expect_places(oauth_resource_places, "http://h/",
		      "http://h/.well-known/oauth-protected-resource\n");
	expect_places(oauth_resource_places, "ftp://h/", "");
	expect_places(oauth_issuer_places, "https://h",
		      "https://h/.well-known/oauth-authorization-server\n"
		      "https://h/.well-known/openid-configuration\n");
	expect_places(oauth_issuer_places, "https://h/t1/",
		      "https://h/.well-known/oauth-authorization-server/t1\n"
		      "https://h/.well-known/openid-configuration/t1\n"
		      "https://h/t1/.well-known/openid-configuration\n");
	expect_places(oauth_issuer_places, "https://u:p@h/", "");
}

static int
read_resource(const char *text, const char *url, char **scope)
{
	struct json *json = parse(text);
	char *issuer = NULL, *resource = NULL;
	struct err err = { 0 };
	int result = oauth_resource_read(json, url, &issuer, scope, &resource, &err);

	free(issuer);
	free(resource);
	json_unref(&json);
	return result;
}

static void
test_metadata_are_of_this_resource(void **state)
{
	static const struct {
		const char *resource, *url;
		int result;
	} rows[] = {
		{ "https://h/mcp", "https://h/mcp", 0 },
		{ "https://h", "https://h/mcp", 0 },
		{ "https://h/", "https://h/mcp", 0 },
		{ "https://h/mcp", "https://h/mcp/x", 0 },
		{ "https://h/mc", "https://h/mcp", -1 },
		{ "https://other/mcp", "https://h/mcp", -1 },
		{ "https://h.evil/mcp", "https://h/mcp", -1 },
		{ "https:/", "https://h/mcp", -1 },
		{ "http://h/mcp", "https://h/mcp", -1 },
		{ "", "https://h/mcp", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *text =
		    xprintf("{\"resource\":\"%s\",\"scopes_supported\":[\"a\","
			    "3,\"b\"],\"authorization_servers\":[\"https://a\"]}",
			    rows[i].resource);
		char *scope = NULL;

		assert_int_equal(read_resource(text, rows[i].url, &scope),
				 rows[i].result);
		if (rows[i].result == 0)
			assert_string_equal(scope, "a b");
		free(scope);
		free(text);
	}
}

static void
test_metadata_need_an_authorization_server(void **state)
{
	char *scope = NULL;

	(void)state;
	assert_int_equal(
	    read_resource("{\"resource\":\"https://h\"}", "https://h", &scope), -1);
	assert_int_equal(read_resource("{\"resource\":\"https://h\","
				       "\"authorization_servers\":[\"javascript:1\"]}",
				       "https://h", &scope),
			 -1);
	assert_int_equal(read_resource("{}", "https://h", &scope), -1);
	assert_null(scope);
}

#define ADDRESSES                                                                      \
	"\"authorization_endpoint\":\"https://a/au\",\"token_endpoint\":\"https://a/"  \
	"t\",\"registration_endpoint\":\"https://a/r\""
#define S256 ",\"code_challenge_methods_supported\":[\"S256\"]"

static void
test_what_an_authorization_server_says(void **state)
{
	struct oauth_server server;
	struct err err = { 0 };
	struct json *json = parse(
	    "{" ADDRESSES S256 ",\"token_endpoint_auth_methods_supported\":[\"none\","
	    "\"client_secret_post\"],\"grant_types_supported\":["
	    "\"client_credentials\"]}");

	(void)state;
	assert_int_equal(oauth_server_read(&server, json, &err), 0);
	assert_true(server.post && server.plain && !server.basic);
	assert_true(server.by_client && !server.by_code);
	oauth_server_fini(&server);
	json_unref(&json);
	json = parse("{" ADDRESSES S256 "}");
	assert_int_equal(oauth_server_read(&server, json, &err), 0);
	assert_true(server.basic && server.by_code && !server.by_client);
	oauth_server_fini(&server);
	json_unref(&json);
	json = parse("{" ADDRESSES "}"); /* codes would be unprotected */
	assert_int_equal(oauth_server_read(&server, json, &err), -1);
	assert_non_null(strstr(err.text, "S256"));
	oauth_server_fini(&server);
	json_unref(&json);
	json = parse("{\"token_endpoint\":\"file:///etc/passwd\"}");
	assert_int_equal(oauth_server_read(&server, json, &err), -1);
	oauth_server_fini(&server);
	json_unref(&json);
}

static void
test_requests_escape_everything(void **state)
{
	struct oauth_server server = { .authorization = (char *)"https://a/au?x=1" };
	struct oauth_client client = {
		.id = (char *)"i&d", .secret = (char *)"s:=", .shows = OAUTH_POST
	};
	const struct oauth_request request = { .server = &server,
					       .client = &client,
					       .redirect = "http://r/c",
					       .resource = "https://h/mcp",
					       .scope = "a b",
					       .state = "st",
					       .verifier = "ve",
					       .challenge = "ch" };
	struct buf out = { 0 };
	char *basic;

	(void)state;
	oauth_authorize_url(&request, &out);
	assert_string_equal(
	    buf_text(&out),
	    "https://a/au?x=1&response_type=code&client_id=i%26d&redirect_uri=http%3A%"
	    "2F%2Fr%2Fc&state=st&code_challenge=ch&code_challenge_method=S256&resource="
	    "https%3A%2F%2Fh%2Fmcp&scope=a%20b");
	buf_clear(&out);
	oauth_token_by_code(&request, "c&", &out);
	assert_string_equal(buf_text(&out),
			    "grant_type=authorization_code&code=c%26&redirect_uri="
			    "http%3A%2F%2Fr%2Fc&code_verifier=ve&resource=https%3A%2F%"
			    "2Fh%2Fmcp&client_id=i%26d&client_secret=s%3A%3D");
	buf_clear(&out);
	assert_null(oauth_basic(&client));
	client.shows = OAUTH_BASIC;
	oauth_token_by_refresh(&request, "r", &out);
	assert_null(strstr(buf_text(&out), "client"));
	basic = oauth_basic(&client);
	assert_string_equal(basic, "Basic aSUyNmQ6cyUzQSUzRA==");
	free(basic);
	buf_clear(&out);
	client.shows = OAUTH_PLAIN;
	oauth_token_by_client(&request, &out);
	assert_non_null(strstr(buf_text(&out), "client_id=i%26d"));
	assert_null(strstr(buf_text(&out), "client_secret"));
	buf_fini(&out);
}

static void
expect_code(const char *location, const char *expected)
{
	const struct oauth_request request = { .redirect = "http://r/c",
					       .state = "st" };
	struct err err = { 0 };
	char *code = oauth_code(&request, location, &err);

	if (expected != NULL)
		assert_string_equal(code, expected);
	else
		assert_null(code);
	free(code);
}

static void
test_only_our_redirect_brings_a_code(void **state)
{
	(void)state;
	expect_code("http://r/c?code=a%26b&state=st", "a&b");
	expect_code("http://r/c?state=st&code=x#f", "x");
	expect_code(NULL, NULL);
	expect_code("https://a/login?next=1", NULL);
	expect_code("http://r/cx?code=x&state=st", NULL);
	expect_code("http://r/c?code=x", NULL);
	expect_code("http://r/c?code=x&state=other", NULL);
	expect_code("http://r/c?error=access_denied&state=st", NULL);
	expect_code("http://r/c?state=st", NULL);
}

static void
test_clients_show_themselves_as_they_may(void **state)
{
	static const struct {
		struct oauth_server server;
		const char *secret;
		int shows;
	} rows[] = {
		{ { .basic = true }, NULL, OAUTH_PLAIN },
		{ { .basic = true, .post = true }, "s", OAUTH_BASIC },
		{ { .post = true }, "s", OAUTH_POST },
		{ { .plain = true }, "s", OAUTH_PLAIN },
		{ { .plain = false }, "s", OAUTH_BASIC },
	};
	struct oauth_client client;
	struct err err = { 0 };
	struct json *json;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		client = (struct oauth_client){ .secret = (char *)rows[i].secret };
		oauth_client_shows(&client, &rows[i].server);
		assert_int_equal(client.shows, rows[i].shows);
	}
	json = parse("{\"client_id\":\"i\",\"client_secret\":\"s\","
		     "\"token_endpoint_auth_method\":\"client_secret_post\"}");
	assert_int_equal(oauth_client_read(&client, &rows[0].server, json, &err), 0);
	assert_int_equal(client.shows, OAUTH_POST);
	oauth_client_fini(&client);
	json_unref(&json);
	json = parse("{\"client_id\":7}");
	assert_int_equal(oauth_client_read(&client, &rows[0].server, json, &err), -1);
	json_unref(&json);
}

static void
expect_token(const char *text, const char *token)
{
	struct json *json = parse(text);
	char *got = NULL, *refresh = NULL;
	struct err err = { 0 };

	assert_int_equal(oauth_token_read(json, &got, &refresh, &err),
			 token != NULL ? 0 : -1);
	assert_string_equal(or_dash(got), or_dash(token));
	free(got);
	free(refresh);
	json_unref(&json);
}

static void
test_tokens(void **state)
{
	(void)state;
	expect_token("{\"access_token\":\"t\",\"token_type\":\"bearer\"}", "t");
	expect_token("{\"access_token\":\"t\"}", NULL);
	expect_token("{\"access_token\":\"t\",\"token_type\":\"DPoP\"}", NULL);
	expect_token("{\"access_token\":\"a\\r\\nb\",\"token_type\":\"Bearer\"}", NULL);
	expect_token("{\"access_token\":\"\",\"token_type\":\"Bearer\"}", NULL);
	expect_token("{\"access_token\":3,\"token_type\":\"Bearer\"}", NULL);
}

static void
expect_scopes(const char *a, const char *b, const char *expected)
{
	char *text = oauth_scopes(a, b);

	assert_string_equal(or_dash(text), expected);
	free(text);
}

static void
test_scopes_of_both(void **state)
{
	(void)state;
	expect_scopes(NULL, NULL, "-");
	expect_scopes("", NULL, "-");
	expect_scopes("a b", NULL, "a b");
	expect_scopes("a b", "b  c a", "a b c");
	expect_scopes("ab", "a b", "ab a b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_places_of_metadata),
		cmocka_unit_test(test_metadata_are_of_this_resource),
		cmocka_unit_test(test_metadata_need_an_authorization_server),
		cmocka_unit_test(test_what_an_authorization_server_says),
		cmocka_unit_test(test_requests_escape_everything),
		cmocka_unit_test(test_only_our_redirect_brings_a_code),
		cmocka_unit_test(test_clients_show_themselves_as_they_may),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_scopes_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
