/* Pure: how a program ended, in words that branches and people can use. */
#ifndef WORKER_PROGRAM_WHY_H
#define WORKER_PROGRAM_WHY_H

#include "init/init.h"
#include "program.h"

/* Fills started, code, why, final, exit_status, signal. message NULL: init was ended
 * before it could say anything. folder: the private one, left out of its last words. */
void program_why(const char *name, const char *folder,
		 const struct init_message *message, struct program_end *end);

#endif
