/* See database.h. */
#include "database.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "install.h"
#include "store/audit.h"
#include "store/migrate.h"

#define PATIENCE          (10 * USEC_SECOND)
#define STATEMENT_TIMEOUT (120 * USEC_SECOND)

struct database {
	struct loop *loop;
	struct pg *pg;
	struct timer *timer;
	/* of the statement under way */
	void (*on_rows)(void *context, const struct pg_rows *rows);
	void *context;
	struct err err;
};

static void
on_state(void *context, bool up)
{
	struct database *database = context;

	if (up)
		loop_stop(database->loop);
}

static void
on_time(void *context)
{
	loop_stop(((struct database *)context)->loop);
}

struct database *
database_connect(const char *url, struct err *err)
{
	struct database *database = xcalloc(1, sizeof *database);
	struct pg_conf conf = { .url = url,
				.application = "stepmill cli",
				.statement_timeout = STATEMENT_TIMEOUT,
				.on_state = on_state,
				.context = database };

	database->loop = loop_new(err);
	if (database->loop == NULL)
		goto fail;
	database->timer = timer_new(database->loop, on_time, database);
	database->pg = pg_new(database->loop, &conf, err);
	if (database->pg == NULL)
		goto fail;
	timer_set(database->timer, PATIENCE);
	loop_run(database->loop);
	timer_stop(database->timer);
	if (pg_is_up(database->pg))
		return database;
	err_set(err, ERR_RETRY, "PostgreSQL cannot be reached");
fail:
	database_close(&database);
	return NULL;
}

struct database *
database_open(const char *url, struct err *err)
{
	/* says best what is wrong: nobody there, no schema, another version */
	if (migrate_check(url, err) < 0)
		return NULL;
	return database_connect(url, err);
}

void
database_close(struct database **database_p)
{
	struct database *database = *database_p;

	if (database == NULL)
		return;
	*database_p = NULL;
	pg_free(&database->pg);
	timer_free(&database->timer);
	loop_free(&database->loop);
	free(database);
}

static void
on_done(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct database *database = context;

	database->err = *err;
	if (rows != NULL && database->on_rows != NULL)
		database->on_rows(database->context, rows);
	loop_stop(database->loop);
}

int
database_run(struct database *database, const char *name, const struct pg_args *args,
	     void (*on_rows)(void *context, const struct pg_rows *rows), void *context,
	     struct err *err)
{
	database->on_rows = on_rows;
	database->context = context;
	pg_query(database->pg, name, args, on_done, database);
	loop_run(database->loop);
	if (database->err.kind == ERR_NONE)
		return 0;
	*err = database->err;
	return -1;
}

/* "cli:ada" */
static char *
whoever(void)
{
	const struct passwd *user = getpwuid(getuid());

	return user != NULL ? xprintf("cli:%s", user->pw_name)
			    : xprintf("cli:%lu", (unsigned long)getuid());
}

static int
audit(struct database *database, const char *what, const char *target, struct err *err)
{
	char *who = whoever();
	struct audit_row row = { .id = uuid7_new(loop_now(database->loop)),
				 .who = who,
				 .what = what,
				 .target = target };

	database->on_rows = NULL;
	audit_insert(database->pg, &row, on_done, database);
	loop_run(database->loop);
	free(who);
	if (database->err.kind == ERR_NONE)
		return 0;
	*err = database->err;
	return -1;
}

static void
on_committed(void *context, const struct err *err)
{
	struct database *database = context;

	database->err = *err;
	loop_stop(database->loop);
}

int
database_change(struct database *database, const char *name, const struct pg_args *args,
		void (*on_rows)(void *context, const struct pg_rows *rows),
		bool *happened, const char *what, const char *target, struct err *err)
{
	*happened = true;
	pg_begin(database->pg);
	if (database_run(database, name, args, on_rows, happened, err) < 0 ||
	    (*happened && audit(database, what, target, err) < 0)) {
		pg_rollback(database->pg);
		return -1;
	}
	pg_commit(database->pg, on_committed, database);
	loop_run(database->loop);
	if (database->err.kind == ERR_NONE)
		return 0;
	*err = database->err;
	return -1;
}

struct database *
database_of(const struct command *command, const struct args *args, int *status)
{
	struct database *database = NULL;
	struct install install;
	struct err err = { 0 };

	*status = install_find(&install, command, args);
	if (*status != CLI_OK)
		return NULL;
	if (install.database_url == NULL)
		*status = command_usage(command,
					"no database: no stepmill dev runs here; set "
					"DATABASE_URL or database.url, or give "
					"--database-url");
	else
		database = database_open(install.database_url, &err);
	if (err.kind != ERR_NONE)
		*status = command_fail(
		    command, err.kind == ERR_RETRY ? CLI_UNREACHABLE : CLI_FAILED, "%s",
		    err.text);
	install_fini(&install);
	return database;
}
