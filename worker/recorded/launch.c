/* From a definition to a command. See launch.h. */
#include "recorded/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "digest/digest.h"
#include "engine/program_manifest.h"

#define READ_PIECE (64 * 1024)

/* Types are stripped by node where it can, else by esbuild, which makes one file of the
 * program and what it imports. $1 the file, $2 words for node, or nothing. */
static const char typescript_shim[] =
    "file=$1 register=$2\n"
    "can=$(node -p 'process.features.typescript ? \"yes\" :"
    " process.allowedNodeEnvironmentFlags.has(\"--experimental-strip-types\")"
    " ? \"flag\" : \"no\"')\n"
    "if [ \"$can\" = yes ]; then\n"
    "	exec node ${register:+--import \"$register\"} \"$file\"\n"
    "elif [ \"$can\" = flag ]; then\n"
    "	exec node --no-warnings --experimental-strip-types"
    " ${register:+--import \"$register\"} \"$file\"\n"
    "elif ! command -v esbuild >/dev/null; then\n"
    "	echo \"$file: this node cannot run TypeScript, and esbuild is not installed;"
    " on Debian: apt-get install esbuild\" >&2\n"
    "	exit 127\n"
    "fi\n"
    "out=$TMPDIR/${file##*/}.mjs\n"
    "esbuild \"$file\" --bundle --platform=node --format=esm --external:stepmill"
    " --log-level=warning --sourcemap=inline --outfile=\"$out\" || exit 1\n"
    "exec node --enable-source-maps ${register:+--import \"$register\"} \"$out\"\n";

void
launch_fini(struct launch *launch)
{
	if (launch->copy != NULL)
		unlink(launch->copy);
	free(launch->copy);
	free(launch->path);
	for (size_t i = 0; i < sizeof launch->words / sizeof launch->words[0]; i++)
		free(launch->words[i]);
	pairs_fini(&launch->environment);
	*launch = (struct launch){ 0 };
}

/* ---- files ---- */

char *
launch_read_file(const char *path, size_t max, size_t *len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct buf text = { 0 };
	struct stat st;
	ssize_t got = 0;

	if (fd < 0) {
		err_errno(err, "%s", path);
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size > max) {
		close(fd);
		err_set(err, ERR_LIMIT, "%s: not a file of at most %zu KiB", path,
			max / 1024);
		return NULL;
	}
	while (text.len <= max &&
	       (got = read(fd, buf_reserve(&text, READ_PIECE), READ_PIECE)) > 0)
		buf_grow(&text, (size_t)got);
	close(fd);
	if (got < 0) {
		err_errno(err, "%s", path);
		buf_fini(&text);
		return NULL;
	}
	*len = text.len;
	buf_char(&text, '\0');
	return buf_take(&text);
}

static bool
is_unchanged(const struct program_def *def)
{
	char checksum[SHA256_TEXT];
	struct err err = { 0 };
	size_t len;
	char *text = launch_read_file(def->file,
				      def->language == PROGRAM_EXECUTABLE
					  ? PROGRAM_EXECUTABLE_MAX
					  : PROGRAM_FILE_MAX,
				      &len, &err);
	bool same;

	if (text == NULL)
		return false;
	same = strcmp(sha256_text(text, len, checksum), def->checksum) == 0;
	free(text);
	return same;
}

/* ".release.7f3a90c1-4217-1.ts" beside the file: what it imports is found from there.
 * No workflow is looked for under such a name. */
static char *
copy_path(const struct program_def *def)
{
	static unsigned long counter;
	const char *slash = strrchr(def->file, '/');
	const char *dot = strrchr(slash, '.');

	return xprintf("%.*s/.%.*s.%.8s-%d-%lu%s", (int)(slash - def->file), def->file,
		       (int)(dot - slash - 1), slash + 1, def->checksum, (int)getpid(),
		       ++counter, dot);
}

static bool
write_copy(const struct program_def *def, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	bool good = fd >= 0;

	for (size_t at = 0; good && at < def->text_len;) {
		ssize_t wrote = write(fd, def->text + at, def->text_len - at);

		good = wrote > 0;
		at += good ? (size_t)wrote : 0;
	}
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !good)
		unlink(path);
	return good;
}

static int
place_text(struct launch *launch, const struct program_def *def,
	   struct program *program, struct err *err)
{
	char *beside = copy_path(def);

