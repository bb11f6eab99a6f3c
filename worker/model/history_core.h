/*
 * Pure: what two bots said to one another, as turns of a conversation with the model of
 * one of them. Its own words are answers, the others' are questions. Providers want the
 * two to take turns and a question first, so neighbours of one kind become one turn.
 */
#ifndef MODEL_HISTORY_CORE_H
#define MODEL_HISTORY_CORE_H

#include "model/talk_core.h"
#include "json/json.h"

/* history: [{from, body}], the oldest first, or NULL. self: whose model it is. */
void history_tell(struct talk *talk, const struct json *history, const char *self);
/* A question; one that was not answered yet goes with it. */
void history_ask(struct talk *talk, const char *text);

#endif
