/*
 * Host names to addresses with getaddrinfo_a, which looks up in a thread of libc's own;
 * nothing of ours runs there. Socket folders and numeric addresses need none of it.
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "store/pg_address.h"

#define PARAMS_MAX 64
#define HOSTS_MAX  16

struct host {
	char *name, *port;
	bool plain; /* a folder or a number: nothing to look up */
	struct gaicb lookup;
};

struct pg_address {
	PQconninfoOption *from_url;
	const struct pg_option *own;
	struct host hosts[HOSTS_MAX];
	int hosts_count;
	char *shown;
	struct buf host, hostaddr, port, options; /* as given to libpq */
	const char *keywords[PARAMS_MAX], *values[PARAMS_MAX];
};

static const char *
url_value(const struct pg_address *address, const char *keyword)
{
	for (PQconninfoOption *o = address->from_url; o->keyword != NULL; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val;
	return NULL;
}

static const char *
value_or(const struct pg_address *address, const char *keyword, const char *variable,
	 const char *preset)
{
	const char *value = url_value(address, keyword);

	if (value == NULL)
		value = getenv(variable);
	return value != NULL && value[0] != '\0' ? value : preset;
}

static bool
is_plain(const char *name)
{
	unsigned char room[sizeof(struct in6_addr)];

	return name[0] == '\0' || name[0] == '/' || name[0] == '@' ||
	       inet_pton(AF_INET, name, room) == 1 ||
	       inet_pton(AF_INET6, name, room) == 1;
}

/* The n-th of a list with commas; a list of one stands for all. */
static char *
list_item(const char *list, int n)
{
	const char *start = list, *end;

	for (int i = 0; i < n && strchr(start, ',') != NULL; i++)
		start = strchr(start, ',') + 1;
	end = strchrnul(start, ',');
	return xstrndup(start, (size_t)(end - start));
}

static int
count_items(const char *list)
{
	int count = 1;

	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

static int
split_hosts(struct pg_address *address, struct err *err)
{
	const char *names = value_or(address, "host", "PGHOST", "");
	const char *ports = value_or(address, "port", "PGPORT", "5432");
	int count = count_items(names);

	if (count > HOSTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d hosts", HOSTS_MAX);
	for (int i = 0; i < count; i++) {
		struct host *host = &address->hosts[i];

		host->name = list_item(names, i);
		host->port = list_item(ports, i);
		/* An address of its own: libpq asks nobody then. */
		host->plain =
		    is_plain(host->name) || url_value(address, "hostaddr") != NULL;
		address->hosts_count++;
	}
	return 0;
}

static void
join_options(struct pg_address *address)
{
	const char *theirs = value_or(address, "options", "PGOPTIONS", "");

	buf_str(&address->options, theirs);
	for (const struct pg_option *o = address->own; o->keyword != NULL; o++)
		if (strcmp(o->keyword, "options") == 0)
			buf_printf(&address->options, " %s", o->value);
}

struct pg_address *
pg_address_new(const char *url, const struct pg_option *own, struct err *err)
{
	struct pg_address *address = xcalloc(1, sizeof *address);
	char *why = NULL;

	address->own = own;
	address->from_url = PQconninfoParse(url, &why);
	if (address->from_url == NULL) {
		/* libpq's text may repeat parts of the URL, with a password in it. */
		err_set(err, ERR_INPUT, "the database URL cannot be read");
		goto out;
	}
	if (split_hosts(address, err) < 0)
		goto out;
	join_options(address);
	address->shown =
	    xprintf("%s:%s/%s", address->hosts[0].name, address->hosts[0].port,
		    value_or(address, "dbname", "PGDATABASE", ""));
	return address;
out:
	PQfreemem(why);
	pg_address_free(&address);
	return NULL;
}

static void
drop_lookups(struct pg_address *address)
{
	for (int i = 0; i < address->hosts_count; i++) {
		struct gaicb *lookup = &address->hosts[i].lookup;

		if (lookup->ar_result != NULL)
			freeaddrinfo(lookup->ar_result);
		*lookup = (struct gaicb){ 0 };
	}
}

/* A lookup that cannot be called off still writes into our memory: then it is left to
 * the process, which is about to end. */
void
pg_address_free(struct pg_address **address_p)
{
	struct pg_address *address = *address_p;

	if (address == NULL)
		return;
	*address_p = NULL;
	for (int i = 0; i < address->hosts_count; i++)
		if (address->hosts[i].lookup.ar_name != NULL)
			gai_cancel(&address->hosts[i].lookup);
	if (pg_address_is_resolving(address))
		return;
	drop_lookups(address);
	for (int i = 0; i < address->hosts_count; i++) {
		free(address->hosts[i].name);
		free(address->hosts[i].port);
	}
	PQconninfoFree(address->from_url);
	buf_fini(&address->host);
	buf_fini(&address->hostaddr);
	buf_fini(&address->port);
	buf_fini(&address->options);
	free(address->shown);
	free(address);
}

void
pg_address_resolve(struct pg_address *address)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct gaicb *wanted[HOSTS_MAX];
	int count = 0;

	drop_lookups(address);
	for (int i = 0; i < address->hosts_count; i++) {
		struct host *host = &address->hosts[i];

		if (host->plain)
			continue;
		host->lookup.ar_name = host->name;
		host->lookup.ar_service = host->port;
		host->lookup.ar_request = &hints;
		wanted[count++] = &host->lookup;
	}
	if (count > 0)
		getaddrinfo_a(GAI_NOWAIT, wanted, count, NULL);
}

bool
pg_address_is_resolving(struct pg_address *address)
{
	for (int i = 0; i < address->hosts_count; i++) {
		struct gaicb *lookup = &address->hosts[i].lookup;

		if (lookup->ar_name != NULL && gai_error(lookup) == EAI_INPROGRESS)
			return true;
	}
	return false;
}

static void
add_endpoint(struct pg_address *address, const struct host *host, const char *number)
{
	const char *comma = address->port.len > 0 ? "," : "";

	buf_printf(&address->host, "%s%s", comma, host->name);
	buf_printf(&address->hostaddr, "%s%s", comma, number);
	buf_printf(&address->port, "%s%s", comma, host->port);
}

static int
add_found(struct pg_address *address, const struct host *host, struct err *err)
{
	char number[INET6_ADDRSTRLEN];
	int answer = gai_error((struct gaicb *)&host->lookup);

	if (answer != 0)
		return err_set(err, ERR_RETRY, "host \"%s\": %s", host->name,
			       gai_strerror(answer));
	for (struct addrinfo *at = host->lookup.ar_result; at != NULL; at = at->ai_next)
		if (getnameinfo(at->ai_addr, at->ai_addrlen, number, sizeof number,
				NULL, 0, NI_NUMERICHOST) == 0)
			add_endpoint(address, host, number);
	return 0;
}

/* All that could be found is tried in turn; none found is the last one's error. */
static int
list_endpoints(struct pg_address *address, struct err *err)
{
	buf_clear(&address->host);
	buf_clear(&address->hostaddr);
	buf_clear(&address->port);
	for (int i = 0; i < address->hosts_count; i++) {
		const struct host *host = &address->hosts[i];

		if (host->plain)
			add_endpoint(address, host, "");
		else
			add_found(address, host, err);
	}
	if (address->port.len == 0)
		return -1;
	err_clear(err);
	return 0;
}

static void
set_param(struct pg_address *address, const char *keyword, const char *value)
{
	int i = 0;

	while (address->keywords[i] != NULL &&
	       strcmp(address->keywords[i], keyword) != 0)
		i++;
	if (i >= PARAMS_MAX - 1)
		bug("more than %d connection parameters", PARAMS_MAX);
	address->keywords[i] = keyword;
	address->values[i] = value;
}

int
pg_address_params(struct pg_address *address, const char *const **keywords,
		  const char *const **values, struct err *err)
{
	if (list_endpoints(address, err) < 0)
		return -1;
	memset(address->keywords, 0, sizeof address->keywords);
	for (const struct pg_option *o = address->own; o->keyword != NULL; o++)
		set_param(address, o->keyword, o->value);
	for (PQconninfoOption *o = address->from_url; o->keyword != NULL; o++)
		if (o->val != NULL)
			set_param(address, o->keyword, o->val);
	set_param(address, "options", buf_text(&address->options));
	if (url_value(address, "hostaddr") == NULL) {
		set_param(address, "host", buf_text(&address->host));
		set_param(address, "hostaddr", buf_text(&address->hostaddr));
		set_param(address, "port", buf_text(&address->port));
	}
	*keywords = address->keywords;
	*values = address->values;
	return 0;
}

const char *
pg_address_shown(const struct pg_address *address)
{
	return address->shown;
}
