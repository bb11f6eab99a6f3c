/* Artifacts to and from files. See artifact_files.h. */
#include "artifact_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "files/path_core.h"
#include "text.h"

#define PIECE        (4LL * 1024 * 1024)
#define NAME_MOST    200
#define SEND_TIMEOUT (6 * 3600 * USEC_SECOND)

/* ---- fetch ---- */

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t wrote = write(fd, data, len);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -1;
		data += wrote;
		len -= (size_t)wrote;
	}
	return 0;
}

static int
fetch_piece(struct server *server, const char *path, long long at,
	    struct answer *answer)
{
	char *range = xprintf("Range: bytes=%lld-%lld", at, at + PIECE - 1);
	struct question question = { .method = "GET", .path = path, .header = range };
	int status = server_ask(server, &question, answer);

	if (status != CLI_OK)
		status = server_refusal(server, answer);
	free(range);
	return status;
}

static int
fetch_all(const struct command *command, struct server *server, const char *path,
	  long long size, int fd)
{
	long long at = 0;
	int status = CLI_OK;

	while (status == CLI_OK && at < size) {
		struct answer answer;

		status = fetch_piece(server, path, at, &answer);
		if (status == CLI_OK && answer.len == 0)
			status = command_fail(command, CLI_FAILED,
					      "the file got shorter meanwhile");
		else if (status == CLI_OK && write_all(fd, answer.text, answer.len) < 0)
			status = command_fail(command, CLI_FAILED, "writing: %s",
					      strerror(errno));
		at += (long long)answer.len;
		answer_fini(&answer);
	}
	return status;
}

/* A name that the server told is no path. */
static char *
own_name(const struct json *artifact)
{
	const char *name = json_str(json_get(artifact, "name"));
	struct buf safe = { 0 };

	path_safe_name(path_name(name), NAME_MOST, &safe);
	if (safe.data[0] == '.')
		safe.data[0] = '_';
	return buf_take(&safe);
}

static int
open_target(const struct command *command, const char *to, const char *own)
{
	int fd;

	if (to != NULL && strcmp(to, "-") == 0)
		return dup(STDOUT_FILENO);
	if (to != NULL)
		fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	else
		fd = open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		command_fail(command, CLI_FAILED, "%s: %s%s", to != NULL ? to : own,
			     strerror(errno),
			     errno == EEXIST ? "; --output names another" : "");
	return fd;
}

int
artifact_fetch(const struct command *command, struct server *server,
	       const struct json *artifact, const char *to)
{
	char *own = own_name(artifact);
	char *path =
	    xprintf("/api/artifacts/%s/download", json_str(json_get(artifact, "id")));
	int fd = open_target(command, to, own), status = CLI_FAILED;

	server_about(server, NULL, NULL);
	if (fd >= 0) {
		status = fetch_all(command, server, path,
				   json_int(json_get(artifact, "sizeBytes")), fd);
		if (close(fd) < 0 && status == CLI_OK)
			status = command_fail(command, CLI_FAILED, "writing: %s",
					      strerror(errno));
	}
	free(path);
	free(own);
	return status;
}

/* ---- send ---- */

static void
add_query(struct buf *path, const char *name, const char *value)
{
	char *segment;

	if (value == NULL)
		return;
	segment = url_segment(value);
	buf_printf(path, "%c%s=%s", strchr(buf_text(path), '?') ? '&' : '?', name,
		   segment);
	free(segment);
}

static char *
path_to_send(const struct artifact_file *file)
{
	char *run = url_segment(file->run);
	struct buf path = { 0 };

	buf_printf(&path, "/api/executions/%s/artifacts", run);
	add_query(&path, "name", file->name ? file->name : path_name(file->path));
	add_query(&path, "type", file->type);
	add_query(&path, "stepId", file->step);
	free(run);
	return buf_take(&path);
}

static int
send_bytes(struct server *server, const struct artifact_file *file, const void *data,
	   size_t len, struct json **row)
{
	char *path = path_to_send(file);
	struct question question = {
		.method = "POST",
		.path = path,
		.content_type = file->media ? file->media : "application/octet-stream",
		.body = data,
		.len = len,
		.body_stays = true,
		.timeout = SEND_TIMEOUT,
	};
	struct answer answer;
	int status;

	server_about(server, "run", file->run);
	status = server_ask(server, &question, &answer);
	if (status == CLI_OK)
		*row = json_ref(answer.json);
	else
		status = server_refusal(server, &answer);
	answer_fini(&answer);
	free(path);
	return status;
}

int
artifact_send(const struct command *command, struct server *server,
	      const struct artifact_file *file, struct json **row)
{
	int fd = open(file->path, O_RDONLY | O_CLOEXEC), status;
	void *data = NULL;
	struct stat st;

	*row = NULL;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		status =
		    command_fail(command, CLI_USAGE, "%s: %s", file->path,
				 fd < 0 ? strerror(errno) : "this is no regular file");
		if (fd >= 0)
			close(fd);
		return status;
	}
	if (st.st_size > 0)
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return command_fail(command, CLI_FAILED, "%s: %s", file->path,
				    strerror(errno));
	status = send_bytes(server, file, data, (size_t)st.st_size, row);
	if (data != NULL)
		munmap(data, (size_t)st.st_size);
	return status;
}
