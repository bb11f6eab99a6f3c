/* What servers of MCP and their authorization servers may say: the first line is a
 * header or a redirect, the rest JSON. What is made of it is whole: no space and no
 * line break in an address, a token or a header. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "mcp/oauth_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_word(const char *text)
{
	for (const char *c = text; c != NULL && *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			abort();
}

static void
use_line(const char *line)
{
	const struct oauth_request request = { .redirect = "http://r/c", .state = "" };
	struct oauth_challenge challenge;
	struct oauth_places places;
	struct err err = { 0 };
	char *scopes;

	oauth_challenge_read(&challenge, line);
	scopes = oauth_scopes(challenge.scope, challenge.error);
	if (scopes != NULL && strlen(scopes) > OAUTH_TEXT_MAX)
		abort();
	free(scopes);
	oauth_challenge_fini(&challenge);
	oauth_issuer_places(&places, line);
	oauth_places_fini(&places);
	oauth_resource_places(&places, line);
	oauth_places_fini(&places);
	free(oauth_code(&request, line, &err));
}

static void
use_server(const struct json *json)
{
	struct oauth_server server;
	struct oauth_client client;
	struct err err = { 0 };
	struct buf out = { 0 };
	const struct oauth_request request = { .server = &server,
					       .client = &client,
					       .redirect = "http://r/c",
					       .resource = "https://h/",
					       .state = "s",
					       .verifier = "v",
					       .challenge = "c" };
	char *basic;

	if (oauth_server_read(&server, json, &err) == 0 &&
	    oauth_client_read(&client, &server, json, &err) == 0) {
		if (server.authorization != NULL)
			oauth_authorize_url(&request, &out);
		check_word(buf_text(&out));
		buf_clear(&out);
		oauth_token_by_code(&request, "code", &out);
		check_word(buf_text(&out));
		basic = oauth_basic(&client);
		free(basic);
		oauth_client_fini(&client);
	}
	oauth_server_fini(&server);
	buf_fini(&out);
}

static void
use_json(const struct json *json)
{
	char *issuer = NULL, *scope = NULL, *resource = NULL;
	char *token = NULL, *refresh = NULL;
	struct err err = { 0 };

	use_server(json);
	oauth_resource_read(json, "https://h/mcp", &issuer, &scope, &resource, &err);
	check_word(issuer);
	check_word(resource);
	oauth_token_read(json, &token, &refresh, &err);
	check_word(token);
	free(issuer);
	free(scope);
	free(resource);
	free(token);
	free(refresh);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	const char *end = len > 0 ? memchr(text, '\n', len) : NULL;
	size_t line_len = end != NULL ? (size_t)(end - text) : len;
	char *line = xstrndup(text, line_len);
	struct json *json = NULL;
	struct err err = { 0 };

	use_line(line);
	if (end != NULL && json_parse(end + 1, len - line_len - 1, &json, &err) == 0)
		use_json(json);
	json_unref(&json);
	free(line);
	return 0;
}
