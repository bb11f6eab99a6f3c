/*
 * The messages that clients may send: one row a type, as route.h has one a route. What
 * a message must hold is judged by ws_fields_core.c, before its handler sees it.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "engine/heartbeat_core.h"
#include "front/schedule_fields_core.h"
#include "front/ws_heartbeat_core.h"
#include "front/ws_priv.h"
#include "front/ws_schedule_core.h"

#define NAME_LEN    200
#define COMMENT_LEN 10000

/* clang-format off */
static const struct ws_field nothing[] = {
	{ .name = NULL },
};

static const struct ws_field trigger_fields[] = {
	{ "workflowId",     WS_TEXT,   true,  1, NAME_LEN, NULL },
	{ "input",          WS_OBJECT, false, 0, 0, NULL },
	{ "projectId",      WS_TEXT,   false, 36, 36, &ws_uuid },
	{ "idempotencyKey", WS_TEXT,   false, 1, CHANGE_KEY_MAX, NULL },
	{ .name = NULL },
};

static const struct ws_field approval_fields[] = {
	{ "executionId",    WS_TEXT, true,  1, NAME_LEN, NULL },
	{ "stepId",         WS_TEXT, true,  1, NAME_LEN, NULL },
	{ "approved",       WS_BOOL, true,  0, 0, NULL },
	{ "comment",        WS_TEXT, false, 0, COMMENT_LEN, NULL },
	{ "idempotencyKey", WS_TEXT, false, 1, CHANGE_KEY_MAX, NULL },
	{ .name = NULL },
};

static const struct ws_field cancel_fields[] = {
	{ "executionId",    WS_TEXT, true,  1, NAME_LEN, NULL },
	{ "idempotencyKey", WS_TEXT, false, 1, CHANGE_KEY_MAX, NULL },
	{ .name = NULL },
};

static const struct ws_field execution_list_fields[] = {
	{ "workflowId", WS_TEXT, false, 1, NAME_LEN, NULL },
	{ "status",     WS_TEXT, false, 1, 20, &ws_run_status },
	{ "limit",      WS_INT,  false, 1, 1000, NULL },
	{ "cursor",     WS_TEXT, false, 1, 20, &ws_number },
	{ .name = NULL },
};

/* Judged by the reader of a schedule's fields. */
static const struct ws_field schedule_create_fields[] = {
	{ "name",           WS_TEXT,   true,  1, SCHEDULE_NAME_MAX, NULL },
	{ "cronExpression", WS_TEXT,   true,  1, CRON_TEXT_MAX, NULL },
	{ "timezone",       WS_TEXT,   false, 1, 100, NULL },
	{ "workflowId",     WS_TEXT,   false, 1, SCHEDULE_NAME_MAX, NULL },
	{ "activeHours",    WS_OBJECT, false, 0, 0, NULL },
	{ "maxRuns",        WS_INT,    false, 1, INT_MAX, NULL },
	{ "catchUp",        WS_TEXT,   false, 3, 4, NULL },
	{ "overlap",        WS_TEXT,   false, 4, 5, NULL },
	{ "jitterMs",       WS_INT,    false, 0, SCHEDULE_JITTER_MAX / USEC_MS, NULL },
	{ "input",          WS_OBJECT, false, 0, 0, NULL },
	{ "projectId",      WS_TEXT,   false, 36, 36, &ws_uuid },
	{ "idempotencyKey", WS_TEXT,   false, 1, CHANGE_KEY_MAX, NULL },
	{ .name = NULL },
};

static const struct ws_field schedule_update_fields[] = {
	{ "scheduleId",     WS_TEXT,   true,  1, NAME_LEN, NULL },
	{ "enabled",        WS_BOOL,   false, 0, 0, NULL },
	{ "cronExpression", WS_TEXT,   false, 1, CRON_TEXT_MAX, NULL },
	{ "timezone",       WS_TEXT,   false, 1, 100, NULL },
	{ "activeHours",    WS_OBJECT, false, 0, 0, NULL },
	{ "maxRuns",        WS_INT,    false, 1, INT_MAX, NULL },
	{ "catchUp",        WS_TEXT,   false, 3, 4, NULL },
	{ "overlap",        WS_TEXT,   false, 4, 5, NULL },
	{ "jitterMs",       WS_INT,    false, 0, SCHEDULE_JITTER_MAX / USEC_MS, NULL },
	{ "input",          WS_OBJECT, false, 0, 0, NULL },
	{ "idempotencyKey", WS_TEXT,   false, 1, CHANGE_KEY_MAX, NULL },
	{ .name = NULL },
};

static const struct ws_field schedule_delete_fields[] = {
	{ "scheduleId",     WS_TEXT, true,  1, NAME_LEN, NULL },
	{ "idempotencyKey", WS_TEXT, false, 1, CHANGE_KEY_MAX, NULL },
	{ .name = NULL },
};

