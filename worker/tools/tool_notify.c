/* notify.webhook: tells another service by a POST, signed when there is a secret. */
#include <stdio.h>
#include <string.h>

#include "actions/answer.h"
#include "actions/web.h"
#include "digest/digest.h"
#include "tools/tools.h"

#define SIGNATURE_NAME "X-Stepmill-Signature"

static int
sign(struct http_form *form, const struct json *secret, struct err *err)
{
	unsigned char mac[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1], value[sizeof hex + 8];

	if (secret == NULL)
		return 0;
	hmac_sha256(json_str(secret), json_str_len(secret), buf_text(&form->body),
		    form->body.len, mac);
	snprintf(value, sizeof value, "sha256=%s", digest_hex(mac, sizeof mac, hex));
	return http_form_add(form, SIGNATURE_NAME, value, err);
}

static void *
notify_start(struct attempt *attempt)
{
	const struct json *body = json_get(attempt->fields, "body");
	struct json *nothing = json_new_object();
	struct http_form form;
	struct err err = { 0 };
	void *state = NULL;

	if (http_form_post(&form, field_text(attempt, "url", ""),
			   body != NULL ? body : nothing,
			   json_get(attempt->fields, "headers"), &err) < 0) {
		answer_error(attempt, "notify.webhook", &err);
	} else if (sign(&form, json_get(attempt->fields, "secret"), &err) < 0) {
		answer_error(attempt, "notify.webhook", &err);
		http_form_fini(&form);
	} else {
		state = web_start(attempt, &form);
	}
	json_unref(&nothing);
	return state;
}

const struct action tool_notify_webhook = {
	.name = "notify.webhook",
	.start = notify_start,
	.stop = web_stop,
	.free = web_free,
};
