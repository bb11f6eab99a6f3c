/* The table of events and messages, each place of it, and each field of each message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/status.h"
#include "front/dialect_core.h"

#define RUN  "0190a000-0000-7000-8000-000000000001"
#define FLOW "0190a000-0000-7000-8000-000000000002"
#define STEP RUN ":3"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (text != NULL && json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s in %s", err.text, text);
	return json;
}

/* What there is to know of an event, as text; NULL: as usual, or nothing. */
struct told {
	const char *type, *payload, *run, *row, *approval;
};

#define STEP_PAYLOAD                                                                   \
	"\"stepId\":\"" STEP "\",\"stepNumber\":3,\"stepKey\":\"draft\","              \
	"\"name\":\"Write a draft\",\"action\":\"model\""
#define RUN_DOC(status, more)                                                          \
	"{\"executionId\":\"" RUN "\",\"runId\":\"notes-42\",\"workflowId\":\"" FLOW   \
	"\",\"workflowName\":\"notes\",\"triggeredBy\":\"cron\",\"status\":\"" status  \
	"\",\"currentWorkflowStepId\":\"" STEP "\",\"currentStepKey\":\"draft\"" more  \
	"}"

static struct json *
encode(enum dialect dialect, struct told told, const char *status)
{
	struct json *event = json_new_object();
	struct json *run = parse(told.run ? told.run : RUN_DOC("running", ""));
	struct json *row = parse(told.row), *approval = parse(told.approval);
	struct json *body = parse(status), *out = json_new_array();

	json_set(event, "seq", json_new_int(7));
	json_set(event, "at", json_new_str("2026-01-31T09:00:00.000Z"));
	json_set(event, "type", json_new_str(told.type));
	json_set(event, "payload", parse(told.payload ? told.payload : "{}"));
	dialect_encode(dialect,
		       &(struct feed_event){ .seq = 7,
					     .type = told.type,
					     .event = event,
					     .run_doc = run,
					     .row = row,
					     .approval = approval },
		       body, out);
	json_unref(&event);
	json_unref(&run);
	json_unref(&row);
	json_unref(&approval);
	json_unref(&body);
	return out;
}

static void
expect(struct json *messages, const char *text)
{
	struct json *wanted = parse(text);

	if (!json_equal(messages, wanted)) {
		char *got = json_text(messages);

		fail_msg("got    %s\nwanted %s", got, text);
		free(got);
	}
	json_unref(&wanted);
	json_unref(&messages);
}

/* ---- every place of the table ---- */

static const struct {
	enum event_type type;
	const char *by[DIALECTS]; /* types of the messages, in order */
} table[] = {
#define STATUS  "workflow.status"
#define REQUEST "workflow.approval.request"
#define UPDATED "workflow:step:updated"
#define ENDED   "workflow:execution:completed"
	{ EVENT_RUN_STARTED,
	  { STATUS, "workflow:execution:started", "WorkflowRunStarted" } },
	{ EVENT_STEP_STARTED, { STATUS, UPDATED, "WorkflowStepStarted" } },
	{ EVENT_STEP_COMPLETED, { STATUS, UPDATED, "WorkflowStepCompleted" } },
	{ EVENT_STEP_FAILED, { STATUS, UPDATED, "WorkflowStepFailed" } },
	{ EVENT_STEP_WAITING, { "", UPDATED, "" } },
	{ EVENT_STEP_SKIPPED, { "", UPDATED, "" } },
	{ EVENT_STEP_CANCELLED, { "", UPDATED, "" } },
	{ EVENT_APPROVAL_REQUESTED, { REQUEST, UPDATED " " REQUEST, "" } },
	{ EVENT_APPROVAL_DECIDED, { "", UPDATED, "" } },
	{ EVENT_RUN_PAUSED, { STATUS, UPDATED, "WorkflowRunPaused" } },
	{ EVENT_RUN_RESUMED, { STATUS, UPDATED, "" } },
	{ EVENT_RUN_RECOVERED, { STATUS, UPDATED, "" } },
	{ EVENT_COMMENT_ADDED, { "", "workflow:comment:added", "" } },
	{ EVENT_AGENT_UPDATED, { "", "workflow:agent:updated", "" } },
	{ EVENT_ARTIFACT_CREATED, { "", "workflow:artifact:created", "" } },
	{ EVENT_RUN_COMPLETED, { STATUS, ENDED, "WorkflowRunCompleted" } },
	{ EVENT_RUN_FAILED, { STATUS, ENDED, "WorkflowRunFailed" } },
	{ EVENT_RUN_CANCELLED, { STATUS, ENDED, "WorkflowRunFailed" } },
	{ EVENT_RUN_TIMED_OUT, { STATUS, ENDED, "WorkflowRunFailed" } },
	{ EVENT_RUN_CRASHED, { STATUS, ENDED, "WorkflowRunFailed" } },
};

