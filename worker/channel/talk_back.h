/*
 * What any program of a step may ask of the worker that runs it: what it runs for, the
 * run's state, comments, artifacts, its log. Each is an attempt inside its attempt, so
 * rights, limits and fences are those of the tools.
 */
#ifndef CHANNEL_TALK_BACK_H
#define CHANNEL_TALK_BACK_H

#include "actions/action.h"
#include "channel/channel.h"

struct talk_back;

/* attempt: the program's; folder: that only it has, or NULL. Both borrowed. */
struct talk_back *talk_back_new(const struct attempt *attempt, const char *folder);
void talk_back_free(struct talk_back **talk_p); /* what it made is cut off */
/* Answers the call, now or later. */
void talk_back_call(struct talk_back *talk, struct channel_call *call,
		    const char *method, struct json *params);

/* ---- what workflow programs share with it ---- */

/* `log`: it needs no answer from anywhere. False, and the call has failed. */
bool talk_back_log(struct step_log *log, struct channel_call **call_p,
		   struct json *params);
/* {executionId, runId, projectId, projectPath, stepId, attempt, input} */
struct json *talk_back_info(const struct attempt *attempt);
/* The tool that does what the method says, with its arguments: {tool, args}, or NULL
 * and err (ERR_NOT_FOUND: there is no such method). */
struct json *talk_back_fields(const char *method, struct json *params, struct err *err);
/* What the method answers, made from what its tool did; borrowed. The caller's. */
struct json *talk_back_answer(const char *method, struct json *output);

#endif
