/* Reading what a webhook's caller says of itself. See webhook_core.h. */
#include "front/webhook_core.h"

#include <stdint.h>
#include <string.h>

#define HEX_LEN    64
#define BASE64_LEN 44
#define DIGITS_MAX 12 /* of seconds since 1970 */
#define TOKEN      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

const char *
webhook_verdict_text(enum webhook_verdict verdict)
{
	static const char *const texts[WEBHOOK_VERDICTS] = {
		[WEBHOOK_GOOD] = "good",
		[WEBHOOK_UNSIGNED] = "a signature or token is needed",
		[WEBHOOK_WRONG] = "the signature or token is wrong",
		[WEBHOOK_OUT_OF_TIME] = "the timestamp is more than 5 minutes from now",
	};

	return texts[verdict];
}

void
webhook_claim_fini(struct webhook_claim *claim)
{
	buf_fini(&claim->prefix);
}

/* ---- times ---- */

static bool
read_seconds(const char *text, usec_t *out)
{
	size_t len = strlen(text);
	int64_t seconds = 0;

	if (len == 0 || len > DIGITS_MAX || strspn(text, "0123456789") != len)
		return false;
	for (; *text != '\0'; text++)
		seconds = seconds * 10 + (*text - '0');
	*out = seconds * USEC_SECOND;
	return true;
}

static enum webhook_verdict
check_time(const char *text, usec_t now)
{
	usec_t at;

	if (text == NULL || !read_seconds(text, &at))
		return WEBHOOK_UNSIGNED;
	return at < now - WEBHOOK_TOLERANCE || at > now + WEBHOOK_TOLERANCE
		   ? WEBHOOK_OUT_OF_TIME
		   : WEBHOOK_GOOD;
}

/* ---- signatures ---- */

static void
add_signature(struct webhook_claim *claim, const char *text, size_t len)
{
	char *into;

	if (claim->signatures_count == WEBHOOK_SIGNATURES_MAX)
		return;
	into = claim->signatures[claim->signatures_count++];
	for (size_t i = 0; i < len; i++)
		into[i] = text[i];
	into[len] = '\0';
}

/* Those of the first version; there may be others between. */
static void
add_standard(struct webhook_claim *claim, const char *text)
{
	for (size_t len; *text != '\0'; text += len) {
		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (len == BASE64_LEN + 3 && strncmp(text, "v1,", 3) == 0)
			add_signature(claim, text + 3, BASE64_LEN);
	}
}

static void
add_hex(struct webhook_claim *claim, const char *text)
{
	char hex[HEX_LEN];

	if (strncmp(text, "sha256=", 7) != 0 || strlen(text) != 7 + HEX_LEN)
		return;
	for (size_t i = 0; i < HEX_LEN; i++) {
		char c = text[7 + i];

		hex[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
	}
	add_signature(claim, hex, HEX_LEN);
}

static bool
is_id(const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	return len > 0 && len <= WEBHOOK_ID_MAX;
}

static enum webhook_verdict
read_standard(const struct webhook_call *call, struct webhook_claim *claim)
{
	claim->form = WEBHOOK_STANDARD;
	if (!is_id(call->id))
		return WEBHOOK_UNSIGNED;
	add_standard(claim, call->signature);
	buf_printf(&claim->prefix, "%s.%s.", call->id,
		   call->timestamp != NULL ? call->timestamp : "");
	return check_time(call->timestamp, call->now);
}

static enum webhook_verdict
read_ours(const struct webhook_call *call, struct webhook_claim *claim)
{
	claim->form = WEBHOOK_OURS;
	add_hex(claim, call->own_signature);
	buf_printf(&claim->prefix, "%s.",
		   call->own_timestamp != NULL ? call->own_timestamp : "");
	return check_time(call->own_timestamp, call->now);
}

/* What one of the other forms signs is no body of this one: with the same secret its
 * signature would be good for ever, without its time. */
static bool
is_signed_by_others(const char *body, size_t len)
{
	const char *end = body + len, *at = body;
	bool digits = true;

	while (at < end && *at != '.' && *at != '\0' && strchr(TOKEN, *at) != NULL)
		digits = digits && *at >= '0' && *at <= '9', at++;
	if (at == body || at == end || *at++ != '.')
		return false;
	if (digits)
		return true;
	body = at;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at > body && at < end && *at == '.';
}

static enum webhook_verdict
read_github(const struct webhook_call *call, struct webhook_claim *claim)
{
	claim->form = WEBHOOK_GITHUB;
	add_hex(claim, call->github_signature);
	return is_signed_by_others(call->body, call->body_len) ? WEBHOOK_WRONG
							       : WEBHOOK_GOOD;
}

enum webhook_verdict
webhook_claim(const struct webhook_call *call, struct webhook_claim *claim)
{
	enum webhook_verdict verdict = WEBHOOK_UNSIGNED;

	*claim = (struct webhook_claim){ .form = WEBHOOK_NONE };
	if (call->signature != NULL)
		verdict = read_standard(call, claim);
	else if (call->own_signature != NULL)
		verdict = read_ours(call, claim);
	else if (call->github_signature != NULL)
		verdict = read_github(call, claim);
	if (verdict == WEBHOOK_GOOD && claim->signatures_count == 0)
		verdict = WEBHOOK_UNSIGNED;
	if (verdict != WEBHOOK_GOOD)
		webhook_claim_fini(claim);
	return verdict;
}

/* ---- deliveries ---- */

/* Of what is signed with a time, the signature is as good as an id. */
static const char *
delivery_of(const struct webhook_call *call, const struct webhook_claim *claim)
{
	enum webhook_form form = claim != NULL ? claim->form : WEBHOOK_NONE;

	if (form == WEBHOOK_STANDARD || (form == WEBHOOK_NONE && is_id(call->id)))
		return call->id;
	if (form == WEBHOOK_OURS)
		return claim->signatures[0];
	if (is_id(call->github_delivery))
		return call->github_delivery;
	if (form == WEBHOOK_GITHUB)
		return claim->signatures[0];
	return is_id(call->idempotency_key) ? call->idempotency_key : NULL;
}

bool
webhook_delivery(const struct webhook_call *call, const struct webhook_claim *claim,
		 struct buf *out)
{
	const char *id = delivery_of(call, claim);

	if (id != NULL)
		buf_str(out, id);
	return id != NULL;
}

bool
webhook_secret_is_coded(const char *secret)
{
	return strncmp(secret, "whsec_", 6) == 0;
}