static void
test_each_place_of_the_table(void **state)
{
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const char *type = event_type_name(table[i].type);

		seen |= (size_t)1 << table[i].type;
		for (int dialect = 0; dialect < DIALECTS; dialect++) {
			struct json *messages = encode(
			    (enum dialect)dialect, (struct told){ .type = type }, NULL);
			struct buf types = { 0 };

			for (size_t k = 0; k < json_count(messages); k++)
				buf_printf(
				    &types, "%s%s", k > 0 ? " " : "",
				    json_str(json_get(json_at(messages, k), "type")));
			assert_string_equal(buf_text(&types), table[i].by[dialect]);
			assert_int_equal(dialect_speaks((enum dialect)dialect, type),
					 types.len > 0);
			buf_fini(&types);
			json_unref(&messages);
		}
		assert_int_equal(dialect_wants_status(type),
				 strcmp(table[i].by[DIALECT_STATUS], STATUS) == 0);
	}
	/* No event is forgotten. */
	assert_int_equal(seen, ((size_t)1 << EVENT_TYPES) - 2);
}

static void
test_an_event_of_a_newer_program_says_nothing(void **state)
{
	(void)state;
	for (int dialect = 0; dialect < DIALECTS; dialect++) {
		expect(encode((enum dialect)dialect, (struct told){ .type = "unknown" },
			      NULL),
		       "[]");
		assert_false(dialect_speaks((enum dialect)dialect, "unknown"));
	}
}

/* ---- workflow.* ---- */

static void
test_the_status_is_the_body_that_was_looked_up(void **state)
{
	(void)state;
	expect(encode(DIALECT_STATUS, (struct told){ .type = "step.completed" },
		      "{\"executionId\":\"" RUN "\",\"workflowId\":\"" FLOW
		      "\",\"status\":\"paused\",\"stepResults\":{\"draft\":"
		      "{\"status\":\"success\",\"output\":[1]}}}"),
	       "[{\"type\":\"workflow.status\",\"executionId\":\"" RUN
	       "\",\"workflowId\":\"" FLOW "\",\"status\":\"paused\",\"stepResults\":"
	       "{\"draft\":{\"status\":\"success\",\"output\":[1]}}}]");
}

static void
test_a_status_without_a_body_is_one_of_four(void **state)
{
	static const char *const four[RUN_STATUSES][2] = {
		[RUN_PENDING] = { "running", NULL },
		[RUN_RUNNING] = { "running", NULL },
		[RUN_PAUSED] = { "paused", NULL },
		[RUN_COMPLETED] = { "completed", NULL },
		[RUN_FAILED] = { "failed", NULL },
		[RUN_CANCELLED] = { "failed", "cancelled" },
		[RUN_TIMED_OUT] = { "failed", "timed_out" },
		[RUN_CRASHED] = { "failed", "crashed" },
	};

	(void)state;
	for (int i = 0; i < RUN_STATUSES; i++) {
		struct buf run = { 0 }, wanted = { 0 };

		buf_printf(&run,
			   "{\"executionId\":\"" RUN "\",\"workflowId\":\"" FLOW
			   "\",\"status\":\"%s\",\"currentStepKey\":\"draft\"}",
			   run_status_name((enum run_status)i));
		buf_printf(&wanted,
			   "[{\"type\":\"workflow.status\",\"executionId\":\"" RUN
			   "\",\"workflowId\":\"" FLOW "\",\"status\":\"%s\"",
			   four[i][0]);
		if (four[i][1] != NULL)
			buf_printf(&wanted, ",\"reason\":\"%s\"", four[i][1]);
		buf_str(&wanted, ",\"currentStepId\":\"draft\"}]");
		expect(encode(DIALECT_STATUS,
			      (struct told){ .type = "run.resumed", .run = run.data },
			      NULL),
		       wanted.data);
		buf_fini(&run);
		buf_fini(&wanted);
	}
}

