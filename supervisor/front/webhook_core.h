/*
 * What a webhook's caller says to show who it is, read into a claim: which bytes it
 *says it signed, with which signatures, when, and which delivery it is. Pure: hashes
 *are computed and compared by webhook.c.
 *
 * Three forms, in this order; the first whose signature is there counts:
 *	Standard Webhooks	webhook-signature: v1,BASE64 ... over id.timestamp.body
 *	ours			X-Stepmill-Signature: sha256=HEX over timestamp.body
 *	GitHub			X-Hub-Signature-256: sha256=HEX over the body
 */
#ifndef FRONT_WEBHOOK_CORE_H
#define FRONT_WEBHOOK_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/usec.h"

#define WEBHOOK_SIGNATURES_MAX 10
#define WEBHOOK_ID_MAX         200 /* bytes of a delivery's id */
#define WEBHOOK_TOLERANCE      (300 * USEC_SECOND)
#define WEBHOOK_MAC_TEXT       64 /* of a signature, at most */

/* Header fields, NULL where there is none; borrowed. */
struct webhook_call {
	const char *id, *timestamp, *signature;    /* webhook-... */
	const char *own_timestamp, *own_signature; /* X-Stepmill-... */
	const char *github_signature, *github_delivery;
	const char *authorization, *idempotency_key;
	const char *body;
	size_t body_len;
	usec_t now;
};

enum webhook_form {
	WEBHOOK_NONE, /* no signature at all */
	WEBHOOK_STANDARD,
	WEBHOOK_OURS,
	WEBHOOK_GITHUB,
	WEBHOOK_FORMS
};

struct webhook_claim {
	enum webhook_form form;
	struct buf prefix; /* signed in front of the body */
	/* As they were sent, without "v1," or "sha256=": base64, or hex in small
	 * letters. */
	char signatures[WEBHOOK_SIGNATURES_MAX][WEBHOOK_MAC_TEXT + 1];
	size_t signatures_count;
};

enum webhook_verdict {
	WEBHOOK_GOOD,
	WEBHOOK_UNSIGNED,    /* what shows who it is is missing, or cannot be read */
	WEBHOOK_WRONG,       /* it is not right */
	WEBHOOK_OUT_OF_TIME, /* more than WEBHOOK_TOLERANCE from now */
	WEBHOOK_VERDICTS
};

/* What a caller is told. */
const char *webhook_verdict_text(enum webhook_verdict verdict);
/* GOOD: the claim is filled in (webhook_claim_fini), its signatures are to be checked.
 */
enum webhook_verdict webhook_claim(const struct webhook_call *call,
				   struct webhook_claim *claim);
void webhook_claim_fini(struct webhook_claim *claim);
/* Which delivery it is: the same one starts one run only. False: it does not tell.
 * claim NULL: of a call that is not signed. */
bool webhook_delivery(const struct webhook_call *call,
		      const struct webhook_claim *claim, struct buf *out);
/* The key of "whsec_..." is in base64 behind that; false: the text is the key. */
bool webhook_secret_is_coded(const char *secret);

#endif
