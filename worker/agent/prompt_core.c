/* The words of prompts. See prompt_core.h. */
#include "agent/prompt_core.h"

#include <string.h>

#include "model/answer_core.h"

#define SAID_MAX (64 * 1024)

void
prompt_ask(const char *prompt, size_t len, const struct json *schema, struct buf *out)
{
	buf_add(out, prompt, len);
	if (schema != NULL)
		answer_rule(schema, out);
}

void
prompt_failure(const char *code, const char *why, const char *said, bool json,
	       struct buf *out)
{
	buf_str(out, "\n\n");
	if (said != NULL && *said != '\0')
		buf_printf(out, "You were asked this before, and answered:\n%.*s\n\n",
			   SAID_MAX, said);
	if (code == NULL || strcmp(code, "output_schema") == 0)
		answer_again(why, json, out);
	else
		buf_printf(out,
			   "You were asked this before, and it failed (%s):\n%s\n\n"
			   "Look at what is there already, and do it again so that it "
			   "succeeds.",
			   code, why);
}