static void
test_an_approval_is_asked_for(void **state)
{
	struct told told = { .type = "approval.requested",
			     .payload = "{" STEP_PAYLOAD "}",
			     .approval = "{\"stepKey\":\"draft\",\"prompt\":\"Send?\","
					 "\"args\":{\"to\":\"all\"}}" };

	(void)state;
	expect(encode(DIALECT_STATUS, told, NULL),
	       "[{\"type\":\"workflow.approval.request\",\"executionId\":\"" RUN
	       "\",\"workflowId\":\"" FLOW "\",\"stepId\":\"draft\","
	       "\"stepDescription\":\"Send?\",\"args\":{\"to\":\"all\"}}]");
	/* without a prompt the step's name, and no args where there are none */
	told.approval = "{\"stepKey\":\"draft\",\"prompt\":\"\",\"args\":null}";
	expect(encode(DIALECT_STATUS, told, NULL),
	       "[{\"type\":\"workflow.approval.request\",\"executionId\":\"" RUN
	       "\",\"workflowId\":\"" FLOW "\",\"stepId\":\"draft\","
	       "\"stepDescription\":\"Write a draft\"}]");
	told.approval = NULL; /* the row is gone */
	expect(encode(DIALECT_STATUS, told, NULL),
	       "[{\"type\":\"workflow.approval.request\",\"executionId\":\"" RUN
	       "\",\"workflowId\":\"" FLOW "\",\"stepId\":\"draft\","
	       "\"stepDescription\":\"Write a draft\"}]");
}

/* ---- workflow:* ---- */

#define HEAD(type)                                                                     \
	"{\"type\":\"" type "\",\"executionId\":\"" RUN "\",\"seq\":7,"                \
	"\"at\":\"2026-01-31T09:00:00.000Z\""
#define NAMES     ",\"stepId\":\"" STEP "\",\"stepKey\":\"draft\""
#define AT_STATUS ",\"current_workflow_step_id\":\"" STEP "\",\"status\":"

static void
test_a_step_in_the_colon_dialect(void **state)
{
	static const char *const types[] = { "step.started",    "step.completed",
					     "step.failed",     "step.waiting",
					     "step.skipped",    "step.cancelled",
					     "approval.decided" };

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		expect(encode(DIALECT_COLON,
			      (struct told){ .type = types[i],
					     .payload = "{" STEP_PAYLOAD "}",
					     .row = "{\"id\":\"" STEP
						    "\",\"status\":\"RUNNING\"}" },
			      NULL),
		       "[" HEAD("workflow:step:updated") NAMES AT_STATUS
		       "\"RUNNING\",\"step\":{\"id\":\"" STEP
		       "\",\"status\":\"RUNNING\"}}]");
}

static void
test_a_request_comes_with_its_step(void **state)
{
	(void)state;
	expect(encode(DIALECT_COLON,
		      (struct told){ .type = "approval.requested",
				     .payload = "{" STEP_PAYLOAD "}",
				     .run = RUN_DOC("paused", ""),
				     .row = "{\"status\":\"WAITING_APPROVAL\"}",
				     .approval = "{\"prompt\":\"Send?\"}" },
		      NULL),
	       "[" HEAD("workflow:step:updated") NAMES AT_STATUS
	       "\"PAUSED\",\"step\":{\"status\":\"WAITING_APPROVAL\"}},"
	       "{\"type\":\"workflow.approval.request\",\"executionId\":\"" RUN
	       "\",\"workflowId\":\"" FLOW "\",\"stepId\":\"draft\","
	       "\"stepDescription\":\"Send?\"}]");
}

