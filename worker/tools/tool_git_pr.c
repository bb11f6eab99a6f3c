/*
 * git.createPr: a pull request at the forge (GitHub's REST API; forge.url,
 * forge.token). Owner and repository come from the remote's URL. One that is open
 * already for the same branches is the answer too: the request may have been made by an
 * attempt that was lost.
 */
#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "actions/web.h"
#include "base/xalloc.h"
#include "store/run_facts.h"
#include "tools/git_core.h"
#include "tools/git_run.h"
#include "tools/holding.h"
#include "tools/tools.h"

#define REPLY_MAX (4 * 1024 * 1024)

struct pr {
	struct git git; /* first: the functions of git_run.h get it */
	char *owner, *repository, *base;
	char *url; /* of the pull request made */
};

static struct pr *
pr_of(struct git *git)
{
	return (struct pr *)git;
}

/* ---- talking to the forge ---- */

static int
add_forge_headers(struct http_form *form, const struct attempt *attempt,
		  struct err *err)
{
	char *token = xprintf("Bearer %s", attempt->services->settings->forge_token);
	int result = 0;

	if (http_form_add(form, "Accept", "application/vnd.github+json", err) < 0 ||
	    http_form_add(form, "X-GitHub-Api-Version", "2022-11-28", err) < 0 ||
	    http_form_add(form, "Authorization", token, err) < 0 ||
	    web_add_headers(form, attempt, err) < 0)
		result = -1;
	free(token);
	return result;
}

/* The forge's address is the operator's choice: no guard. Takes the form's contents. */
static void
call_forge(struct git *git, struct http_form *form, http_done_fn *done)
{
	struct err err = { 0 };

	if (add_forge_headers(form, git->attempt, &err) < 0)
		git_fail_err(git, &err);
	else
		git->call = httpc_send(
		    git->attempt->services->httpc,
		    &(struct http_request){
			.method = form->method,
			.url = form->url,
			.headers = (const char *const *)form->headers,
			.body = form->has_body ? buf_text(&form->body) : NULL,
			.body_len = form->body.len,
			.reply_max = REPLY_MAX,
		    },
		    done, git);
	http_form_fini(form);
}

static char *
api_url(const struct pr *pr, const char *query)
{
	const char *base = pr->git.attempt->services->settings->forge_url;
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	return xprintf("%.*s/repos/%s/%s/pulls%s", (int)len, base, pr->owner,
		       pr->repository, query);
}

/* ---- the answer ---- */

static void
on_facts(void *context, const struct err *err)
{
	struct git *git = context;
	struct json *output = git->output;

	if (err->kind != ERR_NONE) {
		git_fail_err(git, err);
		return;
	}
	git->output = NULL;
	attempt_succeed(git->attempt, output);
}

static void
succeed(struct pr *pr, const struct json *pull)
{
	struct git *git = &pr->git;
	struct pg *pg = git->attempt->services->pg;
	struct held_ref held = holding(git->attempt);
	struct run_facts facts = { 0 };
	struct err none = { 0 };

	git->output = json_new_object();
	pr->url = xstrdup(json_str(json_get(pull, "html_url")));
	json_set(git->output, "url", json_new_str(pr->url));
	json_set(git->output, "number", json_ref(json_get(pull, "number")));
	facts.pull_request = pr->url;
	if (pg != NULL)
		run_facts_set(pg, &held, &facts, on_facts, git);
	else
		on_facts(git, &none);
}

/* What the forge said about it, in its own words where it has some. */
static void
fail_by_reply(struct git *git, const struct http_response *response,
	      const struct json *reply)
{
	const char *message = json_str(json_get(reply, "message"));
	struct json *details = json_new_object();

	json_set(details, "status", json_new_int(response->status));
	json_set(details, "errors", json_ref(json_get(reply, "errors")));
	attempt_fail_with(
	    git->attempt, "forge", web_status_is_final(response->status), details, NULL,
	    "git.createPr: the forge answered with status %d%s%.300s", response->status,
	    message != NULL ? ": " : "", message != NULL ? message : "");
}

/* The reply as JSON (the caller's); NULL: the attempt has failed. */
static struct json *
read_reply(struct git *git, const struct http_response *response, const struct err *err)
{
	struct json *reply = NULL;
	struct err bad = { 0 };

	git->call = NULL;
	if (response == NULL) {
		attempt_fail(git->attempt, "forge", answer_is_final(err->kind),
			     "git.createPr: the forge: %s", err->text);
		return NULL;
	}
	if (answer_json(git->attempt, buf_text(&response->body), response->body.len,
			&reply, &bad) == 0 &&
	    reply != NULL)
		return reply;
	attempt_fail(git->attempt, "forge", web_status_is_final(response->status),
		     "git.createPr: the forge answered with status %d and no JSON",
		     response->status);
	return NULL;
}

static bool
is_pull(const struct json *pull)
{
	return json_str(json_get(pull, "html_url")) != NULL &&
	       json_type(json_get(pull, "number")) == JSON_INT;
}

static void
on_found(void *context, const struct http_response *response, const struct err *err)
{
	struct git *git = context;
	struct json *reply = read_reply(git, response, err);

	if (reply == NULL)
		return;
	if (response->status < 300 && is_pull(json_at(reply, 0)))
		succeed(pr_of(git), json_at(reply, 0));
	else
		attempt_fail(git->attempt, "forge", true, "git.createPr: %s", git->why);
	json_unref(&reply);
}

