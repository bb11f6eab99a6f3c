/* Values back to JSON. */
#ifndef LANG_CEL_JSON_H
#define LANG_CEL_JSON_H

#include "lang/cel_run.h"

/* What came from JSON is given by reference, the rest is built and counted; what JSON
 * has no form for becomes text. No nesting beyond JSON_DEPTH_MAX. Errors are a value.
 */
struct cel_value cel_to_json(struct cel_run *run, const struct cel_value *value,
			     struct json **out);

/* How deep a JSON value nests; gives up counting past JSON_DEPTH_MAX. 0 for scalars. */
int cel_json_depth(const struct json *json, int most);

#endif
