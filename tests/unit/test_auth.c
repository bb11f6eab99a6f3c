/*
 * Keys, roles and the short memory of good ones, against a PostgreSQL that is played
 * here: the functions of store/pg.h that auth.c calls are ours, and so are the clock
 * and the answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/digest.h"
#include "front/auth.h"
#include "front/caller.h"
#include "front/exchange.h"
#include "front/http_core.h"

/* ---- what is played ---- */

static struct {
	usec_t now;
	bool loopback, limited;
	int queries;
	pg_done_fn *done; /* of the query that waits; NULL: none */
	void *context;
	unsigned char asked[SHA256_BYTES];
	/* the row of an answer */
	const char *name, *role;
	unsigned char hash[SHA256_BYTES];
	const struct uuid *project;
	/* what was answered to the client */
	int status;
	char headers[500];
	int granted;
	/* what is left to the end of the turn */
	loop_fn *deferred;
	void *deferred_context;
	/* what was told of a key alone */
	int told;
	char told_name[AUTH_NAME_MAX + 1];
	enum role told_role;
	enum err_kind told_err;
} world;

void
loop_defer(struct loop *loop, loop_fn *fn, void *context)
{
	(void)loop;
	assert_null(world.deferred);
	world.deferred = fn;
	world.deferred_context = context;
}

usec_t
loop_mono(const struct loop *loop)
{
	(void)loop;
	return world.now;
}

void
pg_args_init(struct pg_args *args)
{
	args->count = 0;
}

void
pg_args_fini(struct pg_args *args)
{
	assert_int_equal(args->count, 1);
}

void
pg_arg_bytes(struct pg_args *args, const void *data, size_t len)
{
	assert_int_equal(len, SHA256_BYTES);
	memcpy(world.asked, data, len);
	args->count++;
}

void
pg_query(struct pg *pg, const char *name, const struct pg_args *args, pg_done_fn *done,
	 void *context)
{
	(void)pg;
	(void)args;
	assert_string_equal(name, "api_keys_find");
	world.queries++;
	world.done = done;
	world.context = context;
}

void
pg_forget(struct pg *pg, const void *context)
{
	(void)pg;
	if (context == world.context)
		world.done = NULL;
}

int
pg_count(const struct pg_rows *rows)
{
	(void)rows;
	return world.name != NULL;
}

bool
pg_is_null(const struct pg_rows *rows, int row, int column)
{
	(void)rows;
	(void)row;
	assert_int_equal(column, 2);
	return world.project == NULL;
}

struct uuid
pg_uuid(const struct pg_rows *rows, int row, int column)
{
	(void)rows;
	(void)row;
	assert_int_equal(column, 2);
	return *world.project;
}

const char *
pg_text(const struct pg_rows *rows, int row, int column, size_t *len)
{
	(void)rows;
	(void)row;
	if (column == 3) {
		*len = SHA256_BYTES;
		return (const char *)world.hash;
	}
	return column == 0 ? world.name : world.role;
}

struct json *
pg_json(const struct pg_rows *rows, int row, int column)
{
	(void)rows;
	(void)row;
	assert_int_equal(column, 4);
	return NULL; /* tools: all */
}

bool
exchange_is_loopback(const struct exchange *exchange)
{
	(void)exchange;
	return world.loopback;
}

bool
caller_may(struct exchange *exchange)
{
	if (world.limited)
		reply_problem(exchange, 429, NULL, "too many");
	return !world.limited;
}

void
reply_header(struct exchange *exchange, const char *name, const char *value)
{
	size_t len = strlen(world.headers);

	(void)exchange;
	snprintf(world.headers + len, sizeof world.headers - len, "%s: %s\n", name,
		 value);
}

void
reply_problem(struct exchange *exchange, int status, struct json *errors,
	      const char *detail_format, ...)
{
	assert_null(errors);
	assert_non_null(detail_format);
	assert_int_equal(world.status, 0);
	world.status = status;
	exchange->answer = ANSWER_DONE;
}

void
reply_err(struct exchange *exchange, const struct err *err)
{
	reply_problem(exchange, err->kind == ERR_RETRY ? 503 : 500, NULL, "%s",
		      err->text);
}

