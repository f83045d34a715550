/* SPDX-License-Identifier: BSD-3-Clause */
#include "watchdog.h"

#include "relay/log.h"
#include "relay/service.h"
#include "session.h"
#include "worker.h"

#include <stdbool.h>

static struct {
	uint32_t every_ms;           /* 0: nobody watches */
	uint32_t due_ms;             /* wraps */
	uint64_t turned[WORKER_MAX]; /* cycles of all turns, at the last look */
	bool hung[WORKER_MAX];       /* and said so */
} watchdog;

/* A worker counts the cycles of each turn when it ends it. */
static bool
has_turned(unsigned index)
{
	const struct worker_counters *counters = worker_counters(index);
	uint64_t cycles = atomic_load_explicit(&counters->busy_cycles, memory_order_relaxed) +
	                  atomic_load_explicit(&counters->idle_cycles, memory_order_relaxed);
	bool turned = cycles != watchdog.turned[index];

	watchdog.turned[index] = cycles;
	if (!turned && !watchdog.hung[index])
		log_error("worker %u has not ended a turn for %u ms: it hangs, or its CPU is taken "
			  "from it; without a turn soon, the service manager starts us anew",
			index, watchdog.every_ms);
	else if (turned && watchdog.hung[index])
		log_warning("worker %u turns again", index);
	watchdog.hung[index] = !turned;
	return turned;
}

void
watchdog_start(uint32_t now_ms)
{
	watchdog.every_ms = service_watchdog_ms();
	watchdog.due_ms = now_ms;
}

void
watchdog_tick(uint32_t now_ms)
{
	bool all = true;

	if (watchdog.every_ms == 0 || (int32_t)(now_ms - watchdog.due_ms) < 0)
		return;
	watchdog.due_ms = now_ms + watchdog.every_ms;
	for (unsigned i = 0; i < workers_count(); i++)
		all = has_turned(i) && all;
	if (all)
		service_alive();
	service_status("%lu session(s), %u worker(s)%s", (unsigned long)sessions_count(),
		workers_count(), all ? "" : ", not all of which turn");
}
