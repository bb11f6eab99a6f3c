/* Whether a webhook's caller is who it should be. */
#ifndef FRONT_WEBHOOK_H
#define FRONT_WEBHOOK_H

#include "engine/trigger.h"
#include "front/webhook_core.h"

/* Checks the call by the trigger's `auth`; every signature with every secret, in
 * constant time. claim: filled in where it is signed and GOOD (webhook_claim_fini),
 * else empty. err is set (ERR_SYSTEM) when no secret could be read; what is
 * WEBHOOK_WRONG then cannot be told from what is right. */
enum webhook_verdict webhook_check(const struct trigger_webhook *webhook,
				   const struct webhook_call *call,
				   struct webhook_claim *claim, struct err *err);

#endif
