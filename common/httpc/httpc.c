/*
 * libcurl's multi handle on our loop, and the life of calls: waiting to be added, under
 * way, cancelled. libcurl may not be called from its own callbacks, and those end in
 * code of the owners, so calls are added and taken away at the end of the turn only.
 */
#include "httpc/httpc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "httpc/call.h"

#define IDLE_CONNECTIONS 64L

/* A descriptor that libcurl wants watched. */
struct wanted {
	struct list link;
	struct httpc *httpc;
	struct watch *watch;
	curl_socket_t fd;
};

struct httpc {
	struct loop *loop;
	CURLM *multi;
	struct timer *timer;
	struct list fresh, running, cancelled; /* struct http_call */
	struct list wanted;
	bool tidying; /* at the end of the turn */
	bool dead;
};

static void
deliver(struct http_call *call)
{
	bool ok = call->err.kind == ERR_NONE;

	call->response.duration = loop_mono(call->httpc->loop) - call->started;
	call->done(call->context, ok ? &call->response : NULL, &call->err);
}

static void
free_call(struct http_call *call)
{
	list_remove(&call->link);
	if (call->added)
		curl_multi_remove_handle(call->httpc->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	free(call->body);
	free(call->unix_socket);
	http_reply_fini(call);
	free(call);
}

/* Told to its owner and freed. It stands among the cancelled meanwhile, where a cancel
 * from inside done finds it harmless. */
static void
finish(struct http_call *call)
{
	if (call->done != NULL)
		deliver(call);
	call->done = NULL;
	free_call(call);
}

static void
take_finished(struct httpc *httpc)
{
	CURLMsg *message;
	struct http_call *call;
	CURLcode code;
	int left;

	while (!httpc->dead && (message = curl_multi_info_read(httpc->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  (char **)&call);
		http_reply_close(call, code);
		curl_multi_remove_handle(httpc->multi, call->easy);
		call->added = false;
		finish(call);
	}
}

static void
act(struct httpc *httpc, curl_socket_t fd, int ready)
{
	int running;

	if (httpc->dead)
		return;
	curl_multi_socket_action(httpc->multi, fd, ready, &running);
	take_finished(httpc);
}

static void
on_ready(void *context, unsigned ready)
{
	struct wanted *wanted = context;

	act(wanted->httpc, wanted->fd,
	    ((ready & WATCH_READ) != 0 ? CURL_CSELECT_IN : 0) |
		((ready & WATCH_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void
on_time(void *context)
{
	act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int
on_timer_wanted(CURLM *multi, long delay_ms, void *context)
{
	struct httpc *httpc = context;

	(void)multi;
	if (delay_ms < 0)
		timer_stop(httpc->timer);
	else
		timer_set(httpc->timer, delay_ms * USEC_MS);
	return 0;
}

static void
free_wanted(struct wanted *wanted)
{
	list_remove(&wanted->link);
	watch_free(&wanted->watch);
	free(wanted);
}

/* Sockets of our own making are closed on exec already; those by which libcurl's
 * resolver wakes us are not. */
static struct wanted *
add_wanted(struct httpc *httpc, curl_socket_t fd)
{
	struct wanted *wanted = xcalloc(1, sizeof *wanted);

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	wanted->httpc = httpc;
	wanted->fd = fd;
	wanted->watch = watch_new(httpc->loop, fd, 0, on_ready, wanted);
	list_push(&httpc->wanted, &wanted->link);
	curl_multi_assign(httpc->multi, fd, wanted);
	return wanted;
}

static int
on_watch_wanted(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
	struct wanted *wanted = of_socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (wanted != NULL)
			free_wanted(wanted);
		curl_multi_assign(((struct httpc *)context)->multi, fd, NULL);
		return 0;
	}
	if (wanted == NULL)
		wanted = add_wanted(context, fd);
	watch_want(wanted->watch, ((what & CURL_POLL_IN) != 0 ? WATCH_READ : 0) |
				      ((what & CURL_POLL_OUT) != 0 ? WATCH_WRITE : 0));
	return 0;
}

/* libcurl makes a pair of sockets here that our children would inherit. They get the
 * two lowest free numbers. */
static CURLM *
new_multi(void)
{
	int fds[2] = { dup(STDERR_FILENO), dup(STDERR_FILENO) };
	struct stat st;
	CURLM *multi;

	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	multi = curl_multi_init();
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0 && fstat(fds[i], &st) == 0 && S_ISSOCK(st.st_mode))
			fcntl(fds[i], F_SETFD, FD_CLOEXEC);
	return multi;
}

struct httpc *
httpc_new(struct loop *loop, struct err *err)
{
	struct httpc *httpc;
	CURLM *multi;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_SYSTEM, "libcurl does not start");
		return NULL;
	}
	multi = new_multi();
	if (multi == NULL) {
		curl_global_cleanup();
		err_set(err, ERR_SYSTEM, "libcurl makes no multi handle");
		return NULL;
	}
	httpc = xcalloc(1, sizeof *httpc);
	httpc->loop = loop;
	httpc->multi = multi;
	httpc->timer = timer_new(loop, on_time, httpc);
	list_init(&httpc->fresh);
	list_init(&httpc->running);
	list_init(&httpc->cancelled);
	list_init(&httpc->wanted);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch_wanted);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, httpc);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, httpc);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
	return httpc;
}

