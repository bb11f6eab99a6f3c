/*
 * What the table of settings cannot say, as a table of rules. Whether a host exists or
 * a folder can be read is found out by those who use it.
 */
#include "conf/settings_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/net.h"

#define NAME_CHARACTERS                                                                \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define NAME_LEN_MAX  64
#define PROXIES_MAX   64
#define RETENTION_MIN (3600 * USEC_SECOND)

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool
is_name(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= NAME_LEN_MAX && strspn(text, NAME_CHARACTERS) == len;
}

static bool
is_variable(const char *text)
{
	return is_name(text) && strpbrk(text, ".-") == NULL &&
	       !(text[0] >= '0' && text[0] <= '9');
}

static bool
all_are(const struct texts *texts, bool (*is)(const char *text))
{
	for (size_t i = 0; i < texts->count; i++)
		if (!is(texts->list[i]))
			return false;
	return true;
}

static bool
log_level_is_known(const struct settings *settings)
{
	enum log_level level;

	return log_level_parse(settings->log_level, &level);
}

static bool
log_format_is_known(const struct settings *settings)
{
	return strcmp(settings->log_format, "json") == 0 ||
	       strcmp(settings->log_format, "text") == 0;
}

static bool
redis_url_is_one(const struct settings *settings)
{
	const char *url = settings->redis_url;

	return url == NULL || starts_with(url, "redis://") ||
	       starts_with(url, "unix:/");
}

static bool
redis_prefix_is_name(const struct settings *settings)
{
	return is_name(settings->redis_prefix);
}

static bool
listen_is_address(const struct settings *settings)
{
	const char *text = settings->http_listen, *colon = strrchr(text, ':');
	size_t digits;

	if (starts_with(text, "unix:"))
		return text[5] == '/';
	if (colon == NULL || colon == text)
		return false;
	digits = strspn(colon + 1, "0123456789");
	return digits > 0 && digits <= 5 && colon[1 + digits] == '\0' &&
	       atol(colon + 1) <= 65535;
}

static bool
is_proxy(const char *text)
{
	struct net net;

	return strcmp(text, "unix") == 0 || net_parse(text, &net);
}

static bool
proxies_are_addresses(const struct settings *settings)
{
	return settings->http_trusted_proxies.count <= PROXIES_MAX &&
	       all_are(&settings->http_trusted_proxies, is_proxy);
}

static bool
proxy_protocol_has_proxies(const struct settings *settings)
{
	return !settings->http_proxy_protocol ||
	       settings->http_trusted_proxies.count > 0;
}

static bool
workers_fit(const struct settings *settings)
{
	return settings->pool_workers <= settings->pool_workers_max;
}

static bool
queues_are_names(const struct settings *settings)
{
	return settings->worker_queues.count > 0 &&
	       settings->worker_queues.count <= 64 &&
	       all_are(&settings->worker_queues, is_name);
}

static bool
environment_is_names(const struct settings *settings)
{
	return all_are(&settings->worker_environment, is_variable);
}

static bool
forge_is_http(const struct settings *settings)
{
	return starts_with(settings->forge_url, "https://") ||
	       starts_with(settings->forge_url, "http://");
}

static bool
default_model_is_one(const struct settings *settings)
{
	const char *colon = strchr(settings->default_model, ':');

	return colon != NULL && colon != settings->default_model && colon[1] != '\0';
}

/* A slip of the unit must not cost the history. */
static bool
retention_is_long(const struct settings *settings)
{
	return settings->retention == 0 || settings->retention >= RETENTION_MIN;
}

const struct settings_rule settings_rules[] = {
	{ "log.level", log_level_is_known, "expected debug, info, warn or error" },
	{ "log.format", log_format_is_known, "expected json or text" },
	{ "redis.url", redis_url_is_one, "expected redis://... or unix:/path" },
	{ "redis.prefix", redis_prefix_is_name,
	  "expected up to 64 letters, digits, dots, dashes or underscores" },
	{ "http.listen", listen_is_address,
	  "expected address:port, like 127.0.0.1:3456 or [::1]:3456, or unix:/path" },
	{ "http.trusted_proxies", proxies_are_addresses,
	  "expected up to 64 addresses or nets, like 10.0.0.5, 10.0.0.0/8 or ::1, or "
	  "unix" },
	{ "http.proxy_protocol", proxy_protocol_has_proxies,
	  "nobody may use it: http.trusted_proxies names no proxy" },
	{ "pool.workers", workers_fit, "more than pool.workers_max" },
	{ "worker.queues", queues_are_names,
	  "expected 1 to 64 names of letters, digits, dots, dashes or underscores" },
	{ "worker.environment", environment_is_names,
	  "expected names of environment variables" },
	{ "scheduler.retention", retention_is_long,
	  "expected 0s, which keeps everything, or at least 1h" },
	{ "default_model", default_model_is_one,
	  "expected provider:model, like anthropic:claude-sonnet-4-5" },
	{ "forge.url", forge_is_http, "expected https://... or http://..." },
	{ .name = NULL },
};
