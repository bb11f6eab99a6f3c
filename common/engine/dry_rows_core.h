/*
 * Pure: the rows of a run that is only thought of. Verdicts are carried out on them as
 * the store does it with real ones (sql/steps_spawn.sql, steps_close.sql,
 * steps_meet.sql), for one row at a time.
 */
#ifndef ENGINE_DRY_ROWS_CORE_H
#define ENGINE_DRY_ROWS_CORE_H

#include "engine/advance_core.h"

/* So many items of a foreach stand for all of them. */
#define DRY_ITEMS_MAX 3

struct dry_row {
	int index, number;       /* as in struct held_step */
	enum step_status status; /* PENDING, QUEUED (ready), WAITING, or over */
	int needs;               /* what it waits for; -1: a branch has led to it */
	int parent, iteration;
	enum phase phase;
	bool has_index, is_item;
	int item_index;
	int turn;           /* ready ones come in this order */
	struct json *item;  /* owned */
	struct json *error; /* owned: of a child that failed, or why the graph ends */
	/* What is not known, and the walk's own notes. */
	bool assumed;        /* it is reached only if something unknown turns out so */
	struct json *entry;  /* borrowed: what is told of it, or NULL */
	struct json *output; /* owned: of an item */
};

struct dry_rows {
	struct dry_row **list; /* owned */
	size_t count;
	struct dry_row **by_number, *end; /* owned; borrowed, NULL in sequence style */
	size_t numbers;
	int top;           /* the highest number */
	int turns, visits; /* visits: rows but for items and the end */
};

void dry_rows_start(struct dry_rows *rows, const struct workflow *workflow);
void dry_rows_fini(struct dry_rows *rows);
struct dry_row *dry_rows_find(const struct dry_rows *rows, int number); /* or NULL */
/* The next one that is ready, or NULL. */
struct dry_row *dry_rows_ready(const struct dry_rows *rows);
/* What became of the row. What it makes is assumed where `assumed` is. */
void dry_rows_carry_out(struct dry_rows *rows, struct dry_row *row,
			const struct verdict *verdict, bool assumed);
/* As a branch does that leads to it; it is assumed. */
void dry_rows_choose(struct dry_rows *rows, int number);
/* One more row that the parent waits for. */
struct dry_row *dry_rows_add_child(struct dry_rows *rows, struct dry_row *parent,
				   int index);

#endif
