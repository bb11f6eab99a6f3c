/* The checklist of HEARTBEAT.md, out of the Markdown around it. */
#ifndef ENGINE_HEARTBEAT_ITEMS_CORE_H
#define ENGINE_HEARTBEAT_ITEMS_CORE_H

#include <stddef.h>

#include "base/doc.h"
#include "json/json.h"

/* Appends the text of each open item. "- [ ] text", also with * or + and at any depth;
 * [x] is left out. Lines below an item that are further in belong to it: they are
 * joined by a blank, a plain list's ("- one") by a line end; an empty line ends it.
 * What stands in a code fence or an HTML comment is no item. first_line: the number of
 * the text's first line. Too many or too long ones are problems. */
void heartbeat_items(const char *text, size_t len, int first_line, struct json *items,
		     struct problems *problems);

#endif
