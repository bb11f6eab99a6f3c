/* What the ws_* rooms share; nobody else includes it. */
#ifndef FRONT_WS_PRIV_H
#define FRONT_WS_PRIV_H

#include "base/list.h"
#include "base/map.h"
#include "front/auth.h"
#include "front/caller.h"
#include "front/change.h"
#include "front/dialect_core.h"
#include "front/feed.h"
#include "front/ws.h"
#include "front/ws_conn.h"
#include "front/ws_deflate.h"
#include "front/ws_fields_core.h"
#include "front/ws_handshake_core.h"

#define WS_REQUESTS_MAX      32   /* of one client at once; further ones wait */
#define WS_SUBSCRIPTIONS_MAX 1000 /* of one client */
#define WS_TEXTS_MAX         4    /* messages that one event becomes */
#define WS_ALERTS_TOLD       256  /* runs whose alerts are known to have been told */

/* The last event of a dialect as messages: what one look finds goes to all its
 * subscribers in the same turn. */
struct ws_encoded {
	struct uuid run;
	int64_t seq;
	usec_t turn; /* monotonic; 0: nothing stands here */
	struct ws_text *texts[WS_TEXTS_MAX];
	size_t count;
};

struct ws {
	struct front *front;
	struct ws_deflate *packer;
	struct list clients;
	size_t clients_count;
	struct list requests;  /* all that are not answered */
	struct map *audiences; /* who -> struct ws_audience */
	struct ws_encoded encoded[DIALECTS];
	/* ws_alerts.c */
	struct uuid alerts_told[WS_ALERTS_TOLD]; /* the last ones, round and round */
	size_t alerts_next;
	usec_t alerts_away_since; /* monotonic; 0: they are heard */
};

struct ws_audience; /* ws_audience.c */

/* One connection, and who speaks on it. */
struct ws_client {
	struct list link; /* in ws->clients */
	struct ws *ws;
	struct ws_conn *conn;
	bool known; /* the key was good, or none is needed */
	bool keyed; /* by a key, which may be revoked */
	unsigned char key_hash[SHA256_BYTES];
	struct auth_identity identity;
	char name[WS_CLIENT_NAME_MAX + 1]; /* that it gave itself, or "" */
	char *address;                     /* where it came from */
	char caller[CALLER_ID_MAX];        /* whose messages are counted together */
	char *who;            /* requested_by: "key" or "key/name"; once known */
	struct auth_ask *ask; /* its key is looked up */
	struct ws_request *ask_request; /* for this message; NULL: looked at again */
	struct timer *timer; /* to say who it is; then to look at the key again */
	int triggering; /* workflow.trigger in work: their answers tell the start */
	struct list requests; /* in work */
	size_t requests_count;
	struct list held; /* messages that wait for their turn */
	bool going_on;    /* they are looked at at the end of the turn */
	bool choked;      /* it has too much unread: nothing is taken from it */
	/* ws_subs.c */
	struct map *subs;
	struct timer *patience; /* of subscriptions that wait for room */
	bool waits, overrun;
	/* ws_audience.c */
	struct ws_audience *audience;
	struct list audience_link;
	enum { WS_ASKS_NOTHING, WS_ASKS_NEXT, WS_ASKS_NOW } asks; /* for approvals */
};

/* One message of a client and its answer: exactly one, by the calls below, at once or
 * on a later turn; the request is over with it. */
struct ws_request {
	struct list link; /* in client->requests */
	struct list all;  /* in ws->requests */
	struct ws *ws;
	struct ws_client *client; /* NULL: gone; what is answered goes nowhere */
	const struct ws_route *route;
	struct json *message;
	struct json *id; /* or NULL */
	void *state;     /* what its handler keeps over turns; freed with it */
	void (*free_state)(void *state);
	char request_id[32];
};

/* ---- ws_client.c ---- */

/* Turns the exchange into a client. identity NULL: it has still to say who it is;
 * key_hash NULL: it needs no key. */
void ws_client_begin(struct ws *ws, struct exchange *exchange,
		     const struct auth_identity *identity,
		     const unsigned char *key_hash, const char *name, bool packs);
/* The key was good: it may do all that its role may. */
void ws_client_known(struct ws_client *client, const struct auth_identity *identity,
		     const unsigned char *key_hash);
void ws_client_send(struct ws_client *client, const struct json *message,
		    const struct ws_origin *origin);
void ws_client_send_text(struct ws_client *client, struct ws_text *text,
			 const struct ws_origin *origin);
struct ws_text *ws_text_of(const struct json *message);
/* Takes messages, or leaves them for later, as there is room. */
void ws_client_flow(struct ws_client *client);
/* The key's project, or NULL: bound to none. */
const struct uuid *ws_client_project(const struct ws_client *client);

/* ---- ws_request.c ---- */

