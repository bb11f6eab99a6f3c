/* Texts of OAuth. See oauth_core.h. */
#include "mcp/oauth_core.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "actions/http_form_core.h"
#include "base/escape.h"
#include "base/xalloc.h"
#include "base64_core.h"

#define RESOURCE_PATH "/.well-known/oauth-protected-resource"
#define SERVER_PATH   "/.well-known/oauth-authorization-server"
#define OPENID_PATH   "/.well-known/openid-configuration"

/* ---- WWW-Authenticate ---- */

static const char *
past_spaces(const char *c)
{
	return c + strspn(c, " \t,");
}

/* "text" or a token; *c moves behind it. The caller's. */
static char *
read_value(const char **c)
{
	struct buf out = { 0 };

	if (**c != '"') {
		size_t len = strcspn(*c, " \t,");

		buf_add(&out, *c, len);
		*c += len;
		return buf_take(&out);
	}
	for ((*c)++; **c != '\0' && **c != '"'; (*c)++) {
		if (**c == '\\' && (*c)[1] != '\0')
			(*c)++;
		buf_char(&out, **c);
	}
	*c += **c == '"';
	return buf_take(&out);
}

/* Takes the value. */
static void
take_member(struct oauth_challenge *challenge, const char *name, size_t len,
	    char *value)
{
	char **member = NULL;

	if (len == 17 && strncasecmp(name, "resource_metadata", len) == 0)
		member = &challenge->metadata;
	else if (len == 5 && strncasecmp(name, "scope", len) == 0)
		member = &challenge->scope;
	else if (len == 5 && strncasecmp(name, "error", len) == 0)
		member = &challenge->error;
	if (member == NULL || *member != NULL || value == NULL || *value == '\0' ||
	    strlen(value) > OAUTH_TEXT_MAX)
		free(value);
	else
		*member = value;
}

/* A word without "=" behind it begins another scheme. */
void
oauth_challenge_read(struct oauth_challenge *challenge, const char *header)
{
	const char *c = header;
	bool bearer = false;

	*challenge = (struct oauth_challenge){ 0 };
	for (c = past_spaces(c); *c != '\0'; c = past_spaces(c)) {
		const char *name = c;
		size_t len = strcspn(c, " \t,=");

		c += len;
		if (*c != '=') {
			bearer = len == 6 && strncasecmp(name, "Bearer", 6) == 0;
			continue;
		}
		c++;
		if (bearer)
			take_member(challenge, name, len, read_value(&c));
		else
			free(read_value(&c));
	}
}

void
oauth_challenge_fini(struct oauth_challenge *challenge)
{
	free(challenge->metadata);
	free(challenge->scope);
	free(challenge->error);
	*challenge = (struct oauth_challenge){ 0 };
}

/* ---- places ---- */

/* Bytes of "scheme://host:port"; 0: it is no address. */
static size_t
origin_len(const char *url)
{
	size_t scheme = strncmp(url, "https://", 8) == 0  ? 8
			: strncmp(url, "http://", 7) == 0 ? 7
							  : 0;
	size_t host = strcspn(url + scheme, "/?#");

	return scheme == 0 || host == 0 || memchr(url + scheme, '@', host) != NULL
		   ? 0
		   : scheme + host;
}

static bool
is_address(const char *url)
{
	if (url == NULL || strlen(url) > OAUTH_TEXT_MAX || origin_len(url) == 0)
		return false;
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == '#')
			return false;
	return true;
}

char *
oauth_origin(const char *url)
{
	size_t len = origin_len(url);

	return len > 0 ? xstrndup(url, len) : NULL;
}

/* The path, without a slash at its end; empty for none. */
static char *
path_of(const char *url)
{
	const char *path = url + origin_len(url);
	size_t len = strcspn(path, "?#");

	while (len > 0 && path[len - 1] == '/')
		len--;
	return xstrndup(path, len);
}

static void
add_place(struct oauth_places *places, const char *origin, const char *a, const char *b)
{
	places->list[places->count++] = xprintf("%s%s%s", origin, a, b);
}

void
oauth_resource_places(struct oauth_places *places, const char *url)
{
	char *origin = oauth_origin(url), *path;

	*places = (struct oauth_places){ .count = 0 };
	if (origin == NULL)
		return;
	path = path_of(url);
	if (*path != '\0')
		add_place(places, origin, RESOURCE_PATH, path);
	add_place(places, origin, RESOURCE_PATH, "");
	free(path);
	free(origin);
}

