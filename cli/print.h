/* JSON on stdout: for people and programs alike. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "base/buf.h"
#include "json/json.h"

void print_json(const struct json *json); /* indented by two */
void print_line(const struct json *json); /* one value a line */
/* Appends a value as people read it: a string as it is, all else as JSON; harmless. */
void print_value(const struct json *json, struct buf *out);

#endif
