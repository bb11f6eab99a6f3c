/*
 * The server that a command asks: which one, and one question at a time. Commands may
 * wait; meanwhile they can be called now and then, to draw or to give up.
 */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include "base/usec.h"
#include "command.h"
#include "loop/loop.h"
#include "json/json.h"

struct server;

struct answer {
	int status;        /* of HTTP; 0: none */
	struct json *json; /* the body, where it is JSON */
	char *text;        /* the body, NUL-terminated; NULL: no answer */
	size_t len;
};

/* Which one: --url, STEPMILL_URL, or the dev of this folder; NULL: none. The caller's.
 */
char *server_find(const struct args *args);
/* That one. NULL and *status when there is none
 * (said on stderr). The command must have SERVER_ARGS. */
struct server *server_open(const struct command *command, const struct args *args,
			   int *status);
void server_close(struct server **server_p);
const char *server_url(const struct server *server); /* as it was given */
struct loop *server_loop(struct server *server);     /* for signals of the command */
/* What else asks the same server needs: the base of its URLs, a path of a socket or
 * NULL, the header with the key or NULL. Borrowed. */
const char *server_base(const struct server *server);
const char *server_socket(const struct server *server);
const char *server_authorization(const struct server *server);

/* Called every so often while an answer is awaited or a pause lasts; false gives up
 * what is under way, and everything after it. */
typedef bool server_idle_fn(void *context);
void server_on_idle(struct server *server, usec_t every, server_idle_fn *idle,
		    void *context);
bool server_gave_up(const struct server *server);

/* What the path of the next question names ("run", "hello-1"), for what is said of a
 * refusal; borrowed. NULL: nothing. */
void server_about(struct server *server, const char *what, const char *name);

/* Asks and waits. CLI_OK when an answer 2xx came; else what it was is said on stderr
 * and the exit status returned. body is taken; NULL: none. *answer is the caller's. */
int server_call(struct server *server, const char *method, const char *path,
		struct json *body, struct answer *answer);
struct question {
	const char *method, *path;
	const char *header; /* one more, or NULL */
	const char *content_type, *body;
	size_t len;
	bool body_stays; /* it need not be copied */
	usec_t timeout;  /* 0: a minute */
};

/* The same of anything, and without a word on stderr. */
int server_ask(struct server *server, const struct question *question,
	       struct answer *answer);
/* Says a refusal (problem+json), or that there was no answer, on stderr; the exit
 * status that fits. */
int server_refusal(struct server *server, const struct answer *answer);
void server_pause(struct server *server, usec_t time);
void answer_fini(struct answer *answer);

/* A segment of a path or a value of a query, percent-encoded; the caller's. */
char *url_segment(const char *text);
/* Registers the workflow in the file; NULL: why not was said, *status is set. The
 * answer: {name, version, created, ...}; the caller's. */
struct json *server_register(struct server *server, const char *path, int *status);

/* A command of several verbs: the one that the first word names, if the count of words
 * is its own; else what was expected is said. verbs: ended by one without word. */
struct server_verb {
	const char *word;
	size_t words; /* with the verb */
	int (*run)(const struct command *command, struct server *server,
		   const struct args *args);
};
int server_verb(const struct command *command, const struct args *args,
		const struct server_verb *verbs, const char *expected);

/* Appends what a list answers, all of its pages, to all (an array). CLI_OK, or what
 * server_call said. */
int server_all(struct server *server, const char *path, struct json *all);

#endif
