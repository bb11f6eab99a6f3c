/*
 * Pure: is this text a path that may be looked up below a project's folder? What links
 * do to it only the kernel can say: files.h asks it. Also names made safe for files.
 */
#ifndef FILES_PATH_CORE_H
#define FILES_PATH_CORE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define PATH_BYTES_MAX     4000
#define PATH_COMPONENT_MAX 255

/* Appends the path relative to the project in its shortest form ("." for the project
 * itself). An absolute one is taken when it lies below project (absolute, or NULL). -1:
 * empty, too long, a NUL or another control character in it, or above the project by
 * its
 * "..". */
int path_clean(const char *project, const char *text, size_t len, struct buf *out,
	       struct err *err);
/* The last part of a clean path. */
const char *path_name(const char *path);
/* Appends text for a place inside a file's name: what is not a letter, a digit, '.',
 * '_' or '-' becomes '-', at most max characters. */
void path_safe_part(const char *text, size_t max, struct buf *out);
/* The same for a whole name: never empty, "." or "..". */
void path_safe_name(const char *text, size_t max, struct buf *out);

#endif
