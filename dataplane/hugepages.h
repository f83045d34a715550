/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's pool of hugepages: what is free in it, and putting into it what is missing. */
#ifndef DATAPLANE_HUGEPAGES_H
#define DATAPLANE_HUGEPAGES_H

#include <stdint.h>

/* MiB of hugepages of any size that nobody uses now. */
uint64_t hugepages_free_mb(void);

/* MiB that could be had in all: free hugepages, and what the kernel says is available. */
uint64_t hugepages_available_mb(void);

/* Makes at least `mb` MiB of hugepages free, by growing the kernel's pool of 2 MiB pages if it must
 * (as root; what was added is remembered). 0; -EACCES if it may not; -ENOMEM if the kernel found
 * too little memory in one piece, and then the pool is as before. */
int hugepages_reserve(uint64_t mb);

/* From counting the free pages until DPDK holds them nobody else of us may count: two starts at
 * once would both take the same pages for theirs. Waits for its turn; returns what
 * hugepages_unlock() takes (-1 where the kernel has no hugepages: nothing to guard). Another
 * program than ours is not kept out. */
int hugepages_lock(void);
void hugepages_unlock(int lock);

/* Takes from the pool what hugepages_reserve() added. Pages still in use go when they are freed.
 * Works after privileges were dropped: the file was opened before. */
void hugepages_give_back(void);

#endif
