/*
 * What bots say in a run, to one another and in channels. Two bots have one
 * conversation in a run; ids of messages are made from the step, so that an attempt
 * which repeats a lost one says nothing twice.
 */
#ifndef STORE_MESSAGES_H
#define STORE_MESSAGES_H

#include "store/bots.h"
#include "store/workers.h"

struct message {
	struct uuid id, reply_id;
	const char *from, *to; /* slugs; to is not that of a channel */
	const char *channel;
	const char *body;
	bool wait; /* a reply is wanted */
};

/* What became of it; borrowed until the callback returns. */
struct message_sent {
	bool has_sender, has_receiver;
	int depth;  /* of the run */
	int before; /* messages of the conversation */
	bool said;  /* false: too deep, or there were too many */
	struct uuid session, sender;
	struct bot_row receiver;
	const char *reply;    /* that there was already, or NULL */
	struct json *history; /* [{from, body}], the oldest first */
};

/* sent is NULL when err says something: ERR_CONFLICT, the step is held no more. */
typedef void message_sent_fn(void *context, const struct message_sent *sent,
			     const struct err *err);
/* most: messages that a conversation of a run may have; deepest: runs of a chain, where
 * a reply is wanted. */
void messages_send(struct pg *pg, const struct held_ref *held,
		   const struct message *message, int most, int deepest,
		   message_sent_fn *done, void *context);

typedef void message_done_fn(void *context, bool has_sender, const struct err *err);
/* In a channel of the run's project. */
void messages_post(struct pg *pg, const struct held_ref *held,
		   const struct message *message, message_done_fn *done, void *context);
/* The answer to a message, by its receiver: body. */
void messages_reply(struct pg *pg, const struct held_ref *held,
		    const struct message *message, const struct uuid *session,
		    const char *body, message_done_fn *done, void *context);

#endif
