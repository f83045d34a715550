/* SPDX-License-Identifier: BSD-3-Clause */
/* Who a request is from, or who is called: one of our users, or a trunk. A plain value. */
#ifndef CONTROL_PARTY_H
#define CONTROL_PARTY_H

#include "relay/config.h"
#include "users.h"

#include <stdbool.h>
#include <stdio.h>

enum party_kind {
	PARTY_USER,  /* proved by digest; or a user of ours that is called */
	PARTY_TRUNK, /* proved by its certificate; or a trunk that is called */
};

struct party {
	enum party_kind kind;
	char name[USER_NAME_SIZE];        /* the user's, or the trunk's */
	const struct config_trunk *trunk; /* NULL for users; lives as long as the configuration */
};

static inline void
party_set_user(struct party *party, const char *name)
{
	*party = (struct party){.kind = PARTY_USER};
	snprintf(party->name, sizeof(party->name), "%s", name);
}

static inline void
party_set_trunk(struct party *party, const struct config_trunk *trunk)
{
	*party = (struct party){.kind = PARTY_TRUNK, .trunk = trunk};
	snprintf(party->name, sizeof(party->name), "%s", trunk->name);
}

#endif
