/* HTTP requests against a server that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

#include "fake_http.h"
#include "httpc/httpc.h"
#include "text_file.h"
#include "until.h"

struct bench {
	struct loop *loop;
	struct fake_http http;
	struct httpc *httpc;
	struct http_call *call;
	struct http_request request;
	char url[200];

	int done, status;
	enum err_kind kind;
	char error[1000], body[200], header[100], final_url[2048];
	size_t body_len;
	int pieces, asked;
	char piece[100];
	int heads;
	bool deny, cancel_in_head, cancel_in_data, free_in_data, free_in_done,
	    send_in_done, cancel_in_done;
};

static void on_done(void *context, const struct http_response *response,
		    const struct err *err);

static int
set_up(void **state)
{
	struct bench *bench = xcalloc(1, sizeof *bench);
	struct err err = { 0 };

	setenv("http_proxy", "http://127.0.0.1:9", 1); /* must not be asked */
	setenv("all_proxy", "http://127.0.0.1:9", 1);
	bench->loop = loop_new(&err);
	assert_non_null(bench->loop);
	fake_http_start(&bench->http, bench->loop, NULL);
	bench->httpc = httpc_new(bench->loop, &err);
	assert_non_null(bench->httpc);
	bench->request = (struct http_request){
		.method = "GET",
		.timeout = 10 * USEC_SECOND,
		.reply_max = 1000,
	};
	*state = bench;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *bench = *state;

	httpc_free(&bench->httpc);
	fake_http_stop(&bench->http);
	loop_free(&bench->loop);
	free(bench);
	return 0;
}

static void
send_to(struct bench *bench, const char *path)
{
	snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%d%s",
		 bench->http.port, path);
	bench->request.url = bench->url;
	bench->done = 0;
	bench->kind = ERR_KINDS;
	bench->call = httpc_send(bench->httpc, &bench->request, on_done, bench);
	assert_non_null(bench->call);
	assert_int_equal(bench->done, 0);
}

static void
call(struct bench *bench, const char *path)
{
	send_to(bench, path);
	assert_true(run_until_nonzero(bench->loop, &bench->done));
	assert_int_equal(bench->done, 1);
}

static void
keep(struct bench *bench, const struct http_response *response)
{
	const char *header = http_header(response, "X-Seen");

	bench->status = response->status;
	bench->body_len = response->body.len;
	snprintf(bench->body, sizeof bench->body, "%s", buf_text(&response->body));
	snprintf(bench->header, sizeof bench->header, "%s",
		 header != NULL ? header : "none");
	snprintf(bench->final_url, sizeof bench->final_url, "%s", response->url);
	assert_true(response->duration >= 0);
}

static void
on_done(void *context, const struct http_response *response, const struct err *err)
{
	struct bench *bench = context;

	bench->done++;
	bench->kind = err->kind;
	snprintf(bench->error, sizeof bench->error, "%s", err->text);
	assert_true((response == NULL) == (err->kind != ERR_NONE));
	if (response != NULL)
		keep(bench, response);
	if (bench->cancel_in_done)
		http_call_cancel(&bench->call);
	if (bench->free_in_done)
		httpc_free(&bench->httpc);
	if (bench->send_in_done) {
		bench->send_in_done = false;
		bench->call = httpc_send(bench->httpc, &bench->request, on_done, bench);
	}
}

static void
on_data(void *context, const char *data, size_t len)
{
	struct bench *bench = context;
	size_t have = strlen(bench->piece);

	bench->pieces++;
	snprintf(bench->piece + have, sizeof bench->piece - have, "%.*s", (int)len,
		 data);
	if (bench->cancel_in_data)
		http_call_cancel(&bench->call);
	if (bench->free_in_data)
		httpc_free(&bench->httpc);
}

static bool
is_address_allowed(void *context, const struct sockaddr *address)
{
	struct bench *bench = context;

	bench->asked++;
	assert_true(address->sa_family == AF_INET || address->sa_family == AF_INET6 ||
		    address->sa_family == AF_UNIX);
	return !bench->deny;
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static void
test_a_reply(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/a",
		  "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-SEEN:   yes \r\n"
		  "X-Empty:\r\n\r\nhello",
		  false);
	call(bench, "/a?q=1");
	assert_int_equal(bench->kind, ERR_NONE);
	assert_int_equal(bench->status, 201);
	assert_string_equal(bench->body, "hello");
	assert_string_equal(bench->header, "yes");
	assert_string_equal(bench->final_url, bench->url);
	assert_non_null(
	    strstr(buf_text(&bench->http.heard), "GET /a?q=1 HTTP/1.1\r\n"));
	assert_null(strstr(buf_text(&bench->http.heard), "Content-Type"));
}

