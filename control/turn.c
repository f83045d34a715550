/* SPDX-License-Identifier: BSD-3-Clause */
#include "turn.h"

#include <stddef.h>

static struct turn_end *wanted, *running;

void
turn_end_want(struct turn_end *end)
{
	if (end->due)
		return;
	end->due = true;
	end->next = wanted;
	wanted = end;
}

static void
take_out(struct turn_end **list, const struct turn_end *end)
{
	while (*list != NULL && *list != end)
		list = &(*list)->next;
	if (*list != NULL)
		*list = end->next;
}

void
turn_end_forget(struct turn_end *end)
{
	if (!end->due)
		return;
	take_out(&wanted, end);
	take_out(&running, end);
	end->due = false;
}

void
turn_end_run(void)
{
	running = wanted;
	wanted = NULL;
	while (running != NULL) {
		struct turn_end *end = running;
		running = end->next;
		end->due = false;
		end->run(end->arg);
	}
}
