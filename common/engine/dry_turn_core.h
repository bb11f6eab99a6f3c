/*
 * Pure: one visit of a step in a run that is only thought of, or its coming back: what
 * it is decided from, and what is told of it. For dry_enter_core.c and
 * dry_leave_core.c.
 */
#ifndef ENGINE_DRY_TURN_CORE_H
#define ENGINE_DRY_TURN_CORE_H

#include "engine/dry_step_core.h"

/* One visit of a step, or its coming back. */
struct dry_turn {
	struct dry *dry;
	struct dry_row *row;
	const struct step_def *def; /* as it is in the file */
	struct step_def *step;      /* as it can be decided */
	struct held_step held;
	struct run_scope scope;
	struct dry_scope known;
	struct json *entry;
	struct json *fields; /* owned */
	bool both;           /* blocks of a conditional */
	bool may_skip;       /* its `if` is not known */
	bool may_leave;      /* where it leads is not known */
};

/* Ends with dry_turn_fini. */
void dry_turn_begin(struct dry_turn *turn, struct dry *dry, struct dry_row *row);
void dry_turn_fini(struct dry_turn *turn);
bool dry_turn_is_fresh(const struct dry_turn *turn); /* its `if` is looked at */
/* The output that was given for the step; NULL may be one. */
struct json *dry_turn_given(const struct dry_turn *turn);
bool dry_turn_is_given(const struct dry_turn *turn);
/* Tells a member of its entry; takes value. */
void dry_turn_put(struct dry_turn *turn, const char *key, struct json *value);
void dry_turn_put_text(struct dry_turn *turn, const char *key, const char *text);
/* Can the expression be decided? False, and it is told under the key. */
bool dry_turn_knows(struct dry_turn *turn, const char *key, const struct cel *cel);

#endif
