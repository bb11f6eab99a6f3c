/* What becomes of rows in memory. See dry_rows_core.h. */
#include "engine/dry_rows_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static void
enter_number(struct dry_rows *rows, struct dry_row *row)
{
	size_t want = (size_t)row->number + 1;

	if (want > rows->numbers) {
		size_t more = want + 64;

		rows->by_number =
		    xrealloc(rows->by_number, more, sizeof *rows->by_number);
		memset(rows->by_number + rows->numbers, 0,
		       (more - rows->numbers) * sizeof *rows->by_number);
		rows->numbers = more;
	}
	rows->by_number[row->number] = row;
	if (row->number > rows->top)
		rows->top = row->number;
}

static struct dry_row *
add(struct dry_rows *rows, int index, int number)
{
	struct dry_row *row = xcalloc(1, sizeof *row);

	*row = (struct dry_row){ .index = index, .number = number };
	rows->list = xrealloc(rows->list, rows->count + 1, sizeof *rows->list);
	rows->list[rows->count++] = row;
	if (number == END_NUMBER)
		rows->end = row;
	else
		enter_number(rows, row);
	return row;
}

static void
make_ready(struct dry_rows *rows, struct dry_row *row)
{
	row->status = STEP_QUEUED;
	row->turn = ++rows->turns;
}

void
dry_rows_start(struct dry_rows *rows, const struct workflow *workflow)
{
	size_t count;
	struct first_step *first = advance_start(workflow, &count);

	*rows = (struct dry_rows){ 0 };
	for (size_t i = 0; i < count; i++) {
		struct dry_row *row = add(rows, first[i].index, first[i].number);

		row->needs = first[i].needs;
		row->parent = first[i].parent;
		rows->visits += row->number > 0;
		if (row->needs == 0)
			make_ready(rows, row);
	}
	free(first);
}

void
dry_rows_fini(struct dry_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		json_unref(&rows->list[i]->item);
		json_unref(&rows->list[i]->error);
		json_unref(&rows->list[i]->output);
		free(rows->list[i]);
	}
	free(rows->list);
	free(rows->by_number);
	*rows = (struct dry_rows){ 0 };
}

struct dry_row *
dry_rows_find(const struct dry_rows *rows, int number)
{
	if (number == END_NUMBER)
		return rows->end;
	return number > 0 && number <= rows->top ? rows->by_number[number] : NULL;
}

struct dry_row *
dry_rows_ready(const struct dry_rows *rows)
{
	struct dry_row *first = NULL;

	for (size_t i = 0; i < rows->count; i++)
		if (rows->list[i]->status == STEP_QUEUED &&
		    (first == NULL || rows->list[i]->turn < first->turn))
			first = rows->list[i];
	return first;
}

/* ---- spawn ---- */

static void
spawn(struct dry_rows *rows, struct dry_row *by, const struct verdict *verdict,
      bool assumed)
{
	const struct fan_out *spawn = &verdict->spawn;
	bool items = spawn->items != NULL;
	int count =
	    items && spawn->count > DRY_ITEMS_MAX ? DRY_ITEMS_MAX : spawn->count;
	int top = rows->top;

	for (int i = 0; i < count; i++) {
		struct dry_row *row = add(rows, spawn->index, top + 1 + i);

		row->parent = spawn->parent;
		row->iteration = spawn->iteration;
		row->is_item = items;
		row->has_index = items || spawn->has_index;
		row->item_index = items ? i : spawn->item_index;
		row->item = items ? json_ref(json_at(spawn->items, (size_t)i)) : NULL;
		row->assumed = assumed;
		rows->visits += !items;
		if (i < spawn->parallel)
			make_ready(rows, row);
	}
	if (verdict->expects) {
		by->needs = count;
		by->iteration = verdict->own_iteration;
	}
}

