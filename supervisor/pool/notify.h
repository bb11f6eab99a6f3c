/*
 * Readiness and liveness for a service manager: plain datagrams to $NOTIFY_SOCKET as
 * sd_notify sends them. Everything does nothing when nobody asked for it.
 */
#ifndef POOL_NOTIFY_H
#define POOL_NOTIFY_H

#include "loop/loop.h"

struct notify;

/* Also sends WATCHDOG=1 in half of $WATCHDOG_USEC, as long as the loop turns. */
struct notify *notify_new(struct loop *loop);
void notify_free(struct notify **notify_p);
/* Lines of VARIABLE=value: "READY=1", "STOPPING=1", "STATUS=...". */
void notify_say(struct notify *notify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
