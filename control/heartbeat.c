/* SPDX-License-Identifier: BSD-3-Clause */
#include "heartbeat.h"

#include "relay/service.h"

#include <errno.h>

static su_timer_t *timer;

static void
on_beat(su_root_magic_t *magic, su_timer_t *beat, su_timer_arg_t *arg)
{
	service_alive();
}

int
heartbeat_start(su_root_t *root)
{
	uint32_t every_ms = service_watchdog_ms();

	if (every_ms == 0)
		return 0;
	timer = su_timer_create(su_root_task(root), every_ms);
	return timer != NULL && su_timer_set_for_ever(timer, on_beat, NULL) == 0 ? 0 : -ENOMEM;
}

void
heartbeat_stop(void)
{
	su_timer_destroy(timer);
	timer = NULL;
}
