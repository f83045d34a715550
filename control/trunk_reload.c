/* SPDX-License-Identifier: BSD-3-Clause */
/* The trunks of another configuration. All that can fail is made before anything changes. */
#include "trunk_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What becomes of one trunk. */
struct step {
	struct trunk *trunk;
	const struct config_trunk *config;
	su_timer_t *ping_timer; /* of one that was there, where its pings change */
	bool is_new;
};

struct trunks_change {
	struct trunks *trunks;
	struct trunk **list; /* as it will be */
	unsigned count;
	struct step steps[];
};

/* Is it still at the same place, and known by the same name there? */
static bool
is_same_place(const struct config_trunk *a, const struct config_trunk *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->host, b->host) == 0 &&
	       a->port == b->port && strcmp(a->tls_name, b->tls_name) == 0;
}

static struct trunk *
find(const struct trunks *trunks, const struct config_trunk *config)
{
	for (unsigned i = 0; i < trunks->count; i++)
		if (is_same_place(trunks->list[i]->config, config))
			return trunks->list[i];
	return NULL;
}

static int
prepare(struct trunks *trunks, const struct config_trunk *config, struct step *step)
{
	*step = (struct step){.trunk = find(trunks, config), .config = config};
	if (step->trunk == NULL) {
		step->is_new = true;
		step->trunk = trunk_make(trunks, config);
		return step->trunk != NULL ? 0 : -ENOMEM;
	}
	const struct config_trunk *before = step->trunk->config;
	if (before->ping_s == config->ping_s && before->direction == config->direction)
		return 0;
	step->ping_timer = trunk_ping_timer(trunks, config);
	return step->ping_timer != NULL ? 0 : -ENOMEM;
}

int
trunks_prepare(struct trunks *trunks, const struct config_sip *config, struct trunks_change **out)
{
	unsigned count = config->trunks_count;
	struct trunks_change *change =
		calloc(1, sizeof(*change) + count * sizeof(change->steps[0]));
	int result = 0;

	*out = NULL;
	if (change == NULL)
		return -ENOMEM;
	change->trunks = trunks;
	change->list = calloc(count + 1, sizeof(*change->list));
	if (change->list == NULL || (count > 0 && trunks_need_resolver(trunks) != 0))
		result = -ENOMEM;
	while (result == 0 && change->count < count) {
		struct step *step = &change->steps[change->count];
		result = prepare(trunks, &config->trunks[change->count], step);
		if (step->trunk != NULL)
			change->list[change->count++] = step->trunk;
	}
	if (result != 0) {
		trunks_drop(change);
		return result;
	}
	*out = change;
	return 0;
}

static bool
stays(const struct trunks_change *change, const struct trunk *trunk)
{
	for (unsigned i = 0; i < change->count; i++)
		if (change->list[i] == trunk)
			return true;
	return false;
}

void
trunks_switch(struct trunks_change *change)
{
	struct trunks *trunks = change->trunks;
	struct trunk **before = trunks->list;
	unsigned count = trunks->count;

	trunks->list = change->list;
	trunks->count = change->count;
	/* first those that go: a new one may be at an address of theirs */
	for (unsigned i = 0; i < count; i++)
		if (!stays(change, before[i]))
			trunk_free(before[i]);
	free(before);
	for (unsigned i = 0; i < change->count; i++) {
		struct step *step = &change->steps[i];
		if (step->is_new)
			trunk_start(step->trunk);
		else
			trunk_follow(step->trunk, step->config, &step->ping_timer);
	}
	free(change);
}

void
trunks_drop(struct trunks_change *change)
{
	if (change == NULL)
		return;
	for (unsigned i = 0; i < change->count; i++) {
		su_timer_destroy(change->steps[i].ping_timer);
		if (change->steps[i].is_new)
			trunk_free(change->steps[i].trunk);
	}
	free(change->list);
	free(change);
}
