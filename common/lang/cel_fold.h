/* The macros that walk a list or a map: all, exists, map, filter, ... */
#ifndef LANG_CEL_FOLD_H
#define LANG_CEL_FOLD_H

#include "lang/cel_node.h"
#include "lang/cel_run.h"

/* A node with CEL_FOLD. */
struct cel_value cel_fold(struct cel_run *run, const struct cel_node *node);

#endif
