/* SPDX-License-Identifier: BSD-3-Clause */
/* The workers' making, start and end. */
#include "worker_private.h"

#include <errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <string.h>

#define HANDOVER_RING 4096 /* packets */
#define LATCH_RING 1024    /* requests; a full ring only delays a latch by a packet */
#define STREAMS_SPARE 1023 /* SSRC contexts beyond the first of each flow, at least */

static struct worker_shared shared;
static struct worker *workers[WORKER_MAX];
static unsigned count;

struct worker *
worker_by_index(unsigned index)
{
	return workers[index];
}

unsigned
workers_count(void)
{
	return count;
}

struct worker_shared *
workers_shared(void)
{
	return &shared;
}

const struct worker_counters *
worker_counters(unsigned index)
{
	return &workers[index]->counters;
}

const char *
workers_engine_variant(void)
{
	return shared.engine->variant(workers[0]->engine);
}

static int
create_shared(const struct config_media *config, const struct crypto_engine *engine)
{
	unsigned streams = STREAMS_SPARE;

	/* one leg in sixteen may have a second SSRC, at no time more */
	while (streams < config->sessions / 8)
		streams = 2 * streams + 1;
	shared.engine = engine;
	shared.poll = config->poll;
	atomic_store(&shared.stop, false);
	shared.qsbr = rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(WORKER_MAX), 64);
	if (shared.qsbr == NULL || rte_rcu_qsbr_init(shared.qsbr, WORKER_MAX) != 0)
		return -ENOMEM;
	shared.latches = rte_ring_create_elem("latches", sizeof(struct latch_request), LATCH_RING,
		rte_socket_id(), RING_F_SC_DEQ);
	shared.streams = rte_mempool_create("streams", streams, sizeof(struct srtp_stream), 0, 0,
		NULL, NULL, NULL, NULL, rte_socket_id(), 0);
	return shared.latches == NULL || shared.streams == NULL ? -ENOMEM : 0;
}

static int
create_worker(unsigned index, unsigned lcore)
{
	unsigned socket = rte_lcore_to_socket_id(lcore);
	struct worker *worker = rte_zmalloc_socket("worker", sizeof(*worker), 64, (int)socket);
	char name[32];

	if (worker == NULL)
		return -ENOMEM;
	workers[index] = worker;
	snprintf(name, sizeof(name), "handover-%u", index);
	worker->shared = &shared;
	worker->index = (uint16_t)index;
	worker->lcore = lcore;
	worker->turn_end = rte_rdtsc();
	worker->handover = rte_ring_create(name, HANDOVER_RING, (int)socket, RING_F_SC_DEQ);
	worker->engine = shared.engine->create();
	if (worker->handover == NULL || worker->engine == NULL)
		return -ENOMEM;
	rte_rcu_qsbr_thread_register(shared.qsbr, index);
	return 0;
}

int
workers_create(const struct config_media *config, const struct crypto_engine *engine, char *error,
	size_t error_size)
{
	unsigned lcore;
	int result = create_shared(config, engine);

	RTE_LCORE_FOREACH_WORKER (lcore) {
		if (result != 0 || count == config->workers || count == WORKER_MAX)
			break;
		result = create_worker(count, lcore);
		if (result == 0)
			count++;
	}
	if (result == 0 && count == config->workers)
		return 0;
	snprintf(error, error_size,
		"media.workers: no memory for worker %u of %u: raise media.memory_mb", count,
		config->workers);
	workers_destroy();
	return result != 0 ? result : -ENOMEM;
}

int
workers_launch(char *error, size_t error_size)
{
	for (unsigned i = 0; i < count; i++) {
		int result = rte_eal_remote_launch(worker_main, workers[i], workers[i]->lcore);
		if (result != 0) {
			snprintf(error, error_size, "worker %u can't be started on lcore %u: %s", i,
				workers[i]->lcore, strerror(-result));
			workers_stop();
			return result;
		}
	}
	return 0;
}

void
workers_stop(void)
{
	atomic_store(&shared.stop, true);
	for (unsigned i = 0; i < count; i++)
		rte_eal_wait_lcore(workers[i]->lcore);
}

void
workers_destroy(void)
{
	for (unsigned i = 0; i < WORKER_MAX; i++) {
		struct worker *worker = workers[i];
		void *mbuf;
		if (worker == NULL)
			continue;
		while (worker->handover != NULL && rte_ring_dequeue(worker->handover, &mbuf) == 0)
			rte_pktmbuf_free(mbuf);
		rte_ring_free(worker->handover);
		if (worker->engine != NULL)
			shared.engine->destroy(worker->engine);
		rte_free(worker);
		workers[i] = NULL;
	}
	count = 0;
	rte_ring_free(shared.latches);
	rte_mempool_free(shared.streams);
	rte_free(shared.qsbr);
	memset(&shared, 0, sizeof(shared));
}
