/* A whole file of a project into memory, and which folder a path is confined to. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "files/files.h"
#include "files/path_core.h"

#define PIECE (64 * 1024)

static int
read_open(int fd, size_t most, struct buf *out, struct err *err)
{
	size_t start = out->len;
	ssize_t got;

	do {
		got = read(fd, buf_reserve(out, PIECE), PIECE);
		if (got < 0)
			return err_errno(err, "reading");
		buf_grow(out, (size_t)got);
		if (out->len - start > most)
			return err_set(err, ERR_LIMIT, "it is larger than %zu bytes",
				       most);
	} while (got > 0);
	return 0;
}

int
files_read(const char *project, const char *path, size_t most, struct buf *out,
	   struct err *err)
{
	int fd = files_open(project, path, O_RDONLY, err);
	int result;

	if (fd < 0)
		return -1;
	result = read_open(fd, most, out, err);
	close(fd);
	return result < 0 ? err_in(err, "\"%.300s\"", path) : 0;
}

/* Whether text lies below folder. */
static bool
is_below(const char *folder, const char *text, size_t len)
{
	size_t folder_len = strlen(folder);

	while (folder_len > 1 && folder[folder_len - 1] == '/')
		folder_len--;
	return len > folder_len && memcmp(folder, text, folder_len) == 0 &&
	       (folder_len == 1 || text[folder_len] == '/');
}

int
files_place(const char *project, char *const *folders, size_t count, const char *text,
	    size_t len, const char **root, struct buf *path, struct err *err)
{
	*root = project;
	for (size_t i = 0; len > 0 && text[0] == '/' && i < count; i++)
		if (!is_below(project, text, len) && is_below(folders[i], text, len))
			*root = folders[i];
	return path_clean(*root, text, len, path, err);
}
