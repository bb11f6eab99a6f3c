/*
 * git's output for programs: fields and lines that end with NUL, so that no name in a
 * repository can look like another field.
 */
#include "tools/git_core.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"

#define VALUE_MAX 4000

/* A field up to its NUL; false at the end or when the NUL is missing. */
static bool
next_field(const char **text, size_t *len, const char **field, size_t *field_len)
{
	const char *end = *len > 0 ? memchr(*text, '\0', *len) : NULL;

	if (end == NULL)
		return false;
	*field = *text;
	*field_len = (size_t)(end - *text);
	*len -= *field_len + 1;
	*text = end + 1;
	return true;
}

/* git stores bytes; JSON wants characters. */
static struct json *
text_json(const char *text, size_t len)
{
	struct buf repaired = { 0 };
	struct json *json;

	utf8_repair(text, len, &repaired);
	json = json_new_str_len(buf_text(&repaired), repaired.len);
	buf_fini(&repaired);
	return json;
}

static struct json *
misread(struct json **json_p, const char *what, struct err *err)
{
	json_unref(json_p);
	err_set(err, ERR_INPUT, "the output of git %s is not understood", what);
	return NULL;
}

/* ---- log ---- */

struct json *
git_read_log(const char *text, size_t len, struct err *err)
{
	static const char *const names[] = { "sha",  "author",  "email",
					     "date", "subject", "body" };
	struct json *list = json_new_array();

	while (len > 0) {
		struct json *commit = json_new_object();

		json_append(list, commit);
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			const char *field;
			size_t field_len;

			if (!next_field(&text, &len, &field, &field_len))
				return misread(&list, "log", err);
			while (i == 5 && field_len > 0 && field[field_len - 1] == '\n')
				field_len--; /* the end of a body */
			json_set(commit, names[i], text_json(field, field_len));
		}
		if (len == 0 || *text != '\n')
			return misread(&list, "log", err);
		text++;
		len--;
	}
	return list;
}

/* ---- status ---- */

/* The words of a change by git's letter for it. */
static const char *
word_of(char letter)
{
	static const char letters[] = "ADRCTM";
	static const char *const words[] = { "added",  "deleted",     "renamed",
					     "copied", "typechanged", "modified" };
	const char *found = letter != '\0' ? strchr(letters, letter) : NULL;

	return found != NULL ? words[found - letters] : "modified";
}

/* Skips so many fields that end with a space; NULL when there are fewer. */
static const char *
skip_words(const char *line, size_t len, int count, size_t *rest)
{
	const char *end = line + len;

	for (; count > 0; count--) {
		line = memchr(line, ' ', (size_t)(end - line));
		if (line == NULL)
			return NULL;
		line++;
	}
	*rest = (size_t)(end - line);
	return *rest > 0 ? line : NULL;
}

struct status {
	struct json *all, *files, *staged, *modified, *untracked;
};

static void
add_file(struct status *status, const char *path, size_t len, const char *word)
{
	struct json *file = json_new_object();

	json_set(file, "path", text_json(path, len));
	json_set(file, "status", json_new_str(word));
	json_append(status->files, file);
}

/* "1 XY ..." and "2 XY ...": X is staged, Y is in the working tree. */
static bool
add_change(struct status *status, const char *line, size_t len)
{
	size_t path_len;
	const char *path = skip_words(line, len, line[0] == '2' ? 9 : 8, &path_len);
	char x, y;

	if (path == NULL || len < 4)
		return false;
	x = line[2];
	y = line[3];
	add_file(status, path, path_len, word_of(x != '.' ? x : y));
	if (x != '.')
		json_append(status->staged, text_json(path, path_len));
	if (y != '.')
		json_append(status->modified, text_json(path, path_len));
	return true;
}

static bool
add_conflict(struct status *status, const char *line, size_t len)
{
	size_t path_len;
	const char *path = skip_words(line, len, 10, &path_len);

	if (path == NULL)
		return false;
	add_file(status, path, path_len, "conflicted");
	json_append(status->modified, text_json(path, path_len));
	return true;
}

static bool
add_untracked(struct status *status, const char *line, size_t len)
{
	size_t path_len;
	const char *path = skip_words(line, len, 1, &path_len);

	if (path == NULL)
		return false;
	add_file(status, path, path_len, "untracked");
	json_append(status->untracked, text_json(path, path_len));
	return true;
}

static bool
add_header(struct status *status, const char *line, size_t len)
{
	static const char head[] = "# branch.head ";
	size_t skip = sizeof head - 1;

	if (len > skip && strncmp(line, head, skip) == 0 &&
	    strcmp(line + skip, "(detached)") != 0)
		json_set(status->all, "branch", text_json(line + skip, len - skip));
	return true;
}

static const struct {
	char first;
	bool (*add)(struct status *status, const char *line, size_t len);
	bool two; /* the former path follows */
} status_lines[] = {
	{ '#', add_header, false },    { '1', add_change, false },
	{ '2', add_change, true },     { 'u', add_conflict, false },
	{ '?', add_untracked, false },
};

