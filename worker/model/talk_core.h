/*
 * Pure: a conversation with a model, whoever it is: what was asked, what it answered,
 * which tools it called and what they said. The wires make a provider's request of it.
 */
#ifndef MODEL_TALK_CORE_H
#define MODEL_TALK_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/heard_core.h"
#include "json/json.h"

#define TALK_RESULT_MAX (64 * 1024) /* bytes of what a tool answered */

enum talk_role {
	TALK_USER,
	TALK_MODEL,
	TALK_RESULTS, /* of the calls of the turn before, in their order */
};

struct talk_call {
	char *id, *name; /* the provider's; never NULL */
	char *signature; /* or NULL */
	char *arguments; /* JSON text of an object */
};

struct talk_result {
	char *text;
	bool failed;
};

struct talk_turn {
	enum talk_role role;
	char *text; /* never NULL */
	struct talk_call *calls;
	struct talk_result *results;
	size_t count; /* of calls or results */
};

/* A tool as it is offered. */
struct talk_tool {
	char *name;      /* ours: "git.log" */
	char *wire_name; /* as providers allow it: "git_log" */
	char *help;
	struct json *schema; /* of its arguments; owned */
};

struct talk {
	char *system; /* or NULL */
	struct talk_turn *turns;
	size_t turns_count;
	struct talk_tool *tools;
	size_t tools_count;
	long max_tokens;
	bool has_temperature;
	double temperature;
	const struct json *schema; /* of the answer; NULL: it is text. Borrowed */
};

/* All texts are copied. */
void talk_ask(struct talk *talk, const char *text);
void talk_answered(struct talk *talk, const char *text);
/* An answer with its calls; those whose arguments are no JSON object are kept with
 * none. */
void talk_reply(struct talk *talk, const struct heard *reply);
/* Begins the results of the last turn's calls; each is "not answered" until it is set.
 */
void talk_results(struct talk *talk);
/* Cut to TALK_RESULT_MAX. */
void talk_result(struct talk *talk, size_t index, const char *text, size_t len,
		 bool failed);
/* Twice the same name is once; two that providers would take for the same are told
 * apart. schema is taken. */
void talk_offer(struct talk *talk, const char *name, const char *help,
		struct json *schema);
const struct talk_tool *talk_tool(const struct talk *talk, const char *wire_name);
/* Bytes of it all; what it costs to send, about. */
size_t talk_size(const struct talk *talk);
void talk_fini(struct talk *talk);

#endif
