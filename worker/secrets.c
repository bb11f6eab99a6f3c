/* Reading secrets, keeping them, masking them. See secrets.h. */
#include "secrets.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "conf/secret.h"
#include "secret_command.h"

#define LOOK_EVERY  USEC_SECOND       /* whether a file changed, or is there by now */
#define AGAIN_AFTER (5 * USEC_SECOND) /* a command that failed */
#define FORMER_MAX  64                /* values that were given out once */

struct secret {
	struct secrets *secrets;
	struct secret_source *source; /* of secrets.sources */
	char *value;                  /* NULL: not there */
	char *why;                    /* it is not; NULL: never tried */
	bool stale;                   /* told to read it again */
	usec_t read_at, looked_at;    /* monotonic */
	struct stat file;             /* when it was read */
	struct secret_command *command;
};

struct secrets {
	struct secrets_conf conf;
	struct secret_sources sources;
	struct secret *list;
	char *former[FORMER_MAX]; /* a ring */
	size_t former_next;
	struct json *values;
	bool gathering; /* several are read: values and mask are made after that */
};

static usec_t
now(const struct secrets *secrets)
{
	return loop_mono(secrets->conf.services->loop);
}

/* ---- the mask ---- */

static bool
is_telling(const char *name)
{
	static const char *const words[] = { "key", "token", "secret", "password",
					     "passphrase" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcasestr(name, words[i]) != NULL)
			return true;
	return false;
}

/* A secret that is a JSON object (the key file of a service account): its members are
 * met alone as soon as somebody reads it. */
static void
add_members(struct mask *mask, const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (text[0] != '{' || json_parse(text, strlen(text), &json, &err) < 0)
		return;
	for (struct json_iter it = json_iter(json); json_next(&it);)
		if (is_telling(it.key) && json_type(it.value) == JSON_STRING)
			mask_add(mask, json_str(it.value), json_str_len(it.value));
	json_unref(&json);
}

static void
add_value(struct mask *mask, const char *value)
{
	if (value == NULL)
		return;
	mask_add(mask, value, strlen(value));
	add_members(mask, value);
}

/* Values and mask anew. */
static void
renew(struct secrets *secrets)
{
	struct mask *mask = secrets->conf.mask;

	if (secrets->gathering)
		return;
	mask_clear(mask);
	secrets->conf.add_others(secrets->conf.context, mask);
	json_unref(&secrets->values);
	secrets->values = json_new_object();
	for (size_t i = 0; i < secrets->sources.count; i++) {
		struct secret *secret = &secrets->list[i];

		add_value(mask, secret->value);
		if (secret->value != NULL)
			json_set(secrets->values, secret->source->name,
				 json_new_str(secret->value));
	}
	for (size_t i = 0; i < FORMER_MAX; i++)
		add_value(mask, secrets->former[i]);
}

static void
wipe(char **text_p)
{
	if (*text_p != NULL)
		explicit_bzero(*text_p, strlen(*text_p));
	free(*text_p);
	*text_p = NULL;
}

/* Takes the value: it may still be on its way into some output. */
static void
retire(struct secrets *secrets, char **value_p)
{
	char **place = &secrets->former[secrets->former_next % FORMER_MAX];

	if (*value_p == NULL)
		return;
	wipe(place);
	*place = *value_p;
	*value_p = NULL;
	secrets->former_next++;
}

/* ---- reading ---- */

/* What could not be read again is as it was. */
static void
missed(struct secret *secret, const struct err *err)
{
	log_warn("secret.not_read", F_STR("secret", secret->source->name),
		 F_STR("why", err->text));
	free(secret->why);
	secret->why = secret->value == NULL ? xstrdup(err->text) : NULL;
}

/* value: copied; NULL: err says why there is none. */
static void
take(struct secret *secret, const char *value, const struct err *err)
{
	secret->read_at = secret->looked_at = now(secret->secrets);
	secret->stale = false;
	if (value == NULL) {
		missed(secret, err);
		return;
	}
	free(secret->why);
	secret->why = NULL;
	if (secret->value != NULL && strcmp(secret->value, value) == 0)
		return;
	retire(secret->secrets, &secret->value);
	secret->value = xstrdup(value);
	renew(secret->secrets);
}

static void
read_now(struct secret *secret)
{
	const struct secret_source *source = secret->source;
	bool in_file = source->kind == SECRET_FILE;
	char *place = xprintf("%s:%s", in_file ? "file" : "env", source->text);
	struct err err = { 0 };
	char *value;

	/* before it is read: one that changes meanwhile is read again */
	if (in_file && stat(source->text, &secret->file) < 0)
		secret->file = (struct stat){ 0 };
	value = secret_follow(place, &err);
	if (value != NULL && !utf8_valid(value, strlen(value))) {
		err_set(&err, ERR_INPUT, "%s: not text in UTF-8", source->text);
		wipe(&value);
	}
	take(secret, value, &err);
	wipe(&value);
	free(place);
}

static void
on_printed(void *context, const char *value, const struct err *err)
{
	struct secret *secret = context;
	struct secrets *secrets = secret->secrets;

	take(secret, value, err);
	secret_command_free(&secret->command);
	secrets->conf.changed(secrets->conf.context);
}

static void
run_command(struct secret *secret)
{
	struct err err = { 0 };

	if (secret->command != NULL)
		return;
	secret->command = secret_command_new(secret->secrets->conf.services,
					     secret->source, on_printed, secret, &err);
	if (secret->command == NULL)
		take(secret, NULL, &err);
}

/* ---- is it known ---- */

static bool
is_due(const struct secret *secret)
{
	usec_t refresh = secret->source->refresh;

	return secret->stale || (secret->value == NULL && secret->why == NULL) ||
	       (refresh > 0 && now(secret->secrets) - secret->read_at >= refresh);
}

