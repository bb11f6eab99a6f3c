/* Unicode's general categories and simple case pairs, as tables for regex_class.c. */
#ifndef LANG_REGEX_TABLES_H
#define LANG_REGEX_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* Where each run of one category begins: code point << 5 | category. Categories are
 * numbered by their names' order, beginning with Cn; 30 and 31 are runs in which Lu and
 * Ll take turns, beginning with Lu or with Ll. */
extern const uint32_t regex_categories[];
extern const size_t regex_categories_count;

struct regex_case { /* each step-th of first..last has its pair delta further */
	uint32_t first, last, step;
	int32_t delta;
};
extern const struct regex_case regex_lower[], regex_upper[];
extern const size_t regex_lower_count, regex_upper_count;

#endif
