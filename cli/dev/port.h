/* The port on loopback: a free one, and whether stepmill answers on it. */
#ifndef DEV_PORT_H
#define DEV_PORT_H

#include <stdbool.h>

#include "base/err.h"

/* wanted 0: 3456, or the next one that is free. */
int port_choose(int wanted, int *port, struct err *err);
bool port_is_free(int port);
/* Does GET /readyz say so? */
bool port_is_ready(int port);

#endif
