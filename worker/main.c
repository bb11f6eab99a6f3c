/* stepmill-worker: claims steps and executes them. Configuration, order of start, end.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conf/settings.h"
#include "loop/parent.h"
#include "recorded/describe.h"
#include "worker.h"

struct options {
	const char *config, *describe;
	struct uuid id;
	bool has_id, check;
};

static void
usage(FILE *out)
{
	fputs("usage: stepmill-worker [--config FILE] [--id UUID] [--check]\n"
	      "\n"
	      "Takes steps from PostgreSQL and executes them. Usually started by\n"
	      "stepmill-supervisor; runs alone on hosts that only work.\n"
	      "\n"
	      "  --config FILE  configuration (default: $STEPMILL_CONFIG, "
	      "./stepmill.yaml)\n"
	      "  --id UUID      the id of this process in the database (default: a new "
	      "one)\n"
	      "  --describe FILE  ask a workflow program what it is; print that as "
	      "JSON\n"
	      "  --check        read the configuration, report every error, exit\n"
	      "  --version      print the version\n"
	      "  --help         print this\n",
	      out);
}

/* Returns -1 to go on, or the exit status. (conf's struct option and getopt's share a
 * name, so the few words are read by hand.) */
static int
read_options(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--help") == 0) {
			usage(stdout);
			return EXIT_SUCCESS;
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("stepmill-worker " STEPMILL_VERSION);
			return EXIT_SUCCESS;
		} else if (strcmp(argv[i], "--check") == 0) {
			options->check = true;
		} else if (strcmp(argv[i], "--config") == 0 && value != NULL) {
			options->config = argv[++i];
		} else if (strcmp(argv[i], "--describe") == 0 && value != NULL) {
			options->describe = argv[++i];
		} else if (strcmp(argv[i], "--id") == 0 && value != NULL &&
			   uuid_parse(value, strlen(value), &options->id)) {
			options->has_id = true;
			i++;
		} else {
			fprintf(stderr, "stepmill-worker: %s: not understood\n",
				argv[i]);
			usage(stderr);
			return EXIT_CONFIG;
		}
	}
	return -1;
}

static void
open_log(const struct settings *settings)
{
	enum log_level level = LOG_INFO;

	log_level_parse(settings->log_level, &level);
	log_open("worker", level,
		 strcmp(settings->log_format, "text") == 0 ? LOG_TEXT : LOG_JSON);
}

int
main(int argc, char **argv)
{
	struct err err = { 0 };
	struct options options = { 0 };
	struct settings *settings = NULL;
	struct loop *loop = NULL;
	struct worker *worker = NULL;
	char *report = NULL;
	int status = read_options(argc, argv, &options);

	if (status >= 0)
		return status;
	status = EXIT_CONFIG;
	settings = settings_load(options.config, &report);
	if (settings == NULL || options.check) {
		fputs(report != NULL ? report : "", stderr);
		status = settings == NULL ? EXIT_CONFIG : EXIT_SUCCESS;
		goto out;
	}
	if (options.describe != NULL) {
		log_open("worker", LOG_ERROR, LOG_TEXT);
		status = describe_file(settings, options.describe);
		goto out;
	}
	open_log(settings);
	if (getenv("STEPMILL_PARENT") != NULL)
		signal(SIGINT, SIG_IGN); /* the parent's business */
	if (settings_name_servers(settings, &err) < 0)
		goto out;
	loop = loop_new(&err);
	if (loop == NULL)
		goto out;
	worker = worker_new(loop, settings, options.has_id ? &options.id : NULL, &err);
	if (worker == NULL)
		goto out;
	loop_run(loop); /* until drained, declared dead, or the end of the parent */
	status = worker->exit_status;
out:
	if (err.kind != ERR_NONE)
		log_error("worker.stopped", F_STR("why", err.text));
	worker_free(&worker);
	loop_free(&loop);
	settings_free(&settings);
	free(report);
	return status;
}
