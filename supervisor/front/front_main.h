/*
 * The front as main sees it: a role of the supervisor's binary that runs until its
 * parent tells it to drain or is gone. Everything else of the front stays behind this.
 */
#ifndef FRONT_FRONT_MAIN_H
#define FRONT_FRONT_MAIN_H

#include <stddef.h>

#include "conf/settings.h"

/* listen_fds: bound, listening, non-blocking sockets; they become the front's. Returns
 * the exit code (loop/parent.h). */
int front_main(const struct settings *settings, const int *listen_fds, size_t count);

/* The routes as text on stdout, see front/route.h. */
void front_print_routes(void);
/* What WebSocket clients may send, likewise, see front/ws.h. */
void front_print_messages(void);

#endif