static bool
add_status_line(struct status *status, const char **text, size_t *len)
{
	const char *line, *former;
	size_t line_len, former_len;

	if (!next_field(text, len, &line, &line_len) || line_len == 0)
		return false;
	for (size_t i = 0; i < sizeof status_lines / sizeof status_lines[0]; i++)
		if (line[0] == status_lines[i].first)
			return status_lines[i].add(status, line, line_len) &&
			       (!status_lines[i].two ||
				next_field(text, len, &former, &former_len));
	return false;
}

struct json *
git_read_status(const char *text, size_t len, struct err *err)
{
	struct status status = { json_new_object(), json_new_array(), json_new_array(),
				 json_new_array(), json_new_array() };

	json_set(status.all, "branch", NULL);
	json_set(status.all, "clean", NULL); /* its place */
	json_set(status.all, "files", status.files);
	json_set(status.all, "staged", status.staged);
	json_set(status.all, "modified", status.modified);
	json_set(status.all, "untracked", status.untracked);
	while (len > 0)
		if (!add_status_line(&status, &text, &len))
			return misread(&status.all, "status", err);
	json_set(status.all, "clean", json_new_bool(json_count(status.files) == 0));
	return status.all;
}

/* ---- diff ---- */

/* "12" or "-" up to a tab; -1 for "-", -2 for anything else. */
static int64_t
read_count(const char **text, const char *end)
{
	int64_t value = 0;
	const char *at = *text;

	if (end - at >= 2 && at[0] == '-' && at[1] == '\t') {
		*text = at + 2;
		return -1;
	}
	for (; at < end && *at >= '0' && *at <= '9' && value < 1000000000000; at++)
		value = value * 10 + (*at - '0');
	if (at == *text || at == end || *at != '\t')
		return -2;
	*text = at + 1;
	return value;
}

struct json *
git_read_numstat(const char *text, size_t len, struct err *err)
{
	struct json *all = json_new_object(), *files = json_new_array();
	int64_t sums[2] = { 0, 0 }, counts[2];
	const char *line;
	size_t line_len;

	json_set(all, "files", files);
	while (len > 0) {
		struct json *file;
		const char *end;

		if (!next_field(&text, &len, &line, &line_len))
			return misread(&all, "diff", err);
		end = line + line_len;
		for (int i = 0; i < 2; i++) {
			counts[i] = read_count(&line, end);
			if (counts[i] == -2)
				return misread(&all, "diff", err);
			sums[i] += counts[i] > 0 ? counts[i] : 0;
		}
		file = json_new_object();
		json_set(file, "path", text_json(line, (size_t)(end - line)));
		json_set(file, "added", counts[0] < 0 ? NULL : json_new_int(counts[0]));
		json_set(file, "removed",
			 counts[1] < 0 ? NULL : json_new_int(counts[1]));
		json_append(files, file);
	}
	json_set(all, "added", json_new_int(sums[0]));
	json_set(all, "removed", json_new_int(sums[1]));
	return all;
}

struct json *
git_read_names(const char *text, size_t len)
{
	struct json *list = json_new_array();
	const char *name;
	size_t name_len;

	while (next_field(&text, &len, &name, &name_len))
		json_append(list, text_json(name, name_len));
	return list;
}

/* ---- values ---- */

static bool
is_plain(const char *text, size_t len)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._-";

	return len > 0 && strspn(text, plain) >= len && text[0] != '.' &&
	       text[0] != '-';
}

/* Behind the host: "https://host/", "ssh://git@host:22/", "git@host:". */
static const char *
behind_host(const char *url)
{
	const char *scheme = strstr(url, "://"), *at;

	if (scheme != NULL) {
		at = strchr(scheme + 3, '/');
		return at != NULL ? at + 1 : NULL;
	}
	at = strchr(url, ':');
	return at != NULL && memchr(url, '/', (size_t)(at - url)) == NULL ? at + 1
									  : NULL;
}

int
git_read_remote(const char *url, char **owner, char **repository, struct err *err)
{
	const char *path = behind_host(url), *slash, *start;
	size_t len = path != NULL ? strlen(path) : 0;

	while (len > 0 && path[len - 1] == '/')
		len--;
	if (len > 4 && strncmp(path + len - 4, ".git", 4) == 0)
		len -= 4;
	slash = len > 0 ? memrchr(path, '/', len) : NULL;
	start = slash;
	while (start != NULL && start > path && start[-1] != '/')
		start--;
	if (slash == NULL || !is_plain(start, (size_t)(slash - start)) ||
	    !is_plain(slash + 1, len - (size_t)(slash + 1 - path)))
		return err_set(err, ERR_INPUT,
			       "the remote's URL names no OWNER/REPOSITORY at a forge");
	*owner = xstrndup(start, (size_t)(slash - start));
	*repository = xstrndup(slash + 1, len - (size_t)(slash + 1 - path));
	return 0;
}

int
git_check_value(const char *what, const char *value, struct err *err)
{
	size_t len = strlen(value);

	if (len == 0 || len > VALUE_MAX)
		return err_set(err, ERR_INPUT, "%s: 1 to %d bytes", what, VALUE_MAX);
	if (value[0] == '-')
		return err_set(err, ERR_INPUT, "%s: \"%.100s\" looks like an option",
			       what, value);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			return err_set(err, ERR_INPUT,
				       "%s: it holds a control character", what);
	return 0;
}
