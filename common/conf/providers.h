/*
 * The providers of models: what stands under `providers` in stepmill.yaml, and those
 * that are there because their usual environment variable is set. A provider's address
 * is allowed by standing here, private or not.
 */
#ifndef CONF_PROVIDERS_H
#define CONF_PROVIDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/doc.h"
#include "base/mask.h"
#include "base/usec.h"
#include "conf/prices.h"

#define PROVIDERS_MAX 64

enum provider_type {
	PROVIDER_ANTHROPIC, /* Messages */
	PROVIDER_OPENAI,    /* Chat Completions */
	PROVIDER_RESPONSES, /* Responses */
	PROVIDER_GEMINI,    /* streamGenerateContent */
	PROVIDER_TYPES
};

struct provider_header {
	char *name, *value;
	bool secret; /* the value came from a file or the environment */
};

struct provider {
	char *name;
	enum provider_type type;
	char *base_url; /* without a slash at its end */
	char *api_key;  /* or NULL: none is sent */
	usec_t timeout; /* without a byte of an answer */
	bool structured_output;
	struct provider_header *headers;
	size_t headers_count;
	struct price *prices;
	size_t prices_count;
};

struct providers {
	struct provider *list;
	size_t count;
};

/* tree: NULL or a map by name. What is wrong becomes problems that name the key. */
void providers_read(struct providers *providers, const struct doc *tree,
		    struct problems *problems);
void providers_fini(struct providers *providers);

const struct provider *provider_find(const struct providers *providers,
				     const char *name, size_t len); /* or NULL */
const struct price *provider_price(const struct provider *provider,
				   const char *model); /* or NULL */
const char *provider_type_name(enum provider_type type);
/* Keys and secret values of headers are masked from now on. */
void providers_mask(const struct providers *providers, struct mask *mask);

#endif
