/*
 * files.read, write, exists, delete of one, list of one folder: what is done at once.
 * What may take many turns is in tool_files_tree.c.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actions/answer.h"
#include "base/utf8.h"
#include "base64_core.h"
#include "files/files.h"
#include "files/path_core.h"
#include "tools/files_tools.h"
#include "tools/tools.h"

int
files_path(const struct attempt *attempt, const char *field, const char *preset,
	   struct buf *out, struct err *err)
{
	const struct json *path = json_get(attempt->fields, field);
	const char *text = path != NULL ? json_str(path) : preset;
	size_t len = path != NULL ? json_str_len(path) : strlen(preset);

	if (path_clean(attempt->project_path, text, len, out, err) == 0)
		return 0;
	return err_in(err, "%s", field);
}

const char *
files_type(mode_t mode)
{
	return S_ISDIR(mode)   ? "folder"
	       : S_ISREG(mode) ? "file"
	       : S_ISLNK(mode) ? "link"
			       : "other";
}

/* ---- read ---- */

static int
read_all(int fd, size_t most, struct buf *out, struct err *err)
{
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) == 0 && st.st_size > (off_t)most)
		return err_set(err, ERR_LIMIT,
			       "it has %lld bytes, more than worker.output_max (%zu)",
			       (long long)st.st_size, most);
	do {
		got = read(fd, buf_reserve(out, 64 * 1024), 64 * 1024);
		if (got < 0)
			return err_errno(err, "reading");
		buf_grow(out, (size_t)got);
		if (out->len > most)
			return err_set(
			    err, ERR_LIMIT,
			    "it is larger than worker.output_max (%zu bytes)", most);
	} while (got > 0);
	return 0;
}

static struct json *
as_content(const struct attempt *attempt, const struct buf *data)
{
	struct buf text = { 0 };
	struct json *json;

	if (strcmp(field_text(attempt, "encoding", "utf8"), "base64") != 0)
		return answer_text(attempt, buf_text(data), data->len);
	base64_write(buf_text(data), data->len, &text);
	json = json_new_str_len(buf_text(&text), text.len);
	buf_fini(&text);
	return json;
}

static struct json *
read_now(const struct attempt *attempt, struct err *err)
{
	size_t most = (size_t)attempt->services->settings->worker_output_max;
	struct buf path = { 0 }, data = { 0 };
	struct json *output = NULL;
	int fd = -1;

	if (files_path(attempt, "path", "", &path, err) == 0)
		fd = files_open(attempt->project_path, buf_text(&path), O_RDONLY, err);
	if (fd >= 0 && read_all(fd, most, &data, err) < 0)
		err_in(err, "\"%.300s\"", buf_text(&path));
	if (fd >= 0 && err->kind == ERR_NONE) {
		output = json_new_object();
		json_set(output, "path", json_new_str(buf_text(&path)));
		json_set(output, "content", as_content(attempt, &data));
		json_set(output, "size", json_new_int((int64_t)data.len));
	}
	if (fd >= 0)
		close(fd);
	buf_fini(&path);
	buf_fini(&data);
	return output;
}

/* ---- write ---- */

static int
replace(const struct attempt *attempt, const char *path, const struct buf *data,
	struct err *err)
{
	struct new_file file;
	int result;

	if (new_file_open(&file, attempt->project_path, path, 0644, err) < 0)
		return -1;
	result = new_file_write(&file, buf_text(data), data->len, err);
	if (result == 0)
		result = new_file_commit(&file, err);
	new_file_fini(&file);
	return result;
}

/* Adds to what is there; a missing file is made. */
static int
append(const struct attempt *attempt, const char *path, const struct buf *data,
       struct err *err)
{
	struct new_file file = { .folder = -1, .passing = NULL };
	int result;

	file.fd = files_open(attempt->project_path, path, O_WRONLY | O_APPEND, err);
	if (file.fd < 0 && err->kind == ERR_NOT_FOUND) {
		err_clear(err);
		return replace(attempt, path, data, err);
	}
	if (file.fd < 0)
		return -1;
	file.name = (char *)path;
	result = new_file_write(&file, buf_text(data), data->len, err);
	close(file.fd);
	return result;
}

static int
decode(const struct attempt *attempt, struct buf *data, struct err *err)
{
	const struct json *content = json_get(attempt->fields, "content");

	if (strcmp(field_text(attempt, "encoding", "utf8"), "base64") == 0) {
		if (base64_read(json_str(content), json_str_len(content), data, err) ==
		    0)
			return 0;
		return err_in(err, "content");
	}
	buf_add(data, json_str(content), json_str_len(content));
	return 0;
}

static struct json *
write_now(const struct attempt *attempt, struct err *err)
{
	struct buf path = { 0 }, data = { 0 };
	struct json *output = NULL;
	struct stat st;

	if (files_path(attempt, "path", "", &path, err) < 0 ||
	    decode(attempt, &data, err) < 0)
		goto out;
	if (field_flag(attempt, "append", false)
		? append(attempt, buf_text(&path), &data, err) < 0
		: replace(attempt, buf_text(&path), &data, err) < 0)
		goto out;
	if (files_stat(attempt->project_path, buf_text(&path), &st, err) < 0)
		goto out;
	output = json_new_object();
	json_set(output, "path", json_new_str(buf_text(&path)));
	json_set(output, "size", json_new_int((int64_t)st.st_size));
out:
	buf_fini(&path);
	buf_fini(&data);
	return output;
}

/* ---- exists ---- */

static struct json *
exists_now(const struct attempt *attempt, struct err *err)
{
	struct buf path = { 0 };
	struct json *output = NULL;
	struct stat st;
	int found = -1;

	if (files_path(attempt, "path", "", &path, err) == 0)
		found = files_stat(attempt->project_path, buf_text(&path), &st, err);
	/* Below a file there is nothing, and that is an answer. */
	if (err->kind == ERR_NOT_FOUND || err->kind == ERR_INPUT)
		err_clear(err);
	if (err->kind == ERR_NONE && path.len > 0) {
		output = json_new_object();
		json_set(output, "exists", json_new_bool(found == 0));
		json_set(output, "type",
			 found == 0 ? json_new_str(files_type(st.st_mode)) : NULL);
	}
	buf_fini(&path);
	return output;
}

const struct action tool_files_read = { .name = "files.read", .now = read_now };
const struct action tool_files_write = { .name = "files.write", .now = write_now };
const struct action tool_files_exists = { .name = "files.exists", .now = exists_now };