	if (write_copy(def, beside)) {
		launch->path = xstrdup(beside);
		launch->copy = beside;
		return 0;
	}
	free(beside);
	launch->path = program_put(program, strrchr(def->file, '/') + 1, def->text,
				   def->text_len, err);
	return launch->path != NULL ? 0 : -1;
}

static int
choose_file(struct launch *launch, const struct program_def *def,
	    struct program *program, struct err *err)
{
	if (is_unchanged(def)) {
		launch->path = xstrdup(def->file);
		return 0;
	}
	if (def->text != NULL)
		return place_text(launch, def, program, err);
	return err_set(err, ERR_CONFLICT,
		       "%s is not what it was when this run began; an executable "
		       "cannot be kept, put that version back or start a new run",
		       def->file);
}

/* ---- the SDK ---- */

/* Where it is installed, or in the source tree beside the build. The caller's. */
static char *
sdk_folder(const struct settings *settings)
{
	static const char *const places[] = { "/../share/stepmill/sdk",
					      "/../../../sdk" };
	char self[PATH_MAX], path[PATH_MAX + 32];
	ssize_t len;

	if (settings->sdk_path != NULL && settings->sdk_path[0] != '\0')
		return xstrdup(settings->sdk_path);
	len = readlink("/proc/self/exe", self, sizeof self - 1);
	self[len > 0 ? len : 0] = '\0';
	if (strrchr(self, '/') != NULL)
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		snprintf(path, sizeof path, "%s%s", self, places[i]);
		if (access(path, X_OK) == 0)
			return realpath(path, NULL);
	}
	return NULL;
}

/* `import ... from "stepmill"` is resolved by it. NULL: there is none. */
static char *
register_url(const char *sdk)
{
	char *path, *url = NULL;

	if (sdk == NULL)
		return NULL;
	path = xprintf("%s/javascript/register.mjs", sdk);
	if (access(path, R_OK) == 0)
		url = xprintf("file://%s", path);
	free(path);
	return url;
}

/* ---- the command ---- */

static void
add_word(struct launch *launch, char *word)
{
	size_t i = 0;

	while (launch->words[i] != NULL)
		i++;
	launch->words[i] = word;
	launch->argv[i] = word;
}

static int
say_javascript(struct launch *launch, const char *sdk)
{
	char *url = register_url(sdk);

	add_word(launch, xstrdup("node"));
	if (url != NULL) {
		add_word(launch, xstrdup("--import"));
		add_word(launch, url);
	}
	add_word(launch, xstrdup(launch->path));
	return 0;
}

static int
say_typescript(struct launch *launch, const char *sdk, struct program *program,
	       struct err *err)
{
	char *shim = program_put(program, "typescript", typescript_shim,
				 sizeof typescript_shim - 1, err);
	char *url;

	if (shim == NULL)
		return -1;
	url = register_url(sdk);
	add_word(launch, xstrdup("/bin/sh"));
	add_word(launch, shim);
	add_word(launch, xstrdup(launch->path));
	add_word(launch, url != NULL ? url : xstrdup(""));
	return 0;
}

static int
say_python(struct launch *launch, const char *sdk)
{
	add_word(launch, xstrdup("python3"));
	add_word(launch, xstrdup(launch->path));
	if (sdk != NULL)
		pairs_add(&launch->environment, xprintf("PYTHONPATH=%s/python", sdk));
	/* No folder for compiled files appears beside the workflows. */
	pairs_add(&launch->environment, xstrdup("PYTHONDONTWRITEBYTECODE=1"));
	return 0;
}

int
launch_prepare(struct launch *launch, const struct program_def *def,
	       const struct settings *settings, struct program *program,
	       struct err *err)
{
	char *sdk;
	int result = 0;

	*launch = (struct launch){ 0 };
	if (choose_file(launch, def, program, err) < 0)
		return -1;
	sdk = sdk_folder(settings);
	if (def->language == PROGRAM_JAVASCRIPT)
		result = say_javascript(launch, sdk);
	else if (def->language == PROGRAM_TYPESCRIPT)
		result = say_typescript(launch, sdk, program, err);
	else if (def->language == PROGRAM_PYTHON)
		result = say_python(launch, sdk);
	else
		add_word(launch, xstrdup(launch->path));
	free(sdk);
	return result;
}
