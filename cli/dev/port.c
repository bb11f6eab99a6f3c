/* See port.h. */
#include "dev/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PRESET 3456
#define TRIED  50

static struct sockaddr_in
loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* As the supervisor will: a port in TIME_WAIT is free. */
static int
try_port(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1, result, error;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	result = bind(fd, (struct sockaddr *)&address, sizeof address);
	if (result == 0)
		result = listen(fd, 1);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

bool
port_is_free(int port)
{
	return try_port(port) == 0;
}

/* A name in the abstract namespace, which like the port belongs to the network
 * namespace and goes with the process (unix(7)). Returns its descriptor. */
static int
claim_name(int port)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int len = snprintf(name.sun_path + 1, sizeof name.sun_path - 1,
			   "stepmill-dev-port-%d", port);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&name,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			     (size_t)len)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
claim(struct dev_port *port, int number)
{
	int claimed = claim_name(number), error;

	if (claimed < 0)
		return -1;
	if (try_port(number) == 0) {
		*port = (struct dev_port){ .number = number, .claimed = claimed };
		return 0;
	}
	error = errno;
	close(claimed);
	errno = error;
	return -1;
}

int
port_choose(struct dev_port *port, int wanted, struct err *err)
{
	port_fini(port);
	if (wanted != 0)
		return claim(port, wanted) == 0 ? 0 : err_errno(err, "port %d", wanted);
	for (int number = PRESET; number < PRESET + TRIED; number++)
		if (claim(port, number) == 0)
			return 0;
	return err_set(err, ERR_SYSTEM,
		       "ports %d to %d are taken; choose one by --port", PRESET,
		       PRESET + TRIED - 1);
}

void
port_fini(struct dev_port *port)
{
	if (port->number != 0)
		close(port->claimed);
	*port = (struct dev_port){ 0 };
}

bool
port_is_ready(int port)
{
	static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n"
				      "Connection: close\r\n\r\n";
	static const char good[] = "HTTP/1.1 200 ";
	const struct timeval patience = { .tv_sec = 2 };
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[sizeof good] = "";
	bool ready = false;

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0)
		ready = recv(fd, answer, sizeof good - 1, MSG_WAITALL) ==
			    (ssize_t)sizeof good - 1 &&
			strcmp(answer, good) == 0;
	close(fd);
	return ready;
}
