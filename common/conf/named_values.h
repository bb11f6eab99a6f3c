/*
 * Names with values in the configuration, of headers or of environment variables: the
 * values may be secrets that are named instead of written (conf/secret.h).
 */
#ifndef CONF_NAMED_VALUES_H
#define CONF_NAMED_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/doc.h"
#include "base/mask.h"

#define NAMED_VALUES_MAX     64 /* in one list */
#define NAMED_VALUE_NAME_MAX 64

#define NAMES_OF_HEADERS                                                               \
	"!#$%&'*+.^|~_-"                                                               \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAMES_OF_VARIABLES                                                             \
	"_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

struct named_value {
	char *name, *value;
	bool secret; /* the value came from a file or the environment */
};

struct named_values {
	struct named_value *list;
	size_t count;
};

/* tree: NULL or a map. characters: those that a name may have. What is wrong becomes
 * problems whose messages begin with where ("mcp.files.env"): names that are none,
 * values that are no text of one line, secrets that are not there. */
void named_values_read(struct named_values *values, const struct doc *tree,
		       const char *characters, const char *where,
		       struct problems *problems);
void named_values_fini(struct named_values *values); /* secrets are wiped */
/* Secret values are masked from now on. */
void named_values_mask(const struct named_values *values, struct mask *mask);

#endif
