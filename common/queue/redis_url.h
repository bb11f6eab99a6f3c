/* redis://[[user]:password@]host[:port][/db] or unix:/path[?db=n] -> its parts. Pure.
 */
#ifndef QUEUE_REDIS_URL_H
#define QUEUE_REDIS_URL_H

#include "base/err.h"

#define REDIS_PORT   6379
#define REDIS_DB_MAX 65535

struct redis_url {
	char *path; /* of a socket; NULL: host and port */
	char *host; /* a name, or an address without brackets */
	int port;
	char *user, *password; /* or NULL */
	int db;
};

/* 0, or -1 with ERR_INPUT; the message does not repeat the URL, which may hold a
 * password. */
int redis_url_parse(const char *text, struct redis_url *out, struct err *err);
void redis_url_fini(struct redis_url *url);

#endif
