/*
 * Pure: two heaps over one set of entries. An entry waits in the first, flies in
 * neither, and is parked in the second.
 */
#include "timers_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/xalloc.h"

#define KEY_LEN (sizeof(struct uuid) + sizeof(int32_t))

enum place { WAITING, FLYING, PARKED };

struct entry {
	struct heap_link link; /* of the heap of its place */
	struct step_ref ref;
	usec_t run_at;
	enum place place;
};

struct key {
	unsigned char bytes[KEY_LEN];
};

static struct key
key_of(const struct step_ref *ref)
{
	struct key key;

	memcpy(key.bytes, &ref->run, sizeof ref->run);
	memcpy(key.bytes + sizeof ref->run, &ref->number, sizeof ref->number);
	return key;
}

static struct entry *
find(const struct timers_core *core, const struct step_ref *ref)
{
	struct key key = key_of(ref);

	return map_get(core->by_ref, key.bytes, KEY_LEN);
}

static void
drop(struct timers_core *core, struct entry *entry)
{
	struct key key = key_of(&entry->ref);

	map_remove(core->by_ref, key.bytes, KEY_LEN);
	if (entry->place == FLYING)
		core->flying--;
	else
		heap_remove(entry->place == WAITING ? &core->due : &core->parked,
			    &entry->link);
	free(entry);
}

void
timers_core_init(struct timers_core *core)
{
	*core = (struct timers_core){ .by_ref = map_new() };
}

void
timers_core_fini(struct timers_core *core)
{
	heap_fini(&core->due);
	heap_fini(&core->parked);
	map_free(&core->by_ref, free);
}

void
timers_core_clear(struct timers_core *core)
{
	timers_core_fini(core);
	timers_core_init(core);
}

void
timers_core_add(struct timers_core *core, const struct step_ref *ref, usec_t run_at)
{
	struct entry *entry = find(core, ref);
	struct key key = key_of(ref);

	if (entry != NULL && entry->place != WAITING)
		return;
	if (entry == NULL && core->due.count >= TIMERS_HELD_MAX)
		return;
	if (entry == NULL) {
		entry = xcalloc(1, sizeof *entry);
		entry->ref = *ref;
		map_put(core->by_ref, key.bytes, KEY_LEN, entry);
	}
	entry->run_at = run_at;
	heap_move(&core->due, &entry->link, run_at);
}

/* Those parked long enough are news when they are read again. */
static void
forget_parked(struct timers_core *core, usec_t now)
{
	struct heap_link *top;

	while ((top = heap_top(&core->parked)) != NULL && top->at <= now)
		drop(core, container_of(top, struct entry, link));
}

size_t
timers_core_take(struct timers_core *core, usec_t now, struct step_ref *out,
		 size_t most)
{
	struct heap_link *top;
	size_t count = 0;

	forget_parked(core, now);
	while (count < most && (top = heap_top(&core->due)) != NULL && top->at <= now) {
		struct entry *entry = container_of(top, struct entry, link);

		heap_remove(&core->due, top);
		entry->place = FLYING;
		core->flying++;
		out[count++] = entry->ref;
	}
	return count;
}

static struct entry *
find_flying(const struct timers_core *core, const struct step_ref *ref)
{
	struct entry *entry = find(core, ref);

	return entry != NULL && entry->place == FLYING ? entry : NULL;
}

void
timers_core_fired(struct timers_core *core, const struct step_ref *ref)
{
	struct entry *entry = find_flying(core, ref);

	if (entry != NULL)
		drop(core, entry);
}

static void
park(struct timers_core *core, struct entry *entry, usec_t now)
{
	bool early = now - entry->run_at < TIMERS_AGAIN_SOON;

	core->flying--;
	entry->place = PARKED;
	heap_push(&core->parked, &entry->link,
		  now + (early ? TIMERS_AGAIN_SOON : TIMERS_AGAIN_LATE));
}

void
timers_core_landed(struct timers_core *core, const struct step_ref *refs, size_t count,
		   usec_t now)
{
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = find_flying(core, &refs[i]);

		if (entry != NULL)
			park(core, entry, now);
	}
}

void
timers_core_dropped(struct timers_core *core, const struct step_ref *refs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		timers_core_fired(core, &refs[i]);
}

usec_t
timers_core_next(const struct timers_core *core)
{
	struct heap_link *top = heap_top(&core->due);

	return top != NULL ? top->at : USEC_NEVER;
}

size_t
timers_core_count(const struct timers_core *core)
{
	return core->due.count;
}
