/*
 * Migrations, blocking: nothing else goes on in the process that calls this. Each is a
 * transaction with its own record, so an interrupted one has not happened.
 */
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "store/migrate.h"
#include "store/pg_error.h"
#include "store/pg_types.h"
#include "store/query.h"
#include "store/sql_embedded.h"

#define NO_SUCH_TABLE  "42P01"
#define NO_SUCH_SCHEMA "3F000"

static PGconn *
connect_to(const char *url, struct err *err)
{
	static const char *const keywords[] = { "connect_timeout",
						"fallback_application_name", "dbname",
						"options", NULL };
	const char *values[] = { "10", "stepmill migrate", url,
				 "-c client_encoding=UTF8 -c search_path=stepmill"
				 " -c client_min_messages=warning -c TimeZone=UTC",
				 NULL };
	PGconn *conn = PQconnectdbParams(keywords, values, 1);
	const char *why;

	if (PQstatus(conn) == CONNECTION_OK)
		return conn;
	why = PQerrorMessage(conn);
	err_set(err, ERR_RETRY, "PostgreSQL cannot be reached: %.*s",
		(int)strcspn(why, "\n"), why);
	PQfinish(conn);
	return NULL;
}

static void
set_error(PGconn *conn, const PGresult *result, const char *name, struct err *err)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *why = PQerrorMessage(conn);

	if (sqlstate != NULL)
		pg_error(sqlstate, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
			 PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME), name,
			 err);
	else
		err_set(err, ERR_RETRY, "%s: %.*s", name, (int)strcspn(why, "\n"), why);
}

/* NULL with err set; else the result, for PQclear. */
static PGresult *
check(PGconn *conn, PGresult *result, const char *name, struct err *err)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return result;
	set_error(conn, result, name, err);
	PQclear(result);
	return NULL;
}

/* A statement without parameters, or several. */
static int
run_text(PGconn *conn, const char *name, const char *text, struct err *err)
{
	PGresult *result = check(conn, PQexec(conn, text), name, err);

	PQclear(result);
	return result == NULL ? -1 : 0;
}

static int
run(PGconn *conn, const char *name, struct err *err)
{
	return run_text(conn, name, query_text(query_find(name)), err);
}

static PGresult *
run_args(PGconn *conn, const char *name, const struct pg_args *args, struct err *err)
{
	const char *values[PG_ARGS_MAX];
	int lengths[PG_ARGS_MAX], formats[PG_ARGS_MAX];
	Oid types[PG_ARGS_MAX];

	pg_args_give(args, values, lengths, formats);
	for (int i = 0; i < args->count; i++)
		types[i] = args->at[i].type;
	return check(conn,
		     PQexecParams(conn, query_text(query_find(name)), args->count,
				  types, values, lengths, formats, 1),
		     name, err);
}

static int
number_of(const struct sql_embedded *sql)
{
	return atoi(sql->name);
}

static int
newest_known(void)
{
	int newest = 0;

	for (size_t i = 0; i < sql_embedded_count; i++)
		if (sql_embedded[i].migration && number_of(&sql_embedded[i]) > newest)
			newest = number_of(&sql_embedded[i]);
	return newest;
}

static void
known_args(struct pg_args *args)
{
	pg_args_init(args);
	pg_array_begin(args, PG_INT4);
	for (size_t i = 0; i < sql_embedded_count; i++)
		if (sql_embedded[i].migration)
			pg_arg_int4(args, number_of(&sql_embedded[i]));
	pg_array_end(args);
	pg_array_begin(args, PG_TEXT);
	for (size_t i = 0; i < sql_embedded_count; i++)
		if (sql_embedded[i].migration)
			pg_arg_text_len(args, sql_embedded[i].text,
					sql_embedded[i].len);
	pg_array_end(args);
}

static bool
is_bare(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate != NULL && (strcmp(sqlstate, NO_SUCH_TABLE) == 0 ||
				    strcmp(sqlstate, NO_SUCH_SCHEMA) == 0);
}