void
oauth_issuer_places(struct oauth_places *places, const char *issuer)
{
	char *origin = oauth_origin(issuer), *path;

	*places = (struct oauth_places){ .count = 0 };
	if (origin == NULL)
		return;
	path = path_of(issuer);
	add_place(places, origin, SERVER_PATH, path);
	add_place(places, origin, OPENID_PATH, path);
	if (*path != '\0')
		add_place(places, origin, path, OPENID_PATH);
	free(path);
	free(origin);
}

void
oauth_places_fini(struct oauth_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->list[i]);
	places->count = 0;
}

/* ---- metadata ---- */

static const char *
text_of(const struct json *json, const char *name)
{
	const struct json *value = json_get(json, name);
	const char *text = json_str(value);

	return text != NULL && strlen(text) == json_str_len(value) &&
		       json_str_len(value) <= OAUTH_TEXT_MAX
		   ? text
		   : NULL;
}

static bool
lists(const struct json *json, const char *name, const char *word)
{
	const struct json *list = json_get(json, name);

	for (size_t i = 0; json_type(list) == JSON_ARRAY && i < json_count(list); i++) {
		const char *text = json_str(json_at(list, i));

		if (text != NULL && strcmp(text, word) == 0)
			return true;
	}
	return false;
}

static char *
joined_scopes(const struct json *list)
{
	struct buf out = { 0 };

	for (size_t i = 0; json_type(list) == JSON_ARRAY && i < json_count(list); i++) {
		const char *text = json_str(json_at(list, i));

		if (text == NULL || *text == '\0' ||
		    out.len + strlen(text) > OAUTH_TEXT_MAX)
			continue;
		buf_printf(&out, "%s%s", out.len > 0 ? " " : "", text);
	}
	return out.len > 0 ? buf_take(&out) : NULL;
}

/* One that speaks for other addresses than ours would get our token for them. */
static bool
is_of(const char *resource, const char *url)
{
	size_t len = strlen(resource);

	while (len > 0 && resource[len - 1] == '/')
		len--;
	return len >= origin_len(url) && origin_len(resource) == origin_len(url) &&
	       strncmp(resource, url, len) == 0 &&
	       (url[len] == '\0' || url[len] == '/' || url[len] == '?');
}

int
oauth_resource_read(const struct json *json, const char *url, char **issuer,
		    char **scope, char **resource, struct err *err)
{
	const char *whose = text_of(json, "resource");
	const struct json *servers = json_get(json, "authorization_servers");
	const char *first = json_str(json_at(servers, 0));

	if (whose == NULL || !is_address(whose) || !is_of(whose, url))
		return err_set(err, ERR_INPUT,
			       "its metadata are of another resource than %.300s", url);
	if (json_type(servers) != JSON_ARRAY || !is_address(first))
		return err_set(err, ERR_INPUT,
			       "its metadata name no authorization server");
	*issuer = xstrdup(first);
	*resource = xstrdup(whose);
	*scope = joined_scopes(json_get(json, "scopes_supported"));
	return 0;
}

static char *
address_of(const struct json *json, const char *name)
{
	const char *text = text_of(json, name);

	return is_address(text) ? xstrdup(text) : NULL;
}

int
oauth_server_read(struct oauth_server *server, const struct json *json, struct err *err)
{
	static const char *const methods = "token_endpoint_auth_methods_supported";
	static const char *const grants = "grant_types_supported";
	bool tells_methods = json_has(json, methods), tells = json_has(json, grants);

	*server = (struct oauth_server){
		.authorization = address_of(json, "authorization_endpoint"),
		.token = address_of(json, "token_endpoint"),
		.registration = address_of(json, "registration_endpoint"),
		.takes_documents =
		    json_bool(json_get(json, "client_id_metadata_document_supported")),
		.basic = !tells_methods || lists(json, methods, "client_secret_basic"),
		.post = lists(json, methods, "client_secret_post"),
		.plain = lists(json, methods, "none"),
		.by_client = lists(json, grants, "client_credentials"),
		.by_code = !tells || lists(json, grants, "authorization_code"),
	};
	if (server->token == NULL || (server->by_code && server->authorization == NULL))
		return err_set(err, ERR_INPUT,
			       "the metadata of its authorization server name no "
			       "addresses for that");
	if (server->by_code && !lists(json, "code_challenge_methods_supported", "S256"))
		return err_set(err, ERR_INPUT,
			       "its authorization server does not say that it can do "
			       "S256, which protects codes");
	return 0;
}

void
oauth_server_usual(struct oauth_server *server, const char *origin)
{
	*server = (struct oauth_server){
		.authorization = xprintf("%s/authorize", origin),
		.token = xprintf("%s/token", origin),
		.registration = xprintf("%s/register", origin),
		.basic = true,
		.by_code = true,
	};
}