void
exchange_set_state(struct exchange *exchange, void *state,
		   void (*free_state)(void *state))
{
	exchange->state = state;
	exchange->free_state = free_state;
}

const char *
exchange_header(const struct exchange *exchange, const char *name)
{
	return http_field(exchange->head, name);
}

/* ---- a request ---- */

struct request {
	struct http_parser parser;
	struct exchange exchange;
	struct route route;
};

static void
on_granted(struct exchange *exchange)
{
	assert_int_equal(exchange->answer, ANSWER_NONE);
	world.granted++;
}

static enum auth_verdict
ask(struct auth *auth, struct request *request, enum role needed, const char *headers)
{
	char text[2000];
	size_t used;

	snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n", headers);
	*request = (struct request){ .route = { .method = "GET", .path = "/" } };
	request->route.role = needed;
	http_parser_init(&request->parser, 8192);
	assert_int_equal(http_parse(&request->parser, text, strlen(text), &used),
			 HTTP_HEAD);
	request->exchange.head = &request->parser.head;
	request->exchange.route = &request->route;
	world.status = 0;
	world.granted = 0;
	world.headers[0] = '\0';
	return auth_check(auth, &request->exchange, on_granted);
}

static void
request_fini(struct request *request)
{
	if (request->exchange.free_state != NULL)
		request->exchange.free_state(request->exchange.state);
	http_parser_fini(&request->parser);
}

#define WITH_KEY "Host: a\r\nAuthorization: Bearer secret-key\r\n"

/* PostgreSQL answers: a row for the key that was asked for, or none when name is NULL.
 */
static void
answer(const char *name, const char *role)
{
	pg_done_fn *done = world.done;
	struct err err = { 0 };

	assert_non_null(done);
	world.done = NULL;
	world.name = name;
	world.role = role;
	memcpy(world.hash, world.asked, SHA256_BYTES);
	done(world.context, (const struct pg_rows *)&world, &err);
}

static void
fail_query(enum err_kind kind)
{
	pg_done_fn *done = world.done;
	struct err err = { .kind = kind, .text = "x" };

	world.done = NULL;
	done(world.context, NULL, &err);
}

static struct settings settings;
static struct front front = { .settings = &settings };

static int
setup(void **state)
{
	memset(&world, 0, sizeof world);
	world.now = 1000 * USEC_SECOND;
	settings = (struct settings){ .auth_required = true };
	*state = auth_new(&front);
	return 0;
}

static int
teardown(void **state)
{
	struct auth *auth = *state;

	auth_free(&auth);
	return 0;
}

/* ---- tests ---- */

static void
test_open_routes_ask_nobody(void **state)
{
	struct request request;

	assert_int_equal(ask(*state, &request, ROLE_NONE, "Host: a\r\n"), AUTH_GRANTED);
	assert_int_equal(world.queries, 0);
	request_fini(&request);
}

static void
test_no_key(void **state)
{
	static const char *const headers[] = {
		"Host: a\r\n", "Host: a\r\nAuthorization: Basic abc\r\n",
		"Host: a\r\nAuthorization:\r\n",
		"Host: a\r\nAuthorization: Bearer a b\r\n"
	};
	struct request request;

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ask(*state, &request, ROLE_VIEWER, headers[i]),
				 AUTH_REFUSED);
		assert_int_equal(world.status, 401);
		assert_non_null(strstr(world.headers, "WWW-Authenticate: Bearer"));
		request_fini(&request);
	}
	assert_int_equal(world.queries, 0);
}

