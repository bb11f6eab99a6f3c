/* Pure: the order of priorities, free slots, the end of a streak. See slots_core.h. */
#include "slots_core.h"

void
slots_order(struct slots_core *core, enum priority order[static PRIORITIES])
{
	static const enum priority orders[PRIORITIES][PRIORITIES] = {
		{ PRIORITY_HIGH, PRIORITY_NORMAL, PRIORITY_LOW },
		{ PRIORITY_NORMAL, PRIORITY_HIGH, PRIORITY_LOW },
		{ PRIORITY_LOW, PRIORITY_NORMAL, PRIORITY_HIGH },
	};
	unsigned claim = ++core->claims;
	int first = claim % 64 == 0 ? 2 : claim % 8 == 0 ? 1 : 0;

	for (int i = 0; i < PRIORITIES; i++)
		order[i] = orders[first][i];
}

int
slots_room(int slots, int used, bool alone)
{
	return alone || used >= slots ? 0 : slots - used;
}

bool
slots_streak_over(int streak, usec_t lasted)
{
	return streak >= SLOT_STREAK_MAX || lasted >= SLOT_STREAK_TIME;
}
