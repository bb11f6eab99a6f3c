/* A command that prints a secret. See secret_command.h. */
#include "secret_command.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/script.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "conf/secret.h"
#include "program.h"

struct secret_command {
	const struct secret_source *source;
	struct step_def def;    /* of nobody's step: */
	struct attempt attempt; /* programs belong to an attempt */
	struct program *program;
	struct timer *timer;
	bool late;
	secret_printed_fn *done;
	void *context;
};

/* -1 with err: it is no secret. */
static int
take_output(const struct program_end *end, struct buf *out, struct err *err)
{
	if (!output_bytes(end->out, out) || out->len > SECRET_MAX)
		return err_set(err, ERR_INPUT, "it printed more than %d bytes",
			       SECRET_MAX);
	while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]) != NULL)
		out->data[--out->len] = '\0';
	if (out->len == 0)
		return err_set(err, ERR_INPUT, "it printed nothing");
	if (strlen(out->data) != out->len || !utf8_valid(out->data, out->len))
		return err_set(err, ERR_INPUT, "it printed what is no text");
	return 0;
}

/* What it says on standard error is not repeated: that may be half a secret. */
static int
judge(const struct secret_command *command, const struct program_end *end,
      struct err *err)
{
	const char *name = command->source->command.list[0];

	if (end->code == NULL)
		return 0;
	if (command->late)
		return err_set(err, ERR_RETRY, "\"%.100s\" took too long", name);
	if (end->started && end->signal == 0)
		return err_set(err, ERR_SYSTEM, "\"%.100s\" ended with exit status %d",
			       name, end->exit_status);
	return err_set(err, ERR_SYSTEM, "%s", end->why);
}

static void
on_end(void *context, const struct program_end *end)
{
	struct secret_command *command = context;
	struct buf value = { 0 };
	struct err err = { 0 };
	bool good =
	    judge(command, end, &err) == 0 && take_output(end, &value, &err) == 0;

	command->done(command->context, good ? value.data : NULL, &err);
	if (value.data != NULL)
		explicit_bzero(value.data, value.len);
	buf_fini(&value);
}

static void
on_timer(void *context)
{
	struct secret_command *command = context;

	command->late = true;
	program_stop(command->program, STOP_FORCE);
}

static void
add_variables(const struct secret_command *command, struct pairs *pairs)
{
	const struct texts *names = &command->source->environment;

	for (size_t i = 0; i < names->count; i++) {
		const char *value = getenv(names->list[i]);

		if (value != NULL)
			pairs_add(pairs, xprintf("%s=%s", names->list[i], value));
	}
}

static int
run(struct secret_command *command, struct err *err)
{
	const struct texts *words = &command->source->command;
	const char **argv = xcalloc(words->count + 1, sizeof *argv);
	struct pairs pairs = { 0 };
	struct program_spec spec = { .argv = argv, .out_max = 2 * SECRET_MAX };
	int result;

	for (size_t i = 0; i < words->count; i++)
		argv[i] = words->list[i];
	add_variables(command, &pairs);
	spec.environment = (const char *const *)pairs.list;
	spec.folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = spec.folder < 0
		     ? err_errno(err, "/")
		     : program_start(command->program, &spec, on_end, command, err);
	if (spec.folder >= 0)
		close(spec.folder);
	pairs_fini(&pairs);
	free(argv);
	return result;
}

struct secret_command *
secret_command_new(const struct services *services, const struct secret_source *source,
		   secret_printed_fn *done, void *context, struct err *err)
{
	struct secret_command *command = xcalloc(1, sizeof *command);

	command->source = source;
	command->done = done;
	command->context = context;
	command->def.id = command->def.name = (char *)"secrets";
	command->attempt = (struct attempt){ .services = services,
					     .run_id = "",
					     .def = &command->def,
					     .idempotency_key = "",
					     .project_path = "/",
					     .run_folder = "" };
	command->program = program_new(&command->attempt, err);
	if (command->program == NULL || run(command, err) < 0) {
		secret_command_free(&command);
		return NULL;
	}
	command->timer = timer_new(services->loop, on_timer, command);
	timer_set(command->timer, source->timeout);
	return command;
}

void
secret_command_free(struct secret_command **command_p)
{
	struct secret_command *command = *command_p;

	*command_p = NULL;
	if (command == NULL)
		return;
	timer_free(&command->timer);
	program_free(&command->program);
	free(command);
}
