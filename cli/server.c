/* See server.h. Each question is a turn of a loop of our own. */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/yaml.h"
#include "dev/state.h"
#include "file.h"
#include "httpc/httpc.h"
#include "text.h"

#define CALL_TIMEOUT (60 * USEC_SECOND)
#define REPLY_MAX    ((size_t)256 * 1024 * 1024)

struct server {
	const struct command *command;
	char *url;    /* as given */
	char *base;   /* "http://host:port" */
	char *socket; /* of "unix:/path", or NULL */
	char *authorization;
	struct loop *loop;
	struct httpc *httpc;
	struct http_call *call;
	struct timer *idle_timer, *pause_timer;
	usec_t idle_every;
	server_idle_fn *idle;
	void *idle_context;
	bool gave_up;
	const char *what, *name; /* what questions are about, or NULL */
	struct answer *answer;
	struct err err;
};

/* ---- which one ---- */

char *
server_find(const struct args *args)
{
	const char *given = args_value(args, "url");
	const char *variable = getenv("STEPMILL_URL");
	struct json *dev;
	char *url;

	if (given != NULL)
		return xstrdup(given);
	if (variable != NULL && *variable != '\0')
		return xstrdup(variable);
	dev = state_find(".");
	url = xstrdup(json_str(json_get(dev, "url")));
	json_unref(&dev);
	return url;
}

static void
split_url(struct server *server)
{
	size_t len;

	if (strncmp(server->url, "unix:", 5) == 0) {
		server->socket = xstrdup(server->url + 5);
		server->base = xstrdup("http://localhost");
		return;
	}
	server->base = xstrdup(server->url);
	for (len = strlen(server->base); len > 0 && server->base[len - 1] == '/'; len--)
		server->base[len - 1] = '\0';
}

static void
on_idle(void *context)
{
	struct server *server = context;

	if (server->idle(server->idle_context)) {
		timer_set(server->idle_timer, server->idle_every);
		return;
	}
	server->gave_up = true;
	http_call_cancel(&server->call);
	loop_stop(server->loop);
}

static void
on_pause_over(void *context)
{
	loop_stop(((struct server *)context)->loop);
}

static int
open_doors(struct server *server)
{
	server->loop = loop_new(&server->err);
	if (server->loop == NULL)
		return -1;
	server->httpc = httpc_new(server->loop, &server->err);
	server->idle_timer = timer_new(server->loop, on_idle, server);
	server->pause_timer = timer_new(server->loop, on_pause_over, server);
	return server->httpc == NULL ? -1 : 0;
}

struct server *
server_open(const struct command *command, const struct args *args, int *status)
{
	struct server *server;
	const char *key = args_value(args, "key");
	char *url = server_find(args);

	*status = CLI_UNREACHABLE;
	if (url == NULL) {
		command_fail(
		    command, CLI_UNREACHABLE,
		    "no server: no stepmill dev runs in this folder or above; start "
		    "one (stepmill dev) or name one (--url, STEPMILL_URL)");
		return NULL;
	}
	server = xcalloc(1, sizeof *server);
	server->command = command;
	server->url = url;
	split_url(server);
	if (key == NULL)
		key = getenv("STEPMILL_API_KEY");
	if (key != NULL && *key != '\0')
		server->authorization = xprintf("Authorization: Bearer %s", key);
	if (open_doors(server) < 0) {
		*status = command_fail(command, CLI_FAILED, "%s", server->err.text);
		server_close(&server);
	}
	return server;
}

void
server_close(struct server **server_p)
{
	struct server *server = *server_p;

	if (server == NULL)
		return;
	*server_p = NULL;
	httpc_free(&server->httpc);
	timer_free(&server->idle_timer);
	timer_free(&server->pause_timer);
	loop_free(&server->loop);
	free(server->url);
	free(server->base);
	free(server->socket);
	free(server->authorization);
	free(server);
}

const char *
server_url(const struct server *server)
{
	return server->url;
}

const char *
server_base(const struct server *server)
{
	return server->base;
}

