/* Finds workflow files and keeps finding them. See discovery.h. */
#include "front/discovery.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "digest/digest.h"
#include "engine/program_manifest.h"
#include "engine/program_read.h"
#include "front/catalog.h"
#include "front/describe.h"

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
	struct texts files;  /* paths, in order */
	struct map *taken;   /* name -> path of the file it was registered from */
	struct texts names;  /* of files with errors: their last good version stays */
	struct texts broken; /* and their paths, as stored */
	size_t next;
	size_t registered;
	bool away;   /* PostgreSQL was: the scan is made again */
	bool unsure; /* not every folder was seen: nothing is taken for gone */
	bool again;  /* asked for meanwhile */
	bool done;   /* once, to the end */
	struct describe *describe; /* a program is asked what it is */
	struct map *described;     /* path -> what was known of it, struct described */
};

/* What a program said of itself: it is asked again when its file has changed. */
struct described {
	char checksum[SHA256_TEXT];
	char *manifest; /* NULL: it is none, */
	char *why;      /* and this is said of it */
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

static void
forget_scan(struct discovery *discovery)
{
	texts_clear(&discovery->files);
	texts_clear(&discovery->names);
	texts_clear(&discovery->broken);
	map_free(&discovery->taken, free);
}

/* ---- looking into folders ---- */

static bool
is_workflow_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot != NULL &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 ||
		program_language_of(name) != PROGRAM_LANGUAGES);
}

static const char *
file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
not_seen(struct discovery *discovery, const char *folder, const char *why)
{
	discovery->unsure = true;
	log_error("workflows.not_seen", F_STR("folder", folder), F_STR("why", why));
}

static void
look_into(struct discovery *discovery, const char *folder)
{
	DIR *dir = opendir(folder);
	int error = dir == NULL ? errno : 0;
	struct dirent *entry;
	char path[PATH_MAX];

	if (discovery->inotify >= 0)
		inotify_add_watch(discovery->inotify, folder,
				  IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO |
				      IN_ATTRIB | IN_DELETE | IN_ONLYDIR);
	if (dir == NULL) {
		if (error != ENOENT && error != ENOTDIR)
			not_seen(discovery, folder, strerror(error));
		return;
	}
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (!is_workflow_file(entry->d_name))
			continue;
		if (discovery->files.count == DISCOVERY_FILES_MAX) {
			not_seen(discovery, folder, "more than 10000 workflow files");
			break;
		}
		if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) <
		    (int)sizeof path)
			texts_add(&discovery->files, path);
	}
	if (entry == NULL && errno != 0)
		not_seen(discovery, folder, strerror(errno));
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

	forget_scan(discovery);
	discovery->taken = map_new();
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

/* Relative to the project where it lies in it. */
static const char *
shown_path(const struct discovery *discovery, const char *path)
{
	const char *project = discovery->front->settings->project_path;
	size_t len = strlen(project);

	return strncmp(path, project, len) == 0 && path[len] == '/' ? path + len + 1
								    : path;
}

/* A file that is there, but no workflow now. */
static void
keep_last_good(struct discovery *discovery, const char *path, const char *name)
{
	texts_add(&discovery->broken, shown_path(discovery, path));
	if (name != NULL)
		texts_add(&discovery->names, name);
}

static void
on_not_registered(struct discovery *discovery, const char *path, const struct err *err)
{
	if (err->kind == ERR_RETRY || err->kind == ERR_LOST) {
		discovery->away = true;
		log_warn("workflow.not_registered", F_STR("file", path),
			 F_STR("why", err->text));
	} else {
		keep_last_good(discovery, path, NULL);
		log_error("workflow.refused", F_STR("file", path),
			  F_STR("why", err->text));
	}
}

static void
on_registered(void *context, const struct registered *registered, const struct err *err)
{
	struct discovery *discovery = context;
	const char *path = discovery->files.list[discovery->next - 1];

	if (registered == NULL) {
		on_not_registered(discovery, path, err);
	} else {
		free(map_put(discovery->taken, registered->name,
			     strlen(registered->name), xstrdup(path)));
		discovery->registered++;
		if (registered->is_new)
			log_info("workflow.registered",
				 F_STR("workflow", registered->name),
				 F_INT("version", registered->version));
	}
	scan_next(discovery);
}

