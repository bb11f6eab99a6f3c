/* One value of an option: text -> struct -> text. Which key it belongs to is
 * option.c's. */
#ifndef CONF_OPTION_VALUE_H
#define CONF_OPTION_VALUE_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/option.h"

/* Reads a value as written and checks it against the option's limits. What stood there
 * is freed. The error is ERR_INPUT with the reason only: "900 is more than 256". */
int option_value_set(const struct option *option, void *conf, const char *text,
		     size_t len, struct err *err);
/* Lists: adds one item; texts must have been emptied by option_value_clear. */
void option_value_add(const struct option *option, void *conf, const char *text,
		      size_t len);
/* Trees: a copy of the node. */
void option_value_put(const struct option *option, void *conf, const struct doc *node);
void option_value_clear(const struct option *option, void *conf);
/* As YAML, on one line: 10s, 4MiB, "text", [a, b]; nothing for an absent text. */
void option_value_write(const struct option *option, const void *conf, struct buf *out);

#endif
