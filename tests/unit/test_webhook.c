/*
 * Who calls a webhook: the examples of Standard Webhooks and of GitHub's documentation,
 * ours, tokens; what is refused; and which delivery a call is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "front/webhook.h"

#define NOW (1614265330 * USEC_SECOND)

static char *standard_secrets[] = { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
static char *github_secrets[] = { "old", "It's a Secret to Everybody" };
static char *own_secrets[] = { "hush" };

static const struct trigger_webhook standard = {
	.path = "a",
	.auth = TRIGGER_AUTH_HMAC,
	.secrets = { standard_secrets, 1 },
};
static const struct trigger_webhook github = {
	.path = "b",
	.auth = TRIGGER_AUTH_HMAC,
	.secrets = { github_secrets, 2 },
};
static const struct trigger_webhook own = {
	.path = "c",
	.auth = TRIGGER_AUTH_HMAC,
	.secrets = { own_secrets, 1 },
};
static const struct trigger_webhook bearer = {
	.path = "d",
	.auth = TRIGGER_AUTH_BEARER,
	.secrets = { own_secrets, 1 },
};

#define OF_STANDARD "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define OF_GITHUB                                                                      \
	"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
#define OF_OURS                                                                        \
	"sha256=bbd3e411adc1692710e940d168ddf2b19fa77370c1a1736ba24b0c3db29db9fd"

static struct webhook_call
standard_call(void)
{
	return (struct webhook_call){
		.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
		.timestamp = "1614265330",
		.signature = OF_STANDARD,
		.body = "{\"test\": 2432232314}",
		.body_len = strlen("{\"test\": 2432232314}"),
		.now = NOW,
	};
}

static struct webhook_call
github_call(void)
{
	return (struct webhook_call){ .github_signature = OF_GITHUB,
				      .github_delivery = "72d3162e",
				      .body = "Hello, World!",
				      .body_len = strlen("Hello, World!"),
				      .now = NOW };
}

static struct webhook_call
own_call(void)
{
	return (struct webhook_call){ .own_signature = OF_OURS,
				      .own_timestamp = "1614265330",
				      .body = "{\"a\":1}",
				      .body_len = strlen("{\"a\":1}"),
				      .now = NOW };
}

static void
check(const struct trigger_webhook *webhook, const struct webhook_call *call,
      enum webhook_verdict expected)
{
	struct webhook_claim claim;
	struct err err = { 0 };

	assert_int_equal(webhook_check(webhook, call, &claim, &err), expected);
	assert_int_equal(err.kind, ERR_NONE);
	webhook_claim_fini(&claim);
}

static void
test_standard(void **state)
{
	struct webhook_call call = standard_call();

	(void)state;
	check(&standard, &call, WEBHOOK_GOOD);
	call.signature =
	    "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= v1a,xyz  " OF_STANDARD;
	check(&standard, &call, WEBHOOK_GOOD);
	call.signature = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	check(&standard, &call, WEBHOOK_WRONG);
	call = standard_call();
	call.body_len--;
	check(&standard, &call, WEBHOOK_WRONG);
	call = standard_call();
	call.id = "msg_p5jXN8AQM9LWM0D4loKWxJel";
	check(&standard, &call, WEBHOOK_WRONG);
	call = standard_call();
	check(&own, &call, WEBHOOK_WRONG);
}

static void
test_standard_has_a_time(void **state)
{
	static const struct {
		const char *timestamp;
		usec_t now;
		enum webhook_verdict verdict;
	} rows[] = {
		{ "1614265330", NOW + 300 * USEC_SECOND, WEBHOOK_GOOD },
		{ "1614265330", NOW + 301 * USEC_SECOND, WEBHOOK_OUT_OF_TIME },
		{ "1614265330", NOW - 300 * USEC_SECOND, WEBHOOK_GOOD },
		{ "1614265330", NOW - 301 * USEC_SECOND, WEBHOOK_OUT_OF_TIME },
		{ "1614265331", NOW, WEBHOOK_WRONG },
		{ "01614265330", NOW, WEBHOOK_WRONG },
		{ "", NOW, WEBHOOK_UNSIGNED },
		{ "1614265330.0", NOW, WEBHOOK_UNSIGNED },
		{ "+1614265330", NOW, WEBHOOK_UNSIGNED },
		{ "9999999999999999999999", NOW, WEBHOOK_UNSIGNED },
		{ NULL, NOW, WEBHOOK_UNSIGNED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct webhook_call call = standard_call();

		call.timestamp = rows[i].timestamp;
		call.now = rows[i].now;
		check(&standard, &call, rows[i].verdict);
	}
}

static void
test_standard_is_whole(void **state)
{
	char id[WEBHOOK_ID_MAX + 2];
	struct webhook_call call = standard_call();

	(void)state;
	call.id = NULL;
	check(&standard, &call, WEBHOOK_UNSIGNED);
	call.id = "";
	check(&standard, &call, WEBHOOK_UNSIGNED);
	memset(id, 'x', sizeof id);
	id[WEBHOOK_ID_MAX + 1] = '\0';
	call.id = id;
	check(&standard, &call, WEBHOOK_UNSIGNED);
	call = standard_call();
	call.signature = "";
	check(&standard, &call, WEBHOOK_UNSIGNED);
	call.signature = "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
	check(&standard, &call, WEBHOOK_UNSIGNED);
	call.signature = "v1,short";
	check(&standard, &call, WEBHOOK_UNSIGNED);
	/* More signatures than are looked at: the good one is past them. */
	call.signature = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			 "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			 "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			 "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			 "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			 "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			 "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			 "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			 "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			 "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= " OF_STANDARD;
	check(&standard, &call, WEBHOOK_WRONG);
}

