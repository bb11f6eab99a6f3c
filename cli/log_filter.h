/* Which entries of a run's log are wanted, and an entry as a line for people. Pure. */
#ifndef CLI_LOG_FILTER_H
#define CLI_LOG_FILTER_H

#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"

struct log_filter {
	int level;        /* this and above */
	const char *step; /* its number, its key or its id; NULL: all */
};

/* Both may be NULL. */
int log_filter_read(struct log_filter *filter, const char *level, const char *step,
		    struct err *err);
bool log_filter_wants(const struct log_filter *filter, const struct json *entry);
void log_filter_line(const struct json *entry, struct buf *out);

#endif