static void
test_a_connection_is_used_again(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/a", OK, false);
	call(bench, "/a");
	call(bench, "/a");
	assert_int_equal(bench->http.requests, 2);
	assert_int_equal(bench->http.connects, 1);
}

static void
test_a_body_and_headers_are_sent(void **state)
{
	static const char *const headers[] = { "Content-Type: application/json",
					       "X-Empty:", "content-length: 99",
					       "User-Agent: mine", NULL };
	struct bench *bench = *state;
	char body[] = "{\"a\":\"\\u0000\"}";

	fake_page(&bench->http, "/a", OK, false);
	bench->request.method = "POST";
	bench->request.headers = headers;
	bench->request.body = body;
	bench->request.body_len = strlen(body);
	send_to(bench, "/a");
	memset(body, 'x', sizeof body - 1); /* it was copied */
	assert_true(run_until_nonzero(bench->loop, &bench->done));
	assert_int_equal(bench->kind, ERR_NONE);
	assert_non_null(strstr(buf_text(&bench->http.heard), "POST /a HTTP/1.1\r\n"));
	assert_non_null(strstr(buf_text(&bench->http.heard), "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(buf_text(&bench->http.heard), "User-Agent: mine\r\n"));
	assert_non_null(strstr(buf_text(&bench->http.heard), "Content-Length: 14\r\n"));
	assert_non_null(
	    strstr(buf_text(&bench->http.heard), "\r\n\r\n{\"a\":\"\\u0000\"}"));
	assert_null(strcasestr(buf_text(&bench->http.heard), "content-length: 99"));
	assert_null(strstr(buf_text(&bench->http.heard), "Expect"));
}

static void
test_methods(void **state)
{
	static const char *const methods[] = { "GET",  "POST",   "PUT",    "PATCH",
					       "HEAD", "DELETE", "OPTIONS" };
	struct bench *bench = *state;
	char line[40];

	fake_page(&bench->http, "/a", "HTTP/1.1 204 No Content\r\n\r\n", false);
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		bench->request.method = methods[i];
		call(bench, "/a");
		assert_int_equal(bench->status, 204);
		snprintf(line, sizeof line, "%s /a HTTP/1.1\r\n", methods[i]);
		assert_non_null(strstr(buf_text(&bench->http.heard), line));
	}
	bench->request.method = "GET";
	bench->request.body = "b";
	bench->request.body_len = 1;
	call(bench, "/a");
	assert_non_null(strstr(buf_text(&bench->http.heard), "\r\n\r\nb"));
}

struct refusal {
	const char *method, *url, *header;
	enum err_kind kind;
};

static const struct refusal refusals[] = {
	{ "", "http://127.0.0.1/", NULL, ERR_INPUT },
	{ "GET /x", "http://127.0.0.1/", NULL, ERR_INPUT },
	{ "G\r\nX: y", "http://127.0.0.1/", NULL, ERR_INPUT },
	{ "GETGETGETGETGETGETGETGETGETGETGETGETGET", "http://a/", NULL, ERR_INPUT },
	{ "GET", "", NULL, ERR_INPUT },
	{ "GET", "127.0.0.1", NULL, ERR_INPUT },
	{ "GET", "file:///etc/passwd", NULL, ERR_INPUT },
	{ "GET", "gopher://127.0.0.1/", NULL, ERR_INPUT },
	{ "GET", "dict://127.0.0.1/", NULL, ERR_INPUT },
	{ "GET", "ftp://127.0.0.1/", NULL, ERR_INPUT },
	{ "GET", "http://", NULL, ERR_INPUT },
	{ "GET", "http://a b/", NULL, ERR_INPUT },
	{ "GET", "http://a/\r\nX: y", NULL, ERR_INPUT },
	{ "GET", "http://127.0.0.1:99999/", NULL, ERR_INPUT },
	{ "GET", "http://a/", "nonsense", ERR_INPUT },
	{ "GET", "http://a/", ": x", ERR_INPUT },
	{ "GET", "http://a/", "A B: x", ERR_INPUT },
	{ "GET", "http://a/", "A: x\r\nB: y", ERR_INPUT },
	{ "GET", "http://a/", "A: \x7f", ERR_INPUT },
	{ "GET", "http://a/", "Transfer-Encoding: chunked", ERR_INPUT },
};

static void
test_what_is_refused_before_it_is_sent(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		const char *headers[] = { refusals[i].header, NULL };

		bench->request.method = refusals[i].method;
		bench->request.headers = refusals[i].header != NULL ? headers : NULL;
		bench->request.url = refusals[i].url;
		bench->done = 0;
		httpc_send(bench->httpc, &bench->request, on_done, bench);
		assert_int_equal(bench->done, 0);
		assert_true(run_until_nonzero(bench->loop, &bench->done));
		if (bench->kind != refusals[i].kind)
			fail_msg("%s %s %s: %s: %s", refusals[i].method,
				 refusals[i].url,
				 refusals[i].header != NULL ? refusals[i].header : "",
				 err_kind_name(bench->kind), bench->error);
	}
	assert_int_equal(bench->http.requests, 0);
}

