/* Pure: what a session has used, as sums, as JSON and in money, and what is left of a
 * budget. */
#ifndef MODEL_USAGE_CORE_H
#define MODEL_USAGE_CORE_H

#include "engine/model_read.h"
#include "model/heard_core.h"
#include "json/json.h"

/* Dollars per million tokens. */
struct rate {
	double input, output, cache_read;
};

struct usage_sum {
	struct usage tokens;
	double usd;
	bool priced;    /* some of it has a price */
	bool estimated; /* a provider did not tell, so it was guessed from the length */
	int rounds;
};

/* One more answer (or part of one). rate NULL: it has no price. */
void usage_add(struct usage_sum *sum, const struct usage *usage,
	       const struct rate *rate);
/* For a provider that tells nothing. */
struct usage usage_guess(size_t bytes_in, size_t bytes_out);
struct json *usage_json(const struct usage_sum *sum);
/* True and why when nothing is left: tokens and millionths of a dollar used so far. */
bool usage_is_over(const struct budget *budget, int64_t tokens, int64_t micros,
		   const char *whose, struct buf *why);
int64_t usage_tokens(const struct usage_sum *sum);
int64_t usage_micros(const struct usage_sum *sum);

#endif