static void
test_a_good_key_is_believed_for_a_while(void **state)
{
	struct request request;
	unsigned char hash[SHA256_BYTES];

	assert_int_equal(ask(*state, &request, ROLE_OPERATOR, WITH_KEY), AUTH_PENDING);
	sha256("secret-key", 10, hash);
	assert_memory_equal(world.asked, hash, SHA256_BYTES);
	assert_int_equal(world.granted, 0);
	answer("deploy bot", "operator");
	assert_int_equal(world.granted, 1);
	assert_string_equal(request.exchange.who, "deploy bot");
	request_fini(&request);
	world.now += 5 * USEC_SECOND - 1;
	assert_int_equal(ask(*state, &request, ROLE_OPERATOR, WITH_KEY), AUTH_GRANTED);
	assert_string_equal(request.exchange.who, "deploy bot");
	request_fini(&request);
	assert_int_equal(ask(*state, &request, ROLE_ADMIN, WITH_KEY), AUTH_REFUSED);
	assert_int_equal(world.status, 403);
	request_fini(&request);
	assert_int_equal(world.queries, 1);
	world.now += 1;
	assert_int_equal(ask(*state, &request, ROLE_OPERATOR, WITH_KEY), AUTH_PENDING);
	answer(NULL, NULL); /* revoked meanwhile */
	assert_int_equal(world.granted, 0);
	assert_int_equal(world.status, 401);
	request_fini(&request);
	assert_int_equal(world.queries, 2);
}

static void
test_a_bad_key_is_looked_up_each_time(void **state)
{
	struct request request;

	for (int i = 1; i <= 3; i++) {
		assert_int_equal(ask(*state, &request, ROLE_VIEWER, WITH_KEY),
				 AUTH_PENDING);
		answer(NULL, NULL);
		assert_int_equal(world.status, 401);
		assert_int_equal(world.queries, i);
		request_fini(&request);
	}
}

static void
test_roles(void **state)
{
	static const struct {
		const char *has;
		enum role needed;
		bool granted;
	} cases[] = {
		{ "viewer", ROLE_VIEWER, true },     { "viewer", ROLE_OPERATOR, false },
		{ "viewer", ROLE_ADMIN, false },     { "operator", ROLE_VIEWER, true },
		{ "operator", ROLE_OPERATOR, true }, { "operator", ROLE_ADMIN, false },
		{ "admin", ROLE_VIEWER, true },      { "admin", ROLE_ADMIN, true },
		{ "superuser", ROLE_VIEWER, false }, { "", ROLE_VIEWER, false },
	};
	struct request request;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		world.now += 6 * USEC_SECOND;
		assert_int_equal(ask(*state, &request, cases[i].needed, WITH_KEY),
				 AUTH_PENDING);
		answer("somebody", cases[i].has);
		assert_int_equal(world.granted, cases[i].granted);
		assert_int_equal(world.status, cases[i].granted ? 0 : 403);
		request_fini(&request);
	}
}

static void
test_the_row_must_be_of_that_key(void **state)
{
	struct request request;

	assert_int_equal(ask(*state, &request, ROLE_VIEWER, WITH_KEY), AUTH_PENDING);
	world.asked[31] ^= 1; /* what comes back is another one's hash */
	answer("somebody", "admin");
	assert_int_equal(world.status, 401);
	request_fini(&request);
}

static void
test_project(void **state)
{
	struct uuid project = { { 1, 2, 3 } };
	struct request request;

	world.project = &project;
	assert_int_equal(ask(*state, &request, ROLE_VIEWER, WITH_KEY), AUTH_PENDING);
	answer("somebody", "viewer");
	assert_true(uuid_equal(&request.exchange.project, &project));
	request_fini(&request);
	assert_int_equal(ask(*state, &request, ROLE_VIEWER, WITH_KEY), AUTH_GRANTED);
	assert_true(uuid_equal(&request.exchange.project, &project));
	request_fini(&request);
}

static void
test_postgresql_is_away(void **state)
{
	struct request request;

	assert_int_equal(ask(*state, &request, ROLE_VIEWER, WITH_KEY), AUTH_PENDING);
	answer("somebody", "viewer");
	request_fini(&request);
	/* what is remembered still opens, for its five seconds */
	assert_int_equal(ask(*state, &request, ROLE_VIEWER, WITH_KEY), AUTH_GRANTED);
	request_fini(&request);
	world.now += 6 * USEC_SECOND;
	assert_int_equal(ask(*state, &request, ROLE_VIEWER, WITH_KEY), AUTH_PENDING);
	fail_query(ERR_RETRY);
	assert_int_equal(world.status, 503);
	assert_int_equal(world.granted, 0);
	request_fini(&request);
}