static void
test_too_much_of_everything(void **state)
{
	struct bench *bench = *state;
	char *url = xcalloc(1, 10000), *line = xcalloc(1, 20000);
	const char *headers[300] = { NULL };

	memset(url, 'a', 9999);
	memcpy(url, "http://h/", 9);
	bench->request.url = url;
	httpc_send(bench->httpc, &bench->request, on_done, bench);
	assert_true(run_until_nonzero(bench->loop, &bench->done));
	assert_int_equal(bench->kind, ERR_LIMIT);
	memset(line, 'a', 19999);
	line[5] = ':';
	headers[0] = line;
	bench->request.headers = headers;
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_LIMIT);
	for (int i = 0; i < 299; i++)
		headers[i] = "A: b";
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_LIMIT);
	assert_int_equal(bench->http.requests, 0);
	free(url);
	free(line);
}

static void
test_the_guard_sees_the_address(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/a", OK, false);
	bench->request.address_allowed = is_address_allowed;
	bench->request.address_context = bench;
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_NONE);
	assert_true(bench->asked >= 1);
	bench->deny = true;
	call(bench, "/a"); /* the connection is there already */
	assert_int_equal(bench->kind, ERR_DENIED);
	assert_non_null(strstr(bench->error, "127.0.0.1 port "));
	assert_int_equal(bench->http.requests, 1);
}

/* Every way of writing 127.0.0.1 that libcurl understands. */
static void
test_no_spelling_gets_past_the_guard(void **state)
{
	static const char *const hosts[] = {
		"127.0.0.1",
		"2130706433",
		"0x7f.1",
		"0177.0.0.1",
		"127.1",
		"0x7f000001",
		"localhost",
		"user@127.0.0.1",
		"user:pass@127.0.0.1",
		"example.com@127.0.0.1",
		"127.0.0.1.",
	};
	struct bench *bench = *state;

	fake_page(&bench->http, "/a", OK, false);
	bench->request.address_allowed = is_address_allowed;
	bench->request.address_context = bench;
	bench->deny = true;
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		snprintf(bench->url, sizeof bench->url, "http://%s:%d/a", hosts[i],
			 bench->http.port);
		bench->request.url = bench->url;
		bench->done = 0;
		httpc_send(bench->httpc, &bench->request, on_done, bench);
		assert_true(run_until_nonzero(bench->loop, &bench->done));
		if (bench->kind == ERR_NONE)
			fail_msg("%s was called", bench->url);
	}
	assert_int_equal(bench->http.connects, 0);
}

static void
test_redirects_pass_the_guard_too(void **state)
{
	struct bench *bench = *state;
	char reply[200];

	snprintf(reply, sizeof reply,
		 "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/b\r\n"
		 "X-Seen: first\r\nContent-Length: 4\r\n\r\nbody",
		 bench->http.port);
	fake_page(&bench->http, "/a", reply, false);
	fake_page(&bench->http, "/b", OK, false);
	call(bench, "/a");
	assert_int_equal(bench->status, 302);
	assert_string_equal(bench->body, "body");
	bench->request.follow_redirects = true;
	call(bench, "/a");
	assert_int_equal(bench->status, 200);
	assert_string_equal(bench->body, "hello");
	assert_string_equal(bench->header, "none"); /* of the last reply only */
	assert_non_null(strstr(bench->final_url, "/b"));
}

