/* A program is asked what it is. See describe.h. */
#include "recorded/describe.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "channel/channel.h"
#include "digest/digest.h"
#include "engine/program_manifest.h"
#include "engine/program_read.h"
#include "programs.h"
#include "recorded/launch.h"

#define EXIT_WAIT   USEC_SECOND
#define MESSAGE_MAX 400

extern char **environ;

struct describing {
	struct loop *loop;
	const struct settings *settings;
	struct program_def def;
	struct services services;
	struct step_def step;
	struct attempt attempt;
	struct launch launch;
	struct program *program;
	struct timer *timer;
	struct json *said; /* `workflow` of its hello */
	struct json *answer;
	bool late;
};

static void
problem(struct describing *describing, int line, int column, const char *message)
{
	struct json *about = json_new_object();

	if (describing->answer != NULL) {
		json_unref(&about);
		return;
	}
	json_set(about, "message", json_new_str(message));
	json_set(about, "line", json_new_int(line));
	json_set(about, "column", json_new_int(column));
	describing->answer = json_new_object();
	json_set(describing->answer, "problem", about);
}

/* ---- what it says ---- */

static void
on_hello(struct describing *describing, struct channel_call *call, struct json *params)
{
	struct json *answer = json_new_object();

	json_unref(&describing->said);
	describing->said = json_ref(json_get(params, "workflow"));
	json_set(answer, "mode", json_new_str("describe"));
	channel_result(&call, answer);
	timer_set(describing->timer, EXIT_WAIT);
}

static void
on_call(void *context, struct channel_call *call, const char *method,
	struct json *params)
{
	if (strcmp(method, "hello") == 0)
		on_hello(context, call, params);
	else if (strcmp(method, "log") == 0)
		channel_result(&call, json_new_object());
	else
		channel_fail(&call, RPC_NOT_NOW, NULL,
			     "the program is only asked what "
			     "it is");
}

static const struct channel_events events = { .on_call = on_call };

/* ---- what went wrong ---- */

static long
number_at(const char **at)
{
	char *end;
	long number = isdigit((unsigned char)**at) ? strtol(*at, &end, 10) : 0;

	if (number > 0)
		*at = end;
	return number > 0 && number < INT_MAX ? number : 0;
}

/* "FILE:3:7", "FILE:3" or "File "FILE", line 3": the last place that is in the file. */
static void
find_place(const char *text, const char *path, int *line, int *column)
{
	static const char words[] = "\", line ";
	size_t len = strlen(path);

	for (const char *at = strstr(text, path); at != NULL; at = strstr(at, path)) {
		const char *behind = at + len;
		long found;

		at = behind;
		if (strncmp(behind, words, sizeof words - 1) == 0)
			behind += sizeof words - 1;
		else if (*behind++ != ':')
			continue;
		found = number_at(&behind);
		if (found == 0)
			continue;
		*line = (int)found;
		*column = 0;
		if (*behind == ':') {
			behind++;
			*column = (int)number_at(&behind);
		}
	}
}

/* The line that names the error, else the last one that says something. */
static char *
find_message(const char *text, const struct program_end *end)
{
	struct buf last = { 0 };

	for (const char *at = text; at != NULL && *at != '\0';) {
		size_t len = strcspn(at, "\n");
		size_t word = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz");

		if (word > 5 && word < len && at[word] == ':' &&
		    strncmp(at + word - 5, "Error", 5) == 0)
			return xstrndup(at, len < MESSAGE_MAX ? len : MESSAGE_MAX);
		at += len + (at[len] == '\n');
	}
	output_last_line(end->errors, MESSAGE_MAX, &last);
	if (last.len == 0)
		buf_str(&last, end->code != NULL
				   ? end->why
				   : "the program ended without saying `hello`: it is "
				     "no workflow program");
	return buf_take(&last);
}

static void
tell_failure(struct describing *describing, const struct program_end *end)
{
	struct buf text = { 0 };
	int line = 0, column = 0;
	char *message;

	if (describing->late && describing->said == NULL) {
		problem(describing, 0, 0,
			"the program did not say `hello` within 10 s");
		return;
	}
	output_text(end->errors, &text);
	find_place(buf_text(&text), describing->def.file, &line, &column);
	message = find_message(buf_text(&text), end);
	problem(describing, line, column, message);
	free(message);
	buf_fini(&text);
}

static void
on_end(void *context, const struct program_end *end)
{
	struct describing *describing = context;

	if (json_type(describing->said) != JSON_OBJECT)
		tell_failure(describing, end);
	loop_stop(describing->loop);
}

static void
on_late(void *context)
{
	struct describing *describing = context;

	describing->late = true;
	program_stop(describing->program, STOP_FORCE);
}

/* ---- the start ---- */

