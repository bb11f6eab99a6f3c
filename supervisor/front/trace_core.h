/*
 * Pure: the header traceparent (W3C Trace Context), VERSION-TRACE-PARENT-FLAGS in
 * lower-case hexadecimal. Of it only the trace is kept: a run hands it on with a span
 * of its own.
 */
#ifndef FRONT_TRACE_CORE_H
#define FRONT_TRACE_CORE_H

#include <stdbool.h>

#define TRACE_ID 33 /* of its text, with NUL */

/* The trace. False: it is not in form, and as good as absent. */
bool trace_parse(const char *text, char out[static TRACE_ID]);

#endif
