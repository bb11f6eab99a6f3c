/* See step_channel.h. */
#include "step_channel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "clock.h"

#define LINE_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define PATIENCE       (60 * USEC_SECOND)
#define PIECE          65536
#define ID             1

/* ---- the channel ---- */

static int
step_descriptor(struct err *err)
{
	const char *text = getenv("STEPMILL_FD");
	char *end = NULL;
	long fd;

	if (text == NULL || *text == '\0')
		return err_set(err, ERR_NOT_FOUND,
			       "this is no step of a run: STEPMILL_FD is not set");
	fd = strtol(text, &end, 10);
	if (*end != '\0' || fd < 0 || fd > INT_MAX)
		return err_set(err, ERR_INPUT, "STEPMILL_FD: \"%s\" is no descriptor",
			       text);
	return (int)fd;
}

/* One byte, a newline, that carries the other end. */
static int
send_end(int over, int end)
{
	char line = '\n';
	struct iovec data = { .iov_base = &line, .iov_len = 1 };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room,
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &end, sizeof end);
	return sendmsg(over, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int
step_channel_open(struct err *err)
{
	int over = step_descriptor(err), ends[2];

	if (over < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, "a channel to the worker");
	if (send_end(over, ends[1]) < 0) {
		if (errno == EBADF || errno == ENOTSOCK)
			err_set(err, ERR_NOT_FOUND,
				"descriptor %d, which STEPMILL_FD names, is not the "
				"step's: the program that started this one closed it",
				over);
		else
			err_errno(err, "descriptor %d, which STEPMILL_FD names", over);
		close(ends[0]);
		ends[0] = -1;
	}
	close(ends[1]);
	return ends[0];
}

/* ---- one question ---- */

static int
write_line(int fd, const char *method, struct json *params, struct err *err)
{
	struct json *message = json_new_object();
	struct buf line = { 0 };
	size_t done = 0;

	json_set(message, "jsonrpc", json_new_str("2.0"));
	json_set(message, "id", json_new_int(ID));
	json_set(message, "method", json_new_str(method));
	json_set(message, "params", params);
	json_write(message, &line);
	buf_char(&line, '\n');
	json_unref(&message);
	if (line.len > LINE_MAX_BYTES)
		err_set(err, ERR_INPUT, "%zu bytes are more than the %zu that fit",
			line.len, LINE_MAX_BYTES);
	while (err->kind == ERR_NONE && done < line.len) {
		ssize_t sent =
		    send(fd, line.data + done, line.len - done, MSG_NOSIGNAL);

		if (sent > 0)
			done += (size_t)sent;
		else if (errno != EINTR)
			err_set(err, ERR_RETRY, "the worker is gone");
	}
	buf_fini(&line);
	return err->kind == ERR_NONE ? 0 : -1;
}

static int
read_piece(int fd, usec_t until, struct buf *line, struct err *err)
{
	usec_t left = until - clock_mono();
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int polled = poll(&ready, 1, left > 0 ? (int)(left / 1000) + 1 : 0);
	ssize_t got;

	if (polled < 0 && errno == EINTR)
		return 0;
	if (polled <= 0)
		return err_set(err, ERR_RETRY, "the worker did not answer");
	got = read(fd, buf_reserve(line, PIECE), PIECE);
	if (got < 0 && errno == EINTR)
		return 0;
	if (got <= 0)
		return err_set(err, ERR_RETRY, "the worker is gone");
	buf_grow(line, (size_t)got);
	return line->len > LINE_MAX_BYTES
		   ? err_set(err, ERR_LIMIT, "the worker's answer is too long")
		   : 0;
}

static int
read_line(int fd, struct json **message, struct err *err)
{
	usec_t until = clock_mono() + PATIENCE;
	struct buf line = { 0 };
	char *end = NULL;
	int result = 0;

	while (result == 0 && end == NULL) {
		size_t looked = line.len;

		result = read_piece(fd, until, &line, err);
		if (line.len > looked)
			end = memchr(line.data + looked, '\n', line.len - looked);
	}
	if (result == 0)
		result = json_parse(line.data, (size_t)(end - line.data), message, err);
	buf_fini(&line);
	return result;
}

int
step_channel_ask(int fd, const char *method, struct json *params, struct json **result,
		 struct err *err)
{
	struct json *message = NULL, *error;
	const char *why;

	*result = NULL;
	if (write_line(fd, method, params, err) < 0 || read_line(fd, &message, err) < 0)
		return -1;
	error = json_get(message, "error");
	why = json_str(json_get(error, "message"));
	if (error != NULL)
		err_set(err, ERR_INPUT, "%s", why != NULL ? why : "refused");
	else
		*result = json_ref(json_get(message, "result"));
	json_unref(&message);
	return err->kind == ERR_NONE ? 0 : -1;
}
