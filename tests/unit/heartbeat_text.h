/* HEARTBEAT.md from its text, for tests: the parts, the front matter, the items. */
#ifndef TESTS_HEARTBEAT_TEXT_H
#define TESTS_HEARTBEAT_TEXT_H

#include "conf/yaml.h"
#include "engine/heartbeat_core.h"

static inline bool
heartbeat_text(const char *text, size_t len, struct heartbeat *out,
	       struct problems *problems)
{
	struct heartbeat_parts parts;
	struct doc *front = NULL;
	bool good;

	if (!heartbeat_split(text, len, &parts, problems))
		return false;
	if (parts.front != NULL) {
		front = yaml_parse(parts.front, parts.front_len, problems);
		if (front == NULL)
			return false;
	}
	good = heartbeat_read(&parts, front, out, problems);
	doc_free(&front);
	return good;
}

#endif