void
oauth_server_fini(struct oauth_server *server)
{
	free(server->authorization);
	free(server->token);
	free(server->registration);
	*server = (struct oauth_server){ 0 };
}

/* ---- clients ---- */

void
oauth_client_shows(struct oauth_client *client, const struct oauth_server *server)
{
	if (client->secret == NULL)
		client->shows = OAUTH_PLAIN;
	else if (server->basic || !server->post)
		client->shows = server->plain && !server->basic && !server->post
				    ? OAUTH_PLAIN
				    : OAUTH_BASIC;
	else
		client->shows = OAUTH_POST;
}

struct json *
oauth_registration(const struct oauth_server *server, const char *redirect)
{
	struct json *json = json_new_object(), *uris = json_new_array();
	struct json *grants = json_new_array(), *responses = json_new_array();
	const char *method = server->basic  ? "client_secret_basic"
			     : server->post ? "client_secret_post"
					    : "none";

	json_append(uris, json_new_str(redirect));
	json_append(grants, json_new_str("authorization_code"));
	json_append(grants, json_new_str("refresh_token"));
	json_append(responses, json_new_str("code"));
	json_set(json, "client_name", json_new_str("stepmill"));
	json_set(json, "redirect_uris", uris);
	json_set(json, "grant_types", grants);
	json_set(json, "response_types", responses);
	json_set(json, "token_endpoint_auth_method", json_new_str(method));
	return json;
}

int
oauth_client_read(struct oauth_client *client, const struct oauth_server *server,
		  const struct json *json, struct err *err)
{
	const char *id = text_of(json, "client_id");
	const char *secret = text_of(json, "client_secret");
	const char *method = text_of(json, "token_endpoint_auth_method");

	*client = (struct oauth_client){ .id = NULL };
	if (id == NULL || *id == '\0')
		return err_set(err, ERR_INPUT,
			       "its authorization server did not register us");
	client->id = xstrdup(id);
	client->secret = secret != NULL ? xstrdup(secret) : NULL;
	oauth_client_shows(client, server);
	if (method == NULL)
		return 0;
	if (strcmp(method, "none") == 0)
		client->shows = OAUTH_PLAIN;
	else if (secret != NULL && strcmp(method, "client_secret_post") == 0)
		client->shows = OAUTH_POST;
	else if (secret != NULL && strcmp(method, "client_secret_basic") == 0)
		client->shows = OAUTH_BASIC;
	return 0;
}

void
oauth_client_fini(struct oauth_client *client)
{
	if (client->secret != NULL)
		explicit_bzero(client->secret, strlen(client->secret));
	free(client->id);
	free(client->secret);
	*client = (struct oauth_client){ .id = NULL };
}

/* ---- asking ---- */

static void
add_field(struct buf *out, size_t begin, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (out->len > begin)
		buf_char(out, '&');
	buf_str(out, name);
	buf_char(out, '=');
	http_escape(value, strlen(value), out);
}

void
oauth_authorize_url(const struct oauth_request *request, struct buf *out)
{
	const char *url = request->server->authorization;
	size_t begin;

	buf_str(out, url);
	buf_char(out, strchr(url, '?') != NULL ? '&' : '?');
	begin = out->len;
	add_field(out, begin, "response_type", "code");
	add_field(out, begin, "client_id", request->client->id);
	add_field(out, begin, "redirect_uri", request->redirect);
	add_field(out, begin, "state", request->state);
	add_field(out, begin, "code_challenge", request->challenge);
	add_field(out, begin, "code_challenge_method", "S256");
	add_field(out, begin, "resource", request->resource);
	add_field(out, begin, "scope", request->scope);
}

static char *
unescaped(const char *text, size_t len)
{
	struct buf out = { 0 };
	char bytes[4];
	size_t count;

	for (size_t at = 0; at < len;) {
		at += escape_read(ESCAPE_URL, text + at, len - at, bytes, &count);
		buf_add(&out, bytes, count);
	}
	return buf_take(&out);
}

/* The value of a member of a query, unescaped; the caller's, or NULL. */
static char *
query_member(const char *query, const char *name)
{
	size_t len = strlen(name);

	while (query != NULL && *query != '\0') {
		size_t pair = strcspn(query, "&#");

		if (pair > len && strncmp(query, name, len) == 0 && query[len] == '=')
			return unescaped(query + len + 1, pair - len - 1);
		query += pair;
		if (*query != '&')
			return NULL;
		query++;
	}
	return NULL;
}

