/* See query.h. */
#include "query.h"

#include <stdlib.h>

#include "server.h"

void
query_add(struct buf *path, const char *name, const struct args *args,
	  const char *option)
{
	const char *value = args_value(args, option);
	char *encoded;

	if (value == NULL)
		return;
	encoded = url_segment(value);
	buf_printf(path, "&%s=%s", name, encoded);
	free(encoded);
}
