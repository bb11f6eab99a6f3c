/*
 * From a URL to what libpq can connect to without waiting: names of hosts become
 * addresses off the loop (libpq itself would block in the resolver).
 */
#ifndef STORE_PG_ADDRESS_H
#define STORE_PG_ADDRESS_H

#include <stdbool.h>

#include "base/err.h"

struct pg_address;

struct pg_option {
	const char *keyword, *value;
};

/* url: libpq URI or key=value string. own: ended by a NULL keyword, borrowed; presets
 * for what the url does not say, but for "options", which stand behind the url's and
 * win. */
struct pg_address *pg_address_new(const char *url, const struct pg_option *own,
				  struct err *err);
void pg_address_free(struct pg_address **address_p);
/* Starts looking names up anew; nothing to wait for when there are none. */
void pg_address_resolve(struct pg_address *address);
bool pg_address_is_resolving(struct pg_address *address);
/* Once resolving ended: the two arrays for PQconnectStartParams, or -1. They are valid
 * until the next pg_address_resolve. */
int pg_address_params(struct pg_address *address, const char *const **keywords,
		      const char *const **values, struct err *err);
/* "host:port/database", for the log: without secrets. */
const char *pg_address_shown(const struct pg_address *address);

#endif
