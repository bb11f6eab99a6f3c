/*
 * Accepting by hand. libevent's listener spins when descriptors run out; here one spare
 * descriptor is given up to take, answer and close those who knock, and then the door
 * is shut for 100 ms.
 */
#include "front/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "digest/digest.h"

#define ACCEPTS_MAX 64 /* a turn and socket: others want their turn, too */
#define PAUSE       (100 * USEC_MS)
#define LAST_CALL   (100 * USEC_MS) /* for handshakes that have begun */
#define LAST_MAX    65536
#define IDLE_LEAST  (1 * USEC_SECOND)  /* before one makes room for another */
#define SAID_FOR    (10 * USEC_SECOND) /* a trouble is not said again */
#define DATE_SIZE   32

struct door {
	struct listener *listener;
	struct watch *watch;
	int fd;
};

struct listener {
	struct front *front;
	struct router *router;
	struct door *doors;
	size_t doors_count;
	int spare;           /* a descriptor for hard times */
	struct timer *pause; /* set: the doors are shut for a moment, or for good */
	struct list all;     /* connections, oldest first */
	struct list idle;    /* those that wait for a request, longest first */
	struct list kept;    /* closed, but held by a handler */
	struct peers *peers;
	size_t per_address_max; /* 0: half of all */
	struct listen_stats stats;
	struct http_stats requests;
	usec_t starved_at, crowded_at, misled_at; /* last; 0: not since it was over */
	bool draining, closed;                    /* asked to end; no door is left */
	bool last;                                /* nobody accepts after us */
	loop_fn *drained;
	void *drained_context;
	char date[DATE_SIZE];
	int64_t date_second;
	uint64_t id_start, id_count; /* of request ids */
};

static void on_knock(void *context, unsigned ready);

/* ---- small things ---- */

struct front *
listener_front(const struct listener *listener)
{
	return listener->front;
}

const struct router *
listener_router(const struct listener *listener)
{
	return listener->router;
}

struct http_stats *
listener_stats(struct listener *listener)
{
	return &listener->requests;
}

struct listen_stats
listener_counts(const struct listener *listener)
{
	return listener->stats;
}

static char *
add_hex(char *out, uint64_t number, int digits)
{
	while (digits-- > 0)
		*out++ = "0123456789abcdef"[number >> (4 * digits) & 15];
	return out;
}

/* Random once, then counted: a request costs no system call for its name. */
void
listener_request_id(struct listener *listener, char out[static LISTEN_REQUEST_ID])
{
	char *end = add_hex(out, listener->id_start, 16);

	*end++ = '-';
	end = add_hex(end, listener->id_count++, 12);
	*end = '\0';
}

static size_t
open_max(const struct listener *listener)
{
	return (size_t)listener->front->settings->http_connections_max;
}

const char *
listener_date(struct listener *listener)
{
	time_t second = (time_t)(loop_now(listener->front->loop) / USEC_SECOND);
	struct tm tm;

	if (second != listener->date_second) {
		listener->date_second = second;
		gmtime_r(&second, &tm);
		strftime(listener->date, sizeof listener->date,
			 "%a, %d %b %Y %H:%M:%S GMT", &tm);
	}
	return listener->date;
}

/* ---- what connections tell ---- */

void
listener_idle(struct listener *listener, struct http_conn *conn, bool idle)
{
	struct http_conn_links *links = http_conn_links(conn);

	list_remove(&links->idle);
	if (idle) {
		links->idle_since = loop_mono(listener->front->loop);
		list_push(&listener->idle, &links->idle);
		listener->stats.idle++;
	} else {
		listener->stats.idle--;
	}
}

struct peers *
listener_peers(struct listener *listener)
{
	return listener->peers;
}

static void
tell_drained(void *context)
{
	struct listener *listener = context;

	if (listener->drained != NULL)
		listener->drained(listener->drained_context);
}

static void
tell_when_drained(struct listener *listener)
{
	if (listener->closed && listener->stats.open == 0 && listener->drained != NULL)
		loop_defer(listener->front->loop, tell_drained, listener);
}

void
listener_closed(struct listener *listener, struct http_conn *conn)
{
	list_remove(&http_conn_links(conn)->all);
	peers_remove(listener->peers, http_conn_peer(conn));
	listener->stats.open--;
	tell_when_drained(listener);
}

void
listener_keep(struct listener *listener, struct http_conn *conn)
{
	list_push(&listener->kept, &http_conn_links(conn)->all);
}

/* ---- taking and refusing ---- */

