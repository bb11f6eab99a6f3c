/* Judging. See judge.h. Whatever an agent said is masked before it goes on. */
#include "agent/judge.h"

#include <stdarg.h>
#include <stdlib.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "model/answer_core.h"

void
judgement_fini(struct judgement *judgement)
{
	free(judgement->message);
	json_unref(&judgement->output);
	*judgement = (struct judgement){ 0 };
}

static struct json *
said(const struct attempt *attempt, const struct parser *parser)
{
	const struct buf *text = &parser->told.text;

	return text->len > 0 ? answer_text(attempt, text->data, text->len) : NULL;
}

/* "AGENT: words", masked. */
static void fail(struct judgement *judgement, const struct attempt *attempt,
		 const char *code, bool final, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static void
fail(struct judgement *judgement, const struct attempt *attempt, const char *code,
     bool final, const char *format, ...)
{
	struct buf text = { 0 };
	struct json *masked;
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	masked = answer_text(attempt, buf_text(&text), text.len);
	judgement->code = code;
	judgement->final = final;
	judgement->message = xstrdup(json_str(masked));
	json_unref(&masked);
	buf_fini(&text);
}

static void
judge_schema(const struct attempt *attempt, const struct parser *parser,
	     struct judgement *judgement)
{
	const struct buf *text = &parser->told.text;
	struct span span = answer_span(buf_text(text), text->len);
	struct json *json = NULL;
	struct buf why = { 0 };
	struct err err = { 0 };

	if (answer_json(attempt, span.text, span.len, &json, &err) < 0)
		buf_printf(&why, "it is no JSON: %s", err.text);
	else
		judgement->good = answer_fits(attempt->def->output_rules, json, &why);
	if (judgement->good) {
		judgement->output = json;
	} else {
		fail(judgement, attempt, "output_schema", false, "%s", buf_text(&why));
		judgement->repairable = true;
		judgement->output = said(attempt, parser);
		json_unref(&json);
	}
	buf_fini(&why);
}

static void
judge_answer(const struct attempt *attempt, const struct parser *parser,
	     struct judgement *judgement)
{
	if (attempt->def->output_schema != NULL) {
		judge_schema(attempt, parser, judgement);
		return;
	}
	judgement->good = judgement->is_text = true;
	judgement->output = said(attempt, parser);
}

void
judge(const struct attempt *attempt, const char *agent, const struct parser *parser,
      const struct program_end *end, struct judgement *judgement)
{
	const struct told *told = &parser->told;
	enum parser_verdict verdict = parser_verdict(parser);

	if (verdict == PARSER_FAILED && end->started)
		fail(judgement, attempt, "agent_error", false, "%s: %s", agent,
		     told->words.len > 0 ? buf_text(&told->words)
					 : "it failed, and does not say why");
	else if (end->code != NULL)
		fail(judgement, attempt, end->code, end->final, "%s", end->why);
	else if (verdict == PARSER_TOO_LONG)
		fail(judgement, attempt, "output_too_large", true,
		     "%s: its answer is longer than 4 MiB", agent);
	else if (verdict == PARSER_BAD_OUTPUT)
		fail(judgement, attempt, "bad_output", false,
		     "%s: what it printed is no JSON: %s", agent,
		     told->strange > 0 ? buf_text(&told->strange_text)
				       : "a line of more than 1 MiB");
	else if (verdict == PARSER_NO_RESULT)
		fail(judgement, attempt, "no_result", false,
		     "%s: it ended without a result", agent);
	else
		judge_answer(attempt, parser, judgement);
	if (!judgement->good && judgement->output == NULL)
		judgement->output = said(attempt, parser);
}