static void
free_calls(struct list *calls)
{
	struct list *link;

	while ((link = list_shift(calls)) != NULL)
		free_call(container_of(link, struct http_call, link));
}

static void
destroy(struct httpc *httpc)
{
	free_calls(&httpc->cancelled);
	curl_multi_cleanup(httpc->multi);
	list_each_safe (link, &httpc->wanted)
		free_wanted(container_of(link, struct wanted, link));
	timer_free(&httpc->timer);
	free(httpc);
	curl_global_cleanup();
}

static void
begin(struct httpc *httpc, struct http_call *call)
{
	CURLMcode code = CURLM_OK;

	list_push(&httpc->running, &call->link);
	if (call->err.kind == ERR_NONE)
		code = curl_multi_add_handle(httpc->multi, call->easy);
	call->added = call->err.kind == ERR_NONE && code == CURLM_OK;
	if (code != CURLM_OK)
		err_set(&call->err, ERR_SYSTEM, "libcurl: %s",
			curl_multi_strerror(code));
	if (!call->added)
		finish(call);
}

/* What is sent in here meanwhile waits for the next turn. */
static void
begin_fresh(struct httpc *httpc)
{
	struct list *link;
	size_t count = 0;

	list_each (it, &httpc->fresh)
		count++;
	while (count-- > 0 && (link = list_shift(&httpc->fresh)) != NULL)
		begin(httpc, container_of(link, struct http_call, link));
}

static void
tidy(void *context)
{
	struct httpc *httpc = context;

	httpc->tidying = false;
	if (httpc->dead) {
		destroy(httpc);
		return;
	}
	free_calls(&httpc->cancelled);
	begin_fresh(httpc);
}

static void
tidy_later(struct httpc *httpc)
{
	if (httpc->tidying)
		return;
	httpc->tidying = true;
	loop_defer(httpc->loop, tidy, httpc);
}

/* From now on the owner hears nothing of it, and its address guard allows nothing. */
static void
cancel(struct http_call *call)
{
	call->done = NULL;
	list_remove(&call->link);
	list_push(&call->httpc->cancelled, &call->link);
}

void
httpc_free(struct httpc **httpc_p)
{
	struct httpc *httpc = *httpc_p;

	if (httpc == NULL)
		return;
	*httpc_p = NULL;
	while (!list_empty(&httpc->fresh))
		cancel(container_of(httpc->fresh.next, struct http_call, link));
	while (!list_empty(&httpc->running))
		cancel(container_of(httpc->running.next, struct http_call, link));
	timer_stop(httpc->timer);
	httpc->dead = true;
	tidy_later(httpc);
}

struct http_call *
httpc_send(struct httpc *httpc, const struct http_request *request, http_done_fn *done,
	   void *context)
{
	struct http_call *call = xcalloc(1, sizeof *call);

	call->httpc = httpc;
	call->easy = curl_easy_init();
	if (call->easy == NULL)
		bug("out of memory for a call");
	call->started = loop_mono(httpc->loop);
	call->reply_max = request->reply_max;
	call->address_allowed = request->address_allowed;
	call->address_context = request->address_context;
	call->on_data = request->on_data;
	call->on_head = request->on_head;
	call->sent = request->sent;
	call->done = done;
	call->context = context;
	if (http_request_prepare(call, request) == 0) {
		http_address_guard(call);
		http_reply_gather(call);
	}
	list_push(&httpc->fresh, &call->link);
	tidy_later(httpc);
	return call;
}

void
http_call_cancel(struct http_call **call_p)
{
	struct http_call *call = *call_p;

	if (call == NULL)
		return;
	*call_p = NULL;
	cancel(call);
	tidy_later(call->httpc);
}
