/* SPDX-License-Identifier: BSD-3-Clause */
#include "reclaim.h"

#include <errno.h>
#include <stdlib.h>

struct waiting {
	uint64_t token; /* of rte_rcu_qsbr_start() at the object's withdrawal */
	void *object;
	reclaim_cb *free_object;
};

/* A ring: tokens rise, so the oldest is due first. */
static struct {
	struct rte_rcu_qsbr *qsbr;
	struct waiting *entry;
	unsigned capacity;
	unsigned head;
	unsigned count;
} queue;

int
reclaim_init(struct rte_rcu_qsbr *qsbr, unsigned capacity)
{
	queue.entry = calloc(capacity, sizeof(*queue.entry));
	if (queue.entry == NULL)
		return -ENOMEM;
	queue.qsbr = qsbr;
	queue.capacity = capacity;
	queue.head = 0;
	queue.count = 0;
	return 0;
}

static void
free_oldest(void)
{
	struct waiting oldest = queue.entry[queue.head];

	queue.head = (queue.head + 1) % queue.capacity;
	queue.count--;
	oldest.free_object(oldest.object);
}

void
reclaim_fini(void)
{
	while (queue.count > 0)
		free_oldest();
	free(queue.entry);
	queue.entry = NULL;
}

void
reclaim_later(void *object, reclaim_cb *free_object)
{
	if (queue.count == queue.capacity) {
		rte_rcu_qsbr_check(queue.qsbr, queue.entry[queue.head].token, true);
		free_oldest();
	}
	queue.entry[(queue.head + queue.count) % queue.capacity] = (struct waiting){
		.token = rte_rcu_qsbr_start(queue.qsbr),
		.object = object,
		.free_object = free_object,
	};
	queue.count++;
}

unsigned
reclaim_poll(void)
{
	while (queue.count > 0 &&
		rte_rcu_qsbr_check(queue.qsbr, queue.entry[queue.head].token, false) == 1)
		free_oldest();
	return queue.count;
}
