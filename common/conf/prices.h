/* What models cost: `prices` of a provider or of a command-line agent. */
#ifndef CONF_PRICES_H
#define CONF_PRICES_H

#include <stddef.h>

#include "base/doc.h"

#define PRICES_MAX 256

/* Dollars per million tokens. */
struct price {
	char *model;
	double input, output;
	double cache_read; /* less than 0: as input */
};

/* tree: NULL or a map by model. What is wrong becomes problems that name
 * "OWNER.prices". The list is the caller's (prices_free), NULL when there is no tree.
 */
void prices_read(const char *owner, const struct doc *tree, struct price **list,
		 size_t *count, struct problems *problems);
void prices_free(struct price **list, size_t count);
const struct price *price_find(const struct price *list, size_t count,
			       const char *model); /* or NULL */

#endif
