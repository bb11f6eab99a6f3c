/* Sums of what was used. See spending.h. */
#include "agent/spending.h"

static int64_t
beyond(int64_t sum, int64_t base)
{
	return sum > base ? sum - base : 0;
}

static struct usage
tokens_of(const struct spending *spending, const struct told *told)
{
	const struct usage *sum = &told->usage, *base = &spending->base;

	if (!spending->assignment->agent->sums_tokens)
		return *sum;
	return (struct usage){
		.input = beyond(sum->input, base->input),
		.output = beyond(sum->output, base->output),
		.cache_read = beyond(sum->cache_read, base->cache_read),
	};
}

static double
cost_of(const struct spending *spending, const struct told *told)
{
	double base = spending->assignment->agent->sums_cost ? spending->base_usd : 0;

	return told->usd > base ? told->usd - base : 0;
}

struct usage_sum
spending_now(const struct spending *spending, const struct told *told)
{
	const struct assignment *assignment = spending->assignment;
	struct usage_sum sum = spending->ended;
	const char *model = told->model[0] != '\0' ? told->model : assignment->model;
	struct usage tokens = tokens_of(spending, told);
	struct rate rate;
	bool priced = !told->has_usd && assignment_rate(assignment, model, &rate);

	if (told->has_usage)
		usage_add(&sum, &tokens, priced ? &rate : NULL);
	if (told->has_usd) {
		sum.usd += cost_of(spending, told);
		sum.priced = true;
	}
	sum.rounds += told->rounds;
	return sum;
}

void
spending_end(struct spending *spending, const struct told *told)
{
	spending->ended = spending_now(spending, told);
	if (told->has_usage)
		spending->base = told->usage;
	if (told->has_usd)
		spending->base_usd = told->usd;
}

struct json *
spending_json(const struct spending *spending, const struct told *told)
{
	const struct agent *agent = spending->assignment->agent;
	struct usage_sum sum = spending_now(spending, told);
	struct json *usage = usage_json(&sum), *session;
	struct usage tokens = told->has_usage ? told->usage : spending->base;
	double usd = told->has_usd ? told->usd : spending->base_usd;

	if (!agent->sums_tokens && !agent->sums_cost)
		return usage;
	session = json_new_object();
	json_set(session, "inputTokens", json_new_int(tokens.input));
	json_set(session, "outputTokens", json_new_int(tokens.output));
	json_set(session, "cacheReadTokens", json_new_int(tokens.cache_read));
	json_set(session, "costUsd", json_new_double(usd));
	json_set(usage, "session", session);
	return usage;
}

void
spending_resume(struct spending *spending, const struct json *sums)
{
	spending->base = (struct usage){
		.input = json_int(json_get(sums, "inputTokens")),
		.output = json_int(json_get(sums, "outputTokens")),
		.cache_read = json_int(json_get(sums, "cacheReadTokens")),
	};
	spending->base_usd = json_double(json_get(sums, "costUsd"));
}

bool
spending_is_over(const struct spending *spending, const struct told *told,
		 struct buf *why)
{
	const struct sessions_used *before = &spending->before;
	struct usage_sum sum = spending_now(spending, told);
	int64_t tokens = usage_tokens(&sum), micros = usage_micros(&sum);

	return usage_is_over(&spending->assignment->budget,
			     before->step_tokens + tokens, before->step_micros + micros,
			     "the step", why) ||
	       usage_is_over(&spending->assignment->run_budget,
			     before->run_tokens + tokens, before->run_micros + micros,
			     "the run", why);
}
