/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_table.h"

#include <stdlib.h>

/* A ring of pair numbers. Each pair is in it at most once: one that was taken by name leaves its
 * entry behind, to be skipped when it comes up, and `queued` says so. */
struct port_queue {
	uint32_t head; /* next to take */
	uint32_t count;
	struct {
		uint16_t entry;
		uint8_t queued;
		uint8_t reserved;
	} pair[PORT_TABLE_PAIRS];
};

struct port_table *
port_table_create(uint16_t first, uint16_t last)
{
	struct port_table *table = calloc(1, sizeof(*table));
	struct port_queue *queue = calloc(1, sizeof(*queue));

	if (table == NULL || queue == NULL) {
		free(table);
		free(queue);
		return NULL;
	}
	table->queue = queue;
	port_table_offer(table, first, last);
	return table;
}

void
port_table_destroy(struct port_table *table)
{
	if (table == NULL)
		return;
	free(table->queue);
	free(table);
}

static bool
is_offered(const struct port_table *table, uint32_t pair)
{
	return pair >= table->offered_first && pair - table->offered_first < table->offered;
}

static void
enqueue(struct port_queue *queue, uint32_t pair)
{
	queue->pair[(queue->head + queue->count) % PORT_TABLE_PAIRS].entry = (uint16_t)pair;
	queue->pair[pair].queued = 1;
	queue->count++;
}

/* Any worker may be reading both: in between, every port is media's, so that none of a session's
 * is not. */
static void
cover(struct port_table *table, uint32_t first_pair, uint32_t pairs)
{
	__atomic_store_n(&table->pairs, PORT_TABLE_PAIRS, __ATOMIC_RELEASE);
	__atomic_store_n(&table->first, (uint16_t)(2 * first_pair), __ATOMIC_RELEASE);
	__atomic_store_n(&table->pairs, (uint16_t)pairs, __ATOMIC_RELEASE);
}

void
port_table_offer(struct port_table *table, uint16_t first, uint16_t last)
{
	struct port_queue *queue = table->queue;
	uint32_t low = first / 2, high = last / 2;

	table->offered_first = (uint16_t)low;
	table->offered = (uint16_t)(high - low + 1);
	table->used_offered = 0;
	for (uint32_t pair = 0; pair < PORT_TABLE_PAIRS; pair++) {
		if (queue->pair[pair].reserved) {
			table->used_offered += is_offered(table, pair);
			low = pair < low ? pair : low;
			high = pair > high ? pair : high;
		} else if (is_offered(table, pair) && !queue->pair[pair].queued) {
			enqueue(queue, pair);
		}
	}
	cover(table, low, high - low + 1);
}

static uint16_t
take(struct port_table *table, uint16_t pair)
{
	table->queue->pair[pair].reserved = 1;
	table->used++;
	table->used_offered += is_offered(table, pair);
	return (uint16_t)(2 * pair);
}

uint16_t
port_table_reserve(struct port_table *table, uint16_t wanted)
{
	struct port_queue *queue = table->queue;

	if (wanted != 0) {
		if (!port_table_covers(table, wanted) || wanted % 2 != 0)
			return 0;
		uint16_t pair = wanted / 2;
		return queue->pair[pair].reserved ? 0 : take(table, pair);
	}
	while (queue->count > 0) {
		uint16_t pair = queue->pair[queue->head].entry;
		queue->head = (queue->head + 1) % PORT_TABLE_PAIRS;
		queue->count--;
		queue->pair[pair].queued = 0;
		/* one that is offered no longer is dropped here */
		if (!queue->pair[pair].reserved && is_offered(table, pair))
			return take(table, pair);
	}
	return 0;
}

void
port_table_release(struct port_table *table, uint16_t port)
{
	struct port_queue *queue = table->queue;
	uint16_t pair = port / 2;

	if (!queue->pair[pair].reserved)
		return;
	queue->pair[pair].reserved = 0;
	table->used--;
	if (!is_offered(table, pair))
		return;
	table->used_offered--;
	if (!queue->pair[pair].queued)
		enqueue(queue, pair);
}

static void
store(struct port_table *table, uint16_t port, uintptr_t entry)
{
	/* pairs with the acquire load in port_table_lookup() */
	atomic_store_explicit(&table->entry[port / 2], entry, memory_order_release);
}

void
port_table_publish(
	struct port_table *table, uint16_t port, const struct bridge *bridge, unsigned leg)
{
	store(table, port, (uintptr_t)bridge | leg);
}

void
port_table_withdraw(struct port_table *table, uint16_t port)
{
	store(table, port, 0);
}
