/*
 * Equality and order. Numbers compare by what they are worth, whatever their type;
 * values of different kinds are unequal, never an error. Order exists within a kind
 * only.
 */
#ifndef LANG_CEL_COMPARE_H
#define LANG_CEL_COMPARE_H

#include "lang/cel_value.h"

struct cel_run;

enum cel_order { CEL_LESS = -1, CEL_SAME = 0, CEL_MORE = 1, CEL_UNORDERED = 2 };

/* Anything but lists and maps, which are unequal here. */
bool cel_scalar_equal(const struct cel_value *a, const struct cel_value *b);
/* All of it; the work is counted. */
bool cel_equal(struct cel_run *run, const struct cel_value *a,
	       const struct cel_value *b);
/* CEL_UNORDERED with NaN. false when the two have no order. */
bool cel_compare(const struct cel_value *a, const struct cel_value *b,
		 enum cel_order *out);
bool cel_is_number(const struct cel_value *value);

#endif
