/*
 * Pure: positions in PostgreSQL's log (LSN), "16/B374D848", which tell whether what was
 * read is newer than what somebody saw (the header Stepmill-Read-After).
 */
#ifndef FRONT_POSITION_CORE_H
#define FRONT_POSITION_CORE_H

#include <stdbool.h>
#include <stdint.h>

/* Two hexadecimal numbers of at most eight digits. False: it is none. */
bool position_parse(const char *text, uint64_t *out);

#endif
