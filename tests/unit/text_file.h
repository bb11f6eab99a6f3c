/* Whole text files for table and golden tests. */
#ifndef TESTS_TEXT_FILE_H
#define TESTS_TEXT_FILE_H

#include <stdio.h>
#include <stdlib.h>

/* The caller's; NULL when it cannot be read. */
static inline char *
text_file_read(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	long size;

	if (file == NULL) {
		perror(path);
		return NULL;
	}
	if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 &&
	    fseek(file, 0, SEEK_SET) == 0) {
		text = calloc(1, (size_t)size + 1);
		if (text != NULL &&
		    fread(text, 1, (size_t)size, file) != (size_t)size) {
			free(text);
			text = NULL;
		}
		if (text != NULL && len != NULL)
			*len = (size_t)size;
	}
	fclose(file);
	return text;
}

#endif