/* What is known of it without running it. */
static int
read_file(struct describing *describing, const char *path, struct err *err)
{
	struct program_def *def = &describing->def;
	char real[PATH_MAX], checksum[SHA256_TEXT];
	const char *name;
	size_t max, len;
	char *text;

	if (realpath(path, real) == NULL)
		return err_errno(err, "%s", path);
	name = strrchr(path, '/');
	def->language = program_language_of(name != NULL ? name + 1 : path);
	if (def->language == PROGRAM_LANGUAGES)
		return err_set(err, ERR_INPUT,
			       "expected *.ts, *.js, *.mjs, *.py or an executable "
			       "*.workflow");
	if (def->language == PROGRAM_EXECUTABLE && access(real, X_OK) < 0)
		return err_set(err, ERR_INPUT, "the file is not executable");
	max = def->language == PROGRAM_EXECUTABLE ? PROGRAM_EXECUTABLE_MAX
						  : PROGRAM_FILE_MAX;
	text = launch_read_file(real, max, &len, err);
	if (text == NULL)
		return -1;
	def->file = xstrdup(real);
	def->checksum = xstrdup(sha256_text(text, len, checksum));
	if (def->language != PROGRAM_EXECUTABLE) {
		def->text = text;
		def->text_len = len;
	} else {
		free(text);
	}
	return 0;
}

static int
start(struct describing *describing, struct err *err)
{
	char *folder = xstrndup(
	    describing->def.file,
	    (size_t)(strrchr(describing->def.file, '/') - describing->def.file) + 1);
	struct program_spec spec = {
		.channel = true,
		.talk = &events,
		.talk_context = describing,
		.folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	int result = -1;

	free(folder);
	if (spec.folder < 0)
		return err_errno(err, "the folder of %s", describing->def.file);
	describing->program = program_new(&describing->attempt, err);
	if (describing->program != NULL &&
	    launch_prepare(&describing->launch, &describing->def, describing->settings,
			   describing->program, err) == 0) {
		pairs_add(&describing->launch.environment,
			  xstrdup("STEPMILL_DESCRIBE=1"));
		spec.argv = describing->launch.argv;
		spec.environment =
		    (const char *const *)describing->launch.environment.list;
		result =
		    program_start(describing->program, &spec, on_end, describing, err);
	}
	close(spec.folder);
	return result;
}

static void
tell_all(struct describing *describing)
{
	const struct program_def *def = &describing->def;
	struct json *answer = json_new_object();

	json_set(answer, "workflow", json_ref(describing->said));
	json_set(answer, "file", json_new_str(def->file));
	json_set(answer, "language",
		 json_new_str(program_language_name(def->language)));
	json_set(answer, "checksum", json_new_str(def->checksum));
	if (def->text != NULL)
		json_set(answer, "text", json_new_str_len(def->text, def->text_len));
	describing->answer = answer;
}

static int
ask(struct describing *describing, const char *path, struct err *err)
{
	struct programs_conf conf = { .loop = describing->loop,
				      .settings = describing->settings,
				      .environment = environ };

	if (read_file(describing, path, err) < 0)
		return -1;
	describing->services.programs = programs_new(&conf, err);
	if (describing->services.programs == NULL || start(describing, err) < 0)
		return -1;
	timer_set(describing->timer, DESCRIBE_WAIT_S * USEC_SECOND);
	loop_run(describing->loop);
	return 0;
}

static void
describing_fini(struct describing *describing)
{
	program_free(&describing->program);
	launch_fini(&describing->launch);
	programs_free(&describing->services.programs);
	timer_free(&describing->timer);
	loop_free(&describing->loop);
	free(describing->def.file);
	free(describing->def.checksum);
	free(describing->def.text);
	json_unref(&describing->said);
	json_unref(&describing->answer);
}

int
describe_file(const struct settings *settings, const char *path)
{
	struct describing describing = { .settings = settings };
	struct err err = { 0 };
	char *text;

	describing.loop = loop_new(&err);
	if (describing.loop == NULL)
		return EXIT_FAILURE;
	describing.timer = timer_new(describing.loop, on_late, &describing);
	describing.services = (struct services){ .loop = describing.loop,
						 .settings = settings,
						 .environment = environ };
	describing.step = (struct step_def){ .id = (char *)"", .name = (char *)"" };
	describing.attempt = (struct attempt){ .services = &describing.services,
					       .run_id = "",
					       .attempt = 1,
					       .def = &describing.step,
					       .idempotency_key = "",
					       .project_path = "" };
	if (ask(&describing, path, &err) < 0)
		problem(&describing, 0, 0, err.text);
	if (describing.answer == NULL)
		tell_all(&describing);
	text = json_text(describing.answer);
	puts(text);
	free(text);
	describing_fini(&describing);
	return EXIT_SUCCESS;
}
