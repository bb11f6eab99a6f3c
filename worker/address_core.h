/*
 * Pure: may this address be called by a step? Only what is reachable by everybody on
 * the public Internet is, and what the configuration allows (worker.http_allow). Asked
 * for each connection, after names were resolved, so that no spelling of an address and
 * no redirect gets past it.
 */
#ifndef WORKER_ADDRESS_CORE_H
#define WORKER_ADDRESS_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"

/* Why the address is refused when nothing allows it: "loopback", "private", ...; NULL
 * for a public one. */
const char *address_refusal(const struct sockaddr *address);

/* Is it public, or on the list? The forms of an entry: "127.0.0.1", "10.0.0.0/8",
 * "::1", "fd00::/8", "localhost", each also with a port: "127.0.0.1:8080",
 * "[::1]:8080". */
bool address_allowed(const struct sockaddr *address, char *const *allow, size_t count);

/* Can this entry be read? -1 and what is wrong. */
int address_entry_check(const char *entry, struct err *err);

/* "127.0.0.1:8080" or "[::1]:8080" for messages; out is at least 64 bytes. */
char *address_format(const struct sockaddr *address, char *out, size_t size);

#endif
