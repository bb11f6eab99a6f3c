/* Finds workflow files and keeps finding them. See discovery.h. */
#include "front/discovery.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "front/catalog.h"

#define DEBOUNCE  (200 * USEC_MS)
#define AGAIN     USEC_SECOND /* when PostgreSQL was away */
#define TEMPLATES ".agent/workflows/templates"

struct discovery {
	struct front *front;
	struct timer *timer;
	struct watch *watch;
	int inotify;
	/* of the scan under way */
	bool scanning;
	struct texts files; /* paths, in order */
	struct texts names; /* of what was registered, or has errors now */
	size_t next;
	size_t registered;
	bool away;   /* PostgreSQL was: the scan is made again */
	bool unsure; /* a file's name cannot be told: nothing is taken for gone */
	bool again;  /* asked for meanwhile */
	bool done;   /* once, to the end */
};

static void
texts_add(struct texts *texts, const char *text)
{
	texts->list = xrealloc(texts->list, texts->count + 1, sizeof *texts->list);
	texts->list[texts->count++] = xstrdup(text);
}

static void
texts_clear(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->list[i]);
	free(texts->list);
	*texts = (struct texts){ 0 };
}

/* ---- looking into folders ---- */

static bool
is_workflow_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot != NULL &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
look_into(struct discovery *discovery, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[PATH_MAX];

	if (discovery->inotify >= 0)
		inotify_add_watch(discovery->inotify, folder,
				  IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO |
				      IN_DELETE | IN_ONLYDIR);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL &&
	       discovery->files.count < DISCOVERY_FILES_MAX) {
		if (!is_workflow_file(entry->d_name))
			continue;
		if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) <
		    (int)sizeof path)
			texts_add(&discovery->files, path);
	}
	closedir(dir);
}