/* The client goes while its key is looked up: the answer finds nobody. */
static void
test_gone_meanwhile(void **state)
{
	struct request request;

	assert_int_equal(ask(*state, &request, ROLE_VIEWER, WITH_KEY), AUTH_PENDING);
	assert_non_null(request.exchange.free_state);
	request_fini(&request);
	assert_null(world.done);
}

static void
test_lookups_are_bounded(void **state)
{
	struct request *requests = calloc(257, sizeof *requests);

	for (int i = 0; i < 256; i++)
		assert_int_equal(ask(*state, &requests[i], ROLE_VIEWER, WITH_KEY),
				 AUTH_PENDING);
	assert_int_equal(ask(*state, &requests[256], ROLE_VIEWER, WITH_KEY),
			 AUTH_REFUSED);
	assert_int_equal(world.status, 503);
	for (int i = 0; i < 257; i++)
		request_fini(&requests[i]);
	assert_int_equal(ask(*state, &requests[0], ROLE_VIEWER, WITH_KEY),
			 AUTH_PENDING);
	request_fini(&requests[0]);
	free(requests);
}

/* More good keys than are remembered: the oldest are asked for again, nothing breaks.
 */
static void
test_memory_is_bounded(void **state)
{
	struct request request;
	char headers[100];

	for (int i = 0; i < 1100; i++) {
		snprintf(headers, sizeof headers,
			 "Host: a\r\nAuthorization: Bearer key-%d\r\n", i);
		assert_int_equal(ask(*state, &request, ROLE_VIEWER, headers),
				 AUTH_PENDING);
		answer("somebody", "viewer");
		request_fini(&request);
	}
	assert_int_equal(ask(*state, &request, ROLE_VIEWER, headers), AUTH_GRANTED);
	request_fini(&request);
	assert_int_equal(ask(*state, &request, ROLE_VIEWER,
			     "Host: a\r\nAuthorization: Bearer key-0\r\n"),
			 AUTH_PENDING);
	request_fini(&request);
}

static void
test_without_keys_on_loopback_only(void **state)
{
	static const struct {
		bool development, required, loopback;
		const char *headers;
		enum auth_verdict verdict;
		int status;
	} cases[] = {
		{ true, false, true, "Host: localhost\r\n", AUTH_GRANTED, 0 },
		{ true, false, true,
		  "Host: 127.0.0.1:1\r\nOrigin: http://127.0.0.1:1\r\n", AUTH_GRANTED,
		  0 },
		{ true, false, true, "Host: evil\r\n", AUTH_REFUSED, 403 },
		{ true, false, true, "Host: localhost\r\nOrigin: http://evil\r\n",
		  AUTH_REFUSED, 403 },
		{ true, false, true, "Host: localhost\r\nOrigin: null\r\n",
		  AUTH_REFUSED, 403 },
		{ true, false, false, "Host: localhost\r\n", AUTH_REFUSED, 401 },
		{ true, true, true, "Host: localhost\r\n", AUTH_REFUSED, 401 },
		{ false, false, true, "Host: localhost\r\n", AUTH_REFUSED, 401 },
	};
	struct request request;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		settings.development = cases[i].development;
		settings.auth_required = cases[i].required;
		world.loopback = cases[i].loopback;
		if (ask(*state, &request, ROLE_ADMIN, cases[i].headers) !=
		    cases[i].verdict)
			fail_msg("case %zu", i);
		assert_int_equal(world.status, cases[i].status);
		if (cases[i].verdict == AUTH_GRANTED)
			assert_string_equal(request.exchange.who, "dev");
		request_fini(&request);
	}
	assert_int_equal(world.queries, 0);
}

/* ---- a key alone ---- */

static void
on_found(void *context, const struct auth_identity *identity, const struct err *err)
{
	assert_ptr_equal(context, &world);
	world.told++;
	world.told_err = err->kind;
	snprintf(world.told_name, sizeof world.told_name, "%s",
		 identity != NULL ? identity->name : "");
	world.told_role = identity != NULL ? identity->role : ROLE_NONE;
}

