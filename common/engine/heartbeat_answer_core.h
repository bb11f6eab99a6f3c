/*
 * What a model says of one item of HEARTBEAT.md. It is asked for {"actionNeeded": bool,
 * "details": "..."} and nothing else, and often says more: a code fence around it, or a
 * sentence before.
 */
#ifndef ENGINE_HEARTBEAT_ANSWER_CORE_H
#define ENGINE_HEARTBEAT_ANSWER_CORE_H

#include <stdbool.h>
#include <stddef.h>

#define HEARTBEAT_DETAILS_MAX 4000 /* bytes; longer ones are cut */
#define HEARTBEAT_UNREADABLE  "Check could not be evaluated"

struct heartbeat_answer {
	bool readable; /* false: no action is needed, HEARTBEAT_UNREADABLE */
	bool action_needed;
	char *details; /* may be ""; the caller's */
};

/* The first object in the text that has an actionNeeded of true or false. */
struct heartbeat_answer heartbeat_answer_read(const char *text, size_t len);

#endif
