/*
 * The way from a program that a step runs to the worker: a channel of its own, sent
 * over the descriptor that STEPMILL_FD names, so that calls of several programs of one
 * step do not mix (docs/program-protocol.md).
 */
#ifndef CLI_STEP_CHANNEL_H
#define CLI_STEP_CHANNEL_H

#include "base/err.h"
#include "json/json.h"

/* The descriptor, the caller's to close; -1: ERR_NOT_FOUND where this is no step. */
int step_channel_open(struct err *err);
/* One question, waited for. Takes params. *result is the caller's. ERR_RETRY: the
 * worker did not answer; ERR_INPUT: it refused, in its words. */
int step_channel_ask(int fd, const char *method, struct json *params,
		     struct json **result, struct err *err);

#endif
