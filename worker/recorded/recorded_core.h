/*
 * Pure: the steps of a program, those that are recorded and those that it asks for. A
 * step is found by its parent, its name and which one of that name it is there, counted
 * in the order of asking. When the program is run again from its beginning, what is
 * recorded answers; what does not fit to it is a divergence.
 */
#ifndef RECORDED_RECORDED_CORE_H
#define RECORDED_RECORDED_CORE_H

#include "base/list.h"
#include "engine/made_step.h"
#include "engine/status.h"

#define RECORDED_TOP 0 /* as parent: it is in no other step */

struct recorded_step {
	struct list link; /* recorded.steps, in order of their numbers */
	int number;
	int parent; /* the step whose function asked for it, or RECORDED_TOP */
	int nth;    /* of its name there, from 1 */
	char *name;
	enum made_kind kind;
	char *action, *tool; /* tool: of the action tool; or NULL */
	enum step_status status;
	int attempt, losses;
	struct json *output, *error, *made; /* owned */
	bool aside; /* asked for by some other process: not compared */
	bool asked; /* by the program as it runs now; of one aside: its changes count */
	bool has_inner; /* others were asked for inside it */
	void *owner;    /* what the shell knows of it; not touched here */
};

struct recorded {
	struct list steps;
	struct map *by_place; /* "parent:nth:name" -> step */
	struct map *counts;   /* "parent:name" -> how many were asked for */
	int last;             /* the highest number there is */
	int count;
	int unasked; /* of those recorded, that the program has not asked for yet */
};

enum recorded_answer {
	RECORDED_NEW,      /* it is to be made: recorded_make */
	RECORDED_KNOWN,    /* *step has it: over, or to be run again */
	RECORDED_HELD,     /* not now: ask recorded_again when others have been asked */
	RECORDED_DIVERGES, /* *step is what stands there instead */
};

/* A place that was asked for. */
struct recorded_place {
	int parent, nth;
	char *name; /* owned: recorded_place_fini */
};

struct recorded *recorded_new(void);
void recorded_free(struct recorded **recorded_p);

/* A row as it is stored, in order; recorded_rewind when that was all. name is copied,
 * made, output and error are taken. made: see made_step.h; what has no action there is
 * no row of a program, and is left out. */
void recorded_add(struct recorded *recorded, const struct recorded_step *row);
/* The program begins anew: nothing is asked for yet. */
void recorded_rewind(struct recorded *recorded);

/* The program asks for a step. place is filled in: it is the next of its name. */
enum recorded_answer recorded_ask(struct recorded *recorded, int parent,
				  const char *name, const struct made_step *made,
				  struct recorded_place *place,
				  struct recorded_step **step);
/* The same place once more, when it was held. */
enum recorded_answer recorded_again(struct recorded *recorded,
				    const struct recorded_place *place,
				    const struct made_step *made,
				    struct recorded_step **step);
void recorded_place_fini(struct recorded_place *place);

/* A step that is not recorded yet, under the next number. aside: by some other process,
 * at no place of the program's. */
struct recorded_step *recorded_make(struct recorded *recorded,
				    const struct recorded_place *place,
				    const struct made_step *made, bool aside);

struct recorded_step *recorded_find(const struct recorded *recorded, int number);
/* The first that is recorded and was not asked for; NULL: none. */
const struct recorded_step *recorded_first_unasked(const struct recorded *recorded);
int recorded_over(const struct recorded *recorded); /* how many have ended */
/* "tool git.commit \"commit\" (step 3)"; the caller's. */
char *recorded_describe(const struct recorded_step *step);

/* ---- the state of the run, as it is at a place of the program ---- */

/* {key: value} and keys that are gone: what a step has changed; NULL: nothing. The
 * caller's. */
struct json *recorded_changes(const struct json *before, const struct json *after);
/* state with them; the caller's. */
struct json *recorded_apply(const struct json *state, const struct json *changes);
/* What the step did to the state, and what other processes did before the next step
 * began. The caller's. */
struct json *recorded_state_after(struct recorded *recorded,
				  const struct recorded_step *step, struct json *state);

#endif