/* Judged by the reader of a heartbeat's fields. */
static const struct ws_field heartbeat_configure_fields[] = {
	{ "heartbeatPath",  WS_TEXT,   true,  1, HEARTBEAT_PATH_MAX, NULL },
	{ "interval",       WS_INT,    false, 1, HEARTBEAT_INTERVAL_MAX, NULL },
	{ "timezone",       WS_TEXT,   false, 1, 100, NULL },
	{ "activeHours",    WS_OBJECT, false, 0, 0, NULL },
	{ "enabled",        WS_BOOL,   false, 0, 0, NULL },
	{ "model",          WS_TEXT,   false, 1, HEARTBEAT_MODEL_MAX, NULL },
	{ "webhook",        WS_TEXT,   false, 1, HEARTBEAT_WEBHOOK_MAX, NULL },
	{ "projectId",      WS_TEXT,   false, 36, 36, &ws_uuid },
	{ "idempotencyKey", WS_TEXT,   false, 1, CHANGE_KEY_MAX, NULL },
	{ .name = NULL },
};

static const struct ws_field subscribe_fields[] = {
	{ "executionId", WS_TEXT, true,  1, NAME_LEN, NULL },
	{ "since",       WS_INT,  false, 0, INT64_MAX, NULL },
	{ "workflowId",  WS_TEXT, false, 1, NAME_LEN, NULL },
	{ "projectId",   WS_TEXT, false, 36, 36, &ws_uuid },
	{ .name = NULL },
};

static const struct ws_field unsubscribe_fields[] = {
	{ "executionId", WS_TEXT, true, 1, NAME_LEN, NULL },
	{ .name = NULL },
};

static const struct ws_field subscribe_camel_fields[] = {
	{ "run_id", WS_TEXT, true,  1, NAME_LEN, NULL },
	{ "since",  WS_INT,  false, 0, INT64_MAX, NULL },
	{ .name = NULL },
};

static const struct ws_field unsubscribe_camel_fields[] = {
	{ "run_id", WS_TEXT, true, 1, NAME_LEN, NULL },
	{ .name = NULL },
};

static const struct ws_field auth_fields[] = {
	{ "token", WS_TEXT, true, 1, AUTH_KEY_MAX, NULL },
	{ .name = NULL },
};

const struct ws_route ws_routes[] = {
	{ "workflow.trigger",        ROLE_OPERATOR, true,  trigger_fields,           ws_on_trigger, NULL },
	{ "workflow.approval",       ROLE_OPERATOR, true,  approval_fields,          ws_on_approval, NULL },
	{ "workflow.list",           ROLE_VIEWER,   true,  nothing,                  ws_on_workflow_list, NULL },
	{ "workflow.execution.list", ROLE_VIEWER,   true,  execution_list_fields,    ws_on_execution_list, NULL },
	{ "schedule.create",         ROLE_OPERATOR, true,  schedule_create_fields,   ws_on_schedule_create,
	  ws_schedule_judge_new },
	{ "schedule.update",         ROLE_OPERATOR, true,  schedule_update_fields,   ws_on_schedule_update,
	  ws_schedule_judge_change },
	{ "schedule.delete",         ROLE_OPERATOR, true,  schedule_delete_fields,   ws_on_schedule_delete, NULL },
	{ "schedule.list",           ROLE_VIEWER,   true,  nothing,                  ws_on_schedule_list, NULL },
	{ "heartbeat.configure",     ROLE_OPERATOR, true,  heartbeat_configure_fields, ws_on_heartbeat_configure,
	  ws_heartbeat_judge },
	{ "workflow:subscribe",      ROLE_VIEWER,   false, subscribe_fields,         ws_on_subscribe, NULL },
	{ "workflow:unsubscribe",    ROLE_VIEWER,   false, unsubscribe_fields,       ws_on_unsubscribe, NULL },
	{ "workflow:cancel",         ROLE_OPERATOR, false, cancel_fields,            ws_on_cancel, NULL },
	{ "SubscribeWorkflow",       ROLE_VIEWER,   false, subscribe_camel_fields,   ws_on_subscribe_camel, NULL },
	{ "UnsubscribeWorkflow",     ROLE_VIEWER,   false, unsubscribe_camel_fields, ws_on_unsubscribe_camel, NULL },
	{ "auth",                    ROLE_NONE,     false, auth_fields,              ws_on_auth, NULL },
	{ "ping",                    ROLE_NONE,     false, nothing,                  ws_on_ping, NULL },
	{ .type = NULL },
};
/* clang-format on */

static void
print_field(const struct ws_field *field)
{
	static const char *const kinds[WS_KINDS] = { [WS_TEXT] = "text",
						     [WS_BOOL] = "bool",
						     [WS_INT] = "int",
						     [WS_OBJECT] = "object" };

	printf(" %s%s=%s,%" PRId64 ",%" PRId64, field->name, field->required ? "" : "?",
	       kinds[field->kind], field->min, field->max);
}

void
ws_messages_print(void)
{
	for (const struct ws_route *route = ws_routes; route->type != NULL; route++) {
		printf("%s %s %s", route->type, auth_role_name(route->role),
		       route->needs_id ? "id" : "id?");
		for (const struct ws_field *field = route->fields; field->name != NULL;
		     field++)
			print_field(field);
		putchar('\n');
	}
}
