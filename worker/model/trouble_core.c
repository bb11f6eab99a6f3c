/* Statuses, words and dates of errors, as tables. See trouble_core.h. */
#include "model/trouble_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

#define WAIT_MAX (24 * 3600 * USEC_SECOND)

struct kind {
	const char *code;
	bool final;
};

static const struct kind kinds[TROUBLE_KINDS] = {
	[TROUBLE_NONE] = { "failed", false },
	[TROUBLE_LIMITED] = { "rate_limited", false },
	[TROUBLE_OVERLOADED] = { "overloaded", false },
	[TROUBLE_SERVER] = { "provider_error", false },
	[TROUBLE_NETWORK] = { "network", false },
	[TROUBLE_STALLED] = { "provider_timeout", false },
	[TROUBLE_CUT] = { "stream_cut", false },
	[TROUBLE_GARBAGE] = { "provider_protocol", false },
	[TROUBLE_TOO_LARGE] = { "reply_too_large", true },
	[TROUBLE_AUTH] = { "provider_auth", true },
	[TROUBLE_QUOTA] = { "provider_quota", true },
	[TROUBLE_NO_MODEL] = { "unknown_model", true },
	[TROUBLE_TOO_LONG] = { "context_too_long", true },
	[TROUBLE_REQUEST] = { "provider_refused", true },
};

const char *
trouble_code(enum trouble_kind kind)
{
	return kinds[kind < TROUBLE_KINDS ? kind : TROUBLE_NONE].code;
}

bool
trouble_is_final(enum trouble_kind kind)
{
	return kinds[kind < TROUBLE_KINDS ? kind : TROUBLE_NONE].final;
}

/* Fit for a log: what is no UTF-8 is replaced, line breaks are spaces. A character that
 * does not fit whole is left out. */
void
trouble_set(struct trouble *trouble, enum trouble_kind kind, const char *message)
{
	struct buf clean = { 0 };
	size_t len;

	utf8_repair(message, strlen(message), &clean);
	len = clean.len < TROUBLE_TEXT ? clean.len : TROUBLE_TEXT - 1;
	while (len > 0 && len < clean.len &&
	       ((unsigned char)clean.data[len] & 0xc0) == 0x80)
		len--;
	for (size_t i = 0; i < len; i++)
		trouble->message[i] =
		    (unsigned char)clean.data[i] < ' ' ? ' ' : clean.data[i];
	trouble->message[len] = '\0';
	trouble->kind = kind;
	buf_fini(&clean);
}

/* ---- words ---- */

struct word {
	const char *word; /* in type, code or status; the first that is there counts */
	enum trouble_kind kind;
};

static const struct word words[] = {
	{ "insufficient_quota", TROUBLE_QUOTA },
	{ "billing", TROUBLE_QUOTA },
	{ "context_length", TROUBLE_TOO_LONG },
	{ "request_too_large", TROUBLE_TOO_LONG },
	{ "rate_limit", TROUBLE_LIMITED },
	{ "RESOURCE_EXHAUSTED", TROUBLE_LIMITED },
	{ "overloaded", TROUBLE_OVERLOADED },
	{ "UNAVAILABLE", TROUBLE_OVERLOADED },
	{ "authentication", TROUBLE_AUTH },
	{ "permission", TROUBLE_AUTH },
	{ "invalid_api_key", TROUBLE_AUTH },
	{ "UNAUTHENTICATED", TROUBLE_AUTH },
	{ "PERMISSION_DENIED", TROUBLE_AUTH },
	{ "model_not_found", TROUBLE_NO_MODEL },
	{ "not_found", TROUBLE_NO_MODEL },
	{ "NOT_FOUND", TROUBLE_NO_MODEL },
	{ NULL, TROUBLE_NONE },
};

/* Of a bad request: only the message tells. */
static const struct word phrases[] = {
	{ "prompt is too long", TROUBLE_TOO_LONG },
	{ "context length", TROUBLE_TOO_LONG },
	{ "context window", TROUBLE_TOO_LONG },
	{ "maximum number of tokens", TROUBLE_TOO_LONG },
	{ "credit balance", TROUBLE_QUOTA },
	{ "API key not valid", TROUBLE_AUTH },
	{ NULL, TROUBLE_NONE },
};

static enum trouble_kind
find_word(const struct word *table, const char *text)
{
	if (text == NULL)
		return TROUBLE_NONE;
	while (table->word != NULL && strstr(text, table->word) == NULL)
		table++;
	return table->kind;
}

static enum trouble_kind
kind_of_words(const struct json *error)
{
	static const char *const keys[] = { "code", "type", "status" };
	enum trouble_kind kind = TROUBLE_NONE;

	for (size_t i = 0; i < 3 && kind == TROUBLE_NONE; i++)
		kind = find_word(words, json_str(json_get(error, keys[i])));
	if (kind == TROUBLE_NONE)
		kind = find_word(phrases, json_str(json_get(error, "message")));
	return kind;
}

struct status {
	int from, to;
	enum trouble_kind kind;
};

