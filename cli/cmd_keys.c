/*
 * stepmill keys: API keys, directly in the database, since the first one cannot come
 * from a server that asks for one. A key is shown once; only its hash is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/duration.h"
#include "base/utf8.h"
#include "base/uuid7.h"
#include "base/xalloc.h"
#include "commands.h"
#include "database.h"
#include "digest/api_key.h"
#include "digest/digest.h"
#include "print.h"
#include "table.h"
#include "zone/zone.h"

#define KEY_NAME_MAX 100

const struct arg keys_args[] = {
	{ "name", 'n', "NAME", "create: whose key it is; shown in runs it starts" },
	{ "role", 'r', "viewer|operator|admin", "create: what it may do" },
	{ "expires", 'e', "DURATION|TIME", "create: e.g. 90d, or an RFC 3339 time" },
	{ "project", 'p', "NAME", "create: it sees and changes this project only" },
	{ "tools", 't', "NAMES", "create: runs it starts use no others: shell,git.*" },
	DATABASE_ARGS,
	COMMAND_ARGS,
};

static usec_t
wall_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (usec_t)ts.tv_sec * USEC_SECOND + ts.tv_nsec / 1000;
}

static void
forget(void *memory, size_t len)
{
	explicit_bzero(memory, len);
}

/* ---- create ---- */

static int
check_name(const char *name, struct err *err)
{
	size_t len = name != NULL ? strlen(name) : 0;

	if (len == 0 || len > KEY_NAME_MAX)
		return err_set(err, ERR_INPUT, "--name: 1 to %d bytes", KEY_NAME_MAX);
	if (!utf8_valid(name, len) || strcspn(name, "\r\n\t") != len)
		return err_set(err, ERR_INPUT, "--name: one line of UTF-8");
	if (strchr(name, '/') != NULL) /* KEY/CLIENT names one that uses the key */
		return err_set(err, ERR_INPUT,
			       "--name: \"/\" separates key and client");
	return 0;
}

static int
check_role(const char *role, struct err *err)
{
	static const char *const roles[] = { "viewer", "operator", "admin" };

	for (size_t i = 0; role != NULL && i < sizeof roles / sizeof *roles; i++)
		if (strcmp(role, roles[i]) == 0)
			return 0;
	return err_set(err, ERR_INPUT, "--role: viewer, operator or admin");
}

/* 0: never. */
static int
read_expiry(const char *text, usec_t *out, struct err *err)
{
	usec_t now = wall_now();
	struct err none = { 0 };

	*out = 0;
	if (text == NULL)
		return 0;
	if (duration_parse(text, strlen(text), out, &none) == 0)
		*out += now;
	else if (!rfc3339_parse(text, strlen(text), out))
		return err_set(err, ERR_INPUT,
			       "--expires: a duration such as 90d, or a time such as "
			       "2027-01-31T00:00:00Z");
	if (*out <= now)
		return err_set(err, ERR_INPUT, "--expires: that is in the past");
	return 0;
}

/* "shell,git.*" as a list; NULL without. The caller's. */
static struct json *
list_tools(const char *text)
{
	char *copy, *rest, *word;
	struct json *list;

	if (text == NULL)
		return NULL;
	list = json_new_array();
	copy = rest = xstrdup(text);
	while ((word = strsep(&rest, ", ")) != NULL)
		if (*word != '\0')
			json_append(list, json_new_str(word));
	free(copy);
	return list;
}

static void
on_project(void *context, const struct pg_rows *rows)
{
	if (pg_count(rows) > 0)
		*(struct uuid *)context = pg_uuid(rows, 0, 1);
}

/* Nil without one. */
static int
find_project(struct database *database, const char *name, struct uuid *id,
	     struct err *err)
{
	struct pg_args values;
	int result;

	*id = (struct uuid){ 0 };
	if (name == NULL)
		return 0;
	pg_args_init(&values);
	pg_arg_text(&values, name);
	pg_arg_null(&values, PG_UUID);
	result = database_run(database, "projects_get", &values, on_project, id, err);
	pg_args_fini(&values);
	if (result == 0 && uuid_is_nil(id))
		return err_set(err, ERR_NOT_FOUND, "there is no project \"%s\"", name);
	return result;
}

static int
insert(struct database *database, const struct args *args, const char *key,
       usec_t expires, struct err *err)
{
	struct json *tools = list_tools(args_value(args, "tools"));
	struct uuid project;
	struct uuid id = uuid7_new(wall_now());
	unsigned char hash[SHA256_BYTES];
	struct pg_args values;
	bool made;
	int result;

	if (find_project(database, args_value(args, "project"), &project, err) < 0) {
		json_unref(&tools);
		return -1;
	}
	sha256(key, strlen(key), hash);
	pg_args_init(&values);
	pg_arg_uuid(&values, &id);
	pg_arg_text(&values, args_value(args, "name"));
	pg_arg_bytes(&values, hash, sizeof hash);
	pg_arg_text(&values, args_value(args, "role"));
	pg_arg_uuid(&values, uuid_is_nil(&project) ? NULL : &project);
	pg_arg_time(&values, expires);
	pg_arg_json(&values, tools);
	result = database_change(database, "api_keys_insert", &values, NULL, &made,
				 "key.create", args_value(args, "name"), err);
	pg_args_fini(&values);
	json_unref(&tools);
	return result;
}

