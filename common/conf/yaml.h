/*
 * The one door to libyaml: text -> a plain tree with places. Read by events, because
 * the library's own tree is quadratic in flow nesting. One document; limits: 256 KiB,
 * depth 64, 10,000 nodes (aliases expanded count too); duplicate keys, merge keys with
 * cycles, tags other than the core schema's and non-UTF-8 are refused. JSON is read as
 * well.
 */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include <stddef.h>

#include "base/doc.h"

#define YAML_BYTES_MAX (256 * 1024)
#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 10000

/* NULL with at least one problem added, or the tree (an empty text gives an empty map).
 */
struct doc *yaml_parse(const char *text, size_t len, struct problems *problems);

#endif
