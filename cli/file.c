/* See file.h. */
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define PIECE 65536

static int
read_stream(FILE *file, size_t most, struct buf *out)
{
	size_t got = 1;

	while (got > 0 && out->len <= most) {
		got = fread(buf_reserve(out, PIECE), 1, PIECE, file);
		buf_grow(out, got);
	}
	return ferror(file) ? -1 : 0;
}

char *
file_read(const char *path, size_t most, size_t *len, struct err *err)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct buf text = { 0 };

	if (file == NULL || read_stream(file, most, &text) < 0)
		err_errno(err, "%s", path);
	else if (text.len > most)
		err_set(err, ERR_LIMIT, "%s has more than %zu bytes", path, most);
	if (file != NULL && file != stdin)
		fclose(file);
	if (err->kind != ERR_NONE) {
		buf_fini(&text);
		return NULL;
	}
	*len = text.len;
	return buf_take(&text);
}
