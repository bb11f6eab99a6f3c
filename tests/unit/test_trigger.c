/* Triggers of a file: what is read, what they make of a payload, what is masked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "conf/yaml.h"
#include "engine/workflow.h"

static const char file[] =
    "name: x\n"
    "trigger:\n"
    "  - manual\n"
    "  - every 5 minutes\n"
    "  - { cron: 0 9 * * MON-FRI, timezone: Europe/Berlin, maxRuns: 3, catchUp: all,\n"
    "      activeHours: { start: '22:00', end: '06:00', daysOfWeek: [5, 0, 1, 5] },\n"
    "      overlap: allow, jitterMs: 250, input: { a: '{{b}}' } }\n"
    "  - webhook: { path: git/push, auth: { hmacSha256: [hush, env:OLD] },\n"
    "      when: \"trigger.headers['x-github-event'] == 'push'\" }\n"
    "  - webhook: { path: open, auth: none, input: { who: '{{trigger.query.who}}' } }\n"
    "  - webhook: { path: b, auth: { bearer: quiet }, input: '{{trigger.body.x}}' }\n"
    "  - event: { source: shop, type: order.paid, when: trigger.data.total > 10 }\n"
    "  - event: { type: run.failed }\n"
    "  - fileWatch: { paths: inbox, patterns: ['*.csv', '!tmp*'], debounce: 2s }\n"
    "  - fileWatch: { paths: [., a/b] }\n"
    "steps: [{ id: a, action: noop }]\n";

static struct workflow *
read_text(const char *text)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(text, strlen(text), &problems);
	struct workflow *workflow = doc ? workflow_read(doc, &problems) : NULL;

	if (workflow == NULL)
		fail_msg("%s", problem_text(&problems, 0));
	doc_free(&doc);
	problems_fini(&problems);
	return workflow;
}

static struct json *
json_of(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return json;
}

static void
test_schedules(void **state)
{
	struct workflow *workflow = read_text(file);
	const struct trigger_def *trigger = workflow->triggers;

	(void)state;
	assert_int_equal(workflow->triggers_count, 9);
	assert_int_equal(trigger->place, 1);
	assert_int_equal(trigger->kind, TRIGGER_CRON);
	assert_string_equal(trigger->cron.text, "every 5 minutes");
	assert_null(trigger->cron.zone);
	assert_null(trigger->cron.start);
	assert_int_equal(trigger->cron.max_runs, 0);
	assert_string_equal(trigger->cron.catch_up, "last");
	assert_string_equal(trigger->cron.overlap, "skip");
	assert_null(trigger->cron.input);
	trigger++;
	assert_int_equal(trigger->place, 2);
	assert_string_equal(trigger->cron.text, "0 9 * * MON-FRI");
	assert_string_equal(trigger->cron.zone, "Europe/Berlin");
	assert_string_equal(trigger->cron.start, "22:00");
	assert_string_equal(trigger->cron.end, "06:00");
	assert_int_equal(trigger->cron.days_count, 3);
	assert_int_equal(trigger->cron.days[0], 1);
	assert_int_equal(trigger->cron.days[1], 5);
	assert_int_equal(trigger->cron.days[2], 7);
	assert_int_equal(trigger->cron.max_runs, 3);
	assert_string_equal(trigger->cron.catch_up, "all");
	assert_string_equal(trigger->cron.overlap, "allow");
	assert_int_equal(trigger->cron.jitter, 250 * USEC_MS);
	assert_string_equal(json_str(json_get(trigger->cron.input, "a")), "{{b}}");
	workflow_free(&workflow);
}

static void
test_others(void **state)
{
	struct workflow *workflow = read_text(file);
	const struct trigger_def *trigger = workflow->triggers + 2;

	(void)state;
	assert_ptr_equal(trigger_webhook(workflow, "git/push"), trigger);
	assert_null(trigger_webhook(workflow, "git"));
	assert_int_equal(trigger[0].webhook.auth, TRIGGER_AUTH_HMAC);
	assert_int_equal(trigger[0].webhook.secrets.count, 2);
	assert_string_equal(trigger[0].webhook.secrets.list[1], "env:OLD");
	assert_int_equal(trigger[1].webhook.auth, TRIGGER_AUTH_NONE);
	assert_int_equal(trigger[2].webhook.auth, TRIGGER_AUTH_BEARER);
	assert_string_equal(trigger[3].event.source, "shop");
	assert_string_equal(trigger[3].event.type, "order.paid");
	assert_null(trigger[4].event.source);
	assert_int_equal(trigger[5].watch.paths.count, 1);
	assert_int_equal(trigger[5].watch.patterns.count, 2);
	assert_string_equal(trigger[5].watch.patterns.list[1], "!tmp*");
	assert_int_equal(trigger[5].watch.debounce, 2 * USEC_SECOND);
	assert_int_equal(trigger[6].watch.paths.count, 2);
	assert_int_equal(trigger[6].watch.debounce, 500 * USEC_MS);
	workflow_free(&workflow);
}

static void
check_applies(const struct trigger_def *trigger, const char *payload, int expected)
{
	struct json *json = json_of(payload);
	struct err err = { 0 };
	bool applies = false;
	int result = trigger_applies(trigger, json, &applies, &err);

	assert_int_equal(result < 0 ? -1 : applies, expected);
	json_unref(&json);
}

static void
test_when(void **state)
{
	struct workflow *workflow = read_text(file);
	const struct trigger_def *trigger = workflow->triggers;

	(void)state;
	check_applies(&trigger[2], "{\"headers\":{\"x-github-event\":\"push\"}}", 1);
	check_applies(&trigger[2], "{\"headers\":{\"x-github-event\":\"ping\"}}", 0);
	check_applies(&trigger[2], "{\"headers\":{}}", -1);
	check_applies(&trigger[3], "{}", 1);
	check_applies(&trigger[5], "{\"data\":{\"total\":11}}", 1);
	check_applies(&trigger[5], "{\"data\":{\"total\":\"x\"}}", -1);
	workflow_free(&workflow);
}

static void
check_input(const struct trigger_def *trigger, const char *payload,
	    const char *expected)
{
	struct json *json = json_of(payload), *input;
	struct err err = { 0 };
	char *text;

	input = trigger_input(trigger, json, &err);
	text = input != NULL ? json_text(input) : NULL;
	assert_string_equal(text != NULL ? text : err.text, expected);
	free(text);
	json_unref(&input);
	json_unref(&json);
}

static void
test_input(void **state)
{
	struct workflow *workflow = read_text(file);
	const struct trigger_def *trigger = workflow->triggers;

	(void)state;
	check_input(&trigger[2], "{\"body\":{\"a\":1}}", "{\"a\":1}");
	check_input(&trigger[2], "{\"body\":\"text\"}", "{}");
	check_input(&trigger[3], "{\"query\":{\"who\":\"me\"}}", "{\"who\":\"me\"}");
	check_input(&trigger[3], "{}",
		    "trigger[4].input: who: \"trigger.query.who\" 1:9: no such key: "
		    "\"query\"");
	check_input(&trigger[4], "{\"body\":{\"x\":{\"b\":2}}}", "{\"b\":2}");
	check_input(&trigger[4], "{\"body\":{\"x\":[1]}}",
		    "trigger[5].input: expected an object, got array");
	check_input(&trigger[6], "{\"data\":{\"id\":7}}", "{\"id\":7}");
	check_input(&trigger[6], "{\"data\":null}", "{}");
	check_input(&trigger[7], "{\"path\":\"inbox/a.csv\"}",
		    "{\"path\":\"inbox/a.csv\"}");
	workflow_free(&workflow);
}

static void
test_secrets(void **state)
{
	struct workflow *workflow = read_text(file);
	char *shown = json_text(workflow->config);
	struct buf secrets = { 0 };

	(void)state;
	assert_null(strstr(shown, "hush"));
	assert_null(strstr(shown, "quiet"));
	assert_non_null(strstr(shown, "{\"hmacSha256\":[\"***\",\"env:OLD\"]}"));
	assert_non_null(strstr(shown, "{\"bearer\":\"***\"}"));
	trigger_add_secrets(workflow, &secrets);
	assert_int_equal(secrets.len, sizeof "hush\0env:OLD\0quiet");
	assert_memory_equal(secrets.data, "hush\0env:OLD\0quiet", secrets.len);
	buf_fini(&secrets);
	free(shown);
	workflow_free(&workflow);
}

static void
test_alone(void **state)
{
	struct workflow *workflow;

	(void)state;
	workflow = read_text("name: x\ntrigger: { webhook: { path: a, auth: { bearer: "
			     "hush } } }\nsteps: [{ id: a, action: noop }]\n");
	assert_int_equal(workflow->triggers_count, 1);
	assert_int_equal(workflow->triggers[0].place, 0);
	assert_string_equal(
	    json_str(json_get(
		json_get(json_get(json_get(workflow->config, "trigger"), "webhook"),
			 "auth"),
		"bearer")),
	    "***");
	workflow_free(&workflow);
	workflow = read_text("name: x\ntrigger: [manual]\n"
			     "steps: [{ id: a, action: noop }]\n");
	assert_int_equal(workflow->triggers_count, 0);
	workflow_free(&workflow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedules), cmocka_unit_test(test_others),
		cmocka_unit_test(test_when),      cmocka_unit_test(test_input),
		cmocka_unit_test(test_secrets),   cmocka_unit_test(test_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