static void
test_redirects_to_elsewhere(void **state)
{
	struct bench *bench = *state;

	bench->request.follow_redirects = true;
	fake_page(&bench->http, "/f",
		  "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
		  "Content-Length: 0\r\n\r\n",
		  false);
	call(bench, "/f");
	assert_int_equal(bench->kind, ERR_INPUT);
	fake_page(&bench->http, "/r",
		  "HTTP/1.1 302 Found\r\nLocation: /r\r\nContent-Length: 0\r\n\r\n",
		  false);
	call(bench, "/r");
	assert_int_equal(bench->kind, ERR_INPUT);
	assert_non_null(strstr(bench->error, "too many redirects"));
	assert_int_equal(bench->http.requests, 1 + 11);
}

static void
test_replies_past_their_limit(void **state)
{
	struct bench *bench = *state;
	struct buf reply = { 0 };

	buf_str(&reply, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
	for (int i = 0; i < 1001; i++)
		buf_char(&reply, 'x');
	fake_page(&bench->http, "/a", buf_text(&reply), false);
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_LIMIT);
	bench->request.reply_max = 1001;
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_NONE);
	assert_int_equal(bench->body_len, 1001);
	buf_fini(&reply);
}

/* 16 MiB in 16 KiB: counted after decompression, given up in between. */
static void
test_a_compressed_bomb(void **state)
{
	struct bench *bench = *state;
	struct buf reply = { 0 };
	size_t len = 0;
	char *bomb = text_file_read(TESTS_DIR "/unit/data/zeros_16mib.gz", &len);

	assert_non_null(bomb);
	buf_printf(&reply,
		   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		   "Content-Length: %zu\r\n\r\n",
		   len);
	buf_add(&reply, bomb, len);
	fake_page(&bench->http, "/a", "", false);
	bench->http.pages[0].reply = reply.data;
	bench->http.pages[0].len = reply.len;
	bench->request.reply_max = 1 << 20;
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_LIMIT);
	bench->request.reply_max = 16 << 20;
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_NONE);
	assert_int_equal(bench->body_len, 16 << 20);
	buf_fini(&reply);
	free(bomb);
}

static void
test_many_large_headers(void **state)
{
	struct bench *bench = *state;
	struct buf reply = { 0 };

	buf_str(&reply, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 100; i++) {
		buf_printf(&reply, "X-%d: ", i);
		for (int j = 0; j < 9000; j++)
			buf_str(&reply, "0123456789");
		buf_str(&reply, "\r\n");
	}
	buf_str(&reply, "Content-Length: 0\r\n\r\n");
	fake_page(&bench->http, "/a", buf_text(&reply), false);
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_LIMIT);
	assert_non_null(strstr(bench->error, "headers"));
	buf_fini(&reply);
}

static void
test_a_header_line_without_end(void **state)
{
	struct bench *bench = *state;
	struct buf reply = { 0 };

	buf_str(&reply, "HTTP/1.1 200 OK\r\nX: ");
	for (int j = 0; j < 50000; j++)
		buf_str(&reply, "0123456789");
	fake_page(&bench->http, "/a", buf_text(&reply), false);
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_LIMIT);
	buf_fini(&reply);
}

struct fault {
	const char *reply;
	enum err_kind kind;
	const char *words;
};

static const struct fault faults[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", ERR_RETRY,
	  "reply cut short" },
	{ "", ERR_RETRY, "empty reply" },
	{ "SSH-2.0-OpenSSH\r\n", ERR_RETRY, "" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ERR_RETRY,
	  "" },
	{ "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
	  ERR_RETRY, "broken compression" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
	  ERR_RETRY, "" },
};

static void
test_faults_of_the_other_side(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		fake_page(&bench->http, "/a", faults[i].reply, true);
		call(bench, "/a");
		if (bench->kind != faults[i].kind ||
		    strstr(bench->error, faults[i].words) == NULL)
			fail_msg("%s: %s: %s", faults[i].reply,
				 err_kind_name(bench->kind), bench->error);
	}
}

