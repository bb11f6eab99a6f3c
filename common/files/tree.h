/* Removing a folder with all that is in it, a part at a time. */
#ifndef FILES_TREE_H
#define FILES_TREE_H

#include "base/err.h"

#define TREE_DEPTH_MAX 128 /* folders within folders */

enum tree_left { TREE_GONE, TREE_MORE, TREE_FAILED };

/* Removes at most `most` entries of what path names (clean, beneath the project; see
 * files.h), deepest first; links are removed, never followed. GONE: nothing is left, or
 * nothing was there. */
enum tree_left tree_remove(const char *project, const char *path, int most,
			   struct err *err);

#endif
