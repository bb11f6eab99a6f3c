/*
 * What clients send about a heartbeat, over HTTP or WebSocket, read into a value: one
 * table of fields, every problem at once, each with its path. Pure.
 */
#ifndef FRONT_HEARTBEAT_FIELDS_CORE_H
#define FRONT_HEARTBEAT_FIELDS_CORE_H

#include "front/schedule_fields_core.h"

extern const struct field heartbeat_fields[];

struct heartbeat_fields {
	const char *path;
	long interval;    /* minutes */
	const char *zone; /* "UTC" where none was given */
	struct hours_fields hours;
	const char *model, *webhook; /* or NULL */
	bool enabled;
	bool has_project;
	struct uuid project;
	char cron[32];
	struct schedule_rule rule;
};

/* All is borrowed from object. anchor: when the heartbeat was made. strict: unknown
 * keys are wrong. False: something is wrong, and was added to problems. */
bool heartbeat_fields_read(const struct json *object, bool strict, usec_t anchor,
			   struct heartbeat_fields *out, struct problems *problems);
/* A heartbeat as it would be: of what is stored, as the API shows it (NULL: nothing
 * is), and over it what is sent; null stands there for what is cleared. The caller's.
 */
struct json *heartbeat_fields_merge(const struct json *stored, const struct json *sent);
/* Over that what the file says of when it fires. The caller's. */
struct json *heartbeat_fields_follow(const struct json *wanted,
				     const struct json *says);

#endif
