/*
 * stepmill.yaml: what every program reads. One struct, one table (settings_table), one
 * order: defaults, the file, the environment. DATABASE_URL and REDIS_URL are honoured
 * when neither the file nor STEPMILL_DATABASE_URL names one.
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include "base/err.h"
#include "base/usec.h"
#include "conf/agents.h"
#include "conf/mcp_servers.h"
#include "conf/option.h"
#include "conf/providers.h"
#include "conf/secrets.h"

struct settings {
	char *file; /* the file that was read, or NULL */

	char *database_url; /* database.url: libpq connection string or URI; secret */
	usec_t database_statement_timeout; /* database.statement_timeout, 30s */
	char *redis_url; /* redis.url: redis://[:password@]host[:port][/n] or unix:/path
			  */
	char *redis_prefix; /* redis.prefix, "stepmill" */
	char *log_level;    /* log.level, info */
	char *log_format;   /* log.format, json */

	char *project_path;          /* project.path: of the project "default"; "." */
	struct texts workflow_paths; /* workflow_paths: more folders with workflows */
	char *sdk_path; /* sdk_path: what workflow programs import; NULL: installed */
	struct texts skill_paths;     /* skill_paths: more folders with skills */
	struct texts heartbeat_paths; /* heartbeat_paths: where a HEARTBEAT.md may lie
					 besides a project */

	char *http_listen;         /* http.listen, 127.0.0.1:3456; also unix:/path */
	long http_body_max;        /* http.body_max, 4MiB */
	long http_upload_max;      /* http.upload_max, 1GiB: of an artifact */
	long http_header_max;      /* http.header_max, 32KiB */
	long http_connections_max; /* http.connections_max, 1024 */
	usec_t http_header_timeout, http_request_timeout, http_keepalive_timeout;
	usec_t http_drain_delay;           /* http.drain_delay, 0s */
	struct texts http_allowed_origins; /* http.allowed_origins */
	struct texts http_trusted_proxies; /* http.trusted_proxies: addresses, nets */
	bool http_proxy_protocol;          /* http.proxy_protocol, false */
	long http_rate_limit, http_rate_burst; /* a second, at once; 0: no limit */
	bool auth_required; /* auth.required, true; stepmill dev turns it off */

	long pool_workers;         /* pool.workers, 2 */
	long pool_workers_max;     /* pool.workers_max, 64 */
	usec_t pool_drain_timeout; /* pool.drain_timeout, 60s */

	long worker_slots;          /* worker.slots, 64, steps at once in a worker */
	struct texts worker_queues; /* worker.queues, [default] */
	usec_t worker_lease;        /* worker.lease, 10s */
	long worker_poison_limit;   /* worker.poison_limit, 3 */
	long
	    worker_output_max; /* worker.output_max, 1MiB: kept of a program's output */
	struct texts
	    worker_environment; /* worker.environment: names handed to programs */
	char *worker_user;      /* worker.user: programs run as; NULL: as the worker */
	struct texts
	    http_allow; /* worker.http_allow: private addresses steps may call */
	long worker_address_space_max, worker_files_max,
	    worker_processes_max; /* rlimits */

	usec_t sweep_interval; /* scheduler.sweep_interval, 2s */
	usec_t retention;      /* scheduler.retention, 0: everything is kept */

	struct doc *providers_tree; /* providers, as written */
	struct providers providers; /* read from it, and from usual variables */
	struct doc *agents_tree;    /* agents, as written */
	struct agents agents;       /* read from it, over the presets */
	char *default_model;        /* default_model */
	struct doc *mcp_tree;       /* mcp, as written */
	struct mcp_servers mcp;     /* read from it */

	struct doc *secrets_tree;      /* secrets, as written */
	struct secret_sources secrets; /* read from it */

	char *forge_url;   /* forge.url, https://api.github.com */
	char *forge_token; /* forge.token; secret */
	bool development;  /* STEPMILL_DEVELOPMENT=1, set by stepmill dev only */
};

extern const struct option settings_table[];

/* Reads file (NULL: $STEPMILL_CONFIG, else ./stepmill.yaml if it is there, else none)
 * and the environment. NULL with the problems as lines in *report (the caller's), or
 * the settings. */
struct settings *settings_load(const char *file, char **report);
void settings_free(struct settings **settings_p);

/* Is it said where PostgreSQL and Redis are? Neither has a default. */
int settings_name_servers(const struct settings *settings, struct err *err);

#endif
