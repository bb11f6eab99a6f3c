/*
 * The listening sockets. They belong to the parent, so that a crash of the front
 * refuses no connection: it inherits them, and so does its successor.
 */
#ifndef POOL_SOCKETS_H
#define POOL_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct sockets;

/* listen: the text of http.listen. Sockets given by a service manager (LISTEN_FDS) are
 * taken instead. Looks up names: for start-up only. ERR_CONFLICT: somebody listens
 * there already. */
struct sockets *sockets_open(const char *listen, struct err *err);
/* Are they the service manager's, which keeps them open when we end? */
bool sockets_are_given(const struct sockets *sockets);
const int *sockets_list(const struct sockets *sockets, size_t *count);
/* From here on the front holds the only copies, and what it no longer accepts is
 * refused by the kernel. */
void sockets_close(struct sockets *sockets);
void sockets_free(struct sockets **sockets_p); /* also removes socket files */

#endif
