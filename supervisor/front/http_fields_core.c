/*
 * What two programs could understand differently is refused: a second Content-Length
 * even if it is the same, any transfer coding but one "chunked", both at once, two
 * Hosts. The fields that tell who asks for what may come once only, too.
 */
#include <string.h>
#include <strings.h>

#include "front/http_fields_core.h"

typedef const char *take_fn(struct http_head *head, const char *value, int *status);

static const char *
take_content_length(struct http_head *head, const char *value, int *status)
{
	uint64_t length = 0;

	if (*value == '\0')
		return "an empty Content-Length";
	for (const char *p = value; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return "a Content-Length that is not a number";
		if (length > (UINT64_MAX >> 1) / 10 - 1)
			return "a Content-Length out of range";
		length = length * 10 + (uint64_t)(*p - '0');
	}
	(void)status;
	head->counted = true;
	head->content_length = length;
	return NULL;
}

static const char *
take_transfer_encoding(struct http_head *head, const char *value, int *status)
{
	(void)status;
	if (strcasecmp(value, "chunked") != 0)
		return "a Transfer-Encoding other than chunked";
	head->chunked = true;
	return NULL;
}

static const char *
take_host(struct http_head *head, const char *value, int *status)
{
	(void)status;
	if (!target_authority_valid(value, strlen(value)))
		return "a Host that is no host name";
	head->host = (uint32_t)(value - head->text.data);
	return NULL;
}

static bool
lists_token(const char *list, const char *token)
{
	size_t token_len = strlen(token);

	while (*list != '\0') {
		size_t len;

		list += strspn(list, " \t,");
		len = strcspn(list, " \t,");
		if (len == token_len && strncasecmp(list, token, len) == 0)
			return true;
		list += len;
	}
	return false;
}

static const char *
take_connection(struct http_head *head, const char *value, int *status)
{
	(void)status;
	if (lists_token(value, "close"))
		head->keep_alive = false;
	return NULL;
}

static const char *
take_expect(struct http_head *head, const char *value, int *status)
{
	if (strcasecmp(value, "100-continue") != 0) {
		*status = 417;
		return "an Expect other than 100-continue";
	}
	head->expects_continue = true;
	return NULL;
}

/* clang-format off */
static const struct known {
	const char *name;
	take_fn *take;
	bool many;    /* may come more than once */
	bool framing; /* may not come in trailers */
} known[] = {
	{ .name = "Content-Length", .take = take_content_length, .framing = true },
	{ .name = "Transfer-Encoding", .take = take_transfer_encoding, .framing = true },
	{ .name = "Host", .take = take_host, .framing = true },
	{ .name = "Connection", .take = take_connection, .many = true },
	{ .name = "Expect", .take = take_expect },
	{ .name = "Authorization", .framing = true },
	{ .name = "Content-Type" },
	{ .name = "Idempotency-Key" },
	{ .name = "Origin" },
	{ .name = "Sec-WebSocket-Key" },
	{ .name = "Sec-WebSocket-Version" },
};
/* clang-format on */

#define KNOWN_COUNT (sizeof known / sizeof known[0])

const char *
http_fields_take(struct http_parser *parser, const char *name, const char *value,
		 int *status)
{
	size_t i = 0;

	while (i < KNOWN_COUNT && strcasecmp(known[i].name, name) != 0)
		i++;
	if (i == KNOWN_COUNT)
		return NULL;
	if (parser->in_trailers)
		return known[i].framing ? "a trailer that decides about framing" : NULL;
	if (!known[i].many && (parser->seen & 1u << i) != 0)
		return "a header that may come once only came twice";
	parser->seen |= 1u << i;
	return known[i].take != NULL ? known[i].take(&parser->head, value, status)
				     : NULL;
}

static const char *
check_target(const struct http_head *head, int *status)
{
	const char *method = http_method(head);

	if (strcmp(method, "CONNECT") == 0) {
		*status = 501;
		return "the method is not known";
	}
	if (head->target.form == TARGET_ASTERISK && strcmp(method, "OPTIONS") != 0)
		return "the target * is for OPTIONS only";
	return NULL;
}

static const char *
check_framing(const struct http_head *head)
{
	if (head->chunked && head->counted)
		return "both Transfer-Encoding and Content-Length";
	if (head->chunked && head->minor == 0)
		return "a Transfer-Encoding in HTTP/1.0";
	if (http_has_body(head) && strcmp(http_method(head), "HEAD") == 0)
		return "a HEAD request with a body";
	return NULL;
}

const char *
http_fields_end(struct http_parser *parser, int *status)
{
	struct http_head *head = &parser->head;
	const char *why = check_framing(head);

	if (why == NULL && head->minor > 0 && head->host == 0)
		why = "no Host";
	if (why == NULL)
		why = check_target(head, status);
	return why;
}

/* ---- what others ask ---- */

bool
http_has_body(const struct http_head *head)
{
	return head->chunked || head->content_length > 0;
}

const char *
http_method(const struct http_head *head)
{
	return head->text.data;
}

const char *
http_field(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->fields_count; i++)
		if (strcasecmp(head->text.data + head->fields[i].name, name) == 0)
			return head->text.data + head->fields[i].value;
	return NULL;
}

bool
http_lists(const struct http_head *head, const char *name, const char *token)
{
	const char *text = head->text.data;

	for (size_t i = 0; i < head->fields_count; i++)
		if (strcasecmp(text + head->fields[i].name, name) == 0 &&
		    lists_token(text + head->fields[i].value, token))
			return true;
	return false;
}

const char *
http_host(const struct http_head *head)
{
	const char *authority = target_authority(&head->target);

	if (authority != NULL)
		return authority;
	return head->host > 0 ? head->text.data + head->host : "";
}
