/*
 * `program`, the key of a workflow that is written as a program. It is not written by
 * people: who found the file makes such a tree from what the program said of itself.
 */
#ifndef ENGINE_PROGRAM_READ_H
#define ENGINE_PROGRAM_READ_H

#include "engine/reader.h"
#include "engine/workflow.h"

/* Reads {file, language, checksum, text} into the reader's workflow, if it is there. */
void program_read(struct reader *reader, const struct place *top);
/* The language of a file by its name, or PROGRAM_LANGUAGES: it is no program. */
enum program_language program_language_of(const char *file_name);

#endif