static void
end_turn(void)
{
	loop_fn *fn = world.deferred;

	assert_non_null(fn);
	world.deferred = NULL;
	fn(world.deferred_context);
}

static void
test_whose_key_it_is(void **state)
{
	unsigned char hash[SHA256_BYTES];

	sha256("secret-key", 10, hash);
	auth_ask(*state, hash, on_found, &world);
	assert_memory_equal(world.asked, hash, SHA256_BYTES);
	assert_int_equal(world.told, 0);
	answer("page", "operator");
	assert_int_equal(world.told, 1);
	assert_string_equal(world.told_name, "page");
	assert_int_equal(world.told_role, ROLE_OPERATOR);
	auth_ask(*state, hash, on_found, &world); /* known, but not told at once */
	assert_int_equal(world.told, 1);
	end_turn();
	assert_int_equal(world.told, 2);
	assert_string_equal(world.told_name, "page");
	assert_int_equal(world.queries, 1);
}

static void
test_nobodys_key(void **state)
{
	unsigned char hash[SHA256_BYTES] = { 0 };

	auth_ask(*state, hash, on_found, &world);
	answer(NULL, NULL);
	assert_int_equal(world.told, 1);
	assert_int_equal(world.told_err, ERR_NONE);
	assert_string_equal(world.told_name, "");
	auth_ask(*state, hash, on_found, &world);
	fail_query(ERR_RETRY);
	assert_int_equal(world.told, 2);
	assert_int_equal(world.told_err, ERR_RETRY);
}

static void
test_nobody_wants_to_know_any_more(void **state)
{
	unsigned char hash[SHA256_BYTES] = { 0 };
	struct auth_ask *ask = auth_ask(*state, hash, on_found, &world);

	auth_ask_cancel(&ask);
	assert_null(ask);
	assert_null(world.done);
	auth_ask(*state, hash, on_found, &world);
	answer("page", "viewer");
	ask = auth_ask(*state, hash, on_found, &world);
	auth_ask_cancel(&ask);
	end_turn();
	assert_int_equal(world.told, 1);
	auth_ask_cancel(&ask);
}

static void
test_too_many_keys_to_look_up(void **state)
{
	struct auth_ask *asks[256];
	unsigned char hash[SHA256_BYTES] = { 0 };

	for (int i = 0; i < 256; i++)
		asks[i] = auth_ask(*state, hash, on_found, &world);
	auth_ask(*state, hash, on_found, &world);
	end_turn();
	assert_int_equal(world.told_err, ERR_RETRY);
	for (int i = 0; i < 256; i++)
		auth_ask_cancel(&asks[i]);
}

/* Who is refused is counted, too, and hears that instead. */
static void
test_refusals_are_limited(void **state)
{
	struct request request;

	world.limited = true;
	assert_int_equal(ask(*state, &request, ROLE_VIEWER, "Host: a\r\n"),
			 AUTH_REFUSED);
	assert_int_equal(world.status, 429);
	request_fini(&request);
	assert_int_equal(ask(*state, &request, ROLE_ADMIN, WITH_KEY), AUTH_PENDING);
	answer("small", "viewer");
	assert_int_equal(world.status, 429);
	assert_true(request.exchange.has_key);
	request_fini(&request);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open_routes_ask_nobody),
		TEST(test_no_key),
		TEST(test_a_good_key_is_believed_for_a_while),
		TEST(test_a_bad_key_is_looked_up_each_time),
		TEST(test_roles),
		TEST(test_the_row_must_be_of_that_key),
		TEST(test_project),
		TEST(test_postgresql_is_away),
		TEST(test_gone_meanwhile),
		TEST(test_lookups_are_bounded),
		TEST(test_memory_is_bounded),
		TEST(test_without_keys_on_loopback_only),
		TEST(test_whose_key_it_is),
		TEST(test_nobodys_key),
		TEST(test_nobody_wants_to_know_any_more),
		TEST(test_too_many_keys_to_look_up),
		TEST(test_refusals_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
