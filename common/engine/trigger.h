/*
 * What starts runs of a workflow without a person: the entries of its `trigger`, read
 * and checked. Owned by the workflow.
 */
#ifndef ENGINE_TRIGGER_H
#define ENGINE_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/mask.h"
#include "base/usec.h"
#include "base/uuid7.h"
#include "lang/cel.h"
#include "lang/template.h"

#define TRIGGERS_MAX         100
#define TRIGGER_PATH_MAX     200  /* bytes of a webhook's path */
#define TRIGGER_SECRETS_MAX  5    /* of one webhook: the newest and those before */
#define TRIGGER_SECRET_MAX   1000 /* bytes */
#define TRIGGER_EVENT_MAX    200  /* bytes of an event's source and type */
#define TRIGGER_PLACES_MAX   20   /* folders of one file watch, and its patterns */
#define TRIGGER_DEBOUNCE_MAX (3600 * USEC_SECOND)

struct doc;
struct workflow;

enum trigger_kind {
	TRIGGER_CRON,
	TRIGGER_WEBHOOK,
	TRIGGER_EVENT,
	TRIGGER_FILE_WATCH,
	TRIGGER_KINDS
};

struct trigger_texts {
	char **list;
	size_t count;
};

/* As the columns of a schedule. */
struct trigger_cron {
	char *text;           /* pattern or words */
	char *zone;           /* NULL: UTC */
	char *start, *end;    /* "HH:MM"; NULL, both: always active */
	int days[7];          /* ISO 1 to 7, each once, rising */
	size_t days_count;    /* 0: all */
	long max_runs;        /* 0: no limit */
	const char *catch_up; /* "none", "last", "all" */
	const char *overlap;  /* "skip", "allow" */
	usec_t jitter;
	struct json *input; /* as written, without templates; or NULL */
};

enum trigger_auth { TRIGGER_AUTH_NONE, TRIGGER_AUTH_HMAC, TRIGGER_AUTH_BEARER };

struct trigger_webhook {
	char *path; /* what follows /webhooks/ */
	enum trigger_auth auth;
	struct trigger_texts secrets; /* as written: also env:NAME and file:/path */
};

struct trigger_event {
	char *source; /* NULL: any */
	char *type;
};

struct trigger_watch {
	struct trigger_texts paths;    /* folders or files of the project; "." is it */
	struct trigger_texts patterns; /* glob.h; "!" in front: not these. 0: all */
	usec_t debounce;
};

struct trigger_def {
	int place; /* in the list of the file, from 0; those of `manual` are left out */
	enum trigger_kind kind;
	struct cel *when;       /* reads only `trigger`; NULL: always. Not of cron */
	struct template *input; /* of the run, likewise; NULL: trigger_input's choice */
	/* that of its kind */
	struct trigger_cron cron;
	struct trigger_webhook webhook;
	struct trigger_event event;
	struct trigger_watch watch;
};

void trigger_fini(struct trigger_def *trigger);
const char *trigger_kind_name(enum trigger_kind kind); /* as workflow_triggers.kind */
/* Does it apply to this payload (the `trigger` of the run)? -1: the expression failed.
 */
int trigger_applies(const struct trigger_def *trigger, struct json *payload, bool *out,
		    struct err *err);
/* The input of the run: what `input` gives, which must be an object; without it the
 * body of a webhook or the data of an event if that is an object, the payload of a file
 * watch, else {}. The caller's; NULL with err (ERR_INPUT). Not of cron. */
struct json *trigger_input(const struct trigger_def *trigger, struct json *payload,
			   struct err *err);
/* When a schedule that is new now, under this id, fires first and is due; 0: it never
 * does. Only of cron. */
void trigger_first(const struct trigger_def *trigger, const struct uuid *id, usec_t now,
		   usec_t *next, usec_t *due);
/* Secrets that stand in the parsed form of `trigger` become "***"; what only names one
 * (env:, file:) stays. */
void trigger_mask(struct json *trigger);
/* Every secret, so that a change of one is seen where it is masked. */
void trigger_add_secrets(const struct workflow *workflow, struct buf *out);
/* Those that stand in the file itself are masked from now on. */
void trigger_hide_secrets(const struct workflow *workflow, struct mask *mask);
/* The webhook of that path, or NULL. */
const struct trigger_def *trigger_webhook(const struct workflow *workflow,
					  const char *path);

#endif
