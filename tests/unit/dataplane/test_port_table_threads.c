/* SPDX-License-Identifier: BSD-3-Clause */
/* The lock-free table with readers and a writer at once, made for ThreadSanitizer: readers look
 * bridges up and read them whole, the writer publishes, replaces, withdraws and frees them after a
 * grace period. A bridge that is freed too early is overwritten, which a reader would see. */
#include "dataplane/port_table.h"

#include <pthread.h>
#include <rte_rcu_qsbr.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define READERS 3
#define FIRST 30000
#define PAIRS 16
#define ROUNDS 200000
#define WORDS 32

/* Stands for the bridge: a reader takes it for whole only if all its words agree. */
struct bridge {
	uint64_t word[WORDS];
};

static struct port_table *table;
static struct rte_rcu_qsbr *qsbr;
static _Atomic bool stop;
static _Atomic unsigned running;
static _Atomic uint64_t seen;
static _Atomic uint64_t torn;

static void
look_at_all(void)
{
	for (unsigned pair = 0; pair < PAIRS; pair++) {
		const struct bridge *bridge =
			port_table_lookup(table, (uint16_t)(FIRST + 2 * pair + pair % 2)).bridge;
		if (bridge == NULL)
			continue;
		atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
		for (unsigned i = 1; i < WORDS; i++)
			if (bridge->word[i] != bridge->word[0] || bridge->word[0] % PAIRS != pair)
				atomic_fetch_add(&torn, 1);
	}
}

static void *
reader(void *arg)
{
	unsigned index = (unsigned)(uintptr_t)arg;

	rte_rcu_qsbr_thread_online(qsbr, index);
	atomic_fetch_add(&running, 1);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		look_at_all();
		rte_rcu_qsbr_quiescent(qsbr, index);
		sched_yield(); /* there may be fewer cores than threads */
	}
	rte_rcu_qsbr_thread_offline(qsbr, index);
	return NULL;
}

static struct bridge *
make(uint64_t value)
{
	struct bridge *bridge = malloc(sizeof(*bridge));

	assert_non_null(bridge);
	for (unsigned i = 0; i < WORDS; i++)
		bridge->word[i] = value;
	return bridge;
}

static void
retire(struct bridge *bridge)
{
	if (bridge == NULL)
		return;
	uint64_t token = rte_rcu_qsbr_start(qsbr);
	while (rte_rcu_qsbr_check(qsbr, token, false) != 1)
		sched_yield();
	memset(bridge, 0xa5, sizeof(*bridge));
	free(bridge);
}

static void
readers_see_whole_bridges_or_none(void **state)
{
	pthread_t threads[READERS];
	struct bridge *published[PAIRS] = {NULL};
	unsigned seed = 7;

	table = port_table_create(FIRST, FIRST + 2 * PAIRS - 1);
	qsbr = aligned_alloc(64, (rte_rcu_qsbr_get_memsize(READERS) + 63) / 64 * 64);
	assert_non_null(table);
	assert_non_null(qsbr);
	assert_int_equal(rte_rcu_qsbr_init(qsbr, READERS), 0);
	for (unsigned i = 0; i < READERS; i++) {
		rte_rcu_qsbr_thread_register(qsbr, i);
		pthread_create(&threads[i], NULL, reader, (void *)(uintptr_t)i);
	}
	while (atomic_load(&running) < READERS)
		sched_yield();
	for (unsigned round = 1; round <= ROUNDS; round++) {
		seed = seed * 1103515245u + 12345u;
		unsigned pair = (seed >> 16) % PAIRS;
		uint16_t port = (uint16_t)(FIRST + 2 * pair);
		struct bridge *old = published[pair];
		if (old != NULL && seed & 0x8000) {
			port_table_withdraw(table, port);
			published[pair] = NULL;
		} else {
			published[pair] = make((uint64_t)round * PAIRS + pair);
			port_table_publish(table, port, published[pair], pair % 2);
		}
		retire(old);
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(torn, 0);
	assert_true(seen > 0);
	for (unsigned pair = 0; pair < PAIRS; pair++)
		free(published[pair]);
	free(qsbr);
	port_table_destroy(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_whole_bridges_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
