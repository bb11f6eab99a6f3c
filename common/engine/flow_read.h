/*
 * The keys of a step by which it depends, repeats, fans out, asks or checks. Whether
 * they go together is said in graph_check.c, when all steps are read.
 */
#ifndef ENGINE_FLOW_READ_H
#define ENGINE_FLOW_READ_H

#include "engine/reader.h"
#include "engine/refs.h"
#include "engine/workflow.h"

#define STEP_ID_MAX    100
#define ITERATIONS_MAX 100000

/* What is read into; refs: what the expressions read of the run. */
struct flow_reading {
	struct step_def *step;
	struct refs *refs;
	struct refs *outputs; /* of expressions that need an output: foreach */
};

void flow_read_needs(struct reader *reader, const struct place *place,
		     struct flow_reading *reading);
void flow_read_if(struct reader *reader, const struct place *place,
		  struct flow_reading *reading);
void flow_read_foreach(struct reader *reader, const struct place *place,
		       struct flow_reading *reading);
void flow_read_max_parallel(struct reader *reader, const struct place *place,
			    struct flow_reading *reading);
void flow_read_repeat(struct reader *reader, const struct place *place,
		      struct flow_reading *reading);
void flow_read_max_iterations(struct reader *reader, const struct place *place,
			      struct flow_reading *reading);
void flow_read_schema(struct reader *reader, const struct place *place,
		      struct flow_reading *reading);

/* The index of the step that the text names, or NO_STEP and a problem. */
int flow_read_id(struct reader *reader, const struct place *place);
/* The expression of an action (conditional, loop): read like any other. */
void flow_read_when(struct reader *reader, const struct place *step_place,
		    struct flow_reading *reading);
void flow_read_condition(struct reader *reader, const struct place *step_place,
			 struct flow_reading *reading);
/* What expressions of this step may name beside the run: REFS_ITEM, REFS_INDEX. */
unsigned flow_scope(const struct place *step_place, const struct step_def *step);

#endif
