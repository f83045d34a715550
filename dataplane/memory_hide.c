/* SPDX-License-Identifier: BSD-3-Clause */
#include "memory_hide.h"

#include "relay/log.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <string.h>
#include <sys/mman.h>

static int
hide_segment(const struct rte_memseg_list *list, const struct rte_memseg *segment, void *data)
{
	int *result = data;

	if (madvise(segment->addr, segment->len, MADV_DONTDUMP) != 0)
		*result = -errno;
	return *result;
}

/* EAL maps a new segment over what it had reserved, and the mark goes with the old mapping. */
static void
on_change(enum rte_mem_event event, const void *address, size_t size, void *data)
{
	if (event == RTE_MEM_EVENT_ALLOC && madvise((void *)address, size, MADV_DONTDUMP) != 0)
		log_warning("new memory of DPDK's would be in a core file: %s", strerror(errno));
}

int
memory_hide(void)
{
	int result = 0;

	/* ordinary memory does not grow, and has no such events */
	if (rte_mem_event_callback_register("hide", on_change, NULL) != 0 && rte_errno != ENOTSUP)
		return -rte_errno;
	if (rte_memseg_walk(hide_segment, &result) < 0 && result == 0)
		result = -EIO;
	return result;
}
