/*
 * Names are asked for by the C library's own helper thread (getaddrinfo_a), and looked
 * after by a timer, because its signals and threads have no place in our loop.
 */
#include "queue/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/xalloc.h"

#define LOOK_AGAIN (5 * USEC_MS)

/* What the helper thread works on; it may outlive the resolve. */
struct question {
	struct gaicb request;
	struct addrinfo hints;
	char *host;
	char port[8];
};

struct resolve {
	struct timer *timer;
	struct question *question; /* NULL: the answer is known */
	struct addresses addresses;
	resolve_fn *done;
	void *context;
};

static struct question *
question_new(const struct redis_url *url, int flags)
{
	struct question *question = xcalloc(1, sizeof *question);

	question->host = xstrdup(url->host);
	snprintf(question->port, sizeof question->port, "%d", url->port);
	question->hints.ai_socktype = SOCK_STREAM;
	question->hints.ai_flags = flags;
	question->request.ar_name = question->host;
	question->request.ar_service = question->port;
	question->request.ar_request = &question->hints;
	return question;
}

static void
question_free(struct question **question_p)
{
	struct question *question = *question_p;

	if (question == NULL)
		return;
	*question_p = NULL;
	if (question->request.ar_result != NULL)
		freeaddrinfo(question->request.ar_result);
	free(question->host);
	free(question);
}

static void
keep_addresses(struct addresses *addresses, const struct addrinfo *info)
{
	for (; info != NULL && addresses->count < ADDRESSES_MAX; info = info->ai_next) {
		memcpy(&addresses->list[addresses->count], info->ai_addr,
		       info->ai_addrlen);
		addresses->lens[addresses->count++] = info->ai_addrlen;
	}
}

static void
keep_path(struct addresses *addresses, const char *path)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&addresses->list[0];

	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
	addresses->lens[0] = sizeof *address;
	addresses->count = 1;
}

/* An address that needs no name server. */
static void
keep_numeric(struct addresses *addresses, const struct question *question)
{
	struct addrinfo hints = question->hints, *info = NULL;

	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(question->host, question->port, &hints, &info) != 0)
		return;
	keep_addresses(addresses, info);
	freeaddrinfo(info);
}

static void
answer(struct resolve *resolve, const char *error)
{
	if (error == NULL && resolve->addresses.count == 0)
		error = "no address";
	resolve->done(resolve->context, &resolve->addresses, error);
}

static void
on_time(void *context)
{
	struct resolve *resolve = context;
	struct question *question = resolve->question;
	int code;

	if (question == NULL) {
		answer(resolve, NULL);
		return;
	}
	code = gai_error(&question->request);
	if (code == EAI_INPROGRESS) {
		timer_set(resolve->timer, LOOK_AGAIN);
		return;
	}
	if (code == 0)
		keep_addresses(&resolve->addresses, question->request.ar_result);
	question_free(&resolve->question);
	answer(resolve, code == 0 ? NULL : gai_strerror(code));
}

static void
ask(struct resolve *resolve)
{
	struct gaicb *list[1] = { &resolve->question->request };

	/* A failure to ask is told by gai_error as well. */
	getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
}

struct resolve *
resolve_new(struct loop *loop, const struct redis_url *url, resolve_fn *done,
	    void *context)
{
	struct resolve *resolve = xcalloc(1, sizeof *resolve);

	resolve->done = done;
	resolve->context = context;
	resolve->timer = timer_new(loop, on_time, resolve);
	timer_set(resolve->timer, 0);
	if (url->path != NULL) {
		keep_path(&resolve->addresses, url->path);
		return resolve;
	}
	resolve->question = question_new(url, AI_NUMERICSERV);
	keep_numeric(&resolve->addresses, resolve->question);
	if (resolve->addresses.count > 0)
		question_free(&resolve->question);
	else
		ask(resolve);
	return resolve;
}

/* A question that the helper thread has begun cannot be taken back: its memory stays.
 */
void
resolve_free(struct resolve **resolve_p)
{
	struct resolve *resolve = *resolve_p;

	if (resolve == NULL)
		return;
	*resolve_p = NULL;
	timer_free(&resolve->timer);
	if (resolve->question != NULL &&
	    gai_cancel(&resolve->question->request) != EAI_NOTCANCELED)
		question_free(&resolve->question);
	free(resolve);
}