static void
test_nobody_listens(void **state)
{
	struct bench *bench = *state;

	bench->request.url = "http://127.0.0.1:1/";
	httpc_send(bench->httpc, &bench->request, on_done, bench);
	assert_true(run_until_nonzero(bench->loop, &bench->done));
	assert_int_equal(bench->kind, ERR_RETRY);
	assert_non_null(strstr(bench->error, "connect"));
	bench->done = 0;
	bench->request.url = "http://no-such-host.invalid/";
	httpc_send(bench->httpc, &bench->request, on_done, bench);
	assert_true(run_until_nonzero(bench->loop, &bench->done));
	assert_int_equal(bench->kind, ERR_RETRY);
}

static void
test_a_silent_server_is_left(void **state)
{
	struct bench *bench = *state;
	usec_t before = loop_mono(bench->loop);

	fake_page(&bench->http, "/a", "", false);
	bench->request.timeout = 50 * USEC_MS;
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_RETRY);
	assert_non_null(strstr(bench->error, "timeout"));
	assert_true(loop_mono(bench->loop) - before < 5 * USEC_SECOND);
}

static void
test_pieces_come_as_they_are(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/a",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
		  false);
	bench->request.on_data = on_data;
	bench->request.reply_max = 0;
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_NONE);
	assert_int_equal(bench->body_len, 0);
	assert_string_equal(bench->piece, "onetwo");
}

static void
on_head(void *context, const struct http_response *response)
{
	struct bench *bench = context;

	assert_int_equal(bench->pieces, 0);
	bench->heads++;
	bench->status = response->status;
	snprintf(bench->header, sizeof bench->header, "%s",
		 http_header(response, "x-seen"));
	if (bench->cancel_in_head)
		http_call_cancel(&bench->call);
}

static void
test_the_head_comes_before_the_pieces(void **state)
{
	struct bench *bench = *state;
	bool sent = false;

	fake_page(&bench->http, "/a",
		  "HTTP/1.1 201 OK\r\nX-Seen: yes\r\nContent-Length: 3\r\n\r\none",
		  false);
	bench->request.on_data = on_data;
	bench->request.on_head = on_head;
	bench->request.sent = &sent;
	call(bench, "/a");
	assert_int_equal(bench->heads, 1);
	assert_int_equal(bench->status, 201);
	assert_string_equal(bench->header, "yes");
	assert_string_equal(bench->piece, "one");
	assert_true(sent);

	bench->cancel_in_head = true;
	bench->pieces = 0;
	bench->piece[0] = '\0';
	bench->heads = 0;
	send_to(bench, "/a");
	assert_true(run_until_nonzero(bench->loop, &bench->heads));
	run_turns(bench->loop, 20);
	assert_int_equal(bench->done, 0);
	assert_int_equal(bench->heads, 1);
	assert_int_equal(bench->pieces, 0);
}

static void
test_what_never_went_out_was_not_sent(void **state)
{
	struct bench *bench = *state;
	bool sent = false;

	bench->request.sent = &sent;
	bench->request.url = "http://127.0.0.1:1/";
	bench->call = httpc_send(bench->httpc, &bench->request, on_done, bench);
	assert_true(run_until_nonzero(bench->loop, &bench->done));
	assert_int_equal(bench->kind, ERR_RETRY);
	assert_false(sent);
}

static void
test_a_unix_socket(void **state)
{
	struct bench *bench = *state;
	char folder[] = "/tmp/stepmill-test-XXXXXX", path[64];
	struct fake_http other;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/s", folder);
	fake_http_start(&other, bench->loop, path);
	fake_page(&other, "/a", OK, false);
	bench->request.unix_socket = path;
	bench->request.address_allowed = is_address_allowed;
	bench->request.address_context = bench;
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_NONE);
	call(bench, "/a");
	assert_int_equal(other.requests, 2);
	assert_int_equal(bench->http.requests, 0);
	bench->deny = true;
	call(bench, "/a");
	assert_int_equal(bench->kind, ERR_DENIED);
	fake_http_stop(&other);
	unlink(path);
	rmdir(folder);
}

