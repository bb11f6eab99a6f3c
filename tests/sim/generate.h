/* Workflows at random, as text. Not every text is valid: the reader judges. */
#ifndef SIM_GENERATE_H
#define SIM_GENERATE_H

#include "base/buf.h"
#include "random.h"

/* Appends a workflow of this name; its steps may start runs of child0 .. */
void generate_workflow(struct random *random, const char *name, int children,
		       struct buf *text);

#endif
