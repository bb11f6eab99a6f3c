/*
 * Pure: the fields of a step -> one HTTP request. Everything that is put together from
 * values is checked or escaped here: no value of a header makes a second line, no value
 * of `query` a second parameter.
 */
#ifndef ACTIONS_HTTP_FORM_CORE_H
#define ACTIONS_HTTP_FORM_CORE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"

struct http_form {
	char *method, *url;
	char **headers; /* "Name: value", NULL-terminated once there is one */
	size_t headers_count;
	struct buf body;
	bool has_body;
	bool follow_redirects;
};

/* Of the action http: method url headers query body json auth followRedirects. */
int http_form_read(struct http_form *form, const struct json *fields, struct err *err);
/* A JSON body sent by POST. headers: FIELD_PAIRS, or NULL. */
int http_form_post(struct http_form *form, const char *url, const struct json *body,
		   const struct json *headers, struct err *err);
/* Adds a header line, unless one of this name is there already. */
int http_form_add(struct http_form *form, const char *name, const char *value,
		  struct err *err);
bool http_form_has(const struct http_form *form, const char *name);
void http_form_fini(struct http_form *form);

/* Appends text with everything escaped that means something in a URL. */
void http_escape(const char *text, size_t len, struct buf *out);

#endif