static void
test_cancelled_it_never_ends(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/a", OK, false);
	send_to(bench, "/a");
	http_call_cancel(&bench->call); /* before it began */
	assert_null(bench->call);
	fake_page(&bench->http, "/silent", "", false);
	send_to(bench, "/silent");
	run_turns(bench->loop, 5);
	http_call_cancel(&bench->call); /* under way */
	run_turns(bench->loop, 10);
	assert_int_equal(bench->done, 0);
	http_call_cancel(&bench->call);
}

static void
test_cancelled_and_freed_in_callbacks(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/a", OK, false);
	bench->request.on_data = on_data;
	bench->cancel_in_data = true;
	send_to(bench, "/a");
	assert_true(run_until_nonzero(bench->loop, &bench->pieces));
	run_turns(bench->loop, 5);
	assert_int_equal(bench->done, 0);
	bench->cancel_in_data = false;
	bench->cancel_in_done = true;
	call(bench, "/a");
	assert_null(bench->call);
	bench->cancel_in_done = false;
	bench->send_in_done = true;
	send_to(bench, "/a");
	while (bench->done < 2)
		run_turns(bench->loop, 2);
	bench->pieces = 0;
	bench->free_in_data = true;
	send_to(bench, "/a");
	assert_true(run_until_nonzero(bench->loop, &bench->pieces));
	run_turns(bench->loop, 5);
	assert_int_equal(bench->done, 0);
	assert_null(bench->httpc);
}

static void
test_freed_in_done_with_others_under_way(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/a", OK, false);
	fake_page(&bench->http, "/silent", "", false);
	send_to(bench, "/silent");
	send_to(bench, "/silent");
	bench->free_in_done = true;
	call(bench, "/a");
	run_turns(bench->loop, 5);
	assert_int_equal(bench->done, 1);
	assert_null(bench->httpc);
}

static void
test_freed_with_calls_in_each_state(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/silent", "", false);
	send_to(bench, "/silent");
	run_turns(bench->loop, 5);
	bench->request.url = "http://no-such-host.invalid/"; /* resolving */
	httpc_send(bench->httpc, &bench->request, on_done, bench);
	run_turns(bench->loop, 1);
	send_to(bench, "/silent"); /* not begun */
	httpc_free(&bench->httpc);
	run_turns(bench->loop, 5);
	assert_int_equal(bench->done, 0);
}

static void
test_many_at_once(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/a", OK, false);
	snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%d/a",
		 bench->http.port);
	bench->request.url = bench->url;
	for (int i = 0; i < 100; i++)
		httpc_send(bench->httpc, &bench->request, on_done, bench);
	while (bench->done < 100)
		run_turns(bench->loop, 10);
	assert_int_equal(bench->http.requests, 100);
	assert_int_equal(bench->kind, ERR_NONE);
}

static void
test_descriptors_are_closed_on_exec(void **state)
{
	struct bench *bench = *state;

	fake_page(&bench->http, "/silent", "", false);
	send_to(bench, "/silent");
	run_turns(bench->loop, 5);
	for (int fd = 3; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_reply),
		TEST(test_a_connection_is_used_again),
		TEST(test_a_body_and_headers_are_sent),
		TEST(test_methods),
		TEST(test_what_is_refused_before_it_is_sent),
		TEST(test_too_much_of_everything),
		TEST(test_the_guard_sees_the_address),
		TEST(test_no_spelling_gets_past_the_guard),
		TEST(test_redirects_pass_the_guard_too),
		TEST(test_redirects_to_elsewhere),
		TEST(test_replies_past_their_limit),
		TEST(test_a_compressed_bomb),
		TEST(test_many_large_headers),
		TEST(test_a_header_line_without_end),
		TEST(test_faults_of_the_other_side),
		TEST(test_nobody_listens),
		TEST(test_a_silent_server_is_left),
		TEST(test_pieces_come_as_they_are),
		TEST(test_the_head_comes_before_the_pieces),
		TEST(test_what_never_went_out_was_not_sent),
		TEST(test_a_unix_socket),
		TEST(test_cancelled_it_never_ends),
		TEST(test_cancelled_and_freed_in_callbacks),
		TEST(test_freed_in_done_with_others_under_way),
		TEST(test_freed_with_calls_in_each_state),
		TEST(test_many_at_once),
		TEST(test_descriptors_are_closed_on_exec),
	};

	for (int fd = 3; fd < 64; fd++) /* what we were born with is not our matter */
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