static bool
file_changed(const struct secret *secret)
{
	const struct stat *then = &secret->file;
	struct stat file;

	if (stat(secret->source->text, &file) < 0)
		return false;
	return file.st_ino != then->st_ino || file.st_dev != then->st_dev ||
	       file.st_size != then->st_size ||
	       memcmp(&file.st_mtim, &then->st_mtim, sizeof file.st_mtim) != 0 ||
	       memcmp(&file.st_ctim, &then->st_ctim, sizeof file.st_ctim) != 0;
}

/* A second at most passes until a new value is seen. */
static void
look_at_file(struct secret *secret)
{
	usec_t at = now(secret->secrets);

	if (is_due(secret)) {
		read_now(secret);
	} else if (at - secret->looked_at >= LOOK_EVERY) {
		secret->looked_at = at;
		if (file_changed(secret))
			read_now(secret);
	}
}

/* Who knows something goes on with it while the command runs again, unless somebody
 * said that there is a new value. */
static bool
look_at_command(struct secret *secret)
{
	bool failed = secret->value == NULL && secret->why != NULL;
	bool unknown = (secret->value == NULL && !failed) || secret->stale;

	if (is_due(secret) ||
	    (failed && now(secret->secrets) - secret->read_at >= AGAIN_AFTER))
		run_command(secret);
	return secret->command == NULL || !unknown;
}

static bool
is_known(struct secret *secret)
{
	if (secret->source->kind == SECRET_COMMAND)
		return look_at_command(secret);
	if (secret->source->kind == SECRET_FILE)
		look_at_file(secret);
	return true;
}

static bool
is_named(const char *name, char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

bool
secrets_are_known(struct secrets *secrets, char *const *names, size_t count, bool all)
{
	bool known = true;

	for (size_t i = 0; i < secrets->sources.count; i++)
		if (all || is_named(secrets->sources.list[i].name, names, count))
			known = is_known(&secrets->list[i]) && known;
	return known;
}

struct json *
secrets_values(const struct secrets *secrets)
{
	return secrets->values;
}

bool
secrets_explain(const struct secrets *secrets, struct err *err)
{
	for (size_t i = 0; i < secrets->sources.count; i++) {
		const struct secret *secret = &secrets->list[i];
		char *words = xprintf("no such key: \"%s\"", secret->source->name);
		bool is_it = secret->why != NULL && strstr(err->text, words) != NULL;

		free(words);
		if (!is_it)
			continue;
		err_set(err, ERR_RETRY, "the secret \"%s\" cannot be read: %s",
			secret->source->name, secret->why);
		return true;
	}
	return false;
}

/* ---- life ---- */

static void
secret_fini(struct secret *secret)
{
	secret_command_free(&secret->command);
	retire(secret->secrets, &secret->value);
	free(secret->why);
}

/* What stands where it stood keeps its value until it is read again. */
static void
keep(struct secret *secret, struct secret *old)
{
	if (old == NULL || !secret_source_equal(old->source, secret->source))
		return;
	secret->value = old->value;
	old->value = NULL;
	secret->stale = true;
}

static struct secret *
find(struct secrets *secrets, const char *name)
{
	for (size_t i = 0; i < secrets->sources.count; i++)
		if (strcmp(secrets->sources.list[i].name, name) == 0)
			return &secrets->list[i];
	return NULL;
}

/* Those that are there without anybody's work. */
static void
read_all_now(struct secrets *secrets)
{
	secrets->gathering = true;
	for (size_t i = 0; i < secrets->sources.count; i++)
		if (secrets->list[i].source->kind != SECRET_COMMAND)
			read_now(&secrets->list[i]);
	secrets->gathering = false;
	renew(secrets);
}

void
secrets_reload(struct secrets *secrets, const struct secret_sources *sources)
{
	struct secrets old = *secrets;

	secret_sources_copy(&secrets->sources, sources);
	secrets->list = xcalloc(sources->count + 1, sizeof *secrets->list);
	for (size_t i = 0; i < sources->count; i++) {
		struct secret *secret = &secrets->list[i];

		*secret = (struct secret){ .secrets = secrets,
					   .source = &secrets->sources.list[i] };
		keep(secret, find(&old, secret->source->name));
	}
	for (size_t i = 0; i < old.sources.count; i++)
		secret_fini(&old.list[i]);
	free(old.list);
	secret_sources_fini(&old.sources);
	read_all_now(secrets);
	secrets->conf.changed(secrets->conf.context);
}

struct secrets *
secrets_new(const struct secrets_conf *conf)
{
	struct secrets *secrets = xcalloc(1, sizeof *secrets);

	secrets->conf = *conf;
	secret_sources_copy(&secrets->sources, conf->sources);
	secrets->list = xcalloc(conf->sources->count + 1, sizeof *secrets->list);
	for (size_t i = 0; i < secrets->sources.count; i++)
		secrets->list[i] =
		    (struct secret){ .secrets = secrets,
				     .source = &secrets->sources.list[i] };
	read_all_now(secrets);
	return secrets;
}

void
secrets_free(struct secrets **secrets_p)
{
	struct secrets *secrets = *secrets_p;

	*secrets_p = NULL;
	if (secrets == NULL)
		return;
	for (size_t i = 0; i < secrets->sources.count; i++)
		secret_fini(&secrets->list[i]);
	for (size_t i = 0; i < FORMER_MAX; i++)
		wipe(&secrets->former[i]);
	free(secrets->list);
	secret_sources_fini(&secrets->sources);
	json_unref(&secrets->values);
	free(secrets);
}