/* The name as far as it can be told, of a file with errors too. The caller's, or NULL.
 */
static char *
name_in(const char *text, size_t len)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(text, len, &problems);
	const struct doc *name = doc ? doc_get(doc, "name") : NULL;
	char *copy =
	    name != NULL && name->kind == DOC_SCALAR ? xstrdup(name->text) : NULL;

	doc_free(&doc);
	problems_fini(&problems);
	return copy;
}

/* Two files of one name would make a new version of each other at every look. */
static bool
is_taken(struct discovery *discovery, const char *path, const char *name)
{
	const char *other = name ? map_get(discovery->taken, name, strlen(name)) : NULL;
	char *why;

	if (other == NULL)
		return false;
	why = xprintf("the name \"%s\" is taken by %s", name, other);
	log_error("workflow.refused", F_STR("file", path), F_STR("why", why));
	free(why);
	return true;
}

static void
log_problems(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		char *line = problem_text(problems, i);

		log_error("workflow.refused", F_STR("why", line));
		free(line);
	}
}

static bool
register_text(struct discovery *discovery, const char *path, const char *text,
	      size_t len)
{
	struct problems problems = { .file = (char *)path };
	char *name = name_in(text, len);
	int result = -1;

	if (is_taken(discovery, path, name)) {
		free(name);
		return false;
	}
	result = catalog_register(discovery->front->catalog, discovery->front->write,
				  NULL, text, len, shown_path(discovery, path),
				  &problems, on_registered, discovery);
	log_problems(&problems);
	if (result < 0)
		keep_last_good(discovery, path, name);
	problems.file = NULL;
	problems_fini(&problems);
	free(name);
	return result == 0;
}

/* ---- programs ---- */

static void
described_free(void *value)
{
	struct described *described = value;

	if (described != NULL) {
		free(described->manifest);
		free(described->why);
	}
	free(described);
}

/* Of the file as it is; false: it cannot be read. */
static bool
checksum_of(const char *path, char checksum[static SHA256_TEXT])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct sha256 *hash;
	unsigned char sum[SHA256_BYTES];
	char piece[64 * 1024];
	int64_t size = 0;
	ssize_t got;

	if (fd < 0)
		return false;
	hash = sha256_new();
	while ((got = read(fd, piece, sizeof piece)) > 0 &&
	       (size += got) <= PROGRAM_EXECUTABLE_MAX)
		sha256_add(hash, piece, (size_t)got);
	close(fd);
	sha256_end(&hash, sum);
	digest_hex(sum, sizeof sum, checksum);
	return got == 0;
}

/* True: on_registered comes. */
static bool
register_program(struct discovery *discovery, const char *path, const char *manifest)
{
	struct problems problems = { .file = (char *)path };
	char *name = name_in(manifest, strlen(manifest));
	int result = -1;

	if (!is_taken(discovery, path, name)) {
		result = catalog_register_program(
		    discovery->front->catalog, discovery->front->write, manifest,
		    shown_path(discovery, path), &problems, on_registered, discovery);
		/* The places are those of the tree that was made of it. */
		for (size_t i = 0; i < problems.count; i++)
			problems.list[i].line = problems.list[i].column = 0;
		log_problems(&problems);
		if (result < 0)
			keep_last_good(discovery, path, name);
	}
	problems.file = NULL;
	problems_fini(&problems);
	free(name);
	return result == 0;
}

