/*
 * A request, put together from what a step says. What libcurl would misread is refused
 * at the door to it as well; here the step learns which of its fields it was.
 */
#include "actions/http_form_core.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "base64_core.h"

#define HEADERS_MOST 100

void
http_escape(const char *text, size_t len, struct buf *out)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-._~";

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\0' && strchr(plain, text[i]) != NULL)
			buf_char(out, text[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)text[i]);
	}
}

/* Strings, numbers and flags as they are written; the caller's. */
static char *
as_text(const struct json *value, size_t *len)
{
	char *text;

	if (json_type(value) == JSON_STRING) {
		*len = json_str_len(value);
		return xstrndup(json_str(value), *len);
	}
	text = json_type(value) == JSON_NULL ? xstrdup("") : json_text(value);
	*len = strlen(text);
	return text;
}

/* ---- headers ---- */

bool
http_form_has(const struct http_form *form, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < form->headers_count; i++)
		if (strncasecmp(form->headers[i], name, len) == 0 &&
		    form->headers[i][len] == ':')
			return true;
	return false;
}

static void
append_line(struct http_form *form, char *line)
{
	form->headers =
	    xrealloc(form->headers, form->headers_count + 2, sizeof *form->headers);
	form->headers[form->headers_count++] = line;
	form->headers[form->headers_count] = NULL;
}

/* What would make another line, or another request. */
static int
check_header(const char *name, const char *value, size_t len, struct err *err)
{
	static const char *const ours[] = {
		"Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "TE",
		"Trailer"
	};

	if (name[0] == '\0' || strpbrk(name, "()<>@,;:\\\"/[]?={} \t\r\n") != NULL)
		return err_set(err, ERR_INPUT,
			       "headers: \"%.60s\" is no name of a header", name);
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strcasecmp(name, ours[i]) == 0)
			return err_set(err, ERR_INPUT,
				       "headers: %s is set by the engine, not by steps",
				       ours[i]);
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)value[i] < 0x20 && value[i] != '\t') ||
		    value[i] == 0x7f)
			return err_set(
			    err, ERR_INPUT,
			    "headers.%.60s: a control character in the value", name);
	return 0;
}

static int
add_header(struct http_form *form, const char *name, const char *value, size_t len,
	   struct err *err)
{
	if (check_header(name, value, len, err) < 0)
		return -1;
	if (form->headers_count >= HEADERS_MOST)
		return err_set(err, ERR_LIMIT, "headers: more than %d", HEADERS_MOST);
	/* libcurl leaves out "Name:" and sends an empty one for "Name;". */
	append_line(form, len > 0 ? xprintf("%s: %.*s", name, (int)len, value)
				  : xprintf("%s;", name));
	return 0;
}

int
http_form_add(struct http_form *form, const char *name, const char *value,
	      struct err *err)
{
	if (http_form_has(form, name))
		return 0;
	return add_header(form, name, value, strlen(value), err);
}