static int
read_state(PGconn *conn, struct migration_state *state, struct err *err)
{
	const char *values[2];
	int lengths[2], formats[2], status = -1;
	struct pg_args args;
	PGresult *result;

	*state = (struct migration_state){ .known = newest_known() };
	known_args(&args);
	pg_args_give(&args, values, lengths, formats);
	result = PQexecParams(conn, query_text(query_find("schema_migrations_status")),
			      2, NULL, values, lengths, formats, 1);
	if (is_bare(result)) {
		status = 0;
		goto out;
	}
	result = check(conn, result, "schema_migrations_status", err);
	if (result == NULL)
		goto out;
	state->applied =
	    (int)get_be((const unsigned char *)PQgetvalue(result, 0, 0), 4);
	state->changed = PQgetvalue(result, 0, 1)[0] != 0;
	status = 0;
out:
	PQclear(result);
	pg_args_fini(&args);
	return status;
}

int
migrate_status(const char *url, struct migration_state *state, struct err *err)
{
	PGconn *conn = connect_to(url, err);
	int status;

	if (conn == NULL)
		return -1;
	status = read_state(conn, state, err);
	PQfinish(conn);
	return status;
}

static int
check_state(const struct migration_state *state, struct err *err)
{
	if (state->applied > state->known)
		return err_set(err, ERR_CONFLICT,
			       "the database is at migration %d, this program knows %d:"
			       " use a newer stepmill",
			       state->applied, state->known);
	if (state->changed)
		return err_set(err, ERR_CONFLICT,
			       "the database was migrated by another build of stepmill:"
			       " a recorded checksum differs");
	return 0;
}

int
migrate_check(const char *url, struct err *err)
{
	struct migration_state state;

	if (migrate_status(url, &state, err) < 0 || check_state(&state, err) < 0)
		return -1;
	if (state.applied < state.known)
		return err_set(err, ERR_CONFLICT,
			       "the database is at migration %d, this program needs %d:"
			       " run `stepmill migrate`",
			       state.applied, state.known);
	return 0;
}

static int
record(PGconn *conn, const struct sql_embedded *sql, struct err *err)
{
	struct pg_args args;
	PGresult *result;

	pg_args_init(&args);
	pg_arg_int4(&args, number_of(sql));
	pg_arg_text(&args, sql->name);
	pg_arg_text_len(&args, sql->text, sql->len);
	result = run_args(conn, "schema_migrations_insert", &args, err);
	pg_args_fini(&args);
	PQclear(result);
	return result == NULL ? -1 : 0;
}

/* What a failure leaves open ends with the connection. */
static int
apply(PGconn *conn, const struct sql_embedded *sql, struct err *err)
{
	if (run(conn, "transaction_begin", err) < 0 ||
	    run_text(conn, sql->name, sql->text, err) < 0 || record(conn, sql, err) < 0)
		return -1;
	return run(conn, "transaction_commit", err);
}

static int
apply_missing(PGconn *conn, int applied,
	      void (*on_applied)(void *context, const char *name), void *context,
	      struct err *err)
{
	for (size_t i = 0; i < sql_embedded_count; i++) {
		const struct sql_embedded *sql = &sql_embedded[i];

		if (!sql->migration || number_of(sql) <= applied)
			continue;
		if (apply(conn, sql, err) < 0)
			return err_in(err, "migration %s", sql->name);
		if (on_applied != NULL)
			on_applied(context, sql->name);
	}
	return 0;
}

static int
set_default_path(PGconn *conn, const char *path, struct err *err)
{
	struct pg_args args;
	PGresult *result;

	pg_args_init(&args);
	pg_arg_text(&args, path);
	result = run_args(conn, "projects_set_default_path", &args, err);
	pg_args_fini(&args);
	PQclear(result);
	return result == NULL ? -1 : 0;
}

int
migrate_apply(const char *url, const char *project_path,
	      void (*on_applied)(void *context, const char *name), void *context,
	      struct err *err)
{
	PGconn *conn = connect_to(url, err);
	struct migration_state state;
	int status = -1;

	if (conn == NULL)
		return -1;
	if (run(conn, "schema_migrations_lock", err) < 0 ||
	    run(conn, "schema_migrations_prepare", err) < 0 ||
	    read_state(conn, &state, err) < 0 || check_state(&state, err) < 0)
		goto out;
	if (apply_missing(conn, state.applied, on_applied, context, err) < 0 ||
	    run(conn, "partitions_ensure", err) < 0)
		goto out;
	/* Of empty tables the planner should believe nothing. */
	if (state.applied > 0 && state.applied < state.known &&
	    run(conn, "tables_analyze", err) < 0)
		goto out;
	if (project_path != NULL && set_default_path(conn, project_path, err) < 0)
		goto out;
	status = 0;
out:
	PQfinish(conn);
	return status;
}
