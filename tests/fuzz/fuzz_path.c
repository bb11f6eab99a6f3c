/* Whatever a path's text is, its clean form stays below the project and is clean. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "files/path_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int
leaves(const char *path)
{
	return path[0] == '/' || path[0] == '\0' || strcmp(path, "..") == 0 ||
	       strncmp(path, "../", 3) == 0 || strstr(path, "/../") != NULL ||
	       strstr(path, "//") != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf out = { 0 }, again = { 0 };
	struct err err = { 0 };

	if (path_clean("/a/b", (const char *)data, len, &out, &err) == 0) {
		if (leaves(out.data) || strlen(out.data) != out.len)
			abort();
		if (path_clean("/a/b", out.data, out.len, &again, &err) < 0 ||
		    strcmp(out.data, again.data) != 0)
			abort();
	} else if (err.kind != ERR_INPUT && err.kind != ERR_DENIED) {
		abort();
	}
	buf_fini(&out);
	buf_fini(&again);
	return 0;
}
