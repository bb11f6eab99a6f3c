/*
 * Errors as values: a kind for the caller, one line of text for a person. The text is
 * made safe here, so that whatever came from outside cannot break a log line or a
 * terminal. Not for control flow between good answers: those are enums of their own.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

/* One line of valid UTF-8: control characters become spaces, broken bytes '?', and a
 * character that was cut at the end goes. */
static void
clean(char *text, bool was_cut)
{
	size_t len = strlen(text), at = 0, step;
	uint32_t code_point;

	while (at < len) {
		step = utf8_decode(text + at, len - at, &code_point);
		if (step == 0 && was_cut && len - at < 4) {
			text[at] = '\0';
			return;
		}
		if (step == 0)
			text[at] = '?';
		else if (code_point < 0x20 || code_point == 0x7f)
			text[at] = ' ';
		at += step == 0 ? 1 : step;
	}
}

static void
set_text(struct err *err, const char *format, va_list args)
{
	int len = vsnprintf(err->text, sizeof err->text, format, args);

	clean(err->text, len >= (int)sizeof err->text);
}

int
err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	struct err made = { .kind = kind };
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, format); /* the old text may be among the arguments */
	set_text(&made, format, args);
	va_end(args);
	*err = made;
	return -1;
}

int
err_errno(struct err *err, const char *format, ...)
{
	int number = errno;
	struct err made = { 0 };
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, format);
	set_text(&made, format, args);
	va_end(args);
	return err_set(err, ERR_SYSTEM, "%s: %s", made.text, strerror(number));
}

int
err_in(struct err *err, const char *format, ...)
{
	struct err where = { 0 };
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, format);
	set_text(&where, format, args);
	va_end(args);
	return err_set(err, err->kind, "%s: %s", where.text, err->text);
}

void
err_clear(struct err *err)
{
	if (err == NULL)
		return;
	err->kind = ERR_NONE;
	err->text[0] = '\0';
}

const char *
err_kind_name(enum err_kind kind)
{
	static const char *const names[ERR_KINDS] = {
		[ERR_NONE] = "none",           [ERR_INPUT] = "input",
		[ERR_NOT_FOUND] = "not_found", [ERR_CONFLICT] = "conflict",
		[ERR_DENIED] = "denied",       [ERR_LIMIT] = "limit",
		[ERR_RETRY] = "retry",         [ERR_LOST] = "lost",
		[ERR_SYSTEM] = "system",
	};

	if ((unsigned)kind >= ERR_KINDS)
		return "unknown";
	return names[kind];
}

void
bug(const char *format, ...)
{
	struct err what = { 0 };
	va_list args;

	va_start(args, format);
	set_text(&what, format, args);
	va_end(args);
	log_error("process.aborted", F_STR("bug", what.text));
	abort();
}
