/*
 * Opens what http.listen names, or takes what systemd passed. Names are looked up here,
 * before the loop runs. A socket file that nobody listens on any more is replaced, one
 * that somebody listens on is not.
 */
#include "pool/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "pool/endpoint_core.h"

#define SOCKETS_MOST   16
#define FIRST_GIVEN    3    /* the first descriptor that systemd passes */
#define FILE_MODE_MASK 0117 /* a socket file is for owner and group */

struct socket_file {
	char *path;
	dev_t device; /* as made by us: another one's file is not ours to remove */
	ino_t inode;
};

struct sockets {
	int fds[SOCKETS_MOST];
	size_t count;
	struct socket_file files[SOCKETS_MOST];
	size_t files_count;
	bool given;
};

static int
add(struct sockets *sockets, int fd, struct err *err)
{
	if (sockets->count == SOCKETS_MOST) {
		close(fd);
		return err_set(err, ERR_LIMIT, "more than %d sockets", SOCKETS_MOST);
	}
	sockets->fds[sockets->count++] = fd;
	return 0;
}

static int
fail_address(const char *what, struct err *err)
{
	enum err_kind kind = errno == EADDRINUSE ? ERR_CONFLICT : ERR_SYSTEM;

	return err_set(err, kind, "cannot listen on %s: %s", what, strerror(errno));
}

static int
fail_inet(const struct endpoint *endpoint, struct err *err)
{
	char what[ENDPOINT_HOST_MAX + sizeof endpoint->port + 2];

	snprintf(what, sizeof what, "%s:%s", endpoint->host, endpoint->port);
	return fail_address(what, err);
}

static int
new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Returns the descriptor, or -1 with errno. */
static int
listen_on_address(const struct addrinfo *address)
{
	int fd = new_socket(address->ai_family), on = 1, saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
	    listen(fd, SOMAXCONN) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static void
log_listening(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port,
			sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	log_info("socket.opened", F_STR("host", host), F_STR("port", port));
}

/* A machine may lack a family that a name resolves to: one address that works is
 * enough, but one that is taken is not passed over. */
static int
open_addresses(struct sockets *sockets, const struct endpoint *endpoint,
	       const struct addrinfo *list, struct err *err)
{
	bool any = false;

	for (const struct addrinfo *it = list; it != NULL; it = it->ai_next) {
		int fd = listen_on_address(it);

		if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) &&
		    (any || it->ai_next != NULL))
			continue;
		if (fd < 0)
			return fail_inet(endpoint, err);
		any = true;
		log_listening(fd);
		if (add(sockets, fd, err) < 0)
			return -1;
	}
	return 0;
}

static int
open_inet(struct sockets *sockets, const struct endpoint *endpoint, struct err *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	const char *host = strcmp(endpoint->host, "*") == 0 ? NULL : endpoint->host;
	struct addrinfo *list = NULL;
	int failure = getaddrinfo(host, endpoint->port, &hints, &list), result;

	if (failure != 0)
		return err_set(err, ERR_INPUT, "cannot listen on %s: %s",
			       endpoint->host, gai_strerror(failure));
	result = open_addresses(sockets, endpoint, list, err);
	freeaddrinfo(list);
	return result;
}

/* 0: the path is free now, or has no file. */
static int
clear_path(const struct sockaddr_un *address, struct err *err)
{
	struct stat st;
	int fd, result;

	if (lstat(address->sun_path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_CONFLICT, "%s exists and is no socket",
			       address->sun_path);
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return err_errno(err, "cannot make a socket");
	result = connect(fd, (const struct sockaddr *)address, sizeof *address);
	if (result < 0 && errno == ECONNREFUSED)
		result = unlink(address->sun_path);
	else
		result = err_set(err, ERR_CONFLICT, "%s is in use", address->sun_path);
	close(fd);
	return result;
}

static void
remember_file(struct sockets *sockets, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		sockets->files[sockets->files_count++] = (struct socket_file){
			.path = xstrdup(path), .device = st.st_dev, .inode = st.st_ino
		};
}

static int
open_local(struct sockets *sockets, const struct endpoint *endpoint, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t before;
	int fd, bound;

	memcpy(address.sun_path, endpoint->path, strlen(endpoint->path) + 1);
	if (clear_path(&address, err) < 0)
		return -1;
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return err_errno(err, "cannot make a socket");
	before = umask(FILE_MODE_MASK);
	bound = bind(fd, (struct sockaddr *)&address, sizeof address);
	umask(before);
	if (bound < 0 || listen(fd, SOMAXCONN) < 0) {
		fail_address(endpoint->path, err);
		close(fd);
		return -1;
	}
	remember_file(sockets, endpoint->path);
	log_info("socket.opened", F_STR("path", endpoint->path));
	return add(sockets, fd, err);
}

static int
open_named(struct sockets *sockets, const char *listen, struct err *err)
{
	struct endpoint endpoints[ENDPOINTS_MOST];
	int count = endpoints_parse(listen, strlen(listen), endpoints, err), result = 0;

	if (count < 0)
		return err_in(err, "http.listen");
	for (int i = 0; i < count && result == 0; i++)
		result = endpoints[i].local ? open_local(sockets, &endpoints[i], err)
					    : open_inet(sockets, &endpoints[i], err);
	return result;
}

/* How many sockets the service manager passed to this very process. */
static int
given_count(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (pid == NULL || fds == NULL || strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	return (int)strtol(fds, NULL, 10);
}

static int
take_given(struct sockets *sockets, int count, struct err *err)
{
	for (int fd = FIRST_GIVEN; fd < FIRST_GIVEN + count; fd++) {
		int listening = 0, flags = fcntl(fd, F_GETFL);
		socklen_t len = sizeof listening;

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 ||
		    !listening)
			return err_set(err, ERR_INPUT,
				       "descriptor %d of LISTEN_FDS is no listening "
				       "socket",
				       fd);
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (add(sockets, fd, err) < 0)
			return -1;
	}
	sockets->given = true;
	log_info("socket.taken", F_INT("count", count));
	return 0;
}

struct sockets *
sockets_open(const char *listen, struct err *err)
{
	struct sockets *sockets = xcalloc(1, sizeof *sockets);
	int given = given_count();

	if ((given > 0 ? take_given(sockets, given, err)
		       : open_named(sockets, listen, err)) < 0)
		sockets_free(&sockets);
	return sockets;
}

bool
sockets_are_given(const struct sockets *sockets)
{
	return sockets->given;
}

const int *
sockets_list(const struct sockets *sockets, size_t *count)
{
	*count = sockets->count;
	return sockets->fds;
}

void
sockets_close(struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		close(sockets->fds[i]);
	sockets->count = 0;
}

static void
remove_file(struct socket_file *file)
{
	struct stat st;

	if (lstat(file->path, &st) == 0 && st.st_dev == file->device &&
	    st.st_ino == file->inode)
		unlink(file->path);
	free(file->path);
}

void
sockets_free(struct sockets **sockets_p)
{
	struct sockets *sockets = *sockets_p;

	if (sockets == NULL)
		return;
	*sockets_p = NULL;
	sockets_close(sockets);
	for (size_t i = 0; i < sockets->files_count; i++)
		remove_file(&sockets->files[i]);
	free(sockets);
}
