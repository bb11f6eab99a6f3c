/*
 * What `stepmill doctor` looks at. Each check adds what it found: good, a warning (it
 * works, but ...) or a failure, with a way out.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "database.h"
#include "install.h"
#include "json/json.h"

enum finding { FINDING_OK, FINDING_WARN, FINDING_FAIL, FINDINGS };

struct doctor {
	const struct command *command;
	const struct args *args;
	const struct install *install;
	struct json *found; /* [{check, state, text, fix}] */
	int counts[FINDINGS];
};

const char *doctor_finding_name(enum finding finding); /* "ok", "warn", "fail" */
/* fix may be NULL. */
void doctor_add(struct doctor *doctor, const char *check, enum finding finding,
		const char *fix, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

void doctor_programs(struct doctor *doctor);  /* node, python3, git, our own */
void doctor_agents(struct doctor *doctor);    /* command-line agents */
void doctor_isolation(struct doctor *doctor); /* what child programs are shut in by */
void doctor_machine(struct doctor *doctor);   /* disk, descriptors, project */
void doctor_postgres(struct doctor *doctor);
void doctor_redis(struct doctor *doctor);
void doctor_server(struct doctor *doctor);

#endif
