/*
 * What can be said of the steps only together: which style it is, who follows whom, and
 * whether what they ask for goes together. Fills followers, choices and sources.
 */
#ifndef ENGINE_GRAPH_CHECK_H
#define ENGINE_GRAPH_CHECK_H

#include "engine/reader.h"

/* list: the place of `steps`; all steps are read. */
void graph_check(struct reader *reader, const struct place *list);

#endif
