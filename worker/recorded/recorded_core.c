/* Steps by their place in the program. See recorded_core.h. */
#include "recorded/recorded_core.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"

/* ---- life ---- */

struct recorded *
recorded_new(void)
{
	struct recorded *recorded = xcalloc(1, sizeof *recorded);

	list_init(&recorded->steps);
	recorded->by_place = map_new();
	recorded->counts = map_new();
	return recorded;
}

static void
step_free(struct recorded_step *step)
{
	free(step->name);
	free(step->action);
	free(step->tool);
	json_unref(&step->output);
	json_unref(&step->error);
	json_unref(&step->made);
	free(step);
}

void
recorded_free(struct recorded **recorded_p)
{
	struct recorded *recorded = *recorded_p;
	struct list *link;

	*recorded_p = NULL;
	if (recorded == NULL)
		return;
	while ((link = list_shift(&recorded->steps)) != NULL)
		step_free(container_of(link, struct recorded_step, link));
	map_free(&recorded->by_place, NULL);
	map_free(&recorded->counts, NULL);
	free(recorded);
}

void
recorded_place_fini(struct recorded_place *place)
{
	free(place->name);
	*place = (struct recorded_place){ 0 };
}

/* ---- places ---- */

static struct recorded_step *
at_place(const struct recorded *recorded, const struct recorded_place *place)
{
	char *key = xprintf("%d:%d:%s", place->parent, place->nth, place->name);
	struct recorded_step *step = map_get(recorded->by_place, key, strlen(key));

	free(key);
	return step;
}

/* Which one of its name: counted in order of asking. */
static int
count_up(struct recorded *recorded, int parent, const char *name)
{
	char *key = xprintf("%d:%s", parent, name);
	uintptr_t count = (uintptr_t)map_get(recorded->counts, key, strlen(key)) + 1;

	map_put(recorded->counts, key, strlen(key), (void *)count);
	free(key);
	return (int)count;
}

/* Under its place, and at the end of the list. */
static void
enter(struct recorded *recorded, struct recorded_step *step)
{
	struct recorded_step *outer = NULL;
	char *key;

	if (step->parent != RECORDED_TOP)
		outer = recorded_find(recorded, step->parent);
	if (outer != NULL)
		outer->has_inner = true;
	list_push(&recorded->steps, &step->link);
	recorded->count++;
	if (step->number > recorded->last)
		recorded->last = step->number;
	if (step->aside)
		return;
	key = xprintf("%d:%d:%s", step->parent, step->nth, step->name);
	map_put(recorded->by_place, key, strlen(key), step);
	free(key);
}

static enum made_kind
kind_of(const struct json *made)
{
	const char *action = json_str(json_get(made, "action"));

	if (json_bool(json_get(made, "function")))
		return MADE_FUNCTION;
	if (strcmp(action, "wait") == 0 || strcmp(action, "approval") == 0 ||
	    strcmp(action, "workflow") == 0)
		return MADE_WAIT;
	return MADE_CALL;
}

void
recorded_add(struct recorded *recorded, const struct recorded_step *row)
{
	struct recorded_step *step = xcalloc(1, sizeof *step);

	*step = *row;
	step->name = xstrdup(row->name);
	step->action = xstrdup(json_str(json_get(row->made, "action")));
	step->tool = xstrdup(json_str(json_get(row->made, "tool")));
	step->aside = json_bool(json_get(row->made, "aside"));
	if (step->action == NULL) {
		step_free(step);
		return;
	}
	step->kind = kind_of(row->made);
	if (!step->aside) {
		step->nth = count_up(recorded, step->parent, step->name);
		recorded->unasked++;
	}
	enter(recorded, step);
}

void
recorded_rewind(struct recorded *recorded)
{
	map_free(&recorded->counts, NULL);
	recorded->counts = map_new();
	recorded->unasked = 0;
	list_each (it, &recorded->steps) {
		struct recorded_step *step =
		    container_of(it, struct recorded_step, link);

		step->asked = false;
		recorded->unasked += !step->aside;
	}
}

/* ---- asking ---- */

static void
mark_asked(struct recorded *recorded, struct recorded_step *step)
{
	if (step->asked || step->aside)
		return;
	step->asked = true;
	recorded->unasked--;
}

/* Its function is not run again: what that asked for will not be asked for. Rows come
 * after those in which they are. */
static void
mark_inner(struct recorded *recorded, const struct recorded_step *step)
{
	list_each (it, &recorded->steps) {
		struct recorded_step *inner =
		    container_of(it, struct recorded_step, link);

		if (inner->parent != step->number || inner->asked || inner->aside)
			continue;
		mark_asked(recorded, inner);
		mark_inner(recorded, inner);
	}
}

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
fits(const struct recorded_step *step, const struct made_step *made)
{
	return step->kind == made->kind &&
	       is_same(step->action, action_name(made->def.action)) &&
	       is_same(step->tool, made->tool);
}

enum recorded_answer
recorded_again(struct recorded *recorded, const struct recorded_place *place,
	       const struct made_step *made, struct recorded_step **step)
{
	*step = at_place(recorded, place);
	if (*step == NULL)
		return recorded->unasked > 0 ? RECORDED_HELD : RECORDED_NEW;
	if (!fits(*step, made))
		return RECORDED_DIVERGES;
	mark_asked(recorded, *step);
	if (step_is_over((*step)->status) && (*step)->has_inner)
		mark_inner(recorded, *step);
	return RECORDED_KNOWN;
}

