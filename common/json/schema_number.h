/* Exact comparing and dividing of JSON's numbers, integers and doubles mixed. */
#ifndef JSON_SCHEMA_NUMBER_H
#define JSON_SCHEMA_NUMBER_H

#include <stdbool.h>

#include "json/json.h"

bool schema_number_is(const struct json *json);
bool schema_number_is_whole(const struct json *json);
int schema_number_compare(const struct json *a, const struct json *b);
/* Is a a multiple of b, which is above 0? By their decimal forms: 0.3 is one of 0.1. */
bool schema_number_divides(const struct json *a, const struct json *b);

#endif
