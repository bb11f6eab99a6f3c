/* Pure: the list of the dead, each with the child that heard of it. */
#include "pool/deaths_core.h"

#include <stdlib.h>

#include "base/xalloc.h"

static struct death *
death_of(struct list *link)
{
	return container_of(link, struct death, link);
}

static void
forget(struct deaths *deaths, struct death *death)
{
	list_remove(&death->link);
	free(death);
	deaths->count--;
}

void
deaths_init(struct deaths *deaths)
{
	list_init(&deaths->list);
	deaths->count = 0;
}

void
deaths_fini(struct deaths *deaths)
{
	list_each_safe (link, &deaths->list)
		forget(deaths, death_of(link));
}

void
deaths_add(struct deaths *deaths, const struct uuid *worker,
	   const struct ending *ending)
{
	struct death *death = xcalloc(1, sizeof *death);

	death->worker = *worker;
	death->ending = *ending;
	if (deaths->count == DEATHS_MOST)
		forget(deaths, death_of(deaths->list.next));
	list_push(&deaths->list, &death->link);
	deaths->count++;
}

struct death *
deaths_untold(struct deaths *deaths)
{
	list_each (link, &deaths->list)
		if (death_of(link)->told_to == 0)
			return death_of(link);
	return NULL;
}

static void
forget_settled(struct deaths *deaths, usec_t now)
{
	list_each_safe (link, &deaths->list) {
		struct death *death = death_of(link);

		if (death->told_to != 0 && now - death->told_at >= DEATH_DOUBT)
			forget(deaths, death);
	}
}

void
deaths_told(struct deaths *deaths, struct death *death, pid_t to, usec_t now)
{
	death->told_to = to;
	death->told_at = now;
	forget_settled(deaths, now);
}

void
deaths_listener_ended(struct deaths *deaths, pid_t listener, usec_t now)
{
	forget_settled(deaths, now);
	list_each (link, &deaths->list)
		if (death_of(link)->told_to == listener)
			death_of(link)->told_to = 0;
}
