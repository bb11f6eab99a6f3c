/*
 * Pure: the words of a call, with what belongs into them. A word of the configuration
 * stays one argument, whatever a prompt holds; nothing of it is read by a shell.
 */
#ifndef AGENT_CALL_CORE_H
#define AGENT_CALL_CORE_H

#include <stddef.h>

#include "base/err.h"
#include "json/json.h"

#define CALL_WORD_MAX (128 * 1024 - 1) /* bytes of an argument that Linux takes */

/* NULL: it has none; words that need it are left out. */
struct call_values {
	const char *prompt, *model, *session, *schema;
	const struct json *permissions; /* a list of arguments */
};

/* argv, NULL-terminated; freed by call_free. NULL with err (ERR_LIMIT): a word would be
 * too long. command: as struct agent has it (conf/agents.h). */
char **call_words(const struct json *command, const struct call_values *values,
		  struct err *err);
void call_free(char ***words_p);

#endif