static const struct status statuses[] = {
	{ 401, 401, TROUBLE_AUTH },       { 402, 402, TROUBLE_QUOTA },
	{ 403, 403, TROUBLE_AUTH },       { 404, 404, TROUBLE_NO_MODEL },
	{ 408, 408, TROUBLE_SERVER },     { 413, 413, TROUBLE_TOO_LONG },
	{ 425, 425, TROUBLE_SERVER },     { 429, 429, TROUBLE_LIMITED },
	{ 409, 409, TROUBLE_SERVER },     { 503, 503, TROUBLE_OVERLOADED },
	{ 529, 529, TROUBLE_OVERLOADED }, { 500, 599, TROUBLE_SERVER },
	{ 300, 499, TROUBLE_REQUEST },
};

static enum trouble_kind
kind_of_status(int status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (status >= statuses[i].from && status <= statuses[i].to)
			return statuses[i].kind;
	return TROUBLE_GARBAGE;
}

/* {error: {...}}, [{error: {...}}] or the error itself. */
static const struct json *
error_of(const struct json *body)
{
	const struct json *first =
	    json_type(body) == JSON_ARRAY ? json_at(body, 0) : body;
	const struct json *error = json_get(first, "error");

	return json_type(error) == JSON_OBJECT ? error : first;
}

/* Gemini: {details: [{"@type": ".../RetryInfo", retryDelay: "34s"}]} */
static usec_t
wait_of(const struct json *error)
{
	const struct json *details = json_get(error, "details");
	usec_t wait = 0;

	for (size_t i = 0; i < json_count(details) && wait == 0; i++) {
		const char *text =
		    json_str(json_get(json_at(details, i), "retryDelay"));

		if (text != NULL && !retry_seconds(text, &wait))
			wait = 0;
	}
	return wait;
}

void
trouble_of_status(struct trouble *trouble, int status, const struct json *body)
{
	const struct json *error = error_of(body);
	const char *said = json_str(json_get(error, "message"));
	enum trouble_kind by_status = kind_of_status(status);
	enum trouble_kind by_words = kind_of_words(error);
	char message[TROUBLE_TEXT];

	if (said == NULL)
		said = json_str(json_get(body, "error"));
	snprintf(message, sizeof message, "status %d%s%.500s", status,
		 said != NULL ? ": " : "", said != NULL ? said : "");
	/* a status that says something for sure is not talked away by a word */
	if (by_words != TROUBLE_NONE &&
	    (by_status == TROUBLE_REQUEST || by_status == TROUBLE_LIMITED ||
	     by_status == TROUBLE_SERVER))
		by_status = by_words;
	trouble_set(trouble, by_status, message);
	trouble->wait = wait_of(error);
}

void
trouble_of_event(struct trouble *trouble, const struct json *error)
{
	const char *said = json_str(json_get(error, "message"));
	enum trouble_kind kind = kind_of_words(error);
	char message[TROUBLE_TEXT];

	snprintf(message, sizeof message, "the provider broke off: %.500s",
		 said != NULL ? said : "no reason given");
	trouble_set(trouble, kind != TROUBLE_NONE ? kind : TROUBLE_SERVER, message);
	trouble->wait = wait_of(error);
}

/* ---- when to come again ---- */

static usec_t
bounded(double seconds)
{
	double most = (double)(WAIT_MAX / USEC_SECOND);

	return (usec_t)((seconds < most ? seconds : most) * (double)USEC_SECOND);
}

bool
retry_seconds(const char *text, usec_t *wait)
{
	size_t digits = strspn(text, "0123456789"), end = digits;

	if (text[end] == '.')
		end += 1 + strspn(text + end + 1, "0123456789");
	if (text[end] == 's')
		end++;
	if (digits == 0 || digits > 12 || end > 32 || text[end] != '\0')
		return false;
	*wait = bounded(strtod(text, NULL));
	return true;
}

static int
month_of(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (strncmp(names + 3 * i, name, 3) == 0)
			return i;
	return -1;
}

/* Two digits: those of the years from 1970 on (RFC 9110 would ask for the clock). */
static int
full_year(int year)
{
	return year >= 100 ? year : year + (year < 70 ? 2000 : 1900);
}

bool
http_date(const char *text, usec_t *instant)
{
	struct tm tm = { 0 };
	char month[4] = "", zone[4] = "";
	int year;

	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3s", &tm.tm_mday,
		   month, &year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7 &&
	    sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d %3s", &tm.tm_mday,
		   month, &year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7 &&
	    sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &year) != 6)
		return false;
	tm.tm_mon = month_of(month);
	tm.tm_year = full_year(year) - 1900;
	if (tm.tm_mon < 0 || year < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 ||
	    tm.tm_sec < 0 || tm.tm_sec > 60 ||
	    (*zone != '\0' && strcmp(zone, "GMT") != 0))
		return false;
	*instant = (usec_t)timegm(&tm) * USEC_SECOND;
	return true;
}

bool
retry_after(const char *text, usec_t now, usec_t *wait)
{
	usec_t instant;

	text += strspn(text, " \t");
	if (retry_seconds(text, wait))
		return strchr(text, 's') == NULL;
	if (!http_date(text, &instant))
		return false;
	*wait = instant > now ? instant - now : 0;
	if (*wait > WAIT_MAX)
		*wait = WAIT_MAX;
	return true;
}
