/*
 * Pure: from the bytes that an agent prints to what it tells. One format for each entry
 * of agent_parsers (conf/agents.h):
 *
 *   stream-json  a line an event, as Claude Code and Gemini CLI write them
 *   jsonl        a line an event, as Codex and opencode write them; and a small form
 *                for agents of one's own: {"type": "result", "text": ...}
 *   json         one JSON value at the end
 *   text         what it prints is its answer
 */
#ifndef AGENT_PARSER_CORE_H
#define AGENT_PARSER_CORE_H

#include "agent/lines_core.h"
#include "agent/told_core.h"
#include "output_core.h"

struct format;

struct parser {
	const struct format *format;
	struct agent_lines lines;
	struct output whole; /* of text and json: kept as outputs are */
	struct told told;
};

/* format: NULL if there is none of this name. keep: bytes of a text's answer. */
bool parser_init(struct parser *parser, const char *format, size_t keep);
void parser_fini(struct parser *parser);
void parser_feed(struct parser *parser, const char *data, size_t len);
/* Nothing more comes. */
void parser_end(struct parser *parser);
/* Whether its lines are for people: they go to the step's log as they are. */
bool parser_is_text(const char *format);

enum parser_verdict {
	PARSER_ANSWERED,
	PARSER_FAILED,     /* it says so: told.words */
	PARSER_NO_RESULT,  /* it said nothing that is an answer */
	PARSER_BAD_OUTPUT, /* what it printed is no JSON */
	PARSER_TOO_LONG,   /* the answer was cut */
};

enum parser_verdict parser_verdict(const struct parser *parser);

#endif
