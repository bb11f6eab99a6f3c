/*
 * Pure: the protocols of providers, one constant each. A wire makes the address and the
 * body of a request, and takes the events of the answer into a reply.
 */
#ifndef MODEL_WIRE_CORE_H
#define MODEL_WIRE_CORE_H

#include "model/heard_core.h"
#include "model/talk_core.h"

/* What depends on the provider, not on the conversation. */
struct wire_request {
	const char *base_url, *model;
	bool ask_schema; /* it can be asked to keep to a schema */
};

struct wire {
	const char *key_header, *key_prefix;  /* "Authorization", "Bearer " */
	const char *version_header, *version; /* or NULL */
	void (*url)(const struct wire_request *request, struct buf *out);
	struct json *(*body)(const struct wire_request *request,
			     const struct talk *talk);
	void (*event)(struct heard *reply, const char *event, const struct json *data);
};

extern const struct wire wire_anthropic; /* Messages */
extern const struct wire wire_openai;    /* Chat Completions */
extern const struct wire wire_responses; /* Responses */
extern const struct wire wire_gemini;    /* streamGenerateContent */

/* One event of the stream. What is no JSON is trouble. */
void wire_take(const struct wire *wire, struct heard *reply, const char *event,
	       const char *data, size_t len);

/* ---- for the wires themselves ---- */

struct json *wire_object(const char *key, const char *value); /* {key: value} */
void wire_set(struct json *object, const char *key, const char *value);
/* The arguments of a call as an object. */
struct json *wire_arguments(const struct talk_call *call);
/* An OpenAI address: with a path it is whole, else it is that of version 1. */
void wire_openai_url(const char *base_url, const char *path, struct buf *out);
/* Adds a number of an object to a sum; what is none is 0. */
int64_t wire_count(const struct json *object, const char *key);

#endif
