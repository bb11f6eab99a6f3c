/* Redis URLs of any kind: parts within their limits, or an error that repeats nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "queue/redis_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(const struct redis_url *url)
{
	if ((url->path == NULL) == (url->host == NULL))
		abort();
	if (url->port < 1 || url->port > 65535 || url->db < 0 || url->db > REDIS_DB_MAX)
		abort();
	if (url->path != NULL && url->path[0] != '/')
		abort();
	if (url->user != NULL && url->password == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = xstrndup((const char *)data, len);
	struct redis_url url;
	struct err err = { 0 };

	if (redis_url_parse(text, &url, &err) == 0)
		check(&url);
	else if (err.kind != ERR_INPUT || strchr(err.text, '@') - err.text > 70)
		abort();
	redis_url_fini(&url);
	free(text);
	return 0;
}