/* A message came: finds its row, judges it, gives it to its handler, or keeps it for
 * later when too many are in work. */
void ws_request_take(struct ws_client *client, const char *text, size_t len);
/* There may be room for what waits: looks at it at the end of the turn. */
void ws_requests_go_on(struct ws_client *client);
/* The client is gone: what is in work goes on, for nobody; what waits is dropped. */
void ws_requests_leave(struct ws_client *client);
/* The beginning of an answer: {type, id}; it is the caller's. */
struct json *ws_answer_new(const struct ws_request *request, const char *type);
void ws_answer(struct ws_request *request, struct json *answer /* taken */);
void ws_answer_plain(struct ws_request *request, const char *type); /* {type, id} */
/* errors: [{path, message}], taken, or NULL. */
void ws_refuse(struct ws_request *request, const char *code, struct json *errors,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));
/* By the kind; what a person must look at goes to the log, not to the client. */
void ws_refuse_err(struct ws_request *request, const struct err *err);
void ws_request_end(struct ws_request *request); /* without an answer */
const char *ws_text_field(const struct ws_request *request, const char *name);
/* A field that was checked to be a UUID. False: it is absent. */
bool ws_uuid_field(const struct ws_request *request, const char *name,
		   struct uuid *out);

/* ---- ws_route.c ---- */

extern const struct ws_route ws_routes[];

/* ---- ws_subs.c ---- */

void ws_subs_init(struct ws_client *client);
void ws_subs_fini(struct ws_client *client);
void ws_subs_room(struct ws_client *client);              /* what waited may go on */
void ws_on_subscribe(struct ws_request *request);         /* workflow:subscribe */
void ws_on_unsubscribe(struct ws_request *request);       /* workflow:unsubscribe */
void ws_on_subscribe_camel(struct ws_request *request);   /* SubscribeWorkflow */
void ws_on_unsubscribe_camel(struct ws_request *request); /* UnsubscribeWorkflow */

/* Whether it follows every run, in the messages of workflow:subscribe, also of this
 * project and workflow. */
bool ws_subs_follow(const struct ws_client *client, const struct uuid *project,
		    const struct uuid *workflow);

/* ---- ws_audience.c ---- */

/* From now on the client is told of the runs that it triggered, and asked what pending
 * approvals of them ask. */
void ws_audience_join(struct ws_client *client);
void ws_audience_leave(struct ws_client *client);

/* ---- ws_lists.c ---- */

void ws_on_workflow_list(struct ws_request *request);
void ws_on_execution_list(struct ws_request *request);

/* ---- ws_status.c ---- */

/* Answers with the status of the run as it is now. */
void ws_answer_status(struct ws_request *request, const struct uuid *run);

/* ---- ws_making.c: a message that changes something, within a change ---- */

struct ws_making {
	struct ws_request *request;
	struct change *change; /* NULL: over */
	void (*go)(struct ws_making *making);
	void (*answer)(struct ws_request *request, const char *id);
	struct uuid project; /* that the key may not leave; nil: any */
	char *by, *who;      /* the key's name; with the client's */
	struct json *tools;  /* of the key; NULL: all */
	struct uuid run;     /* that it is about, if so */
};

struct ws_making_kind {
	const char *what; /* "execution.cancel", for the audit log */
	/* Its turn has come: the effect goes on its change; then one of the calls
	 * below. */
	void (*go)(struct ws_making *making);
	/* It is committed, or was before: of what was made. */
	void (*answer)(struct ws_request *request, const char *id);
};

/* target: what the audit log says it was done to, until change_audit says better. */
void ws_making_begin(struct ws_request *request, const struct ws_making_kind *kind,
		     const char *target);
/* It is done: commits. id: all that `answer` needs, also for a repetition. */
void ws_making_made(struct ws_making *making, const char *id);
/* Undoes it. errors: as for ws_refuse. */
void ws_making_refuse(struct ws_making *making, const char *code, struct json *errors,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));
void ws_making_refuse_err(struct ws_making *making, const struct err *err);
const struct uuid *ws_making_project(const struct ws_making *making); /* or NULL */

/* ---- messages that change something: ws_trigger.c, ws_change.c, ws_schedules.c ----
 */

void ws_on_trigger(struct ws_request *request);
void ws_on_approval(struct ws_request *request);
void ws_on_cancel(struct ws_request *request);
void ws_on_schedule_create(struct ws_request *request);
void ws_on_schedule_update(struct ws_request *request);
void ws_on_schedule_delete(struct ws_request *request);
void ws_on_schedule_list(struct ws_request *request);
void ws_on_heartbeat_configure(struct ws_request *request);

/* ---- ws_auth.c ---- */

void ws_on_auth(struct ws_request *request);
void ws_on_ping(struct ws_request *request);

#endif
