/* The list of all tables of routes, and the routes as text, for who checks their
 * rights. */
#include <stdio.h>

#include "front/route.h"

/* clang-format off */
const struct route *const routes_all[] = {
	routes_workflows,
	routes_workflow_changes,
	routes_executions,
	routes_transitions,
	routes_comments,
	routes_logs,
	routes_artifacts,
	routes_removals,
	routes_bulk,
	routes_events,
	routes_projects,
	routes_keys,
	routes_pool,
	routes_stats,
	routes_tools,
	routes_skills,
	routes_audit,
	routes_sessions,
	routes_why,
	routes_dry_run,
	routes_test_step,
	routes_documents,
	routes_execute_batch,
	routes_webhooks,
	routes_ws,
	routes_schedules,
	routes_schedule_preview,
	routes_heartbeats,
	routes_bots,
	routes_messages,
	routes_health,
	NULL,
};
/* clang-format on */

void
routes_print(void)
{
	for (const struct route *const *table = routes_all; *table != NULL; table++)
		for (const struct route *route = *table; route->method != NULL; route++)
			printf("%s %s %s %s\n", route->method, route->path,
			       auth_role_name(route->role),
			       route->changes != NULL ? route->changes : "-");
}
