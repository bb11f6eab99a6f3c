/* Arithmetic and order as operators: what + means for each pair of kinds. */
#ifndef LANG_CEL_ARITH_H
#define LANG_CEL_ARITH_H

#include "lang/cel_node.h"
#include "lang/cel_run.h"

/* CEL_ADD to CEL_REMAINDER. The operands are no errors. */
struct cel_value cel_arith(struct cel_run *run, enum cel_op op,
			   const struct cel_value *a, const struct cel_value *b);
struct cel_value cel_negate(struct cel_run *run, const struct cel_value *value);
/* "no such overload: int + string; write string(...)" */
struct cel_value cel_no_operator(struct cel_run *run, enum cel_op op,
				 const struct cel_value *a, const struct cel_value *b);
/* a and b one behind the other; for strings, bytes and lists. */
struct cel_value cel_concat(struct cel_run *run, const struct cel_value *a,
			    const struct cel_value *b);

#endif
