/*
 * The table of stepmill.yaml, and the order in which it is filled: defaults, the file,
 * the environment. One table row is one key; deploy/stepmill.yaml and
 * docs/configuration.md are compared with it by a test.
 */
#include "conf/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "conf/settings_check.h"
#include "conf/yaml.h"

extern char **environ;

#define AT(field)          offsetof(struct settings, field)
#define PROVIDERS_VARIABLE "STEPMILL_PROVIDERS"
#define SECRETS_VARIABLE   "STEPMILL_SECRETS"
#define MCP_VARIABLE       "STEPMILL_MCP"
#define AGENTS_VARIABLE    "STEPMILL_AGENTS"

// clang-format off
const struct option settings_table[] = {
	{ "database.url", OPT_TEXT, AT(database_url), NULL, NULL, NULL, OPT_SECRET,
	  "PostgreSQL: a connection string or URI; may be file:/path or env:NAME" },
	{ "database.statement_timeout", OPT_DURATION, AT(database_statement_timeout),
	  "30s", "1s", "1h", 0,
	  "a statement that runs longer is cancelled" },

	{ "redis.url", OPT_TEXT, AT(redis_url), NULL, NULL, NULL, OPT_SECRET,
	  "Redis: redis://[[user]:password@]host[:port][/n] or unix:/path; may be file:/path or env:NAME" },
	{ "redis.prefix", OPT_TEXT, AT(redis_prefix), "stepmill", NULL, NULL, 0,
	  "what the names of all keys and channels begin with" },

	{ "log.level", OPT_TEXT, AT(log_level), "info", NULL, NULL, OPT_RELOAD,
	  "debug, info, warn or error" },
	{ "log.format", OPT_TEXT, AT(log_format), "json", NULL, NULL, 0,
	  "json, or text for people" },

	{ "project.path", OPT_TEXT, AT(project_path), ".", NULL, NULL, 0,
	  "folder of the project \"default\"" },
	{ "workflow_paths", OPT_TEXTS, AT(workflow_paths), NULL, NULL, NULL, 0,
	  "more folders in which workflows are looked for" },
	{ "sdk_path", OPT_TEXT, AT(sdk_path), NULL, NULL, NULL, 0,
	  "folder of the SDK that workflow programs import; what is installed" },
	{ "skill_paths", OPT_TEXTS, AT(skill_paths), NULL, NULL, NULL, 0,
	  "more folders in which skills are looked for" },
	{ "heartbeat_paths", OPT_TEXTS, AT(heartbeat_paths), NULL, NULL, NULL, 0,
	  "folders outside of projects in which a HEARTBEAT.md may lie" },

	{ "http.listen", OPT_TEXT, AT(http_listen), "127.0.0.1:3456", NULL, NULL, 0,
	  "where the supervisor listens: address:port or unix:/path" },
	{ "http.body_max", OPT_BYTES, AT(http_body_max), "4MiB", "1KiB", "64MiB", 0,
	  "largest body of a request" },
	{ "http.upload_max", OPT_BYTES, AT(http_upload_max), "1GiB", "1KiB", "1024GiB", 0,
	  "largest file that is uploaded as an artifact" },
	{ "http.header_max", OPT_BYTES, AT(http_header_max), "32KiB", "1KiB", "1MiB", 0,
	  "largest head of a request" },
	{ "http.connections_max", OPT_COUNT, AT(http_connections_max), "1024", "1", "65536", 0,
	  "connections at once" },
	{ "http.header_timeout", OPT_DURATION, AT(http_header_timeout), "10s", "100ms", "10m", 0,
	  "time for the whole head of a request to arrive" },
	{ "http.request_timeout", OPT_DURATION, AT(http_request_timeout), "30s", "100ms", "1h", 0,
	  "time for a request's body and answer; not for streams and long polls" },
	{ "http.keepalive_timeout", OPT_DURATION, AT(http_keepalive_timeout), "60s", "0s", "1h", 0,
	  "how long an idle connection is kept" },
	{ "http.drain_delay", OPT_DURATION, AT(http_drain_delay), "0s", "0s", "10m", 0,
	  "how long new connections are still taken once readiness says no" },
	{ "http.allowed_origins", OPT_TEXTS, AT(http_allowed_origins), NULL, NULL, NULL, 0,
	  "pages of these origins, beside the server's own, may open a WebSocket: https://app.example.com" },
	{ "http.trusted_proxies", OPT_TEXTS, AT(http_trusted_proxies), NULL, NULL, NULL, 0,
	  "proxies whose word about their clients counts: 10.0.0.5, 10.0.0.0/8, ::1, unix" },
	{ "http.proxy_protocol", OPT_FLAG, AT(http_proxy_protocol), "false", NULL, NULL, 0,
	  "whether connections of trusted proxies begin with a PROXY header (version 1 or 2)" },
	{ "http.rate_limit", OPT_COUNT, AT(http_rate_limit), "0", "0", "1000000", 0,
	  "requests a second of one key, or of one address without a key; 0: no limit" },
	{ "http.rate_burst", OPT_COUNT, AT(http_rate_burst), "0", "0", "1000000", 0,
	  "how many of them may come at once; 0: as many as http.rate_limit" },
	{ "auth.required", OPT_FLAG, AT(auth_required), "true", NULL, NULL, 0,
	  "whether requests need an API key" },

	{ "pool.workers", OPT_COUNT, AT(pool_workers), "2", "0", "1024", OPT_RELOAD,
	  "workers to start with" },
	{ "pool.workers_max", OPT_COUNT, AT(pool_workers_max), "64", "1", "1024", OPT_RELOAD,
	  "workers at most, whoever asks" },
	{ "pool.drain_timeout", OPT_DURATION, AT(pool_drain_timeout), "60s", "0s", "1d", OPT_RELOAD,
	  "how long running steps may take to end when stopping" },

	{ "worker.slots", OPT_COUNT, AT(worker_slots), "64", "1", "256", 0,
	  "steps at once in a worker" },
	{ "worker.queues", OPT_TEXTS, AT(worker_queues), "default", NULL, NULL, 0,
	  "queues that workers take steps from" },
	{ "worker.lease", OPT_DURATION, AT(worker_lease), "10s", "1s", "10m", 0,
	  "after so long without a sign of life a worker counts as dead" },
	{ "worker.poison_limit", OPT_COUNT, AT(worker_poison_limit), "3", "1", "100", 0,
	  "a step that killed so many workers fails" },
	{ "worker.output_max", OPT_BYTES, AT(worker_output_max), "1MiB", "1KiB", "16MiB", 0,
	  "how much of a program's output is kept" },
	{ "worker.environment", OPT_TEXTS, AT(worker_environment), NULL, NULL, NULL, 0,
	  "names of environment variables that are handed to programs" },
	{ "worker.user", OPT_TEXT, AT(worker_user), NULL, NULL, NULL, 0,
	  "user that programs run as; none: the worker's own" },
	{ "worker.http_allow", OPT_TEXTS, AT(http_allow), NULL, NULL, NULL, 0,
	  "private addresses that steps may call: 10.0.0.0/8, ::1, 127.0.0.1:8080" },
	{ "worker.address_space_max", OPT_BYTES, AT(worker_address_space_max), "0B", "0B", NULL, 0,
	  "address space of a program (RLIMIT_AS); 0B: no limit" },
	{ "worker.files_max", OPT_COUNT, AT(worker_files_max), "1024", "16", "1048576", 0,
	  "open files of a program (RLIMIT_NOFILE)" },
	{ "worker.processes_max", OPT_COUNT, AT(worker_processes_max), "0", "0", "1048576", 0,
	  "processes of a program's user (RLIMIT_NPROC); 0: no limit" },

	{ "scheduler.sweep_interval", OPT_DURATION, AT(sweep_interval), "2s", "100ms", "10m", OPT_RELOAD,
	  "how often what got lost is looked for" },
	{ "scheduler.retention", OPT_DURATION, AT(retention), "0s", "0s", "5200w", OPT_RELOAD,
	  "how long ended runs are kept, at least an hour; 0s: for ever" },

	{ "providers", OPT_TREE, AT(providers_tree), NULL, NULL, NULL, 0,
	  "providers of models by name, see below" },
	{ "agents", OPT_TREE, AT(agents_tree), NULL, NULL, NULL, 0,
	  "command-line agents by name, see below" },
	{ "default_model", OPT_TEXT, AT(default_model), "anthropic:claude-sonnet-4-5-20250514",
	  NULL, NULL, 0,
	  "model of steps that name none: provider:model" },
	{ "mcp", OPT_TREE, AT(mcp_tree), NULL, NULL, NULL, 0,
	  "MCP servers by name, see below" },

	{ "secrets", OPT_TREE, AT(secrets_tree), NULL, NULL, NULL, OPT_RELOAD,
	  "where the secrets are that expressions read, see below" },

	{ "forge.url", OPT_TEXT, AT(forge_url), "https://api.github.com", NULL, NULL, 0,
	  "the forge's API, for git.createPr" },
	{ "forge.token", OPT_TEXT, AT(forge_token), NULL, NULL, NULL, OPT_SECRET,
	  "token for the forge; may be file:/path or env:NAME" },
	{ .name = NULL },
};
// clang-format on

