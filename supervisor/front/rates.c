/* See rates.h; the arithmetic is rate_core's. */
#include "front/rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "front/rate_core.h"

struct caller {
	struct list link; /* in rates->order */
	struct rate_bucket bucket;
	char *who;
};

struct rates {
	struct loop *loop;
	struct rate_limit limit;
	struct map *callers; /* who -> struct caller */
	struct list order;   /* seen longest ago first */
};

struct rates *
rates_new(struct loop *loop, const struct settings *settings)
{
	long rate = settings->http_rate_limit, burst = settings->http_rate_burst;
	struct rates *rates;

	if (rate == 0)
		return NULL;
	rates = xcalloc(1, sizeof *rates);
	rates->loop = loop;
	rates->limit = (struct rate_limit){ rate, burst > 0 ? burst : rate };
	rates->callers = map_new();
	list_init(&rates->order);
	return rates;
}

static void
free_caller(void *value)
{
	struct caller *caller = value;

	free(caller->who);
	free(caller);
}

void
rates_free(struct rates **rates_p)
{
	struct rates *rates = *rates_p;

	if (rates == NULL)
		return;
	*rates_p = NULL;
	map_free(&rates->callers, free_caller);
	free(rates);
}

static void
forget_oldest(struct rates *rates)
{
	struct list *oldest = list_shift(&rates->order);
	struct caller *caller = container_of(oldest, struct caller, link);

	map_remove(rates->callers, caller->who, strlen(caller->who));
	free_caller(caller);
}

static struct caller *
find(struct rates *rates, const char *who, usec_t now)
{
	struct caller *caller = map_get(rates->callers, who, strlen(who));

	if (caller != NULL) {
		list_remove(&caller->link);
	} else {
		if (map_count(rates->callers) == RATES_MAX)
			forget_oldest(rates);
		caller = xcalloc(1, sizeof *caller);
		caller->bucket = rate_full(&rates->limit, now);
		caller->who = xstrdup(who);
		map_put(rates->callers, who, strlen(who), caller);
	}
	list_push(&rates->order, &caller->link);
	return caller;
}

usec_t
rate_take(struct front *front, const char *who)
{
	struct rates *rates = front->rates;
	usec_t now;

	if (rates == NULL)
		return 0;
	now = loop_mono(rates->loop);
	return rate_spend(&find(rates, who, now)->bucket, &rates->limit, now);
}
