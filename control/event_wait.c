/* SPDX-License-Identifier: BSD-3-Clause */
#include "event_wait.h"

#include "tls_connection.h"
#include "tls_stack.h"
#include "turn.h"

#include <stddef.h>
#include <sys/epoll.h>

static uint64_t idle_ms; /* 0: not yet */

uint64_t
event_wait_busy_ms(void)
{
	return idle_ms == 0 ? 0 : tls_connection_now_ms() - idle_ms;
}

int
epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
	static int (*real)(int, struct epoll_event *, int, int);

	if (real == NULL)
		tls_stack_real("epoll_wait", &real, sizeof(real));
	if (!tls_stack_contains(__builtin_return_address(0)))
		return real(epoll, events, most, timeout);
	turn_end_run();
	int found = real(epoll, events, most, 0);
	if (found != 0)
		return found;
	if (timeout != 0)
		found = real(epoll, events, most, timeout);
	idle_ms = tls_connection_now_ms();
	return found;
}
