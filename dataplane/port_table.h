/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock-free session table of one media address: local UDP port -> bridge, and which of its
 * legs.
 *
 * Ports go in pairs, RTP even and RTCP the odd one above it (RFC 3550 11), so the table has one
 * entry a pair, for every pair there is (what is never used takes no memory): no hash, one cache
 * line, and the range can change while workers read. The control thread writes, workers read. A
 * bridge is published by one release store and read by one acquire load; it is withdrawn by a null
 * store, and freed by whoever withdrew it once every worker has passed a quiescent state.
 */
#ifndef DATAPLANE_PORT_TABLE_H
#define DATAPLANE_PORT_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bridge;

#define PORT_TABLE_PAIRS 32768

struct port_table {
	/* The ports that are media's: those offered, and those of sessions from before a reload. */
	uint16_t first; /* even */
	uint16_t pairs;
	/* control thread: */
	uint16_t offered_first;   /* pairs by their number, port / 2 */
	uint16_t offered;         /* pairs that new sessions may have */
	uint32_t used;            /* pairs reserved */
	uint32_t used_offered;    /* those of them that are offered */
	struct port_queue *queue; /* the free pairs, longest free first */
	/* A bridge's address, and in bit 0 the leg. Stored with release by the control thread,
	 * loaded with acquire by port_table_lookup(). */
	_Atomic uintptr_t entry[PORT_TABLE_PAIRS];
};

/* What lies under a port. */
struct port_entry {
	const struct bridge *bridge; /* NULL: nothing */
	unsigned leg;                /* of the bridge, that has the port */
};

/* A table for ports first (even) to last (odd). Control thread, as all but the look-up. NULL: out
 * of memory. */
struct port_table *port_table_create(uint16_t first, uint16_t last);
void port_table_destroy(struct port_table *table);

/* Offers these ports from now on. Those that are reserved stay so. Workers may read. */
void port_table_offer(struct port_table *table, uint16_t first, uint16_t last);

/* Reserves a pair: `wanted` (its even port), or with 0 the one that has been free for longest, so
 * that late packets of an ended call find nobody. Returns the even port, or 0: none free, or
 * `wanted` is taken or not in the table. */
uint16_t port_table_reserve(struct port_table *table, uint16_t wanted);

/* Gives a reserved pair back. Its bridge has been withdrawn. */
void port_table_release(struct port_table *table, uint16_t port);

/* Publishes a bridge, built whole, under a reserved port, which is its leg's; replaces the one
 * before, which the caller frees after a grace period. Bridges lie at even addresses. */
void port_table_publish(
	struct port_table *table, uint16_t port, const struct bridge *bridge, unsigned leg);
void port_table_withdraw(struct port_table *table, uint16_t port);

/* Is this port in the table's range? */
static inline bool
port_table_covers(const struct port_table *table, uint16_t port)
{
	return (uint16_t)(port - table->first) < 2u * table->pairs;
}

/* What lies under a port, for which port_table_covers() holds. */
static inline const _Atomic uintptr_t *
port_table_entry(const struct port_table *table, uint16_t port)
{
	return &table->entry[port / 2];
}

/* Reads it. Any worker, between two of its quiescent states. */
static inline struct port_entry
port_table_read(const _Atomic uintptr_t *at)
{
	uintptr_t entry = atomic_load_explicit(at, memory_order_acquire);

	return (struct port_entry){(const struct bridge *)(entry & ~(uintptr_t)1), entry & 1};
}

/* Both in one. */
static inline struct port_entry
port_table_lookup(const struct port_table *table, uint16_t port)
{
	return port_table_read(port_table_entry(table, port));
}

#endif
