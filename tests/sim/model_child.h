/* The run that a step starts, as it lies in finish_item.child. */
#ifndef SIM_MODEL_CHILD_H
#define SIM_MODEL_CHILD_H

#include "flows.h"

struct sim_child {
	const struct flow *flow;
	struct json *input;
};

#endif
