/*
 * The protocol of sd_notify without its library: one datagram a message, an address
 * that starts with @ is an abstract one. A manager that does not listen is not waited
 * for.
 */
#include "pool/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xalloc.h"

struct notify {
	int fd; /* -1: nobody asked */
	struct sockaddr_un address;
	socklen_t address_len;
	struct timer *watchdog;
	usec_t watchdog_every; /* 0: none */
};

static void
set_address(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name != NULL ? strlen(name) : 0;

	notify->fd = -1;
	if (len < 2 || len >= sizeof notify->address.sun_path ||
	    (name[0] != '/' && name[0] != '@'))
		return;
	notify->address.sun_family = AF_UNIX;
	memcpy(notify->address.sun_path, name, len);
	if (name[0] == '@')
		notify->address.sun_path[0] = '\0';
	notify->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* 0 when the watchdog is off or meant for another process. */
static usec_t
watchdog_time(void)
{
	const char *time = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (time == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoll(time, NULL, 10);
}

static void
on_watchdog(void *context)
{
	struct notify *notify = context;

	notify_say(notify, "WATCHDOG=1");
	timer_set(notify->watchdog, notify->watchdog_every);
}

struct notify *
notify_new(struct loop *loop)
{
	struct notify *notify = xcalloc(1, sizeof *notify);

	set_address(notify);
	notify->watchdog = timer_new(loop, on_watchdog, notify);
	notify->watchdog_every = watchdog_time() / 2;
	if (notify->fd >= 0 && notify->watchdog_every > 0)
		timer_set(notify->watchdog, notify->watchdog_every);
	return notify;
}

void
notify_free(struct notify **notify_p)
{
	struct notify *notify = *notify_p;

	if (notify == NULL)
		return;
	*notify_p = NULL;
	timer_free(&notify->watchdog);
	if (notify->fd >= 0)
		close(notify->fd);
	free(notify);
}

void
notify_say(struct notify *notify, const char *format, ...)
{
	struct buf text = { 0 };
	va_list args;

	if (notify->fd < 0)
		return;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	if (sendto(notify->fd, text.data, text.len, MSG_NOSIGNAL,
		   (const struct sockaddr *)&notify->address, notify->address_len) < 0)
		log_debug("notify.failed", F_STR("why", strerror(errno)));
	buf_fini(&text);
}
