/* Evaluating a checked tree, with values of any kind in scope; under cel.h. */
#ifndef LANG_CEL_EVAL_H
#define LANG_CEL_EVAL_H

#include "lang/cel_node.h"
#include "lang/cel_run.h"

/* The value, which may be an error; it lives as long as the run. */
struct cel_value cel_eval_node(struct cel_run *run, const struct cel_node *node);

/* The whole expression. */
struct cel_value cel_eval_root(struct cel_run *run, const struct cel *cel);

/* cel_compile, but what the language leaves to the run (unknown functions) is left. */
struct cel *cel_compile_lenient(const char *text, size_t len, struct cel_place *place,
				struct err *err);
/* cel_compile of a text that stands inside another, from the place start on. */
struct cel *cel_compile_at(const char *text, size_t len, struct cel_place start,
			   struct cel_place *place, struct err *err);

#endif
