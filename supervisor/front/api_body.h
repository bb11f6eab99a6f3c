/*
 * Bodies that are JSON objects with known keys. All of these: -1, a 400 (or 415) was
 * answered. What is read is borrowed until the exchange ends.
 */
#ifndef FRONT_API_BODY_H
#define FRONT_API_BODY_H

#include "front/route.h"

/* An object with none but these keys (ended by NULL). Without a body: an empty one. */
int api_body(struct exchange *exchange, const char *const *keys,
	     struct json **out /* the caller's */);

enum api_presence { API_OPTIONAL, API_NEEDED };

/* A text of min to max bytes, without NUL; absent or null: *out stays, or a 400. */
int api_body_text(struct exchange *exchange, const struct json *body, const char *key,
		  size_t min, size_t max, enum api_presence presence, const char **out);
/* An object of at most max bytes as JSON text, as PostgreSQL can hold it; absent or
 * null: NULL. */
int api_body_object(struct exchange *exchange, const struct json *body, const char *key,
		    size_t max, struct json **out /* the caller's */);
/* A UUID; absent or null: *found false. */
int api_body_uuid(struct exchange *exchange, const struct json *body, const char *key,
		  struct uuid *out, bool *found);

#endif
