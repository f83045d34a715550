/* SPDX-License-Identifier: BSD-3-Clause */
/* A binary heap: whether something expired is seen at its top, without looking at the rest. */
#include "registrar_private.h"

#include <errno.h>
#include <stdlib.h>

int
registrar_heap_reserve(struct registrar_heap *heap, size_t more)
{
	size_t room = heap->room == 0 ? 64 : heap->room;

	while (room < heap->count + more)
		room *= 2;
	if (room == heap->room)
		return 0;
	struct entry **at = reallocarray(heap->at, room, sizeof(*at));
	if (at == NULL)
		return -ENOMEM;
	heap->at = at;
	heap->room = room;
	return 0;
}

static void
set(struct registrar_heap *heap, size_t index, struct entry *entry)
{
	heap->at[index] = entry;
	entry->heap_index = (uint32_t)index;
}

static void
rise(struct registrar_heap *heap, size_t index, struct entry *entry)
{
	while (index > 0) {
		size_t parent = (index - 1) / 2;
		if (heap->at[parent]->expires_at <= entry->expires_at)
			break;
		set(heap, index, heap->at[parent]);
		index = parent;
	}
	set(heap, index, entry);
}

static void
sink(struct registrar_heap *heap, size_t index, struct entry *entry)
{
	for (size_t child; (child = 2 * index + 1) < heap->count; index = child) {
		if (child + 1 < heap->count &&
			heap->at[child + 1]->expires_at < heap->at[child]->expires_at)
			child++;
		if (entry->expires_at <= heap->at[child]->expires_at)
			break;
		set(heap, index, heap->at[child]);
	}
	set(heap, index, entry);
}

void
registrar_heap_put(struct registrar_heap *heap, struct entry *entry)
{
	rise(heap, heap->count++, entry);
}

void
registrar_heap_take(struct registrar_heap *heap, struct entry *entry)
{
	size_t index = entry->heap_index;
	struct entry *last = heap->at[--heap->count];

	if (last == entry)
		return;
	if (index > 0 && heap->at[(index - 1) / 2]->expires_at > last->expires_at)
		rise(heap, index, last);
	else
		sink(heap, index, last);
}
