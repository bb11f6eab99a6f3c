/*
 * The door's life: what a connection is made of, and how it goes.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/pg_priv.h"
#include "store/query.h"

/* Each statement must reach its tables by index whatever the planner believes of them:
 * see "plan rules" in sql/README.md. */
#define HOT_SETTINGS                                                                   \
	" -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"                 \
	" -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off"

/* Binary formats and the order of locks rely on the first line. */
static char *
session_settings(const struct pg_conf *conf)
{
	return xprintf("-c client_encoding=UTF8 -c search_path=stepmill"
		       " -c default_transaction_isolation=read\\ committed"
		       " -c statement_timeout=%lld -c jit=off -c TimeZone=UTC"
		       " -c client_min_messages=warning%s",
		       (long long)(conf->statement_timeout / USEC_MS),
		       conf->hot ? HOT_SETTINGS : "");
}

struct pg *
pg_new(struct loop *loop, const struct pg_conf *conf, struct err *err)
{
	struct pg *pg = xcalloc(1, sizeof *pg);

	pg->loop = loop;
	pg->conf = *conf;
	pg->settings = session_settings(conf);
	pg->application = xstrdup(conf->application);
	pg->options[0] = (struct pg_option){ "options", pg->settings };
	pg->options[1] =
	    (struct pg_option){ "fallback_application_name", pg->application };
	pg->options[2] = (struct pg_option){ "tcp_user_timeout", "10000" };
	pg->options[3] = (struct pg_option){ "keepalives_idle", "10" };
	pg->options[4] = (struct pg_option){ "keepalives_interval", "3" };
	pg->options[5] = (struct pg_option){ "keepalives_count", "3" };
	pg->address = pg_address_new(conf->url, pg->options, err);
	list_init(&pg->queued);
	list_init(&pg->sent);
	list_init(&pg->refused);
	pg->prepared = xcalloc(query_count(), 1);
	pg->refuse = timer_new(loop, pg_pipe_on_refuse, pg);
	pg_conn_start(pg);
	if (pg->address == NULL)
		pg_free(&pg);
	return pg;
}

static void
dispose(void *context)
{
	struct pg *pg = context;

	pg_address_free(&pg->address);
	free(pg->settings);
	free(pg->application);
	free(pg->prepared);
	free(pg);
}

/* Callbacks of ours may be on the stack, and the end of the turn may still look at us:
 * the struct itself goes at that end. */
void
pg_free(struct pg **pg_p)
{
	struct pg *pg = *pg_p;

	if (pg == NULL)
		return;
	*pg_p = NULL;
	pg->dead = true;
	pg_conn_end(pg);
	pg_pipe_drop_all(pg);
	timer_free(&pg->refuse);
	loop_defer(pg->loop, dispose, pg);
}

bool
pg_is_up(const struct pg *pg)
{
	return pg->phase == PG_UP;
}

size_t
pg_pending(const struct pg *pg)
{
	return pg->pending;
}

const struct pg_stats *
pg_stats(const struct pg *pg)
{
	return &pg->stats;
}
