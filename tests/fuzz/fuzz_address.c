/* Entries of worker.http_allow: whatever stands there, it is read or refused; what is
 * read opens loopback only if it says so. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "address_core.h"
#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *entry = xstrndup((const char *)data, len);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(8080),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct err err = { 0 };
	bool readable = address_entry_check(entry, &err) == 0;

	if (readable != (err.kind == ERR_NONE))
		abort();
	if (address_allowed((const struct sockaddr *)&address, &entry, 1) && !readable)
		abort();
	free(entry);
	return 0;
}
