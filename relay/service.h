/* SPDX-License-Identifier: BSD-3-Clause */
/* What a daemon tells the service manager (sd_notify(3)): that it is ready, what it does, that it
 * lives. Without a manager nothing happens. Never fails, hardly blocks; any thread but a worker. */
#ifndef RELAY_SERVICE_H
#define RELAY_SERVICE_H

#include <stdint.h>

/* At start, before any thread: is there a watchdog, and how often must it hear of us? Returns the
 * milliseconds between two calls of service_alive(), a third of what it allows; 0: none. */
uint32_t service_watchdog_ms(void);
void service_alive(void);

/* All is open, requests are answered. Also ends service_reloading(). */
void service_ready(void);
void service_reloading(void);
void service_stopping(void);

/* One line for "systemctl status". */
void service_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
