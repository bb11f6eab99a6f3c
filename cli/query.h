/* The query of a path, from options. */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include "args.h"
#include "base/buf.h"

/* Adds "&NAME=VALUE", encoded, if the option was given. */
void query_add(struct buf *path, const char *name, const struct args *args,
	       const char *option);

#endif
