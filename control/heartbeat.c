/* SPDX-License-Identifier: BSD-3-Clause */
#include "heartbeat.h"

#include "counters.h"
#include "relay/log.h"
#include "relay/service.h"

#include <errno.h>

#define EVERY_MS 1000

static su_timer_t *timer;

static void
on_beat(su_root_magic_t *magic, su_timer_t *beat, su_timer_arg_t *arg)
{
	service_alive();
	log_tick(0);
	counters_set(COUNTER_LOG_HELD_BACK, log_held_back());
}

int
heartbeat_start(su_root_t *root)
{
	uint32_t every_ms = service_watchdog_ms();

	if (every_ms == 0 || every_ms > EVERY_MS)
		every_ms = EVERY_MS;
	timer = su_timer_create(su_root_task(root), every_ms);
	return timer != NULL && su_timer_set_for_ever(timer, on_beat, NULL) == 0 ? 0 : -ENOMEM;
}

void
heartbeat_stop(void)
{
	su_timer_destroy(timer);
	timer = NULL;
}
