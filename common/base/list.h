/* Intrusive doubly linked lists: the link stands in the thing itself. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void
list_init(struct list *list)
{
	list->next = list->prev = list;
}

static inline bool
list_empty(const struct list *list)
{
	return list->next == list;
}

static inline void
list_push(struct list *list, struct list *link) /* at the end */
{
	link->prev = list->prev;
	link->next = list;
	list->prev->next = link;
	list->prev = link;
}

static inline void
list_unshift(struct list *list, struct list *link) /* at the front */
{
	list_push(list->next, link);
}

static inline void
list_remove(struct list *link) /* may be called again: the link then stands alone */
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->next = link->prev = link;
}

static inline struct list *
list_shift(struct list *list) /* takes the first, NULL when empty */
{
	struct list *first = list->next;

	if (first == list)
		return NULL;
	list_remove(first);
	return first;
}

#define list_each(it, head)                                                            \
	for (struct list *it = (head)->next; it != (head); it = it->next)
#define list_each_safe(it, head)                                                       \
	for (struct list *it = (head)->next, *it##_next = it->next; it != (head);      \
	     it = it##_next, it##_next = it->next)

#endif
