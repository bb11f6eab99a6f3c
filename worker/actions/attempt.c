/*
 * How actions answer: each answer goes to who made the attempt. What an attempt inside
 * another one cannot do is a failure of it.
 */
#include "actions/action.h"
#include "base/buf.h"
#include "child_run.h"

void
attempt_succeed(struct attempt *attempt, struct json *output)
{
	attempt->maker->succeeded(attempt, output);
}

void
attempt_fail_until(struct attempt *attempt, const struct attempt_failure *failure)
{
	attempt->maker->failed(attempt, failure);
}

void
attempt_fail(struct attempt *attempt, const char *code, bool final, const char *format,
	     ...)
{
	struct buf text = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	attempt_fail_until(attempt, &(struct attempt_failure){
					.code = code,
					.message = buf_text(&text),
					.final = final,
				    });
	buf_fini(&text);
}

void
attempt_fail_with(struct attempt *attempt, const char *code, bool final,
		  struct json *details, struct json *output, const char *format, ...)
{
	struct buf text = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	attempt_fail_until(attempt, &(struct attempt_failure){
					.code = code,
					.message = buf_text(&text),
					.final = final,
					.details = details,
					.output = output,
				    });
	buf_fini(&text);
	json_unref(&details);
}

static void
not_here(struct attempt *attempt)
{
	attempt_fail(attempt, "not_here", true, "only a step itself can wait");
}

void
attempt_wait(struct attempt *attempt, usec_t run_at)
{
	if (attempt->maker->waits != NULL)
		attempt->maker->waits(attempt, run_at);
	else
		not_here(attempt);
}

void
attempt_wait_event(struct attempt *attempt, const char *type, usec_t checked_at,
		   usec_t run_at)
{
	if (attempt->maker->waits_for_event != NULL)
		attempt->maker->waits_for_event(attempt, type, checked_at, run_at);
	else
		not_here(attempt);
}

void
attempt_start_run(struct attempt *attempt, struct child_run *child, bool wait,
		  usec_t run_at, struct json *output)
{
	if (attempt->maker->starts_run != NULL) {
		attempt->maker->starts_run(attempt, child, wait, run_at, output);
		return;
	}
	child_run_free(&child);
	json_unref(&output);
	not_here(attempt);
}

/* Only a slot makes attempts of programs. */
void
attempt_rest(struct attempt *attempt, const int *numbers, size_t count)
{
	if (attempt->maker->rests == NULL)
		bug("an attempt inside another one cannot rest");
	attempt->maker->rests(attempt, numbers, count);
}

void
attempt_give_back(struct attempt *attempt)
{
	if (attempt->maker->gives_back == NULL)
		bug("an attempt inside another one cannot be given back");
	attempt->maker->gives_back(attempt);
}
