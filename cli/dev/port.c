/* See port.h. */
#include "dev/port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
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
	int one = 1, result;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	result = bind(fd, (struct sockaddr *)&address, sizeof address);
	if (result == 0)
		result = listen(fd, 1);
	close(fd);
	return result;
}

bool
port_is_free(int port)
{
	return try_port(port) == 0;
}

int
port_choose(int wanted, int *port, struct err *err)
{
	*port = wanted;
	if (wanted != 0)
		return try_port(wanted) == 0 ? 0 : err_errno(err, "port %d", wanted);
	for (*port = PRESET; *port < PRESET + TRIED; ++*port)
		if (try_port(*port) == 0)
			return 0;
	return err_set(err, ERR_SYSTEM,
		       "ports %d to %d are taken; choose one by --port", PRESET,
		       PRESET + TRIED - 1);
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