enum recorded_answer
recorded_ask(struct recorded *recorded, int parent, const char *name,
	     const struct made_step *made, struct recorded_place *place,
	     struct recorded_step **step)
{
	*place = (struct recorded_place){ .parent = parent,
					  .nth = count_up(recorded, parent, name),
					  .name = xstrdup(name) };
	return recorded_again(recorded, place, made, step);
}

struct recorded_step *
recorded_make(struct recorded *recorded, const struct recorded_place *place,
	      const struct made_step *made, bool aside)
{
	struct recorded_step *step = xcalloc(1, sizeof *step);

	*step = (struct recorded_step){
		.number = recorded->last + 1,
		.parent = place->parent,
		.nth = place->nth,
		.name = xstrdup(place->name),
		.kind = made->kind,
		.action = xstrdup(action_name(made->def.action)),
		.tool = xstrdup(made->tool),
		.attempt = 1,
		.aside = aside,
		.asked = true,
	};
	enter(recorded, step);
	return step;
}

/* ---- looking ---- */

struct recorded_step *
recorded_find(const struct recorded *recorded, int number)
{
	for (struct list *it = recorded->steps.prev; it != &recorded->steps;
	     it = it->prev) {
		struct recorded_step *step =
		    container_of(it, struct recorded_step, link);

		if (step->number == number)
			return step;
	}
	return NULL;
}

const struct recorded_step *
recorded_first_unasked(const struct recorded *recorded)
{
	list_each (it, &recorded->steps) {
		struct recorded_step *step =
		    container_of(it, struct recorded_step, link);

		if (!step->asked && !step->aside)
			return step;
	}
	return NULL;
}

int
recorded_over(const struct recorded *recorded)
{
	int count = 0;

	list_each (it, &recorded->steps)
		count +=
		    step_is_over(container_of(it, struct recorded_step, link)->status);
	return count;
}

char *
recorded_describe(const struct recorded_step *step)
{
	const char *what = step->kind == MADE_FUNCTION ? "run" : step->action;

	if (step->tool != NULL)
		return xprintf("tool %s \"%s\" (step %d)", step->tool, step->name,
			       step->number);
	return xprintf("%s \"%s\" (step %d)", what, step->name, step->number);
}

/* ---- state ---- */

struct json *
recorded_changes(const struct json *before, const struct json *after)
{
	struct json *set = json_new_object(), *gone = json_new_array(), *changes;

	for (struct json_iter it = json_iter(after); json_next(&it);)
		if (!json_has_len(before, it.key, it.key_len) ||
		    !json_equal(json_get_len(before, it.key, it.key_len), it.value))
			json_set_len(set, it.key, it.key_len, json_ref(it.value));
	for (struct json_iter it = json_iter(before); json_next(&it);)
		if (!json_has_len(after, it.key, it.key_len))
			json_append(gone, json_new_str_len(it.key, it.key_len));
	if (json_count(set) == 0 && json_count(gone) == 0) {
		json_unref(&set);
		json_unref(&gone);
		return NULL;
	}
	changes = json_new_object();
	json_set(changes, "set", set);
	json_set(changes, "gone", gone);
	return changes;
}

struct json *
recorded_apply(const struct json *state, const struct json *changes)
{
	struct json *fresh = json_new_object();
	const struct json *set = json_get(changes, "set");
	const struct json *gone = json_get(changes, "gone");

	for (struct json_iter it = json_iter(state); json_next(&it);)
		json_set_len(fresh, it.key, it.key_len, json_ref(it.value));
	for (struct json_iter it = json_iter(set); json_next(&it);)
		json_set_len(fresh, it.key, it.key_len, json_ref(it.value));
	for (size_t i = 0; i < json_count(gone); i++)
		if (json_str(json_at(gone, i)) != NULL)
			json_remove(fresh, json_str(json_at(gone, i)));
	return fresh;
}

/* Takes state. */
static struct json *
after_one(struct json *state, const struct recorded_step *step)
{
	const struct json *changes = json_get(step->made, "state");
	struct json *fresh;

	if (changes == NULL)
		return state;
	fresh = recorded_apply(state, changes);
	json_unref(&state);
	return fresh;
}

static bool
is_inside(const struct recorded *recorded, const struct recorded_step *inner,
	  const struct recorded_step *outer)
{
	while (inner != NULL && inner->parent != RECORDED_TOP) {
		if (inner->parent == outer->number)
			return true;
		inner = recorded_find(recorded, inner->parent);
	}
	return false;
}

/* What was asked for inside it comes back with it, for its function is not run again;
 * what others did, until another step of the program. */
struct json *
recorded_state_after(struct recorded *recorded, const struct recorded_step *step,
		     struct json *state)
{
	struct json *fresh = after_one(json_ref(state), step);
	bool near = true;

	for (struct list *it = step->link.next;
	     it != &recorded->steps && (near || step->has_inner); it = it->next) {
		struct recorded_step *other =
		    container_of(it, struct recorded_step, link);

		if (other->aside && near && !other->asked) {
			other->asked = true;
			fresh = after_one(fresh, other);
		} else if (!other->aside && step->has_inner &&
			   is_inside(recorded, other, step)) {
			fresh = after_one(fresh, other);
		} else if (!other->aside) {
			near = false;
		}
	}
	return fresh;
}
