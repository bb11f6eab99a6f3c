/*
 * How a worker's process ended, and what it had used until then: said by the parent
 * that reaped it, in one line, to who declares it dead. Strict in reading: words in
 * their order, numbers within bounds, nothing else.
 *
 *   WORKER-ID signal 11 user 120 system 30 memory 51200
 *   WORKER-ID exit 1 user 120 system 30 memory 51200 ordered
 */
#ifndef BASE_ENDING_H
#define BASE_ENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid7.h"

#define ENDING_TEXT       192 /* bytes of the line, with its NUL */
#define ENDING_NUMBER_MAX 999999999999999

struct ending {
	bool ordered; /* it was told to go, or went by itself: no step is to blame */
	int signal;   /* that killed it; 0: it left by exit_status */
	int exit_status;
	int64_t user_ms,
	    system_ms;      /* of the process and its children that were reaped */
	int64_t max_rss_kb; /* of the largest of them */
};

/* Returns out. */
char *ending_format(const struct uuid *worker, const struct ending *ending,
		    char out[static ENDING_TEXT]);
bool ending_parse(const char *text, struct uuid *worker, struct ending *ending);
/* "SIGSEGV"; of one without a name "signal 40". Returns out. */
char *ending_signal_name(const struct ending *ending, char out[static 32]);

#endif
