/*
 * What a finish does beyond its own steps and the next one: rows that are made, counted
 * down, cut short; approvals that are asked for; runs that are started, and steps that
 * are woken by the end of one. Each is one statement for the whole flush, and only
 * there if one of its items asks for it: a plain sequence pays for none. Only for this
 * folder.
 */
#ifndef STORE_FINISH_EFFECTS_H
#define STORE_FINISH_EFFECTS_H

#include "engine/finish_item.h"
#include "store/answers.h"

/* After steps_finish in the same transaction. ready gathers what becomes ready. */
void finish_effects_add(struct pg_batch *batch, const struct finish_item *items,
			size_t count, struct ready_list *ready);

#endif