const char *
server_socket(const struct server *server)
{
	return server->socket;
}

const char *
server_authorization(const struct server *server)
{
	return server->authorization;
}

struct loop *
server_loop(struct server *server)
{
	return server->loop;
}

/* ---- asking ---- */

void
server_on_idle(struct server *server, usec_t every, server_idle_fn *idle, void *context)
{
	server->idle_every = every;
	server->idle = idle;
	server->idle_context = context;
}

bool
server_gave_up(const struct server *server)
{
	return server->gave_up;
}

static void
wait_here(struct server *server)
{
	if (server->idle != NULL)
		timer_set(server->idle_timer, server->idle_every);
	loop_run(server->loop);
	timer_stop(server->idle_timer);
}

void
server_pause(struct server *server, usec_t time)
{
	if (server->gave_up)
		return;
	timer_set(server->pause_timer, time);
	wait_here(server);
	timer_stop(server->pause_timer);
}

static void
on_answer(void *context, const struct http_response *response, const struct err *err)
{
	struct server *server = context;
	struct answer *answer = server->answer;
	struct err ignored = { 0 };

	server->call = NULL;
	loop_stop(server->loop);
	server->err = *err;
	if (response == NULL)
		return;
	answer->status = response->status;
	answer->len = response->body.len;
	answer->text = xstrndup(buf_text(&response->body), response->body.len);
	if (answer->len > 0 &&
	    json_parse(answer->text, answer->len, &answer->json, &ignored) < 0)
		answer->json = NULL;
}

int
server_ask(struct server *server, const struct question *question,
	   struct answer *answer)
{
	char *url = xprintf("%s%s", server->base, question->path);
	char *type = question->content_type
			 ? xprintf("Content-Type: %s", question->content_type)
			 : NULL;
	const char *given[] = { server->authorization, type, question->header };
	const char *headers[5] = { "Accept: application/json" };
	struct http_request request = {
		.method = question->method,
		.url = url,
		.headers = headers,
		.body = question->body,
		.body_len = question->len,
		.body_stays = question->body_stays,
		.timeout = question->timeout > 0 ? question->timeout : CALL_TIMEOUT,
		.reply_max = REPLY_MAX,
		.unix_socket = server->socket,
	};
	size_t count = 1;

	for (size_t i = 0; i < sizeof given / sizeof *given; i++)
		if (given[i] != NULL)
			headers[count++] = given[i];
	*answer = (struct answer){ 0 };
	server->answer = answer;
	err_clear(&server->err);
	if (!server->gave_up) {
		server->call = httpc_send(server->httpc, &request, on_answer, server);
		wait_here(server);
	}
	free(url);
	free(type);
	if (answer->status == 0)
		return CLI_UNREACHABLE;
	return answer->status >= 200 && answer->status < 300 ? CLI_OK : CLI_FAILED;
}

static void
say_error(const struct json *error)
{
	const char *path = json_str(json_get(error, "path"));
	struct buf text = { 0 };

	if (json_has(error, "line"))
		buf_printf(&text, "%lld:%lld ",
			   (long long)json_int(json_get(error, "line")),
			   (long long)json_int(json_get(error, "column")));
	if (path != NULL && *path != '\0') {
		text_clean(path, &text);
		buf_str(&text, ": ");
	}
	text_clean(json_str(json_get(error, "message")), &text);
	fprintf(stderr, "  %s\n", buf_text(&text));
	buf_fini(&text);
}

void
server_about(struct server *server, const char *what, const char *name)
{
	server->what = what;
	server->name = name;
}

static void
say_detail(const struct server *server, const struct answer *answer)
{
	const char *detail = json_str(json_get(answer->json, "detail"));

	if (detail == NULL)
		detail = "the server refused";
	if (server->what != NULL && answer->status == 404)
		command_fail(server->command, CLI_FAILED, "there is no %s \"%s\"",
			     server->what, server->name);
	else if (server->what != NULL)
		command_fail(server->command, CLI_FAILED, "%s \"%s\": %s (HTTP %d)",
			     server->what, server->name, detail, answer->status);
	else
		command_fail(server->command, CLI_FAILED, "%s (HTTP %d)", detail,
			     answer->status);
}