static void
print_key(const struct args *args, const char *key, usec_t expires)
{
	struct json *json;
	char time[40];

	if (!args_has(args, "json")) {
		printf("%s\n", key);
		fprintf(stderr, "It is shown this once; only its hash is kept.\n");
		return;
	}
	json = json_new_object();
	json_set(json, "name", json_new_str(args_value(args, "name")));
	json_set(json, "role", json_new_str(args_value(args, "role")));
	json_set(json, "expiresAt",
		 expires > 0 ? json_new_str(rfc3339_format(expires, time)) : NULL);
	json_set(json, "key", json_new_str(key));
	print_json(json);
	json_unref(&json);
}

static int
create(const struct command *command, const struct args *args)
{
	struct err err = { 0 };
	struct database *database;
	char key[API_KEY_TEXT];
	usec_t expires;
	int status;

	if (check_name(args_value(args, "name"), &err) < 0 ||
	    check_role(args_value(args, "role"), &err) < 0 ||
	    read_expiry(args_value(args, "expires"), &expires, &err) < 0)
		return command_usage(command, "%s", err.text);
	database = database_of(command, args, &status);
	if (database == NULL)
		return status;
	api_key_new(key);
	if (insert(database, args, key, expires, &err) == 0)
		print_key(args, key, expires);
	else if (err.kind == ERR_CONFLICT)
		status = command_fail(command, CLI_FAILED,
				      "there is, or was, a key named \"%s\": take "
				      "another name",
				      args_value(args, "name"));
	else
		status = command_fail(command, CLI_FAILED, "%s", err.text);
	forget(key, sizeof key);
	database_close(&database);
	return status;
}

/* ---- list ---- */

static const char *const titles[] = { "NAME",    "ROLE",    "STATE",
				      "CREATED", "EXPIRES", "PROJECT" };

static struct json *
time_of(const struct pg_rows *rows, int row, int column)
{
	char time[40];

	if (pg_is_null(rows, row, column))
		return NULL;
	return json_new_str(rfc3339_format(pg_time(rows, row, column), time));
}

static struct json *
text_of(const struct pg_rows *rows, int row, int column)
{
	const char *text;
	size_t len;

	if (pg_is_null(rows, row, column))
		return NULL;
	text = pg_text(rows, row, column, &len);
	return json_new_str_len(text, len);
}

static void
on_keys(void *context, const struct pg_rows *rows)
{
	struct json *list = context;

	for (int i = 0; i < pg_count(rows); i++) {
		struct json *key = json_new_object();

		json_set(key, "name", text_of(rows, i, 0));
		json_set(key, "role", text_of(rows, i, 1));
		json_set(key, "state", text_of(rows, i, 6));
		json_set(key, "project", text_of(rows, i, 2));
		json_set(key, "createdAt", time_of(rows, i, 3));
		json_set(key, "expiresAt", time_of(rows, i, 4));
		json_set(key, "revokedAt", time_of(rows, i, 5));
		json_append(list, key);
	}
}

static void
print_keys(const struct json *keys)
{
	static const char *const members[] = { "name",      "role",      "state",
					       "createdAt", "expiresAt", "project" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(keys); i++) {
		for (size_t j = 0; j < sizeof members / sizeof *members; j++)
			table_add(table, j,
				  json_str(json_get(json_at(keys, i), members[j])));
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("no keys");
	table_free(&table);
}

static int
list(const struct command *command, const struct args *args)
{
	struct json *keys;
	struct err err = { 0 };
	int status;
	struct database *database = database_of(command, args, &status);

	if (database == NULL)
		return status;
	keys = json_new_array();
	if (database_run(database, "api_keys_list", NULL, on_keys, keys, &err) < 0)
		status = command_fail(command, CLI_FAILED, "%s", err.text);
	else if (args_has(args, "json"))
		print_json(keys);
	else
		print_keys(keys);
	json_unref(&keys);
	database_close(&database);
	return status;
}

/* ---- revoke ---- */

static void
on_revoked(void *context, const struct pg_rows *rows)
{
	*(bool *)context = pg_count(rows) == 1;
}

static int
revoke(const struct command *command, const struct args *args)
{
	struct pg_args values;
	struct err err = { 0 };
	bool found = false;
	int status;
	struct database *database = database_of(command, args, &status);

	if (database == NULL)
		return status;
	pg_args_init(&values);
	pg_arg_text(&values, args->words[1]);
	if (database_change(database, "api_keys_revoke", &values, on_revoked, &found,
			    "key.revoke", args->words[1], &err) < 0)
		status = command_fail(command, CLI_FAILED, "%s", err.text);
	else if (!found)
		status = command_fail(command, CLI_FAILED, "there is no key \"%s\"",
				      args->words[1]);
	else if (!args_has(args, "json"))
		puts("revoked; servers believe it for five seconds more");
	else
		puts("{\"revoked\": true}");
	pg_args_fini(&values);
	database_close(&database);
	return status;
}

int
cmd_keys(const struct command *command, const struct args *args)
{
	static const struct {
		const char *word;
		size_t words;
		int (*run)(const struct command *command, const struct args *args);
	} verbs[] = { { "create", 1, create },
		      { "list", 1, list },
		      { "revoke", 2, revoke } };
	const char *word = args->words_count > 0 ? args->words[0] : "";

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].word, word) == 0 &&
		    verbs[i].words == args->words_count)
			return verbs[i].run(command, args);
	return command_usage(command,
			     "expected create --name NAME --role ROLE, list, or "
			     "revoke NAME");
}
