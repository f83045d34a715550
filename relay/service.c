/* SPDX-License-Identifier: BSD-3-Clause */
#include "service.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

uint32_t
service_watchdog_ms(void)
{
	uint64_t allowed_us = 0;

	if (sd_watchdog_enabled(0, &allowed_us) <= 0 || allowed_us / 3000 > UINT32_MAX)
		return 0;
	/* a third: one beat may come late, and one be lost */
	return allowed_us < 3000 ? 1 : (uint32_t)(allowed_us / 3000);
}

void
service_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

void
service_ready(void)
{
	sd_notify(0, "READY=1");
}

void
service_reloading(void)
{
	struct timespec now;

	/* the time tells an old word of readiness from the one after this */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void
service_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void
service_status(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sd_notifyf(0, "STATUS=%s", text);
}