/* 422: refused. Is it because there is one already? */
static void
look_for_open(struct pr *pr)
{
	struct http_form form = { .method = xstrdup("GET") };
	struct buf query = { 0 };

	buf_str(&query, "?state=open&head=");
	http_escape(pr->owner, strlen(pr->owner), &query);
	buf_str(&query, "%3A");
	http_escape(pr->git.branch, strlen(pr->git.branch), &query);
	buf_str(&query, "&base=");
	http_escape(pr->base, strlen(pr->base), &query);
	form.url = api_url(pr, buf_text(&query));
	call_forge(&pr->git, &form, on_found);
	buf_fini(&query);
}

static char *
first_reason(const struct json *reply)
{
	const char *detail =
	    json_str(json_get(json_at(json_get(reply, "errors"), 0), "message"));
	const char *message = json_str(json_get(reply, "message"));

	return xstrdup(detail != NULL    ? detail
		       : message != NULL ? message
					 : "the forge refused the pull request");
}

static void
on_made(void *context, const struct http_response *response, const struct err *err)
{
	struct git *git = context;
	struct json *reply = read_reply(git, response, err);

	if (reply == NULL)
		return;
	if (response->status == 201 && is_pull(reply)) {
		succeed(pr_of(git), reply);
	} else if (response->status == 422) {
		git->why = first_reason(reply);
		look_for_open(pr_of(git));
	} else {
		fail_by_reply(git, response, reply);
	}
	json_unref(&reply);
}

/* ---- what has to be known before ---- */

static void
make(struct pr *pr)
{
	struct git *git = &pr->git;
	struct json *body = json_new_object();
	struct http_form form;
	struct err err = { 0 };
	char *url = api_url(pr, "");

	json_set(body, "title", json_ref(json_get(git->attempt->fields, "title")));
	json_set(body, "body", json_new_str(field_text(git->attempt, "body", "")));
	json_set(body, "head", json_new_str(git->branch));
	json_set(body, "base", json_new_str(pr->base));
	json_set(body, "draft",
		 json_new_bool(field_flag(git->attempt, "draft", false)));
	if (http_form_post(&form, url, body, NULL, &err) < 0)
		git_fail_err(git, &err);
	else
		call_forge(git, &form, on_made);
	json_unref(&body);
	free(url);
}

static void
on_base(void *context, const char *branch, const struct err *err)
{
	struct pr *pr = context;

	if (branch == NULL) {
		git_fail_err(&pr->git, err);
		return;
	}
	pr->base = xstrdup(branch);
	make(pr);
}

static void
find_base(struct pr *pr)
{
	const struct attempt *attempt = pr->git.attempt;
	const struct err none = { 0 };
	const char *base = field_text(attempt, "base", NULL);

	if (base != NULL)
		on_base(pr, base, &none);
	else if (attempt->services->pg != NULL)
		run_facts_default_branch(attempt->services->pg, &attempt->project,
					 on_base, pr);
	else
		on_base(pr, "main", &none);
}

static void
on_remote(struct git *git, const struct program_end *end)
{
	struct pr *pr = pr_of(git);
	struct err err = { 0 };
	char *url = git_text(end);

	program_free(&git->program);
	if (git_read_remote(url, &pr->owner, &pr->repository, &err) < 0)
		git_fail_err(git, &err);
	else
		find_base(pr);
	free(url);
}

static void
ask_remote(struct git *git)
{
	const char *remote = git_value(git, "remote", "origin");

	if (remote != NULL)
		git_run(git, on_remote, NULL,
			GIT_ARGS("remote", "get-url", "--", remote));
}

static void
on_head(struct git *git, const struct program_end *end)
{
	if (end->exit_status != 0) {
		attempt_fail(
		    git->attempt, "input", true,
		    "git.createPr: no branch is checked out; name one by head");
		return;
	}
	git->branch = git_text(end);
	ask_remote(git);
}

/* ---- start and end ---- */

static void
pr_free(void *context)
{
	struct pr *pr = context;

	free(pr->owner);
	free(pr->repository);
	free(pr->base);
	free(pr->url);
	git_free(&pr->git);
}

static struct pr *
pr_new(struct attempt *attempt)
{
	struct git *git = git_new(attempt, "git.createPr");
	struct pr *pr;

	if (git == NULL)
		return NULL;
	pr = xcalloc(1, sizeof *pr);
	pr->git = *git;
	free(git);
	return pr;
}

static void *
pr_start(struct attempt *attempt)
{
	const char *head = field_text(attempt, "head", NULL);
	struct pr *pr;

	if (attempt->services->settings->forge_token == NULL) {
		attempt_fail(attempt, "not_configured", true,
			     "git.createPr: forge.token is not configured");
		return NULL;
	}
	pr = pr_new(attempt);
	if (pr == NULL)
		return NULL;
	if (head == NULL) {
		git_run_judged(&pr->git, on_head, NULL,
			       GIT_ARGS("symbolic-ref", "--quiet", "--short", "HEAD"));
	} else if ((head = git_value(&pr->git, "head", "")) != NULL) {
		pr->git.branch = xstrdup(head);
		ask_remote(&pr->git);
	}
	if (!pr->git.failed)
		return pr;
	pr_free(pr);
	return NULL;
}

const struct action tool_git_create_pr = {
	.name = "git.createPr",
	.start = pr_start,
	.stop = git_stop,
	.free = pr_free,
};