/* The one that has been of no use for longest goes. */
static bool
evict(struct listener *listener)
{
	struct http_conn_links *links;

	if (list_empty(&listener->idle))
		return false;
	links = container_of(listener->idle.next, struct http_conn_links, idle);
	if (loop_mono(listener->front->loop) - links->idle_since < IDLE_LEAST)
		return false;
	http_conn_close(links->conn);
	listener->stats.evicted++;
	return true;
}

/* There is nothing to wait with: what has come is read, so that closing does not become
 * a reset that takes our answer away. */
static void
refuse(struct listener *listener, int fd, const char *status)
{
	char text[256], input[4096];
	int len = snprintf(text, sizeof text,
			   "HTTP/1.1 %s\r\nDate: %s\r\nContent-Length: 0\r\n"
			   "Retry-After: 1\r\nConnection: close\r\n\r\n",
			   status, listener_date(listener));

	(void)!read(fd, input, sizeof input);
	(void)!write(fd, text, (size_t)len);
	shutdown(fd, SHUT_WR);
	close(fd);
	listener->stats.refused++;
}

/* Under a storm of clients a line now and then is enough. */
static bool
worth_saying(struct listener *listener, usec_t *last)
{
	usec_t now = loop_mono(listener->front->loop);
	bool worth = *last == 0 || now - *last >= SAID_FOR;

	if (worth)
		*last = now;
	return worth;
}

static void
note_crowd(struct listener *listener, const char *address)
{
	if (worth_saying(listener, &listener->crowded_at))
		log_warn("listener.crowded", F_INT("open", listener->stats.open),
			 F_STR("address", address));
}

void
listener_misunderstood(struct listener *listener, const char *address, const char *why)
{
	if (worth_saying(listener, &listener->misled_at))
		log_warn("proxy.misunderstood", F_STR("address", address),
			 F_STR("why", why));
}

bool
listener_admit(struct listener *listener, const struct peer *peer)
{
	size_t most = listener->per_address_max;

	if (most == 0)
		most = (open_max(listener) + 1) / 2;
	if (peers_add(listener->peers, peer, most))
		return true;
	note_crowd(listener, peer->address);
	return false;
}

static void
take(struct listener *listener, int fd, const struct sockaddr_storage *from)
{
	struct peer peer = peers_read(listener->peers, from);
	struct http_conn *conn;

	if (!listener_admit(listener, &peer)) {
		refuse(listener, fd, "429 Too Many Requests");
		return;
	}
	if (listener->stats.open >= open_max(listener) && !evict(listener)) {
		peers_remove(listener->peers, &peer);
		note_crowd(listener, peer.address);
		refuse(listener, fd, "503 Service Unavailable");
		return;
	}
	listener->stats.accepted++;
	listener->stats.open++;
	conn = http_conn_new(listener, listener->front, fd, &peer);
	list_push(&listener->all, &http_conn_links(conn)->all);
	if (listener->draining)
		http_conn_drain(conn);
}

static void
want(struct listener *listener, unsigned ready)
{
	for (size_t i = 0; i < listener->doors_count; i++)
		if (listener->doors[i].watch != NULL)
			watch_want(listener->doors[i].watch, ready);
}

static void close_for_good(struct listener *listener);

static void
on_pause_over(void *context)
{
	struct listener *listener = context;

	if (listener->draining)
		close_for_good(listener);
	else
		want(listener, WATCH_READ);
}

static void
pause_doors(struct listener *listener)
{
	want(listener, 0);
	timer_set(listener->pause, PAUSE);
}

static int
open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* No descriptor is left. Who knocks is told so with the help of the spare one. */
static void
starve(struct listener *listener, struct door *door)
{
	if (worth_saying(listener, &listener->starved_at))
		log_warn("listener.starved", F_INT("open", listener->stats.open),
			 F_STR("why", strerror(errno)));
	if (listener->spare >= 0)
		close(listener->spare);
	listener->spare = -1;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			break;
		refuse(listener, fd, "503 Service Unavailable");
	}
	listener->spare = open_spare();
	pause_doors(listener);
}

static void
note_recovery(struct listener *listener)
{
	if (listener->starved_at == 0 ||
	    loop_mono(listener->front->loop) - listener->starved_at < SAID_FOR)
		return;
	log_info("listener.recovered", F_INT("open", listener->stats.open));
	listener->starved_at = 0;
}

/* False: nobody (or nothing) is left. */
static bool
accept_one(struct door *door)
{
	struct listener *listener = door->listener;
	struct sockaddr_storage from = { 0 };
	socklen_t from_len = sizeof from;
	int fd = accept4(door->fd, (struct sockaddr *)&from, &from_len,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		if (listener->spare < 0)
			listener->spare = open_spare();
		note_recovery(listener);
		take(listener, fd, &from);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		if (evict(listener))
			return true;
		starve(listener, door);
		return false;
	}
	return errno == ECONNABORTED || errno == EINTR;
}

