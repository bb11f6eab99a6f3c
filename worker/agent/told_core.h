/*
 * Pure: what an agent has told of itself so far, whichever way: its answer, its
 * session, what it used, what it does now, what went wrong. The readers of its formats
 * (stream_json_core.c, jsonl_core.c, json_core.c) fill it.
 */
#ifndef AGENT_TOLD_CORE_H
#define AGENT_TOLD_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "model/heard_core.h"
#include "json/json.h"

#define TOLD_TEXT_MAX     (4 * 1024 * 1024) /* of an answer */
#define TOLD_WORDS_MAX    2000              /* of what went wrong */
#define TOLD_ACTIVITY_MAX 300
#define TOLD_ID_MAX       200

struct told {
	struct buf text;               /* the answer, or what there is of it */
	bool has_result;               /* it said that this is the answer */
	bool cut;                      /* the answer was longer than the limit */
	bool failed;                   /* it said that it failed */
	struct buf words;              /* why */
	char session[TOLD_ID_MAX + 1]; /* its own id of the session; or empty */
	char model[TOLD_ID_MAX + 1];   /* that answers; or empty */
	struct usage usage;
	bool has_usage;
	double usd; /* what it says that it costs */
	bool has_usd;
	int rounds; /* of asking its model */
	char message[TOLD_ID_MAX +
		     1];         /* the answer of a model whose usage was counted */
	struct buf activity;     /* what it does now */
	unsigned news;           /* rises with each activity */
	size_t events;           /* that were understood as JSON */
	size_t strange;          /* lines that are no JSON */
	struct buf strange_text; /* the first of them, a piece of it */
};

void told_fini(struct told *told);

/* The text of the answer: a piece behind what is there, or all of it anew. */
void told_add(struct told *told, const char *text, size_t len);
void told_clear(struct told *told);
void told_text(struct told *told, const struct json *text); /* not a string: as JSON */
/* The first reason stays. NULL: none was told. */
void told_fail(struct told *told, const char *words);
/* Ids of letters, digits and . _ : - only; anything else is not taken. */
void told_session(struct told *told, const struct json *id);
void told_model(struct told *told, const struct json *name);
/* "WHAT: detail", in one line, cut; detail may be NULL. */
void told_activity(struct told *told, const char *what, const char *detail);
/* A call of a tool: its name, and of its arguments the one that says most. */
void told_tool(struct told *told, const char *name, const struct json *arguments);
/* Tokens in an object, by the names that agents give them: added to what is there, or
 * in its place. False: there are none in it. */
bool told_usage(struct told *told, const struct json *usage, bool add);
void told_cost(struct told *told, const struct json *usd, bool add);
/* A line that is no JSON. */
void told_strange(struct told *told, const char *line, size_t len);

/* The first member of these names (NULL-terminated) that is there and not null; or
 * NULL. Borrowed. */
struct json *told_any(const struct json *object, const char *const *names);

#endif
