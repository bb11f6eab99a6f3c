/*
 * Heartbeats configured and changed by a client, over HTTP or WebSocket, within its
 * change (change.h): the fields are read, the project is found, the file looked at, and
 * the row stored with when it fires next. What the file says of that wins. Removing and
 * firing are schedule_edit.h's and schedule_fire.h's.
 */
#ifndef FRONT_HEARTBEAT_EDIT_H
#define FRONT_HEARTBEAT_EDIT_H

#include "front/schedule_edit.h"

/* The doc of what is told may have a member "warning": the file cannot be read now.
 *
 * The file that is named: a new heartbeat, or the one of that file, which is then as
 * sent, and the caller's. */
void heartbeat_configure(const struct schedule_call *call, schedule_edited_fn *done,
			 void *context);
/* Of one that is there (call->named): what is sent stands over what is stored; null
 * clears what is optional. */
void heartbeat_patch(const struct schedule_call *call, schedule_edited_fn *done,
		     void *context);
/* What is sent is all of it, and it is the caller's from then on. */
void heartbeat_replace(const struct schedule_call *call, schedule_edited_fn *done,
		       void *context);

#endif