int
server_refusal(struct server *server, const struct answer *answer)
{
	const struct json *errors = json_get(answer->json, "errors");

	if (answer->status == 0)
		return command_fail(server->command,
				    server->err.kind == ERR_INPUT ? CLI_USAGE
								  : CLI_UNREACHABLE,
				    "%s: %s", server->url, server->err.text);
	say_detail(server, answer);
	for (size_t i = 0; i < json_count(errors); i++)
		say_error(json_at(errors, i));
	if (answer->status == 401 && server->authorization == NULL)
		fputs("  give a key by STEPMILL_API_KEY or --key; one is made by "
		      "stepmill keys create\n",
		      stderr);
	return answer->status == 401 || answer->status == 403 ? CLI_DENIED : CLI_FAILED;
}

int
server_call(struct server *server, const char *method, const char *path,
	    struct json *body, struct answer *answer)
{
	char *text = body != NULL ? json_text(body) : NULL;
	struct question question = { .method = method,
				     .path = path,
				     .content_type = text ? "application/json" : NULL,
				     .body = text,
				     .len = text ? strlen(text) : 0 };
	int status = server_ask(server, &question, answer);

	json_unref(&body);
	free(text);
	return status == CLI_OK ? CLI_OK : server_refusal(server, answer);
}

void
answer_fini(struct answer *answer)
{
	json_unref(&answer->json);
	free(answer->text);
	*answer = (struct answer){ 0 };
}

char *
url_segment(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = xmalloc(strlen(text) * 3 + 1), *to = out;

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		    (*c >= '0' && *c <= '9') || strchr("-._~:,", *c) != NULL) {
			*to++ = (char)*c;
		} else {
			*to++ = '%';
			*to++ = hex[*c >> 4];
			*to++ = hex[*c & 15];
		}
	}
	*to = '\0';
	return out;
}

struct json *
server_register(struct server *server, const char *path, int *status)
{
	struct question question = { .method = "POST",
				     .path = "/api/workflows",
				     .content_type = "application/yaml" };
	struct err err = { 0 };
	struct json *registered;
	struct answer answer;
	char *text = file_read(path, YAML_BYTES_MAX, &question.len, &err);

	if (text == NULL) {
		*status = command_fail(server->command, CLI_USAGE, "%s", err.text);
		return NULL;
	}
	question.body = text;
	*status = server_ask(server, &question, &answer);
	free(text);
	if (*status != CLI_OK)
		*status = server_refusal(server, &answer);
	registered = *status == CLI_OK ? json_ref(answer.json) : NULL;
	answer_fini(&answer);
	return registered;
}

int
server_verb(const struct command *command, const struct args *args,
	    const struct server_verb *verbs, const char *expected)
{
	const char *word = args->words_count > 0 ? args->words[0] : "";
	struct server *server;
	int status;

	while (verbs->word != NULL &&
	       (strcmp(verbs->word, word) != 0 || verbs->words != args->words_count))
		verbs++;
	if (verbs->word == NULL)
		return command_usage(command, "%s", expected);
	server = server_open(command, args, &status);
	if (server != NULL)
		status = verbs->run(command, server, args);
	server_close(&server);
	return status;
}

static int
add_page(struct server *server, const char *list, int page, struct json *all,
	 bool *more)
{
	char *path = xprintf("%s?limit=100&page=%d", list, page);
	struct answer answer;
	int status = server_call(server, "GET", path, NULL, &answer);
	const struct json *data = json_get(answer.json, "data");

	for (size_t i = 0; i < json_count(data); i++)
		json_append(all, json_ref(json_at(data, i)));
	*more = json_count(data) == 100;
	answer_fini(&answer);
	free(path);
	return status;
}

int
server_all(struct server *server, const char *path, struct json *all)
{
	bool more = true;
	int status = CLI_OK;

	for (int page = 1; more && status == CLI_OK; page++)
		status = add_page(server, path, page, all, &more);
	return status;
}
