/* `stepmill dev`: everything on this machine with one command. */
#ifndef DEV_DEV_H
#define DEV_DEV_H

#include <stdbool.h>

struct dev_options {
	const char *data, *project; /* or NULL */
	int port;                   /* 0: 3456, or the next one that is free */
	int workers;                /* 0: 2 */
	bool detach, stop, json;
};

/* The exit status. */
int dev_run(const struct dev_options *options);

#endif