static int
add_headers(struct http_form *form, const struct json *headers, struct err *err)
{
	for (struct json_iter it = json_iter(headers); json_next(&it);) {
		size_t len;
		char *value;
		int result;

		if (it.value == NULL)
			continue; /* null: not sent */
		value = as_text(it.value, &len);
		result = add_header(form, it.key, value, len, err);
		free(value);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* ---- url ---- */

/* Parameters go behind those that are there, before the fragment. */
static char *
add_query(const char *url, const struct json *query)
{
	size_t end = strcspn(url, "#");
	bool first = memchr(url, '?', end) == NULL;
	struct buf out = { 0 };

	buf_add(&out, url, end);
	for (struct json_iter it = json_iter(query); json_next(&it);) {
		size_t len;
		char *value;

		if (it.value == NULL)
			continue;
		value = as_text(it.value, &len);
		if (!first &&
		    (out.data[out.len - 1] == '?' || out.data[out.len - 1] == '&'))
			first = true; /* the separator is there */
		else
			buf_char(&out, first ? '?' : '&');
		http_escape(it.key, it.key_len, &out);
		buf_char(&out, '=');
		http_escape(value, len, &out);
		first = false;
		free(value);
	}
	buf_str(&out, url + end);
	return buf_take(&out);
}

static int
check_url(const struct json *url, struct err *err)
{
	const char *text = json_str(url);

	if (strlen(text) != json_str_len(url))
		return err_set(err, ERR_INPUT, "url: it holds a NUL");
	if (strncasecmp(text, "http://", 7) != 0 &&
	    strncasecmp(text, "https://", 8) != 0)
		return err_set(err, ERR_INPUT,
			       "url: it has to begin with http:// or https://");
	return 0;
}

/* ---- auth and body ---- */

static int
add_auth(struct http_form *form, const struct json *auth, struct err *err)
{
	const struct json *bearer = json_get(auth, "bearer");
	const struct json *basic = json_get(auth, "basic");
	struct buf value = { 0 }, pair = { 0 };
	int result = 0;

	if (bearer != NULL) {
		buf_str(&value, "Bearer ");
		buf_add(&value, json_str(bearer), json_str_len(bearer));
	} else if (basic != NULL) {
		const struct json *user = json_get(basic, "username");
		const struct json *password = json_get(basic, "password");

		buf_add(&pair, json_str(user), json_str_len(user));
		buf_char(&pair, ':');
		buf_add(&pair, json_str(password), json_str_len(password));
		buf_str(&value, "Basic ");
		base64_write(pair.data, pair.len, &value);
	}
	if (value.len > 0 && !http_form_has(form, "Authorization"))
		result = add_header(form, "Authorization", value.data, value.len, err);
	buf_fini(&pair);
	buf_fini(&value);
	return result;
}

static int
add_json(struct http_form *form, const struct json *body, struct err *err)
{
	form->has_body = true;
	json_write(body, &form->body);
	return http_form_add(form, "Content-Type", "application/json", err);
}

static int
add_body(struct http_form *form, const struct json *fields, struct err *err)
{
	const struct json *body = json_get(fields, "body");

	if (json_has(fields, "json") && body == NULL)
		return add_json(form, json_get(fields, "json"), err);
	if (body == NULL)
		return 0;
	form->has_body = true;
	buf_add(&form->body, json_str(body), json_str_len(body));
	return http_form_add(form, "Content-Type", "text/plain; charset=utf-8", err);
}

/* ---- the whole ---- */

int
http_form_read(struct http_form *form, const struct json *fields, struct err *err)
{
	const char *method = json_str(json_get(fields, "method"));
	const struct json *url = json_get(fields, "url");
	const struct json *follow = json_get(fields, "followRedirects");

	*form = (struct http_form){ 0 };
	form->follow_redirects = follow == NULL || json_bool(follow);
	form->method = xstrdup(method != NULL ? method : "GET");
	if (check_url(url, err) < 0 ||
	    add_headers(form, json_get(fields, "headers"), err) < 0 ||
	    add_auth(form, json_get(fields, "auth"), err) < 0 ||
	    add_body(form, fields, err) < 0) {
		http_form_fini(form);
		return -1;
	}
	form->url = add_query(json_str(url), json_get(fields, "query"));
	return 0;
}

int
http_form_post(struct http_form *form, const char *url, const struct json *body,
	       const struct json *headers, struct err *err)
{
	*form = (struct http_form){ .follow_redirects = false };
	form->method = xstrdup("POST");
	form->url = xstrdup(url);
	if (add_headers(form, headers, err) == 0 && add_json(form, body, err) == 0)
		return 0;
	http_form_fini(form);
	return -1;
}

void
http_form_fini(struct http_form *form)
{
	for (size_t i = 0; i < form->headers_count; i++)
		free(form->headers[i]);
	free(form->headers);
	free(form->method);
	free(form->url);
	buf_fini(&form->body);
	*form = (struct http_form){ 0 };
}
