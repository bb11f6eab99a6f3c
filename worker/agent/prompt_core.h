/* Pure: what an agent is asked, the first time and again. */
#ifndef AGENT_PROMPT_CORE_H
#define AGENT_PROMPT_CORE_H

#include "base/buf.h"
#include "json/json.h"

/* The step's prompt; with a schema what its answer has to be. */
void prompt_ask(const char *prompt, size_t len, const struct json *schema,
		struct buf *out);
/* Behind it: how the attempt before failed, and what was said in it (or NULL). */
void prompt_failure(const char *code, const char *why, const char *said, bool json,
		    struct buf *out);

#endif
