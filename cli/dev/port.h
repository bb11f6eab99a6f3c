/* The port on loopback: a free one, and whether stepmill answers on it. */
#ifndef DEV_PORT_H
#define DEV_PORT_H

#include <stdbool.h>

#include "base/err.h"

/* Zeroed before the first use. Between the look for a port and the moment the
 * supervisor listens another stepmill dev may look too: what is chosen is claimed until
 * port_fini or the end of the process. */
struct dev_port {
	int number, claimed;
};

/* wanted 0: 3456, or the next one that is free. Gives back what was chosen before. */
int port_choose(struct dev_port *port, int wanted, struct err *err);
void port_fini(struct dev_port *port);
bool port_is_free(int port);
/* Does GET /readyz say so? */
bool port_is_ready(int port);

#endif
