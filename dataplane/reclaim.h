/* SPDX-License-Identifier: BSD-3-Clause */
/* Frees what workers may still be reading, once each of them has passed a quiescent state
 * (rte_rcu_qsbr). Control thread alone. */
#ifndef DATAPLANE_RECLAIM_H
#define DATAPLANE_RECLAIM_H

#include <rte_rcu_qsbr.h>

typedef void reclaim_cb(void *object);

/* Room for `capacity` objects that wait. 0 or -ENOMEM. */
int reclaim_init(struct rte_rcu_qsbr *qsbr, unsigned capacity);
void reclaim_fini(void); /* calls all callbacks: the workers have stopped */

/* Calls free_object(object) after a grace period that starts now. The object has been withdrawn
 * from wherever workers find it. When the queue is full, waits for its oldest entry. */
void reclaim_later(void *object, reclaim_cb *free_object);

/* Frees what is due. Returns how many still wait. */
unsigned reclaim_poll(void);

#endif