static void
on_knock(void *context, unsigned ready)
{
	struct door *door = context;

	(void)ready;
	for (int i = 0; i < ACCEPTS_MAX && accept_one(door); i++)
		;
}

/* ---- life ---- */

static void
open_doors(struct listener *listener, const struct listen_conf *conf)
{
	listener->doors = xcalloc(conf->fds_count, sizeof *listener->doors);
	listener->doors_count = conf->fds_count;
	for (size_t i = 0; i < conf->fds_count; i++) {
		struct door *door = &listener->doors[i];

		*door = (struct door){ .listener = listener, .fd = conf->fds[i] };
		door->watch = watch_new(listener->front->loop, door->fd,
					conf->shut ? 0 : WATCH_READ, on_knock, door);
	}
}

void
listener_open(struct listener *listener)
{
	if (!listener->draining)
		want(listener, WATCH_READ);
}

struct listener *
listener_new(struct front *front, const struct listen_conf *conf, struct err *err)
{
	const struct texts *proxies = &front->settings->http_trusted_proxies;
	struct trust trust;
	struct listener *listener;
	int spare = open_spare();

	if (spare < 0) {
		err_errno(err, "cannot open /dev/null");
		return NULL;
	}
	listener = xcalloc(1, sizeof *listener);
	listener->front = front;
	listener->spare = spare;
	listener->per_address_max = conf->per_address_max;
	digest_random(&listener->id_start, sizeof listener->id_start);
	listener->router = router_new(conf->tables);
	trust = trust_new(proxies->list, proxies->count);
	listener->peers = peers_new(&trust);
	list_init(&listener->all);
	list_init(&listener->idle);
	list_init(&listener->kept);
	listener->pause = timer_new(front->loop, on_pause_over, listener);
	open_doors(listener, conf);
	return listener;
}

static void
close_doors(struct listener *listener)
{
	timer_stop(listener->pause);
	for (size_t i = 0; i < listener->doors_count; i++) {
		if (listener->doors[i].watch == NULL)
			continue;
		watch_free(&listener->doors[i].watch);
		close(listener->doors[i].fd);
	}
}

/* Who has come so far is taken in: with the last descriptor of a socket the kernel
 * resets those who wait there, also those that have sent a request. */
static void
close_for_good(struct listener *listener)
{
	for (size_t i = 0; listener->last && i < listener->doors_count; i++)
		for (int n = 0; n < LAST_MAX && accept_one(&listener->doors[i]); n++)
			;
	close_doors(listener);
	listener->closed = true;
	tell_when_drained(listener);
}

/* From here on nobody new gets as far as to wait. Of TCP: what asks for a connection is
 * dropped, and asks again a second later, when the door is closed; a handshake that has
 * begun goes on to its end. */
static void
stop_knocking(int fd)
{
	static struct sock_filter no_syn[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), /* flags of the TCP header */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = { .len = sizeof no_syn / sizeof *no_syn,
					    .filter = no_syn };
	int domain = AF_UNIX;
	socklen_t len = sizeof domain;

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	if (domain == AF_UNIX)
		shutdown(fd, SHUT_RD);
	else
		(void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				 sizeof program);
}

void
listener_drain(struct listener *listener, bool last, loop_fn *done, void *context)
{
	listener->draining = true;
	listener->last = last;
	listener->drained = done;
	listener->drained_context = context;
	want(listener, 0);
	for (size_t i = 0; last && i < listener->doors_count; i++)
		stop_knocking(listener->doors[i].fd);
	list_each_safe (link, &listener->all)
		http_conn_drain(container_of(link, struct http_conn_links, all)->conn);
	timer_set(listener->pause, last ? LAST_CALL : 0);
}

/* Frees what handlers still hold, too: nobody is left who could answer. */
static void
free_connections(struct listener *listener)
{
	listener->drained = NULL;
	list_each_safe (link, &listener->all)
		http_conn_close(container_of(link, struct http_conn_links, all)->conn);
	list_each_safe (kept, &listener->kept)
		http_conn_forget(container_of(kept, struct http_conn_links, all)->conn);
}

void
listener_free(struct listener **listener_p)
{
	struct listener *listener = *listener_p;

	if (listener == NULL)
		return;
	*listener_p = NULL;
	close_doors(listener);
	free_connections(listener);
	if (listener->spare >= 0)
		close(listener->spare);
	timer_free(&listener->pause);
	router_free(&listener->router);
	peers_free(&listener->peers);
	http_stats_fini(&listener->requests);
	free(listener->doors);
	loop_defer(listener->front->loop, free, listener);
}
