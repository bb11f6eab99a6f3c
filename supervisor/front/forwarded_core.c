/*
 * See forwarded_core.h. Each proxy adds what it saw at the right end, so that the list
 * is read from there: what stands left of the first stranger is that stranger's word.
 */
#include "front/forwarded_core.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"

#define ENTRY_MAX (NET_TEXT + 8) /* "[ADDRESS]:65535" */

/* ---- our proxies ---- */

struct trust
trust_new(char *const *entries, size_t count)
{
	struct trust trust = { 0 };

	if (count > 0)
		trust.nets = xcalloc(count, sizeof *trust.nets);
	for (size_t i = 0; i < count; i++)
		if (strcmp(entries[i], "unix") == 0)
			trust.local = true;
		else if (net_parse(entries[i], &trust.nets[trust.count]))
			trust.count++;
	return trust;
}

void
trust_fini(struct trust *trust)
{
	free(trust->nets);
	*trust = (struct trust){ 0 };
}

bool
trust_has(const struct trust *trust, const unsigned char *address)
{
	if (address == NULL)
		return trust->local;
	for (size_t i = 0; i < trust->count; i++)
		if (net_has(&trust->nets[i], address))
			return true;
	return false;
}

/* ---- what they say ---- */

/* "192.0.2.7", "192.0.2.7:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711".
 */
static bool
read_entry(const char *text, size_t len, unsigned char out[static NET_ADDRESS])
{
	char entry[ENTRY_MAX + 1] = "", *address = entry, *end;

	if (len > ENTRY_MAX)
		return false;
	memcpy(entry, text, len);
	end = strchr(entry, ':');
	if (entry[0] == '[') {
		address++;
		end = strchr(entry, ']');
		if (end == NULL)
			return false;
	} else if (end != NULL && strchr(end + 1, ':') != NULL) {
		end = NULL; /* several: of the address, not before a port */
	}
	if (end != NULL)
		*end = '\0';
	return net_address(address, out);
}

/* What stands behind the last comma before end, without blanks around it. */
static size_t
last_entry(const char *list, size_t end, const char **entry)
{
	size_t start = end;

	while (start > 0 && list[start - 1] != ',')
		start--;
	*entry = list + start;
	while (end > start && (list[end - 1] == ' ' || list[end - 1] == '\t'))
		end--;
	while (*entry < list + end && (**entry == ' ' || **entry == '\t'))
		++*entry;
	return (size_t)(list + end - *entry);
}

struct search {
	const struct trust *trust;
	unsigned char *out;
	int hops;
	bool found, over;
};

static void
look_at(struct search *search, const char *entry, size_t len)
{
	unsigned char address[NET_ADDRESS];

	if (!read_entry(entry, len, address)) {
		search->over = true;
		return;
	}
	memcpy(search->out, address, NET_ADDRESS);
	search->found = true;
	search->over =
	    !trust_has(search->trust, address) || ++search->hops == FORWARDED_HOPS_MAX;
}

static void
look_through(struct search *search, const char *list)
{
	size_t end = strlen(list), len;
	const char *entry;

	while (!search->over) {
		len = last_entry(list, end, &entry);
		look_at(search, entry, len);
		while (end > 0 && list[end - 1] != ',')
			end--;
		if (end == 0)
			break;
		end--;
	}
}

static const char *
name_at(const struct http_head *head, size_t i)
{
	return head->text.data + head->fields[i].name;
}

static const char *
value_at(const struct http_head *head, size_t i)
{
	return head->text.data + head->fields[i].value;
}

bool
forwarded_client(const struct trust *trust, const struct http_head *head,
		 unsigned char out[static NET_ADDRESS])
{
	struct search search = { .trust = trust, .out = out };

	for (size_t i = head->fields_count; i-- > 0 && !search.over;)
		if (strcasecmp(name_at(head, i), "X-Forwarded-For") == 0)
			look_through(&search, value_at(head, i));
	return search.found;
}

static const char *
read_scheme(const char *text, size_t len)
{
	static const struct {
		const char *name, *scheme;
	} known[] = { { "https", "https" },
		      { "http", "http" },
		      { "wss", "https" },
		      { "ws", "http" } };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strlen(known[i].name) == len &&
		    strncasecmp(known[i].name, text, len) == 0)
			return known[i].scheme;
	return NULL;
}

/* The last of several: said by the proxy that we know. */
const char *
forwarded_scheme(const struct http_head *head)
{
	const char *entry;
	size_t len;

	for (size_t i = head->fields_count; i-- > 0;) {
		if (strcasecmp(name_at(head, i), "X-Forwarded-Proto") != 0)
			continue;
		len = last_entry(value_at(head, i), strlen(value_at(head, i)), &entry);
		return read_scheme(entry, len);
	}
	return NULL;
}

bool
forwarded_seen(const struct http_head *head)
{
	static const char *const names[] = { "X-Forwarded-For",  "X-Forwarded-Proto",
					     "X-Forwarded-Host", "X-Real-IP",
					     "Forwarded",        "Via" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (http_field(head, names[i]) != NULL)
			return true;
	return false;
}
