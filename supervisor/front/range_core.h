/* The request header Range (RFC 9110, 14): one range of bytes. Pure. */
#ifndef FRONT_RANGE_CORE_H
#define FRONT_RANGE_CORE_H

#include <stdint.h>

enum range_verdict {
	RANGE_WHOLE, /* none was asked for, or nothing we serve: the whole file */
	RANGE_PART,  /* 206 */
	RANGE_NONE,  /* 416 */
	RANGE_VERDICTS
};

struct range {
	uint64_t first, len;
};

/* text may be NULL. Several ranges at once are answered with the whole. */
enum range_verdict range_read(const char *text, uint64_t size, struct range *out);

#endif