struct loading {
	struct settings *settings;
	struct doc *tree;
	struct problems of_file, of_environment;
};

static int
read_open_file(int fd, struct buf *out)
{
	ssize_t n;

	while (out->len <= YAML_BYTES_MAX) {
		n = read(fd, buf_reserve(out, 16384), 16384);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		buf_grow(out, (size_t)n);
	}
	return 0; /* yaml_parse says that it is too much */
}

/* A fifo must not hang the start: opened without waiting. */
static void
read_file(struct loading *loading, const char *file)
{
	struct buf text = { 0 };
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	loading->settings->file = xstrdup(file);
	loading->of_file.file = xstrdup(file);
	if (fd < 0 || read_open_file(fd, &text) < 0)
		problems_add(&loading->of_file, NULL, "", "%s", strerror(errno));
	else
		loading->tree =
		    yaml_parse(buf_text(&text), text.len, &loading->of_file);
	if (loading->tree != NULL)
		option_read(settings_table, loading->tree, loading->settings,
			    &loading->of_file);
	if (fd >= 0)
		close(fd);
	buf_fini(&text);
}

/* The file that was named, or the one that is there; NULL: none. */
static const char *
choose_file(const char *file)
{
	const char *told = getenv("STEPMILL_CONFIG");

	if (file != NULL)
		return file;
	if (told != NULL && *told != '\0')
		return told;
	return access("stepmill.yaml", F_OK) == 0 ? "stepmill.yaml" : NULL;
}

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static void
read_environment(struct loading *loading)
{
	struct settings *settings = loading->settings;
	const char *development = variable("STEPMILL_DEVELOPMENT");

	loading->of_environment.file = xstrdup("environment");
	option_environment(settings_table, environ, settings, &loading->of_environment);
	if (settings->database_url == NULL)
		settings->database_url = xstrdup(variable("DATABASE_URL"));
	if (settings->redis_url == NULL)
		settings->redis_url = xstrdup(variable("REDIS_URL"));
	settings->development = development != NULL && strcmp(development, "1") == 0;
}

