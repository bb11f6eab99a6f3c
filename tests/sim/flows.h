/* The workflows of a simulation, read by the real reader; they live to its end. */
#ifndef SIM_FLOWS_H
#define SIM_FLOWS_H

#include "engine/workflow.h"
#include "random.h"

struct flow {
	char *text;
	struct workflow *workflow;
	bool *reads; /* by index: some expression of it reads that step */
};

struct flows {
	struct flow *list;
	int count;
	int children; /* so many of them, the first ones, are only started by others */
};

void flows_generate(struct flows *flows, struct random *random, int count);
/* False, and says why: it cannot be read. The first one replaces what was generated. */
bool flows_load(struct flows *flows, const char *path);
const struct flow *flows_find(const struct flows *flows, const char *name);
void flows_fini(struct flows *flows);

#endif
