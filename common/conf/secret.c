/* Following the name of a secret. See secret.h. */
#include "conf/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"

static int
read_open_file(int fd, const char *path, struct buf *out, struct err *err)
{
	ssize_t n;

	while (out->len <= SECRET_MAX) {
		n = read(fd, buf_reserve(out, 4096), 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_INPUT, "%s: %s", path, strerror(errno));
		if (n == 0)
			return 0;
		buf_grow(out, (size_t)n);
	}
	return err_set(err, ERR_INPUT, "%s: more than %d bytes", path, SECRET_MAX);
}

/* A fifo or device must not hang the start: opened without waiting. */
static char *
secret_of_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct buf text = { 0 };
	int status;

	if (fd < 0) {
		err_set(err, ERR_INPUT, "%s: %s", path, strerror(errno));
		return NULL;
	}
	status = read_open_file(fd, path, &text, err);
	close(fd);
	while (status == 0 && text.len > 0 && strchr("\r\n", text.data[text.len - 1]))
		text.data[--text.len] = '\0';
	if (status == 0 && (text.len == 0 || strlen(text.data) != text.len))
		status = err_set(err, ERR_INPUT, "%s: empty, or not text", path);
	if (status == 0)
		return buf_take(&text);
	buf_fini(&text);
	return NULL;
}

static char *
secret_of_environment(const char *name, struct err *err)
{
	const char *value = getenv(name);

	if (value == NULL || value[0] == '\0') {
		err_set(err, ERR_INPUT, "the environment has no %s", name);
		return NULL;
	}
	return xstrdup(value);
}

char *
secret_follow(const char *text, struct err *err)
{
	if (strncmp(text, "file:", 5) == 0)
		return secret_of_file(text + 5, err);
	if (strncmp(text, "env:", 4) == 0)
		return secret_of_environment(text + 4, err);
	return xstrdup(text);
}
