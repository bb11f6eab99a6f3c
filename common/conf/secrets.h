/*
 * Where the secrets are that expressions see as `secrets`: what stands under `secrets`
 * in stepmill.yaml. Only where: values are read by those who use them.
 */
#ifndef CONF_SECRETS_H
#define CONF_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/doc.h"
#include "base/usec.h"
#include "conf/option.h"

#define SECRETS_MAX      256
#define SECRET_NAME_MAX  60
#define SECRET_WORDS_MAX 64 /* of a command */

enum secret_kind {
	SECRET_FILE,        /* text: an absolute path */
	SECRET_ENVIRONMENT, /* text: the name of a variable */
	SECRET_COMMAND,     /* command: what prints it; no shell */
	SECRET_KINDS
};

struct secret_source {
	char *name;
	enum secret_kind kind;
	char *text;
	struct texts command;
	struct texts environment; /* variables that the command is given */
	usec_t timeout;           /* of the command */
	usec_t refresh;           /* it is read again after so long; 0: never */
};

struct secret_sources {
	struct secret_source *list;
	size_t count;
};

/* tree: NULL or a map by name. What is wrong becomes problems that name the key. */
void secret_sources_read(struct secret_sources *sources, const struct doc *tree,
			 struct problems *problems);
void secret_sources_copy(struct secret_sources *to, const struct secret_sources *from);
void secret_sources_fini(struct secret_sources *sources);
const struct secret_source *secret_source_find(const struct secret_sources *sources,
					       const char *name); /* or NULL */
bool secret_source_equal(const struct secret_source *a, const struct secret_source *b);

#endif