/* Where the file gives a value to "section.key". */
static const struct doc *
node_of(const struct doc *tree, const char *name)
{
	const char *dot = strchr(name, '.');
	const struct doc *node = tree;
	char *section;

	if (dot != NULL) {
		section = xstrndup(name, (size_t)(dot - name));
		node = doc_get(tree, section);
		free(section);
		name = dot + 1;
	}
	return doc_get(node, name);
}

/* Who is to hear of problems with what this variable would have replaced. */
static struct problems *
problems_of(struct loading *loading, const char *name)
{
	return variable(name) != NULL ? &loading->of_environment : &loading->of_file;
}

/* What has a reader of its own. */
static void
read_trees(struct loading *loading)
{
	struct settings *settings = loading->settings;

	providers_read(&settings->providers, settings->providers_tree,
		       problems_of(loading, PROVIDERS_VARIABLE));
	secret_sources_read(&settings->secrets, settings->secrets_tree,
			    problems_of(loading, SECRETS_VARIABLE));
	mcp_servers_read(&settings->mcp, settings->mcp_tree,
			 problems_of(loading, MCP_VARIABLE));
	agents_read(&settings->agents, settings->agents_tree,
		    problems_of(loading, AGENTS_VARIABLE));
}

static void
complain(struct loading *loading, const struct settings_rule *rule)
{
	char *name = option_variable(rule->name);

	if (variable(name) != NULL)
		problems_add(&loading->of_environment, NULL, "", "%s: %s", name,
			     rule->otherwise);
	else
		problems_add(&loading->of_file, node_of(loading->tree, rule->name), "",
			     "%s: %s", rule->name, rule->otherwise);
	free(name);
}

static void
check_rules(struct loading *loading)
{
	for (const struct settings_rule *rule = settings_rules; rule->name != NULL;
	     rule++)
		if (!rule->holds(loading->settings))
			complain(loading, rule);
}

static void
add_lines(const struct problems *problems, struct buf *out)
{
	for (size_t i = 0; i < problems->count; i++) {
		char *line = problem_text(problems, i);

		buf_printf(out, "%s%s", out->len > 0 ? "\n" : "", line);
		free(line);
	}
}

struct settings *
settings_load(const char *file, char **report)
{
	struct loading loading = { .settings = xcalloc(1, sizeof(struct settings)) };
	struct buf lines = { 0 };

	option_defaults(settings_table, loading.settings);
	file = choose_file(file);
	if (file != NULL)
		read_file(&loading, file);
	read_environment(&loading);
	read_trees(&loading);
	check_rules(&loading);
	add_lines(&loading.of_file, &lines);
	add_lines(&loading.of_environment, &lines);
	if (lines.len > 0) {
		*report = buf_take(&lines);
		settings_free(&loading.settings);
	}
	buf_fini(&lines);
	doc_free(&loading.tree);
	problems_fini(&loading.of_file);
	problems_fini(&loading.of_environment);
	return loading.settings;
}

void
settings_free(struct settings **settings_p)
{
	struct settings *settings = *settings_p;

	if (settings == NULL)
		return;
	*settings_p = NULL;
	option_fini(settings_table, settings);
	providers_fini(&settings->providers);
	secret_sources_fini(&settings->secrets);
	mcp_servers_fini(&settings->mcp);
	agents_fini(&settings->agents);
	free(settings->file);
	free(settings);
}

int
settings_name_servers(const struct settings *settings, struct err *err)
{
	if (settings->database_url == NULL)
		return err_set(err, ERR_INPUT,
			       "database.url is not set (nor is DATABASE_URL)");
	if (settings->redis_url == NULL)
		return err_set(err, ERR_INPUT,
			       "redis.url is not set (nor is REDIS_URL)");
	return 0;
}
