/* Following `$ref`, `$dynamicRef` and `$recursiveRef` while a schema is compiled. */
#ifndef JSON_SCHEMA_REFS_H
#define JSON_SCHEMA_REFS_H

#include "json/schema_load.h"

/* All of them; what they reach is loaded as well. What leads nowhere, or back to itself
 * without ever going deeper into a value, is a problem. */
void schema_refs_follow(struct loader *loader);

#endif
