/* Pure: the text of http.listen -> endpoints. Names are not looked up here. */
#include "pool/endpoint_core.h"

#include <string.h>

#define UNIX_PREFIX "unix:"

struct part {
	const char *text;
	size_t len;
};

static bool
starts_with(struct part part, const char *prefix)
{
	return part.len >= strlen(prefix) &&
	       memcmp(part.text, prefix, strlen(prefix)) == 0;
}

static void
copy(char *out, struct part part)
{
	memcpy(out, part.text, part.len);
	out[part.len] = '\0';
}

static int
refuse(struct part part, const char *why, struct err *err)
{
	return err_set(err, ERR_INPUT, "\"%.*s\": %s", (int)part.len, part.text, why);
}

static int
read_path(struct part whole, struct endpoint *out, struct err *err)
{
	struct part path = { whole.text + strlen(UNIX_PREFIX),
			     whole.len - strlen(UNIX_PREFIX) };

	if (path.len == 0 || path.text[0] != '/')
		return refuse(whole, "the path of a socket starts with /", err);
	if (path.len > ENDPOINT_PATH_MAX)
		return refuse(whole, "the path of a socket is longer than 107 bytes",
			      err);
	if (memchr(path.text, '\0', path.len) != NULL)
		return refuse(whole, "a path has no NUL", err);
	out->local = true;
	copy(out->path, path);
	return 0;
}

static bool
is_port(struct part port)
{
	int number = 0;

	if (port.len == 0 || port.len > 5)
		return false;
	for (size_t i = 0; i < port.len; i++) {
		if (port.text[i] < '0' || port.text[i] > '9')
			return false;
		number = number * 10 + (port.text[i] - '0');
	}
	return number <= 65535;
}

/* Letters, digits and what names and addresses are written with. */
static bool
is_host(struct part host, bool v6)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.text[i];
		bool common = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			      (c >= '0' && c <= '9') || c == '.';

		if (!common && strchr(v6 ? ":%" : "-_", c) == NULL)
			return false;
		if (c == '\0')
			return false;
	}
	return host.len > 0 && host.len <= ENDPOINT_HOST_MAX;
}

static int
read_host_and_port(struct part whole, struct endpoint *out, struct err *err)
{
	const char *colon = memrchr(whole.text, ':', whole.len);
	struct part host = { whole.text, 0 }, port = { 0 };
	bool v6 = whole.text[0] == '[';

	if (colon == NULL)
		return refuse(whole, "expected host:port, [v6]:port or unix:/path",
			      err);
	host.len = (size_t)(colon - whole.text);
	port.text = colon + 1;
	port.len = whole.len - host.len - 1;
	if (!is_port(port))
		return refuse(whole, "a port is a number up to 65535", err);
	if (v6 && (host.len < 2 || host.text[host.len - 1] != ']'))
		return refuse(whole, "the closing ] is missing", err);
	if (v6)
		host = (struct part){ host.text + 1, host.len - 2 };
	if (!is_host(host, v6) && !(host.len == 1 && host.text[0] == '*' && !v6))
		return refuse(whole, "this is no host name or address", err);
	copy(out->host, host);
	copy(out->port, port);
	return 0;
}

static int
endpoint_parse(struct part whole, struct endpoint *out, struct err *err)
{
	*out = (struct endpoint){ 0 };
	if (starts_with(whole, UNIX_PREFIX))
		return read_path(whole, out, err);
	return read_host_and_port(whole, out, err);
}

static bool
separates(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

int
endpoints_parse(const char *text, size_t len,
		struct endpoint out[static ENDPOINTS_MOST], struct err *err)
{
	const char *at = text, *end = text + len;
	int count = 0;

	for (;;) {
		struct part part = { 0 };

		while (at < end && separates(*at))
			at++;
		for (part.text = at; at < end && !separates(*at); at++)
			part.len++;
		if (part.len == 0)
			break;
		if (count == ENDPOINTS_MOST)
			return err_set(err, ERR_LIMIT, "more than %d addresses",
				       ENDPOINTS_MOST);
		if (endpoint_parse(part, &out[count], err) < 0)
			return -1;
		count++;
	}
	if (count == 0)
		return err_set(err, ERR_INPUT, "no address to listen on");
	return count;
}
