/*
 * Paths as text. The rule is simple on purpose: a path is a list of plain names, and
 * each ".." takes back a name that stood before it. Not for what exists.
 */
#include "files/path_core.h"

#include <stdbool.h>
#include <string.h>

static bool
has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return true;
	return false;
}

/* Skips the project's own path in front. */
static int
strip_project(const char *project, const char **text, size_t *len, struct err *err)
{
	size_t project_len = project != NULL ? strlen(project) : 0;

	if (*len == 0 || (*text)[0] != '/')
		return 0;
	while (project_len > 1 && project[project_len - 1] == '/')
		project_len--;
	if (project_len == 0 || *len < project_len ||
	    memcmp(*text, project, project_len) != 0 ||
	    (project_len > 1 && *len > project_len && (*text)[project_len] != '/'))
		return err_set(err, ERR_DENIED,
			       "outside the project; paths are relative to its folder");
	*text += project_len;
	*len -= project_len;
	return 0;
}

static void
drop_last(struct buf *out, size_t start)
{
	while (out->len > start && out->data[out->len - 1] != '/')
		out->len--;
	if (out->len > start)
		out->len--; /* the slash */
	out->data[out->len] = '\0';
}

static int
add_component(const char *name, size_t len, size_t start, struct buf *out,
	      struct err *err)
{
	if (len == 0 || (len == 1 && name[0] == '.'))
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		if (out->len == start)
			return err_set(err, ERR_DENIED, "the path leaves the project");
		drop_last(out, start);
		return 0;
	}
	if (len > PATH_COMPONENT_MAX)
		return err_set(err, ERR_INPUT,
			       "a part of the path has %zu bytes; at most %d", len,
			       PATH_COMPONENT_MAX);
	if (out->len > start)
		buf_char(out, '/');
	buf_add(out, name, len);
	return 0;
}

int
path_clean(const char *project, const char *text, size_t len, struct buf *out,
	   struct err *err)
{
	size_t start = out->len, end;

	if (len == 0)
		return err_set(err, ERR_INPUT, "the path is empty");
	if (len > PATH_BYTES_MAX)
		return err_set(err, ERR_INPUT, "the path has %zu bytes; at most %d",
			       len, PATH_BYTES_MAX);
	if (has_control(text, len))
		return err_set(err, ERR_INPUT, "the path holds a control character");
	if (strip_project(project, &text, &len, err) < 0)
		return err_in(err, "\"%.*s\"", (int)(len < 200 ? len : 200), text);
	for (size_t at = 0; at < len; at = end + 1) {
		for (end = at; end < len && text[end] != '/'; end++)
			;
		if (add_component(text + at, end - at, start, out, err) < 0)
			return err_in(err, "\"%.*s\"", (int)(len < 200 ? len : 200),
				      text);
	}
	if (out->len == start)
		buf_char(out, '.');
	return 0;
}

const char *
path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

void
path_safe_part(const char *text, size_t max, struct buf *out)
{
	for (size_t count = 0; *text != '\0' && count < max; text++) {
		if (((unsigned char)*text & 0xc0) == 0x80)
			continue; /* inside a character that has its '-' already */
		buf_char(out, is_plain(*text) ? *text : '-');
		count++;
	}
}

void
path_safe_name(const char *text, size_t max, struct buf *out)
{
	size_t start = out->len;

	path_safe_part(text, max, out);
	if (out->len == start || strcmp(out->data + start, ".") == 0 ||
	    strcmp(out->data + start, "..") == 0) {
		out->len = start;
		buf_char(out, '-');
	}
}
