/* How an agent's program did: its exit, what it printed, and whether the answer fits.
 */
#ifndef AGENT_JUDGE_H
#define AGENT_JUDGE_H

#include "actions/action.h"
#include "agent/parser_core.h"
#include "program.h"

struct judgement {
	bool good;
	bool is_text;    /* the output is the answer's text */
	bool repairable; /* it may do better when it is told the message */
	bool final;
	const char *code;
	char *message;
	struct json *output; /* also of a failure: what it said */
};

void judge(const struct attempt *attempt, const char *agent,
	   const struct parser *parser, const struct program_end *end,
	   struct judgement *judgement);
void judgement_fini(struct judgement *judgement);

#endif
