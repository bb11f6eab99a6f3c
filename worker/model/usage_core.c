/* Sums, money and budgets. See usage_core.h. */
#include "model/usage_core.h"

#define PER_MILLION     1e6
#define BYTES_PER_TOKEN 4 /* of English text, about */

void
usage_add(struct usage_sum *sum, const struct usage *usage, const struct rate *rate)
{
	int64_t cached =
	    usage->cache_read < usage->input ? usage->cache_read : usage->input;

	sum->tokens.input += usage->input;
	sum->tokens.output += usage->output;
	sum->tokens.cache_read += usage->cache_read;
	if (rate == NULL)
		return;
	sum->priced = true;
	sum->usd +=
	    ((double)(usage->input - cached) * rate->input +
	     (double)cached * rate->cache_read + (double)usage->output * rate->output) /
	    PER_MILLION;
}

struct usage
usage_guess(size_t bytes_in, size_t bytes_out)
{
	return (struct usage){
		.input = (int64_t)(bytes_in / BYTES_PER_TOKEN + 1),
		.output = (int64_t)(bytes_out / BYTES_PER_TOKEN + 1),
	};
}

struct json *
usage_json(const struct usage_sum *sum)
{
	struct json *json = json_new_object();

	json_set(json, "inputTokens", json_new_int(sum->tokens.input));
	json_set(json, "outputTokens", json_new_int(sum->tokens.output));
	json_set(json, "cacheReadTokens", json_new_int(sum->tokens.cache_read));
	if (sum->priced)
		json_set(json, "costUsd", json_new_double(sum->usd));
	if (sum->estimated)
		json_set(json, "estimated", json_new_bool(true));
	json_set(json, "rounds", json_new_int(sum->rounds));
	return json;
}

int64_t
usage_tokens(const struct usage_sum *sum)
{
	return sum->tokens.input + sum->tokens.output;
}

int64_t
usage_micros(const struct usage_sum *sum)
{
	return (int64_t)(sum->usd * PER_MILLION + 0.5);
}

bool
usage_is_over(const struct budget *budget, int64_t tokens, int64_t micros,
	      const char *whose, struct buf *why)
{
	if (budget->tokens > 0 && tokens >= budget->tokens) {
		buf_printf(why, "%s has used %lld of %ld tokens", whose,
			   (long long)tokens, budget->tokens);
		return true;
	}
	if (budget->usd > 0 && (double)micros >= budget->usd * PER_MILLION) {
		buf_printf(why, "%s has used $%.6f of $%.6f", whose,
			   (double)micros / PER_MILLION, budget->usd);
		return true;
	}
	return false;
}
