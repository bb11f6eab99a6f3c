/*
 * What a key looks like, what roles there are, and which Host and Origin a server on
 * loopback without keys may believe. Pure.
 */
#ifndef FRONT_AUTH_CORE_H
#define FRONT_AUTH_CORE_H

#include <stdbool.h>
#include <stddef.h>

#define AUTH_KEY_MAX 512

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN, ROLES };

bool auth_role_parse(const char *text, enum role *out); /* "viewer", ... */
const char *auth_role_name(enum role role);
/* The key of "Bearer KEY"; false: it is something else. */
bool auth_bearer(const char *authorization, const char **key, size_t *len);
/* localhost, 127.x.x.x, [::1], with or without port. */
bool auth_host_is_loopback(const char *host);
/* Whether the page at origin came from this very server: http://HOST. */
bool auth_origin_is_own(const char *origin, const char *host);

#endif