static void
on_described(void *context, const char *manifest, const struct problems *problems)
{
	struct discovery *discovery = context;
	const char *path = discovery->files.list[discovery->next - 1];
	struct described *described;
	bool asked = false;

	described = xcalloc(1, sizeof *described);
	described->manifest = xstrdup(manifest);
	if (manifest == NULL)
		described->why = problem_text(problems, 0);
	if (checksum_of(path, described->checksum))
		described_free(
		    map_put(discovery->described, path, strlen(path), described));
	else
		described_free(described);
	if (manifest == NULL) {
		log_problems(problems);
		keep_last_good(discovery, path, NULL);
	} else {
		asked = register_program(discovery, path, manifest);
	}
	describe_free(&discovery->describe);
	if (!asked)
		scan_next(discovery);
}

static bool
ask_program(struct discovery *discovery, const char *path)
{
	const struct described *known =
	    map_get(discovery->described, path, strlen(path));
	char checksum[SHA256_TEXT];

	if (program_language_of(file_name(path)) == PROGRAM_EXECUTABLE &&
	    access(path, X_OK) < 0) {
		log_error("workflow.refused", F_STR("file", path),
			  F_STR("why", "the file is not executable"));
		keep_last_good(discovery, path, NULL);
		return false;
	}
	if (known != NULL && checksum_of(path, checksum) &&
	    strcmp(checksum, known->checksum) == 0) {
		if (known->manifest != NULL)
			return register_program(discovery, path, known->manifest);
		log_error("workflow.refused", F_STR("why", known->why));
		keep_last_good(discovery, path, NULL);
		return false;
	}
	discovery->describe =
	    describe_new(discovery->front->loop, discovery->front->settings, path,
			 on_described, discovery);
	return true;
}

static bool
register_file(struct discovery *discovery, const char *path)
{
	struct err err = { 0 };
	size_t len = 0;
	char *text;
	bool asked;

	if (program_language_of(file_name(path)) != PROGRAM_LANGUAGES)
		return ask_program(discovery, path);
	text = read_file(path, &len, &err);

	if (text == NULL) {
		log_error("workflow.refused", F_STR("file", path),
			  F_STR("why", err.text));
		keep_last_good(discovery, path, NULL);
		return false;
	}
	asked = register_text(discovery, path, text, len);
	free(text);
	return asked;
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

/* Begins an array; the caller ends it. */
static void
arg_texts(struct pg_args *args, const struct texts *texts)
{
	pg_array_begin(args, PG_TEXT);
	for (size_t i = 0; i < texts->count; i++)
		pg_arg_text(args, texts->list[i]);
}

static void
arg_names(const struct discovery *discovery, struct pg_args *args)
{
	size_t cursor = 0, len;
	const void *name;
	void *path;

	arg_texts(args, &discovery->names);
	while (map_next(discovery->taken, &cursor, &name, &len, &path))
		pg_arg_text_len(args, name, len);
	pg_array_end(args);
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
	arg_names(discovery, &args);
	pg_arg_uuid(&args, NULL);
	arg_texts(&args, &discovery->broken);
	pg_array_end(&args);
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

/* Asked for by a person, perhaps because what programs import has changed. */
void
discovery_scan(struct discovery *discovery)
{
	map_free(&discovery->described, described_free);
	discovery->described = map_new();
	timer_set(discovery->timer, 0);
}

/* Runs make files in the project's folder all the time. */
static bool
matters(const struct inotify_event *event)
{
	static const char *const folders[] = { ".agent", "workflows", "templates" };

	if (event->len == 0 || is_workflow_file(event->name))
		return true;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (strcmp(event->name, folders[i]) == 0)
			return true;
	return false;
}

static void
on_inotify(void *context, unsigned ready)
{
	struct discovery *discovery = context;
	alignas(struct inotify_event) char events[16384];
	bool changed = false;
	ssize_t len;

	(void)ready;
	while ((len = read(discovery->inotify, events, sizeof events)) > 0)
		for (char *at = events; at < events + len;) {
			const struct inotify_event *event = (void *)at;

			changed |= matters(event);
			at += sizeof *event + event->len;
		}
	/* Not put off by what comes next: that is looked at after. */
	if (changed && !timer_is_set(discovery->timer))
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
	describe_free(&discovery->describe);
	forget_scan(discovery);
	map_free(&discovery->described, described_free);
	free(discovery);
	*discovery_p = NULL;
}