static void
test_a_run_in_the_colon_dialect(void **state)
{
	static const struct {
		enum event_type type;
		const char *run, *status;
	} ends[] = {
		{ EVENT_RUN_COMPLETED, RUN_DOC("completed", ""), "COMPLETED" },
		{ EVENT_RUN_FAILED, RUN_DOC("failed", ""), "FAILED" },
		{ EVENT_RUN_CANCELLED, RUN_DOC("cancelled", ""), "CANCELLED" },
		{ EVENT_RUN_TIMED_OUT, RUN_DOC("timed_out", ""), "TIMED_OUT" },
		{ EVENT_RUN_CRASHED, RUN_DOC("crashed", ""), "CRASHED" },
	};

	(void)state;
	expect(encode(DIALECT_COLON,
		      (struct told){ .type = "run.started", .row = "{\"id\":1}" },
		      NULL),
	       "[" HEAD("workflow:execution:started") AT_STATUS
	       "\"RUNNING\",\"execution\":{\"id\":1}}]");
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct buf wanted = { 0 };

		buf_printf(&wanted,
			   "[" HEAD("workflow:execution:completed") AT_STATUS
			   "\"%s\",\"execution\":{\"id\":1}}]",
			   ends[i].status);
		expect(encode(DIALECT_COLON,
			      (struct told){ .type = event_type_name(ends[i].type),
					     .run = ends[i].run,
					     .row = "{\"id\":1}" },
			      NULL),
		       wanted.data);
		buf_fini(&wanted);
	}
}

static void
test_pause_and_resume_tell_the_current_step(void **state)
{
	static const char *const types[] = { "run.paused", "run.resumed",
					     "run.recovered" };

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		expect(encode(DIALECT_COLON,
			      (struct told){ .type = types[i],
					     .run = RUN_DOC("paused", ""),
					     .row = "{\"current_step\":{\"a\":1}}" },
			      NULL),
		       "[" HEAD("workflow:step:updated") NAMES AT_STATUS
		       "\"PAUSED\",\"step\":{\"a\":1},"
		       "\"execution\":{\"current_step\":{\"a\":1}}}]");
	/* nothing has started yet */
	expect(encode(DIALECT_COLON,
		      (struct told){ .type = "run.paused",
				     .run = "{\"executionId\":\"" RUN
					    "\",\"status\":\"paused\"}",
				     .row = "{\"current_step\":null}" },
		      NULL),
	       "[" HEAD(
		   "workflow:step:updated") ",\"status\":\"PAUSED\","
					    "\"current_workflow_step_id\":null,"
					    "\"execution\":{\"current_step\":null}}]");
}

