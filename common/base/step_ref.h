/* What names a step everywhere: the run's id and the step's number in it. */
#ifndef BASE_STEP_REF_H
#define BASE_STEP_REF_H

#include <stdint.h>

#include "base/uuid7.h"

struct step_ref {
	struct uuid run;
	int32_t number; /* from 1 */
};

enum priority { PRIORITY_HIGH, PRIORITY_NORMAL, PRIORITY_LOW, PRIORITIES };

#endif