static void
test_github(void **state)
{
	struct webhook_call call = github_call();

	(void)state;
	check(&github, &call, WEBHOOK_GOOD);
	call.github_signature =
	    "sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17";
	check(&github, &call, WEBHOOK_GOOD);
	call.github_signature =
	    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18";
	check(&github, &call, WEBHOOK_WRONG);
	call.github_signature =
	    "sha1=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
	check(&github, &call, WEBHOOK_UNSIGNED);
	call.github_signature = "sha256=";
	check(&github, &call, WEBHOOK_UNSIGNED);
	call.github_signature = NULL;
	check(&github, &call, WEBHOOK_UNSIGNED);
}

/* What was signed with its time is not taken as a body without one. */
static void
test_one_form_is_not_another(void **state)
{
	struct webhook_call call = { .github_signature = OF_OURS,
				     .body = "1614265330.{\"a\":1}",
				     .body_len = strlen("1614265330.{\"a\":1}"),
				     .now = NOW };

	(void)state;
	check(&own, &call, WEBHOOK_WRONG);
	call.body = "msg_1.1614265330.{}";
	call.body_len = strlen(call.body);
	check(&own, &call, WEBHOOK_WRONG);
}

static void
test_ours(void **state)
{
	struct webhook_call call = own_call();

	(void)state;
	check(&own, &call, WEBHOOK_GOOD);
	call.now += 301 * USEC_SECOND;
	check(&own, &call, WEBHOOK_OUT_OF_TIME);
	call = own_call();
	call.own_timestamp = NULL;
	check(&own, &call, WEBHOOK_UNSIGNED);
	call.own_timestamp = "1614265331";
	check(&own, &call, WEBHOOK_WRONG);
}

static void
test_bearer(void **state)
{
	struct webhook_call call = { .authorization = "Bearer hush", .body = "" };
	struct webhook_call signed_call = own_call();

	(void)state;
	check(&bearer, &call, WEBHOOK_GOOD);
	call.authorization = "Bearer hus";
	check(&bearer, &call, WEBHOOK_WRONG);
	call.authorization = "Basic hush";
	check(&bearer, &call, WEBHOOK_WRONG);
	call.authorization = NULL;
	check(&bearer, &call, WEBHOOK_UNSIGNED);
	check(&bearer, &signed_call, WEBHOOK_UNSIGNED);
	call.authorization = "Bearer hush";
	check(&own, &call, WEBHOOK_UNSIGNED);
}

static void
test_secrets_elsewhere(void **state)
{
	char *names[] = { "env:STEPMILL_TEST_HUSH", "env:STEPMILL_TEST_NONE" };
	struct trigger_webhook named = { .path = "e",
					 .auth = TRIGGER_AUTH_BEARER,
					 .secrets = { names, 2 } };
	struct webhook_call call = { .authorization = "Bearer hush", .body = "" };
	struct webhook_claim claim;
	struct err err = { 0 };

	(void)state;
	unsetenv("STEPMILL_TEST_HUSH");
	assert_int_equal(webhook_check(&named, &call, &claim, &err), WEBHOOK_WRONG);
	assert_int_equal(err.kind, ERR_SYSTEM);
	setenv("STEPMILL_TEST_HUSH", "hush", 1);
	check(&named, &call, WEBHOOK_GOOD);
}

static void
check_delivery(const struct trigger_webhook *webhook, const struct webhook_call *call,
	       const char *expected)
{
	struct webhook_claim claim;
	struct buf id = { 0 };
	struct err err = { 0 };

	assert_int_equal(webhook_check(webhook, call, &claim, &err), WEBHOOK_GOOD);
	assert_int_equal(webhook_delivery(call, &claim, &id), expected != NULL);
	assert_string_equal(buf_text(&id), expected != NULL ? expected : "");
	buf_fini(&id);
	webhook_claim_fini(&claim);
}

static void
test_deliveries(void **state)
{
	struct webhook_call call = standard_call();

	(void)state;
	call.github_delivery = call.idempotency_key = "other";
	check_delivery(&standard, &call, "msg_p5jXN8AQM9LWM0D4loKWxJek");
	call = github_call();
	call.id = "other";
	check_delivery(&github, &call, "72d3162e");
	call.github_delivery = NULL;
	check_delivery(&github, &call, strchr(OF_GITHUB, '=') + 1);
	call = own_call();
	call.id = call.github_delivery = "other";
	check_delivery(&own, &call, strchr(OF_OURS, '=') + 1);
	call = (struct webhook_call){ .authorization = "Bearer hush", .body = "" };
	check_delivery(&bearer, &call, NULL);
	call.idempotency_key = "k";
	check_delivery(&bearer, &call, "k");
	call.id = "i";
	check_delivery(&bearer, &call, "i");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standard),
		cmocka_unit_test(test_standard_has_a_time),
		cmocka_unit_test(test_standard_is_whole),
		cmocka_unit_test(test_github),
		cmocka_unit_test(test_one_form_is_not_another),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_bearer),
		cmocka_unit_test(test_secrets_elsewhere),
		cmocka_unit_test(test_deliveries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
