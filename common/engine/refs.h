/*
 * Expressions and templates of a file: compiled, and what they read of the run. Unknown
 * variables and steps are problems here, so that no run has to find them.
 */
#ifndef ENGINE_REFS_H
#define ENGINE_REFS_H

#include "engine/reader.h"
#include "lang/cel.h"
#include "lang/template.h"

struct refs {
	int *list; /* indexes of steps, each once */
	size_t count;
	int *outputs; /* those of which more is read than how they ended */
	size_t outputs_count;
	bool all_steps; /* any step may be read */
	bool whole;     /* `steps` itself is taken, not a member of it */
	bool state;
};

void refs_fini(struct refs *refs);
/* Adds all of more to refs and ends it. */
void refs_merge(struct refs *refs, struct refs *more);

/* What is in scope beside the run's own values. */
enum {
	REFS_RESULT = 1,  /* `result`: the step has ended */
	REFS_ITEM = 2,    /* `item`, in a step with foreach */
	REFS_INDEX = 4,   /* `index`, also in loops and repetitions */
	REFS_TRIGGER = 8, /* `trigger` and nothing else: there is no run yet */
};

/* An expression. NULL when it was a problem. */
struct cel *refs_condition(struct reader *reader, const struct place *place,
			   struct refs *refs, unsigned scope);
/* Every string below the place that is a template; false when there was a problem. */
bool refs_templates(struct reader *reader, const struct place *place, struct refs *refs,
		    unsigned scope);
/* The problem that there is no step of that id, with the nearest one; where a run may
 * be led to its end, "end" is one too. */
void refs_unknown_step(struct reader *reader, const struct place *place, const char *id,
		       bool or_end);

#endif
