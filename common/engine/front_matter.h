/*
 * Markdown that begins with YAML between two lines "---", taken apart: HEARTBEAT.md and
 * SKILL.md. What either part says is for others to read.
 */
#ifndef ENGINE_FRONT_MATTER_H
#define ENGINE_FRONT_MATTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/doc.h"

#define FRONT_MATTER_BYTES_MAX (256 * 1024) /* of the whole text */

/* The door to YAML, lent by whoever reads the file: yaml_parse. */
typedef struct doc *front_matter_yaml_fn(const char *text, size_t len,
					 struct problems *problems);

/* Where its parts lie; borrowed from the text. */
struct front_matter {
	const char *front; /* YAML with its first line "---", so that lines count from
			      1; NULL: there is none */
	size_t front_len;
	const char *body; /* from behind the second "---" */
	size_t body_len;
	int body_line; /* of the body's first line in the file */
};

/* False with a problem: not UTF-8, too large, or a front matter without end. */
bool front_matter_split(const char *text, size_t len, struct front_matter *out,
			struct problems *problems);

#endif
