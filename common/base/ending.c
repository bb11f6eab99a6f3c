/* The line of a worker's end: written and read here, so that both agree. */
#include "base/ending.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SIGNAL_MAX 64
#define STATUS_MAX 255

char *
ending_format(const struct uuid *worker, const struct ending *ending,
	      char out[static ENDING_TEXT])
{
	bool signalled = ending->signal != 0;
	char id[UUID_TEXT];

	snprintf(out, ENDING_TEXT,
		 "%s %s %d user %" PRId64 " system %" PRId64 " memory %" PRId64 "%s",
		 uuid_format(worker, id), signalled ? "signal" : "exit",
		 signalled ? ending->signal : ending->exit_status, ending->user_ms,
		 ending->system_ms, ending->max_rss_kb,
		 ending->ordered ? " ordered" : "");
	return out;
}

static bool
take_word(const char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*text, word, len) != 0)
		return false;
	*text += len;
	return true;
}

/* The word, then decimal digits without a leading zero, at most max. Takes all or
 * nothing.
 */
static bool
take_number(const char **text, const char *word, int64_t max, int64_t *out)
{
	const char *at = *text, *start;
	int64_t number = 0;

	if (!take_word(&at, word))
		return false;
	for (start = at; *at >= '0' && *at <= '9'; at++) {
		number = number * 10 + (*at - '0');
		if (number > max)
			return false;
	}
	if (at == start || (*start == '0' && at - start > 1))
		return false;
	*text = at;
	*out = number;
	return true;
}

/* How: by a signal, which is never 0, or by a status. */
static bool
take_how(const char **text, struct ending *ending)
{
	int64_t number;

	if (take_number(text, " signal ", SIGNAL_MAX, &number)) {
		ending->signal = (int)number;
		return number > 0;
	}
	if (!take_number(text, " exit ", STATUS_MAX, &number))
		return false;
	ending->exit_status = (int)number;
	return true;
}

bool
ending_parse(const char *text, struct uuid *worker, struct ending *ending)
{
	const char *at = text;

	*ending = (struct ending){ 0 };
	if (strnlen(text, UUID_TEXT) < UUID_TEXT ||
	    !uuid_parse(text, UUID_TEXT - 1, worker))
		return false;
	at += UUID_TEXT - 1;
	if (!take_how(&at, ending) ||
	    !take_number(&at, " user ", ENDING_NUMBER_MAX, &ending->user_ms) ||
	    !take_number(&at, " system ", ENDING_NUMBER_MAX, &ending->system_ms) ||
	    !take_number(&at, " memory ", ENDING_NUMBER_MAX, &ending->max_rss_kb))
		return false;
	ending->ordered = take_word(&at, " ordered");
	return *at == '\0';
}

char *
ending_signal_name(const struct ending *ending, char out[static 32])
{
	const char *name = sigabbrev_np(ending->signal);

	if (name != NULL)
		snprintf(out, 32, "SIG%s", name);
	else
		snprintf(out, 32, "signal %d", ending->signal);
	return out;
}
