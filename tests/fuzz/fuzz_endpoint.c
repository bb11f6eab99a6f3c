/* http.listen: whatever the text, what comes out fits an address and is terminated. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pool/endpoint_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(const struct endpoint *endpoint)
{
	if (endpoint->local ? endpoint->path[0] != '/' || endpoint->host[0] != '\0'
			    : endpoint->host[0] == '\0' || atol(endpoint->port) > 65535)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct endpoint list[ENDPOINTS_MOST];
	struct err err = { 0 };
	char *text = malloc(len > 0 ? len : 1);
	int count;

	if (text == NULL)
		abort();
	memcpy(text, data, len);
	count = endpoints_parse(text, len, list, &err);
	if (count == 0 || count > ENDPOINTS_MOST)
		abort();
	for (int i = 0; i < count; i++)
		check(&list[i]);
	free(text);
	return 0;
}
