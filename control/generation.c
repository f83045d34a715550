/* SPDX-License-Identifier: BSD-3-Clause */
#include "generation.h"

#include <stdlib.h>

struct generation {
	struct generation *next; /* the one that came after it */
	struct config *config;
	unsigned holders;
};

static struct generation *oldest, *current;

struct generation *
generation_create(struct config *config)
{
	struct generation *generation = calloc(1, sizeof(*generation));

	if (generation != NULL)
		generation->config = config;
	return generation;
}

void
generation_drop(struct generation *generation)
{
	if (generation == NULL)
		return;
	config_free(generation->config);
	free(generation);
}

/* The oldest goes first: who holds one may have pointers into all that are younger. */
static void
free_unneeded(void)
{
	while (oldest != current && oldest->holders == 0) {
		struct generation *next = oldest->next;
		generation_drop(oldest);
		oldest = next;
	}
}

void
generation_switch(struct generation *generation)
{
	if (current != NULL)
		current->next = generation;
	else
		oldest = generation;
	current = generation;
	free_unneeded();
}

struct generation *
generation_hold(void)
{
	current->holders++;
	return current;
}

void
generation_release(struct generation *generation)
{
	if (generation == NULL)
		return;
	generation->holders--;
	free_unneeded();
}

const struct config *
generation_config(void)
{
	return current->config;
}

unsigned
generation_count(void)
{
	unsigned count = 0;

	for (const struct generation *at = oldest; at != NULL; at = at->next)
		count++;
	return count;
}

void
generation_stop(void)
{
	while (oldest != NULL) {
		struct generation *next = oldest->next;
		generation_drop(oldest);
		oldest = next;
	}
	current = NULL;
}