/* The folder may come later: then its nearest parent within the project is watched. */
static void
watch_parents(struct discovery *discovery, const char *project)
{
	static const char *const parents[] = { "", ".agent", ".agent/workflows" };
	char path[PATH_MAX];

	for (size_t i = 0; discovery->inotify >= 0 && i < 3; i++)
		if (snprintf(path, sizeof path, "%s/%s", project, parents[i]) <
		    (int)sizeof path)
			inotify_add_watch(discovery->inotify, path,
					  IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

static void
find_files(struct discovery *discovery)
{
	const struct settings *settings = discovery->front->settings;
	char path[PATH_MAX];

	texts_clear(&discovery->files);
	texts_clear(&discovery->names);
	watch_parents(discovery, settings->project_path);
	if (snprintf(path, sizeof path, "%s/" TEMPLATES, settings->project_path) <
	    (int)sizeof path)
		look_into(discovery, path);
	for (size_t i = 0; i < settings->workflow_paths.count; i++)
		look_into(discovery, settings->workflow_paths.list[i]);
	if (discovery->files.count > 0)
		qsort(discovery->files.list, discovery->files.count,
		      sizeof *discovery->files.list, by_text);
}

/* ---- registering, one after the other ---- */

static char *
read_file(const char *path, size_t *len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text = NULL;
	ssize_t got;

	if (fd < 0) {
		err_errno(err, "cannot be read");
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > YAML_BYTES_MAX) {
		err_set(err, ERR_LIMIT, "not a file of at most 256 KiB");
	} else {
		text = xmalloc((size_t)st.st_size + 1);
		got = read(fd, text, (size_t)st.st_size);
		*len = got < 0 ? 0 : (size_t)got;
	}
	close(fd);
	return text;
}

static void scan_next(struct discovery *discovery);

static void
on_registered(void *context, const struct registered *registered, const struct err *err)
{
	struct discovery *discovery = context;

	if (registered == NULL) {
		discovery->away = true;
		log_warn("workflow.not_registered",
			 F_STR("file", discovery->files.list[discovery->next - 1]),
			 F_STR("why", err->text));
	} else {
		texts_add(&discovery->names, registered->name);
		discovery->registered++;
		if (registered->is_new)
			log_info("workflow.registered",
				 F_STR("workflow", registered->name),
				 F_INT("version", registered->version));
	}
	scan_next(discovery);
}

/* The name of a file with errors, as far as it can be told: its last good version must
 * not be taken for gone. */
static void
keep_last_good(struct discovery *discovery, const char *text, size_t len)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(text, len, &problems);
	const struct doc *name = doc ? doc_get(doc, "name") : NULL;

	if (name != NULL && name->kind == DOC_SCALAR)
		texts_add(&discovery->names, name->text);
	else
		discovery->unsure = true;
	doc_free(&doc);
	problems_fini(&problems);
}

/* Relative to the project where it lies in it. */
static const char *
shown_path(const struct discovery *discovery, const char *path)
{
	const char *project = discovery->front->settings->project_path;
	size_t len = strlen(project);

	return strncmp(path, project, len) == 0 && path[len] == '/' ? path + len + 1
								    : path;
}

static bool
register_file(struct discovery *discovery, const char *path)
{
	struct problems problems = { .file = (char *)path };
	struct err err = { 0 };
	size_t len;
	char *text = read_file(path, &len, &err);
	int result = -1;

	if (text == NULL) {
		log_error("workflow.refused", F_STR("file", path),
			  F_STR("why", err.text));
		return false;
	}
	result = catalog_register(discovery->front->catalog, NULL, text, len,
				  shown_path(discovery, path), &problems, on_registered,
				  discovery);
	for (size_t i = 0; i < problems.count; i++) {
		char *line = problem_text(&problems, i);

		log_error("workflow.refused", F_STR("why", line));
		free(line);
	}
	if (result < 0)
		keep_last_good(discovery, text, len);
	problems.file = NULL;
	problems_fini(&problems);
	free(text);
	return result == 0;
}

static void
on_absent(void *context, const struct pg_rows *rows, const struct err *err)
{
	(void)context, (void)err;
	for (int i = 0; rows != NULL && i < pg_count(rows); i++)
		log_info("workflow.deactivated",
			 F_STR("workflow", pg_text(rows, i, 0, NULL)),
			 F_STR("why", "its file went away"));
}

static void
scan_end(struct discovery *discovery)
{
	char text[64];
	struct pg_args args;

	snprintf(text, sizeof text, "Discovered %zu workflows", discovery->registered);
	log_info("workflows.discovered", F_INT("count", discovery->registered),
		 F_STR("message", text));
	discovery->scanning = false;
	if (discovery->away || discovery->again) {
		timer_set(discovery->timer, discovery->again ? DEBOUNCE : AGAIN);
		discovery->again = false;
	}
	discovery->done |= !discovery->away;
	if (discovery->away || discovery->unsure)
		return;
	pg_args_init(&args);
	pg_array_begin(&args, PG_TEXT);
	for (size_t i = 0; i < discovery->names.count; i++)
		pg_arg_text(&args, discovery->names.list[i]);
	pg_array_end(&args);
	pg_arg_uuid(&args, NULL);
	pg_query(discovery->front->write, "definitions_absent", &args, on_absent,
		 discovery);
	pg_args_fini(&args);
}

static void
scan_next(struct discovery *discovery)
{
	while (discovery->next < discovery->files.count)
		if (register_file(discovery, discovery->files.list[discovery->next++]))
			return; /* goes on in on_registered */
	scan_end(discovery);
}

static void
on_timer(void *context)
{
	struct discovery *discovery = context;

	if (discovery->scanning) {
		discovery->again = true;
		return;
	}
	if (!pg_is_up(discovery->front->write)) {
		timer_set(discovery->timer, DEBOUNCE);
		return;
	}
	discovery->scanning = true;
	discovery->away = discovery->unsure = false;
	discovery->next = discovery->registered = 0;
	find_files(discovery);
	scan_next(discovery);
}

bool
discovery_is_done(const struct discovery *discovery)
{
	return discovery->done;
}

void
discovery_scan(struct discovery *discovery)
{
	timer_set(discovery->timer, 0);
}

static void
on_inotify(void *context, unsigned ready)
{
	struct discovery *discovery = context;
	char events[16384];

	(void)ready;
	while (read(discovery->inotify, events, sizeof events) > 0)
		;
	timer_set(discovery->timer, DEBOUNCE);
}

struct discovery *
discovery_new(struct front *front)
{
	struct discovery *discovery = xcalloc(1, sizeof *discovery);

	discovery->front = front;
	discovery->timer = timer_new(front->loop, on_timer, discovery);
	discovery->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (discovery->inotify >= 0)
		discovery->watch = watch_new(front->loop, discovery->inotify,
					     WATCH_READ, on_inotify, discovery);
	discovery_scan(discovery);
	return discovery;
}

void
discovery_free(struct discovery **discovery_p)
{
	struct discovery *discovery = *discovery_p;

	if (discovery == NULL)
		return;
	watch_free(&discovery->watch);
	if (discovery->inotify >= 0)
		close(discovery->inotify);
	timer_free(&discovery->timer);
	texts_clear(&discovery->files);
	texts_clear(&discovery->names);
	free(discovery);
	*discovery_p = NULL;
}
