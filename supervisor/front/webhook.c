/*
 * Webhooks: secrets, hashes, comparisons. Secrets are followed at each call, so that a
 * file that is replaced counts at once. See webhook.h.
 */
#include "front/webhook.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "conf/secret.h"
#include "digest/digest.h"
#include "front/auth_core.h"
#include "lang/cel_text.h"

/* Is this what the call must have shown? */
typedef bool matches_fn(const struct webhook_call *call,
			const struct webhook_claim *claim, const char *secret);

/* Hashes are of one length, whatever was sent. */
static bool
matches_bearer(const struct webhook_call *call, const struct webhook_claim *claim,
	       const char *secret)
{
	unsigned char sent[SHA256_BYTES], wanted[SHA256_BYTES];
	const char *token;
	size_t len;

	(void)claim;
	if (call->authorization == NULL ||
	    !auth_bearer(call->authorization, &token, &len))
		return false;
	sha256(token, len, sent);
	sha256(secret, strlen(secret), wanted);
	return digest_equal(sent, wanted, sizeof sent);
}

static void
key_of(const struct webhook_claim *claim, const char *secret, struct buf *key)
{
	if (claim->form == WEBHOOK_STANDARD && webhook_secret_is_coded(secret) &&
	    cel_base64_read(secret + 6, strlen(secret + 6), key))
		return;
	buf_clear(key);
	buf_str(key, secret);
}

static bool
matches_signature(const struct webhook_call *call, const struct webhook_claim *claim,
		  const char *secret)
{
	unsigned char mac[SHA256_BYTES];
	char text[WEBHOOK_MAC_TEXT + 1];
	struct buf key = { 0 }, bytes = { 0 };
	bool found = false;

	key_of(claim, secret, &key);
	buf_add(&bytes, buf_text(&claim->prefix), claim->prefix.len);
	buf_add(&bytes, call->body, call->body_len);
	hmac_sha256(buf_text(&key), key.len, buf_text(&bytes), bytes.len, mac);
	if (claim->form == WEBHOOK_STANDARD)
		digest_base64(mac, sizeof mac, text);
	else
		digest_hex(mac, sizeof mac, text);
	for (size_t i = 0; i < claim->signatures_count; i++)
		found |= digest_equal(text, claim->signatures[i], strlen(text));
	buf_fini(&key);
	buf_fini(&bytes);
	return found;
}

/* True when one of the secrets matches. */
static bool
any_matches(const struct trigger_webhook *webhook, const struct webhook_call *call,
	    const struct webhook_claim *claim, matches_fn *matches, struct err *err)
{
	bool found = false, tried = false;
	struct err why = { 0 };

	for (size_t i = 0; i < webhook->secrets.count; i++) {
		char *secret = secret_follow(webhook->secrets.list[i], &why);

		if (secret == NULL)
			continue;
		tried = true;
		found |= matches(call, claim, secret);
		explicit_bzero(secret, strlen(secret));
		free(secret);
	}
	if (!tried)
		err_set(err, ERR_SYSTEM, "%s", why.text);
	else if (why.kind != ERR_NONE)
		log_warn("webhook.secret_missing", F_STR("path", webhook->path),
			 F_STR("why", why.text));
	return found;
}

static enum webhook_verdict
check_bearer(const struct trigger_webhook *webhook, const struct webhook_call *call,
	     struct err *err)
{
	if (call->authorization == NULL)
		return WEBHOOK_UNSIGNED;
	return any_matches(webhook, call, NULL, matches_bearer, err) ? WEBHOOK_GOOD
								     : WEBHOOK_WRONG;
}

static enum webhook_verdict
check_signed(const struct trigger_webhook *webhook, const struct webhook_call *call,
	     struct webhook_claim *claim, struct err *err)
{
	enum webhook_verdict verdict = webhook_claim(call, claim);

	if (verdict != WEBHOOK_GOOD)
		return verdict;
	if (any_matches(webhook, call, claim, matches_signature, err))
		return WEBHOOK_GOOD;
	webhook_claim_fini(claim);
	return WEBHOOK_WRONG;
}

enum webhook_verdict
webhook_check(const struct trigger_webhook *webhook, const struct webhook_call *call,
	      struct webhook_claim *claim, struct err *err)
{
	*claim = (struct webhook_claim){ .form = WEBHOOK_NONE };
	switch (webhook->auth) {
	case TRIGGER_AUTH_HMAC:
		return check_signed(webhook, call, claim, err);
	case TRIGGER_AUTH_BEARER:
		return check_bearer(webhook, call, err);
	case TRIGGER_AUTH_NONE:
		break;
	}
	return WEBHOOK_GOOD;
}
