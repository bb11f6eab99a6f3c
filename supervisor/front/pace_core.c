/* See pace_core.h. */
#include "front/pace_core.h"

usec_t
pace_pay(usec_t deadline, usec_t now, usec_t grace, uint64_t bytes)
{
	usec_t paid;

	if (bytes >= (uint64_t)(grace / USEC_SECOND) * PACE_RATE)
		return now + grace;
	paid = deadline + (usec_t)bytes * USEC_SECOND / PACE_RATE;
	return paid < now + grace ? paid : now + grace;
}
