/*
 * Decisions about connections and lists; pure. "At most two connects a second" is kept
 * by a distance between connects rather than by the delay, so that a server that
 * accepts and cuts at once is treated like one that refuses.
 */
#include "queue/queue_core.h"

void
link_connecting(struct link *link, usec_t now)
{
	link->connect_at = now;
}

static enum link_news
tell(struct link *link, enum link_news news)
{
	if (link->told == news)
		return LINK_NO_NEWS;
	link->told = news;
	return news;
}

/* While commands were refused a new connection alone is no good news. */
enum link_news
link_up(struct link *link, usec_t now)
{
	link->up = true;
	link->up_at = now;
	if (link->refused) {
		link->refused_at = now;
		return LINK_NO_NEWS;
	}
	return tell(link, LINK_CAME);
}

/* Full jitter: anything between nothing and a bound that doubles. */
static usec_t
jitter(unsigned failures, uint32_t random)
{
	usec_t bound = LINK_DELAY_MIN;

	while (failures-- > 0 && bound < LINK_DELAY_MAX)
		bound *= 2;
	if (bound > LINK_DELAY_MAX)
		bound = LINK_DELAY_MAX;
	return bound * (usec_t)random / UINT32_MAX;
}

enum link_news
link_lost(struct link *link, usec_t now, uint32_t random, usec_t *delay)
{
	if (link->up && now - link->up_at >= LINK_PROVEN)
		link->failures = 0;
	*delay = jitter(link->failures, random);
	if (link->connect_at + LINK_SPACING > now + *delay)
		*delay = link->connect_at + LINK_SPACING - now;
	if (link->failures < 16)
		link->failures++;
	link->up = false;
	return tell(link, LINK_WENT);
}

enum link_news
link_refused(struct link *link, usec_t now)
{
	if (!link->refused)
		link->refused_at = now;
	link->refused = true;
	return tell(link, LINK_WENT);
}

bool
link_is_stale(const struct link *link, usec_t now)
{
	return link->refused && now - link->refused_at >= LINK_REFUSED_MAX;
}

enum link_news
link_accepted(struct link *link)
{
	link->refused = false;
	return link->up ? tell(link, LINK_CAME) : LINK_NO_NEWS;
}

void
guard_length(struct guard *guard, int64_t length, int64_t most, usec_t now)
{
	if (length >= most && !guard->full)
		guard->ask_at = now + GUARD_ASK;
	guard->full = length >= most;
}

bool
guard_wants_length(struct guard *guard, usec_t now)
{
	if (!guard->full || now < guard->ask_at)
		return false;
	guard->ask_at = now + GUARD_ASK;
	return true;
}
