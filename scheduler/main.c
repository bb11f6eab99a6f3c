/* stepmill-scheduler: what time brings. Configuration, order of start and stop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conf/settings.h"
#include "loop/parent.h"
#include "scheduler.h"
#include "store/migrate.h"

struct choices {
	const char *config;
	bool check, help, version;
};

static const char usage[] =
    "usage: stepmill-scheduler [--config FILE] [--check]\n"
    "\n"
    "Fires timers and takes up what was interrupted. Any number may run: one leads,\n"
    "the others stand by.\n"
    "\n"
    "  --config FILE  the configuration; else $STEPMILL_CONFIG, else ./stepmill.yaml\n"
    "  --check        read the configuration, say what is wrong with it, and exit\n"
    "  --help         print this, and exit\n"
    "  --version      print the version, and exit\n"
    "\n"
    "Signals: TERM ends it in order, HUP reads the configuration again.\n";

/* -1: something is not understood, and that was said. */
static int
read_choices(int argc, char **argv, struct choices *choices)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			choices->config = argv[++i];
		} else if (strcmp(argv[i], "--check") == 0) {
			choices->check = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			choices->help = true;
		} else if (strcmp(argv[i], "--version") == 0) {
			choices->version = true;
		} else {
			fprintf(stderr, "stepmill-scheduler: %s is not understood\n%s",
				argv[i], usage);
			return -1;
		}
	}
	return 0;
}

static void
set_log(const struct settings *settings)
{
	enum log_level level = LOG_INFO;
	bool text = strcmp(settings->log_format, "text") == 0;

	log_level_parse(settings->log_level, &level);
	log_open("scheduler", level, text ? LOG_TEXT : LOG_JSON);
}

/* A database that cannot be reached now may be later; one of another version is for a
 * person. */
static int
exit_code(const struct err *err)
{
	return err->kind == ERR_RETRY || err->kind == ERR_LOST ? EXIT_TRY_AGAIN
							       : EXIT_CONFIG;
}

static int
run(const struct settings *settings)
{
	struct err err = { 0 };
	struct loop *loop = NULL;
	struct scheduler *scheduler = NULL;
	int status = EXIT_FAILURE;

	set_log(settings);
	if (settings_name_servers(settings, &err) < 0 ||
	    migrate_check(settings->database_url, &err) < 0) {
		status = exit_code(&err);
		goto out;
	}
	loop = loop_new(&err);
	if (loop == NULL)
		goto out;
	scheduler = scheduler_new(loop, settings, &err);
	if (scheduler == NULL) {
		status = EXIT_CONFIG;
		goto out;
	}
	loop_run(loop); /* until asked to stop, or the parent is gone */
	status = EXIT_SUCCESS;
out:
	if (err.kind != ERR_NONE)
		log_error("scheduler.stopped", F_STR("why", err.text));
	scheduler_free(&scheduler);
	loop_free(&loop);
	return status;
}

int
main(int argc, char **argv)
{
	struct choices choices = { 0 };
	struct settings *settings;
	char *report = NULL;
	int status = EXIT_SUCCESS;

	if (read_choices(argc, argv, &choices) < 0)
		return EXIT_CONFIG;
	if (choices.help || choices.version) {
		fputs(choices.help ? usage
				   : "stepmill-scheduler " STEPMILL_VERSION "\n",
		      stdout);
		return EXIT_SUCCESS;
	}
	settings = settings_load(choices.config, &report);
	if (settings == NULL) {
		fprintf(stderr, "%s\n", report);
		free(report);
		return EXIT_CONFIG;
	}
	if (!choices.check)
		status = run(settings);
	settings_free(&settings);
	return status;
}