char *
oauth_code(const struct oauth_request *request, const char *location, struct err *err)
{
	size_t len = strlen(request->redirect);
	char *code = NULL, *state, *error;

	if (location == NULL || strncmp(location, request->redirect, len) != 0 ||
	    location[len] != '?') {
		err_set(err, ERR_DENIED,
			"somebody has to log in at its authorization server");
		return NULL;
	}
	state = query_member(location + len + 1, "state");
	error = query_member(location + len + 1, "error");
	if (state == NULL || strcmp(state, request->state) != 0)
		err_set(err, ERR_INPUT,
			"its authorization server answered to another request");
	else if (error != NULL)
		err_set(err, ERR_DENIED, "its authorization server refuses: %.200s",
			error);
	else if ((code = query_member(location + len + 1, "code")) == NULL)
		err_set(err, ERR_INPUT, "its authorization server gave no code");
	free(state);
	free(error);
	return code;
}

/* Those who show themselves by a header do not repeat it. */
static void
add_client(struct buf *out, size_t begin, const struct oauth_client *client)
{
	if (client->shows == OAUTH_BASIC)
		return;
	add_field(out, begin, "client_id", client->id);
	if (client->shows == OAUTH_POST)
		add_field(out, begin, "client_secret", client->secret);
}

void
oauth_token_by_code(const struct oauth_request *request, const char *code,
		    struct buf *out)
{
	size_t begin = out->len;

	add_field(out, begin, "grant_type", "authorization_code");
	add_field(out, begin, "code", code);
	add_field(out, begin, "redirect_uri", request->redirect);
	add_field(out, begin, "code_verifier", request->verifier);
	add_field(out, begin, "resource", request->resource);
	add_client(out, begin, request->client);
}

void
oauth_token_by_refresh(const struct oauth_request *request, const char *refresh,
		       struct buf *out)
{
	size_t begin = out->len;

	add_field(out, begin, "grant_type", "refresh_token");
	add_field(out, begin, "refresh_token", refresh);
	add_field(out, begin, "resource", request->resource);
	add_client(out, begin, request->client);
}

void
oauth_token_by_client(const struct oauth_request *request, struct buf *out)
{
	size_t begin = out->len;

	add_field(out, begin, "grant_type", "client_credentials");
	add_field(out, begin, "resource", request->resource);
	add_field(out, begin, "scope", request->scope);
	add_client(out, begin, request->client);
}

char *
oauth_basic(const struct oauth_client *client)
{
	struct buf pair = { 0 }, out = { 0 };

	if (client->shows != OAUTH_BASIC)
		return NULL;
	http_escape(client->id, strlen(client->id), &pair);
	buf_char(&pair, ':');
	http_escape(client->secret, strlen(client->secret), &pair);
	buf_str(&out, "Basic ");
	base64_write(buf_text(&pair), pair.len, &out);
	explicit_bzero(pair.data, pair.len);
	buf_fini(&pair);
	return buf_take(&out);
}

/* It goes into a header. */
static bool
is_token(const char *text)
{
	if (text == NULL || *text == '\0')
		return false;
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return false;
	return true;
}

int
oauth_token_read(const struct json *json, char **token, char **refresh, struct err *err)
{
	const struct json *given = json_get(json, "access_token");
	const char *type = text_of(json, "token_type"), *text = json_str(given);
	const char *again = text_of(json, "refresh_token");

	if (!is_token(text) || json_str_len(given) > 8192 ||
	    strlen(text) != json_str_len(given))
		return err_set(err, ERR_INPUT,
			       "its authorization server gave no token");
	if (type == NULL || strcasecmp(type, "Bearer") != 0)
		return err_set(
		    err, ERR_INPUT,
		    "its authorization server gave a token that is no Bearer");
	*token = xstrdup(text);
	*refresh = again != NULL && *again != '\0' ? xstrdup(again) : NULL;
	return 0;
}

/* ---- scopes ---- */

static bool
has_scope(const char *list, size_t list_len, const char *scope, size_t len)
{
	for (size_t at = 0; at < list_len;) {
		size_t word = 0;

		while (at + word < list_len && list[at + word] != ' ')
			word++;
		if (word == len && memcmp(list + at, scope, len) == 0)
			return true;
		at += word + 1;
	}
	return false;
}

static void
add_scopes(struct buf *out, const char *list)
{
	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, " ");

		if (len > 0 && out->len + len < OAUTH_TEXT_MAX &&
		    !has_scope(buf_text(out), out->len, list, len)) {
			if (out->len > 0)
				buf_char(out, ' ');
			buf_add(out, list, len);
		}
		list += len + (list[len] == ' ');
	}
}

char *
oauth_scopes(const char *a, const char *b)
{
	struct buf out = { 0 };

	add_scopes(&out, a);
	add_scopes(&out, b);
	return out.len > 0 ? buf_take(&out) : NULL;
}
