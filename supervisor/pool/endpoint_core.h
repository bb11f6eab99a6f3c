/* Pure: where to listen, as http.listen says it: host:port, [v6]:port, unix:/path. */
#ifndef POOL_ENDPOINT_CORE_H
#define POOL_ENDPOINT_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ENDPOINTS_MOST    8
#define ENDPOINT_HOST_MAX 253
#define ENDPOINT_PATH_MAX 107 /* what a socket's address has room for */

struct endpoint {
	bool local;                       /* a path, not host and port */
	char host[ENDPOINT_HOST_MAX + 1]; /* "*": every address of this machine */
	char port[6];                     /* digits; "0": any free one */
	char path[ENDPOINT_PATH_MAX + 1]; /* absolute */
};

/* One or more of them, separated by commas and blanks. Returns how many, or -1. */
int endpoints_parse(const char *text, size_t len,
		    struct endpoint out[static ENDPOINTS_MOST], struct err *err);

#endif
