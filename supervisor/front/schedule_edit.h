/*
 * Schedules made, changed and removed by a client, over HTTP or WebSocket, within its
 * change (change.h): the fields are read, the workflow is looked up, its input checked,
 * and the row stored with when it fires next.
 */
#ifndef FRONT_SCHEDULE_EDIT_H
#define FRONT_SCHEDULE_EDIT_H

#include "front/change.h"

struct problems;

/* Borrowed until done, which always comes, on a later turn or at once. */
struct schedule_call {
	struct front *front;
	struct change *change;
	const char *named;           /* id of the schedule; NULL: a new one */
	const struct json *sent;     /* the fields */
	bool strict;                 /* unknown fields are wrong */
	const struct uuid *confined; /* the project that the key may not leave; NULL */
	const char *by;              /* key and client */
	const struct json *tools;    /* of the key; NULL: all */
	uint64_t read_after; /* position that the workflow is read after, or 0 */
};

/* How it went; valid during done. */
struct schedule_edited {
	int status; /* 200, 201, 202, 204; or 403, 404, 409, 422 (text, and problems or
		     * NULL); or 0: see err */
	const char *text;
	const struct problems *problems;
	const struct err *err;
	const char *id;  /* as the API calls it */
	const char *doc; /* JSON of the row now; NULL: it is gone */
	size_t doc_len;
};
typedef void schedule_edited_fn(void *context, const struct schedule_edited *edited);

void schedule_create(const struct schedule_call *call, schedule_edited_fn *done,
		     void *context);
/* What is sent stands over what is there; null clears what is optional. */
void schedule_patch(const struct schedule_call *call, schedule_edited_fn *done,
		    void *context);
/* What is sent is all of it, as of a new one; project and run count stay. */
void schedule_replace(const struct schedule_call *call, schedule_edited_fn *done,
		      void *context);
void schedule_remove(const struct schedule_call *call, schedule_edited_fn *done,
		     void *context);

#endif