struct dry_row *
dry_rows_add_child(struct dry_rows *rows, struct dry_row *parent, int index)
{
	struct dry_row *row = add(rows, index, rows->top + 1);

	row->parent = parent->number;
	row->has_index = parent->has_index;
	row->item_index = parent->item_index;
	row->assumed = true;
	rows->visits++;
	parent->needs++;
	make_ready(rows, row);
	return row;
}

/* ---- meet ---- */

static void
keep_error(struct dry_row *row, struct json *error)
{
	if (row->error == NULL)
		row->error = json_ref(error);
}

/* A row has one thing less to wait for; joins: one of its children has ended. */
static void
meet(struct dry_rows *rows, int number, bool joins, struct json *error)
{
	struct dry_row *row = dry_rows_find(rows, number);

	if (row == NULL)
		return;
	if (row->status == STEP_WAITING ? !joins : row->status != STEP_PENDING)
		return;
	keep_error(row, error);
	if (--row->needs == 0)
		make_ready(rows, row);
}

static void
choose(struct dry_rows *rows, int number)
{
	struct dry_row *row = dry_rows_find(rows, number);

	if (row == NULL || row->status != STEP_PENDING)
		return;
	row->needs = -1;
	make_ready(rows, row);
}

void
dry_rows_choose(struct dry_rows *rows, int number)
{
	struct dry_row *row = dry_rows_find(rows, number);

	if (row != NULL && row->status == STEP_PENDING)
		row->assumed = true;
	choose(rows, number);
}

static void
release(struct dry_rows *rows, int after, int parent)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct dry_row *row = rows->list[i];

		if (row->number <= after || row->parent != parent ||
		    row->status != STEP_PENDING)
			continue;
		make_ready(rows, row);
		return;
	}
}

/* ---- close ---- */

/* What has not started of the whole run (parent 0), or of this row's children. */
static void
cut(struct dry_rows *rows, int parent)
{
	struct json *error =
	    parent == 0 ? step_error("cancelled", "the run ends before it has") : NULL;

	for (size_t i = 0; i < rows->count; i++) {
		struct dry_row *row = rows->list[i];

		if (row->number == END_NUMBER ||
		    (row->status != STEP_PENDING && row->status != STEP_QUEUED) ||
		    (parent != 0 && row->parent != parent))
			continue;
		row->status = STEP_CANCELLED;
		if (row->parent != 0)
			meet(rows, row->parent, true, row->parent > 0 ? error : NULL);
	}
	json_unref(&error);
}

static void
close_graph(struct dry_rows *rows, const struct verdict *verdict)
{
	struct dry_row *end = dry_rows_find(rows, END_NUMBER);

	if (end == NULL || end->phase != PHASE_FRESH)
		return;
	if (verdict->closing == CLOSING_FAILED)
		keep_error(end, verdict->run_error);
	end->phase = (enum phase)verdict->closing;
	cut(rows, 0);
}

/* ---- all of it ---- */

void
dry_rows_carry_out(struct dry_rows *rows, struct dry_row *row,
		   const struct verdict *verdict, bool assumed)
{
	row->status = verdict->status;
	row->phase = verdict->phase;
	for (size_t i = 0; i < verdict->next_count; i++) {
		struct dry_row *next =
		    add(rows, verdict->next[i].index, verdict->next[i].number);

		next->assumed = assumed;
		rows->visits++;
		make_ready(rows, next);
	}
	if (verdict->spawn.count > 0)
		spawn(rows, row, verdict, assumed);
	if (verdict->closing != CLOSING_NONE)
		close_graph(rows, verdict);
	if (verdict->cancel_siblings)
		cut(rows, verdict->joins);
	for (size_t i = 0; i < verdict->met_count; i++)
		meet(rows, verdict->met[i], false, NULL);
	if (verdict->chosen != 0)
		choose(rows, verdict->chosen);
	if (verdict->joins != 0)
		meet(rows, verdict->joins, true, verdict->join_error);
	if (verdict->release)
		release(rows, row->number, verdict->joins);
}