static void
test_additions(void **state)
{
	static const struct {
		const char *event, *message, *key;
	} kinds[] = {
		{ "comment.added", "workflow:comment:added", "comment" },
		{ "artifact.created", "workflow:artifact:created", "artifact" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct buf wanted = { 0 };

		buf_printf(&wanted,
			   "[{\"type\":\"%s\",\"executionId\":\"" RUN
			   "\",\"seq\":7,\"at\":\"2026-01-31T09:00:00.000Z\"" NAMES
			   ",\"%s\":{\"type\":\"LOG_FILE\"}}]",
			   kinds[i].message, kinds[i].key);
		expect(encode(DIALECT_COLON,
			      (struct told){ .type = kinds[i].event,
					     .payload = "{" STEP_PAYLOAD "}",
					     .row = "{\"type\":\"LOG_FILE\"}" },
			      NULL),
		       wanted.data);
		buf_fini(&wanted);
	}
	/* of the run, not of a step, and deleted meanwhile */
	expect(encode(DIALECT_COLON, (struct told){ .type = "comment.added" }, NULL),
	       "[" HEAD("workflow:comment:added") "}]");
	expect(encode(DIALECT_COLON,
		      (struct told){ .type = "agent.updated",
				     .payload = "{\"stepKey\":\"draft\",\"usage\":1}",
				     .row = "{\"id\":\"" STEP "\"}" },
		      NULL),
	       "[" HEAD("workflow:agent:updated") ",\"stepKey\":\"draft\","
						  "\"session\":{\"stepKey\":\"draft\","
						  "\"usage\":1}}]");
}

/* ---- Workflow* ---- */

static void
test_runs_in_the_camel_dialect(void **state)
{
	(void)state;
	expect(encode(DIALECT_CAMEL, (struct told){ .type = "run.started" }, NULL),
	       "[{\"type\":\"WorkflowRunStarted\",\"seq\":7,\"run_id\":\"" RUN
	       "\",\"workflow_name\":\"notes\",\"trigger_type\":\"cron\"}]");
	expect(
	    encode(DIALECT_CAMEL,
		   (struct told){ .type = "run.completed",
				  .run = RUN_DOC("completed", ",\"durationMs\":1200,"
							      "\"stepsCompleted\":4") },
		   NULL),
	    "[{\"type\":\"WorkflowRunCompleted\",\"seq\":7,\"run_id\":\"" RUN
	    "\",\"workflow_name\":\"notes\",\"duration_ms\":1200,"
	    "\"steps_completed\":4}]");
}

static void
test_the_error_of_a_run_says_which(void **state)
{
	static const struct {
		const char *type, *more, *error;
	} ends[] = {
		{ "run.failed", ",\"error\":{\"code\":\"x\",\"message\":\"no\"}",
		  "no" },
		{ "run.failed", "", "failed" },
		{ "run.cancelled", ",\"error\":{\"message\":\"no\"}", "cancelled: no" },
		{ "run.timed_out", "", "timed_out" },
		{ "run.crashed", ",\"error\":\"text\"", "crashed: text" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct buf run = { 0 }, wanted = { 0 };

		buf_printf(&run, RUN_DOC("failed", "%s"), ends[i].more);
		buf_printf(&wanted,
			   "[{\"type\":\"WorkflowRunFailed\",\"seq\":7,"
			   "\"run_id\":\"" RUN "\",\"workflow_name\":\"notes\","
			   "\"error\":\"%s\"}]",
			   ends[i].error);
		expect(encode(DIALECT_CAMEL,
			      (struct told){ .type = ends[i].type, .run = run.data },
			      NULL),
		       wanted.data);
		buf_fini(&run);
		buf_fini(&wanted);
	}
}

static void
test_why_a_run_paused(void **state)
{
	static const struct {
		const char *payload, *approval, *step, *reason;
	} cases[] = {
		{ "{\"reason\":\"approval\"}", "{\"stepKey\":\"publish\"}", "publish",
		  "approval" },
		{ "{\"reason\":\"approval\"}", NULL, "draft", "approval" },
		{ "{\"reason\":\"asked for\",\"by\":\"ada\"}", NULL, "", "paused" },
		{ "{}", NULL, "", "paused" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf wanted = { 0 };

		buf_printf(&wanted,
			   "[{\"type\":\"WorkflowRunPaused\",\"seq\":7,"
			   "\"run_id\":\"" RUN "\",\"step_id\":\"%s\","
			   "\"reason\":\"%s\"}]",
			   cases[i].step, cases[i].reason);
		expect(encode(DIALECT_CAMEL,
			      (struct told){ .type = "run.paused",
					     .payload = cases[i].payload,
					     .run = RUN_DOC("paused", ""),
					     .approval = cases[i].approval },
			      NULL),
		       wanted.data);
		buf_fini(&wanted);
	}
}

#define CAMEL_STEP(type)                                                               \
	"[{\"type\":\"" type "\",\"seq\":7,\"run_id\":\"" RUN                          \
	"\",\"step_id\":\"draft\",\"step_name\":\"Write a draft\""

static void
test_steps_in_the_camel_dialect(void **state)
{
	(void)state;
	expect(encode(DIALECT_CAMEL,
		      (struct told){ .type = "step.started",
				     .payload = "{" STEP_PAYLOAD "}" },
		      NULL),
	       CAMEL_STEP("WorkflowStepStarted") ",\"step_type\":\"model\"}]");
	expect(
	    encode(DIALECT_CAMEL,
		   (struct told){ .type = "step.completed",
				  .payload = "{" STEP_PAYLOAD ",\"durationMs\":31}" },
		   NULL),
	    CAMEL_STEP("WorkflowStepCompleted") ",\"duration_ms\":31}]");
	expect(encode(DIALECT_CAMEL,
		      (struct told){ .type = "step.failed",
				     .payload = "{" STEP_PAYLOAD
						",\"error\":{\"message\":\"no\"},"
						"\"willRetry\":true}" },
		      NULL),
	       CAMEL_STEP("WorkflowStepFailed") ",\"error\":\"no\","
						"\"will_retry\":true}]");
	expect(encode(DIALECT_CAMEL,
		      (struct told){ .type = "step.failed",
				     .payload = "{" STEP_PAYLOAD "}" },
		      NULL),
	       CAMEL_STEP("WorkflowStepFailed") ",\"error\":null,"
						"\"will_retry\":false}]");
}

/* ---- large outputs ---- */

/* As JSON text it has two quotes more. */
static struct json *
encode_output(size_t len, const char *format)
{
	struct buf row = { 0 };
	struct json *messages;
	char *text = malloc(len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	buf_printf(&row, format, text);
	messages =
	    encode(DIALECT_COLON,
		   (struct told){ .type = "run.completed", .row = row.data }, NULL);
	free(text);
	buf_fini(&row);
	return messages;
}

static void
test_a_large_output_is_left_out(void **state)
{
	static const char own[] = "{\"id\":1,\"output\":\"%s\"}";
	static const char inner[] = "{\"current_step\":{\"id\":2,\"output\":\"%s\"}}";
	struct json *messages, *row;

	(void)state;
	messages = encode_output(DIALECT_OUTPUT_MAX - 2, own);
	row = json_get(json_at(messages, 0), "execution");
	assert_int_equal(json_str_len(json_get(row, "output")), DIALECT_OUTPUT_MAX - 2);
	assert_false(json_has(row, "outputTruncated"));
	json_unref(&messages);

	messages = encode_output(DIALECT_OUTPUT_MAX - 1, own);
	row = json_get(json_at(messages, 0), "execution");
	assert_false(json_has(row, "output"));
	assert_true(json_bool(json_get(row, "outputTruncated")));
	assert_int_equal(json_int(json_get(row, "id")), 1);
	json_unref(&messages);

	messages = encode_output(DIALECT_OUTPUT_MAX - 1, inner);
	row = json_get(json_get(json_at(messages, 0), "execution"), "current_step");
	assert_false(json_has(row, "output"));
	assert_true(json_bool(json_get(row, "outputTruncated")));
	assert_int_equal(json_int(json_get(row, "id")), 2);
	json_unref(&messages);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_place_of_the_table),
		cmocka_unit_test(test_an_event_of_a_newer_program_says_nothing),
		cmocka_unit_test(test_the_status_is_the_body_that_was_looked_up),
		cmocka_unit_test(test_a_status_without_a_body_is_one_of_four),
		cmocka_unit_test(test_an_approval_is_asked_for),
		cmocka_unit_test(test_a_step_in_the_colon_dialect),
		cmocka_unit_test(test_a_request_comes_with_its_step),
		cmocka_unit_test(test_a_run_in_the_colon_dialect),
		cmocka_unit_test(test_pause_and_resume_tell_the_current_step),
		cmocka_unit_test(test_additions),
		cmocka_unit_test(test_runs_in_the_camel_dialect),
		cmocka_unit_test(test_the_error_of_a_run_says_which),
		cmocka_unit_test(test_why_a_run_paused),
		cmocka_unit_test(test_steps_in_the_camel_dialect),
		cmocka_unit_test(test_a_large_output_is_left_out),
	};

	return cmocka_run_group_tests_name("dialect_core", tests, NULL, NULL);
}
