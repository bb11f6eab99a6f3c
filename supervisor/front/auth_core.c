/* See auth_core.h. The host rule is what stops a page elsewhere from using a name that
 * was pointed at 127.0.0.1 after it was loaded (DNS rebinding). */
#include "front/auth_core.h"

#include <string.h>
#include <strings.h>

static const char *const role_names[ROLES] = {
	[ROLE_NONE] = "none",
	[ROLE_VIEWER] = "viewer",
	[ROLE_OPERATOR] = "operator",
	[ROLE_ADMIN] = "admin",
};

bool
auth_role_parse(const char *text, enum role *out)
{
	for (int role = ROLE_VIEWER; role < ROLES; role++)
		if (strcmp(role_names[role], text) == 0) {
			*out = (enum role)role;
			return true;
		}
	return false;
}

const char *
auth_role_name(enum role role)
{
	return role_names[role];
}

bool
auth_bearer(const char *authorization, const char **key, size_t *len)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-._~+/=";

	if (strncasecmp(authorization, "Bearer ", 7) != 0)
		return false;
	*key = authorization + 7 + strspn(authorization + 7, " ");
	*len = strspn(*key, allowed);
	return *len > 0 && *len <= AUTH_KEY_MAX && (*key)[*len] == '\0';
}

/* Four numbers, the first of them 127, with nothing that could be read as octal. */
static bool
is_loopback_ipv4(const char *text, size_t len)
{
	int parts = 0, value = -1, first = -1;

	for (size_t i = 0; i <= len; i++) {
		if (i == len || text[i] == '.') {
			if (value < 0)
				return false;
			if (parts++ == 0)
				first = value;
			value = -1;
			continue;
		}
		if (text[i] < '0' || text[i] > '9' || value == 0)
			return false;
		value = (value < 0 ? 0 : value * 10) + text[i] - '0';
		if (value > 255)
			return false;
	}
	return parts == 4 && first == 127;
}

bool
auth_host_is_loopback(const char *host)
{
	size_t len = strcspn(host, ":");

	if (host[0] == '[')
		return strncmp(host, "[::1]", 5) == 0 &&
		       (host[5] == '\0' || host[5] == ':');
	if (len == 9 && strncasecmp(host, "localhost", 9) == 0)
		return true;
	return is_loopback_ipv4(host, len);
}

bool
auth_origin_is_own(const char *origin, const char *host)
{
	return strncasecmp(origin, "http://", 7) == 0 &&
	       strcasecmp(origin + 7, host) == 0;
}
