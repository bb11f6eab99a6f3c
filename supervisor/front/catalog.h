/*
 * The workflows that clients name: the newest version of each, read and kept for a
 * second (CATALOG_FRESH), so that what another supervisor registered is seen soon; what
 * this one registers is seen at once. Registration itself goes through here too.
 */
#ifndef FRONT_CATALOG_H
#define FRONT_CATALOG_H

#include "engine/workflow.h"
#include "front/front.h"

#define CATALOG_FRESH USEC_SECOND

struct catalog;

struct catalog_entry {
	struct uuid definition, workflow_id, project;
	bool has_project; /* else it is every project's */
	bool active;
	int version;
	struct workflow *workflow;
};

/* mcp_servers: those that tools may be of, ended by NULL; borrowed. */
struct catalog *catalog_new(struct loop *loop, struct pg *read,
			    const char *const *mcp_servers);
void catalog_free(struct catalog **catalog_p);
/* Which secrets are configured now; copied. A workflow that names another one is
 * registered, for its workers may know more; but that is logged. */
void catalog_know_secrets(struct catalog *catalog,
			  const struct secret_sources *secrets);

/* entry is valid during the callback only, or NULL with err (ERR_NOT_FOUND; ERR_INPUT:
 * it does not load). May be called at once when it is fresh. */
typedef void catalog_fn(void *context, const struct catalog_entry *entry,
			const struct err *err);
/* project: whose own workflow of that name comes before everybody's; NULL: default. By
 * id, that of another project is found too: look at entry->project. read_after: a
 * position in PostgreSQL's log (position_core.h) that it must be read after, or 0. */
void catalog_find(struct catalog *catalog, const struct uuid *project,
		  const char *name_or_id, uint64_t read_after, catalog_fn *done,
		  void *context);
void catalog_forget(struct catalog *catalog,
		    const void *context); /* done will not come */

/* Reads a workflow that somebody wants to register; NULL with at least one problem. */
struct workflow *catalog_read(const struct catalog *catalog, const char *source,
			      size_t len, struct problems *problems);

struct registered {
	struct uuid workflow_id, definition;
	const char *name;
	int version;
	bool is_new; /* false: the same content was there already */
};
/* Reads and checks source; problems: what is wrong with it (the caller's to free), and
 * -1. Else stores it and calls done. file: relative path, or "" when it came over the
 * API. project: whose it is, or NULL: everybody's. pg: where it is stored; within a
 * transaction (pg_begin), call catalog_outdate after the commit. */
typedef void registered_fn(void *context, const struct registered *registered,
			   const struct err *err);
int catalog_register(struct catalog *catalog, struct pg *pg, const struct uuid *project,
		     const char *source, size_t len, const char *file,
		     struct problems *problems, registered_fn *done, void *context);
/* The same of a program, by what front/describe.h makes of it. */
int catalog_register_program(struct catalog *catalog, struct pg *pg,
			     const char *manifest, const char *file,
			     struct problems *problems, registered_fn *done,
			     void *context);
/* The same of one of the engine's own (own_workflows.h), whose names others may not
 * have. */
int catalog_register_own(struct catalog *catalog, struct pg *pg, const char *source,
			 size_t len, struct problems *problems, registered_fn *done,
			 void *context);
/* It has changed: it is read again, by whatever name it was kept. */
void catalog_outdate(struct catalog *catalog, const char *name);

#endif
