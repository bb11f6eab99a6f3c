/*
 * The URL of a Redis server, taken apart. Strict: a part that is not understood is an
 * error at start, not a connection to somewhere else.
 */
#include "queue/redis_url.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"

#define URL_MAX      1024
#define PATH_MAX_LEN 107 /* what a socket's address holds */

static int
wrong(struct err *err, const char *what)
{
	return err_set(err, ERR_INPUT, "redis URL: %s", what);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Percent-decodes; NULL when a % stands alone or hides a NUL. */
static char *
decode(const char *text, size_t len)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (text[i] != '%') {
			buf_char(&out, text[i]);
			continue;
		}
		high = i + 2 < len ? hex(text[i + 1]) : -1;
		low = i + 2 < len ? hex(text[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0) {
			buf_fini(&out);
			return NULL;
		}
		buf_char(&out, (char)(high * 16 + low));
		i += 2;
	}
	return out.len > 0 ? buf_take(&out) : xstrdup("");
}

/* A number up to the end of text; -1 when it is none, or past most. */
static int
number(const char *text, size_t len, int most)
{
	int value = 0;

	if (len == 0 || len > 6)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value <= most ? value : -1;
}

/* "user:password", ":password" */
static int
parse_login(const char *text, size_t len, struct redis_url *out, struct err *err)
{
	const char *colon = memchr(text, ':', len);

	if (colon == NULL)
		return wrong(err, "expected user:password or :password before the @");
	if (colon > text) {
		out->user = decode(text, (size_t)(colon - text));
		if (out->user == NULL)
			return wrong(err, "a % without two digits in the user's name");
	}
	out->password = decode(colon + 1, (size_t)(text + len - colon - 1));
	if (out->password == NULL)
		return wrong(err, "a % without two digits in the password");
	return 0;
}

/* "host", "host:port", "[::1]:port" */
static int
parse_host(const char *text, size_t len, struct redis_url *out, struct err *err)
{
	const char *end = text + len, *host_end, *rest;

	if (len > 0 && text[0] == '[') {
		host_end = memchr(text, ']', len);
		rest = host_end != NULL ? host_end + 1 : NULL;
		text++;
	} else {
		host_end = memchr(text, ':', len);
		rest = host_end = host_end != NULL ? host_end : end;
	}
	if (host_end == NULL || host_end == text)
		return wrong(err, "no host");
	if (rest < end && *rest != ':')
		return wrong(err, "expected :port behind the host");
	out->host = xstrndup(text, (size_t)(host_end - text));
	if (rest < end)
		out->port = number(rest + 1, (size_t)(end - rest) - 1, 65535);
	return out->port > 0 ? 0 : wrong(err, "the port is no number from 1 to 65535");
}

static int
parse_db(const char *text, struct redis_url *out, struct err *err)
{
	out->db = number(text, strlen(text), REDIS_DB_MAX);
	return out->db >= 0 ? 0 : wrong(err, "the database is no small number");
}

static int
parse_tcp(const char *text, struct redis_url *out, struct err *err)
{
	const char *slash, *at, *end;

	slash = strchr(text, '/');
	end = slash != NULL ? slash : text + strlen(text);
	at = memrchr(text, '@', (size_t)(end - text));
	if (at != NULL) {
		if (parse_login(text, (size_t)(at - text), out, err) < 0)
			return -1;
		text = at + 1;
	}
	if (parse_host(text, (size_t)(end - text), out, err) < 0)
		return -1;
	return slash != NULL && slash[1] != '\0' ? parse_db(slash + 1, out, err) : 0;
}

static int
parse_unix(const char *text, struct redis_url *out, struct err *err)
{
	const char *query = strchr(text, '?');
	size_t len = query != NULL ? (size_t)(query - text) : strlen(text);

	if (text[0] != '/' || len > PATH_MAX_LEN)
		return wrong(err, "expected unix:/path of up to 107 bytes");
	out->path = xstrndup(text, len);
	if (query == NULL)
		return 0;
	if (strncmp(query, "?db=", 4) != 0)
		return wrong(err, "expected ?db=n behind the path");
	return parse_db(query + 4, out, err);
}

int
redis_url_parse(const char *text, struct redis_url *out, struct err *err)
{
	int status;

	*out = (struct redis_url){ .port = REDIS_PORT };
	if (strlen(text) > URL_MAX)
		status = wrong(err, "it is too long");
	else if (strncmp(text, "redis://", 8) == 0)
		status = parse_tcp(text + 8, out, err);
	else if (strncmp(text, "unix:", 5) == 0)
		status = parse_unix(text + 5, out, err);
	else if (strncmp(text, "rediss://", 9) == 0)
		status = wrong(err, "TLS is not supported: use a tunnel");
	else
		status = wrong(err, "expected redis://host or unix:/path");
	if (status < 0)
		redis_url_fini(out);
	return status;
}

void
redis_url_fini(struct redis_url *url)
{
	free(url->path);
	free(url->host);
	free(url->user);
	if (url->password != NULL)
		explicit_bzero(url->password, strlen(url->password));
	free(url->password);
	*url = (struct redis_url){ 0 };
}
