/* Problems of a part of the configuration, under the name of what they are a part of.
 */
#ifndef CONF_PROBLEMS_WITHIN_H
#define CONF_PROBLEMS_WITHIN_H

#include "base/doc.h"

/* Problems from `first` on are of members of `name`: "type: ..." becomes
 * "NAME.type: ...", and "expected ..." becomes "NAME: expected ...". */
void problems_within(struct problems *problems, size_t first, const char *name);

#endif
